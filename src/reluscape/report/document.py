"""A report of a fit: one HTML file that stands alone."""

from __future__ import annotations

import io
import os
import platform
import re
import shlex
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from reluscape._version import __version__
from reluscape.atomic import atomic_write
from reluscape.report import html, sections
from reluscape.report.facts import pieces, residuals
from reluscape.report.numbers import number
from reluscape.report.plots import BLUE, INK, plot_fit, render
from reluscape.report.proof import proof
from reluscape.report.proof_plot import plot_bounds
from reluscape.report.protocol import FitLike, InferenceLike, PinnedLike

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_report(
    fit: FitLike,
    path: str | os.PathLike[str],
    *,
    command: Sequence[str] | None = None,
    x_name: str = "x",
    y_name: str = "y",
    weights_name: str | None = None,
    inference: InferenceLike | None = None,
    pinned: PinnedLike | None = None,
    check: Sequence[str] | None = None,
    source: str = "",
    figure: Figure | None = None,
) -> None:
    """Write a report of a fit as one HTML file, which appears whole or not at all.

    The file holds everything: figure, tables, style. It loads nothing from anywhere and runs
    nothing, follows the reader's light or dark setting, and prints.

    Parameters
    ----------
    fit : Fit
        To data with one target.
    path : str or path-like
        The file to write.
    command : sequence of str, optional
        The words of the command that makes this report again.
    x_name, y_name, weights_name : str
        What the columns are called.
    inference : Inference, optional
        Standard errors and intervals.
    pinned : Pinned, optional
        Where all good fits have their breakpoints.
    check : sequence of str, optional
        The words of the command that checks the certificate.
    source : str, optional
        Where the data come from.
    figure : matplotlib.figure.Figure, optional
        The figure, where `plot_fit` has drawn it already.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    drawn = figure or plot_fit(fit, inference, pinned=pinned, x_name=x_name, y_name=y_name)
    found = pieces(fit, inference) if _one_input(fit) else ()
    title = f"{y_name} against {x_name}"
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        html.paragraph(_lead(fit), "lead"),
        html.facts(_key_facts(fit, inference, source, weights_name)),
        html.paragraph(fit.claim, "claim"),
        html.figure(inline_svg(drawn), title, _caption(fit, inference, pinned)),
        proof(fit, pinned, _bounds(fit), command, check),
        sections.breakpoints(fit, inference) if found else "",
        sections.slopes(inference),
        sections.formula(fit, found),
        sections.residuals(fit, residuals(fit), found),
        sections.widths(fit),
        command_section(command),
        footer(),
    ]
    style = files("reluscape.report").joinpath("style.css").read_text(encoding="utf-8")
    text = html.page(title, style, "\n".join(part for part in parts if part))
    with atomic_write(path, "w") as handle:
        handle.write(text)


def _one_input(fit: FitLike) -> bool:
    return fit.problem.x.size == fit.problem.size


def _lead(fit: FitLike) -> str:
    network = f"a shallow ReLU network with {fit.width} neuron{'s' * (fit.width != 1)}"
    if fit.skip:
        network += " and a skip connection"
    if not _one_input(fit):
        return f"The data are fitted by least squares with {network}."
    kinks = len(fit.breakpoints)
    if not kinks:
        return f"The least-squares straight line: {network}."
    return (
        f"The least-squares continuous piecewise-linear fit with {kinks} "
        f"breakpoint{'s' * (kinks != 1)}: {network}."
    )


def _key_facts(
    fit: FitLike, inference: InferenceLike | None, source: str, weights_name: str | None
) -> list[tuple[str, str]]:
    problem = fit.problem
    found = [("data", source)] if source else []
    found.append(("rows", f"{problem.size:,}"))
    if _one_input(fit):
        found.append(("distinct x", f"{problem.distinct:,}"))
    if problem.weighted:
        found.append(("weights", weights_name or "given"))
    found += [
        ("sum of squares", number(fit.sum_of_squares, 6)),
        ("risk", number(fit.risk, 6)),
        ("R²", number(fit.r_squared)),
    ]
    if inference is not None:
        found += [
            ("residual standard error", number(inference.noise)),
            ("degrees of freedom", f"{inference.degrees_of_freedom:,}"),
        ]
    return found


def _caption(fit: FitLike, inference: InferenceLike | None, pinned: PinnedLike | None) -> str:
    caption = "Data in grey, the fit in orange, residuals below"
    if _one_input(fit) and len(fit.breakpoints):
        caption += "; breakpoints in blue"
        if inference is not None:
            caption += f", their {100 * inference.level:g} % intervals shaded"
        if pinned is not None:
            caption += (
                "; the green bars hold the breakpoints of every fit with a risk within "
                f"{100 * pinned.share:g} % of this one's"
            )
    return f"{caption}."


def _bounds(fit: FitLike) -> str:
    if not len(fit.bounds):
        return ""
    title = "The two bounds on the least risk over time"
    caption = (
        "Over the time since the call: the risk of the fit in orange, in blue the bound that no "
        "network is below, and the relative gap between them."
    )
    return html.figure(inline_svg(plot_bounds(fit), "bounds"), title, caption)


def inline_svg(figure: Figure, name: str = "") -> str:
    """Return a figure as SVG that takes its size and its colours from the page.

    Where a page holds several, `name` keeps the names of their parts apart.
    """
    stream = io.BytesIO()
    render(figure, stream, "svg", page=True)
    svg = stream.getvalue().decode("utf-8")
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    if name:
        svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    head, rest = svg.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    return f"{head}>{rest.replace(INK, 'currentColor').replace(BLUE, 'var(--blue)')}"


def command_section(command: Sequence[str] | None) -> str:
    """Write the section on the command that makes a report again; without one there is none."""
    if not command:
        return ""
    words = f"<pre>{html.escape(shlex.join(command))}</pre>"
    return html.section("Make this report again", words)


def footer() -> str:
    """Write the versions that a report was made with."""
    versions = (
        f"reluscape {__version__}, NumPy {np.__version__}, Python {platform.python_version()}"
    )
    return f"<footer>{html.escape(versions)}</footer>"
