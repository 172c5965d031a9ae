"""Functions of x in figures: targets and networks on an interval."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.report.entries import bends
from reluscape.report.plots import BLUE, GREEN, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours again; lines that they do not tell apart differ in their dashes.
KINDS = {
    "global minimum": GREEN,
    "local minimum": BLUE,
    "saddle": ORANGE,
    "not critical": "#cc79a7",
    "undecided": "#cc79a7",
}
DASHES: dict[str, Any] = {
    "saddle": (0, (5, 2)),
    "not critical": (0, (5, 2)),
    "undecided": (0, (1, 1.2)),
}
TARGET = "#b8bec6"
_POINTS = 800


def draw_target(axes: Axes, problem: Interval, label: str = "target") -> None:
    """Draw a target as a thick light line, broken where it jumps."""
    # Targets without pieces are drawn in one go.
    breaks: Sequence[float] = getattr(problem.target, "breaks", ())
    inner = [t for t in breaks if problem.a < t < problem.b]
    ends = [problem.a, *inner, problem.b]
    for i, (left, right) in enumerate(pairwise(ends)):
        x = np.linspace(left, right, max(2, _POINTS // len(ends)))
        # At a border the piece to the right counts: draw each up to just before its end.
        x[-1] = np.nextafter(right, left) if right < problem.b else right
        axes.plot(
            x,
            problem.target(x),
            color=TARGET,
            linewidth=4.5,
            solid_capstyle="round",
            zorder=1,
            label=label if i == 0 else None,
        )


def draw_network(
    axes: Axes,
    network: Network,
    ends: tuple[float, float],
    color: str,
    style: Mapping[str, Any] | None = None,
) -> None:
    """Draw the function of a network on an interval, with a dot at each bend."""
    places = bends(network, *ends)
    knots = np.array([ends[0], *places, ends[1]])
    settings: dict[str, Any] = {
        "linewidth": 1.8,
        "solid_joinstyle": "round",
        "zorder": 2,
        **(style or {}),
    }
    values = network(knots)
    axes.plot(knots, values, color=color, **settings)
    axes.plot(knots[1:-1], values[1:-1], "o", color=color, markersize=3.5, zorder=3)


def ink(axes: Axes, x: str, y: str) -> None:
    """Label axes."""
    axes.set_xlabel(x, color=INK, parse_math=False)
    axes.set_ylabel(y, color=INK, parse_math=False)
