"""The exact moments of an interval for the checker, at the points of a fine grid.

An interval looks like data here: places are the points of the grid, and what lies between two
places is the mass between them (`arithmetic.Rows` holds the same for data).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network
from reluscape.optimum.arithmetic import TINY, UNIT, Ball, paired, quotient
from reluscape.problems.interval import Interval

Integers = NDArray[np.int64]
Polynomial = list[Fraction]

# The grid has 2^GRID cells; part of the file's format.
GRID = 22


@dataclass(frozen=True, eq=False)
class Grid:
    """An interval in the frame t = (x - a) / (b - a), y / scale.

    `pieces` are (from, to, six antiderivatives in t of (1, t, t^2, y, t y, y^2) p (b - a)), each 0
    at the left end of the interval and continuous. Place i is t = i / 2^GRID. `sums` keeps what
    was asked for.
    """

    low: Fraction
    length: Fraction
    scale: Fraction
    pieces: list[tuple[Fraction, Fraction, list[Polynomial]]]
    sums: dict[Fraction, tuple[Fraction, ...]]

    atomic = False
    pure = Fraction(0)
    count = (1 << GRID) + 1

    @property
    def spread(self) -> Fraction:
        """Risk of the constant 0."""
        return self.upto(Fraction(1))[5] * self.scale**2

    def goal(self, bound: float) -> float:
        """Return what the scaled squares must reach for a bound on the risk."""
        scaled = Fraction(bound) / self.scale**2
        return float(np.nextafter(float(scaled), np.inf)) if scaled > 0 else 0.0

    def factor(self, unit: float) -> float:
        """Return what multipliers in a unit of y are multiplied by here."""
        return float(Fraction(unit) / self.scale)

    def slope(self, slope: float) -> Fraction:
        """Return a slope in this frame."""
        return Fraction(slope) * self.length / self.scale

    def reach(self, distance: float) -> Fraction:
        """Return a distance of x in this frame."""
        return Fraction(distance) / self.length

    def upto(self, t: Fraction) -> tuple[Fraction, ...]:
        """Return the six moments left of t."""
        found = self.sums.get(t)
        if found is None:
            piece = next(p for _, end, p in self.pieces if t <= end)
            found = tuple(_value(antiderivative, t) for antiderivative in piece)
            self.sums[t] = found
        return found

    def position(self, places: Integers) -> Ball:
        """Return places, exactly."""
        return Ball(places / 2.0**GRID, np.zeros(np.shape(places)))

    def distance(self, i: Integers, j: Integers) -> Ball:
        """Return distances of places, exactly."""
        return Ball((j - i) / 2.0**GRID, np.zeros(np.shape(i)))

    def between(self, i: Integers, j: Integers) -> list[Ball]:
        """Return the six moments of the mass from place i to place j - 1, elementwise."""
        wanted, index = np.unique(np.concatenate([i.ravel(), j.ravel() - 1]), return_inverse=True)
        sums = [self.upto(Fraction(place, 1 << GRID)) for place in wanted.tolist()]
        ends = index[: i.size].reshape(i.shape), index[i.size :].reshape(j.shape)
        return [paired([total[column] for total in sums], *ends) for column in range(6)]

    def spreads(self, i: int, j: int) -> list[tuple[float, float]]:
        """Return the spread of x, of x with y and of y from i to j - 1, and the mean of x.

        As balls; the mean is from place i.
        """
        mass, x, xx, y, xy, yy = self.exact(i, j)
        if not mass:
            return [(0.0, 0.0)] * 4
        mean = x / mass
        numbers = (xx - x * mean, xy - mean * y, yy - y * y / mass, mean - Fraction(i, 1 << GRID))
        return [(quotient(v), UNIT * abs(quotient(v)) + TINY) for v in numbers]

    def exact(self, i: int, j: int) -> tuple[Fraction, ...]:
        """Return the six moments of the mass from place i to place j - 1."""
        first, last = self.upto(Fraction(i, 1 << GRID)), self.upto(Fraction(j - 1, 1 << GRID))
        return tuple(q - p for p, q in zip(first, last, strict=True))


def exact_grid(problem: Interval) -> Grid:
    """Integrate exactly."""
    low, high = Fraction(problem.a), Fraction(problem.b)
    length = high - low
    borders, targets = problem.target.on(problem.a, problem.b, "target")
    others, densities = problem.density.on(problem.a, problem.b, "density")
    most = max((abs(c) for piece in targets for c in piece), default=0.0)
    scale = Fraction(2) ** (np.frexp(most)[1].item() if most else 0)
    cuts = sorted({*borders, *others})
    totals = [Fraction(0)] * 6
    pieces: list[tuple[Fraction, Fraction, list[Polynomial]]] = []
    for left, right in pairwise(cuts):
        f = _on_unit(targets[_which(borders, left)], low, length)
        p = _on_unit(densities[_which(others, left)], low, length)
        f, p = [c / scale for c in f], [c * length for c in p]
        t = [Fraction(0), Fraction(1)]
        start, end = (Fraction(left) - low) / length, (Fraction(right) - low) / length
        parts: list[Polynomial] = []
        for k, factor in enumerate(
            ([Fraction(1)], t, _product(t, t), f, _product(t, f), _product(f, f))
        ):
            part = [Fraction(0), *(c / (n + 1) for n, c in enumerate(_product(factor, p)))]
            part[0] = totals[k] - _value(part, start)
            totals[k] = _value(part, end)
            parts.append(part)
        pieces.append((start, end, parts))
    return Grid(low, length, scale, pieces, {})


def grid_risk(network: Network, grid: Grid) -> Fraction:
    """Return the exact risk of a network."""
    neurons = [
        (Fraction(float(w)), Fraction(float(b)), Fraction(float(v)))
        for w, b, v in zip(network.weights[:, 0], network.biases, network.outputs, strict=True)
    ]
    skip = Fraction(0) if network.skip is None else Fraction(float(network.skip[0]))
    kinks = {(-b / w - grid.low) / grid.length for w, b, _ in neurons if w}
    ends = sorted({Fraction(0), Fraction(1), *(t for t in kinks if 0 < t < 1)})
    total = grid.upto(Fraction(1))[5]
    for start, end in pairwise(ends):
        middle = grid.low + grid.length * (start + end) / 2
        slope, level = skip, Fraction(float(network.offset))
        for w, b, v in neurons:
            if w * middle + b > 0:
                slope, level = slope + v * w, level + v * b
        level = (level + slope * grid.low) / grid.scale
        slope = slope * grid.length / grid.scale
        pairs = zip(grid.upto(start), grid.upto(end), strict=True)
        m, x, xx, y, xy, _ = (q - p for p, q in pairs)
        total += level * level * m + 2 * level * slope * x + slope * slope * xx
        total -= 2 * (level * y + slope * xy)
    return total * grid.scale**2


def _which(borders: list[float], left: float) -> int:
    """Return the piece that begins at or before a border."""
    return sum(border <= left for border in borders[:-1]) - 1


def _on_unit(coefficients: list[float], low: Fraction, length: Fraction) -> Polynomial:
    """Return a polynomial in x as one in t for x = low + length t."""
    result: Polynomial = [Fraction(0)]
    for c in reversed(coefficients):
        result = _product(result, [low, length])
        result[0] += Fraction(c)
    return result


def _product(one: Polynomial, two: Polynomial) -> Polynomial:
    result = [Fraction(0)] * (len(one) + len(two) - 1)
    for i, s in enumerate(one):
        for j, t in enumerate(two):
            result[i + j] += s * t
    return result


def _value(polynomial: Polynomial, t: Fraction) -> Fraction:
    result = Fraction(0)
    for c in reversed(polynomial):
        result = result * t + c
    return result
