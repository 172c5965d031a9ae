"""Slow, obvious integrations of an ordinary differential equation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from oracles import weighted_sums
from records import Array, Pieces, Plain

NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)


def runge_kutta(
    velocity: Callable[[Array], Array], start: Array, time: float, steps: int, *, path: bool = False
) -> Array:
    """Integrate by the classical method of order 4 with equal steps; the end, or all states."""
    h = time / steps
    states = [start]
    for _ in range(steps):
        y = states[-1]
        a = velocity(y)
        b = velocity(y + h / 2 * a)
        c = velocity(y + h / 2 * b)
        d = velocity(y + h * c)
        states.append(y + h / 6 * (a + 2 * b + 2 * c + d))
    return np.array(states) if path else states[-1]


def downhill(net: Plain, target: Pieces, a: float, b: float) -> Callable[[Array], Array]:
    """Return minus the gradient as a function of parameters, by quadrature from kink to kink."""
    breaks, table = target.floats()

    def velocity(theta: Array) -> Array:
        now = Plain.of(theta, skip=net.u is not None, slope=net.slope)
        cuts = sorted({a, b, *(t for t in (*breaks, *now.kinks()) if a < t < b)})
        halves = np.array([(right - left) / 2 for left, right in pairwise(cuts)])
        middles = np.array([(right + left) / 2 for left, right in pairwise(cuts)])
        x = middles[:, None] + halves[:, None] * NODES
        rows = table[np.searchsorted(breaks[1:-1], middles)]
        y = sum(rows[:, i : i + 1] * x**i for i in range(table.shape[1]))
        mass = halves[:, None] * WEIGHTS
        return -weighted_sums(x.ravel(), y.ravel(), mass.ravel(), now)[1]

    return velocity
