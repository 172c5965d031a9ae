"""Piecewise polynomials with rational coefficients, and their cumulative integrals, exactly."""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, arb_poly, fmpq, fmpq_poly

from reluscape.errors import InputError
from reluscape.problems.interval import Interval


@dataclass(frozen=True, eq=False)
class Pieces:
    """Target and density of an interval in rationals.

    Attributes
    ----------
    borders : list of fmpq
        From a to b.
    target, density : list of fmpq_poly
        One per piece, in x.
    """

    borders: list[fmpq]
    target: list[fmpq_poly]
    density: list[fmpq_poly]

    def reflected(self) -> Pieces:
        """Return the same for a + b - x in the place of x."""
        turn = fmpq_poly([self.borders[0] + self.borders[-1], -1])
        total = self.borders[0] + self.borders[-1]
        return Pieces(
            [total - t for t in reversed(self.borders)],
            [f(turn) for f in reversed(self.target)],
            [p(turn) for p in reversed(self.density)],
        )


@dataclass(frozen=True, eq=False)
class Cumulative:
    """Integrals from a to t on one piece, as polynomials in t, and over all of [a, b].

    In the order (1, x, x^2, f, x f) times the density.
    """

    low: fmpq
    high: fmpq
    partial: tuple[fmpq_poly, ...]
    total: tuple[fmpq, ...]
    squares: fmpq


def number(value: float) -> fmpq:
    """Return a float as the rational number that it is."""
    return fmpq(*float(value).as_integer_ratio())


def pieces_of(problem: Interval) -> Pieces:
    """Return target and density in rationals.

    Raises
    ------
    InputError
        If the density is zero on a whole piece.
    """
    borders, f = problem.target.on(problem.a, problem.b, "target")
    others, p = problem.density.on(problem.a, problem.b, "density")
    cuts = sorted({*borders, *others})
    target = [fmpq_poly([number(c) for c in f[_piece(borders, t)]]) for t in cuts[:-1]]
    density = [fmpq_poly([number(c) for c in p[_piece(others, t)]]) for t in cuts[:-1]]
    exact = [number(t) for t in cuts]
    if any(not q for q in density):
        raise InputError(
            "the density is zero on a whole piece; critical points are listed for densities that "
            "are positive between isolated zeros."
        )
    return Pieces(exact, target, density)


def _piece(borders: list[float], t: float) -> int:
    return max(i for i, border in enumerate(borders) if border <= t)


def cumulative(pieces: Pieces) -> list[Cumulative]:
    """Integrate: one entry per piece."""
    x = fmpq_poly([0, 1])
    totals = [fmpq(0)] * 5
    squares = fmpq(0)
    parts: list[tuple[fmpq_poly, ...]] = []
    for i, (f, p) in enumerate(zip(pieces.target, pieces.density, strict=True)):
        low, high = pieces.borders[i], pieces.borders[i + 1]
        rows: list[fmpq_poly] = []
        for k, factor in enumerate((p, x * p, x * x * p, f * p, x * f * p)):
            antiderivative = factor.integral()
            antiderivative += totals[k] - antiderivative(low)
            totals[k] = antiderivative(high)
            rows.append(antiderivative)
        square = (f * f * p).integral()
        squares += square(high) - square(low)
        parts.append(tuple(rows))
    return [
        Cumulative(pieces.borders[i], pieces.borders[i + 1], rows, tuple(totals), squares)
        for i, rows in enumerate(parts)
    ]


def ball(polynomial: fmpq_poly, at: arb) -> arb:
    """Evaluate in ball arithmetic."""
    return arb_poly(polynomial)(at)
