"""Studies that cannot be: each is refused at once, with the cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reluscape as rs
from reluscape.errors import InputError
from reluscape.studies import memory
from reluscape.studies.rows import MOST_INSIDE
from study_cases import LINE, NOISY, TENT, small

TWO_INPUTS = rs.Samples(np.ones((3, 2)), np.ones(3))
TWO_TARGETS = rs.Samples(np.ones(3), np.ones((3, 2)))
SQUARE = rs.Polygon(rs.polynomial2d([[0.0]]), [[0, 0], [1, 0], [0, 1]])
TRAP = rs.trap(0.0, 1.0, 1.0).problem


def problem(**table: Any) -> dict[str, Any]:
    return {"problems": {"it": table}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"starts": 0}, "starts is 0; give a whole number >= 1"),
        ({"starts": 2.5}, "starts is 2.5; give a whole number"),
        ({"starts": True}, "starts is True; give a whole number"),
        ({"steps": 0}, "steps is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"widths": []}, "widths is empty; give at least one"),
        ({"widths": 2}, "widths is 2; give a list"),
        ({"widths": "24"}, "widths is '24'; give a list"),
        ({"widths": [0]}, "an entry of widths is 0; give a whole number >= 1"),
        ({"widths": [2, 4, 2]}, "widths holds 2 twice"),
        ({"step_sizes": [0.0]}, "an entry of step_sizes is 0.0; give a finite number above 0"),
        ({"step_sizes": [float("nan")]}, "step_sizes is nan"),
        ({"step_sizes": [float("inf")]}, "step_sizes is inf"),
        ({"step_sizes": [-0.1]}, "step_sizes is -0.1"),
        ({"step_sizes": ["0.1"]}, "step_sizes is '0.1'"),
        ({"step_sizes": [1, 1.0]}, "step_sizes holds 1.0 twice"),
        ({"initialisations": []}, "initialisations is empty"),
        ({"initialisations": ["norml"]}, "did you mean 'normal'"),
        ({"initialisations": ["normal*big"]}, "the scale 'big' is no number"),
        ({"initialisations": ["normal*-1"]}, "scale of an initialisation is -1.0"),
        ({"initialisations": [{"scale": 1.0}]}, "an initialisation has no 'kind'"),
        ({"initialisations": [{"kind": "normal", "size": 1.0}]}, "unknown key 'size'"),
        ({"initialisations": [{"kind": "spread", "scale": 2.0}]}, "leave scale out"),
        ({"initialisations": ["normal", "normal*1.0"]}, "twice"),
        ({"activations": ["tanh"]}, "'tanh' is not one that can be studied"),
        ({"activations": [1.5]}, "strictly between 0 and 1"),
        ({"activations": ["leaky(x)"]}, "the slope 'x' is no number"),
        ({"activations": ["leaky(0.1)", 0.1]}, "twice"),
        ({"activations": [None]}, "the activation None is none"),
        ({"optimisers": ["adma"]}, "did you mean 'adam'"),
        ({"optimisers": [{"batch": 2}]}, "an optimiser has no kind"),
        ({"optimisers": ["sgd"]}, "the optimiser 'sgd' has no 'batch'"),
        ({"optimisers": [{"kind": "sgd", "batch": 0}]}, "batch is 0"),
        ({"optimisers": [{"kind": "gd", "momentum": 0.9}]}, "'gd' has an unknown key 'momentum'"),
        ({"optimisers": [{"kind": "heavy ball", "momentum": 1.0}]}, "momentum is 1.0"),
        ({"optimisers": [{"kind": "adam", "beta_1": 0.9}]}, "did you mean 'beta1'"),
        ({"optimisers": [{"kind": "adam", "epsilon": 0}]}, "epsilon is 0"),
        ({"optimisers": ["gd", {"kind": "gd"}]}, "twice"),
        (
            {"optimisers": [{"kind": "sgd", "batch": 2}], "problems": {"n": NOISY, "tent": TENT}},
            "takes batches of data, and the problem 'tent' has none",
        ),
        ({"records": [0, 31]}, "records holds step 31, but a run has 30"),
        ({"records": [3, 3]}, "records holds 3 twice"),
        ({"records": [-1]}, "an entry of records is -1"),
        ({"records": []}, "records is empty"),
        ({"records": 1}, "records is 1; give a whole number >= 2"),
        ({"thresholds": {"tnet": [0.1]}}, "'tnet', which there is not; did you mean 'tent'"),
        ({"thresholds": [0.0]}, "an entry of thresholds is 0.0"),
        ({"thresholds": {"tent": [0.1, 0.1]}}, "thresholds of 'tent' holds 0.1 twice"),
        ({"success": 0}, "success is 0"),
        ({"success": {"tent": 1e-3, "line": 1.0}}, "'line', which there is not"),
        ({"success": {}}, "success says nothing of the problem 'tent'"),
        ({"monitor_every": 0}, "monitor_every is 0"),
        ({"verdicts": "polish"}, "did you mean 'polished'"),
        ({"verdicts": True}, "verdicts is True; use one of none, final, polished"),
        ({"keep_networks": 1}, "keep_networks is 1; use true or false"),
        ({"skip": "no"}, "skip is 'no'; use true or false"),
        ({"at_zero": "gte"}, "did you mean 'gt'"),
        ({"precision": "double"}, "precision is 'double'"),
        ({"name": "two\nlines"}, "give a text that can be printed"),
        ({"name": 3}, "name is 3; give a text"),
        ({"problems": {}}, "there are no problems"),
        ({"problems": TENT}, "the problem 'kind' is a str"),
        ({"problems": [TENT]}, "problems is .*; give a table"),
        ({"problems": {"": TENT}}, "the name of a problem is ''"),
        ({"problems": {3: TENT}}, "problems has the key 3; keys are texts"),
        ({"problems": {"it": SQUARE}}, "the problem 'it' is a Polygon"),
        ({"problems": {"it": TWO_INPUTS}}, "has 2 input"),
        ({"problems": {"it": TWO_TARGETS}}, r"y of shape \(3, 2\)"),
        (
            {"problems": {"it": rs.Interval(TRAP.target, 0.0, 0.5)}},
            "target of a trap on another interval",
        ),
        (problem(x=[0, 1]), "the problem 'it' has no kind"),
        (problem(kind="picewise linear", x=[0, 1], y=[0, 1]), "did you mean 'piecewise linear'"),
        (problem(kind="piecewise linear", x=[0, 1]), "the problem 'it' has no 'y'; add it"),
        (problem(kind="piecewise linear", x=[1, 0], y=[0, 1]), "problem 'it': x must increase"),
        (problem(kind="piecewise linear", x=[0, "b"], y=[0, 1]), "x of the problem 'it' is 'b'"),
        (problem(kind="affine", alpha=1, beta=0, interval=[0, 1], densty="x"), "'density'"),
        (problem(kind="affine", alpha=1, beta=0, interval=[1, 0]), "the interval"),
        (problem(kind="affine", alpha=1, beta=0, interval=[0, 1, 2]), "has 3 numbers"),
        (problem(kind="affine", alpha=float("inf"), beta=0, interval=[0, 1]), "alpha of"),
        (problem(kind="expression", target="x + y", interval=[0, 1]), "there is no y"),
        (problem(kind="expression", target=3, interval=[0, 1]), "target of .* is 3; give a text"),
        (problem(kind="expression", target="x", interval=[0, 1], density="-1"), "negative"),
        (problem(kind="trap", interval=[0, 1]), "either a gap or a height"),
        (problem(kind="trap", interval=[0, 1], gap=1, height=1), "either a gap or a height"),
        (problem(kind="trap", interval=[0, 1], gap=-1), "gap of the problem 'it' is -1"),
        (problem(kind="trap", interval=[1, 0], height=1), "is not one; give finite a < b"),
        (problem(kind="pieces", interval=[0, 1], breaks=[0, 1], target=[]), "is empty"),
        (
            problem(kind="pieces", interval=[0, 1], breaks=[0, 1], target=[[1]], density=[[1]]),
            "one of density and density_breaks",
        ),
        (problem(kind="samples", x="AAAA", y="AAAA"), "is not base64"),
        (problem(kind="data", file="nowhere.csv", x="a", y="b"), "there is no file"),
        (problem(kind="data", file=3, x="a", y="b"), "file of the problem 'it' is 3"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        small(**changes)
    # One sentence with its cure: it ends like one.
    assert str(caught.value)[-1] in ".?"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("widhts = [2]", "the study has an unknown key 'widhts'; did you mean 'widths'?"),
        ("step_size = 1.0", "did you mean 'step_sizes'?"),
        ("Seed = 1", "unknown key 'Seed'; did you mean 'seed'?"),
        ("colour = 1", "unknown key 'colour'; use one of"),
        ("[problems.tent.extra]", "the problem 'tent' has an unknown key 'extra'"),
        ("[success]\ntnt = 1.0", "did you mean 'tent'?"),
        ("built = 1", "unknown key 'built'"),
        ("format = 1", "unknown key 'format'"),
    ],
)
def test_unknown_keys_in_toml(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "study.toml"
    text = small().to_toml()
    head, rest = text.split("\n[problems.tent]", 1)
    if line.startswith("["):
        text = f"{head}\n[problems.tent]{rest.split('[thresholds]')[0]}\n{line}\n"
    else:
        text = f"{head}\n{line}\n[problems.tent]{rest}"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        rs.Study.from_toml(path)
    assert message in str(caught.value)


def test_missing_keys_in_toml(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text("widths = [2]\n", encoding="utf-8")
    with pytest.raises(InputError, match="the study has no 'problems'; add it"):
        rs.Study.from_toml(path)
    path.write_text(
        "problems = 3\nwidths = [1]\nstarts = 1\nstep_sizes = [1]\nsteps = 1\n", "utf-8"
    )
    with pytest.raises(InputError, match="problems is 3; give a table"):
        rs.Study.from_toml(path)


def test_too_many_rows_for_a_description() -> None:
    many = rs.Samples(np.zeros(MOST_INSIDE // 8 + 1), np.zeros(MOST_INSIDE // 8 + 1))
    with pytest.raises(InputError, match=r"8,000,001 rows are too many.*Parquet"):
        small(problems={"many": many})


@pytest.mark.parametrize("options", [{}, {"device": "cpu"}, {"device": "cuda"}])
def test_memory_is_looked_at_before_anything_runs(options: dict[str, Any], tmp_path: Path) -> None:
    study = small(starts=10**12, precision="float64", keep_networks=True)
    store = tmp_path / "store"
    with pytest.raises(InputError, match=r"1,000,000,000,000 runs need 2\d\d TB of memory, and"):
        study.run(store, **options)
    assert not store.exists()


def test_the_memory_that_is_free_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    study = small(starts=10**6)
    needed = memory.bytes_of_study(study)
    monkeypatch.setattr(memory, "available", lambda: 10**9 + needed)
    memory.require_memory(study)
    monkeypatch.setattr(memory, "available", lambda: needed)
    with pytest.raises(InputError, match=r"need 6\d\d MB of memory, and 1\d\d MB are free"):
        memory.require_memory(study)
    monkeypatch.setattr(memory, "available", lambda: None)
    memory.require_memory(study)


def test_the_estimate_is_what_the_arrays_take() -> None:
    from reluscape.studies.dataset import StudyArrays

    study = small(
        problems={"line": LINE},
        widths=[2, 16],
        starts=1000,
        records=range(20),
        thresholds=[0.1, 0.2],
        verdicts="polished",
        keep_networks=True,
    )
    found = StudyArrays(study).dataset()
    taken = sum(variable.nbytes for variable in found.data_vars.values())
    estimate = memory.bytes_of_study(study)
    # Width 16 has nine levels, of which eight are watched: the most that there can be.
    assert estimate == taken
    assert memory.available() > 0


def test_precision_and_device_go_together() -> None:
    with pytest.raises(InputError, match='"float32" is for CUDA'):
        small(precision="float32").run(device="cpu")
    with pytest.raises(InputError, match='device is \'gpu\'; use "cpu" or "cuda"'):
        small().run(device="gpu")
