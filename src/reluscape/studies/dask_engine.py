"""The chunks of a study on the workers of a Dask scheduler.

Workers return tables, and this process writes them: one writer, whatever file systems the workers
see. It keeps a few chunks per thread in flight, so that neither the scheduler nor its own memory
holds a million of them.
"""

# Distributed's functions are typed in part only.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import dataclasses
import json
import os
import queue
import socket
import time
from collections import Counter, deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from reluscape._version import __version__
from reluscape.errors import InputError
from reluscape.studies.cluster import Place, connected
from reluscape.studies.progress import Pace
from reluscape.studies.work import Deliver, Table, Wanted, WarmUp, Work, find, perform
from reluscape.studies.worker import WARM_UP

if TYPE_CHECKING:
    from distributed import Client, Future

# A thread is at one chunk, and the next ones lie ready while the last travels.
IN_FLIGHT = 3
# A chunk may be given to Dask so often: each time its scheduler allows several lost workers.
ATTEMPTS = 2
# Seconds between two looks at how many threads there are.
_LOOK = 2.0
_WAIT = 0.5
# Longer descriptions travel to a worker once, not with each chunk.
SHORT = 100_000

_Found = tuple[Table, str, float, float]
_LOST = object()


def run_dask(
    work: Work,
    indices: Sequence[int],
    deliver: Deliver,
    pace: Pace,
    wanted: Wanted,
    workers: int | None,
    scheduler: str | None,
    cluster: str | None,
) -> float:
    """Compute chunks on Dask; lost workers cost the chunks that they were at.

    Parameters
    ----------
    work : Work
    indices : sequence of int
    deliver, wanted : callable
        See `reluscape.studies.engine.run_chunks`.
    pace : Pace
        Is also told where the dashboard is, and that workers are waited for.
    workers : int or None
        Of a cluster on this machine.
    scheduler, cluster : str or None
        See `reluscape.studies.cluster.connected`.

    Returns
    -------
    float
        Seconds of processor.

    Raises
    ------
    InputError
        If the scheduler does not answer or goes away, workers run another version, or a chunk ends
        its workers again and again.
    """
    with connected(workers, scheduler, cluster) as place:
        if place.dashboard:
            pace.note(f"dashboard: {place.dashboard}")
        return _Flight(place, work, indices, deliver, pace, wanted).run()


def hold(text: str) -> str:
    """Keep a long text on a worker; Dask makes it again where it was lost."""
    return text


def ready(text: str, version: str) -> None:
    """Warm a worker up."""
    _check_version(version)
    work = _read(text)
    cast("WarmUp", find(work.warm_up))(work.description, device=work.device)


def compute(text: str, index: int, version: str) -> _Found:
    """Compute a chunk on a worker: its table, which process, and its clock before and after.

    A worker may be at several chunks at once, and a chunk may have threads of its own: only the
    clock of the whole process counts every second once.
    """
    _check_version(version)
    begun = time.process_time()
    done = perform(_read(text), index)
    return done.table, f"{socket.gethostname()} {os.getpid()}", begun, time.process_time()


@lru_cache(maxsize=4)
def _read(text: str) -> Work:
    return Work(**json.loads(text))


def _check_version(version: str) -> None:
    if version != __version__:
        raise InputError(
            f"a Dask worker runs reluscape {__version__} and this is {version}; "
            "results of two versions are not mixed: install the same one everywhere."
        )


