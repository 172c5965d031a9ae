"""Cutting a convex polygon along lines into convex cells, in twofold arithmetic.

A cell is the list of its corners, counter-clockwise. Lines are taken one after the other, and each
splits every cell that it properly crosses. Corners are pairs of floats (about 32 digits), and a
corner closer to a line than `TIE` lies on it: it then bounds both sides, so that parallel, equal
and corner-grazing lines leave no sliver out and count none twice. What a corner's class is follows
from its coordinates alone, and neighbours share those, so that both sides of an edge agree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.twofold import add, divide, multiply, scale, subtract
from reluscape.kernels.typing import Floats, Integers, Sides

# Polygons reach to 1 in each coordinate and lines have a largest coefficient in [1/2, 1), so that
# a value at a corner is off by some 2^-104; a true distance below this could only move an integral
# in its thirtieth digit.
TIE = 2.0**-97


class Cells(NamedTuple):
    """Convex cells of a polygon.

    `points` (n, 4): corners as (x high, x low, y high, y low), cell after cell; `starts`
    (cells + 1,): where each cell's corners begin; `parents` (cells,): the cell it was cut from;
    `sides` (cells, lines): 1 on the positive side of a line, -1 on the other.
    """

    points: Floats
    starts: Integers
    parents: Integers
    sides: Sides


@inner
def line_value(lines: Floats, k: int, points: Floats, i: int) -> tuple[float, float]:
    """Return the value of line k, (w1, w2, b high, b low), at corner i."""
    hi, lo = scale(points[i, 0], points[i, 1], lines[k, 0])
    mh, ml = scale(points[i, 2], points[i, 3], lines[k, 1])
    hi, lo = add(hi, lo, mh, ml)
    return add(hi, lo, lines[k, 2], lines[k, 3])


@inner
def classify(lines: Floats, k: int, points: Floats, values: Floats, kinds: Sides) -> None:
    """Write the value of line k at each corner, and its sign: 0 on the line."""
    for i in range(points.shape[0]):
        hi, lo = line_value(lines, k, points, i)
        values[i, 0], values[i, 1] = hi, lo
        kinds[i] = 0 if abs(hi) <= TIE else (1 if hi > 0.0 else -1)


@inner
def crossing(points: Floats, values: Floats, i: int, j: int, out: Floats, at: int) -> None:
    """Write where the edge from corner i to corner j, of opposite signs, meets the line."""
    if values[i, 0] < 0.0:
        # From the positive end, whichever cell asks: neighbours must get the same point.
        i, j = j, i
    ah, al = values[i]
    dh, dl = subtract(ah, al, values[j, 0], values[j, 1])
    th, tl = divide(ah, al, dh, dl)
    for axis in (0, 2):
        ph, pl = points[i, axis], points[i, axis + 1]
        dh, dl = subtract(points[j, axis], points[j, axis + 1], ph, pl)
        dh, dl = multiply(dh, dl, th, tl)
        out[at, axis], out[at, axis + 1] = add(ph, pl, dh, dl)


@inner
def children(cells: Cells, kinds: Sides, crossed: Integers) -> tuple[int, int]:
    """Mark the crossed cells with the number of their crossings; return cells and corners after."""
    count = cells.starts.shape[0] - 1
    corners = cells.points.shape[0]
    for c in range(count):
        first, last = cells.starts[c], cells.starts[c + 1]
        positive, negative, on_line, changes = False, False, 0, 0
        before = kinds[last - 1]
        for i in range(first, last):
            positive |= kinds[i] > 0
            negative |= kinds[i] < 0
            on_line += kinds[i] == 0
            changes += before * kinds[i] < 0
            before = kinds[i]
        crossed[c] = positive and negative
        if crossed[c]:
            count += 1
            corners += on_line + 2 * changes
    return count, corners


@inner
def side_of(values: Floats, first: int, last: int) -> int:
    """Return the side of a cell that its line does not cross."""
    total = 0.0
    for i in range(first, last):
        total += values[i, 0]
    return 1 if total >= 0.0 else -1


@compiled
def split(cells: Cells, lines: Floats) -> Cells:
    """Cut cells along lines.

    Parameters
    ----------
    cells : Cells
        Their sides are not read.
    lines : ndarray, shape (m, 4)
        Rows (w1, w2, b high, b low), the largest of them in [1/2, 1) in size.

    Returns
    -------
    Cells
        Parents are numbers of the cells given; sides have shape (cells, m).
    """
    count = cells.starts.shape[0] - 1
    m = lines.shape[0]
    now = Cells(cells.points, cells.starts, np.arange(count), np.zeros((count, m), dtype=np.int8))
    for k in range(m):
        count = now.starts.shape[0] - 1
        size = now.points.shape[0]
        values, kinds = np.empty((size, 2)), np.empty(size, dtype=np.int8)
        classify(lines, k, now.points, values, kinds)
        crossed = np.empty(count, dtype=np.int64)
        more, corners = children(now, kinds, crossed)
        if more == count:
            for c in range(count):
                now.sides[c, k] = side_of(values, now.starts[c], now.starts[c + 1])
            continue
        after = Cells(
            np.empty((corners, 4)),
            np.zeros(more + 1, dtype=np.int64),
            np.empty(more, dtype=np.int64),
            np.empty((more, m), dtype=np.int8),
        )
        cell, at = 0, 0
        for c in range(count):
            first, last = now.starts[c], now.starts[c + 1]
            only = 0 if crossed[c] else side_of(values, first, last)
            for side in (1, -1):
                if only == -side:
                    continue
                for i in range(first, last):
                    if only != 0 or kinds[i] * side >= 0:
                        after.points[at] = now.points[i]
                        at += 1
                    following = i + 1 if i + 1 < last else first
                    if only == 0 and kinds[i] * kinds[following] < 0:
                        crossing(now.points, values, i, following, after.points, at)
                        at += 1
                after.parents[cell] = now.parents[c]
                after.sides[cell] = now.sides[c]
                after.sides[cell, k] = side
                cell += 1
                after.starts[cell] = at
        now = after
    return now
