"""Tables as they lie in a file: text with delimiters, or Parquet."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from reluscape.cli.layout import MISSING, Layout, find_layout, records_of
from reluscape.cli.sources import Source
from reluscape.errors import FileError, InputError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

Floats = NDArray[np.float64]
_DATE = re.compile(r"\d{4}-\d\d?(-\d\d?)?([T ].*)?|\d\d?[./-]\d\d?[./-]\d{2,4}.*|\d\d?:\d\d.*")
_SHOWN = 40


class Sheet(Protocol):
    """A table in a file, of which any columns can be read.

    Attributes
    ----------
    names : tuple of str
    numeric : tuple of bool
        Which columns look like numbers.
    place : str
        What a row's place is called: "line" or "row".
    notes : tuple of str
        What a user should know about how the file was understood.
    """

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def numeric(self) -> tuple[bool, ...]: ...
    @property
    def place(self) -> str: ...
    @property
    def notes(self) -> tuple[str, ...]: ...

    def read(self, columns: Sequence[int]) -> list[Floats]:
        """Return columns of numbers, nan where a value is missing; raise on text."""
        ...

    def locate(self, row: int) -> int:
        """Return the place of a row of data (counted from 0) in the file."""
        ...


def open_sheet(source: Source) -> Sheet:
    """Open a table, whichever kind it is.

    Parameters
    ----------
    source : Source

    Returns
    -------
    Sheet

    Raises
    ------
    InputError
        When it is empty, damaged, or no table.
    """
    if source.head().startswith(b"PAR1"):
        return ParquetSheet.open(source)
    suffixes = {suffix.lower() for suffix in PurePath(source.name).suffixes}
    if suffixes & {".parquet", ".pq"}:
        raise FileError(f"{source.name} is not a Parquet file; write it again, or as CSV.")
    return TextSheet(source, find_layout(source, "\t" if suffixes & {".tsv", ".tab"} else None))


@dataclass(frozen=True)
class TextSheet:
    """A table of text with delimiters."""

    source: Source
    layout: Layout
    place: str = "line"

    @property
    def names(self) -> tuple[str, ...]:
        """One name a column."""
        return self.layout.names

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns look like numbers."""
        return self.layout.numeric

    @property
    def notes(self) -> tuple[str, ...]:
        """Say so where decimal commas were found."""
        example = self.layout.example
        if not example:
            return ()
        value = self.layout.number(example)
        return (f"{self.source.name} has decimal commas: {example} is read as {value:.12g}",)

    def read(self, columns: Sequence[int]) -> list[Floats]:
        """Return columns of numbers, nan where a value is missing; raise on text."""
        import pyarrow as pa

        try:
            return self._read_fast(columns)
        except pa.ArrowInvalid:
            # Arrow gave up: read again in Python, which finds the fault and its line.
            return self._read_slowly(columns)

    def locate(self, row: int) -> int:
        """Return the line of a row of data."""
        return next(islice(records_of(self.source, self.layout), row, None))[0]

    def _read_fast(self, columns: Sequence[int]) -> list[Floats]:
        import pyarrow as pa
        from pyarrow import csv

        keys = [str(column) for column in columns]
        with self.source.open() as stream:
            table = csv.read_csv(
                stream,
                read_options=csv.ReadOptions(
                    column_names=[str(column) for column in range(len(self.names))],
                    skip_rows=self.layout.skip,
                ),
                parse_options=csv.ParseOptions(
                    delimiter=self.layout.delimiter, newlines_in_values=self.layout.quoted
                ),
                convert_options=csv.ConvertOptions(
                    include_columns=keys,
                    column_types={key: pa.float64() for key in keys},
                    null_values=list(MISSING),
                    decimal_point=self.layout.decimal,
                ),
            )
        return [np.asarray(table.column(key).to_numpy(), dtype=np.float64) for key in keys]

    def _read_slowly(self, columns: Sequence[int]) -> list[Floats]:
        width = len(self.names)
        stores = [array("d") for _ in columns]
        for line, cells in records_of(self.source, self.layout):
            if len(cells) != width:
                raise InputError(
                    f"{self.source.name}, line {line}: {len(cells)} "
                    f"value{'s' if len(cells) > 1 else ''} where the first line has {width}; "
                    "give every line as many."
                )
            for store, column in zip(stores, columns, strict=True):
                value = self.layout.number(cells[column])
                if value is None:
                    raise _not_a_number(
                        self.source.name, f"line {line}", self.names[column], cells[column]
                    )
                store.append(value)
        return [np.array(store, dtype=np.float64) for store in stores]


@dataclass(frozen=True)
class ParquetSheet:
    """A table in a Parquet file."""

    source: Source
    file: pq.ParquetFile
    names: tuple[str, ...]
    numeric: tuple[bool, ...]
    place: str = "row"
    notes: tuple[str, ...] = ()

    @classmethod
    def open(cls, source: Source) -> ParquetSheet:
        """Read the table's schema; raise `FileError` where the file is damaged."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            file = pq.ParquetFile(source.open())
        except (pa.ArrowException, OSError) as problem:
            raise FileError(
                f"{source.name} is a damaged Parquet file; write it again."
            ) from problem
        schema = file.schema_arrow
        types = cast("list[pa.DataType]", schema.types)
        return cls(
            source,
            file,
            tuple(cast("list[str]", schema.names)),
            tuple(
                pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t)
                for t in types
            ),
        )

    def read(self, columns: Sequence[int]) -> list[Floats]:
        """Return columns of numbers, nan where a value is missing; raise on text."""
        import pyarrow as pa

        for column in columns:
            if self.file.metadata.num_rows and not self.numeric[column]:
                raise self._not_numbers(column)
        names = [self.names[column] for column in columns]
        try:
            table = self.file.read(columns=names)
        except (pa.ArrowException, OSError) as problem:
            raise FileError(
                f"{self.source.name} is a damaged Parquet file; write it again."
            ) from problem
        floats = [table.column(name).cast(pa.float64(), safe=False) for name in names]
        return [np.asarray(column.to_numpy(), dtype=np.float64) for column in floats]

    def locate(self, row: int) -> int:
        """Return the row, counted from 1."""
        return row + 1

    def _not_numbers(self, column: int) -> InputError:
        name = self.names[column]
        values = self.file.read(columns=[name]).column(name)
        first = next((str(value) for value in values if value.is_valid), "")
        return _not_a_number(self.source.name, "row 1", name, first)


def _not_a_number(source: str, place: str, name: str, text: str) -> InputError:
    """Say what stands where a number should, and what to do about it."""
    text = text.strip()
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    if _DATE.fullmatch(text):
        cure = "turn dates and times into numbers first, such as days since the first one"
    elif re.fullmatch(r"[+-]?\d+,\d+", text):
        cure = "write decimal points and no thousands separators"
    else:
        cure = "mend or remove that row, or choose another column"
    return InputError(f"{source}, {place}: {shown!r} in column {name!r} is not a number; {cure}.")
