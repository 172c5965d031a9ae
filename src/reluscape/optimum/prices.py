"""What lines of a cover cost at least, for the checker: in balls, under given terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.arithmetic import TINY, Ball, Rows, exactly
from reluscape.optimum.covers import LAYER, LINE, A, B, last
from reluscape.optimum.grids import Grid

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# Relative radii from which spreads are computed again in fractions: the first of these that
# does not ask for too many.
NARROW = (1e-14, 1e-12, 1e-9)
MOST_NARROW = 20_000


@dataclass(frozen=True, eq=False)
class Lines:
    """Data ranges and their least squares lines, elementwise.

    Least squares (below), mean y, slope, mean x from the first place, 1 / 4M and 1 / 4S for the
    mass M and the spread S of x. Where S may be 0 the squares are 0, and 1 / 4S is unbounded.
    """

    squares: Floats
    level: Ball
    slope: Ball
    mean: Ball
    mass: Ball
    spread: Ball

    def take(self, at: Integers) -> Lines:
        """Pick elements."""
        balls = (self.level, self.slope, self.mean, self.mass, self.spread)
        return Lines(self.squares[at], *(ball[at] for ball in balls))


def lines_of(rows: Rows | Grid, i: Integers, j: Integers) -> Lines:
    """Return the lines on the data from place i to place j - 1."""
    mass, x, xx, y, xy, yy = rows.between(i, j)
    mean, level, start = x / mass, y / mass, rows.position(i)
    spread, both = xx - x * mean, xy - mean * y
    left, mean = yy - y * level, mean - start
    for part in NARROW:
        narrow = np.flatnonzero(~(spread.rad < part * spread.mid) | ~(left.rad < part * left.mid))
        if len(narrow) <= MOST_NARROW:
            for at in narrow.tolist():
                index = np.unravel_index(at, i.shape)
                exact = rows.spreads(int(i[index]), int(j[index]))
                for ball, (mid, rad) in zip((spread, both, left, mean), exact, strict=True):
                    ball.mid[index], ball.rad[index] = mid, rad
            break
    slope = both / spread
    squares = (left - both * slope).low
    least = LINE if rows.atomic else LINE - 1
    squares = np.where(np.isfinite(squares) & (squares > 0.0) & (j - i > least), squares, 0.0)
    one = exactly(np.full(i.shape, 0.25))
    return Lines(squares, level, slope, mean, one / mass, one / spread)


@dataclass(frozen=True, eq=False)
class Bridge:
    """All lines between the breakpoints j - 1 and j of a cover: from places `left` to `right`.

    `index` (left, right) is the number of a line in `lines`, -1 for less than two places; `length`
    is from the first to the last place, `far` from the mean input to the last. `slopes` are the
    least and the greatest slope allowed, and `pull` a term on the slope.
    """

    left: Integers
    right: Integers
    index: Integers
    lines: Lines
    length: Ball
    far: Ball
    slopes: tuple[float, float]
    pull: float

    def lines_at(self, i: Integers, j: Integers) -> Integers:
        """Return the numbers of the lines from places i to places j."""
        row = np.searchsorted(self.left, i)
        column = np.searchsorted(self.right, j)
        return self.index[row, column]


def bridge_of(
    rows: Rows | Grid, nodes: Integers, j: int, k: int, slopes: tuple[float, float], pull: float
) -> Bridge:
    """Compute all lines between two neighbouring breakpoints once."""
    left = np.unique(nodes[last(nodes) == j - 1, B]) if j else np.zeros(1, np.int64)
    right = np.unique(nodes[nodes[:, LAYER] == j, A]) if j < k else np.full(1, rows.count)
    u, t = np.nonzero(right - left[:, np.newaxis] >= LINE)
    index = np.full((len(left), len(right)), -1)
    index[u, t] = np.arange(len(u))
    lines, length = lines_of(rows, left[u], right[t]), rows.distance(left[u], right[t] - 1)
    return Bridge(left, right, index, lines, length, length - lines.mean, slopes, pull)


def price(
    bridge: Bridge,
    i: Integers,
    j: Integers,
    leave: tuple[Ball, Ball],
    enter: tuple[Ball, Ball],
    none: Booleans,
) -> Floats:
    """Bound the least of the squares plus both nodes' terms over lines on the data from i to j.

    The node before (`leave`) has terms at the first place, the one after (`enter`) at the last.
    With a line's value c at the mean input and its slope d the minimum separates: squares + c0
    (mean y - c0 / 4M) + c1 (slope - c1 / 4S), where c0 is the sum of both forces and c1 that of
    the terms on d, forces times distances from the mean included. The minimum over d is attained
    at slope - c1 / 2S, or at the nearest slope that is allowed. `none` says where all terms are
    exactly 0; with fewer than two places lines must be free of terms.
    """
    at = bridge.lines_at(i, j)
    none = none & (bridge.pull == 0.0)
    free = np.where(none, 0.0, -np.inf)
    if not len(bridge.lines.squares):
        return free
    line = bridge.lines.take(at)
    force = leave[0] + enter[0]
    turn = leave[1] + enter[1] + enter[0] * bridge.far[at] - leave[0] * line.mean
    if bridge.pull:
        turn = turn + exactly(np.full(at.shape, bridge.pull))
    low = (force * (line.level - force * line.mass) + turn * (line.slope - turn * line.spread)).low
    if bridge.slopes != (-np.inf, np.inf):
        low = np.where(none, 0.0, low)
        low = _bounded(bridge.slopes, line, force, turn, low)
        none = np.zeros_like(none)
    low = np.nextafter(line.squares + np.where(none, 0.0, low), -np.inf)
    return np.where(at >= 0, np.where(np.isfinite(low), low, -np.inf), free)


def margins(bridge: Bridge, leave: tuple[Ball, Ball], enter: tuple[Ball, Ball]) -> Floats:
    """Bound what `plainly` can be above the true price, for each line and any pair of these nodes.

    With force f, turn t, level l, slope s, m = 1 / 4M and d = 1 / 4S, and hats for midpoints, the
    price's parts differ by f l - f^ l^ = (f - f^) l^ + f (l - l^), f f m - f^ f^ m^ = (f - f^)(f +
    f^) m^ + f f (m - m^), and so for t. Below, `force` bounds |f| and |f^|, `turn` bounds |t| and
    the sum of the absolute values that t^ is added up from; `off` and `twist` bound |f - f^| and
    |t - t^|. No part of the price is rounded more than 30 times, each time by 2^-53 of what the
    parts sum up to in absolute value: 2^-46 of that is more than all rounding. Sums of non-negative
    numbers here are off by less than the factor at the end, and underflow by less than `TINY`.
    """
    line, far = bridge.lines, bridge.far
    leaving, leaving_turn, entering, entering_turn = (
        float((np.abs(ball.mid) + ball.rad).max()) for ball in (*leave, *enter)
    )
    a, b, c, d = (float(ball.rad.max()) for ball in (*leave, *enter))
    reach, back = np.abs(far.mid) + far.rad, np.abs(line.mean.mid) + line.mean.rad
    force, off = leaving + entering, a + c
    turn = leaving_turn + entering_turn + abs(bridge.pull) + entering * reach + leaving * back
    twist = b + d + entering * far.rad + c * reach + leaving * line.mean.rad + a * back
    level, slope = np.abs(line.level.mid), np.abs(line.slope.mid)
    mass, spread = line.mass.mid, line.spread.mid
    wrong = off * level + force * line.level.rad + twist * slope + turn * line.slope.rad
    wrong += force * (2.0 * off * mass + force * line.mass.rad)
    wrong += turn * (2.0 * twist * spread + turn * line.spread.rad)
    size = line.squares + force * (level + force * mass) + turn * (slope + turn * spread)
    return (wrong + 2.0**-46 * size) * (1.0 + 2.0**-20) + TINY


def plainly(
    bridge: Bridge,
    at: Integers,
    squares: Floats,
    leave: tuple[Ball, Ball],
    enter: tuple[Ball, Ball],
) -> Floats:
    """Return prices (p, q) of lines `at` for terms (p,) before and (q,) after, rounding ignored.

    As `price` does, but with midpoints only, and with `squares` in place of the lines'.
    """
    line = bridge.lines
    one, two = leave[0].mid[:, np.newaxis], enter[0].mid
    force = one + two
    turn = two * bridge.far.mid[at]
    turn -= one * line.mean.mid[at]
    turn += leave[1].mid[:, np.newaxis] + (enter[1].mid + bridge.pull)
    total = line.level.mid[at] - force * line.mass.mid[at]
    total *= force
    total += squares[at]
    rest = line.slope.mid[at] - turn * line.spread.mid[at]
    rest *= turn
    total += rest
    return total


def _bounded(
    slopes: tuple[float, float], line: Lines, force: Ball, turn: Ball, low: Floats
) -> Floats:
    """Raise bounds where the best slope is surely out of range: the nearest one in it is best."""
    best = line.slope - turn * line.spread.times(2.0)
    level = force * (line.level - force * line.mass)
    stiff = exactly(np.full(low.shape, 0.25)) / line.spread
    for bound, beyond in (
        (slopes[0], best.mid + best.rad * (1.0 + 1e-15) < slopes[0]),
        (slopes[1], best.low > slopes[1]),
    ):
        if np.isfinite(bound):
            off = exactly(np.full(low.shape, bound)) - line.slope
            at = (level + turn.times(bound) + stiff * off * off).low
            low = np.where(beyond & np.isfinite(at), np.fmax(low, at), low)
    if np.isfinite(slopes).all():
        # No slope in the range costs less than at one of its ends, whatever the spread.
        ends = np.minimum(*(turn.times(bound).low for bound in slopes))
        low = np.fmax(low, np.nextafter(level.low + ends, -np.inf))
    return low
