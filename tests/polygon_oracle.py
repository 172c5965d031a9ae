"""Risk and gradient on a convex polygon in exact rationals: slow, obvious, sharing no code.

Polygons are lists of corners, lines are (a, b, c) for `a x + b y + c = 0`, polynomials are
dictionaries {(i, j): coefficient of x^i y^j}; every number is a rational. A cell is clipped from
the polygon by one line after the other; what holds on it is read off at its centroid.
"""

from __future__ import annotations

from itertools import pairwise
from math import factorial
from typing import NamedTuple

from flint import fmpq

ZERO = fmpq(0)


def q(number):
    """Return a float, an integer or a rational as a rational."""
    return number if isinstance(number, fmpq) else fmpq(*float(number).as_integer_ratio())


class Function(NamedTuple):
    """A sum of polynomials on intersections of half-planes: pieces of (sides, polynomial)."""

    lines: list
    pieces: list

    def at(self, point):
        """Return the polynomial that holds around a point off the lines."""
        signs = [1 if a * point[0] + b * point[1] + c > 0 else -1 for a, b, c in self.lines]
        total = {}
        for sides, poly in self.pieces:
            if all(s in (0, t) for s, t in zip(sides, signs, strict=True)):
                total = plus(total, poly)
        return total


class Plain(NamedTuple):
    """A network in rationals; u is None without a skip connection, slope is that of leaky ReLU."""

    w: list
    b: list
    v: list
    c: fmpq
    u: list | None
    slope: fmpq


def plus(f, g, factor=1):
    """Return f + factor g."""
    out = dict(f)
    for key, c in g.items():
        out[key] = out.get(key, ZERO) + factor * c
    return out


def times(f, g):
    """Return f g."""
    out = {}
    for (i, j), c in f.items():
        for (k, m), d in g.items():
            out[i + k, j + m] = out.get((i + k, j + m), ZERO) + c * d
    return out


def affine(a, b, c):
    """Return `a x + b y + c`."""
    return {(1, 0): a, (0, 1): b, (0, 0): c}


def function_of(target):
    """Return the package's `PiecewisePolynomial2d` in rationals."""
    return Function(
        [tuple(q(t) for t in line) for line in target.lines],
        [
            (
                piece.sides,
                {
                    (i, j): q(c)
                    for i, row in enumerate(piece.coefficients)
                    for j, c in enumerate(row)
                },
            )
            for piece in target.pieces
        ],
    )


def plain_of(net):
    """Return the package's network in rationals."""
    return Plain(
        [tuple(q(t) for t in row) for row in net.weights],
        [q(t) for t in net.biases],
        [q(t) for t in net.outputs],
        q(net.offset),
        None if net.skip is None else [q(t) for t in net.skip],
        q(net.activation.slope),
    )


def teacher_of(net):
    """Return a network as a function."""
    plain = net if isinstance(net, Plain) else plain_of(net)
    bent = [j for j, w in enumerate(plain.w) if any(w)]
    u = plain.u or [ZERO, ZERO]
    pieces = [([0] * len(bent), affine(u[0], u[1], plain.c))]
    for j, (w, b, v) in enumerate(zip(plain.w, plain.b, plain.v, strict=True)):
        if not any(w):
            height = b if b > 0 else plain.slope * b
            pieces.append(([0] * len(bent), {(0, 0): v * height}))
            continue
        inner = affine(w[0], w[1], b)
        for side, factor in ((1, fmpq(1)), (-1, plain.slope)):
            sides = [side if k == j else 0 for k in bent]
            pieces.append((sides, times({(0, 0): v * factor}, inner)))
    return Function([(*plain.w[j], plain.b[j]) for j in bent], pieces)


def response_of(response):
    """Return a generalized response as a function, from its public attributes."""
    count = len(response.betas)
    pieces = [([0] * count, affine(*map(q, response.slope), q(response.offset)))]
    lines = []
    for k in range(count):
        n, tau = list(map(q, response.normals[k])), q(response.thresholds[k])
        lines.append((*n, -tau))
        if response.multiplicities[k] == 1:
            bend = q((response.deltas[k] * response.normals[k]).sum())
            term = affine(bend * n[0], bend * n[1], -bend * tau)
        else:
            term = affine(*map(q, response.deltas[k]), q(response.betas[k]))
        pieces.append(([int(j == k) for j in range(count)], term))
    return Function(lines, pieces)


