"""Integrals of polynomials over convex cells, by Gauss rules that are exact for them.

Everything is in twofold arithmetic and rounded once. A cell is fanned into triangles from its
first corner; a polynomial of degree d with coefficients `c` (terms, 2), high and low, is
`sum c[i, j] x^i y^j` over i + j <= d, the rows i one after the other: 1, y, ..., y^d, x, x y, ...
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.clipping import TIE, Cells, line_value
from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.twofold import add, multiply, scale, subtract, two_product
from reluscape.kernels.typing import Booleans, Floats


@inner
def value(
    c: Floats, degree: int, xh: float, xl: float, yh: float, yl: float
) -> tuple[float, float]:
    """Return the value of a polynomial, by Horner's rule."""
    at = c.shape[0]
    sh, sl = 0.0, 0.0
    for i in range(degree, -1, -1):
        length = degree - i + 1
        at -= length
        rh, rl = c[at + length - 1, 0], c[at + length - 1, 1]
        for j in range(length - 2, -1, -1):
            rh, rl = multiply(rh, rl, yh, yl)
            rh, rl = add(rh, rl, c[at + j, 0], c[at + j, 1])
        sh, sl = multiply(sh, sl, xh, xl)
        sh, sl = add(sh, sl, rh, rl)
    return sh, sl


@inner
def accumulate(out: Floats, hi: float, lo: float) -> None:
    """Add a pair to a pair in place."""
    out[0], out[1] = add(out[0], out[1], hi, lo)


@compiled
def combine(matches: Booleans, pieces: Floats, start: Floats) -> Floats:
    """Return `start[cell] + sum over matching pieces`, the polynomial on each cell.

    Parameters
    ----------
    matches : ndarray, shape (cells, pieces)
    pieces : ndarray, shape (pieces, terms, 2)
    start : ndarray, shape (cells, terms, 2)

    Returns
    -------
    ndarray, shape (cells, terms, 2)
    """
    out = start.copy()
    for cell in range(matches.shape[0]):
        for k in range(matches.shape[1]):
            if matches[cell, k]:
                for i in range(pieces.shape[1]):
                    accumulate(out[cell, i], pieces[k, i, 0], pieces[k, i, 1])
    return out


@compiled
def add_network(
    factors: Floats,
    weights: Floats,
    biases: Floats,
    outputs: Floats,
    affine: Floats,
    degree: int,
    start: Floats,
) -> Floats:
    """Return `start[cell]` plus the network, which is affine on each cell.

    Parameters
    ----------
    factors : ndarray, shape (cells, width)
        Slope of the activation of each neuron on each cell.
    weights, biases : ndarray, shape (width, 2)
        Biases as pairs of floats.
    outputs : ndarray, shape (width,)
    affine : ndarray, shape (3, 2)
        Offset and the two slopes of the skip connection, as pairs.
    degree : int
        At least 1.
    start : ndarray, shape (cells, terms, 2)

    Returns
    -------
    ndarray, shape (cells, terms, 2)
    """
    out = start.copy()
    first, second = degree + 1, 1
    terms = np.empty((weights.shape[0], 3, 2))
    for j in range(weights.shape[0]):
        terms[j, 0] = scale(biases[j, 0], biases[j, 1], outputs[j])
        terms[j, 1] = two_product(weights[j, 0], outputs[j])
        terms[j, 2] = two_product(weights[j, 1], outputs[j])
    for cell in range(factors.shape[0]):
        here = out[cell]
        accumulate(here[0], affine[0, 0], affine[0, 1])
        accumulate(here[first], affine[1, 0], affine[1, 1])
        accumulate(here[second], affine[2, 0], affine[2, 1])
        for j in range(weights.shape[0]):
            f = factors[cell, j]
            if f == 0.0:
                continue
            for i, at in ((0, 0), (1, first), (2, second)):
                hi, lo = scale(terms[j, i, 0], terms[j, i, 1], f)
                accumulate(here[at], hi, lo)
    return out


@inner
def corner_difference(points: Floats, i: int, j: int, out: Floats) -> None:
    """Write corner i minus corner j, (4,)."""
    for axis in (0, 2):
        out[axis], out[axis + 1] = subtract(
            points[i, axis], points[i, axis + 1], points[j, axis], points[j, axis + 1]
        )


@inner
def twice_area(p: Floats, q: Floats) -> tuple[float, float]:
    """Return the cross product of two differences."""
    ah, al = multiply(p[0], p[1], q[2], q[3])
    bh, bl = multiply(p[2], p[3], q[0], q[1])
    return subtract(ah, al, bh, bl)


