"""The results of a study for other programs: a table in CSV or Parquet, or NetCDF."""

# PyArrow ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, cast

import numpy as np

from reluscape.atomic import atomic_write
from reluscape.errors import FileError, InputError
from reluscape.studies.axes import activation_name, optimiser_name
from reluscape.studies.plan import Chunk
from reluscape.studies.running import open_study
from reluscape.studies.store import Store
from reluscape.studies.study import Study
from reluscape.studies.tasks import OUTCOMES, VERDICTS

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

KINDS = (".csv", ".parquet", ".nc")
# Rows that are held at a time.
_GROUP = 100_000
# NetCDF 3, which needs no library beside SciPy, has whole numbers of 32 bits only.
_LARGEST = 2**31 - 1


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> object:
        """Write some rows."""
        ...


def export_study(store: str | os.PathLike[str], target: str | os.PathLike[str]) -> int:
    r"""Write the results in a store, complete or not, to one file.

    A table has a row for each run that is there, with the settings of its cell; it is written part
    by part. Lists become columns: `risk_at_100`, `time_to_0.001`, `entered_1`, `left_1`,
    `parameter_0`. What did not happen (a threshold not reached, no level, no verdict) is an empty
    field. NetCDF holds the Dataset of the study.

    Parameters
    ----------
    store : str or path-like
        The folder of the study.
    target : str or path-like
        Ends in .csv, .parquet or .nc; appears whole or not at all.

    Returns
    -------
    int
        Number of runs written.

    Raises
    ------
    InputError
        If the name ends in something else; if the Dataset needs more memory than there is.
    FileError
        If there is no such store, a chunk is damaged, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from reluscape import Interval, Study, affine
    >>> study = Study({"x": Interval(affine(1, 0), 0, 1)}, [1], 2, [0.1], 5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(folder + "/store", engine="inline")
    ...     rows = export_study(folder + "/store", folder + "/runs.csv")
    ...     head = (Path(folder) / "runs.csv").read_text().split("\n")[0]
    >>> rows, head[:50]
    (2, '"problem","activation","width","initialisation","o')
    """
    path = Path(target)
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise InputError(f"{path} ends in {kind!r}; use one of {', '.join(KINDS)}.")
    if kind == ".nc":
        result = open_study(store)
        content = _netcdf(result.dataset)
        with _refusing(path), atomic_write(path) as handle:
            handle.write(content)
        return int(result.dataset.attrs["runs_done"])
    kept = Store.open(store)
    parts = _groups(Study.from_description(kept.description), kept)
    first = next(parts, None)
    if first is None:
        raise FileError(f"{kept.path} holds no results yet; run the study first.")
    rows = 0
    with (
        _refusing(path),
        atomic_write(path) as handle,
        _writer(kind, handle, first.schema) as writer,
    ):
        for part in chain([first], parts):
            writer.write_table(part)
            rows += part.num_rows
    return rows


@contextmanager
def _refusing(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as problem:
        raise FileError(f"cannot write {path} ({problem.strerror or problem}).") from problem


def _writer(kind: str, handle: IO[bytes], schema: pa.Schema) -> AbstractContextManager[_Writer]:
    if kind == ".csv":
        from pyarrow import csv

        return cast("AbstractContextManager[_Writer]", csv.CSVWriter(handle, schema))
    import pyarrow.parquet as pq

    return cast("AbstractContextManager[_Writer]", pq.ParquetWriter(handle, schema))


def _groups(study: Study, kept: Store) -> Iterator[pa.Table]:
    """Yield the rows of all chunks, many at a time."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for index in kept.present():
        waiting.append(_rows(study, study.plan.chunk(index), cast("pa.Table", kept.read(index))))
        if sum(part.num_rows for part in waiting) >= _GROUP:
            yield pa.concat_tables(waiting)
            waiting.clear()
    if waiting:
        yield pa.concat_tables(waiting)


def _rows(study: Study, chunk: Chunk, table: pa.Table) -> pa.Table:
    """Return the rows of a chunk with the settings of its cell, and columns for lists."""
    import pyarrow as pa

    many = table.num_rows
    cell = {
        "problem": chunk.problem,
        "activation": activation_name(chunk.activation),
        "width": chunk.width,
        "initialisation": chunk.initialisation.name,
        "optimiser": optimiser_name(chunk.optimiser),
        "step_size": chunk.step_size,
    }
    columns = {name: pa.array([value] * many) for name, value in cell.items()}
    names = {
        "records": [f"risk_at_{step}" for step in study.recorded],
        "times": [f"time_to_{risk!r}" for risk in study.waited_for],
        "entered": [f"entered_{slot}" for slot in range(1, 1 + study.plateaus)],
        "left": [f"left_{slot}" for slot in range(1, 1 + study.plateaus)],
        "parameters": [f"parameter_{i}" for i in range(3 * max(study.widths) + 1 + study.skip)],
    }
    words = {"outcome": OUTCOMES, "verdict": VERDICTS}
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if name in names:
            columns |= _spread(column, names[name])
        elif name in words:
            said = [words[name][code] if code >= 0 else None for code in column.to_pylist()]
            columns[name] = pa.array(said, pa.string())
        else:
            columns[name] = _absent(column) if name == "level" else column
    return pa.table(columns)


def _spread(lists: pa.Array, names: list[str]) -> dict[str, pa.Array]:
    """Return a column for each place of lists of one length; places that they lack are empty."""
    import pyarrow as pa

    flat = lists.flatten()
    many = len(flat) // len(lists)
    found = {
        name: _absent(flat.take(pa.array(range(i, len(flat), many))))
        for i, name in enumerate(names[:many])
    }
    return found | {name: pa.nulls(len(lists), flat.type) for name in names[many:]}


def _absent(column: pa.Array) -> pa.Array:
    """Return whole numbers with empty fields for -1, which says that something did not happen."""
    import pyarrow as pa

    if not pa.types.is_integer(column.type):
        return column
    values = column.to_numpy(zero_copy_only=False)
    return pa.array(values, mask=values < 0)


def _netcdf(dataset: xr.Dataset) -> bytes:
    changed = dataset.copy()
    for name, variable in dataset.variables.items():
        if variable.dtype == np.int64 and variable.size and abs(variable.values).max() > _LARGEST:
            # Exact up to 2**53.
            changed[name] = variable.astype(np.float64)
    return bytes(changed.to_netcdf(engine="scipy"))