def clip(cell, line, sign):
    """Return the part of a convex cell where the line is positive (sign 1) or negative (-1)."""
    a, b, c = line
    out = []
    values = [sign * (a * x + b * y + c) for x, y in cell]
    for i, (x, y) in enumerate(cell):
        j = (i + 1) % len(cell)
        if values[i] >= 0:
            out.append((x, y))
        if values[i] * values[j] < 0:
            t = values[i] / (values[i] - values[j])
            out.append((x + t * (cell[j][0] - x), y + t * (cell[j][1] - y)))
    return out


def twice_area(cell):
    """Return twice the area of a polygon, positive if counter-clockwise."""
    return sum(
        (x * t - y * s for (x, y), (s, t) in pairwise([*cell, cell[0]])),
        ZERO,
    )


def cells_of(polygon, lines):
    """Return the cells that lines cut a polygon into."""
    cells = [polygon]
    for line in lines:
        parts = [clip(cell, line, sign) for cell in cells for sign in (1, -1)]
        cells = [part for part in parts if len(part) > 2 and twice_area(part)]
    return cells


def over_triangle(poly, corners):
    """Return the integral over a triangle by the Beta formula for barycentric coordinates."""
    (x0, y0), (x1, y1), (x2, y2) = corners
    size = abs(twice_area(corners))
    # x and y as polynomials of the barycentric coordinates s, t that belong to corners 1 and 2.
    xs, ys = affine(x1 - x0, x2 - x0, x0), affine(y1 - y0, y2 - y0, y0)
    x_powers, y_powers = [{(0, 0): fmpq(1)}], [{(0, 0): fmpq(1)}]
    for i, j in poly:
        while len(x_powers) <= i:
            x_powers.append(times(x_powers[-1], xs))
        while len(y_powers) <= j:
            y_powers.append(times(y_powers[-1], ys))
    total = ZERO
    for (i, j), c in poly.items():
        for (a, b), d in times(x_powers[i], y_powers[j]).items():
            total += c * d * fmpq(factorial(a) * factorial(b), factorial(a + b + 2))
    return total * size


def over_cell(poly, cell):
    """Return the integral over a convex cell."""
    poly = {key: c for key, c in poly.items() if c}
    return sum(
        (over_triangle(poly, [cell[0], cell[i], cell[i + 1]]) for i in range(1, len(cell) - 1)),
        ZERO,
    )


def risk_of(polygon, model, target, density, power=2):
    """Return the integral of `(model - target)^power density` for functions; the power is even."""
    corners = [(q(x), q(y)) for x, y in polygon]
    risk = ZERO
    for cell in cells_of(corners, [*model.lines, *target.lines, *density.lines]):
        middle = tuple(sum((p[k] for p in cell), ZERO) / len(cell) for k in range(2))
        e = plus(model.at(middle), target.at(middle), -1)
        product = density.at(middle)
        for _ in range(power):
            product = times(product, e)
        risk += over_cell(product, cell)
    return risk


def risk_and_gradient(polygon, target, density, net, at_zero="gt"):
    """Return the exact risk and generalized gradient in the order of `Network.to_vector`."""
    corners = [(q(x), q(y)) for x, y in polygon]
    model = teacher_of(net)
    width = len(net.w)
    risk, by_one = ZERO, ZERO
    by_x = [ZERO, ZERO]
    active = [[ZERO, ZERO, ZERO] for _ in range(width)]
    heights = [ZERO] * width
    for cell in cells_of(corners, [*model.lines, *target.lines, *density.lines]):
        middle = tuple(sum((p[k] for p in cell), ZERO) / len(cell) for k in range(2))
        e = plus(model.at(middle), target.at(middle), -1)
        ep = times(e, density.at(middle))
        risk += over_cell(times(e, ep), cell)
        one = over_cell(ep, cell)
        x, y = (over_cell(times(ep, {key: fmpq(1)}), cell) for key in ((1, 0), (0, 1)))
        by_one += one
        by_x = [by_x[0] + x, by_x[1] + y]
        for j in range(width):
            w, b = net.w[j], net.b[j]
            inner = w[0] * middle[0] + w[1] * middle[1] + b
            on = inner > 0 or (at_zero == "ge" and inner == 0)
            factor = fmpq(1) if on else net.slope
            active[j] = [t + factor * s for t, s in zip(active[j], (x, y, one), strict=True)]
            heights[j] += factor * (w[0] * x + w[1] * y + b * one)
    gradient = [2 * net.v[j] * active[j][k] for j in range(width) for k in range(2)]
    gradient += [2 * net.v[j] * active[j][2] for j in range(width)]
    gradient += [2 * height for height in heights] + [2 * by_one]
    if net.u is not None:
        gradient += [2 * t for t in by_x]
    return risk, gradient
