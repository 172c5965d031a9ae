"""How the cost of a descent step and of a fit grows with the number of rows."""

from __future__ import annotations

import statistics
import time
from typing import Any

from benchmarks.cells import Cells, say
from benchmarks.data import case
from benchmarks.descent_peers import STEP_SIZE, WIDTH
from benchmarks.workers import Failed, TimedOut, Worker

ROWS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
QUICK_ROWS = (1_000, 10_000)
KNOTS = 8
STARTS = 1_000
REPEATS = 7
LIMIT = 600.0


def measure(cells: Cells, rows: tuple[int, ...] = ROWS) -> None:
    """Measure step cost and fit time at every size that is not stored yet."""
    with Worker() as worker:
        for n in rows:
            where = str(n)
            if cells.get(where) is None:
                try:
                    cell = worker.call("benchmarks.growth", "costs", LIMIT, n=n)
                except (Failed, TimedOut) as error:
                    cell = {"failure": str(error)}
                cells.put(where, cell)
                say(f"growth: {where} rows: {cell}")


def costs(n: int) -> dict[str, Any]:
    """Return seconds a network-step, and to fit with ``Samples`` built anew, warm medians."""
    import reluscape as rs

    rs.fit(rs.Samples(*case("sine", 300)), KNOTS)
    x, y = case("sine", n)
    fitting, stepping = [], []
    for seed in range(REPEATS):
        begin = time.perf_counter()
        problem = rs.Samples(x, y)
        rs.fit(problem, KNOTS, seed=seed)
        fitting.append(time.perf_counter() - begin)
    few, many = 100, 1_100
    for seed in range(REPEATS):
        times = [_descend(problem, steps, seed) for steps in (few, many)]
        stepping.append((times[1] - times[0]) / (STARTS * (many - few)))
    return {
        "step": statistics.median(stepping),
        "fit": statistics.median(fitting),
        "slowest_fit": max(fitting),
    }


def _descend(problem: Any, steps: int, seed: int) -> float:
    import reluscape as rs

    begin = time.perf_counter()
    rs.multistart(problem, WIDTH, starts=STARTS, step_size=STEP_SIZE, steps=steps, seed=seed)
    return time.perf_counter() - begin
