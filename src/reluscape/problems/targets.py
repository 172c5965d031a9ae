"""Targets and densities on the line: piecewise polynomials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.errors import InputError
from reluscape.networks.arrays import as_floats, check_finite

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PiecewisePolynomial:
    """A piecewise polynomial function of one variable.

    Attributes
    ----------
    breaks : tuple of float
        Increasing borders of the pieces, `len(coefficients) - 1` interior ones with -inf and inf
        at the ends where the outer pieces are unbounded.
    coefficients : tuple of tuple of float
        One tuple per piece, lowest degree first, in x itself (not relative to a border).
    """

    breaks: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate; at a border the piece to its right counts.

        Parameters
        ----------
        x : array_like, shape (n,) or ()

        Returns
        -------
        ndarray of the same shape

        Examples
        --------
        >>> step(0.5)([0.0, 0.5, 1.0])
        array([0., 1., 1.])
        """
        points = as_floats("x", x)
        inner = np.asarray(self.breaks[1:-1], dtype=np.float64)
        piece = np.searchsorted(inner, points, side="right")
        result = np.zeros_like(points)
        for i, c in enumerate(self.coefficients):
            here = piece == i
            result[here] = np.polynomial.polynomial.polyval(points[here], np.asarray(c))
        return result

    def on(self, a: float, b: float, what: str) -> tuple[list[float], list[list[float]]]:
        """Return borders and coefficients of the pieces inside [a, b].

        Raises
        ------
        InputError
            If the function is not defined on all of [a, b]; `what` names it in the message.
        """
        if a < self.breaks[0] or b > self.breaks[-1]:
            raise InputError(
                f"the {what} is given on [{self.breaks[0]:g}, {self.breaks[-1]:g}], which does not "
                f"cover [{a:g}, {b:g}]; extend it or shrink the interval."
            )
        borders = [a]
        pieces: list[list[float]] = []
        for i, c in enumerate(self.coefficients):
            left, right = max(a, self.breaks[i]), min(b, self.breaks[i + 1])
            if left < right:
                pieces.append(list(c))
                borders.append(right)
        return borders, pieces


def piecewise_polynomial(breaks: ArrayLike, coefficients: list[ArrayLike]) -> PiecewisePolynomial:
    """Return a piecewise polynomial.

    Parameters
    ----------
    breaks : array_like, shape (m + 1,)
        Strictly increasing borders of the m pieces; the first may be -inf, the last inf.
    coefficients : sequence of m array_like
        Coefficients of each piece, lowest degree first, in x itself (not relative to a border).

    Returns
    -------
    PiecewisePolynomial

    Raises
    ------
    InputError
        If the borders do not increase, the numbers do not match, or a coefficient is not finite.

    Examples
    --------
    >>> absolute = piecewise_polynomial([-1, 0, 1], [[0, -1], [0, 1]])
    >>> absolute([-0.5, 0.25])
    array([0.5 , 0.25])
    """
    borders = as_floats("breaks", breaks)
    if borders.ndim != 1 or len(borders) < 2:
        raise InputError("breaks must be one row of at least two numbers.")
    if np.isnan(borders).any() or not (np.diff(borders) > 0).all():
        raise InputError("breaks must increase strictly; sort them and drop repeated ones.")
    if len(coefficients) != len(borders) - 1:
        raise InputError(
            f"{len(borders)} breaks make {len(borders) - 1} pieces, but there are "
            f"{len(coefficients)} rows of coefficients; give one row a piece."
        )
    rows: list[tuple[float, ...]] = []
    for c in coefficients:
        row = np.atleast_1d(as_floats("coefficients", c))
        check_finite("coefficients", row)
        if row.ndim != 1 or not row.size:
            raise InputError("each row of coefficients must be a non-empty row of numbers.")
        rows.append(tuple(float(v) for v in row))
    return PiecewisePolynomial(tuple(float(t) for t in borders), tuple(rows))


def polynomial(coefficients: ArrayLike) -> PiecewisePolynomial:
    """Return a polynomial on the whole line, coefficients lowest degree first.

    Examples
    --------
    >>> polynomial([0, 0, 1])([3.0])
    array([9.])
    """
    return piecewise_polynomial([-np.inf, np.inf], [coefficients])


def affine(alpha: float, beta: float) -> PiecewisePolynomial:
    """Return the affine function `alpha x + beta` (the targets of S2).

    Examples
    --------
    >>> affine(2.0, 1.0)([0.0, 1.0])
    array([1., 3.])
    """
    return polynomial([beta, alpha])


def step(at: float) -> PiecewisePolynomial:
    """Return the Heaviside step: 0 below `at`, 1 from there on.

    Examples
    --------
    >>> step(0.5)([0.0, 1.0])
    array([0., 1.])
    """
    return piecewise_polynomial([-np.inf, at, np.inf], [[0.0], [1.0]])


def piecewise_linear(x: ArrayLike, y: ArrayLike) -> PiecewisePolynomial:
    """Return the continuous piecewise linear function through the points (x, y).

    Parameters
    ----------
    x : array_like, shape (m,)
        Strictly increasing, at least two.
    y : array_like, shape (m,)
        Values there; the function is defined on [x[0], x[-1]].

    Returns
    -------
    PiecewisePolynomial

    Examples
    --------
    >>> piecewise_linear([0, 1, 2], [0, 1, 0])([0.5, 1.5])
    array([0.5, 0.5])
    """
    xs, ys = as_floats("x", x), as_floats("y", y)
    check_finite("x", xs)
    check_finite("y", ys)
    if xs.ndim != 1 or xs.shape != ys.shape or len(xs) < 2:
        raise InputError("x and y must be two rows of the same length, two points or more.")
    if not (np.diff(xs) > 0).all():
        raise InputError("x must increase strictly; sort the points and drop repeated ones.")
    slopes = np.diff(ys) / np.diff(xs)
    return piecewise_polynomial(
        xs, [[y0 - s * x0, s] for x0, y0, s in zip(xs[:-1], ys[:-1], slopes, strict=True)]
    )
