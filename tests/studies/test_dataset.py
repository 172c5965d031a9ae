"""One labelled Dataset: the same whatever order, partition and company the runs have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reluscape as rs
from reluscape.studies.dataset import StudyArrays
from reluscape.studies.tasks import run_chunk
from study_cases import LINE, NOISY, TENT, small

CHUNKS = 32
CELL = ("problem", "activation", "width", "initialisation", "optimiser", "step_size")


def everything(**changes: Any) -> rs.Study:
    """A study with two values or more on every axis, and all there is to keep."""
    wanted: dict[str, Any] = {
        "problems": {"tent": TENT, "noisy": NOISY},
        "activations": ["relu", 0.1],
        "widths": [2, 3],
        "initialisations": ["normal", "spread"],
        "optimisers": ["gd", "adam"],
        "step_sizes": [0.05],
        "starts": 70,
        "steps": 12,
        "thresholds": [0.1],
        "records": [0, 6, 12],
        "keep_networks": True,
    }
    return small(**(wanted | changes))


def run_all(study: rs.Study, order: list[int] | None = None) -> xr.Dataset:
    arrays = StudyArrays(study)
    for index in range(study.plan.chunks) if order is None else order:
        arrays.add(index, run_chunk(study.describe(), index))
    return arrays.dataset()


@pytest.fixture(scope="module")
def whole() -> xr.Dataset:
    return run_all(everything())


def test_the_partition_changes_nothing(whole: xr.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything().plan.chunks
    monkeypatch.setattr("reluscape.studies.plan.AIM", 1e-9)
    # Under another name, as a process keeps the studies that it has read.
    study = everything(name="in small pieces")
    assert study.plan.chunks == 2 * before
    xr.testing.assert_identical(run_all(study).assign_attrs(name=""), whole)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(CHUNKS)), st.sets(st.integers(0, CHUNKS - 1)))
def test_the_order_changes_nothing_and_twice_is_harmless(
    whole: xr.Dataset, order: list[int], again: set[int]
) -> None:
    study = everything()
    assert study.plan.chunks == CHUNKS
    tables = _tables()
    arrays = StudyArrays(study)
    for index in [*order, *again]:
        arrays.add(index, tables[index])
    xr.testing.assert_identical(arrays.dataset(), whole)


_KEPT: list[Any] = []


def _tables() -> list[Any]:
    if not _KEPT:
        description = everything().describe()
        _KEPT.extend(run_chunk(description, index) for index in range(CHUNKS))
    return _KEPT


@pytest.mark.parametrize(
    ("axis", "more"),
    [
        ("widths", [3, 5, 2]),
        ("step_sizes", [0.2, 0.05]),
        ("activations", [0.5, "relu", 0.1]),
        ("initialisations", ["spread", "normal*2.0", "normal"]),
        ("optimisers", ["heavy ball", "gd", "adam"]),
        ("problems", {"line": LINE, "noisy": NOISY, "tent": TENT}),
        ("starts", 129),
    ],
)
def test_more_values_on_an_axis_change_no_other_run(
    axis: str, more: Any, whole: xr.Dataset
) -> None:
    larger = run_all(everything(**{axis: more}))
    labels = {dim: whole[dim].values for dim in (*CELL, "start")}
    for name in ("risk", "initial_risk", "norm", "gradient_norm", "steps", "time", "record_risk"):
        again = larger[name].sel(labels).values
        assert np.array_equal(again, whole[name].values, equal_nan=True), name


def test_runs_that_differ_by_their_rule_alone_begin_together(whole: xr.Dataset) -> None:
    begun = whole["initial_risk"]
    assert (begun == begun.isel(optimiser=[0])).all()
    # Others begin elsewhere.
    assert (begun.isel(initialisation=0) != begun.isel(initialisation=1)).all()
    assert len(np.unique(begun.isel(problem=0, activation=0, optimiser=0, step_size=0))) == 4 * 70


def test_another_seed_is_other_runs() -> None:
    assert (run_all(small())["risk"] != run_all(small(seed=1))["risk"]).all()


def test_incomplete_results_say_what_is_missing() -> None:
    study = everything()
    arrays = StudyArrays(study)
    index = 21
    chunk = study.plan.chunk(index)
    arrays.add(index, run_chunk(study.describe(), index))
    found = arrays.dataset()
    there = found["outcome"] >= 0
    assert int(there.sum()) == 70 == found.attrs["runs_done"]
    assert (found.attrs["runs_total"], found.attrs["complete"]) == (CHUNKS * 70, 0)
    where = {
        "problem": chunk.problem,
        "width": chunk.width,
        "initialisation": chunk.initialisation.name,
        "activation": "leaky(0.1)" if chunk.activation.slope else "relu",
        "optimiser": "gd" if chunk.place[4] == 0 else "adam",
    }
    assert bool(there.sel(where).all())
    for name, variable in found.data_vars.items():
        missing = variable.where(~there).values[~there.values]
        if variable.dtype.kind == "f":
            assert np.isnan(missing).all(), name
        else:
            assert (missing == -1).all(), name


def test_labels_and_shapes(whole: xr.Dataset) -> None:
    assert whole["risk"].dims == (*CELL, "start")
    assert whole["record_risk"].dims == (*CELL, "start", "record")
    assert whole["time"].dims == (*CELL, "start", "threshold")
    assert list(whole["activation"].values) == ["relu", "leaky(0.1)"]
    assert list(whole["optimiser"].values) == ["gd", "adam"]
    assert list(whole["record"].values) == [0, 6, 12]
    assert list(whole["threshold"].values) == [0.1]
    assert np.array_equal(whole["record_risk"].sel(record=0), whole["initial_risk"])
    assert np.array_equal(whole["record_risk"].sel(record=12), whole["risk"])
    narrow = whole["parameters"].sel(width=2)
    assert np.isfinite(narrow.isel(parameter=slice(7))).all()
    assert np.isnan(narrow.isel(parameter=slice(7, None))).all()
    assert np.isfinite(whole["parameters"].sel(width=3)).all()
    assert whole["success"].sel(problem="noisy") == 1e-6
    assert whole.attrs["digest"] == everything().digest
    assert whole.attrs["device"] == "cpu"


def test_parameters_that_are_kept_have_the_risks_that_are_kept(whole: xr.Dataset) -> None:
    run = whole.sel(problem="noisy", activation="leaky(0.1)", width=3, initialisation="spread")
    run = run.sel(optimiser="adam", step_size=0.05, start=69)
    network = rs.Network.from_vector(run["parameters"].values, activation=rs.leaky(0.1))
    assert NOISY.risk(network) == pytest.approx(float(run["risk"]), rel=1e-12)


def test_levels_are_labelled() -> None:
    study = small(problems={"tent": TENT, "line": LINE}, widths=[1, 2], activations=["relu", 0.1])
    found = StudyArrays(study).dataset()
    names = found["level_name"].sel(problem="line")
    assert list(names.sel(activation="relu").values[:4]) == ["success", "n = 0", "n = 2", ""]
    assert list(names.sel(activation="leaky(0.1)").values) == [
        "success",
        "n = 0",
        "n = 1",
        "n = 2B",
        "n = 2A",
    ]
    risks = found["level_risk"].sel(problem="line", activation="relu")
    assert risks.sel(width=2).values[:3] == pytest.approx([0.0, 1 / 12, 1 / 972])
    assert np.isnan(risks.sel(width=1).values[2])
    tent = found["level_risk"].sel(problem="tent", activation="relu", width=1)
    assert tent.values[:2] == pytest.approx([0.0, 1 / 48])
    assert list(found["plateau"].values) == [1, 2, 3, 4]


def test_columns_that_nobody_asked_for_are_not_there() -> None:
    found = StudyArrays(small(skip=True, problems={"line": LINE})).dataset()
    assert set(found.data_vars).isdisjoint(
        {"time", "verdict", "polished_risk", "parameters", "entered", "left"}
    )
