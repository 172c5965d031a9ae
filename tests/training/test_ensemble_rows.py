"""A row of many descents depends on itself alone; what is kept of it; how it ends."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from ensemble_cases import (
    AGREE_ADAM,
    EVERY_RULE,
    INTERVALS,
    PROBLEMS,
    RISK,
    RULES,
    SAMPLES,
    name_of,
    starts,
)
from ensemble_oracle import BEYOND, by_problem, by_rows, first_passages, network, path
from reluscape.training.ensemble import run_ensemble
from reluscape.training.optimisers import (
    Adam,
    StochasticGradientDescent,
)

# ------------------------------------------------------------------------- a row depends on itself


def same(one, other, rows=slice(None)):
    """Check that two results are the same bit for bit (NaN too)."""
    for field in ("parameters", "risks", "initial_risks", "records", "times", "steps", "diverged"):
        left, right = getattr(one, field), getattr(other, field)[rows]
        assert left.shape == right.shape, field
        assert left.tobytes() == np.ascontiguousarray(right).tobytes(), field


def seventeen(problem, rule, theta, *, keys=None, **options):
    """Run with everything switched on; 17 rows some of which diverge."""
    if keys is None and isinstance(rule, StochasticGradientDescent):
        keys = np.arange(100, 100 + len(theta), dtype=np.uint64)
    return run_ensemble(
        problem, theta, step_size=0.02, steps=60, optimiser=rule, records=[0, 17, 59, 60],
        thresholds=[0.5, 0.1, 0.01], monitor_every=7, keys=keys, **options,
    )  # fmt: skip


def mixed_starts(runs=17, width=5):
    theta = starts(runs, width, seed=11)
    theta[[3, -5]] *= 100  # these diverge, unless by Adam
    theta[[5, 6], :width] = 0
    theta[[6, 8], width : 2 * width] = 0
    return theta


CASES = [("weighted", rule) for rule in EVERY_RULE]
CASES += [(kind, rule) for kind in ("4 pieces", "12 pieces") for rule in RULES]


@pytest.mark.parametrize(("kind", "rule"), CASES)
def test_a_result_depends_on_its_own_row_alone(kind, rule):
    problem, theta = PROBLEMS[kind], mixed_starts()
    keys = np.arange(100, 117, dtype=np.uint64)
    whole = seventeen(problem, rule, theta, keys=keys)
    if not isinstance(rule, Adam):
        assert set(np.flatnonzero(whole.diverged)) == {3, 12}
    for n in range(1, 17):
        same(seventeen(problem, rule, theta[:n], keys=keys[:n]), whole, slice(n))
        same(seventeen(problem, rule, theta[-n:], keys=keys[-n:]), whole, slice(-n, None))
    order = np.random.default_rng(0).permutation(17)
    same(seventeen(problem, rule, theta[order], keys=keys[order]), whole, order)
    several = np.repeat(np.arange(17), 3)
    for threads in (1, 2, 5, None):
        many = seventeen(problem, rule, theta[several], keys=keys[several], threads=threads)
        same(many, whole, several)


@pytest.mark.parametrize(("kind", "rule"), CASES)
def test_records_and_thresholds_do_not_change_a_run(kind, rule):
    problem, theta = PROBLEMS[kind], mixed_starts(9)
    options = {"step_size": 0.02, "optimiser": rule}
    plain = run_ensemble(problem, theta, steps=60, **options)
    every = run_ensemble(problem, theta, steps=60, records=range(61), **options)
    watched = run_ensemble(problem, theta, steps=60, thresholds=[0.1], monitor_every=1, **options)
    for other in (every, watched):
        for field in ("parameters", "risks", "initial_risks", "steps", "diverged"):
            assert getattr(plain, field).tobytes() == getattr(other, field).tobytes()
    assert every.records.shape == (9, 61)
    for steps in (0, 1, 23, 59):
        short = run_ensemble(problem, theta, steps=steps, **options)
        there = ~short.diverged
        assert (every.records[there, steps] == short.risks[there]).all()
        assert np.isnan(every.records[short.diverged, steps]).all()


def test_inputs_are_left_alone():
    theta = mixed_starts()
    before = theta.copy()
    theta.flags.writeable = False
    run = run_ensemble(INTERVALS["cubic"], theta, step_size=0.01, steps=20)
    assert (theta == before).all()
    strided = np.asfortranarray(np.repeat(theta, 2, axis=0))[::2]
    same(run_ensemble(INTERVALS["cubic"], strided, step_size=0.01, steps=20), run)


# -------------------------------------------------------------------------- records, first passages


@pytest.mark.parametrize("rule", RULES, ids=name_of)
@pytest.mark.parametrize("kind", ["small", "4 pieces", "12 pieces", "cubic"])
def test_records_and_first_passages(kind, rule):
    problem, theta = PROBLEMS[kind], starts(3, 3, seed=2)
    judge = by_rows if kind in SAMPLES else by_problem
    walks = [path(judge(problem), start, rule, 0.03, 50) for start in theta]
    risks = np.array([[problem.risk(network(t)) for t in walk] for walk in walks])
    # Bars just above and just below risks on and off the raster: far from ambiguous.
    at = risks[:, [0, 1, 6, 7, 8, 20, 49, 50]].ravel()
    bars = [1e300, *(at * (1 + 1e-6)), *(at * (1 - 1e-6)), 0.0, -1.0]
    for every in (1, 7, 50, 1000):
        run = run_ensemble(
            problem, theta, step_size=0.03, steps=50, optimiser=rule, records=range(51),
            thresholds=bars, monitor_every=every,
        )  # fmt: skip
        assert run.records == pytest.approx(risks, rel=AGREE_ADAM)
        assert run.times.dtype == np.int64
        expected = [first_passages(row, bars, every, 50) for row in risks]
        assert run.times.tolist() == expected
        assert (run.times[:, 0] == 0).all()
        assert (run.times[:, -2:] == -1).all()
    assert 50 in {t for row in expected for t in row}


# The monitored risk is promised to about 1e-15 of the mean square of the target.
MONITORED = 4e-15


@pytest.mark.parametrize("kind", ["affine", "12 pieces", "small"])
def test_small_thresholds_are_passed_in_time(kind):
    problem = PROBLEMS[kind]
    if kind == "12 pieces":  # the same line in twelve pieces
        x = np.linspace(0, 2, 13)
        problem = rs.Interval(rs.piecewise_linear(x, 0.5 * x - 0.4), 0, 2)
    elif kind == "small":
        problem = rs.Samples(problem.x, 1 + problem.x / 2)
    theta = np.abs(starts(8, 2, skip=True, seed=6, scale=0.2))
    bars = [10.0**-k for k in range(1, 14)]
    options = {"step_size": 0.1, "steps": 3000, "skip": True, "monitor_every": 1}
    run = run_ensemble(problem, theta, records=range(3001), thresholds=bars, **options)
    size = problem.risk(network(np.zeros(2), skip=True))
    early = [first_passages(row, [bar + MONITORED * size for bar in bars], 1, 3000)
             for row in run.records]  # fmt: skip
    late = [first_passages(row, [bar - MONITORED * size for bar in bars], 1, 3000)
            for row in run.records]  # fmt: skip
    assert (np.array(early) <= run.times).all()
    assert (run.times <= np.array(late)).all()
    assert (run.times[:, -1] > 0).any()


def test_no_steps():
    problem, theta = INTERVALS["4 pieces"], starts(3, 2)
    risks = [problem.risk(network(t)) for t in theta]
    bars = [2 * max(risks), min(risks) / 2]
    run = run_ensemble(problem, theta, step_size=0.1, steps=0, records=[0], thresholds=bars)
    assert (run.parameters == theta).all()
    assert run.risks == pytest.approx(risks, rel=RISK)
    assert (run.initial_risks == run.risks).all()
    assert (run.records[:, 0] == run.risks).all()
    assert run.times.tolist() == [[0, -1]] * 3
    assert run.steps.tolist() == [0] * 3
    assert not run.diverged.any()


def test_no_runs_records_or_thresholds():
    run = run_ensemble(INTERVALS["cubic"], np.empty((0, 7)), step_size=0.1, steps=5, records=[2])
    assert run.parameters.shape == (0, 7)
    assert run.records.shape == (0, 1)
    assert run.risks.shape == run.steps.shape == run.diverged.shape == (0,)
    run = run_ensemble(INTERVALS["cubic"], starts(3, 2), step_size=0.1, steps=5)
    assert run.records.shape == run.times.shape == (3, 0)


def test_progress_reaches_the_end():
    seen = []
    run_ensemble(
        INTERVALS["cubic"], starts(20, 2), step_size=0.1, steps=5,
        progress=lambda message, share: seen.append((message, share)),
    )  # fmt: skip
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(isinstance(message, str) and message for message, _ in seen)


# -------------------------------------------------------------------------------------- divergence

# An iterate far out triples the errors of the one before: some ten such steps.
AGREE_FAR_OUT = 1e-9
# No neuron of this activation is ever dead: all of them run away together.
AWAY = 0.5


@pytest.mark.parametrize("rule", RULES[:2], ids=name_of)
@pytest.mark.parametrize("kind", ["cubic", "4 pieces", "12 pieces", "weighted"])
def test_divergent_runs_stop_before_the_step_that_overflows(kind, rule):
    problem = PROBLEMS[kind]
    judge = by_rows if kind in SAMPLES else by_problem
    theta = starts(8, 3, seed=4)
    theta[[1, 4]] *= 100
    theta[6] *= 1e4
    options = {"step_size": 0.02, "steps": 60, "optimiser": rule, "records": range(61)}
    options |= {"thresholds": [1e-9], "monitor_every": 3, "activation": rs.leaky(AWAY)}
    run = run_ensemble(problem, theta, **options)
    gradient = judge(problem, slope=AWAY)
    with np.errstate(over="ignore", invalid="ignore"):
        walks = [path(gradient, start, rule, 0.02, 60) for start in theta]
    made = [len(walk) - 1 - (not (np.abs(walk[-1]) < BEYOND).all()) for walk in walks]
    assert run.steps.tolist() == made
    assert (run.diverged == (run.steps < 60)).all()
    wild, tame = np.flatnonzero(run.diverged), np.flatnonzero(~run.diverged)
    assert {1, 4, 6} <= set(wild)
    assert len(tame) >= 4
    for row in wild:
        last = walks[row][made[row]]
        gap = np.abs(run.parameters[row] - last).max()
        assert gap < AGREE_FAR_OUT * np.abs(last).max()
        end = network(run.parameters[row], slope=AWAY)
        assert run.risks[row] == pytest.approx(problem.risk(end), rel=RISK)
        assert np.isfinite(run.records[row, : made[row] + 1]).all()
        assert np.isnan(run.records[row, made[row] + 1 :]).all()
        assert run.records[row, made[row]] == run.risks[row]
    same(run_ensemble(problem, theta[tame], **options), run, tame)
    calm = theta.copy()
    calm[wild] = theta[tame[0]]
    neighbours = run_ensemble(problem, calm, **options)
    assert neighbours.parameters[tame].tobytes() == run.parameters[tame].tobytes()
