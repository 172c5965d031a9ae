"""The figure of a fit: data, line, breakpoints, residuals."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from reluscape.atomic import atomic_write
from reluscape.report.protocol import FitLike, Floats, InferenceLike, PinnedLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers and in grey print.
INK = "#222222"
BLUE = "#0072b2"
ORANGE = "#d55e00"
GREEN = "#009e73"
_DATA = "#7d8590"
_MOST_POINTS = 5_000
_RESOLUTION = 200


def plot_fit(
    fit: FitLike,
    inference: InferenceLike | None = None,
    *,
    pinned: PinnedLike | None = None,
    x_name: str = "x",
    y_name: str = "y",
) -> Figure:
    """Draw the data, the fitted line, its breakpoints with their intervals, and the residuals.

    Beyond 5,000 rows the data are drawn as a density, so that a million rows take no longer.
    With several inputs, the data are drawn against the fitted values.

    Parameters
    ----------
    fit : Fit
        To data with one target.
    inference : Inference, optional
        Its intervals are drawn as bands around the breakpoints.
    pinned : Pinned, optional
        Its intervals are drawn as bars in a strip under the data, one row for each breakpoint.
    x_name, y_name : str, default "x", "y"
        Labels of the axes.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.
    """
    from matplotlib.figure import Figure

    problem = fit.problem
    one_input = problem.x.ndim == 1 or problem.x.shape[1] == 1
    fitted = fit.predict(problem.x)
    across = problem.x.reshape(-1) if one_input else fitted
    strip = _strip_height(pinned)
    figure = Figure(figsize=(6.4, 4.8 + strip), layout="constrained")
    heights = [3.3, strip, 1.1] if strip else [3, 1]
    rows = figure.subplots(
        len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights, "hspace": 0.06}
    )
    upper, lower = rows[0], rows[-1]
    upper.set_ylabel(y_name, color=INK, parse_math=False)
    lower.set_ylabel("residual", color=INK)
    lower.set_xlabel(x_name if one_input else "fitted value", color=INK, parse_math=False)
    weights = problem.weights if problem.weighted else None
    draw_data(upper, across, problem.y, weights, bins=120)
    draw_data(lower, across, problem.y - fitted, weights, bins=40)
    if one_input:
        _draw_breakpoints((upper, lower), fit, inference)
        knots = np.concatenate([[across.min()], fit.breakpoints, [across.max()]])
        upper.plot(knots, fit.predict(knots), color=ORANGE, linewidth=2, solid_joinstyle="round")
    else:
        ends = np.array([fitted.min(), fitted.max()])
        upper.plot(ends, ends, color=ORANGE, linewidth=1.5)
    lower.axhline(0, color=ORANGE, linewidth=1.5)
    for axes in rows:
        dress(axes)
    if strip and pinned is not None:
        _draw_pinned(rows[1], fit, pinned)
    for axes in rows[:-1]:
        axes.tick_params(bottom=False)
        axes.spines["bottom"].set_visible(False)
    figure.align_ylabels()
    settle(figure)
    return figure


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure whose kind is said by the path's suffix; it appears whole or not at all.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or path-like
        Ends in .png, .svg or .pdf.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    kind = Path(path).suffix.lower().removeprefix(".")
    with atomic_write(path) as handle:
        render(figure, handle, kind)


def render(figure: Figure, handle: IO[bytes], kind: str, *, page: bool = False) -> None:
    """Write a figure to an open file, the same bytes for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    handle : binary file
    kind : {"png", "svg", "pdf"}
    page : bool, default False
        Whether it becomes part of a page: see-through, and text stays text instead of outlines.
    """
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with _plain_matplotlib(words=page):
        figure.savefig(
            handle,
            format=kind,
            dpi=_RESOLUTION,
            facecolor="none" if page else "white",
            metadata=dates.get(kind, {}),
        )


def settle(figure: Figure) -> None:
    """Lay the figure out now, once, instead of at every drawing."""
    engine = figure.get_layout_engine()
    if engine is not None:
        with _plain_matplotlib():
            engine.execute(figure)
        figure.set_layout_engine("none")


@contextmanager
def _plain_matplotlib(*, words: bool = False) -> Generator[None]:
    """Keep a user's matplotlibrc and missing glyphs from getting in the way."""
    from matplotlib import rc_context

    settings: dict[Any, Any] = {
        "svg.fonttype": "none" if words else "path",
        "svg.hashsalt": "reluscape",
        "pdf.fonttype": 42,
        "text.usetex": False,
    }
    fonts = logging.getLogger("matplotlib.font_manager")
    level = fonts.level
    with rc_context(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        fonts.setLevel(logging.ERROR)
        try:
            yield
        finally:
            fonts.setLevel(level)


def draw_data(axes: Axes, x: Floats, y: Floats, weights: Floats | None, *, bins: int) -> None:
    """Draw data as points, or beyond 5,000 rows as a density with so many bins in height."""
    if x.size > _MOST_POINTS:
        _draw_density(axes, x, y, weights, bins)
        return
    size: Any = 14 if x.size <= 500 else 5
    if weights is not None:
        size = size * np.clip(weights / weights.mean(), 0.1, 6)
    alpha = 0.7 if x.size <= 500 else 0.5
    axes.scatter(x, y, s=size, color=_DATA, alpha=alpha, linewidths=0, zorder=1)


def _draw_density(axes: Axes, x: Floats, y: Floats, weights: Floats | None, rows: int) -> None:
    """Shade the plane by how many rows, or how much weight, lie where."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm, to_rgb

    columns = 240
    left, right, bottom, top = x.min(), x.max(), y.min(), y.max()
    width, height = (right - left) or 1.0, (top - bottom) or 1.0
    column = np.minimum((x - left) * (columns / width), columns - 1).astype(np.int64)
    row = np.minimum((y - bottom) * (rows / height), rows - 1).astype(np.int64)
    shade = np.bincount(row * columns + column, weights, minlength=columns * rows)
    image = np.ma.masked_equal(shade.reshape(rows, columns), 0)
    axes.imshow(
        image,
        extent=(left, left + width, bottom, bottom + height),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap=LinearSegmentedColormap.from_list(
            "density", [(*to_rgb(_DATA), 0.25), (*to_rgb(_DATA), 1.0)]
        ),
        norm=LogNorm(),
        zorder=1,
    )
    axes.use_sticky_edges = False
    axes.autoscale(enable=True)


def _draw_breakpoints(
    both: tuple[Axes, Axes], fit: FitLike, inference: InferenceLike | None
) -> None:
    left, right = fit.problem.x.min(), fit.problem.x.max()
    for axes in both:
        for index, place in enumerate(fit.breakpoints):
            axes.axvline(place, color=BLUE, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1.5)
            if inference is None:
                continue
            low, high = inference.breakpoints[index].low, inference.breakpoints[index].high
            if np.isfinite(low) and np.isfinite(high):
                band = (max(low, left), min(high, right))
                axes.axvspan(*band, color=BLUE, alpha=0.16, linewidth=0, zorder=0.5)


def _strip_height(pinned: PinnedLike | None) -> float:
    """Inches for the bars, 0 where there are none."""
    many = 0 if pinned is None else len(pinned.intervals)
    return 0.3 + 0.13 * min(many, 12) if many else 0.0


def _draw_pinned(axes: Axes, fit: FitLike, pinned: PinnedLike) -> None:
    """Draw a bar for each interval, and where the breakpoint of the fit is in it."""
    low, high = pinned.intervals.T
    rows = np.arange(1, len(low) + 1)
    thick = min(4.5, 54.0 / len(low))
    axes.hlines(rows, low, high, color=GREEN, linewidth=thick, alpha=0.55)
    axes.plot(fit.breakpoints, rows, "|", color=BLUE, markersize=thick + 3.5, markeredgewidth=1.6)
    axes.set_ylim(len(low) + 0.7, 0.3)
    axes.set_yticks([])
    axes.set_ylabel(f"within\n{100 * pinned.share:g} %", color=INK)


def dress(axes: Axes) -> None:
    """Give axes the look of all figures."""
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
        spine.set_linewidth(0.8)
    axes.tick_params(color=INK, labelcolor=INK, width=0.8, labelsize=9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_fontsize(10)
        axis.get_offset_text().set(color=INK, size=8)
