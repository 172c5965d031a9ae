"""One chunk of a study: from a description and a number to a table, and nothing else."""

# PyArrow ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.landscape.verdict import classify
from reluscape.networks.activations import Activation
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.line import zero_is_active
from reluscape.problems.samples import Samples
from reluscape.studies.begin import keys_of, parameters_of
from reluscape.studies.checks import choice
from reluscape.studies.description import FORMAT
from reluscape.studies.plan import Chunk
from reluscape.studies.plateaus import MOST_WATCHED, NEAR, Level, levels_at, levels_of
from reluscape.studies.study import Study
from reluscape.training.ensemble import EnsembleRun, run_ensemble
from reluscape.training.optimisers import StochasticGradientDescent
from reluscape.training.polish import polish

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]

# Codes of the columns `outcome` and `verdict`; -1 is none.
OUTCOMES = ("finished", "diverged")
VERDICTS = ("not critical", "global minimum", "local minimum", "saddle", "undecided")
# Studies that a worker keeps, so that not every chunk reads the same data again.
_KEPT = 2


def run_chunk(description: Mapping[str, object], index: int, *, device: str = "cpu") -> pa.Table:
    """Run one chunk of a study.

    Parameters
    ----------
    description : mapping
        What `Study.describe` returns.
    index : int
        Of the chunk in `Study.plan`.
    device : {"cpu", "cuda"}

    Returns
    -------
    pyarrow.Table
        One row a run, in order of `start`: see `columns_of`. The same arguments give the same
        bytes, wherever and whenever.

    Raises
    ------
    InputError
        If the description or the number is wrong, or there is no such device.
    FileError
        If the description names a file that is missing or has changed.

    Examples
    --------
    >>> from reluscape import Interval, Study, affine
    >>> study = Study({"x": Interval(affine(1, 0), 0, 1)}, [1], 2, [0.1], 5)
    >>> run_chunk(study.describe(), 0)["steps"].to_pylist()
    [5, 5]
    """
    return run_together(description, [index], device=device)[0]


def run_together(
    description: Mapping[str, object], indices: Sequence[int], *, device: str = "cpu"
) -> list[pa.Table]:
    """Run some chunks of one cell at once, as a graphics processor likes it.

    Parameters
    ----------
    description : mapping
    indices : sequence of int
        Of chunks that differ by their starts alone.
    device : {"cpu", "cuda"}

    Returns
    -------
    list of pyarrow.Table
        What `run_chunk` returns for each of them.

    Raises
    ------
    InputError
        If the chunks are not of one cell; and as `run_chunk`.
    """
    study = _study(_Read(_frozen(description), description))
    chunks = [study.plan.chunk(index) for index in indices]
    if len({chunk.cell for chunk in chunks}) != 1:
        raise InputError("the chunks are of several cells; run those of one cell together.")
    first = chunks[0]
    problem = study.built[first.problem]
    levels = levels_of(problem, first.width, first.activation.slope, skip=study.skip)
    drawn = [_starts(study, chunk) for chunk in chunks]
    keys = [_keys(study, chunk) for chunk in chunks]
    waited_for = study.waited_for
    near = np.array([level.risk for level in levels[:MOST_WATCHED]])
    batched = isinstance(first.optimiser, StochasticGradientDescent)
    done = run_ensemble(
        problem,
        np.concatenate(drawn),
        step_size=first.step_size,
        steps=study.steps,
        optimiser=first.optimiser,
        skip=study.skip,
        activation=first.activation,
        at_zero=study.at_zero,
        records=study.recorded,
        thresholds=(*waited_for, *(near * (1.0 + NEAR)), *(near * (1.0 - NEAR))),
        monitor_every=study.monitor_every,
        keys=np.concatenate(keys) if batched else None,
        # A GPU leaves the processors to the exact risks.
        threads=1 if device == "cpu" else None,
        device=_device(device),
        precision=study.precision,
    )
    ends = np.cumsum([chunk.count for chunk in chunks])
    return [
        _table(study, chunk, problem, levels, done, slice(int(end) - chunk.count, int(end)), device)
        for chunk, end in zip(chunks, ends, strict=True)
    ]


def warm_up(description: Mapping[str, object], *, device: str = "cpu") -> None:
    """Make the compiled loops ready that a study needs.

    Parameters
    ----------
    description : mapping
    device : {"cpu", "cuda"}

    Raises
    ------
    InputError
        As `run_chunk`.
    """
    study = _study(_Read(_frozen(description), description))
    for problem in study.built.values():
        for rule in study.rules:
            start = np.zeros((1, 4 + study.skip))
            keys = np.zeros(1, np.uint64)
            run_ensemble(
                problem,
                start,
                step_size=1.0,
                steps=1,
                optimiser=rule,
                skip=study.skip,
                keys=keys if isinstance(rule, StochasticGradientDescent) else None,
                threads=1,
                device=_device(device),
                precision=study.precision,
            )


def _device(name: str) -> Literal["cpu", "cuda"]:
    return cast('Literal["cpu", "cuda"]', choice("device", name, ("cpu", "cuda")))


@dataclass(frozen=True)
class _Read:
    """A description by which a study is found again; long texts cost nothing, being the same."""

    frozen: Hashable
    description: Mapping[str, object] = field(compare=False)


