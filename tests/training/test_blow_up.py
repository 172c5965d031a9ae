"""When a run is said to blow up, and when not: no false alarms; what is recorded on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluscape as rs
from limit_sequences import permuted
from reluscape.training.blow_up import jumps_of

STEP = rs.Interval(rs.step(0.5), 0, 1)


def ramp(width, at=0.5, height=1.0, low=0.0):
    """From `low` to `low + height` around a place."""
    scale = (abs(height) / width) ** 0.5
    ends = np.array([at - width / 2, at + width / 2])
    outputs = np.sign(height) * scale * np.array([1.0, -1.0])
    return rs.Network(np.full(2, scale), -scale * ends, outputs, low)


def clipped(steep, jump=0.0):
    """A ramp from 0 to 1 around 1/2 of this steepness, with a jump in its middle."""
    half = 0.5 / steep
    slope = steep * (1 - jump)
    return rs.piecewise_polynomial(
        [0, 0.5 - half, 0.5, 0.5 + half, 1],
        [[0], [-slope * (0.5 - half), slope], [1 - slope * (0.5 + half), slope], [1]],
    )


# ------------------------------------------------------------------------- no false alarms


@pytest.mark.parametrize("steep", [3, 10, 50, 1000])
@pytest.mark.parametrize("steps", [300, 3_000, 30_000, 300_000])
def test_continuous_targets_are_never_reported(steep, steps):
    """However far the ramps are on their way to the target's own steepness."""
    problem = rs.Interval(clipped(steep), 0, 1)
    run = rs.descend(problem, ramp(0.5), step_size=0.01, steps=steps)
    assert (run.outcome, run.limit) == ("finished", None)
    assert run.risks[-1] < run.risks[0]


@pytest.mark.parametrize("seed", range(6))
def test_random_runs_on_continuous_targets(seed):
    for target, a, b in (
        (rs.expression("abs(x - 1/2)"), 0, 1),
        (rs.expression("x^3 - x"), -1, 1),
        (rs.piecewise_linear([0, 0.3, 0.35, 1], [0, 0.2, 1.2, 1]), 0, 1),
    ):
        start = rs.standard_normal(6, np.random.default_rng(seed), skip=seed % 2 == 0)
        run = rs.descend(rs.Interval(target, a, b), start, step_size=0.02, steps=20_000)
        assert (run.outcome, run.limit) == ("finished", None)


def test_a_flow_on_a_continuous_target():
    run = rs.flow(rs.Interval(clipped(20), 0, 1), ramp(0.5), time=100.0)
    assert run.outcome in ("finished", "stationary")
    assert run.limit is None


@pytest.mark.parametrize(("steep", "jump"), [(8, 0.01), (8, 0.1), (50, 0.01), (50, 0.2)])
def test_a_small_jump_in_a_steep_rise_is_not_worth_it(steep, jump):
    """The ramp has a best width, about that of the rise: narrowing it to nothing does not pay.

    With 50 the runs are stopped where a jump would still do better than the ramp.
    """
    problem = rs.Interval(clipped(steep, jump), 0, 1)
    for steps in (1_000, 10_000, 100_000, 1_000_000):
        run = rs.descend(problem, ramp(0.5), step_size=0.01, steps=steps)
        assert (run.outcome, run.limit) == ("finished", None)


def test_data_are_never_reported_but_can_be_asked():
    """Between two inputs a steep piece does as well as a jump."""
    x = (np.arange(2000) + 0.5) / 2000
    problem = rs.Samples(x, np.where(x > 0.5, 1.0, 0.0))
    run = rs.descend(problem, ramp(0.5), step_size=0.01, steps=300_000)
    assert (run.outcome, run.limit) == ("finished", None)
    found = rs.limit_response(run.snapshots, steps=run.snapshot_steps, domain=(0, 1))
    assert found.response.multiplicities.tolist() == [2]
    assert found.response.thresholds[0] == pytest.approx(0.5, abs=1e-3)


def test_jumps_that_runs_do_not_meet():
    """The target jumps at 1/2, the neurons are busy elsewhere, and settle there."""
    target = rs.piecewise_polynomial([0, 0.5, 1, 2, 3], [[0], [0.01], [-0.99, 1], [1.01]])
    problem = rs.Interval(target, 0, 3)
    start = rs.Network([1.0, 1.0], [-1.2, -1.8], [1.0, -1.0])
    run = rs.descend(problem, start, step_size=0.01, steps=100_000)
    assert (run.outcome, run.limit) == ("finished", None)


