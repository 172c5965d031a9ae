"""Passes over rows with classes: sums about centres, and noise about means."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from reluscape.kernels.compiled import compiled
from reluscape.kernels.typing import Floats, Integers

Rows: TypeAlias = NDArray[np.float32] | Floats

# So many sums side by side let the processor add several at once without reordering any of them.
LANES = 32


@compiled
def accumulate(
    x: Rows,
    codes: Integers,
    weights: Floats,
    centres: Floats,
    anchor: Floats,
    sums: Floats,
    totals: Floats,
    extremes: Floats,
) -> None:
    """Add rows to the weighted sums of their class, in one pass over the memory.

    `x` (n, m); `codes` and `weights` (n,); `centres` (classes, m) are subtracted before summing
    into `sums` (classes, m). Column 0 of `totals` (classes, 3) grows by the weights, column 1 by
    the rows, column 2 keeps the least weight. `extremes[0]` keeps the largest squared distance
    from `anchor` (m,); `extremes[1]` counts rows for which that is not finite.
    """
    n, m = x.shape
    full = m // LANES * LANES
    lanes = np.zeros(LANES)
    for i in range(n):
        j = codes[i]
        weight = weights[i]
        row = x[i]
        into = sums[j]
        centre = centres[j]
        lanes[:] = 0.0
        for b in range(0, full, LANES):
            for k in range(LANES):
                value = np.float64(row[b + k])
                away = value - anchor[b + k]
                lanes[k] += away * away
                into[b + k] += weight * (value - centre[b + k])
        square = 0.0
        for k in range(LANES):
            square += lanes[k]
        for k in range(full, m):
            value = np.float64(row[k])
            away = value - anchor[k]
            square += away * away
            into[k] += weight * (value - centre[k])
        if not square < np.inf:
            extremes[1] += 1.0
        elif square > extremes[0]:
            extremes[0] = square
        totals[j, 0] += weight
        totals[j, 1] += 1.0
        if weight < totals[j, 2]:
            totals[j, 2] = weight


@compiled
def spread(
    x: Rows,
    codes: Integers,
    weights: Floats,
    means: Floats,
    coordinates: Floats,
    scales: Floats,
    levels: Floats,
    readout: Floats,
    goals: Floats,
    squares: Floats,
    extremes: Floats,
    block: int,
) -> None:
    """Measure the noise about the means, and run the network on every row.

    With `e = (x - mean) coordinates`, (m, r): `squares` (classes, r, r) grows by the weighted
    lower triangles of `e e^T`. The hidden units are `max(scales * e + levels[j], 0)`, the outputs
    `readout` (targets, r) times them; column 0 of `extremes` (classes, 4) keeps the largest
    squared norm of e, column 1 that of `x - mean`, column 2 grows by the weighted squared distance
    of the outputs from `goals` (classes, targets), column 3 by the units that are not active.
    `block` rows are multiplied at a time.
    """
    n, m = x.shape
    r = coordinates.shape[1]
    targets = readout.shape[0]
    full = m // LANES * LANES
    lanes = np.zeros(LANES)
    noise = np.empty((block, m))
    relative = np.empty((block, r))
    hidden = np.empty(r)
    for start in range(0, n, block):
        stop = min(start + block, n)
        for i in range(start, stop):
            j = codes[i]
            row = x[i]
            mean = means[j]
            into = noise[i - start]
            lanes[:] = 0.0
            for b in range(0, full, LANES):
                for k in range(LANES):
                    away = np.float64(row[b + k]) - mean[b + k]
                    into[b + k] = away
                    lanes[k] += away * away
            square = 0.0
            for k in range(LANES):
                square += lanes[k]
            for k in range(full, m):
                away = np.float64(row[k]) - mean[k]
                into[k] = away
                square += away * away
            if square > extremes[j, 1]:
                extremes[j, 1] = square
        np.dot(noise[: stop - start], coordinates, relative[: stop - start])
        for i in range(start, stop):
            j = codes[i]
            weight = weights[i]
            e = relative[i - start]
            into = squares[j]
            square = 0.0
            for p in range(r):
                square += e[p] * e[p]
                for q in range(p + 1):
                    into[p, q] += weight * (e[p] * e[q])
                value = scales[p] * e[p] + levels[j, p]
                if not value > 0.0:
                    extremes[j, 3] += 1.0
                    value = 0.0
                hidden[p] = value
            if square > extremes[j, 0]:
                extremes[j, 0] = square
            error = 0.0
            for q in range(targets):
                value = -goals[j, q]
                for p in range(r):
                    value += readout[q, p] * hidden[p]
                error += value * value
            extremes[j, 2] += weight * error
