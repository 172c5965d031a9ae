"""The statistics of theory.md, S1-5 and S2-6, and what S1, S2 and S3 say of many runs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reluscape import Interval, Study, affine
from reluscape.studies.ready import saddles, traps
from reluscape.studies.ready.resting import LOWER
from reluscape.training.ensemble import run_ensemble

TENT = {"kind": "piecewise linear", "x": [0, 0.5, 1], "y": [0.5, 0, 0.5]}
LINE = {"kind": "affine", "alpha": 1, "beta": 0, "interval": [0, 1]}
RUNS = 400


def margin(share, other, runs=RUNS):
    """Four standard errors of the difference of two samples: one test in 15,000 fails by chance."""
    return 4.0 * math.sqrt(share * (1.0 - share) * (1.0 / runs + 1.0 / other))


@pytest.fixture(scope="module")
def tents():
    study = Study({"tent": TENT}, [2, 4, 8, 16], RUNS, [0.05], 20_000, success=1e-4, seed=11)
    return study.run(engine="inline").dataset.squeeze()


@pytest.fixture(scope="module")
def lines():
    study = Study({"x": LINE}, [1, 2, 4], RUNS, [0.05], 20_000, success=1e-6, seed=12)
    return study.run(engine="inline").dataset.squeeze()


# S1-5, from 100 runs.
@pytest.mark.parametrize(("width", "share"), [(2, 0.10), (4, 0.41), (8, 0.72), (16, 0.88)])
def test_share_of_runs_that_find_the_tent(tents, width, share):
    found = float((tents["risk"].sel(width=width) < 1e-4).mean())
    assert found == pytest.approx(share, abs=margin(share, 100))
    assert margin(share, 100) < 0.23


def test_failing_runs_on_the_tent_sit_at_the_best_constant(tents):
    for width in (2, 4, 8):
        risks = tents["risk"].sel(width=width).to_numpy()
        assert np.median(risks[risks >= 1e-4]) == pytest.approx(1 / 48, rel=1e-6)


# S2-6, from 300 runs.
@pytest.mark.parametrize(("width", "share"), [(1, 0.48), (2, 0.73), (4, 0.92)])
def test_share_of_runs_that_find_the_line(lines, width, share):
    found = float((lines["risk"].sel(width=width) < 1e-6).mean())
    assert found == pytest.approx(share, abs=margin(share, 300))
    assert margin(share, 300) < 0.16


def test_other_runs_on_the_line_are_at_one_twelfth_or_on_their_way_down(lines):
    for width in (1, 2, 4):
        risks = lines["risk"].sel(width=width).to_numpy()
        others = risks[risks >= 1e-6]
        assert (np.isclose(others, 1 / 12, rtol=1e-6) | (others < 1e-5)).all()
        assert not np.isclose(risks, 1 / 972, rtol=0.01).any()
    four = lines["risk"].sel(width=4).to_numpy()
    at_top = np.isclose(four, 1 / 12, rtol=1e-6).mean()
    # "at most about 0.06".
    assert at_top <= 0.06 + margin(0.06, 300)


def test_levels_of_the_dataset_are_those_of_theory(lines):
    level = lines["level"].sel(width=4).to_numpy()
    risks = lines["risk"].sel(width=4).to_numpy()
    assert (level == 1).any()
    assert risks[level == 1] == pytest.approx(1 / 12, rel=0.01)
    assert (risks[level == 0] <= 1e-6).all()
    assert not (level == 2).any()


@pytest.fixture(scope="module")
def saddle_study():
    study = saddles.declare(starts=64, steps=20_000, seed=3)
    return saddles.summarise(study, study.run(engine="inline").dataset)


def test_no_run_ends_at_a_strict_saddle(saddle_study):
    assert saddle_study["at_saddle"].to_numpy().tolist() == [0, 0]
    assert saddle_study["undecided"].to_numpy().tolist() == [0, 0]
    # S2 (III): what rests at the highest level are local minima; leaky ReLU has none (1.3).
    relu = saddle_study.sel(activation="relu")
    minima = int(relu["verdict_count"].sel(verdict="local minimum")) + int(relu["at_minimum"])
    assert minima == int(relu["resting"]) > 50
    leaky = saddle_study.sel(activation="leaky(0.1)")
    assert int(leaky["verdict_count"].sel(verdict="local minimum")) == 0
    assert int(leaky["after"].sel(fate="success")) == int(leaky["after"].sum())


def test_limits_below_the_threshold_are_global_minima(saddle_study):
    below = saddle_study["below"].sel(activation="relu").to_numpy()
    assert below[LOWER] == 0
    assert below[0] / below.sum() > 0.95


def test_escape_from_the_plateau_is_as_slow_as_linear_growth_says():
    # Started a tenth as large in the same directions, a run leaves ln 10 / ln(1 + step g) steps
    # later, where g is the growth of its last neuron: one that bends right at 0, or left at 0.92.
    line = Interval(affine(1, 0), 0, 1)
    starts = np.random.default_rng(5).standard_normal((200, 7))
    step_size, left = 0.05, []
    for scale in (1e-5, 1e-6):
        run = run_ensemble(
            line,
            scale * starts,
            step_size=step_size,
            steps=6_000,
            thresholds=[1.02 / 12, 0.98 / 12],
            monitor_every=1,
        )
        left.append(np.where(run.times[:, 1] >= 0, run.times[:, 1] - run.times[:, 0], -1))
    gone = (left[0] >= 0) & (left[1] >= 0)
    assert gone.sum() > 120
    later = (left[1] - left[0])[gone]
    t = np.linspace(0, 1, 100_001)
    leftward = np.max(t**2 * (3 - 2 * t) / 6 / np.sqrt(1 + t**2))
    expected = [np.log(10) / np.log1p(step_size * g) for g in (saddles.growth(), leftward)]
    # The two moments are whole steps, and so is their difference.
    near = [np.abs(later - steps) <= 2 for steps in expected]
    assert near[0].sum() > 50
    assert near[1].sum() > 20
    assert (near[0] | near[1]).mean() > 0.9


def test_growth_at_the_plateau_is_the_largest_over_all_directions():
    x = (np.arange(4000) + 0.5) / 4000
    angles = np.linspace(0, 2 * np.pi, 721)
    rates = [
        2 * np.mean(np.maximum(np.cos(phi) * x + np.sin(phi), 0) * (x - 0.5)) for phi in angles
    ]
    assert max(rates) == pytest.approx(saddles.growth(), abs=1e-5)
    assert saddles.growth() == pytest.approx(1 / 6, abs=1e-12)


@pytest.fixture(scope="module")
def trap_study():
    study = traps.declare(starts=64, steps=5_000, seed=4)
    return traps.summarise(study, study.run(engine="inline").dataset)


def test_trapped_runs_bend_all_over_the_left_half_at_one_risk(trap_study):
    places = trap_study["member_place"].to_numpy()
    places = places[places > 0]
    assert len(np.unique(places.round(6))) > 20
    assert 0.0 < places.min() < 0.2 < 0.3 < places.max() < 0.5


def test_wide_networks_are_trapped_less(trap_study):
    share = trap_study["share"].to_numpy()
    assert share[0] > 0.4
    assert share[-1] < 0.1
    # The infimum is at least 1 below the trap: wide networks find their way past that.
    assert float(trap_study["least_risk"].min()) < trap_study.attrs["trap_risk"] - 1.0
