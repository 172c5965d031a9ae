"""What many descents commute with, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from ensemble_cases import (
    AGREE_ADAM,
    INTERVALS,
    PROBLEMS,
    RISK,
    RULES,
    STEPS,
    name_of,
    starts,
)
from reluscape.training.ensemble import run_ensemble
from reluscape.training.optimisers import (
    Adam,
    HeavyBall,
    StochasticGradientDescent,
)

# -------------------------------------------------------------------------------------- symmetries


def parts(theta, width):
    return np.split(theta, [width, 2 * width, 3 * width, 3 * width + 1], axis=-1)


def moved(theta, width, *, w=1.0, v=1.0, order=None, up=0.0):
    """Change signs, permute neurons, lift the offset."""
    order = np.arange(width) if order is None else order
    a, b, out, c, u = parts(theta, width)
    return np.hstack([w * a[:, order], b[:, order], v * out[:, order], v * c + up, w * v * u])


SYMMETRIC = {"step_size": 0.02, "steps": STEPS, "skip": True}


@pytest.mark.parametrize("rule", RULES, ids=name_of)
@pytest.mark.parametrize("activation", ["relu", rs.leaky(0.2)])
def test_what_descent_commutes_with(rule, activation):
    theta = starts(5, 4, skip=True)
    rng = np.random.default_rng(1)
    x, y, weights = rng.normal(size=20), rng.normal(size=20), rng.random(20) / 10

    def end(data, theta, **options):
        options = SYMMETRIC | {"optimiser": rule, "activation": activation} | options
        return run_ensemble(rs.Samples(*data), theta, **options).parameters

    base = end((x, y, weights), theta)
    near = pytest.approx
    order = np.array([2, 0, 3, 1])
    found = end((x, y, weights), moved(theta, 4, order=order))
    assert found == near(moved(base, 4, order=order), abs=AGREE_ADAM)
    found = end((x, -y, weights), moved(theta, 4, v=-1))
    assert found == near(moved(base, 4, v=-1), abs=AGREE_ADAM)
    found = end((-x, y, weights), moved(theta, 4, w=-1))
    assert found == near(moved(base, 4, w=-1), abs=AGREE_ADAM)
    found = end((x, y + 0.75, weights), moved(theta, 4, up=0.75))
    assert found == near(moved(base, 4, up=0.75), abs=AGREE_ADAM)
    shuffle = rng.permutation(20)
    assert end((x[shuffle], y[shuffle], weights[shuffle]), theta) == near(base, abs=AGREE_ADAM)
    halves = np.tile(weights / 2, 2)
    assert end((np.tile(x, 2), np.tile(y, 2), halves), theta) == near(base, abs=AGREE_ADAM)
    if not isinstance(rule, Adam):
        found = end((x, y, 3 * weights), theta, step_size=SYMMETRIC["step_size"] / 3)
        assert found == near(base, abs=AGREE_ADAM)


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_reflected_and_lifted_intervals(rule):
    theta = starts(5, 4, skip=True)
    options = SYMMETRIC | {"optimiser": rule}
    knots, heights = np.array([-1, -0.3, 0.2, 0.4, 2]), np.array([1, 0.5, -0.5, 0.75, 0])
    tent = rs.Interval(rs.piecewise_linear(knots, heights), -1, 2)
    base = run_ensemble(tent, theta, **options).parameters
    back = rs.Interval(rs.piecewise_linear(-knots[::-1], heights[::-1]), -2, 1)
    found = run_ensemble(back, moved(theta, 4, w=-1), **options).parameters
    assert found == pytest.approx(moved(base, 4, w=-1), abs=AGREE_ADAM)
    high = rs.Interval(rs.piecewise_linear(knots, 0.5 - heights), -1, 2)
    found = run_ensemble(high, moved(theta, 4, v=-1, up=0.5), **options).parameters
    assert found == pytest.approx(moved(base, 4, v=-1, up=0.5), abs=AGREE_ADAM)


@pytest.mark.parametrize("kind", ["cubic", "4 pieces", "12 pieces", "ties"])
def test_the_scale_of_a_neuron(kind):
    """(t w, t b, v / t) is the same function, but its gradient is (g_w / t, g_b / t, t g_v)."""
    problem, step = PROBLEMS[kind], 0.01
    theta = starts(9, 3, skip=True)
    t = np.array([0.5, 3.0, 1.7])
    a, b, v, c, u = parts(theta, 3)
    scaled = np.hstack([t * a, t * b, v / t, c, u])
    moves = [run_ensemble(problem, p, step_size=step, steps=1, skip=True).parameters - p
             for p in (theta, scaled)]  # fmt: skip
    da, db, dv, dc, du = parts(moves[0], 3)
    assert moves[1] == pytest.approx(np.hstack([da / t, db / t, t * dv, dc, du]), abs=RISK)
    # Along the orbit of that symmetry the gradient vanishes (Euler).
    assert a * da + b * db == pytest.approx(v * dv, abs=RISK)


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_equal_neurons_stay_equal(rule):
    theta = np.repeat(starts(9, 1), [3, 3, 3, 1], axis=1)
    ends = run_ensemble(INTERVALS["4 pieces"], theta, step_size=0.02, steps=60, optimiser=rule)
    for block in parts(ends.parameters, 3)[:3]:
        assert np.ptp(block, axis=1) == pytest.approx(np.zeros(9), abs=AGREE_ADAM)


# ---------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step_size": 0.0}, "step_size"),
        ({"step_size": -1.0}, "step_size"),
        ({"step_size": np.inf}, "step_size"),
        ({"step_size": np.nan}, "step_size"),
        ({"steps": -1}, "steps"),
        ({"steps": 1.5}, "steps"),
        ({"records": [6]}, "records"),
        ({"records": [-1]}, "records"),
        ({"records": [0.5]}, "records"),
        ({"monitor_every": 0}, "monitor_every"),
        ({"monitor_every": 2.5}, "monitor_every"),
        ({"at_zero": "eq"}, "at_zero"),
        ({"activation": "tanh"}, "activation"),
        ({"activation": "nonsense"}, "activation"),
        ({"parameters": np.zeros((2, 6))}, "parameters"),
        ({"parameters": np.zeros(7)}, "parameters"),
        ({"parameters": np.zeros((2, 0))}, "parameters"),
        ({"parameters": np.zeros((2, 1)), "skip": True}, "parameters"),
        ({"parameters": np.zeros((2, 7)), "skip": True}, "parameters"),
        ({"parameters": np.full((2, 7), np.nan)}, "parameters"),
        ({"parameters": np.full((2, 7), np.inf)}, "parameters"),
        ({"optimiser": StochasticGradientDescent(2)}, "Samples"),
        ({"keys": np.zeros(3, np.uint64)}, "keys"),
        ({"keys": np.zeros((2, 1), np.uint64)}, "keys"),
        ({"precision": "float32"}, "float64"),
        ({"problem": rs.Samples(np.zeros((3, 2)), np.zeros(3))}, "one input"),
        ({"problem": rs.Samples(np.zeros(3), np.zeros((3, 2)))}, "scalar"),
    ],
)
def test_refusals(change, message):
    good = {"problem": INTERVALS["cubic"], "parameters": starts(2, 2), "step_size": 0.1, "steps": 5}
    run_ensemble(**good)
    with pytest.raises(rs.InputError, match=message):
        run_ensemble(**(good | change))


@pytest.mark.parametrize(
    "make",
    [
        lambda: StochasticGradientDescent(0),
        lambda: StochasticGradientDescent(2.5),
        lambda: HeavyBall(1.0),
        lambda: HeavyBall(-0.1),
        lambda: HeavyBall(np.nan),
        lambda: Adam(beta1=1.0),
        lambda: Adam(beta2=-1e-9),
        lambda: Adam(epsilon=0.0),
        lambda: Adam(epsilon=np.inf),
    ],
)
def test_rules_refuse_numbers_out_of_range(make):
    with pytest.raises(rs.InputError, match=r"batch|momentum|beta|epsilon"):
        make()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threads": -1}, "threads"),
        ({"threads": 1.5}, "threads"),
        ({"keys": [-1, 0]}, "keys"),
        ({"keys": [0.5, 0.7]}, "keys"),
        ({"thresholds": 1e-3}, "thresholds"),
        ({"thresholds": ["low"]}, "thresholds"),
        ({"thresholds": [np.nan]}, "thresholds"),
        ({"device": "tpu"}, "device"),
        ({"precision": "float16"}, "float16"),
        ({"optimiser": "adam"}, "optimiser"),
        ({"problem": rs.affine(1, 0)}, "Interval"),
    ],
)
def test_further_refusals(change, message):
    good = {"problem": INTERVALS["cubic"], "parameters": starts(2, 2), "step_size": 0.1, "steps": 5}
    with pytest.raises(rs.InputError, match=message):
        run_ensemble(**(good | change))
