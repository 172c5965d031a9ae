"""Second order on an interval: the curvature of the risk in coordinates of the function.

Near a network without neurons at w = b = 0 the function N is a smooth function of few coordinates:
its level, its tilt (where some neuron or a skip connection makes one), the bend at each breakpoint,
and the place of each breakpoint. Rescaling neurons, and sharing a bend among neurons with the same
breakpoint, do not change them: the null directions of the Hessian that symmetry explains are gone.
If the risk has positive curvature in these coordinates, the network is a local minimum; if it has
negative curvature in one direction, it is none (S2, section on strict saddles; S3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from reluscape.landscape.sight import CARRIER, KINK, Sight

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Breakpoints closer than this share of the support are one.
SAME = 1e-12
# Curvatures up to this share of the largest possible one are zero: errors of 1e-9 in the
# parameters make some of this size.
FLAT = 1e-8


@dataclass(frozen=True, eq=False)
class Curvature:
    """The quadratic form of the risk in coordinates of the function, reduced.

    Attributes
    ----------
    least : float
        Its least eigenvalue where the squares of N alone have diagonal 1; of the smaller of both
        one-sided forms where a breakpoint sits on a border between pieces.
    direction : ndarray or None
        A direction of negative curvature, in the order of `Network.to_vector`, if there is one.
    tilted : bool
        Whether slope is free.
    """

    least: float
    direction: Floats | None
    tilted: bool


@dataclass(frozen=True, eq=False)
class _Coordinates:
    """Which neurons bend where.

    `group[j]` is the number of the breakpoint of neuron j, -1 if it has none or is flat; `moving`
    are the neurons that have one, `first` is the first of them at each breakpoint. `border[i]` is
    the border between pieces, or the end, that the breakpoint of `moving[i]` is on, or -1.
    """

    group: Integers
    moving: Integers
    first: Integers
    places: Floats
    border: Integers
    tilted: bool


def curvature(sight: Sight) -> Curvature:
    """Return the curvature at a critical network of an interval."""
    found = _form(sight, _coordinates(sight))
    if found.direction is not None or found.tilted or not (sight.role == CARRIER).any():
        return found
    # A neuron with w = v = 0 < b makes slope only at second order: not enough to say where the
    # risk falls, but a minimum must stand it.
    return replace(_form(sight, replace(_coordinates(sight), tilted=True)), direction=None)


def _form(sight: Sight, coordinates: _Coordinates) -> Curvature:
    from reluscape.kernels import curvature as kernel

    reduced, moving = sight.evaluation.reduced, coordinates.moving
    gram = kernel.gram(
        sight.evaluation.segments,
        sight.slopes,
        reduced.weights,
        reduced.outputs,
        moving,
        coordinates.first,
        coordinates.places,
        coordinates.tilted,
        _middle(sight),
    )
    size = np.sqrt(gram.diagonal())
    scale = np.where(size > 0.0, 1.0 / np.where(size > 0.0, size, 1.0), 0.0)
    sides = _kinks(sight, coordinates)
    at = np.arange(len(gram) - len(moving), len(gram))
    matrix = gram.copy()
    matrix[at, at] += sides.min(axis=1)
    matrix *= scale * scale[:, None]
    least, vector = _least(matrix)
    direction = None
    if least < -FLAT:
        d = vector * scale
        for sign in (1.0, -1.0):
            # The side that each breakpoint moves to counts.
            chosen = np.where(sign * d[at] > 0.0, sides[:, 1], sides[:, 0]) * d[at] ** 2
            squares = float(d @ gram @ d)
            if squares + chosen.sum() < -FLAT * (squares + np.abs(chosen).sum()):
                direction = _to_parameters(sight, coordinates, sign * d)
                break
    return Curvature(least, direction, coordinates.tilted)


def _least(matrix: Floats) -> tuple[float, Floats]:
    """Return the least eigenvalue of a symmetric matrix and a vector of it."""
    # One eigenpair costs a third of all; NumPy has no such function, and SciPy's own takes longer
    # to call than to run at this size.
    values, vectors, _, _, status = lapack.dsyevr(matrix, range="I", il=1, iu=1)
    if status:
        values, vectors = np.linalg.eigh(matrix)
    return float(values[0]), np.asarray(vectors[:, 0], np.float64)


def kink_term(sight: Sight, j: int) -> Floats:
    """Return e p just below and just above the breakpoint of neuron j, reduced, shape (2,)."""
    return _kink_terms(sight, np.array([j]), _bends(sight, np.array([j]))[3])[0]


def end_term(sight: Sight, j: int) -> float:
    """Return e p at the end of the interval that the breakpoint of neuron j is on, reduced."""
    table = sight.moments.table
    edge = 0 if sight.point[j] == 0 else len(table.edges) - 1
    t = float(table.edges[edge])
    return _error_density(sight, 1 if edge == 0 else edge, t)


def _coordinates(sight: Sight) -> _Coordinates:
    w, v = sight.network.weights[:, 0], sight.network.outputs
    moving = np.flatnonzero((sight.role == KINK) & (v != 0.0))
    group, first, places, border, both = _bends(sight, moving)
    carriers = (sight.role == CARRIER) & ((w != 0.0) | (v != 0.0))
    tilted = sight.network.skip is not None or both or bool(carriers.any())
    return _Coordinates(group, moving, first, places, border, tilted)


def _bends(sight: Sight, moving: Integers) -> tuple[Integers, Integers, Floats, Integers, bool]:
    from reluscape.kernels import curvature as kernel

    low, high = sight.moments.support
    w, table = sight.evaluation.reduced.weights, sight.moments.table
    return kernel.bends(w, sight.t, moving, table, SAME * (high - low))


def _middle(sight: Sight) -> float:
    mass, mean, _ = sight.evaluation.segments.T
    return float(mass @ mean / mass.sum())


def _kinks(sight: Sight, coordinates: _Coordinates) -> Floats:
    """Return what moving each breakpoint to the left and to the right adds to the form."""
    reduced, moving = sight.evaluation.reduced, coordinates.moving
    bend = (1.0 - sight.leak) * reduced.outputs[moving] * np.abs(reduced.weights[moving])
    return bend[:, None] * _kink_terms(sight, moving, coordinates.border)


def _kink_terms(sight: Sight, neurons: Integers, border: Integers) -> Floats:
    terms = np.repeat(sight.evaluation.kinks[neurons][:, None], 2, axis=1)
    for i in np.flatnonzero(border >= 0):
        edge = int(border[i])
        place = float(sight.moments.table.edges[edge])
        terms[i] = [_error_density(sight, edge, place), _error_density(sight, edge + 1, place)]
    return terms


def _error_density(sight: Sight, piece: int, t: float) -> float:
    """Return e p at t, by the polynomials of one piece."""
    table = sight.moments.table
    z = t - table.centres[piece]
    rising = np.arange(1, table.high.shape[1], dtype=np.float64)
    powers: Floats = rising * np.power(z, rising - 1.0)
    p = float(powers @ table.high[piece, 1:, 0])
    fp = float(powers @ table.high[piece, 1:, 3])
    x = sight.moments.x_axis.restore(np.array([t]))
    value = float(sight.moments.y_axis.reduce(sight.network(x))[0])
    return value * p - fp


def _to_parameters(sight: Sight, coordinates: _Coordinates, d: Floats) -> Floats:
    """Return a direction of parameters that moves the coordinates by d, in the user's units."""
    network, x, y = sight.network, sight.moments.x_axis, sight.moments.y_axis
    width, w = network.width, network.weights[:, 0]
    change = np.zeros(3 * width + (1 if network.skip is None else 2))
    bends_at = 2 if coordinates.tilted else 1
    # A line: level + slope * (x - middle), reduced.
    level, slope = float(d[0]), float(d[1]) if coordinates.tilted else 0.0
    middle, leak = _middle(sight), sight.leak
    for g, t in enumerate(coordinates.places):
        j = int(coordinates.first[g])
        bend = float(d[bends_at + g])
        if coordinates.tilted:
            # max(x - t, 0) = (act(x - t) - leak (x - t)) / (1 - leak)
            #               = (act(t - x) + (x - t)) / (1 - leak)
            bend /= 1.0 - leak
            tilt = -leak * bend if w[j] > 0.0 else bend
            slope += tilt
            level += tilt * (middle - t)
        change[2 * width + j] += bend * y.scale / (x.scale * abs(w[j]))
    moves = d[bends_at + len(coordinates.places) :]
    change[width + coordinates.moving] -= w[coordinates.moving] * x.scale * moves
    rise = slope * y.scale / x.scale
    offset = y.scale * (level - slope * middle) - rise * x.centre
    offset += _add_slope(sight, coordinates, change, rise)
    change[3 * width] += offset
    return change


