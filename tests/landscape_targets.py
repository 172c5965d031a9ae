"""Random continuous piecewise polynomial targets for one neuron, with roots of Q as asked for.

Every coefficient and border is a float exactly, so that the package sees the same function. Q is
linear in the target: a combination of two targets has a root at a given border of pieces, one of
three has a double root at a given point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from random import Random

from landscape_scan import derivative, mirrored, parts
from records import ONE, Pieces, Polynomial, add, times, value

Q = Fraction
SORTS = ("random", "random", "symmetric", "border root", "double root", "density")


@dataclass(frozen=True)
class Target:
    """A continuous target on [a, b] with a density."""

    sort: str
    f: Pieces
    density: Pieces = ONE

    @property
    def a(self) -> Fraction:
        return self.f.breaks[0]

    @property
    def b(self) -> Fraction:
        return self.f.breaks[-1]


def continuous(breaks: Sequence[Fraction], rng: Random, most: int = 3, unit: int = 8) -> Pieces:
    """Draw pieces of degree 0 to `most`, each starting where the last one ended."""
    start, rows = Q(rng.randint(-16, 16), unit), []
    for left, right in pairwise(breaks):
        local = [start, *(Q(rng.randint(-16, 16), unit) for _ in range(rng.randint(0, most)))]
        row: Polynomial = ()
        for t in reversed(local):
            row = add(times(row, (-left, Q(1))) if row else (), (t,))
        rows.append(row)
        start = value(row, right)
    return Pieces(tuple(breaks), tuple(rows))


def jumping(breaks: Sequence[Fraction], rng: Random, most: int = 2, unit: int = 8) -> Pieces:
    """Draw pieces of degree 0 to `most`, each starting anywhere."""
    several = [continuous((left, right), rng, most, unit) for left, right in pairwise(breaks)]
    return Pieces(tuple(breaks), tuple(one.coefficients[0] for one in several))


def borders(rng: Random, unit: int = 4) -> list[Fraction]:
    """Draw the borders of two to eight pieces."""
    found = [Q(rng.randint(-8, 4), unit)]
    for _ in range(rng.randint(2, 8)):
        found.append(found[-1] + Q(rng.randint(1, 4), unit))
    return found


def combination(weights: Sequence[Fraction], targets: Sequence[Pieces]) -> Pieces:
    rows = []
    for i in range(len(targets[0].coefficients)):
        row: Polynomial = ()
        for weight, target in zip(weights, targets, strict=True):
            row = add(row, times((weight,), target.coefficients[i]))
        rows.append(row)
    return Pieces(targets[0].breaks, tuple(rows))


def shrunk(f: Pieces) -> Pieces | None:
    """Scale the coefficients to floats of moderate size; None if they need too many digits."""
    entries = [t for row in f.coefficients for t in row if t]
    if not entries:
        return None
    common = lcm(*(t.denominator for t in entries))
    largest = max(abs(int(t * common)) for t in entries)
    scale = Q(common, 2 ** max(largest.bit_length() - 3, 0))
    rows = tuple(tuple(t * scale for t in row) for row in f.coefficients)
    exact = all(Q(float(t)) == t for row in rows for t in row)
    return Pieces(f.breaks, rows) if exact else None


def _q_at(f: Pieces, t: Fraction) -> tuple[Fraction, Fraction]:
    """Q and its derivative, by the piece that ends at t or contains it."""
    part = next(p for p in parts(f, f.breaks[0], f.breaks[-1]) if p.left < t <= p.right)
    return value(part.raw, t), value(derivative(part.raw), t)


def rooted(
    rng: Random, double: bool, make: Callable[[Sequence[Fraction], Random, int, int], Pieces]
) -> Pieces:
    """Draw a target with a root of Q at a border, or a double root inside a piece."""
    while True:
        count = rng.randint(2, 5)
        breaks = [Q(i) for i in range(count + 1)]
        several = [make(breaks, rng, 2, 1) for _ in range(3 if double else 2)]
        t = Q(rng.randint(1, count - 1)) + (Q(1, 2) if double else 0)
        at = [_q_at(f, t) for f in several]
        if double:
            (p, dp), (q, dq), (r, dr) = at
            weights = [q * dr - r * dq, r * dp - p * dr, p * dq - q * dp]
        else:
            weights = [at[1][0], -at[0][0]]
        found = shrunk(combination(weights, several)) if all(weights) else None
        if found is not None:
            return found


def density(f: Pieces, rng: Random) -> Pieces:
    """Draw a positive polynomial on the whole interval: 1, or a multiple of 1 + (x - s)^2 / 4."""
    a, b = f.breaks[0], f.breaks[-1]
    shift = Q(rng.randint(-4, 4), 4)
    row = times((Q(rng.randint(1, 4), 4),), (1 + shift * shift / 4, -shift / 2, Q(1, 4)))
    if rng.random() < 0.5:  # or a straight line that is positive at both ends
        low, high = (Q(2) ** rng.randint(-2, 1) for _ in range(2))
        steep = (1 if high > low else -1) * Q(2) ** rng.randint(-3, 0)
        row = (low - steep * (a if steep > 0 else b), steep)
    return Pieces((a, b), (row,))


def target(rng: Random, sort: str) -> Target:
    if sort == "symmetric":
        half = continuous(borders(rng)[:5], rng)
        a, b = half.breaks[0], 2 * half.breaks[-1] - half.breaks[0]
        other = mirrored(Pieces(half.breaks, half.coefficients), a, b)
        return Target(
            sort, Pieces(half.breaks + other.breaks[1:], half.coefficients + other.coefficients)
        )
    if sort in ("border root", "double root"):
        return Target(sort, rooted(rng, sort == "double root", continuous))
    f = continuous(borders(rng), rng)
    return Target(sort, f, density(f, rng)) if sort == "density" else Target(sort, f)


def random_targets(count: int, seed: int) -> list[Target]:
    """Draw targets of every sort in turn; all are floats, continuous and not constant."""
    rng, found = Random(seed), []
    while len(found) < count:
        one = target(rng, SORTS[len(found) % len(SORTS)])
        entries = [t for p in (one.f, one.density) for row in p.coefficients for t in row]
        if all(Q(float(t)) == t for t in entries) and any(len(r) > 1 for r in one.f.coefficients):
            found.append(one)
    return found
