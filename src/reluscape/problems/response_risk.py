"""The exact risk of generalized responses: piecewise affine functions with jumps."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]


def risk_on_a_line(moments: Moments, response: GeneralizedResponse) -> float:
    """Return `integral (R - f)^2 dmu` from the cumulative moments, rounded once.

    A half-space is open: a datum on its boundary is outside, as for `R(x)` itself.

    Parameters
    ----------
    moments : Moments
    response : GeneralizedResponse
        With one input.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If the response has several inputs or the risk is beyond the largest float.
    """
    check_inputs(response, 1)
    x_axis, y_axis = moments.x_axis, moments.y_axis
    normals = response.normals[:, 0]
    places = response.thresholds * normals
    # What lies on the boundary of {x > t} belongs to the left of it, on that of {x < t} to the
    # right; only data can lie there.
    inclusive = (normals > 0.0) & moments.atomic
    reduced = x_axis.reduce(places)
    order = np.argsort(places)
    rows = _cumulative(moments, np.where(inclusive, np.nextafter(reduced, np.inf), reduced)[order])
    # The line of the leftmost piece, slope and constant, and how it turns at each boundary.
    slope, constant = Fraction(float(response.slope[0])), Fraction(response.offset)
    turns: list[tuple[Fraction, Fraction]] = []
    for k in order.tolist():
        delta, beta = Fraction(float(response.deltas[k, 0])), Fraction(float(response.betas[k]))
        if response.multiplicities[k] == 1:
            beta = -delta * Fraction(float(places[k]))  # exactly continuous
        if normals[k] < 0.0:
            slope, constant = slope + delta, constant + beta
            delta, beta = -delta, -beta
        turns.append((delta, beta))
    shift, scale = Fraction(x_axis.centre), Fraction(x_axis.scale)
    level, unit = Fraction(y_axis.centre), Fraction(y_axis.scale)
    total = Fraction(0)
    before = [Fraction(0)] * 6
    for k, now in enumerate(rows):
        m = [a - b for a, b in zip(now, before, strict=True)]
        before = now
        s, c = slope * scale / unit, (constant + slope * shift - level) / unit
        total += s * s * m[2] + 2 * s * c * m[1] + c * c * m[0] + m[5] - 2 * (s * m[4] + c * m[3])
        if k < len(turns):
            slope, constant = slope + turns[k][0], constant + turns[k][1]
    try:
        return max(float(total * Fraction(moments.mass) * unit * unit), 0.0)
    except OverflowError:
        raise _too_large() from None


def risk_on_rows(response: GeneralizedResponse, x: Floats, y: Floats, weights: Floats) -> float:
    """Return `sum_i weights_i (R(x_i) - y_i)^2`.

    Parameters
    ----------
    response : GeneralizedResponse
    x : ndarray of shape (n, inputs)
    y, weights : ndarray of shape (n,)

    Returns
    -------
    float

    Raises
    ------
    InputError
        If the number of inputs differs or the risk is beyond the largest float.
    """
    check_inputs(response, x.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        result = float(weights @ np.square(response(x) - y))
    if not np.isfinite(result):
        raise _too_large()
    return result


def check_inputs(response: GeneralizedResponse, inputs: int) -> None:
    """Raise an error if a response has another number of inputs than a problem."""
    if response.inputs != inputs:
        raise InputError(f"the response has {response.inputs} input(s), the problem {inputs}.")


def _too_large() -> InputError:
    return InputError("the risk is beyond the largest float; scale data and parameters down.")


def _cumulative(moments: Moments, places: Floats) -> list[list[Fraction]]:
    """Return the six cumulative moments at increasing reduced places, and at the end."""
    from reluscape.kernels.table import read_all

    rows = np.empty((len(places) + 1, 12))
    read_all(moments.table, np.append(places, np.inf), rows)
    return [[Fraction(row[i]) + Fraction(row[6 + i]) for i in range(6)] for row in rows.tolist()]
