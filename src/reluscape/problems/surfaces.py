"""Targets and densities in the plane: polynomials on the cells that lines cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.errors import InputError
from reluscape.networks.arrays import as_floats, check_finite

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """A polynomial on an intersection of half-planes.

    Attributes
    ----------
    sides : tuple of int
        For each line 1 (where it is positive), -1 (where it is negative) or 0 (on both sides).
    coefficients : tuple of tuple of float
        Row i, column j belongs to `x^i y^j`.
    """

    sides: tuple[int, ...]
    coefficients: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class PiecewisePolynomial2d:
    """A function of two variables, the sum of polynomials on intersections of half-planes.

    Attributes
    ----------
    lines : tuple of (float, float, float)
        Lines `a x + b y + c = 0` as (a, b, c).
    pieces : tuple of Piece
        Where several of them hold, their polynomials add up; where none does, the value is 0.
    """

    lines: tuple[tuple[float, float, float], ...]
    pieces: tuple[Piece, ...]

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate; points on a line belong to its positive side.

        Parameters
        ----------
        x : array_like, shape (n, 2)

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        InputError
            If `x` has another shape or is not finite.

        Examples
        --------
        >>> polynomial2d([[0, 1], [2, 0]])([[1.0, 5.0], [2.0, 0.0]])
        array([7., 4.])
        """
        points = as_floats("x", x)
        if points.ndim != 2 or points.shape[1] != 2:
            raise InputError(f"x has shape {points.shape}; give points in the plane, (n, 2).")
        check_finite("x", points)
        lines = np.asarray(self.lines).reshape(-1, 3)
        sides = np.where(points @ lines[:, :2].T + lines[:, 2] >= 0.0, 1, -1)
        result = np.zeros(len(points))
        for piece in self.pieces:
            asked = np.asarray(piece.sides, dtype=np.int64)
            here = ((asked == 0) | (asked == sides)).all(axis=1)
            result[here] += np.polynomial.polynomial.polyval2d(
                points[here, 0], points[here, 1], np.asarray(piece.coefficients)
            )
        return result


def polynomial2d(coefficients: ArrayLike) -> PiecewisePolynomial2d:
    """Return a polynomial in two variables, `sum c[i, j] x^i y^j`.

    The order of the coefficients is that of `numpy.polynomial.polynomial.polyval2d`.

    Parameters
    ----------
    coefficients : array_like, shape (m, n)
        Row i, column j belongs to `x^i y^j`.

    Returns
    -------
    PiecewisePolynomial2d

    Raises
    ------
    InputError
        If the coefficients are not a matrix of finite numbers.

    Examples
    --------
    1 + 3 x y at the point (2, 5).

    >>> polynomial2d([[1, 0], [0, 3]])([[2.0, 5.0]])
    array([31.])
    """
    return PiecewisePolynomial2d((), (Piece((), _matrix(coefficients)),))


def piecewise_polynomial2d(
    lines: ArrayLike, pieces: Sequence[tuple[Sequence[int], ArrayLike]]
) -> PiecewisePolynomial2d:
    """Return a function that is a polynomial on each cell cut by lines, continuous or not.

    Parameters
    ----------
    lines : array_like, shape (m, 3)
        Rows (a, b, c): the line `a x + b y + c = 0`, whose positive side is where this is > 0.
    pieces : sequence of (sides, coefficients)
        `sides` holds for each line 1 (on its positive side), -1 (on its negative side) or 0 (on
        both); `coefficients` as in `polynomial2d`. The function is the sum of the polynomials of
        all pieces whose sides match, 0 where there is none.

    Returns
    -------
    PiecewisePolynomial2d

    Raises
    ------
    InputError
        If shapes do not fit, a number is not finite, a side is not -1, 0 or 1, or a line has
        a = b = 0.

    Examples
    --------
    The function y, and 10 more to the right of x = 1.

    >>> jump = piecewise_polynomial2d([[1, 0, -1]], [([0], [[0, 1]]), ([1], [[10]])])
    >>> jump([[0.0, 3.0], [2.0, 3.0]])
    array([ 3., 13.])
    """
    rows = as_floats("lines", lines)
    if rows.size == 0:
        rows = rows.reshape(0, 3)
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise InputError(f"lines have shape {rows.shape}; give rows (a, b, c), shape (m, 3).")
    check_finite("lines", rows)
    for k, (a, b, _) in enumerate(rows):
        if a == 0.0 and b == 0.0:
            raise InputError(f"line {k} has a = b = 0, which is no line; drop it.")
    parts: list[Piece] = []
    for k, piece in enumerate(pieces):
        try:
            sides, coefficients = piece
        except (TypeError, ValueError):
            raise InputError(f"piece {k} is not a pair; give (sides, coefficients).") from None
        asked = as_floats("sides", sides)
        if asked.shape != (len(rows),) or not np.isin(asked, (-1.0, 0.0, 1.0)).all():
            raise InputError(
                f"piece {k} has sides {asked.tolist()}; give -1, 0 or 1 for each of the "
                f"{len(rows)} lines."
            )
        parts.append(Piece(tuple(int(s) for s in asked), _matrix(coefficients)))
    return PiecewisePolynomial2d(
        tuple((float(a), float(b), float(c)) for a, b, c in rows), tuple(parts)
    )


def _matrix(coefficients: ArrayLike) -> tuple[tuple[float, ...], ...]:
    c = as_floats("coefficients", coefficients)
    if c.ndim != 2 or not c.size:
        raise InputError(
            f"coefficients have shape {c.shape}; give a matrix, row i and column j for x^i y^j."
        )
    check_finite("coefficients", c)
    return tuple(tuple(float(v) for v in row) for row in c)
