"""A Lipschitz target with a continuum of critical networks, tabulated beyond double precision.

On [0, 1] let u(t) = -(1 - t)^(3/2) (1 + 3t)^(1/2). With f = u'' on [0, 1/2] every t in (0, 1/2) is
the breakpoint of a critical network `c + p max(x - t, 0)`, and all of them have the same risk; on
[1/2, 1] f is the quadratic that keeps f continuous and its two integrals right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.networks.arrays import as_floats
from reluscape.problems.targets import PiecewisePolynomial

Floats = NDArray[np.float64]

# Taylor pieces on the first half, terms of each, and bits of their coefficients: the error of the
# tabulated target stays below 1e-19 of its size, far below rounding of doubles.
PIECES, TERMS, BITS = 32, 13, 160
ROOT_FIVE = Fraction(math.isqrt(5 << (2 * BITS)), 1 << BITS)
# f on [1/2, 1] is A + B y + C y^2 with y = x - 1/2; these are A, B and C times 25 / sqrt(5).
QUADRATIC_FIFTHS = (6, 48, -576)
QUADRATIC = tuple(ROOT_FIVE * Fraction(k, 25) for k in QUADRATIC_FIFTHS)


@dataclass(frozen=True)
class TrapTarget(PiecewisePolynomial):
    """The target `height * f((x - a) / (b - a))`, with rational coefficients.

    Attributes
    ----------
    a, b : float
        The interval.
    height : float
        Factor of the values.
    """

    a: float = 0.0
    b: float = 1.0
    height: float = 1.0

    def formula(self) -> dict[str, str | float]:
        """Return the closed form in words, for who wants to write it down."""
        return {
            "z": f"(x - {self.a!r}) / ({self.b!r} - {self.a!r})",
            "z <= 1/2": "height * 6 (1 - 3 z^2) / sqrt((1 - z) (1 + 3 z)^3)",
            "z >= 1/2": "height * sqrt(5) / 25 * (6 + 48 y - 576 y^2) with y = z - 1/2",
            "height": self.height,
        }

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate in closed form, shape (n,) or ()."""
        z = (as_floats("x", x) - self.a) / (self.b - self.a)
        inside = np.clip(z, 0.0, 0.5)
        first = 6.0 * (1.0 - 3.0 * inside**2) / np.sqrt((1.0 - inside) * (1.0 + 3.0 * inside) ** 3)
        y = z - 0.5
        second = np.polynomial.polynomial.polyval(y, np.array([float(q) for q in QUADRATIC]))
        return self.height * np.where(z <= 0.5, first, second)


def trap_target(a: float, b: float, height: float) -> TrapTarget:
    """Tabulate the target on [a, b]."""
    left, length, factor = Fraction(a), Fraction(b) - Fraction(a), Fraction(height)
    middle = float(left + length / 2)
    borders = [float(left + length * Fraction(i, 2 * PIECES)) for i in range(PIECES)]
    rows: list[list[Fraction]] = []
    for low, high in zip(borders, [*borders[1:], middle], strict=True):
        centre = ((Fraction(low) + Fraction(high)) / 2 - left) / length
        rows.append(_in_x(_taylor(centre), left + length * centre, length, factor))
    rows.append(_in_x(list(QUADRATIC), left + length / 2, length, factor))
    return TrapTarget(
        (*borders, middle, b),
        tuple(tuple(row) for row in rows),  # pyright: ignore[reportArgumentType]
        a,
        b,
        height,
    )


def _taylor(z: Fraction) -> list[Fraction]:
    """Return the Taylor coefficients of f about z, rounded to BITS bits."""
    left, right = 1 - z, 1 + 3 * z
    # (1 - z - h)^(-1/2) (1 + 3z + 3h)^(-3/2), up to the common factor of h = 0.
    first = _binomial(Fraction(-1, 2), Fraction(-1) / left)
    second = _binomial(Fraction(-3, 2), Fraction(3) / right)
    factor = 6 * _root(1 / (left * right**3))
    top = [1 - 3 * z * z, -6 * z, Fraction(-3)]
    series = _product(_product(first, second), top)[:TERMS]
    return [Fraction(round(c * factor * (1 << BITS)), 1 << BITS) for c in series]


def _binomial(power: Fraction, factor: Fraction) -> list[Fraction]:
    """Return the coefficients of (1 + factor h)^power."""
    terms = [Fraction(1)]
    for k in range(1, TERMS):
        terms.append(terms[-1] * factor * (power - k + 1) / k)
    return terms


def _root(value: Fraction) -> Fraction:
    scaled = (value.numerator << (2 * BITS)) // value.denominator
    return Fraction(math.isqrt(scaled), 1 << BITS)


def _product(a: list[Fraction], b: list[Fraction]) -> list[Fraction]:
    result = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, s in enumerate(a):
        for j, t in enumerate(b):
            result[i + j] += s * t
    return result


def _in_x(
    series: list[Fraction], at: Fraction, length: Fraction, factor: Fraction
) -> list[Fraction]:
    """Return coefficients in x of a series in (x - at) / length, times a factor."""
    result: list[Fraction] = [Fraction(0)]
    for c in reversed(series):
        result = _product(result, [-at / length, 1 / length])
        result[0] += factor * c
    while len(result) > 1 and not result[-1]:
        result.pop()
    return result
