"""Many descents at once against the textbook's loops, one network and one step at a time."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from ensemble_cases import (
    AGREE,
    AGREE_ADAM,
    INTERVALS,
    PROBLEMS,
    RISK,
    RULES,
    SAMPLES,
    SEED,
    STEPS,
    name_of,
    starts,
)
from ensemble_oracle import by_fractions, by_problem, by_rows, path
from reluscape.training.ensemble import run_ensemble
from reluscape.training.optimisers import (
    Adam,
    GradientDescent,
    HeavyBall,
)


def agrees(problem, theta, gradient, rule=None, *, step_size=0.03, steps=STEPS, **options):
    """Compare ends, risks and one record with the textbook."""
    rule = GradientDescent() if rule is None else rule
    middle = steps // 3
    run = run_ensemble(
        problem, theta, step_size=step_size, steps=steps, optimiser=rule,
        records=[0, middle, steps], **options,
    )  # fmt: skip
    skip = options.get("skip", False)
    activation = options.get("activation", "relu")
    assert run.parameters.shape == theta.shape
    assert not run.diverged.any()
    assert (run.steps == steps).all()
    for row, start in enumerate(theta):
        walk = path(gradient, start, rule, step_size, steps)
        tolerance = AGREE_ADAM if isinstance(rule, Adam) else AGREE
        size = max(1.0, np.abs(walk).max())
        assert np.abs(run.parameters[row] - walk[-1]).max() < tolerance * size
        assert np.abs(walk[-1] - walk[0]).max() > 1e-3  # it went somewhere
        nets = [rs.Network.from_vector(walk[i], skip=skip, activation=activation)
                for i in (0, middle, steps)]  # fmt: skip
        risks = [problem.risk(net) for net in nets]
        assert run.records[row] == pytest.approx(risks, rel=tolerance, abs=tolerance)
        assert run.initial_risks[row] == pytest.approx(risks[0], rel=RISK)
        end = rs.Network.from_vector(run.parameters[row], skip=skip, activation=activation)
        assert run.risks[row] == pytest.approx(problem.risk(end), rel=RISK, abs=1e-28)
    return run


# ---------------------------------------------------------------------------- against the textbook


@pytest.mark.parametrize("rule", RULES, ids=name_of)
@pytest.mark.parametrize("kind", PROBLEMS)
def test_descents_are_those_of_the_textbook(kind, rule):
    problem = PROBLEMS[kind]
    if kind in INTERVALS:
        gradient = by_problem(problem)
    else:
        flat = rs.Samples(problem.x.reshape(-1), problem.y, problem.weights)
        gradient = by_rows(flat)
    agrees(problem, starts(3, 4), gradient, rule)


@pytest.mark.parametrize("rule", RULES, ids=name_of)
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("slope", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("kind", ["cubic", "4 pieces", "12 pieces", "ties"])
def test_leaky_relu_and_skip_connections(kind, slope, skip, rule):
    problem = PROBLEMS[kind]
    judge = by_rows if kind in SAMPLES else by_problem
    gradient = judge(problem, skip=skip, slope=slope)
    activation = rs.leaky(slope) if slope else "relu"
    theta = starts(2, 3, skip=skip, seed=SEED)
    agrees(problem, theta, gradient, rule, skip=skip, activation=activation)


@pytest.mark.parametrize("width", [0, 1, 2, 16, 33])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("kind", ["cubic", "4 pieces", "12 pieces", "weighted"])
def test_every_width(kind, skip, width):
    problem = PROBLEMS[kind]
    judge = by_rows if kind in SAMPLES else by_problem
    theta = starts(2, width, skip=skip, scale=1 if width < 5 else 0.4)
    for rule in RULES:
        # Momentum makes steps five times as long.
        agrees(problem, theta, judge(problem, skip=skip), rule, steps=40, skip=skip, step_size=0.01)


def test_many_runs_of_one_problem():
    problem = PROBLEMS["7 pieces"]
    agrees(problem, starts(21, 5), by_problem(problem), steps=30)


# ------------------------------------------------------------------------------------- degenerate


def degenerate():
    """Rows of width 4 with neurons that have no breakpoint, or one on a datum or a border."""
    special = [(0, 0, 1), (0, 0, -2), (0, 0.5, 1), (0, -0.5, 1), (1, -1, 1), (-2, 2, 1), (1, 0, 1),
               (-1, 0, 0.5), (1, -0.5, 1), (3, 9, 1), (3, -9, 1), (-0.0, 0.0, 1.5),
               (0, 0, 0)]  # fmt: skip
    rows = []
    for i in range(len(special)):
        neurons = [special[i], special[(i + 5) % len(special)], (0.7, -0.2, 0.9), (-0.4, 0.3, -0.6)]
        rows.append([*np.array(neurons, float).T.ravel(), 0.2])
    return np.array(rows)


ON_ROWS = rs.Samples([0.0, 0.5, 0.5, 1.0, 0.25], [1.0, 0.0, 0.5, -1.0, 0.3])


@pytest.mark.parametrize("at_zero", ["gt", "ge"])
@pytest.mark.parametrize("slope", [0.0, 0.25])
@pytest.mark.parametrize("kind", ["data", "affine", "jump", "12 pieces"])
@pytest.mark.parametrize("rule", RULES[:2], ids=name_of)
def test_one_step_from_degenerate_networks(kind, slope, at_zero, rule):
    problem = ON_ROWS if kind == "data" else INTERVALS[kind]
    judge = by_rows if kind == "data" else by_problem
    gradient = judge(problem, slope=slope, at_zero=at_zero)
    activation = rs.leaky(slope) if slope else "relu"
    options = {"activation": activation, "at_zero": at_zero}
    agrees(problem, degenerate(), gradient, rule, steps=1, step_size=0.1, **options)


def test_conventions_differ_where_they_should():
    ends = [
        run_ensemble(ON_ROWS, degenerate(), step_size=0.1, steps=1, at_zero=at_zero).parameters
        for at_zero in ("gt", "ge")
    ]
    differ = (ends[0] != ends[1]).any(axis=1)
    assert differ[0]  # a neuron w = b = 0 with v != 0
    assert differ[4]  # a row on its breakpoint
    assert not differ[10]  # no breakpoint on a row, none of w = b = 0


@pytest.mark.parametrize("rule", RULES, ids=name_of)
@pytest.mark.parametrize(
    "kind",
    [
        "affine",
        "4 pieces",
        "12 pieces",
        "small",
    ],
)
def test_dead_neurons_stay_and_do_not_disturb(kind, rule):
    problem = PROBLEMS[kind]
    alive = starts(4, 3)
    w, b, v, c = np.split(alive, [3, 6, 9], axis=1)
    still = np.array([[0.0, -1.0, 1.0], [1.0, -50.0, -2.0]])  # never active here
    both = np.hstack([
        w[:, :1], np.tile(still[:, 0], (4, 1)), w[:, 1:],
        b[:, :1], np.tile(still[:, 1], (4, 1)), b[:, 1:],
        v[:, :1], np.tile(still[:, 2], (4, 1)), v[:, 1:], c,
    ])  # fmt: skip
    options = {"step_size": 0.02, "steps": STEPS, "optimiser": rule}
    less = run_ensemble(problem, alive, **options).parameters
    more = run_ensemble(problem, both, **options).parameters
    idle = np.array([1, 2, 6, 7, 11, 12])
    assert (more[:, idle] == both[:, idle]).all()
    assert np.delete(more, idle, axis=1) == pytest.approx(less, abs=AGREE_ADAM)


# ------------------------------------------------------------------------------ far from the origin

HERE = 1.7e9  # seconds since 1970
# One rounding of w of 1e-5 moves a sum w x + b by HERE * 2e-21 = 3e-12, one of b of 1e4 by 2e-12:
# over a few dozen steps less than this.
FAR = 1e-9
# The same for an offset near a million.
FAR_Y = 1e-8


def far_starts(runs, *, height=0.0):
    rng = np.random.default_rng(5)
    w = 1e-5 * rng.normal(size=(runs, 2))
    b = -w * (HERE + rng.uniform(0, 1e5, (runs, 2)))
    return np.hstack([w, b, rng.normal(size=(runs, 2)), height + rng.normal(size=(runs, 1))])


def far_distance(one, other, width=2):
    """Largest change of a sum w x + b, or of another parameter."""
    gap = np.abs(one - other)
    return max((HERE * gap[..., :width]).max(), gap[..., width:].max())


@pytest.mark.parametrize("height", [0.0, 1e6])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("rule", "step_size"),
    [(GradientDescent(), 2e-20), (HeavyBall(0.7), 5e-21), (Adam(0.8, 0.9, 1e-6), 2e-11)],
)
def test_times_in_seconds_and_prices_in_millions(rule, step_size, weighted, height):
    rng = np.random.default_rng(3)
    x = HERE + np.round(rng.uniform(0, 1e5, 8), 3)
    y = height + np.sin((x - HERE) / 2e4)
    problem = rs.Samples(x, y, rng.random(8) if weighted else None)
    theta = far_starts(2, height=height)
    run = run_ensemble(problem, theta, step_size=step_size, steps=25, optimiser=rule)
    for end, start in zip(run.parameters, theta, strict=True):
        walk = path(by_fractions(problem), start, rule, step_size, 25)
        assert far_distance(walk[-1], start) > 1e-2
        assert far_distance(end, walk[-1]) < (FAR_Y if height else FAR)


def test_an_interval_far_away():
    problem = rs.Interval(rs.piecewise_linear([HERE, HERE + 3e4, HERE + 1e5], [0, 1, 0]), HERE,
                          HERE + 1e5)  # fmt: skip
    theta = far_starts(9)
    # The mass is 1e5.
    run = run_ensemble(problem, theta, step_size=1e-25, steps=25)
    for end, start in zip(run.parameters, theta, strict=True):
        walk = path(by_problem(problem), start, GradientDescent(), 1e-25, 25)
        assert far_distance(walk[-1], start) > 1e-4
        assert far_distance(end, walk[-1]) < FAR
