"""Rows and labels out of a Parquet file, without holding the file in memory."""

# PyArrow ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.construction.sources import COPIED, Block, Source, as_weights
from reluscape.errors import FileError, InputError

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]


def parquet_source(path: str | os.PathLike[str], labels: object, weights: object) -> Source:
    """Read the columns of numbers of a Parquet file as rows, and one column as labels.

    Parameters
    ----------
    path : str or path-like
    labels : str
        Name of the column of labels.
    weights : str or None
        Name of the column of weights.

    Returns
    -------
    Source
        Repeatable.

    Raises
    ------
    FileError
        If the file is missing or damaged.
    InputError
        If a column does not exist, or no column of numbers is left.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = os.fspath(path)
    try:
        schema = pq.read_schema(name)
    except (OSError, pa.ArrowException) as problem:
        raise FileError(f"cannot read {name} as Parquet ({problem}); check the file.") from problem
    named = {"labels": labels} | ({} if weights is None else {"weights": weights})
    for what, column in named.items():
        if not isinstance(column, str) or column not in schema.names:
            raise InputError(
                f"{name} has no column {column!r} for the {what}; it has "
                f"{', '.join(repr(n) for n in schema.names[:20])}."
            )
    inputs = [
        field.name
        for field in schema
        if field.name not in named.values()
        and (pa.types.is_integer(field.type) or pa.types.is_floating(field.type))
    ]
    if not inputs:
        raise InputError(f"{name} has no column of numbers beside the {' and '.join(named)}.")
    wanted = [*inputs, *(str(column) for column in named.values())]
    step = max(COPIED // len(inputs), 1)

    def blocks() -> Iterator[Block]:
        start = 0
        with pq.ParquetFile(name) as file:
            for batch in file.iter_batches(batch_size=step, columns=wanted):
                x = np.empty((batch.num_rows, len(inputs)))
                for i, column in enumerate(inputs):
                    x[:, i] = _numbers(batch.column(column))
                x.flags.writeable = False
                heavy = None
                if isinstance(weights, str):
                    heavy = as_weights(_numbers(batch.column(weights)), len(x), start)
                yield Block(x, batch.column(str(labels)).to_pylist(), heavy, start)
                start += len(x)

    return Source(blocks, repeatable=True)


def _numbers(column: pa.Array) -> Floats:
    """Return a column as float64, nan where a value is missing."""
    import pyarrow as pa

    values = column.cast(pa.float64(), safe=False).fill_null(np.nan)
    data = values.buffers()[1]
    return np.frombuffer(data, np.float64)[values.offset : values.offset + len(values)]
