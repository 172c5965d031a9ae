"""The figure of how often and how fast descent finds a global minimum (S1)."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reluscape.report.plots import INK, dress, settle
from reluscape.report.series import (
    COLORS,
    MARKERS,
    array,
    draw_band,
    draw_intervals,
    label,
    legend,
    lines,
    plain_ticks,
    style,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Rates in a thousand steps that are written along the axes.
TICKS = [m * 10.0**e for e in range(-3, 4) for m in (1, 2, 5)]


def plot_convergence(summary: xr.Dataset) -> Figure:
    """Draw the chance of success over width, starts and steps, and rates against the curvature.

    Parameters
    ----------
    summary : xarray.Dataset
        From the ready study of convergence.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.4, 6.2), layout="constrained")
    panels = figure.subplots(2, 2, gridspec_kw={"wspace": 0.07, "hspace": 0.07})
    targets = [str(name) for name in summary["problem"].to_numpy()]
    # The target in the middle of difficulty shows the most.
    shown = targets[min(1, len(targets) - 1)]
    _draw_widths(panels[0, 0], summary, targets)
    _draw_starts(panels[0, 1], summary.sel(problem=shown), shown)
    _draw_steps(panels[1, 0], summary.sel(problem=shown), shown)
    _draw_rates(panels[1, 1], summary, targets)
    for axes in panels.ravel():
        dress(axes)
    settle(figure)
    return figure


def _draw_widths(axes: Axes, summary: xr.Dataset, targets: list[str]) -> None:
    widths = array(summary, "width")
    for i, name in enumerate(targets):
        cell = summary.sel(problem=name)
        spread = widths * 1.03 ** (i - (len(targets) - 1) / 2)
        ends = array(cell, "share_low"), array(cell, "share_high")
        draw_intervals(axes, spread, array(cell, "share"), *ends, i)
    axes.set_xscale("log", base=2)
    plain_ticks(axes, widths.tolist())
    axes.set_ylim(-0.02, 1.02)
    label(axes, "width", "success probability of a run", "a")
    pieces = array(summary, "pieces")
    names = [f"{name}, {int(n)} pieces" for name, n in zip(targets, pieces, strict=True)]
    legend(axes, lines(len(targets)), names, loc="upper left")


def _draw_starts(axes: Axes, summary: xr.Dataset, name: str) -> None:
    counts = array(summary, "count")
    widths = summary["width"].to_numpy()
    for i, width in enumerate(widths):
        cell = summary.sel(width=width)
        look = style(i)
        axes.plot(
            counts,
            array(cell, "predicted"),
            color=look["color"],
            linestyle=look["linestyle"],
            linewidth=1.5,
        )
        draw_band(axes, counts, array(cell, "predicted_low"), array(cell, "predicted_high"), i)
        spread = counts * 1.05 ** (i - (len(widths) - 1) / 2)
        axes.plot(spread, array(cell, "seen"), look["marker"], color=look["color"], markersize=4)
        ends = array(cell, "seen_low"), array(cell, "seen_high")
        axes.vlines(spread, *ends, color=look["color"], linewidth=1.0)
    axes.set_xscale("log")
    axes.set_ylim(-0.02, 1.02)
    label(axes, "starts $K$", "success probability of the best", f"b   {name}")
    legend(axes, lines(len(widths)), [f"width {width}" for width in widths], loc="lower right")


def _draw_steps(axes: Axes, summary: xr.Dataset, name: str) -> None:
    steps = array(summary, "record")
    later = steps > 0
    for i, width in enumerate(summary["width"].to_numpy()):
        cell = summary.sel(width=width)
        look = style(i)
        axes.plot(
            steps[later],
            array(cell, "reached")[later],
            color=look["color"],
            linestyle=look["linestyle"],
            linewidth=1.5,
        )
        ends = array(cell, "reached_low")[later], array(cell, "reached_high")[later]
        draw_band(axes, steps[later], *ends, i)
    axes.set_xscale("log")
    axes.set_xlim(left=max(1.0, float(steps[-1]) / 100.0))
    axes.set_ylim(-0.02, 1.02)
    bar = float(summary["bar"])
    label(axes, "steps", f"share of runs below {bar:g}", f"c   {name}, widths as in b")


def _draw_rates(axes: Axes, summary: xr.Dataset, targets: list[str]) -> None:
    # In a thousand steps: numbers that need no exponents.
    seen, expected = 1e3 * array(summary, "rate_seen"), 1e3 * array(summary, "rate_expected")
    both = np.isfinite(seen) & np.isfinite(expected)
    label(axes, "from the Hessian at its limit", "rate of a run (1 / 1000 steps)", "d")
    axes.set_xscale("log")
    axes.set_yscale("log")
    for which in ("x", "y"):
        plain_ticks(axes, TICKS, which)
    if not both.any():
        axes.set_xlim(0.1, 10.0)
        axes.set_ylim(0.1, 10.0)
        axes.annotate(
            "no run has come to its limit",
            (0.5, 0.5),
            xycoords="axes fraction",
            ha="center",
            fontsize=9,
            color=INK,
        )
        return
    ends = np.array([0.8 * expected[both].min(), 1.25 * expected[both].max()])
    axes.plot(ends, ends, color=INK, linewidth=0.9, zorder=1)
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    names = summary["rate_problem"].to_numpy()
    kinds: list[str] = []
    for i, name in enumerate(targets):
        here = both & (names == name)
        if not here.any():
            continue
        kinds.append(name)
        axes.plot(
            expected[here],
            seen[here],
            MARKERS[i],
            color=COLORS[i],
            markersize=4.5,
            markerfacecolor="none",
            markeredgewidth=1.0,
            label=name,
        )
    handles, labels = axes.get_legend_handles_labels()
    legend(axes, handles, labels, loc="lower right")
