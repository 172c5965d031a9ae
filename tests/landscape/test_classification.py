"""Verdicts for affine targets: 10,000 random critical networks against the theorem."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import cache
from random import Random

import numpy as np
import pytest

import reluscape as rs
from landscape_cases import Case, critical_cases, near_misses
from landscape_oracle import (
    GLOBAL,
    LOCAL,
    NOT,
    SADDLE,
    Line,
    affine_risk,
    room,
    survives,
)
from records import Plain, plain_of

Q = Fraction
CRITICAL, BROKEN, SYMMETRIC = 10_000, 2_000, 400
BATCHES = 10  # the same cases in parts that may run side by side


def problem_of(line: Line) -> rs.Interval:
    return rs.Interval(rs.affine(float(line.alpha), float(line.beta)), float(line.a), float(line.b))


def network_from(net: Plain) -> rs.Network:
    activation = rs.leaky(net.slope) if net.slope else "relu"
    return rs.Network(list(net.w), list(net.b), list(net.v), net.c, activation=activation)


def exact_risk(line: Line, net: Plain) -> Fraction:
    """Risk of the floats as they are."""
    columns = (map(Q, column) for column in (net.w, net.b, net.v))
    return affine_risk(line, list(zip(*columns, strict=True)), Q(net.c), Q(net.slope))


@cache
def cases(batch: int) -> list[Case]:
    return critical_cases(CRITICAL // BATCHES, 100 + batch)


@cache
def broken(batch: int) -> list[Case]:
    return near_misses(CRITICAL // BATCHES // 5, 200 + batch)


def really_lower(case: Case, found, net: Plain) -> bool:
    """Whether the escape of a verdict lowers the exact risk, by as much as it says."""
    escape = found.escape
    if escape is None or len(escape.direction) != 3 * net.width + 1:
        return False
    before = exact_risk(case.line, net)
    drop = before - exact_risk(case.line, plain_of(escape.network))
    rounding = Q(1e-14) * before
    return drop > 0 and abs(Q(float(escape.drop)) - drop) <= Q(1e-6) * drop + rounding


@pytest.mark.parametrize("batch", range(BATCHES))
def test_verdicts_are_those_of_the_theorem(batch):
    wrong, stuck, fell = Counter(), Counter(), Counter()
    rng = np.random.default_rng(batch)
    for case in cases(batch):
        net = case.floats
        found = rs.classify(problem_of(case.line), network_from(net))
        if found.kind != case.kind:
            wrong[case.sort, case.kind, found.kind] += 1
            continue
        if found.kind == SADDLE and not really_lower(case, found, net):
            stuck[case.sort] += 1
        if found.kind == LOCAL and not survives(case.line, net, rng):
            fell[case.sort] += 1
    assert not wrong
    assert not stuck
    assert not fell


@pytest.mark.parametrize("batch", range(BATCHES))
def test_near_misses_are_not_critical(batch):
    wrong = Counter()
    for case in broken(batch):
        net = case.floats
        found = rs.classify(problem_of(case.line), network_from(net))
        if found.kind != NOT or (not found.gradient_norm > 0 and "degenerate" not in case.sort):
            wrong[case.sort, found.kind] += 1
        elif found.escape is not None and not really_lower(case, found, net):
            wrong[case.sort, "no descent"] += 1
    assert not wrong


def test_verdicts_say_what_they_rest_on():
    for case in cases(0)[:200]:
        found = rs.classify(problem_of(case.line), network_from(case.floats))
        assert isinstance(found.reasons, tuple)
        assert found.reasons
        assert all(isinstance(reason, str) and len(reason) > 5 for reason in found.reasons)
        assert len(found.neuron_states) == case.floats.width
        exact = float(exact_risk(case.line, case.floats))
        assert found.risk == pytest.approx(exact, rel=1e-11, abs=1e-14)
        assert found.gradient_norm < 1e-9
        assert (found.escape is None) == (found.kind != SADDLE)


# -------------------------------------------------------------------------------------- symmetries


def rescaled(net: Plain, rng: Random) -> Plain:
    """Rescale by any factors: the exact network moves by roundings."""
    factors = [2.0 ** rng.uniform(-4, 4) for _ in net.w]
    w, b = (tuple(f * t for f, t in zip(factors, column, strict=True)) for column in (net.w, net.b))
    return Plain(w, b, tuple(v / f for f, v in zip(factors, net.v, strict=True)), net.c, None)


def permuted(net: Plain, rng: Random) -> Plain:
    order = list(range(net.width))
    rng.shuffle(order)
    parts = (tuple(column[j] for j in order) for column in (net.w, net.b, net.v))
    return Plain(*parts, net.c, None, net.slope)


def shifted(line: Line, net: Plain, by: Fraction) -> tuple[Line, Plain]:
    """Move the interval: w (x - s) + b."""
    biases = tuple(b - float(by) * w for w, b in zip(net.w, net.b, strict=True))
    moved = Line(line.alpha, line.beta - line.alpha * by, line.a + by, line.b + by)
    return moved, Plain(net.w, biases, net.v, net.c, None, net.slope)


def reflected(line: Line, net: Plain) -> tuple[Line, Plain]:
    total = line.a + line.b
    biases = tuple(b + float(total) * w for w, b in zip(net.w, net.b, strict=True))
    turned = Line(-line.alpha, line.beta + line.alpha * total, line.a, line.b)
    return turned, Plain(tuple(-w for w in net.w), biases, net.v, net.c, None, net.slope)


def test_symmetries_leave_the_verdict():
    rng = Random(9)
    wrong = Counter()
    for case in [c for c in critical_cases(SYMMETRIC, 31) + near_misses(100, 32) if c.dyadic]:
        line, net = case.line, case.floats
        images = {
            "permuted": (line, permuted(net, rng)),
            "shifted": shifted(line, net, Q(rng.randint(-8, 8), 4)),
            "reflected": reflected(line, net),
        }
        for name, (other, image) in images.items():
            found = rs.classify(problem_of(other), network_from(image))
            if found.kind != case.kind:
                wrong[name, case.sort, case.kind, found.kind] += 1
    assert not wrong


def test_any_rescaling_leaves_the_verdict():
    """Factors that round: what touches an end is left out, for it would come off that end."""
    rng = Random(10)
    wrong = Counter()
    for case in critical_cases(SYMMETRIC, 33) + near_misses(100, 34):
        net = case.floats
        ends = {float(case.line.a), float(case.line.b)}
        touching = any(w and -b / w in ends for w, b in zip(net.w, net.b, strict=True))
        if touching or case.slope:
            continue
        found = rs.classify(problem_of(case.line), network_from(rescaled(net, rng)))
        if found.kind != case.kind:
            wrong[case.sort, case.kind, found.kind] += 1
    assert not wrong


def test_units_leave_the_verdict():
    """A target, and outputs with it, a million times as large or as small."""
    wrong = Counter()
    for case in critical_cases(SYMMETRIC // 2, 35):
        if not case.dyadic:
            continue
        for power in (-20, 20):
            unit = 2.0**power
            line = Line(case.line.alpha * Q(unit), case.line.beta * Q(unit), *ends_of(case.line))
            net = case.floats
            outputs = tuple(v * unit for v in net.v)
            image = Plain(net.w, net.b, outputs, net.c * unit, None, net.slope)
            found = rs.classify(problem_of(line), network_from(image))
            if found.kind != case.kind:
                wrong[power, case.sort, case.kind, found.kind] += 1
    assert not wrong


def ends_of(line: Line) -> tuple[Fraction, Fraction]:
    return line.a, line.b


# ------------------------------------------------------------------------- conventions at w = b = 0

UNIT = Line(Q(1), Q(0), Q(0), Q(1))


@pytest.mark.parametrize("v", [1.0, -1.0, 1e-3])
def test_degenerate_neuron_that_is_not_flat(v):
    """The risk falls at a positive rate in some direction (dw, db): whatever the convention."""
    problem, net = problem_of(UNIT), rs.Network([0], [0], [v], 0.5)
    default = rs.classify(problem, net)
    assert default.kind == NOT
    under_ge = rs.classify(problem, net, at_zero="ge")
    assert under_ge.kind == NOT
    assert under_ge.gradient_norm == pytest.approx(abs(v) / 6, rel=1e-12)
    under_gt = rs.classify(problem, net, at_zero="gt")
    assert under_gt.kind in (NOT, SADDLE)
    for found in (default, under_ge, under_gt):
        lower = exact_risk(UNIT, plain_of(found.escape.network))
        assert lower < Q(1, 12)


@pytest.mark.parametrize("at_zero", ["ge", "gt"])
@pytest.mark.parametrize(
    ("w", "b", "v", "kind"),
    [(0, 0, 0, SADDLE), (-1, -1, 5, LOCAL), (0, 1, 0, SADDLE), (1, 0, 1, GLOBAL)],
)
def test_conventions_agree_elsewhere(at_zero, w, b, v, kind):
    net = rs.Network([w], [b], [v], 0.0 if kind == GLOBAL else 0.5)
    assert rs.classify(problem_of(UNIT), net, at_zero=at_zero).kind == kind


def test_degenerate_neuron_beside_a_perfect_fit():
    """Where the error is zero everything else is free."""
    net = rs.Network([1, 0], [0, 0], [1, 3], 0)
    for at_zero in ("ge", "gt"):
        assert rs.classify(problem_of(UNIT), net, at_zero=at_zero).kind == GLOBAL


def test_constant_targets_have_global_minima_only():
    flat = Line(Q(0), Q(1), Q(0), Q(2))
    rng = np.random.default_rng(3)
    for _ in range(20):
        theta = rng.normal(size=7)
        found = rs.classify(problem_of(flat), rs.Network.from_vector(theta))
        assert found.kind == NOT
    dead = rs.Network([1, -1], [-3, -1], [2, -1], 1)
    assert rs.classify(problem_of(flat), dead).kind == GLOBAL


def test_tolerance_is_the_users():
    """A network that is off by 1e-6 is critical for who says so."""
    net = rs.Network([-1.0], [-1.0], [5.0], 0.5 + 1e-6)
    assert rs.classify(problem_of(UNIT), net).kind == NOT
    assert rs.classify(problem_of(UNIT), net, tolerance=1e-3).kind == LOCAL


def test_room_keeps_dead_neurons_dead():
    """The perturbations of the test above stay where the theorem speaks of a minimum."""
    for case in cases(0)[:200]:
        if case.kind == LOCAL:
            net = case.floats
            margins = room(case.line, net)[: net.width]
            reach = 1 + max(abs(float(case.line.a)), abs(float(case.line.b)))
            for w, b, margin in zip(net.w, net.b, margins, strict=True):
                tops = [w * float(x) + b for x in ends_of(case.line)]
                assert max(tops) <= 0
                assert min(tops) + margin * reach < 0
