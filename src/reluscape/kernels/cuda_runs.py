"""Whole runs on a graphics processor: legs of the kernel, and exact risks between them.

The networks stay on the device, in the frame of the table and in the working precision, from the
first step to the last: what is recorded on the way changes nothing. Recorded and final risks are
taken from copies by `exact`, on the processors.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from reluscape.kernels.compiled import compiled
from reluscape.kernels.packed import pack
from reluscape.kernels.rules import ADAM, HEAVY_BALL, MEMORIES
from reluscape.kernels.runs import risk_of
from reluscape.kernels.table import Table
from reluscape.kernels.typing import Booleans, Floats, Integers

# Steps of a launch at most, so that an interruption is answered within seconds.
LEG = 10_000
# Networks whose exact risks a thread takes at a time.
BATCH = 1024


def descend_on_gpu(
    theta: Floats,
    has_skip: bool,
    leak: float,
    at_zero_active: bool,
    table: Table,
    rule: int,
    rule_constants: Floats,
    stops: Integers,
    monitor_every: int,
    thresholds: Floats,
    risks: Floats,
    times: Integers,
    made: Integers,
    precision: str = "float64",
    threads: int | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> None:
    """Run many descents; `theta` (runs, 3 width + 2) of (w, b, v, c, u) goes from start to end.

    The arguments are those of `runs.run_block`: `rule` is PLAIN, HEAVY_BALL or ADAM, `stops`
    increases from 0 to the number of steps, `risks` (runs, stops), `times` (runs, thresholds) and
    `made` (runs,) are written. With `precision="float32"` steps are rounded to single precision,
    and a run has diverged beyond `cuda_parts.DIVERGED`; risks are exact for the networks as they
    are. `threads` take the exact risks.
    """
    from reluscape.kernels.cuda import kernel
    from reluscape.kernels.cuda_parts import THREADS, Form, cuda

    runs, width = theta.shape[0], (theta.shape[1] - 2) // 3
    number = np.dtype(precision)
    few, coarse, rows = _tables(table)
    inside = coarse.shape[0] - 1 if few else 0
    degree = table.high.shape[1] - 1
    form = Form(width, degree, inside, has_skip, at_zero_active, rule, precision)
    scales = _scales(table, leak, rule, rule_constants, number)
    wide = _scales(table, leak, rule, rule_constants, np.dtype(np.float64))
    steps = int(stops[-1])
    times[:] = -1
    made[:] = steps
    active = np.ones(runs, np.bool_)
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:

        def take_risks(column: int, which: Booleans) -> None:
            parts = [slice(i, i + BATCH) for i in range(0, runs, BATCH)]
            jobs = [
                pool.submit(exact_risks, theta[p], leak, table, which[p], risks[p, column])
                for p in parts
            ]
            for job in jobs:
                job.result()

        take_risks(0, active)
        if steps > 0 and runs > 0:
            state = cuda.to_device(_reduced(theta, table, MEMORIES[rule], number))
            # Nothing on the device may be empty.
            places = np.arange(max(width, 1), dtype=np.int32)
            order = cuda.to_device(np.repeat(places[:, None], runs, 1))
            pieces = cuda.to_device(np.zeros((len(places), runs), np.int32))
            ended = cuda.to_device(np.full(runs, -1))
            # Without thresholds nobody looks.
            count = len(thresholds)
            reached = cuda.to_device(np.full((max(count, 1), runs), -1))
            bars = cuda.to_device(thresholds if count else np.full(1, -np.inf))
            raster = monitor_every if count else steps + 1
            fine, many_fine = cuda.to_device(coarse), cuda.to_device(rows)
            single = number == np.float32
            shared = cuda.to_device(coarse.astype(number)) if single else fine
            many = cuda.to_device(rows.astype(number)) if single else many_fine
            buckets = cuda.to_device(table.buckets)
            unit = table.mass * table.y_scale * table.y_scale
            with warnings.catch_warnings():
                # That few runs leave a large device idle.
                warnings.simplefilter("ignore")
                launch = kernel(form)[-(-runs // THREADS), min(THREADS, runs)]
            begin = 0
            for column in range(1, len(stops)):
                while begin < stops[column]:
                    end = min(int(stops[column]), begin + LEG)
                    launch(
                        state,
                        order,
                        pieces,
                        ended,
                        shared,
                        fine,
                        many,
                        many_fine,
                        buckets,
                        scales,
                        wide,
                        begin,
                        end,
                        raster,
                        unit,
                        bars,
                        reached,
                    )
                    cuda.synchronize()
                    begin = end
                    if progress is not None:
                        progress("descents", end / steps)
                stopped = ended.copy_to_host()
                made[:] = np.where(stopped < 0, steps, stopped)
                active = stopped < 0
                theta[:] = _restored(state.copy_to_host(), order.copy_to_host()[:width], table)
                last = column + 1 == len(stops)
                take_risks(column, np.ones_like(active) if last else active)
            times[:] = reached.copy_to_host()[:count].T
    late = (times < 0) & active[:, None] & (risks[:, -1:] <= thresholds)
    times[late] = steps


@compiled
def exact_risks(theta: Floats, leak: float, table: Table, which: Booleans, risks: Floats) -> None:
    """Write the exact risks of some of the networks (w, b, v, c, u)."""
    for r in range(theta.shape[0]):
        if which[r]:
            risks[r] = risk_of(theta[r], leak, table)


def _tables(table: Table) -> tuple[bool, Floats, Floats]:
    """Return whether pieces are few, the table of few pieces, and the table of many."""
    from reluscape.kernels.cuda_parts import FEW, ROW, row_length

    last = table.high.shape[0] - 1
    degree = table.high.shape[1] - 1
    inside = last - 1
    total = table.high[last, 0]
    if degree > 0 and 0 < inside <= FEW:
        result = np.zeros((inside + 1, row_length(degree)))
        result[:inside, 0] = table.centres[1:last]
        result[:inside, 1] = table.edges[:-1]
        coefficients = table.high[1:last, :, :5].reshape(inside, -1)
        result[:inside, 2 : 2 + coefficients.shape[1]] = coefficients
        result[inside, 2:8] = total
        return True, result, np.zeros((1, 1, ROW))
    rows = np.empty((last + 1, degree + 1, ROW))
    pack(table, rows)
    rows[last, 0, 7] = total[5]
    return False, np.zeros((1, 1)), rows


def _scales(
    table: Table, leak: float, rule: int, constants: Floats, number: np.dtype[Any]
) -> tuple[float, ...]:
    """Return the numbers that all threads share."""
    from reluscape.kernels.cuda_parts import DIVERGED, FAR, Scales

    rate = float(constants[0])
    beta1, beta2, epsilon = 0.0, 0.0, 0.0
    if rule == HEAVY_BALL:
        beta1 = float(constants[1])
    if rule == ADAM:
        beta1, beta2, epsilon = (float(x) for x in constants[1:4])
    outer = 2.0 * table.mass * table.y_scale
    if rule != ADAM:
        outer *= -rate
    values = Scales(
        first=table.edges[0],
        final=table.edges[-1],
        leak=leak,
        x_centre=table.x_centre,
        x_scale=table.x_scale,
        per_x=1.0 / table.x_scale,
        y_scale=table.y_scale,
        per_y=1.0 / table.y_scale,
        inner=outer * table.y_scale,
        outer=outer,
        beta1=beta1,
        beta2=beta2,
        rest1=1.0 - beta1,
        rest2=1.0 - beta2,
        epsilon=epsilon,
        rate=-rate,
        diverged=DIVERGED[str(number)],
        far=FAR[str(number)],
    )
    return Scales(*(cast(float, number.type(value)) for value in values))


def _reduced(theta: Floats, table: Table, memories: int, number: np.dtype[Any]) -> NDArray[Any]:
    """Return the state on the device: networks in the frame, one a column, and empty memories."""
    width = (theta.shape[1] - 2) // 3
    w, b, v = (theta[:, i * width : (i + 1) * width] for i in range(3))
    c, u = theta[:, -2:-1], theta[:, -1:]
    parts = [
        w * table.x_scale,
        b + w * table.x_centre,
        v / table.y_scale,
        (c + u * table.x_centre - table.y_centre) / table.y_scale,
        u * (table.x_scale / table.y_scale),
    ]
    state = np.zeros(((1 + memories) * theta.shape[1], theta.shape[0]), number)
    state[: theta.shape[1]] = np.hstack(parts).T
    return state


def _restored(state: NDArray[Any], order: NDArray[np.int32], table: Table) -> Floats:
    """Return networks in the user's units, their neurons in the order of the caller."""
    width = order.shape[0]
    rows = state[: 3 * width + 2].astype(np.float64)
    theta = np.empty((state.shape[1], 3 * width + 2))
    columns = cast(Integers, np.arange(order.shape[1]))
    w = rows[:width] / table.x_scale
    parts = (w, rows[width : 2 * width] - w * table.x_centre, rows[2 * width : -2] * table.y_scale)
    for i, part in enumerate(parts):
        theta[columns, i * width + order] = part
    u = rows[-1] * (table.y_scale / table.x_scale)
    theta[:, -1] = u
    theta[:, -2] = rows[-2] * table.y_scale + table.y_centre - u * table.x_centre
    return theta
