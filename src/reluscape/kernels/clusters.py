"""Where a jump or a spike would help: two or three breakpoints at once.

Two breakpoints in neighbouring gaps make a jump, three make a spike; either pays only as a whole,
so that no move of a single breakpoint finds it. Jumps are tried by solving; spikes are screened
by what their hat function takes out of the residuals.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.segments import (
    EXTRA,
    READING,
    RESIDUAL,
    VALUE,
    lay,
    new_sheet,
    solve,
    squares,
    summarise,
)
from reluscape.kernels.table import Table, read
from reluscape.kernels.typing import Floats, number

# The rows of the two ends of a jump.
LEFT, RIGHT = number(0), number(1)
# Inputs tried as the left end of a jump, evenly spread in rank.
JUMP_SITES = 500
# Widths of a jump, in inputs.
JUMP_WIDTHS = (1, 4)
# Inputs tried as the left end of a spike, and its half widths in inputs.
SPIKE_SITES = 5_000
SPIKE_WIDTHS = (1, 2, 4, 8)


@inner
def without(tau: Floats, first: int, second: int, third: int, rest: Floats) -> None:
    """Copy the vertices but for two or three interior ones (third = -1 for two)."""
    r = 0
    for i in range(tau.shape[0]):
        if i != first and i != second and i != third:
            rest[r] = tau[i]
            r += 1


@compiled
def removals(table: Table, tau: Floats, count: int, wanted: int, chosen: Floats) -> int:
    """Write the cheapest sets of `count` breakpoints to remove into `chosen` (wanted, 4).

    Each row is the sum of squares left and the vertex numbers. Return how many rows there are.
    """
    k = tau.shape[0] - 2
    rest = np.empty(k + 2 - count)
    sheet = new_sheet(k + 2 - count)
    found = 0
    for i in range(wanted):
        chosen[i, 0] = np.inf
    for a in range(1, k):
        for b in range(a + 1, k + 1):
            for c in range(b + 1, k + 1) if count == 3 else range(-1, 0):
                without(tau, a, b, c, rest)
                lay(table, rest, sheet)
                solve(sheet)
                cost = squares(sheet)
                i = min(found, wanted)
                while i > 0 and chosen[i - 1, 0] > cost:
                    if i < wanted:
                        for d in range(4):
                            chosen[i, d] = chosen[i - 1, d]
                    i -= 1
                if i < wanted:
                    chosen[i, 0], chosen[i, 1], chosen[i, 2], chosen[i, 3] = cost, a, b, c
                found = min(found + 1, wanted)
    return found


@inner
def keep_best(best: Floats, gain: float, left: int, middle: int, right: int) -> None:
    """Insert a candidate into `best` (FOLLOWED, 4), sorted by gain; near twins replace."""
    rows = best.shape[0]
    for i in range(rows):
        near = abs(best[i, 1] - left) <= right - left
        if best[i, 0] > 0.0 and near:
            if gain > best[i, 0]:
                best[i, 0], best[i, 1], best[i, 2], best[i, 3] = gain, left, middle, right
            return
    worst = 0
    for i in range(rows):
        if best[i, 0] < best[worst, 0]:
            worst = i
    if gain > best[worst, 0]:
        i = worst
        best[i, 0], best[i, 1], best[i, 2], best[i, 3] = gain, left, middle, right


@compiled
def find_jumps(table: Table, rest: Floats, best: Floats) -> None:
    """Write the best places for a jump on top of the polyline `rest` into `best`."""
    edges = table.edges
    n = edges.shape[0]
    k = rest.shape[0] - 2
    base, sheet = new_sheet(k + 2), new_sheet(k + 4)
    ends = np.empty((2, EXTRA))
    lay(table, rest, base)
    solve(base)
    before = squares(base)
    stride = max(n // JUMP_SITES, 1)
    for width in JUMP_WIDTHS:
        i = 0
        for left in range(1, n - 1 - width, stride):
            right = left + width
            while i < k and rest[i + 1] <= edges[left]:
                i += 1
            if not (rest[i] < edges[left] and edges[right] < rest[i + 1]):
                continue
            read(table, left, edges[left], ends, LEFT, READING)
            read(table, right, edges[right], ends, RIGHT, READING)
            for r in range(k + 1):
                for c in range(RESIDUAL + 1):
                    sheet[r + 2 if r > i else r, c] = base[r, c]
            summarise(base, i, ends, LEFT, rest[i], edges[left], sheet, i)
            summarise(ends, LEFT, ends, RIGHT, edges[left], edges[right], sheet, i + 1)
            summarise(ends, RIGHT, base, i + 1, edges[right], rest[i + 1], sheet, i + 2)
            solve(sheet)
            keep_best(best, before - squares(sheet), left, left, right)


@compiled
def find_spikes(table: Table, rest: Floats, best: Floats) -> None:
    """Write the best places for a spike on top of the polyline `rest` into `best`."""
    edges, high, low = table.edges, table.high, table.low
    n = edges.shape[0]
    k = rest.shape[0] - 2
    base = new_sheet(k + 2)
    lay(table, rest, base)
    solve(base)
    # hinge[i] is the integral of the residual against (edges[i] - x)+, from running sums.
    hinge = np.empty(n)
    hinge[0] = 0.0
    error = 0.0
    piece = 0
    for i in range(1, n):
        while piece < k and rest[piece + 1] <= edges[i - 1]:
            piece += 1
        value = base[piece, VALUE]
        rise = (base[piece + 1, VALUE] - value) / (rest[piece + 1] - rest[piece])
        m = (high[i, 0, 0] - high[i - 1, 0, 0]) + (low[i, 0, 0] - low[i - 1, 0, 0])
        f = (high[i, 0, 3] - high[i - 1, 0, 3]) + (low[i, 0, 3] - low[i - 1, 0, 3])
        error += f - m * (value + rise * (edges[i - 1] - rest[piece]))
        hinge[i] = hinge[i - 1] + error * (edges[i] - edges[i - 1])
    stride = max(n // SPIKE_SITES, 1)
    for one in SPIKE_WIDTHS:
        for two in SPIKE_WIDTHS:
            for left in range(0, n - one - two, stride):
                middle, right = left + one, left + one + two
                up, down = edges[middle] - edges[left], edges[right] - edges[middle]
                inner = (hinge[right] - hinge[middle]) / down
                inner -= (hinge[middle] - hinge[left]) / up
                size = 0.0
                for i in range(left + 1, right):
                    m = high[i + 1, 0, 0] - high[i, 0, 0]
                    hat = (edges[i] - edges[left]) / up
                    if i > middle:
                        hat = (edges[right] - edges[i]) / down
                    size += m * hat * hat
                if size > 0.0:
                    keep_best(best, inner * inner / size, left, middle, right)
