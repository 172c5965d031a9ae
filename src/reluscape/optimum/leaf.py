"""One placement of all breakpoints: the convex program that is left, and its multipliers.

With every breakpoint in a known gap and with a known sign, the best lines solve a convex quadratic
program. A line that sees one input, or none, is only bounded from below under certain multipliers
of its two ends; these are tied to each other, and the program is solved in those that are left.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.line import Line
from reluscape.optimum.nodes import CONCAVE, CONVEX, SIGNED_PAIR, SIGNS, Nodes

Floats = NDArray[np.float64]

# Keeps the quadratic form of tied multipliers definite, relative to its diagonal.
RIDGE = 1e-12
# Spread that stands for that of a single input, in units of mass times range squared; its slope is
# held by its bounds alone.
ALONE = 1e-10


class Seen(NamedTuple):
    """What a line sees: mass, means of x and y, and the central sums of x x, x y and y y."""

    mass: float
    mean: float
    level: float
    spread: float
    turn: float
    squares: float


def placements(path: Nodes) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield the gaps and signs of all placements on a path whose cells are single gaps."""
    choices: list[list[tuple[tuple[int, ...], tuple[int, ...]]]] = []
    for i in np.argsort(path.layer):
        kind, size = int(path.kind[i]), int(path.size[i])
        first, last = int(path.a[i]), int(path.b[i])
        if kind in (CONVEX, CONCAVE):
            choices.append([((first,), (1 - 2 * kind,))])
        elif kind >= SIGNED_PAIR:
            s, t = SIGNS[kind - SIGNED_PAIR]
            choices.append([((first, last), (int(s), int(t)))])
        elif size == 1:
            choices.append([((first,), (sign,)) for sign in (1, -1)])
        else:
            # In one gap opposite signs leave the lines free of each other: nothing is lower.
            free = [((first,) * size, ((1, -1) * size)[:size])]
            choices.append(free if first == last else list(members(first, last, size)))
    for parts in product(*choices):
        gaps = tuple(gap for part, _ in parts for gap in part)
        yield gaps, tuple(sign for _, part in parts for sign in part)


