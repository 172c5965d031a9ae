"""The columns of numbers that a fit needs, out of a CSV, TSV or Parquet file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import FileError, InputError
from reluscape.tables.columns import choose, find
from reluscape.tables.sheets import Sheet, open_sheet
from reluscape.tables.sources import open_source

Floats = NDArray[np.float64]
_WHOLE = re.compile(r"[+-]?\d{1,18}")


@dataclass(frozen=True)
class Columns:
    """The columns of numbers that a fit needs.

    Attributes
    ----------
    source : str
        What messages and reports call the table.
    x : ndarray of shape (n,), or (n, inputs) where several columns are asked for
    y : ndarray of shape (n,)
    weights : ndarray of shape (n,), or None
    x_names : tuple of str
    y_name : str
    weights_name : str or None
    notes : tuple of str
        What a user should know about how the file was understood.
    """

    source: str
    x: Floats
    y: Floats
    weights: Floats | None
    x_names: tuple[str, ...]
    y_name: str
    weights_name: str | None
    notes: tuple[str, ...]


def read_columns(
    data: str, *, x: Sequence[str] = (), y: str | None = None, weights: str | None = None
) -> Columns:
    r"""Read the columns of a fit.

    Parameters
    ----------
    data : str
        The path of a CSV, TSV or Parquet file, or ``-`` for CSV on standard input.
    x, y, weights : sequence of str, str or None, str or None
        Names, or positions counted from 1 (from -1 at the end). Columns x and y that are not
        given must be the only ones left that hold numbers.

    Returns
    -------
    Columns

    Raises
    ------
    InputError
        When the file cannot be read, a column does not exist, or a value is text, missing,
        infinite, or a negative weight; the message gives its line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    ...     _ = file.write("time;dose\n0,5;1\n1;2\n")
    ...     file.flush()
    ...     columns = read_columns(file.name)
    >>> columns.x_names, columns.y_name, columns.x
    (('time',), 'dose', array([0.5, 1. ]))
    """
    source = open_source(data)
    sheet = open_sheet(source)
    if len(sheet.names) == 1 and not (x and y):
        raise InputError(
            f"{source.name} has a single column, {sheet.names[0]!r}; give x and y in columns "
            "separated by commas, tabs or semicolons."
        )
    choice = choose(sheet.names, sheet.numeric, x=x, y=y, weights=weights, source=source.name)
    wanted = [*choice.x, choice.y, *([] if choice.weights is None else [choice.weights])]
    values = sheet.read(wanted)
    if not values[0].size:
        raise FileError(f"{source.name} has columns but no rows; give a table with data in it.")
    for column, numbers in zip(wanted, values, strict=True):
        _check_finite(source.name, sheet, column, numbers)
    inputs = values[: len(choice.x)]
    weight_values = None if choice.weights is None else values[-1]
    if choice.weights is not None:
        _check_weights(source.name, sheet, choice.weights, values[-1])
    return Columns(
        source=source.name,
        x=inputs[0] if len(inputs) == 1 else np.column_stack(inputs),
        y=values[len(choice.x)],
        weights=weight_values,
        x_names=tuple(sheet.names[column] for column in choice.x),
        y_name=sheet.names[choice.y],
        weights_name=None if choice.weights is None else sheet.names[choice.weights],
        notes=sheet.notes,
    )


@dataclass(frozen=True)
class LabelledColumns:
    """The columns that a classifier needs.

    Attributes
    ----------
    source : str
        What messages and reports call the table.
    x : ndarray of shape (n, inputs)
    labels : tuple of str, or of int where all are whole numbers
    weights : ndarray of shape (n,), or None
    x_names : tuple of str
    label_name : str
    weights_name : str or None
    notes : tuple of str
        What a user should know about how the file was understood.
    """

    source: str
    x: Floats
    labels: tuple[str | int, ...]
    weights: Floats | None
    x_names: tuple[str, ...]
    label_name: str
    weights_name: str | None
    notes: tuple[str, ...]


def read_labelled(
    data: str, *, label: str, x: Sequence[str] = (), weights: str | None = None
) -> LabelledColumns:
    r"""Read a column of labels, and the columns of numbers beside it.

    Parameters
    ----------
    data : str
        The path of a CSV, TSV or Parquet file, or ``-`` for CSV on standard input.
    label : str
        Name or position of the column of labels, which may be text.
    x : sequence of str
        Names or positions of the inputs; all other columns of numbers if there are none.
    weights : str or None

    Returns
    -------
    LabelledColumns

    Raises
    ------
    InputError
        When the file cannot be read, a column does not exist, no inputs are left, or a value is
        text, missing, infinite, or a negative weight; the message gives its line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    ...     _ = file.write("size,kind\n0.5,round\n1.5,square\n")
    ...     file.flush()
    ...     columns = read_labelled(file.name, label="kind")
    >>> columns.x_names, columns.labels
    (('size',), ('round', 'square'))
    """
    source = open_source(data)
    sheet = open_sheet(source)
    label_column = find(sheet.names, label, "--label", source.name)
    weight_column = (
        None if weights is None else find(sheet.names, weights, "--weights", source.name)
    )
    inputs = [find(sheet.names, wanted, "--x", source.name) for wanted in x]
    if not inputs:
        inputs = [
            i
            for i, numeric in enumerate(sheet.numeric)
            if numeric and i not in (label_column, weight_column)
        ]
    if not inputs:
        raise InputError(
            f"{source.name} has no column of numbers beside {sheet.names[label_column]!r}; give "
            "a table with inputs in it."
        )
    used = [*inputs, label_column, *([] if weight_column is None else [weight_column])]
    twice = next((column for column in used if used.count(column) > 1), None)
    if twice is not None:
        raise InputError(f"column {sheet.names[twice]!r} is given twice; give different columns.")
    wanted_columns = [*inputs, *([] if weight_column is None else [weight_column])]
    values = sheet.read(wanted_columns)
    if not values[0].size:
        raise FileError(f"{source.name} has columns but no rows; give a table with data in it.")
    for column, numbers in zip(wanted_columns, values, strict=True):
        _check_finite(source.name, sheet, column, numbers)
    if weight_column is not None:
        _check_weights(source.name, sheet, weight_column, values[-1])
    texts = sheet.read_text(label_column)
    if "" in texts:
        raise InputError(
            f"{source.name}: column {sheet.names[label_column]!r} has no label in {sheet.place} "
            f"{sheet.locate(texts.index(''))}; remove or complete that row."
        )
    whole = all(_WHOLE.fullmatch(text) for text in set(texts))
    return LabelledColumns(
        source=source.name,
        x=np.column_stack(values[: len(inputs)]),
        labels=tuple(int(text) for text in texts) if whole else tuple(texts),
        weights=None if weight_column is None else values[-1],
        x_names=tuple(sheet.names[column] for column in inputs),
        label_name=sheet.names[label_column],
        weights_name=None if weight_column is None else sheet.names[weight_column],
        notes=sheet.notes,
    )


def _check_finite(source: str, sheet: Sheet, column: int, values: Floats) -> None:
    finite = np.isfinite(values)
    if finite.all():
        return
    bad = int(np.count_nonzero(~finite))
    missing = int(np.count_nonzero(np.isnan(values)))
    kind = "missing" if missing == bad else "missing or infinite" if missing else "infinite"
    first = sheet.locate(int(np.argmin(finite)))
    raise InputError(
        f"{source}: column {sheet.names[column]!r} has {bad} {kind} value{'s' * (bad > 1)}, "
        f"{'the first ' * (bad > 1)}in {sheet.place} {first}; remove or complete "
        f"{'those rows' if bad > 1 else 'that row'}."
    )


def _check_weights(source: str, sheet: Sheet, column: int, values: Floats) -> None:
    name = sheet.names[column]
    negative = int(np.count_nonzero(values < 0))
    if negative:
        first = int(np.argmax(values < 0))
        raise InputError(
            f"{source}: column {name!r} has {negative} negative weight{'s' * (negative > 1)}, "
            f"{'the first ' * (negative > 1)}{values[first]:g} in {sheet.place} "
            f"{sheet.locate(first)}; weights must be 0 or more."
        )
    if not values.any():
        raise InputError(
            f"{source}: all weights in column {name!r} are 0; "
            "give at least two rows a positive weight."
        )
