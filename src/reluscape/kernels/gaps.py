"""The last stretch on data: every breakpoint to its best place among the gaps between inputs.

Within a gap the sum of squares is smooth, at an input it has a corner. `settle` tries the inputs
near each breakpoint, then takes Newton steps that stay within the gaps; it only ever goes down.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.segments import EXTRA, GRADIENT, STEP, VALUE, lay, new_sheet, relay
from reluscape.kernels.spline import (
    CLOSEST,
    FINAL_STEPS,
    MOST_STEPS,
    NO_GAIN,
    ROUNDING,
    assess,
    damped_step,
    derivatives,
)
from reluscape.kernels.table import EXCLUSIVE, Table, count_below
from reluscape.kernels.typing import Floats

# Rounds of `settle`: each ends with every breakpoint better placed than the last.
MOST_ROUNDS = 40
# Inputs tried on either side of a breakpoint in one round.
NEIGHBOURS = 6
# Shorter and shorter steps of a single breakpoint that are tried.
NUDGES = 4
# The same for two breakpoints at once.
PAIR_NEIGHBOURS = 3


@compiled
def settle(table: Table, tau: Floats, tied: bool, skips: Floats, promising: float) -> float:
    """Finish on data: place every breakpoint at its best among the gaps near it, in place.

    Stops after a round that ends above `promising`. Returns the sum of squares.
    """
    sheet = new_sheet(tau.shape[0])
    best = np.inf
    for _ in range(MOST_ROUNDS):
        start = best
        lay(table, tau, sheet)
        best = assess(tau, sheet, tied, skips)
        start = min(start, best)
        best = move_singles(table, tau, tied, skips, sheet, best)
        best = within_gaps(table, tau, tied, skips, sheet, best)
        derivatives(tau, sheet, tied)
        for j in range(1, tau.shape[0] - 1):
            for turn in range(2):
                best = nudge(table, tau, tied, skips, j, 2.0 * turn - 1.0, sheet, best)
        if best > promising:
            break
        if best < start - NO_GAIN * start:
            continue
        best = move_pairs(table, tau, tied, skips, sheet, best)
        if not best < start - NO_GAIN * start:
            break
    return best


@inner
def move_singles(
    table: Table, tau: Floats, tied: bool, skips: Floats, sheet: Floats, best: float
) -> float:
    """Try the inputs near each breakpoint; the sheet must be laid."""
    edges = table.edges
    floor = CLOSEST * (tau[tau.shape[0] - 1] - tau[0])
    for j in range(1, tau.shape[0] - 1):
        chosen = tau[j]
        at = count_below(edges, table.buckets, chosen, EXCLUSIVE)
        end = min(at + NEIGHBOURS, edges.shape[0])
        for r in range(max(at - NEIGHBOURS, 0), end + 1):
            # Last of all the best place again, so that the sheet is that of the vertices.
            tau[j] = edges[r] if r < end else chosen
            if r < end and not tau[j - 1] + floor < tau[j] < tau[j + 1] - floor:
                continue
            relay(table, tau, j, sheet)
            if r < end:
                now = assess(tau, sheet, tied, skips)
                if now < best:
                    best = now
                    chosen = tau[j]
    return best


@inner
def nudge(
    table: Table,
    tau: Floats,
    tied: bool,
    skips: Floats,
    j: int,
    side: float,
    sheet: Floats,
    best: float,
) -> float:
    """Move one breakpoint into the gap on one side of it if that is downhill.

    A corner of one breakpoint can spoil every joint step; alone the others still move. The sheet
    must be that of the breakpoints, derivatives included, and is so again afterwards.
    """
    edges = table.edges
    n = edges.shape[0]
    old = tau[j]
    slope, bend = sheet[j, GRADIENT], sheet[j, EXTRA + j - 1]
    at = count_below(edges, table.buckets, old, EXCLUSIVE)
    on_input = at < n and edges[at] == old
    far = edges[max(at - 1, 0)]
    if side > 0.0:
        if on_input:
            slope += jump(table, at, tau, sheet, j)
        far = edges[min(at + 1 if on_input else at, n - 1)]
    if slope * side >= 0.0 or not bend > 0.0:
        return best
    floor = CLOSEST * (tau[tau.shape[0] - 1] - tau[0])
    step = min(-slope / bend * side, (far - old) * side)
    step = min(step, (tau[j + 1] - old if side > 0.0 else old - tau[j - 1]) - floor)
    if not step > 0.0:
        return best
    for i in range(NUDGES + 1):
        # In the end back to where it was.
        tau[j] = old + side * step if i < NUDGES else old
        relay(table, tau, j, sheet)
        now = assess(tau, sheet, tied, skips)
        if now < best and i < NUDGES:
            derivatives(tau, sheet, tied)
            return now
        step *= 0.25
    return best


@inner
def move_pairs(
    table: Table, tau: Floats, tied: bool, skips: Floats, sheet: Floats, best: float
) -> float:
    """Try inputs for two neighbouring breakpoints at once: where neither gains by itself."""
    edges = table.edges
    n = edges.shape[0]
    floor = CLOSEST * (tau[tau.shape[0] - 1] - tau[0])
    for j in range(1, tau.shape[0] - 2):
        first, second = tau[j], tau[j + 1]
        at = count_below(edges, table.buckets, first, EXCLUSIVE)
        beside = count_below(edges, table.buckets, second, EXCLUSIVE)
        lay(table, tau, sheet)
        for r in range(max(at - PAIR_NEIGHBOURS, 0), min(at + PAIR_NEIGHBOURS, n)):
            for s in range(max(beside - PAIR_NEIGHBOURS, r + 1), min(beside + PAIR_NEIGHBOURS, n)):
                if not (tau[j - 1] + floor < edges[r] and edges[s] < tau[j + 2] - floor):
                    continue
                tau[j], tau[j + 1] = edges[r], edges[s]
                for i in range(j, j + 2):
                    relay(table, tau, i, sheet)
                now = assess(tau, sheet, tied, skips)
                if now < best:
                    best = now
                    first, second = edges[r], edges[s]
        tau[j], tau[j + 1] = first, second
    return best


@inner
def jump(table: Table, at: int, tau: Floats, sheet: Floats, j: int) -> float:
    """Return by how much the derivative in the breakpoint j grows as it passes input `at`."""
    high, value = table.high, sheet[j, VALUE]
    m = high[at + 1, 0, 0] - high[at, 0, 0]
    f = high[at + 1, 0, 3] - high[at, 0, 3]
    left = (value - sheet[j - 1, VALUE]) / (tau[j] - tau[j - 1])
    right = (sheet[j + 1, VALUE] - value) / (tau[j + 1] - tau[j])
    return 2.0 * (right - left) * (m * value - f)


@inner
def within_gaps(
    table: Table, tau: Floats, tied: bool, skips: Floats, sheet: Floats, best: float
) -> float:
    """Newton steps that keep each breakpoint in its gap between inputs, where all is smooth."""
    vertices = tau.shape[0]
    edges = table.edges
    low, high, trial = np.empty(vertices), np.empty(vertices), np.empty(vertices)
    for j in range(vertices):
        trial[j] = tau[j]
    floor = CLOSEST * (tau[vertices - 1] - tau[0])
    finals = 0
    lay(table, tau, sheet)
    best = min(best, assess(tau, sheet, tied, skips))
    for _ in range(MOST_STEPS):
        derivatives(tau, sheet, tied)
        for j in range(1, vertices - 1):
            t, slope = tau[j], sheet[j, GRADIENT]
            at = count_below(edges, table.buckets, t, EXCLUSIVE)
            on_input = at < edges.shape[0] and edges[at] == t
            if on_input and slope <= 0.0:
                # The derivative jumps here: data at the breakpoint count as left of it from now.
                slope = min(slope + jump(table, at, tau, sheet, j), 0.0)
                low[j], high[j] = t, edges[min(at + 1, edges.shape[0] - 1)]
            else:
                low[j], high[j] = edges[max(at - 1, 0)], edges[min(at, edges.shape[0] - 1)]
            # Both neighbours may move: less than half the gap each keeps the order.
            left, right = t - tau[j - 1], tau[j + 1] - t
            low[j] = max(low[j], t - max(min(0.45 * left, 0.5 * (left - floor)), 0.0))
            high[j] = min(high[j], t + max(min(0.45 * right, 0.5 * (right - floor)), 0.0))
            if (t <= low[j] and slope >= 0.0) or (t >= high[j] and slope <= 0.0):
                slope = 0.0  # pinned
                for i in range(1, vertices - 1):
                    sheet[i, EXTRA + j - 1] = 0.0
                    sheet[j, EXTRA + i - 1] = 0.0
            sheet[j, GRADIENT] = slope
        now = best
        moved = False
        solved = False
        damping = 1e-12
        while not solved and damping < 10.0:
            solved = damped_step(sheet, damping)
            damping *= 1e4
        share = 1.0
        while solved and share > 0.01:
            moved = False
            for j in range(1, vertices - 1):
                trial[j] = min(max(tau[j] + share * sheet[j, STEP], low[j]), high[j])
                moved = moved or trial[j] != tau[j]
            if not moved:
                break
            lay(table, trial, sheet)
            now = assess(trial, sheet, tied, skips)
            if now < best or (share == 1.0 and now <= best * (1.0 + ROUNDING)):
                break
            share *= 0.25
        if not moved or not now <= best * (1.0 + ROUNDING):
            break
        if best - now <= NO_GAIN * best:
            finals += 1
        best = min(best, now)
        for j in range(1, vertices - 1):
            tau[j] = trial[j]
        if finals > FINAL_STEPS:
            break
    lay(table, tau, sheet)
    return assess(tau, sheet, tied, skips)
