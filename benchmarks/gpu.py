"""Network-steps a second on a graphics processor, and how near the result is to a processor's."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.cells import Cells, say
from benchmarks.workers import Failed, TimedOut, Worker

PRECISIONS = ("float32", "float64")
WIDTH = 16
# Network-steps a second, single precision.
BAR = 3e9
RUNS, QUICK_RUNS = 1 << 18, 1 << 10
# The rate is that of the difference: what a run costs once, the exact risks above all, drops out.
SHORT, LONG = 1_000, 21_000
REPEATS = 3
STEP_SIZE = 0.01
CHECKED, CHECKED_STEPS = 1_000, 100
SEED = 20_240_131
LIMIT = 900.0
# Operations of a step at this width and target, counted in the machine code of the kernel (sm_90,
# single precision) where no breakpoints pass each other: 600 fused multiply-adds, which count
# twice, 260 additions and 145 multiplications.
OPERATIONS = 1_605
# Single-precision units of a multiprocessor: so many since compute capability 8.6.
UNITS = 128


def measure(cells: Cells, *, quick: bool = False) -> None:
    """Measure both precisions, where there is a GPU; otherwise the cells stay empty."""
    runs = QUICK_RUNS if quick else RUNS
    for precision in PRECISIONS:
        stored = cells.get(precision)
        if stored is not None and stored.get("device") is not None:
            continue
        with Worker() as worker:
            try:
                cell = worker.call("benchmarks.gpu", "rate", LIMIT, precision=precision, runs=runs)
            except (Failed, TimedOut) as error:
                cell = {"device": None, "failure": str(error)}
        cells.put(precision, cell)
        say(f"gpu: {precision}: {cell}")


def rate(precision: str, runs: int) -> dict[str, Any]:
    """Return network-steps a second and the largest deviations, or no device."""
    import reluscape as rs
    from reluscape.training.devices import available, describe
    from reluscape.training.ensemble import run_ensemble

    if "cuda" not in available() or "simulated" in describe("cuda"):
        return {"device": None}
    target = rs.Interval(rs.piecewise_linear([0, 0.25, 0.5, 0.75, 1], [0, 1, 0, 1, 0.5]), 0, 1)
    starts = np.random.default_rng(SEED).standard_normal((runs, 3 * WIDTH + 1))

    def seconds(steps: int) -> float:
        begin = time.perf_counter()
        run_ensemble(
            target,
            starts,
            step_size=STEP_SIZE,
            steps=steps,
            device="cuda",
            precision=precision,
            threads=None,
        )
        return time.perf_counter() - begin

    seconds(1)
    gained = [seconds(LONG) - seconds(SHORT) for _ in range(REPEATS)]
    found = (LONG - SHORT) * runs / float(np.median(gained))
    few = starts[:CHECKED]
    options: dict[str, Any] = {"step_size": STEP_SIZE, "steps": CHECKED_STEPS}
    there = run_ensemble(target, few, device="cuda", precision=precision, **options)
    here = run_ensemble(target, few, **options)
    return {
        "device": describe("cuda", precision),
        "rate": found,
        "rates": [(LONG - SHORT) * runs / taken for taken in gained],
        "share": found * OPERATIONS / _peak() if precision == "float32" else None,
        "deviation": float(np.abs(there.parameters - here.parameters).max()),
        "risk_deviation": float(np.abs(there.risks - here.risks).max()),
        "runs": runs,
    }


def _peak() -> float:
    """Return the most single-precision operations a second that the clock allows."""
    from numba import cuda

    device = cuda.get_current_device()
    return device.MULTIPROCESSOR_COUNT * UNITS * 2 * device.CLOCK_RATE * 1e3
