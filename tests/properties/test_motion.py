"""What every run must do: polish goes down to a critical point, descent never says NaN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import reluscape as rs
from records import plain_of
from strategies import networks, rows, targets

SMALL = 1e-7  # a gradient this small, relative to the size of its terms, is a critical point


def reduced(x, y, mass, plain, kinks):
    """Least weighted squares with these breakpoints and orientations, linear part solved."""
    columns = [np.ones_like(x)]
    if plain.u is not None:
        columns.append(x)
    for w, t in zip(plain.w, kinks, strict=True):
        z = w * (x - t)
        columns.append(np.where(z > 0, z, plain.slope * z))
    root = np.sqrt(mass)
    table = np.column_stack(columns)
    solution = np.linalg.lstsq(table * root[:, None], y * root, rcond=None)[0]
    return float(np.sum((root * (table @ solution - y)) ** 2))


def gradient_scale(x, y, mass, plain) -> float:
    e = np.abs(plain(x) - y)
    sizes = [
        abs(v) * (1 + np.max(np.abs(x))) + abs(w) * np.max(np.abs(x)) + abs(b)
        for w, b, v in zip(plain.w, plain.b, plain.v, strict=True)
    ]
    return (
        float(2 * np.sum(mass * e) * (1 + sum(sizes))) + 1e-9 * float(np.sum(mass * y * y)) + 1e-12
    )


@settings(max_examples=60)
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
    gradient = problem.gradient(done.network)
    if np.max(np.abs(gradient)) <= SMALL * gradient_scale(x, y, weights, plain):
        return
    # not smooth there: then a breakpoint sits on a datum, and moving it either way climbs
    kinks = [-b / w if w else None for w, b in zip(plain.w, plain.b, strict=True)]
    live = [i for i, t in enumerate(kinks) if t is not None]
    sites = np.unique(x)
    on = [i for i in live if np.min(np.abs(sites - kinks[i])) <= 1e-9 * (1 + abs(kinks[i]))]
    assert on, "neither a small gradient nor a breakpoint on a datum"
    if len(live) < plain.width:
        return
    level = reduced(x, y, weights, plain, kinks)
    assert done.risk <= level * (1 + 1e-8) + 1e-12
    for i in on:
        for by in (-1e-5, 1e-5):
            moved = [t + by * (j == i) for j, t in enumerate(kinks)]
            assert reduced(x, y, weights, plain, moved) >= level * (1 - 1e-9) - 1e-12


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
