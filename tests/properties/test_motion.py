"""What every run must do: polish goes down to a critical point, descent never says NaN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import reluscape as rs
from records import plain_of
from strategies import networks, rows, targets

SMALL = 1e-7  # a gradient this small, relative to the size of its terms, is a critical point


def one_sided(x, y, mass, plain):
    """Derivatives of each neuron in (w, b) with its row on the kink off and on, and the rest.

    A row within rounding of a kink counts as on it. Everything else in the gradient (outputs,
    offset, skip) is an ordinary derivative.
    """
    e = plain(x) - y
    pairs, rest = [], []
    for w, b, v in zip(plain.w, plain.b, plain.v, strict=True):
        z = w * x + b
        tie = np.abs(z) <= 1e-9 * (np.abs(w * x) + abs(b)) if w else np.zeros(len(x), dtype=bool)
        above = (z > 0) & ~tie
        off = 2 * v * np.array([np.sum((mass * e * x)[above]), np.sum((mass * e)[above])])
        lit = above | tie
        on = 2 * v * np.array([np.sum((mass * e * x)[lit]), np.sum((mass * e)[lit])])
        pairs.append((off, on, x[tie]))
        rest.append(2 * np.sum((mass * e * z)[above]))
    rest.append(2 * np.sum(mass * e))
    if plain.u is not None:
        rest.append(2 * np.sum(mass * e * x))
    return pairs, np.array(rest)


def gradient_scale(x, y, mass, plain) -> float:
    """Size of the terms that cancel in the gradient of a critical point."""
    reach = 1 + np.max(np.abs(x))
    sizes = [
        abs(v) * reach + abs(w) * reach + abs(b)
        for w, b, v in zip(plain.w, plain.b, plain.v, strict=True)
    ]
    start = np.abs(y) + np.abs(plain(x))
    return float(2 * np.sum(mass * start) * (reach + sum(sizes))) + 1e-12


# each example is an optimisation: shrinking a failure would take minutes
@settings(max_examples=60, phases=(Phase.explicit, Phase.generate))
@given(networks(slope=0.0), rows(min_size=6))
def test_polish_on_data(network_of, net, data):
    x, y, mass = data
    assume(len(np.unique(x)) >= 3)
    problem, start = rs.Samples(x, y, weights=mass), network_of(net)
    before = problem.risk(start)
    done = rs.polish(problem, start)
    assert np.all(np.isfinite(done.network.to_vector()))
    assert done.risk <= before * (1 + 1e-12) + 1e-15
    assert done.risk == pytest.approx(problem.risk(done.network), rel=1e-9, abs=1e-13)
    assert (done.network.skip is None) == (net.u is None)
    assert done.network.width <= net.width
    weights = np.full(len(x), 1 / len(x)) if mass is None else mass
    plain = plain_of(done.network)
    small = SMALL * gradient_scale(x, y, weights, plain)
    pairs, rest = one_sided(x, y, weights, plain)
    np.testing.assert_allclose(rest, 0, atol=small)
    for off, on, ties in pairs:
        if not len(ties):  # no row on the kink: off and on are the gradient
            np.testing.assert_allclose(off, 0, atol=small)
            continue
        if min(np.max(np.abs(off)), np.max(np.abs(on))) <= small:
            continue  # the generalized gradient of one of the two conventions vanishes
        # else the kink is on the site t with off = -p (t, 1) and on = q (t, 1), p, q >= 0, so
        # that every direction, on either side, climbs
        t = ties[0]
        assert abs(off[0] - t * off[1]) <= small
        assert abs(on[0] - t * on[1]) <= small
        assert off[1] <= small
        assert on[1] >= -small


@settings(max_examples=30)
@given(networks(slope=0.0, max_width=3), targets())
def test_polish_on_intervals(network_of, interval_of, net, pieces):
    problem, start = interval_of(pieces[0], -1, 2, pieces[1]), network_of(net)
    before = problem.risk(start)
    done = rs.polish(problem, start)
    assert np.all(np.isfinite(done.network.to_vector()))
    assert done.risk <= before * (1 + 1e-12) + 1e-15
    assert done.risk == pytest.approx(problem.risk(done.network), rel=1e-9, abs=1e-12)
    assert isinstance(done.outcome, str) or hasattr(done.outcome, "value")


@given(networks(), rows(), st.sampled_from([1e-3, 0.1, 1.0, 10.0, 1e3, 1e30, 1e300]))
def test_descent_is_finite_or_says_so(network_of, net, data, step_size):
    x, y, mass = data
    problem = rs.Samples(x, y, weights=mass)
    run = rs.descend(problem, network_of(net), step_size=step_size, steps=200)
    assert np.all(np.isfinite(run.network.to_vector()))
    assert not np.any(np.isnan(run.risks))
    assert np.isfinite(problem.risk(run.network)) or "diverge" in str(run.outcome).lower()
    text = str(getattr(run.outcome, "value", run.outcome)).lower()
    if "diverge" not in text:
        assert np.all(np.isfinite(run.risks))


def test_a_diverging_run_is_called_that():
    x = np.linspace(0, 10, 50)
    net = rs.Network([1.0, -1.0], [0.5, 2.0], [3.0, 1.0])
    run = rs.descend(rs.Samples(x, x**2), net, step_size=10.0, steps=500)
    assert "diverge" in str(getattr(run.outcome, "value", run.outcome)).lower()
    assert np.all(np.isfinite(run.network.to_vector()))
    assert not np.any(np.isnan(run.risks))


def test_a_diverging_start_does_not_spoil_the_others():
    x = np.linspace(0, 1, 50)
    problem = rs.Samples(x, np.abs(x - 0.5))
    found = rs.multistart(problem, 3, starts=40, step_size=0.45, steps=2000, seed=0)
    assert not np.any(np.isnan(found.risks))
    assert np.isfinite(problem.risk(found.best))
    assert problem.risk(found.best) == pytest.approx(np.min(found.risks), rel=1e-9)
    assert len(found.networks) == 40


def test_multistart_repeats_itself_and_equals_single_runs():
    x = np.linspace(0, 1, 40)
    problem = rs.Samples(x, np.cos(6 * x))
    one = rs.multistart(problem, 4, starts=8, step_size=0.02, steps=50, seed=7)
    two = rs.multistart(problem, 4, starts=8, step_size=0.02, steps=50, seed=7)
    np.testing.assert_array_equal(one.risks, two.risks)
    other = rs.multistart(problem, 4, starts=8, step_size=0.02, steps=50, seed=8)
    assert not np.array_equal(one.risks, other.risks)
    for net, risk in zip(one.networks, one.risks, strict=True):
        assert problem.risk(net) == pytest.approx(risk, rel=1e-9)


def test_no_steps_is_no_change():
    net = rs.Network([1.0, -1.0], [0.5, 2.0], [3.0, 1.0])
    run = rs.descend(rs.Samples([0.0, 1.0], [1.0, 2.0]), net, step_size=0.1, steps=0)
    assert run.network == net


@pytest.mark.parametrize("kind", ["data", "interval"])
def test_small_steps_go_down(kind):
    x = np.linspace(0, 1, 40)
    problem = rs.Samples(x, x**2) if kind == "data" else rs.Interval(rs.polynomial([0, 0, 1]), 0, 1)
    net = rs.Network([1.0, -1.0, 0.7], [-0.2, 0.6, 0.1], [0.5, -0.4, 0.3])
    run = rs.descend(problem, net, step_size=0.01, steps=3000)
    assert problem.risk(run.network) < 0.5 * problem.risk(net)
    assert np.all(np.diff(np.asarray(run.risks)) <= 1e-12)


def test_flow_quantities_drift_only_with_the_step_squared():
    # w^2 + b^2 - v^2 is conserved by the flow: halving the step quarters the drift per step
    x = np.linspace(-1, 1, 30)
    problem = rs.Samples(x, np.abs(x))
    net = rs.Network([1.0, -0.8], [0.3, 0.2], [0.5, 0.9])

    def drift(step_size, steps):
        k = 2
        theta = rs.descend(problem, net, step_size=step_size, steps=steps).network.to_vector()
        now = theta[:k] ** 2 + theta[k : 2 * k] ** 2 - theta[2 * k : 3 * k] ** 2
        old = net.to_vector()
        return now - (old[:k] ** 2 + old[k : 2 * k] ** 2 - old[2 * k : 3 * k] ** 2)

    ratio = drift(0.01, 100) / drift(0.005, 200)
    np.testing.assert_allclose(ratio, 2.0, rtol=0.1)


@pytest.mark.parametrize(
    ("steps", "record_every"), [(0, None), (7, 3), (6, 3), (2500, None), (5, 9)]
)
def test_recorded_risks_are_those_of_the_networks_on_the_way(steps, record_every):
    x = np.linspace(-1.0, 2.0, 23)
    problem = rs.Samples(x, np.cos(3.0 * x))
    start = rs.Network([1.0, -2.0], [0.3, 0.5], [0.7, -0.4], 0.1)
    run = rs.descend(problem, start, step_size=0.01, steps=steps, record_every=record_every)
    assert run.recorded[0] == 0
    assert run.recorded[-1] == run.steps == steps
    assert np.all(np.diff(run.recorded) > 0)
    assert len(run.risks) == len(run.recorded) <= 1002
    for made, risk in list(zip(run.recorded, run.risks, strict=True))[
        :: max(len(run.risks) // 4, 1)
    ]:
        there = rs.descend(problem, start, step_size=0.01, steps=int(made)).network
        assert risk == pytest.approx(problem.risk(there), rel=1e-13)
    assert run.risks[-1] == problem.risk(run.network)
