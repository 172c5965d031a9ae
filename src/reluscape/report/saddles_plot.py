"""The figure of where descent on an affine target ends, and of its escapes (S2)."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reluscape.report.plots import BLUE, GREEN, INK, ORANGE, dress, settle
from reluscape.report.series import array, label, legend, plain_ticks, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colour, hatches for prints in grey, and what the legend says, by fate.
_LOOK = {
    "success": (GREEN, "", "at 0"),
    "highest level": (BLUE, "//", "near 1/12, the highest level"),
    "lower level": (ORANGE, "", "near a lower level: saddles"),
    "on the way": ("#c9ced6", "", "on the way"),
    "diverged": (INK, "", "diverged"),
}
# Risks below this are drawn here: they are zero to rounding.
_FLOOR = 1e-30
_POINTS = 2_000


def plot_saddles(summary: xr.Dataset) -> Figure:
    """Draw how runs end for ReLU and leaky ReLU, their final risks, and times at the plateau.

    Parameters
    ----------
    summary : xarray.Dataset
        From the ready study of saddles.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.4, 6.4), layout="constrained")
    panels = figure.subplots(2, 2, gridspec_kw={"wspace": 0.06, "hspace": 0.07})
    names = [str(name) for name in summary["activation"].to_numpy()]
    width = int(summary["width"].to_numpy()[-1])
    for axes, name, letter in zip(panels[0], names, "ab", strict=False):
        _draw_fates(axes, summary.sel(activation=name, width=width))
        label(
            axes,
            "initial scale, and step size",
            "share of runs",
            f"{letter}   {_said(name)}, width {width}",
        )
    _draw_risks(panels[1, 0], summary, names)
    _draw_escapes(panels[1, 1], summary, names, width)
    for axes in panels.ravel():
        dress(axes)
    _legend(figure, summary)
    settle(figure)
    return figure


def _said(activation: str) -> str:
    return "ReLU" if activation == "relu" else activation.replace("leaky(", "leaky ReLU (")


def _draw_fates(axes: Axes, cell: xr.Dataset) -> None:
    """Draw a bar for each scale and step size, groups by scale."""
    counts = array(cell, "fate_count")
    shares = counts / counts.sum(axis=-1, keepdims=True)
    scales, sizes = array(cell, "scale"), array(cell, "step_size")
    group = len(sizes) + 1
    places = np.array([[s * group + g for g in range(len(sizes))] for s in range(len(scales))])
    below = np.zeros(places.shape)
    for i, fate in enumerate(cell["fate"].to_numpy()):
        color, hatch, _ = _LOOK[str(fate)]
        axes.bar(
            places.ravel(),
            shares[..., i].ravel(),
            bottom=below.ravel(),
            width=0.86,
            color=color,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.0,
        )
        below = below + shares[..., i]
    axes.set_ylim(0.0, 1.0)
    axes.set_xticks(places.mean(axis=1), [f"{scale:g}" for scale in scales])
    axes.tick_params(axis="x", length=0, pad=13)
    for place, size in zip(places.ravel(), np.tile(sizes, len(scales)), strict=True):
        axes.annotate(
            f"{size:g}".lstrip("0"),
            (float(place), 0.0),
            xytext=(0, -3),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7,
            color=INK,
        )


def _draw_risks(axes: Axes, summary: xr.Dataset, names: list[str]) -> None:
    """Draw the distribution of final risks, and the levels at which it might step."""
    for i, name in enumerate(names):
        cell = summary.sel(activation=name)
        risks = array(cell, "final_risk")
        risks = np.maximum(risks[np.isfinite(risks)], _FLOOR)
        chosen = np.unique(np.linspace(0, len(risks) - 1, _POINTS).round().astype(np.int64))
        look = style(i)
        axes.step(
            risks[chosen],
            (chosen + 1) / len(risks),
            where="post",
            color=look["color"],
            linestyle=look["linestyle"],
            linewidth=1.6,
            label=_said(name),
        )
        levels = array(cell, "level_risk")
        levels = levels[levels > 0.0]
        axes.plot(
            levels,
            np.full(len(levels), 0.06 + 0.05 * i),
            "|",
            color=look["color"],
            markersize=9,
            markeredgewidth=1.4,
        )
    axes.set_xscale("log")
    axes.set_xlim(_FLOOR, 1.0)
    axes.set_ylim(0.0, 1.02)
    label(axes, "final risk (bars: positive critical levels)", "share of runs at or below", "c")
    handles, labels = axes.get_legend_handles_labels()
    legend(axes, handles, labels, loc="upper left")


def _draw_escapes(axes: Axes, summary: xr.Dataset, names: list[str], width: int) -> None:
    scales = array(summary, "scale")
    top = 0.0
    for i, name in enumerate(names):
        cell = summary.sel(activation=name, width=width).isel(step_size=0)
        low, median, high = array(cell, "escape").T
        look = style(i)
        spread = scales * 1.08 ** (i - (len(names) - 1) / 2)
        axes.plot(spread, median, zorder=3, **look)
        axes.vlines(spread, low, high, color=look["color"], linewidth=1.2)
        top = max(top, float(np.nanmax(high)))
    first = array(summary.sel(activation=names[0], width=width).isel(step_size=0), "escape")[0, 1]
    growth = float(summary.attrs["growth"])
    line = first - np.log(scales / scales[0]) / growth
    shown = line > 0.0
    axes.plot(
        np.append(scales[shown], scales[0] * np.exp(growth * first)),
        np.append(line[shown], 0.0),
        color=INK,
        linewidth=0.9,
        zorder=1,
    )
    axes.annotate(
        f"slope: growth like $e^{{t/{1.0 / growth:.3g}}}$",
        (scales[0] * 4.0, first - np.log(4.0) / growth),
        xytext=(8, 2),
        textcoords="offset points",
        fontsize=8.5,
        color=INK,
    )
    axes.set_xscale("log")
    plain_ticks(axes, scales.tolist())
    axes.set_ylim(-0.03 * top, 1.05 * top)
    size = float(summary["step_size"].to_numpy()[0])
    label(
        axes, "initial scale", f"time at the plateau 1/12 (steps × {size:g})", f"d   width {width}"
    )
    handles: list[Any] = axes.get_lines()[: len(names)]
    legend(axes, handles, [_said(name) for name in names], loc="upper right")


def _legend(figure: Figure, summary: xr.Dataset) -> None:
    from matplotlib.patches import Patch

    counts = summary["fate_count"].sum(["activation", "width", "scale", "step_size"]).to_numpy()
    handles: list[Any] = []
    labels: list[str] = []
    for fate, count in zip(summary["fate"].to_numpy(), counts, strict=True):
        color, hatch, said = _LOOK[str(fate)]
        # Saddles are named even where no run is: that is the finding.
        if count or fate == "lower level":
            handles.append(Patch(facecolor=color, hatch=hatch, edgecolor="white", linewidth=0.0))
            labels.append(said if count else f"{said} (none)")
    legend(figure, handles, labels, loc="outside upper left", ncols=5)
