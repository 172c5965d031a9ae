"""Polylines on cumulative moments: what every interval contributes, and the best values.

With `s = (x - left) / (right - left)` an interval is summarised by six numbers: mass, mean of s,
sum of squares of s about that mean, mean of f, slope of its own least-squares line per unit of s,
and that line's residual sum of squares. The sum of squares of any other line is then the residual
plus two non-negative squares, so that nothing cancels.

All of it stands in one array, the sheet: a row per vertex, columns as named below. A kernel that
takes one array instead of eleven compiles sooner, and is called faster.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.table import EXCLUSIVE, Table, count_below, read
from reluscape.kernels.twofold import scale, subtract
from reluscape.kernels.typing import Floats, number

# Of the interval that begins at the vertex.
MASS, MEAN, SPREAD, LEVEL, SLOPE, RESIDUAL = range(6)
# Of the vertex: its value, the factors L D L' of the normal equations, its part in a tie.
VALUE, DIAGONAL, LOWER, TIE = range(6, 10)
# Of an interior vertex, for Newton steps: see `spline.derivatives`.
GRADIENT, STEP, TURN, TOTAL, LOAD = range(10, 15)
# Six pairs each: the moments below the vertex, and below places near it.
READING, BESIDE, AFTER = number(15), number(27), number(39)
# From here on the Hessian and its factor (k columns each) and a right-hand side (k + 2).
EXTRA = 51

# A spread below this share of the total second moment is rounding of the prefix sums: the
# interval then holds one distinct input.
NO_SPREAD = 1e-30
# A mean closer to the vertex than this, as a share of the interval, is rounding: it is on it.
AT_VERTEX = 1e-20
# A pivot below this share of its diagonal entry means a value that the data do not determine.
NO_PIVOT = 1e-13


@compiled
def new_sheet(vertices: int) -> Floats:
    """Allocate the sheet of a polyline; nothing in it is set."""
    return np.empty((vertices, EXTRA + 3 * vertices - 4))


@inner
def read_at(table: Table, t: float, out: Floats, row: int, column: int) -> None:
    """Write the cumulative moments at `t` into a row of `out`; data at `t` are not counted."""
    read(table, count_below(table.edges, table.buckets, t, EXCLUSIVE), t, out, row, column)


@inner
def summarise(
    a: Floats, i: int, b: Floats, j: int, left: float, right: float, out: Floats, row: int
) -> None:
    """Summarise the interval between the readings in rows `a[i]` and `b[j]` into `out[row]`."""
    for c in range(RESIDUAL + 1):
        out[row, c] = 0.0
    r = READING
    mh, ml = subtract(b[j, r], b[j, r + 1], a[i, r], a[i, r + 1])
    length = right - left
    if mh <= 0.0 or length <= 0.0:
        return
    out[row, MASS] = mh
    xh, xl = subtract(b[j, r + 2], b[j, r + 3], a[i, r + 2], a[i, r + 3])
    xxh, xxl = subtract(b[j, r + 4], b[j, r + 5], a[i, r + 4], a[i, r + 5])
    yh, yl = subtract(b[j, r + 6], b[j, r + 7], a[i, r + 6], a[i, r + 7])
    xyh, xyl = subtract(b[j, r + 8], b[j, r + 9], a[i, r + 8], a[i, r + 9])
    yyh, yyl = subtract(b[j, r + 10], b[j, r + 11], a[i, r + 10], a[i, r + 11])
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
    mean = min(max((centre - left + rx / mh) / length, 0.0), 1.0)
    # An input at the vertex must not seem to be beside it: the value at the other end would be
    # used, however large it had to be.
    out[row, MEAN] = mean if mean > AT_VERTEX else 0.0
    out[row, LEVEL] = level + ry / mh
    if sxx > NO_SPREAD * (b[j, r + 4] + mh):
        q = sxy / sxx
        out[row, SPREAD] = sxx / (length * length)
        out[row, SLOPE] = q * length
        # Any q near the quotient will do: the residual is stationary there.
        ph, pl = scale(sxx, sxx_low, q)
        ph, pl = subtract(2.0 * sxy, 2.0 * sxy_low, ph, pl)
        ph, pl = scale(ph, pl, q)
        syy = subtract(syy, syy_low, ph, pl)[0]
    out[row, RESIDUAL] = max(syy, 0.0)


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
def lay(table: Table, tau: Floats, sheet: Floats) -> None:
    """Read the moments at all vertices `tau` and summarise the intervals between them."""
    last = tau.shape[0] - 1
    for i in range(1, last):
        read_at(table, tau[i], sheet, i, READING)
    for c in range(12):
        sheet[0, READING + c] = 0.0
    read(table, table.high.shape[0] - 1, np.inf, sheet, last, READING)
    for i in range(last):
        summarise(sheet, i, sheet, i + 1, tau[i], tau[i + 1], sheet, i)


@inner
def relay(table: Table, tau: Floats, j: int, sheet: Floats) -> None:
    """Mend the two intervals that meet at the interior vertex j after it has moved."""
    read_at(table, tau[j], sheet, j, READING)
    for i in range(j - 1, j + 1):
        summarise(sheet, i, sheet, i + 1, tau[i], tau[i + 1], sheet, i)


@compiled
def solve(sheet: Floats) -> None:
    """Solve for the least-squares values at the vertices.

    The normal equations of the hat functions are tridiagonal. A value that no datum determines
    continues its right neighbour.
    """
    last = sheet.shape[0] - 1
    carried = below = 0.0
    for i in range(last):
        m, q, spread = sheet[i, MASS], sheet[i, MEAN], sheet[i, SPREAD]
        level, tilt = sheet[i, LEVEL], spread * sheet[i, SLOPE]
        left, right = m * (1.0 - q), m * q
        sheet[i, DIAGONAL] = below + left * (1.0 - q) + spread
        sheet[i, VALUE] = carried + left * level - tilt
        sheet[i, LOWER] = left * q - spread
        below = right * q + spread
        carried = right * level + tilt
    sheet[last, DIAGONAL] = below
    sheet[last, VALUE] = carried
    eliminate(sheet, last + 1)


@inner
def eliminate(sheet: Floats, n: int) -> None:
    """Factorise the tridiagonal matrix in the first n rows and solve for the values, in place.

    Undetermined pivots become 0, and the values there those of the right neighbours.
    """
    for i in range(n):
        entry = pivot = sheet[i, DIAGONAL]
        if i > 0:
            above = sheet[i - 1, DIAGONAL]
            share = sheet[i - 1, LOWER] / above if above > 0.0 else 0.0
            pivot -= share * sheet[i - 1, LOWER]
            sheet[i - 1, LOWER] = share
            sheet[i, VALUE] -= share * sheet[i - 1, VALUE]
        sheet[i, DIAGONAL] = pivot if pivot > NO_PIVOT * entry else 0.0
    for i in range(n - 1, -1, -1):
        right = sheet[i + 1, VALUE] if i < n - 1 else 0.0
        if sheet[i, DIAGONAL] > 0.0:
            value = sheet[i, VALUE] / sheet[i, DIAGONAL]
            sheet[i, VALUE] = value - sheet[i, LOWER] * right if i < n - 1 else value
        else:
            sheet[i, VALUE] = right


@inner
def substitute(sheet: Floats, row: int) -> None:
    """Solve for the right-hand side in the last columns of a row; undetermined values are 0."""
    n = sheet.shape[0]
    first = sheet.shape[1] - n
    for i in range(1, n):
        sheet[row, first + i] -= sheet[i - 1, LOWER] * sheet[row, first + i - 1]
    right = 0.0
    for i in range(n - 1, -1, -1):
        value = 0.0
        if sheet[i, DIAGONAL] > 0.0:
            value = sheet[row, first + i] / sheet[i, DIAGONAL]
            if i < n - 1:
                value -= sheet[i, LOWER] * right
        sheet[row, first + i] = value
        right = value


@compiled
def squares(sheet: Floats) -> float:
    """Return the sum of squares of the polyline: a sum of non-negative terms."""
    total = 0.0
    for i in range(sheet.shape[0] - 1):
        rise = sheet[i + 1, VALUE] - sheet[i, VALUE]
        off = sheet[i, VALUE] + sheet[i, MEAN] * rise - sheet[i, LEVEL]
        tilt = rise - sheet[i, SLOPE]
        total += sheet[i, MASS] * off * off + sheet[i, SPREAD] * tilt * tilt
        total += sheet[i, RESIDUAL]
    return total
