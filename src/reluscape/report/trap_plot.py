"""The figure of a trap: a target, local minima that form a continuum, and a better network."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reluscape.landscape.trap import Trap
from reluscape.report.functions import TARGET, draw_network, draw_target, ink, shades
from reluscape.report.numbers import number
from reluscape.report.plots import BLUE, GREEN, INK, dress, settle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_trap(trap: Trap, places: Sequence[float], *, width: int = 2) -> Figure:
    """Draw the target, members of the family of local minima, a better network, and their risks.

    Parameters
    ----------
    trap : Trap
    places : sequence of float
        Which members to draw: their t.
    width : int, default 2
        Neurons of the members.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.
    """
    from matplotlib.figure import Figure

    problem = trap.problem
    figure = Figure(figsize=(7.6, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [2.0, 1.0], "wspace": 0.08})
    draw_target(left, problem)
    ends = (problem.a, problem.b)
    members = [trap.member(t, width) for t in places]
    draw_network(left, trap.better, ends, GREEN, {"linestyle": (0, (5, 2)), "zorder": 2.5})
    for member, color in zip(members, shades(len(members)), strict=True):
        draw_network(left, member, ends, color, {"linewidth": 1.5})
    ink(left, "x", "y")
    _draw_risks(right, trap, places, [problem.risk(member) for member in members])
    for axes in (left, right):
        dress(axes)
    _legend(figure)
    settle(figure)
    return figure


def _draw_risks(axes: Axes, trap: Trap, places: Sequence[float], risks: list[float]) -> None:
    """Draw the risk of the members over t, that of the better network, and the gap that is sure."""
    better = trap.problem.risk(trap.better)
    low, high = trap.range
    axes.plot([low, high], [trap.risk, trap.risk], color=BLUE, linewidth=1.5)
    for t, risk, color in zip(places, risks, shades(len(risks)), strict=True):
        axes.plot([t], [risk], "o", color=color, markersize=6, zorder=3)
    axes.axhline(better, color=GREEN, linewidth=1.8, linestyle=(0, (5, 2)))
    middle = (low + high) / 2
    axes.annotate(
        "",
        (middle, trap.risk - trap.gap),
        (middle, trap.risk),
        arrowprops={"arrowstyle": "<->", "color": INK, "linewidth": 0.9, "shrinkA": 5},
    )
    axes.annotate(
        f"gap ≥ {number(trap.gap, 4)}",
        (middle, trap.risk - trap.gap / 2),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=INK,
    )
    axes.set_ylim(0, 1.12 * max(trap.risk, better))
    room = 0.08 * (high - low)
    axes.set_xlim(low - room, high + room)
    ink(axes, "breakpoint t", "risk")


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=TARGET, linewidth=4.5),
        Line2D([], [], color=BLUE, linewidth=1.5, marker="o", markersize=4),
        Line2D([], [], color=GREEN, linewidth=1.8, linestyle=(0, (5, 2))),
    ]
    figure.legend(
        handles,
        ["target", "local minima, one for each t", "a better network"],
        loc="outside upper left",
        ncols=3,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=2.0,
        columnspacing=1.4,
    )
