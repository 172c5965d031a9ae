"""Lines of neurons that run along a jump of the target or the density on a polygon.

There the risk has one second derivative to each side, and the Hessian is only one of them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from reluscape.landscape.curvature import SAME
from reluscape.landscape.densities import Density
from reluscape.networks.arrays import Floats
from reluscape.networks.network import Network
from reluscape.problems.polygon import Polygon
from reluscape.problems.surfaces import PiecewisePolynomial2d

# A function jumps where its pieces differ by more than this share of its size: their coefficients
# are rounded.
ROUNDED = 1e-9


def on_seam(view: Density, problem: Polygon, j: int) -> bool:
    """Tell whether target or density jump along the line of a neuron, inside the polygon."""
    plane = view.planes[j]
    return any(
        _jumps(view, function, problem, plane)
        for function in (problem.target, problem.density)
        if not isinstance(function, Network)
    )


def _jumps(view: Density, function: PiecewisePolynomial2d, problem: Polygon, plane: Floats) -> bool:
    if not function.lines:
        return False
    lines, own = np.asarray(function.lines), view.units
    # In the units of the problem, where normals of length one make offsets comparable.
    reduced = np.column_stack([lines[:, :2] * own.scale, lines[:, 2] + lines[:, :2] @ own.centre])
    reduced /= np.linalg.norm(reduced[:, :2], axis=1, keepdims=True)
    line = plane / float(np.linalg.norm(plane[:2]))
    one, other = np.abs(reduced - line).max(axis=1), np.abs(reduced + line).max(axis=1)
    same = np.minimum(one, other) <= SAME
    if not same.any():
        return False
    ways = np.where(one <= other, 1.0, -1.0)
    points = _points(view, problem, reduced, line, _degree(function))
    heights = points @ reduced[:, :2].T + reduced[:, 2]
    user = points * own.scale + own.centre
    values: list[Floats] = []
    for side in (1.0, -1.0):
        sides = np.where(same, side * ways, np.where(heights >= 0.0, 1.0, -1.0))
        total = np.zeros(len(points))
        for piece in function.pieces:
            asked = np.asarray(piece.sides)
            here = ((asked == 0) | (asked == sides)).all(axis=1)
            total[here] += np.polynomial.polynomial.polyval2d(
                user[here, 0], user[here, 1], np.asarray(piece.coefficients)
            )
        values.append(total)
    size = float(np.abs(np.concatenate(values)).max(initial=0.0))
    return bool((np.abs(values[0] - values[1]) > ROUNDED * size).any())


def _degree(function: PiecewisePolynomial2d) -> int:
    return max(sum(np.shape(piece.coefficients)) for piece in function.pieces)


def _points(view: Density, problem: Polygon, lines: Floats, line: Floats, degree: int) -> Floats:
    """Return points on a line inside the polygon, enough in each part that other lines cut.

    A polynomial that is zero on as many points as its degree and one more is zero.
    """
    corners = (problem.vertices - view.units.centre) / view.units.scale
    foot, way = -line[2] * line[:2], np.array([-line[1], line[0]])
    sides = np.roll(corners, -1, axis=0) - corners
    walls = np.column_stack([sides[:, 1], -sides[:, 0]])
    walls = np.column_stack([walls, -(walls * corners).sum(axis=1)])
    cuts = [
        float(-(row[:2] @ foot + row[2]) / (row[:2] @ way))
        for row in np.vstack([walls, lines])
        if abs(float(row[:2] @ way)) > SAME * float(np.linalg.norm(row[:2]))
    ]
    nodes = (np.arange(degree + 1) + 0.5) / (degree + 1)
    cuts.sort()
    places = np.concatenate([a + (b - a) * nodes for a, b in pairwise(cuts) if b > a])
    points = foot + np.multiply.outer(places, way)
    inside = (points @ walls[:, :2].T + walls[:, 2] <= 0.0).all(axis=1)
    return points[inside]
