"""The result of a fit on standard output: tables for people, JSON for programs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reluscape._version import __version__
from reluscape.cli.printing import Table, print_document, print_tables
from reluscape.report.numbers import number, position, with_error
from reluscape.report.proof import on_pins, rows_of_pins
from reluscape.report.remarks import on_thin_pieces

if TYPE_CHECKING:
    from reluscape.report.protocol import FitLike, InferenceLike, PinnedLike
    from reluscape.tables.reading import Columns


@dataclass(frozen=True)
class Result:
    """A fit and what it was made from."""

    columns: Columns
    fit: FitLike
    inference: InferenceLike | None
    pinned: PinnedLike | None = None


def show_json(result: Result, words: Sequence[str], files: Mapping[str, Path]) -> None:
    """Print one JSON document.

    Parameters
    ----------
    result : Result
    words : sequence of str
        The command.
    files : mapping of str to Path
        The files written.
    """
    from reluscape.report.values import fit_values

    columns = result.columns
    values = fit_values(result.fit, result.inference, result.pinned)
    document = {
        "reluscape": __version__,
        "command": shlex.join(words),
        "data": {
            "source": columns.source,
            "x": list(columns.x_names),
            "y": columns.y_name,
            "weights": columns.weights_name,
            "rows": values.pop("rows"),
            "distinct": values.pop("distinct"),
        },
        **values,
        "files": {name: str(path) for name, path in files.items()},
    }
    print_document(document)


def show_tables(result: Result) -> None:
    """Print tables: drawn with Rich on a terminal, in plain text elsewhere.

    Parameters
    ----------
    result : Result
    """
    note = "" if result.inference is None else result.inference.note
    thin = on_thin_pieces(result.fit) if len(result.columns.x_names) == 1 else ""
    pins = "" if result.pinned is None else on_pins(result.fit, result.pinned)
    remarks = [remark for remark in (note, thin, pins, result.fit.claim) if remark]
    print_tables(_heading(result), _tables(result), remarks)


def _heading(result: Result) -> list[str]:
    columns, fit, inference = result.columns, result.fit, result.inference
    problem = fit.problem
    one_input = len(columns.x_names) == 1
    data = f"{columns.y_name} against {', '.join(columns.x_names)}, {problem.size:,} rows"
    if one_input and problem.distinct < problem.size:
        data += f" ({problem.distinct:,} distinct x)"
    data += f" of {columns.source}"
    if columns.weights_name is not None:
        data += f", weighted by {columns.weights_name}"
    kinks = len(fit.breakpoints) if one_input else 0
    shape = (
        f"{fit.width} neuron{'s' * (fit.width != 1)}"
        if not one_input or not fit.skip
        else f"{kinks} breakpoint{'s' * (kinks != 1)}"
    )
    quality = f"{shape}, sum of squares {number(fit.sum_of_squares, 7)}, R² {number(fit.r_squared)}"
    if inference is not None:
        quality += (
            f", residual standard error {number(inference.noise)} on "
            f"{inference.degrees_of_freedom:,} degrees of freedom"
        )
    return [data, quality]


def _tables(result: Result) -> list[Table]:
    fit, inference = result.fit, result.inference
    tables: list[Table] = []
    if inference is not None:
        tables.append(_estimates(inference, float(np.ptp(fit.problem.x))))
    elif len(result.columns.x_names) == 1:
        span = float(np.ptp(fit.problem.x))
        rows = [[f"breakpoint {i}", position(b, span)] for i, b in enumerate(fit.breakpoints, 1)]
        rows += [[f"slope {i}", number(s)] for i, s in enumerate(fit.slopes)]
        rows.append(["intercept", number(fit.intercept)])
        tables.append(Table(["", "value"], rows))
    if result.pinned is not None:
        rows = [[f"breakpoint {i}", *rest] for i, *rest in rows_of_pins(fit, result.pinned)]
        level = f"within {100 * result.pinned.share:g} % from"
        tables.append(Table(["", "fit", level, "to"], rows))
    if fit.widths:
        tables.append(_widths(fit))
    return tables


def _estimates(inference: InferenceLike, span: float) -> Table:
    rows: list[list[str]] = []
    for e in inference.breakpoints:
        places = [position(value, span) for value in (e.value, e.low, e.high)]
        rows.append([e.name, places[0], number(e.standard_error, 3), *places[1:]])
    for e in (*inference.slopes, inference.intercept):
        value, low, high = (with_error(v, e.standard_error) for v in (e.value, e.low, e.high))
        rows.append([e.name, value, number(e.standard_error, 3), low, high])
    level = f"{100 * inference.level:g} %"
    return Table(["", "estimate", "std. error", f"{level} from", "to"], rows)


def _widths(fit: FitLike) -> Table:
    rows = [
        [
            f"{row.width}",
            number(row.risk),
            number(row.sum_of_squares, 7),
            number(row.bic, 6),
            number(row.cv_error),
            number(row.cv_standard_error, 3),
            "chosen" if row.chosen else "",
        ]
        for row in fit.widths
    ]
    chosen = next((i for i, row in enumerate(fit.widths) if row.chosen), None)
    headings = ["width", "risk", "sum of squares", "BIC", "5-fold error", "std. error", ""]
    return Table(headings, rows, chosen)
