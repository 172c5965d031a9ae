"""The last stretch on data: every breakpoint to its best place among the gaps between inputs.

Within a gap the sum of squares is smooth, at an input it has a corner. `settle` tries the inputs
near each breakpoint, then takes Newton steps that stay within the gaps; it only ever goes down.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.segments import lay, relay, workspace
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
from reluscape.kernels.table import Table, count_below
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
def settle(table: Table, tau: Floats, tied: bool, skips: Floats) -> float:
    """Finish on data: place every breakpoint at its best among the gaps near it, in place."""
    k = tau.shape[0] - 2
    readings, segments, phi, diagonal, lower = workspace(k + 2)
    tie = np.zeros(k + 2)
    lay(table, tau, readings, segments)
    best = assess(tau, segments, tied, skips, phi, diagonal, lower, tie)
    edges = table.edges
    floor = CLOSEST * (tau[k + 1] - tau[0])
    for _ in range(MOST_ROUNDS):
        start = best
        for j in range(1, k + 1):
            old = tau[j]
            chosen = old
            at = count_below(edges, table.buckets, old, False)
            first = max(at - NEIGHBOURS, 0)
            for r in range(first, min(at + NEIGHBOURS, edges.shape[0])):
                if not tau[j - 1] + floor < edges[r] < tau[j + 1] - floor:
                    continue
                tau[j] = edges[r]
                relay(table, tau, j, readings, segments)
                now = assess(tau, segments, tied, skips, phi, diagonal, lower, tie)
                if now < best:
                    best = now
                    chosen = edges[r]
            tau[j] = chosen
            relay(table, tau, j, readings, segments)
        best = within_gaps(
            table, tau, tied, skips, readings, segments, phi, diagonal, lower, tie, best
        )
        for j in range(1, k + 1):
            for side in (-1.0, 1.0):
                best = nudge(
                    table, tau, tied, skips, j, side,
                    readings, segments, phi, diagonal, lower, tie, best,
                )  # fmt: skip
        if best < start - NO_GAIN * start:
            continue
        best = move_pairs(
            table, tau, tied, skips, readings, segments, phi, diagonal, lower, tie, best
        )
        if not best < start - NO_GAIN * start:
            break
    return best


@inner
def nudge(
    table: Table,
    tau: Floats,
    tied: bool,
    skips: Floats,
    j: int,
    side: float,
    readings: Floats,
    segments: Floats,
    phi: Floats,
    diagonal: Floats,
    lower: Floats,
    tie: Floats,
    best: float,
) -> float:
    """Move one breakpoint into the gap on one side of it if that is downhill.

    A corner of one breakpoint can spoil every joint step; alone the others still move.
    """
    k = tau.shape[0] - 2
    edges = table.edges
    n = edges.shape[0]
    gradient, hessian = np.zeros(k), np.zeros((k, k))
    lay(table, tau, readings, segments)
    assess(tau, segments, tied, skips, phi, diagonal, lower, tie)
    derivatives(table, tau, segments, tied, phi, diagonal, lower, tie, False, gradient, hessian)
    old = tau[j]
    slope, bend = gradient[j - 1], hessian[j - 1, j - 1]
    at = count_below(edges, table.buckets, old, False)
    on_input = at < n and edges[at] == old
    far = edges[max(at - 1, 0)]
    if side > 0.0:
        if on_input:
            slope += jump(table, at, tau, phi, j)
        far = edges[min(at + 1 if on_input else at, n - 1)]
    if slope * side >= 0.0 or not bend > 0.0:
        return best
    floor = CLOSEST * (tau[k + 1] - tau[0])
    step = min(-slope / bend * side, (far - old) * side)
    step = min(step, (tau[j + 1] - old if side > 0.0 else old - tau[j - 1]) - floor)
    for _ in range(NUDGES):
        if not step > 0.0:
            break
        tau[j] = old + side * step
        relay(table, tau, j, readings, segments)
        now = assess(tau, segments, tied, skips, phi, diagonal, lower, tie)
        if now < best:
            return now
        step *= 0.25
    tau[j] = old
    relay(table, tau, j, readings, segments)
    return best


@inner
def move_pairs(
    table: Table,
    tau: Floats,
    tied: bool,
    skips: Floats,
    readings: Floats,
    segments: Floats,
    phi: Floats,
    diagonal: Floats,
    lower: Floats,
    tie: Floats,
    best: float,
) -> float:
    """Try inputs for two neighbouring breakpoints at once: where neither gains by itself."""
    edges = table.edges
    n = edges.shape[0]
    floor = CLOSEST * (tau[tau.shape[0] - 1] - tau[0])
    lay(table, tau, readings, segments)
    for j in range(1, tau.shape[0] - 2):
        one, two = tau[j], tau[j + 1]
        first, second = one, two
        at = count_below(edges, table.buckets, one, False)
        beside = count_below(edges, table.buckets, two, False)
        for r in range(max(at - PAIR_NEIGHBOURS, 0), min(at + PAIR_NEIGHBOURS, n)):
            for s in range(max(beside - PAIR_NEIGHBOURS, r + 1), min(beside + PAIR_NEIGHBOURS, n)):
                if not (tau[j - 1] + floor < edges[r] and edges[s] < tau[j + 2] - floor):
                    continue
                tau[j], tau[j + 1] = edges[r], edges[s]
                relay(table, tau, j, readings, segments)
                relay(table, tau, j + 1, readings, segments)
                now = assess(tau, segments, tied, skips, phi, diagonal, lower, tie)
                if now < best:
                    best = now
                    first, second = edges[r], edges[s]
        tau[j], tau[j + 1] = first, second
        relay(table, tau, j, readings, segments)
        relay(table, tau, j + 1, readings, segments)
    return best


@inner
def jump(table: Table, at: int, tau: Floats, phi: Floats, j: int) -> float:
    """Return by how much the derivative in the breakpoint j grows as it passes input `at`."""
    high = table.high
    m = high[at + 1, 0, 0] - high[at, 0, 0]
    f = high[at + 1, 0, 3] - high[at, 0, 3]
    left = (phi[j] - phi[j - 1]) / (tau[j] - tau[j - 1])
    right = (phi[j + 1] - phi[j]) / (tau[j + 1] - tau[j])
    return 2.0 * (right - left) * (m * phi[j] - f)


@inner
def within_gaps(
    table: Table,
    tau: Floats,
    tied: bool,
    skips: Floats,
    readings: Floats,
    segments: Floats,
    phi: Floats,
    diagonal: Floats,
    lower: Floats,
    tie: Floats,
    best: float,
) -> float:
    """Newton steps that keep each breakpoint in its gap between inputs, where all is smooth."""
    k = tau.shape[0] - 2
    edges = table.edges
    low, high = np.empty(k), np.empty(k)
    gradient, step = np.zeros(k), np.zeros(k)
    hessian = np.zeros((k, k))
    trial = tau.copy()
    floor = CLOSEST * (tau[k + 1] - tau[0])
    finals = 0
    lay(table, tau, readings, segments)
    best = min(best, assess(tau, segments, tied, skips, phi, diagonal, lower, tie))
    for _ in range(MOST_STEPS):
        derivatives(table, tau, segments, tied, phi, diagonal, lower, tie, False, gradient, hessian)
        for j in range(k):
            t = tau[j + 1]
            at = count_below(edges, table.buckets, t, False)
            on_input = at < edges.shape[0] and edges[at] == t
            if on_input and gradient[j] <= 0.0:
                # The derivative jumps here: data at the breakpoint count as left of it from now.
                gradient[j] = min(gradient[j] + jump(table, at, tau, phi, j + 1), 0.0)
                low[j], high[j] = t, edges[min(at + 1, edges.shape[0] - 1)]
            else:
                low[j], high[j] = edges[max(at - 1, 0)], edges[min(at, edges.shape[0] - 1)]
            # Both neighbours may move: less than half the gap each keeps the order.
            left, right = t - tau[j], tau[j + 2] - t
            low[j] = max(low[j], t - max(min(0.45 * left, 0.5 * (left - floor)), 0.0))
            high[j] = min(high[j], t + max(min(0.45 * right, 0.5 * (right - floor)), 0.0))
            pinned = (t <= low[j] and gradient[j] >= 0.0) or (t >= high[j] and gradient[j] <= 0.0)
            if pinned:
                gradient[j] = 0.0
                for i in range(k):
                    hessian[i, j] = 0.0
                    hessian[j, i] = 0.0
                hessian[j, j] = 1.0
        now = best
        moved = False
        solved = False
        for damping in (1e-12, 1e-6, 1e-3, 1.0):
            solved = solved or damped_step(hessian, gradient, damping, step)
        if solved:
            share = 1.0
            for _ in range(4):
                moved = False
                for j in range(k):
                    t = min(max(tau[j + 1] + share * step[j], low[j]), high[j])
                    moved = moved or t != tau[j + 1]
                    trial[j + 1] = t
                if not moved:
                    break
                lay(table, trial, readings, segments)
                now = assess(trial, segments, tied, skips, phi, diagonal, lower, tie)
                if now < best or (share == 1.0 and now <= best * (1.0 + ROUNDING)):
                    break
                share *= 0.25
        if not moved or not now <= best * (1.0 + ROUNDING):
            break
        if best - now <= NO_GAIN * best:
            finals += 1
        best = min(best, now)
        for j in range(k):
            tau[j + 1] = trial[j + 1]
        if finals > FINAL_STEPS:
            break
    lay(table, tau, readings, segments)
    return assess(tau, segments, tied, skips, phi, diagonal, lower, tie)
