"""Real roots of polynomials with rational coefficients, in exact arithmetic.

The square-free part has the same roots, all simple. They are isolated by bisection, with
Descartes' rule of signs on each half (Vincent, Collins and Akritas), and narrowed down by the sign
at the middle. Rational roots of moderate size come out exactly; others are cut off, towards zero,
after `BITS` binary digits, which depends on the number alone: equal roots of different polynomials
come out equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from reluscape.errors import InputError

# Binary digits of irrational roots: doubles have 53, and polynomials can cancel the rest.
BITS = 96
# Rational roots with smaller denominators come out exactly; BITS tell any two of them apart.
LARGEST_DENOMINATOR = 2**40
# Isolating the roots of what people write takes some dozens of halves.
_MOST_HALVES = 5_000
# A Mersenne prime: what has no common factor modulo a prime has none.
_PRIME = 2**61 - 1

Integers = list[int]


@lru_cache(maxsize=256)
def real_roots(coefficients: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Return the distinct real roots of a polynomial.

    Parameters
    ----------
    coefficients : tuple of Fraction
        Lowest degree first, the last one not zero.

    Returns
    -------
    tuple of Fraction
        Increasing; exact, or cut off towards zero to a relative 2^-96.

    Raises
    ------
    InputError
        If roots are too close together to be told apart in reasonable time.

    Examples
    --------
    >>> cubic = real_roots((Fraction(0), Fraction(-2), Fraction(0), Fraction(1)))
    >>> [float(root) for root in cubic]
    [-1.4142135623730951, 0.0, 1.4142135623730951]
    """
    p = _integers(coefficients)
    roots: list[Fraction] = []
    if p[0] == 0:
        roots.append(Fraction(0))
        p = p[next(i for i, c in enumerate(p) if c) :]
    if len(p) == 2:
        roots.append(Fraction(-p[0], p[1]))
    elif len(p) > 2:
        p = _square_free(p)
        mirrored = [-c if i % 2 else c for i, c in enumerate(p)]
        roots += [-root for root in _positive_roots(mirrored)]
        roots += _positive_roots(p)
    return tuple(sorted(set(roots)))


