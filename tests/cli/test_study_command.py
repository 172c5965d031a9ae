"""`reluscape study`: what it runs, prints, keeps, writes and refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import reluscape as rs
from reluscape.cli.app import main
from reluscape.studies.ready.launch import declare
from reluscape.studies.running import open_study

SPEC = """
name = "two targets"
widths = [1, 2]
starts = 12
step_sizes = [0.05]
steps = 300
thresholds = [0.05]
seed = 4

[problems.tent]
kind = "piecewise linear"
x = [0, 0.5, 1]
y = [0.5, 0, 0.5]

[problems.line]
kind = "affine"
alpha = 1
beta = 0
interval = [0, 1]
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("spec.toml").write_text(SPEC)

    def start(*words):
        status = main(["study", *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return start


def test_study_from_a_file_prints_a_row_for_each_combination(run):
    status, out, _ = run("run", "spec.toml", "--engine", "inline")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].startswith("study 'two targets' of 48 runs")
    assert "inline on cpu" in lines[1]
    rows = [line.split() for line in lines if line.startswith(("tent", "line"))]
    assert [row[:3] for row in rows] == [
        [name, width, "12"] for name in ("tent", "line") for width in "12"
    ]


def test_run_can_be_left_out(run):
    assert run("spec.toml", "--engine", "inline", "--json")[0] == 0


def test_document_holds_what_the_study_of_the_same_seed_gives(run):
    status, out, _ = run("run", "spec.toml", "--engine", "inline", "--json", "--store", "kept")
    found = json.loads(out)
    assert status == 0
    assert found["store"] == "kept"
    assert found["complete"] is True
    assert found["cost"]["network_steps"] == 48 * 300
    study = rs.Study.from_toml("spec.toml")
    risks = study.run(engine="inline").dataset["risk"].sel(problem="line", width=2)
    row = next(r for r in found["rows"] if r["problem"] == "line" and r["width"] == 2)
    assert row["best_risk"] == float(risks.min())
    assert row["median_risk"] == float(np.median(risks))
    assert found["digest"] == study.digest


def test_store_is_gone_on_with_and_told_about(run):
    run("run", "spec.toml", "--engine", "inline", "--store", "kept")
    chunks = sorted(Path("kept/chunks").iterdir())
    before = chunks[1].read_bytes()
    chunks[1].unlink()
    status, out, _ = run("status", "kept")
    assert status == 0
    assert "not complete" in out
    found = json.loads(run("status", "kept", "--json")[1])
    assert (found["complete"], found["chunks"]["finished"]) == (False, len(chunks) - 1)
    assert found["runs"]["all"] - found["runs"]["done"] == 12
    again = json.loads(run("spec.toml", "--engine", "inline", "--store", "kept", "--json")[1])
    assert again["cost"]["network_steps"] == 12 * 300
    assert chunks[1].read_bytes() == before
    assert json.loads(run("status", "kept", "--json")[1])["complete"] is True


def test_results_are_exported(run):
    run("run", "spec.toml", "--engine", "inline", "--store", "kept")
    status, out, err = run("export", "kept", "--to", "runs.csv")
    assert (status, out) == (0, "")
    assert "wrote 48 runs to runs.csv" in err
    rows = list(csv.DictReader(Path("runs.csv").read_text().splitlines()))
    dataset = open_study("kept").dataset
    first = dataset["risk"].sel(problem="tent", width=2).to_numpy().ravel()
    mine = [float(r["risk"]) for r in rows if (r["problem"], r["width"]) == ("tent", "2")]
    assert mine == first.tolist()
    assert run("export", "kept", "--to", "runs.nc")[0] == 0
    assert run("export", "kept", "--to", "runs.parquet")[0] == 0


def test_ready_study_prints_tables_and_draws(run):
    words = ("run", "traps", "--starts", "10", "--steps", "20", "--engine", "inline", "--seed", "2")
    status, out, err = run(*words, "--plot", "traps.pdf", "--store", "kept")
    assert status == 0
    assert "How often a run ends in the trap" in out
    assert "50 runs; 1,000 network-steps in" in out
    assert "wrote traps.pdf" in err
    assert Path("traps.pdf").read_bytes().startswith(b"%PDF")
    assert open_study("kept").study.digest == declare("traps", starts=10, steps=20, seed=2).digest
    found = json.loads(run(*words, "--json")[1])
    assert found["runs"] == 50
    counts = found["summary"]["variables"]["fate_count"]
    assert counts["axes"] == ["width", "fate"]
    assert np.sum(counts["values"], axis=1).tolist() == [10] * 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "convergense"), "no ready study 'convergense'"),
        (("spec.tolm",), "spec.tolm"),
        (("run", "spec.toml", "--starts", "5"), "--starts is for the ready studies"),
        (("run", "spec.toml", "--plot", "a.pdf"), "--plot is for the ready studies"),
        (("run", "traps", "--starts", "3"), "at least 10"),
        (("run", "traps", "--plot", "a.gif"), "end its name in .png, .svg or .pdf"),
        (("run", "traps", "--engine", "cloud"), "--engine"),
        (("run", "traps", "--scheduler", "tcp://127.0.0.1:9"), "dask"),
        (("status", "nowhere"), "nowhere holds no study"),
        (("export", "nowhere", "--to", "a.csv"), "nowhere"),
        (("export", "nowhere", "--to", "no/a.csv"), "there is no folder no"),
        ((), "missing command"),
    ],
)
def test_wrong_calls_are_refused_in_one_line(run, words, said):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_unknown_key_is_answered_by_the_nearest_known_one(run):
    Path("spec.toml").write_text(SPEC.replace("step_sizes", "step_size"))
    status, _, err = run("spec.toml")
    assert status == 2
    assert "step_sizes" in err


def test_store_of_another_study_is_refused(run):
    run("run", "spec.toml", "--engine", "inline", "--store", "kept")
    Path("spec.toml").write_text(SPEC.replace("seed = 4", "seed = 5"))
    status, _, err = run("run", "spec.toml", "--engine", "inline", "--store", "kept")
    assert status == 2
    assert "seed is 4 there and 5 here" in err


def test_interrupt_says_how_to_go_on(run, monkeypatch):
    def stop(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("reluscape.studies.ready.launch.ready_study", stop)
    _, _, err = run("run", "traps", "--store", "kept")
    assert "the same command goes on with what is in kept" in err


def test_help_names_the_commands(run):
    status, out, _ = run("--help")
    assert status == 0
    assert all(word in out for word in ("run", "status", "export"))
    assert "--store" in run("run", "--help")[1]
