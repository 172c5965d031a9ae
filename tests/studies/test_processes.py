"""Engines without Dask: the same rows, lost workers, errors, and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import toy_tasks
from engine_runs import expected, run
from reluscape.errors import InputError
from reluscape.studies.engine import run_chunks


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if child.is_running()]


@pytest.mark.parametrize(
    ("engine", "options"),
    [("inline", {}), ("processes", {"workers": 1}), ("processes", {"workers": 3})],
)
def test_the_rows_are_the_same_on_every_engine(engine: str, options) -> None:
    before = len(children())
    description = {"seed": 7, "rows": 50, "third": 1 / 3}
    assert run(engine, description, toy_tasks.rows, **options) == expected(description)
    assert len(children()) == before


def test_what_a_library_prints_does_no_harm() -> None:
    assert run("processes", {}, toy_tasks.noisy, workers=1) == expected({})


def test_nothing_to_do_is_done_at_once() -> None:
    begun = time.monotonic()
    assert run("processes", {}, toy_tasks.rows, indices=[]) == {}
    assert time.monotonic() - begun < 1.0


def test_seconds_of_processor_are_counted() -> None:
    def deliver(index: int, table) -> None:
        pass

    for engine in ("inline", "processes"):
        worked = run_chunks(
            engine, {"seconds": 0.3}, range(2), deliver, workers=1, task=toy_tasks.busy
        )
        # The task asks its own clock, which is read once more after it.
        assert worked is not None
        assert 0.6 <= worked < 1.2


def test_chunks_that_others_have_done_are_left_out() -> None:
    asked: list[int] = []

    def wanted(index: int) -> bool:
        asked.append(index)
        return index % 2 == 0

    for engine in ("inline", "processes"):
        asked.clear()
        found = run(engine, {}, toy_tasks.rows, wanted=wanted, workers=1)
        assert found == expected({}, [0, 2, 4])
        assert asked == list(range(6))


def test_a_killed_worker_costs_its_chunk_only(tmp_path: Path) -> None:
    notes: list[str] = []
    description = {"deadly": 2, "once": str(tmp_path / "died")}
    found = run(
        "processes",
        description,
        toy_tasks.deadly,
        workers=2,
        progress=lambda text, fraction: notes.append(text),
    )
    assert found == expected(description)
    assert sum("a worker was lost (SIGKILL" in note for note in notes) == 1


def test_a_chunk_that_kills_its_workers_stops_the_study() -> None:
    delivered: list[int] = []
    with pytest.raises(InputError, match=r"chunk 2 ended 3 worker processes .* SIGKILL.*is kept"):
        run_chunks(
            "processes",
            {"deadly": 2},
            range(4),
            lambda index, table: delivered.append(index),
            workers=1,
            task=toy_tasks.deadly,
        )
    assert delivered == [0, 1]
    assert children() == []


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("input", InputError, "^the width is odd; give an even one.$"),
        ("memory", InputError, "memory ran out in chunk 2; use fewer workers"),
        (
            "bug",
            RuntimeError,
            "(?s)chunk 2 failed in a worker.*toy_tasks.*ZeroDivisionError: a bug",
        ),
    ],
)
def test_errors_of_a_task_stop_the_study(kind: str, error, message: str) -> None:
    with pytest.raises(error, match=message):
        run("processes", {"kind": kind}, toy_tasks.wrong, workers=2)
    assert children() == []


def test_one_warms_up_and_the_others_wait(tmp_path: Path) -> None:
    description = {"folder": str(tmp_path)}
    found = run("processes", description, toy_tasks.after_warmth, workers=3, warm_up=toy_tasks.warm)
    assert found == expected(description)
    assert len(list(tmp_path.glob("warm-*"))) == 1


def test_a_task_that_others_cannot_import_is_refused() -> None:
    with pytest.raises(InputError, match="put it at the top of a module"):
        run("processes", {}, lambda description, index, device: None)


@pytest.mark.parametrize(
    ("engine", "options", "message"),
    [
        ("spark", {}, "engine is 'spark'; choose from 'inline', 'processes', 'dask'"),
        ("processes", {"scheduler": "tcp://a:1"}, "say engine='dask'"),
        ("inline", {"cluster": "a.toml"}, "say engine='dask'"),
        ("dask", {"scheduler": "tcp://a:1", "cluster": "a.toml"}, "leave one of them out"),
        ("dask", {"scheduler": "tcp://a:1", "workers": 2}, "leave `workers` out"),
        ("processes", {"workers": 0}, "workers is 0"),
    ],
)
def test_calls_that_make_no_sense_are_refused(engine: str, options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(engine, {}, toy_tasks.rows, **options)


CLIENT = """
import sys, toy_tasks
from reluscape.studies.engine import run_chunks
from reluscape.studies.store import Store
store = Store.create_or_open(sys.argv[1], {"sleep": 30.0}, "abc", 4)
run_chunks(
    "processes", {"sleep": float(sys.argv[2])}, store.queue(), store.write, workers=2,
    task=toy_tasks.rows, progress=lambda text, fraction: print(text, flush=True),
)
"""


def started(folder: Path, sleep: float) -> subprocess.Popen:
    # Not under a guard for __main__, as users write scripts.
    path = folder / "script.py"
    path.write_text(CLIENT)
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, str(path), str(folder / "store"), str(sleep)]
    return subprocess.Popen(command, env=paths, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("way", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_workers_end_with_the_study(tmp_path: Path, way: str) -> None:
    client = started(tmp_path, 30.0)
    crew: list[psutil.Process] = []
    until = time.monotonic() + 30.0
    while len(crew) < 2 and time.monotonic() < until:
        time.sleep(0.05)
        crew = psutil.Process(client.pid).children()
    # In the middle of a chunk.
    time.sleep(1.0)
    client.send_signal(getattr(signal, way))
    begun = time.monotonic()
    client.communicate(timeout=10.0)
    _, alive = psutil.wait_procs(crew, timeout=5.0)
    assert alive == []
    assert time.monotonic() - begun < 5.0
    again = started(tmp_path, 0.0)
    _, said = again.communicate(timeout=60.0)
    assert again.returncode == 0, said
    assert len(list((tmp_path / "store" / "chunks").iterdir())) == 4
