"""Where a spike would help: three breakpoints at once.

A spike pays only as a whole, so that no move of a single breakpoint finds it. It is screened by
what its hat function takes out of the residuals.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.segments import VALUE, lay, new_sheet, solve
from reluscape.kernels.table import Table
from reluscape.kernels.typing import Floats

# Inputs tried as the left end of a wider spike, evenly spread in rank, and its half widths in
# inputs. Spikes on a single input, what an outlier asks for, are tried at every one.
SPIKE_SITES = 4_000
SPIKE_WIDTHS = (1, 2, 4, 8)


@inner
def keep_best(best: Floats, gain: float, left: int, middle: int, right: int) -> None:
    """Insert a candidate into `best` (FOLLOWED, 4): for a worse twin nearby, else for the worst."""
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
    worst = 0.0
    piece = 0
    for i in range(1, n):
        while piece < k and rest[piece + 1] <= edges[i - 1]:
            piece += 1
        value = base[piece, VALUE]
        rise = (base[piece + 1, VALUE] - value) / (rest[piece + 1] - rest[piece])
        m = (high[i, 0, 0] - high[i - 1, 0, 0]) + (low[i, 0, 0] - low[i - 1, 0, 0])
        f = (high[i, 0, 3] - high[i - 1, 0, 3]) + (low[i, 0, 3] - low[i - 1, 0, 3])
        missing = f - m * (value + rise * (edges[i - 1] - rest[piece]))
        if i > 1 and m > 0.0 and missing * missing > worst * m:
            keep_best(best, missing * missing / m, i - 2, i - 1, i)
            worst = best[:, 0].min()
        error += missing
        hinge[i] = hinge[i - 1] + error * (edges[i] - edges[i - 1])
    stride = max(n // SPIKE_SITES, 1)
    for one in SPIKE_WIDTHS:
        for two in SPIKE_WIDTHS:
            if one + two == 2:
                continue
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
