"""Gradient flow against slow, obvious integrations of the same gradient, and what it conserves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import reluscape as rs
from oracles import data_exact, interval_exact
from problems import IDENTITY, SQUARE, STEP, TENT
from records import Pieces, Plain, plain_of
from strategies import networks, rows, targets
from training_runs import downhill, runge_kutta

ZIGZAG = Pieces.of(
    (-1, -0.25, 0.5, 0.75, 1), ((1.0, 1.0), (0.5, -1.0), (-2.0, 3.0), (0.5, 0.5, -1.0))
)
PAIR = Plain((1.0, -0.8), (0.3, 0.2), (0.5, 0.9), 0.1)
# Four breakpoints inside [-1, 1], two outside, both orientations.
SIX = Plain(
    (1.1, -0.7, 0.9, -1.2, 0.3, 0.8),
    (0.2, 0.1, -0.6, -0.5, 0.9, 1.1),
    (0.5, 0.8, -0.7, 0.4, -0.6, 0.3),
    0.2,
)
LEAKY = Plain(SIX.w, SIX.b, SIX.v, SIX.c, 0.4, 0.25)


@pytest.mark.parametrize("net", [PAIR, SIX, LEAKY], ids=["pair", "six", "leaky-skip"])
@pytest.mark.parametrize("target", [SQUARE, TENT, STEP, ZIGZAG], ids="square tent step zig".split())
def test_path_on_an_interval(net, target, network_of, interval_of):
    a, b = (float(target.breaks[0]), float(target.breaks[-1]))
    run = rs.flow(interval_of(target, a, b), network_of(net), time=2.0)
    reference = runge_kutta(downhill(net, target, a, b), net.theta(), 2.0, 400)
    # The reference loses order where a kink passes a border: a step squared, 2.5e-5, at most.
    np.testing.assert_allclose(run.network.to_vector(), reference, rtol=0, atol=1e-6)
    assert run.outcome == "finished"
    assert run.times[-1] == 2.0


def test_path_without_events_to_nine_digits(network_of, interval_of):
    net = Plain((1.0, -1.1), (0.1, 0.45), (0.7, 0.4), 0.0, 0.2)
    run = rs.flow(interval_of(SQUARE, -1, 2), network_of(net), time=1.0)
    assert run.events == ()
    reference = runge_kutta(downhill(net, SQUARE, -1.0, 2.0), net.theta(), 1.0, 2000)
    np.testing.assert_allclose(run.network.to_vector(), reference, rtol=0, atol=1e-10)


@settings(max_examples=25)
@given(networks(), targets())
def test_velocity_is_the_exact_gradient(network_of, interval_of, net, pieces):
    # no w = b = 0, where the flow may start with a neuron pushed off
    assume(all(w or b for w, b in zip(net.w, net.b, strict=True)))
    problem = interval_of(pieces[0], -1, 2, pieces[1])
    run = rs.flow(problem, network_of(net), time=1e-7, record=1)
    exact = interval_exact(net, pieces[0], -1, 2, density=pieces[1]).floats()[1]
    moved = (run.network.to_vector() - net.theta()) / 1e-7
    # rounding of parameters up to 3 over 1e-7, and the curvature times the time
    scale = 1 + np.abs(exact).max()
    np.testing.assert_allclose(moved, -exact, rtol=0, atol=2e-5 * scale**2)


@settings(max_examples=25)
@given(networks(), rows())
def test_velocity_on_data_away_from_ties(network_of, net, data):
    x, y, mass = data
    assume(all(w or b for w, b in zip(net.w, net.b, strict=True)))
    assume(all((w * x + b != 0).all() for w, b in zip(net.w, net.b, strict=True)))
    run = rs.flow(rs.Samples(x, y, weights=mass), network_of(net), time=1e-7, record=1)
    exact = data_exact(x, y, net, weights=mass).floats()[1]
    moved = (run.network.to_vector() - net.theta()) / 1e-7
    scale = 1 + np.abs(exact).max()
    np.testing.assert_allclose(moved, -exact, rtol=0, atol=2e-5 * scale**2)


@settings(max_examples=15)
@given(networks(), targets())
def test_what_every_flow_keeps_on_intervals(network_of, interval_of, net, pieces):
    check_run(interval_of(pieces[0], -1, 2, pieces[1]), network_of(net))


@settings(max_examples=25)
@given(networks(), rows(), st.sampled_from(["gt", "ge"]))
def test_what_every_flow_keeps_on_data(network_of, net, data, at_zero):
    check_run(rs.Samples(data[0], data[1], weights=data[2]), network_of(net), at_zero)


def check_run(problem, net, at_zero="gt"):
    run = rs.flow(problem, net, time=1.0, record=20, at_zero=at_zero)
    assert run.outcome in ("finished", "stationary")
    assert run.drift < 1e-9
    k = net.width
    old, new = net.to_vector() ** 2, run.network.to_vector() ** 2
    balance = [t[:k] + t[k : 2 * k] - t[2 * k : 3 * k] for t in (old, new)]
    size = np.maximum(*(t[:k] + t[k : 2 * k] + t[2 * k : 3 * k] for t in (old, new)))
    np.testing.assert_allclose(balance[1] - balance[0], 0, atol=1e-9 * size.max(initial=1.0))
    assert np.all(np.diff(run.risks) <= 1e-10 * run.risks[0] + 1e-15)
    assert run.risks[-1] == problem.risk(run.network)
    assert run.risks[0] == pytest.approx(problem.risk(net), rel=1e-8, abs=1e-15)
    assert np.all(np.diff(run.times) > 0)
    moments = [event.time for event in run.events]
    assert moments == sorted(moments)
    assert all(0 <= t <= run.times[-1] for t in moments)


def test_descent_tends_to_the_flow(network_of, interval_of):
    problem, net = interval_of(TENT, 0, 1), network_of(PAIR)
    end = rs.flow(problem, net, time=5.0).network.to_vector()
    far = [
        np.linalg.norm(
            rs.descend(problem, net, step_size=h, steps=round(5 / h)).network.to_vector() - end
        )
        for h in (2e-4, 1e-4)
    ]
    assert far[1] < 1e-3
    assert far[0] / far[1] == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_events_are_when_the_reference_has_them(seed, network_of, interval_of):
    rng = np.random.default_rng(seed)
    w, b, v = rng.normal(size=(3, 4))
    net = Plain(tuple(w), tuple(b), tuple(v), 0.3)
    run = rs.flow(interval_of(ZIGZAG, -1, 1), network_of(net), time=3.0)
    steps = 1000
    path = runge_kutta(downhill(net, ZIGZAG, -1.0, 1.0), net.theta(), 3.0, steps, path=True)
    found = []
    for j in range(4):
        for place in ZIGZAG.breaks:
            z = path[:, j] * float(place) + path[:, 4 + j]
            for i in np.flatnonzero(z[1:] * z[:-1] < 0):
                share = z[i] / (z[i] - z[i + 1])
                found.append(((i + share) * 3.0 / steps, j, float(place)))
    assert [(e.neuron, e.place) for e in run.events] == [t[1:] for t in sorted(found)]
    # between two steps of 3e-3 the reference is taken for a line
    times = [t[0] for t in sorted(found)]
    np.testing.assert_allclose([e.time for e in run.events], times, rtol=0, atol=5e-5)
    for event in run.events:
        assert event.kind == ("end" if abs(event.place) == 1 else "border")
        assert event.what in (("entered", "left") if event.kind == "end" else ("crossed",))


def test_a_breakpoint_that_leaves_and_one_that_enters(network_of, interval_of):
    problem = interval_of(IDENTITY, 0, 1)
    start = rs.Network([1.0], [-0.05], [0.5])
    run = rs.flow(problem, start, time=20.0)
    seen = [(e.kind, e.place, e.what) for e in run.events]
    assert seen == [("end", 0.0, "left"), ("end", 0.0, "entered")]
    for event in run.events:  # descent agrees to the order of its step
        for late, inside in ((-0.02, event.what == "left"), (0.02, event.what == "entered")):
            steps = round((event.time + late) / 1e-4)
            bias = rs.descend(problem, start, step_size=1e-4, steps=steps).network.biases[0]
            assert (bias < 0) == inside
    # a target that bends down: the neuron of an affine start is drawn in
    run = rs.flow(interval_of(SQUARE, 0, 1), rs.Network([1.0], [0.01], [0.8]), time=20.0)
    assert ("end", 0.0, "entered") in [(e.kind, e.place, e.what) for e in run.events]


# ------------------------------------------------------------------------------------ on data


def far_from_descent(problem, net, time, step):
    run = rs.flow(problem, net, time=time)
    steps = round(time / step)
    end = rs.descend(problem, net, step_size=step, steps=steps).network.to_vector()
    return run, float(np.abs(run.network.to_vector() - end).max())


def test_many_small_slides_are_the_limit_of_descent():
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(-1, 1, 12))
    y = np.abs(x) + 0.4 * rng.normal(size=12)
    net = rs.Network([1.0, -0.8, 0.9], [0.3, 0.2, -0.1], [0.5, 0.9, -0.4], 0.1)
    run, far = far_from_descent(rs.Samples(x, y), net, 12.0, 1e-5)
    assert {"crossed", "slides", "released"} <= {event.what for event in run.events}
    assert far < 2e-4
    assert run.drift < 1e-10


def test_a_sliding_breakpoint_stays_on_its_datum():
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(-1, 1, 12))
    y = np.abs(x) + 0.4 * rng.normal(size=12)
    net = rs.Network([1.0, -0.8, 0.9], [0.3, 0.2, -0.1], [0.5, 0.9, -0.4], 0.1)
    problem = rs.Samples(x, y)
    whole = rs.flow(problem, net, time=12.0)
    start = next(e for e in whole.events if e.what == "slides")
    later = [e.time for e in whole.events if e.neuron == start.neuron and e.time > start.time]
    middle = start.time + 0.5 * ((later[0] if later else 12.0) - start.time)
    there = rs.flow(problem, net, time=middle).network
    at = -there.biases[start.neuron] / there.weights[start.neuron, 0]
    assert at == pytest.approx(start.place, abs=1e-14)
    # both one-sided gradients push it back: the derivative in b changes its sign there
    j = net.width + start.neuron
    gains = []
    for shift in (-1e-9, 1e-9):
        b = there.biases.copy()
        b[start.neuron] += shift
        moved = rs.Network(there.weights, b, there.outputs, there.offset)
        gains.append(problem.gradient(moved)[j])
    assert gains[0] <= 0 <= gains[1]


def most_sliding(run):
    sliding, most = set(), 0
    for event in run.events:
        if event.what == "slides":
            sliding.add(event.neuron)
        elif event.what in ("released", "vanished"):
            sliding.discard(event.neuron)
        most = max(most, len(sliding))
    return most


def test_two_neurons_may_slide_at_once():
    x = np.linspace(-1, 1, 7)
    problem = rs.Samples(x, np.abs(x))
    rng = np.random.default_rng(11)
    for _ in range(20):
        w, b, v = rng.normal(size=(3, 4))
        net = rs.Network(w, b, v, 0.1)
        run = rs.flow(problem, net, time=20.0)
        if most_sliding(run) > 1:
            break
    assert most_sliding(run) > 1
    end = rs.descend(problem, net, step_size=1e-4, steps=200_000).network
    np.testing.assert_allclose(run.network.to_vector(), end.to_vector(), atol=2e-3)


@pytest.mark.parametrize("at_zero", ["gt", "ge"])
def test_a_start_on_a_datum_goes_where_descent_goes(at_zero):
    # e = -1 there: not counted, the datum moves only c; counted, it draws the neuron to itself
    problem = rs.Samples([0.0], [1.0])
    start = rs.Network([1.0], [0.0], [1.0])
    run = rs.flow(problem, start, time=1.0, at_zero=at_zero)
    assert (float(run.network.biases[0]) == 0.0) == (at_zero == "gt")
    end = rs.descend(problem, start, step_size=1e-5, steps=100_000, at_zero=at_zero).network
    np.testing.assert_allclose(run.network.to_vector(), end.to_vector(), atol=1e-4)


def test_one_datum_has_a_closed_form():
    # c alone moves: dc/dt = -2 (c - 1), the neuron is dead at x = 2 and stays so
    problem = rs.Samples([2.0], [1.0])
    run = rs.flow(problem, rs.Network([1.0], [-3.0], [1.0], 0.0), time=1.0)
    assert float(run.network.offset) == pytest.approx(1 - np.exp(-2.0), rel=1e-11)
    assert run.network.to_vector()[:3] == pytest.approx([1.0, -3.0, 1.0], abs=0)


def test_affine_decay_in_closed_form():
    # width 0 is c + u x on [-1, 1], target x: du/dt = -2 (2/3) (u - 1), dc/dt = -4 c
    problem = rs.Interval(rs.affine(1, 0), -1, 1)
    run = rs.flow(problem, rs.Network([], [], [], 0.5, skip=[0.0]), time=1.0)
    assert run.network.to_vector() == pytest.approx(
        [0.5 * np.exp(-4.0), 1 - np.exp(-4 / 3)], rel=1e-9
    )


# --------------------------------------------------------------------------------- w = b = 0


def test_a_neuron_at_zero_stays_or_leaves_as_asked():
    problem = rs.Interval(rs.affine(1, 0), 0, 1)
    start = rs.Network([0.0], [0.0], [1.0], 0.5)
    stays = rs.flow(problem, start, time=5.0)
    assert stays.outcome == "stationary"
    assert stays.network == start
    leaves = rs.flow(problem, start, time=5.0, at_zero="ge")
    assert leaves.risks[-1] < 0.05
    # its limit is that of descent: to O(step)
    end = rs.descend(problem, start, step_size=1e-5, steps=500_000, at_zero="ge").network
    np.testing.assert_allclose(leaves.network.to_vector(), end.to_vector(), atol=1e-4)


def test_a_neuron_runs_into_zero_and_stays_there():
    # On [-1, 1] with an even error w = 0 is kept and b falls: b' = -4 v e, all at constants.
    # (b, v, c) obey b' = -4 v e, v' = -4 b e, c' = -4 e with e = c + v b - y.
    problem = rs.Interval(rs.polynomial([-2.0]), -1, 1)
    run = rs.flow(problem, rs.Network([0.0], [0.3], [1.0], 0.0), time=3.0)
    assert [e.what for e in run.events] == ["vanished"]
    assert run.events[0].kind == "zero"
    assert run.events[0].place is None
    assert run.network.weights[0, 0] == 0.0
    assert run.network.biases[0] == 0.0
    assert float(run.network.outputs[0]) == pytest.approx(np.sqrt(1 - 0.09), rel=1e-9)


# -------------------------------------------------------------------------------- symmetries


def test_symmetries_that_preserve_lengths(network_of, interval_of):
    problem, net = interval_of(ZIGZAG, -1, 1), SIX
    end = rs.flow(problem, network_of(net), time=2.0).network
    order = [3, 1, 5, 0, 2, 4]
    permuted = Plain(*(tuple(np.array(p)[order]) for p in (net.w, net.b, net.v)), net.c)
    other = rs.flow(problem, network_of(permuted), time=2.0).network
    np.testing.assert_allclose(other.biases, end.biases[order], atol=1e-9)
    mirrored = Pieces.of(
        [-t for t in reversed(ZIGZAG.breaks)],
        [[c * (-1) ** i for i, c in enumerate(row)] for row in reversed(ZIGZAG.coefficients)],
    )
    turned = Plain(tuple(-w for w in net.w), net.b, net.v, net.c)
    other = rs.flow(interval_of(mirrored, -1, 1), network_of(turned), time=2.0).network
    np.testing.assert_allclose(other.weights, -end.weights, atol=1e-9)
    np.testing.assert_allclose(other.outputs, end.outputs, atol=1e-9)
    negated = Pieces.of(ZIGZAG.breaks, [[-c for c in row] for row in ZIGZAG.coefficients])
    turned = Plain(net.w, net.b, tuple(-v for v in net.v), -net.c)
    other = rs.flow(interval_of(negated, -1, 1), network_of(turned), time=2.0).network
    np.testing.assert_allclose(other.weights, end.weights, atol=1e-9)
    np.testing.assert_allclose(other.outputs, -end.outputs, atol=1e-9)


def test_equal_neurons_stay_equal(network_of, interval_of):
    net = rs.Network([1.0, 1.0, -0.5], [-0.2, -0.2, 0.3], [0.4, 0.4, 0.8])
    run = rs.flow(interval_of(TENT, 0, 1), net, time=20.0)
    w, b, v, _ = np.split(run.network.to_vector(), [3, 6, 9])
    np.testing.assert_allclose([w[0], b[0], v[0]], [w[1], b[1], v[1]], atol=1e-8)


# ------------------------------------------------------------------------------ what is told


def test_recorded_times(interval_of, network_of):
    problem, net = interval_of(TENT, 0, 1), network_of(PAIR)
    run = rs.flow(problem, net, time=2.0, record=[0.5, 1.25])
    np.testing.assert_array_equal(run.times, [0.0, 0.5, 1.25, 2.0])
    for t, risk in zip(run.times[1:], run.risks[1:], strict=True):
        end = rs.flow(problem, net, time=float(t)).network
        assert risk == pytest.approx(problem.risk(end), rel=1e-9)
    assert len(rs.flow(problem, net, time=2.0, record=7).risks) == 8
    seen = []
    rs.flow(problem, net, time=2.0, record=4, progress=lambda m, f: seen.append((m, f)))
    assert [m for m, _ in seen] == ["flow"] * 5
    assert all(x < y for x, y in pairwise([f for _, f in seen]))
    assert seen[-1][1] == 1.0


def test_a_saddle_is_stationary():
    saddle = rs.Network([1, -1], [-1 / 3, 2 / 3], [2 / 3, -2 / 3], 1 / 2)
    run = rs.flow(rs.Interval(rs.affine(1, 0), 0, 1), saddle, time=10.0)
    assert run.outcome == "stationary"
    assert run.gradient_norm < 1e-15
    assert len(run.risks) == 1


def test_a_start_beside_a_saddle_leaves_it():
    # The curvature there is -0.0266867339: 1e-6 grows by exp(0.0267 t), to 1 at t = 518.
    saddle = rs.Network([1, -1], [-1 / 3, 2 / 3], [2 / 3, -2 / 3], 1 / 2)
    problem = rs.Interval(rs.affine(1, 0), 0, 1)
    downward = np.linalg.eigh(problem.hessian(saddle))[1][:, 0]
    start = rs.Network.from_vector(saddle.to_vector() + 1e-6 * downward)
    run = rs.flow(problem, start, time=1200.0, record=[100.0, 200.0])
    assert run.risks[-1] < 0.01 / 972
    # from t = 100 to 200 the gain grows by the square of what the distance does
    gains = 1 / 972 - run.risks[1:3]
    assert gains[1] / gains[0] == pytest.approx(np.exp(2 * 0.0266867339 * 100), rel=0.01)


def test_at_a_minimum_it_rests(interval_of):
    start = rs.Network([1, 1], [1, -0.45], [-1, 2], 1.4)
    run = rs.flow(interval_of(TENT, 0, 1), start, time=1e5, record=1000)
    assert run.outcome == "stationary"
    assert run.times[-1] < 3000
    # with nothing recorded on the way nobody looks, and the run goes on to the end
    assert rs.flow(interval_of(TENT, 0, 1), start, time=1e3, record=1).outcome == "finished"
    assert run.risks[-1] < 1e-18
    assert plain_of(run.network).kinks()[1] == pytest.approx(0.5, abs=1e-9)
    assert "stationary" in repr(run)


def test_a_hopeless_run_says_so(interval_of):
    # a curvature of 1e40 lets an explicit method make steps of 1e-40
    run = rs.flow(interval_of(IDENTITY, 0, 1), rs.Network([1e20], [0.3], [1.0]), time=1.0)
    assert run.outcome == "stalled"
    assert run.times[-1] < 1e-30
    assert np.all(np.isfinite(run.network.to_vector()))
    assert run.risks[-1] < run.risks[0]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"time": 0.0}, "time"),
        ({"time": -1.0}, "time"),
        ({"time": float("nan")}, "time"),
        ({"time": float("inf")}, "time"),
        ({"time": "long"}, "time"),
        ({"record": 0}, "record"),
        ({"record": [0.5, 0.2]}, "record"),
        ({"record": [0.5, 3.0]}, "record"),
        ({"record": [float("nan")]}, "record"),
        ({"tolerance": 1.0}, "tolerance"),
        ({"tolerance": 1e-20}, "tolerance"),
        ({"at_zero": "eq"}, "at_zero"),
        ({"problem": rs.Samples(np.ones((3, 2)), np.ones(3))}, "one input"),
        ({"problem": rs.Samples(np.ones(3), np.ones((3, 2)))}, "shape"),
        ({"network": rs.Network([1e80], [0.0], [1.0])}, "beyond"),
        ({"network": rs.Network([[1.0, 2.0]], [0.0], [1.0])}, "input"),
        ({"network": rs.Network([1.0], [0.0], [[1.0, 2.0]])}, "target"),
    ],
)
def test_refusals(change, word):
    call = {
        "problem": rs.Interval(rs.affine(1, 0), 0, 1),
        "network": rs.Network([1.0], [0.0], [1.0]),
        "time": 1.0,
    } | change
    with pytest.raises(rs.InputError, match=word):
        rs.flow(call.pop("problem"), call.pop("network"), **call)
