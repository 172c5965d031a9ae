"""The nodes of a cover as the arrays that the kernel walks over, in both directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.kernels.pieces import MULTIPLIERS, Graph
from reluscape.optimum.nodes import CONCAVE, FIRST, LATER, SIGNED_PAIR, SIGNS, Nodes
from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Parts that a wide cell is cut into, to bound what the data inside cost under a single kink.
PARTS = 4
# Inputs that two lines can always fit.
LEAST_INSIDE = 4


@dataclass(frozen=True, eq=False)
class Line:
    """The distinct inputs of a problem and their cumulative moments.

    Attributes
    ----------
    x : ndarray, shape (m,)
        Distinct inputs, in the reduced frame.
    rows : ndarray, shape (m + 1, 12)
        Moments of the first i inputs, as unevaluated pairs (six high, six low parts). The last of
        the six, the integral of f squared, is that of the mean of f at each input.
    pure : float
        What no function of x can remove.
    """

    x: Floats
    rows: Floats
    pure: float


def line_of(moments: Moments) -> Line:
    """Collect the cumulative moments of data."""
    table = moments.table
    high, low = table.high[:, 0, :], table.low[:, 0, :]
    rows = np.concatenate([high, low], axis=1)
    each = np.diff(high, axis=0) + np.diff(low, axis=0)
    spread = each[:, 5] - each[:, 3] * each[:, 3] / each[:, 0]
    # Rounding leaves crumbs where an input occurs once.
    spread = np.where(spread > 1e-14 * each[:, 5], spread, 0.0)
    pure = np.concatenate([[0.0], np.cumsum(spread)])
    rows[:, 11] -= pure
    return Line(table.edges, rows, float(pure[-1]))


def least_squares(rows: Floats, i: Integers, j: Integers) -> Floats:
    """Return the least squares of one line on the data between rows, elementwise."""
    both = rows[j] - rows[i]
    mass, x, xx, y, xy, yy = (both[..., :6] + both[..., 6:]).transpose(-1, *range(both.ndim - 1))
    with np.errstate(all="ignore"):
        spread = xx - x * x / mass
        turn = xy - x * y / mass
        left = yy - y * y / mass - turn * turn / spread
    return np.where((j - i > 2) & (left > 0.0), left, 0.0)


def floors(line: Line, nodes: Nodes) -> Floats:
    """Bound from below what the data inside wide cells cost under one kink.

    Wherever the kink is, the data before its part of the cell lie on one line, and those after it
    on another.
    """
    result = np.zeros(len(nodes))
    wide = np.flatnonzero((nodes.kind <= CONCAVE) & (nodes.b - nodes.a > LEAST_INSIDE))
    if len(wide):
        a, b = nodes.a[wide, np.newaxis], nodes.b[wide, np.newaxis]
        cuts = a + (b - a) * np.arange(PARTS + 1) // PARTS
        before = least_squares(line.rows, np.broadcast_to(a, cuts.shape), cuts)[:, :-1]
        after = least_squares(line.rows, cuts, np.broadcast_to(b, cuts.shape))[:, 1:]
        result[wide] = (before + after).min(axis=1)
    return result


def terms(line: Line, nodes: Nodes) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return what a multiplier of 1 adds to the line before, after, and to the value between.

    Terms on a line are on its value at the input next to the node, and on its slope.

    Single breakpoints with sign s: the lines L before and R after cross inside the cell, so that
    s (R - L) <= 0 at its left end and >= 0 at its right end; one multiplier each. Pairs with the
    value z at the input p between them: s (z - L(p)) >= 0, t (R(p) - z) <= 0 for signs s and t,
    and where they are equal z lies on the proper side of the chord from L at the input before p to
    R at the input after it, which is what is left when the slope between is eliminated.
    """
    n = len(nodes)
    enter, leave = np.zeros((n, MULTIPLIERS, 2)), np.zeros((n, MULTIPLIERS, 2))
    own, target, weight = np.zeros((n, MULTIPLIERS)), np.zeros(n), np.zeros(n)
    x = line.x
    for kind in (0, 1):
        some = nodes.kind == kind
        sign = 1.0 - 2.0 * kind
        wide = x[nodes.b[some]] - x[nodes.a[some] - 1]
        for m, side in enumerate((1.0, -1.0)):
            leave[some, m, 0], enter[some, m, 0] = sign * side, -sign * side
        leave[some, 0, 1] = -sign * wide
        enter[some, 1, 1] = sign * wide
    for kind, (s, t) in enumerate(SIGNS, SIGNED_PAIR):
        some = nodes.kind == kind
        p = nodes.a[some]
        down, up = x[p] - x[p - 1], x[p + 1] - x[p]
        enter[some, 0, 0], enter[some, 0, 1] = s, s * down
        leave[some, 1, 0], leave[some, 1, 1] = t, -t * up
        own[some, 0], own[some, 1] = -s, -t
        both = line.rows[p + 1] - line.rows[p]
        weight[some] = both[:, 0] + both[:, 6]
        target[some] = (both[:, 3] + both[:, 9]) / weight[some]
        if s == t:
            own[some, 2] = s
            enter[some, 2, 0] = -s * up / (down + up)
            leave[some, 2, 0] = -s * down / (down + up)
    return enter, leave, own, target, weight


@dataclass(frozen=True, eq=False)
class Graphs:
    """The same nodes seen forwards and backwards."""

    forward: Graph
    backward: Graph


def graphs_of(line: Line, nodes: Nodes, width: int) -> Graphs:
    """Build both views."""
    inputs = len(line.x)
    places = np.unique(np.concatenate([[0, inputs], nodes.a, nodes.b]))
    beside = np.minimum(places, inputs - 1), np.maximum(places - 1, 0)
    rows = np.column_stack([line.rows[places], line.x[beside[0]], line.x[beside[1]]])
    a, b = np.searchsorted(places, nodes.a), np.searchsorted(places, nodes.b)
    enter, leave, own, target, weight = terms(line, nodes)
    floor = floors(line, nodes)
    first, last = nodes.layer, nodes.last
    at_start = (nodes.layer == 0) & (nodes.a < 2)
    far_in = (nodes.kind <= FIRST) | at_start
    far_out = (nodes.kind < FIRST) | (nodes.kind == LATER)
    views: list[Graph] = []
    for backward in (False, True):
        entry = width - 1 - last if backward else first
        exit_ = width - 1 - first if backward else last
        entry_row, exit_row = (b, a) if backward else (a, b)
        way = -1 if backward else 1
        # Nodes that meet a line at the same row follow each other.
        entries = np.lexsort((exit_row, way * entry_row, entry))
        entry_clear, exit_clear = (nodes.v, nodes.u) if backward else (nodes.u, nodes.v)
        exits = np.lexsort((way * exit_row, way * exit_clear, exit_))
        layers = np.arange(width + 1)
        views.append(
            Graph(
                rows,
                places,
                backward,
                entry_row,
                exit_row,
                way * entry_clear,
                way * exit_clear,
                nodes.kind,
                far_out if backward else far_in,
                far_in if backward else far_out,
                entries,
                np.searchsorted(entry[entries], layers),
                entry,
                exits,
                np.searchsorted(exit_[exits], layers),
                leave if backward else enter,
                enter if backward else leave,
                own,
                target,
                weight,
                floor,
            )
        )
    return Graphs(*views)