def _add_slope(sight: Sight, coordinates: _Coordinates, change: Floats, rise: float) -> float:
    """Let some neuron or the skip connection rise; return what the offset must make good."""
    network = sight.network
    width, w, b, v = network.width, network.weights[:, 0], network.biases, network.outputs
    if rise == 0.0:
        return 0.0
    if network.skip is not None:
        change[-1] += rise
        return 0.0
    carriers = np.flatnonzero(sight.role == CARRIER)
    if len(carriers):
        # The first row may be left of all that is seen: a carrier may bend there.
        shares = sight.slopes[int(np.argmax(sight.mass > 0.0))]
        j = int(carriers[np.argmax(np.abs(w[carriers]))])
        if w[j] != 0.0:
            change[2 * width + j] += rise / (float(shares[j]) * w[j])
            return -rise * b[j] / w[j]
        j = int(carriers[np.argmax(np.abs(v[carriers]))])
        if v[j] != 0.0:
            change[j] += rise / (float(shares[j]) * v[j])
        return 0.0
    for g, t in enumerate(coordinates.places):
        here = coordinates.group == g
        rights, lefts = np.flatnonzero(here & (w > 0)), np.flatnonzero(here & (w < 0))
        if len(rights) and len(lefts):
            share = rise / (1.0 + sight.leak)
            change[2 * width + rights[0]] += share / abs(w[rights[0]])
            change[2 * width + lefts[0]] -= share / abs(w[lefts[0]])
            # act(X - t) - act(t - X) is (1 + leak) (X - t).
            return rise * float(sight.moments.x_axis.restore(np.array([t]))[0])
    return 0.0
