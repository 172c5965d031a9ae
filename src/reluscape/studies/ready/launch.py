"""Running a ready study from its name."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from reluscape.errors import InputError
from reluscape.networks.arrays import is_whole
from reluscape.studies.ready import convergence, convergence_sheets, saddles, traps, widths
from reluscape.studies.ready.sheets import ReadyStudy
from reluscape.studies.study import Study

if TYPE_CHECKING:
    import xarray as xr

Progress = Callable[[str, float], None]

TITLES = {
    "convergence": "Gradient descent on piecewise affine targets: how often, from how many starts, "
    "and how fast it finds a global minimum (S1)",
    "saddles": "Gradient descent on an affine target: at which critical levels it ends, and how "
    "it escapes (S2)",
    "traps": "Gradient descent on a target with a continuum of local minima: how often it is "
    "trapped (S3)",
    "widths": "The best of many descents beside the certified optimum",
}
_DECLARE = {
    "convergence": convergence.declare,
    "saddles": saddles.declare,
    "traps": traps.declare,
    "widths": widths.declare,
}
# With `quick`: enough to see what a study shows.
QUICK_STARTS = 256
# Below it most shares have no digit that means anything, and no best of ten is seen.
LEAST_STARTS = 10


def declare(
    name: str,
    *,
    starts: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    quick: bool = False,
) -> Study:
    """Return the study that a ready study runs.

    Parameters
    ----------
    name : {"convergence", "saddles", "traps", "widths"}
    starts, steps : int, optional
        Instead of the study's own.
    seed : int
    quick : bool
        Whether to make do with few starts.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        If there is no such study, or a number is out of range.

    Examples
    --------
    >>> declare("traps", starts=100).plan.runs
    500
    """
    if name not in _DECLARE:
        raise InputError(f"there is no study {name!r}; choose from {', '.join(_DECLARE)}.")
    settings: dict[str, int] = {"seed": seed}
    if quick:
        settings["starts"] = QUICK_STARTS
    for key, value, least in (("starts", starts, LEAST_STARTS), ("steps", steps, 1)):
        if value is None:
            continue
        if not is_whole(value) or value < least:
            raise InputError(f"{key} is {value!r}; a ready study needs at least {least}.")
        settings[key] = value
    return _DECLARE[name](**settings)


def ready_study(
    name: str,
    *,
    starts: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    quick: bool = False,
    store: str | os.PathLike[str] | None = None,
    engine: Literal["inline", "processes", "dask"] = "processes",
    workers: int | None = None,
    scheduler: str | None = None,
    cluster: str | os.PathLike[str] | None = None,
    progress: Progress | bool | None = None,
    device: Literal["cpu", "cuda"] | None = None,
) -> ReadyStudy:
    """Measure what a paper says of gradient descent: tables, a figure, and what it cost.

    Parameters
    ----------
    name : {"convergence", "saddles", "traps", "widths"}
        How often descent finds a global minimum, and how fast (S1); at which critical levels it
        ends (S2); how often it is trapped (S3); the best of many runs beside the certified optimum.
    starts : int, optional
        Runs of each combination, at least 10.
    steps : int, optional
        Of each run.
    seed : int
    quick : bool
        Whether to make do with few starts.
    store, engine, workers, scheduler, cluster, progress, device
        As for `Study.run`.

    Returns
    -------
    ReadyStudy

    Raises
    ------
    InputError
        If there is no such study, or an option is wrong.
    FileError
        If the store holds another study.

    Examples
    --------
    >>> found = ready_study("traps", starts=10, steps=20, engine="inline")
    >>> found.summary["fate_count"].sum().item(), [sheet.headings[0] for sheet in found.sheets]
    (50, ['width', 'width'])
    """
    begun = time.perf_counter()
    study = declare(name, starts=starts, steps=steps, seed=seed, quick=quick)
    result = study.run(
        store,
        engine,
        workers=workers,
        scheduler=scheduler,
        cluster=cluster,
        progress=progress,
        device=device,
    )
    told = progress if callable(progress) else None
    summary = _summary(name, study, result.dataset, told)
    told_by = {
        "convergence": convergence_sheets,
        "saddles": saddles,
        "traps": traps,
        "widths": widths,
    }
    return ReadyStudy(
        name,
        TITLES[name],
        told_by[name].sheets(summary),
        told_by[name].remarks(summary),
        summary,
        result,
        time.perf_counter() - begun,
        int(summary.attrs.get("network_steps", 0)),
    )


def _summary(name: str, study: Study, dataset: xr.Dataset, progress: Progress | None) -> xr.Dataset:
    if name == "widths":
        return widths.summarise(study, dataset, *widths.optima(study, progress))
    if progress is not None:
        progress("looking closer", 0.99)
    if name == "convergence":
        return convergence.summarise(study, dataset)
    if name == "saddles":
        return saddles.summarise(study, dataset)
    return traps.summarise(study, dataset)
