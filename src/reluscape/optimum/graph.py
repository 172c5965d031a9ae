"""The nodes of a cover as the arrays that the kernel walks over, in both directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.kernels.pieces import MULTIPLIERS, Graph
from reluscape.optimum.line import Line, conditions, least_squares
from reluscape.optimum.nodes import CONCAVE, LINE, LOOSE, SIGNED_PAIR, SIGNS, Nodes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# Parts that a wide cell is cut into, to bound what the data inside cost under a single kink.
PARTS = 4
# Inputs that two lines can always fit.
LEAST_INSIDE = 4


def floors(line: Line, nodes: Nodes) -> Floats:
    """Bound from below what the data inside wide cells cost under one kink.

    Wherever the kink is, the data before its part of the cell lie on one line, and those after it
    on another.
    """
    result = np.zeros(len(nodes))
    wide = np.flatnonzero((nodes.kind <= CONCAVE) & (nodes.b - nodes.a > LEAST_INSIDE))
    if len(wide) and line.atomic:
        a, b = nodes.a[wide, np.newaxis], nodes.b[wide, np.newaxis]
        cuts = a + (b - a) * np.arange(PARTS + 1) // PARTS
        rows = line.rows_after(cuts)
        before = least_squares(rows - rows[:, :1])[:, :-1]
        after = least_squares(rows[:, -1:] - rows)[:, 1:]
        # Two inputs lie on a line, whatever rounding says.
        before[(cuts - a)[:, :-1] <= LINE] = 0.0
        after[(b - cuts)[:, 1:] <= LINE] = 0.0
        result[wide] = (before + after).min(axis=1)
    return result


@dataclass(frozen=True, eq=False)
class Terms:
    """What multipliers of 1 add, per node and multiplier.

    To the lines before and after (N, 4, 2), on the value at the place next to the node and on the
    slope; to the value at a single input inside (N, 4), with its target and weight (N,); and to
    the price itself (N, 4).
    """

    enter: Floats
    leave: Floats
    own: Floats
    target: Floats
    weight: Floats
    fixed: Floats


def terms(line: Line, nodes: Nodes, width: int) -> Terms:
    """Separate the conditions of all nodes with their multipliers.

    Single breakpoints with sign s: the lines L before and R after cross inside the cell, so that
    s (R - L) <= 0 at its left end and >= 0 at its right end; one multiplier each. Pairs with the
    value z at the input p between them: s (z - L(p)) >= 0, t (R(p) - z) <= 0 for signs s and t,
    and where they are equal z lies on the proper side of the chord from L at the input before p to
    R at the input after it, which is what is left when the slope between is eliminated. Where
    slopes are bounded, so are the rises from L before a cluster to R after it, or to an input that
    a line sees alone.
    """
    n = len(nodes)
    enter, leave = np.zeros((n, MULTIPLIERS, 2)), np.zeros((n, MULTIPLIERS, 2))
    own, fixed = np.zeros((n, MULTIPLIERS)), np.zeros((n, MULTIPLIERS))
    result = Terms(enter, leave, own, np.zeros(n), np.zeros(n), fixed)
    for kind in (0, 1):
        some = nodes.kind == kind
        sign = 1.0 - 2.0 * kind
        wide = line.position(nodes.b[some]) - line.position(nodes.a[some] - 1)
        for m, side in enumerate((1.0, -1.0)):
            leave[some, m, 0], enter[some, m, 0] = sign * side, -sign * side
        leave[some, 0, 1] = -sign * wide
        enter[some, 1, 1] = sign * wide
    inner = (nodes.layer > 0) | (nodes.a >= LINE)
    inner &= (nodes.last < width - 1) | (line.count - nodes.b >= LINE)
    _rises(line, result, np.flatnonzero((nodes.kind == LOOSE) & inner), nodes, 0)
    _inside(line, nodes, result)
    if not line.atomic:
        return result
    for kind, (s, t) in enumerate(SIGNS, SIGNED_PAIR):
        some = nodes.kind == kind
        p = nodes.a[some]
        down = line.position(p) - line.position(p - 1)
        up = line.position(p + 1) - line.position(p)
        enter[some, 0, 0], enter[some, 0, 1] = s, s * down
        leave[some, 1, 0], leave[some, 1, 1] = t, -t * up
        own[some, 0], own[some, 1] = -s, -t
        both = line.rows_after(p + 1) - line.rows_after(p)
        result.weight[some] = both[:, 0] + both[:, 6]
        result.target[some] = (both[:, 3] + both[:, 9]) / result.weight[some]
        if s == t:
            own[some, 2] = s
            enter[some, 2, 0] = -s * up / (down + up)
            leave[some, 2, 0] = -s * down / (down + up)
        elif np.isfinite(line.ranges).all():
            _rises(line, result, np.flatnonzero(some), nodes, 2)
        else:
            _halves(line, result, some, down, up)
    for some, at, side in (
        ((nodes.layer == 0) & (nodes.b == 1), 0, leave),
        ((nodes.last == width - 1) & (nodes.a == line.count - 1), line.count - 1, enter),
    ):
        _alone(line, result, some & (nodes.size == 1), at, side)
    return result


def _halves(line: Line, result: Terms, some: Booleans, down: Floats, up: Floats) -> None:
    """Write the terms of one bound on the rises to and from the input inside pairs."""
    for bound, way in zip(line.ranges, (-1.0, 1.0), strict=True):
        if np.isfinite(bound):
            result.own[some, 2], result.enter[some, 2, 0] = way, -way
            result.fixed[some, 2] = -way * bound * down
            result.own[some, 3], result.leave[some, 3, 0] = -way, way
            result.fixed[some, 3] = -way * bound * up


def _alone(line: Line, result: Terms, some: Booleans, at: int, side: Floats) -> None:
    """Write the terms of the rises between the outermost input, alone on its line, and the next."""
    if not some.any() or not np.isfinite(line.ranges).any():
        return
    place = np.array([at])
    mass = line.rows_after(place + 1) - line.rows_after(place)
    result.weight[some] = mass[:, 0] + mass[:, 6]
    result.target[some] = (mass[:, 3] + mass[:, 9]) / result.weight[some]
    one, two = line.position(np.array([0, 1]) if at == 0 else np.array([at - 1, at]))
    # The rise is from the input to the line at the left end, from the line to it at the right.
    way = 1.0 if at == 0 else -1.0
    for m, (bound, sign) in enumerate(zip(line.ranges, (-1.0, 1.0), strict=True)):
        if np.isfinite(bound):
            side[some, m, 0], result.own[some, m] = way * sign, -way * sign
            result.fixed[some, m] = -sign * bound * (two - one)


def _rises(line: Line, result: Terms, some: Integers, nodes: Nodes, first: int) -> None:
    """Write the terms of the least and the greatest rise across nodes."""
    wide = line.position(nodes.b[some]) - line.position(nodes.a[some] - 1)
    for m, (bound, side) in enumerate(zip(line.ranges, (-1.0, 1.0), strict=True), first):
        if np.isfinite(bound):
            result.leave[some, m, 0], result.enter[some, m, 0] = side, -side
            result.fixed[some, m] = -side * bound * wide


def _inside(line: Line, nodes: Nodes, result: Terms) -> None:
    """Write the terms of the last two multipliers of single breakpoints, on the error inside.

    With e the mean error inside a cell and r any constant, e^2 >= 2 r e - r^2. A network with a
    convex kink is above both its lines, and below the chord between their ends; with a concave one
    the other way round. So 2 r e is bounded by terms on both lines: on the side of each line for r
    of the sign of the kink, on the chord's ends otherwise. One multiplier is for each sign of r.
    What `floors` bounds is the error about its mean, and comes on top.
    """
    enter, leave, own = result.enter, result.leave, result.own
    some = np.flatnonzero((nodes.kind <= CONCAVE) & ((nodes.b > nodes.a) | (not line.atomic)))
    b, sign = nodes.b[some], 1.0 - 2.0 * nodes.kind[some]
    a = nodes.a[some] - (0 if line.atomic else 1)
    middle = (a + b) // 2
    left, right = line.position(nodes.a[some] - 1), line.position(b)
    ends, half = line.rows_after(np.stack([a, b])), line.rows_after(middle)
    inside, before = ends[1] - ends[0], half - ends[0]
    mass, x, y = (inside[:, i] + inside[:, 6 + i] for i in (0, 1, 3))
    mass_before, x_before = (before[:, i] + before[:, 6 + i] for i in (0, 1))
    good = mass > 0.0
    full = np.where(good, mass, 1.0)
    mean, level = x / full, y / full
    halved = middle > a
    # Shares of the mass, and mean distances from the node's ends, of what counts to each line.
    share = np.where(halved, mass_before / full, 0.0)
    reach = np.where(halved, (x_before - mass_before * left) / full, 0.0)
    rest = np.where(halved, (mass - mass_before) / full, 1.0)
    moment: Floats = x - halved * x_before
    back = moment / full - rest * right
    chord = (right - mean) / (right - left)
    for m, way in ((2, 1.0), (3, -1.0)):
        sides = good & (way == sign)
        ends_only = good & (way != sign)
        enter[some, m, 0] = way * np.select([sides, ends_only], [share, chord])
        enter[some, m, 1] = way * np.where(sides, reach, 0.0)
        leave[some, m, 0] = way * np.select([sides, ends_only], [1.0 - share, 1.0 - chord])
        leave[some, m, 1] = way * np.where(sides, back, 0.0)
        own[some, m] = -way * good
    result.target[some], result.weight[some] = level, np.where(good, mass, 0.0)


@dataclass(frozen=True, eq=False)
class Graphs:
    """The same nodes seen forwards and backwards."""

    forward: Graph
    backward: Graph


def graphs_of(line: Line, nodes: Nodes, width: int, sides: int = -1, pull: float = 0.0) -> Graphs:
    """Build both views of a cover, under what `conditions` say of its lines."""
    exits, exit_row = np.unique(np.concatenate([[0], nodes.b]), return_inverse=True)
    entries, entry_row = np.unique(np.concatenate([nodes.a, [line.count]]), return_inverse=True)
    places = np.concatenate([exits, entries])
    rows = np.concatenate([line.rows_after(exits), line.rows_before(entries)])
    # The inputs next to a node: after its end, before its beginning.
    beside = line.position(np.concatenate([exits, entries - 1]))
    rows = np.column_stack([rows, beside, beside])
    a, b = entry_row[:-1] + len(exits), exit_row[1:]
    added = terms(line, nodes, width)
    floor = floors(line, nodes)
    ranges, pulls = conditions(line, width, sides, pull)
    first, last = nodes.layer, nodes.last
    low, high = limits(line, nodes)
    views: list[Graph] = []
    for backward in (False, True):
        entry = width - 1 - last if backward else first
        exit_ = width - 1 - first if backward else last
        entry_at, exit_at = (b, a) if backward else (a, b)
        way = -1 if backward else 1
        # Nodes that meet a line at the same row follow each other.
        far_gap, near_gap = (-nodes.d, -nodes.c) if backward else (nodes.c, nodes.d)
        entry_reach, exit_reach = nodes.before, nodes.after
        if backward:
            entry_reach, exit_reach = exit_reach, entry_reach
        order = np.lexsort((far_gap, exit_at, entry_reach, way * entry_at, entry))
        entry_clear, exit_clear = (nodes.v, nodes.u) if backward else (nodes.u, nodes.v)
        leaving = np.lexsort((way * exit_at, way * exit_clear, exit_))
        layers = np.arange(width + 1)
        views.append(
            Graph(
                rows,
                places,
                backward,
                entry_at,
                exit_at,
                way * entry_clear,
                way * exit_clear,
                order,
                np.searchsorted(entry[order], layers),
                entry,
                leaving,
                np.searchsorted(exit_[leaving], layers),
                added.leave if backward else added.enter,
                added.enter if backward else added.leave,
                added.own,
                added.target,
                added.weight,
                added.fixed,
                floor,
                -low if backward else high,
                -high if backward else low,
                far_gap,
                near_gap,
                line.rules.spaced,
                line.distance,
                line.rules.min_points,
                ranges,
                pulls,
                entry_reach,
                exit_reach,
            )
        )
    return Graphs(*views)


def limits(line: Line, nodes: Nodes) -> tuple[Floats, Floats]:
    """Return the least position of the last breakpoint of nodes, the greatest of the first.

    In the first and the last gap breakpoints may lie outside of the inputs.
    """
    low = np.where(nodes.d > 1, line.position(nodes.d - 1), -np.inf)
    high = np.where(nodes.c < line.count - 1, line.position(nodes.c), np.inf)
    return low, high


def permitted(line: Line, nodes: Nodes, width: int) -> Nodes:
    """Leave out the nodes whose breakpoints would be too near to each other or to an end."""
    if not line.rules.spaced:
        return nodes
    points = line.rules.min_points
    good = (nodes.layer > 0) | (nodes.c >= points)
    good &= (nodes.last < width - 1) | (line.count - nodes.d >= points)
    begin = np.where(nodes.a > 1, line.position(nodes.a - 1), -np.inf)
    end = np.where(nodes.b < line.count - 1, line.position(nodes.b), np.inf)
    apart = end - begin >= (nodes.size - 1) * line.distance
    apart &= nodes.b - nodes.a >= (nodes.size - 1) * points
    return nodes.take(good & (apart | (nodes.size == 1)))
