"""Steps of many networks at once, beside the arithmetic that the machine can do at most."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from benchmarks.cells import Cells, say
from benchmarks.machine import THREADS
from benchmarks.workers import Failed, TimedOut, Worker

WIDTH = 16
# Millions of network-steps a second, and the share of the peak.
BARS = {"Interval, 4 pieces": 10.0, "Samples, n = 1,000": 6.0, "Samples, n = 1,000,000": 3.0}
SHARE = 0.15
# Eight networks for each register, a few blocks for each thread.
NETWORKS, SECONDS, REPEATS = 64, 3.0, 5
STEP_SIZE = 0.01
SEED = 20_220_817
# Additions, multiplications and divisions of a step of `kernels.ensemble.descend_block` on a table
# of degree 3, counted in its source; a fused multiply-add is two, comparisons and selections none.
PER_NEURON, PER_NETWORK = 90, 50
PEAK_ROUNDS = 2_000_000
PEAK_CHAINS = 10


def measure(cells: Cells, *, quick: bool = False) -> None:
    """Measure every problem that is not stored yet, each in a process of its own."""
    for name in BARS:
        if cells.get(name) is not None:
            continue
        with Worker() as worker:
            try:
                cell = worker.call(
                    "benchmarks.ensemble",
                    "rates",
                    1200.0,
                    name=name,
                    seconds=0.2 if quick else SECONDS,
                )
            except (Failed, TimedOut) as error:
                cell = {"failure": str(error)}
        cells.put(name, cell)
        say(f"ensemble: {name}: {cell}")


def problem(name: str) -> Any:
    """Return the problem of a row of the table."""
    import reluscape as rs

    if name.startswith("Interval"):
        target = rs.piecewise_linear([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 0.3, -0.2, 0.4, 0.0])
        return rs.Interval(target, 0.0, 1.0)
    n = int(name.split("=")[1].replace(",", ""))
    rng = np.random.default_rng(SEED)
    x = rng.random(n)
    return rs.Samples(x, np.sin(3.0 * np.pi * x) + 0.2 * rng.standard_normal(n))


def rates(name: str, seconds: float) -> dict[str, Any]:
    """Return network-steps a second, and the machine's peak between the same runs."""
    from reluscape.training.ensemble import run_ensemble

    case = problem(name)
    starts = np.random.default_rng(SEED).standard_normal((NETWORKS, 3 * WIDTH + 1))

    def run(steps: int) -> float:
        begin = time.perf_counter()
        run_ensemble(case, starts, step_size=STEP_SIZE, steps=steps, threads=THREADS)
        return time.perf_counter() - begin

    run(100)
    steps = max(int(1000 * seconds / run(1000)), 1000)
    many = NETWORKS * steps
    found: dict[str, list[float]] = {"rate": [], "peak": []}
    peak()
    for _ in range(REPEATS):
        found["peak"].append(peak())
        found["rate"].append(many / run(steps))
    medians = {key: statistics.median(values) for key, values in found.items()}
    return medians | {"steps": steps, "share": share(medians) if "Interval" in name else None}


def share(cell: dict[str, float]) -> float:
    """Return the part of the peak that the steps use."""
    return cell["rate"] * (PER_NEURON * WIDTH + PER_NETWORK) / cell["peak"]


def peak() -> float:
    """Return floating-point operations a second of independent fused multiply-adds, all threads."""
    kernel = _peak_kernel()
    values = np.linspace(0.9, 1.0, 8 * (PEAK_CHAINS + 2))
    results = np.empty((THREADS, 8))
    for row in results[:1]:
        kernel(values, row, 1)
    begin = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda row: kernel(values, row, PEAK_ROUNDS), results))
    seconds = time.perf_counter() - begin
    return THREADS * PEAK_ROUNDS * PEAK_CHAINS * 8 * 2 / seconds


@cache
def _peak_kernel() -> Any:
    from reluscape.kernels.compiled import compiled
    from reluscape.kernels.lanes import address, fma, load, store

    @compiled
    def chains(values: Any, result: Any, rounds: int) -> None:
        at = address(values)
        a0, a1, a2, a3, a4 = load(at, 0), load(at, 8), load(at, 16), load(at, 24), load(at, 32)
        a5, a6, a7, a8, a9 = load(at, 40), load(at, 48), load(at, 56), load(at, 64), load(at, 72)
        b, c = load(at, 80), load(at, 88)
        for _ in range(rounds):
            a0, a1, a2 = fma(a0, b, c), fma(a1, b, c), fma(a2, b, c)
            a3, a4, a5 = fma(a3, b, c), fma(a4, b, c), fma(a5, b, c)
            a6, a7, a8, a9 = fma(a6, b, c), fma(a7, b, c), fma(a8, b, c), fma(a9, b, c)
        store(address(result), 0, a0 + a1 + a2 + a3 + a4 + (a5 + a6 + a7 + a8 + a9))

    return chains
