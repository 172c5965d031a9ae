"""The figure of an attainment: the best networks within growing bounds, and their risks."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reluscape.errors import InputError
from reluscape.landscape.attainment import Attainment
from reluscape.landscape.attainment_evidence import AttainmentEvidence
from reluscape.problems.interval import Interval
from reluscape.report.functions import TARGET, draw_network, draw_target, ink, shades
from reluscape.report.numbers import number
from reluscape.report.plots import BLUE, INK, ORANGE, dress, settle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Risks below this share of the largest are zero to rounding; they are drawn hollow, at this share
# of the least one that is not.
_ZERO, _BELOW = 1e-18, 1e-2
# More networks than these in one picture cannot be told apart.
_MOST = 5


def plot_attainment(
    problem: Interval, answer: Attainment, *, x_name: str = "x", y_name: str = "y"
) -> Figure:
    """Draw the best networks over the target, and risk against the bound on their parameters.

    The scales of the risks are logarithmic. Where an infimum that is not zero is not attained, it
    is taken off. A dashed line beside the points has the rate that was fitted.

    Parameters
    ----------
    problem : Interval
    answer : Attainment
        With evidence.
    x_name, y_name : str, default "x", "y"

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.

    Raises
    ------
    InputError
        If there is no evidence to draw.
    """
    from matplotlib.figure import Figure

    evidence = answer.evidence
    if evidence is None:
        raise InputError("there is no evidence to draw; give bounds.")
    figure = Figure(figsize=(7.6, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1.5, 1.0], "wspace": 0.08})
    many = len(evidence.networks)
    chosen = np.unique(np.linspace(0, many - 1, min(many, _MOST)).round().astype(np.int64))
    colors = shades(len(chosen))
    draw_target(left, problem)
    places: list[int] = chosen.tolist()
    for place, color in zip(places, colors, strict=True):
        network = evidence.networks[place]
        draw_network(left, network, (problem.a, problem.b), color, {"linewidth": 1.5})
    left.locator_params(axis="x", nbins=6)
    ink(left, x_name, y_name)
    _draw_risks(right, answer, evidence)
    for axes in (left, right):
        dress(axes)
    _legend(figure, [float(evidence.bounds[i]) for i in places], colors)
    settle(figure)
    return figure


def _draw_risks(axes: Axes, answer: Attainment, evidence: AttainmentEvidence) -> None:
    base = (answer.infimum or 0.0) if answer.attained is False else 0.0
    excess = evidence.risks - base
    zero = excess <= _ZERO * float(evidence.risks.max())
    seen = excess[~zero]
    floor = float(seen.min()) * _BELOW if len(seen) else 1.0
    heights = np.where(zero, floor, excess)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.plot(evidence.bounds, heights, color=BLUE, linewidth=1.5, zorder=2)
    for hollow in (False, True):
        here = zero == hollow
        fill = "white" if hollow else BLUE
        axes.plot(
            evidence.bounds[here],
            heights[here],
            "o",
            color=BLUE,
            markerfacecolor=fill,
            markersize=5.5,
            zorder=3,
        )
    if evidence.rate is not None:
        x = evidence.bounds[[-3, -1]]
        y = heights[-1] * (x / x[-1]) ** -evidence.rate
        # Beside the points, so that both can be seen.
        axes.plot(x, 3.0 * y, color=ORANGE, linewidth=1.5, linestyle=(0, (4, 2)))
        middle = float(np.sqrt(x[0] * x[1])), float(np.sqrt(y[0] * y[1]))
        axes.annotate(
            f"size$^{{-{evidence.rate:.2f}}}$",
            (middle[0], 3.0 * middle[1]),
            xytext=(5, 3),
            textcoords="offset points",
            fontsize=9,
            color=ORANGE,
        )
    if answer.infimum and not base:
        axes.axhline(answer.infimum, color=INK, linewidth=0.9, linestyle=(0, (1, 1.5)), zorder=1)
        axes.annotate(
            "infimum",
            (float(evidence.bounds[-1]), answer.infimum),
            xytext=(0, 6),
            textcoords="offset points",
            ha="right",
            fontsize=9,
            color=INK,
        )
    if zero.any():
        axes.annotate(
            "0 to rounding",
            (float(evidence.bounds[zero][-1]), floor),
            xytext=(0, 8),
            textcoords="offset points",
            ha="right",
            fontsize=9,
            color=INK,
        )
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axes.xaxis.set_major_locator(LogLocator(base=2.0, numticks=8))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    if not len(seen):
        # Nothing has a height.
        axes.set_yticks([])
        axes.minorticks_off()
    above = f"risk above the infimum {number(base, 4)}" if base else "risk"
    ink(axes, "largest parameter allowed", above)


def _legend(figure: Figure, bounds: list[float], colors: list[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=TARGET, linewidth=4.5)]
    handles += [Line2D([], [], color=color, linewidth=1.5) for color in colors]
    labels = ["target", f"best found, parameters up to {bounds[0]:g}"]
    labels += [f"{bound:g}" for bound in bounds[1:]]
    figure.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=len(labels),
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=2.0,
        columnspacing=1.4,
    )
