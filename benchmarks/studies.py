"""Studies: two workers beside one, and what an engine adds to a plain loop."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.cells import Cells, say
from benchmarks.data import ROOT
from benchmarks.workers import Failed, TimedOut, Worker

WIDTH = 16
# One chunk a step size, of about a second: chunks are to take a second to a minute.
CHUNKS, STARTS, STEPS = 16, 64, 150_000
EMPTY = 300
REPEATS = 5
FASTER, OVERHEAD = 1.8, 0.05
LOOP, TWO_LOOPS = "plain loop", "two plain loops at once, twice the work"
BESIDE = "seconds beside those of its chunks"
ENGINES = ("processes", "dask")
SECONDS = b"seconds"
LIMIT = 3600.0
# S2-6 and S1-5: width, share of runs that find the minimum, margin.
LINE = ((1, 0.48, 0.06), (2, 0.73, 0.06), (4, 0.92, 0.06))
TENT = ((2, 0.10, 0.1), (4, 0.41, 0.1), (8, 0.72, 0.1), (16, 0.88, 0.1))
RUNS, RUN_STEPS, STATISTICS_BAR = 10_000, 20_000, 60.0


def measure(cells: Cells, *, quick: bool = False) -> None:
    """Measure what is not stored yet, each part in a process of its own."""
    small = {"chunks": 4, "steps": 2000, "repeats": 1}
    parts: list[tuple[str, dict[str, Any]]] = [
        ("engines", small if quick else {}),
        ("empty", {"chunks": 20} if quick else {}),
        ("statistics_of_theory", {"runs": 100} if quick else {}),
    ]
    for function, arguments in parts:
        if cells.get(function) is not None:
            continue
        with Worker() as worker:
            try:
                cell = worker.call("benchmarks.studies", function, LIMIT, **arguments)
            except (Failed, TimedOut) as error:
                cell = {"failure": str(error)}
        cells.put(function, cell)
        say(f"studies: {function}: {cell}")


def study(chunks: int = CHUNKS, steps: int = STEPS) -> Any:
    """Return a study of so many chunks, all the same but for the step size."""
    import reluscape as rs
    from reluscape.studies.study import Study

    target = rs.piecewise_linear([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 0.3, -0.2, 0.4, 0.0])
    sizes = [0.01 + 0.0001 * i for i in range(chunks)]
    return Study({"four pieces": rs.Interval(target, 0.0, 1.0)}, [WIDTH], STARTS, sizes, steps)


def engines(
    chunks: int = CHUNKS, steps: int = STEPS, repeats: int = REPEATS
) -> dict[str, list[float]]:
    """Return seconds of every way to run the study, the ways taking turns.

    For one worker also the seconds that the run took beside those in which the worker was at a
    chunk: what the engine adds, on the same machine at the same moment.
    """
    from reluscape.studies.store import Store
    from reluscape.studies.tasks import run_chunk, warm_up

    made = study(chunks, steps)
    description = made.describe()
    if made.plan.chunks != chunks:
        raise ValueError(f"{made.plan.chunks} chunks instead of {chunks}")
    warm_up(description)

    def loop() -> None:
        for index in range(chunks):
            run_chunk(description, index)

    def two_loops() -> None:
        with ThreadPoolExecutor(2) as pool:
            for half in [pool.submit(loop) for _ in range(2)]:
                half.result()

    def through(engine: str, workers: int, address: str | None) -> float:
        from reluscape.studies.engine import run_chunks

        at_chunks = 0.0

        def deliver(index: int, table: Any) -> None:
            nonlocal at_chunks
            at_chunks += float(table.schema.metadata[SECONDS])
            store.write(index, table)

        with tempfile.TemporaryDirectory() as folder:
            store = Store.create_or_open(Path(folder) / "store", description, made.digest, chunks)
            run_chunks(
                engine,
                description,
                store.queue(),
                deliver,
                workers=workers if engine == "processes" else None,
                scheduler=address,
                task=timed,
            )
            if store.missing():
                raise ValueError("chunks are missing")
        return at_chunks

    ways: dict[str, Callable[[], float | None]] = {LOOP: loop, TWO_LOOPS: two_loops}
    with dask(1) as one, dask(2) as two:
        # One and two workers of an engine follow each other: the machine changes by the minute.
        for engine in ENGINES:
            for count, address in ((1, one), (2, two)):
                at = address if engine == "dask" else None
                ways[f"{engine}, {count}"] = lambda e=engine, n=count, at=at: through(e, n, at)
        found: dict[str, list[float]] = {name: [] for name in ways}
        # Every process compiles or loads what it needs before the clock runs.
        for name in ways:
            if name == LOOP or name.startswith("dask"):
                ways[name]()
        for _ in range(repeats):
            for name, way in ways.items():
                begin = time.perf_counter()
                at_chunks = way()
                found[name].append(time.perf_counter() - begin)
                if at_chunks is not None and name.endswith(" 1"):
                    beside = found.setdefault(f"{name}: {BESIDE}", [])
                    beside.append(found[name][-1] - at_chunks)
    return found


def timed(description: Mapping[str, object], index: int, *, device: str) -> Any:
    """Return a chunk that says how long it took."""
    from reluscape.studies.tasks import run_chunk

    begin = time.perf_counter()
    table = run_chunk(description, index, device=device)
    seconds = str(time.perf_counter() - begin).encode()
    return table.replace_schema_metadata({**table.schema.metadata, SECONDS: seconds})


def empty(chunks: int = EMPTY) -> dict[str, float]:
    """Return milliseconds that a chunk without work takes, start-up left out."""
    from reluscape.studies.engine import run_chunks

    found: dict[str, float] = {}
    with dask(2) as address:
        for engine in ENGINES:
            marks: list[float] = []
            run_chunks(
                engine,
                {},
                range(chunks),
                lambda *_, marks=marks: marks.append(time.perf_counter()),
                workers=2 if engine == "processes" else None,
                scheduler=address if engine == "dask" else None,
                task=nothing,
            )
            # From the second tenth on: by then every worker is there.
            first = chunks // 10
            found[engine] = 1e3 * (marks[-1] - marks[first]) / (chunks - 1 - first)
    return found


def statistics_of_theory(runs: int = RUNS) -> dict[str, Any]:
    """Return shares of runs that find the minimum, what theory says of each, and the seconds."""
    import reluscape as rs

    cases = (
        ({"kind": "affine", "alpha": 1, "beta": 0, "interval": [0, 1]}, LINE, 1e-6),
        ({"kind": "piecewise linear", "x": [0, 0.5, 1], "y": [0.5, 0, 0.5]}, TENT, 1e-4),
    )
    rs.Study({"x": cases[1][0]}, [1], 2, [0.05], 5).run()
    begin = time.perf_counter()
    shares: list[tuple[float, float, float]] = []
    for problem, expected, success in cases:
        widths = [width for width, _, _ in expected]
        study = rs.Study({"x": problem}, widths, runs, [0.05], RUN_STEPS, success=success)
        risks = study.run(workers=2).dataset["risk"]
        for width, theory, margin in expected:
            share = float((risks.sel(width=width) <= success).mean())
            shares.append((share, theory, margin))
    return {"shares": shares, "seconds": time.perf_counter() - begin, "runs": runs}


def nothing(description: Mapping[str, object], index: int, *, device: str) -> Any:
    """Return a table of the size of a chunk, at once."""
    del description, index, device
    import numpy as np
    import pyarrow as pa

    return pa.table({name: pa.array(np.zeros(STARTS)) for name in ("risk", "norm", "steps")})


@contextmanager
def dask(workers: int) -> Generator[str]:
    """Start a scheduler and workers, as on a cluster; yield the address."""
    from distributed import Client

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    module = [sys.executable, "-m", "distributed.cli.dask_"]
    scheduler = ["--host", "127.0.0.1", "--port", port, "--no-dashboard"]
    # No nanny: killing the process ends it.
    worker = [address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    commands = [
        [*module[:2], f"{module[2]}scheduler", *scheduler],
        *[[*module[:2], f"{module[2]}worker", *worker]] * workers,
    ]
    paths = os.pathsep.join([str(ROOT), *(path for path in sys.path if path)])
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = os.environ | {"PYTHONPATH": paths} | threads
    running = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for command in commands
    ]
    try:
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)
        yield address
    finally:
        for process in running:
            process.kill()
            process.wait()


def summary(found: dict[str, list[float]]) -> dict[str, float]:
    """Return ratios of turns, and their medians: a slow moment hits all ways of a turn."""

    def median(top: str, bottom: str) -> float:
        return statistics.median(a / b for a, b in zip(found[top], found[bottom], strict=True))

    ratios = {"machine": 2.0 * median(LOOP, TWO_LOOPS)}
    for engine in ENGINES:
        ratios[f"{engine}, speed-up"] = median(f"{engine}, 1", f"{engine}, 2")
        ratios[f"{engine}, over the loop"] = median(f"{engine}, 1", LOOP) - 1.0
        beside = zip(found[f"{engine}, 1"], found[f"{engine}, 1: {BESIDE}"], strict=True)
        ratios[f"{engine}, overhead"] = statistics.median(b / (a - b) for a, b in beside)
    return ratios
