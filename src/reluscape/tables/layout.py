"""How a text table is written: its delimiter, decimal sign, header and columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from reluscape.errors import FileError, InputError
from reluscape.tables.sources import HEAD_BYTES, Source

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "-nan", "null", "NULL", "None")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_SAMPLE_RECORDS = 200


@dataclass(frozen=True)
class Layout:
    """How a text table is written.

    Attributes
    ----------
    delimiter : str
        One character.
    decimal : str
        ``"."`` or ``","``.
    names : tuple of str
        One name a column: the header's, or the position where there is none.
    numeric : tuple of bool
        Whether the first value of each column is a number.
    skip : int
        Lines before the first row of data.
    quoted : bool
        Whether quotes occur, so that a value may contain a line break.
    example : str
        A value with a decimal comma, where there is one.
    """

    delimiter: str
    decimal: str
    names: tuple[str, ...]
    numeric: tuple[bool, ...]
    skip: int
    quoted: bool
    example: str = ""

    def number(self, text: str) -> float | None:
        """Return the number that a cell holds, nan where it is missing, None where it is text."""
        text = text.strip()
        if text in MISSING:
            return float("nan")
        if self.decimal == ",":
            text = text.replace(",", ".") if "." not in text else "text"
        return float(text) if _NUMBER.fullmatch(text) else None


def find_layout(source: Source, delimiter: str | None) -> Layout:
    """Read the layout off the first lines of a text table.

    Parameters
    ----------
    source : Source
    delimiter : str or None
        Where the file's suffix says it; otherwise the first lines tell.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        When the file is empty, holds a header only, or is not text in UTF-8.
    """
    head = source.head()
    text = _decode(head, source.name)
    lines = list(io.StringIO(text, newline=""))
    preamble = _preamble(lines)
    body = "".join(lines[preamble:])
    if not body:
        raise FileError(f"{source.name} is empty; give a table with a column x and a column y.")
    if delimiter is None:
        delimiter = _sniff(body)
    records = list(islice(_parse(io.StringIO(body, newline=""), delimiter), _SAMPLE_RECORDS))
    first_end, first = records[0][1], records[0][2]
    headless = _is_data(first, delimiter)
    rows = [cells for _, _, cells in records[0 if headless else 1 :]]
    if not rows and len(head) < HEAD_BYTES:
        raise FileError(f"{source.name} has a header but no rows; give a table with data in it.")
    example = _decimal_comma(rows, delimiter)
    layout = Layout(
        delimiter=delimiter,
        decimal="," if example else ".",
        names=_names(first, headless),
        numeric=(),
        skip=preamble + (0 if headless else first_end),
        quoted='"' in text,
        example=example,
    )
    numeric = tuple(_is_numeric(layout, rows, column) for column in range(len(first)))
    return replace(layout, numeric=numeric)


def records_of(source: Source, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Read a text table slowly, record by record, to find what is wrong with it and where.

    Parameters
    ----------
    source : Source
    layout : Layout

    Yields
    ------
    tuple of (int, list of str)
        The line in the file where a row of data begins, counted from 1, and its cells.
    """
    with source.open() as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
        for _ in islice(text, layout.skip):
            pass
        try:
            for start, _, cells in _parse(text, layout.delimiter):
                yield layout.skip + start, cells
        except csv.Error as problem:
            raise InputError(
                f"{source.name} cannot be split into columns ({problem}); "
                "check its quotation marks."
            ) from problem


def _parse(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield (first line, last line, cells) of every record that is not blank."""
    reader = csv.reader(lines, delimiter=delimiter)
    start = 1
    for cells in reader:
        if cells:
            yield start, reader.line_num, cells
        start = reader.line_num + 1


def _decode(head: bytes, name: str) -> str:
    if not head.strip():
        raise FileError(f"{name} is empty; give a table with a column x and a column y.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head[:4096]:
        raise FileError(f"{name} is UTF-16 or not text at all; save it as CSV in UTF-8.")
    if head.startswith(b"PK\x03\x04"):
        raise FileError(f"{name} is a spreadsheet or a zip file; save the table as CSV.")
    if len(head) == HEAD_BYTES and b"\n" in head:
        head = head[: head.rindex(b"\n") + 1]
    # Only names must be read right; the values of columns that nobody asked for may be anything.
    bad = _undecodable(head.split(b"\n", 1)[0])
    if bad is not None:
        raise FileError(
            f"{name} is not in UTF-8 (byte 0x{bad:02x} in its first line); save it as UTF-8."
        )
    return head.decode("utf-8-sig", errors="replace")


def _undecodable(line: bytes) -> int | None:
    try:
        line.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        return line[problem.start]
    return None


def _preamble(lines: Sequence[str]) -> int:
    """Count the blank lines and the comments (#) that come before the table."""
    for index, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith("#"):
            return index
    return len(lines)


def _sniff(body: str) -> str:
    """Choose the delimiter that splits every line alike; failing that, the first line most."""
    widest, most = ",", 1
    for candidate in ("\t", ";", ","):
        try:
            sample = islice(_parse(io.StringIO(body, newline=""), candidate), 50)
            counts = [len(cells) for _, _, cells in sample]
        except csv.Error:
            continue
        if counts and counts[0] > 1 and len(set(counts)) == 1:
            return candidate
        if counts and counts[0] > most:
            widest, most = candidate, counts[0]
    return widest


def _is_data(cells: Sequence[str], delimiter: str) -> bool:
    """Whether a first line is already data: numbers, and nothing but numbers."""
    words = [cell.strip() for cell in cells]
    numbers = [
        bool(_NUMBER.fullmatch(word) or (delimiter != "," and _DECIMAL_COMMA.fullmatch(word)))
        for word in words
    ]
    blank = [word in MISSING for word in words]
    return any(numbers) and all(n or b for n, b in zip(numbers, blank, strict=True))


def _names(first: Sequence[str], headless: bool) -> tuple[str, ...]:
    if headless:
        return tuple(str(position) for position in range(1, len(first) + 1))
    return tuple(cell.strip() or str(position) for position, cell in enumerate(first, start=1))


def _decimal_comma(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    """Return a value with a decimal comma where the table writes its numbers so, otherwise ''."""
    if delimiter == ",":
        return ""
    words = [cell.strip() for cells in rows for cell in cells]
    if any("." in word and _NUMBER.fullmatch(word) for word in words):
        return ""
    return next((word for word in words if _DECIMAL_COMMA.fullmatch(word)), "")


def _is_numeric(layout: Layout, rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether the first value that a column has is a number."""
    for cells in rows:
        if column < len(cells) and cells[column].strip() not in MISSING:
            return layout.number(cells[column]) is not None
    return False
