"""Coordinates of the function around a network, and inner products of N's derivatives in them."""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled
from reluscape.kernels.table import EXCLUSIVE, Table, count_below
from reluscape.kernels.typing import Floats, Integers


@compiled
def bends(
    w: Floats, t: Floats, moving: Integers, table: Table, same: float
) -> tuple[Integers, Integers, Floats, Integers, bool]:
    """Return the breakpoints of the neurons `moving`, numbered from left to right.

    `w` and `t` have shape (width,), reduced; breakpoints up to `same` apart are one. Returns the
    number of each neuron's breakpoint (-1 for the others), the first neuron at each breakpoint, the
    places, the edge of the table that each of `moving` is within `same` of (or -1), and whether
    neurons of both orientations bend at one place.
    """
    width, count = w.shape[0], moving.shape[0]
    group, first = np.full(width, -1), np.full(count, width)
    places, border = np.empty(count), np.full(count, -1)
    sides = np.zeros((count, 2), np.bool_)
    at, edges = t[moving], table.edges
    total = 0
    last = -np.inf
    for i in np.argsort(at):
        j = moving[i]
        if at[i] - last > same:
            places[total] = at[i]
            total += 1
        last = at[i]
        group[j] = total - 1
        first[total - 1] = min(first[total - 1], j)
        sides[total - 1, 1 if w[j] > 0.0 else 0] = True
    both = False
    for g in range(total):
        both = both or (sides[g, 0] and sides[g, 1])
    for i in range(count):
        after = count_below(edges, table.buckets, at[i], EXCLUSIVE)
        after = min(max(after, 1), edges.shape[0] - 1)
        nearest = after - 1 if at[i] - edges[after - 1] < edges[after] - at[i] else after
        if abs(edges[nearest] - at[i]) <= same:
            border[i] = nearest
    return group, first[:total], places[:total], border, both


@compiled
def gram(
    segments: Floats,
    slopes: Floats,
    w: Floats,
    v: Floats,
    moving: Integers,
    first: Integers,
    places: Floats,
    tilted: bool,
    middle: float,
) -> Floats:
    """Return the inner products of the derivatives of N in all coordinates, (m, m).

    The coordinates: the level, with `tilted` the slope about `middle`, the bend at each of `places`
    (in the sense of its neuron `first`, to the right if `tilted`), and the place of the breakpoint
    of each neuron in `moving`. `segments` (width + 1, 3) has mass, mean and spread of x between
    breakpoints, `slopes` (width + 1, width) those of the activations there.
    """
    k, tilt = places.shape[0], 1 if tilted else 0
    size = 1 + tilt + k + moving.shape[0]
    total = np.zeros((size, size))
    value, slope = np.zeros(size), np.zeros(size)
    value[0] = 1.0
    for i in range(segments.shape[0]):
        mass, mean, spread = segments[i]
        if tilted:
            value[1], slope[1] = mean - middle, 1.0
        for g in range(k):
            j = first[g]
            right = w[j] > 0.0
            s = slopes[i, j]
            if tilted:
                s = 1.0 if (s == 1.0) == right else 0.0
            elif not right:
                s = -s
            value[1 + tilt + g] = s * (mean - places[g])
            slope[1 + tilt + g] = s
        for m in range(moving.shape[0]):
            j = moving[m]
            bend = v[j] * abs(w[j]) * slopes[i, j]
            value[1 + tilt + k + m] = -bend if w[j] > 0.0 else bend
        for a in range(size):
            left, rise = mass * value[a], spread * slope[a]
            for b in range(a + 1):
                total[a, b] += left * value[b] + rise * slope[b]
    for a in range(size):
        for b in range(a):
            total[b, a] = total[a, b]
    return total
