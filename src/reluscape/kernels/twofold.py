"""Twofold (double-double) arithmetic: about 32 significant digits from pairs of floats.

Prefix sums cancel when two of them are subtracted: the moments of a narrow segment are tiny
differences of large totals. Kept as unevaluated pairs `high + low`, they survive that.

Source: Joldes, Muller, Popescu (2017), Tight and rigorous error bounds for basic building blocks of
double-word arithmetic.
"""

from __future__ import annotations

from reluscape.kernels.compiled import compiled, fused, inner


@compiled
def two_sum(a: float, b: float) -> tuple[float, float]:
    """Return `a + b` exactly, as rounded sum and rounding error."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


@compiled
def two_product(a: float, b: float) -> tuple[float, float]:
    """Return `a * b` exactly, as rounded product and rounding error."""
    p = a * b
    return p, fused(a, b, -p)


@compiled
def add(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Add two pairs; the error is about 1e-32 of the larger operand."""
    s, e = two_sum(ah, bh)
    e += al + bl
    z = s + e
    return z, e - (z - s)


@inner
def subtract(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Subtract the second pair from the first."""
    return add(ah, al, -bh, -bl)


@inner
def scale(ah: float, al: float, b: float) -> tuple[float, float]:
    """Multiply a pair by a float."""
    p, e = two_product(ah, b)
    e += al * b
    z = p + e
    return z, e - (z - p)


@inner
def multiply(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Multiply two pairs."""
    p, e = two_product(ah, bh)
    e += ah * bl + al * bh
    z = p + e
    return z, e - (z - p)


@inner
def divide(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Divide the first pair by the second."""
    q = ah / bh
    ph, pl = scale(bh, bl, q)
    rh, rl = add(ah, al, -ph, -pl)
    r = (rh + rl) / bh
    z = q + r
    return z, r - (z - q)