def test_runs_that_are_too_short_or_go_nowhere():
    for steps in (0, 1, 5):
        assert rs.descend(STEP, ramp(0.05), step_size=1e-3, steps=steps).outcome == "finished"
    still = rs.descend(STEP, ramp(0.05), step_size=1e-12, steps=1000)
    assert (still.outcome, still.limit) == ("finished", None)


@pytest.mark.parametrize(("step_size", "steps"), [(0.1, 1_000_000), (0.05, 50_000)])
def test_a_step_that_is_too_long_for_the_ramp_is_no_blow_up(step_size, steps):
    """Its risk jumps up when the curvature passes 2 / step_size; later the bends stop growing."""
    run = rs.descend(STEP, ramp(0.5), step_size=step_size, steps=steps)
    assert (np.diff(run.risks) > 0.0).any()
    assert (run.outcome, run.limit) == ("finished", None)


# ------------------------------------------------------------------------- true alarms


@pytest.mark.parametrize(
    ("at", "low", "height"), [(0.25, 0.0, 1.0), (0.7, -1.0, 2.0), (0.5, 3.0, -0.5)]
)
def test_jumps_of_any_size_anywhere(at, low, height):
    """The same step in other units: 1[x > at] height + low on [0, 1]."""
    target = rs.piecewise_polynomial([0, at, 1], [[low], [low + height]])
    start = ramp(0.2, at, height, low)
    run = rs.descend(rs.Interval(target, 0, 1), start, step_size=0.005, steps=2_000_000)
    assert run.outcome == "blowing up"
    (jump,) = run.limit.jumps
    assert run.limit.response.thresholds.tolist() == [at]
    assert jump.heights[-1] == pytest.approx(abs(height), rel=0.02)
    ends = run.limit.response([0.5 * at, 0.5 + 0.5 * at])
    np.testing.assert_allclose(ends, [low, low + height], atol=0.05 * abs(height))


def test_two_jumps_at_once():
    target = rs.piecewise_polynomial([0, 0.3, 0.7, 1], [[0], [1], [-0.5]])
    one, two = ramp(0.15, 0.3), ramp(0.15, 0.7, -1.5)
    start = rs.Network(
        np.vstack([one.weights, two.weights]),
        np.append(one.biases, two.biases),
        np.append(one.outputs, two.outputs),
    )
    run = rs.descend(rs.Interval(target, 0, 1), start, step_size=0.003, steps=2_000_000)
    assert run.outcome == "blowing up"
    assert {group.neurons for group in run.limit.jumps} == {(0, 1), (2, 3)}
    assert run.limit.response.thresholds.tolist() == [0.3, 0.7]
    np.testing.assert_allclose(run.limit.response([0.1, 0.5, 0.9]), [0, 1, -0.5], atol=0.03)


def test_jump_and_slope():
    """A step onto a slope: the jump's term has both. With a skip connection and leaky ReLU."""
    target = rs.piecewise_polynomial([0, 0.5, 1], [[0], [0.5, 1]])
    plain = ramp(0.3)
    for skip, activation in ((None, "relu"), ([0.0], "relu"), ([0.0], rs.leaky(0.1))):
        start = rs.Network(
            plain.weights, plain.biases, plain.outputs, 0.0, skip, activation=activation
        )
        run = rs.descend(rs.Interval(target, 0, 1), start, step_size=0.01, steps=1_000_000)
        assert run.outcome == "blowing up"
        x = np.array([0.1, 0.4, 0.6, 0.9])
        np.testing.assert_allclose(run.limit.response(x), [0, 0, 1.1, 1.4], atol=0.03)


@settings(max_examples=6)
@given(st.integers(0, 1000))
def test_neither_order_nor_scale_matters_to_the_flow(seed):
    """Rescaled by at most 2 the descent is another one, but it blows up all the same."""
    rng = np.random.default_rng(seed)
    start = ramp(0.3)
    by = 2.0 ** rng.uniform(-1, 1, size=2)
    scaled = rs.Network(start.weights * by[:, None], start.biases * by, start.outputs / by)
    order = rng.permutation(2)
    run = rs.descend(STEP, permuted(scaled, order), step_size=0.01, steps=500_000)
    assert run.outcome == "blowing up"
    assert run.limit.jumps[0].heights[-1] == pytest.approx(1.0, abs=0.01)
    assert run.norms[0] == pytest.approx(rs.descend(STEP, start, step_size=1, steps=0).norms[0])


# ------------------------------------------------------------------------- what is recorded


