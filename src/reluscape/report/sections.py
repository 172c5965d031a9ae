"""The tables of a report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reluscape.report import html
from reluscape.report.facts import Piece, Residuals
from reluscape.report.numbers import number, position, with_error
from reluscape.report.protocol import EstimateLike, FitLike, InferenceLike
from reluscape.report.remarks import on_thin_pieces, remarks


def breakpoints(fit: FitLike, inference: InferenceLike | None) -> str:
    """Write the section on breakpoints; without any there is none."""
    if not len(fit.breakpoints):
        return ""
    span = float(np.ptp(fit.problem.x))
    if inference is None:
        rows = [[f"{i}", position(float(b), span)] for i, b in enumerate(fit.breakpoints, start=1)]
        return html.section("Breakpoints", html.table(["", "x"], rows, text=(0,)))
    rows = [
        [
            f"{i}",
            position(e.value, span),
            number(e.standard_error, 3),
            position(e.low, span),
            position(e.high, span),
        ]
        for i, e in enumerate(inference.breakpoints, start=1)
    ]
    headings = ["", "x", "± se", *_interval(inference)]
    return html.section("Breakpoints", html.table(headings, rows, text=(0,)), _method(inference))


def slopes(inference: InferenceLike | None) -> str:
    """Write the section on slopes and their uncertainty; without inference there is none."""
    if inference is None:
        return ""
    rows = [[estimate.name, *_estimate(estimate)] for estimate in inference.slopes]
    rows.append(["intercept, at x = 0", *_estimate(inference.intercept)])
    headings = ["", "estimate", "± se", *_interval(inference)]
    return html.section("Slopes", html.table(headings, rows, text=(0,)))


def formula(fit: FitLike, found: Sequence[Piece]) -> str:
    """Write the section on the fit's pieces; with several inputs there is none."""
    if not found:
        return ""
    span, rise = float(np.ptp(fit.problem.x)), float(np.ptp(fit.problem.y))
    rows = [
        [
            f"{i}",
            position(piece.start, span),
            position(piece.end, span),
            _line(piece, span, rise),
            f"{piece.rows:,}",
            number(piece.spread, 3),
        ]
        for i, piece in enumerate(found)
    ]
    thin = on_thin_pieces(fit)
    headings = ["slope", "from", "to", "line", "rows", "spread"]
    return html.section(
        "Formula",
        html.table(headings, rows, text=(0, 3)),
        html.paragraph(
            "The outer pieces go on beyond the data. Spread is the root mean square of the "
            "residuals on the piece.",
            "note",
        ),
        html.paragraph(thin) if thin else "",
    )


def residuals(fit: FitLike, errors: Residuals, found: Sequence[Piece]) -> str:
    """Write the section on residuals."""
    problem = fit.problem
    one_input = problem.x.size == problem.size
    names = ("smallest", "lower quarter", "median", "upper quarter", "largest")
    quartiles = [(name, number(q, 4)) for name, q in zip(names, errors.quartiles, strict=True)]
    rise = float(np.ptp(problem.y))
    rows: list[list[str]] = []
    for row in errors.largest:
        place = (
            [position(float(problem.x.reshape(-1)[row]), float(np.ptp(problem.x)))]
            if one_input
            else []
        )
        value, error = float(problem.y[row]), float(errors.values[row])
        rows.append([f"{row + 1:,}", *place, position(value, rise), number(error, 4)])
    weighted = "Residuals are multiplied by the square root of weight over mean weight."
    return html.section(
        "Residuals",
        html.facts([*quartiles, ("root mean square", number(errors.spread, 4))]),
        *(html.paragraph(remark) for remark in remarks(fit, errors, found)),
        html.paragraph(weighted, "note") if problem.weighted else "",
        html.paragraph("The largest residuals, by row of the data:", "note"),
        html.table(["row", *(["x"] if one_input else []), "y", "residual"], rows),
    )


def widths(fit: FitLike) -> str:
    """Write the section on the widths that were tried; for a given width there is none."""
    if not fit.widths:
        return ""
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
    return html.section(
        "Widths",
        html.table(
            ["width", "risk", "sum of squares", "BIC", "5-fold error", "± se", ""],
            rows,
            text=(6,),
            chosen=chosen,
        ),
        html.paragraph(
            "The width with the smallest BIC is chosen. The 5-fold error is the mean squared "
            "error on rows that were left out of the fit.",
            "note",
        ),
    )


def _estimate(estimate: EstimateLike) -> list[str]:
    error = estimate.standard_error
    value, low, high = (with_error(v, error) for v in (estimate.value, estimate.low, estimate.high))
    return [value, number(error, 3), low, high]


def _interval(inference: InferenceLike) -> tuple[str, str]:
    return (f"{100 * inference.level:g} % from", "to")


def _method(inference: InferenceLike) -> str:
    if inference.note:
        return html.paragraph(inference.note, "note")
    text = (
        "Standard errors and intervals come from the bootstrap."
        if inference.method == "bootstrap"
        else "Standard errors and intervals are asymptotic: they take the number of breakpoints as "
        "known, and the noise as independent and of one size. With few rows they are somewhat "
        "short."
    )
    return html.paragraph(text, "note")


def _line(piece: Piece, span: float, rise: float) -> str:
    """Write a line about its left end, which loses no digits far from x = 0."""
    sign = "-" if piece.slope < 0 else "+"
    shift = "-" if piece.start >= 0 else "+"
    slope, place = number(abs(piece.slope)), position(abs(piece.start), span)
    return f"{position(piece.height, rise)} {sign} {slope} (x {shift} {place})"
