"""Small data sets at which a given network is critical, or nearly: built from the errors.

A network is drawn first, in whole numbers: breakpoints on rows, between rows, beyond all rows,
neurons with w = b = 0, flat neurons. Then errors e with whole entries are drawn that are orthogonal
to what the gradient asks for, and y = N(x) - e. Whether breakpoints on rows pass the one-sided test
is left to chance, with several attempts.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from random import Random

import numpy as np

from landscape_oracle import GLOBAL, LOCAL, NOT, SADDLE
from landscape_rays import Rows, descent, steepest
from records import Plain

NEURONS = ("on a row", "between rows", "beyond", "degenerate", "constant")

# The example of Wu, Simsek and Ged has no offset, its errors (-1, 0, 0) at -1, 0, 1 would move one.
# A further row with error 1, where neither neuron is active, balances them. The first neuron is
# (1, 0, 1); of a second one (w, b, v) they say whether it leaves the network critical, and minimal.
FOUR_ROWS = Rows((-1, Fraction(-1, 2), 0, 1), (1, -1, 0, 1), (Fraction(1, 2),) * 4)
FOUR_ROWS_VERDICTS = (
    ((0, -1, 0), True, True),
    ((-1, -1, 0), True, False),
    ((-1, -1, -1), True, True),
    ((-1, -1, 1), False, False),
)


@dataclass(frozen=True)
class DataCase:
    """Rows and a network, whole numbers all."""

    sort: str
    rows: Rows
    net: Plain

    @cached_property
    def found(self) -> tuple[str, object]:
        """What exact rays say: a kind, and a direction in which the risk falls."""
        if all(e == 0 for e in errors(self.rows, self.net)):
            return GLOBAL, None
        slope, direction = steepest(self.rows, self.net)
        if slope < 0:
            return NOT, direction
        direction = descent(self.rows, self.net, np.random.default_rng(0))
        return (LOCAL if direction is None else SADDLE), direction


def outputs(x: tuple[int, ...], net: Plain) -> list[int]:
    """Evaluate a ReLU network in whole numbers."""
    u = net.u or 0
    return [
        net.c
        + u * t
        + sum(v * max(w * t + b, 0) for w, b, v in zip(net.w, net.b, net.v, strict=True))
        for t in x
    ]


def errors(rows: Rows, net: Plain) -> list[int]:
    return [n - t for n, t in zip(outputs(rows.x, net), rows.y, strict=True)]


def null_vectors(table: list[list[int]], size: int) -> list[list[int]]:
    """Whole vectors that span the null space of a matrix (Gauss and Jordan)."""
    rows = [[Fraction(t) for t in row] for row in table]
    pivots: list[int] = []
    for column in range(size):
        i = len(pivots)
        k = next((k for k in range(i, len(rows)) if rows[k][column]), None)
        if k is None:
            continue
        rows[i], rows[k] = rows[k], rows[i]
        rows[i] = [t / rows[i][column] for t in rows[i]]
        for r in range(len(rows)):
            if r != i and rows[r][column]:
                rows[r] = [p - rows[r][column] * q for p, q in zip(rows[r], rows[i], strict=True)]
        pivots.append(column)
    found = []
    for free in (j for j in range(size) if j not in pivots):
        vector = [Fraction(0)] * size
        vector[free] = Fraction(1)
        for i, column in enumerate(pivots):
            vector[column] = -rows[i][free]
        whole = lcm(*(t.denominator for t in vector))
        entries = [int(t * whole) for t in vector]
        found.append([t // gcd(*entries) for t in entries])
    return found


def _neuron(sort: str, x: tuple[int, ...], rng: Random) -> tuple[int, int]:
    side = rng.choice((-1, 1)) * rng.choice((1, 1, 2))
    if sort == "on a row":
        return side, -side * rng.choice(x)
    if sort == "between rows":
        return 2 * side, -side * (2 * rng.randrange(min(x), max(x)) + 1)
    if sort == "beyond":
        return side, -side * rng.choice((min(x) - 1, max(x) + 1))
    return (0, 0) if sort == "degenerate" else (0, rng.choice((-1, 1)))


def _conditions(x: tuple[int, ...], net: Plain) -> list[list[int]]:
    """What the gradient asks of the errors where the risk is smooth in each neuron."""
    table = [[1] * len(x)] + ([list(x)] if net.u is not None else [])
    for w, b, v in zip(net.w, net.b, net.v, strict=True):
        z = [w * t + b for t in x]
        table.append([max(t, 0) for t in z])
        if v and 0 not in z:
            table.append([int(t > 0) for t in z])
            table.append([t if on > 0 else 0 for t, on in zip(x, z, strict=True)])
    return table


def data_case(rng: Random) -> DataCase:
    n = rng.randint(3, 8)
    x = tuple(sorted(rng.sample(range(-6, 7), n)))
    sorts = [rng.choice(NEURONS) for _ in range(rng.randint(1, 3))]
    inner = [_neuron(sort, x, rng) for sort in sorts]
    v = tuple(rng.choice((-2, -1, 0, 1, 1, 2)) for _ in inner)
    u = rng.randint(-2, 2) if rng.random() < 0.2 else None
    net = Plain(tuple(w for w, _ in inner), tuple(b for _, b in inner), v, rng.randint(-2, 2), u)
    name = ", ".join(f"{s}{'' if t else ' (flat)'}" for s, t in zip(sorts, v, strict=True))
    basis = null_vectors(_conditions(x, net), n)
    predicted = outputs(x, net)
    case = None
    for attempt in range(6):
        e = [0] * n
        for vector in basis:
            share = rng.randint(-2, 2)
            e = [p + share * q for p, q in zip(e, vector, strict=True)]
        if not any(e) and basis and attempt < 5:
            continue
        y = tuple(p - q for p, q in zip(predicted, e, strict=True))
        case = DataCase(name, Rows(x, y, (1,) * n), net)
        if steepest(case.rows, net)[0] >= 0:
            break
    assert case is not None
    return case


def data_cases(count: int, seed: int) -> list[DataCase]:
    rng = Random(seed)
    return [data_case(rng) for _ in range(count)]
