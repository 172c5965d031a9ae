"""The figure of the best of many descents beside the certified optimum."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reluscape.report.plots import INK, dress, settle
from reluscape.report.series import array, draw_band, label, legend, lines, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# An excess over the bound below this share is that of the proof, not of descent.
_PROOF = 1e-6


def plot_widths(summary: xr.Dataset) -> Figure:
    """Draw how far the best of K runs is above the certified optimum, a panel for each problem.

    Parameters
    ----------
    summary : xarray.Dataset
        From the ready study of widths.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.
    """
    from matplotlib.figure import Figure

    names = [str(name) for name in summary["problem"].to_numpy()]
    figure = Figure(figsize=(7.4, 3.9), layout="constrained")
    row = figure.subplots(1, len(names), squeeze=False, sharey=True, gridspec_kw={"wspace": 0.05})[
        0
    ]
    widths = summary["width"].to_numpy()
    for place, (axes, name) in enumerate(zip(row, names, strict=True)):
        _draw(axes, summary.sel(problem=name))
        said = "(risk of the best − bound) / bound" if place == 0 else ""
        label(axes, "starts $K$", said, f"{'abcdef'[place]}   {name}")
        dress(axes)
    # Last, for the panels share it: what is drawn later would be cut off.
    row[0].set_ylim(bottom=_PROOF / 20.0)
    labels = [f"width {width}" for width in widths]
    legend(figure, lines(len(widths)), labels, loc="outside upper left", ncols=len(labels))
    settle(figure)
    return figure


def _draw(axes: Axes, cell: xr.Dataset) -> None:
    counts = array(cell, "count")
    for i, width in enumerate(cell["width"].to_numpy()):
        here = cell.sel(width=width)
        bound = float(here["bound"])
        if bound <= 0.0:
            continue
        excess = np.maximum(array(here, "best_risk") / bound - 1.0, _PROOF / 10.0)
        axes.plot(counts, excess[:, 1], zorder=3, **style(i))
        draw_band(axes, counts, excess[:, 0], excess[:, 2], i)
    axes.axhline(_PROOF, color=INK, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=1)
    axes.annotate(
        "what the proof leaves open",
        (float(counts[0]), _PROOF),
        xytext=(0, -11),
        textcoords="offset points",
        fontsize=8,
        color=INK,
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
