"""The figure of how often descent is trapped by a continuum of local minima (S3)."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reluscape.report.plots import INK, dress, settle
from reluscape.report.series import (
    COLORS,
    Floats,
    array,
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

_BINS = 20


def plot_traps(summary: xr.Dataset) -> Figure:
    """Draw how often runs are trapped over width, where in the continuum, and their final risks.

    Parameters
    ----------
    summary : xarray.Dataset
        From the ready study of traps.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.4, 5.8), layout="constrained")
    panels = figure.subplots(2, 2, gridspec_kw={"wspace": 0.07, "hspace": 0.07})
    _draw_shares(panels[0, 0], summary)
    _draw_risks(panels[0, 1], summary)
    _draw_places(panels[1, 0], summary)
    _draw_best(panels[1, 1], summary)
    for axes in panels.ravel():
        dress(axes)
    widths = [f"width {width}" for width in summary["width"].to_numpy()]
    legend(figure, lines(len(widths)), widths, loc="outside upper left", ncols=len(widths))
    settle(figure)
    return figure


def _draw_shares(axes: Axes, summary: xr.Dataset) -> None:
    widths = array(summary, "width")
    ends = array(summary, "share_low"), array(summary, "share_high")
    draw_intervals(axes, widths, array(summary, "share"), *ends, 0)
    runs = float(summary.attrs["runs"])
    look = style(1)
    axes.plot(widths, array(summary, "bent") / runs, zorder=3, **look)
    axes.set_xscale("log", base=2)
    plain_ticks(axes, widths.tolist())
    axes.set_ylim(-0.02, 1.02)
    label(axes, "width", "share of runs", "a")
    names = ["in the trap", "of these with a bend"]
    legend(axes, axes.get_lines(), names, loc="upper right")


def _draw_risks(axes: Axes, summary: xr.Dataset) -> None:
    trapped = float(summary.attrs["trap_risk"])
    least = trapped
    for i, width in enumerate(summary["width"].to_numpy()):
        risks = array(summary.sel(width=width), "final_risk")
        risks = risks[np.isfinite(risks)]
        least = min(least, float(risks[0]))
        look = style(i)
        axes.step(
            risks,
            np.arange(1, len(risks) + 1) / len(risks),
            where="post",
            color=look["color"],
            linestyle=look["linestyle"],
            linewidth=1.5,
        )
    axes.axvline(trapped, color=INK, linewidth=0.8, zorder=1)
    axes.annotate(
        "trap",
        (trapped, 0.02),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=8.5,
        color=INK,
    )
    axes.set_xscale("log")
    axes.set_xlim(0.8 * least, 12.0 * trapped)
    axes.set_ylim(0.0, 1.02)
    label(axes, "final risk", "share of runs at or below", "b")


def _draw_places(axes: Axes, summary: xr.Dataset) -> None:
    """Draw where trapped functions bend: all have the same risk."""
    low, high = float(summary.attrs["low"]), float(summary.attrs["high"])
    places, widths = array(summary, "member_place"), array(summary, "member_width")
    bent = places > low
    groups: list[Floats] = []
    colors: list[str] = []
    for i, width in enumerate(summary["width"].to_numpy()):
        chosen = places[bent & (widths == width)]
        if len(chosen):
            groups.append(chosen)
            colors.append(COLORS[i % len(COLORS)])
    label(axes, "breakpoint $t$ of trapped runs with a bend", "runs", "c")
    axes.set_xlim(low, high)
    if not groups:
        axes.set_yticks([])
        return
    axes.hist(
        groups,
        bins=list(np.linspace(low, high, _BINS + 1)),
        stacked=True,
        color=colors,
        edgecolor="white",
        linewidth=0.5,
    )


def _draw_best(axes: Axes, summary: xr.Dataset) -> None:
    counts = array(summary, "count")
    trapped, gap = float(summary.attrs["trap_risk"]), float(summary.attrs["gap"])
    for i, width in enumerate(summary["width"].to_numpy()):
        axes.plot(counts, array(summary.sel(width=width), "best_risk"), zorder=3, **style(i))
    # Each name where no line is: above wide networks, and below narrow ones.
    for height, said, dashes, count, side in (
        (trapped, "trap", "-", counts[-1], "right"),
        (trapped - gap, "trap − gap", (0, (1, 1.5)), counts[0], "left"),
    ):
        axes.axhline(height, color=INK, linewidth=0.8, linestyle=dashes, zorder=1)
        axes.annotate(
            said,
            (float(count), height),
            xytext=(0, -11),
            textcoords="offset points",
            ha=side,
            fontsize=8.5,
            color=INK,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    label(axes, "starts $K$", "median risk of the best", "d")
