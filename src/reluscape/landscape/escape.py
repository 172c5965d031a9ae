"""The way down: a straight line from a network to one with a lower risk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.sight import EPS
from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]

# Steps tried: from this multiple of the size of the parameters down, in factors of four until one
# helps, then of two; and how many.
LONGEST, COARSE, TRIES = 4.0, 4.0, 40
# A drop below this share of the risk may be rounding.
VISIBLE = 64.0 * EPS


@dataclass(frozen=True, eq=False)
class Escape:
    """A way down from a network.

    Attributes
    ----------
    direction : ndarray, shape (parameters,)
        Of length one, in the order of `Network.to_vector`.
    step : float
        How far to go.
    network : Network
        There: the parameters plus `step * direction`.
    risk : float
        Its risk.
    drop : float
        How much lower that is, > 0.
    """

    direction: Floats
    step: float
    network: Network
    risk: float
    drop: float


def descend_along(
    problem: Samples | Interval | Polygon | Gaussian,
    network: Network,
    risk: float,
    directions: list[Floats],
) -> Escape | None:
    """Return the lowest network found along the first direction that leads down, if any does.

    Steps are powers of four times the size of the parameters, the longest first, and once the risk
    is lower powers of two; the search ends where halving the step no longer helps.
    """
    search = _search(problem, network)
    start = network.to_vector()
    longest = LONGEST * max(float(np.linalg.norm(start)), EPS)
    for raw in directions:
        length = float(np.linalg.norm(raw))
        if not (np.isfinite(length) and length > 0.0):
            continue
        direction = raw / length
        step, lowest = search(start, direction, risk * (1.0 - VISIBLE), longest)
        if step > 0.0:
            end = _moved(network, start + step * direction)
            return Escape(direction, step, end, lowest, risk - lowest)
    return None


def _search(
    problem: Samples | Interval | Polygon | Gaussian, network: Network
) -> Callable[[Floats, Floats, float, float], tuple[float, float]]:
    """Return how to search along a direction for a risk below a level, from the longest step."""
    activation = network.activation
    on_a_line = isinstance(problem, Interval) or (
        isinstance(problem, Samples) and problem.on_a_line
    )
    if isinstance(problem, Polygon | Gaussian) or not (activation.piecewise_linear and on_a_line):
        return lambda start, direction, level, step: lowest_along(
            lambda theta: problem.risk(_moved(network, theta)), start, direction, level, step
        )
    from reluscape.kernels import escape as kernel

    table, leak, skip = problem.moments.table, activation.slope, network.skip is not None
    return lambda start, direction, level, step: kernel.lowest_along(
        start, direction, skip, leak, table, level, step, COARSE, TRIES
    )


def lowest_along(
    risk_at: Callable[[Floats], float], start: Floats, direction: Floats, lowest: float, step: float
) -> tuple[float, float]:
    """Do what the kernel of this name does, for any risk."""
    best = 0.0
    for _ in range(TRIES):
        value = risk_at(start + step * direction)
        if value < lowest:
            lowest, best = value, step
        elif best > 0.0:
            break
        # Coarsely until the risk is lower, finely from there.
        step /= 2.0 if best > 0.0 else COARSE
    return best, lowest


def _moved(network: Network, theta: Floats) -> Network:
    """Return the network of the same kind with other parameters."""
    return Network.from_vector(theta, network.inputs, network.skip is not None, network.activation)
