"""The frame a problem in the plane is computed in, and what enters it without rounding.

The user's point is `centre + 2^exponent z`, with z reaching to 1 in size. Lines, networks and
polynomials are moved there in exact arithmetic and kept as pairs of floats (about 32 digits), so
that a polygon far from the origin is as accurate as one around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.surfaces import PiecewisePolynomial2d

Floats = NDArray[np.float64]

Terms = dict[tuple[int, int], Fraction]
"""A polynomial in two variables: the coefficient of `x^i y^j` under (i, j)."""


@dataclass(frozen=True)
class Frame:
    """The exact change of variables `x = centre + 2^exponent z`.

    Attributes
    ----------
    centre : tuple of two floats
    exponent : int
    """

    centre: tuple[float, float]
    exponent: int

    @property
    def unit(self) -> float:
        """The user's length of one unit of the frame, a power of two."""
        return math.ldexp(1.0, self.exponent)

    def points(self, vertices: Floats) -> Floats:
        """Return corners (n, 2) as the pairs (n, 4) of the kernels, exactly."""
        from reluscape.kernels.twofold import two_sum

        out = np.empty((len(vertices), 4))
        for i, vertex in enumerate(vertices):
            for axis in range(2):
                pair = two_sum(float(vertex[axis]), -self.centre[axis])
                out[i, 2 * axis : 2 * axis + 2] = np.ldexp(pair, -self.exponent)
        return out

    def affine(self, slopes: Floats, constants: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Return affine functions `slopes · x + constants` in the frame.

        Parameters
        ----------
        slopes : ndarray, shape (m, 2)
        constants : ndarray, shape (m,)

        Returns
        -------
        slopes : ndarray, shape (m, 2)
        constants : ndarray, shape (m, 2)
            Pairs of floats; the largest of each row of both is in [1/2, 1) in size, unless all
            are 0.
        exponents : ndarray, shape (m,)
            The functions were divided by this power of two.
        """
        from reluscape.kernels.twofold import two_product

        first = np.frexp(np.maximum(np.abs(slopes).max(axis=1, initial=0.0), np.abs(constants)))[1]
        w = np.ldexp(slopes, -first[:, np.newaxis])
        b = np.ldexp(constants, -first)
        moved = np.empty((len(w), 2))
        for k, (row, constant) in enumerate(zip(w.tolist(), b.tolist(), strict=True)):
            exact = [
                constant,
                *two_product(row[0], self.centre[0]),
                *two_product(row[1], self.centre[1]),
            ]
            high = math.fsum(exact)
            moved[k] = high, math.fsum([*exact, -high])
        w = np.ldexp(w, self.exponent)
        second = np.frexp(np.maximum(np.abs(w).max(axis=1, initial=0.0), np.abs(moved[:, 0])))[1]
        shift = -second[:, np.newaxis]
        exponents = first.astype(np.int64) + second
        return np.ldexp(w, shift), np.ldexp(moved, shift), exponents

    def polynomial(self, terms: Terms) -> Terms:
        """Return a polynomial of the user's x and y as one of the frame's."""
        unit = Fraction(2) ** self.exponent
        powers = [
            _powers([Fraction(c), unit], max((key[axis] for key in terms), default=0))
            for axis, c in enumerate(self.centre)
        ]
        out: Terms = {}
        for (i, j), c in terms.items():
            for a, left in enumerate(powers[0][i]):
                for b, right in enumerate(powers[1][j]):
                    out[a, b] = out.get((a, b), Fraction(0)) + c * left * right
        return out


def frame_of(vertices: Floats) -> Frame:
    """Return the frame of a polygon, around the middle of its bounding box."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    middle = low + (high - low) / 2
    reach = float(np.maximum(high - middle, middle - low).max())
    return Frame((float(middle[0]), float(middle[1])), math.frexp(reach)[1])


@dataclass(frozen=True, eq=False)
class Parts:
    """A function in the frame: lines, and polynomials on intersections of their sides.

    Attributes
    ----------
    lines : ndarray, shape (m, 4)
        As the kernels take them.
    sides : ndarray, shape (pieces, m)
        -1, 0 or 1, as in `Piece`.
    terms : tuple of dict
        The polynomial of each piece.
    """

    lines: Floats
    sides: NDArray[np.int64]
    terms: tuple[Terms, ...]

    @property
    def degree(self) -> int:
        """The largest total degree of a piece."""
        keys = [i + j for terms in self.terms for (i, j), c in terms.items() if c]
        return max(keys, default=0)

    def matches(self, sides: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Return which pieces hold on cells of the given sides, shape (cells, pieces)."""
        asked = self.sides[np.newaxis, :, :]
        return ((asked == 0) | (asked == sides[:, np.newaxis, :])).all(axis=2)

    def coefficients(self, degree: int, exponent: int) -> Floats:
        """Return the pieces, divided by 2^exponent, as the kernels take them."""
        out = np.zeros((len(self.terms), (degree + 1) * (degree + 2) // 2, 2))
        unit = Fraction(2) ** exponent
        for k, terms in enumerate(self.terms):
            for (i, j), c in terms.items():
                if c:
                    at = i * (degree + 1) - i * (i - 1) // 2 + j
                    high = float(c / unit)
                    out[k, at] = high, float(c / unit - Fraction(high))
        return out

    @property
    def exponent(self) -> int:
        """A power of two near the size of the largest coefficient, as its exponent."""
        largest = max((abs(c) for t in self.terms for c in t.values()), default=Fraction(0))
        if not largest:
            return 0
        return largest.numerator.bit_length() - largest.denominator.bit_length()


def parts_of(
    function: PiecewisePolynomial2d | Network | GeneralizedResponse, frame: Frame
) -> Parts:
    """Return a function of the plane, a network or a response with two inputs, in the frame."""
    if isinstance(function, PiecewisePolynomial2d):
        lines = np.asarray(function.lines, dtype=np.float64).reshape(-1, 3)
        sides = np.array([piece.sides for piece in function.pieces], dtype=np.int64)
        terms = [
            {
                (i, j): Fraction(c)
                for i, row in enumerate(piece.coefficients)
                for j, c in enumerate(row)
                if c
            }
            for piece in function.pieces
        ]
        sides = sides.reshape(len(terms), len(lines))
    elif isinstance(function, GeneralizedResponse):
        lines, sides, terms = _pieces_of_response(function)
    else:
        lines, sides, terms = _pieces_of_network(function)
    slopes, constants, _ = frame.affine(lines[:, :2], lines[:, 2])
    return Parts(np.hstack([slopes, constants]), sides, tuple(frame.polynomial(t) for t in terms))


def _pieces_of_network(network: Network) -> tuple[Floats, NDArray[np.int64], list[Terms]]:
    skip = np.zeros(2) if network.skip is None else network.skip
    terms: list[Terms] = [_affine_terms(Fraction(1), skip, float(network.offset))]
    bent = np.flatnonzero(network.weights.any(axis=1))
    sides: list[list[int]] = [[0] * len(bent)]
    slope = Fraction(network.activation.slope)
    at = 0
    for w, b, v in zip(network.weights, network.biases, network.outputs, strict=True):
        output = Fraction(float(v))
        if not w.any():
            terms.append(_affine_terms(output if b > 0 else output * slope, w, float(b)))
            sides.append([0] * len(bent))
            continue
        for side, factor in ((1, Fraction(1)), (-1, slope)):
            terms.append(_affine_terms(output * factor, w, float(b)))
            sides.append([side if k == at else 0 for k in range(len(bent))])
        at += 1
    lines = np.column_stack([network.weights[bent], network.biases[bent]])
    return lines, np.array(sides, dtype=np.int64).reshape(len(terms), len(bent)), terms


def _pieces_of_response(
    response: GeneralizedResponse,
) -> tuple[Floats, NDArray[np.int64], list[Terms]]:
    terms: list[Terms] = [_affine_terms(Fraction(1), response.slope, response.offset)]
    for k, count in enumerate(response.multiplicities.tolist()):
        if count == 1:  # a multiple of its line, exactly
            bend = Fraction(float(response.bends[k]))
            terms.append(_affine_terms(bend, response.normals[k], -float(response.thresholds[k])))
        else:
            beta = float(response.betas[k])
            terms.append(_affine_terms(Fraction(1), response.deltas[k], beta))
    sides = np.vstack([np.zeros((1, len(terms) - 1)), np.eye(len(terms) - 1)]).astype(np.int64)
    return np.column_stack([response.normals, -response.thresholds]), sides, terms


def _affine_terms(factor: Fraction, slopes: Floats, constant: float) -> Terms:
    numbers = {(1, 0): float(slopes[0]), (0, 1): float(slopes[1]), (0, 0): constant}
    return {key: factor * Fraction(c) for key, c in numbers.items() if c and factor}


def _powers(linear: list[Fraction], highest: int) -> list[list[Fraction]]:
    """Return the powers of `linear[0] + linear[1] z`, lowest degree first."""
    out = [[Fraction(1)]]
    for _ in range(highest):
        last = [*out[-1], Fraction(0)]
        below = [Fraction(0), *out[-1]]
        out.append([linear[0] * a + linear[1] * b for a, b in zip(last, below, strict=True)])
    return out


@lru_cache(maxsize=64)
def gauss(degree: int) -> Floats:
    """Return the Gauss-Legendre rule on [0, 1] that is exact up to a degree.

    Parameters
    ----------
    degree : int

    Returns
    -------
    ndarray, shape (n, 4)
        Rows (node high, node low, weight high, weight low).

    Examples
    --------
    >>> rule = gauss(3)
    >>> rule[:, 0], round(float(rule[:, 2] @ rule[:, 0] ** 3), 12)
    (array([0.21132487, 0.78867513]), 0.25)
    """
    n = degree // 2 + 1
    starts = np.polynomial.legendre.leggauss(n)[0]
    out = np.empty((n, 4))
    with localcontext() as context:
        # Three steps of Newton's method from sixteen digits leave more than these fifty.
        context.prec = 50
        for k, start in enumerate(starts):
            x = Decimal(float(start))
            for _ in range(3):
                p, dp = _legendre(n, x)
                x -= p / dp
            _, dp = _legendre(n, x)
            node, weight = (x + 1) / 2, 1 / ((1 - x * x) * dp * dp)
            for i, number in ((0, node), (2, weight)):
                high = float(number)
                out[k, i], out[k, i + 1] = high, float(number - Decimal(high))
    out.flags.writeable = False
    return out


def _legendre(n: int, x: Decimal) -> tuple[Decimal, Decimal]:
    """Return the Legendre polynomial of degree n >= 1 and its derivative, |x| < 1."""
    before, now = Decimal(1), x
    for k in range(1, n):
        before, now = now, ((2 * k + 1) * x * now - k * before) / (k + 1)
    return now, n * (x * now - before) / (x * x - 1)
