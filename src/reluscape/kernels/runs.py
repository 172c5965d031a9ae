"""Whole runs of eight networks: between the steps at which something is kept, `descend_block`."""

from __future__ import annotations

import numpy as np

from reluscape.kernels.batches import descend_by_batches
from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.ensemble import descend_block, write_lane
from reluscape.kernels.exact import risk
from reluscape.kernels.lanes import LANES
from reluscape.kernels.rules import BATCHES, CONSTANTS, STEP_SIZE
from reluscape.kernels.table import Table
from reluscape.kernels.typing import Floats, Integers, Keys


@inner
def risk_of(theta: Floats, leak: float, table: Table) -> float:
    """Return the exact risk of the network (w, b, v, c, u)."""
    width = (theta.shape[0] - 2) // 3
    b, v = theta[width : 2 * width], theta[2 * width : 3 * width]
    return risk(theta[:width], b, v, theta[3 * width :], leak, table)


@compiled
def run_block(
    theta: Floats,
    has_skip: bool,
    leak: float,
    at_zero_active: bool,
    table: Table,
    packed: Floats,
    few: bool,
    rule: int,
    memories: int,
    rule_constants: Floats,
    x: Floats,
    y: Floats,
    shares: Floats,
    mass: float,
    batch: int,
    keys: Keys,
    stops: Integers,
    monitor_every: int,
    thresholds: Floats,
    risks: Floats,
    times: Integers,
    made: Integers,
) -> None:
    """Run eight descents; `theta` (8, 3 width + 2) of (w, b, v, c, u) goes from start to end.

    `stops` increases, from 0 to the number of steps: `risks` (8, stops) receives the exact risks
    there, and stays as it is from where a run has diverged; its last column is always that of the
    end. `times` (8, thresholds) receives the first monitored step with a risk of at most a
    threshold, or -1; the last step is monitored too. `made` (8,) receives the steps made. `x`, `y`,
    `shares`, `mass`, `batch` and `keys` matter to `BATCHES` alone.
    """
    width = (theta.shape[1] - 2) // 3
    block = width * LANES
    state = np.zeros(2 * 3 * (1 + memories) * block)
    lines = np.zeros(2 * 2 * (1 + memories) * LANES)
    scratch = np.zeros(4 * block)
    pieces = np.zeros(block, np.int64)
    order = np.empty(block, np.int64)
    ended = np.full(LANES, -1)
    outcome = np.zeros_like(theta)
    constants = np.zeros(CONSTANTS)
    constants[: rule_constants.shape[0]] = rule_constants
    times[:] = -1
    for lane in range(LANES):
        for j in range(width):
            order[j * LANES + lane] = j
            for row in range(3):
                state[row * block + j * LANES + lane] = theta[lane, row * width + j]
        lines[lane], lines[LANES + lane] = theta[lane, 3 * width], theta[lane, 3 * width + 1]
    steps = stops[stops.shape[0] - 1]
    # A batch gives no risk: where batches move the networks, monitored steps are stops as well.
    raster = monitor_every if rule == BATCHES and thresholds.shape[0] > 0 else steps + 1
    step = 0
    for i in range(stops.shape[0]):
        while True:
            for lane in range(LANES):
                if ended[lane] >= 0:
                    continue
                keeping = step == stops[i]
                if keeping or step % raster == 0:
                    write_lane(state, lines, 0, 0, block, order, lane, theta[lane])
                    here = risk_of(theta[lane], leak, table)
                    if keeping:
                        risks[lane, i] = here
                    if step == steps or (rule == BATCHES and step % monitor_every == 0):
                        reach(times[lane], thresholds, here, step)
            if step == stops[i]:
                break
            target = min(stops[i], (step // raster + 1) * raster)
            if rule == BATCHES:
                descend_by_batches(
                    state,
                    lines,
                    scratch,
                    order,
                    ended,
                    outcome,
                    has_skip,
                    leak,
                    at_zero_active,
                    x,
                    y,
                    shares,
                    mass,
                    constants[STEP_SIZE],
                    batch,
                    keys,
                    step,
                    target,
                )
            else:
                descend_block(
                    state,
                    lines,
                    scratch,
                    pieces,
                    order,
                    ended,
                    outcome,
                    has_skip,
                    leak,
                    at_zero_active,
                    table,
                    packed,
                    few,
                    rule,
                    constants,
                    step,
                    target,
                    monitor_every,
                    thresholds,
                    times,
                )
            step = target
    for lane in range(LANES):
        made[lane] = steps
        if ended[lane] >= 0:
            made[lane] = ended[lane]
            theta[lane] = outcome[lane]
            risks[lane, stops.shape[0] - 1] = risk_of(theta[lane], leak, table)


@inner
def reach(times: Integers, thresholds: Floats, risk_now: float, step: int) -> None:
    """Write the step where a threshold is reached for the first time."""
    for i in range(thresholds.shape[0]):
        if times[i] < 0 and risk_now <= thresholds[i]:
            times[i] = step
