"""Whether a polynomial is negative somewhere on a triangle: Bernstein coefficients, halved sides.

On a triangle a polynomial lies between its least and its greatest Bernstein coefficient, and the
bounds close in quadratically as triangles shrink.
"""

from __future__ import annotations

from itertools import product
from math import factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ZERO = 1e-12
"""What counts as zero, relative to the polynomial's largest value: zeros on an edge are negative
at points that rounding puts outside."""

_EPSILON = float(np.finfo(np.float64).eps)

_VALUES = 200_000
"""Values computed at a time. Where a polynomial touches zero along a curve, triangles double with
each halving; at this many the sides of a quadratic's are some 3e-4 of the polygon, and what could
still be hidden is 1e-7 deep."""

_LEVELS = 40


def negative_point(coefficients: Floats, triangles: Floats) -> Floats | None:
    """Return a point where the polynomial is negative, or None if there is none to be found.

    Parameters
    ----------
    coefficients : ndarray, shape (m, n)
        Row i, column j belongs to `x^i y^j`; x and y are at most about 1 in size.
    triangles : ndarray, shape (k, 3, 2)

    Returns
    -------
    ndarray, shape (2,), or None

    Examples
    --------
    >>> unit = np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    >>> negative_point(np.array([[0.25, -1.0], [-1.0, 3.0]]), unit) is None
    False
    >>> negative_point(np.array([[0.0, 0.0, 1.0], [0.0, -2.0, 0.0], [1.0, 0.0, 0.0]]), unit) is None
    True
    """
    degrees = [i + j for i, j in product(*map(range, coefficients.shape)) if coefficients[i, j]]
    degree = max([1, *degrees])
    indices = np.array(
        [(i, j, degree - i - j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    )
    places = indices / degree
    to_bernstein = np.linalg.inv(_bernstein(indices, places))
    # The error of a value grows with the degree and the coefficients: high degrees cancel.
    rounding = 2 * (degree + 1) * _EPSILON * float(np.abs(coefficients).sum())
    largest = 0.0
    for _ in range(_LEVELS):
        points = np.einsum("pc,tcx->tpx", places, triangles)
        values: Floats = np.asarray(
            np.polynomial.polynomial.polyval2d(points[..., 0], points[..., 1], coefficients),
            dtype=np.float64,
        )
        largest = max(largest, float(np.abs(values).max()))
        zero = -max(_ZERO * largest, rounding)
        lowest = np.unravel_index(int(values.argmin()), values.shape)
        if values[lowest] < zero:
            return points[lowest]
        least = (values @ to_bernstein.T).min(axis=1)
        triangles = triangles[least < zero]
        if not len(triangles) or 4 * len(triangles) * len(places) > _VALUES:
            return None
        triangles = _quarters(triangles)
    return None


def _bernstein(indices: NDArray[np.int64], places: Floats) -> Floats:
    """Return the values of the Bernstein polynomials (columns) at places (rows)."""
    degree = int(indices[0].sum())
    out = np.ones((len(places), len(indices)))
    for column, index in enumerate(indices.tolist()):
        out[:, column] = factorial(degree)
        for axis, power in enumerate(index):
            out[:, column] *= places[:, axis] ** power / factorial(power)
    return out


def _quarters(triangles: Floats) -> Floats:
    a, b, c = np.swapaxes(triangles, 0, 1)
    ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
    corners = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([np.stack(triple, axis=1) for triple in corners])
