"""A target without a best network: the step at 1/2 on [0, 1] (Gallon, Jentzen, Lindner).

The infimum of the risk over two neurons is 0, and no critical point has a risk below 0.045: every
flow that starts below goes to infinity. For ramps from 0 to 1 of width eps around 1/2 the risk is
eps/12. How fast a balanced flow narrows its ramp follows from the induced metric: with slope
v w = 1/eps and v² = w² + b², a change of eps moves the two neurons by (5/4)^(1/4) eps^(-3/2), so
that eps' = -(eps³/12) / (5/4)^(1/2), hence eps = (6 (5/4)^(1/2) / time)^(1/2) in the long run.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import reluscape as rs
from oracles import interval_exact
from problems import STEP
from records import Plain

LOWEST = 0.04506579420086
SECOND = 0.05587966


@pytest.fixture(scope="module")
def problem():
    return rs.Interval(rs.step(0.5), 0, 1)


def ramp(width: float) -> Plain:
    """A balanced pair of neurons that rises from 0 to 1 around 1/2."""
    w, b, v = [], [], []
    for side, sign in ((-0.5, 1.0), (0.5, -1.0)):
        t = 0.5 + side * width
        scale = (width * np.hypot(1.0, t)) ** -0.5
        w.append(float(scale))
        b.append(float(-scale * t))
        v.append(float(sign * scale * np.hypot(1.0, t)))
    return Plain(tuple(w), tuple(b), tuple(v))


def long_run(time: float) -> float:
    return float(np.sqrt(6 * np.sqrt(1.25) / time))


# ------------------------------------------------------------------------- critical levels


def test_levels_of_one_neuron(problem):
    points = rs.critical_points(problem)
    found = [(point.family, point.risk, point.breakpoints) for point in points]
    expected = [
        ("right-active", 1 / 18, (0.25,)),
        ("left-active", 1 / 18, (0.75,)),
        ("affine", 1 / 16, ()),
        ("constant", 1 / 4, ()),
    ]
    assert [row[0] for row in found] == [row[0] for row in expected]
    for (_, risk, places), (_, known, at) in zip(found, expected, strict=True):
        assert risk == pytest.approx(known, abs=1e-15)
        assert places == pytest.approx(at, abs=1e-15)
    kinds = [point.kind for point in points]
    assert kinds == ["global minimum", "global minimum", "local minimum", "local minimum"]


def test_levels_of_two_neurons(problem):
    points = rs.critical_points(problem, 2)
    levels = sorted({round(point.risk, 10) for point in points})
    assert levels == pytest.approx([LOWEST, 1 / 18, SECOND, 1 / 16, 1 / 4], abs=5e-9)
    assert points[0].risk == pytest.approx(LOWEST, abs=1e-13)
    # The infimum is 0 and not attained: no critical point is a global minimum.
    assert all(point.kind != "global minimum" for point in points)


def antisymmetric() -> tuple[float, Plain]:
    """Kinks 1/2 -+ d with 24 d³ + 12 d² + 6 d = 1; slopes p, 2p, p with p = 2 / (6d + 1)."""
    (d,) = (t.real for t in np.roots([24, 12, 6, -1]) if abs(t.imag) < 1e-12)
    for _ in range(3):
        d -= (24 * d**3 + 12 * d**2 + 6 * d - 1) / (72 * d**2 + 24 * d + 6)
    d = float(d)
    p = 2 / (6 * d + 1)
    # p left of both: -p (1/2 + d - x); between p + p; right of both p (x - 1/2 + d)
    net = Plain((1.0, -1.0), (d - 0.5, 0.5 + d), (p, -p), 0.0)
    middle = float(net(np.array([0.5]))[0])
    return d, Plain(net.w, net.b, net.v, 0.5 - middle)


def test_the_lowest_critical_point(problem, network_of):
    d, net = antisymmetric()
    assert d == pytest.approx(0.126538293270800, abs=1e-14)
    assert net.v[0] == pytest.approx(1.13686116839, abs=5e-12)
    exact = interval_exact(net, STEP, 0, 1)
    assert float(exact.risk) == pytest.approx(LOWEST, abs=1e-13)
    assert max(abs(float(g)) for g in exact.gradient) < 1e-14
    verdict = rs.classify(problem, network_of(net))
    assert verdict.kind == "local minimum"
    assert verdict.risk == pytest.approx(LOWEST, abs=1e-11)
    (found,) = (p for p in rs.critical_points(problem, 2) if p.risk < 0.05)
    np.testing.assert_allclose(sorted(found.breakpoints), [0.5 - d, 0.5 + d], atol=1e-11)


@pytest.mark.parametrize("width", [Fraction(1, 2), Fraction(1, 10), Fraction(1, 1000)])
def test_risk_of_ramps(problem, width):
    slope = 1 / width
    start, end = Fraction(1, 2) - width / 2, Fraction(1, 2) + width / 2
    pair = Plain((1.0, 1.0), (float(-start), float(-end)), (float(slope), float(-slope)))
    assert problem.risk(rs.Network(pair.w, pair.b, pair.v)) == pytest.approx(
        float(width) / 12, rel=1e-11
    )
    assert (float(width) / 12 < LOWEST) == (width < Fraction(54, 100))


# ------------------------------------------------------------------------- flows below it diverge


@pytest.fixture(scope="module")
def flown(problem, network_of):
    return rs.flow(problem, network_of(ramp(0.5)), time=1000.0)


@pytest.fixture(scope="module")
def descended(problem, network_of):
    return rs.descend(problem, network_of(ramp(0.5)), step_size=0.01, steps=1_000_000)


@pytest.mark.parametrize("kind", ["flown", "descended"])
def test_flow_and_descent_below_it_blow_up(kind, request):
    run = request.getfixturevalue(kind)
    assert run.risks[0] == pytest.approx(0.5 / 12, rel=1e-12)
    assert run.risks[0] < LOWEST
    assert (np.diff(run.risks) < 0).all()
    assert (np.diff(run.norms[len(run.norms) // 10 :]) > 0).all()
    assert run.outcome == "blowing up"
    (jump,) = run.limit.jumps
    assert jump.neurons == (0, 1)
    assert run.limit.response.thresholds.tolist() == [0.5]
    assert run.limit.response.multiplicities.tolist() == [2]
    assert run.limit.response.dimension == 2
    # from 0 to 1, up to what the flow has left to do
    x = np.array([0.0, 0.2, 0.45, 0.55, 0.8, 1.0])
    np.testing.assert_allclose(run.limit.response(x), x > 0.5, atol=0.01)
    assert jump.heights[-1] == pytest.approx(1.0, abs=0.01)


def test_how_fast_the_ramp_narrows(descended, flown):
    for run, time, share in ((flown, 1e3, 0.01), (descended, 1e4, 0.002)):
        width = np.ptp(run.network.breakpoints())
        assert width == pytest.approx(long_run(time), rel=share)
        assert run.risks[-1] == pytest.approx(width / 12, rel=5 * share)
    # norm 2 v with v² = (5/4)^(1/2) / eps
    assert descended.norms[-1] == pytest.approx(2 * np.sqrt(1.25**0.5 / long_run(1e4)), rel=2e-3)
    jump = descended.limit.groups[0]
    assert jump.distance_rate == pytest.approx(-0.5, abs=0.01)
    assert jump.distance_by_norm == pytest.approx(-2.0, abs=0.03)
    assert descended.limit.norm_rate == pytest.approx(0.25, abs=0.005)


def test_the_limit_is_better_than_every_network_on_the_way(problem, descended):
    risk = problem.risk(descended.limit.response)
    assert risk < descended.risks.min() / 50
    np.testing.assert_allclose(
        descended.limit.rms_distances[-1], np.sqrt(descended.risks[-1]), rtol=0.05
    )


def test_a_third_neuron_does_not_stop_it(problem, network_of):
    """It is active on all of [0, 1] at the start, and settles."""
    pair = ramp(0.3)
    start = Plain((*pair.w, 0.5), (*pair.b, 0.2), (*pair.v, 0.01))
    run = rs.descend(problem, network_of(start), step_size=0.01, steps=1_000_000)
    assert run.outcome == "blowing up"
    assert [group.neurons for group in run.limit.jumps] == [(0, 1)]
    assert run.limit.jumps[0].heights[-1] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("shift", [0.0, 0.02])
def test_what_starts_at_the_critical_point_stays(problem, network_of, shift):
    _, net = antisymmetric()
    start = Plain(net.w, (net.b[0] + shift, net.b[1]), net.v, net.c)
    run = rs.descend(problem, network_of(start), step_size=0.05, steps=200_000)
    assert run.outcome == "finished"
    assert run.limit is None
    assert run.risks[-1] == pytest.approx(LOWEST, abs=1e-9)


def test_one_neuron_cannot_blow_up(problem):
    run = rs.descend(problem, rs.Network([1.0], [-0.4], [1.0]), step_size=0.05, steps=100_000)
    assert (run.outcome, run.limit) == ("finished", None)
    assert run.risks[-1] == pytest.approx(1 / 18, abs=1e-8)
