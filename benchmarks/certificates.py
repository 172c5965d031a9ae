"""Certified fits: seconds to close the gap, the size of the proof, and seconds to check it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.cells import Cell, Cells, say
from benchmarks.data import case, motorcycle
from benchmarks.workers import Failed, TimedOut, Worker

GAP = 1e-6
TIME_LIMIT = 60.0
# A check may take ten times as long as its search, and no longer than this.
CHECK_RATIO = 10.0
CHECK_LIMIT = 120.0
# Equal to rounding: references and risks are printed and computed in double precision.
ROUNDING = 1e-9
# How long after its time limit, relative to it, a search may return what it has.
LATE = 1.05
# When a call is given up: long after every bar, so that how far it was missed is still measured.
SEARCH_STOP = 300.0
CHECK_STOP = 125.0

SQUARE = "x^2 on [0, 1]"
CUBIC = "x^3 - x on [-1, 1]"
ABSOLUTE = "abs(x - 1/2) on [0, 1]"


@dataclass(frozen=True)
class Case:
    """A problem and what is asked of it.

    ``n`` is 0 for an interval. ``seconds`` bounds the search, where anything does;
    ``open_gap`` is the gap that will do if the time limit ends the search; ``reference`` is the
    global minimum, or the lowest risk that is known, and must lie between bound and risk.
    """

    data: str
    n: int
    width: int
    seconds: float | None = None
    skip: bool = True
    open_gap: float | None = None
    reference: float | None = None

    @property
    def key(self) -> str:
        """Return the name of the cell."""
        return f"{self.data} | {self.n} | {self.width} | {'skip' if self.skip else 'plain'}"


CASES = (
    Case("sine", 1_000, 5, 5.0),
    Case("pwl", 1_000, 5, 5.0),
    Case("sine", 10_000, 5, 30.0),
    Case("pwl", 10_000, 5, 30.0),
    Case("sine", 1_000_000, 3, 20.0),
    Case("pwl", 1_000_000, 3, 20.0),
    Case("motorcycle", 133, 5, 2.0),
    Case("motorcycle", 133, 8, 60.0),
    Case("sine", 1_000, 8, 60.0, open_gap=1e-3),
    Case("pwl", 1_000, 8, 60.0, open_gap=1e-3),
    *(Case(SQUARE, 0, d, reference=1.0 / (180.0 * (d + 1) ** 4)) for d in (1, 2, 3, 4)),
    Case(SQUARE, 0, 1, skip=False, reference=4.0 / 3645.0),
    Case(ABSOLUTE, 0, 1, skip=False, reference=(3.0 - 2.0 * 2.0**0.5) / 12.0),
    Case(CUBIC, 0, 1, skip=False, reference=0.0362271056400670),
)
QUICK = (
    Case("pwl", 1_000, 3, 5.0),
    Case(SQUARE, 0, 1, reference=1.0 / 2_880.0),
    Case(SQUARE, 0, 1, skip=False, reference=4.0 / 3645.0),
)


def measure(cells: Cells, cases: tuple[Case, ...] = CASES) -> None:
    """Search and check every case that is not stored yet."""
    with TemporaryDirectory() as folder, Worker() as worker:
        file = str(Path(folder) / "certificate.json")
        for some in cases:
            if cells.get(some.key) is not None:
                continue
            cell = _cell(worker, some, file)
            cells.put(some.key, cell)
            say(f"certificates: {some.key}: {cell}")


def _cell(worker: Worker, some: Case, file: str) -> Cell:
    problem = {"data": some.data, "n": some.n}
    network = {"width": some.width, "skip": some.skip}
    try:
        # Does nothing in a process that is warm: only one that replaces a stopped one starts cold.
        worker.call("benchmarks.certificates", "warm_up", SEARCH_STOP)
        cell = worker.call(
            "benchmarks.certificates", "search", SEARCH_STOP, **problem, **network, file=file
        )
    except (Failed, TimedOut) as error:
        return {"failure": f"search: {error}"}
    try:
        cell |= worker.call("benchmarks.certificates", "verify", CHECK_STOP, **problem, file=file)
    except (Failed, TimedOut) as error:
        cell |= {"check_seconds": None, "holds": False, "reason": f"check: {error}"}
    return cell


_warm = False


def warm_up() -> None:
    """Compile what data, intervals and plain networks need, on problems of no case."""
    import reluscape as rs

    global _warm
    if _warm:
        return
    rs.fit(rs.Samples(*case("sine", 100)), 5, certify=True, time_limit=TIME_LIMIT)
    interval = rs.Interval(rs.polynomial([0.0, 0.0, 0.0, 1.0]), 0.0, 1.0)
    for skip in (True, False):
        found = rs.fit(interval, 1, skip=skip, certify=True, time_limit=TIME_LIMIT)
        rs.check(found.certificate, interval)
    _warm = True


def _inputs(data: str, n: int) -> tuple[Any, ...]:
    import reluscape as rs

    if data == SQUARE:
        return rs.polynomial([0.0, 0.0, 1.0]), 0.0, 1.0
    if data == CUBIC:
        return rs.polynomial([0.0, -1.0, 0.0, 1.0]), -1.0, 1.0
    if data == ABSOLUTE:
        return rs.piecewise_linear([0.0, 0.5, 1.0], [0.5, 0.0, 0.5]), 0.0, 1.0
    return motorcycle() if data == "motorcycle" else case(data, n)


def search(data: str, n: int, width: int, skip: bool, file: str) -> dict[str, Any]:
    """Return seconds, bounds and size of one certified fit, and leave its certificate."""
    import reluscape as rs

    inputs = _inputs(data, n)
    begin = time.perf_counter()
    problem = rs.Samples(*inputs) if n else rs.Interval(*inputs)
    found = rs.fit(problem, width, skip=skip, certify=True, gap=GAP, time_limit=TIME_LIMIT)
    seconds = time.perf_counter() - begin
    found.certificate.save(file)
    return {
        "seconds": seconds,
        "risk": float(found.risk),
        "lower_bound": float(found.lower_bound),
        "gap": float(found.gap),
        "ended": found.ended,
        "steps": len(found.certificate.steps),
        "bytes": Path(file).stat().st_size,
    }


def verify(data: str, n: int, file: str) -> dict[str, Any]:
    """Return seconds and verdict of a check, from the file and the user's own arrays."""
    import reluscape as rs

    inputs = _inputs(data, n)
    begin = time.perf_counter()
    problem = rs.Samples(*inputs) if n else rs.Interval(*inputs)
    verdict = rs.check(rs.load_certificate(file), problem)
    seconds = time.perf_counter() - begin
    return {"check_seconds": seconds, "holds": verdict.holds, "reason": verdict.reason}


def missed(some: Case, cell: Cell) -> list[str]:
    """Return what was asked of a case and not reached."""
    if "failure" in cell:
        return [cell["failure"]]
    wrong = []
    # A search that ends by itself before its time, with the steps it may make, is no later.
    left = some.open_gap is not None and cell["ended"] in ("time limit", "open")
    if cell["gap"] > (GAP if some.open_gap is None or not left else some.open_gap):
        wrong.append("gap")
    # What the time limit leaves is there a moment after it.
    late = LATE if left else 1.0
    if some.seconds is not None and cell["seconds"] > late * some.seconds:
        wrong.append("search time")
    least = some.reference
    if least is not None and not (
        cell["lower_bound"] <= least * (1.0 + ROUNDING) and least <= cell["risk"] * (1.0 + ROUNDING)
    ):
        wrong.append("encloses")
    if not cell["holds"]:
        wrong.append("holds")
    if cell["check_seconds"] is None or cell["check_seconds"] > min(
        CHECK_LIMIT, CHECK_RATIO * cell["seconds"]
    ):
        wrong.append("check time")
    return wrong
