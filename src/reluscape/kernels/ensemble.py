"""Full-batch descent of many networks, eight at a time in vector registers.

The loop is that of `descent`, with every number replaced by eight: the networks of a block take
their steps together, each with neurons in an order of its own. Only sorting, when two breakpoints
of a network have passed each other, and looking up a datum, when a breakpoint has passed it, are
done network by network. A lane never sees its neighbours: the result of a network does not depend
on the block that it is in.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import inlined, inner
from reluscape.kernels.descent import DIVERGED
from reluscape.kernels.lanes import (
    LANES,
    Address,
    Truths,
    address,
    any_of,
    at_most,
    both,
    differ,
    either,
    equal,
    fma,
    less,
    load,
    load_places,
    magnitude,
    spread,
    spread_at,
    store,
    store_places,
    switched,
    where,
)
from reluscape.kernels.packed import follow, look_again, picked_moments
from reluscape.kernels.rules import ADAM, BETA1, BETA2, UNBIASED1, UNBIASED2, moved
from reluscape.kernels.table import Table
from reluscape.kernels.typing import Floats, Integers

# Breakpoints are kept this side of infinity, so that they compare below the last sentinel.
FAR = 1e300


@inlined
def exchange(values: Address, i: int, k: int, which: Truths) -> None:
    """Exchange eight values at i with those at k, in some lanes."""
    a, b = load(values, i), load(values, k)
    store(values, i, where(which, b, a))
    store(values, k, where(which, a, b))


@inlined
def exchange_places(values: Address, i: int, k: int, which: Truths) -> None:
    """Exchange eight indices at i with those at k, in some lanes."""
    a, b = load_places(values, i), load_places(values, k)
    store_places(values, i, switched(which, b, a))
    store_places(values, k, switched(which, a, b))


@inner
def sort_in(
    at: int,
    state: Address,
    here: int,
    block: int,
    rows: int,
    t: Address,
    pieces: Address,
    order: Address,
) -> None:
    """Move the neurons at `at` down to their places among those before, which are sorted."""
    i = at
    while i > 0:
        k = i - LANES
        which = less(load(t, i), load(t, k))
        if not any_of(which):
            break
        exchange(t, i, k, which)
        exchange_places(pieces, i, k, which)
        exchange_places(order, i, k, which)
        for row in range(rows):
            base = here + row * block
            exchange(state, base + i, base + k, which)
        i = k


@inner
def bury(
    state: Floats,
    lines: Floats,
    here: int,
    line: int,
    block: int,
    order: Integers,
    fine: Floats,
    ended: Integers,
    outcome: Floats,
    step: int,
) -> None:
    """Keep what the lanes that are not fine were before this step, and let them be zero."""
    for lane in range(LANES):
        if fine[lane] != 0.0:
            continue
        if ended[lane] < 0:
            ended[lane] = step
            write_lane(state, lines, here, line, block, order, lane, outcome[lane])
        for at in range(lane, state.shape[0], LANES):
            state[at] = 0.0
        for at in range(lane, lines.shape[0], LANES):
            lines[at] = 0.0


@inner
def write_lane(
    state: Floats,
    lines: Floats,
    here: int,
    line: int,
    block: int,
    order: Integers,
    lane: int,
    out: Floats,
) -> None:
    """Write (w, b, v, c, u) of one network, its neurons in the order of the caller."""
    width = block // LANES
    for at in range(lane, block, LANES):
        for row in range(3):
            out[row * width + order[at]] = state[here + row * block + at]
    out[3 * width] = lines[line + lane]
    out[3 * width + 1] = lines[line + LANES + lane]


@inner
def descend_block(
    state: Floats,
    lines: Floats,
    scratch: Floats,
    pieces: Integers,
    order: Integers,
    ended: Integers,
    outcome: Floats,
    has_skip: bool,
    leak: float,
    at_zero_active: bool,
    table: Table,
    packed: Floats,
    few: bool,
    rule: int,
    constants: Floats,
    begin: int,
    end: int,
    monitor_every: int,
    thresholds: Floats,
    times: Integers,
) -> None:
    """Take the steps `begin` to `end` with the eight networks of a block, in place.

    `state` is (2, rows, width, 8), flat: the second half is scratch memory, and rows are weights,
    biases, outputs and three more for each memory of the optimiser. `lines`, (2, rows / 3, 2, 8)
    flat, holds offset and slope in the same way. `scratch` is (3, width, 8) flat; `pieces` and
    `order` are (width, 8) flat. `ended[lane]` is -1, or the step that would have left the range of
    floating point: the parameters before it are then in `outcome`, (8, 3 width + 2), and the lane
    holds zeros. `times[lane, i]` receives the first monitored step with a risk of at most
    `thresholds[i]`, where it was -1. `constants` are the step size and what the rule needs.
    """
    block = pieces.shape[0]
    half, half_line = state.shape[0] // 2, lines.shape[0] // 2
    rows = half // block if block > 0 else 0
    inside, count = table.edges.shape[0] - 1, table.buckets.shape[0] - 1
    degree = table.high.shape[1] - 1
    edges, buckets = address(table.edges), address(table.buckets)
    high = address(table.high)
    total = (table.high.shape[0] - 1) * 6 * (degree + 1)
    x_centre, x_scale = spread(table.x_centre), spread(table.x_scale)
    y_centre, per_y = spread(table.y_centre), spread(1.0 / table.y_scale)
    gain = spread(2.0 * table.mass * table.y_scale)
    unit = spread(table.mass * table.y_scale * table.y_scale)
    on, leaking = spread(1.0 - leak), spread(leak)
    zero, two, far, near = spread(0.0), spread(2.0), spread(FAR), spread(-FAR)
    first = spread(table.edges[0])
    always = less(near, far)
    seen = np.empty(LANES)
    state_at, lines_at, places = address(state), address(lines), address(pieces)
    t_at, constants_at, pack_at = address(scratch), address(constants), address(packed)
    order_at, seen_at = address(order), address(seen)
    for step in range(begin, end):
        now = (step - begin) & 1
        here, there = now * half, (1 - now) * half
        line, new_line = now * half_line, (1 - now) * half_line
        monitoring = step % monitor_every == 0
        if rule == ADAM:
            constants[UNBIASED1] = 1.0 / (1.0 - constants[BETA1] ** (step + 1))
            constants[UNBIASED2] = 1.0 / (1.0 - constants[BETA2] ** (step + 1))
        # Breakpoints, and the line at the left end of the support. Neurons with their breakpoint
        # outside never change: adding and taking away a large inactive one would cost digits.
        offset, skip = load(lines_at, line), load(lines_at, line + LANES)
        slope = skip * x_scale
        constant = fma(skip, x_centre, offset) - y_centre
        previous = near
        for j in range(0, block, LANES):
            w, v = load(state_at, here + j), load(state_at, here + 2 * block + j)
            wt, bt = w * x_scale, fma(w, x_centre, load(state_at, here + block + j))
            t = (zero - bt) / wt
            flat = equal(wt, zero)
            if any_of(flat):
                active = at_most(zero, bt) if at_zero_active else less(zero, bt)
                t = where(flat, where(active, near, far), t)
            t = where(less(t, near), near, t)
            t = where(less(far, t), far, t)
            # A datum on the breakpoint is active or not, as the convention has it.
            towards_left = less(wt, zero)
            edge = at_most(zero, wt) if at_zero_active else towards_left
            before = either(less(t, first), both(equal(t, first), edge))
            share = where(differ(towards_left, before), v, v * leaking)
            slope, constant = fma(share, wt, slope), fma(share, bt, constant)
            store(t_at, j, t)
            if any_of(less(t, previous)):
                sort_in(j, state_at, here, block, rows, t_at, places, order_at)
                t = load(t_at, j)
            previous = t
        slope, constant = slope * per_y, constant * per_y
        # One sweep from left to right: the integrals of the error and of x times it up to each
        # breakpoint.
        error0 = error1 = p0 = p1 = p2 = q0 = q1 = squares = zero
        for j in range(0, block, LANES):
            t = load(t_at, j)
            w, v = load(state_at, here + j), load(state_at, here + 2 * block + j)
            wt, bt = w * x_scale, fma(w, x_centre, load(state_at, here + block + j))
            towards_left = less(wt, zero)
            edge = at_most(zero, wt) if at_zero_active else towards_left
            if few:
                m0, m1, m2, f0, f1 = picked_moments(pack_at, edges, inside, degree, t)
            else:
                piece, right, m0, m1, m2, f0, f1 = follow(
                    edges,
                    inside,
                    buckets,
                    count,
                    pack_at,
                    degree,
                    load_places(places, j),
                    t,
                    towards_left,
                    at_zero_active,
                )
                store_places(places, j, piece)
                if not right:
                    look_again(table, pieces, scratch, state, j, here, at_zero_active)
                    _, _, m0, m1, m2, f0, f1 = follow(
                        edges,
                        inside,
                        buckets,
                        count,
                        pack_at,
                        degree,
                        load_places(places, j),
                        t,
                        towards_left,
                        at_zero_active,
                    )
            d0, d1, d2 = m0 - p0, m1 - p1, m2 - p2
            h0, h1 = f0 - q0, f1 - q1
            if monitoring:
                squares = squares + slope * (slope * d2 + (constant * d1 - h1) * two)
                squares = squares + constant * (constant * d0 - h0 * two)
            error0 = error0 + fma(slope, d1, constant * d0 - h0)
            error1 = error1 + fma(slope, d2, constant * d1 - h1)
            p0, p1, p2, q0, q1 = m0, m1, m2, f0, f1
            store(t_at, block + j, error0)
            store(t_at, 2 * block + j, error1)
            before = either(less(t, first), both(equal(t, first), edge))
            turn = v * on * per_y
            change = where(towards_left, zero - turn, turn)
            change = where(before, zero, change)
            slope, constant = fma(change, wt, slope), fma(change, bt, constant)
        d0, d1, d2 = (
            spread_at(high, total + 0) - p0,
            spread_at(high, total + 1) - p1,
            spread_at(high, total + 2) - p2,
        )
        h0, h1 = spread_at(high, total + 3) - q0, spread_at(high, total + 4) - q1
        error0 = error0 + fma(slope, d1, constant * d0 - h0)
        error1 = error1 + fma(slope, d2, constant * d1 - h1)
        if monitoring:
            squares = squares + slope * (slope * d2 + (constant * d1 - h1) * two)
            squares = squares + constant * (constant * d0 - h0 * two)
            store(seen_at, 0, (squares + spread_at(high, total + 5)) * unit)
            for lane in range(LANES):
                for i in range(thresholds.shape[0]):
                    if times[lane, i] < 0 and ended[lane] < 0 and seen[lane] <= thresholds[i]:
                        times[lane, i] = step
        # All gradients are taken at the old parameters.
        all0, all1 = error0 * gain, error1 * gain
        size = zero
        for j in range(0, block, LANES):
            w, v = load(state_at, here + j), load(state_at, here + 2 * block + j)
            b = load(state_at, here + block + j)
            wt, bt = w * x_scale, fma(w, x_centre, b)
            towards_left = less(wt, zero)
            left0, left1 = load(t_at, block + j) * gain, load(t_at, 2 * block + j) * gain
            g0 = where(towards_left, left0, all0 - left0)
            g1 = where(towards_left, left1, all1 - left1)
            if leak != 0.0:
                g0 = g0 * on + all0 * leaking
                g1 = g1 * on + all1 * leaking
            place, memory = there + j, 3 * block
            new_w = moved(
                rule,
                constants_at,
                state_at,
                here + j,
                place,
                memory,
                w,
                v * fma(x_scale, g1, x_centre * g0),
            )
            new_b = moved(
                rule, constants_at, state_at, here + block + j, place + block, memory, b, v * g0
            )
            new_v = moved(
                rule,
                constants_at,
                state_at,
                here + 2 * block + j,
                place + 2 * block,
                memory,
                v,
                fma(wt, g1, bt * g0),
            )
            store(state_at, place, new_w)
            store(state_at, place + block, new_b)
            store(state_at, place + 2 * block, new_v)
            size = size + (magnitude(new_w) + magnitude(new_b) + magnitude(new_v))
        new_c = moved(rule, constants_at, lines_at, line, new_line, 2 * LANES, offset, all0)
        new_u = skip
        if has_skip:
            turned = fma(x_scale, all1, x_centre * all0)
            new_u = moved(
                rule,
                constants_at,
                lines_at,
                line + LANES,
                new_line + LANES,
                2 * LANES,
                skip,
                turned,
            )
        store(lines_at, new_line, new_c)
        store(lines_at, new_line + LANES, new_u)
        size = size + (magnitude(new_c) + magnitude(new_u))
        fine = less(size, spread(DIVERGED))
        if any_of(differ(fine, always)):
            store(seen_at, 0, where(fine, far, zero))
            bury(state, lines, here, line, block, order, seen, ended, outcome, step)
    if (end - begin) & 1:
        state[:half] = state[half:]
        lines[:half_line] = lines[half_line:]
