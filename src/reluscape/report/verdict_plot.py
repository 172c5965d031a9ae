"""The figure of a verdict: a network over its target or data, and the way down from it."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reluscape.errors import InputError
from reluscape.landscape.verdict import Verdict
from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples
from reluscape.report.functions import KINDS, TARGET, draw_network, draw_target, ink
from reluscape.report.numbers import number
from reluscape.report.plots import INK, draw_data, dress, settle
from reluscape.report.surface_plot import plot_surface

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# No kind has this colour: black is for where the way down leads.
_ESCAPE = INK


def plot_verdict(
    problem: Samples | Interval | Polygon | Gaussian,
    network: Network,
    verdict: Verdict,
    *,
    x_name: str = "x",
    y_name: str = "y",
    x_names: tuple[str, ...] = ("x1", "x2"),
) -> Figure:
    """Draw a network over its target or data, its errors, and the network that its escape leads to.

    With two inputs this is `plot_surface`.

    Parameters
    ----------
    problem : Samples, Interval, Polygon or Gaussian
        With one or two inputs and one target.
    network : Network
    verdict : Verdict
    x_name, y_name : str, default "x", "y"
    x_names : (str, str), default ("x1", "x2")
        Both inputs, where there are two.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.

    Raises
    ------
    InputError
        If there are more inputs or targets.
    """
    from matplotlib.figure import Figure

    if problem.inputs > 2 or problem.targets != 1:
        raise InputError("there is no figure for more than two inputs or one target; leave it out.")
    if isinstance(problem, Polygon | Gaussian) or (
        isinstance(problem, Samples) and problem.inputs == 2
    ):
        return plot_surface(problem, network, verdict, x_names=x_names, y_name=y_name)
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    upper, lower = figure.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1], "hspace": 0.06}
    )
    color = KINDS.get(verdict.kind, INK)
    if isinstance(problem, Interval):
        ends = (problem.a, problem.b)
        draw_target(upper, problem)
        x = _dense(problem, network)
        lower.plot(x, network(x) - problem.target(x), color=color, linewidth=1.5)
    else:
        x = problem.x.reshape(-1)
        ends = (float(x.min()), float(x.max()))
        y = problem.y.reshape(-1)
        weights = problem.weights if problem.weighted else None
        draw_data(upper, x, y, weights, bins=120)
        draw_data(lower, x, network(x).reshape(-1) - y, weights, bins=40)
    draw_network(upper, network, ends, color, {"linewidth": 2.2})
    if verdict.escape is not None:
        style = {"linestyle": (0, (4, 2)), "linewidth": 1.3, "zorder": 2.5}
        draw_network(upper, verdict.escape.network, ends, _ESCAPE, style)
    lower.axhline(0, color=INK, linewidth=0.8)
    ink(upper, "", y_name)
    ink(lower, x_name, "error")
    for axes in (upper, lower):
        dress(axes)
    upper.tick_params(bottom=False)
    upper.spines["bottom"].set_visible(False)
    figure.align_ylabels()
    _legend(figure, problem, verdict)
    settle(figure)
    return figure


def _dense(problem: Interval, network: Network) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return points on an interval, and both sides of every place where the error may break."""
    borders = np.array([*problem.target.breaks, *network.breakpoints()])
    inside = borders[(borders > problem.a) & (borders < problem.b)]
    points = np.linspace(problem.a, problem.b, 800)
    return np.unique(np.concatenate([points, inside, np.nextafter(inside, problem.a)]))


def _legend(figure: Figure, problem: Samples | Interval, verdict: Verdict) -> None:
    from matplotlib.lines import Line2D

    handles: list[Line2D] = []
    labels: list[str] = []
    if isinstance(problem, Interval):
        handles.append(Line2D([], [], color=TARGET, linewidth=4.5))
        labels.append("target")
    handles.append(Line2D([], [], color=KINDS.get(verdict.kind, INK), linewidth=2.2))
    labels.append(f"{verdict.kind}, risk {number(verdict.risk)}")
    if verdict.escape is not None:
        handles.append(Line2D([], [], color=_ESCAPE, linewidth=1.3, linestyle=(0, (4, 2))))
        labels.append(f"a way down, risk {number(verdict.escape.risk)}")
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
