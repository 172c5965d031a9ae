"""Where Dask runs: a scheduler that is there, this machine, or Slurm through dask-jobqueue."""

# Distributed and dask-jobqueue are typed in part or not at all.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tomllib
from collections.abc import Awaitable, Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypedDict, cast

from reluscape._version import __version__
from reluscape.errors import FileError, InputError
from reluscape.studies.checks import nearest
from reluscape.studies.processes import processors

if TYPE_CHECKING:
    import distributed

# A scheduler that has not answered after so many seconds will not.
TIMEOUT = 6.0
_LOOK = 0.05

# Of the table [slurm]: dask-jobqueue's own names, and the type of each.
SETTINGS: Mapping[str, type] = {
    "jobs": int,
    "cores": int,
    "memory": str,
    "processes": int,
    "walltime": str,
    "queue": str,
    "account": str,
    "interface": str,
    "python": str,
    "local_directory": str,
    "log_directory": str,
    "job_cpu": int,
    "job_mem": str,
    "job_extra_directives": list,
    "job_directives_skip": list,
    "job_script_prologue": list,
    "worker_extra_args": list,
    "scheduler_options": dict,
}
# A free port for the dashboard: several studies may run beside each other.
_DEFAULTS = {"scheduler_options": {"dashboard_address": ":0"}}
_NEEDED = ("jobs", "cores", "memory")
_SAID = {int: "a whole number >= 1", str: "a text", list: "a list of texts", dict: "a table"}


@dataclass(frozen=True)
class Place:
    """A client, and where it is connected to.

    Attributes
    ----------
    client : distributed.Client
    address : str
        Of the scheduler.
    dashboard : str
        Link for a browser; empty if there is none.
    """

    client: object
    address: str
    dashboard: str


class _Versions(TypedDict):
    scheduler: Mapping[str, Mapping[str, str | None]]
    workers: Mapping[str, Mapping[str, Mapping[str, str | None]]]


class _Job(Protocol):
    """A job of workers: waiting for it asks Slurm, if nobody has."""

    status: object

    def __await__(self) -> Generator[object]: ...


class _Running(Protocol):
    """A cluster of Dask."""

    @property
    def scheduler_address(self) -> str:
        """Where workers and clients find it."""
        ...

    @property
    def workers(self) -> Mapping[str, _Job]:
        """The jobs by name."""
        ...

    def close(self) -> object:
        """Stop everything."""
        ...

    def scale(self, *, jobs: int) -> object:
        """Ask for so many jobs."""
        ...

    def sync(self, task: Callable[[], Awaitable[object]]) -> object:
        """Run something in the loop of the cluster."""
        ...


@contextmanager
def connected(
    workers: int | None = None, scheduler: str | None = None, cluster: str | None = None
) -> Generator[Place]:
    """Connect to Dask; what this starts, it also stops.

    Parameters
    ----------
    workers : int, optional
        Processes of a cluster on this machine; by default one a processor.
    scheduler : str, optional
        Address of a scheduler, such as `tcp://10.0.0.1:8786`.
    cluster : str, optional
        A TOML file with a table `[slurm]`, see `read_cluster`.

    Yields
    ------
    Place

    Raises
    ------
    InputError
        If Dask is not installed, the scheduler does not answer within 10 seconds, a version
        differs, or the cluster does not start.
    """
    try:
        import distributed
    except ImportError as problem:
        raise InputError(
            "the engine 'dask' needs more packages; install them: pip install 'reluscape[dask]'."
        ) from problem
    if scheduler is not None:
        with _quiet(), _reach(scheduler) as client:
            try:
                _check_versions(client)
            except OSError as problem:
                raise _no_answer(scheduler) from problem
            yield Place(client, scheduler, client.dashboard_link or "")
        return
    with (
        _quiet(),
        _start(workers, cluster) as running,
        distributed.Client(running, set_as_default=False) as client,
    ):
        yield Place(client, running.scheduler_address, client.dashboard_link or "")


