"""Dask: the same rows, few chunks at a time, versions, lost workers, silent schedulers."""

from __future__ import annotations

import gc
import socket
import time
from pathlib import Path

import pytest
from distributed.client import ClosedClientError
from distributed.comm import CommClosedError

import toy_tasks
from dask_runs import fake_slurm, scheduler_with, wait_until
from engine_runs import bits, expected, run
from fault_runs import free_port
from reluscape._version import __version__
from reluscape.errors import FileError, InputError
from reluscape.studies import cluster, dask_engine
from reluscape.studies.cluster import connected, read_cluster


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory):
    with scheduler_with(2, tmp_path_factory.mktemp("dask")) as found:
        yield found


def test_the_rows_are_the_same(address: str) -> None:
    description = {"seed": 7, "rows": 50, "third": 1 / 3}
    assert run("dask", description, toy_tasks.rows, scheduler=address) == expected(description)


def test_a_long_description_travels_too(address: str) -> None:
    description = {"seed": 7, "long": "x" * (dask_engine.SHORT + 1)}
    assert run("dask", description, toy_tasks.rows, scheduler=address) == expected(description)


def test_chunks_that_others_have_done_are_left_out(address: str) -> None:
    found = run("dask", {}, toy_tasks.rows, scheduler=address, wanted=lambda index: index % 2 == 0)
    assert found == expected({}, [0, 2, 4])


def test_one_warms_up_and_the_others_wait(address: str, tmp_path: Path) -> None:
    description = {"folder": str(tmp_path)}
    found = run(
        "dask", description, toy_tasks.after_warmth, scheduler=address, warm_up=toy_tasks.warm
    )
    assert found == expected(description)
    assert len(list(tmp_path.glob("warm-*"))) == 1


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("input", InputError, "the width is odd"),
        ("memory", InputError, "memory ran out in chunk 2 on a Dask worker"),
        ("disk", OSError, "No space left"),
        ("bug", ZeroDivisionError, "a bug"),
    ],
)
def test_errors_of_a_task_stop_the_study(address: str, kind: str, error, message: str) -> None:
    with pytest.raises(error, match=message):
        run("dask", {"kind": kind}, toy_tasks.wrong, scheduler=address)


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("_gather", CommClosedError),
        ("submit", ClosedClientError),
        ("nthreads", CommClosedError),
        ("nthreads", TimeoutError),
    ],
)
def test_a_lost_scheduler_is_one_sentence_wherever_it_shows(
    address: str, monkeypatch, method: str, error
) -> None:
    from distributed import Client

    def fail(*args, **kwargs):
        raise error("the connection is lost")

    monkeypatch.setattr(Client, method, fail)
    with pytest.raises(InputError, match=f"scheduler at {address} went away; what is finished is"):
        run("dask", {}, toy_tasks.rows, scheduler=address)


def test_a_scheduler_that_is_lost_as_it_answers_is_an_error(address: str, monkeypatch) -> None:
    from distributed import Client

    def fail(*args, **kwargs):
        raise CommClosedError("the connection is lost")

    monkeypatch.setattr(Client, "get_versions", fail)
    with pytest.raises(InputError, match=f"no Dask scheduler answers at {address}"):
        run("dask", {}, toy_tasks.rows, scheduler=address)


def test_few_chunks_are_with_dask_at_a_time(address: str) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as observer:
        most = []

        def deliver(index: int, table) -> None:
            tasks = observer.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
            most.append(tasks)

        dask_engine_run(address, deliver, 60)
    assert len(most) == 60
    assert max(most) <= dask_engine.IN_FLIGHT * 2


def dask_engine_run(address: str, deliver, chunks: int) -> None:
    from reluscape.studies.engine import run_chunks

    run_chunks("dask", {}, range(chunks), deliver, scheduler=address, task=toy_tasks.rows)


def test_seconds_of_processor_are_counted(address: str) -> None:
    from reluscape.studies.engine import run_chunks

    worked = run_chunks(
        "dask",
        {"seconds": 0.2},
        range(4),
        lambda index, table: None,
        scheduler=address,
        task=toy_tasks.busy,
    )
    # Between the chunks a worker has a little to do for Dask.
    assert worked is not None
    assert 0.8 <= worked < 1.6


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (cluster, f"the Dask scheduler runs reluscape {__version__} and this is 9.9.9"),
        (dask_engine, f"a Dask worker runs reluscape {__version__} and this is 9.9.9"),
    ],
)
def test_another_version_is_refused(address: str, monkeypatch, module, message: str) -> None:
    monkeypatch.setattr(module, "__version__", "9.9.9")
    with pytest.raises(InputError, match=message):
        run("dask", {}, toy_tasks.rows, scheduler=address)


def test_places_without_reluscape_are_named() -> None:
    class Client:
        def get_versions(self, packages):
            there = {"packages": {"reluscape": __version__}}
            return {
                "scheduler": there,
                "workers": {"tcp://a:1": there, "tcp://b:2": {"packages": {"reluscape": None}}},
            }

    with pytest.raises(InputError, match="the Dask worker tcp://b:2 has no reluscape; install"):
        cluster._check_versions(Client())


def test_the_address_of_a_worker_is_refused(address: str) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        worker = next(iter(client.nthreads()))
    with pytest.raises(InputError, match=r"a Dask worker answers .* name the scheduler"):
        run("dask", {}, toy_tasks.rows, scheduler=worker)


