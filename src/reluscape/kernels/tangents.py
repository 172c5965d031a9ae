"""What each neuron is to the risk, and norms of the derivatives of a network."""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.table import Table
from reluscape.kernels.typing import Floats, Integers

# What a neuron is to the risk, see `landscape.sight`.
DEGENERATE, IDLE, CARRIER, KINK, EDGE = 0, 1, 2, 3, 4


@inner
def _point(
    w: float, bias: Floats, t: float, terms: tuple[float, float, float], edges: Floats, share: float
) -> int:
    """Return the edge that a breakpoint is on, -1 if none.

    It is on an edge if `w x + b` there is at most `share` of `|w X| + |b|` in the user's units:
    `terms` are p, q and r with `|w X| = |p x + q|` and `|b| = r`.
    """
    found = -1
    right = int(np.searchsorted(edges, t))
    for edge in range(max(right - 1, 0), min(right + 1, edges.shape[0])):
        x = edges[edge]
        value = abs(w * x + bias[0] + bias[1])
        if value <= share * (abs(terms[0] * x + terms[1]) + terms[2]):
            found = edge
    return found


@compiled
def roles(
    w: Floats,
    bias: Floats,
    power: Floats,
    weights: Floats,
    biases: Floats,
    table: Table,
    leak: float,
    atomic: bool,
    share: float,
) -> tuple[Floats, Integers, Integers]:
    """Return breakpoints, roles and the edge that each breakpoint is on, all (width,).

    `w`, `bias` (width, 2) and `power` are reduced, see `framed.reduce`; `weights` and `biases` are
    those of the user. Breakpoints are nan for w = 0. Edges are data if `atomic`, else 0 and 1 for
    the ends; a breakpoint is on one up to `share` of the terms of `w x + b`.
    """
    width = w.shape[0]
    t, role, point = np.full(width, np.nan), np.full(width, KINK), np.full(width, -1)
    edges = table.edges
    if not atomic:
        edges = np.array([edges[0], edges[-1]])
    low, high = edges[0], edges[-1]
    idle = IDLE if leak == 0.0 else CARRIER
    for j in range(width):
        if w[j] == 0.0:
            sign = bias[j, 0]
            role[j] = DEGENERATE if sign == 0.0 else CARRIER if sign > 0.0 else idle
            continue
        t[j] = -bias[j, 0] / w[j] - bias[j, 1] / w[j]
        if t[j] >= high:
            role[j] = idle if w[j] > 0.0 else CARRIER
        elif t[j] <= low:
            role[j] = CARRIER if w[j] > 0.0 else idle
        if not np.isfinite(t[j]):
            continue
        size = weights[j] / power[j]
        terms = (size * table.x_scale, size * table.x_centre, abs(biases[j]) / power[j])
        point[j] = _point(w[j], bias[j], t[j], terms, edges, share)
        if point[j] >= 0:
            active = (w[j] > 0.0) == (point[j] == 0)
            role[j] = EDGE if atomic else CARRIER if active else idle
    return t, role, point


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