@contextmanager
def _quiet() -> Generator[None]:
    """Keep back tracebacks of lost connections and refused jobs: the user gets one sentence."""
    loggers = [logging.getLogger(name) for name in ("distributed.client", "tornado.application")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _reach(address: str) -> Generator[distributed.Client]:
    from distributed import Client

    try:
        # A loop of its own in a thread of its own: a notebook has one running here.
        with ThreadPoolExecutor(1) as thread:
            kind = thread.submit(asyncio.run, _ask_what_it_is(address)).result()
        if kind != "Scheduler":
            raise InputError(f"a Dask {kind.lower()} answers at {address}; name the scheduler.")
        client = Client(address, timeout=TIMEOUT, set_as_default=False)
    except InputError:
        raise
    except ValueError as problem:
        raise InputError(
            f"{address!r} is no address of a Dask scheduler; such a one is tcp://10.0.0.1:8786."
        ) from problem
    except OSError as problem:
        raise _no_answer(address) from problem
    with client:
        yield client


def _no_answer(address: str) -> InputError:
    return InputError(
        f"no Dask scheduler answers at {address} within {TIMEOUT:g} seconds; check the address "
        "(such as tcp://10.0.0.1:8786), that it runs, and that no firewall is in between."
    )


async def _ask_what_it_is(address: str) -> str:
    """Return what answers: `Client` itself waits without end for a port that says nothing."""
    from distributed.comm.core import connect
    from distributed.security import Security

    async def ask() -> str:
        arguments = Security().get_connection_args("client")
        comm = await connect(address, TIMEOUT, True, None, **arguments)
        try:
            await comm.write({"op": "identity", "reply": True})
            return str(cast("Mapping[str, object]", await comm.read())["type"])
        finally:
            comm.abort()

    return await asyncio.wait_for(ask(), TIMEOUT)


def _check_versions(client: distributed.Client) -> None:
    found = cast("_Versions", client.get_versions(packages=["reluscape"]))
    places = {"the Dask scheduler": found["scheduler"]} | {
        f"the Dask worker {name}": about for name, about in found["workers"].items()
    }
    for place, about in places.items():
        # A place that did not answer in time says nothing; chunks are checked once more.
        version = about["packages"].get("reluscape") if about else __version__
        if version is None:
            raise InputError(
                f"{place} has no reluscape; install version {__version__} with dask and "
                "distributed there."
            )
        if version != __version__:
            raise InputError(
                f"{place} runs reluscape {version} and this is {__version__}; "
                "install the same version everywhere."
            )


@contextmanager
def _start(workers: int | None, cluster: str | None) -> Generator[_Running]:
    """Start a cluster, here or with Slurm."""
    if cluster is None:
        from distributed import LocalCluster

        made = partial(
            LocalCluster,
            n_workers=workers or processors(),
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            # What goes wrong on a worker comes back as an error.
            silence_logs=logging.CRITICAL,
        )
        jobs = None
    else:
        settings = read_cluster(cluster)
        if shutil.which("sbatch") is None:
            raise InputError(
                "there is no command 'sbatch' here; run the study where Slurm takes jobs, such as "
                "on the login node."
            )
        jobs = cast("int", settings.pop("jobs"))
        try:
            from dask_jobqueue.slurm import SLURMCluster
        except ImportError as problem:
            raise InputError(
                "a Slurm cluster needs dask-jobqueue; install it: pip install 'reluscape[dask]'."
            ) from problem
        made = partial(SLURMCluster, **settings)
    try:
        running = cast("Callable[[], _Running]", made)()
    except (OSError, RuntimeError, ValueError, TypeError) as problem:
        raise InputError(f"the Dask cluster does not start ({problem}).") from problem
    try:
        if jobs is not None:
            running.scale(jobs=jobs)
            try:
                running.sync(partial(_submitted, running, jobs))
            except (OSError, RuntimeError, ValueError) as problem:
                raise InputError(f"Slurm takes no job from {cluster} ({problem}).") from problem
        yield running
    finally:
        running.close()


async def _submitted(running: _Running, jobs: int) -> None:
    """Return when all jobs are in the queue, or raise what was said against one."""
    from distributed.core import Status

    while len(running.workers) < jobs:
        await asyncio.sleep(_LOOK)
    asked = list(running.workers.values())
    try:
        for job in asked:
            await job
    except BaseException:
        for job in asked:
            # Otherwise the cluster trips over it as it closes.
            if job.status == Status.created:
                job.status = Status.failed
        raise


def read_cluster(path: str | os.PathLike[str]) -> dict[str, object]:
    r"""Read how to ask Slurm for workers.

    The file has one table `[slurm]`. `jobs`, `cores` (of a job) and `memory` (of a job) must be
    there; a job starts one worker process a core unless `processes` says otherwise. The other
    settings are those of `dask_jobqueue.SLURMCluster`: walltime, queue, account, interface,
    python, local_directory, log_directory, job_cpu, job_mem, job_extra_directives,
    job_directives_skip, job_script_prologue, worker_extra_args, scheduler_options.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    dict

    Raises
    ------
    FileError
        If the file is missing, or no TOML.
    InputError
        If a setting is unknown, missing or of the wrong kind.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "cluster.toml"
    ...     _ = path.write_text('[slurm]\njobs = 2\ncores = 8\nmemory = "16 GB"')
    ...     settings = read_cluster(path)
    >>> settings["jobs"], settings["processes"], settings["memory"]
    (2, 8, '16 GB')
    """
    try:
        said = cast("dict[str, object]", tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except OSError as problem:
        raise FileError(f"cannot read {path} ({problem.strerror}).") from problem
    except ValueError as problem:
        raise FileError(f"{path} is no TOML ({problem}).") from problem
    for name in said:
        if name != "slurm":
            raise InputError(f"{path} has an unknown table {name!r}; there is only 'slurm'.")
    table = said.get("slurm")
    if not isinstance(table, dict):
        raise InputError(f"{path} has no table [slurm]; see docs/cluster.md for an example.")
    settings = cast("dict[str, object]", table)
    for name, value in settings.items():
        if name not in SETTINGS:
            raise InputError(f"{path}, [slurm]: {name!r} is unknown; {nearest(name, SETTINGS)}")
        kind = SETTINGS[name]
        right = type(value) is kind
        if kind is int and right:
            right = cast("int", value) >= 1
        if isinstance(value, list):
            right = right and all(isinstance(item, str) for item in cast("list[object]", value))
        if not right:
            raise InputError(f"{path}: {name} is {value!r}; give {_SAID[kind]}.")
    for name in _NEEDED:
        if name not in settings:
            raise InputError(f"{path}: [slurm] needs {name!r}, {_SAID[SETTINGS[name]]}.")
    return {**_DEFAULTS, "processes": settings["cores"], **settings}
