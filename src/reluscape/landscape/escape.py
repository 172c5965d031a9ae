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
    risk_at = _risk_at(problem, network)
    start = network.to_vector()
    best: tuple[float, Floats] | None = None
    lowest = risk * (1.0 - VISIBLE)
    for raw in directions:
        length = float(np.linalg.norm(raw))
        if not (np.isfinite(length) and length > 0.0):
            continue
        direction = raw / length
        step = LONGEST * max(float(np.linalg.norm(start)), EPS)
        found = False
        for _ in range(TRIES):
            theta = start + step * direction
            value = risk_at(theta)
            if value < lowest:
                lowest, best, found = value, (step, direction), True
            elif found:
                break
            # Coarsely until the risk is lower, finely from there.
            step /= 2.0 if found else COARSE
        if found:
            break
    if best is None:
        return None
    step, direction = best
    end = Network.from_vector(
        start + step * direction,
        network.inputs,
        network.skip is not None,
        network.activation,
    )
    return Escape(direction, step, end, lowest, risk - lowest)


def _risk_at(
    problem: Samples | Interval | Polygon | Gaussian, network: Network
) -> Callable[[Floats], float]:
    """Return the risk as a function of the parameters of networks like this one."""
    skip, activation, width = network.skip is not None, network.activation, network.width
    on_a_line = isinstance(problem, Interval) or (
        isinstance(problem, Samples) and problem.on_a_line
    )
    if isinstance(problem, Polygon | Gaussian) or not (activation.piecewise_linear and on_a_line):
        return lambda theta: problem.risk(
            Network.from_vector(theta, network.inputs, skip, activation)
        )
    from reluscape.kernels import exact

    table, leak = problem.moments.table, activation.slope

    def risk(theta: Floats) -> float:
        affine = np.array([theta[3 * width], theta[-1] if skip else 0.0])
        w, b, v = theta[: 3 * width].reshape(3, width)
        return exact.risk(w, b, v, affine, leak, table)

    return risk
