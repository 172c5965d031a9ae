"""The figure of a run that blows up: risk and norm on the way, and what the networks approach."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from reluscape.errors import InputError
from reluscape.networks.limits import LimitResponse
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples
from reluscape.report.functions import TARGET, draw_network, draw_target, ink
from reluscape.report.numbers import number
from reluscape.report.plots import BLUE, INK, ORANGE, draw_data, dress, settle
from reluscape.training.descent import Descent
from reluscape.training.flow import Flow

# Beyond this ratio an axis has enough powers of ten to be labelled with.
_DECADES = 300.0
# Labels that an axis should have, and multiples of powers of ten to take them from, each tried if
# the one before gives too few.
_FEWEST = 3
_LADDERS = ((1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0), tuple(range(1, 10)))

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_blow_up(
    problem: Samples | Interval,
    run: Descent | Flow,
    *,
    limit: LimitResponse | None = None,
    x_name: str = "x",
    y_name: str = "y",
) -> Figure:
    """Draw risk and norm of a run, and its last network with the response that it approaches.

    Parameters
    ----------
    problem : Samples or Interval
        What the run was on, with one input and one target.
    run : Descent or Flow
        Of at least one step. If it does not blow up, there is no limit to draw, and the figure
        shows so.
    limit : LimitResponse, optional
        In the place of `run.limit`: what `limit_response` says of `run.snapshots`.
    x_name, y_name : str, default "x", "y"

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window. Jumps of the response are gaps: a dot on
        the side to which the place itself belongs, a ring on the other.

    Raises
    ------
    InputError
        If there are several inputs or targets, or the run made no step.

    Examples
    --------
    >>> import reluscape as rs
    >>> problem = rs.Interval(rs.step(1 / 2), 0, 1)
    >>> ramp = rs.Network([2.0, 2.0], [-0.8, -1.2], [2.5, -2.5])
    >>> run = rs.descend(problem, ramp, step_size=0.01, steps=200_000)
    >>> figure = plot_blow_up(problem, run)
    >>> len(figure.axes)
    3
    """
    from matplotlib.figure import Figure

    if problem.inputs != 1 or problem.targets != 1 or not run.network.scalar:
        raise InputError("there is no figure for several inputs or targets; leave it out.")
    when = np.asarray(run.recorded if isinstance(run, Descent) else run.times, dtype=np.float64)
    if not when[-1] > 0.0:
        raise InputError("the run made no step; there is no way to draw.")
    found = run.limit if limit is None else limit
    response = None if found is None else found.response
    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=[1.0, 1.3], hspace=0.06, wspace=0.08)
    norms = figure.add_subplot(grid[1, 0])
    risks = figure.add_subplot(grid[0, 0], sharex=norms)
    functions = figure.add_subplot(grid[:, 1])
    past = when > 0.0
    for axes, values, name in ((risks, run.risks, "risk"), (norms, run.norms, "norm")):
        drawn = past & (values > 0.0)
        axes.plot(when[drawn], values[drawn], color=BLUE, linewidth=1.8)
        ink(axes, "", name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        _few_ticks(axes)
    norms.set_xlabel("step" if isinstance(run, Descent) else "time", color=INK)
    risks.tick_params(bottom=False, labelbottom=False, which="both")
    ends = _draw_problem(functions, problem)
    draw_network(functions, run.network, ends, BLUE, {"linewidth": 1.8})
    if response is not None:
        _draw_response(functions, response, ends)
    ink(functions, x_name, y_name)
    for axes in (risks, norms, functions):
        dress(axes)
    risks.spines["bottom"].set_visible(False)
    figure.align_ylabels([risks, norms])
    _legend(figure, problem, run, response)
    settle(figure)
    return figure


def _few_ticks(axes: Axes) -> None:
    """Label an axis that spans few powers of ten at plain numbers."""
    from matplotlib.ticker import FixedLocator, NullFormatter

    low, high = axes.get_ylim()
    axes.yaxis.set_minor_formatter(NullFormatter())
    if high / low > _DECADES:
        return
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    powers = [10.0**exponent for exponent in exponents]
    for steps in _LADDERS:
        several = [step * power for power in powers for step in steps]
        ticks = [tick for tick in several if low <= tick <= high]
        if len(ticks) >= _FEWEST:
            break
    else:
        return
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter("{x:g}")


def _draw_problem(axes: Axes, problem: Samples | Interval) -> tuple[float, float]:
    """Draw the target or the data; return the ends of the inputs."""
    if isinstance(problem, Interval):
        draw_target(axes, problem)
        return problem.a, problem.b
    x, y = problem.x.reshape(-1), problem.y.reshape(-1)
    draw_data(axes, x, y, problem.weights if problem.weighted else None, bins=120)
    return float(x.min()), float(x.max())


def _draw_response(axes: Axes, response: GeneralizedResponse, ends: tuple[float, float]) -> None:
    """Draw a response piece by piece, so that its jumps are gaps."""
    places = response.thresholds * response.normals[:, 0]
    inside = (places > ends[0]) & (places < ends[1])
    shown = inside & (response.multiplicities == 2)
    jumps = np.sort(places[shown])
    kinks = places[inside & (response.multiplicities == 1)]
    for left, right in pairwise([ends[0], *jumps.tolist(), ends[1]]):
        between = kinks[(kinks > left) & (kinks < right)]
        x = np.array([left, *np.sort(between).tolist(), right])
        # Just inside: on the boundary itself only one of the sides counts.
        inner = x.copy()
        inner[0], inner[-1] = np.nextafter(left, right), np.nextafter(right, left)
        y = response(inner)
        axes.plot(x, y, color=ORANGE, linewidth=1.6, linestyle=(0, (5, 2)), zorder=2.5)
    for t, normal in zip(places[shown].tolist(), response.normals[shown, 0], strict=True):
        for side in (-1.0, 1.0):
            y = response(np.nextafter(t, side * np.inf))
            # Half-spaces are open: their boundaries belong to the other side.
            face = "white" if side * normal > 0.0 else ORANGE
            axes.plot([t], [y], "o", color=ORANGE, mfc=face, markersize=4.5, zorder=3.5)


def _legend(
    figure: Figure,
    problem: Samples | Interval,
    run: Descent | Flow,
    response: GeneralizedResponse | None,
) -> None:
    from matplotlib.lines import Line2D

    handles: list[Line2D] = []
    labels: list[str] = []
    if isinstance(problem, Interval):
        handles.append(Line2D([], [], color=TARGET, linewidth=4.5))
        labels.append("target")
    handles.append(Line2D([], [], color=BLUE, linewidth=1.8))
    labels.append(f"last network, risk {number(float(run.risks[-1]))}")
    if response is not None:
        handles.append(Line2D([], [], color=ORANGE, linewidth=1.6, linestyle=(0, (5, 2))))
        labels.append(f"what it approaches, risk {number(problem.risk(response))}")
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