@pytest.mark.parametrize("skip", [None, [0.3]])
@pytest.mark.parametrize(
    ("steps", "every"), [(0, None), (1, None), (37, 5), (250_000, 100), (9, 20)]
)
def test_snapshots_are_the_iterates(skip, steps, every):
    """Those of a descent of as many steps, and the last is the network: in several chunks, too."""
    rng = np.random.default_rng(0)
    drawn = rs.standard_normal(5, rng)
    start = rs.Network(drawn.weights, drawn.biases, drawn.outputs, drawn.offset, skip)
    problem = rs.Interval(rs.expression("x^2"), 0, 1)
    run = rs.descend(problem, start, step_size=0.01, steps=steps, record_every=every)
    assert len(run.norms) == len(run.risks) == len(run.recorded)
    assert len(run.snapshots) == len(run.snapshot_steps) <= 33
    if steps:
        assert run.snapshots[-1] == run.network
        assert run.snapshot_steps[-1] == steps
        assert (np.diff(run.snapshot_steps) > 0).all()
    for made, net in list(zip(run.snapshot_steps, run.snapshots, strict=True))[::5]:
        again = rs.descend(problem, start, step_size=0.01, steps=int(made))
        np.testing.assert_allclose(
            net.to_vector(), again.network.to_vector(), rtol=1e-9, atol=1e-12
        )
        (at,) = np.flatnonzero(run.recorded == made)
        assert run.risks[at] == pytest.approx(problem.risk(net), rel=1e-12)
        assert run.norms[at] == pytest.approx(by_hand(net), rel=1e-13)
    assert run.norms[0] == pytest.approx(by_hand(start), rel=1e-13)


def by_hand(net):
    """Rescale each neuron to w² + b² = v², and take the length of all (w, b, v)."""
    total = 0.0
    for w, b, v in zip(net.weights, net.biases, np.atleast_2d(net.outputs.T).T, strict=True):
        inner, outer = float(np.hypot.reduce([*w, b])), float(np.hypot.reduce(v))
        if inner and outer:
            scale = np.sqrt(outer / inner)
            total += (inner * scale) ** 2 + (outer / scale) ** 2
    return np.sqrt(total)


def test_snapshots_of_rows():
    rng = np.random.default_rng(1)
    problem = rs.Samples(rng.normal(size=(30, 2)), rng.normal(size=(30, 2)))
    start = rs.Network(
        rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=(3, 2)), np.zeros(2)
    )
    run = rs.descend(problem, start, step_size=0.01, steps=200, record_every=10)
    assert run.snapshots[-1] == run.network
    assert run.norms[-1] == pytest.approx(by_hand(run.network), rel=1e-13)
    assert run.snapshot_steps[0] == 10.0
    again = rs.descend(problem, start, step_size=0.01, steps=10)
    np.testing.assert_allclose(run.snapshots[0].to_vector(), again.network.to_vector(), rtol=1e-12)


def test_snapshots_of_a_diverging_run():
    x = np.linspace(0, 10, 50)
    net = rs.Network([1.0, -1.0], [0.5, 2.0], [3.0, 1.0])
    run = rs.descend(rs.Samples(x, x**2), net, step_size=10.0, steps=5000, record_every=1)
    assert run.outcome == "diverged"
    assert run.snapshots[-1] == run.network
    assert run.snapshot_steps[-1] == run.steps
    assert np.isfinite(run.trail).all()
    assert len(run.norms) == len(run.risks)


def test_snapshots_of_a_flow():
    problem = rs.Interval(rs.expression("x^2"), 0, 1)
    start = rs.Network([1.0, -1.0], [-0.3, 0.6], [0.5, 0.4])
    run = rs.flow(problem, start, time=2.0, record=50)
    assert run.snapshots[-1] == run.network
    assert run.snapshot_times[-1] == 2.0
    assert run.norms[0] == pytest.approx(by_hand(start), rel=1e-13)
    assert run.norms[-1] == pytest.approx(by_hand(run.network), rel=1e-13)
    for time, net in zip(run.snapshot_times, run.snapshots, strict=True):
        (at,) = np.flatnonzero(run.times == time)
        assert run.risks[at] == pytest.approx(problem.risk(net), rel=1e-12)


def test_networks_without_neurons():
    nothing = rs.Network(np.zeros((0, 1)), np.zeros(0), np.zeros(0), 0.1)
    run = rs.descend(STEP, nothing, step_size=0.1, steps=50)
    assert (run.outcome, run.limit) == ("finished", None)
    assert not run.norms.any()


def test_where_targets_jump():
    def found(target, a=0, b=1):
        return jumps_of(rs.Interval(target, a, b)).tolist()

    assert found(rs.step(0.5)) == [0.5]
    assert found(rs.step(0.0)) == []
    assert found(clipped(10)) == []
    assert found(clipped(10, 0.01)) == [0.5]
    assert found(rs.piecewise_polynomial([0, 0.1, 0.2, 1], [[1e9], [1e9 + 1e-9], [0]])) == [0.2]
