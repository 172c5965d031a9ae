"""The figure of an atlas: critical points as functions, and as levels of risk."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reluscape.problems.interval import Interval
from reluscape.report.entries import Entry
from reluscape.report.functions import DASHES, KINDS, TARGET, draw_network, draw_target, ink
from reluscape.report.plots import INK, dress, settle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# More functions than these in one picture cannot be told apart; risks are shown of all.
MOST_FUNCTIONS = 8
# Risks this close, relative to the largest, are one level; what is closer to zero is zero.
SAME_LEVEL = 1e-9
ZERO = 1e-14
# Levels that differ by more than this factor are drawn on a logarithmic scale.
_WIDE = 30.0
# Least distance of labels, as a share of the height.
_ROOM = 0.05


def plot_atlas(
    problem: Interval,
    entries: Sequence[Entry],
    *,
    x_name: str = "x",
    y_name: str = "y",
) -> Figure:
    """Draw critical points: their functions over the target, and their risks as levels.

    Kinds have colours, and each point its number, in both panels. Of more than 8 points, 8 are
    drawn as functions, spread over the list.

    Parameters
    ----------
    problem : Interval
    entries : sequence of Entry
        One or more.
    x_name, y_name : str, default "x", "y"

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 4.2), layout="constrained")
    kinds = [kind for kind in KINDS if any(e.kind == kind for e in entries)]
    widths = [2.6 - 0.25 * len(kinds), 0.5 + 0.4 * len(kinds)]
    left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": widths, "wspace": 0.08})
    shown = _chosen(entries)
    _draw_functions(left, problem, shown)
    ink(left, x_name, y_name)
    _draw_levels(right, entries, kinds)
    for axes in (left, right):
        dress(axes)
    right.tick_params(axis="x", length=0)
    _legend(figure, kinds, len(shown), len(entries))
    settle(figure)
    return figure


def _chosen(entries: Sequence[Entry]) -> list[Entry]:
    """Return at most so many entries as can be drawn, spread over all."""
    many = min(len(entries), MOST_FUNCTIONS)
    places = np.unique(np.linspace(0, len(entries) - 1, many).round().astype(np.int64))
    return [entries[i] for i in places.tolist()]


def _draw_functions(axes: Axes, problem: Interval, entries: Sequence[Entry]) -> None:
    draw_target(axes, problem)
    # Dashes last: they leave to be seen what has the same function.
    for entry in sorted(entries, key=lambda e: DASHES.get(e.kind, "-") != "-"):
        style = {"linestyle": DASHES.get(entry.kind, "-")}
        draw_network(axes, entry.network, (problem.a, problem.b), KINDS[entry.kind], style)
    axes.margins(x=0.02, y=0.06)
    low, high = axes.get_ylim()
    ends = [float(entry.network(problem.b)) for entry in entries]
    heights = spread([(y - low) / (high - low) for y in ends], _ROOM)
    for entry, height in zip(entries, heights, strict=True):
        axes.annotate(
            f"{entry.number}",
            (1.0, height),
            xycoords="axes fraction",
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=KINDS[entry.kind],
        )


def _draw_levels(axes: Axes, entries: Sequence[Entry], kinds: Sequence[str]) -> None:
    """Draw a bar for each level of risk, in a column for each kind."""
    scale = _Scale([e.risk for e in entries])
    groups: dict[tuple[str, float], list[Entry]] = {}
    for entry in sorted(entries, key=lambda e: e.risk):
        height = scale.height(entry.risk)
        near = next(
            (k for k in groups if k[0] == entry.kind and abs(k[1] - height) < SAME_LEVEL), None
        )
        groups.setdefault(near or (entry.kind, height), []).append(entry)
    for kind in kinds:
        column = kinds.index(kind)
        levels = [(height, group) for (k, height), group in groups.items() if k == kind]
        for height, _ in levels:
            axes.hlines(height, column - 0.36, column + 0.16, color=KINDS[kind], linewidth=2.4)
        last = -math.inf
        for height, group in levels:
            if height - last < _ROOM:
                continue
            last = height
            axes.annotate(
                ranges([e.number for e in group]),
                (column + 0.2, height),
                va="center",
                fontsize=8,
                color=KINDS[kind],
            )
    axes.set_xlim(-0.6, len(kinds) - 0.35)
    axes.set_xticks(range(len(kinds)), [kind.replace(" ", "\n") for kind in kinds])
    axes.set_ylim(-0.06, 1.06)
    axes.set_yticks(*scale.ticks())
    axes.set_ylabel("risk", color=INK)
    if scale.broken:
        axes.set_yticks(scale.minor(), minor=True)
        _break_axis(axes, scale.height(0.0), scale.height(scale.least))


