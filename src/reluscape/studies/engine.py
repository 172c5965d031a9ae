"""The one entry to the engines that run the chunks of a study."""

from __future__ import annotations

from collections.abc import Sequence

from reluscape.errors import InputError
from reluscape.studies.progress import Pace, Progress
from reluscape.studies.work import Deliver, Description, Task, Wanted, WarmUp, Work, reference

ENGINES = ("inline", "processes", "dask")


def run_chunks(
    engine: str,
    description: Description,
    indices: Sequence[int],
    deliver: Deliver,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    cluster: str | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
    weights: Sequence[float] | None = None,
    network_steps: Sequence[float] | None = None,
    wanted: Wanted | None = None,
    task: Task | None = None,
    warm_up: WarmUp | None = None,
) -> float | None:
    """Compute chunks and deliver each one, in this process, as soon as it is there.

    Chunks come in any order. An error stops the run, and what was delivered before stays.

    Parameters
    ----------
    engine : {"inline", "processes", "dask"}
        In this process; in processes of this machine; on Dask.
    description : dict
        What JSON can hold: the first argument of the task.
    indices : sequence of int
        Of the chunks to compute.
    deliver : callable
        Called as `deliver(index, table)`.
    workers : int, optional
        Processes; by default one for every processor that this process may use. Not with a
        scheduler or a cluster, which have their own.
    scheduler : str, optional
        Address of a Dask scheduler, such as `tcp://10.0.0.1:8786`.
    cluster : str, optional
        A TOML file that describes a cluster, see `reluscape.studies.cluster`.
    device : {"cpu", "cuda"}
        Handed to the task.
    progress : callable, optional
        Called as `progress(message, fraction)`.
    weights : sequence of float, optional
        Expected seconds of each chunk: they make the time left true where chunks differ.
    network_steps : sequence of float, optional
        Of each chunk; without them progress tells no rate.
    wanted : callable, optional
        Asked as `wanted(index)` just before a chunk is given out; a chunk that another run has
        delivered to the same store in the meantime is left out.
    task : callable, optional
        A function at the top of a module, called as `task(description, index, device=device)`,
        whose result depends on nothing else; by default `reluscape.studies.tasks.run_chunk`.
    warm_up : callable, optional
        Called as `warm_up(description, device=device)`, in one process before all others begin,
        so that they load what it has compiled.

    Returns
    -------
    float or None
        Seconds of processor that the chunks took, over all workers; None if not known.

    Raises
    ------
    InputError
        If the engine or its settings are wrong, a scheduler does not answer or goes away, or a
        chunk ends its worker again and again.
    """
    if engine not in ENGINES:
        raise InputError(f"engine is {engine!r}; choose from {', '.join(map(repr, ENGINES))}.")
    if engine != "dask" and (scheduler is not None or cluster is not None):
        raise InputError("a scheduler or a cluster is for Dask; say engine='dask' as well.")
    if scheduler is not None and cluster is not None:
        raise InputError("a scheduler and a cluster are given; leave one of them out.")
    if workers is not None and (scheduler is not None or cluster is not None):
        raise InputError("a scheduler or a cluster has its own workers; leave `workers` out.")
    if workers is not None and workers < 1:
        raise InputError(f"workers is {workers!r}; give a whole number >= 1.")
    work = Work(description, *_names(task, warm_up), device)
    pace = Pace(indices, weights, network_steps, progress)
    wants = wanted or _always
    if engine == "inline":
        from reluscape.studies.inline import run_inline

        return run_inline(work, indices, deliver, pace, wants)
    if engine == "processes":
        from reluscape.studies.processes import run_processes

        return run_processes(work, indices, deliver, pace, wants, workers)
    from reluscape.studies.dask_engine import run_dask

    return run_dask(work, indices, deliver, pace, wants, workers, scheduler, cluster)


def _names(task: Task | None, warm_up: WarmUp | None) -> tuple[str, str]:
    if task is None:
        return "reluscape.studies.tasks:run_chunk", "" if warm_up is None else reference(warm_up)
    return reference(task), "" if warm_up is None else reference(warm_up)


def _always(index: int) -> bool:
    del index
    return True
