"""Worker processes of this machine: started, spoken to, and stopped at once.

Why not `concurrent.futures`: there one worker that dies breaks the pool, and with it the chunks
of all others; workers import the user's script again, which must then be written for it; and they
outlive a study that is killed.
"""

from __future__ import annotations

import dataclasses
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import IO, cast

from reluscape.studies.frames import receive, send
from reluscape.studies.work import Table, Work

# Ctrl-C on Windows is seen between two waits only.
_WAIT = 0.5
# A worker has one processor; with more threads BLAS would also cut its sums elsewhere.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_NEW_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0


@dataclass(eq=False)
class Worker:
    """One process.

    Attributes
    ----------
    process : subprocess.Popen
    ready : bool
        Whether it has said that it found its task.
    job : object
        What it is at: an index, the warm-up, or None.
    """

    process: subprocess.Popen[bytes]
    ready: bool = False
    job: object = None

    def ask(self, job: object) -> None:
        """Tell it what to do; a dead one is noticed by its last event."""
        self.job = job
        self.tell({"do": job})

    def tell(self, message: Mapping[str, object]) -> None:
        """Send a message, if anyone is there."""
        with suppress(OSError):
            send(cast("IO[bytes]", self.process.stdin), message)

    def hang_up(self) -> None:
        """Close the line to a process that has ended; what it did not read is lost."""
        with suppress(OSError):
            cast("IO[bytes]", self.process.stdin).close()


@dataclass(frozen=True)
class Event:
    """What a worker says: a message, perhaps with a table; no message when it has ended."""

    worker: Worker
    message: Mapping[str, object] | None
    table: Table | None


class Crew:
    """Processes with one task.

    Use it as a context: at its end, whatever the reason, no process is left.

    Parameters
    ----------
    work : Work
        Its description and names go to every worker once.

    Examples
    --------
    >>> with Crew(Work({}, "math:sqrt")) as crew:
    ...     worker = crew.hire()
    ...     crew.next_event().message
    {'ready': True}
    """

    def __init__(self, work: Work) -> None:
        self._work = dataclasses.asdict(work)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.workers: list[Worker] = []

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # All at once, then wait: nobody has anything to put in order.
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.wait()
            worker.hang_up()

    def hire(self) -> Worker:
        """Start a process."""
        process = subprocess.Popen(
            # -P: a file of the user's folder must not take the place of a module.
            [sys.executable, "-P", "-m", "reluscape.studies.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
            | dict.fromkeys(_THREADS, "1"),
            # A terminal's Ctrl-C is for the study alone.
            process_group=None if sys.platform == "win32" else 0,
            creationflags=_NEW_GROUP,
        )
        worker = Worker(process)
        self.workers.append(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        worker.tell(self._work)
        return worker

    def dismiss(self, worker: Worker) -> None:
        """Forget a process that has ended."""
        worker.hang_up()
        self.workers.remove(worker)

    def next_event(self) -> Event:
        """Wait until a worker says something."""
        while True:
            try:
                return self._events.get(timeout=_WAIT)
            except queue.Empty:
                continue

    def _listen(self, worker: Worker) -> None:
        stream = cast("IO[bytes]", worker.process.stdout)
        with stream:
            while (found := receive(stream)) is not None:
                self._events.put(Event(worker, *found))
        worker.process.wait()
        self._events.put(Event(worker, None, None))
