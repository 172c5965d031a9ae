"""Cumulative moments as a table of polynomials, and how to read it.

The table serves data and densities alike. `edges` (m,) cut the line into m + 1 pieces; on piece i
the six cumulative moments `integral over x < t of (1, x, x^2, f, x f, f^2) p` are polynomials in
`t - centres[i]` with coefficients `high[i] + low[i]`, shape (degree + 1, 6), lowest degree first.
For data the edges are the distinct inputs and the degree is 0: a step function.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.twofold import add, divide, multiply, scale, subtract, two_product, two_sum
from reluscape.kernels.typing import Counts, Floats, flag

# Whether data at a point count as below it.
EXCLUSIVE, INCLUSIVE = flag(False), flag(True)


class Table(NamedTuple):
    """Cumulative moments, and the frame they are expressed in.

    `edges` (m,), `buckets` (any,), `centres` (m + 1,), `high` and `low` (m + 1, degree + 1, 6).

    The user's `x` is `x_centre + x_scale * x'`, `y` is `y_centre + y_scale * y'`; the risk is
    `mass * y_scale^2` times the primed sum of squares.
    """

    edges: Floats
    buckets: Counts
    centres: Floats
    high: Floats
    low: Floats
    x_centre: float
    x_scale: float
    y_centre: float
    y_scale: float
    mass: float


@inner
def bucket_of(edges: Floats, count: int, t: float) -> int:
    """Return which of `count` equal parts of the range of the edges holds `t`.

    Every operation is monotone, rounding included: a greater `t` never has a lesser bucket.
    """
    first = edges[0]
    width = edges[edges.shape[0] - 1] - first
    if not width > 0.0:
        return 0
    return min(count - 1, int((t - first) / width * count))


@compiled
def fill_buckets(edges: Floats, buckets: Counts) -> None:
    """Write how many edges lie in the buckets before each, (count + 1,)."""
    count = buckets.shape[0] - 1
    r = 0
    for i in range(count):
        while r < edges.shape[0] and bucket_of(edges, count, edges[r]) < i:
            r += 1
        buckets[i] = r
    buckets[count] = edges.shape[0]


@inner
def count_below(edges: Floats, buckets: Counts, t: float, inclusive: bool) -> int:
    """Count the edges `< t`, or `<= t` if inclusive: the piece of the table that holds `t`."""
    m = edges.shape[0]
    if t < edges[0] or (t == edges[0] and not inclusive):
        return 0
    if t > edges[m - 1] or (t == edges[m - 1] and inclusive):
        return m
    bucket = bucket_of(edges, buckets.shape[0] - 1, t)
    low = buckets[bucket]
    high = buckets[bucket + 1]
    # Most buckets are empty by design: the edges are then not even looked at.
    while low < high:
        middle = (low + high) >> 1
        below = edges[middle] <= t if inclusive else edges[middle] < t
        if below:
            low = middle + 1
        else:
            high = middle
    return low


@inner
def read(table: Table, piece: int, t: float, out: Floats, row: int, column: int) -> None:
    """Write the six cumulative moments at `t` on a piece into a row of `out` as pairs."""
    edges, high, low = table.edges, table.high, table.low
    degree = high.shape[1] - 1
    for i in range(6):
        out[row, column + 2 * i] = high[piece, degree, i]
        out[row, column + 2 * i + 1] = low[piece, degree, i]
    if degree == 0:
        return
    inside = min(max(t, float(edges[0])), float(edges[edges.shape[0] - 1]))
    zh, zl = two_sum(inside, -table.centres[piece])
    for d in range(degree - 1, -1, -1):
        for i in range(6):
            at = column + 2 * i
            ah, al = scale(out[row, at], out[row, at + 1], zh)
            al += out[row, at] * zl
            ah, al = add(ah, al, high[piece, d, i], low[piece, d, i])
            out[row, at] = ah
            out[row, at + 1] = al


@inner
def densities(table: Table, piece: int, t: float) -> tuple[float, float]:
    """Return the densities `p` and `f p` at `t`: the derivatives of two of the moments."""
    high = table.high
    inside = min(max(t, table.edges[0]), table.edges[table.edges.shape[0] - 1])
    z = inside - table.centres[piece]
    p = 0.0
    fp = 0.0
    for d in range(high.shape[1] - 1, 0, -1):
        p = p * z + d * high[piece, d, 0]
        fp = fp * z + d * high[piece, d, 3]
    return p, fp


@inner
def fill_terms(x: float, y: float, term: Floats) -> None:
    """Write `(1, x, x^2, y, x y, y^2)` into `term` (6, 2), each exact."""
    term[0, 0] = 1.0
    term[0, 1] = 0.0
    term[1, 0] = x
    term[1, 1] = 0.0
    term[2, 0], term[2, 1] = two_product(x, x)
    term[3, 0] = y
    term[3, 1] = 0.0
    term[4, 0], term[4, 1] = two_product(x, y)
    term[5, 0], term[5, 1] = two_product(y, y)


@compiled
def accumulate(
    x: Floats, y: Floats, weights: Floats, weighted: bool, edges: Floats, high: Floats, low: Floats
) -> int:
    """Fill the table of data sorted by x; equal inputs share an edge. Return their number.

    `edges` (n,), `high` and `low` (n + 1, 1, 6) are written up to the returned count.
    """
    total = np.zeros((6, 2))
    term = np.zeros((6, 2))
    for i in range(6):
        high[0, 0, i] = 0.0
        low[0, 0, i] = 0.0
    m = 0
    n = x.shape[0]
    for r in range(n):
        fill_terms(x[r], y[r], term)
        if weighted:
            for i in range(6):
                term[i, 0], term[i, 1] = scale(term[i, 0], term[i, 1], weights[r])
        for i in range(6):
            total[i, 0], total[i, 1] = add(total[i, 0], total[i, 1], term[i, 0], term[i, 1])
        if r + 1 == n or x[r + 1] != x[r]:
            edges[m] = x[r]
            m += 1
            for i in range(6):
                high[m, 0, i] = total[i, 0]
                low[m, 0, i] = total[i, 1]
    return m


@compiled
def pure_error(high: Floats, low: Floats) -> float:
    """Return the sum of squares of y about its mean at each distinct x."""
    result = 0.0
    for i in range(high.shape[0] - 1):
        mh, ml = subtract(high[i + 1, 0, 0], low[i + 1, 0, 0], high[i, 0, 0], low[i, 0, 0])
        yh, yl = subtract(high[i + 1, 0, 3], low[i + 1, 0, 3], high[i, 0, 3], low[i, 0, 3])
        sh, sl = subtract(high[i + 1, 0, 5], low[i + 1, 0, 5], high[i, 0, 5], low[i, 0, 5])
        qh, ql = multiply(yh, yl, yh, yl)
        qh, ql = divide(qh, ql, mh, ml)
        result += max(subtract(sh, sl, qh, ql)[0], 0.0)
    return result


@compiled
def read_all(table: Table, places: Floats, rows: Floats) -> None:
    """Write the cumulative moments at increasing places: six high parts, six low parts each."""
    pairs = np.empty((1, 12))
    for i in range(places.shape[0]):
        piece = count_below(table.edges, table.buckets, places[i], EXCLUSIVE)
        read(table, piece, places[i], pairs, 0, 0)
        for k in range(6):
            rows[i, k] = pairs[0, 2 * k]
            rows[i, 6 + k] = pairs[0, 2 * k + 1]
