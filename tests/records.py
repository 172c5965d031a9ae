"""The values that the judges work on: networks of floats, exact piecewise polynomials."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Polynomial = tuple[Fraction, ...]

# ------------------------------------------------------------------------------------- networks


@dataclass(frozen=True)
class Plain:
    """One-input, one-target network: ``c + u x + sum v s(w x + b)``; ``slope`` is s on the left."""

    w: tuple[float, ...]
    b: tuple[float, ...]
    v: tuple[float, ...]
    c: float = 0.0
    u: float | None = None
    slope: float = 0.0

    @property
    def width(self) -> int:
        return len(self.w)

    def theta(self) -> Array:
        """Give the papers' vector (w, b, v, c[, u])."""
        tail = (self.c,) if self.u is None else (self.c, self.u)
        return np.array([*self.w, *self.b, *self.v, *tail], dtype=np.float64)

    @staticmethod
    def of(theta: Iterable[float], *, skip: bool, slope: float = 0.0) -> Plain:
        """Read the papers' vector."""
        values = [float(t) for t in theta]
        width = (len(values) - 1 - skip) // 3
        assert 3 * width + 1 + skip == len(values)
        return Plain(
            tuple(values[:width]),
            tuple(values[width : 2 * width]),
            tuple(values[2 * width : 3 * width]),
            values[3 * width],
            values[3 * width + 1] if skip else None,
            slope,
        )

    def __call__(self, x: Array) -> Array:
        x = np.asarray(x, dtype=np.float64)
        total = np.full(x.shape, self.c)
        for w, b, v in zip(self.w, self.b, self.v, strict=True):
            z = w * x + b
            total = total + v * np.where(z > 0, z, self.slope * z)
        return total if self.u is None else total + self.u * x

    def kinks(self) -> list[float]:
        return sorted(-b / w for w, b in zip(self.w, self.b, strict=True) if w != 0)


def plain_of(network: Any) -> Plain:
    """Read a one-input, one-target network of the package through its public attributes."""
    slope = float(network.activation.slope)
    u = None if network.skip is None else float(np.asarray(network.skip).ravel()[0])
    return Plain(
        tuple(np.asarray(network.weights)[:, 0].tolist()),
        tuple(np.asarray(network.biases).tolist()),
        tuple(np.asarray(network.outputs).ravel().tolist()),
        float(np.asarray(network.offset).ravel()[0]),
        u,
        slope,
    )


# ---------------------------------------------------------------------- piecewise polynomials


@dataclass(frozen=True)
class Pieces:
    """A piecewise polynomial: ``coefficients[i]``, lowest first, in x itself on piece i."""

    breaks: tuple[Fraction, ...]
    coefficients: tuple[Polynomial, ...]

    @staticmethod
    def of(
        breaks: Iterable[float | Fraction], rows: Iterable[Iterable[float | Fraction]]
    ) -> Pieces:
        return Pieces(
            tuple(Fraction(t) for t in breaks),
            tuple(tuple(Fraction(t) for t in row) for row in rows),
        )

    def piece(self, x: Fraction) -> Polynomial:
        """Polynomial around the (non-break) point x; the end pieces reach to infinity."""
        index = sum(1 for t in self.breaks[1:-1] if t < x)
        return self.coefficients[index]

    def __call__(self, x: Array) -> Array:
        x = np.asarray(x, dtype=np.float64)
        inner = np.array([float(t) for t in self.breaks[1:-1]])
        index = np.searchsorted(inner, x, side="left")
        rows = [np.polynomial.Polynomial([float(t) for t in row]) for row in self.coefficients]
        return np.array(
            [rows[i](xi) for i, xi in zip(index.ravel(), x.ravel(), strict=True)]
        ).reshape(x.shape)

    def floats(self) -> tuple[Array, Array]:
        """Breaks and a rectangular coefficient table, as the package wants them."""
        width = max(len(row) for row in self.coefficients)
        table = np.zeros((len(self.coefficients), width))
        for i, row in enumerate(self.coefficients):
            table[i, : len(row)] = [float(t) for t in row]
        return np.array([float(t) for t in self.breaks]), table


ONE = Pieces.of((0, 1), ((1,),))


def add(p: Polynomial, q: Polynomial) -> Polynomial:
    """Sum of two polynomials."""
    size = max(len(p), len(q))
    zero = Fraction(0)
    return tuple(
        (p[i] if i < len(p) else zero) + (q[i] if i < len(q) else zero) for i in range(size)
    )


def times(p: Polynomial, q: Polynomial) -> Polynomial:
    """Product of two polynomials."""
    result = [Fraction(0)] * (len(p) + len(q) - 1)
    for i, left in enumerate(p):
        for j, right in enumerate(q):
            result[i + j] += left * right
    return tuple(result)


def value(p: Polynomial, x: Fraction) -> Fraction:
    """Horner's rule."""
    total = Fraction(0)
    for coefficient in reversed(p):
        total = total * x + coefficient
    return total


def integral(p: Polynomial, left: Fraction, right: Fraction) -> Fraction:
    """Integral of a polynomial."""
    primitive = (Fraction(0), *(t / (i + 1) for i, t in enumerate(p)))
    return value(primitive, right) - value(primitive, left)
