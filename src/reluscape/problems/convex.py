"""The vertices of a convex polygon, checked in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.errors import InputError
from reluscape.networks.arrays import as_floats, check_finite
from reluscape.problems.frame import LARGEST

Floats = NDArray[np.float64]


def convex_polygon(vertices: ArrayLike) -> Floats:
    """Return the corners of a convex polygon, counter-clockwise.

    Vertices in the middle of an edge are dropped. Nothing is rounded: three vertices are on one
    line only if the floats are, exactly.

    Parameters
    ----------
    vertices : array_like, shape (m, 2)
        In the order of the boundary, either way round.

    Returns
    -------
    ndarray, shape (corners, 2)

    Raises
    ------
    InputError
        If there are fewer than three vertices, one is repeated or not finite, all lie on one
        line, or the polygon is not convex.

    Examples
    --------
    >>> convex_polygon([[0, 0], [0, 1], [1, 0]])
    array([[1., 0.],
           [0., 1.],
           [0., 0.]])
    """
    corners = as_floats("vertices", vertices)
    if corners.ndim != 2 or corners.shape[1] != 2:
        raise InputError(f"vertices have shape {corners.shape}; give rows (x, y), shape (m, 2).")
    if len(corners) < 3:
        raise InputError(f"there are {len(corners)} vertices; a polygon has three or more.")
    check_finite("vertices", corners)
    seen: dict[tuple[float, float], int] = {}
    for i, (x, y) in enumerate(corners.tolist()):
        first = seen.setdefault((x, y), i)
        if first != i:
            raise InputError(
                f"vertices {first} and {i} are the same point ({x:g}, {y:g}); drop one."
            )
    extent = float(np.ptp(corners, axis=0).max())
    if float(np.abs(corners).max()) > LARGEST or extent < 1 / LARGEST:
        raise InputError(
            f"the polygon reaches {float(np.abs(corners).max()):.3g} and is {extent:.3g} wide, "
            f"beyond the range of floats when squared; rescale it to between {1 / LARGEST:.0e} "
            f"and {LARGEST:.0e}."
        )
    turns = _turns(corners)
    if not any(turns):
        raise InputError("all vertices lie on one line; give a polygon with an area.")
    way = 1 if sum(turns) > 0 else -1
    wrong = [i for i, turn in enumerate(turns) if turn == -way]
    if not wrong and _reversals(corners) != 2:
        # Every turn goes the same way, and yet the boundary winds more than once, or runs back.
        wrong = [0]
    if wrong:
        raise InputError(
            f"the polygon is not convex at vertex {wrong[0]}, or its vertices are out of order; "
            "give the corners of a convex polygon in the order of its boundary."
        )
    return np.ascontiguousarray(corners[np.asarray(turns) != 0][::way])


def _turns(corners: Floats) -> list[int]:
    """Return the sign of the turn at each vertex, exactly: 1 to the left."""
    points = [(Fraction(x), Fraction(y)) for x, y in corners.tolist()]
    signs: list[int] = []
    for i, (x, y) in enumerate(points):
        x0, y0 = points[i - 1]
        x1, y1 = points[(i + 1) % len(points)]
        cross = (x - x0) * (y1 - y) - (y - y0) * (x1 - x)
        signs.append((cross > 0) - (cross < 0))
    return signs


def _reversals(corners: Floats) -> int:
    """Count how often the boundary changes between going up and down in the order (x, y)."""
    points = [(x, y) for x, y in corners.tolist()]
    ups = [points[i] < points[(i + 1) % len(points)] for i in range(len(points))]
    return sum(up != ups[i - 1] for i, up in enumerate(ups))
