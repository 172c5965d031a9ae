"""Rigorous arithmetic for the checker: balls, exact sums over data, exact risks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, islice, pairwise
from operator import mul, ne

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Half a unit in the last place, with room for the rounding of the radii themselves.
UNIT = 2.0**-53 * (1 + 2.0**-40)
# Above all errors of underflow.
TINY = 1e-290
# A sum of two floats holds a number to this relative error.
PAIR_UNIT = 2.0**-104


@dataclass(frozen=True, eq=False)
class Ball:
    """Intervals `mid - rad .. mid + rad`, elementwise; every operation encloses the true result."""

    mid: Floats
    rad: Floats

    def __add__(self, other: Ball) -> Ball:
        """Add."""
        return _ball(self.mid + other.mid, self.rad + other.rad)

    def __sub__(self, other: Ball) -> Ball:
        """Subtract."""
        return _ball(self.mid - other.mid, self.rad + other.rad)

    def __mul__(self, other: Ball) -> Ball:
        """Multiply."""
        with np.errstate(invalid="ignore"):  # 0 times infinity: nan encloses nothing either
            spread = np.abs(self.mid) * other.rad + (np.abs(other.mid) + other.rad) * self.rad
        return _ball(self.mid * other.mid, spread)

    def __truediv__(self, other: Ball) -> Ball:
        """Divide by positive numbers; where the divisor may be zero, the radius is infinite."""
        least = other.mid - other.rad
        with np.errstate(all="ignore"):
            mid = self.mid / other.mid
            spread = (self.rad + np.abs(mid) * other.rad + TINY) / least
            good = (least > 0.0) & np.isfinite(mid) & np.isfinite(spread)
        ball = _ball(np.where(good, mid, 0.0), np.where(good, spread, 0.0))
        return Ball(ball.mid, np.where(good, ball.rad, np.inf))

    def __getitem__(self, index: object) -> Ball:
        """Pick elements."""
        return Ball(self.mid[index], self.rad[index])  # type: ignore[index]

    def times(self, factor: Floats | float) -> Ball:
        """Multiply by exact numbers."""
        return _ball(self.mid * factor, self.rad * np.abs(factor))

    @property
    def low(self) -> Floats:
        """Lower ends."""
        return np.nextafter(self.mid - self.rad * (1 + 4 * UNIT), -np.inf)


def _ball(mid: Floats, spread: Floats) -> Ball:
    return Ball(mid, (spread + UNIT * np.abs(mid)) * (1 + 8 * UNIT) + TINY)


def exactly(values: Floats) -> Ball:
    """Return balls of radius zero."""
    return Ball(values, np.zeros_like(values))


def quotient(value: Fraction) -> float:
    """Return the nearest float."""
    return value.numerator / value.denominator


def paired(values: list[Fraction], first: Integers, last: Integers) -> Ball:
    """Return differences of numbers, each first rounded to the sum of two floats."""
    high = np.array([quotient(value) for value in values])
    low = np.array([quotient(v - Fraction(h)) for v, h in zip(values, high.tolist(), strict=True)])
    rad = PAIR_UNIT * np.abs(high) + TINY
    big = exactly(high[last]) - exactly(high[first])
    return big + (Ball(low[last], rad[last]) - Ball(low[first], rad[first]))


@dataclass(frozen=True, eq=False)
class Rows:
    """Data as integers: distinct inputs in order and exact cumulative moments.

    Inputs are `(centre_x + X) * unit_x` for integers X, targets and weights alike (weights without
    a centre). `sums[i]` are the sums over the first i inputs of (w, w X, w X^2, w Y, w X Y, (w
    Y)^2 / w), the last one rounded down to a multiple of 1 / `fine`; `pure` bounds from below what
    no function of x removes, `squares` is the sum of w Y^2. `table` keeps sums as pairs of floats
    once they were asked for.
    """

    x: list[int]
    sums: list[tuple[int, ...]]
    units: tuple[Fraction, Fraction, Fraction]
    centres: tuple[int, int]
    scales: tuple[int, int, int]
    fine: int
    pure: Fraction
    squares: int
    rows: int
    table: Floats

    atomic = True

    @property
    def count(self) -> int:
        """Number of distinct inputs."""
        return len(self.x)

    @property
    def spread(self) -> Fraction:
        """Risk of the constant at the centre of the targets."""
        unit_y, unit_w = self.units[1:]
        return self.squares * unit_y * unit_y * unit_w / self.rows

    def goal(self, bound: float) -> float:
        """Return what the scaled squares between inputs must reach for a bound on the risk."""
        unit_y, unit_w = self.units[1:]
        squares = Fraction(bound) * self.rows / (unit_y * unit_y * unit_w) - self.pure
        scaled = squares / (self.scales[1] ** 2 * self.scales[2])
        return float(np.nextafter(float(scaled), np.inf)) if scaled > 0 else 0.0

    def factor(self, unit: float) -> float:
        """Return what multipliers in a unit of weight times y are multiplied by here."""
        unit_y, unit_w = self.units[1:]
        return float(Fraction(unit) / (unit_y * unit_w * self.scales[1] * self.scales[2]))

    def slope(self, slope: float) -> Fraction:
        """Return a scaled slope."""
        unit_x, unit_y = self.units[0] * self.scales[0], self.units[1] * self.scales[1]
        return Fraction(slope) * unit_x / unit_y

    def reach(self, distance: float) -> Fraction:
        """Return a scaled distance of inputs."""
        return Fraction(distance) / (self.units[0] * self.scales[0])

    def position(self, places: Integers) -> Ball:
        """Return scaled inputs."""
        wanted, index = np.unique(places, return_inverse=True)
        numbers: list[int] = wanted.tolist()
        mid = np.array([self.x[i] / self.scales[0] for i in numbers], np.float64)
        return Ball(mid, UNIT * np.abs(mid) + TINY)[index]

    def distance(self, i: Integers, j: Integers) -> Ball:
        """Return scaled distances between inputs, exact but for one rounding."""
        x, scale = self.x, self.scales[0]
        pairs, index = np.unique(i * self.count + j, return_inverse=True)
        places = zip((pairs // self.count).tolist(), (pairs % self.count).tolist(), strict=True)
        mid = np.array([(x[q] - x[p]) / scale for p, q in places], np.float64)
        return Ball(mid, UNIT * np.abs(mid) + TINY)[index.reshape(-1)]

    def between(self, i: Integers, j: Integers) -> list[Ball]:
        """Return the six scaled moments of the data from place i to place j, elementwise."""
        wanted, index = np.unique(np.concatenate([i.ravel(), j.ravel()]), return_inverse=True)
        for place in wanted[np.isnan(self.table[wanted, 0, 0])].tolist():
            self.table[place] = self._pairs(place)
        table = self.table[wanted]
        first = index[: i.size].reshape(i.shape)
        last = index[i.size :].reshape(j.shape)
        result: list[Ball] = []
        for column in range(6):
            high, low = table[:, column, 0], table[:, column, 1]
            rad = PAIR_UNIT * np.abs(high) + TINY
            big = exactly(high[last]) - exactly(high[first])
            small = Ball(low[last], rad[last]) - Ball(low[first], rad[first])
            result.append(big + small)
        return result

    def spreads(self, i: int, j: int) -> list[tuple[float, float]]:
        """Return the spread of x, of x with y and of y from place i to j, and the mean of x.

        As balls; the mean is from the first input.
        """
        mass, x, xx, y, xy, yy = (q - p for p, q in zip(self.sums[i], self.sums[j], strict=True))
        if not mass:
            return [(0.0, 0.0)] * 4
        sx, sy, sw = self.scales
        numbers = (
            ((xx * mass - x * x), mass * sw * sx * sx),
            ((xy * mass - x * y), mass * sw * sx * sy),
            (yy * mass - y * y * self.fine, mass * sw * sy * sy * self.fine),
            (x - self.x[i] * mass, mass * sx),
        )
        quotients = [top / bottom for top, bottom in numbers]
        return [(value, UNIT * abs(value) + TINY) for value in quotients]

    def exact(self, i: int, j: int) -> tuple[Fraction, ...]:
        """Return the six scaled moments of the data from place i to place j - 1."""
        sx, sy, sw = self.scales
        scales = (sw, sw * sx, sw * sx * sx, sw * sy, sw * sx * sy, sw * sy * sy * self.fine)
        pairs = zip(self.sums[i], self.sums[j], scales, strict=True)
        return tuple(Fraction(q - p, scale) for p, q, scale in pairs)

    def _pairs(self, place: int) -> list[tuple[float, float]]:
        """Return the scaled moments of the first inputs as pairs of floats."""
        sx, sy, sw = self.scales
        scales = (sw, sw * sx, sw * sx * sx, sw * sy, sw * sx * sy, sw * sy * sy * self.fine)
        pairs: list[tuple[float, float]] = []
        for total, scale in zip(self.sums[place], scales, strict=True):
            high = total / scale  # Python divides integers with one rounding
            top, bottom = high.as_integer_ratio()
            pairs.append((high, (total * bottom - top * scale) / (scale * bottom)))
        return pairs


def _integers(values: Floats) -> tuple[list[int], Fraction]:
    """Return integers and a common unit, a power of two, with value = integer * unit."""
    mantissas, exponents = np.frexp(values)
    whole = (mantissas * 2.0**53).astype(np.int64)
    exponents = np.where(whole == 0, 0, exponents - 53)
    least = int(exponents[whole != 0].min()) if whole.any() else 0
    shifts = np.where(whole == 0, 0, exponents - least)
    numbers = [w << s for w, s in zip(whole.tolist(), shifts.tolist(), strict=True)]
    return numbers, Fraction(2) ** least


def exact_rows(problem: Samples) -> Rows:
    """Sum the data exactly; rows of weight zero are left out."""
    x, y = problem.x.reshape(-1), problem.y
    weights = problem.weights if problem.weighted else np.ones(len(x))
    order = np.argsort(x, kind="stable")
    order = order[weights[order] > 0.0]
    (xs, unit_x), (ys, unit_y), (ws, unit_w) = (_integers(v[order]) for v in (x, y, weights))
    centre_x, centre_y = xs[len(xs) // 2], ys[len(ys) // 2]
    values = [b - centre_y for b in ys]
    weighted = list(map(mul, ws, values))
    squares = sum(map(mul, weighted, values))
    distinct, masses, forces = _grouped([a - centre_x for a in xs], ws, weighted)
    fine = 1 << 80
    first = list(map(mul, masses, distinct))
    # Column by column, so that no loop runs in Python where one in C will do.
    moments = (
        masses,
        first,
        map(mul, first, distinct),
        forces,
        map(mul, distinct, forces),
        [(b * b * fine) // w for b, w in zip(forces, masses, strict=True)],
    )
    sums = list(zip(*(accumulate(column, initial=0) for column in moments), strict=True))
    scales = tuple(
        1 << max((max(map(abs, numbers)) - 1).bit_length(), 0) for numbers in (distinct, values, ws)
    )
    pure = squares - Fraction(sums[-1][5] + len(distinct), fine)
    return Rows(
        distinct,
        sums,
        (unit_x, unit_y, unit_w),
        (centre_x, centre_y),
        (scales[0], scales[1], scales[2]),
        fine,
        max(pure, Fraction(0)),
        squares,
        1 if problem.weighted else problem.size,
        np.full((len(sums), 6, 2), np.nan),
    )


def _grouped(
    x: list[int], weights: list[int], weighted: list[int]
) -> tuple[list[int], list[int], list[int]]:
    """Return the distinct inputs, with the sums of what belongs to each."""
    distinct, masses, forces = list[int](), list[int](), list[int]()
    if all(map(ne, x, islice(x, 1, None))):
        return x, weights, weighted
    for a, w, b in zip(x, weights, weighted, strict=True):
        if distinct and a == distinct[-1]:
            masses[-1] += w
            forces[-1] += b
        else:
            distinct.append(a)
            masses.append(w)
            forces.append(b)
    return distinct, masses, forces


def risk_of(network: Network, rows: Rows) -> Fraction:
    """Return the exact risk of a network on the data."""
    unit_x, unit_y, unit_w = rows.units
    neurons = [
        (Fraction(float(w)), Fraction(float(b)), Fraction(float(v)))
        for w, b, v in zip(network.weights[:, 0], network.biases, network.outputs, strict=True)
    ]
    slope = Fraction(0) if network.skip is None else Fraction(float(network.skip[0]))
    offset = Fraction(float(network.offset))
    # The network is one line on the inputs between the places where a neuron turns on or off.
    places = {0, rows.count}
    for w, b, _ in neurons:
        if w:
            kink = -b / w / unit_x - rows.centres[0]
            low, high = 0, rows.count
            while low < high:
                middle = (low + high) // 2
                low, high = (low, middle) if rows.x[middle] >= kink else (middle + 1, high)
            places.add(low)
    ends = sorted(places)
    total = Fraction(rows.squares)
    for i, j in pairwise(ends):
        m, x, xx, y, xy, _ = (q - p for p, q in zip(rows.sums[i], rows.sums[j], strict=True))
        middle = (rows.x[(i + j) // 2] + rows.centres[0]) * unit_x
        rise, level = slope, offset
        for w, b, v in neurons:
            if w * middle + b > 0:
                rise, level = rise + v * w, level + v * b
        # In integers: value = (level + rise x - centre) in units of y, x relative to its centre.
        level = (level + rise * unit_x * rows.centres[0]) / unit_y - rows.centres[1]
        rise = rise * unit_x / unit_y
        total += level * level * m + 2 * level * rise * x + rise * rise * xx
        total -= 2 * (level * y + rise * xy)
    return total * unit_y * unit_y * unit_w / rows.rows
