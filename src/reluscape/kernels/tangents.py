"""Where breakpoints coincide with data or ends, and norms of the derivatives of a network."""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled
from reluscape.kernels.typing import Floats, Integers


@compiled
def on_points(
    w: Floats, bias: Floats, t: Floats, terms: Floats, edges: Floats, share: float
) -> Integers:
    """Return the edge that each breakpoint is on, -1 if none.

    `w` and `t` have shape (width,), `bias` (width, 2), all reduced. A breakpoint is on an edge if
    `w x + b` there is at most `share` of `|w X| + |b|` in the user's units: `terms` (width, 3) has
    p, q and r with `|w X| = |p x + q|` and `|b| = r`.
    """
    found = np.full(w.shape[0], -1)
    for j in range(w.shape[0]):
        if w[j] == 0.0 or not np.isfinite(t[j]):
            continue
        right, high = 0, edges.shape[0]
        while right < high:
            middle = (right + high) >> 1
            if edges[middle] < t[j]:
                right = middle + 1
            else:
                high = middle
        for edge in range(max(right - 1, 0), min(right + 1, edges.shape[0])):
            x = edges[edge]
            value = abs(w[j] * x + bias[j, 0] + bias[j, 1])
            size = abs(terms[j, 0] * x + terms[j, 1]) + terms[j, 2]
            if value <= share * size:
                found[j] = edge
    return found


@compiled
def norms(
    w: Floats, bias: Floats, segments: Floats, slopes: Floats, extra: Floats, centre: Floats
) -> Floats:
    """Return squares of the norms of `act'`, `act' (x - centre)` and `act`, (3, width).

    `segments` (width + 1, 3): mass, mean and spread between breakpoints; `slopes` (width + 1,
    width): of the activations there; `extra` (width,): mass at the breakpoint that counts as well.
    `centre` (width,) is written where it is nan: the mean of x under `act'^2`.
    """
    count, width = slopes.shape
    result = np.zeros((3, width))
    for j in range(width):
        weight = extra[j]
        first = 0.0
        for i in range(count):
            s = slopes[i, j] * slopes[i, j] * segments[i, 0]
            weight += s
            first += s * segments[i, 1]
        if np.isnan(centre[j]):
            centre[j] = first / weight if weight > 0.0 else 0.0
        about = 0.0
        values = 0.0
        for i in range(count):
            square = slopes[i, j] * slopes[i, j]
            away = segments[i, 1] - centre[j]
            height = w[j] * segments[i, 1] + (bias[j, 0] + bias[j, 1])
            about += square * (segments[i, 0] * away * away + segments[i, 2])
            values += square * (segments[i, 0] * height * height + w[j] * w[j] * segments[i, 2])
        result[0, j] = weight
        result[1, j] = about
        result[2, j] = values
    return result
