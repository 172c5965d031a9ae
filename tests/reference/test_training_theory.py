"""Gradient descent against what is known about it: rates, steps too long, success rates."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from oracles import interval_exact
from problems import CURVED, IDENTITY, SQUARE, TENT, square_best
from records import Plain

MINIMUM = next(s for s in CURVED if s.name == "S1-1 H=2 uniform").net


def perturbed() -> Plain:
    theta = MINIMUM.theta() + 1e-3 * np.random.default_rng(0).normal(size=7)
    return Plain.of(theta, skip=False)


def test_linear_rate_at_a_minimum(network_of, interval_of):
    problem = interval_of(TENT, 0, 1)
    first = rs.descend(problem, network_of(perturbed()), step_size=0.1, steps=1000).network
    second = rs.descend(problem, first, step_size=0.1, steps=1000).network
    third = rs.descend(problem, second, step_size=0.1, steps=1000).network
    risks = [
        float(interval_exact(Plain.of(n.to_vector(), skip=False), TENT, 0, 1).risk)
        for n in (first, second, third)
    ]
    # (1 - 0.1 * 0.0207416)^2000; 2 %: the eigenvalue moves with the minimum that is reached
    assert risks[1] / risks[0] == pytest.approx(0.01572, rel=0.02)
    assert risks[2] / risks[1] == pytest.approx(0.01572, rel=0.02)


def test_too_long_a_step_leaves_the_minimum(network_of, interval_of):
    problem = interval_of(TENT, 0, 1)
    run = rs.descend(problem, network_of(perturbed()), step_size=0.2, steps=100_000)
    assert problem.risk(run.network) == pytest.approx(1 / 48, abs=1e-6)


# Success rates over random starts were published as 300 or 100 runs each, +-0.06 and +-0.1. Our
# own sample of the same size adds one standard deviation (0.03, 0.05).
STARTS, SLACK = 300, 0.09
TENT_STARTS, TENT_SLACK = 100, 0.15


@pytest.mark.parametrize(("width", "share"), [(1, 0.48), (2, 0.73), (4, 0.92)])
def test_share_of_runs_that_learn_a_line(width, share, interval_of):
    found = rs.multistart(
        interval_of(IDENTITY, 0, 1), width, starts=STARTS, step_size=0.05, steps=20_000, seed=1
    )
    risks = np.asarray(found.risks)
    assert risks.shape == (STARTS,)
    assert np.mean(risks < 1e-6) == pytest.approx(share, abs=SLACK)
    stuck = risks[risks >= 1e-5]
    np.testing.assert_allclose(stuck, 1 / 12, atol=2e-3)
    assert not np.any(np.abs(risks - 1 / 972) < 1e-5)
    if width == 4:
        assert len(stuck) / STARTS <= 0.06 + 0.03


@pytest.mark.parametrize(("width", "share"), [(2, 0.10), (4, 0.41), (8, 0.72), (16, 0.88)])
def test_share_of_runs_that_learn_a_tent(width, share, interval_of):
    found = rs.multistart(
        interval_of(TENT, 0, 1), width, starts=TENT_STARTS, step_size=0.05, steps=20_000, seed=2
    )
    risks = np.asarray(found.risks)
    assert np.mean(risks < 1e-4) == pytest.approx(share, abs=TENT_SLACK)
    assert np.median(risks[risks >= 1e-4]) == pytest.approx(1 / 48, abs=2e-3)


# ------------------------------------------------------ polish finds the solved optima of S0-1


@pytest.mark.parametrize(("a", "b"), [(0, 1), (-1, 2)])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_polish_reaches_equally_spaced_kinks(d, a, b, interval_of):
    risk, kinks = square_best(d, a, b)
    problem = interval_of(SQUARE, a, b)
    off = kinks + 0.1 * (b - a) / (d + 1) * (-1.0) ** np.arange(d)
    start = rs.Network(np.ones(d), -off, np.full(d, 0.3), 0.0, skip=[0.1])
    done = rs.polish(problem, start)
    assert done.risk == pytest.approx(risk, rel=1e-9)
    # kinks are the flat direction of a quartic-order risk: half the digits
    np.testing.assert_allclose(done.network.breakpoints(), kinks, atol=1e-6 * (b - a))
    assert np.max(np.abs(problem.gradient(done.network))) < 1e-9
