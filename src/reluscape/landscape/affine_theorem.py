"""The complete classification of critical points for affine targets (S2, 2103.10922).

Cheridito, Jentzen and Rossmannek list, for ReLU, leaky ReLU and the quadratic activation, all
parameters at which the generalized gradient vanishes. A network that is critical to rounding is
matched with that list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.sight import CARRIER, DEGENERATE, IDLE, KINK, Sight
from reluscape.problems.interval import Interval
from reluscape.problems.levels import affine_target

Floats = NDArray[np.float64]

# Breakpoints this share of the interval away from their place, and sums of slope jumps this share
# of the slope of the target away from their value, are matched.
MATCH = 1e-8


@dataclass(frozen=True)
class Listed:
    """Where in the list a critical network is.

    Attributes
    ----------
    kind : str or None
        None if it is not in the list, although its gradient vanishes to rounding.
    reason : str
    """

    kind: str | None
    reason: str


def listed(sight: Sight) -> Listed | None:
    """Match a critical network of positive risk; None if the theorem does not apply to it."""
    if not isinstance(sight.problem, Interval) or sight.network.skip is not None:
        return None
    target = affine_target(sight.problem)
    if target is None or target[0] == 0.0:
        return None
    alpha = target[0]
    if sight.leak:
        return _leaky(sight)
    if (sight.role == KINK).any():
        return _bent(sight, alpha)
    return _constant(sight, alpha)


def _constant(sight: Sight, alpha: float) -> Listed:
    """(III) and (IV a): the network is constant on the interval."""
    v = sight.network.outputs
    upward = np.sign(alpha) * v
    if ((sight.role == DEGENERATE) & (v != 0.0)).any():
        return Listed(
            "saddle", "S2: a neuron with w = b = 0 and v not 0 is never part of a minimum"
        )
    still = np.flatnonzero(sight.role == CARRIER)
    if len(still):
        return Listed("saddle", f"S2, (IV a): neuron {still[0]} is flat and semi-active")
    zero = np.flatnonzero(sight.role == DEGENERATE)
    if len(zero):
        return Listed("saddle", f"S2, (IV a): neuron {zero[0]} is flat and degenerate")
    left = (sight.role == IDLE) & (sight.point == 0)
    right = (sight.role == IDLE) & (sight.point == 1)
    wrong = np.flatnonzero((left & (upward <= 0.0)) | (right & (upward >= 0.0)))
    if len(wrong):
        end = "left" if left[wrong[0]] else "right"
        return Listed(
            "saddle",
            f"S2, (IV a): neuron {wrong[0]} is semi-inactive on the {end} end and its v has the "
            "sign that lets it lower the risk from there",
        )
    return Listed(
        "local minimum",
        "S2, (III): the network is constant and centred, and every neuron is inactive, or "
        "semi-inactive with the sign of v that keeps it so; not global, since the target is not "
        "constant",
    )


def _bent(sight: Sight, alpha: float) -> Listed:
    """(IV b): n breakpoints, n even, that cut the interval into equal parts."""
    problem, network = sight.problem, sight.network
    assert isinstance(problem, Interval)  # noqa: S101
    a, length = problem.a, problem.b - problem.a
    bent = np.flatnonzero(sight.role == KINK)
    t = -network.biases[bent] / network.weights[bent, 0]
    places: Floats = np.sort(t)
    n = 1 + int(np.count_nonzero(places[1:] - places[:-1] > MATCH * length))
    w, v = network.weights[bent, 0], network.outputs[bent]
    place = np.rint((t - a) * ((n + 1) / length)).astype(np.int64)
    off = np.abs(t - (a + place * (length / (n + 1)))) > MATCH * length
    wrong = (w > 0.0) != (place % 2 == 1)
    if n % 2 or off.any() or wrong.any() or not _are_equal(v * w, place, n, alpha):
        return Listed(None, "S2, (IV b): the breakpoints match no critical point in the list")
    return Listed(
        "saddle",
        f"S2, (IV b) with n = {n}: the breakpoints cut the interval into {n + 1} equal parts, with "
        f"slope jumps of {2.0 * alpha / (n + 1):.6g} that alternate; all such points are saddles",
    )


def _leaky(sight: Sight) -> Listed:
    """Say which of the saddles it is: all critical points of positive risk are saddles."""
    if (sight.role == KINK).any():
        return Listed(
            "saddle",
            "S2 for leaky ReLU: a critical point with breakpoints inside and positive risk; there "
            "are no local minima but the global ones",
        )
    return Listed(
        "saddle",
        "S2 for leaky ReLU: the network is constant, and there are no local minima but the global "
        "ones",
    )


def _are_equal(jumps: Floats, place: NDArray[np.int64], n: int, alpha: float) -> bool:
    """Return whether the slope jumps at each of the places 1, ..., n sum to 2 alpha / (n + 1)."""
    if place.min() < 1 or place.max() > n:
        return False
    total = np.bincount(place, jumps, n + 1)[1:]
    return float(np.abs(total - 2.0 * alpha / (n + 1)).max()) <= MATCH * abs(alpha)
