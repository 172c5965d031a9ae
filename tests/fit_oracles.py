"""The true best fits of small problems, found by going through all of them.

==========================  ====================================================================
judge                       how
==========================  ====================================================================
``exact_best_spline``       every assignment of knots to gaps and data sites, in rationals
``best_plain_sse``          the same for networks without a skip connection
``bounded_best_sse``        knots on a grid, slopes within bounds, then a local search
``spline_sse``              least squares with given knots
``least_squares_line``      ordinary least squares
==========================  ====================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations, combinations_with_replacement, pairwise
from math import inf
from typing import Any

import numpy as np

from oracles import data_exact
from records import Array, Plain


def merge(
    x: Sequence[float], y: Sequence[float], weights: Sequence[float] | None = None
) -> tuple[list[Fraction], list[Fraction], list[Fraction], Fraction]:
    """Distinct sites, weighted means, total weights, and what no function of x can remove."""
    mass = [Fraction(1)] * len(x) if weights is None else [Fraction(float(t)) for t in weights]
    groups: dict[Fraction, list[tuple[Fraction, Fraction]]] = {}
    for xi, yi, wi in zip(x, y, mass, strict=True):
        if wi:
            groups.setdefault(Fraction(float(xi)), []).append((Fraction(float(yi)), wi))
    sites = sorted(groups)
    totals = [sum((w for _, w in groups[s]), Fraction(0)) for s in sites]
    means = [
        sum((y * w for y, w in groups[s]), Fraction(0)) / t
        for s, t in zip(sites, totals, strict=True)
    ]
    pure = sum(
        (w * (y - m) ** 2 for s, m in zip(sites, means, strict=True) for y, w in groups[s]),
        Fraction(0),
    )
    return sites, means, totals, pure


def solve_exact(
    columns: Sequence[Sequence[Fraction]], y: Sequence[Fraction], mass: Sequence[Fraction]
) -> tuple[list[Fraction], Fraction] | None:
    """Weighted least squares by the normal equations; None where they are singular."""
    size = len(columns)

    def dot(p: Sequence[Fraction], q: Sequence[Fraction]) -> Fraction:
        return sum((m * s * t for m, s, t in zip(mass, p, q, strict=True)), Fraction(0))

    table = [[dot(p, q) for q in columns] + [dot(p, y)] for p in columns]
    right = [row[-1] for row in table]
    for i in range(size):
        pivot = next((r for r in range(i, size) if table[r][i] != 0), None)
        if pivot is None:
            return None
        table[i], table[pivot] = table[pivot], table[i]
        table[i] = [t / table[i][i] for t in table[i]]
        for r in range(size):
            if r != i and table[r][i] != 0:
                table[r] = [t - table[r][i] * s for t, s in zip(table[r], table[i], strict=True)]
    solution = [row[-1] for row in table]
    explained = sum((s * t for s, t in zip(solution, right, strict=True)), Fraction(0))
    return solution, dot(y, y) - explained


@dataclass(frozen=True)
class Best:
    """Least sum of squares (exact) and, per block of data, its lines; for looking at failures."""

    sum_of_squares: Fraction
    blocks: tuple[tuple[int, int, tuple[int, ...]], ...]
    knots_used: int


def exact_best_spline(
    x: Sequence[float], y: Sequence[float], k: int, *, weights: Sequence[float] | None = None
) -> Best:
    """Global minimum of the sum of squares over continuous lines with at most k knots.

    Theory 6.5. A knot lies in an open gap between neighbouring sites (the lines left and right
    of it are fitted freely and must cross within the closed gap), or on a site (a hinge inside a
    block), or two knots share a gap (the lines beside it are then quite free). A block of one
    site with a free slope can be slid, at the same sum of squares, until a knot meets a site, so
    such blocks are only needed when there is a single site.
    """
    sites, means, mass, pure = merge(x, y, weights)
    n = len(sites)
    if n == 1:
        return Best(pure, ((0, 0, ()),), 0)

    @cache
    def block(i: int, j: int, hinges: tuple[int, ...]) -> tuple[Any, Any, Fraction] | None:
        xs = sites[i : j + 1]
        zero = Fraction(0)
        columns = [[Fraction(1)] * len(xs), [t - sites[i] for t in xs]]
        columns += [[max(t - sites[s], zero) for t in xs] for s in hinges]
        solved = solve_exact(columns, means[i : j + 1], mass[i : j + 1])
        if solved is None:
            return None
        (level, slope, *jumps), rss = solved
        first = (level - slope * sites[i], slope)
        last_level, last_slope = first
        for s, jump in zip(hinges, jumps, strict=True):
            last_level -= jump * sites[s]
            last_slope += jump
        return first, (last_level, last_slope), rss

    best = [Best(sum((m * t * t for m, t in zip(mass, means, strict=True)), pure), (), 0)]

    def extend(
        start: int, incoming: Any, budget: int, cost: Fraction, path: tuple[Any, ...]
    ) -> None:
        for end in range(start + 1, n):
            for size in range(budget + 1):
                for hinges in combinations(range(start + 1, end), size):
                    found = block(start, end, hinges)
                    if found is None or cost + found[2] >= best[0].sum_of_squares:
                        continue
                    first, last, rss = found
                    if incoming is not None and not _cross(
                        incoming, first, sites[start - 1], sites[start]
                    ):
                        continue
                    total, here = cost + rss, (*path, (start, end, hinges))
                    left = budget - size
                    if end == n - 1:
                        best[0] = Best(total, here, k - left)
                        continue
                    if left >= 1:
                        extend(end + 1, last, left - 1, total, here)
                    if left >= 2:
                        extend(end + 1, None, left - 2, total, here)

    extend(0, None, k, pure, ())
    return best[0]


def _cross(
    p: tuple[Fraction, Fraction], q: tuple[Fraction, Fraction], left: Fraction, right: Fraction
) -> bool:
    at_left = (p[0] - q[0]) + (p[1] - q[1]) * left
    at_right = (p[0] - q[0]) + (p[1] - q[1]) * right
    return at_left * at_right <= 0


def best_plain_sse(
    x: Sequence[float], y: Sequence[float], width: int, *, weights: Sequence[float] | None = None
) -> float:
    """Least sum of squares of a ReLU network of this width WITHOUT a skip connection.

    Each neuron is right- or left-active with its breakpoint in a gap (two free columns; feasible
    if the breakpoint they imply lies there) or on a site (one column), or active everywhere (a
    slope). Two neurons with one orientation in one gap make any step there.
    """
    sites, means, mass, pure = merge(x, y, weights)
    xs = np.array([float(t) for t in sites])
    ys = np.array([float(t) for t in means])
    root = np.sqrt(np.array([float(t) for t in mass]))
    n = len(xs)
    kinds: list[tuple[str, int, int]] = [("slope", 0, 0)]
    kinds += [(kind, side, i) for kind in ("gap",) for side in (1, -1) for i in range(n - 1)]
    kinds += [("site", side, i) for side in (1, -1) for i in range(n)]
    least = inf
    for chosen in combinations_with_replacement(kinds, width):
        columns, checks = [np.ones(n)], []
        for kind in dict.fromkeys(chosen):
            name, side, i = kind
            if name == "slope":
                columns.append(xs)
            elif name == "site":
                columns.append(np.maximum(side * (xs - xs[i]), 0.0))
            else:
                lit = (np.arange(n) > i) if side > 0 else (np.arange(n) <= i)
                if chosen.count(kind) == 1:
                    checks.append((len(columns), i))
                columns += [lit * 1.0, lit * xs]
        table = np.column_stack(columns)
        solution = np.linalg.lstsq(table * root[:, None], ys * root, rcond=None)[0]
        rss = float(np.sum((root * (table @ solution - ys)) ** 2))
        feasible = all(
            (solution[at] + solution[at + 1] * xs[i])
            * (solution[at] + solution[at + 1] * xs[i + 1])
            <= 0
            for at, i in checks
        )
        if feasible:
            least = min(least, rss)
    return least + float(pure)


def spline_sse(
    x: Array, y: Array, knots: Sequence[float], weights: Array | None = None
) -> tuple[float, Array]:
    """Least-squares linear spline with these knots: sum of squares and (level, slope, jumps)."""
    root = np.ones_like(x) if weights is None else np.sqrt(weights)
    middle = float(np.mean(x))
    columns = [np.ones_like(x), x - middle, *(np.maximum(x - t, 0.0) for t in knots)]
    table = np.column_stack(columns)
    solution = np.linalg.lstsq(table * root[:, None], y * root, rcond=None)[0]
    return float(np.sum((root * (table @ solution - y)) ** 2)), solution


def bounded_best_sse(
    x: Array,
    y: Array,
    k: int,
    low: float,
    high: float,
    *,
    per_gap: int = 2,
    min_distance: float = 0.0,
) -> float:
    """Least sum of squares found with k knots and every slope in [low, high].

    Knots on a grid (the sites and ``per_gap`` points in each gap), bounded least squares in
    (intercept, slopes), then Nelder-Mead from the best few. An upper bound on the optimum, close.
    """
    from scipy.optimize import lsq_linear, minimize

    sites = np.unique(x)
    grid = np.unique(np.concatenate([np.linspace(p, q, per_gap + 2) for p, q in pairwise(sites)]))[
        1:-1
    ]
    span = sites[-1] - sites[0]

    def sse(knots: Sequence[float]) -> float:
        ordered = np.sort(knots)
        if len(ordered) and (ordered[0] < sites[0] or ordered[-1] > sites[-1]):
            return inf
        if np.any(np.diff(ordered) < min_distance):
            return inf
        edges = np.array([sites[0], *ordered, sites[-1]])
        pieces = [np.clip(x, p, q) - p for p, q in pairwise(edges)]
        table = np.column_stack([np.ones_like(x), *pieces])
        bounds = ([-inf] + [low] * (k + 1), [inf] + [high] * (k + 1))
        found = lsq_linear(table, y, bounds=bounds, method="bvls", tol=1e-14)
        return float(np.sum((table @ found.x - y) ** 2))

    tried = sorted((sse(knots), knots) for knots in combinations(grid.tolist(), k))
    least = tried[0][0]
    for _, knots in tried[:3]:
        if k == 0:
            break
        simplex = np.vstack([knots, np.array(knots) + 0.01 * span * np.eye(k)])
        found = minimize(
            sse,
            np.array(knots),
            method="Nelder-Mead",
            options={"initial_simplex": simplex, "xatol": 1e-10 * span, "fatol": 0, "maxfev": 300},
        )
        least = min(least, float(found.fun))
    return least


def least_squares_line(
    x: Sequence[float], y: Sequence[float], weights: Sequence[float] | None = None
) -> tuple[Fraction, Fraction, Fraction]:
    """Ordinary least squares, exactly: intercept, slope (0 for a single site), sum of squares."""
    sites, means, mass, pure = merge(x, y, weights)
    ones = [Fraction(1)] * len(sites)
    if len(sites) == 1:
        return means[0], Fraction(0), pure
    solved = solve_exact([ones, sites], means, mass)
    assert solved is not None
    (intercept, slope), rss = solved
    return intercept, slope, rss + pure


def sse_of(net: Plain, x: Array, y: Array, weights: Array | None = None) -> Fraction:
    """Exact weighted sum of squares of a network, unit weights by default."""
    ones = np.ones(len(x)) if weights is None else weights
    return data_exact(x.tolist(), y.tolist(), net, weights=ones.tolist()).risk
