"""A study for other programs: every number is there, in its row and column."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr

import reluscape as rs
from reluscape.errors import FileError, InputError
from reluscape.studies.export import export_study
from reluscape.studies.store import Store
from reluscape.studies.study import Study

TENT = rs.piecewise_linear([0, 0.5, 1], [0, 1, 0])
LINE = {"kind": "affine", "alpha": 1, "beta": 0, "interval": [0, 1]}
CELL = ("problem", "activation", "width", "initialisation", "optimiser", "step_size")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory):
    """Run a small study with everything in it, one run of which diverges."""
    study = Study(
        problems={
            "line": LINE,
            "tent": rs.Interval(TENT, 0, 1),
        },
        widths=[1, 2],
        starts=3,
        step_sizes=[0.1, 1e6],
        steps=40,
        activations=["relu", 0.1],
        records=[0, 10, 40],
        thresholds=[0.05, 1e-9],
        monitor_every=10,
        verdicts="final",
        keep_networks=True,
        name="all",
    )
    folder = tmp_path_factory.mktemp("export")
    result = study.run(folder / "store", engine="inline")
    return folder, result.dataset


def value_of(dataset: xr.Dataset, row: dict, name: str, **place) -> float:
    labels = {axis: row[axis] for axis in CELL} | {"start": int(row["start"])} | place
    labels |= {"width": int(row["width"]), "step_size": float(row["step_size"])}
    return dataset[name].sel(labels).item()


def check_row(dataset: xr.Dataset, row: dict) -> None:
    """Compare the numbers of a row with the Dataset; None or "" is an empty field."""

    def number(name: str) -> float:
        return float("nan" if row[name] in (None, "") else row[name])

    for name in ("risk", "initial_risk", "norm", "gradient_norm", "steps"):
        np.testing.assert_equal(number(name), value_of(dataset, row, name))
    for step in (0, 10, 40):
        expected = value_of(dataset, row, "record_risk", record=step)
        np.testing.assert_equal(number(f"risk_at_{step}"), expected)
    for risk in (0.05, 1e-9):
        time = value_of(dataset, row, "time", threshold=risk)
        np.testing.assert_equal(number(f"time_to_{risk!r}"), np.nan if time < 0 else time)
    for slot in dataset["plateau"].to_numpy():
        for name in ("entered", "left"):
            step = value_of(dataset, row, name, plateau=slot)
            np.testing.assert_equal(number(f"{name}_{slot}"), np.nan if step < 0 else step)
    level = value_of(dataset, row, "level")
    np.testing.assert_equal(number("level"), np.nan if level < 0 else level)
    outcome = dataset["outcome"].attrs["flag_meanings"].split()
    assert row["outcome"] == outcome[value_of(dataset, row, "outcome")]
    verdict = value_of(dataset, row, "verdict")
    words = dataset["verdict"].attrs["flag_meanings"].split()
    assert (row["verdict"] or "").replace(" ", "_") == ("" if verdict < 0 else words[verdict])
    for place in range(7):
        expected = dataset["parameters"].sel(
            {axis: row[axis] for axis in CELL if axis not in ("width", "step_size")}
            | {"width": int(row["width"]), "step_size": float(row["step_size"])}
            | {"start": int(row["start"])}
        )[place]
        np.testing.assert_equal(number(f"parameter_{place}"), expected.item())


def test_csv(done) -> None:
    folder, dataset = done
    assert export_study(folder / "store", folder / "runs.csv") == 48
    with (folder / "runs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({tuple(row[axis] for axis in (*CELL, "start")) for row in rows}) == 48
    for row in rows:
        check_row(dataset, row)
    assert {row["outcome"] for row in rows} == {"finished", "diverged"}
    assert "" in {row["verdict"] for row in rows}


def test_parquet(done) -> None:
    folder, dataset = done
    assert export_study(folder / "store", folder / "runs.parquet") == 48
    for row in pq.read_table(folder / "runs.parquet").to_pylist():
        check_row(dataset, row)


def test_netcdf(done) -> None:
    folder, dataset = done
    assert export_study(folder / "store", folder / "runs.nc") == 48
    with xr.open_dataset(folder / "runs.nc", engine="scipy", decode_cf=False) as found:
        raw = found.load()
    with xr.open_dataset(folder / "runs.nc", engine="scipy") as found:
        found = found.load()
    assert set(found.variables) == set(dataset.variables)
    for name in dataset.variables:
        np.testing.assert_array_equal(found[name].to_numpy(), dataset[name].to_numpy())
    assert raw.attrs["digest"] == dataset.attrs["digest"]
    assert found["outcome"].attrs["flag_meanings"] == "finished diverged"


def test_numbers_beyond_32_bits_survive(done, monkeypatch) -> None:
    folder, dataset = done
    from reluscape.studies.export import _netcdf

    big = dataset[["steps"]] + 2**40
    (folder / "big.nc").write_bytes(_netcdf(big))
    with xr.open_dataset(folder / "big.nc", engine="scipy") as found:
        np.testing.assert_array_equal(found["steps"].to_numpy(), big["steps"].to_numpy())


def test_a_study_in_the_middle_has_the_runs_that_are_there(done, tmp_path: Path) -> None:
    folder, _ = done
    whole = Store.open(folder / "store")
    part = Store.create_or_open(tmp_path / "part", whole.description, whole.digest, whole.chunks)
    with pytest.raises(FileError, match="holds no results yet"):
        export_study(tmp_path / "part", tmp_path / "part.csv")
    part.write(3, whole.read(3))
    assert export_study(tmp_path / "part", tmp_path / "part.csv") == 3
    assert export_study(tmp_path / "part", tmp_path / "part.nc") == 3


def test_groups_of_rows_make_one_table(done, monkeypatch) -> None:
    folder, _ = done
    export_study(folder / "store", folder / "one.csv")
    monkeypatch.setattr("reluscape.studies.export._GROUP", 7)
    export_study(folder / "store", folder / "many.csv")
    assert (folder / "one.csv").read_bytes() == (folder / "many.csv").read_bytes()


@pytest.mark.parametrize("name", ["runs.xlsx", "runs"])
def test_other_formats_are_refused(done, name: str) -> None:
    with pytest.raises(InputError, match=r"use one of \.csv, \.parquet, \.nc"):
        export_study(done[0] / "store", done[0] / name)


def test_a_damaged_chunk_leaves_no_half_a_file(done, tmp_path: Path) -> None:
    folder, _ = done
    whole = Store.open(folder / "store")
    store = Store.create_or_open(tmp_path / "s", whole.description, whole.digest, whole.chunks)
    for index in (0, 1):
        store.write(index, whole.read(index))
    path = store.path / "chunks" / "000001.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileError, match=r"chunk 1 .* damaged"):
        export_study(store.path, tmp_path / "runs.csv")
    assert not (tmp_path / "runs.csv").exists()
    # Put aside: what is sound can be exported now.
    assert export_study(store.path, tmp_path / "runs.csv") == 3


def test_where_nothing_can_be_written_it_is_said(done) -> None:
    with pytest.raises(FileError, match="cannot write"):
        export_study(done[0] / "store", done[0] / "none" / "runs.csv")
