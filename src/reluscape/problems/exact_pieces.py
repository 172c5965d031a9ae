"""Piecewise polynomials with rational coefficients and borders: what expressions are made of.

Values at single points do not count (they change no risk), so a function is known by its borders
and the polynomials between them.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from reluscape.errors import InputError
from reluscape.problems.real_roots import real_roots
from reluscape.problems.targets import PiecewisePolynomial

MAX_DEGREE = 60
MAX_PIECES = 500
# Binary digits of numerators and denominators; doubles reach 1100.
MAX_BITS = 10_000

Poly = tuple[Fraction, ...]


@dataclass(frozen=True)
class Pieces:
    """A piecewise polynomial on the line.

    Attributes
    ----------
    cuts : tuple of Fraction
        Increasing borders; neighbouring pieces differ.
    polys : tuple of tuple of Fraction
        One more than cuts: coefficients, lowest degree first, without trailing zeros.
    """

    cuts: tuple[Fraction, ...]
    polys: tuple[Poly, ...]

    @property
    def degree(self) -> int:
        """The largest degree of a piece; 0 for zero."""
        return max(0, *(len(p) - 1 for p in self.polys))

    @property
    def bits(self) -> int:
        """Binary digits of the largest numerator or denominator."""
        return max((_bits(c) for p in self.polys for c in p), default=1)

    @property
    def value(self) -> Fraction | None:
        """The value of a constant, None for anything else."""
        if self.cuts or len(self.polys[0]) > 1:
            return None
        return self.polys[0][0] if self.polys[0] else Fraction(0)


def constant(value: Fraction | int) -> Pieces:
    """Return a constant function.

    Examples
    --------
    >>> constant(2).value
    Fraction(2, 1)
    """
    return Pieces((), ((Fraction(value),) if value else (),))


IDENTITY = Pieces((), ((Fraction(0), Fraction(1)),))


def combine(operation: Callable[..., Poly], *functions: Pieces) -> Pieces:
    """Return a function made piece by piece from others.

    Parameters
    ----------
    operation : callable
        Takes one polynomial of each function, returns one.
    *functions : Pieces

    Returns
    -------
    Pieces

    Raises
    ------
    InputError
        If there are too many pieces or too long numbers.
    """
    cuts = sorted({cut for f in functions for cut in f.cuts})
    chosen = [
        f.polys * (len(cuts) + 1)
        if not f.cuts
        else [f.polys[0], *(f.polys[bisect_right(f.cuts, cut)] for cut in cuts)]
        for f in functions
    ]
    return _joined(cuts, [operation(*polys) for polys in zip(*chosen, strict=True)])


def add(f: Pieces, g: Pieces) -> Pieces:
    """Return f + g."""
    return combine(_sum, f, g)


def scale(f: Pieces, factor: Fraction | int) -> Pieces:
    """Return a multiple of f."""

    def scaled(p: Poly) -> Poly:
        return tuple(factor * c for c in p) if factor else ()

    return combine(scaled, f)


def multiply(f: Pieces, g: Pieces) -> Pieces:
    """Return f g.

    Raises
    ------
    InputError
        If the degree is too high, or as `combine`.
    """
    check_degree(f.degree + g.degree)
    return combine(_product, f, g)


def power(f: Pieces, exponent: int) -> Pieces:
    """Return f to a whole power, 0 or more; f^0 is 1.

    Raises
    ------
    InputError
        If the degree is too high, or as `combine`.
    """
    check_degree(f.degree * exponent)
    result = constant(1)
    for digit in f"{exponent:b}":
        result = multiply(result, result)
        if digit == "1":
            result = multiply(result, f)
    return result


def signs(f: Pieces) -> Pieces:
    """Return the sign of f: -1, 0 (where f is zero on a whole piece) or 1."""
    cuts: list[Fraction] = []
    values: list[Poly] = []
    for i, p in enumerate(f.polys):
        left = f.cuts[i - 1] if i else None
        right = f.cuts[i] if i < len(f.cuts) else None
        inner = [
            root
            for root in (real_roots(p) if len(p) > 1 else ())
            if (left is None or left < root) and (right is None or root < right)
        ]
        ends = [left, *inner, right]
        for a, b in pairwise(ends):
            values.append(_sign(p, _between(a, b)))
            if b is not None:
                cuts.append(b)
    return _joined(cuts, values)


def select(condition: Pieces, yes: Pieces, no: Pieces) -> Pieces:
    """Return `yes` where the condition is not negative, and `no` elsewhere."""

    def pick(c: Poly, p: Poly, q: Poly) -> Poly:
        return q if c and c[0] < 0 else p

    return combine(pick, condition, yes, no)


def rounded(f: Pieces) -> PiecewisePolynomial:
    """Return f with coefficients and borders rounded to doubles.

    Raises
    ------
    InputError
        If a coefficient is beyond the largest double.
    """
    breaks: list[float] = [-math.inf]
    coefficients: list[tuple[float, ...]] = []
    for i, p in enumerate(f.polys):
        end = _float(f.cuts[i]) if i < len(f.cuts) else math.inf
        # Pieces too short for doubles, or beyond their range, cannot be told from none.
        if end <= breaks[-1]:
            continue
        row = tuple(_float(c) for c in p) or (0.0,)
        if not all(map(math.isfinite, row)):
            raise InputError("a coefficient is beyond the largest double; rescale the function.")
        if coefficients and coefficients[-1] == row:
            breaks[-1] = end
            continue
        coefficients.append(row)
        breaks.append(end)
    return PiecewisePolynomial(tuple(breaks), tuple(coefficients))


def check_degree(degree: int) -> None:
    """Refuse polynomials of too high a degree."""
    if degree > MAX_DEGREE:
        raise InputError(f"this has degree {degree}; at most {MAX_DEGREE} is allowed.")


def _joined(cuts: list[Fraction], polys: list[Poly]) -> Pieces:
    """Return a function without borders between equal pieces."""
    kept = [i for i, (p, q) in enumerate(pairwise(polys)) if p != q]
    f = Pieces(tuple(cuts[i] for i in kept), (*(polys[i] for i in kept), polys[-1]))
    if len(f.polys) > MAX_PIECES:
        raise InputError(f"this has {len(f.polys)} pieces; at most {MAX_PIECES} are allowed.")
    if f.bits > MAX_BITS:
        raise InputError(
            f"this has numbers of more than {MAX_BITS} binary digits; use simpler ones."
        )
    return f


def _sum(p: Poly, q: Poly) -> Poly:
    longer, shorter = (p, q) if len(p) >= len(q) else (q, p)
    head = [a + b for a, b in zip(longer, shorter, strict=False)]
    return _trimmed([*head, *longer[len(shorter) :]])


def _product(p: Poly, q: Poly) -> Poly:
    if not p or not q:
        return ()
    # Integers over a common denominator: fractions would be reduced at every step.
    (first, below), (second, other) = _over_common(p), _over_common(q)
    result = [0] * (len(p) + len(q) - 1)
    for i, a in enumerate(first):
        for j, b in enumerate(second, i):
            result[j] += a * b
    return tuple(Fraction(c, below * other) for c in result)


def _over_common(p: Poly) -> tuple[list[int], int]:
    common = math.lcm(*(c.denominator for c in p))
    return [c.numerator * (common // c.denominator) for c in p], common


def _trimmed(coefficients: list[Fraction]) -> Poly:
    while coefficients and not coefficients[-1]:
        coefficients.pop()
    return tuple(coefficients)


def _between(a: Fraction | None, b: Fraction | None) -> Fraction:
    """Return a point strictly between two borders, where None is infinity."""
    if a is None:
        return Fraction(0) if b is None else b - 1
    return a + 1 if b is None else (a + b) / 2


def _sign(p: Poly, x: Fraction) -> Poly:
    value = Fraction(0)
    for c in reversed(p):
        value = value * x + c
    return (Fraction(1 if value > 0 else -1),) if value else ()


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())