class _Scale:
    """Heights between 0 and 1 for risks: linear, or logarithmic with a place below for zero."""

    def __init__(self, risks: Sequence[float]) -> None:
        self.most = max(risks) or 1.0
        positive = [r for r in risks if r > ZERO * self.most]
        self.least = min(positive, default=self.most)
        self.zero = len(positive) < len(risks)
        self.logarithmic = self.most > _WIDE * self.least
        self.broken = self.logarithmic and self.zero
        self.floor = 0.16 if self.broken else 0.0

    def height(self, risk: float) -> float:
        """Return where a risk is drawn."""
        if not self.logarithmic:
            return risk / self.most
        if risk <= ZERO * self.most:
            return 0.0
        part = math.log(risk / self.least) / math.log(self.most / self.least)
        return self.floor + (1 - self.floor) * part

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return heights and labels of some round risks."""
        if not self.logarithmic:
            from matplotlib.ticker import MaxNLocator

            places = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(0.0, self.most)
            values = [float(v) for v in places if 0 <= v <= 1.06 * self.most]
            return [v / self.most for v in values], _alike(values)
        low, high = math.ceil(math.log10(self.least)), math.floor(math.log10(self.most))
        step = max(1, math.ceil((high - low + 1) / 7))
        powers = range(low, high + 1, step)
        heights = [self.height(10.0**k) for k in powers]
        labels = [f"$10^{{{k}}}$" for k in powers]
        return ([0.0, *heights], ["0", *labels]) if self.zero else (heights, labels)

    def minor(self) -> list[float]:
        """Return heights of the ticks between powers of ten."""
        low, high = math.floor(math.log10(self.least)), math.ceil(math.log10(self.most))
        if high - low > 8:
            return []
        values = [d * 10.0**k for k in range(low, high) for d in range(2, 10)]
        return [self.height(v) for v in values if self.least <= v <= self.most]


def _alike(values: Sequence[float]) -> list[str]:
    """Write numbers with as many decimals each."""
    texts = [f"{v:g}" for v in values]
    if any("e" in text for text in texts):
        return texts
    decimals = max(len(text.partition(".")[2]) for text in texts)
    return [f"{v:.{decimals}f}" for v in values]


def _break_axis(axes: Axes, low: float, high: float) -> None:
    """Mark that a scale does not go on to zero: two strokes over its line."""
    from matplotlib.transforms import ScaledTranslation

    figure = axes.get_figure()
    if figure is None:
        return
    bottom, top = axes.get_ylim()
    middle = ((low + high) / 2 - bottom) / (top - bottom)
    for shift in (-2.0, 2.0):
        move = ScaledTranslation(0, shift / 72, figure.dpi_scale_trans)
        axes.plot(
            [-0.02, 0.02],
            [middle - 0.008, middle + 0.008],
            transform=axes.transAxes + move,
            color=INK,
            linewidth=0.9,
            clip_on=False,
        )


def _legend(figure: Figure, kinds: Sequence[str], shown: int, many: int) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=TARGET, linewidth=4.5)]
    handles += [
        Line2D([], [], color=KINDS[kind], linewidth=1.8, linestyle=DASHES.get(kind, "-"))
        for kind in kinds
    ]
    labels = ["target", *kinds]
    if shown < many:
        handles.append(Line2D([], [], linestyle="none"))
        labels.append(f"({shown} of {many} drawn on the left)")
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


def spread(heights: Sequence[float], room: float) -> list[float]:
    """Move heights apart, as little as it takes, until all are `room` away from each other.

    Parameters
    ----------
    heights : sequence of float
        Between 0 and 1, where they stay as long as there is room.
    room : float

    Returns
    -------
    list of float
        In the order of `heights`.

    Examples
    --------
    >>> [round(height, 3) for height in spread([0.5, 0.1, 0.5, 1.0], 0.1)]
    [0.45, 0.1, 0.55, 1.0]
    """

    def bottom(cluster: Sequence[float]) -> float:
        tall = room * (len(cluster) - 1)
        return max(0.0, min(sum(cluster) / len(cluster) - tall / 2, 1.0 - tall))

    order = np.argsort(np.asarray(heights), kind="stable").tolist()
    # Labels that touch form a cluster, around the mean of where they should be.
    clusters: list[list[float]] = []
    for index in order:
        clusters.append([heights[index]])
        while len(clusters) > 1:
            lower, upper = clusters[-2:]
            if bottom(lower) + room * len(lower) <= bottom(upper):
                break
            clusters[-2:] = [lower + upper]
    placed = [bottom(c) + room * i for c in clusters for i in range(len(c))]
    result = [0.0] * len(heights)
    for index, height in zip(order, placed, strict=True):
        result[index] = height
    return result


def ranges(numbers: Sequence[int]) -> str:
    """Write whole numbers shortly.

    Examples
    --------
    >>> ranges([1, 2, 3, 5, 7, 8])
    '1–3, 5, 7, 8'
    """
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return ", ".join(parts)
