"""Fits under constraints: slopes within bounds, pieces of a least length and number of points.

For fixed breakpoints, bounded slopes make a convex quadratic program, solved exactly by an active
set: pieces held at a bound merge their two vertices, and what is left is tridiagonal again. The
breakpoints move one at a time, over a grid first and then by ever smaller steps.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.segments import (
    DIAGONAL,
    LEVEL,
    LOWER,
    MASS,
    MEAN,
    SLOPE,
    SPREAD,
    VALUE,
    eliminate,
    lay,
    new_sheet,
    relay,
    squares,
)
from reluscape.kernels.table import EXCLUSIVE, Table, count_below
from reluscape.kernels.typing import Floats, Integers

# Changes of the active set allowed per piece: in practice a few in all.
CHANGES_PER_PIECE = 6
# Sweeps over the breakpoints; a sweep that gains less than this share is the last.
MOST_SWEEPS = 120
NO_GAIN = 1e-12
# Every so many sweeps the whole grid is tried again, not only the neighbourhood.
GRID_EVERY = 12
# Steps below this share of the range are not worth taking.
FINEST = 1e-9


@inner
def solve_held(tau: Floats, sheet: Floats, held: Integers, bounds: Floats, phi: Floats) -> None:
    """Solve for the values with some slopes held at a bound: -1 lower, 1 upper, 0 free."""
    pieces = sheet.shape[0] - 1
    group = np.zeros(pieces + 1, np.int64)
    offset = np.zeros(pieces + 1)
    for i in range(pieces):
        if held[i] == 0:
            group[i + 1] = group[i] + 1
        else:
            slope = bounds[0] if held[i] < 0 else bounds[1]
            group[i + 1] = group[i]
            offset[i + 1] = offset[i] + slope * (tau[i + 1] - tau[i])
    merged = np.zeros((group[pieces] + 1, LOWER + 1))
    for i in range(pieces):
        m, q, spread = sheet[i, MASS], sheet[i, MEAN], sheet[i, SPREAD]
        p = 1.0 - q
        level = sheet[i, LEVEL] - p * offset[i] - q * offset[i + 1]
        g = group[i]
        if group[i + 1] == g:
            merged[g, DIAGONAL] += m
            merged[g, VALUE] += m * level
            continue
        slope = sheet[i, SLOPE] - (offset[i + 1] - offset[i])
        merged[g, DIAGONAL] += m * p * p + spread
        merged[g + 1, DIAGONAL] += m * q * q + spread
        merged[g, LOWER] = m * p * q - spread
        merged[g, VALUE] += m * p * level - spread * slope
        merged[g + 1, VALUE] += m * q * level + spread * slope
    eliminate(merged, merged.shape[0])
    for i in range(pieces + 1):
        phi[i] = merged[group[i], VALUE] + offset[i]


@compiled
def solve_bounded(tau: Floats, sheet: Floats, bounds: Floats) -> float:
    """Solve for the best values under `bounds` on the slopes; return the sum of squares."""
    pieces = sheet.shape[0] - 1
    phi = np.zeros(pieces + 1)
    held = np.zeros(pieces, np.int64)
    target = np.zeros(pieces + 1)
    solve_held(tau, sheet, held, bounds, phi)
    if inside(tau, phi, bounds, held):
        return finish(sheet, phi)
    # Start from a feasible point: every slope moved into its bounds.
    for i in range(pieces):
        length = tau[i + 1] - tau[i]
        slope = min(max((phi[i + 1] - phi[i]) / length, bounds[0]), bounds[1])
        target[i + 1] = target[i] + slope * length
        if slope == bounds[0]:
            held[i] = -1
        elif slope == bounds[1]:
            held[i] = 1
    solve_held(tau, sheet, held, bounds, phi)
    if not inside(tau, phi, bounds, held):
        for i in range(pieces + 1):
            phi[i] = target[i]
    pull = np.zeros(pieces + 1)
    for _ in range(CHANGES_PER_PIECE * pieces + 10):
        solve_held(tau, sheet, held, bounds, target)
        share = 1.0
        blocking = -1
        for i in range(pieces):
            if held[i] != 0:
                continue
            length = tau[i + 1] - tau[i]
            now = (phi[i + 1] - phi[i]) / length
            then = (target[i + 1] - target[i]) / length
            for side in (0, 1):
                beyond = then < bounds[0] if side == 0 else then > bounds[1]
                if beyond and then != now:
                    reach = (bounds[side] - now) / (then - now)
                    if reach < share:
                        share = max(reach, 0.0)
                        blocking = 2 * i + side
        for i in range(pieces + 1):
            phi[i] += share * (target[i] - phi[i])
        if blocking >= 0:
            held[blocking // 2] = 1 if blocking % 2 else -1
            continue
        worst = 0.0
        freed = -1
        for i in range(pieces + 1):
            pull[i] = 0.0
        for i in range(pieces):
            rise = phi[i + 1] - phi[i]
            off = sheet[i, MASS] * (phi[i] + sheet[i, MEAN] * rise - sheet[i, LEVEL])
            tilt = sheet[i, SPREAD] * (rise - sheet[i, SLOPE])
            pull[i] += off * (1.0 - sheet[i, MEAN]) - tilt
            pull[i + 1] += off * sheet[i, MEAN] + tilt
        right = 0.0
        for i in range(pieces - 1, -1, -1):
            right += pull[i + 1]
            if held[i] != 0 and bounds[0] < bounds[1]:
                gain = right * held[i] * (tau[i + 1] - tau[i])
                if gain > worst:
                    worst = gain
                    freed = i
        if freed < 0 or worst <= 1e-14 * max(finish(sheet, phi), 1e-300):
            break
        held[freed] = 0
    return finish(sheet, phi)


@inner
def finish(sheet: Floats, phi: Floats) -> float:
    """Write the values into the sheet; return their sum of squares."""
    for i in range(phi.shape[0]):
        sheet[i, VALUE] = phi[i]
    return squares(sheet)


@inner
def inside(tau: Floats, phi: Floats, bounds: Floats, held: Integers) -> bool:
    """Tell whether every free slope obeys its bounds."""
    for i in range(held.shape[0]):
        if held[i] == 0:
            slope = (phi[i + 1] - phi[i]) / (tau[i + 1] - tau[i])
            if slope < bounds[0] or slope > bounds[1]:
                return False
    return True


@inner
def allowed(table: Table, tau: Floats, j: int, min_distance: float, min_points: int) -> bool:
    """Tell whether the two pieces that meet at the interior vertex j are long and full enough."""
    edges, buckets = table.edges, table.buckets
    last = tau.shape[0] - 1
    for i in (j - 1, j):
        length = tau[i + 1] - tau[i]
        between = i > 0 and i + 1 < last
        if not length > 0.0 or (between and length < min_distance):
            return False
        if min_points > 0:
            low = count_below(edges, buckets, tau[i], EXCLUSIVE)
            high = count_below(edges, buckets, tau[i + 1], i + 1 == last)
            if high - low < min_points:
                return False
    return True


@compiled
def sweep(
    table: Table,
    tau: Floats,
    bounds: Floats,
    min_distance: float,
    min_points: int,
    grid: Floats,
) -> float:
    """Move the interior vertices downhill in place, one at a time; return the squares."""
    k = tau.shape[0] - 2
    sheet = new_sheet(k + 2)
    lay(table, tau, sheet)
    best = solve_bounded(tau, sheet, bounds)
    reach = np.empty(k)
    for j in range(k):
        reach[j] = 0.1 * (tau[k + 1] - tau[0])
    for sweeps in range(MOST_SWEEPS):
        before = best
        for j in range(1, k + 1):
            chosen = tau[j]
            moved = False
            places = grid.shape[0] if sweeps % GRID_EVERY == 0 else 0
            for g in range(places + 2):
                if g >= places and moved:
                    break
                aside = reach[j - 1] if g == places else -reach[j - 1]
                tau[j] = grid[g] if g < places else chosen + aside
                if not (tau[j - 1] < tau[j] < tau[j + 1]):
                    continue
                if not allowed(table, tau, j, min_distance, min_points):
                    continue
                relay(table, tau, j, sheet)
                now = solve_bounded(tau, sheet, bounds)
                if now < best:
                    best = now
                    chosen = tau[j]
                    moved = g >= places
            reach[j - 1] *= 1.6 if moved else 0.5
            tau[j] = chosen
            relay(table, tau, j, sheet)
        finest = 0.0
        for j in range(k):
            finest = max(finest, reach[j])
        if (
            not best < before * (1.0 - NO_GAIN)
            and finest < FINEST
            and sweeps % GRID_EVERY != GRID_EVERY - 1
        ):
            break
    return best


@compiled
def best_place(
    table: Table,
    tau: Floats,
    bounds: Floats,
    min_distance: float,
    min_points: int,
    grid: Floats,
) -> tuple[float, float]:
    """Return where one more breakpoint helps most, and the squares with it (inf if nowhere)."""
    k = tau.shape[0] - 2
    trial = np.empty(k + 3)
    sheet = new_sheet(k + 3)
    best = np.inf
    place = 0.0
    for g in range(grid.shape[0]):
        t = grid[g]
        i = 0
        while i < k and tau[i + 1] <= t:
            i += 1
        if not tau[i] < t < tau[i + 1]:
            continue
        for r in range(k + 2):
            trial[r + 1 if r > i else r] = tau[r]
        trial[i + 1] = t
        if not allowed(table, trial, i + 1, min_distance, min_points):
            continue
        lay(table, trial, sheet)
        now = solve_bounded(trial, sheet, bounds)
        if now < best:
            best = now
            place = t
    return place, best
