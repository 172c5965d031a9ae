"""Descriptions, TOML and digests: nothing is lost on the way, and what matters is told apart."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reluscape as rs
from records import Pieces, Plain
from reluscape.errors import FileError, InputError
from reluscape.studies.toml_text import toml_text
from strategies import networks, rows, targets
from study_cases import LINE, NOISY, TENT, small

ALL: dict[str, Any] = {
    "problems": {
        "tent": TENT,
        "line": LINE,
        'a cubic "with" tilt': {
            "kind": "expression",
            "target": "x^3 - |x|",
            "interval": [-1, 2],
            "density": "1 + x/4",
        },
        "trap": rs.trap(0.0, 1.0, 2.0).problem,
        "deep": {"kind": "trap", "interval": [0, 2], "gap": 1},
        "noisy": NOISY,
    },
    "activations": ["relu", 0.1, "leaky(0.3)"],
    "initialisations": ["normal", {"kind": "normal", "scale": 0.1}, "spread"],
    "optimisers": ["gd", "heavy ball", {"kind": "adam", "epsilon": 1e-7}],
    "step_sizes": [1e-3, 1 / 3],
    "records": 6,
    "thresholds": {"tent": [1e-3, 1e-2]},
    "success": 1e-5,
    "verdicts": "polished",
    "keep_networks": True,
    "seed": 2**63,
    "at_zero": "ge",
    "name": "всё",
}


def through_json(study: rs.Study) -> rs.Study:
    return rs.Study.from_description(json.loads(json.dumps(study.describe())))


def through_toml(study: rs.Study, folder: Path) -> rs.Study:
    path = folder / "study.toml"
    path.write_text(study.to_toml(), encoding="utf-8")
    return rs.Study.from_toml(path)


def test_everything_comes_back(tmp_path: Path) -> None:
    study = small(**ALL)
    for again in (through_json(study), through_toml(study, tmp_path)):
        assert again.describe() == study.describe()
        assert again.digest == study.digest
        assert again.name == "всё"


def test_batches_come_back(tmp_path: Path) -> None:
    study = small(problems={"noisy": NOISY}, optimisers=["gd", {"kind": "sgd", "batch": 7}])
    assert through_toml(study, tmp_path).digest == study.digest


positive = st.floats(min_value=0.0, exclude_min=True, allow_infinity=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(positive, min_size=1, max_size=4, unique=True),
    st.lists(positive, max_size=3, unique=True),
    st.integers(0, 2**128),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
)
def test_numbers_and_names_come_back_bit_for_bit(
    tmp_path: Path, sizes: list[float], thresholds: list[float], seed: int, name: str
) -> None:
    study = small(step_sizes=sizes, thresholds=thresholds, seed=seed, problems={name: LINE})
    again = through_toml(study, tmp_path)
    assert again.step_sizes == tuple(sizes)
    assert again.describe() == study.describe() == through_json(study).describe()


def network_of(plain: Plain) -> rs.Network:
    skip = None if plain.u is None else [plain.u]
    activation = rs.leaky(plain.slope) if plain.slope else "relu"
    return rs.Network(plain.w, plain.b, plain.v, plain.c, skip, activation)


@given(targets(), networks(), st.floats(-1.0, 0.4), st.floats(0.5, 2.0))
def test_functions_come_back_bit_for_bit(
    drawn: tuple[Pieces, Pieces], plain: Plain, a: float, b: float
) -> None:
    target, density = (
        rs.piecewise_polynomial(
            [float(t) for t in f.breaks], [[float(c) for c in row] for row in f.coefficients]
        )
        for f in drawn
    )
    problem = rs.Interval(target, a, b, density)
    again = through_json(small(problems={"drawn": problem})).built["drawn"]
    net = network_of(plain)
    assert again.risk(net) == problem.risk(net)


@given(rows(), networks())
def test_data_come_back_bit_for_bit(data: tuple, plain: Plain) -> None:
    problem = rs.Samples(*data)
    again = through_json(small(problems={"drawn": problem})).built["drawn"]
    net = network_of(plain)
    assert again.risk(net) == problem.risk(net)
    assert np.array_equal(again.gradient(net), problem.gradient(net))


@pytest.mark.parametrize(
    ("table", "same"),
    [
        (TENT, rs.Interval(rs.piecewise_linear([0, 0.5, 1], [0.5, 0, 0.5]), 0, 1)),
        (LINE, rs.Interval(rs.affine(1, 0), 0, 1)),
        (
            {"kind": "expression", "target": "x^2", "interval": [0, 2], "density": "x"},
            rs.Interval(rs.polynomial([0, 0, 1]), 0, 2, rs.polynomial([0, 1])),
        ),
        ({"kind": "trap", "interval": [0, 2], "gap": 1}, rs.trap(0, 2, 1).problem),
    ],
)
def test_tables_are_the_problems_that_they_say(table: dict, same: rs.Interval) -> None:
    net = rs.Network([1.0, -2.0], [-0.3, 0.7], [1.5, -0.4], 0.2)
    built = small(problems={"it": table}).built["it"]
    assert built.risk(net) == same.risk(net)


def test_the_digest_tells_apart_what_has_a_say() -> None:
    base = small()
    changes: list[dict[str, Any]] = [
        {"widths": [3]},
        {"starts": 6},
        {"step_sizes": [math.nextafter(0.05, 1)]},
        {"steps": 31},
        {"initialisations": ["spread"]},
        {"activations": [0.1]},
        {"optimisers": ["adam"]},
        {"skip": True},
        {"at_zero": "ge"},
        {"records": [0, 1, 30]},
        {"thresholds": [0.1]},
        {"monitor_every": 11},
        {"success": 1e-5},
        {"verdicts": "final"},
        {"keep_networks": True},
        {"precision": "float32"},
        {"seed": 1},
        {"problems": {"tent": LINE}},
        {"problems": {"other": TENT}},
    ]
    digests = [small(**change).digest for change in changes]
    assert len({base.digest, *digests}) == 1 + len(changes)
    assert len(base.digest) == 64


def test_the_digest_does_not_depend_on_how_it_is_written() -> None:
    first = small(
        name="a", activations=[0.1], initialisations=["normal*0.5"], records=None, step_sizes=[1]
    )
    second = small(
        name="b",
        activations=["leaky(0.1)"],
        initialisations=[{"kind": "normal", "scale": 0.5}],
        records=np.array([0, 30]),
        step_sizes=(1.0,),
        widths=np.array([2]),
    )
    assert first.digest == second.digest


def test_the_order_of_problems_is_part_of_the_digest() -> None:
    # Chunks are numbered in this order.
    one, other = small(problems={"a": TENT, "b": LINE}), small(problems={"b": LINE, "a": TENT})
    assert one.digest != other.digest


def test_another_format_is_refused() -> None:
    description = small().describe() | {"format": 0}
    with pytest.raises(InputError, match="format 0, and this version of reluscape reads format 1"):
        rs.Study.from_description(description)


def test_data_in_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    data = tmp_path / "deep" / "points.csv"
    data.write_text("dose;yield;count\n0,5;1;2\n1;2;1\n2;0;4\n", encoding="utf-8")
    text = """
        widths = [2]
        starts = 3
        step_sizes = [0.1]
        steps = 10
        [problems.points]
        kind = "data"
        file = "deep/points.csv"
        x = "dose"
        y = "yield"
    """
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    study = rs.Study.from_toml(path)
    net = rs.Network([1.0], [0.0], [1.0])
    assert study.built["points"].risk(net) == rs.Samples([0.5, 1, 2], [1, 2, 0]).risk(net)
    # Elsewhere it is the same study; other data are another one.
    moved = tmp_path / "points.csv"
    moved.write_bytes(data.read_bytes())
    path.write_text(text.replace("deep/", ""), encoding="utf-8")
    assert rs.Study.from_toml(path).digest == study.digest
    path.write_text(text + 'weights = "count"\n', encoding="utf-8")
    weighted = rs.Study.from_toml(path)
    assert weighted.digest != study.digest
    assert weighted.built["points"].risk(net) == rs.Samples([0.5, 1, 2], [1, 2, 0], [2, 1, 4]).risk(
        net
    )
    # A study that was described refuses a file that has changed since.
    data.write_text(data.read_text("utf-8").replace("0,5", "0,6"), encoding="utf-8")
    with pytest.raises(FileError, match="have changed"):
        through_json(study)
    data.unlink()
    with pytest.raises(FileError, match="there is no file"):
        through_json(study)


def test_toml_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    with pytest.raises(FileError, match="cannot read"):
        rs.Study.from_toml(path)
    path.write_text("widths = [2,, 3]\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"is not TOML.*line 1"):
        rs.Study.from_toml(path)
    path.write_bytes(b'name = "\xff"\n')
    with pytest.raises(FileError, match="not UTF-8"):
        rs.Study.from_toml(path)


def test_long_lists_are_broken_into_lines() -> None:
    text = toml_text({"records": list(range(60))})
    assert max(map(len, text.splitlines())) < 110
    assert text.startswith("records = [\n    0,\n    1,\n")


def test_what_a_study_says_of_itself() -> None:
    assert str(small(name="tents", step_sizes=[0.1, 0.2])) == (
        "study 'tents' of 10 runs: 1 problem, 2 step sizes, 5 starts, 30 steps"
    )
