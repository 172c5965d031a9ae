"""A study on a GPU that Numba simulates, beside the same study on processors."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import reluscape as rs
from reluscape.studies.on_gpu import groups

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
import reluscape as rs
study = rs.Study.from_toml(sys.argv[1])
study.run(sys.argv[2], device="cuda")
"""


def small(**changes) -> rs.Study:
    values = {
        "problems": {"tent": rs.Interval(rs.piecewise_linear([0, 0.5, 1], [0.5, 0, 0.5]), 0, 1)},
        "widths": [1, 2],
        "starts": 3,
        "step_sizes": [0.1],
        "steps": 12,
        "records": [0, 5, 12],
        "thresholds": [0.5, 0.1],
        "monitor_every": 4,
        "keep_networks": True,
    }
    return rs.Study(**(values | changes))


def test_a_simulated_gpu_gives_the_numbers_of_the_processors(tmp_path):
    study = small()
    spec, store = tmp_path / "study.toml", tmp_path / "results"
    spec.write_text(study.to_toml(), encoding="utf-8")
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(spec), str(store)], check=True, env=environment
    )
    found = rs.StudyResult.open(store).dataset
    expected = study.run(engine="inline").dataset
    assert (found["risk"] > 0).all()
    for name in ("risk", "initial_risk", "record_risk", "parameters", "norm"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-11, atol=1e-12)
    for name in ("steps", "outcome", "time", "level"):
        np.testing.assert_array_equal(found[name], expected[name])


def test_single_precision_is_asked_of_no_processor():
    with pytest.raises(rs.InputError, match="cuda"):
        small(precision="float32").run()


def test_every_chunk_is_in_one_group_of_one_cell():
    plan = small(widths=[2, 16], starts=200_000, steps=100_000).plan
    wanted = [index for index in range(plan.chunks) if index % 7]
    found = list(groups(plan, wanted))
    assert sorted(index for group in found for index in group) == wanted
    assert all(len({plan.chunk(index).cell for index in group}) == 1 for group in found)
    assert max(sum(plan.chunk(index).count for index in group) for group in found) <= 131_072
    assert len(found) < plan.chunks / 10
