"""Critical points of networks with two neurons, by a search from many starts; not exhaustive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.one_neuron import CriticalPoint, one_neuron_points
from reluscape.landscape.verdict import classify
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval

Floats = NDArray[np.float64]

# Starts on a grid in each breakpoint; Newton steps from each; the share of the interval that a step
# may have; and below which it has converged.
GRID, STEPS = 24, 40
LONGEST_STEP, CONVERGED = 0.1, 1e-13
# Differences for the Jacobian, a share of [a, b], and the distance at which two results are one,
# also where one of them is undecided.
DIFFERENCE, SAME, VAGUE = 1e-6, 1e-8, 1e-5
# Added to the diagonal of the normal equations, as a share of its sum; the least integral that is
# not zero, as a share of the mass; and how near a border a breakpoint is tried on it.
RIDGE, RESIDUAL, NEAR_BORDER = 1e-14, 1e-10, 1e-3
# A second breakpoint closer to an end, or a bend smaller than this share of the largest, is noise
# of a realization that needs only one neuron.
MARGIN, BEND = 1e-7, 1e-8


@dataclass(frozen=True)
class _Structure:
    """Which functions make N beside 1: x, and bends to the right (1) or to the left (-1)."""

    tilted: bool
    sides: tuple[int, ...]
    name: str


# Of structures that realize the same function the first is listed.
STRUCTURES = (
    _Structure(True, (1,), "affine+right-active"),
    _Structure(False, (1, 1), "right-active+right-active"),
    _Structure(False, (-1, -1), "left-active+left-active"),
    _Structure(False, (1, -1), "right-active+left-active"),
)


def two_neuron_points(problem: Interval) -> list[CriticalPoint]:
    """List what is found; see `critical_points`."""
    points = [_with_idle(problem, point) for point in one_neuron_points(problem)]
    moments = _moments(problem)
    for structure in STRUCTURES:
        for places, coefficients in _roots(problem, moments, structure):
            network = _network(problem, structure, places, coefficients)
            verdict = classify(problem, network)
            if verdict.kind == "not critical":
                continue
            points.append(
                CriticalPoint(
                    verdict.kind,
                    verdict.risk,
                    network,
                    None,
                    structure.name,
                    (verdict.risk, verdict.risk),
                    tuple(sorted(float(t) for t in places)),
                    False,
                )
            )
    return sorted(_distinct(problem, points), key=lambda point: (point.risk, point.breakpoints))


def _with_idle(problem: Interval, point: CriticalPoint) -> CriticalPoint:
    """Give a network of width one a neuron that is inactive on the interval: nothing changes."""
    a, b, one = problem.a, problem.b, point.network
    network = Network(
        [float(one.weights[0, 0]), -1.0],
        [float(one.biases[0]), a - (b - a)],
        [float(one.outputs[0]), 0.0],
        one.offset,
    )
    # What was lowest at width one need not be so at width two.
    verdict = classify(problem, network)
    kind = "local minimum" if point.kind == "global minimum" else point.kind
    return CriticalPoint(
        "global minimum" if verdict.kind == "global minimum" else kind,
        point.risk,
        network,
        point.breakpoint,
        point.family,
        point.risk_bounds,
        point.breakpoints,
        point.certified,
    )


Moments = Callable[[Floats], Floats]


def _moments(problem: Interval) -> Moments:
    """Return the integrals from a of (1, x, x^2, f, x f) p as a function, shape (5, n)."""
    from scipy.interpolate import PPoly

    table = problem.moments.table
    degree = table.high.shape[1] - 1
    # The table holds just these, per piece, about its centre; PPoly counts from the left border.
    left = table.edges[:-1]
    coefficients = np.zeros((degree + 1, len(left), 5))
    for i, t in enumerate(left):
        shifted = np.polynomial.Polynomial([t - table.centres[i + 1], 1.0])
        for k in range(5):
            c = np.polynomial.Polynomial(table.high[i + 1, :, k])(shifted).coef
            coefficients[degree + 1 - len(c) :, i, k] = c[::-1]
    cumulative = PPoly(coefficients, table.edges)
    return lambda t: np.asarray(cumulative(t)).T


@dataclass(frozen=True, eq=False)
class _Basis:
    """Functions `slope x + constant` between `start` and `stop`, all of shape (n, functions).

    `at_start` and `at_stop` hold the cumulative moments there, shape (5, n, functions).
    """

    slope: Floats
    constant: Floats
    start: Floats
    stop: Floats
    at_start: Floats
    at_stop: Floats

    def over(self, i: int, j: int) -> Floats:
        """Return the moments over the common support of two functions, shape (5, n)."""
        late = self.start[:, i] >= self.start[:, j]
        early = self.stop[:, i] <= self.stop[:, j]
        above = np.where(late, self.at_start[:, :, i], self.at_start[:, :, j])
        below = np.where(early, self.at_stop[:, :, i], self.at_stop[:, :, j])
        empty = np.maximum(self.start[:, i], self.start[:, j]) >= np.minimum(
            self.stop[:, i], self.stop[:, j]
        )
        return np.where(empty, 0.0, below - above)


def _basis(moments: Moments, support: tuple[float, float], of: _Structure, t: Floats) -> _Basis:
    count, bends = t.shape
    low, high = support
    plain = 2 if of.tilted else 1
    sides = np.array(of.sides)
    lines = np.array([[0.0, 1.0], [1.0, 0.0]])[:plain]
    slope = np.hstack([np.tile(lines[:, 0], (count, 1)), np.tile(sides, (count, 1))])
    constant = np.hstack([np.tile(lines[:, 1], (count, 1)), -sides * t])
    start = np.hstack([np.full((count, plain), low), np.where(sides > 0, t, low)])
    stop = np.hstack([np.full((count, plain), high), np.where(sides > 0, high, t)])
    ends = moments(np.array([low, high]))
    at = moments(t.ravel()).reshape(5, count, bends)
    at_low = np.repeat(np.repeat(ends[:, :1, None], count, axis=1), plain, axis=2)
    at_high = np.repeat(np.repeat(ends[:, 1:, None], count, axis=1), plain, axis=2)
    right = (sides > 0)[None, None, :]
    at_start = np.concatenate([at_low, np.where(right, at, ends[:, :1, None])], axis=2)
    at_stop = np.concatenate([at_high, np.where(right, ends[:, 1:, None], at)], axis=2)
    return _Basis(slope, constant, start, stop, at_start, at_stop)


def _solve(
    moments: Moments,
    support: tuple[float, float],
    of: _Structure,
    t: Floats,
    ridge: float = RIDGE,
) -> tuple[Floats, Floats]:
    """Return optimal coefficients and the integrals of the error over the active sides.

    Parameters
    ----------
    t : ndarray, shape (n, m)
        Breakpoints, reduced.

    Returns
    -------
    coefficients : ndarray, shape (n, functions)
    conditions : ndarray, shape (n, m)
        The integrals, which vanish at critical points.
    """
    basis = _basis(moments, support, of, t)
    count, size = basis.slope.shape
    a, b = basis.slope, basis.constant
    gram, right = np.empty((count, size, size)), np.empty((count, size))
    firsts = np.empty((count, size, size))
    masses = np.empty((count, size))
    for i in range(size):
        own = basis.over(i, i)
        right[:, i] = a[:, i] * own[4] + b[:, i] * own[3]
        masses[:, i] = own[3]
        for j in range(size):
            part = basis.over(i, j)
            firsts[:, i, j] = a[:, j] * part[1] + b[:, j] * part[0]
            gram[:, i, j] = (
                a[:, i] * (a[:, j] * part[2] + b[:, j] * part[1]) + b[:, i] * firsts[:, i, j]
            )
    # Breakpoints that meet make the system singular; a whisper of ridge keeps Newton going.
    gram += ridge * np.trace(gram, axis1=1, axis2=2)[:, None, None] * np.eye(size)
    if ridge:
        inverse = np.asarray(np.linalg.inv(gram), np.float64)
    else:
        inverse = np.asarray(np.linalg.pinv(gram, hermitian=True), np.float64)
    coefficients: Floats = (inverse @ right[..., None])[..., 0]
    bends = t.shape[1]
    conditions = np.einsum("nij,nj->ni", firsts, coefficients) - masses
    return coefficients, conditions[:, -bends:]


def _roots(problem: Interval, moments: Moments, of: _Structure) -> list[tuple[Floats, Floats]]:
    """Return breakpoints (user's units) and coefficients (reduced) of critical realizations."""
    support = problem.moments.support
    low, high = support
    extent = high - low
    bends = len(of.sides)
    line = low + extent * (np.arange(GRID) + 0.5) / GRID
    t = np.stack([axis.ravel() for axis in np.meshgrid(*[line] * bends)], axis=1)
    if bends == 2 and of.sides[0] == of.sides[1]:
        t = t[t[:, 0] < t[:, 1]]
    active = np.arange(len(t))
    for _ in range(STEPS):
        step = _newton_step(moments, support, of, t[active])
        moved = np.clip(t[active] + step, low + MARGIN * extent / 2, high - MARGIN * extent / 2)
        still = np.abs(moved - t[active]).max(axis=1) > CONVERGED * extent
        t[active] = moved
        active = active[still]
        if not len(active):
            break
    t = np.vstack([_on_borders(problem, t), t])
    inside = ((t > low + MARGIN * extent) & (t < high - MARGIN * extent)).all(axis=1)
    coefficients, rest = _solve(moments, support, of, t, 0.0)
    bend = np.abs(coefficients[:, -bends:])
    real = (bend > BEND * np.abs(coefficients).max(axis=1, keepdims=True)).all(axis=1)
    small = np.abs(rest).max(axis=1) <= RESIDUAL * moments(np.array([high]))[0, 0]
    # Many starts end at the same place.
    _, first = np.unique(np.round(t / (SAME * extent)), axis=0, return_index=True)
    keep = np.intersect1d(np.flatnonzero(inside & real & small), first)
    return [(problem.moments.x_axis.restore(t[i]), coefficients[i]) for i in keep]


def _on_borders(problem: Interval, t: Floats) -> Floats:
    """Return the breakpoints that are near borders between pieces, on them.

    Where the target bends there, the risk grows with the third power of the distance only, and
    Newton's method ends near the border.
    """
    edges = problem.moments.table.edges
    nearest = edges[np.abs(t[:, :, None] - edges).argmin(axis=2)]
    near = np.abs(nearest - t) <= NEAR_BORDER * (edges[-1] - edges[0])
    return np.where(near, nearest, t)[near.any(axis=1)]


def _newton_step(
    moments: Moments, support: tuple[float, float], of: _Structure, t: Floats
) -> Floats:
    low, high = support
    extent = high - low
    count, bends = t.shape
    value = _solve(moments, support, of, t)[1]
    jacobian = np.empty((count, bends, bends))
    for i in range(bends):
        ahead, behind = t.copy(), t.copy()
        ahead[:, i] = np.minimum(t[:, i] + DIFFERENCE * extent, high)
        behind[:, i] = np.maximum(t[:, i] - DIFFERENCE * extent, low)
        rise = _solve(moments, support, of, ahead)[1] - _solve(moments, support, of, behind)[1]
        jacobian[:, :, i] = rise / (ahead - behind)[:, i, None]
    step = -(np.linalg.pinv(jacobian, rcond=1e-12) @ value[..., None])[..., 0]
    size = np.abs(step).max(axis=1, keepdims=True)
    return step * np.minimum(1.0, LONGEST_STEP * extent / np.maximum(size, LONGEST_STEP * extent))


def _network(
    problem: Interval, structure: _Structure, places: Floats, coefficients: Floats
) -> Network:
    x, y = problem.moments.x_axis, problem.moments.y_axis
    unit = y.scale / x.scale
    sides = list(structure.sides)
    level = float(y.restore(coefficients[:1])[0])
    bends = coefficients[-len(sides) :] * unit
    if not structure.tilted:
        return Network(sides, -np.array(sides) * places, bends, level)
    slope = float(coefficients[1]) * unit
    # A neuron that is active on all of [a, b] carries the slope.
    b = (problem.b - problem.a) - problem.a
    return Network(
        [1.0, *sides],
        [b, *(-np.array(sides) * places)],
        [slope, *bends],
        level - slope * (x.centre + b),
    )


def _distinct(problem: Interval, points: list[CriticalPoint]) -> list[CriticalPoint]:
    """Drop what realizes the same function as an earlier one."""
    grid = np.linspace(problem.a, problem.b, 257)
    kept: list[CriticalPoint] = []
    seen: list[Floats] = []
    for point in points:
        values = point.network(grid)
        size = 1.0 + float(np.abs(values).max())
        # What rounding hides is dropped beside a point that is clear.
        apart = VAGUE if point.kind == "undecided" else SAME
        if all(float(np.abs(values - other).max()) > apart * size for other in seen):
            kept.append(point)
            seen.append(values)
    return kept
