"""The least risk of all networks of a width on a few rows, by going through every placement.

Every breakpoint lies in a gap between neighbouring inputs, ends included. So a function with k
breakpoints is a non-decreasing choice of k gaps and, between them, lines that cross in the gap of
their breakpoint: the difference of the two has one sign at the left end of the gap, and the other
at its right end. Two breakpoints in one gap make a jump in the limit: the lines beside it are
quite free. Each choice of gaps and signs leaves a convex quadratic program, and the least of all
of these is the infimum.

Sums, lines and the programs that matter are solved in rationals. Left out are programs of which a
lower bound, in float64 and rounded downwards, is not below what was found; and all that are left
once a fit is as close to the data as these are to what they were rounded from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from heapq import heapify, heappop, heappush
from itertools import accumulate, combinations, combinations_with_replacement, pairwise, product
from operator import add, ge, mul, sub
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

Sums = tuple[int, ...]
Row = list[Any]
Gaps = tuple[int, ...]

# More than a sum of a few products in float64 may be wrong by, relative to its terms.
ROUNDING = 64 * float(np.finfo(float).eps)
# Distance from the data, relative to the greatest value, that is within the rounding of the data.
UNRESOLVED = Fraction(1, 2**53)


@dataclass(frozen=True)
class Piece:
    """The best line through some neighbouring sites, and what it costs to depart from it.

    The line is level + slope (x - centre). Another costs `stiffness` times the squares of the
    differences of level and slope more. A single site has no best slope: its stiffness is 0.
    """

    squares: Any
    best: tuple[Any, Any]
    stiffness: tuple[Any, Any]
    offsets: dict[int, Any]  # from the centre, of the sites at both ends and next to them


def least_risk(x: ArrayLike, y: ArrayLike, k: int, weights: ArrayLike | None = None) -> float:
    """Infimum of the weighted mean square over continuous lines with at most k breakpoints."""
    at, values = np.asarray(x, float), np.asarray(y, float)
    mass = np.ones(len(at)) if weights is None else np.asarray(weights, float)
    kept = mass > 0
    (xs, _), (ys, unit), (ws, share) = (_whole(part[kept]) for part in (at, values, mass))
    squares = _least_squares(xs, ys, ws, k) / (unit**2 * share)
    return float(squares / len(xs) if weights is None else squares)


def _whole(values: NDArray[np.float64]) -> tuple[list[int], int]:
    """Return integers in the same proportion as the values, and how many make one."""
    exact = [Fraction(t) for t in values.tolist()]
    unit = max(t.denominator for t in exact)  # all are powers of two
    return [int(t * unit) for t in exact], unit


def _least_squares(x: list[int], y: list[int], weights: list[int], k: int) -> Fraction:
    sites = sorted(set(x))
    m = len(sites)
    sums = _sums(sites, x, y, weights)
    nothing = sum(weights) * (UNRESOLVED * max(abs(t) for t in y)) ** 2

    @cache
    def exact(i: int, j: int) -> Piece:
        return _piece(sums, sites, i, j, Fraction)

    @cache
    def rounded(i: int, j: int) -> Piece:
        return _piece(sums, sites, i, j, _ratio)

    @cache
    def apart(i: int, j: int, end: int) -> float:
        return _apart(rounded(i, j), rounded(j, end), j)

    # A placement, or one of its programs; what has the lowest bound comes next.
    waiting: list[tuple[float, Gaps, Gaps, tuple[int, ...], tuple[int, ...]]] = []
    for gaps in combinations_with_replacement(range(1, m), k if m > 1 else 0):
        cuts = sorted(set(gaps))
        ends = (0, *cuts, m)
        # The breakpoints at which the lines have to meet: those that share their gap with no other.
        joints = tuple(j for j, gap in enumerate(cuts) if gaps.count(gap) == 1)
        costs = [apart(*ends[j : j + 3]) if j in joints else 0.0 for j in range(len(cuts))]
        bound = sum(rounded(*at).squares for at in pairwise(ends))
        # Costs of every other joint add up, as no line belongs to two of these.
        bound += max(sum(costs[::2]), sum(costs[1::2]))
        waiting.append((bound * (1 - ROUNDING), ends, joints, (), ()))
    heapify(waiting)
    least: Fraction | None = None
    while waiting and (least is None or least > nothing):
        bound, ends, joints, signs, active = heappop(waiting)
        if least is not None and bound >= least:
            break
        if len(signs) < len(joints):
            lines = [rounded(*at) for at in pairwise(ends)]
            for some in product((1, -1), repeat=len(joints)):
                bound, active = _bound(lines, _conditions(lines, ends, joints, some))
                heappush(waiting, (bound, ends, joints, some, active))
        else:
            lines = [exact(*at) for at in pairwise(ends)]
            found = _solve(lines, _conditions(lines, ends, joints, signs), active)
            least = found if least is None else min(least, found)
    assert least is not None
    return least


def _ratio(p: int, q: int) -> float:
    """Divide integers of any size; what Python returns is correctly rounded."""
    return p / q


def _sums(sites: list[int], x: list[int], y: list[int], weights: list[int]) -> list[Sums]:
    """Return the sums of w, wx, wxx, wy, wxy and wyy over the rows left of each site, and all."""
    rows = [(0,) * 6] * len(sites)
    place = {t: i for i, t in enumerate(sites)}
    for p, q, w in zip(x, y, weights, strict=True):
        terms = (w, w * p, w * p * p, w * q, w * p * q, w * q * q)
        rows[place[p]] = tuple(map(add, rows[place[p]], terms))
    return list(accumulate(rows, lambda p, q: tuple(map(add, p, q)), initial=(0,) * 6))


def _piece(
    sums: list[Sums], sites: list[int], i: int, j: int, divide: Callable[[int, int], Any]
) -> Piece:
    """Return the best line of the sites i .. j - 1; `divide` rounds, or does not."""
    mass, sx, sxx, sy, sxy, syy = map(sub, sums[j], sums[i])
    spread, turn, height = mass * sxx - sx * sx, mass * sxy - sx * sy, mass * syy - sy * sy
    known = spread or 1  # the turn of a single site is 0 as well
    near = {i - 1, i, j - 1, j} & set(range(len(sites)))
    return Piece(
        divide(height * known - turn * turn, mass * known),
        (divide(sy, mass), divide(turn, known)),
        (divide(mass, 1), divide(spread, mass)),
        {t: divide(sites[t] * mass - sx, mass) for t in near},
    )


def _apart(left: Piece, right: Piece, gap: int) -> float:
    """Bound from below what it costs two lines to meet in the gap between their sites."""
    if not (left.stiffness[1] and right.stiffness[1]):
        return 0.0
    differences: list[float] = []
    costs: list[float] = []
    for site in (gap - 1, gap):
        terms = [left.best[0], left.best[1] * left.offsets[site]]
        terms += [-right.best[0], -right.best[1] * right.offsets[site]]
        softness = sum(
            1 / line.stiffness[0] + line.offsets[site] ** 2 / line.stiffness[1]
            for line in (left, right)
        )
        differences.append(sum(terms))
        missing = max(abs(sum(terms)) - ROUNDING * sum(map(abs, terms)), 0.0)
        costs.append(missing**2 / softness * (1 - ROUNDING))
    # Lines that meet in the gap have to meet, or change sides, at one of its ends.
    return 0.0 if differences[0] * differences[1] <= 0 else min(costs)


def _conditions(lines: list[Piece], ends: Gaps, joints: Gaps, signs: tuple[int, ...]) -> list[Row]:
    """Return rows r with r @ (level and slope of each line in turn) >= 0."""
    rows: list[Row] = []
    for j, sign in zip(joints, signs, strict=True):
        left, right, gap = lines[j], lines[j + 1], ends[j + 1]
        for site, way in ((gap - 1, -sign), (gap, sign)):
            row: list[Any] = [0] * (2 * len(lines))
            row[2 * j : 2 * j + 2] = -way, -way * left.offsets[site]
            row[2 * j + 2 : 2 * j + 4] = way, way * right.offsets[site]
            rows.append(row)
    for j, line in enumerate(lines):
        if not line.stiffness[1]:
            rows = _without(rows, 2 * j + 1)
    return rows


def _without(rows: list[Row], c: int) -> list[Row]:
    """Return what the conditions on all unknowns say of those but one (Fourier and Motzkin)."""
    lower = [row for row in rows if row[c] > 0]
    upper = [row for row in rows if row[c] < 0]
    both = [[p[c] * b - q[c] * a for a, b in zip(p, q, strict=True)] for p in lower for q in upper]
    for row in both:
        row[c] = 0  # where it is computed in float64
    return [row for row in rows if not row[c]] + both


def _bound(lines: list[Piece], rows: list[Row]) -> tuple[float, tuple[int, ...]]:
    """Bound the least of a program from below; name the conditions that seem to hold it up."""
    free = sum(line.squares for line in lines) * (1 - ROUNDING)
    if not rows:
        return free, ()
    best = np.array([t for line in lines for t in line.best])
    stiffness = np.array([t or 1.0 for line in lines for t in line.stiffness])
    table = np.array(rows, float)
    missing = -table @ best - ROUNDING * (np.abs(table) @ np.abs(best))
    most = missing.max()
    if most <= 0:
        return free, ()
    # In units in which costs are squares of distances, and conditions half-spaces at a distance.
    table /= np.sqrt(stiffness)
    size = np.sqrt(np.sum(table**2, axis=1))
    table, missing = table / size[:, None], missing / size
    most = missing.max()
    target = np.zeros(len(best) + 1)
    target[-1] = 1.0
    # Lawson and Hanson (23.4) find the point closest to the best lines. Its shares are the best
    # weights for a sum of conditions, and the distance of any such half-space is a bound.
    shares, _ = nnls(np.vstack([table.T, missing / most]), target)
    across = np.linalg.norm(shares @ table) + ROUNDING * shares.sum()
    distance = max(shares @ missing - ROUNDING * (shares @ np.abs(missing)), 0.0) / across
    return free + float(distance**2) * (1 - ROUNDING), tuple(np.flatnonzero(shares).tolist())


def _solve(lines: list[Piece], rows: list[Row], active: tuple[int, ...]) -> Fraction:
    """Return the least of a program without rounding, guessing which conditions hold it up."""
    best = [t for line in lines for t in line.best]
    stiffness = [t for line in lines for t in line.stiffness]
    missing = [-_dot(row, best) for row in rows]
    soft = [[p / t if t else 0 for p, t in zip(row, stiffness, strict=True)] for row in rows]
    curve = [[_dot(row, other) for other in soft] for row in rows]
    others = (
        some for size in range(len(rows) + 1) for some in combinations(range(len(rows)), size)
    )
    for some in (active, *others):
        shares = _shares([[curve[i][j] for j in some] + [missing[i]] for i in some])
        if shares is None or any(t < 0 for t in shares):
            continue
        gained = [_dot(shares, [row[i] for i in some]) for row in curve]
        # Every condition holds, and those with a share hold with equality: no point is closer.
        if all(map(ge, gained, missing)):
            return sum(line.squares for line in lines) + _dot(shares, [missing[i] for i in some])
    raise AssertionError("a program that can be met has a least")


def _dot(p: Sequence[Any], q: Sequence[Any]) -> Any:
    return sum(map(mul, p, q))


def _shares(table: list[Row]) -> Row | None:
    """Solve linear equations, right sides last; None where they are singular."""
    for i in range(len(table)):
        pivot = next((r for r in range(i, len(table)) if table[r][i]), None)
        if pivot is None:
            return None
        table[i], table[pivot] = table[pivot], table[i]
        table[i] = [t / table[i][i] for t in table[i]]
        for r in range(len(table)):
            if r != i and table[r][i]:
                table[r] = [p - table[r][i] * q for p, q in zip(table[r], table[i], strict=True)]
    return [row[-1] for row in table]


def network_risk(
    x: ArrayLike, y: ArrayLike, at: ArrayLike, values: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Risk of the continuous line through the points (at, values), held straight outside."""
    x, y, at, values = (np.asarray(part, float) for part in (x, y, at, values))
    mass = np.full(len(x), 1.0 / len(x)) if weights is None else np.asarray(weights, float)
    piece = np.clip(np.searchsorted(at, x) - 1, 0, len(at) - 2)
    share = (x - at[piece]) / (at[piece + 1] - at[piece])
    return float(np.sum(mass * (values[piece] + share * np.diff(values)[piece] - y) ** 2))
