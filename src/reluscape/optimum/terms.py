"""What the conditions at breakpoints add to the lines between them, for the checker: in balls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.arithmetic import Ball, Rows, exactly
from reluscape.optimum.covers import ANY, KIND, LAYER, LINE, PARTS, SIGNED, SIGNS, SIZE, A, B, last
from reluscape.optimum.grids import Grid
from reluscape.optimum.prices import lines_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# Multipliers of a node.
MULTIPLIERS = 4


@dataclass(frozen=True, eq=False)
class Terms:
    """What nodes add to the lines before and after them, and inside.

    On a line: p0 times its value at the place next to the node, and p1 times its slope. `free`
    says before and after which nodes all terms are exactly 0.
    """

    enter: tuple[Ball, Ball]
    leave: tuple[Ball, Ball]
    inside: Floats
    free: tuple[Booleans, Booleans]


class Sums:
    """Terms while they are added up, for the nodes with multipliers."""

    def __init__(self, rows: Rows | Grid, nodes: Integers, mult: Floats) -> None:
        self.rows, self.nodes, self.mult = rows, nodes, mult
        zero = np.zeros(len(nodes))
        self.parts = {name: exactly(zero.copy()) for name in ("e0", "e1", "l0", "l1", "own", "fix")}
        self.touched = np.zeros((2, len(nodes)), np.bool_)

    def add(self, name: str, some: Integers, factor: Ball, m: int) -> None:
        """Add a multiplier times a factor, where any of them is not 0."""
        if not self.mult[some, m].any():
            return
        ball = self.parts[name]
        new = ball[some] + factor.times(self.mult[some, m])
        ball.mid[some], ball.rad[some] = new.mid, new.rad
        if name in ("e0", "e1", "l0", "l1"):
            self.touched[0 if name[0] == "e" else 1, some] |= self.mult[some, m] != 0.0


def terms_of(
    rows: Rows | Grid, nodes: Integers, mult: Floats, slopes: tuple[float, float], k: int
) -> Terms:
    """Separate the nodes' conditions with their multipliers, all of them >= 0.

    Singles of sign s, with lines L before and R after: s (R - L) <= 0 at the place before the cell
    and >= 0 at the one after it. Pairs of signs s, t with z the value at the one input p between:
    s (z - L(p)) >= 0 and t (R(p) - z) <= 0; if s = t the middle line also crosses both others at
    the proper side of its ends, which for some slope means s z <= s (the chord at p from L(p - 1)
    to R(p + 1)). What is added to z is minimised together with the input's own squares, w (z -
    y)^2: c z costs at least c y - c^2 / (4 w). With bounds on slopes, a function rises by no less
    than the least slope times the distance, and by no more than the greatest.
    """
    sums = Sums(rows, nodes, mult)
    size, kind = nodes[:, SIZE], nodes[:, KIND]
    some = np.flatnonzero(kind < ANY)
    wide = rows.distance(nodes[some, A] - 1, nodes[some, B])
    sign = exactly(1.0 - 2.0 * kind[some].astype(np.float64))
    for m, side in enumerate((1.0, -1.0)):
        sums.add("l0", some, sign.times(side), m)
        sums.add("e0", some, sign.times(-side), m)
    sums.add("l1", some, (wide * sign).times(-1.0), 0)
    sums.add("e1", some, wide * sign, 1)
    starts = (nodes[:, LAYER] == 0) & (nodes[:, A] < LINE)
    ends = (last(nodes) == k - 1) & (rows.count - nodes[:, B] < LINE)
    _rises(sums, np.flatnonzero((kind == ANY) & ~starts & ~ends), slopes, 0)
    low = np.zeros(len(nodes))
    weight = exactly(np.zeros(len(nodes))), exactly(np.ones(len(nodes)))
    _errors(sums, weight)
    if not isinstance(rows, Grid):
        _pairs(sums, slopes, weight)
        beyond = ends & (nodes[:, A] == rows.count - 1)
        for left, which in ((True, starts & (nodes[:, B] == 1)), (False, beyond)):
            _outermost(sums, np.flatnonzero(which & (size == 1)), slopes, left, weight)
        low += _squares_inside(rows, nodes)
    own = sums.parts["own"]
    some = np.flatnonzero((own.mid != 0.0) | (own.rad != 0.0))
    fixed = sums.parts["fix"]
    if len(some):
        level, mass = weight[0][some], weight[1][some]
        value = own[some] * (level - own[some] / mass.times(4.0)) + fixed[some]
        fixed.mid[some], fixed.rad[some] = value.mid, value.rad
    moved = (fixed.mid != 0.0) | (fixed.rad != 0.0)
    low = np.where(moved, np.nextafter(low + fixed.low, -np.inf), low)
    parts = sums.parts
    return Terms(
        (parts["e0"], parts["e1"]),
        (parts["l0"], parts["l1"]),
        np.where(np.isnan(low), -np.inf, low),
        (~sums.touched[0], ~sums.touched[1]),
    )


def _rises(sums: Sums, some: Integers, slopes: tuple[float, float], first: int) -> None:
    """Add the least and the greatest rise across nodes."""
    if not len(some):
        return
    wide = sums.rows.distance(sums.nodes[some, A] - 1, sums.nodes[some, B])
    one = exactly(np.ones(len(some)))
    for m, (bound, side) in enumerate(zip(slopes, (-1.0, 1.0), strict=True), first):
        if np.isfinite(bound):
            sums.add("l0", some, one.times(side), m)
            sums.add("e0", some, one.times(-side), m)
            sums.add("fix", some, wide.times(-side * bound), m)


def _pairs(sums: Sums, slopes: tuple[float, float], weight: tuple[Ball, Ball]) -> None:
    """Add the terms of signed pairs; write target and weight of the input inside."""
    nodes, rows = sums.nodes, sums.rows
    for kind, (s, t) in enumerate(SIGNS, SIGNED):
        some = np.flatnonzero((nodes[:, KIND] == kind) & sums.mult.any(axis=1))
        if not len(some):
            continue
        p = nodes[some, A]
        down, up, both = (rows.distance(p - i, p + n) for i, n in ((1, 0), (0, 1), (1, 1)))
        one = exactly(np.ones(len(some)))
        _put_inputs(sums, some, p, *weight)
        sums.add("e0", some, one.times(s), 0)
        sums.add("e1", some, down.times(s), 0)
        sums.add("own", some, one.times(-s), 0)
        sums.add("l0", some, one.times(t), 1)
        sums.add("l1", some, up.times(-t), 1)
        sums.add("own", some, one.times(-t), 1)
        if s == t:
            sums.add("own", some, one.times(s), 2)
            sums.add("e0", some, (up / both).times(-s), 2)
            sums.add("l0", some, (down / both).times(-s), 2)
        elif all(np.isfinite(bound) for bound in slopes):
            _rises(sums, some, slopes, 2)
        else:
            for bound, way in zip(slopes, (-1.0, 1.0), strict=True):
                if np.isfinite(bound):
                    sums.add("own", some, one.times(way), 2)
                    sums.add("e0", some, one.times(-way), 2)
                    sums.add("fix", some, down.times(-way * bound), 2)
                    sums.add("own", some, one.times(-way), 3)
                    sums.add("l0", some, one.times(way), 3)
                    sums.add("fix", some, up.times(-way * bound), 3)


def _put_inputs(sums: Sums, some: Integers, p: Integers, level: Ball, mass: Ball) -> None:
    """Write mean target and weight of single inputs."""
    weight, _, _, y, _, _ = sums.rows.between(p, p + 1)
    mean = y / weight
    level.mid[some], level.rad[some] = mean.mid, mean.rad
    mass.mid[some], mass.rad[some] = weight.mid, weight.rad


def _outermost(
    sums: Sums,
    some: Integers,
    slopes: tuple[float, float],
    left: bool,
    weight: tuple[Ball, Ball],
) -> None:
    """Add the rises between the outermost input, alone on its line, and the line next to it."""
    if not len(some) or not np.isfinite(slopes).any():
        return
    at = np.full(len(some), 0 if left else sums.rows.count - 1)
    _put_inputs(sums, some, at, *weight)
    wide = sums.rows.distance(at, at + 1) if left else sums.rows.distance(at - 1, at)
    one = exactly(np.ones(len(some)))
    for m, (bound, side) in enumerate(zip(slopes, (-1.0, 1.0), strict=True)):
        if np.isfinite(bound):
            way = side if left else -side
            sums.add("l0" if left else "e0", some, one.times(way), m)
            sums.add("own", some, one.times(-way), m)
            sums.add("fix", some, wide.times(-side * bound), m)


def _errors(sums: Sums, weight: tuple[Ball, Ball]) -> None:
    """Add what the mean error inside cells of single breakpoints costs; write mean y and mass.

    With e = N - f and any constant r, the integral of e^2 is at least that of 2 r e - r^2, plus
    that of the square of e about its mean. A convex kink makes N at least either of its lines, and
    at most the chord between their values at the cell's ends; a concave one the other way round. So
    2 r N is bounded by both lines, each in its half of the cell, or by the chord's ends: linear in
    them. Multipliers 2 and 3 are 2 |r| times the mass, for r > 0 and r < 0.
    """
    rows, nodes = sums.rows, sums.nodes
    level, mass = weight
    # Between the places at its ends, a cell holds the inputs, or the mass.
    more = 0 if rows.atomic else 1
    some = (nodes[:, KIND] < ANY) & (nodes[:, B] - nodes[:, A] + more > 0)
    some = np.flatnonzero(some & sums.mult[:, 2:].any(axis=1))
    if not len(some):
        return
    a, b, sign = nodes[some, A] - more, nodes[some, B], 1.0 - 2.0 * nodes[some, KIND]
    middle = (a + b) // 2
    full, x, _, y, _, _ = rows.between(a, b + more)
    half, x_half, _, _, _, _ = rows.between(a, middle + more)
    left, right = rows.position(nodes[some, A] - 1), rows.position(b)
    mean, target = x / full, y / full
    level.mid[some], level.rad[some] = target.mid, target.rad
    mass.mid[some], mass.rad[some] = full.mid, full.rad
    one = exactly(np.ones(len(some)))
    share, chord = half / full, (right - mean) / (right - left)
    reach = (x_half - half * left) / full
    back = (x - x_half - (full - half) * right) / full
    for m, way in ((2, 1.0), (3, -1.0)):
        for which, first, second, slopes in (
            (way == sign, share, one - share, (reach, back)),
            (way != sign, chord, one - chord, None),
        ):
            here = np.flatnonzero(which)
            sums.add("e0", some[here], first[here].times(way), m)
            sums.add("l0", some[here], second[here].times(way), m)
            if slopes:
                sums.add("e1", some[here], slopes[0][here].times(way), m)
                sums.add("l1", some[here], slopes[1][here].times(way), m)
        sums.add("own", some, one.times(-way), m)


def _squares_inside(rows: Rows, nodes: Integers) -> Floats:
    """Bound the squares of data inside the wide cells of single breakpoints, about any mean.

    In whichever part of the cell the kink lies, the data before that part are on one line and
    those after it on another.
    """
    low = np.zeros(len(nodes))
    wide = np.flatnonzero((nodes[:, KIND] < ANY) & (nodes[:, B] - nodes[:, A] > 2 * LINE))
    if len(wide):
        a, b = nodes[wide, A][:, np.newaxis], nodes[wide, B][:, np.newaxis]
        cuts = a + (b - a) * np.arange(PARTS + 1) // PARTS
        before = lines_of(rows, np.broadcast_to(a, cuts.shape), cuts).squares[:, :-1]
        after = lines_of(rows, cuts, np.broadcast_to(b, cuts.shape)).squares[:, 1:]
        low[wide] = np.nextafter(before + after, -np.inf).min(axis=1)
    return low
