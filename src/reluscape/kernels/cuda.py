"""Full-batch descent of many networks on a graphics processor, one network a thread.

The whole loop is one kernel. It is compiled for one width: loops over neurons are unrolled and all
numbers of a network stay in registers. Neurons are kept sorted by breakpoint between steps, as in
`descent`, so that a step is one sweep from left to right; the loop that sorts runs only when two
breakpoints have passed each other. The alternative without a branch, which compares all pairs of
breakpoints, takes twice the instructions at width 16 and grows with the square of the width.

Networks live in the frame of the table, `w' = w x_scale`, `b' = b + w x_centre`,
`v' = v / y_scale`, and the line of the skip connection alike: there is then little cancellation in
single precision. The risk is always taken in double precision, from the table in double precision.

This module needs Numba's CUDA target: import it inside functions only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol, cast

import numpy as np
from numba import cuda as untyped

from reluscape.kernels.cuda_parts import (
    BLOCKS_HEAVY,
    BLOCKS_LIGHT,
    LIGHT_WIDTH,
    THREADS,
    Form,
    Scales,
    find,
    inlined,
    moments_of_few,
    moments_of_many,
    row_length,
    simulated,
)
from reluscape.kernels.rules import ADAM, HEAVY_BALL, MEMORIES, PLAIN
from reluscape.kernels.typing import Counts, Floats, Integers

# Numba's types do not know of the options that are used here.
cuda: Any = untyped


Six = tuple[float, float, float, float, float, float]


class Kernel(Protocol):
    """What is launched, once the blocks and the threads of a block are given."""

    def __getitem__(self, shape: tuple[int, int]) -> Callable[..., None]:
        """Return what launches it."""
        ...


@lru_cache(maxsize=64)
def kernel(form: Form) -> Kernel:
    """Compile the descent for one form; call it as `kernel(form)[blocks, THREADS](...)`."""
    width, degree, inside = form.width, form.degree, form.inside
    has_skip, rule, at_zero_active = form.has_skip, form.rule, form.at_zero_active
    single = form.precision == "float32"
    # A plain constant of Python would turn an expression into double precision.
    number = cast(Callable[[float], float], np.float32 if single else np.float64)
    double = cast(Callable[[float], float], np.float64)
    few = inside > 0
    shape = (inside + 1, row_length(degree)) if few else (1, 1)
    fine_shape = shape if single else (1, 1)
    memories = MEMORIES[rule]
    rows = 3 * width + 2
    # Local arrays cannot be empty.
    slots, kept = max(width, 1), max(rows * memories, 1)
    triple = 3 * slots
    hints = 1 if few else slots
    zero, one, two = number(0), number(1), double(2)

    @inlined
    def moved(
        memory: Floats, at: int, slope: float, scales: Scales, unbias1: float, unbias2: float
    ) -> float:
        """Return the displacement of a parameter; `slope` is scaled by the step if that is all."""
        if rule == PLAIN:
            return slope
        if rule == HEAVY_BALL:
            memory[at] = scales.beta1 * memory[at] + slope
            return memory[at]
        mean = scales.beta1 * memory[at] + scales.rest1 * slope
        square = scales.beta2 * memory[rows + at] + scales.rest2 * slope * slope
        memory[at] = mean
        memory[rows + at] = square
        return scales.rate * (mean * unbias1) / (math.sqrt(square * unbias2) + scales.epsilon)

    @inlined
    def seen_at(seen: Floats, j: int) -> tuple[float, float, float]:
        """Return a neuron in double precision."""
        return double(seen[j]), double(seen[slots + j]), double(seen[2 * slots + j])

    @inlined
    def risk(
        seen: Floats,
        c: float,
        u: float,
        piece: Counts,
        fine: Floats,
        many: Floats,
        buckets: Counts,
        wide: Scales,
    ) -> float:
        """Return the sum of squares of a network in double precision, in the frame."""
        slope, constant = double(u), double(c)
        leak = wide.leak
        for j in range(width):
            wj, bj, vj = seen_at(seen, j)
            before = is_before(breakpoint_of(wj, bj, wide.far), wj, wide.first)
            share = vj if (wj < 0.0) != before else vj * leak
            slope += share * wj
            constant += share * bj
        p0 = p1 = p2 = q0 = q1 = squares = double(0)
        for j in range(width):
            wj, bj, vj = seen_at(seen, j)
            t = breakpoint_of(wj, bj, wide.far)
            if few:
                m0, m1, m2, f0, f1 = moments_of_few(fine, inside, degree, t, wide.first, wide.final)
            else:
                on = (wj >= 0.0) != at_zero_active
                found = find(many, buckets, piece[j], t, wide.first, wide.final, on)
                m0, m1, m2, f0, f1 = moments_of_many(many, found, degree, t, wide.first, wide.final)
            squares += of_line(slope, constant, m0 - p0, m1 - p1, m2 - p2, f0 - q0, f1 - q1)
            p0, p1, p2, q0, q1 = m0, m1, m2, f0, f1
            if not is_before(t, wj, wide.first):
                turn = (double(1) - leak) * (-vj if wj < 0.0 else vj)
                slope += turn * wj
                constant += turn * bj
        m0, m1, m2, f0, f1, all_squares = totals(fine, many)
        squares += of_line(slope, constant, m0 - p0, m1 - p1, m2 - p2, f0 - q0, f1 - q1)
        return squares + all_squares

    @inlined
    def of_line(
        slope: float, constant: float, d0: float, d1: float, d2: float, h0: float, h1: float
    ) -> float:
        """Return the part of the squares between two breakpoints that a line changes."""
        return slope * (slope * d2 + two * (constant * d1 - h1)) + constant * (
            constant * d0 - two * h0
        )

    @inlined
    def totals(table: Floats, many: Floats) -> Six:
        """Return the six moments of everything."""
        if few:
            return (
                table[inside, 2],
                table[inside, 3],
                table[inside, 4],
                table[inside, 5],
                table[inside, 6],
                table[inside, 7],
            )
        last = many.shape[0] - 1
        # Beyond the last edge there is nothing more: the polynomials of that piece are constant.
        return (
            many[last, 0, 0],
            many[last, 0, 1],
            many[last, 0, 2],
            many[last, 0, 3],
            many[last, 0, 4],
            many[last, 0, 7],
        )

    @inlined
    def breakpoint_of(wj: float, bj: float, far: float) -> float:
        """Return where a neuron turns, in the range of numbers."""
        if wj == 0.0:
            active = bj > 0.0 or (bj == 0.0 and at_zero_active)
            return -far if active else far
        return min(max(-bj / wj, -far), far)

    @inlined
    def is_before(t: float, wj: float, first: float) -> bool:
        """Return whether a neuron never changes on the support because it turns before it."""
        if few:
            return t < first
        # A datum on the breakpoint is active or not, as the convention has it.
        edge = wj >= 0.0 if at_zero_active else wj < 0.0
        return t < first or (t == first and edge)

    def descend(
        state: Floats,
        order: Counts,
        pieces: Counts,
        ended: Integers,
        coarse: Floats,
        fine: Floats,
        many: Floats,
        many_fine: Floats,
        buckets: Counts,
        scales: Scales,
        wide: Scales,
        begin: int,
        end: int,
        monitor_every: int,
        unit: float,
        thresholds: Floats,
        times: Integers,
    ) -> None:
        shared = cuda.shared.array(shape, number)
        shared_fine = cuda.shared.array(fine_shape, np.float64)
        if few:
            for k in range(cuda.threadIdx.x, shape[0] * shape[1], cuda.blockDim.x):
                shared[k // shape[1], k % shape[1]] = coarse[k // shape[1], k % shape[1]]
                if single:
                    shared_fine[k // shape[1], k % shape[1]] = fine[k // shape[1], k % shape[1]]
            cuda.syncthreads()
        run = cuda.grid(1)
        if run >= ended.shape[0] or ended[run] >= 0:
            return
        w = cuda.local.array(slots, number)
        b = cuda.local.array(slots, number)
        v = cuda.local.array(slots, number)
        t = cuda.local.array(slots, number)
        left0 = cuda.local.array(slots, number)
        left1 = cuda.local.array(slots, number)
        piece = cuda.local.array(hints, np.int32)
        memory = cuda.local.array(kept, number)
        seen = cuda.local.array(triple, number)
        for j in range(width):
            w[j], b[j], v[j] = state[j, run], state[width + j, run], state[2 * width + j, run]
        c, u = state[3 * width, run], state[3 * width + 1, run]
        for k in range(rows * memories):
            memory[k] = state[rows + k, run]
        if not few:
            for j in range(width):
                piece[j] = pieces[j, run]
        unbias1 = unbias2 = one
        decay1 = decay2 = double(1)
        if rule == ADAM:
            decay1, decay2 = wide.beta1**begin, wide.beta2**begin
        until_seen = (monitor_every - begin % monitor_every) % monitor_every
        stopped = -1
        for step in range(begin, end):
            # Breakpoints, and the line at the left end of the support. Neurons with their
            # breakpoint outside never change: adding and taking away a large inactive one would
            # cost digits.
            slope, constant = u, c
            sorted_now = True
            previous = -scales.far
            for j in range(width):
                tj = breakpoint_of(w[j], b[j], scales.far)
                t[j] = tj
                before = is_before(tj, w[j], scales.first)
                share = v[j] if (w[j] < 0.0) != before else v[j] * scales.leak
                slope += share * w[j]
                constant += share * b[j]
                if tj < previous:
                    sorted_now = False
                previous = tj
            while not sorted_now:
                sorted_now = True
                for j in range(1, width):
                    if t[j] < t[j - 1]:
                        sorted_now = False
                        t[j], t[j - 1] = t[j - 1], t[j]
                        w[j], w[j - 1] = w[j - 1], w[j]
                        b[j], b[j - 1] = b[j - 1], b[j]
                        v[j], v[j - 1] = v[j - 1], v[j]
                        order[j, run], order[j - 1, run] = order[j - 1, run], order[j, run]
                        if not few:
                            piece[j], piece[j - 1] = piece[j - 1], piece[j]
                        for k in range(3 * memories):
                            at = k % 3 * width + k // 3 * rows + j
                            memory[at], memory[at - 1] = memory[at - 1], memory[at]
            if until_seen == 0:
                until_seen = monitor_every
                # Copies: the loop over them is not unrolled, and so they are not registers.
                for j in range(width):
                    seen[j], seen[slots + j], seen[2 * slots + j] = w[j], b[j], v[j]
                if single:
                    now = unit * risk(seen, c, u, piece, shared_fine, many_fine, buckets, wide)
                else:
                    now = unit * risk(seen, c, u, piece, shared, many, buckets, wide)
                for i in range(thresholds.shape[0]):
                    if times[i, run] < 0 and now <= thresholds[i]:
                        times[i, run] = step
            until_seen -= 1
            # One sweep from left to right: the integrals of the error and of x times it up to
            # each breakpoint.
            error0 = error1 = p0 = p1 = p2 = q0 = q1 = zero
            for j in range(width):
                tj = t[j]
                if few:
                    m0, m1, m2, f0, f1 = moments_of_few(
                        shared, inside, degree, tj, scales.first, scales.final
                    )
                else:
                    on = (w[j] >= 0.0) != at_zero_active
                    found = find(many, buckets, piece[j], tj, scales.first, scales.final, on)
                    piece[j] = found
                    m0, m1, m2, f0, f1 = moments_of_many(
                        many, found, degree, tj, scales.first, scales.final
                    )
                d0, d1 = m0 - p0, m1 - p1
                error0 += slope * d1 + (constant * d0 - (f0 - q0))
                error1 += slope * (m2 - p2) + (constant * d1 - (f1 - q1))
                p0, p1, p2, q0, q1 = m0, m1, m2, f0, f1
                left0[j], left1[j] = error0, error1
                before = is_before(tj, w[j], scales.first)
                turn = (one - scales.leak) * (-v[j] if w[j] < 0.0 else v[j])
                turn = zero if before else turn
                slope += turn * w[j]
                constant += turn * b[j]
            m0, m1, m2, f0, f1, _ = totals(shared, many)
            d0, d1 = m0 - p0, m1 - p1
            error0 += slope * d1 + (constant * d0 - (f0 - q0))
            error1 += slope * (m2 - p2) + (constant * d1 - (f1 - q1))
            # All gradients are taken at the old parameters. The old ones take the places of what
            # is no longer needed, in case that the step is not to be made.
            if rule == ADAM:
                # In double precision: 1 - beta2 has few digits otherwise.
                decay1 *= wide.beta1
                decay2 *= wide.beta2
                unbias1 = number(double(1) / (double(1) - decay1))
                unbias2 = number(double(1) / (double(1) - decay2))
            extent = zero
            for j in range(width):
                wj, bj, vj = w[j], b[j], v[j]
                g0 = left0[j] if wj < 0.0 else error0 - left0[j]
                g1 = left1[j] if wj < 0.0 else error1 - left1[j]
                g0 = g0 + scales.leak * (error0 - g0)
                g1 = g1 + scales.leak * (error1 - g1)
                left0[j], left1[j], t[j] = wj, bj, vj
                pull = scales.inner * vj
                turned = scales.x_scale * g1 + scales.x_centre * g0
                by_w = moved(memory, j, pull * turned, scales, unbias1, unbias2)
                by_b = moved(memory, width + j, pull * g0, scales, unbias1, unbias2)
                by_v = moved(
                    memory,
                    2 * width + j,
                    scales.outer * (wj * g1 + bj * g0),
                    scales,
                    unbias1,
                    unbias2,
                )
                wj += scales.x_scale * by_w
                bj += by_b + scales.x_centre * by_w
                vj += scales.per_y * by_v
                w[j], b[j], v[j] = wj, bj, vj
                in_x = wj * scales.per_x
                extent += abs(in_x) + abs(bj - in_x * scales.x_centre) + abs(vj) * scales.y_scale
            by_c = moved(memory, 3 * width, scales.outer * error0, scales, unbias1, unbias2)
            by_u = zero
            if has_skip:
                turned = scales.x_scale * error1 + scales.x_centre * error0
                by_u = moved(memory, 3 * width + 1, scales.outer * turned, scales, unbias1, unbias2)
            new_c = c + scales.per_y * (by_c + scales.x_centre * by_u)
            new_u = u + scales.per_y * scales.x_scale * by_u
            extent += (abs(new_c) + abs(new_u)) * scales.y_scale
            if not extent < scales.diverged:
                stopped = step
                for j in range(width):
                    w[j], b[j], v[j] = left0[j], left1[j], t[j]
                break
            c, u = new_c, new_u
        for j in range(width):
            state[j, run], state[width + j, run], state[2 * width + j, run] = w[j], b[j], v[j]
        state[3 * width, run], state[3 * width + 1, run] = c, u
        for k in range(rows * memories):
            state[rows + k, run] = memory[k]
        if not few:
            for j in range(width):
                pieces[j, run] = piece[j]
        if stopped >= 0:
            ended[run] = stopped

    if simulated():
        return cast(Kernel, cuda.jit(descend))
    light = single and rule == PLAIN and width <= LIGHT_WIDTH
    bounds = (THREADS, BLOCKS_LIGHT if light else BLOCKS_HEAVY)
    return cast(Kernel, cuda.jit(launch_bounds=bounds)(descend))
