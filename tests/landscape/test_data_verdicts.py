"""Verdicts on data: breakpoints on rows, in cells, degenerate and flat neurons, judged by rays."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import cache
from random import Random

import numpy as np
import pytest

import reluscape as rs
from landscape_data import FOUR_ROWS, FOUR_ROWS_VERDICTS, DataCase, data_cases, errors
from landscape_oracle import GLOBAL, LOCAL, NOT, SADDLE
from landscape_rays import Rows, descent, moved, rational, ray, risk, steepest
from oracles import data_exact
from records import Plain, plain_of

Q = Fraction
COUNT, BATCHES = 600, 6
UNDECIDED = 0.05  # share of verdicts that may be open
DEEP = 400  # random directions at networks that are called local minima
STEPS = [Q(1, 2**k) for k in range(48)]


@cache
def cases() -> list[DataCase]:
    return data_cases(COUNT, 51)


def problem_of(rows: Rows) -> rs.Samples:
    return rs.Samples([float(t) for t in rows.x], [float(t) for t in rows.y])


def network_from(net: Plain) -> rs.Network:
    return rs.Network(list(net.w), list(net.b), list(net.v), net.c, skip=net.u)


@cache
def verdict_of(i: int):
    return rs.classify(problem_of(cases()[i].rows), network_from(cases()[i].net))


def mean_risk(rows: Rows, net: Plain) -> Fraction:
    """Weights 1 / n, as the package has them where none are given."""
    return risk(rows, rational(net)) / len(rows.x)


def lowers(rows: Rows, net: Plain, escape) -> bool:
    """Whether the network of an escape is lower, and its direction leads down, exactly."""
    before = mean_risk(rows, net)
    drop = before - mean_risk(rows, plain_of(escape.network))
    close = abs(Q(float(escape.drop)) - drop) <= Q(1e-6) * drop + Q(1e-14) * before
    direction = [Q(float(t)) for t in escape.direction]
    leads = any(mean_risk(rows, moved(net, direction, s)) < before for s in STEPS)
    return drop > 0 and close and leads


def batch(k: int) -> range:
    return range(k, COUNT, BATCHES)


@pytest.mark.parametrize("k", range(BATCHES))
def test_verdicts_and_exact_rays_agree(k):
    wrong = []
    for i in batch(k):
        case, found = cases()[i], verdict_of(i)
        kind, _ = case.found
        allowed = {
            NOT: {NOT},
            GLOBAL: {GLOBAL},
            SADDLE: {SADDLE, "undecided"},
            # rays that were not tried may lead down: an escape is looked at below
            LOCAL: {LOCAL, GLOBAL, SADDLE, "undecided"},
        }[kind]
        if found.kind not in allowed:
            wrong.append((i, case.sort, kind, found.kind))
    assert not wrong


@pytest.mark.parametrize("k", range(BATCHES))
def test_saddles_escape(k):
    stuck = []
    for i in batch(k):
        case, found = cases()[i], verdict_of(i)
        if found.kind == SADDLE or (found.kind == NOT and found.escape is not None):
            assert len(found.escape.direction) == len(case.net.theta())
            if not lowers(case.rows, case.net, found.escape):
                stuck.append((i, case.sort, found.kind))
    assert not stuck


@pytest.mark.parametrize("k", range(BATCHES))
def test_minima_survive_many_rays(k):
    rng = np.random.default_rng(k)
    fell = []
    for i in batch(k):
        case, found = cases()[i], verdict_of(i)
        if found.kind in (LOCAL, GLOBAL) and any(errors(case.rows, case.net)):
            assert found.escape is None
            if descent(case.rows, case.net, rng, DEEP) is not None:
                fell.append((i, case.sort))
    assert not fell


def test_few_verdicts_are_open():
    kinds = Counter(verdict_of(i).kind for i in range(COUNT))
    assert kinds["undecided"] <= UNDECIDED * COUNT, kinds
    for i in range(COUNT):
        if verdict_of(i).kind == "undecided":
            assert verdict_of(i).reasons  # says what is missing


def test_risk_gradient_and_states_are_reported():
    for i in range(0, COUNT, 5):
        case, found = cases()[i], verdict_of(i)
        exact = float(mean_risk(case.rows, case.net))
        assert found.risk == pytest.approx(exact, rel=1e-12, abs=1e-14)
        assert len(found.neuron_states) == case.net.width
        assert found.reasons
        gradients = [
            data_exact(case.rows.x, case.rows.y, case.net, at_zero=at_zero).gradient
            for at_zero in ("gt", "ge")
        ]
        if all(any(g) for g in gradients):
            assert found.kind == NOT
            assert found.gradient_norm > 1e-9


def test_symmetries_leave_the_verdict():
    rng = Random(3)
    wrong = []
    for i in range(0, COUNT, 4):
        case, found = cases()[i], verdict_of(i)
        net = case.net
        order = list(range(net.width))
        rng.shuffle(order)
        scales = [2.0 ** rng.randint(-3, 3) for _ in order]
        image = Plain(
            tuple(s * net.w[j] for s, j in zip(scales, order, strict=True)),
            tuple(s * net.b[j] for s, j in zip(scales, order, strict=True)),
            tuple(net.v[j] / s for s, j in zip(scales, order, strict=True)),
            net.c,
            net.u,
        )
        turned = Plain(tuple(-w for w in net.w), net.b, net.v, net.c, net.u and -net.u)
        rows = case.rows
        mirror = Rows(tuple(-x for x in rows.x), rows.y, rows.weights)
        shuffled = list(range(len(rows.x)))
        rng.shuffle(shuffled)
        mixed = Rows(
            tuple(rows.x[r] for r in shuffled), tuple(rows.y[r] for r in shuffled), rows.weights
        )
        for name, data, other in (
            ("neurons", rows, image),
            ("reflected", mirror, turned),
            ("rows", mixed, net),
        ):
            again = rs.classify(problem_of(data), network_from(other))
            if again.kind != found.kind:
                wrong.append((name, i, case.sort, found.kind, again.kind))
    assert not wrong


def test_every_situation_is_met():
    kinds = Counter(case.found[0] for case in cases())
    assert min(kinds[kind] for kind in (GLOBAL, LOCAL, SADDLE, NOT)) >= 20
    sorts = Counter(sort for case in cases() for sort in case.sort.split(", "))
    assert len(sorts) == 10
    assert min(sorts.values()) >= 20
    assert sum(case.net.u is not None for case in cases()) > 50


# ------------------------------------------------------- published neurons (Wu, Simsek, Ged)


@pytest.mark.parametrize(("neuron", "critical", "minimum"), FOUR_ROWS_VERDICTS)
def test_published_neurons(neuron, critical, minimum):
    """A fourth row balances the errors, for our networks have an offset and theirs have none."""
    w, b, v = neuron
    net = rs.Network([1, w], [0, b], [1, v], 0)
    weights = [float(t) for t in FOUR_ROWS.weights]
    problem = rs.Samples([float(t) for t in FOUR_ROWS.x], list(FOUR_ROWS.y), weights)
    found = rs.classify(problem, net)
    assert found.risk == pytest.approx(1.0, abs=1e-15)
    expected = LOCAL if minimum else SADDLE if critical else NOT
    assert found.kind == expected
    if not minimum:
        plain = plain_of(found.escape.network)
        assert risk(FOUR_ROWS, rational(plain)) < 1


@pytest.mark.parametrize("neuron", [(0, -1, 0), (-1, -1, 0), (-1, -1, -1), (-1, -1, 1)])
def test_without_the_fourth_row_the_offset_moves(neuron):
    w, b, v = neuron
    problem = rs.Samples([-1.0, 0.0, 1.0], [1.0, 0.0, 1.0], weights=[0.5, 0.5, 0.5])
    found = rs.classify(problem, rs.Network([1, w], [0, b], [1, v], 0))
    assert found.kind == NOT
    assert found.gradient_norm >= 1.0  # 2 sum of weights times errors


# ---------------------------------------------------------------------------- worked by hand


def test_tooth_with_its_kink_on_a_row():
    """|x| through three rows: nothing is left to gain."""
    net = rs.Network([1, -1], [0, 0], [1, 1], 0)
    assert rs.classify(rs.Samples([-1.0, 0.0, 1.0], [1.0, 0.0, 1.0]), net).kind == GLOBAL


def test_repeated_rows_leave_their_variance():
    """Two values at one x: the mean is the best there is, and more is certain."""
    net = rs.Network([1], [1], [0.5], 0.0)
    problem = rs.Samples([-1.0, 1.0, 1.0], [0.0, 0.0, 2.0])
    found = rs.classify(problem, net)
    assert found.risk == pytest.approx(2 / 3, abs=1e-15)
    assert found.kind in (LOCAL, GLOBAL)


def test_degenerate_neuron_with_pull():
    """Errors (1, -2, 1): v (dw x + db)_+ meets them at a rate >= 0 for v > 0, < 0 for v < 0."""
    rows = Rows((-1, 0, 1), (-1, 2, -1), (1, 1, 1))
    for v, kind in ((1, LOCAL), (-1, NOT)):
        net = Plain((0,), (0,), (v,), 0)
        assert (steepest(rows, net)[0] >= 0) == (kind == LOCAL)
        found = rs.classify(problem_of(rows), network_from(net), at_zero="ge")
        assert found.kind in ({LOCAL, "undecided"} if kind == LOCAL else {NOT})


def test_dead_neurons_on_data_are_local_minima():
    net = rs.Network([1, -1], [-3, -3], [2, -1], 0.0)
    problem = rs.Samples([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0])
    assert rs.classify(problem, net).kind == LOCAL


def test_flat_neuron_that_can_wake():
    """Errors (1, 0, -1) and a flat neuron on [0, 1]: turning it and raising it fits the slope."""
    rows = Rows((-1, 0, 1), (-1, 0, 1), (1, 1, 1))
    net = Plain((0,), (1,), (0,), 0)
    assert ray(rows, net, [1, 0, 1, 0])[2] < 0
    found = rs.classify(problem_of(rows), network_from(net))
    assert found.kind == SADDLE
    assert lowers(rows, net, found.escape)
