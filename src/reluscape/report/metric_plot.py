"""The metric picture of a construction: rows as the network sees them, and class regions."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from reluscape.construction.result import Construction
from reluscape.construction.sources import as_labels
from reluscape.report.plots import INK, dress, settle

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Okabe and Ito's colours and grey, for as many classes as the eye tells apart.
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#7d8590",
    "#b8a900",
    "#6a3d9a",
    "#8c510a",
)
MOST_POINTS = 5_000
GRID = 320
# Room around the points, as a share of their range.
ROOM = 0.06


# A second direction narrower than this share of the first has only rounding in it.
LINE = 1e-9
BINS = 60
# Inches that the axes have beside the legend.
WIDE = 5.0


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane through the outputs: `origin + grid axes`, `axes` of shape (2, outputs)."""

    origin: Floats
    axes: Floats


def plane_of(made: Construction) -> Plane:
    """Find the plane in which the reference outputs differ most.

    Two or three classes lie in a plane: which of them is nearest depends only on where a point
    falls in it. With more classes these are the two leading directions, and the regions are those
    of points in the plane itself.

    Parameters
    ----------
    made : Construction

    Returns
    -------
    Plane
    """
    origin = made.Y.mean(axis=1)
    away = made.Y - origin[:, np.newaxis]
    directions = np.linalg.svd(away, full_matrices=True)[0]
    axes = np.zeros((2, len(origin)))
    axes[: len(directions)] = directions[:, :2].T
    # The first class is drawn to the right and up, so that the picture is the same every time.
    signs = np.where(axes @ away[:, 0] < 0.0, -1.0, 1.0)
    return Plane(origin, axes * signs[:, np.newaxis])


def plot_construction(made: Construction, X: ArrayLike, labels: object) -> Figure:
    """Draw rows as the network sees them, the reference outputs, and the regions of the classes.

    With two or three classes the regions are exact for every input. With more, the two leading
    directions are drawn, and a point can be nearest to another class than that of the region it
    is drawn on: the other directions count as well.

    Parameters
    ----------
    made : Construction
    X : array_like or sparse matrix of shape (n, inputs)
        Beyond 5,000 rows, evenly spaced ones are drawn.
    labels : sequence of hashable

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.

    Raises
    ------
    InputError
        If X or the labels do not fit.
    """
    from matplotlib.figure import Figure

    outputs = made.outputs(X)
    names = as_labels(labels, len(outputs), 0)
    step = max(-(-len(outputs) // MOST_POINTS), 1)
    plane = plane_of(made)
    points = (outputs[::step] - plane.origin) @ plane.axes.T
    centres = (made.Y.T - plane.origin) @ plane.axes.T
    shown = list(names[::step])
    mine = [np.array([name == label for name in shown], np.bool_) for label in made.classes]
    low, high = _frame(np.vstack([points, centres]))
    # As high as equal units ask for, so that nothing is left empty beside the axes.
    height = WIDE * float((high - low)[1] / (high - low)[0]) + 0.8
    figure = Figure(figsize=(6.8, min(max(height, 2.8), 6.8)), layout="constrained")
    axes = figure.subplots()
    if np.ptp(points[:, 1]) <= LINE * np.ptp(points[:, 0]):
        _draw_line(axes, points[:, 0], mine, centres[:, 0])
    else:
        _draw_regions(axes, made, plane, low, high)
        for j, rows in enumerate(mine):
            axes.scatter(*points[rows].T, s=12, color=_colour(j), alpha=0.65, linewidths=0)
        axes.scatter(*centres.T, s=70, marker="X", color=INK, edgecolors="white", zorder=3)
        axes.set_ylim(low[1], high[1])
        axes.set_aspect("equal", adjustable="box")
        axes.set_ylabel("second direction of the outputs", color=INK)
    axes.set_xlim(low[0], high[0])
    axes.set_xlabel("first direction of the outputs", color=INK)
    dress(axes)
    _legend(figure, made)
    settle(figure)
    return figure


def _legend(figure: Figure, made: Construction) -> None:
    from matplotlib.lines import Line2D

    figure.legend(
        [
            Line2D([], [], linestyle="", marker="o", markersize=5, color=_colour(j))
            for j in range(len(made.classes))
        ],
        [_name(label) for label in made.classes],
        loc="outside right upper",
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handletextpad=0.2,
    )


def _draw_line(
    axes: Axes,
    points: Floats,
    mine: list[NDArray[np.bool_]],
    centres: Floats,
) -> None:
    """Draw how the rows of two classes lie along the line through their reference outputs."""
    low, high = float(points.min()), float(points.max())
    edges: list[float] = np.linspace(low, high, BINS + 1).tolist()
    for j, rows in enumerate(mine):
        axes.hist(points[rows], edges, color=_colour(j), alpha=0.55)
        axes.axvline(centres[j], color=_colour(j), linewidth=1.6)
    order = np.argsort(centres)
    borders = (centres[order][1:] + centres[order][:-1]) / 2
    for border in borders:
        axes.axvline(border, color=INK, linewidth=0.8)
    ends = np.concatenate([[-np.inf], borders, [np.inf]]).clip(*_frame(points[:, np.newaxis]))
    for j, left, right in zip(order.tolist(), ends[:-1], ends[1:], strict=True):
        axes.axvspan(left, right, color=_colour(j), alpha=0.12, zorder=0, linewidth=0)
    axes.set_ylabel("rows", color=INK)


def _frame(points: Floats) -> tuple[Floats, Floats]:
    """Return the corners of a picture that holds the points."""
    low, high = points.min(axis=0), points.max(axis=0)
    span = float((high - low).max()) or 1.0
    # A single direction, or classes far from each other in it, would leave a line.
    middle, half = (low + high) / 2, np.maximum(high - low, 0.3 * span) / 2 + ROOM * span
    return middle - half, middle + half


def _draw_regions(axes: Axes, made: Construction, plane: Plane, low: Floats, high: Floats) -> None:
    """Shade every place of the plane by the class that is nearest there, and draw the borders."""
    from matplotlib.colors import ListedColormap

    steps: Floats = np.linspace(0.0, 1.0, GRID)
    a: Floats = low[0] + (high[0] - low[0]) * steps
    b: Floats = low[1] + (high[1] - low[1]) * steps
    grid = np.column_stack([np.tile(a, GRID), np.repeat(b, GRID)])
    places = plane.origin + grid @ plane.axes
    # |p - y|^2 without |p|^2, which is the same for all classes.
    scores = np.square(made.Y).sum(axis=0) - 2.0 * places @ made.Y
    nearest = scores.argmin(axis=1).reshape(GRID, GRID)
    many = len(made.classes)
    axes.imshow(
        nearest,
        extent=(float(low[0]), float(high[0]), float(low[1]), float(high[1])),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap=ListedColormap([_colour(j) for j in range(many)]),
        vmin=-0.5,
        vmax=many - 0.5,
        alpha=0.16,
        zorder=0,
    )
    ordered = np.sort(scores, axis=1)
    for j in range(many):
        edge = scores[:, j] - np.where(nearest.ravel() == j, ordered[:, 1], ordered[:, 0])
        axes.contour(
            a, b, edge.reshape(GRID, GRID), levels=[0.0], colors=INK, linewidths=0.6, alpha=0.6
        )


def _colour(j: int) -> str:
    return COLOURS[j % len(COLOURS)]


def _name(label: Hashable) -> str:
    """Return a label as text that Matplotlib neither hides nor takes for a formula."""
    return str(label).replace("$", r"\$").lstrip("_") or repr(label)
