"""Columns of numbers out of a CSV, TSV or Parquet file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reluscape.cli.columns import Choice, choose
from reluscape.cli.sources import Source, open_source
from reluscape.errors import InputError

Floats = NDArray[np.float64]
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{2,4}|\d\d?:\d\d")


@dataclass(frozen=True)
class Columns:
    """The columns that a fit needs.

    Attributes
    ----------
    source : str
        What messages call the table.
    x : ndarray of shape (n,), or (n, inputs) where several columns are asked for
    y : ndarray of shape (n,)
    weights : ndarray of shape (n,), or None
    x_names : tuple of str
    y_name : str
    weights_name : str or None
    notes : tuple of str
        What a user should know about how the file was read.
    """

    source: str
    x: Floats
    y: Floats
    weights: Floats | None
    x_names: tuple[str, ...]
    y_name: str
    weights_name: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Raw:
    """Columns as read, nan where a value is missing; `where` tells the place of a row."""

    names: tuple[str, ...]
    choice: Choice
    values: dict[int, Floats]
    row_word: str
    places: Sequence[int] | _Lines
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Lines:
    """The line of each row, looked up only when a message needs it."""

    source: Source
    layout: object

    def __getitem__(self, row: int) -> int: ...
