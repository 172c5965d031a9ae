"""`reluscape construct`: what it prints, writes and refuses."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import reluscape as rs
from construction_oracle import clusters
from reluscape.cli.app import main

COMPILING = "compiling"


@pytest.fixture
def rows():
    return clusters(np.random.default_rng(0), 3, 3, 0.2, rows=60)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys, rows):
    monkeypatch.chdir(tmp_path)
    x, labels = rows
    lines = ["a,kind,b,c,heavy"]
    for (a, b, c), j in zip(x.tolist(), labels, strict=True):
        lines.append(f"{a!r},{'xyz'[j]},{b!r},{c!r},{j + 1}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")

    def start(*words):
        status = main(["construct", *words])
        said = capsys.readouterr()
        # The first command on a machine says that it compiles.
        kept = [line for line in said.err.splitlines(True) if COMPILING not in line]
        return status, said.out, "".join(kept)

    return start


def test_document_and_network(run, rows):
    x, labels = rows
    status, out, err = run(
        "rows.csv", "--label", "kind", "--x", "a", "--x", "b", "--x", "c", "--json",
        "--save", "net.json", "--truncate",
    )  # fmt: skip
    assert status == 0
    found = json.loads(out)
    made = rs.construct(x, np.array(list("xyz"))[labels])
    assert found["cost"] == pytest.approx(made.cost, rel=1e-12)
    assert found["bound"] == pytest.approx(made.bound, rel=1e-12)
    assert found["exact"]["tied"] == pytest.approx(made.exact.tied, rel=1e-12)
    assert [c["label"] for c in found["classes"]] == ["x", "y", "z"]
    right = made.classify(x) == np.array(list("xyz"))[labels]
    shares = [c["nearest_to_own"] for c in found["classes"]]
    assert shares == pytest.approx([right[labels == j].mean() for j in range(3)])
    assert found["truncation"]["cost"] <= found["truncation"]["linear_cost"]
    assert found["files"] == {"save": "net.json"}
    net = rs.load_network("net.json")
    assert net.inputs == 3
    assert "wrote net.json" in err


def test_tables_figures_and_report(run, tmp_path):
    status, out, _ = run(
        "rows.csv", "--label", "2", "--weights", "heavy", "--metric", "within", "--lift",
        "--outputs", "means", "--plot", "p.svg", "--report", "r.html",
    )  # fmt: skip
    assert status == 0
    assert "kind by distance: 3 classes, 3 inputs, 66 rows of rows.csv" in out
    assert "Inputs are lifted" in out
    assert (tmp_path / "p.svg").read_text().startswith("<?xml")
    page = (tmp_path / "r.html").read_text()
    assert "<figure" in page
    assert "reluscape construct rows.csv --label 2" in page
    for foreign in ("http://", "https://", "<script", "src="):
        assert foreign not in page.replace("http://www.w3.org", "").replace(
            "https://matplotlib.org", ""
        )


def test_parquet_and_whole_numbers(run, rows):
    x, labels = rows
    table = {name: x[:, i] for i, name in enumerate("abc")} | {"n": labels + 9}
    pq.write_table(pa.table(table), "rows.parquet")
    status, out, _ = run("rows.parquet", "--label", "n", "--json")
    assert status == 0
    assert [c["label"] for c in json.loads(out)["classes"]] == [9, 10, 11]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rows.csv", "--label", "sort"), "no column 'sort'"),
        (("rows.csv",), "label"),
        (("rows.csv", "--label", "kind", "--x", "a", "--x", "a"), "given twice"),
        (("rows.csv", "--label", "kind", "--x", "a", "--x", "b"), "(--lift)"),
        (("rows.csv", "--label", "kind", "--plot", "p.gif"), "end its name in"),
        (("only.csv", "--label", "kind"), "no column of numbers beside 'kind'"),
        (("hole.csv", "--label", "kind"), "no label in line 3"),
        (("nan.csv", "--label", "kind"), "1 missing value, in line 2"),
        (("one.csv", "--label", "kind"), "one class only, 'u'"),
    ],
)
def test_refusals(run, words, said, tmp_path):
    (tmp_path / "only.csv").write_text("kind,name\nu,v\n")
    (tmp_path / "hole.csv").write_text("kind,a\nu,1\n,2\n")
    (tmp_path / "nan.csv").write_text("kind,a,b\nu,,2\nv,1,2\n")
    (tmp_path / "one.csv").write_text("kind,a,b\nu,1,2\nu,1,3\n")
    status, out, err = run(*words)
    assert status == 2
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
