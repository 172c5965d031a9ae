"""``fit(certify=True)`` under constraints and without a skip connection, on a few rows each.

The oracle goes through every placement: a choice of gaps between neighbouring inputs, ends
included, and of the signs of the turns. Lines between the breakpoints then solve a convex quadratic
program. What it returns is the risk of a network that obeys the rules, so that no lower bound may
be above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, permutations, product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import lsq_linear, minimize, nnls

import reluscape as rs

Floats = NDArray[np.float64]

GAP = 1e-6 + 1e-15  # 1 - bound / risk is rounded to a multiple of 1.1e-16
# The quadratic programs are solved in float64: rounding, relative and to the squares of y.
ROUNDING = 1e-9
UNRESOLVED = 1e-12
# The fit stops at what is within the gap of its bound.
SAME = 1e-6 + 1e-9
# Curvature for lines that a single input does not determine, relative to that of the others. Each
# round departs from the point before, so that it does not count in the end.
SOFT = 1e-8
ROUNDS = 20
# Below this an alternative to a point is as good as a proof that there is none.
NO_POINT = 1e-13
# Share of the greatest value by which a condition may be missed.
MISSED = 1e-11
PATIENCE = 10.0
SCAN = 16
STARTS = 2
WITHOUT = float(np.inf)


@dataclass
class Program:
    """Conditions rows @ (level and slope of each line in turn) >= least."""

    lines: int
    rows: list[Floats] = field(default_factory=list)
    least: list[float] = field(default_factory=list)

    def add(self, parts: dict[int, tuple[float, float]], least: float = 0.0) -> None:
        """Add a condition on level and slope of some lines."""
        row = np.zeros(2 * self.lines)
        for line, (level, slope) in parts.items():
            row[2 * line : 2 * line + 2] += level, slope
        self.rows.append(row)
        self.least.append(least)

    def equal(self, parts: dict[int, tuple[float, float]]) -> None:
        """Add two conditions."""
        self.add(parts)
        self.add({line: (-level, -slope) for line, (level, slope) in parts.items()})

    def copy(self) -> Program:
        return Program(self.lines, [*self.rows], [*self.least])


@dataclass(frozen=True)
class Rows:
    """Data in a frame in which x goes from -1 to 1."""

    x: Floats
    y: Floats
    mass: Floats
    sites: Floats
    scale: float

    @staticmethod
    def of(x: Floats, y: Floats, weights: Floats | None) -> Rows:
        middle, scale = (x.max() + x.min()) / 2, (x.max() - x.min()) / 2
        mass = np.full(len(x), 1 / len(x)) if weights is None else weights
        t = (x - middle) / scale
        return Rows(t, y, mass, np.unique(t), float(scale))

    @property
    def high(self) -> float:
        return float(np.max(np.abs(self.y)))

    @property
    def nothing(self) -> float:
        return UNRESOLVED * float(self.mass @ self.y**2)


def solve(rows: Rows, gaps: tuple[int, ...], program: Program, best: float) -> tuple[float, Any]:
    """Risk and lines of a program with these gaps, or no better one than `best`."""
    size = 2 * program.lines
    line = np.searchsorted(gaps, np.searchsorted(rows.sites, rows.x), side="right")
    table, root = np.zeros((len(rows.x), size)), np.sqrt(rows.mass)
    table[np.arange(len(rows.x)), 2 * line] = root
    table[np.arange(len(rows.x)), 2 * line + 1] = root * rows.x

    def risk(point: Floats) -> float:
        return float(np.sum((table @ point - root * rows.y) ** 2))

    free = np.linalg.lstsq(table, root * rows.y, rcond=None)[0]
    if risk(free) >= best or not program.rows:
        return risk(free), free
    conditions, least = np.array(program.rows), np.array(program.least)
    size_of_row = np.linalg.norm(conditions, axis=1)
    conditions, least = conditions / size_of_row[:, None], least / size_of_row
    upper = np.linalg.cholesky(table.T @ table + np.eye(size) * SOFT * rows.mass.sum()).T
    found, point = WITHOUT, free
    for _ in range(ROUNDS):
        step = np.linalg.lstsq(table, root * rows.y - table @ point, rcond=None)[0]
        step = np.linalg.solve(upper, np.linalg.solve(upper.T, table.T @ (table @ step)))
        after = _nearest(upper, point + step, conditions, least)
        if after is None or (conditions @ after < least - MISSED * rows.high).any():
            break
        before, found, point = found, risk(after), after
        if found > before * (1 - ROUNDING / 10):
            break
    return found, point


def _nearest(upper: Floats, free: Floats, conditions: Floats, least: Floats) -> Floats | None:
    """Return the point next to a free one that meets the conditions (Lawson and Hanson, 23.4)."""
    away = np.linalg.solve(upper.T, conditions.T)
    lengths = np.linalg.norm(away, axis=0)
    missing = (least - conditions @ free) / lengths
    most = missing.max()
    if most <= 0:
        return free
    both = np.vstack([away / lengths, missing / most])
    target = np.zeros(len(both))
    target[-1] = 1.0
    left = both @ nnls(both, target)[0] - target
    if abs(left[-1]) < NO_POINT:
        return None
    return free + np.linalg.solve(upper, -left[:-1] / left[-1] * most)


def programs(
    rows: Rows, gaps: tuple[int, ...], low: float, high: float, left: tuple[int, ...] | None
) -> Iterator[Program]:
    """All programs whose union is what networks with these gaps may be.

    `left` says which neurons are active to the left of their breakpoints, None with a skip
    connection.
    """
    k = len(gaps)
    start = Program(k + 1)
    for j in range(k + 1):
        if np.isfinite(low):
            start.add({j: (0.0, 1.0)}, low)
        if np.isfinite(high):
            start.add({j: (0.0, -1.0)}, -high)
    # s_0 + sum over left-active neurons of (s_j - s_{j-1}) = 0
    made = np.eye(k + 1)[0]
    for j in left or ():
        made += np.eye(k + 1)[j + 1] - np.eye(k + 1)[j]
    if k == 2 and gaps[0] == gaps[1]:
        yield from _jumps(rows, gaps[0], low, high, start, None if left is None else made)
        return
    if left is not None:
        start.equal({j: (0.0, t) for j, t in enumerate(made.tolist())})
    for signs in product((1.0, -1.0), repeat=k):
        program = start.copy()
        for j, (gap, sign) in enumerate(zip(gaps, signs, strict=True)):
            for at, way in ((rows.sites[gap - 1], -sign), (rows.sites[gap], sign)):
                program.add({j: (-way, -way * at), j + 1: (way, way * at)})
        yield program


def _jumps(
    rows: Rows, gap: int, low: float, high: float, start: Program, made: Floats | None
) -> Iterator[Program]:
    """Two breakpoints in one gap: the rise is a mean of three slopes, and these are bounded."""
    p, q = rows.sites[gap - 1], rows.sites[gap]
    rise = {0: (-1.0, -p), 2: (1.0, q)}

    def mean_of(program: Program, slope: dict[int, float], way: float) -> None:
        parts = {j: (way * a, way * b) for j, (a, b) in rise.items()}
        for j, share in slope.items():
            level, turn = parts.get(j, (0.0, 0.0))
            parts[j] = (level, turn - way * share * (q - p))
        program.add(parts)

    if made is None or made[1] == 0.0:
        program = start.copy()
        if made is not None:
            program.equal({0: (0.0, made[0]), 2: (0.0, made[2])})
        if np.isfinite(low):
            program.add(rise, low * (q - p))
        if np.isfinite(high):
            program.add({j: (-a, -b) for j, (a, b) in rise.items()}, -high * (q - p))
        yield program
        return
    # The slope between is what the condition says; the rise is between two of the three slopes.
    between = {0: -made[0] / made[1], 2: -made[2] / made[1]}
    for one, other in permutations(({0: 1.0}, {2: 1.0}, between), 2):
        program = start.copy()
        mean_of(program, one, 1.0)
        mean_of(program, other, -1.0)
        yield program


def placements(rows: Rows, k: int, points: int) -> list[tuple[int, ...]]:
    """Gaps of all breakpoints with enough inputs in every piece."""
    m = len(rows.sites)
    every = combinations_with_replacement(range(1, m), k)
    return [g for g in every if all(b - a >= points for a, b in zip((0, *g), (*g, m), strict=True))]


def least_risk(
    x: Floats,
    y: Floats,
    k: int,
    weights: Floats | None = None,
    *,
    low: float = -np.inf,
    high: float = np.inf,
    skip: bool = True,
    points: int = 0,
    distance: float = 0.0,
) -> float:
    """Least risk of networks of a width that obey the rules; if `distance`, of two neurons."""
    rows = Rows.of(x, y, weights)
    low, high, distance = low * rows.scale, high * rows.scale, distance / rows.scale
    sides = [None] if skip else [s for n in range(k + 1) for s in permutations(range(k), n)]
    sides = [s for s in sides if s is None or list(s) == sorted(s)]
    best = _at_a_distance(rows, low, high, distance) if distance else WITHOUT
    for gaps in placements(rows, k, points):
        for left in sides:
            for program in programs(rows, gaps, low, high, left):
                found, lines = solve(rows, gaps, program, best)
                if found < best and (not distance or _apart(rows, gaps, lines) >= distance):
                    best = found
    return best


def _apart(rows: Rows, gaps: tuple[int, ...], lines: Floats) -> float:
    """Distance that the two breakpoints of three lines may have; 0 if there are no such."""
    if gaps[0] == gaps[1]:
        # The line from one end of the gap to the other is as good as any between the two.
        return float(rows.sites[gaps[0]] - rows.sites[gaps[0] - 1])
    at: list[float] = []
    for j, gap in enumerate(gaps):
        level, turn = lines[2 * j + 2 : 2 * j + 4] - lines[2 * j : 2 * j + 2]
        at.append(-level / turn if abs(turn) > ROUNDING else float(rows.sites[gap]))
        if not rows.sites[gap - 1] - ROUNDING <= at[-1] <= rows.sites[gap] + ROUNDING:
            return 0.0
    return at[1] - at[0]


def _at_a_distance(rows: Rows, low: float, high: float, distance: float) -> float:
    """Least risk found with breakpoints on a grid, and moved from there."""

    def risk(at: Floats) -> float:
        first, second = float(at[0]), float(at[0] + distance + abs(at[1]))
        return best_with(rows, [first, second], low, high)

    grid = np.linspace(-1 - distance, 1, SCAN)
    further = np.linspace(0.0, max(2 - distance, 0.0), SCAN)
    starts = sorted((risk(np.array(at)), at) for at in product(grid.tolist(), further.tolist()))
    options = {"xatol": 1e-9, "fatol": 0.0, "maxiter": 150}
    best = starts[0][0]
    for _, at in starts[:STARTS]:
        found = minimize(risk, np.array(at), method="Nelder-Mead", options=options)
        best = min(best, float(found.fun))
    return best


def best_with(rows: Rows, knots: list[float], low: float, high: float) -> float:
    """Risk of the best slopes for these breakpoints."""
    ends = np.array([-2.0, *knots, 2.0])
    pieces = np.clip(rows.x[:, None], ends[:-1], ends[1:]) - ends[:-1]
    root = np.sqrt(rows.mass)
    table = root[:, None] * np.column_stack([np.ones(len(rows.x)), pieces])
    if not np.isfinite([low, high]).any():
        found = np.linalg.lstsq(table, root * rows.y, rcond=None)[0]
    else:
        bounds = np.full((2, table.shape[1]), np.inf) * [[-1], [1]]
        bounds[0, 1:], bounds[1, 1:] = low, high
        found = lsq_linear(table, root * rows.y, bounds, method="bvls").x
    return float(np.sum((table @ found - root * rows.y) ** 2))


def draw_rows(seed: int, most: int = 10) -> tuple[Floats, Floats, int, Floats | None]:
    """A few rows: noise, a bend, repeated inputs, weights, other units."""
    draw = np.random.default_rng(seed)
    n, k = int(draw.integers(6, most + 1)), int(draw.integers(1, 3))
    x = np.sort(draw.uniform(0, 1, n))
    if seed % 4 == 1:
        x = np.sort(draw.integers(0, n, n) / 2.0)
        x[:4] = np.arange(4) - 4.0
    y = np.where(seed % 3 == 0, np.abs(x - x.mean()), 0.5 * x) + draw.choice(
        [0.1, 1]
    ) * draw.normal(size=n)
    weights = draw.uniform(0.01, 1, n) if seed % 5 == 2 else None
    if seed % 7 == 3:
        x, y = x * 1e-3 + 5.0, y * 1e4
    return x, y, k, weights


def compare(
    name: str,
    rows: tuple[Floats, Floats, int, Floats | None],
    least: float,
    options: dict[str, Any],
) -> list[str]:
    """What is wrong with a certified fit, its risk, its bound and its certificate."""
    x, y, k, weights = rows
    data = rs.Samples(x, y, weights)
    found = rs.fit(data, k, certify=True, time_limit=PATIENCE, **options)
    nothing = Rows.of(x, y, weights).nothing
    wrong: list[str] = []
    if found.lower_bound > least * (1 + ROUNDING) + nothing:
        wrong.append("bound above the risk of a network")
    if found.ended == "closed" and found.gap > GAP and found.risk > nothing:
        wrong.append("gap not closed")
    # Which of the best lines is taken, where they are many, decides on the distance of breakpoints.
    if found.risk < least * (1 - SAME) - nothing and "min_distance" not in options:
        wrong.append("the oracle missed a network")
    wrong += _broken(found, data)
    if found.ended == "closed" and found.risk > least * (1 + SAME) + nothing:
        wrong.append("another risk")
    assert found.certificate is not None
    verdict = rs.check(found.certificate, data)
    if not verdict.holds or verdict.lower_bound != found.lower_bound:
        wrong.append(f"check says {verdict}")
    if not wrong:
        return []
    numbers = f"risk {found.risk!r}, bound {found.lower_bound!r}, oracle {least!r}, {found.ended}"
    return [f"{name}, width {k}, {options}: {', '.join(wrong)}; {numbers}"]


def _broken(found: rs.Fit, data: rs.Samples) -> list[str]:
    """Rules that the fit itself does not obey."""
    rules, wrong, sites = found.rules, list[str](), np.unique(data.x)
    size = max(float(np.max(np.abs(found.slopes))), float(np.ptp(data.y) / np.ptp(data.x)))
    if (found.slopes < rules.low - ROUNDING * size).any():
        wrong.append("too steep downwards")
    if (found.slopes > rules.high + ROUNDING * size).any():
        wrong.append("too steep upwards")
    if (np.diff(found.breakpoints) < rules.min_distance * (1 - ROUNDING)).any():
        wrong.append("breakpoints too near")
    counts = np.diff(np.searchsorted(sites, [-np.inf, *found.breakpoints, np.inf]))
    if counts.min() < rules.min_points:
        wrong.append(f"inputs in pieces: {counts}")
    if not rules.skip and found.network.skip is not None:
        wrong.append("a skip connection")
    return wrong


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    x = np.arange(12.0)
    rs.fit(rs.Samples(x, np.sin(x)), 2, certify=True)


@pytest.mark.parametrize("seeds", [range(16), range(16, 32)], ids=["first", "second"])
def test_plain_networks(seeds: range) -> None:
    failures: list[str] = []
    for seed in seeds:
        rows = draw_rows(seed)
        failures += compare(f"seed {seed}", rows, least_risk(*rows, skip=False), {"skip": False})
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("way", ["increasing", "decreasing"])
def test_monotone(way: str) -> None:
    failures: list[str] = []
    low, high = (0.0, np.inf) if way == "increasing" else (-np.inf, 0.0)
    for seed in range(100, 115):
        rows = draw_rows(seed)
        least = least_risk(*rows, low=low, high=high)
        failures += compare(f"seed {seed}", rows, least, {"monotone": way})
    assert not failures, "\n".join(failures)


def test_slope_bounds() -> None:
    failures: list[str] = []
    for seed in range(200, 225):
        rows = draw_rows(seed)
        unit = np.ptp(rows[1]) / np.ptp(rows[0])
        low, high = [(-0.5, 1.0), (0.1, np.inf), (-np.inf, 0.4), (-3.0, 3.0), (0.2, 0.2)][seed % 5]
        low, high = low * unit, high * unit
        least = least_risk(*rows, low=low, high=high)
        failures += compare(f"seed {seed}", rows, least, {"slope_bounds": (low, high)})
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("monotone", [None, "increasing"])
@pytest.mark.parametrize("points", [1, 2, 3])
def test_min_points(points: int, monotone: str | None) -> None:
    failures: list[str] = []
    for seed in range(300, 308):
        rows = draw_rows(seed, 12)
        if len(np.unique(rows[0])) < points * (rows[2] + 1):
            continue
        least = least_risk(*rows, points=points, low=0.0 if monotone else -np.inf)
        options = {"min_points": points, "monotone": monotone}
        failures += compare(f"seed {seed}", rows, least, options)
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("monotone", [None, "increasing"])
def test_min_distance(monotone: str | None) -> None:
    failures: list[str] = []
    for seed in range(400, 408 if monotone else 416):
        x, y, _, weights = draw_rows(seed)
        rows = x, y, 2, weights
        distance = [0.05, 0.2, 0.4][seed % 3] * float(np.ptp(x))
        least = least_risk(*rows, distance=distance, low=0.0 if monotone else -np.inf)
        options = {"min_distance": distance, "monotone": monotone}
        failures += compare(f"seed {seed}", rows, least, options)
    assert not failures, "\n".join(failures)