@inner
def place(points: Floats, i: int, p: Floats, q: Floats, r: Floats, s: Floats, out: Floats) -> None:
    """Write corner i plus `r ((1 - s) p + s q)`, for nodes r and s."""
    for axis in (0, 2):
        hi, lo = subtract(q[axis], q[axis + 1], p[axis], p[axis + 1])
        hi, lo = multiply(hi, lo, s[0], s[1])
        hi, lo = add(hi, lo, p[axis], p[axis + 1])
        hi, lo = multiply(hi, lo, r[0], r[1])
        out[axis], out[axis + 1] = add(hi, lo, points[i, axis], points[i, axis + 1])


@compiled
def squares(
    cells: Cells, e: Floats, e_degree: int, p: Floats, p_degree: int, nodes: Floats
) -> Floats:
    """Return the integrals of `e^2 p`, `e p`, `x e p` and `y e p` over each cell.

    Parameters
    ----------
    cells : Cells
    e, p : ndarray, shape (cells, terms, 2)
        Polynomials on each cell, of the degrees given.
    nodes : ndarray, shape (n, 4)
        Gauss-Legendre rule on [0, 1], (node high, low, weight high, low), exact for degree
        `2 e_degree + p_degree + 1`.

    Returns
    -------
    ndarray, shape (cells, 4, 2)
        Pairs of floats.
    """
    count = cells.starts.shape[0] - 1
    out = np.zeros((count, 4, 2))
    points = cells.points
    u, v, z = np.empty(4), np.empty(4), np.empty(4)
    for c in range(count):
        first = cells.starts[c]
        for i in range(first + 1, cells.starts[c + 1] - 1):
            corner_difference(points, i, first, u)
            corner_difference(points, i + 1, first, v)
            area_h, area_l = twice_area(u, v)
            for a in range(nodes.shape[0]):
                # The collapsed square: the rule in r carries the factor r of its Jacobian.
                rh, rl = multiply(nodes[a, 0], nodes[a, 1], nodes[a, 2], nodes[a, 3])
                rh, rl = multiply(rh, rl, area_h, area_l)
                for b in range(nodes.shape[0]):
                    place(points, first, u, v, nodes[a], nodes[b], z)
                    eh, el = value(e[c], e_degree, z[0], z[1], z[2], z[3])
                    ph, pl = value(p[c], p_degree, z[0], z[1], z[2], z[3])
                    ph, pl = multiply(ph, pl, eh, el)
                    ph, pl = multiply(ph, pl, nodes[b, 2], nodes[b, 3])
                    ph, pl = multiply(ph, pl, rh, rl)
                    accumulate(out[c, 1], ph, pl)
                    eh, el = multiply(eh, el, ph, pl)
                    accumulate(out[c, 0], eh, el)
                    xh, xl = multiply(z[0], z[1], ph, pl)
                    accumulate(out[c, 2], xh, xl)
                    yh, yl = multiply(z[2], z[3], ph, pl)
                    accumulate(out[c, 3], yh, yl)
    return out


@compiled
def gather(
    sums: Floats, factors: Floats, weights: Floats, biases: Floats, centre: Floats
) -> tuple[Floats, Floats]:
    """Collect the integrals over cells into what the gradient is made of.

    Parameters
    ----------
    sums : ndarray, shape (cells, 4, 2)
        See `squares`.
    factors : ndarray, shape (cells, width)
    weights, biases : ndarray, shape (width, 2)
        Biases as pairs.
    centre : ndarray, shape (2,)
        Of the frame, in its own unit: x and y below are counted from the user's origin.

    Returns
    -------
    neurons : ndarray, shape (width, 4)
        Integrals of `a' x e p`, `a' y e p`, `a' e p` and `a e p`, with a the neuron's activation.
    total : ndarray, shape (4,)
        Integrals of `x e p`, `y e p`, `e p` and `e^2 p`.
    """
    width = weights.shape[0]
    out = np.empty((width + 1, 4))
    part = np.empty((4, 2))
    for j in range(width + 1):
        part[:] = 0.0
        for cell in range(sums.shape[0]):
            f = 1.0 if j == width else factors[cell, j]
            if f == 0.0:
                continue
            for i in range(4):
                hi, lo = scale(sums[cell, i, 0], sums[cell, i, 1], f)
                accumulate(part[i], hi, lo)
        out[j, 2] = part[1, 0] + part[1, 1]
        if j == width:
            out[j, 3] = part[0, 0] + part[0, 1]
        else:
            hi, lo = multiply(part[1, 0], part[1, 1], biases[j, 0], biases[j, 1])
            for i in range(2):
                mh, ml = scale(part[2 + i, 0], part[2 + i, 1], weights[j, i])
                hi, lo = add(hi, lo, mh, ml)
            out[j, 3] = hi + lo
        for i in range(2):
            hi, lo = scale(part[1, 0], part[1, 1], centre[i])
            hi, lo = add(hi, lo, part[2 + i, 0], part[2 + i, 1])
            out[j, i] = hi + lo
    return out[:width], out[width]


