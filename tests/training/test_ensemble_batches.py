"""Descents on batches: unbiased, seeded, and right on data where a batch has no choice."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from ensemble_oracle import by_rows, first_passages, network, path
from oracles import weighted_sums
from records import Plain
from reluscape.training.ensemble import run_ensemble
from reluscape.training.optimisers import GradientDescent, StochasticGradientDescent

# A hundred sums over one row or batch: see test_ensemble.
AGREE = 1e-11
# Draws for statistics; a mean of so many is tested at SIGMAS standard errors, one false alarm in
# fifteen million numbers; seeds are fixed, so that a test that has passed does not fail.
DRAWS = 8000
SIGMAS = 5.3
# The relative error of a variance estimated from n nearly normal numbers is (2 / n)^(1/2); the
# largest excess kurtosis of these steps (batches of one) makes it at most three times as large.
SPREAD = 3 * SIGMAS * np.sqrt(2 / DRAWS)


def start(width=2, seed=4):
    return np.random.default_rng(seed).standard_normal(3 * width + 2)


def rows(n=12, *, weighted=False):
    rng = np.random.default_rng(1)
    x = rng.normal(size=n)
    weights = rng.random(n) ** 2 if weighted else None
    return rs.Samples(x, np.sin(2 * x) + rng.normal(size=n), weights)


def single_gradients(problem, theta):
    """Return the gradient that a batch of only row i gives, for each i, and how likely i is."""
    net = Plain.of(theta, skip=True)
    mass = problem.weights.sum()
    each = [weighted_sums(problem.x[[i]], problem.y[[i]], np.array([mass]), net)[1]
            for i in range(problem.size)]  # fmt: skip
    return np.array(each), problem.weights / mass


def estimates(problem, theta, batch, steps=1, draws=DRAWS, first=0, step_size=1e-7):
    """Return the sums of the gradients of steps so small that the parameters hardly move."""
    keys = np.arange(first, first + draws, dtype=np.uint64)
    run = run_ensemble(
        problem, np.tile(theta, (draws, 1)), step_size=step_size, steps=steps, skip=True,
        optimiser=StochasticGradientDescent(batch), keys=keys,
    )  # fmt: skip
    return (theta - run.parameters) / step_size


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (4, 1), (13, 1), (1, 6), (3, 4)])
def test_steps_are_unbiased_and_draws_independent(weighted, batch, steps):
    problem, theta = rows(weighted=weighted), start()
    found = estimates(problem, theta, batch, steps)
    each, share = single_gradients(problem, theta)
    mean = share @ each
    assert mean == pytest.approx(problem.gradient(network(theta, skip=True)), abs=1e-12)
    covariance = (each - mean).T @ ((each - mean) * share[:, None])
    # batch * steps independent draws, each divided by the size of the batch
    expected = covariance * steps / batch
    error = np.sqrt(np.diag(expected) / DRAWS)
    # the second term is the rounding of a step
    assert (np.abs(found.mean(axis=0) - steps * mean) < SIGMAS * error + 1e-6).all()
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected))) + 1e-12
    assert (np.abs(np.cov(found.T) - expected) < SPREAD * scale).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_every_row_is_drawn_as_often_as_its_weight_says(weighted):
    problem = rows(7, weighted=weighted)
    theta = start()
    each, share = single_gradients(problem, theta)
    found = estimates(problem, theta, 1)
    gaps = np.abs(found[:, None, :] - each[None]).max(axis=2)
    assert gaps.min(axis=1).max() < 1e-6  # a batch of one is a row
    drawn = np.bincount(gaps.argmin(axis=1), minlength=7)
    error = np.sqrt(DRAWS * share * (1 - share))
    assert (np.abs(drawn - DRAWS * share) < SIGMAS * error).all()
    # Keys one apart have nothing to do with each other.
    choice = gaps.argmin(axis=1)
    pairs = np.bincount(choice[1:] * 7 + choice[:-1], minlength=49).reshape(7, 7)
    joint = np.outer(share, share)
    error = np.sqrt(DRAWS * joint * (1 - joint))
    # the variance of a number of neighbouring pairs is at most three times that of independent ones
    assert (np.abs(pairs - (DRAWS - 1) * joint) < np.sqrt(3) * SIGMAS * error).all()


def test_rows_of_weight_zero_are_never_drawn():
    weights = np.array([0, 0, 1.0, 0, 0.5, 0])
    problem = rs.Samples(np.arange(6.0), np.array([1e9, -1e9, 1, 1e9, 2, -1e9]), weights)
    theta = start()
    each, _ = single_gradients(problem, theta)
    found = estimates(problem, theta, 1, draws=500)
    gaps = np.abs(found[:, None, :] - each[None, [2, 4]]).max(axis=2)
    assert gaps.min(axis=1).max() < 1e-6


def test_steps_of_one_run_are_independent():
    """Two steps on batches of one give all ordered pairs of rows, through momentum of position."""
    problem, theta = rows(3), start()
    found = estimates(problem, theta, 1, steps=2)
    each, _ = single_gradients(problem, theta)
    sums = {(i, j): each[i] + each[j] for i in range(3) for j in range(i, 3)}
    gaps = np.array([np.abs(found - total).max(axis=1) for total in sums.values()])
    assert gaps.min(axis=0).max() < 1e-4
    drawn = np.bincount(gaps.argmin(axis=0), minlength=len(sums))
    share = np.array([1 / 9 if i == j else 2 / 9 for i, j in sums])
    assert (np.abs(drawn - DRAWS * share) < SIGMAS * np.sqrt(DRAWS * share * (1 - share))).all()


# ------------------------------------------------------------------------------------------- keys


def run_with(keys, *, steps=40, problem=None, **options):
    keys = np.asarray(keys, np.uint64)
    return run_ensemble(
        rows() if problem is None else problem, np.tile(start(), (len(keys), 1)), step_size=0.02,
        steps=steps, skip=True, optimiser=StochasticGradientDescent(3), keys=keys, **options,
    )  # fmt: skip


def test_equal_keys_equal_runs():
    keys = [5, 9, 5, 2**40, 9, 5, 2**64 - 1, 2**40, 0, 5]
    ends = run_with(keys).parameters
    for i, one in enumerate(keys):
        for j, other in enumerate(keys):
            assert (ends[i].tobytes() == ends[j].tobytes()) == (one == other)
    assert run_with(keys).parameters.tobytes() == ends.tobytes()


def test_all_bits_of_a_key_count():
    keys = [0, *(2**i for i in range(64)), 2**64 - 1]
    ends = run_with(keys).parameters
    assert len({end.tobytes() for end in ends}) == len(keys)


def test_keys_by_default_are_numbers_of_rows():
    theta = np.tile(start(), (11, 1))
    options = {"step_size": 0.02, "steps": 20, "skip": True}
    rule = StochasticGradientDescent(3)
    found = run_ensemble(rows(), theta, optimiser=rule, **options)
    assert found.parameters.tobytes() == run_with(range(11), steps=20).parameters.tobytes()


def test_keys_do_not_matter_without_batches():
    theta = np.tile(start(), (9, 1))
    found = run_ensemble(
        rows(), theta, step_size=0.02, steps=20, skip=True, keys=np.arange(9, dtype=np.uint64)
    )
    assert (found.parameters == found.parameters[0]).all()


# ------------------------------------------------------------------------------ no choice of batch


@pytest.mark.parametrize("at_zero", ["gt", "ge"])
@pytest.mark.parametrize("slope", [0.0, 0.2])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("batch", [1, 3, 8, 11])
@pytest.mark.parametrize(
    "problem",
    [
        rs.Samples([0.7], [1.5]),
        rs.Samples([-0.5], [2.0], [0.75]),
        rs.Samples([0.7] * 5, [1.5] * 5),
        rs.Samples([-9.0, 0.4, 8.0], [1e3, 1.0, -1e3], [0, 1.5, 0]),
        rs.Samples([[0.7]], [1.5]),
    ],
    ids=["one row", "one weight", "one row five times", "one row counts", "column"],
)
def test_where_all_rows_are_the_same(problem, batch, skip, slope, at_zero):
    theta = np.random.default_rng(2).standard_normal((3, 10 + skip))
    theta[0, [0, 3]] = 0.0
    theta[1, [0, 3]] = 1.0, -problem.x[-1].item()  # on the row, if it is the last
    flat = rs.Samples(problem.x.reshape(-1), problem.y, problem.weights)
    activation = rs.leaky(slope) if slope else "relu"
    run = run_ensemble(
        problem, theta, step_size=0.02, steps=60, optimiser=StochasticGradientDescent(batch),
        skip=skip, activation=activation, at_zero=at_zero,
    )  # fmt: skip
    judge = by_rows(flat, skip=skip, slope=slope, at_zero=at_zero)
    for end, row in zip(run.parameters, theta, strict=True):
        walk = path(judge, row, GradientDescent(), 0.02, 60)
        assert end == pytest.approx(walk[-1], rel=AGREE, abs=AGREE)


@pytest.mark.parametrize("width", [0, 1, 16, 33])
def test_widths(width):
    problem = rs.Samples([0.7, 0.7], [1.5, 1.5])
    theta = np.random.default_rng(2).standard_normal((9, 3 * width + 1)) / (1 + width / 8)
    run = run_ensemble(
        problem, theta, step_size=0.01, steps=50, optimiser=StochasticGradientDescent(2)
    )
    for end, row in zip(run.parameters, theta, strict=True):
        walk = path(by_rows(problem), row, GradientDescent(), 0.01, 50)
        assert end == pytest.approx(walk[-1], rel=AGREE, abs=AGREE)


# -------------------------------------------------------------------------- records, convergence


def test_records_and_first_passages_are_exact():
    problem = rows()
    keys = list(range(9))
    every = run_with(keys, records=range(41))
    for steps in (0, 1, 17, 40):
        short = run_with(keys, steps=steps)
        assert (every.records[:, steps] == short.risks).all()
        exact = [problem.risk(network(end, skip=True)) for end in short.parameters]
        assert short.risks == pytest.approx(exact, rel=1e-12)
    # Between two records, and records themselves: of batches, monitored risks are exact.
    bars = np.unique(np.concatenate([every.records[:3].ravel(), every.records[:3].ravel() - 1e-9]))
    for monitor in (1, 6, 40, 77):
        run = run_with(keys, thresholds=bars, monitor_every=monitor)
        assert run.parameters.tobytes() == every.parameters.tobytes()
        expected = [first_passages(risks, list(bars), monitor, 40) for risks in every.records]
        assert run.times.tolist() == expected


def test_noiseless_data_are_learned():
    """Where a network fits every row, the noise of batches dies out with the error."""
    x = np.linspace(-1, 1, 20)
    line = rs.Samples(x, 0.5 - 2 * x)
    run = run_ensemble(
        line, np.zeros((8, 2)), step_size=0.1, steps=3000, skip=True,
        optimiser=StochasticGradientDescent(2),
    )  # fmt: skip
    assert (run.risks < 1e-24).all()
    teacher = np.array([1.0, -0.8, 0.2, 0.1, 1.2, 0.9, -0.5])
    bent = rs.Samples(x, network(teacher)(x), np.linspace(1, 2, 20) / 30)
    near = teacher + np.random.default_rng(0).normal(size=(8, 7)) / 20
    run = run_ensemble(
        bent, near, step_size=0.1, steps=20_000, optimiser=StochasticGradientDescent(5)
    )
    assert (run.risks < 1e-20).all()
    assert (run.initial_risks > 1e-4).all()


def test_divergent_batches_leave_the_others_alone():
    theta = np.random.default_rng(3).standard_normal((16, 8))
    calm = theta.copy()
    theta[[2, 9, 15]] *= 1e3
    # no neuron is ever dead
    options = {"step_size": 0.02, "steps": 50, "skip": True, "records": range(51)}
    options |= {"activation": rs.leaky(0.5)}
    rule = StochasticGradientDescent(4)
    run = run_ensemble(rows(), theta, optimiser=rule, **options)
    assert np.flatnonzero(run.diverged).tolist() == [2, 9, 15]
    quiet = run_ensemble(rows(), calm, optimiser=rule, **options)
    others = ~run.diverged
    assert run.parameters[others].tobytes() == quiet.parameters[others].tobytes()
    assert run.records[others].tobytes() == quiet.records[others].tobytes()
    assert np.isfinite(run.parameters).all()
    assert (np.abs(run.parameters) < 1e60).all()
    for row in (2, 9, 15):
        made = run.steps[row]
        assert made < 50
        end = network(run.parameters[row], skip=True, slope=0.5)
        assert run.risks[row] == pytest.approx(rows().risk(end), rel=1e-12)
        assert np.isfinite(run.records[row, : made + 1]).all()
        assert np.isnan(run.records[row, made + 1 :]).all()
