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
# Shades run from this share of white to full colour.
_PALEST = 0.6
# Where a curved neuron bends it is drawn finely, this many times the reach of its bend around it.
_BEND = np.linspace(-8.0, 8.0, 65)


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
    """Draw the function of a network on an interval, with a dot at each bend that is sharp."""
    settings: dict[str, Any] = {
        "linewidth": 1.8,
        "solid_joinstyle": "round",
        "zorder": 2,
        **(style or {}),
    }
    if not network.activation.piecewise_linear:
        x = _finely(network, ends)
        axes.plot(x, network(x), color=color, **settings)
        return
    knots = np.array([ends[0], *bends(network, *ends), ends[1]])
    values = network(knots)
    axes.plot(knots, values, color=color, **settings)
    axes.plot(knots[1:-1], values[1:-1], "o", color=color, markersize=3.5, zorder=3)


def _finely(
    network: Network, ends: tuple[float, float]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return points on an interval, dense where steep neurons bend."""
    w, b = network.weights[:, 0], network.biases
    steep = np.abs(w) * (ends[1] - ends[0]) > 1.0
    around = (np.subtract.outer(_BEND, b[steep]) / w[steep]).ravel()
    inside = around[(around > ends[0]) & (around < ends[1])]
    return np.unique(np.concatenate([np.linspace(*ends, _POINTS), inside]))


def shades(many: int) -> list[str]:
    """Return shades of blue from pale to dark."""
    from matplotlib.colors import to_hex, to_rgb

    blue = np.array(to_rgb(BLUE))
    shares = np.linspace(_PALEST, 0.0, many) if many > 1 else np.zeros(1)
    return [to_hex(tuple((blue + share * (1 - blue)).tolist())) for share in shares]


def ink(axes: Axes, x: str, y: str) -> None:
    """Label axes."""
    axes.set_xlabel(x, color=INK, parse_math=False)
    axes.set_ylabel(y, color=INK, parse_math=False)