def members(first: int, last: int, size: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield the gaps and signs of a cluster: each gap is the one before, or the next."""
    for steps in combinations(range(1, size), last - first):
        gaps = tuple(first + sum(step <= i for step in steps) for i in range(size))
        for signs in product((1, -1), repeat=size):
            yield gaps, signs


def ties(line: Line, gaps: tuple[int, ...], signs: tuple[int, ...], ranges: Floats) -> Floats:
    """Return the matrix (2k, q) from free multipliers to those of the ends of each gap.

    Rows 2j and 2j + 1 belong to the left and the right end of breakpoint j's gap. Lines whose
    slope is bounded from both sides need no ties.
    """
    k, x = len(gaps), line.moments.table.edges
    columns = {i: {i: 1.0} for i in range(2 * k)}

    def drop(row: int) -> None:
        for column in [c for c, rows in columns.items() if row in rows]:
            del columns[column]

    def tie(row: int, other: int, share: float) -> None:
        """Make the multiplier `other` a share of `row`'s."""
        for rows in columns.values():
            if row in rows:
                rows[other] = share * rows[row]
                del columns[other]
                return
        drop(other)

    for j in range(k + 1):
        start = 0 if j == 0 else gaps[j - 1]
        end = len(x) if j == k else gaps[j]
        if end - start > 1 or (end > start and np.isfinite(ranges[j]).all()):
            continue
        if j == 0:
            drop(1)
        elif j == k:
            drop(2 * k - 2)
        elif signs[j - 1] != signs[j]:
            for row in (2 * j - 2, 2 * j + 1):
                drop(row)
            if end == start:
                for row in (2 * j - 1, 2 * j):
                    drop(row)
        elif end == start:
            tie(2 * j - 2, 2 * j, 1.0)
            tie(2 * j - 1, 2 * j + 1, 1.0)
        else:
            tie(2 * j - 2, 2 * j + 1, (x[start] - x[start - 1]) / (x[start + 1] - x[start]))
    matrix = np.zeros((2 * k, len(columns)))
    for c, rows in enumerate(columns.values()):
        for row, share in rows.items():
            matrix[row, c] = share
    return matrix


def seen(line: Line, gaps: tuple[int, ...]) -> tuple[Seen | None, ...]:
    """Return what each of the k + 1 lines sees, None where it sees nothing."""
    edges = [0, *gaps, line.count]
    return tuple(_seen(line, start, end) for start, end in pairwise(edges))


def _seen(line: Line, start: int, end: int) -> Seen | None:
    if end == start:
        return None
    # In fractions: single placements may hold inputs that lie very close together.
    rows = line.rows_after(np.array([start, end])).tolist()
    both = [Fraction(q) - Fraction(p) for p, q in zip(*rows, strict=True)]
    mass, sx, sxx, sy, sxy, syy = (both[i] + both[i + 6] for i in range(6))
    if mass <= 0:
        return None
    spread, turn = float(sxx - sx * sx / mass), float(sxy - sx * sy / mass)
    if end - start == 1:
        spread, turn = 0.0, 0.0
    squares = float(syy - sy * sy / mass)
    return Seen(float(mass), float(sx / mass), float(sy / mass), spread, turn, squares)


def solve(
    line: Line,
    gaps: tuple[int, ...],
    rows: tuple[Seen | None, ...],
    signs: tuple[int, ...],
    ranges: Floats,
    shares: Floats,
) -> tuple[float, Floats]:
    """Return the least squares under these gaps and signs, and the (2k + 1,) multipliers.

    `rows` are what the lines see, from `seen`.

    `ranges` (k + 1, 2) bound the slopes of lines that see two inputs or more; their multipliers
    follow those of the gaps' ends while the program is solved, two for each line, and then two
    for the sum of slopes, each times its one of the `shares` (k + 1,), being zero. The last
    multiplier returned is that of the sum.
    """
    from scipy.optimize import nnls

    k, x = len(gaps), line.moments.table.edges
    many = 2 * k + 2 * (k + 1) + 2
    tied = np.zeros((many, many))
    free = ties(line, gaps, signs, ranges)
    tied[: 2 * k, : free.shape[1]] = free
    columns = free.shape[1]
    slope, curve = np.zeros(many), np.zeros((many, many))
    lines: list[tuple[int, Seen, Floats]] = []
    # A line that sees less could have any slope, so that the sum could be anything.
    lengths = np.diff([0, *gaps, len(x)])
    joined = bool(shares.any() and (lengths[shares != 0.0] > 1).all())
    if joined:
        tied[-2, columns], tied[-1, columns + 1] = 1.0, 1.0
        columns += 2
    for j, row in enumerate(rows):
        if row is None:
            continue
        mass, mean, level, spread, turn, _ = row
        # Terms on the value at the mean input and on the slope, per multiplier.
        terms = np.zeros((many, 2))
        for i, way in ((j - 1, 1.0), (j, -1.0)):
            if 0 <= i < k:
                for end, side, at in ((2 * i, 1.0, gaps[i] - 1), (2 * i + 1, -1.0, gaps[i])):
                    terms[end] = way * side * signs[i] * np.array([1.0, x[at] - mean])
        lines.append((j, row, terms.copy()))
        if joined:
            terms[-2:, 1] = shares[j], -shares[j]
        stiff = spread or ALONE * mass * float(x[-1] - x[0]) ** 2
        flat = ranges[j, 0] == ranges[j, 1] == 0.0
        if not flat and (spread > 0.0 or np.isfinite(ranges[j]).all()):
            for side, way in ((0, -1.0), (1, 1.0)):
                if np.isfinite(ranges[j, side]):
                    bound = 2 * (k + j) + side
                    terms[bound, 1] = way
                    slope[bound] = -way * ranges[j, side]
                    tied[bound, columns] = 1.0
                    columns += 1
            slope += terms[:, 1] * turn / stiff
            curve += np.outer(terms[:, 1], terms[:, 1]) / (2.0 * stiff)
        slope += terms[:, 0] * level
        curve += np.outer(terms[:, 0], terms[:, 0]) / (2.0 * mass)
    tied = tied[:, :columns]
    slope, curve = tied.T @ slope, tied.T @ curve @ tied
    multipliers = np.zeros(columns)
    if columns:
        # In units that make the diagonal one.
        unit = 1.0 / np.sqrt(np.maximum(np.diag(curve), 1e-300))
        scaled = curve * np.outer(unit, unit) + RIDGE * np.eye(len(unit))
        factor = np.linalg.cholesky(scaled)
        right = np.linalg.solve(factor, slope * unit)
        multipliers = nnls(factor.T, right)[0] * unit
    every = tied @ multipliers
    ends, pull = every[: 2 * k], every[-2] - every[-1]
    total = 0.0
    for j, row, terms in lines:
        term = ends @ terms[: 2 * k] + np.array([0.0, pull * shares[j] if joined else 0.0])
        total += _least(row, term, ranges[j])
    return total, np.append(ends, pull)


def _least(row: Seen, term: Floats, span: Floats) -> float:
    """Return what a line costs at least under terms on its value at the mean and on its slope."""
    mass, _, level, spread, turn, squares = row
    total = squares + float(term[0]) * (level - float(term[0]) / (4.0 * mass))
    extra = float(term[1])
    if spread > 0.0:
        best = min(max((turn - 0.5 * extra) / spread, float(span[0])), float(span[1]))
        return total + best * (spread * best - 2.0 * turn + extra)
    bound = float(span[0] if extra > 0.0 else span[1])
    return total + extra * bound if extra and np.isfinite(bound) else total
