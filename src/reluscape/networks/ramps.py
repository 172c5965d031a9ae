"""Jumps of a generalized response as two neurons each: a steep ramp in their place.

Source: the step of Dereich, Jentzen, Kassing (arXiv 2302.14690) that shows that no response with a
jump is optimal; the ramp itself is our own version of it.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from reluscape.errors import InputError
from reluscape.networks.arrays import Floats, as_floats
from reluscape.networks.network import Network
from reluscape.networks.responses import GeneralizedResponse


def ramped(response: GeneralizedResponse, steepness: ArrayLike, shifts: ArrayLike = 0.0) -> Network:
    """Return a response with each jump replaced by the two neurons of a steep ramp.

    A jump `J(x) = delta.x + beta` across `n.x = tau` becomes
    `(k (n.x - tau) + J(x) / 2)_+ - (k (n.x - tau) - J(x) / 2)_+`, which is 0 and J where
    `k |n.x - tau| >= |J(x)| / 2`.

    Parameters
    ----------
    response : GeneralizedResponse
    steepness : float or array_like of shape (jumps,)
        k of all jumps, or of each: in units of the values per unit of length.
    shifts : float or array_like of shape (jumps,), default 0.0
        How far the ramps are moved along their normals, away from the jumps.

    Returns
    -------
    Network
        With a skip connection and `response.dimension` neurons: one for each kink, two for each
        jump, in the order of the terms. With one input all weights are 1 or -1, and behind a ramp
        the network is the response even far from the origin.

    Raises
    ------
    InputError
        If k is not finite, or at most half as large as the bend of a jump, so that a neuron would
        turn over; or so large that its two neurons would be one in floating point.

    Examples
    --------
    >>> step = GeneralizedResponse([1.0], [0.5], [0.0], [1.0])
    >>> ramped(step, 4.0)([0.25, 0.5, 0.75])
    array([0. , 0.5, 1. ])
    """
    jumps = np.flatnonzero(response.multiplicities == 2)
    k = np.broadcast_to(as_floats("steepness", steepness), jumps.shape)
    by = np.broadcast_to(as_floats("shifts", shifts), jumps.shape)
    least = np.abs(response.bends[jumps]) / 2.0
    if not (np.isfinite(k).all() and (k > least).all()):
        raise InputError(
            f"the steepness is {np.array2string(k)}; give finite numbers above "
            f"{least.max(initial=0.0):g}, half of the bend."
        )
    build = _on_a_line if response.inputs == 1 else _in_space
    neurons: list[tuple[Floats, float, float]] = []
    place = 0
    for term, count in enumerate(response.multiplicities.tolist()):
        if count == 1:
            normal, tau = response.normals[term], float(response.thresholds[term])
            neurons.append((normal, -tau, float(response.bends[term])))
            continue
        neurons += build(response, term, float(k[place]), float(by[place]))
        place += 1
    return Network(
        np.reshape([w for w, _, _ in neurons], (-1, response.inputs)),
        [b for _, b, _ in neurons],
        [v for _, _, v in neurons],
        response.offset,
        response.slope,
    )


def height(response: GeneralizedResponse, term: int) -> float:
    """Return the height of a jump of a response with one input, rounded once.

    Examples
    --------
    >>> height(GeneralizedResponse([-1.0], [-2.0], [1.0], [3.0]), 0)
    5.0
    """
    at = Fraction(float(response.normals[term, 0])) * Fraction(float(response.thresholds[term]))
    delta, beta = float(response.deltas[term, 0]), float(response.betas[term])
    return float(Fraction(delta) * at + Fraction(beta))


def _on_a_line(
    response: GeneralizedResponse, term: int, k: float, shift: float
) -> list[tuple[Floats, float, float]]:
    """Return the neurons by their breakpoints: what these lose in rounding, slopes make up for."""
    normal = response.normals[term]
    start = float(response.thresholds[term])
    tau = start + shift
    bend = float(response.bends[term])
    jump = height(response, term) + bend * (tau - start)
    first, second = tau - jump / (2.0 * k + bend), tau + jump / (2.0 * k - bend)
    low, high = min(first, second), max(first, second)
    if low == high and jump != 0.0:
        raise InputError(
            f"a ramp of steepness {k:g} at {float(normal[0] * tau):g} is too narrow for doubles; "
            "give a lower steepness."
        )
    rise = (jump + bend * (high - tau)) / (high - low) if high > low else bend
    return [(normal, -low, rise), (normal, -high, bend - rise)]


def _in_space(
    response: GeneralizedResponse, term: int, k: float, shift: float
) -> list[tuple[Floats, float, float]]:
    normal, delta = response.normals[term], response.deltas[term]
    tau, beta = float(response.thresholds[term]) + shift, float(response.betas[term])
    up, bias = k * normal + delta / 2.0, -k * tau + beta / 2.0
    # From the first neuron, so that their difference is the jump to the last place.
    return [(up, bias, 1.0), (up - delta, bias - beta, -1.0)]
