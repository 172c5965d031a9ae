"""Results on standard output: tables for people, one JSON document for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table: headings, rows of text, the row to emphasise, how many columns are words, a title.

    Attributes
    ----------
    headings : sequence of str
    rows : sequence of sequence of str
    chosen : int or None
    words : int
        So many columns on the left are aligned to the left.
    title : str
        A line above it, none if empty.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    chosen: int | None = None
    words: int = 1
    title: str = ""


def print_document(document: Mapping[str, object]) -> None:
    """Print one JSON document.

    Parameters
    ----------
    document : mapping
        Of finite numbers, strings, lists and mappings.
    """
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def print_tables(heading: Sequence[str], tables: Sequence[Table], remarks: Sequence[str]) -> None:
    """Print tables: drawn with Rich on a terminal, in plain text elsewhere.

    Parameters
    ----------
    heading : sequence of str
        Lines above the tables, the first of which is the title.
    tables : sequence of Table
    remarks : sequence of str
        Lines below.
    """
    show = _print_rich if sys.stdout.isatty() else _print_plain
    show(heading, tables, remarks)


def _print_plain(heading: Sequence[str], tables: Sequence[Table], remarks: Sequence[str]) -> None:
    lines = list(heading)
    for table in tables:
        grid = [table.headings, *table.rows]
        sizes = [max(len(row[column]) for row in grid) for column in range(len(table.headings))]
        lines.append("")
        if table.title:
            lines.append(table.title)
        for row in grid:
            cells = (
                cell.ljust(size) if column < table.words else cell.rjust(size)
                for column, (cell, size) in enumerate(zip(row, sizes, strict=True))
            )
            lines.append("  ".join(cells).rstrip())
    sys.stdout.write("\n".join([*lines, "", *remarks]) + "\n")


def _print_rich(heading: Sequence[str], tables: Sequence[Table], remarks: Sequence[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(highlight=False)
    title, *rest = heading
    console.print(Text(title, style="bold"))
    for line in rest:
        console.print(Text(line))
    for table in tables:
        if table.title:
            console.print(Text(f"\n{table.title}", style="italic"))
        grid = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
        for column, name in enumerate(table.headings):
            side = "left" if column < table.words else "right"
            grid.add_column(Text(name), justify=side, no_wrap=True)
        for index, row in enumerate(table.rows):
            style = "bold green" if index == table.chosen else None
            grid.add_row(*(Text(cell) for cell in row), style=style)
        console.print(grid)
    for remark in remarks:
        console.print(Text(remark, style="dim"))
