"""The figure of a network with two inputs: it, its folds, the target beside it, and the error."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reluscape.errors import InputError
from reluscape.landscape.verdict import Verdict
from reluscape.networks.network import Network
from reluscape.problems.units import SeveralInputs
from reluscape.report.functions import KINDS, ink
from reluscape.report.numbers import number
from reluscape.report.plots import INK, dress, settle
from reluscape.report.protocol import Floats
from reluscape.report.surface_scene import GRID, Scene, scene_of, segments, values_shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

# Colour maps that colour-blind readers and grey print tell apart: values, and what has a sign.
VALUES, SIGNED = "viridis", "PuOr_r"
# Lines of equal value.
LINES = 12
# Standard deviations at which there are circles for normal inputs.
CIRCLES = (1.0, 2.0)
# Beyond so many neurons the folds have no numbers.
NUMBERED = 24
# Where on a fold its number and its arrow may be, and how far apart, as shares of a panel's width.
NUMBERS = (0.93, 0.07, 0.84, 0.16, 0.75, 0.25)
ARROWS = (0.5, 0.35, 0.65, 0.25, 0.75)
APART = 0.1
# Width of a panel in inches.
PANEL = 2.55
# Length of the arrow across a fold, in points.
ARROW = 11.0
# Ends of the bar of colours, by whether values go on below and above it.
EXTEND = {
    (False, False): "neither",
    (True, False): "min",
    (False, True): "max",
    (True, True): "both",
}
DASHED: Any = (0, (4, 2))
DOTTED: Any = (0, (1, 1.5))


def plot_surface(
    problem: SeveralInputs,
    network: Network,
    verdict: Verdict | None = None,
    *,
    x_names: tuple[str, ...] = ("x1", "x2"),
    y_name: str = "y",
) -> Figure:
    """Draw a network with two inputs as a surface with its folds, the target, and the error.

    A fold is where a neuron switches: it has the neuron's number, counted from 0, and an arrow to
    the side where the neuron is active; it is dashed if v < 0 and dotted if v = 0. Data are dots of
    the colour of their value, or of their error. The folds of the network that an escape leads to
    are drawn as thin lines. For normal inputs there are circles at one and two standard deviations.

    Parameters
    ----------
    problem : Polygon, Gaussian or Samples
        With two inputs and one target.
    network : Network
    verdict : Verdict, optional
        Named above the figure, with its risk and its escape.
    x_names : (str, str), default ("x1", "x2")
    y_name : str, default "y"

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.

    Raises
    ------
    InputError
        If there are not two inputs and one target.
    """
    from matplotlib.figure import Figure

    if problem.inputs != 2 or problem.targets != 1 or network.inputs != 2 or network.targets != 1:
        raise InputError("this figure is for two inputs and one target; leave it out for others.")
    scene = scene_of(problem, network)
    figure = Figure(figsize=(10.0, 1.15 + PANEL * scene.shape), layout="constrained")
    left, middle, right = figure.subplots(1, 3, sharex=True, sharey=True)
    low, high = values_shown(scene)
    limit = max(float(np.abs(scene.errors).max()), 1e-300)
    surface = _paint(left, scene, scene.values, (low, high), VALUES)
    _contours(left, scene, scene.values, (low, high))
    if scene.rows is None:
        _paint(middle, scene, scene.target, (low, high), VALUES)
        _contours(middle, scene, scene.target, (low, high))
        error = _paint(right, scene, scene.errors, (-limit, limit), SIGNED)
    else:
        _dots(middle, scene.rows, scene.target, (low, high), VALUES)
        error = _dots(right, scene.rows, scene.errors, (-limit, limit), SIGNED)
    _folds(left, scene, network, numbered=network.width <= NUMBERED)
    _folds(right, scene, network, numbered=False)
    if verdict is not None and verdict.escape is not None:
        _ways_down(left, scene, verdict.escape.network)
    target = "target" if scene.rows is None else f"data: {y_name}"
    against = "target" if scene.rows is None else "data"
    titles = ("network", target, f"error (network − {against})")
    for axes, title in zip((left, middle, right), titles, strict=True):
        _frame(axes, scene, title, x_names)
    right.set_ylabel("")
    middle.set_ylabel("")
    beyond = bool(np.nanmin(scene.values) < low), bool(np.nanmax(scene.values) > high)
    _bar(figure, surface, [left, middle], y_name, EXTEND[beyond])
    _bar(figure, error, [right], "error", "neither")
    _legend(figure, network, verdict)
    settle(figure)
    return figure


def _paint(
    axes: Axes, scene: Scene, values: Floats, limits: tuple[float, float], colors: str
) -> ScalarMappable:
    image = axes.imshow(
        values,
        extent=scene.box,
        origin="lower",
        aspect="auto",
        interpolation="bilinear",
        cmap=colors,
        vmin=limits[0],
        vmax=limits[1],
        zorder=0.5,
    )
    image.set_clip_path(_outline(axes, scene))
    return image


def _contours(axes: Axes, scene: Scene, values: Floats, limits: tuple[float, float]) -> None:
    x, y = np.linspace(*scene.box[:2], GRID), np.linspace(*scene.box[2:], GRID)
    levels = np.linspace(*limits, LINES + 2)[1:-1]
    if not np.nanmax(values) > np.nanmin(values):
        return
    lines = axes.contour(
        x,
        y,
        values,
        levels,
        colors="white",
        linestyles="solid",
        linewidths=0.5,
        alpha=0.55,
        zorder=1,
    )
    lines.set_clip_path(_outline(axes, scene))


def _outline(axes: Axes, scene: Scene) -> Any:  # noqa: ANN401
    from matplotlib.patches import Polygon as Patch

    patch = Patch(scene.corners, closed=True, fill=False, edgecolor="none", linewidth=0.0)
    axes.add_patch(patch)
    return patch


def _dots(
    axes: Axes, rows: Floats, values: Floats, limits: tuple[float, float], colors: str
) -> ScalarMappable:
    # The largest on top: they would be hidden among many small ones.
    order = np.argsort(np.abs(values - np.median(values)))
    size = float(np.clip(4000.0 / len(rows), 4.0, 26.0))
    return axes.scatter(
        rows[order, 0],
        rows[order, 1],
        c=values[order],
        s=size,
        cmap=colors,
        vmin=limits[0],
        vmax=limits[1],
        linewidths=0.3 if len(rows) <= 1000 else 0.0,
        edgecolors=INK,
        zorder=1,
    )


def _folds(axes: Axes, scene: Scene, network: Network, *, numbered: bool) -> None:
    taken: list[Floats] = []
    found = segments(scene, network)
    for j, ends in found:
        v = float(network.outputs[j])
        style = "-" if v > 0.0 else DASHED if v < 0.0 else DOTTED
        axes.plot(*ends.T, color="white", linewidth=2.6, alpha=0.75, zorder=2)
        axes.plot(*ends.T, color=INK, linewidth=1.2, linestyle=style, zorder=2.1)
    for j, ends in found if numbered else []:
        _arrow(axes, scene, network.weights[j], _free(scene, ends, ARROWS, taken))
        place = _free(scene, ends, NUMBERS, taken)
        axes.annotate(
            str(j),
            (float(place[0]), float(place[1])),
            ha="center",
            va="center",
            fontsize=7.5,
            color=INK,
            bbox={
                "boxstyle": "circle,pad=0.18",
                "facecolor": "white",
                "edgecolor": INK,
                "linewidth": 0.6,
            },
            zorder=4,
        )


def _free(scene: Scene, ends: Floats, shares: tuple[float, ...], taken: list[Floats]) -> Floats:
    """Return a place on a fold that is away from places taken, and take it."""
    places = [ends[0] + share * (ends[1] - ends[0]) for share in shares]
    room = [
        min((float(np.linalg.norm((p - t) / scene.across)) for t in taken), default=1.0)
        for p in places
    ]
    # The first with room enough, or the one with most.
    best = next((i for i, free in enumerate(room) if free > APART), int(np.argmax(room)))
    taken.append(places[best])
    return places[best]


def _arrow(axes: Axes, scene: Scene, weights: Floats, place: Floats) -> None:
    """Draw a short arrow across a fold, to the side where its neuron is active."""
    across = weights * scene.across
    across = across / float(np.linalg.norm(across))
    axes.annotate(
        "",
        xy=(float(place[0]), float(place[1])),
        xytext=(ARROW * float(across[0]), ARROW * float(across[1])),
        textcoords="offset points",
        # The head is at the end that is an offset.
        arrowprops={
            "arrowstyle": "<|-",
            "color": INK,
            "linewidth": 1.0,
            "mutation_scale": 7,
            "shrinkA": 0.0,
            "shrinkB": 0.0,
        },
        zorder=3,
    )


def _ways_down(axes: Axes, scene: Scene, network: Network) -> None:
    for _, ends in segments(scene, network):
        axes.plot(*ends.T, color="#d55e00", linewidth=1.0, linestyle="-", zorder=1.9)


def _frame(axes: Axes, scene: Scene, title: str, x_names: tuple[str, ...]) -> None:
    from matplotlib.patches import Circle
    from matplotlib.patches import Polygon as Patch

    if scene.normal:
        for radius in CIRCLES:
            axes.add_patch(
                Circle((0.0, 0.0), radius, fill=False, edgecolor="white", linewidth=0.7, zorder=1.5)
            )
    if scene.rows is None:
        axes.add_patch(Patch(scene.corners, closed=True, fill=False, edgecolor=INK, zorder=2.5))
    axes.set_xlim(scene.box[0], scene.box[1])
    axes.set_ylim(scene.box[2], scene.box[3])
    if scene.equal:
        axes.set_aspect("equal", adjustable="box")
    else:
        axes.set_box_aspect(1.0)
    axes.set_title(title, fontsize=10, color=INK, parse_math=False)
    ink(axes, x_names[0], x_names[1])
    dress(axes)


def _bar(
    figure: Figure, image: ScalarMappable, panels: list[Axes], label: str, extend: str
) -> None:
    bar = figure.colorbar(image, ax=panels, shrink=0.84, aspect=22, pad=0.015, extend=extend)
    bar.outline.set_linewidth(0.0)
    bar.ax.tick_params(color=INK, labelcolor=INK, width=0.8, labelsize=8)
    bar.ax.set_ylabel(label, color=INK, fontsize=9, parse_math=False)


def _legend(figure: Figure, network: Network, verdict: Verdict | None) -> None:
    from matplotlib.lines import Line2D

    handles: list[Line2D] = []
    labels: list[str] = []
    if verdict is not None:
        handles.append(
            Line2D([], [], color=KINDS.get(verdict.kind, INK), marker="s", linestyle="none")
        )
        labels.append(f"{verdict.kind}, risk {number(verdict.risk)}")
    v = network.outputs[network.weights.any(axis=1)]
    styles: tuple[tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], Any, str], ...] = (
        (v > 0.0, "-", "fold, v > 0"),
        (v < 0.0, DASHED, "fold, v < 0"),
        (v == 0.0, DOTTED, "fold, v = 0"),
    )
    for here, style, text in styles:
        if here.any():
            handles.append(Line2D([], [], color=INK, linewidth=1.2, linestyle=style))
            labels.append(text)
    if verdict is not None and verdict.escape is not None:
        handles.append(Line2D([], [], color="#d55e00", linewidth=1.0))
        labels.append(f"a way down, risk {number(verdict.escape.risk)}")
    if handles:
        figure.legend(
            handles,
            labels,
            loc="outside upper left",
            ncols=len(labels),
            frameon=False,
            fontsize=9,
            labelcolor=INK,
            handlelength=2.2,
            columnspacing=1.6,
        )
