"""Single placements of all breakpoints, for the checker: solved in exact rationals."""

from __future__ import annotations

from itertools import combinations_with_replacement, pairwise, product
from typing import TypeAlias

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from reluscape.optimum.arithmetic import Rows
from reluscape.optimum.certificate import Leaf
from reluscape.optimum.covers import ANY, KIND, LAYER, LINE, SIGNED, SIGNS, SIZE, A, B, C, D
from reluscape.optimum.grids import Grid
from reluscape.optimum.sweeping import Setting

Integers = NDArray[np.int64]
Moments: TypeAlias = tuple[fmpq, ...]
Known: TypeAlias = dict[tuple[int, int], Moments]

ZERO = fmpq(0)


def one_line(setting: Setting, sides: int) -> str:
    """Check a bound on networks without breakpoints."""
    slopes, _ = setting.conditions(sides, 0.0)
    least = _least(_moments(setting.rows, 0, setting.rows.count, {}), ZERO, ZERO, slopes[0])
    if least is not None and least >= _rational(setting.goal):
        return ""
    return "the best line costs less"


def leaves_hold(setting: Setting, left: Integers, leaves: tuple[Leaf, ...], sides: int) -> bool:
    """Check that a single path is solved for all placements and signs, each reaching the goal."""
    if isinstance(setting.rows, Grid):
        return False
    order = np.argsort(left[:, LAYER])
    choices: list[list[tuple[tuple[int, ...], tuple[int, ...]]]] = []
    ahead = 0
    for node in left[order].tolist():
        size, kind, a, b = (int(node[column]) for column in (SIZE, KIND, A, B))
        if node[LAYER] != ahead or a != node[C] or b != node[D]:
            return False
        ahead += size
        if kind < ANY:
            choices.append([((a,), (1 - 2 * kind,))])
        elif kind >= SIGNED:
            choices.append([((a, b), SIGNS[kind - SIGNED])])
        elif size > 1 and a == b:
            # In one gap: with opposite signs the lines are free of each other.
            choices.append([((a,) * size, tuple(1 - 2 * (i % 2) for i in range(size)))])
        else:
            every = combinations_with_replacement(range(a, b + 1), size)
            gaps = [g for g in every if g[0] == a and g[-1] == b]
            gaps = [g for g in gaps if all(q - p < LINE for p, q in pairwise(g))]
            choices.append([(g, s) for g in gaps for s in product((1, -1), repeat=size)])
    if ahead != setting.k:
        return False
    given = {(leaf.gaps, leaf.signs): leaf for leaf in leaves}
    known: Known = {}
    for parts in product(*choices):
        gaps_of = tuple(gap for part, _ in parts for gap in part)
        leaf = given.get((gaps_of, tuple(sign for _, part in parts for sign in part)))
        if leaf is None:
            return False
        value = _value(setting, setting.rows, leaf, sides, known)
        if value is None or value < _rational(setting.goal):
            return False
    return True


def _rational(value: float) -> fmpq:
    return fmpq(*value.as_integer_ratio())


def _moments(rows: Rows | Grid, start: int, end: int, known: Known) -> Moments:
    """Return the six scaled moments of the data between two places; placements share many."""
    if (start, end) not in known:
        exact = rows.exact(start, end)
        known[start, end] = tuple(fmpq(m.numerator, m.denominator) for m in exact)
    return known[start, end]


def _value(setting: Setting, rows: Rows, leaf: Leaf, sides: int, known: Known) -> fmpq | None:
    """Bound the scaled squares of one placement with signs, exactly; None if nothing does.

    A line that sees one input must get terms on its value there only, one that sees none no terms
    at all; the multipliers after it are tied to those before it so that this is exact. Not so
    where its slope is bounded from both sides.
    """
    k = len(leaf.gaps)
    flat = [min(max(v * setting.factor, 0.0), 1e300) for v in leaf.multipliers.tolist()]
    mult = [[_rational(v) if v == v else ZERO for v in flat[2 * j : 2 * j + 2]] for j in range(k)]
    if len(leaf.multipliers) != 2 * k + 1:
        return None
    slopes, pulls = setting.conditions(sides, float(leaf.multipliers[-1]) * setting.turn)
    total = ZERO
    for j in range(k + 1):
        start = leaf.gaps[j - 1] if j else 0
        end = leaf.gaps[j] if j < k else rows.count
        held = end > start and np.isfinite(slopes[j]).all()
        equal = 0 < j < k and leaf.signs[j - 1] == leaf.signs[j]
        if equal and end - start < LINE and not held:
            if end == start:
                mult[j] = list(mult[j - 1])
            else:
                down, up = (rows.x[start + i] - rows.x[start + i - 1] for i in (0, 1))
                mult[j][1] = mult[j - 1][0] * fmpq(down, up)
        p0, p1 = ZERO, _rational(pulls[j])
        for i, way in ((j - 1, 1), (j, -1)):
            if 0 <= i < k:
                for m, side, place in ((0, 1, leaf.gaps[i] - 1), (1, -1, leaf.gaps[i])):
                    term = way * side * leaf.signs[i] * mult[i][m]
                    p0, p1 = p0 + term, p1 + term * fmpq(rows.x[place], rows.scales[0])
        least = _least(_moments(rows, start, end, known), p0, p1, slopes[j])
        if least is None:
            return None
        total += least
    return total


def _least(moments: Moments, p0: fmpq, p1: fmpq, slopes: tuple[float, float]) -> fmpq | None:
    """Return the least squares of a line plus p0 times its value at 0 and p1 times its slope."""
    mass, x, xx, y, xy, yy = moments
    if not mass:
        return None if p0 or p1 else ZERO
    mean = x / mass
    spread, both, turn = xx - x * mean, xy - mean * y, p1 - p0 * mean
    total = yy - y * y / mass + p0 * (y / mass - p0 / (4 * mass))
    if not spread:
        if not turn:
            return total
        bound = slopes[0] if turn > 0 else slopes[1]
        return total + turn * _rational(bound) if np.isfinite(bound) else None
    best = (both - turn / 2) / spread
    if np.isfinite(slopes[0]):
        best = max(best, _rational(slopes[0]))
    if np.isfinite(slopes[1]):
        best = min(best, _rational(slopes[1]))
    return total + best * (spread * best - 2 * both + turn)
