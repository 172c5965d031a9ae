"""Running, stopping, going on, opening; and what the result says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr

import reluscape as rs
from reluscape.errors import FileError
from reluscape.studies.store import Store
from study_cases import LINE, NOISY, TENT, small


def study(**changes: Any) -> rs.Study:
    wanted: dict[str, Any] = {
        "problems": {"line": LINE, "noisy": NOISY},
        "widths": [1, 2],
        "starts": 70,
        "steps": 300,
        "thresholds": {"line": [1e-2]},
        "success": {"line": 1e-4, "noisy": 1e-2},
    }
    return small(**(wanted | changes))


@pytest.fixture(scope="module")
def result() -> rs.StudyResult:
    return study().run(engine="inline")


def test_a_store_changes_no_number(result: rs.StudyResult, tmp_path: Path) -> None:
    kept = study().run(tmp_path / "store", engine="inline")
    xr.testing.assert_identical(kept.dataset, result.dataset)
    assert kept.store == tmp_path / "store"
    opened = rs.StudyResult.open(tmp_path / "store")
    xr.testing.assert_identical(opened.dataset, result.dataset)
    assert opened.cost is None
    assert opened.study.digest == study().digest
    again = study().run(tmp_path / "store", engine="inline")
    xr.testing.assert_identical(again.dataset, result.dataset)
    assert again.cost is not None
    assert again.cost.network_steps == 0


class Killed(BaseException):
    """What no handler of ours catches."""


@pytest.mark.parametrize("after", [1, 3])
def test_a_stopped_study_goes_on(
    after: int, result: rs.StudyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = Store.write, list[int]()

    def then_die(store: Store, index: int, table: pa.Table) -> None:
        write(store, index, table)
        written.append(index)
        if len(written) == after:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", then_die)
        with pytest.raises(Killed):
            study().run(tmp_path / "store", engine="inline")
    half = rs.StudyResult.open(tmp_path / "store")
    done = half.dataset.attrs["runs_done"]
    assert done == 70 * after
    assert not half.complete
    assert f"{done} of 280 runs are done" in str(half)
    assert sum(row.runs for row in half.table()) == done
    rest = study().run(tmp_path / "store", engine="inline")
    xr.testing.assert_identical(rest.dataset, result.dataset)
    assert rest.complete
    assert rest.cost is not None
    assert rest.cost.network_steps == (280 - done) * 300


def test_a_damaged_chunk_is_run_again(result: rs.StudyResult, tmp_path: Path) -> None:
    study().run(tmp_path / "store", engine="inline")
    path = sorted((tmp_path / "store" / "chunks").iterdir())[1]
    content = bytearray(path.read_bytes())
    # In the middle of the numbers: the footer is sound.
    content[len(content) // 4] ^= 0xFF
    path.write_bytes(content)
    again = study().run(tmp_path / "store", engine="inline")
    xr.testing.assert_identical(again.dataset, result.dataset)


def test_a_store_of_another_study_is_refused(tmp_path: Path) -> None:
    study().run(tmp_path / "store", engine="inline")
    with pytest.raises(FileError, match="steps is 300 there and 301 here"):
        study(steps=301).run(tmp_path / "store", engine="inline")
    # The name is for people.
    study(name="another").run(tmp_path / "store", engine="inline")


def test_a_store_with_another_description_is_refused(tmp_path: Path) -> None:
    small().run(tmp_path / "store", engine="inline")
    path = tmp_path / "store" / "study.json"
    path.write_text(path.read_text("utf-8").replace('"seed": 0', '"seed": 1'), "utf-8")
    with pytest.raises(FileError, match="not the one that its results belong to"):
        rs.StudyResult.open(tmp_path / "store")


def test_the_table_counts_what_the_dataset_holds(result: rs.StudyResult) -> None:
    rows = result.table()
    assert [(row.problem, row.width) for row in rows] == [
        ("line", 1),
        ("line", 2),
        ("noisy", 1),
        ("noisy", 2),
    ]
    for row in rows:
        here = result.dataset.sel(problem=row.problem, width=row.width)
        risks = here["risk"].values.ravel()
        limit = 1e-4 if row.problem == "line" else 1e-2
        assert row.runs == 70
        assert row.successes == sum(risk <= limit for risk in risks)
        assert row.success == row.successes / 70
        assert row.low <= row.success <= row.high
        assert row.best_risk == min(risks)
        assert row.median_risk == np.median(risks)
        assert row.diverged == 0
        assert (row.activation, row.initialisation, row.optimiser) == ("relu", "normal", "gd")
        assert row.step_size == 0.05
    # Both outcomes are there, or the test sees nothing.
    assert 0 < rows[0].successes < 70
    times = result.dataset["time"].sel(problem="line", width=2, threshold=1e-2).values.ravel()
    never = times < 0
    assert never.sum() < 35
    assert rows[1].median_times == ((1e-2, np.median(np.where(never, 10**9, times))),)
    # Nobody asked for times on the other problem.
    assert rows[2].median_times == ()


def test_what_a_result_says(result: rs.StudyResult) -> None:
    lines = str(result).splitlines()
    assert lines[0] == "study of 280 runs: 2 problems, 2 widths, 70 starts, 300 steps"
    assert lines[1].startswith("84,000 network-steps in ")
    assert lines[1].endswith(" million a second, inline on cpu")
    assert lines[2].split() == (
        "problem width runs success 95 % best risk median risk steps to 0.01".split()
    )
    assert len(lines) == 7
    assert lines[5].split()[-1] == "–"


def test_html_is_escaped() -> None:
    found = small(problems={"<b>&": TENT}).run(engine="inline")
    html = found._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;" in html
    assert html.count("<tr>") == 2


def test_many_rows_are_cut() -> None:
    found = small(step_sizes=[0.001 * k for k in range(1, 51)], starts=1, steps=1).run(
        engine="inline"
    )
    assert len(found.table()) == 50
    assert str(found).endswith("... and 10 more rows")
    assert "10 more rows" in found._repr_html_()
    assert found._repr_html_().count("<tr>") == 41
