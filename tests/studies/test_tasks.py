"""One chunk: against descents one by one, and whatever it is run together with."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from zlib import crc32

import numpy as np
import pytest

import reluscape as rs
from reluscape.errors import InputError
from reluscape.studies.tasks import VERDICTS, run_chunk, run_together, warm_up
from reluscape.training.ensemble import run_ensemble
from reluscape.training.optimisers import Adam, StochasticGradientDescent
from study_cases import LINE, NOISY, TENT, normal_starts, small

# Two orders of the same sums: their rounding grows by a small factor in each of a few steps.
ROUNDING = 1e-10


def rows_of(study: rs.Study, index: int = 0) -> dict[str, np.ndarray]:
    table = run_chunk(study.describe(), index)
    return {name: np.array(table[name].to_pylist()) for name in table.column_names}


@pytest.mark.parametrize(
    ("activation", "skip", "at_zero"), [("relu", False, "gt"), (0.25, True, "ge")]
)
def test_a_run_is_the_descent_from_its_start(
    activation: str | float, skip: bool, at_zero: str
) -> None:
    study = small(
        starts=66,
        seed=7,
        widths=[3],
        activations=[activation],
        skip=skip,
        at_zero=at_zero,
        records=[0, 10, 30],
        thresholds=[0.03, 0.021],
        keep_networks=True,
    )
    rows = rows_of(study)
    problem = rs.Interval(rs.piecewise_linear(TENT["x"], TENT["y"]), 0.0, 1.0)
    act = "relu" if activation == "relu" else rs.leaky(activation)
    for run in (0, 5, 63, 64, 65):
        theta = normal_starts(7, 3, "normal", run // 64, 10 + skip)[run % 64]
        begun = rs.Network.from_vector(theta, 1, skip, act)
        end = rs.descend(problem, begun, step_size=0.05, steps=30, record_every=10, at_zero=at_zero)
        assert rows["start"][run] == run
        assert rows["steps"][run] == 30
        assert rows["initial_risk"][run] == pytest.approx(problem.risk(begun), rel=ROUNDING)
        assert rows["risk"][run] == pytest.approx(end.risks[-1], rel=ROUNDING)
        assert rows["records"][run] == pytest.approx(end.risks[[0, 1, 3]], rel=ROUNDING)
        assert rows["parameters"][run] == pytest.approx(end.network.to_vector(), rel=1e-8)
        assert rows["norm"][run] == pytest.approx(end.norms[-1], rel=1e-8)
        slope = np.linalg.norm(problem.gradient(end.network, at_zero))
        assert rows["gradient_norm"][run] == pytest.approx(slope, rel=1e-7)
        for column, bar in enumerate((0.03, 0.021)):
            below = end.recorded[end.risks <= bar]
            assert rows["times"][run, column] == (below[0] if len(below) else -1)


def test_levels_arrivals_and_departures_are_those_of_the_risks() -> None:
    study = small(
        problems={"line": LINE}, widths=[1], starts=40, steps=2000, records=range(0, 2001, 10)
    )
    rows = rows_of(study)
    level = 1.0 / 12.0
    recorded = np.arange(0, 2001, 10)
    for run in range(40):
        risks = rows["records"][run]
        for name, bar in (("entered", 1.02 * level), ("left", 0.98 * level)):
            below = recorded[risks <= bar]
            assert rows[name][run, 0] == (below[0] if len(below) else -1)
        at_level = abs(risks[-1] - level) <= 0.01 * level
        expected = 0 if risks[-1] <= 1e-6 else 1 if at_level else -1
        assert rows["level"][run] == expected
    # The oracle has seen all cases.
    assert set(rows["level"]) == {-1, 0, 1}
    assert {-1} < set(rows["left"][:, 0])


def test_batches_are_drawn_from_the_keys_of_runs() -> None:
    study = small(
        problems={"noisy": NOISY},
        optimisers=[{"kind": "sgd", "batch": 4}],
        initialisations=["normal*0.5"],
        starts=66,
        seed=3,
    )
    rows = rows_of(study)
    name = "normal*0.5"
    blocks = [0.5 * normal_starts(3, 2, name, k, 7) for k in range(2)]
    keys = [
        np.random.SeedSequence(3, spawn_key=(1, 2, crc32(name.encode()), k)).generate_state(
            64, np.uint64
        )
        for k in range(2)
    ]
    expected = run_ensemble(
        NOISY,
        np.vstack(blocks)[:66],
        step_size=0.05,
        steps=30,
        optimiser=StochasticGradientDescent(4),
        keys=np.concatenate(keys)[:66],
    )
    assert np.array_equal(rows["risk"], expected.risks)


def test_other_rules_are_handed_on() -> None:
    study = small(optimisers=[{"kind": "adam", "beta1": 0.8}])
    problem = rs.Interval(rs.piecewise_linear(TENT["x"], TENT["y"]), 0.0, 1.0)
    starts = normal_starts(0, 2, "normal", 0, 7)[:5]
    expected = run_ensemble(problem, starts, step_size=0.05, steps=30, optimiser=Adam(beta1=0.8))
    assert np.array_equal(rows_of(study)["risk"], expected.risks)


def test_spread_starts_lie_on_the_problem() -> None:
    shifted = {**LINE, "interval": [5.0, 6.0]}
    study = small(
        problems={"far": shifted}, initialisations=["spread"], keep_networks=True, step_sizes=[1e-9]
    )
    for theta in rows_of(study)["parameters"]:
        places = rs.Network.from_vector(theta).breakpoints()
        assert len(places) == 2
        assert places.min() > 5.0
        assert places.max() < 6.0


@pytest.mark.parametrize("verdicts", ["final", "polished"])
def test_verdicts_are_those_of_classify(verdicts: str) -> None:
    study = small(
        problems={"line": LINE}, steps=4000, verdicts=verdicts, keep_networks=True, starts=8
    )
    rows = rows_of(study)
    problem = rs.Interval(rs.affine(1.0, 0.0), 0.0, 1.0)
    for run in range(8):
        network = rs.Network.from_vector(rows["parameters"][run])
        if verdicts == "polished":
            end = rs.polish(problem, network)
            network = end.network
            assert rows["polished_risk"][run] == end.risk
        kind = rs.classify(problem, network, at_zero="gt").kind
        assert VERDICTS[rows["verdict"][run]] == kind


def test_studies_that_differ_by_a_sign_of_zero_are_told_apart() -> None:
    tables = [
        run_chunk(small(problems={"it": {**LINE, "beta": beta}}).describe(), 0)
        for beta in (0.0, -0.0)
    ]
    digests = {table.schema.metadata[b"digest"] for table in tables}
    assert len(digests) == 2


def test_runs_that_diverge_say_so() -> None:
    rows = rows_of(small(step_sizes=[1e6], steps=200, verdicts="final", records=[0, 200]))
    assert (rows["outcome"] == 1).all()
    assert (rows["steps"] < 200).all()
    assert (rows["verdict"] == -1).all()
    assert np.isnan(rows["records"][:, 1]).all()
    assert (rows["level"] == -1).all()


def test_the_same_chunk_is_the_same_bytes() -> None:
    study = small(thresholds=[0.02], verdicts="final", keep_networks=True)
    # Descriptions come through JSON.
    again = json.loads(json.dumps(study.describe()))
    first, second = run_chunk(study.describe(), 0), run_chunk(again, 0)
    assert first.equals(second, check_metadata=True)
    assert first.schema.metadata == {
        b"digest": study.digest.encode(),
        b"chunk": b"0",
        b"rows": b"5",
        b"format": b"1",
        b"device": b"cpu",
    }


def test_chunks_that_run_together_are_those_that_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reluscape.studies.plan.AIM", 1e-9)
    study = small(starts=150, widths=[2, 3])
    assert study.plan.chunks == 6
    together = run_together(study.describe(), [2, 0])
    for index, table in zip([2, 0], together, strict=True):
        assert table.equals(run_chunk(study.describe(), index), check_metadata=True)
    with pytest.raises(InputError, match="several cells"):
        run_together(study.describe(), [0, 3])


@pytest.mark.parametrize("device", ["gpu", "CPU"])
def test_unknown_devices_are_refused(device: str) -> None:
    with pytest.raises(InputError, match="device is"):
        run_chunk(small().describe(), 0, device=device)


def test_chunks_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match="no chunk 1; there are 1"):
        run_chunk(small().describe(), 1)


def test_warming_up_works_for_every_rule() -> None:
    rules: list[Any] = ["gd", "heavy ball", "adam", {"kind": "sgd", "batch": 2}]
    warm_up(small(problems={"noisy": NOISY}, optimisers=rules).describe())


def test_a_chunk_needs_no_pandas() -> None:
    """Loading it takes half a second, in every worker."""
    study = small(thresholds=[0.1], verdicts="polished", keep_networks=True)
    code = (
        "import json, sys\n"
        "from reluscape.studies.tasks import run_chunk\n"
        "table = run_chunk(json.loads(sys.stdin.read()), 0)\n"
        "print(table.num_rows, sorted({'pandas', 'xarray', 'matplotlib'} & set(sys.modules)))"
    )
    said = json.dumps(study.describe())
    run = subprocess.run(
        [sys.executable, "-c", code], input=said, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == f"{run_chunk(study.describe(), 0).num_rows} []"
