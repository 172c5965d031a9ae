"""Good breakpoints for the descent to start from: dynamic programming, and exchange.

`propose` is dynamic programming over a grid of possible breakpoints. As a function of the value
at the last breakpoint the best cost so far is a minimum of parabolas; a beam keeps those that are
lowest at a few values around the best one. It proposes for every number of breakpoints at once.
`insertions` tells what one more breakpoint, or a few side by side, would gain at many places.

Source: Maidstone, Fearnhead, Letchford (2017), Detecting changes in slope with an L0 penalty,
for the parabolas; the beam replaces their exact pruning, since a proposal needs no proof.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.segments import (
    EXTRA,
    LEVEL,
    MASS,
    MEAN,
    READING,
    RESIDUAL,
    SLOPE,
    SPREAD,
    lay,
    new_sheet,
    read_at,
    summarise,
)
from reluscape.kernels.spline import CLOSEST, assess
from reluscape.kernels.table import EXCLUSIVE, Table, count_below, read
from reluscape.kernels.typing import Floats, Integers

# Where the beam looks, in residual standard deviations around the best value of a breakpoint.
PROBES = np.array([0.0, 0.03, -0.03, 0.1, -0.1, 0.3, -0.3, 0.8, -0.8, 2.0, -2.0, 5.0, -5.0])


@compiled
def read_grid(table: Table, grid: Floats) -> Floats:
    """Return the moments below each grid point, as a sheet of which nothing else is set."""
    sheet = np.empty((grid.shape[0], EXTRA))
    for i in range(grid.shape[0]):
        read_at(table, grid[i], sheet, i, READING)
    return sheet


@inner
def pairs(grid: Floats, sheet: Floats, costs: Floats) -> None:
    """Write the quadratic cost of a line between every two grid points, (G, G, 6).

    In the values a (left) and b (right) it is `c0 a^2 + c1 b^2 + c2 a b + c3 a + c4 b + c5`.
    """
    out = np.empty((grid.shape[0], EXTRA))
    for i in range(grid.shape[0] - 1):
        for j in range(i + 1, grid.shape[0]):
            summarise(sheet, i, sheet, j, grid[i], grid[j], out, i)
            m, q, spread = out[i, MASS], out[i, MEAN], out[i, SPREAD]
            level, slope = out[i, LEVEL], out[i, SLOPE]
            p = 1.0 - q
            costs[i, j, 0] = m * p * p + spread
            costs[i, j, 1] = m * q * q + spread
            costs[i, j, 2] = 2.0 * (m * p * q - spread)
            costs[i, j, 3] = 2.0 * (spread * slope - m * p * level)
            costs[i, j, 4] = -2.0 * (spread * slope + m * q * level)
            costs[i, j, 5] = m * level * level + spread * slope * slope + out[i, RESIDUAL]


@compiled
def line_costs(table: Table, grid: Floats) -> Floats:
    """Return `pairs` for a grid that begins and ends with the support."""
    size = grid.shape[0]
    sheet = read_grid(table, grid)
    read(table, table.high.shape[0] - 1, np.inf, sheet, size - 1, READING)
    costs = np.zeros((size, size, 6))
    pairs(grid, sheet, costs)
    return costs


@inner
def carry(
    parabolas: Floats, k: int, r: int, q: int, costs: Floats, s: int
) -> tuple[float, float, float]:
    """Add the line from r to s to parabola q at r, minimise over the value at r.

    Return the coefficients, highest first, of a parabola in the value at s.
    """
    a = parabolas[k, r, q, 0] + costs[r, s, 0]
    b = parabolas[k, r, q, 1] + costs[r, s, 3]
    two, one = costs[r, s, 1], costs[r, s, 4]
    none = parabolas[k, r, q, 2] + costs[r, s, 5]
    if a > 0.0:
        cross, half = costs[r, s, 2], 0.5 / a
        two = max(two - 0.5 * cross * cross * half, 0.0)
        one -= cross * b * half
        none -= 0.5 * b * b * half
    return two, one, none


@inner
def lowest(two: float, one: float, none: float) -> tuple[float, float]:
    """Return the least value of a parabola and where it is taken."""
    if two > 0.0:
        at = -one / (2.0 * two)
        return none + 0.5 * one * at, at
    return none, 0.0


@compiled
def propose(
    table: Table,
    grid: Floats,
    most: int,
    min_distance: float,
    min_points: int,
    wanted: int,
) -> tuple[Floats, Integers]:
    """Return the best breakpoints on a grid for every width up to `most`.

    Returns costs (most + 1, wanted), infinite where there is none, and grid numbers
    (most + 1, wanted, most), the first k of which count.
    """
    size = grid.shape[0]
    beam = PROBES.shape[0]
    sheet = read_grid(table, grid)
    counts = np.empty(size, np.int64)
    for i in range(size):
        counts[i] = count_below(table.edges, table.buckets, grid[i], EXCLUSIVE)
    counts[size - 1] = table.edges.shape[0]
    read(table, table.high.shape[0] - 1, np.inf, sheet, size - 1, READING)
    costs = np.empty((size, size, 6))
    pairs(grid, sheet, costs)
    parabolas = np.zeros((most + 1, size, beam, 3))
    parents = np.zeros((most + 1, size, beam, 2), np.int64)
    kept = np.zeros((most + 1, size), np.int64)
    kept[0, 0] = 1
    candidates = np.empty((size * beam, 3))
    origin = np.empty((size * beam, 2), np.int64)
    least = np.empty(size * beam)
    for k in range(1, most + 1):
        for s in range(k, size - 1):
            n = 0
            best = np.inf
            winner = 0
            for r in range(s):
                if kept[k - 1, r] == 0 or (r > 0 and grid[s] - grid[r] < min_distance):
                    continue
                if counts[s] - counts[r] < min_points:
                    continue
                for q in range(kept[k - 1, r]):
                    two, one, none = carry(parabolas, k - 1, r, q, costs, s)
                    candidates[n, 0], candidates[n, 1], candidates[n, 2] = two, one, none
                    least[n], _ = lowest(two, one, none)
                    origin[n, 0] = r
                    origin[n, 1] = q
                    if least[n] < best:
                        best = least[n]
                        winner = n
                    n += 1
            if n == 0:
                continue
            mass = sheet[s, READING]
            sigma = np.sqrt(max(best, 0.0) / mass) if mass > 0.0 else 0.0
            two, one, none = candidates[winner, 0], candidates[winner, 1], candidates[winner, 2]
            _, centre = lowest(two, one, none)
            # No parabola above the winner's value at the farthest probe can be lowest anywhere.
            reach = PROBES[-1] * sigma
            bound = best + candidates[winner, 0] * reach * reach
            few = 0
            for i in range(n):
                if least[i] <= bound:
                    for c in range(3):
                        candidates[few, c] = candidates[i, c]
                    origin[few, 0], origin[few, 1] = origin[i, 0], origin[i, 1]
                    few += 1
            for probe in range(beam):
                at = centre + PROBES[probe] * sigma
                chosen = 0
                low = np.inf
                for i in range(few):
                    value = (candidates[i, 0] * at + candidates[i, 1]) * at + candidates[i, 2]
                    if value < low:
                        low = value
                        chosen = i
                slots = kept[k, s]
                known = False
                for i in range(slots):
                    same = parents[k, s, i, 0] == origin[chosen, 0]
                    known = known or (same and parents[k, s, i, 1] == origin[chosen, 1])
                if not known:
                    for c in range(3):
                        parabolas[k, s, slots, c] = candidates[chosen, c]
                    parents[k, s, slots, 0] = origin[chosen, 0]
                    parents[k, s, slots, 1] = origin[chosen, 1]
                    kept[k, s] = slots + 1
    return collect(grid, counts, costs, parabolas, parents, kept, min_points, wanted)


@inner
def collect(
    grid: Floats,
    counts: Integers,
    costs: Floats,
    parabolas: Floats,
    parents: Integers,
    kept: Integers,
    min_points: int,
    wanted: int,
) -> tuple[Floats, Integers]:
    """Close each beam with the last line; trace the best for each last breakpoint back."""
    most = kept.shape[0] - 1
    size = grid.shape[0]
    best = np.empty((most + 1, wanted))
    for k in range(most + 1):
        for i in range(wanted):
            best[k, i] = np.inf
    knots = np.zeros((most + 1, wanted, max(most, 1)), np.int64)
    totals = np.empty(size)
    slots = np.empty(size, np.int64)
    for k in range(most + 1):
        for r in range(size - 1):
            totals[r] = np.inf
            if counts[size - 1] - counts[r] < min_points:
                continue
            for q in range(kept[k, r]):
                two, one, none = carry(parabolas, k, r, q, costs, size - 1)
                value, _ = lowest(two, one, none)
                if value < totals[r]:
                    totals[r] = value
                    slots[r] = q
        totals[size - 1] = np.inf
        for i in range(min(wanted, size)):
            s = size - 1
            for r in range(size - 1):
                if totals[r] < totals[s]:
                    s = r
            if totals[s] == np.inf:
                break
            best[k, i] = totals[s]
            totals[s] = np.inf
            q = slots[s]
            for j in range(k - 1, -1, -1):
                knots[k, i, j] = s
                s, q = parents[j + 1, s, q, 0], parents[j + 1, s, q, 1]
    return best, knots


@compiled
def insertions(
    table: Table,
    tau: Floats,
    tied: bool,
    skips: Floats,
    side: float,
    places: Floats,
    readings: Floats,
    costs: Floats,
) -> None:
    """Write the sum of squares with more breakpoints, at each row of `places`, into `costs`.

    `places` (G, count) is sorted; row g * count + c of `readings` has the moments at place (g, c).
    A row that does not fit between two vertices gets infinity. `side` is the share of the new
    breakpoints in the leftmost slope, see `kernels.ties`.
    """
    k, count = tau.shape[0] - 2, places.shape[1]
    base, sheet = new_sheet(k + 2), new_sheet(k + 2 + count)
    more, trial = np.empty(k + count), np.empty(k + 2 + count)
    floor = CLOSEST * (tau[k + 1] - tau[0])
    lay(table, tau, base)
    i = 0
    for g in range(places.shape[0]):
        first, last = places[g, 0], places[g, count - 1]
        costs[g] = np.inf
        while i < k and tau[i + 1] <= first:
            i += 1
        if not (tau[i] + floor < first and last < tau[i + 1] - floor):
            continue
        for r in range(k + 2):
            trial[r + count if r > i else r] = tau[r]
        for r in range(k + 1):
            for c in range(RESIDUAL + 1):
                sheet[r + count if r > i else r, c] = base[r, c]
        for c in range(count):
            trial[i + 1 + c] = places[g, c]
        row = g * count
        summarise(base, i, readings, row, tau[i], first, sheet, i)
        for c in range(1, count):
            left, right = places[g, c - 1], places[g, c]
            summarise(readings, row + c - 1, readings, row + c, left, right, sheet, i + c)
        summarise(readings, row + count - 1, base, i + 1, last, tau[i + 1], sheet, i + count)
        if tied:
            for r in range(k):
                more[r + count if r >= i else r] = skips[r]
            for c in range(count):
                more[i + c] = side
        costs[g] = assess(trial, sheet, tied, more)
