"""All critical points of one neuron: complete, nothing twice, of the right kind."""

from __future__ import annotations

import time
from fractions import Fraction
from functools import cache
from itertools import pairwise
from random import Random

import numpy as np
import pytest

import reluscape as rs
from landscape_scan import Point, best_kink, critical_points, mirrored, scan
from landscape_targets import (
    SORTS,
    Target,
    borders,
    continuous,
    density,
    jumping,
    random_targets,
    rooted,
)
from oracles import interval_exact
from records import ONE, Pieces, plain_of

Q = Fraction
COUNT, BATCHES = 200, 10
NARROW = 1e-9  # an enclosure, relative to the interval
RISK = 1e-11  # relative to the risk of the best constant
BUDGET = 1.0  # seconds for 100 quadratic pieces


def polynomial_of(pieces: Pieces) -> object:
    breaks, table = pieces.floats()
    return rs.piecewise_polynomial(breaks, table)


def problem_of(one: Target) -> rs.Interval:
    mass = None if one.density is ONE else polynomial_of(one.density)
    return rs.Interval(polynomial_of(one.f), float(one.a), float(one.b), mass)


@cache
def targets() -> list[Target]:
    return random_targets(COUNT, 41)


@cache
def expected(i: int) -> list[Point]:
    one = targets()[i]
    return critical_points(one.f, one.a, one.b, one.density)


@cache
def listed(i: int) -> list[object]:
    return rs.critical_points(problem_of(targets()[i]), width=1)


def encloses(found: object, point: Point) -> bool:
    low, high = (Q(t) for t in found.breakpoint)
    return found.family == point.family and low <= point.high and point.low <= high


def batch(k: int) -> range:
    return range(k, COUNT, BATCHES)


@pytest.mark.parametrize("k", range(BATCHES))
def test_nothing_is_missed_and_nothing_is_doubled(k):
    for i in batch(k):
        one, known, found = targets()[i], expected(i), listed(i)
        moving = [p for p in found if p.breakpoint is not None]
        assert sum(p.family == "constant" for p in found) == 1
        if any(p.family == "affine" for p in known):
            assert sum(p.family == "affine" for p in found) == 1
        kinks = [p for p in known if p.low is not None]
        assert len(moving) == len(kinks), (i, one.sort)
        for point in kinks:
            assert sum(encloses(p, point) for p in moving) == 1, (i, one.sort)
        for p in moving:
            assert p.breakpoint[1] - p.breakpoint[0] <= NARROW * float(one.b - one.a)


@pytest.mark.parametrize("k", range(BATCHES))
def test_a_dense_scan_finds_nothing_more(k):
    """Every sign change of Q on 2,048 points a piece, both ways, lies at a listed kink."""
    for i in batch(k):
        one = targets()[i]
        found = [p for p in listed(i) if p.breakpoint is not None]
        ends = one.a + one.b
        turned = one.density if one.density is ONE else mirrored(one.density, one.a, one.b)
        rightward = scan(one.f, one.a, one.b, one.density)
        leftward = scan(mirrored(one.f, one.a, one.b), one.a, one.b, turned)
        for family, low, high in [
            *(("right-active", s, t) for s, t in rightward),
            *(("left-active", ends - t, ends - s) for s, t in leftward),
        ]:
            assert any(
                p.family == family and Q(p.breakpoint[0]) <= high and low <= Q(p.breakpoint[1])
                for p in found
            ), (i, one.sort, family, float(low))


@pytest.mark.parametrize("k", range(BATCHES))
def test_risks_and_kinds(k):
    for i in batch(k):
        one, known, found = targets()[i], expected(i), listed(i)
        worst = float(known[0].risk)
        least = min(float(p.risk) for p in known)
        for point in known:
            (p,) = (
                p
                for p in found
                if (
                    p.family == point.family
                    if point.low is None
                    else p.breakpoint is not None and encloses(p, point)
                )
            )
            assert p.risk == pytest.approx(float(point.risk), rel=1e-10, abs=RISK * worst)
            allowed = {"local minimum" if point.minimum else "saddle"}
            if float(point.risk) <= least + RISK * worst:
                allowed = {"global minimum"}
                if sum(float(q.risk) <= least + 100 * RISK * worst for q in known) > 1:
                    allowed.add("local minimum")  # a tie that rounding may hide
            if not point.simple:
                allowed.add("undecided")
            assert p.kind in allowed, (i, one.sort, point)


@pytest.mark.parametrize("k", range(BATCHES))
def test_networks_are_critical(k):
    for i in batch(k):
        one = targets()[i]
        scale = float(expected(i)[0].risk)
        for p in listed(i):
            assert p.network.width == 1
            exact = interval_exact(
                plain_of(p.network), one.f, one.a, one.b, density=one.density, at_zero="ge"
            )
            assert float(exact.risk) == pytest.approx(p.risk, rel=1e-9, abs=RISK * scale)
            size = max(1.0, *np.abs(p.network.to_vector()))
            slope = max(abs(float(g)) for g in exact.gradient)
            assert slope <= 1e-8 * size * max(scale, 1.0), (i, one.sort, p)


