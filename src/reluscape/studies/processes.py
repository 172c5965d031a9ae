"""The chunks of a study on the processors of this machine."""

from __future__ import annotations

import os
import signal
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import cast

from reluscape.errors import InputError
from reluscape.studies.crew import Crew, Event, Worker
from reluscape.studies.progress import Pace
from reluscape.studies.work import Deliver, Wanted, Work
from reluscape.studies.worker import WARM_UP

# One lost worker is chance, three with the same chunk are its doing.
LOSSES = 3


def run_processes(
    work: Work,
    indices: Sequence[int],
    deliver: Deliver,
    pace: Pace,
    wanted: Wanted,
    workers: int | None,
) -> float:
    """Compute chunks in processes; a killed one costs the chunk that it was at.

    Parameters
    ----------
    work : Work
    indices : sequence of int
    deliver, wanted : callable
        See `reluscape.studies.engine.run_chunks`.
    pace : Pace
    workers : int or None
        By default, one for every processor that this process may use.

    Returns
    -------
    float
        Seconds of processor.

    Raises
    ------
    InputError
        If a chunk ends its worker again and again, or no worker starts.
    """
    with Crew(work) as crew:
        return _Shift(crew, work, indices, deliver, pace, wanted).run(workers or processors())


def processors() -> int:
    """Return how many processors this process may use.

    Examples
    --------
    >>> processors() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Shift:
    """Who is at what, and what is left to do."""

    def __init__(
        self,
        crew: Crew,
        work: Work,
        indices: Sequence[int],
        deliver: Deliver,
        pace: Pace,
        wanted: Wanted,
    ) -> None:
        self.crew, self.deliver, self.pace, self.wanted = crew, deliver, pace, wanted
        self.pending = deque(indices)
        self.losses: Counter[object] = Counter()
        self.cold = bool(work.warm_up)
        self.seconds = 0.0

    def run(self, workers: int) -> float:
        """Do everything with at most so many workers."""
        for _ in range(min(workers, len(self.pending))):
            self.crew.hire()
        while self.pending or any(worker.job is not None for worker in self.crew.workers):
            self._take(self.crew.next_event())
        return self.seconds

    def _take(self, event: Event) -> None:
        worker, message = event.worker, event.message
        if message is None:
            self._lose(worker)
            return
        if "failed" in message:
            raise _error(message)
        job, worker.job, worker.ready = worker.job, None, True
        if job is None:
            self.losses[None] = 0
        if job == WARM_UP:
            self.cold = False
        # First the worker, then the disk.
        for free in self.crew.workers:
            self._occupy(free)
        if event.table is not None:
            index = cast("int", job)
            self.seconds += cast("float", message["seconds"])
            self.deliver(index, event.table)
            self.pace.done(index)

    def _occupy(self, worker: Worker) -> None:
        if not worker.ready or worker.job is not None:
            return
        if self.cold:
            # One compiles; the others wait for what it leaves on the disk.
            if self.pending and all(other.job != WARM_UP for other in self.crew.workers):
                worker.ask(WARM_UP)
            return
        while self.pending:
            index = self.pending.popleft()
            if self.wanted(index):
                worker.ask(index)
                return
            self.pace.skipped(index)

    def _lose(self, worker: Worker) -> None:
        self.crew.dismiss(worker)
        job, status = worker.job, worker.process.returncode
        # An idle worker that was at work before has done no harm.
        if job is not None or not worker.ready:
            self.losses[job] += 1
        if self.losses[job] >= LOSSES:
            raise InputError(_accusation(job, status))
        if job is not None and job != WARM_UP:
            self.pending.appendleft(cast("int", job))
        if self.pending:
            self.pace.note(f"a worker was lost ({_death(status)}); another one takes over.")
            self.crew.hire()
            for free in self.crew.workers:
                self._occupy(free)


def _accusation(job: object, status: int) -> str:
    if job is None:
        return (
            f"{LOSSES} worker processes in a row ended before they began (the last: "
            f"{_death(status)}); run with engine='inline' to see more."
        )
    what = job if job == WARM_UP else f"chunk {job}"
    return (
        f"{what} ended {LOSSES} worker processes (the last: {_death(status)}); where memory is "
        "short, use fewer workers. What is finished is kept."
    )


def _death(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{name}, as when memory is short" if name == "SIGKILL" else name


def _error(said: Mapping[str, object]) -> Exception:
    if said["kind"] == "input":
        return InputError(str(said["message"]))
    where = "a worker" if said["failed"] is None else f"chunk {said['failed']}"
    if said["kind"] == "memory":
        return InputError(
            f"memory ran out in {where}; use fewer workers. What is finished is kept."
        )
    return RuntimeError(f"{where} failed in a worker process:\n{said['trace']}")
