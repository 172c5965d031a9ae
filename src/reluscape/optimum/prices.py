"""What lines of a cover cost at least, for the checker: in balls, under given multipliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.arithmetic import Ball, Rows, exactly
from reluscape.optimum.covers import (
    AT_END,
    FIRST,
    KIND,
    LAYER,
    LINE,
    PARTS,
    SIGNED,
    SIGNS,
    A,
    B,
    last,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


# Relative radius from which spreads are computed again in fractions, unless there are too many.
NARROW = 1e-9
MOST_NARROW = 20_000


@dataclass(frozen=True, eq=False)
class Terms:
    """What nodes add to the lines before and after them, and inside.

    On a line: p0 times its value at the input next to the node, and p1 times its slope.
    """

    enter: tuple[Ball, Ball]
    leave: tuple[Ball, Ball]
    inside: Floats
    idle: Booleans


def terms_of(rows: Rows, cover: Integers, mult: Floats) -> Terms:
    """Separate the nodes' conditions with their multipliers.

    Singles of sign s with lines L, R: s a (R - L)(x[a-1]) - s b (R - L)(x[b]) for multipliers a
    and b. Signed pairs, with z the value at the one input p between them: s (z - L(p)) >= 0 and
    t (R(p) - z) <= 0; if s = t the middle line also crosses both others at the proper side of its
    ends, which for some slope means s z <= s (the chord at p from L(x[p-1]) to R(x[p+1])). What
    they add to z is minimised together with the input's own squares: c y - c^2 / (4 w).
    """
    n, kind = len(cover), cover[:, KIND]
    zero = exactly(np.zeros(n))
    inside = _inside(rows, cover)
    single = kind < AT_END
    sign = np.where(single, 1.0 - 2.0 * kind, 0.0)
    force = exactly(sign * mult[:, 0]) - exactly(sign * mult[:, 1])
    before = np.where(single, cover[:, A] - 1, 0)
    wide = rows.distance(before, np.where(single, cover[:, B], 0))
    leave = [_where(single, force, zero), _where(single, wide.times(-sign * mult[:, 0]), zero)]
    enter = [
        _where(single, zero - force, zero),
        _where(single, wide.times(sign * mult[:, 1]), zero),
    ]
    pairs = np.flatnonzero((kind >= SIGNED) & (kind < FIRST) & mult.any(axis=1))
    if len(pairs):
        s, t = np.array(SIGNS, np.float64)[kind[pairs] - SIGNED].T
        p, m = cover[pairs, A], mult[pairs] * np.where((s == t)[:, np.newaxis], 1.0, (1, 1, 0))
        down, up = rows.distance(p - 1, p), rows.distance(p, p + 1)
        both = rows.distance(p - 1, p + 1)
        for side, one, share, way in (
            (enter, s * m[:, 0], up / both, down),
            (leave, t * m[:, 1], down / both, up.times(-1.0)),
        ):
            _put(side[0], pairs, exactly(one) + share.times(-s * m[:, 2]))
            _put(side[1], pairs, way.times(one))
        own = exactly(s * m[:, 2]) - exactly(s * m[:, 0]) - exactly(t * m[:, 1])
        weight, _, _, y, _, _ = rows.between(p, p + 1)
        inside[pairs] = (own * (y / weight - own / weight.times(4.0))).low
    return Terms((enter[0], enter[1]), (leave[0], leave[1]), inside, (mult == 0.0).all(axis=1))


def _where(some: Booleans, one: Ball, two: Ball) -> Ball:
    return Ball(np.where(some, one.mid, two.mid), np.where(some, one.rad, two.rad))


def _put(target: Ball, index: Integers, values: Ball) -> None:
    target.mid[index], target.rad[index] = values.mid, values.rad


def _inside(rows: Rows, cover: Integers) -> Floats:
    """Bound the squares inside the wide cells of single breakpoints.

    In whichever part of the cell the kink lies, the data before that part are on one line and
    those after it on another.
    """
    low = np.zeros(len(cover))
    wide = np.flatnonzero((cover[:, KIND] < AT_END) & (cover[:, B] - cover[:, A] > 2 * LINE))
    if len(wide):
        a, b = cover[wide, A][:, np.newaxis], cover[wide, B][:, np.newaxis]
        cuts = a + (b - a) * np.arange(PARTS + 1) // PARTS
        before = _line(rows, np.broadcast_to(a, cuts.shape), cuts)[0][:, :-1]
        after = _line(rows, cuts, np.broadcast_to(b, cuts.shape))[0][:, 1:]
        low[wide] = np.nextafter(before + after, -np.inf).min(axis=1)
    return low


def _line(rows: Rows, i: Integers, j: Integers) -> tuple[Floats, Ball, Ball, Ball, Ball, Ball]:
    """Return of the data from i to j: least squares (below), mean y, slope, mean x, 1/4M, 1/4S.

    The mean of x is from the first input. S is the weighted spread of x; where it may be 0 the
    squares are 0, and 1/4S is unbounded.
    """
    mass, x, xx, y, xy, yy = rows.between(i, j)
    mean, level, start = x / mass, y / mass, rows.position(i)
    spread, both = xx - x * mean, xy - mean * y
    left, mean = yy - y * level, mean - start
    narrow = np.flatnonzero(~(spread.rad < NARROW * spread.mid) | ~(left.rad < NARROW * left.mid))
    if len(narrow) <= MOST_NARROW:
        for at in narrow.tolist():
            index = np.unravel_index(at, i.shape)
            exact = rows.spreads(int(i[index]), int(j[index]))
            for ball, (mid, rad) in zip((spread, both, left, mean), exact, strict=True):
                ball.mid[index], ball.rad[index] = mid, rad
    slope = both / spread
    squares = (left - both * slope).low
    squares = np.where(np.isfinite(squares) & (squares > 0.0) & (j - i > LINE), squares, 0.0)
    one = exactly(np.full(i.shape, 0.25))
    return squares, level, slope, mean, one / mass, one / spread


@dataclass(frozen=True, eq=False)
class Bridge:
    """All lines between the breakpoints j - 1 and j of a cover: from rows `left` to rows `right`.

    `index` (left, right) is the number of a line in `line`, -1 for less than two inputs; `length`
    is from the first to the last input.
    """

    left: Integers
    right: Integers
    index: Integers
    line: tuple[Floats, Ball, Ball, Ball, Ball, Ball]
    length: Ball


def bridge_of(rows: Rows, cover: Integers, j: int, k: int) -> Bridge:
    """Compute all lines between two neighbouring breakpoints once."""
    left = np.unique(cover[last(cover) == j - 1, B]) if j else np.zeros(1, np.int64)
    right = np.unique(cover[cover[:, LAYER] == j, A]) if j < k else np.full(1, rows.count)
    u, t = np.nonzero(right - left[:, np.newaxis] >= LINE)
    index = np.full((len(left), len(right)), -1)
    index[u, t] = np.arange(len(u))
    length = rows.distance(left[u], right[t] - 1)
    return Bridge(left, right, index, _line(rows, left[u], right[t]), length)


def price(
    bridge: Bridge,
    i: Integers,
    j: Integers,
    leave: tuple[Ball, Ball],
    enter: tuple[Ball, Ball],
    none: Booleans,
) -> Floats:
    """Bound the least of the squares plus both nodes' terms over lines on the data from i to j.

    The node before (`leave`) has terms at the first input, the one after (`enter`) at the last.
    With a line's value c at the mean input and its slope d the minimum separates: squares + c0
    (mean y - c0 / 4M) + c1 (slope - c1 / 4S), where c0 is the sum of both forces and c1 that of
    the terms on d, forces times distances from the mean included. `none` says where all terms are
    exactly 0; with fewer than two inputs lines must be free of terms.
    """
    at = bridge.index[np.searchsorted(bridge.left, i), np.searchsorted(bridge.right, j)]
    squares, *balls = bridge.line
    if not len(squares):
        return np.where(none, 0.0, -np.inf)
    level, slope, mean, mass, spread = (ball[at] for ball in balls)
    force = leave[0] + enter[0]
    turn = leave[1] + enter[1] + enter[0] * (bridge.length[at] - mean) - leave[0] * mean
    low = (force * (level - force * mass) + turn * (slope - turn * spread)).low
    low = np.nextafter(squares[at] + np.where(none, 0.0, low), -np.inf)
    return np.where(at >= 0, np.where(np.isfinite(low), low, -np.inf), np.where(none, 0.0, -np.inf))
