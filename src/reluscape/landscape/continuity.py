"""What a theorem asks of targets and densities in the plane, shown where that is simple."""

from __future__ import annotations

from itertools import product

import numpy as np
from flint import fmpq, fmpq_poly

from reluscape.landscape.seen import ROUNDING, exactly
from reluscape.networks.arrays import Floats
from reluscape.problems.surfaces import Piece, PiecewisePolynomial2d

# With more lines than these, the sides of them are too many to look at all of them.
MOST_LINES = 10
# Places, as shares of the width of a polygon, at which densities are cut.
CUTS = (fmpq(1, 2), fmpq(1, 3), fmpq(5, 7))


def continuous_in_the_plane(target: PiecewisePolynomial2d, vertices: Floats) -> bool:
    """Whether a target is shown to be continuous on a polygon, but for rounding.

    Across each line the jump is looked at for all sides of the other lines, also for those that no
    point of the polygon has: False is no proof of a jump.

    Parameters
    ----------
    target : PiecewisePolynomial2d
    vertices : ndarray of shape (m, 2)

    Returns
    -------
    bool

    Examples
    --------
    >>> from reluscape import piecewise_polynomial2d
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> kink = piecewise_polynomial2d([[1, 0, -0.5]], [([1], [[-0.5], [1]])])
    >>> jump = piecewise_polynomial2d([[1, 0, -0.5]], [([1], [[1]])])
    >>> [continuous_in_the_plane(f, square) for f in (kink, jump)]
    [True, False]
    """
    pieces = [piece for piece in target.pieces if np.any(piece.coefficients)]
    if not any(any(piece.sides) for piece in pieces):
        return True
    many = len(target.lines)
    if many > MOST_LINES:
        return False
    for i, line in enumerate(target.lines):
        chord = _chord(line, vertices)
        cutting = [piece for piece in pieces if piece.sides[i]]
        if chord is None or not cutting:
            continue
        for others in product((-1, 1), repeat=many - 1):
            sides = (*others[:i], 0, *others[i:])
            if not _no_jump([p for p in cutting if _holds(p, sides, i)], i, chord):
                return False
    return True


def positive_on_lines(density: PiecewisePolynomial2d, vertices: Floats) -> bool:
    """Whether a density >= 0 on a polygon is one polynomial, and shown to be zero along no line.

    Such a polynomial keeps its sign across a line on which it is zero, so that it has the line as a
    double factor, and double zeros wherever one cuts it across. One cut along each axis without
    double zeros thus rules out all lines.

    Parameters
    ----------
    density : PiecewisePolynomial2d
    vertices : ndarray of shape (m, 2)

    Returns
    -------
    bool
        False is no proof of the contrary.

    Examples
    --------
    >>> from reluscape import polynomial2d
    >>> square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    >>> ring, ridge = polynomial2d([[0, 0, 1], [0, 0, 0], [1, 0, 0]]), polynomial2d([[0], [0], [1]])
    >>> [positive_on_lines(p, square) for p in (ring, ridge)]
    [True, False]
    """
    pieces = [piece for piece in density.pieces if np.any(piece.coefficients)]
    if any(any(piece.sides) for piece in pieces):
        return False
    matrix = _sum(pieces)
    if all(not value for (i, j), value in matrix.items() if i + j > 1):
        # It would be negative on one side of the line.
        return True
    for axis in (0, 1):
        low, high = (exactly(float(t)) for t in (vertices[:, axis].min(), vertices[:, axis].max()))
        cuts = (_along(matrix, axis, low + share * (high - low)) for share in CUTS)
        if not any(cut and cut.gcd(cut.derivative()).degree() < 1 for cut in cuts):
            return False
    return True


def _holds(piece: Piece, sides: tuple[int, ...], apart: int) -> bool:
    return all(
        s in (0, side)
        for k, (s, side) in enumerate(zip(piece.sides, sides, strict=True))
        if k != apart
    )


def _chord(line: tuple[float, float, float], vertices: Floats) -> Floats | None:
    """Return the two ends of a line inside a convex polygon, shape (2, 2), None outside of it."""
    heights = vertices @ np.asarray(line[:2]) + line[2]
    following = np.roll(heights, -1)
    ends: list[Floats] = []
    for k in range(len(vertices)):
        if heights[k] * following[k] < 0.0 or heights[k] == 0.0:
            share = heights[k] / (heights[k] - following[k]) if heights[k] else 0.0
            ends.append(vertices[k] + share * (np.roll(vertices, -1, axis=0)[k] - vertices[k]))
    if heights.min() >= 0.0 or heights.max() <= 0.0 or len(ends) < 2:
        return None
    return np.array(ends[:2])


def _no_jump(pieces: list[Piece], line: int, chord: Floats) -> bool:
    """Whether pieces on both sides of a line add up to the same along a chord of it."""
    degree = max((_degree(piece) for piece in pieces), default=0)
    # A polynomial of this degree is zero if it is so at one more places.
    for share in range(degree + 1):
        x, y = (
            exactly(float(t)) for t in chord[0] + (share / max(degree, 1)) * (chord[1] - chord[0])
        )
        jump = size = fmpq(0)
        for piece in pieces:
            for i, row in enumerate(piece.coefficients):
                for j, c in enumerate(row):
                    term = exactly(c) * x**i * y**j
                    jump += piece.sides[line] * term
                    size += (i + j + 1) * abs(term)
        if abs(jump) > ROUNDING * size:
            return False
    return True


def _degree(piece: Piece) -> int:
    return len(piece.coefficients) + len(piece.coefficients[0]) - 2


def _sum(pieces: list[Piece]) -> dict[tuple[int, int], fmpq]:
    total: dict[tuple[int, int], fmpq] = {}
    for piece in pieces:
        for i, row in enumerate(piece.coefficients):
            for j, c in enumerate(row):
                total[i, j] = total.get((i, j), fmpq(0)) + exactly(c)
    return total


def _along(matrix: dict[tuple[int, int], fmpq], axis: int, at: fmpq) -> fmpq_poly:
    """Return the polynomial on the line where one coordinate has a value."""
    rows = [fmpq(0)] * (1 + max(max(place) for place in matrix))
    for place, c in matrix.items():
        rows[place[1 - axis]] += c * at ** place[axis]
    return fmpq_poly(rows)
