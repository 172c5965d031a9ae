"""A study whose processes are killed at random, and started again as a supervisor would.

`python fault_runs.py STUDY STORE ENGINE [SCHEDULER]` is the client: "toy" chunks of random numbers,
or a "real" study.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

CHUNKS = 60
SLEEP = 0.1
ROWS = 40
# Longer than any of it takes on a busy machine; only a hang lasts so long.
PATIENCE = 240.0


def description() -> dict[str, object]:
    """Return the study."""
    return {"seed": 3, "rows": ROWS, "sleep": SLEEP}


def real_study():
    """Return a study of short chunks, a few of which diverge."""
    from reluscape.studies.study import Study

    problems = {"line": {"kind": "affine", "alpha": 1, "beta": 0, "interval": [0, 1]}}
    steps = [0.01 * 1.6**i for i in range(15)]
    return Study(problems, [2, 3], 64, steps, 40_000, thresholds=[1e-3])


def client() -> int:
    """Run what the store lacks; an error of ours is one line and status 2."""
    from reluscape.errors import InputError
    from reluscape.studies.engine import run_chunks
    from reluscape.studies.store import Store
    from toy_tasks import rows

    study, where, engine = sys.argv[1:4]
    try:
        if study == "real":
            real_study().run(where, engine, workers=2)
            return 0
        store = Store.create_or_open(where, description(), "toy", CHUNKS)
        run_chunks(
            engine,
            store.description,
            store.queue(),
            store.write,
            workers=None if engine == "dask" else 2,
            scheduler=sys.argv[4] if engine == "dask" else None,
            wanted=lambda index: not store.has(index),
            task=rows,
        )
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


@dataclass
class Faults:
    """Runs a study to its end, killing as many processes as asked for on the way.

    A kill comes when a share of the chunks is there, and a random moment later, so that the study
    makes way between kills however slow the machine is.
    """

    folder: Path
    engine: str
    kills: int
    seed: int
    study: str = "toy"
    expected: int = CHUNKS
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def run(self) -> None:
        """Return when a client has ended well and all kills were made."""
        rng = random.Random(self.seed)
        port = free_port()
        moments = sorted(rng.uniform(0.02, 0.7) * self.expected for _ in range(self.kills))
        end = time.monotonic() + PATIENCE
        try:
            while True:
                if time.monotonic() > end:
                    raise TimeoutError(f"{self.chunks()} chunks, killed: {dict(self.killed)}")
                self._keep_up(port)
                if self._client_is_done():
                    return
                if moments and "client" in self.running and self.chunks() >= moments[0]:
                    time.sleep(rng.uniform(0.0, 0.3))
                    moments = moments[self._kill(rng) :]
                time.sleep(0.02)
        finally:
            self._stop()

    def chunks(self) -> int:
        """How many chunks are there."""
        return len(list((self.store / "chunks").glob("[0-9]*.parquet")))

    def _keep_up(self, port: int) -> None:
        for name, command in self._commands(port).items():
            process = self.running.get(name)
            if process is None or (process.poll() is not None and name != "client"):
                with (self.folder / f"{name}.log").open("ab") as log:
                    self.running[name] = subprocess.Popen(
                        command, env=environment(), stdout=log, stderr=log, cwd=self.folder
                    )

    def _commands(self, port: int) -> dict[str, list[str]]:
        address = f"tcp://127.0.0.1:{port}"
        script = [sys.executable, str(Path(__file__)), self.study]
        script += [str(self.store), self.engine]
        if self.engine != "dask":
            return {"client": script}
        dask = [sys.executable, "-m", "distributed.cli.dask_"]
        scheduler = [*dask[:2], "distributed.cli.dask_scheduler", "--no-dashboard"]
        worker = [*dask[:2], "distributed.cli.dask_worker", address, "--no-dashboard", "--no-nanny"]
        return {
            "scheduler": [*scheduler, "--host", "127.0.0.1", "--port", str(port)],
            "worker 1": [*worker, "--nthreads", "1"],
            "worker 2": [*worker, "--nthreads", "1"],
            "client": [*script, address],
        }

    def _client_is_done(self) -> bool:
        status = self.running["client"].poll()
        if status is None:
            return False
        self.statuses[status] += 1
        del self.running["client"]
        return status == 0

    def _kill(self, rng: random.Random) -> int:
        victims: dict[str, Callable[[], None]] = {
            name: process.kill for name, process in self.running.items() if process.poll() is None
        }
        if self.engine == "processes" and "client" in victims:
            crew = psutil.Process(self.running["client"].pid).children()
            victims |= {f"worker {i}": worker.kill for i, worker in enumerate(crew)}
        if not victims:
            return 0
        name = rng.choice(sorted(victims))
        victims[name]()
        self.killed[name.split()[0]] += 1
        return 1

    def _stop(self) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGKILL)
            process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment() -> dict[str, str]:
    """Return an environment in which other processes find what this one finds."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def contents(store: Path) -> Iterator[tuple[str, bytes]]:
    """Yield names and bytes of all chunks."""
    for path in sorted((store / "chunks").glob("[0-9]*.parquet")):
        yield path.name, path.read_bytes()


if __name__ == "__main__":
    sys.exit(client())
