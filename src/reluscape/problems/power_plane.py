"""The risk `integral |R - f|^q p` on a polygon: cells are cut into triangles, triangles into rays.

Along a ray from a corner everything is a polynomial of one variable, see `power_rule`. Where the
error is affine, triangles are cut so that it is the same along all rays, and the sum over rays is
exact; otherwise that sum is refined until it no longer changes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.cellwise import Ground, errors_of, scaled
from reluscape.problems.plane import gauss
from reluscape.problems.power_rule import integrals, is_even

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Rays of each part of a triangle, and how often parts may be halved.
RAYS = 10
HALVINGS = 40
# Parts whose halves change them by less than this share of the whole are done.
SETTLED = 1e-13


class Polynomials(NamedTuple):
    """A polynomial for each cell: coefficients (cells, terms) as the kernels order them."""

    coefficients: Floats
    degree: int

    def along(self, cells: Integers, start: Floats, end: Floats) -> Floats:
        """Return them along segments, as polynomials in z: z = -1 at the start, 1 at the end.

        Parameters
        ----------
        cells : ndarray, shape (n,)
        start, end : ndarray, shape (n, 2)

        Returns
        -------
        ndarray, shape (n, degree + 1)
        """
        middle, half = (start + end) / 2.0, (end - start) / 2.0
        n, size = len(cells), self.degree + 1
        c = self.coefficients[cells]
        result, at = np.zeros((n, size)), c.shape[1]
        # Horner's rule in x, of Horner's rules in y, on polynomials in z.
        for i in range(self.degree, -1, -1):
            row = np.zeros((n, size))
            length = self.degree - i + 1
            at -= length
            for j in range(length - 1, -1, -1):
                row = _times(row, middle[:, 1], half[:, 1])
                row[:, 0] += c[:, at + j]
            result = _times(result, middle[:, 0], half[:, 0]) + row
        return result


class Triangles(NamedTuple):
    """Triangles, their corners (n, 3, 2) in the frame, and the cells they are parts of, (n,)."""

    corners: Floats
    cells: Integers


def power_risk_on_cells(
    ground: Ground, function: Network | GeneralizedResponse, power: float
) -> float:
    """Return the integral of `|function - f|^power p`.

    Parameters
    ----------
    ground : Ground
    function : Network or GeneralizedResponse
        With two inputs.
    power : float
        Above 1.

    Returns
    -------
    float
        Accurate to rounding if the power is an even number or the error is affine on cells, to
        about 1e-12 of its size otherwise.
    """
    found = errors_of(ground, function)
    errors = Polynomials(found.coefficients.sum(axis=2), found.degree)
    density = ground.density.coefficients[found.cells.parents].sum(axis=2)
    densities = Polynomials(density, ground.density.degree)
    triangles = _fans(found.cells.points, found.cells.starts)
    if is_even(power):
        total = _over(triangles, errors, densities, power, int(power) * errors.degree)
    elif _is_affine(errors):
        total = _over(_levelled(triangles, errors), errors, densities, power, 0)
    else:
        total = _refined(triangles, errors, densities, power)
    exponent = ground.target.exponent
    # Powers of two that are no integers: by the logarithm.
    shift = power * exponent
    whole = int(np.floor(shift))
    return float(scaled(total * 2.0 ** (shift - whole), whole + ground.measure))


def _fans(points: Floats, starts: Integers) -> Triangles:
    corners = points[:, [0, 2]] + points[:, [1, 3]]
    sizes = np.diff(starts)
    cells = np.repeat(np.arange(len(sizes)), sizes - 2)
    first = np.repeat(starts[:-1], sizes - 2)
    # The corners of a cell but its first and its last begin an edge that the first one sees.
    second = np.setdiff1d(np.arange(len(corners)), [starts[:-1], starts[1:] - 1])
    return Triangles(
        np.stack([corners[first], corners[second], corners[second + 1]], axis=1), cells
    )


def _is_affine(errors: Polynomials) -> bool:
    """Tell whether all terms of degree 2 and more vanish."""
    at = 0
    for i in range(errors.degree + 1):
        length = errors.degree - i + 1
        if errors.coefficients[:, at + max(2 - i, 0) : at + length].any():
            return False
        at += length
    return True


def _levelled(triangles: Triangles, errors: Polynomials) -> Triangles:
    """Cut triangles along the level of an affine error through the middle corner.

    Of the parts the second and third corner are on that level.
    """
    n = len(triangles.cells)
    zero = np.zeros(n)
    along = [
        errors.along(triangles.cells, triangles.corners[:, k], triangles.corners[:, k])[:, 0]
        for k in range(3)
    ]
    values = np.stack(along, axis=1)
    order = np.argsort(values, axis=1)
    corners = np.take_along_axis(triangles.corners, order[:, :, np.newaxis], axis=1)
    low, middle, high = np.take_along_axis(values, order, axis=1).T
    share = np.divide(middle - low, high - low, out=zero, where=high > low)[:, np.newaxis]
    across = corners[:, 0] + share * (corners[:, 2] - corners[:, 0])
    below = np.stack([corners[:, 0], corners[:, 1], across], axis=1)
    above = np.stack([corners[:, 2], corners[:, 1], across], axis=1)
    return Triangles(np.concatenate([below, above]), np.tile(triangles.cells, 2))


def _over(
    triangles: Triangles, errors: Polynomials, densities: Polynomials, power: float, degree: int
) -> float:
    """Integrate with a rule over rays that is exact for the given degree and that of densities."""
    rule = gauss(degree + densities.degree)
    parts = np.zeros((len(triangles.cells), 2))
    parts[:, 1] = 1.0
    numbers = np.arange(len(triangles.cells))
    return float(_by_rays(triangles, numbers, parts, errors, densities, power, rule).sum())


def _refined(
    triangles: Triangles, errors: Polynomials, densities: Polynomials, power: float
) -> float:
    """Integrate, halving the parts between rays until they no longer change."""
    rule = gauss(2 * RAYS - 1)
    numbers = np.arange(len(triangles.cells))
    parts = np.tile([0.0, 1.0], (len(numbers), 1))
    values = _by_rays(triangles, numbers, parts, errors, densities, power, rule)
    total = 0.0
    for _ in range(HALVINGS):
        middle = parts.mean(axis=1)
        left = np.column_stack([parts[:, 0], middle])
        right = np.column_stack([middle, parts[:, 1]])
        halves = np.stack(
            [
                _by_rays(triangles, numbers, some, errors, densities, power, rule)
                for some in (left, right)
            ]
        )
        size = total + float(halves.sum())
        open_ = np.abs(halves.sum(axis=0) - values) > SETTLED * size
        total += float(halves[:, ~open_].sum())
        if not open_.any():
            return total
        numbers = np.tile(numbers[open_], 2)
        parts = np.concatenate([left[open_], right[open_]])
        values = halves[:, open_].ravel()
    return total + float(values.sum())


def _by_rays(
    triangles: Triangles,
    numbers: Integers,
    parts: Floats,
    errors: Polynomials,
    densities: Polynomials,
    power: float,
    rule: Floats,
) -> Floats:
    """Integrate over parts of triangles: those between two rays from the first corner.

    Parameters
    ----------
    triangles : Triangles
    numbers : ndarray, shape (n,)
        Which triangle each part belongs to.
    parts : ndarray, shape (n, 2)
        Where the rays end on the edge from the second corner (0) to the third (1).
    errors, densities : Polynomials
    power : float
    rule : ndarray, shape (rays, 4)

    Returns
    -------
    ndarray, shape (n,)
    """
    rays = len(rule)
    corners, cells = triangles.corners[numbers], np.repeat(triangles.cells[numbers], rays)
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
    length = parts[:, 1] - parts[:, 0]
    share = (parts[:, :1] + length[:, np.newaxis] * rule[:, 0]).reshape(-1, 1)
    start = np.repeat(corners[:, 0], rays, axis=0)
    edge = np.repeat(corners[:, 1], rays, axis=0) * (1.0 - share)
    end = edge + np.repeat(corners[:, 2], rays, axis=0) * share
    density = densities.along(cells, start, end)
    # The Jacobian is the distance from the corner, (1 + z) / 2, and a ray has length 2 in z.
    weighted = np.zeros((len(density), density.shape[1] + 1))
    weighted[:, :-1] += density
    weighted[:, 1:] += density
    along = integrals(errors.along(cells, start, end), weighted, power).reshape(-1, rays)
    return along @ rule[:, 2] * (area * length / 4.0)


def _times(polynomials: Floats, constants: Floats, slopes: Floats) -> Floats:
    """Return polynomials in z times `constant + slope z`, cut off at the same degree."""
    result = polynomials * constants[:, np.newaxis]
    result[:, 1:] += polynomials[:, :-1] * slopes[:, np.newaxis]
    return result
