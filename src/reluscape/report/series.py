"""Lines, bands and points of statistics, alike in all figures of studies."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.report.plots import BLUE, GREEN, INK, ORANGE

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

# Okabe and Ito's, in an order in which neighbours differ in brightness as well; each with a marker
# and dashes of its own for prints in grey.
COLORS = (BLUE, ORANGE, GREEN, "#cc79a7", "#56b4e9", "#e69f00")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (5, 1.4, 1.2, 1.4)), "-", "-")


def array(summary: xr.Dataset, name: str) -> Floats:
    """Return a variable as floats."""
    return np.asarray(summary[name].to_numpy(), np.float64)


def style(index: int) -> dict[str, Any]:
    """Return colour, dashes and marker of one of several series."""
    return {
        "color": COLORS[index % len(COLORS)],
        "linestyle": DASHES[index % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 4.5,
        "linewidth": 1.5,
    }


def draw_intervals(
    axes: Axes, x: ArrayLike, middle: Floats, low: Floats, high: Floats, index: int
) -> None:
    """Draw points with their intervals, joined by a line."""
    look = style(index)
    axes.plot(x, middle, zorder=3, **look)
    axes.vlines(x, low, high, color=look["color"], linewidth=1.1, zorder=2)


def draw_band(axes: Axes, x: ArrayLike, low: Floats, high: Floats, index: int) -> None:
    """Shade what lies between two lines."""
    axes.fill_between(x, low, high, color=COLORS[index % len(COLORS)], alpha=0.16, linewidth=0)


def label(axes: Axes, x: str, y: str, panel: str = "") -> None:
    """Label axes, and a panel by its letter."""
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    if panel:
        axes.set_title(panel, loc="left", fontsize=10, color=INK)


def legend(
    where: Axes | Figure, handles: Sequence[Any], labels: Sequence[str], *, loc: str, ncols: int = 1
) -> None:
    """Add a legend in the look of all figures."""
    settings: dict[str, Any] = {
        "frameon": False,
        "fontsize": 8.5,
        "labelcolor": INK,
        "handlelength": 2.2,
        "columnspacing": 1.3,
        "borderaxespad": 0.3,
        "loc": loc,
        "ncols": ncols,
    }
    where.legend(handles, labels, **settings)


def lines(labels: int, start: int = 0) -> list[Any]:
    """Return handles of so many series for a legend."""
    from matplotlib.lines import Line2D

    return [Line2D([], [], **style(i)) for i in range(start, start + labels)]


def plain_ticks(axes: Axes, values: Sequence[float], which: str = "x") -> None:
    """Write the values that were studied along a logarithmic axis, and no others."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_locator(NullLocator())


def _plain(value: float, place: int | None = None) -> str:
    del place
    return f"{value:g}"
