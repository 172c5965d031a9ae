"""All that is asked of PyArrow, which ships no types."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from reluscape.tables.layout import Layout

Floats = NDArray[np.float64]


def open_stream(path: Path | None, content: bytes | None) -> IO[bytes]:
    """Open a file, unpacked on the way when it ends in .gz, .bz2 or .zst, or bytes.

    Parameters
    ----------
    path : Path or None
    content : bytes or None
        Used without a path.

    Returns
    -------
    binary file
    """
    import pyarrow as pa

    stream = pa.input_stream(pa.py_buffer(content or b"") if path is None else str(path))
    return cast("IO[bytes]", stream)


def read_delimited(
    stream: IO[bytes], layout: Layout, missing: Sequence[str], columns: Sequence[int]
) -> list[Floats] | None:
    """Read columns of numbers from text.

    Parameters
    ----------
    stream : binary file
    layout : Layout
        How the text is written.
    missing : sequence of str
        What stands for a missing value.
    columns : sequence of int

    Returns
    -------
    list of ndarray, or None
        With nan for missing values; None when PyArrow does not take the text.
    """
    import pyarrow as pa
    from pyarrow import csv

    keys = [str(column) for column in columns]
    try:
        table = csv.read_csv(
            stream,
            read_options=csv.ReadOptions(
                column_names=[str(column) for column in range(len(layout.names))],
                skip_rows=layout.skip,
            ),
            parse_options=csv.ParseOptions(
                delimiter=layout.delimiter, newlines_in_values=layout.quoted
            ),
            convert_options=csv.ConvertOptions(
                include_columns=keys,
                column_types={key: pa.float64() for key in keys},
                null_values=list(missing),
                decimal_point=layout.decimal,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return [_to_numpy(table.column(key)) for key in keys]


@dataclass(frozen=True)
class ParquetTable:
    """The table in a Parquet file."""

    file: pq.ParquetFile
    names: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: int

    def read(self, columns: Sequence[int]) -> list[Floats] | None:
        """Return columns as numbers, nan where a value is missing; None when damaged."""
        import pyarrow as pa

        names = [self.names[column] for column in columns]
        try:
            table = self.file.read(columns=names)
            floats = [table.column(name).cast(pa.float64(), safe=False) for name in names]
        except (pa.ArrowException, OSError):
            return None
        return [_to_numpy(column) for column in floats]

    def texts(self, column: int) -> list[str] | None:
        """Return a column as text, empty where a value is missing; None when damaged."""
        import pyarrow as pa

        name = self.names[column]
        try:
            values = self.file.read(columns=[name]).column(name).to_pylist()
        except (pa.ArrowException, OSError):
            return None
        return ["" if value is None else str(value) for value in values]

    def example(self, column: int) -> str:
        """Return the first value of a column as text."""
        name = self.names[column]
        values = self.file.read(columns=[name]).column(name)
        return next((str(value) for value in values if value.is_valid), "")


def open_parquet(stream: IO[bytes]) -> ParquetTable | None:
    """Read the schema of a Parquet file.

    Parameters
    ----------
    stream : binary file

    Returns
    -------
    ParquetTable, or None
        None when the file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(stream)
    except (pa.ArrowException, OSError):
        return None
    schema = file.schema_arrow
    numeric = tuple(
        bool(pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t))
        for t in schema.types
    )
    return ParquetTable(file, tuple(str(n) for n in schema.names), numeric, file.metadata.num_rows)


def _to_numpy(column: pa.ChunkedArray) -> Floats:
    """Copy a column of doubles, nan where a value is missing.

    Through the buffers, because PyArrow's own `to_numpy` imports pandas, which takes longer than
    a fit.
    """
    parts = [np.empty(0)]
    for chunk in column.chunks:
        if not len(chunk):
            continue
        valid, data = chunk.buffers()
        part = np.frombuffer(data, dtype=np.float64)[chunk.offset : chunk.offset + len(chunk)]
        if valid is not None:
            bits = np.unpackbits(np.frombuffer(valid, dtype=np.uint8), bitorder="little")
            present = bits[chunk.offset : chunk.offset + len(chunk)].astype(bool)
            part = np.where(present, part, np.nan)
        parts.append(part)
    return np.concatenate(parts)
