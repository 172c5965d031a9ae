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
    """What nodes add to the lines before and after them: p0 L(0) + p1 slope; and inside."""

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
    ends = [rows.position(cover[:, A] - 1), rows.position(np.minimum(cover[:, B], rows.count - 1))]
    zero = exactly(np.zeros(n))
    enter, leave, inside = [zero, zero], [zero, zero], _inside(rows, cover)
    single = kind < AT_END
    sign = np.where(single, 1.0 - 2.0 * kind, 0.0)
    force = exactly(sign * mult[:, 0]) - exactly(sign * mult[:, 1])
    moment = ends[0].times(sign * mult[:, 0]) - ends[1].times(sign * mult[:, 1])
    leave = [_where(single, force, zero), _where(single, moment, zero)]
    enter = [_where(single, zero - force, zero), _where(single, zero - moment, zero)]
    pairs = np.flatnonzero((kind >= SIGNED) & (kind < FIRST) & mult.any(axis=1))
    if len(pairs):
        s, t = np.array(SIGNS, np.float64)[kind[pairs] - SIGNED].T
        p, m = cover[pairs, A], mult[pairs] * np.where((s == t)[:, np.newaxis], 1.0, (1, 1, 0))
        before, at, after = (rows.position(p + i) for i in (-1, 0, 1))
        down, up = at - before, after - at
        share_l, share_r = up / (down + up), down / (down + up)
        for side, one, share, place in (
            (enter, s * m[:, 0], share_l, before),
            (leave, t * m[:, 1], share_r, after),
        ):
            chord = share.times(-s * m[:, 2])
            _put(side[0], pairs, exactly(one) + chord)
            _put(side[1], pairs, at.times(one) + chord * place)
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

    S is the weighted spread of x; where it may be 0 the squares are 0, and 1/4S is unbounded.
    """
    mass, x, xx, y, xy, yy = rows.between(i, j)
    mean, level = x / mass, y / mass
    spread, both = xx - x * mean, xy - mean * y
    left = yy - y * level
    narrow = np.flatnonzero(~(spread.rad < NARROW * spread.mid) | ~(left.rad < NARROW * left.mid))
    if len(narrow) <= MOST_NARROW:
        for at in narrow.tolist():
            index = np.unravel_index(at, i.shape)
            exact = rows.spreads(int(i[index]), int(j[index]))
            for ball, (mid, rad) in zip((spread, both, left), exact, strict=True):
                ball.mid[index], ball.rad[index] = mid, rad
    slope = both / spread
    squares = (left - both * slope).low
    squares = np.where(np.isfinite(squares) & (squares > 0.0) & (j - i > LINE), squares, 0.0)
    one = exactly(np.full(i.shape, 0.25))
    return squares, level, slope, mean, one / mass, one / spread


@dataclass(frozen=True, eq=False)
class Bridge:
    """All lines between the breakpoints j - 1 and j of a cover: from rows `left` to rows `right`.

    `index` (left, right) is the number of a line in `line`, -1 for less than two inputs.
    """

    left: Integers
    right: Integers
    index: Integers
    line: tuple[Floats, Ball, Ball, Ball, Ball, Ball]


def bridge_of(rows: Rows, cover: Integers, j: int, k: int) -> Bridge:
    """Compute all lines between two neighbouring breakpoints once."""
    left = np.unique(cover[last(cover) == j - 1, B]) if j else np.zeros(1, np.int64)
    right = np.unique(cover[cover[:, LAYER] == j, A]) if j < k else np.full(1, rows.count)
    u, t = np.nonzero(right - left[:, np.newaxis] >= LINE)
    index = np.full((len(left), len(right)), -1)
    index[u, t] = np.arange(len(u))
    return Bridge(left, right, index, _line(rows, left[u], right[t]))


def price(bridge: Bridge, i: Integers, j: Integers, p0: Ball, p1: Ball, none: Booleans) -> Floats:
    """Bound the least of `squares + p0 L(0) + p1 slope` over lines L on the data from i to j.

    With L = value c at the mean input and slope d, the minimum of M c^2 + .. separates: squares
    + c0 (mean y - c0 / 4M) + c1 (slope - c1 / 4S), where c0 = p0 and c1 = p1 - p0 (mean x). `none`
    says where both terms are exactly 0; with fewer than two inputs lines must be free of terms.
    """
    at = bridge.index[np.searchsorted(bridge.left, i), np.searchsorted(bridge.right, j)]
    squares, *balls = bridge.line
    if not len(squares):
        return np.where(none, 0.0, -np.inf)
    level, slope, mean, mass, spread = (ball[at] for ball in balls)
    turn = p1 - p0 * mean
    low = (p0 * (level - p0 * mass) + turn * (slope - turn * spread)).low
    low = np.nextafter(squares[at] + np.where(none, 0.0, low), -np.inf)
    return np.where(at >= 0, np.where(np.isfinite(low), low, -np.inf), np.where(none, 0.0, -np.inf))
