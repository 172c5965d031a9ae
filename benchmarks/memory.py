"""Peak memory of a fit of a million rows, in bytes a row, beyond the user's own two arrays."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

from benchmarks.cells import Cells, say
from benchmarks.data import case
from benchmarks.workers import Failed, TimedOut, Worker

ROWS = 1_000_000
QUICK_ROWS = 100_000
KNOTS = (1, 8)
LIMIT = 600.0
STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


def measure(cells: Cells, rows: int = ROWS) -> None:
    """Measure each number of kinks in a process of its own."""
    for name in ("sine", "pwl"):
        for knots in KNOTS:
            where = f"{name} | {rows} | {knots}"
            if cells.get(where) is not None:
                continue
            with Worker() as worker:
                try:
                    arguments = {"name": name, "n": rows, "knots": knots}
                    cell = worker.call("benchmarks.memory", "growth", LIMIT, **arguments)
                except (Failed, TimedOut) as error:
                    cell = {"bytes_a_row": None, "failure": str(error)}
            cells.put(where, cell)
            say(f"memory: {where}: {cell}")


def growth(name: str, n: int, knots: int) -> dict[str, Any]:
    """Return by how many bytes a row the peak rises over what is held before the fit.

    Everything is imported and compiled before, and ``x`` and ``y`` exist. Where Linux lets us,
    the record of the peak is cleared first: what compiling once needed must not hide the fit.
    """
    import reluscape as rs

    rs.fit(rs.Samples(*case(name, 1_000)), knots)
    x, y = case(name, n)
    cleared = clear_peak()
    before = status("VmRSS") if cleared else _peak()
    rs.fit(rs.Samples(x, y), knots)
    after = status("VmHWM") if cleared else _peak()
    return {"bytes_a_row": (after - before) / n, "before": before, "peak_cleared": cleared}


def clear_peak() -> bool:
    """Forget the record of the peak, where Linux lets us; return whether it did."""
    try:
        CLEAR.write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def status(field: str) -> int:
    """Return a field of the status of this process, in bytes."""
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    raise OSError(f"{STATUS} has no {field}")


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