@compiled
def masses(cells: Cells, p: Floats, p_degree: int, nodes: Floats) -> Floats:
    """Return the integrals of `p z z^T`, z = (x, y, 1), over each cell: shape (cells, 3, 3).

    `nodes` as in `squares`, exact for degree `p_degree + 3`.
    """
    count = cells.starts.shape[0] - 1
    out = np.empty((count, 3, 3))
    part = np.empty((3, 3, 2))
    points = cells.points
    u, v, z = np.empty(4), np.empty(4), np.zeros(6)
    z[4] = 1.0
    for c in range(count):
        part[:] = 0.0
        first = cells.starts[c]
        for i in range(first + 1, cells.starts[c + 1] - 1):
            corner_difference(points, i, first, u)
            corner_difference(points, i + 1, first, v)
            area_h, area_l = twice_area(u, v)
            for a in range(nodes.shape[0]):
                rh, rl = multiply(nodes[a, 0], nodes[a, 1], nodes[a, 2], nodes[a, 3])
                rh, rl = multiply(rh, rl, area_h, area_l)
                for b in range(nodes.shape[0]):
                    place(points, first, u, v, nodes[a], nodes[b], z)
                    ph, pl = value(p[c], p_degree, z[0], z[1], z[2], z[3])
                    ph, pl = multiply(ph, pl, nodes[b, 2], nodes[b, 3])
                    ph, pl = multiply(ph, pl, rh, rl)
                    spread(part, z, ph, pl)
        out[c] = part[:, :, 0] + part[:, :, 1]
    return out


@inner
def spread(out: Floats, z: Floats, ph: float, pl: float) -> None:
    """Add `p z z^T` to `out`, (3, 3, 2)."""
    for i in range(3):
        hi, lo = multiply(z[2 * i], z[2 * i + 1], ph, pl)
        for j in range(3):
            mh, ml = multiply(z[2 * j], z[2 * j + 1], hi, lo)
            accumulate(out[i, j], mh, ml)


@compiled
def folds(
    cells: Cells,
    lines: Floats,
    e: Floats,
    e_degree: int,
    p: Floats,
    p_degree: int,
    nodes: Floats,
) -> Floats:
    """Return the integrals of `e p z z^T` along each line, z = (x, y, 1), inside the polygon.

    Each segment is an edge of a cell on the line's positive side, whose e counts where it jumps. A
    line that leaves the whole polygon on one side, along an edge of it too, has none.

    Parameters
    ----------
    cells : Cells
        As cut along the lines.
    lines : ndarray, shape (m, 4)
    e, p : ndarray, shape (cells, terms, 2)
    nodes : ndarray, shape (n, 4)
        Exact for degree `e_degree + p_degree + 2`.

    Returns
    -------
    ndarray, shape (m, 3, 3)
    """
    count, m = cells.sides.shape
    out = np.zeros((m, 3, 3))
    part = np.empty((3, 3, 2))
    points = cells.points
    u, z = np.empty(4), np.zeros(6)
    nothing = np.zeros(2)
    z[4] = 1.0
    for k in range(m):
        part[:] = 0.0
        inside = False
        for c in range(count):
            if cells.sides[c, k] < 0:
                inside = True
                continue
            first, last = cells.starts[c], cells.starts[c + 1]
            for i in range(first, last):
                following = i + 1 if i + 1 < last else first
                if (
                    abs(line_value(lines, k, points, i)[0]) > TIE
                    or abs(line_value(lines, k, points, following)[0]) > TIE
                ):
                    continue
                corner_difference(points, following, i, u)
                # The length to double precision: it only weighs a term of the Hessian.
                length = np.hypot(u[0], u[2])
                for a in range(nodes.shape[0]):
                    place(points, i, u, u, nodes[a], nothing, z)
                    eh, el = value(e[c], e_degree, z[0], z[1], z[2], z[3])
                    ph, pl = value(p[c], p_degree, z[0], z[1], z[2], z[3])
                    ph, pl = multiply(ph, pl, eh, el)
                    ph, pl = multiply(ph, pl, nodes[a, 2], nodes[a, 3])
                    ph, pl = scale(ph, pl, length)
                    spread(part, z, ph, pl)
        if inside:
            out[k] = part[:, :, 0] + part[:, :, 1]
    return out
