"""What the risk over data does along a ray from a network, without rounding.

Along theta + s d, for small s > 0, every row stays on one side of every breakpoint. So the risk is
a polynomial in s of degree four at most, and the first of its coefficients that is not zero says
whether it falls. Numbers may be integers or rationals: nothing is divided.

The one-sided derivative is a sum of linear terms in (dv, dc, du) and, for each neuron, of a
function of (dw, db) that is linear between the lines dw x + db = 0 through rows on which the neuron
switches. It is nowhere negative if it is not negative on these lines, both ways, and on four
directions more in case there are fewer than two lines. So ``steepest`` decides stationarity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from oracles import data_exact, hessian_array
from records import Plain

Vector = Sequence[Any]


@dataclass(frozen=True)
class Rows:
    """Data, with weights of the squared errors."""

    x: tuple[Any, ...]
    y: tuple[Any, ...]
    weights: tuple[Any, ...]


def ray(rows: Rows, net: Plain, direction: Vector) -> list[Any]:
    """Return the coefficients of the risk along the ray, from the constant to s^4."""
    h = net.width
    dw, db, dv = direction[:h], direction[h : 2 * h], direction[2 * h : 3 * h]
    dc = direction[3 * h]
    u, du = (0, 0) if net.u is None else (net.u, direction[3 * h + 1])
    total = [0] * 5
    for x, y, weight in zip(rows.x, rows.y, rows.weights, strict=True):
        e0, e1, e2 = net.c + u * x - y, dc + du * x, 0
        for j in range(h):
            z0, z1 = net.w[j] * x + net.b[j], dw[j] * x + db[j]
            if z0 < 0 or (z0 == 0 and z1 <= 0):
                if not net.slope:
                    continue
                z0, z1 = net.slope * z0, net.slope * z1
            e0 += net.v[j] * z0
            e1 += net.v[j] * z1 + dv[j] * z0
            e2 += dv[j] * z1
        total[0] += weight * e0 * e0
        total[1] += 2 * weight * e0 * e1
        total[2] += weight * (e1 * e1 + 2 * e0 * e2)
        total[3] += 2 * weight * e1 * e2
        total[4] += weight * e2 * e2
    return total


def order(coefficients: Sequence[Any]) -> tuple[int, Any]:
    """Degree of the first term after the constant, and its coefficient; (0, 0) if none."""
    for k, t in enumerate(coefficients[1:], 1):
        if t != 0:
            return k, t
    return 0, 0


def falls(rows: Rows, net: Plain, direction: Vector) -> bool:
    """Whether the risk falls along the ray, however short."""
    return order(ray(rows, net, direction))[1] < 0


def unit(net: Plain, **entries: Any) -> list[Any]:
    """Build a direction from entries like ``w0=1, b0=-2, c=1``."""
    h = net.width
    direction = [0] * (3 * h + 1 + (net.u is not None))
    for name, t in entries.items():
        place = {"c": 3 * h, "u": 3 * h + 1}.get(name)
        if place is None:
            place = "wbv".index(name[0]) * h + int(name[1:])
        direction[place] = t
    return direction


def inner_directions(rows: Rows, net: Plain, j: int) -> list[tuple[Any, Any]]:
    """Directions (dw, db) that decide the sign of the one-sided derivative of neuron j."""
    on = sorted({x for x in rows.x if net.w[j] * x + net.b[j] == 0})
    found = [(1, 0), (0, 1), *((1, -x) for x in on)]
    return found + [(-p, -q) for p, q in found]


def first_order_directions(rows: Rows, net: Plain) -> Iterator[list[Any]]:
    """Directions on which the one-sided derivative has to be tried."""
    for sign in (1, -1):
        yield unit(net, c=sign)
        if net.u is not None:
            yield unit(net, u=sign)
        for j in range(net.width):
            yield unit(net, **{f"v{j}": sign})
    for j in range(net.width):
        for p, q in inner_directions(rows, net, j):
            yield unit(net, **{f"w{j}": p, f"b{j}": q})


def steepest(rows: Rows, net: Plain) -> tuple[Any, list[Any]]:
    """Least one-sided derivative over these directions; negative: the network is not critical."""
    found = [(ray(rows, net, d)[1], d) for d in first_order_directions(rows, net)]
    return min(found, key=lambda pair: pair[0])


# --------------------------------------------------------------- rays that may fall at second order


def waking_directions(rows: Rows, net: Plain) -> Iterator[list[Any]]:
    """Each neuron turned and its output moved: flat neurons escape this way."""
    for j in range(net.width):
        if net.v[j] != 0 and (net.w[j] or net.b[j]):
            continue
        scales = (1, 64) if net.v[j] == 0 else (1,)
        for (p, q), scale, dv in product(inner_directions(rows, net, j), scales, (-1, 1)):
            yield unit(net, **{f"w{j}": scale * p, f"b{j}": scale * q, f"v{j}": dv})


def curved_directions(rows: Rows, net: Plain) -> Iterator[list[Any]]:
    """Eigenvectors of the Hessians of the cells around the network, rounded to rationals.

    Of each a part per neuron is dropped too: eigenvectors mix in what rises at first order.
    """
    h = net.width
    floats = [float(t) for t in rows.x]
    for at_zero in ("gt", "ge"):
        exact = data_exact(
            floats,
            [float(t) for t in rows.y],
            net,
            weights=[float(t) for t in rows.weights],
            at_zero=at_zero,
            hessian=True,
        )
        table = hessian_array(exact)
        switching = [j for j in range(h) if any(net.w[j] * x + net.b[j] == 0 for x in rows.x)]
        drops = [(), *((j,) for j in switching), tuple(switching)]
        for drop in dict.fromkeys(drops):
            gone = {k * h + j for j in drop for k in (0, 1)}
            kept = [i for i in range(len(table)) if i not in gone]
            values, vectors = np.linalg.eigh(table[np.ix_(kept, kept)])
            for column in np.flatnonzero(values < -1e-9 * max(1.0, values[-1])):
                direction = [Fraction(0)] * len(table)
                for i, t in zip(kept, vectors[:, column], strict=True):
                    direction[i] = Fraction(round(float(t) * 2**20), 2**20)
                yield direction
                yield [-t for t in direction]


def random_directions(net: Plain, rng: np.random.Generator, count: int) -> Iterator[list[Any]]:
    """Small whole numbers, most of them zero in some of the directions."""
    size = 3 * net.width + 1 + (net.u is not None)
    for _ in range(count):
        move = rng.integers(-4, 5, size) * (rng.random(size) < rng.uniform(0.15, 1.0))
        yield [int(t) for t in move]


def descent(rows: Rows, net: Plain, rng: np.random.Generator, count: int = 100) -> Vector | None:
    """Look for a ray along which the risk falls; None if there is none among those tried."""
    slope, direction = steepest(rows, net)
    if slope < 0:
        return direction
    for candidates in (
        waking_directions(rows, net),
        curved_directions(rows, net),
        random_directions(net, rng, count),
    ):
        for some in candidates:
            if falls(rows, net, some):
                return some
    return None


def risk(rows: Rows, net: Plain) -> Any:
    """Weighted sum of squared errors."""
    return ray(rows, net, [0] * (3 * net.width + 1 + (net.u is not None)))[0]


def rational(net: Plain) -> Plain:
    """Take every float at its exact value."""
    w, b, v = (tuple(map(Fraction, column)) for column in (net.w, net.b, net.v))
    u = None if net.u is None else Fraction(net.u)
    return Plain(w, b, v, Fraction(net.c), u, Fraction(net.slope))  # type: ignore[arg-type]


def moved(net: Plain, direction: Vector, step: Fraction) -> Plain:
    """Give the network at theta + step d, exactly."""
    exact = rational(net)
    theta = [*exact.w, *exact.b, *exact.v, exact.c, *([] if net.u is None else [exact.u])]
    theta = [t + step * Fraction(d) for t, d in zip(theta, direction, strict=True)]
    h = net.width
    parts = (tuple(theta[i * h : (i + 1) * h]) for i in range(3))
    u = None if net.u is None else theta[3 * h + 1]
    return Plain(*parts, theta[3 * h], u, exact.slope)  # type: ignore[arg-type]