def _integers(coefficients: Sequence[Fraction]) -> Integers:
    """Return a multiple with integer coefficients without a common factor."""
    common = math.lcm(*(c.denominator for c in coefficients))
    return _primitive([c.numerator * (common // c.denominator) for c in coefficients])


def _primitive(p: Integers) -> Integers:
    divisor = math.gcd(*p)
    return [c // divisor for c in p] if divisor > 1 else p


def _square_free(p: Integers) -> Integers:
    """Return p / gcd(p, p'), which has the roots of p, all simple."""
    if _surely_square_free(p):
        return p
    first, second = p, _primitive([i * c for i, c in enumerate(p)][1:])
    while second:
        first, second = second, _primitive(_remainder(first, second))
    return p if len(first) == 1 else _primitive(_quotient(p, first))


def _surely_square_free(p: Integers) -> bool:
    """Return whether p and p' have no common factor modulo a prime: quick, and nearly always right.

    A common factor of both would be one modulo the prime as well, of the same degree, because the
    leading coefficient does not vanish.
    """
    if p[-1] % _PRIME == 0:
        return False
    first = [c % _PRIME for c in p]
    second = [i * c % _PRIME for i, c in enumerate(p)][1:]
    while len(second) > 1:
        inverse = pow(second[-1], -1, _PRIME)
        while len(first) >= len(second):
            factor, shift = first.pop() * inverse % _PRIME, len(first) - len(second)
            for i, c in enumerate(second[:-1], shift + 1):
                first[i] = (first[i] - factor * c) % _PRIME
        while first and first[-1] == 0:
            first.pop()
        first, second = second, first
    return bool(second)


def _remainder(p: Integers, q: Integers) -> Integers:
    """Return a multiple of the remainder of p by q, without trailing zeros."""
    rest = list(p)
    while len(rest) >= len(q):
        lead, shift = rest[-1], len(rest) - len(q)
        rest = [c * q[-1] for c in rest[:-1]]
        for i, c in enumerate(q[:-1]):
            rest[shift + i] -= lead * c
        while rest and rest[-1] == 0:
            rest.pop()
    return rest


def _quotient(p: Integers, q: Integers) -> Integers:
    """Return p / q for primitive p and q of which q divides p."""
    rest, result = list(p), [0] * (len(p) - len(q) + 1)
    for shift in reversed(range(len(result))):
        # By Gauss's lemma the quotient of primitive polynomials has integer coefficients.
        result[shift] = rest[shift + len(q) - 1] // q[-1]
        for i, c in enumerate(q):
            rest[shift + i] -= result[shift] * c
    return result


def _positive_roots(p: Integers) -> list[Fraction]:
    """Return the positive roots of a square-free polynomial with p(0) != 0."""
    if _variations(p) == 0:
        return []
    # Substitute x = 2^size y with all roots y below 1.
    size = _bound(p)
    scaled = [c << (size * i if size > 0 else size * (i - len(p) + 1)) for i, c in enumerate(p)]
    scale = Fraction(2) ** size
    roots: list[Fraction] = []
    todo = [(scaled, 0, 0)]
    for _ in range(_MOST_HALVES):
        if not todo:
            return roots
        # q on (0, 1) is `scaled` on (start, start + 1) / 2^level.
        q, start, level = todo.pop()
        signs = _variations(_shifted(q[::-1]))
        if signs == 1:
            roots.append(scale * _narrowed(scaled, start, level))
        if signs <= 1:
            continue
        left = [c << (len(q) - 1 - i) for i, c in enumerate(q)]
        right = _shifted(left)
        if right[0] == 0:
            roots.append(scale * Fraction(2 * start + 1, 2 ** (level + 1)))
            right = right[1:]
        todo += [(left, 2 * start, level + 1), (right, 2 * start + 1, level + 1)]
    raise InputError("the borders of the pieces lie too close together; write it more simply.")


def _bound(p: Integers) -> int:
    """Return an exponent of 2 above all roots in size (Fujiwara's bound)."""
    lead = abs(p[-1]).bit_length()
    sizes = [
        -((lead - abs(c).bit_length() - 1) // (len(p) - 1 - i)) for i, c in enumerate(p[:-1]) if c
    ]
    return max(sizes) + 1


def _variations(p: Integers) -> int:
    """Count the changes of sign: at least the positive roots, and of the same parity."""
    signs = [c > 0 for c in p if c]
    return sum(a != b for a, b in pairwise(signs))


def _shifted(p: Integers) -> Integers:
    """Return p(x + 1)."""
    result = list(p)
    for start in range(len(result) - 1):
        for i in reversed(range(start, len(result) - 1)):
            result[i] += result[i + 1]
    return result


def _narrowed(p: Integers, start: int, level: int) -> Fraction:
    """Return the only root of p strictly between start and start + 1, in units of 2^-level."""
    # The left end may be a root itself: the sign beyond it is that of the slope there.
    before = _sign(p, start, level) or _sign([i * c for i, c in enumerate(p)][1:], start, level)
    while start.bit_length() <= BITS:
        start, level = 2 * start, level + 1
        middle = _sign(p, start + 1, level)
        if middle == 0:
            return Fraction(start + 1, 2**level)
        if middle == before:
            start += 1
    root = Fraction(start, 2**level)
    guess = Fraction(2 * start + 1, 2 ** (level + 1)).limit_denominator(LARGEST_DENOMINATOR)
    inside = root <= guess <= Fraction(start + 1, 2**level)
    return guess if inside and sum(c * guess**i for i, c in enumerate(p)) == 0 else root


def _sign(p: Integers, numerator: int, level: int) -> int:
    """Return the sign of p(numerator / 2^level)."""
    value = 0
    for power, c in enumerate(reversed(p)):
        value = value * numerator + (c << (level * power))
    return (value > 0) - (value < 0)
