"""Twenty kills at random moments: no chunk lost, none doubled, every bit as if nothing had been."""

from __future__ import annotations

from pathlib import Path

import pytest

from fault_runs import CHUNKS, ROWS, Faults, contents, description, real_study
from reluscape.studies.engine import run_chunks
from reluscape.studies.store import Store
from toy_tasks import rows


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    store = Store.create_or_open(
        tmp_path_factory.mktemp("undisturbed") / "store", description(), "toy", CHUNKS
    )
    quick = {**description(), "sleep": 0.0}
    run_chunks("inline", quick, store.queue(), store.write, task=rows)
    return dict(contents(store.path))


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "roles"), [("processes", 2), ("dask", 3)])
def test_twenty_kills(tmp_path: Path, undisturbed, engine: str, roles: int) -> None:
    faults = Faults(tmp_path, engine, kills=20, seed=20_220_817)
    faults.run()
    assert faults.killed.total() == 20
    # Workers and client, and the scheduler where there is one.
    assert len(faults.killed) == roles
    # A client ends well, says in one line why not, or is killed.
    assert set(faults.statuses) <= {0, 2, -9}, (tmp_path / "client.log").read_text()
    found = dict(contents(faults.store))
    assert sorted(found) == sorted(undisturbed)
    assert found == undisturbed
    store = Store.open(faults.store)
    assert store.missing() == []
    starts = [store.read(index).num_rows for index in range(CHUNKS)]
    assert starts == [ROWS] * CHUNKS


@pytest.mark.slow
def test_a_real_study_comes_to_the_same_numbers(tmp_path: Path) -> None:
    study = real_study()
    alone = study.run(tmp_path / "alone", engine="inline")
    chunks = study.plan.chunks
    faults = Faults(tmp_path, "processes", 6, seed=4, study="real", expected=chunks)
    faults.run()
    assert faults.killed.total() == 6
    assert set(faults.statuses) <= {0, -9}, (tmp_path / "client.log").read_text()
    assert dict(contents(faults.store)) == dict(contents(tmp_path / "alone"))
    again = study.run(faults.store, engine="inline")
    assert again.cost.network_steps == 0
    assert again.dataset.identical(alone.dataset)
    assert alone.dataset.attrs["complete"] == 1