class _Flight:
    """What is with Dask, and what is left to give out."""

    def __init__(
        self,
        place: Place,
        work: Work,
        indices: Sequence[int],
        deliver: Deliver,
        pace: Pace,
        wanted: Wanted,
    ) -> None:
        self.place, self.client = place, cast("Client", place.client)
        text = json.dumps(dataclasses.asdict(work))
        with self._talk():
            self.work = text if len(text) <= SHORT else self.client.submit(hold, text, pure=False)
        self.cold = bool(work.warm_up)
        self.deliver, self.pace, self.wanted = deliver, pace, wanted
        self.pending = deque(indices)
        self.out: dict[Future[_Found], int] = {}
        self.ended: queue.SimpleQueue[Future[_Found]] = queue.SimpleQueue()
        self.losses: Counter[object] = Counter()
        self.threads, self.looked, self.waiting = 0, 0.0, False
        # Of each process of a worker: the seconds of processor between which it worked for us.
        self.clocks: dict[str, tuple[float, float]] = {}

    def run(self) -> float:
        """Do everything."""
        try:
            self._warm_up()
            while True:
                self._give_out()
                if not self.out:
                    return sum(last - first for first, last in self.clocks.values())
                self._take(self._next())
        finally:
            # Chunks that nobody will take are not begun; those in the middle run to their end.
            with suppress(Exception):
                self.client.cancel([*self.out], force=True)

    def _warm_up(self) -> None:
        """Let one worker compile while the others wait for what it leaves on the disk."""
        self.cold &= bool(self.pending)
        while self.cold:
            with self._talk():
                future = self.client.submit(ready, self.work, __version__, pure=False)
            future.add_done_callback(self.ended.put)
            self.cold = self._result(self._next(), WARM_UP) is _LOST

    def _give_out(self) -> None:
        self._look()
        while self.pending and len(self.out) < max(IN_FLIGHT * self.threads, IN_FLIGHT):
            index = self.pending.popleft()
            if not self.wanted(index):
                self.pace.skipped(index)
                continue
            with self._talk():
                future = self.client.submit(
                    compute, self.work, index, __version__, pure=False, key=_key(index)
                )
            self.out[future] = index
            future.add_done_callback(self.ended.put)

    def _look(self) -> None:
        """Count the threads: workers come and go."""
        now = time.monotonic()
        if now - self.looked < _LOOK:
            return
        self.looked = now
        with self._talk():
            self.threads = sum(cast("dict[str, int]", self.client.nthreads()).values())
        if not self.threads and not self.waiting:
            self.pace.note(f"waiting for workers of the Dask scheduler at {self.place.address}.")
        self.waiting = not self.threads

    def _next(self) -> Future[_Found]:
        while True:
            try:
                return self.ended.get(timeout=_WAIT)
            except queue.Empty:
                if self.client.status not in ("running", "connecting"):
                    raise self._gone() from None
                self._look()

    def _take(self, future: Future[_Found]) -> None:
        index = self.out.pop(future)
        found = self._result(future, index)
        if found is _LOST:
            self.pending.appendleft(index)
            return
        table, process, begun, ended = cast("_Found", found)
        first, last = self.clocks.get(process, (begun, ended))
        self.clocks[process] = min(first, begun), max(last, ended)
        # First the workers, then the disk.
        self._give_out()
        self.deliver(index, table)
        self.pace.done(index)

    def _result(self, future: Future[_Found], job: object) -> object:
        """Return what came of a job, or that its workers were lost."""
        from distributed import KilledWorker

        try:
            with self._talk(future):
                return future.result()
        except KilledWorker as problem:
            self.losses[job] += 1
            if self.losses[job] >= ATTEMPTS:
                what = job if job == WARM_UP else f"chunk {job}"
                raise InputError(
                    f"all Dask workers that were given {what} ended, the last at "
                    f"{problem.last_worker.address}; look at its log: where memory is short, let "
                    "workers have fewer threads. What is finished is kept."
                ) from None
            return _LOST
        except MemoryError:
            raise InputError(
                f"memory ran out in {job if job == WARM_UP else f'chunk {job}'} on a Dask worker; "
                "let workers have fewer threads. What is finished is kept."
            ) from None
        finally:
            future.release()

    @contextmanager
    def _talk(self, job: Future[_Found] | None = None) -> Generator[None]:
        """Say in a sentence that the scheduler is lost, however Dask says it; not a job's error."""
        from distributed import CancelledError
        from distributed.client import ClosedClientError

        try:
            yield
        except (OSError, CancelledError, ClosedClientError) as problem:
            if job is not None and job.status == "error":
                raise
            raise self._gone() from problem

    def _gone(self) -> InputError:
        return InputError(
            f"the Dask scheduler at {self.place.address} went away; what is finished is kept: "
            "start it again, and run the study again."
        )


def _key(index: int) -> str:
    import secrets

    # The dashboard groups by what stands before the last dash.
    return f"chunk-{index}-{secrets.token_hex(8)}"
