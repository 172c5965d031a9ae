"""Tables as they lie in a file: text with delimiters, or Parquet."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import FileError, InputError
from reluscape.tables.arrow import ParquetTable, open_parquet, read_delimited
from reluscape.tables.layout import MISSING, Layout, find_layout, records_of
from reluscape.tables.sources import Source

Floats = NDArray[np.float64]
_DATE = re.compile(r"\d{4}-\d\d?(-\d\d?)?([T ].*)?|\d\d?[./-]\d\d?[./-]\d{2,4}.*|\d\d?:\d\d.*")
_SHOWN = 40


class Sheet(Protocol):
    """A table in a file, of which any columns can be read."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name a column."""
        ...

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns look like numbers."""
        ...

    @property
    def place(self) -> str:
        """What a row's place is called: "line" or "row"."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about how the file was understood."""
        ...

    def read(self, columns: Sequence[int]) -> list[Floats]:
        """Return columns of numbers, nan where a value is missing; raise on text."""
        ...

    def read_text(self, column: int) -> list[str]:
        """Return a column as text, empty where a value is missing."""
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
        table = open_parquet(source.open())
        if table is None:
            raise _damaged(source.name)
        return ParquetSheet(source, table)
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
        with self.source.open() as stream:
            values = read_delimited(stream, self.layout, MISSING, columns)
        # What Arrow does not take is read again in Python, which finds the fault and its line.
        return self._read_slowly(columns) if values is None else values

    def read_text(self, column: int) -> list[str]:
        """Return a column as text, empty where a value is missing."""
        texts: list[str] = []
        for line, cells in records_of(self.source, self.layout):
            if len(cells) != len(self.names):
                raise _uneven(self.source.name, line, len(cells), len(self.names))
            text = cells[column].strip()
            texts.append("" if text in MISSING else text)
        return texts

    def locate(self, row: int) -> int:
        """Return the line of a row of data."""
        line, _ = next(islice(records_of(self.source, self.layout), row, None))
        return line

    def _read_slowly(self, columns: Sequence[int]) -> list[Floats]:
        width = len(self.names)
        stores = [array("d") for _ in columns]
        for line, cells in records_of(self.source, self.layout):
            if len(cells) != width:
                raise _uneven(self.source.name, line, len(cells), width)
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
    table: ParquetTable
    place: str = "row"
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """One name a column."""
        return self.table.names

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns hold numbers."""
        return self.table.numeric

    def read(self, columns: Sequence[int]) -> list[Floats]:
        """Return columns of numbers, nan where a value is missing; raise on text."""
        for column in columns:
            if self.table.rows and not self.numeric[column]:
                raise _not_a_number(
                    self.source.name, "row 1", self.names[column], self.table.example(column)
                )
        values = self.table.read(columns)
        if values is None:
            raise _damaged(self.source.name)
        return values

    def read_text(self, column: int) -> list[str]:
        """Return a column as text, empty where a value is missing."""
        texts = self.table.texts(column)
        if texts is None:
            raise _damaged(self.source.name)
        return texts

    def locate(self, row: int) -> int:
        """Return the row, counted from 1."""
        return row + 1


def _uneven(name: str, line: int, found: int, width: int) -> InputError:
    return InputError(
        f"{name}, line {line}: {found} value{'s' if found > 1 else ''} where the first line has "
        f"{width}; give every line as many."
    )


def _damaged(name: str) -> FileError:
    return FileError(f"{name} is a damaged Parquet file; write it again.")


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