@pytest.mark.parametrize("kind", ["closed", "silent"])
def test_a_scheduler_that_does_not_answer_is_an_error_within_ten_seconds(kind: str) -> None:
    with socket.socket() as listener:
        if kind == "silent":
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            port = listener.getsockname()[1]
        else:
            port = free_port()
        begun = time.monotonic()
        with pytest.raises(
            InputError, match=f"no Dask scheduler answers at tcp://127.0.0.1:{port}"
        ):
            run("dask", {}, toy_tasks.rows, scheduler=f"tcp://127.0.0.1:{port}")
        assert time.monotonic() - begun < 10.0


@pytest.mark.parametrize("text", ["nonsense", "http://a:1", "tcp://a:b"])
def test_what_is_no_address_is_refused_at_once(text: str) -> None:
    begun = time.monotonic()
    with pytest.raises(InputError, match=text):
        run("dask", {}, toy_tasks.rows, scheduler=text)
    assert time.monotonic() - begun < 5.0


def test_waiting_for_workers_is_said(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def progress(text: str, fraction: float) -> None:
        if "waiting for workers" in text:
            raise Enough

    with scheduler_with(0, tmp_path) as lonely, pytest.raises(Enough):
        run("dask", {}, toy_tasks.rows, scheduler=lonely, progress=progress)


def test_this_machine_is_a_cluster_and_the_dashboard_is_told(tmp_path: Path) -> None:
    """One worker dies in the middle; Dask replaces it."""
    notes: list[str] = []
    description = {"deadly": 3, "once": str(tmp_path / "died"), "sleep": 0.05}
    found = run(
        "dask",
        description,
        toy_tasks.deadly,
        workers=2,
        progress=lambda text, fraction: notes.append(text),
    )
    assert found == expected(description)
    assert (tmp_path / "died").exists()
    assert notes[0].startswith("dashboard: http://127.0.0.1:")
    assert notes[-1].startswith("6 of 6 chunks")


def test_a_chunk_that_kills_its_workers_stops_the_study(tmp_path: Path) -> None:
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        pytest.raises(InputError, match="all Dask workers that were given chunk 0 ended"),
    ):
        run("dask", {"deadly": 0}, toy_tasks.deadly, indices=[0], workers=1)


SLURM = """
[slurm]
jobs = 1
cores = 2
memory = "2 GB"
processes = 2
log_directory = "{folder}/logs"
"""


def test_slurm_starts_the_workers(tmp_path: Path, monkeypatch) -> None:
    """The commands `sbatch` and `scancel` are ours; all else is as on a cluster."""
    for name, value in fake_slurm(tmp_path).items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "cluster.toml"
    path.write_text(SLURM.format(folder=tmp_path))
    found = run("dask", {"seed": 1}, toy_tasks.rows, cluster=str(path))
    assert found == expected({"seed": 1})
    scripts = list(tmp_path.glob("job.*"))
    assert len(scripts) == 1
    assert "--nworkers 2" in scripts[0].read_text()
    assert wait_until(lambda: list(tmp_path.glob("ended.*")))


def test_without_slurm_a_cluster_is_refused(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "cluster.toml"
    path.write_text(SLURM.format(folder=tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="there is no command 'sbatch' here"):
        run("dask", {}, toy_tasks.rows, cluster=str(path))


def test_what_slurm_refuses_is_said(tmp_path: Path, monkeypatch) -> None:
    for name, value in fake_slurm(tmp_path).items():
        monkeypatch.setenv(name, value)
    refusal = "#!/bin/sh\necho 'sbatch: error: invalid partition specified: moon' >&2\nexit 1\n"
    (tmp_path / "sbatch").write_text(refusal)
    path = tmp_path / "cluster.toml"
    path.write_text(SLURM.format(folder=tmp_path))
    with pytest.raises(InputError, match=r"(?s)Slurm takes no job .*invalid partition.* moon"):
        run("dask", {}, toy_tasks.rows, cluster=str(path))
    # A cluster that was not closed would complain here.
    gc.collect()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no table \[slurm\]"),
        ("slurm = 3", r"no table \[slurm\]"),
        ("[slurn]", "unknown table 'slurn'"),
        (
            '[slurm]\njobs = 2\ncors = 1\nmemory = "1 GB"',
            "'cors' is unknown; did you mean 'cores'?",
        ),
        ('[slurm]\njobs = 0\ncores = 1\nmemory = "1 GB"', "jobs is 0; give a whole number >= 1"),
        ('[slurm]\njobs = true\ncores = 1\nmemory = "1 GB"', "jobs is True"),
        ("[slurm]\njobs = 1\ncores = 1\nmemory = 4", "memory is 4; give a text"),
        ('[slurm]\njob_extra_directives = ["a", 1]', "give a list of texts"),
        ("[slurm]\njobs = 1\ncores = 1", "needs 'memory'"),
    ],
)
def test_a_wrong_cluster_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "cluster.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        read_cluster(path)


@pytest.mark.parametrize("text", ["[slurm", "jobs = = 1", None])
def test_a_cluster_file_that_is_none_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "cluster.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FileError, match="is no TOML" if text else "cannot read"):
        read_cluster(path)


def test_all_settings_are_known_to_dask_jobqueue() -> None:
    """Their names come from its documentation; a later version may rename one."""
    import inspect

    from dask_jobqueue.core import Job
    from dask_jobqueue.slurm import SLURMJob

    known = {
        name for part in (Job, SLURMJob) for name in inspect.signature(part.__init__).parameters
    }
    assert set(cluster.SETTINGS) - {"jobs", "scheduler_options"} <= known


def test_dask_that_is_not_installed_is_said(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'reluscape\[dask\]'"), connected():
        pass


def test_bits_tell_rows_apart() -> None:
    assert bits(toy_tasks.rows({}, 0)) != bits(toy_tasks.rows({}, 1))