@pytest.mark.parametrize("seed", range(30))
def test_targets_that_jump(seed):
    """Nothing in the list needs a continuous target: the same judge, its points, their kinds."""
    rng = Random(seed)
    f = jumping(borders(rng), rng)
    agree(Target("jumps", f, density(f, rng) if seed % 3 == 0 else ONE))


@pytest.mark.parametrize("seed", range(10))
def test_kinks_on_jumps(seed):
    one = Target("root on a jump", rooted(Random(seed), False, jumping))
    known = agree(one)
    assert any(p.low == p.high and p.low in one.f.breaks for p in known)


def agree(one: Target) -> list[Point]:
    known = critical_points(one.f, one.a, one.b, one.density)
    found = rs.critical_points(problem_of(one))
    assert len(found) == len(known)
    worst, least = float(known[0].risk), min(float(p.risk) for p in known)
    for point in known:
        (p,) = (
            p
            for p in found
            if (p.family == point.family if point.low is None else p.breakpoint is not None)
            and (point.low is None or encloses(p, point))
        )
        assert p.risk == pytest.approx(float(point.risk), rel=1e-10, abs=RISK * worst)
        assert point.simple
        kind = "local minimum" if point.minimum else "saddle"
        lowest = float(point.risk) <= least + RISK * worst
        assert p.kind == ("global minimum" if lowest else kind)
    return known


def test_parameters_of_the_kinks():
    for i in range(0, COUNT, 7):
        one = targets()[i]
        for point in expected(i):
            if point.family != "right-active" or not point.simple:
                continue
            (p,) = (p for p in listed(i) if p.breakpoint is not None and encloses(p, point))
            c, slope, _ = best_kink(one.f, one.a, one.b, one.density, point.high)
            ends = p.network([float(one.a), float(one.b)])
            last = c + slope * (one.b - point.high)
            np.testing.assert_allclose(ends, [float(c), float(last)], rtol=1e-7, atol=1e-9)


def test_every_sort_of_target_is_there():
    sorts = {one.sort for one in targets()}
    assert sorts == set(SORTS)
    assert {len(one.f.coefficients) for one in targets()} >= set(range(2, 9))
    points = [p for i in range(0, COUNT, 5) for p in expected(i)]
    assert any(not p.simple for p in points)
    assert any(not p.minimum for p in points)
    on_border = [
        p
        for i, one in enumerate(targets())
        if one.sort == "border root"
        for p in expected(i)
        if p.low is not None and p.low == p.high and p.low in one.f.breaks
    ]
    assert len(on_border) >= 20


def test_constant_target_has_one_point():
    (only,) = rs.critical_points(rs.Interval(rs.polynomial([2.0]), 0, 1))
    assert only.kind == "global minimum"
    assert only.risk == pytest.approx(0, abs=1e-30)
    assert only.family == "constant"
    assert only.breakpoint is None


def test_affine_target_has_two_points():
    """One neuron has no saddle with a kink: levels 0 and alpha^2 (b - a)^3 / 12."""
    found = rs.critical_points(rs.Interval(rs.affine(2, -1), 0.5, 3))
    assert sorted((p.family, p.kind) for p in found) == [
        ("affine", "global minimum"),
        ("constant", "local minimum"),
    ]
    assert max(p.risk for p in found) == pytest.approx(5.208333333333333, rel=1e-12)


def test_no_kinks_where_q_vanishes_identically():
    """The mean of f is its value on the last piece: there the network is constant, and once."""
    one = hat_then_constant()
    found = rs.critical_points(problem_of(one))
    known = critical_points(one.f, one.a, one.b)
    assert [p.low for p in known if p.family == "left-active"] != []
    assert len(found) == len(known)
    assert not any(p.breakpoint and p.breakpoint[0] > 1 for p in found if "right" in p.family)


def hat_then_constant() -> Target:
    """Give x (1 - x) (1 - 2 x), whose mean on [0, 1] is zero, and then zero on [1, 2]."""
    return Target("constant beyond", Pieces.of((0, 1, 2), ((0, 1, -3, 2), (0,))))


def quadratic_pieces(count: int) -> Target:
    breaks = [Q(i, 8) for i in range(count + 1)]
    return Target("many", continuous(breaks, Random(5), 2))


def test_a_hundred_quadratic_pieces_take_a_second():
    problem = problem_of(quadratic_pieces(100))
    rs.critical_points(problem_of(quadratic_pieces(3)))  # whatever compiles or loads, does so here
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        found = rs.critical_points(problem)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) <= BUDGET
    kinks = sorted(p.breakpoint for p in found if p.family == "right-active")
    assert all(high < low for (_, high), (low, _) in pairwise(kinks))
    known = scan(*_arguments(quadratic_pieces(100)), points=64)
    assert len(kinks) >= len(known)


def _arguments(one: Target) -> tuple[Pieces, Fraction, Fraction]:
    return one.f, one.a, one.b
