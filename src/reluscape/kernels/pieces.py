"""Lines between clusters of breakpoints, and what they cost under linear terms.

A node is a cluster of neighbouring breakpoints in a range of data gaps (`optimum.nodes`). A piece
is the line between two nodes; its price is the least that the data between them, and the linear
terms that both nodes put on that line, can cost: a concave quadratic in the terms.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reluscape.kernels.compiled import fused, inner
from reluscape.kernels.twofold import subtract
from reluscape.kernels.typing import Floats, Integers

# Places that pin a line down; with fewer between them breakpoints form one cluster.
LINE = 2
# How near a neighbour must be; fewer places than `CLOSE` in between are near.
NEAR, FAR, CLOSE = 1, 2, 8
# Multipliers of a node.
MULTIPLIERS = 4
# Rows of pieces, one column each: a concave quadratic in the terms (p0, p1) that the node at hand
# adds. The price without them, mean of y, slope, mean of x (from the input next to that node),
# 1/(4 mass), 1/(4 spread), the terms of the node at the other end, and the length.
PRICE, MEAN, SLOPE, CENTRE, MASS, SPREAD, TERM, TURN, LENGTH, SCRATCH = range(10)
PIECE = 10
# Stands for 1/0 where rounding leaves no spread: any term then costs everything.
NO_SPREAD = 1e300


class Graph(NamedTuple):
    """Nodes as seen in one direction; all arrays have one entry per node unless said otherwise.

    `rows` (R, 14) are cumulative moments at the ends of nodes, as pairs of floats, and the inputs
    that follow and come before; `places` (R,) the number of inputs left of them. `enter` and
    `leave` are the rows where a node meets the line before and after it, `clear_before` and
    `clear_after` the numbers of inputs, counted in the graph's direction, that other nodes must
    keep off by two. `entries` lists nodes by the layer they are entered from, from
    `entry_starts[j]`, and `exits` by the layer they leave. `on_enter` and `on_leave` (N, 4, 2) are
    the linear terms per multiplier, on the value at the input next to the node and on the slope;
    `own` (N, 4) those on the value at a single input in between, with target `target` and
    `weight`; `fixed` (N, 4) the terms that are constant; `floor` is what the data inside cost at
    least. `far` and `near` are where a node's
    breakpoints can be at most and at least, in the graph's direction: a node may follow another if
    its `far` is at least `distance` beyond the other's `near`, and so for gaps and `points`.
    `reach_before` and `reach_after` say how near the node before and after it must be.
    `ranges` (k + 1, 2) are the slopes that lines may have, from left to right, and `pulls` the
    terms on each line's slope that hold for all nodes.
    """

    rows: Floats
    places: Integers
    backward: bool
    enter: Integers
    leave: Integers
    clear_before: Integers
    clear_after: Integers
    entries: Integers
    entry_starts: Integers
    entry_layer: Integers
    exits: Integers
    exit_starts: Integers
    on_enter: Floats
    on_leave: Floats
    own: Floats
    target: Floats
    weight: Floats
    fixed: Floats
    floor: Floats
    far: Floats
    near: Floats
    far_gap: Integers
    near_gap: Integers
    spaced: bool
    distance: float
    points: int
    ranges: Floats
    pulls: Floats
    reach_before: Integers
    reach_after: Integers


@inner
def read_line(rows: Floats, i: int, j: int, piece: Floats) -> None:
    """Write the least squares of the data between two rows and the line that attains them.

    The mean of x is from the first input.
    """
    if i > j:
        i, j = j, i
    # About the first input, without rounding what cancels: segments may be very narrow.
    origin = rows[i, 12]
    mass, mass_low = subtract(rows[j, 0], rows[j, 6], rows[i, 0], rows[i, 6])
    x, x_low = subtract(rows[j, 1], rows[j, 7], rows[i, 1], rows[i, 7])
    xx, xx_low = subtract(rows[j, 2], rows[j, 8], rows[i, 2], rows[i, 8])
    y, y_low = subtract(rows[j, 3], rows[j, 9], rows[i, 3], rows[i, 9])
    xy, xy_low = subtract(rows[j, 4], rows[j, 10], rows[i, 4], rows[i, 10])
    yy = subtract(rows[j, 5], rows[j, 11], rows[i, 5], rows[i, 11])[0]
    xx = fused(-origin, x, xx) + (xx_low - origin * x_low)
    x = fused(-origin, mass, x) + (x_low - origin * mass_low)
    xx = fused(-origin, x, xx)
    xy = fused(-origin, y, xy) + (xy_low - origin * y_low)
    piece[:] = 0.0
    if not mass > 0.0:
        piece[MASS] = piece[SPREAD] = NO_SPREAD
        return
    mean = x / mass
    spread = xx - x * mean
    piece[MEAN] = y / mass
    piece[CENTRE] = mean
    piece[LENGTH] = rows[j, 13] - origin
    piece[MASS] = 0.25 / mass
    both = xy - mean * y
    left = yy - y * piece[MEAN]
    if not spread > 0.0:
        piece[SPREAD] = NO_SPREAD
        return
    piece[SLOPE] = both / spread
    piece[SPREAD] = 0.25 / spread
    piece[PRICE] = max(left - both * piece[SLOPE], 0.0)


@inner
def allowed(piece: Floats, c1: float, span: Floats) -> float:
    """Return the cheapest slope in a range under the term c1 * slope."""
    slope = piece[SLOPE] - 2.0 * c1 * piece[SPREAD]
    if slope < span[0]:
        return float(span[0])
    return float(span[1]) if slope > span[1] else float(slope)


@inner
def cheapest(pieces: Floats, count: int, p0: float, p1: float, span: Floats) -> tuple[float, int]:
    """Return the lowest price under the terms p0 * L(end) + p1 * slope, and which piece has it.

    Slopes are kept within `span` (2,). In two loops, of which the first runs on vectors.
    """
    prices = pieces[SCRATCH]
    for i in range(count):
        c0 = pieces[TERM, i] + p0
        c1 = pieces[TURN, i] + p1 - p0 * pieces[CENTRE, i]
        prices[i] = (
            pieces[PRICE, i]
            + c0 * (pieces[MEAN, i] - c0 * pieces[MASS, i])
            + c1 * (pieces[SLOPE, i] - c1 * pieces[SPREAD, i])
        )
    if span[0] > -np.inf or span[1] < np.inf:
        for i in range(count):
            c0 = pieces[TERM, i] + p0
            c1 = pieces[TURN, i] + p1 - p0 * pieces[CENTRE, i]
            slope = allowed(pieces[:, i], c1, span)
            off = slope - pieces[SLOPE, i]
            # Pieces that see nothing have neither spread nor terms.
            if off != -2.0 * c1 * pieces[SPREAD, i] and pieces[SPREAD, i] > 0.0:
                prices[i] = (
                    pieces[PRICE, i]
                    + c0 * (pieces[MEAN, i] - c0 * pieces[MASS, i])
                    + c1 * slope
                    + 0.25 * off * (off / pieces[SPREAD, i])
                )
    best, which = np.inf, -1
    for i in range(count):
        if prices[i] < best:
            best, which = prices[i], i
    return best, which


@inner
def ascent(piece: Floats, p0: float, p1: float, d0: float, d1: float, span: Floats) -> float:
    """Return the derivative of a price along (d0, d1)."""
    c0 = piece[TERM] + p0
    c1 = piece[TURN] + p1 - p0 * piece[CENTRE]
    slope0 = piece[MEAN] - 2.0 * c0 * piece[MASS]
    return slope0 * d0 + allowed(piece, c1, span) * (d1 - d0 * piece[CENTRE])


@inner
def add_terms(on_enter: Floats, on_leave: Floats, multipliers: Floats, p: Floats) -> None:
    """Write the linear terms on both lines of a node."""
    p[:] = 0.0
    for m in range(MULTIPLIERS):
        for c in range(2):
            p[c] += multipliers[m] * on_enter[m, c]
            p[2 + c] += multipliers[m] * on_leave[m, c]


@inner
def inner_price(graph: Graph, t: int, multipliers: Floats) -> float:
    """Return what a node costs beside its lines."""
    price, single = graph.floor[t], 0.0
    for m in range(MULTIPLIERS):
        price += graph.fixed[t, m] * multipliers[m]
        single += graph.own[t, m] * multipliers[m]
    if graph.weight[t] > 0.0:
        price += single * (graph.target[t] - 0.25 * single / graph.weight[t])
    return float(price)
