"""What is seen of a network with two inputs: the region, values on a grid, folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples
from reluscape.problems.units import SeveralInputs
from reluscape.report.protocol import Floats

# Points of the grid in each direction.
GRID = 241
# Standard deviations that are shown for normal inputs.
NORMAL = 3.0
# Room around data, as a share of their range.
ROOM = 0.04


@dataclass(frozen=True, eq=False)
class Scene:
    """What is drawn where.

    `corners` bound the region, `box` is (left, right, bottom, top); `values`, `target` and
    `errors` are on the grid, the last two at the rows where there are data.
    """

    corners: Floats
    box: tuple[float, float, float, float]
    values: Floats
    target: Floats
    errors: Floats
    rows: Floats | None
    normal: bool
    equal: bool

    @property
    def shape(self) -> float:
        """Height of a panel over its width."""
        left, right, bottom, top = self.box
        return float(np.clip((top - bottom) / (right - left), 0.4, 1.6)) if self.equal else 1.0

    @property
    def across(self) -> Floats:
        """What one unit of a panel's width and height is in the inputs."""
        left, right, bottom, top = self.box
        return np.array([right - left, right - left if self.equal else top - bottom])


def scene_of(problem: SeveralInputs, network: Network) -> Scene:
    """Return what is seen of a network with two inputs on its problem."""
    if isinstance(problem, Polygon):
        corners = problem.vertices
    elif isinstance(problem, Gaussian):
        corners = NORMAL * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    else:
        low, high = problem.x.min(axis=0), problem.x.max(axis=0)
        room = ROOM * np.where(high > low, high - low, 1.0)
        (a, c), (b, d) = low - room, high + room
        corners = np.array([[a, c], [b, c], [b, d], [a, d]])
    low, high = corners.min(axis=0), corners.max(axis=0)
    box = float(low[0]), float(high[0]), float(low[1]), float(high[1])
    x, y = np.meshgrid(np.linspace(*box[:2], GRID), np.linspace(*box[2:], GRID))
    points = np.column_stack([x.ravel(), y.ravel()])
    values = network(points).reshape(GRID, GRID)
    if isinstance(problem, Samples):
        target = problem.y.reshape(-1)
        errors = network(problem.x).reshape(-1) - target
        return Scene(corners, box, values, target, errors, problem.x, False, False)
    function = problem.target if isinstance(problem, Polygon) else problem.teacher
    target = function(points).reshape(GRID, GRID)
    errors = values - target
    inside = _inside(corners, points).reshape(GRID, GRID)
    values, target, errors = (np.where(inside, z, np.nan) for z in (values, target, errors))
    shown = np.where(np.isnan(errors), 0.0, errors)
    normal = isinstance(problem, Gaussian)
    return Scene(corners, box, values, target, shown, None, normal, True)


def _inside(corners: Floats, points: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which points are in a convex polygon, or next to it: what is outside is cut off."""
    middle, sides = corners.mean(axis=0), np.roll(corners, -1, axis=0) - corners
    wider = middle + 1.03 * (corners - middle)
    across = np.column_stack([sides[:, 1], -sides[:, 0]])
    heights = points @ across.T - (across * wider).sum(axis=1)
    return np.asarray((heights <= 0.0).all(axis=1), dtype=np.bool_)


def values_shown(scene: Scene) -> tuple[float, float]:
    """Return the range of values that colours tell apart."""
    both = scene.target.ravel()
    if scene.rows is None:
        # Far from data a network may be anywhere: there their own range is what counts.
        both = np.concatenate([scene.values.ravel(), both])
    low, high = float(np.nanmin(both)), float(np.nanmax(both))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def segments(scene: Scene, network: Network) -> list[tuple[int, Floats]]:
    """Return the parts of folds inside the region, each with its neuron."""
    found: list[tuple[int, Floats]] = []
    corners = scene.corners
    for j in np.flatnonzero(network.weights.any(axis=1)).tolist():
        heights = corners @ network.weights[j] + float(network.biases[j])
        after = np.roll(heights, -1)
        crossed = np.flatnonzero((heights > 0.0) != (after > 0.0))
        if len(crossed) != 2:
            continue
        share = heights[crossed] / (heights[crossed] - after[crossed])
        following = np.roll(corners, -1, axis=0)[crossed]
        found.append((j, corners[crossed] + share[:, np.newaxis] * (following - corners[crossed])))
    return found
