"""Stochastic gradient descent of many networks, eight at a time.

A batch does not see the data through cumulative moments: each datum is evaluated. The networks of a
block draw batches of their own, from a counter-based generator: a draw depends on the key of the
run, the step and the place in the batch alone.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import inner
from reluscape.kernels.descent import DIVERGED
from reluscape.kernels.ensemble import bury
from reluscape.kernels.lanes import (
    LANES,
    address,
    any_of,
    at_most,
    differ,
    fma,
    less,
    load,
    magnitude,
    spread,
    store,
    where,
)
from reluscape.kernels.typing import Floats, Integers, Keys

# SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_TO_UNIT = 2.0**-53


@inner
def mixed(z: np.uint64) -> np.uint64:
    """Return a number whose bits all depend on all bits of another."""
    z = (z ^ (z >> _30)) * _MIX1
    z = (z ^ (z >> _27)) * _MIX2
    return z ^ (z >> _31)


@inner
def uniform(key: int, count: int) -> float:
    """Return number `count` of the sequence of a key, in [0, 1).

    Mixing once before the key comes in keeps sequences of different keys from being parts of each
    other.
    """
    begun = mixed(np.uint64(count + 1) * _GOLDEN)
    return float(mixed((begun ^ np.uint64(key)) + _GOLDEN) >> _11) * _TO_UNIT


@inner
def drawn(share: float, shares: Floats, size: int) -> int:
    """Return the datum at a share of the total weight; `shares` is empty if all are equal."""
    if shares.shape[0] == 0:
        return min(int(share * size), size - 1)
    low, high = 0, size - 1
    while low < high:
        middle = (low + high) >> 1
        if shares[middle] > share:
            high = middle
        else:
            low = middle + 1
    return low


@inner
def descend_by_batches(
    state: Floats,
    lines: Floats,
    scratch: Floats,
    order: Integers,
    ended: Integers,
    outcome: Floats,
    has_skip: bool,
    leak: float,
    at_zero_active: bool,
    x: Floats,
    y: Floats,
    shares: Floats,
    mass: float,
    step_size: float,
    batch: int,
    keys: Keys,
    begin: int,
    end: int,
) -> None:
    """Take the steps `begin` to `end` with the eight networks of a block, in place.

    `x` and `y` (n,) are data in any order, `mass` their total weight, `shares` (n,) the cumulative
    weights over the total, or empty if they are equal; `keys` (8,) are those of the runs. The rest
    is as in `descend_block`, `scratch` with four rows.
    """
    block = order.shape[0]
    half, half_line = state.shape[0] // 2, lines.shape[0] // 2
    size = x.shape[0]
    picked = np.empty((2, LANES))
    xs, ys = picked[0], picked[1]
    seen = np.empty(LANES)
    state_at, lines_at, scratch_at = address(state), address(lines), address(scratch)
    x_at, y_at, seen_at = address(xs), address(ys), address(seen)
    zero, one, leaking = spread(0.0), spread(1.0), spread(leak)
    always = less(zero, one)
    rate = spread(step_size * 2.0 * mass / batch)
    for step in range(begin, end):
        now = (step - begin) & 1
        here, there = now * half, (1 - now) * half
        line, new_line = now * half_line, (1 - now) * half_line
        offset, skip = load(lines_at, line), load(lines_at, line + LANES)
        for j in range(0, 3 * block, LANES):
            store(scratch_at, j, zero)
        of_offset = of_skip = zero
        for i in range(batch):
            for lane in range(LANES):
                at = drawn(uniform(keys[lane], step * batch + i), shares, size)
                xs[lane], ys[lane] = x[at], y[at]
            value = load(x_at, 0)
            error = fma(skip, value, offset) - load(y_at, 0)
            for j in range(0, block, LANES):
                w, b = load(state_at, here + j), load(state_at, here + block + j)
                z = fma(w, value, b)
                active = at_most(zero, z) if at_zero_active else less(zero, z)
                act = where(active, z, z * leaking)
                store(scratch_at, 3 * block + j, act)
                error = fma(load(state_at, here + 2 * block + j), act, error)
            of_offset, of_skip = of_offset + error, fma(error, value, of_skip)
            for j in range(0, block, LANES):
                w, b = load(state_at, here + j), load(state_at, here + block + j)
                z = fma(w, value, b)
                active = at_most(zero, z) if at_zero_active else less(zero, z)
                pull = load(state_at, here + 2 * block + j) * error
                pull = where(active, pull, pull * leaking)
                act = load(scratch_at, 3 * block + j)
                store(scratch_at, j, fma(pull, value, load(scratch_at, j)))
                store(scratch_at, block + j, load(scratch_at, block + j) + pull)
                of_output = fma(error, act, load(scratch_at, 2 * block + j))
                store(scratch_at, 2 * block + j, of_output)
        most = zero
        for j in range(0, 3 * block, LANES):
            new = load(state_at, here + j) - rate * load(scratch_at, j)
            store(state_at, there + j, new)
            most = most + magnitude(new)
        new_offset = offset - rate * of_offset
        new_skip = skip
        if has_skip:
            new_skip = skip - rate * of_skip
        store(lines_at, new_line, new_offset)
        store(lines_at, new_line + LANES, new_skip)
        most = most + (magnitude(new_offset) + magnitude(new_skip))
        fine = less(most, spread(DIVERGED))
        if any_of(differ(fine, always)):
            store(seen_at, 0, where(fine, one, zero))
            bury(state, lines, here, line, block, order, seen, ended, outcome, step)
    if (end - begin) & 1:
        state[:half] = state[half:]
        lines[:half_line] = lines[half_line:]
