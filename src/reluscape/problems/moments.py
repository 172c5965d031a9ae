"""The six cumulative moments of a one-dimensional problem, from data or from polynomials.

Everything above this module sees a problem only through `integral over x < t of
(1, x, x^2, f, x f, f^2) p`, tabulated by `kernels.table` in a reduced frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reluscape.kernels.table import Table
from reluscape.problems.frame import Axis, axis_for

# Buckets of the look-up index per edge: many while they fit into a processor's cache, so that
# most are empty and a look-up is one read; few beyond, where memory counts (4 bytes each).
BUCKETS_PER_EDGE = 8
BUCKETS_PER_EDGE_LARGE = 2
LARGE = 100_000

Polynomial = list[Fraction]


class Packed(NamedTuple):
    """A table for eight networks at once: `kernels.packed` says how it is laid out."""

    values: NDArray[np.float64]
    few: bool


@dataclass(frozen=True, eq=False)
class Moments:
    """Cumulative moments in a reduced frame.

    Attributes
    ----------
    table : Table
        The tabulated moments, read by the kernels.
    x_axis, y_axis : Axis
        How reduced inputs and targets are mapped back.
    mass : float
        Factor from reduced sums to the user's measure.
    atomic : bool
        True for data: the measure sits on points, and the risk is not differentiable where a
        breakpoint meets one.
    """

    table: Table
    x_axis: Axis
    y_axis: Axis
    mass: float
    atomic: bool

    @property
    def support(self) -> tuple[float, float]:
        """The smallest and the largest input, reduced."""
        return float(self.table.edges[0]), float(self.table.edges[-1])

    @cached_property
    def packed(self) -> Packed:
        """The table as the kernels that move many networks read it; 64 bytes or more a piece."""
        from reluscape.kernels import packed
        from reluscape.kernels.lanes import LANES

        pieces, rows = self.table.high.shape[:2]
        few = rows > 1 and pieces <= LANES
        values = np.empty((rows, LANES, LANES) if few else (pieces, rows, LANES))
        (packed.pack_few if few else packed.pack)(self.table, values)
        return Packed(values, few)


def moments_of_data(
    x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> Moments:
    """Tabulate data; equal inputs share one row.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Finite inputs and targets, in any order.
    weights : ndarray, shape (n,), or None
        Non-negative weights, not all zero; None means 1/n each.
    """
    from reluscape.kernels.table import accumulate

    if weights is not None and not weights.all():
        keep = weights > 0
        x, y, weights = x[keep], y[keep], weights[keep]
    n = x.shape[0]
    if n > 1 and not bool(np.all(x[:-1] <= x[1:])):
        order = np.argsort(x)
        x, y = x[order], y[order]
        weights = None if weights is None else weights[order]
        del order
    x_axis = axis_for(float(x[0]), float(x[-1]), "x")
    y_axis = axis_for(float(y.min()), float(y.max()), "y")
    mass = 1.0 / n
    ones = np.ones(1)
    if weights is not None:
        weight_axis = axis_for(0.0, float(weights.max()), "the largest weight")
        mass = weight_axis.scale
        ones = weights / mass
    edges = np.empty(n)
    high = np.empty((n + 1, 1, 6))
    low = np.empty((n + 1, 1, 6))
    count = accumulate(
        x_axis.reduce(x), y_axis.reduce(y), ones, weights is not None, edges, high, low
    )
    edges, high, low = edges[:count], high[: count + 1], low[: count + 1]
    if count < n // 2:  # a view would keep the unused rows alive
        edges, high, low = edges.copy(), high.copy(), low.copy()
    return _pack(edges, np.zeros(1), high, low, x_axis, y_axis, mass, atomic=True)


def _pack(
    edges: NDArray[np.float64],
    centres: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    x_axis: Axis,
    y_axis: Axis,
    mass: float,
    *,
    atomic: bool,
) -> Moments:
    from reluscape.kernels.table import fill_buckets

    share = BUCKETS_PER_EDGE if len(edges) <= LARGE else BUCKETS_PER_EDGE_LARGE
    buckets = np.empty(share * len(edges) + 1, np.int32)
    fill_buckets(edges, buckets)
    table = Table(
        edges,
        buckets,
        centres,
        high,
        low,
        x_axis.centre,
        x_axis.scale,
        y_axis.centre,
        y_axis.scale,
        mass,
    )
    return Moments(table, x_axis, y_axis, mass, atomic)


def moments_of_polynomials(
    breaks: NDArray[np.float64],
    target: list[list[float]],
    density: list[list[float]],
) -> Moments:
    """Tabulate a piecewise polynomial target under a piecewise polynomial density, exactly.

    Parameters
    ----------
    breaks : ndarray, shape (m + 1,)
        Increasing; the support is from the first to the last.
    target, density : list of m lists
        Coefficients on each piece, lowest degree first, in x itself.

    Notes
    -----
    Integration is done in rationals and rounded once to pairs of floats.
    """
    pieces = len(target)
    x_axis = axis_for(float(breaks[0]), float(breaks[-1]), "the interval")
    values = [
        abs(float(value([Fraction(c) for c in target[i]], Fraction(float(t)))))
        for i in range(pieces)
        for t in (breaks[i], breaks[i + 1])
    ]
    y_axis = axis_for(-max(values), max(values), "the target")
    edges = x_axis.reduce(breaks).astype(np.float64)
    f_degree = max(map(len, target)) - 1
    degree = max(2, 2 * f_degree, f_degree + 1) + max(map(len, density))
    centres = np.zeros(pieces + 2)
    high = np.zeros((pieces + 2, degree + 1, 6))
    low = np.zeros((pieces + 2, degree + 1, 6))
    totals = [Fraction(0)] * 6
    for i in range(pieces):
        left, right = Fraction(float(edges[i])), Fraction(float(edges[i + 1]))
        centre = Fraction(float((left + right) / 2))
        centres[i + 1] = float(centre)
        scale = Fraction(x_axis.scale)
        shift = Fraction(x_axis.centre) + scale * centre
        f = [c / Fraction(y_axis.scale) for c in composed(target[i], shift, scale)]
        p = [c * scale for c in composed(density[i], shift, scale)]
        identity = [centre, Fraction(1)]
        square = product(identity, identity)
        factors = [[Fraction(1)], identity, square, f, product(identity, f), product(f, f)]
        for k, factor in enumerate(factors):
            cumulative = antiderivative(product(factor, p))
            cumulative[0] = totals[k] - value(cumulative, left - centre)
            totals[k] = value(cumulative, right - centre)
            for d, c in enumerate(cumulative):
                high[i + 1, d, k] = float(c)
                low[i + 1, d, k] = float(c - Fraction(high[i + 1, d, k]))
    for k in range(6):
        high[pieces + 1, 0, k] = float(totals[k])
        low[pieces + 1, 0, k] = float(totals[k] - Fraction(high[pieces + 1, 0, k]))
    return _pack(edges, centres, high, low, x_axis, y_axis, 1.0, atomic=False)


def composed(coefficients: list[float], shift: Fraction, scale: Fraction) -> Polynomial:
    """Return the polynomial in z for x = shift + scale z."""
    result: Polynomial = [Fraction(0)]
    for c in reversed(coefficients):
        result = product(result, [shift, scale])
        result[0] += Fraction(c)
    return result


def product(a: Polynomial, b: Polynomial) -> Polynomial:
    """Return the product of two polynomials."""
    result = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, s in enumerate(a):
        for j, t in enumerate(b):
            result[i + j] += s * t
    while len(result) > 1 and not result[-1]:
        result.pop()
    return result


def antiderivative(a: Polynomial) -> Polynomial:
    """Return the antiderivative that is 0 at 0."""
    return [Fraction(0), *(c / (i + 1) for i, c in enumerate(a))]


def value(a: Polynomial, z: Fraction) -> Fraction:
    """Return the value of a polynomial."""
    result = Fraction(0)
    for c in reversed(a):
        result = result * z + c
    return result
