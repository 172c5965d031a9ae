"""What a least-squares line needs to know of one interval, read off cumulative moments.

With `s = (x - left) / (right - left)` an interval is summarised by six numbers: mass, mean of s,
sum of squares of s about that mean, mean of f, slope of its own least-squares line per unit of s,
and that line's residual sum of squares. The sum of squares of any other line is then the residual
plus two non-negative squares, so that nothing cancels.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.table import Table, count_below, read
from reluscape.kernels.twofold import scale, subtract
from reluscape.kernels.typing import Floats

MASS, MEAN, SPREAD, LEVEL, SLOPE, RESIDUAL = range(6)

# A spread below this share of the total second moment is rounding of the prefix sums: the
# interval then holds one distinct input.
NO_SPREAD = 1e-30


@inner
def read_at(table: Table, t: float, out: Floats) -> None:
    """Write the cumulative moments at `t` into `out` (6, 2); data at `t` are not counted."""
    read(table, count_below(table.edges, table.buckets, t, False), t, out)


@inner
def read_total(table: Table, out: Floats) -> None:
    """Write the moments of everything into `out` (6, 2)."""
    read(table, table.edges.shape[0], np.inf, out)


@inner
def summarise(a: Floats, b: Floats, left: float, right: float, out: Floats) -> None:
    """Summarise the interval between two readings `a`, `b` (6, 2) into `out` (6,)."""
    mh, ml = subtract(b[0, 0], b[0, 1], a[0, 0], a[0, 1])
    for i in range(6):
        out[i] = 0.0
    length = right - left
    if mh <= 0.0 or length <= 0.0:
        return
    out[MASS] = mh
    xh, xl = subtract(b[1, 0], b[1, 1], a[1, 0], a[1, 1])
    yh, yl = subtract(b[3, 0], b[3, 1], a[3, 0], a[3, 1])
    xxh, xxl = subtract(b[2, 0], b[2, 1], a[2, 0], a[2, 1])
    xyh, xyl = subtract(b[4, 0], b[4, 1], a[4, 0], a[4, 1])
    yyh, yyl = subtract(b[5, 0], b[5, 1], a[5, 0], a[5, 1])
    # About any centre near the means the sums below are exact pairs: the division that would
    # give the means to 32 digits is not needed, only its remainders.
    centre, level = xh / mh, yh / mh
    ph, pl = scale(mh, ml, centre)
    rx, rx_low = subtract(xh, xl, ph, pl)
    ph, pl = scale(mh, ml, level)
    ry, ry_low = subtract(yh, yl, ph, pl)
    sxx, sxx_low = about(xxh, xxl, xh, xl, rx, rx_low, centre, centre)
    sxy, sxy_low = about(xyh, xyl, yh, yl, rx, rx_low, centre, level)
    syy, syy_low = about(yyh, yyl, yh, yl, ry, ry_low, level, level)
    out[MEAN] = min(max((centre - left + rx / mh) / length, 0.0), 1.0)
    out[LEVEL] = level + ry / mh
    if sxx > NO_SPREAD * (b[2, 0] + mh):
        q = sxy / sxx
        out[SPREAD] = sxx / (length * length)
        out[SLOPE] = q * length
        # Any q near the quotient will do: the residual is stationary there.
        ph, pl = scale(sxx, sxx_low, q)
        ph, pl = subtract(2.0 * sxy, 2.0 * sxy_low, ph, pl)
        ph, pl = scale(ph, pl, q)
        syy = subtract(syy, syy_low, ph, pl)[0]
    out[RESIDUAL] = max(syy, 0.0)


@inner
def about(
    uvh: float,
    uvl: float,
    vh: float,
    vl: float,
    rest: float,
    rest_low: float,
    centre_u: float,
    centre_v: float,
) -> tuple[float, float]:
    """Return `sum (u - centre_u)(v - centre_v)` from `sum u v`, `sum v` and `sum (u - centre_u)`.

    The product of the two remainders over the mass, 1e-32 of the whole, is left out.
    """
    ph, pl = scale(vh, vl, centre_u)
    ah, al = subtract(uvh, uvl, ph, pl)
    ph, pl = scale(rest, rest_low, centre_v)
    return subtract(ah, al, ph, pl)


@compiled
def lay(table: Table, tau: Floats, readings: Floats, segments: Floats) -> None:
    """Read all vertices `tau` (k + 2,) and summarise the k + 1 intervals between them."""
    last = tau.shape[0] - 1
    for i in range(last):
        read_at(table, tau[i], readings[i])
    read_total(table, readings[last])
    for i in range(6):
        readings[0, i, 0] = 0.0
        readings[0, i, 1] = 0.0
    for i in range(last):
        summarise(readings[i], readings[i + 1], tau[i], tau[i + 1], segments[i])


@inner
def relay(table: Table, tau: Floats, j: int, readings: Floats, segments: Floats) -> None:
    """Mend the two intervals that meet at the interior vertex j after it has moved."""
    read_at(table, tau[j], readings[j])
    summarise(readings[j - 1], readings[j], tau[j - 1], tau[j], segments[j - 1])
    summarise(readings[j], readings[j + 1], tau[j], tau[j + 1], segments[j])


@compiled
def solve(
    segments: Floats, tied: bool, tie: Floats, phi: Floats, diagonal: Floats, lower: Floats
) -> None:
    """Write the least-squares values at the vertices into `phi` (k + 2,).

    The normal equations of the hat functions are tridiagonal; `diagonal` and `lower` receive
    their factors `L D L'`. A value that no datum determines continues its right neighbour. With
    `tied`, the values obey `tie . phi = 0`.
    """
    last = segments.shape[0]
    for i in range(last + 1):
        diagonal[i] = 0.0
        phi[i] = 0.0
    for i in range(last):
        m, q, spread = segments[i, MASS], segments[i, MEAN], segments[i, SPREAD]
        level, slope = segments[i, LEVEL], segments[i, SLOPE]
        p = 1.0 - q
        diagonal[i] += m * p * p + spread
        diagonal[i + 1] += m * q * q + spread
        lower[i] = m * p * q - spread
        phi[i] += m * p * level - spread * slope
        phi[i + 1] += m * q * level + spread * slope
    factorise(diagonal, lower)
    substitute(diagonal, lower, phi, True)
    if tied and not tie_freely(diagonal, lower, tie, phi):
        z = tie.copy()
        substitute(diagonal, lower, z, False)
        along = 0.0
        off = 0.0
        for i in range(last + 1):
            along += tie[i] * z[i]
            off += tie[i] * phi[i]
        if along > 0.0:
            for i in range(last + 1):
                phi[i] -= z[i] * off / along


@inner
def tie_freely(diagonal: Floats, lower: Floats, tie: Floats, phi: Floats) -> bool:
    """Meet `tie . phi = 0` by moving values that no datum determines, which costs nothing."""
    n = diagonal.shape[0]
    z = np.zeros(n)
    for i in range(n):
        if diagonal[i] > 0.0:
            continue
        for r in range(n):
            z[r] = 1.0 if r == i else 0.0
        for r in range(i - 1, -1, -1):
            z[r] = -lower[r] * z[r + 1]
        along = 0.0
        off = 0.0
        size = 0.0
        for r in range(n):
            along += tie[r] * z[r]
            off += tie[r] * phi[r]
            size += abs(tie[r] * z[r])
        if abs(along) > NO_TIE * size:
            for r in range(n):
                phi[r] -= z[r] * off / along
            return True
    return False


# A sum below this share of its terms is zero up to rounding.
NO_TIE = 1e-10
# A pivot below this share of its diagonal entry means a value that the data do not determine.
NO_PIVOT = 1e-13


@inner
def factorise(diagonal: Floats, lower: Floats) -> None:
    """Factorise a symmetric tridiagonal matrix in place; undetermined pivots become 0."""
    n = diagonal.shape[0]
    for i in range(n):
        entry = diagonal[i]
        if i > 0 and diagonal[i - 1] > 0.0:
            pivot = entry - lower[i - 1] * lower[i - 1] / diagonal[i - 1]
            lower[i - 1] /= diagonal[i - 1]
        else:
            pivot = entry
            if i > 0:
                lower[i - 1] = 0.0
        diagonal[i] = pivot if pivot > NO_PIVOT * entry else 0.0


@inner
def substitute(diagonal: Floats, lower: Floats, right: Floats, extend: bool) -> None:
    """Solve in place after `factorise`; undetermined values are 0, or extended from the right."""
    n = diagonal.shape[0]
    for i in range(1, n):
        right[i] -= lower[i - 1] * right[i - 1]
    for i in range(n - 1, -1, -1):
        if diagonal[i] > 0.0:
            right[i] /= diagonal[i]
            if i < n - 1:
                right[i] -= lower[i] * right[i + 1]
        else:
            right[i] = right[i + 1] if extend and i < n - 1 else 0.0


@compiled
def squares(segments: Floats, phi: Floats) -> float:
    """Return the sum of squares of the polyline with values `phi`: a sum of non-negative terms."""
    total = 0.0
    for i in range(segments.shape[0]):
        rise = phi[i + 1] - phi[i]
        off = phi[i] + segments[i, MEAN] * rise - segments[i, LEVEL]
        tilt = rise - segments[i, SLOPE]
        total += segments[i, MASS] * off * off + segments[i, SPREAD] * tilt * tilt
        total += segments[i, RESIDUAL]
    return total


@compiled
def workspace(vertices: int) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Allocate readings, segments, values, diagonal and lower for so many vertices."""
    return (
        np.zeros((vertices, 6, 2)),
        np.zeros((vertices - 1, 6)),
        np.zeros(vertices),
        np.zeros(vertices),
        np.zeros(vertices),
    )
