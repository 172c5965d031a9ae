"""The risk `integral |R - f|^q dmu` for q > 1: other losses than the squared one.

For the squared loss the problems answer themselves, exactly. Here integrals are accurate to
rounding (in the plane, for errors that are not affine on cells, to about twelve digits), by
quadrature that knows where the integrand is not smooth.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.network import Network
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.moments import composed
from reluscape.problems.polygon import Polygon
from reluscape.problems.power_plane import power_risk_on_cells
from reluscape.problems.power_rule import integrals
from reluscape.problems.response_risk import check_inputs
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]

AnyProblem: TypeAlias = Interval | Polygon | Gaussian | Samples
Function: TypeAlias = Network | GeneralizedResponse

_Line: TypeAlias = tuple[Fraction, Fraction]


def power_risk(problem: AnyProblem, function: Function, power: float) -> float:
    """Return the risk of a network or response for the loss `|error|^power`.

    Parameters
    ----------
    problem : Interval, Polygon, Samples or Gaussian
        With scalar targets.
    function : Network or GeneralizedResponse
        Networks with ReLU or leaky ReLU.
    power : float
        Above 1.

    Returns
    -------
    float
        For power 2 the exact risk of the problem. On an interval, and on a polygon where the error
        is affine on cells, accurate to rounding; on a polygon otherwise to about 1e-12 of its
        size.

    Raises
    ------
    InputError
        If the power is not 2 for Gaussian inputs, or the function does not fit to the problem.

    Examples
    --------
    The integral of x^3 over [0, 1].

    >>> from reluscape import affine
    >>> zero = Network([1.0], [0.0], [0.0])
    >>> round(power_risk(Interval(affine(1, 0), 0, 1), zero, 3.0), 15)
    0.25
    """
    if power == 2.0:
        return problem.risk(function)
    if isinstance(problem, Gaussian):
        raise InputError(
            f"for Gaussian inputs only the squared loss is known, not |error|^{power:g}; leave "
            "power=2."
        )
    _check(problem, function)
    if isinstance(problem, Polygon):
        return power_risk_on_cells(problem.ground, function, power)
    if isinstance(problem, Samples):
        return _on_rows(problem, function, power)
    return _on_interval(problem, function, power)


def _check(problem: AnyProblem, function: Function) -> None:
    if problem.targets != 1:
        raise InputError(f"the problem has {problem.targets} targets; choose one of them.")
    if isinstance(function, GeneralizedResponse):
        check_inputs(function, problem.inputs)
        return
    require_piecewise_linear(function.activation, "the risk of other losses")
    if function.inputs != problem.inputs or not function.scalar:
        raise InputError(
            f"the network has {function.inputs} input(s) and {function.targets} target(s), the "
            f"problem {problem.inputs} and one."
        )


def _on_rows(problem: Samples, function: Function, power: float) -> float:
    x, y = problem.x.reshape(problem.size, -1), problem.y.reshape(problem.size, -1)
    return float(problem.weights @ np.abs(function(x).reshape(-1) - y[:, 0]) ** power)


def _on_interval(problem: Interval, function: Function, power: float) -> float:
    pieces = problem.pieces
    turns = _turns(function)
    inner = [t for t in turns if problem.a < t < problem.b]
    cuts = sorted({*pieces.cuts, *inner})
    errors: list[list[float]] = []
    densities: list[list[float]] = []
    for left, right in pairwise(cuts):
        at = int(np.searchsorted(pieces.cuts, left, side="right")) - 1
        target = _in_unit(tuple(pieces.target[at]), left, right)
        constant, slope = _line_at(function, left, right)
        middle, half = (
            (Fraction(left) + Fraction(right)) / 2,
            (Fraction(right) - Fraction(left)) / 2,
        )
        error = [-c for c in target] + [Fraction(0)] * (2 - len(target))
        error[0] += constant + slope * middle
        error[1] += slope * half
        errors.append([float(c) for c in error])
        density = _in_unit(tuple(pieces.density[at]), left, right)
        densities.append([float(c * half) for c in density])
    return float(integrals(_table(errors), _table(densities), power).sum())


@lru_cache(maxsize=4096)
def _in_unit(coefficients: tuple[float, ...], left: float, right: float) -> tuple[Fraction, ...]:
    """Return a polynomial in x as one in z, with [left, right] at z in [-1, 1]."""
    low, high = Fraction(left), Fraction(right)
    return tuple(composed(list(coefficients), (low + high) / 2, (high - low) / 2))


def _table(rows: list[list[float]]) -> Floats:
    table = np.zeros((len(rows), max(map(len, rows))))
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table


def _turns(function: Function) -> list[float]:
    """Return the places where a function of one variable bends or jumps, rounded."""
    if isinstance(function, GeneralizedResponse):
        return (function.thresholds * function.normals[:, 0]).tolist()
    return function.breakpoints().tolist()


def _line_at(function: Function, left: float, right: float) -> _Line:
    """Return constant and slope between two places without a turn in between, exactly."""
    middle = (Fraction(left) + Fraction(right)) / 2
    if isinstance(function, GeneralizedResponse):
        constant, slope = Fraction(function.offset), Fraction(float(function.slope[0]))
        for k, count in enumerate(function.multiplicities.tolist()):
            normal = Fraction(float(function.normals[k, 0]))
            at = normal * Fraction(float(function.thresholds[k]))
            if normal * (middle - at) > 0:
                delta = Fraction(float(function.deltas[k, 0]))
                beta = -delta * at if count == 1 else Fraction(float(function.betas[k]))
                constant, slope = constant + beta, slope + delta
        return constant, slope
    constant = Fraction(float(function.offset))
    slope = Fraction(0) if function.skip is None else Fraction(float(function.skip[0]))
    leak = Fraction(function.activation.slope)
    for w, b, v in zip(function.weights[:, 0], function.biases, function.outputs, strict=True):
        weight, bias, output = Fraction(float(w)), Fraction(float(b)), Fraction(float(v))
        factor = output if weight * middle + bias > 0 else output * leak
        constant, slope = constant + factor * bias, slope + factor * weight
    return constant, slope