def _frozen(value: object) -> Hashable:
    """Return what tells plain values apart, 1 and 1.0 as well as 0.0 and -0.0."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        table = cast("Mapping[str, object]", value)
        return tuple((key, _frozen(entry)) for key, entry in table.items())
    if isinstance(value, list | tuple):
        return (None, *map(_frozen, cast("Sequence[object]", value)))
    return type(value), repr(value)


@lru_cache(maxsize=_KEPT)
def _study(read: _Read) -> Study:
    return Study.from_description(read.description)


def _starts(study: Study, chunk: Chunk) -> Floats:
    problem = study.built[chunk.problem]
    blocks = [
        parameters_of(
            study.seed,
            chunk.problem,
            problem,
            chunk.width,
            chunk.initialisation,
            chunk.activation,
            study.skip,
            block,
        )
        for block in chunk.blocks
    ]
    return np.concatenate(blocks)[: chunk.count]


def _keys(study: Study, chunk: Chunk) -> NDArray[np.uint64]:
    blocks = [
        keys_of(study.seed, chunk.width, chunk.initialisation, block) for block in chunk.blocks
    ]
    return np.concatenate(blocks)[: chunk.count]


def _table(
    study: Study,
    chunk: Chunk,
    problem: Interval | Samples,
    levels: tuple[Level, ...],
    done: EnsembleRun,
    part: slice,
    device: str,
) -> pa.Table:
    import pyarrow as pa

    risks, parameters = done.risks[part], done.parameters[part]
    balanced, slopes = _norms(study, chunk.activation, problem, parameters)
    waiting, watched = len(study.waited_for), min(len(levels), MOST_WATCHED)
    times = done.times[part]
    entered = times[:, waiting : waiting + watched]
    left = times[:, waiting + watched :]
    columns: dict[str, pa.Array] = {
        "start": _column(np.arange(chunk.first, chunk.first + chunk.count, dtype=np.int64)),
        "risk": _column(risks),
        "initial_risk": _column(done.initial_risks[part]),
        "norm": _column(balanced),
        "gradient_norm": _column(slopes),
        "steps": _column(done.steps[part]),
        "outcome": _column(done.diverged[part].astype(np.int8)),
        "level": _column(levels_at(risks, levels, study.success_of(chunk.problem))),
        "records": _lists(done.records[part]),
    }
    if waiting:
        columns["times"] = _lists(times[:, :waiting])
    if study.plateaus:
        columns["entered"] = _lists(_padded(entered, study.plateaus))
        columns["left"] = _lists(_padded(left, study.plateaus))
    if study.verdicts != "none":
        columns |= _verdicts(study, chunk.activation, problem, parameters, done.diverged[part])
    if study.keep_networks:
        columns["parameters"] = _lists(parameters)
    metadata = {
        "digest": study.digest,
        "chunk": str(chunk.index),
        "rows": str(chunk.count),
        "format": str(FORMAT),
        "device": device,
    }
    return pa.table(columns).replace_schema_metadata(metadata)


def _verdicts(
    study: Study,
    activation: Activation,
    problem: Interval | Samples,
    parameters: Floats,
    diverged: NDArray[np.bool_],
) -> dict[str, pa.Array]:
    codes = np.full(len(parameters), -1, np.int8)
    risks = np.full(len(parameters), np.nan)
    polished = study.verdicts == "polished"
    for i in np.flatnonzero(~diverged):
        judged = network = Network.from_vector(parameters[i], 1, study.skip, activation)
        if polished:
            end = polish(problem, network)
            judged, risks[i] = end.network, end.risk
        codes[i] = VERDICTS.index(classify(problem, judged, at_zero=study.at_zero).kind)
    columns = {"verdict": _column(codes)}
    return columns | ({"polished_risk": _column(risks)} if polished else {})


def _norms(
    study: Study, activation: Activation, problem: Interval | Samples, parameters: Floats
) -> tuple[Floats, Floats]:
    """Return the balanced norms of networks, and those of their gradients."""
    from reluscape.kernels import ends

    # The kernel reads a slope of the skip connection from every row.
    theta = parameters if study.skip else np.pad(parameters, ((0, 0), (0, 1)))
    balanced, slopes = np.empty(len(theta)), np.empty(len(theta))
    active = zero_is_active(study.at_zero)
    table = problem.moments.table
    ends.norms(theta, study.skip, activation.slope, active, table, balanced, slopes)
    return _finite(balanced), _finite(slopes)


def _finite(values: Floats) -> Floats:
    # Of runs that have diverged they may be beyond the largest float.
    return np.where(np.isfinite(values), values, np.nan)


def _padded(times: NDArray[np.int64], columns: int) -> NDArray[np.int64]:
    found = np.full((len(times), columns), -1, np.int64)
    found[:, : times.shape[1]] = times
    return found


def _column(values: NDArray[np.float64] | NDArray[np.signedinteger]) -> pa.Array:
    """Wrap an array as it is; `pyarrow.array` would load pandas, which takes half a second."""
    import pyarrow as pa

    buffer = pa.py_buffer(np.ascontiguousarray(values).data)
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def _lists(rows: NDArray[np.float64] | NDArray[np.int64]) -> pa.Array:
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(_column(rows.reshape(-1)), rows.shape[1])
