"""The text that `Fit.summary` returns: the table statisticians know."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reluscape.fits.inference import Estimate, Inference
from reluscape.fits.widths import WidthRow


def number(value: float, digits: int = 6) -> str:
    """Format a number for a table; missing ones as a dash."""
    return "-" if math.isnan(value) else f"{value:.{digits}g}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a right-aligned table with a left-aligned first column."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    result: list[str] = []
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
        result.append("  ".join([line[0].ljust(widths[0]), *cells[1:]]).rstrip())
    return result


def estimates(inference: Inference) -> list[str]:
    """Lay out all estimates with standard errors and intervals."""
    percent = f"{100 * inference.level:g}%"
    rows = [_row(e) for e in (inference.intercept, *inference.slopes, *inference.breakpoints)]
    return table(["", "estimate", "std. error", f"{percent} low", f"{percent} high"], rows)


def _row(e: Estimate) -> list[str]:
    return [e.name, number(e.value), number(e.standard_error, 4), number(e.low), number(e.high)]


def widths_table(rows: Sequence[WidthRow]) -> list[str]:
    """Lay out the table of widths."""
    header = ["width", "risk", "sum of squares", "BIC", "CV error", "std. error", ""]
    body = [
        [
            str(row.width),
            number(row.risk),
            number(row.sum_of_squares),
            f"{row.bic:.2f}",
            number(row.cv_error),
            number(row.cv_standard_error, 3),
            "chosen" if row.chosen else "",
        ]
        for row in rows
    ]
    return table(header, body)
