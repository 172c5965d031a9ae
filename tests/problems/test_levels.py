"""Critical levels for affine targets against numbers worked out by hand and published ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

import reluscape as rs
from problems import affine_saddle
from reluscape.problems.levels import (
    affine_target,
    certain_limit,
    is_below,
    levels,
    lowest_level,
    threshold,
)

LINE = rs.affine(1, 0)
ONE = rs.Network([1.0], [0.0], [1.0])
TWO = rs.Network([1.0, -1.0], [-0.5, 0.2], [1.0, 0.5])


def interval(pieces, density=None):
    return rs.Interval(rs.piecewise_polynomial([0, 0.5, 2], pieces), 0, 1, density)


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (rs.Interval(LINE, 0, 1), (1.0, 0.0)),
        (rs.Interval(rs.polynomial([3]), 0, 1), (0.0, 3.0)),
        (rs.Interval(rs.polynomial([0]), 0, 1), (0.0, 0.0)),
        (rs.Interval(rs.polynomial([3, 2, 0, 0]), 0, 1), (2.0, 3.0)),
        (interval([[1, 2], [1, 2, 0]]), (2.0, 1.0)),
        (interval([[1, 2], [1, 2]], rs.polynomial([5])), (2.0, 1.0)),
        (interval([[1, 2], [2, 1]]), None),
        (interval([[1, 2], [1, 2, 1e-300]]), None),
        (interval([[1, 2], [1, 2]], rs.polynomial([1, 1])), None),
        (interval([[1, 2], [1, 2]], rs.step(0.5)), None),
        (rs.Samples([0.0, 1.0], [0.0, 1.0]), None),
    ],
)
def test_which_targets_are_affine(problem, line):
    assert affine_target(problem) == line


def test_a_piece_outside_the_interval_does_not_count():
    bent = rs.piecewise_polynomial([-1, 0, 1, 2], [[0, 0, 1], [0, 1], [9]])
    assert affine_target(rs.Interval(bent, 0, 1)) == (1.0, 0.0)
    assert affine_target(rs.Interval(bent, 0, 1.5)) is None


def test_levels_for_relu():
    # slope 2 on [0.5, 3]
    published = [0.00216923504095516, 0.00833333333333333, 0.0643004115226337, 5.208333333333333]
    assert levels(2, 2.5, 6)[1:] == pytest.approx(published, rel=1e-14)
    assert levels(2, 2.5, 7) == levels(2, 2.5, 6)
    assert levels(-1, 1, 1) == [0.0, 1 / 12]
    assert levels(1, 1, 2) == [0.0, 1 / 12 / 81, 1 / 12]
    assert levels(1, 1, 0) == [1 / 12]
    assert levels(0, 1, 5) == [0.0]
    assert threshold(-3, 2) == 6.0


def test_levels_for_leaky_relu():
    # published to ten decimals, for slopes 0.1 and 0.5
    tenth = [0.0000962234, 0.0003310171, 0.0004969679, 0.0007812373, 0.0084481132, 0.0224894886]
    assert levels(1, 1, 4, 0.1) == pytest.approx([0.0, *tenth, 1 / 12], abs=5e-11)
    half = [0.0000697923, 0.0001926537, 0.0004295647, 0.0024531043]
    assert levels(1, 1, 3, 0.5) == pytest.approx([0.0, *half, 1 / 12], abs=5e-11)
    root = math.sqrt(0.1)
    assert levels(1, 1, 1, 0.1)[1] == pytest.approx(((1 - root) / (1 + root)) ** 2 / 12, rel=1e-14)


@pytest.mark.parametrize("n", [2, 4, 6])
def test_saddles_lie_on_the_levels(n, network_of):
    net = network_of(affine_saddle(n, 2, -1, 0.5, 3))
    risk = rs.Interval(rs.affine(2, -1), 0.5, 3).risk(net)
    assert min(abs(risk / t - 1) for t in levels(2, 2.5, n) if t) < 1e-12


def test_where_success_is_certain():
    dense = rs.Interval(LINE, 0, 1, rs.polynomial([3]))
    assert certain_limit(dense, TWO) == pytest.approx(1 / 4)
    assert lowest_level(dense, TWO) == pytest.approx(3 / 972)
    plain = rs.Interval(LINE, 0, 1)
    assert lowest_level(plain, ONE) == pytest.approx(1 / 12)
    assert lowest_level(plain, rs.Network([], [], [])) == pytest.approx(1 / 12)
    constant = rs.Interval(rs.polynomial([2]), 0, 1)
    assert certain_limit(constant, ONE) == lowest_level(constant, ONE) == math.inf
    leaking = rs.Network([1.0], [0.0], [1.0], activation=rs.leaky(0.5))
    assert certain_limit(plain, leaking) is None
    assert lowest_level(plain, leaking) == pytest.approx(0.0024531043, abs=5e-11)
    skipping = rs.Network([1.0], [0.0], [1.0], skip=[0.0])
    assert certain_limit(plain, skipping) is None
    assert lowest_level(plain, skipping) is None
    bent = rs.Interval(rs.polynomial([0, 0, 1]), 0, 1)
    assert certain_limit(bent, ONE) is None
    assert not is_below(1 / 12 * (1 - 1e-15), 1 / 12)


def test_descent_says_from_where_on():
    problem = rs.Interval(LINE, 0, 1)
    run = rs.descend(problem, TWO, step_size=0.05, steps=4000, record_every=10)
    assert run.threshold == 1 / 12
    below = run.risks < 1 / 12
    first = int(np.flatnonzero(run.recorded == run.guaranteed_from)[0])
    assert below[first:].all()
    assert not below[first - 1]
    # the descent keeps what it promises
    assert problem.risk(rs.descend(problem, TWO, step_size=0.05, steps=200_000).network) < 1e-8
    dead = rs.Network([1.0], [-2.0], [1.0], 0.3)
    stuck = rs.descend(problem, dead, step_size=0.1, steps=1000)
    assert stuck.risks[-1] == pytest.approx(1 / 12)
    assert stuck.guaranteed_from is None
    curved = rs.descend(rs.Interval(rs.polynomial([0, 0, 1]), 0, 1), TWO, step_size=0.1, steps=9)
    assert curved.threshold is None
    assert curved.guaranteed_from is None
    data = rs.descend(rs.Samples([0.0, 1.0], [0.0, 1.0]), TWO, step_size=0.1, steps=9)
    assert data.guaranteed_from is None


def test_flow_says_from_when_on():
    problem = rs.Interval(LINE, 0, 1)
    run = rs.flow(problem, TWO, time=300.0, record=3000)
    assert run.guaranteed_from is not None
    first = int(np.flatnonzero(run.times == run.guaranteed_from)[0])
    assert run.risks[first] < 1 / 972 <= run.risks[first - 1]
    assert run.risks[-1] < 1e-5  # the limit is 0; the breakpoint creeps out of the interval
    constant = rs.Interval(rs.polynomial([2]), 0, 1)
    assert rs.flow(constant, TWO, time=0.1).guaranteed_from == 0.0
    assert (
        rs.flow(rs.Interval(rs.polynomial([0, 0, 1]), 0, 1), TWO, time=0.1).guaranteed_from is None
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda: levels(math.nan, 1, 1),
        lambda: levels(1, 0, 1),
        lambda: levels(1, 1, -1),
        lambda: levels(1, 1, 1.5),
        lambda: levels(1, 1, 1, 1.0),
        lambda: levels(1, 1, 1, -0.1),
        lambda: threshold(1, math.inf),
        lambda: threshold("a", 1),
    ],
)
def test_refusals(call):
    with pytest.raises(rs.InputError, match="give"):
        call()
