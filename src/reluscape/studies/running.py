"""Running a study: what is missing is computed, kept, and laid out."""

# PyArrow ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reluscape.errors import FileError, InputError
from reluscape.studies.dataset import StudyArrays
from reluscape.studies.memory import require_memory
from reluscape.studies.result import Cost, StudyResult
from reluscape.studies.study import Study
from reluscape.training.devices import require

if TYPE_CHECKING:
    import pyarrow as pa

    from reluscape.studies.store import Store


def run_study(
    study: Study,
    store: str | os.PathLike[str] | None,
    engine: str,
    *,
    workers: int | None,
    scheduler: str | None,
    cluster: str | os.PathLike[str] | None,
    progress: Callable[[str, float], object] | bool | None,
    device: Literal["cpu", "cuda"] | None,
) -> StudyResult:
    """Run what a store does not hold yet; see `Study.run`.

    Returns
    -------
    StudyResult

    Raises
    ------
    InputError
        If the results need more memory than there is, or options do not go together.
    FileError
        If the store holds another study.
    """
    from reluscape.studies.engine import run_chunks
    from reluscape.studies.on_gpu import run_on_gpu
    from reluscape.studies.progress import Pace, showing
    from reluscape.studies.store import Store
    from reluscape.studies.tasks import run_chunk, warm_up

    require_memory(study)
    chosen = device_of(study, device)
    plan, description = study.plan, study.describe()
    arrays = StudyArrays(study)
    kept: Store | None = None
    if store is None:
        indices = list(range(plan.chunks))
    else:
        kept = Store.create_or_open(store, description, study.digest, plan.chunks)
        _take(kept, arrays)
        indices = kept.queue()
    steps = 0

    def deliver(index: int, table: pa.Table) -> None:
        nonlocal steps
        if kept is not None:
            kept.write(index, table)
        before = arrays.network_steps_of(index)
        arrays.add(index, table)
        steps += arrays.network_steps_of(index) - before

    begun = time.perf_counter()
    weights = [plan.seconds_of(index) for index in indices]
    sizes = [plan.chunk(index).count * study.steps for index in indices]

    def wanted(index: int) -> bool:
        return kept is None or not kept.has(index)

    with showing(progress) as shown:
        if chosen == "cuda" and engine in ("inline", "processes"):
            # One process feeds the device.
            pace = Pace(indices, weights, sizes, shown)
            worked = run_on_gpu(plan, indices, deliver, pace, wanted)
        else:
            worked = run_chunks(
                engine,
                description,
                indices,
                deliver,
                workers=workers,
                scheduler=scheduler,
                cluster=None if cluster is None else os.fspath(cluster),
                device=chosen,
                progress=shown,
                weights=weights,
                network_steps=sizes,
                wanted=wanted,
                task=run_chunk,
                warm_up=warm_up,
            )
    cost = Cost(time.perf_counter() - begun, worked, steps, engine, chosen)
    if kept is not None:
        # What others have computed for the same store in the meantime.
        _take(kept, arrays)
    return StudyResult(study, arrays.dataset(), None if store is None else Path(store), cost)


def open_study(path: str | os.PathLike[str]) -> StudyResult:
    """Open the results in a store, complete or not, without running anything.

    Parameters
    ----------
    path : str or path-like
        A directory that `Study.run` filled.

    Returns
    -------
    StudyResult

    Raises
    ------
    FileError
        If there is no store, or it is damaged or of another version.
    InputError
        If its results need more memory than there is.
    """
    from reluscape.studies.store import Store

    kept = Store.open(path)
    study = Study.from_description(kept.description)
    if study.digest != kept.digest:
        raise FileError(
            f"the description in {os.fspath(path)} is not the one that its results belong to; "
            "copy study.json from a backup."
        )
    require_memory(study)
    arrays = StudyArrays(study)
    _take(kept, arrays)
    return StudyResult(study, arrays.dataset(), Path(path))


def _take(kept: Store, arrays: StudyArrays) -> None:
    """Read from a store all chunks that are sound and not here yet."""
    for index in kept.present():
        if index not in arrays:
            # A damaged one is put aside as it is read, and missing from then on.
            with suppress(FileError):
                arrays.add(index, kept.read(index))


def device_of(study: Study, device: str | None) -> Literal["cpu", "cuda"]:
    """Return the device that a study runs on.

    Parameters
    ----------
    study : Study
    device : {"cpu", "cuda"} or None
        None for the one that the precision asks for.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If there is no such device, or the precision is for another one.
    """
    if device not in (None, "cpu", "cuda"):
        raise InputError(f'device is {device!r}; use "cpu" or "cuda".')
    if study.precision == "float32" and device == "cpu":
        raise InputError(
            'precision "float32" is for CUDA, and the device is "cpu"; use "float64" there, which '
            'is as fast, or device="cuda".'
        )
    found = "cuda" if device == "cuda" or study.precision == "float32" else "cpu"
    require(found, study.precision)
    return found
