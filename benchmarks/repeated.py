"""Cases of one process whose calls are short enough to be repeated: medians against bars."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks.cells import Cell, Cells, say
from benchmarks.workers import Failed, TimedOut, Worker


def measure(cells: Cells, section: str, bars: dict[str, float], limit: float) -> None:
    """Ask `benchmarks.SECTION.times` for all cases in one process, if they are not stored yet."""
    if all(cells.get(case) is not None for case in bars):
        return
    with Worker() as worker:
        try:
            found = worker.call(f"benchmarks.{section}", "times", limit)
        except (Failed, TimedOut) as error:
            found = {case: {"failure": str(error)} for case in bars}
        for case, cell in found.items():
            cells.put(case, cell)
            say(f"{section}: {case}: {cell}")


def median(way: Callable[[], object], repeats: int) -> Cell:
    """Return the median and the least seconds of a call, after a first one."""
    way()
    seconds: list[float] = []
    for _ in range(repeats):
        begin = time.perf_counter()
        way()
        seconds.append(time.perf_counter() - begin)
    return {"seconds": float(np.median(seconds)), "least": min(seconds)}
