"""Summaries of ready studies from made-up results, of which every number is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from reluscape.errors import InputError
from reluscape.networks.network import Network
from reluscape.studies.proportions import wilson
from reluscape.studies.ready import (
    convergence,
    convergence_sheets,
    launch,
    resting,
    saddles,
    traps,
    widths,
)

CELL = ("problem", "activation", "width", "initialisation", "optimiser", "step_size")


def results(study, risks, **more):
    """A Dataset as a study returns it, with these risks by problem, width and start."""
    problems, widths_, starts = risks.shape
    shape = (problems, 1, widths_, 1, 1, 1, starts)
    variables = {"risk": ((*CELL, "start"), risks.reshape(shape))}
    for name, (axis, values) in more.items():
        variables[name] = ((*CELL, "start", axis), values.reshape(*shape, -1))
    return xr.Dataset(
        variables,
        {
            "problem": list(study.problems),
            "width": list(study.widths),
            "record": list(study.recorded),
            "step_size": list(study.step_sizes),
            "success": ("problem", [study.success_of(name) for name in study.problems]),
            "level_risk": (
                ("problem", "activation", "width", "slot"),
                np.broadcast_to([0.0, 1 / 48], (problems, 1, widths_, 2)),
            ),
        },
    )


@pytest.fixture(scope="module")
def convergence_summary():
    study = convergence.declare(starts=100, steps=1000, seed=0)
    risks = np.full((3, 4, 100), 1.0)
    for h, share in enumerate((0, 10, 50, 100)):
        risks[:, h, :share] = 5e-5
    records = np.ones((3, 4, 100, len(study.recorded)))
    # Half of the runs that succeed at last have done so half-way.
    half = len(study.recorded) // 2
    for h, share in enumerate((0, 10, 50, 100)):
        records[:, h, : share // 2, half:] = 5e-5
        records[:, h, :share, -1] = 5e-5
    parameters = np.zeros((3, 4, 100, 49))
    made = results(
        study, risks, record_risk=("record", records), parameters=("parameter", parameters)
    )
    return convergence.summarise(study, made)


def test_shares_and_intervals_are_those_of_the_counts(convergence_summary):
    for h, count in enumerate((0, 10, 50, 100)):
        cell = convergence_summary.isel(problem=1, width=h)
        assert int(cell["successes"]) == count
        ends = wilson(count, 100)
        assert float(cell["share_low"]) == pytest.approx(ends[0], abs=1e-15)
        assert float(cell["share_high"]) == pytest.approx(ends[1], abs=1e-15)
        p = count / 100
        assert float(cell["predicted"].sel(count=10)) == pytest.approx(1 - (1 - p) ** 10)
        half = len(convergence_summary["record"]) // 2
        assert float(cell["reached"][half]) == pytest.approx(count // 2 / 100)
        assert float(cell["reached"][-1]) == p
        assert float(cell["reached"][half - 1]) == 0.0


def test_groups_are_those_of_consecutive_runs(convergence_summary):
    # The first ten runs succeed: one group of ten out of ten.
    cell = convergence_summary.isel(problem=0).sel(width=4, count=10)
    assert float(cell["seen"]) == 0.1
    assert int(cell["groups"]) == 10


def test_pieces_are_those_of_the_targets(convergence_summary):
    assert convergence_summary["pieces"].to_numpy().tolist() == [2, 3, 4]


def test_tables_of_convergence_say_the_same(convergence_summary):
    success, best, steps, rates = convergence_sheets.sheets(convergence_summary)
    assert len(success.rows) == len(best.rows) == len(steps.rows) == 12
    assert list(success.rows[1][:5]) == ["tent", "2", "4", "10 of 100", "0.100"]
    assert success.rows[1][7] == "44"
    assert success.rows[0][7] == "–"
    # None of these runs has come near a minimum.
    assert list(rates.rows) == []


def test_runs_near_a_minimum_are_taken_further():
    study = convergence.declare(starts=10, steps=200, seed=0)
    result = study.run(engine="inline").dataset
    parameters = result["parameters"].to_numpy().copy()
    risks = result["risk"].to_numpy().copy()
    close = np.array([1.0, 1.0, 1.0, -0.5, -1.0, 2.0, 1.5]) + 1e-6
    parameters[0, 0, 0, 0, 0, 0, 3, :7] = close
    risks[0, 0, 0, 0, 0, 0, 3] = study.built["tent"].risk(Network.from_vector(close))
    made = result.assign(
        risk=(result["risk"].dims, risks), parameters=(result["parameters"].dims, parameters)
    )
    summary = convergence.summarise(study, made)
    here = (summary["rate_problem"] == "tent") & (summary["rate_width"] == 2)
    assert int(here.sum()) == 1
    assert summary.attrs["network_steps"] >= 9 * 200


def test_fates_are_those_of_levels():
    cell = xr.Dataset(
        {"level": ("start", [0, 1, 2, 7, -1, 0]), "outcome": ("start", [0, 0, 0, 0, 0, 1])}
    )
    fates = [resting.FATES[code] for code in resting.fates_of(cell)]
    assert fates == [
        "success", "highest level", "lower level", "lower level", "on the way", "diverged"
    ]  # fmt: skip


def test_neurons_on_their_way_out_are_put_on_the_end():
    theta = np.array([2.0, -1.0, 1.0, 1e-7 - 2.0, 1e-7, 1.0, 1.0, 1.0, 1.0, 0.5])
    moved = resting.without_leaving(theta, 0.0, 1.0)
    assert moved[3] == -2.0
    assert moved[4] == 0.0
    assert moved[5] == 1.0
    assert (moved[:3] == theta[:3]).all()


def test_closer_look_tells_saddles_from_minima_and_from_runs_on_the_way():
    study = saddles.declare(starts=10, steps=50, seed=0)
    result = study.run(engine="inline").dataset
    level = np.zeros_like(result["level"].to_numpy())
    parameters = result["parameters"].to_numpy().copy()
    # Width 2, ReLU: a dead minimum, the saddle of S2-1, and a run half-way; all else succeeded.
    level[0, 0, 0, 0, 0, 0, :3] = [1, 2, -1]
    parameters[0, 0, 0, 0, 0, 0, 0, :7] = [-1, -1, -1, -1, 1, 1, 0.5]
    parameters[0, 0, 0, 0, 0, 0, 1, :7] = [1, -1, -1 / 3, 2 / 3, 2 / 3, -2 / 3, 0.5]
    parameters[0, 0, 0, 0, 0, 0, 2, :7] = [1, -1, 0.1, -1, 0.9, 0, -0.05]
    made = result.assign(
        level=(result["level"].dims, level),
        parameters=(result["parameters"].dims, parameters),
        outcome=(result["outcome"].dims, np.zeros_like(result["outcome"].to_numpy())),
    )
    summary = saddles.summarise(study, made)
    relu = summary.sel(activation="relu")
    assert int(relu["resting"]) == 2
    assert int(relu["verdict_count"].sel(verdict="local minimum")) == 1
    assert int(relu["verdict_count"].sel(verdict="saddle")) == 1
    # The saddle goes on: 450 steps from rounding do not lead away from it.
    assert int(relu["at_saddle"]) == 1
    assert int(relu["after"].sum()) == 2
    assert summary.attrs["network_steps"] == 2 * 9 * 50
    lines = saddles.remarks(summary)
    assert "relu: 1 of 240 runs ended at a saddle" in lines[1]
    assert "leaky(0.1): 0 of 240 runs" in lines[2]


def test_escape_times_are_in_units_of_the_flow():
    study = saddles.declare(starts=10, steps=50, seed=0)
    result = study.run(engine="inline").dataset
    entered = np.full_like(result["entered"].to_numpy(), -1)
    left = entered.copy()
    entered[0, 0, 0, 0, 0, 1, :4, 0] = [0, 10, 20, 30]
    left[0, 0, 0, 0, 0, 1, :3, 0] = [100, 110, 320]
    made = result.assign(
        entered=(result["entered"].dims, entered), left=(result["left"].dims, left)
    )
    cell = saddles.summarise(study, made).isel(activation=0, width=0, scale=0, step_size=1)
    assert int(cell["entered"]) == 4
    assert int(cell["escaped"]) == 3
    assert float(cell["escape"].sel(quartile=0.5)) == pytest.approx(100 * 0.05)


def test_traps_are_told_by_risk_and_function():
    study = traps.declare(starts=10, steps=20, seed=0)
    result = study.run(engine="inline").dataset
    made = traps.trap(*traps.ENDS, traps.GAP)
    risks = np.full(result["risk"].shape, 9.0)
    parameters = result["parameters"].to_numpy().copy()
    for i, t in enumerate((0.1, 0.3)):
        risks[0, 0, 1, 0, 0, 0, i] = made.risk * (1 + 1e-9)
        parameters[0, 0, 1, 0, 0, 0, i, :13] = made.member(t, 4).to_vector()
    risks[0, 0, 1, 0, 0, 0, 2] = made.risk - made.gap
    summary = traps.summarise(
        study,
        result.assign(
            risk=(result["risk"].dims, risks), parameters=(result["parameters"].dims, parameters)
        ),
    )
    four = summary.sel(width=4)
    assert four["fate_count"].to_numpy().tolist() == [1, 2, 7]
    assert four["proved"].item() == four["judged"].item() == four["bent"].item() == 2
    assert summary["member_place"].to_numpy() == pytest.approx([0.1, 0.3], abs=1e-9)
    assert float(four["share"]) == 0.2
    first, second = traps.sheets(summary)
    assert first.rows[1][1] == "2 of 10"
    assert first.rows[1][6] == "2 of 2"
    assert second.rows[1][5] == "1.000"


def test_straight_function_has_no_bend():
    assert traps.bend_of(Network([1.0, 1.0], [0.5, 3.0], [2.0, -1.0]), 0.0, 1.0) == 0.0
    assert traps.bend_of(Network([-1.0], [-1.0], [2.0]), 0.0, 1.0) == 0.0
    assert traps.bend_of(Network([1.0], [-4.2], [-3.0]), 4.0, 5.0) == pytest.approx(4.2)


def test_widths_are_measured_against_the_bound():
    study = widths.declare(starts=100, steps=10)
    bounds = np.full((2, 4), 1.0)
    risks = np.full((2, 4, 100), 3.0)
    risks[0, 1, :4] = 1.0099
    risks[0, 1, 4:8] = 1.0101
    summary = widths.summarise(study, results(study, risks), bounds + 1e-6, bounds)
    cell = summary.sel(problem="data", width=2)
    assert int(cell["found"]) == 4
    assert float(cell["least_risk"]) == 1.0099
    assert float(cell["best_risk"].sel(count=1, chance=0.5)) == 3.0
    # Eight of a hundred are close: the chance that none of ten drawn is.
    none = math.comb(92, 10) / math.comb(100, 10)
    assert none < 0.5
    assert float(cell["best_risk"].sel(count=10, chance=0.5)) < 1.02
    certified, best = widths.sheets(summary)
    assert certified.rows[1][6] == "4 of 100"
    assert best.rows[1][2] == "200 %"


def test_bound_that_was_not_proved_is_no_excuse():
    study = widths.declare(starts=20, steps=10)
    summary = widths.summarise(
        study, results(study, np.full((2, 4, 20), 3.0)), np.ones((2, 4)), np.zeros((2, 4))
    )
    assert int(summary["found"].sum()) == 0
    assert widths.sheets(summary)[0].rows[0][5] == "–"


def test_optima_are_those_of_reference_cases():
    # S0-1: x^2 on [0, 1] with d neurons and a skip connection, 1 / (180 (d + 1)^4).
    study = widths.declare(starts=10, steps=10)
    only = {"x^2": study.built["x^2"]}
    risks, bounds = widths.optima(type(study)(only, [1, 2], 10, [0.05], 10, skip=True))
    expected = [1 / (180 * 2**4), 1 / (180 * 3**4)]
    assert risks[0] == pytest.approx(expected, rel=1e-9)
    assert (bounds[0] <= np.array(expected)).all()
    assert bounds[0] == pytest.approx(expected, rel=1e-5)


def test_names_and_numbers_are_checked():
    with pytest.raises(InputError, match="no study 'convergense'; choose from convergence"):
        launch.declare("convergense")
    with pytest.raises(InputError, match="starts is 3; a ready study needs at least 10"):
        launch.declare("traps", starts=3)
    with pytest.raises(InputError, match="steps is 0"):
        launch.declare("traps", steps=0)
    assert launch.declare("widths", quick=True, seed=5).starts == launch.QUICK_STARTS
    assert launch.declare("widths", quick=True, starts=20).starts == 20
