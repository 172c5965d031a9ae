"""First order: whether any direction lowers the risk to first order, and the steepest that does.

The one-sided derivative of the risk is a sum over neurons plus a linear part (Yun, Sra and
Jadbabaie 2018, section 3), so that with one input it is enough to look at each neuron's plane
(w, b), which data cut into sectors along the lines w x_k + b = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.probes import Probes, probe
from reluscape.landscape.sight import CARRIER, DEGENERATE, EDGE, KINK, Sight, counted, row
from reluscape.problems.line import gradient_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stationarity:
    """The verdict of the first derivatives.

    Attributes
    ----------
    smooth : bool
        Whether every derivative that exists in both directions is zero.
    sides : bool
        Whether no one-sided derivative at a datum is negative.
    at_zero : bool
        Whether none is at neurons with w = b = 0, or None where that cannot be told.
    worst : float
        The largest cosine that should be zero and is not.
    probes : Probes or None
        What new bends would do, where a neuron has w = b = 0.
    """

    smooth: bool
    sides: bool
    at_zero: bool | None
    worst: float
    probes: Probes | None


def stationarity(sight: Sight) -> Stationarity:
    """Test all first derivatives of the risk."""
    tangents, role = sight.tangents, sight.role
    v = sight.network.outputs
    alive = (role == KINK) | (role == CARRIER) | (role == EDGE)
    moving = alive & (v != 0.0)
    parts = [
        np.array([tangents.level]),
        tangents.output[alive],
        tangents.turn[moving],
        tangents.shift[moving & (role != EDGE)],
    ]
    if sight.network.skip is not None:
        parts.append(np.array([tangents.tilt]))
    size = np.abs(np.concatenate(parts))
    worst = float(size.max())
    edge = moving & (role == EDGE)
    sign = np.sign(v[edge])
    down = np.concatenate([sign * tangents.away[edge], -sign * tangents.into[edge]])
    steepest = float(down.max(initial=0.0))
    zero: bool | None = True
    seen = probe(sight) if (role == DEGENERATE).any() else None
    degenerate = v[(role == DEGENERATE) & (v != 0.0)]
    if seen is not None and len(degenerate):
        lowest = min(seen.least if o > 0.0 else -seen.most for o in degenerate)
        if lowest < -sight.floor:
            zero = False
        elif not seen.exact:
            zero = None
    return Stationarity(
        worst <= sight.floor, steepest <= sight.floor, zero, max(worst, steepest), seen
    )


def steepest_descent(sight: Sight) -> Floats:
    """Return the direction of the steepest one-sided descent, not normalised.

    Each neuron's part is the steepest direction in its own plane, as long as it is steep: together
    they minimise the one-sided derivative over all directions of length one.
    """
    network = sight.network
    width, v = network.width, network.outputs
    smooth = gradient_of(sight.moments, network, sight.evaluation)
    direction = -smooth
    for j in np.flatnonzero(sight.role == EDGE):
        m, e = row(sight, int(sight.point[j]))
        x = float(sight.moments.x_axis.restore(sight.moments.table.edges[sight.point[j]]))
        pull = sight.gain * v[j] * (1.0 - sight.leak) * m * e * np.array([x, 1.0])
        lower = smooth[[j, width + j]] - (pull if counted(sight, int(j)) else 0.0)
        direction[[j, width + j]] = _steepest_of_two(lower, lower + pull, np.array([x, 1.0]))
    for j in np.flatnonzero((sight.role == DEGENERATE) & (v != 0.0)):
        direction[[j, width + j]] = probe(sight).steepest(float(v[j])) * sight.gain
    return direction


def _steepest_of_two(below: Floats, above: Floats, normal: Floats) -> Floats:
    """Return the steepest descent of a function that is linear on both sides of a line.

    Its gradients are `below` where `d · normal <= 0` and `above` elsewhere.
    """
    best = np.zeros(2)
    tangent = np.array([normal[1], -normal[0]]) / float(np.hypot(*normal))
    for slope, side in ((below, -1.0), (above, 1.0)):
        d = -slope
        if side * float(d @ normal) < 0.0:
            d = float(d @ tangent) * tangent
        # The derivative along d is -|d|^2: longer is steeper.
        if float(d @ d) > float(best @ best):
            best = d
    return best
