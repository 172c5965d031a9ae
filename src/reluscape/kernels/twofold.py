"""Twofold (double-double) arithmetic: about 32 significant digits from pairs of floats.

Prefix sums cancel when two of them are subtracted: the moments of a narrow segment are tiny
differences of large totals. Kept as unevaluated pairs `high + low`, they survive that.

Source: Dekker (1971), A floating-point technique for extending the available precision;
Joldes, Muller, Popescu (2017), Tight and rigorous error bounds for basic building blocks of
double-word arithmetic.
"""

from __future__ import annotations

from reluscape.kernels.compiled import compiled

# 2^27 + 1: splits a 53-bit significand into two halves whose products are exact.
SPLITTER = 134217729.0


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
    t = SPLITTER * a
    ah = t - (t - a)
    al = a - ah
    t = SPLITTER * b
    bh = t - (t - b)
    bl = b - bh
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


@compiled
def add(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Add two pairs."""
    s, e = two_sum(ah, bh)
    t, f = two_sum(al, bl)
    e += t
    z = s + e
    e -= z - s
    s = z
    e += f
    z = s + e
    return z, e - (z - s)


@compiled
def subtract(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Subtract the second pair from the first."""
    return add(ah, al, -bh, -bl)


@compiled
def scale(ah: float, al: float, b: float) -> tuple[float, float]:
    """Multiply a pair by a float."""
    p, e = two_product(ah, b)
    e += al * b
    z = p + e
    return z, e - (z - p)


@compiled
def multiply(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Multiply two pairs."""
    p, e = two_product(ah, bh)
    e += ah * bl + al * bh
    z = p + e
    return z, e - (z - p)


@compiled
def divide(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Divide the first pair by the second."""
    q = ah / bh
    ph, pl = scale(bh, bl, q)
    rh, rl = add(ah, al, -ph, -pl)
    r = (rh + rl) / bh
    z = q + r
    return z, r - (z - q)
