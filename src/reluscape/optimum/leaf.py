"""One placement of all breakpoints: the convex program that is left, and its multipliers.

With every breakpoint in a known gap and with a known sign, the best lines solve a convex quadratic
program. A line that sees one input, or none, is only bounded from below under certain multipliers
of its two ends; these are tied to each other, and the program is solved in those that are left.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.graph import Line
from reluscape.optimum.nodes import CONCAVE, CONVEX, FIRST, PAIR, SIGNED_PAIR, SIGNS, Nodes

Floats = NDArray[np.float64]

# Keeps the quadratic form of tied multipliers definite, relative to its diagonal.
RIDGE = 1e-12


def placement(path: Nodes, width: int) -> list[int]:
    """Return the gap of each breakpoint on a path whose cells are single gaps."""
    gaps = [0] * width
    for layer, kind, a, b in zip(path.layer, path.kind, path.a, path.b, strict=True):
        gaps[layer] = int(a)
        if PAIR <= kind < FIRST:
            gaps[layer + 1] = int(b)
    return gaps


def sign_patterns(path: Nodes) -> Iterator[tuple[int, ...]]:
    """Yield the signs that the breakpoints of a path may have."""
    choices: list[tuple[tuple[int, ...], ...]] = []
    for i in np.argsort(path.layer):
        kind = int(path.kind[i])
        if kind in (CONVEX, CONCAVE):
            choices.append(((1 - 2 * kind,),))
        elif SIGNED_PAIR <= kind < FIRST:
            choices.append((tuple(int(s) for s in SIGNS[kind - SIGNED_PAIR]),))
        elif kind == PAIR and path.a[i] == path.b[i]:
            # In one gap opposite signs leave the lines free of each other: nothing is lower.
            choices.append(((1, -1),))
        else:
            choices.extend([((1,), (-1,))] * (2 if kind == PAIR else 1))
    for parts in product(*choices):
        yield tuple(sign for part in parts for sign in part)


def ties(line: Line, gaps: list[int], signs: tuple[int, ...]) -> Floats:
    """Return the matrix (2k, q) from free multipliers to those of the ends of each gap.

    Rows 2j and 2j + 1 belong to the left and the right end of breakpoint j's gap.
    """
    k, x = len(gaps), line.x
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
        if end - start > 1:
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


def solve(line: Line, gaps: list[int], signs: tuple[int, ...]) -> tuple[float, Floats]:
    """Return the least squares under these gaps and signs, and the (2k,) multipliers."""
    from scipy.optimize import nnls

    k, x = len(gaps), line.x
    tied = ties(line, gaps, signs)
    total = 0.0
    slope, curve = np.zeros(2 * k), np.zeros((2 * k, 2 * k))
    for j in range(k + 1):
        start = 0 if j == 0 else gaps[j - 1]
        end = len(x) if j == k else gaps[j]
        if end == start:
            continue
        # In fractions: single placements may hold inputs that lie very close together.
        pairs = zip(line.rows[start].tolist(), line.rows[end].tolist(), strict=True)
        both = [Fraction(q) - Fraction(p) for p, q in pairs]
        mass, sx, sxx, sy, sxy, syy = (both[i] + both[i + 6] for i in range(6))
        if mass <= 0:
            continue
        mean, level = float(sx / mass), float(sy / mass)
        spread, turn = float(sxx - sx * sx / mass), float(sxy - sx * sy / mass)
        alone = float(syy - sy * sy / mass)
        # Terms on the value at the mean input and on the slope, per multiplier.
        terms = np.zeros((2 * k, 2))
        for i, way in ((j - 1, 1.0), (j, -1.0)):
            if 0 <= i < k:
                for row, side, at in ((2 * i, 1.0, gaps[i] - 1), (2 * i + 1, -1.0, gaps[i])):
                    terms[row] = way * side * signs[i] * np.array([1.0, x[at] - mean])
        slope += terms[:, 0] * level
        curve += np.outer(terms[:, 0], terms[:, 0]) / (2.0 * float(mass))
        if end - start > 1 and spread > 0.0:
            slope += terms[:, 1] * turn / spread
            curve += np.outer(terms[:, 1], terms[:, 1]) / (2.0 * spread)
            total += max(alone - turn * turn / spread, 0.0)
    slope, curve = tied.T @ slope, tied.T @ curve @ tied
    multipliers = np.zeros(tied.shape[1])
    if len(multipliers):
        # In units that make the diagonal one.
        unit = 1.0 / np.sqrt(np.maximum(np.diag(curve), 1e-300))
        scaled = curve * np.outer(unit, unit) + RIDGE * np.eye(len(unit))
        factor = np.linalg.cholesky(scaled)
        right = np.linalg.solve(factor, slope * unit)
        multipliers = nnls(factor.T, right)[0] * unit
    total += float(multipliers @ (slope - 0.5 * curve @ multipliers))
    return total, tied @ multipliers
