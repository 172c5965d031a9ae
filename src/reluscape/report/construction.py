"""A report of a construction: one HTML file that stands alone."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.atomic import atomic_write
from reluscape.construction.result import Construction
from reluscape.construction.truncation import Truncation
from reluscape.report import html
from reluscape.report.document import command_section, footer, inline_svg
from reluscape.report.numbers import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_construction_report(
    made: Construction,
    path: str | os.PathLike[str],
    *,
    figure: Figure,
    nearest: Sequence[float],
    truncation: Truncation | None = None,
    label_name: str = "label",
    source: str = "",
    command: Sequence[str] | None = None,
) -> None:
    """Write a report of a construction as one HTML file, which appears whole or not at all.

    Parameters
    ----------
    made : Construction
    path : str or path-like
        The file to write.
    figure : matplotlib.figure.Figure
        From `plot_construction`.
    nearest : sequence of float
        See `own_nearest`.
    truncation : Truncation, optional
    label_name : str
        What the column of labels is called.
    source : str
        Where the rows come from.
    command : sequence of str, optional
        The words of the command that makes this report again.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    many = len(made.classes)
    title = f"Classes of {label_name}, by distance"
    lead = (
        f"A ReLU network written down from the means of {many} classes, without descent: a row "
        "belongs to the class whose mean is nearest in the metric that the network is."
    )
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        html.paragraph(lead, "lead"),
        html.facts(_facts(made, source)),
        html.figure(inline_svg(figure), title, _caption(made)),
        html.section("Cost", html.table(["", "value"], cost_rows(made, truncation), text=(0,))),
        html.section(
            "Classes", html.table(CLASS_HEADINGS, class_rows(made, nearest), text=(0,)), _note()
        ),
        html.section("Remarks", *(html.paragraph(remark) for remark in made.remarks)),
        command_section(command),
        footer(),
    ]
    style = files("reluscape.report").joinpath("style.css").read_text(encoding="utf-8")
    with atomic_write(path, "w") as handle:
        handle.write(html.page(title, style, "\n".join(part for part in parts if part)))


CLASS_HEADINGS = ("class", "rows", "largest noise to signal", "nearest to own")


def class_rows(made: Construction, nearest: Sequence[float]) -> list[list[str]]:
    """Return one row of text a class, under `CLASS_HEADINGS`."""
    return [
        [str(label), f"{rows:,}", number(noise, 4), f"{100 * share:.1f} %"]
        for label, rows, noise, share in zip(
            made.classes, made.rows.tolist(), made.class_delta_P.tolist(), nearest, strict=True
        )
    ]


def cost_rows(made: Construction, truncation: Truncation | None) -> list[list[str]]:
    """Return names and values of the costs as text."""
    rows = [
        ["cost C, measured on every row", number(made.cost, 10)],
        ["cost C, in closed form", number(made.closed_form_cost, 10)],
        ["bound |Y| delta_P", number(made.bound, 10)],
        ["noise to signal delta_P", number(made.delta_P, 10)],
    ]
    if made.exact is not None:
        rows += [
            ["class-weighted cost C_N", number(made.exact.upper, 10)],
            ["least C_N, linear, outer bias tied", number(made.exact.tied, 10)],
            ["least C_N, linear, outer bias free", number(made.exact.affine, 10)],
            ["relative error of the bound over the tied value", number(made.exact.relative_error)],
        ]
    if truncation is not None:
        rows += [
            ["least C, linear, outer weights and bias free", number(truncation.linear_cost, 10)],
            ["least C found with thresholds", number(truncation.cost, 10)],
        ]
    return rows


def own_nearest(
    made: Construction, found: NDArray[np.generic], labels: Sequence[Hashable]
) -> list[float]:
    """Return for each class which share of its rows is nearest to its mean, in the metric."""
    right: dict[Hashable, list[bool]] = {label: [] for label in made.classes}
    for one, label in zip(found.tolist(), labels, strict=True):
        right[label].append(one == label)
    return [float(np.mean(right[label])) for label in made.classes]


def _facts(made: Construction, source: str) -> list[tuple[str, str]]:
    found = [("data", source)] if source else []
    return [
        *found,
        ("rows", f"{int(made.rows.sum()):,}"),
        ("inputs", f"{made.means.shape[1]:,}"),
        ("classes", f"{len(made.classes):,}"),
        ("hidden units that are active", f"{made.frame.rank:,}"),
        ("condition of the means", number(made.condition, 4)),
    ]


def _caption(made: Construction) -> str:
    many = len(made.classes)
    if many == 2:
        return "The rows as the network sees them; lines at the reference outputs and the border."
    if many == 3:
        return (
            "The rows as the network sees them, in the plane of the three reference outputs "
            "(crosses): the colour below is the class that is nearest."
        )
    return (
        "The rows as the network sees them, on the two directions in which the reference outputs "
        "(crosses) differ most. The colour below is the class nearest to points of this plane; "
        "rows lie off it as well."
    )


def _note() -> str:
    return html.paragraph(
        "Nearest to own: the share of the rows that the means were taken from; on new rows it is "
        "lower as a rule.",
        "note",
    )
