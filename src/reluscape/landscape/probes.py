"""What a new neuron would do: the inner products of the error with all bends and all lines.

For a neuron with w = b = 0 the risk changes by `2 v D(dw, db)` to first order, where D is the
integral of `act(dw x + db) e`. D is positively homogeneous: it is known from its values on bends to
the right and to the left at every place, and on lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.sight import Sight
from reluscape.networks.network import Network
from reluscape.problems.line import evaluate

Floats = NDArray[np.float64]

# Places tried in every interval between breakpoints and borders of pieces.
PLACES = 9


@dataclass(frozen=True, eq=False)
class Probes:
    """D on many directions.

    Attributes
    ----------
    directions : ndarray, shape (m, 2)
        (dw, db) in the user's units, of length one.
    values : ndarray, shape (m,)
        D there, reduced.
    cosines : ndarray, shape (m,)
        The same as cosines of the error with the new neuron.
    exact : bool
        Whether D is nowhere lower or higher than on these directions (data: D is linear between
        them).
    """

    directions: Floats
    values: Floats
    cosines: Floats
    exact: bool

    @property
    def least(self) -> float:
        """The least cosine."""
        return float(self.cosines.min())

    @property
    def most(self) -> float:
        """The largest cosine."""
        return float(self.cosines.max())

    def steepest(self, v: float) -> Floats:
        """Return the steepest descent of a neuron with output weight v, as long as it is steep."""
        slopes = v * self.values
        best = int(np.argmin(slopes))
        return -min(float(slopes[best]), 0.0) * self.directions[best]

    def largest(self) -> tuple[Floats, float]:
        """Return the direction with the largest cosine in size, and the sign of D there."""
        best = int(np.argmax(np.abs(self.cosines)))
        return self.directions[best], float(np.sign(self.values[best]))


@dataclass(frozen=True, eq=False)
class _Strips:
    """Sums of (e, x e, 1, x, x^2) over strips, shape (5, strips), from left to right, reduced."""

    middle: Floats
    sums: Floats

    def split(self, places: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the sums above and below each place, and the whole, three times."""
        none = np.zeros((5, 1))
        below = np.hstack([none, np.cumsum(self.sums, axis=1)])
        above = np.hstack([np.cumsum(self.sums[:, ::-1], axis=1)[:, ::-1], none])
        return (
            above[:, np.searchsorted(self.middle, places, side="right")],
            below[:, np.searchsorted(self.middle, places, side="left")],
            np.repeat(below[:, -1:], 3, axis=1),
        )


def probe(sight: Sight) -> Probes:
    """Return D on bends at all data, or at many places of an interval, and on lines."""
    places = _places(sight)
    strips = _rows(sight, places) if sight.atomic else _intervals(sight, places)
    low, high = (float(end) for end in sight.moments.support)
    ones = np.ones_like(places)
    # One function per row: slope and constant. Lines are positive on the whole support.
    slopes = np.concatenate([ones, -ones, [0.0, 1.0, -1.0]])
    constants = np.concatenate([-places, places, [1.0, -low, high]])
    above, below, whole = strips.split(places)
    leak = sight.leak
    first = np.hstack([above[:2] + leak * below[:2], below[:2] + leak * above[:2], whole[:2, :3]])
    second = np.hstack(
        [above[2:] + leak**2 * below[2:], below[2:] + leak**2 * above[2:], whole[2:, :3]]
    )
    if leak:
        slopes, constants = np.append(slopes, -slopes[-3:]), np.append(constants, -constants[-3:])
        first = np.hstack([first, leak * whole[:2, :3]])
        second = np.hstack([second, leak**2 * whole[2:, :3]])
    inner = slopes * first[1] + constants * first[0]
    squares = slopes**2 * second[2] + constants * (2.0 * slopes * second[1] + constants * second[0])
    norms = np.sqrt(np.maximum(squares, 0.0)) * (sight.excess or 1.0)
    cosines = np.where(norms > 0.0, inner / np.where(norms > 0.0, norms, 1.0), 0.0)
    x = sight.moments.x_axis
    directions = np.column_stack([slopes / x.scale, constants - slopes * x.centre / x.scale])
    length = np.hypot(directions[:, 0], directions[:, 1])
    return Probes(directions / length[:, None], inner / length, cosines, sight.atomic)


def _places(sight: Sight) -> Floats:
    edges = sight.moments.table.edges
    if sight.atomic:
        return edges
    inside = sight.t[(sight.t > edges[0]) & (sight.t < edges[-1])]
    cuts = np.unique(np.concatenate([edges, inside]))
    share = (np.arange(PLACES) + 0.5) / PLACES
    inner = cuts[:-1, None] + np.diff(cuts)[:, None] * share
    return np.sort(np.concatenate([cuts[1:-1], inner.ravel()]))


def _rows(sight: Sight, x: Floats) -> _Strips:
    """Every datum is a strip of its own."""
    table, moments = sight.moments.table, sight.moments
    sums = np.diff(table.high[:, 0], axis=0) + np.diff(table.low[:, 0], axis=0)
    mass = sums[:, 0]
    value = moments.y_axis.reduce(sight.network(moments.x_axis.restore(x)))
    error = mass * value - sums[:, 3]
    return _Strips(x, np.array([error, error * x, mass, mass * x, mass * x * x]))


def _intervals(sight: Sight, places: Floats) -> _Strips:
    """Integrate by flat neurons at the places, beside those of the network."""
    network, x = sight.network, sight.moments.x_axis
    user = x.restore(places)
    one = np.full(len(places), 1.0 / x.scale)
    probes = Network(
        np.concatenate([network.weights[:, 0], one]),
        np.concatenate([network.biases, -user / x.scale]),
        np.concatenate([network.outputs, np.zeros(len(places))]),
        network.offset,
        network.skip,
        network.activation,
    )
    seen = evaluate(sight.moments, probes)
    above = seen.integrals[network.width :, :2].T
    whole = np.array([[seen.error], [seen.error_x]])
    # act' is 1 above and the leak below.
    above = (above - sight.leak * whole) / (1.0 - sight.leak)
    error = -np.diff(np.hstack([whole, above, 0.0 * whole]))
    mass, mean, spread = seen.segments.T
    ends = np.concatenate([places, [np.inf]])
    # Strips are cut by the network's own breakpoints as well: sum them between places.
    strip = np.asarray(np.searchsorted(ends, mean, side="right"), np.int64)
    sums = np.zeros((3, len(ends)))
    for row, part in enumerate((mass, mass * mean, mass * mean**2 + spread)):
        np.add.at(sums[row], strip, part * (mass > 0.0))
    low, high = sight.moments.support
    borders = np.concatenate([[low], places, [high]])
    return _Strips((borders[1:] + borders[:-1]) / 2.0, np.vstack([error, sums]))
