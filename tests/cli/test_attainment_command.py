"""`attainment` on the command line: what it passes on, prints, writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import reluscape as rs
from reluscape.cli.app import main

Run = Callable[..., tuple[int, str, list[str]]]
COMPILING = "compiling"
JUMP = ("--target", "step(x - 1/2)", "--interval", "0", "1", "--width", "2")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in an empty folder, with few bounds: its status, output, and errors."""
    monkeypatch.chdir(tmp_path)
    verb = rs.attainment

    def quickly(*given, **options):
        return verb(*given, bounds=(1.0, 2.0, 4.0), **options)

    monkeypatch.setattr(rs, "attainment", quickly)

    def start(*words: str) -> tuple[int, str, list[str]]:
        status = main(["attainment", *words])
        said = capsys.readouterr()
        # The first command on a machine says that it compiles.
        return status, said.out, [line for line in said.err.splitlines() if COMPILING not in line]

    return start


def test_what_is_not_attained_has_status_one(run: Run) -> None:
    status, out, err = run(*JUMP, "--no-skip")
    assert (status, err) == (1, [])
    lines = out.splitlines()
    assert lines[0] == (
        "The least risk of 2 neurons (ReLU, no skip connection) for step(x - 1/2) on [0, 1]"
    )
    assert lines[1] == "not attained, infimum 0"
    assert lines[2].startswith("- the target jumps at x = 0.5")
    assert lines[3].endswith("eps -> 0")
    rows = [line.split() for line in lines if line]
    # A ramp of width eps has risk eps / 12, and slope 1 / eps.
    assert ["0.01", "0.00083333", "100"] in rows
    # In a box: slope 4^2 in units of [-1, 1] and 1/2, so that eps = 1/16.
    assert ["4", "0.0052083", "4"] in rows
    assert "the risk falls like size^-" in out


def test_what_is_attained_or_open_has_status_zero(run: Run) -> None:
    words = ("--target", "x^2", "--interval", "0", "1", "--width", "1")
    status, out, _ = run(*words)
    assert (status, out.splitlines()[1]) == (0, "attained, infimum 0.0003472222")
    assert "above the infimum" in out
    status, out, _ = run(*words, "--activation", "tanh", "--no-skip")
    assert (status, out.splitlines()[1]) == (0, "undecided")


def test_the_document_holds_all_of_it(run: Run, tmp_path: Path) -> None:
    words = ("--activation", "leaky:0.25", "--density", "2", "--seed", "7", "--plot", "a.png")
    status, out, err = run(*JUMP, *words, "--json")
    assert status == 1
    values = json.loads(out, parse_constant=pytest.fail)
    assert values["problem"] == {
        "target": "step(x - 1/2)",
        "interval": [0.0, 1.0],
        "density": "2",
    }
    assert values["activation"] == {"name": "leaky", "slope": 0.25}
    asked = [values[name] for name in ("width", "skip", "seed", "attained", "infimum")]
    assert asked == [2, True, 7, False, 0.0]
    assert values["minimiser"] is None
    problem = rs.Interval(rs.expression("step(x - 1/2)"), 0, 1, rs.expression("2"))
    for member in values["sequence"]["members"]:
        parameters = member["network"]
        assert parameters.pop("activation") == {"name": "leaky", "slope": 0.25}
        network = rs.Network(**parameters, activation=rs.leaky(0.25))
        assert problem.risk(network) == member["risk"]
        assert member["risk"] == pytest.approx(2 * member["value"] / 12, rel=1e-9)
    assert [best["bound"] for best in values["evidence"]["best"]] == [1.0, 2.0, 4.0]
    assert values["files"] == {"plot": "a.png"}
    assert values["command"].startswith("reluscape attainment --target 'step(x - 1/2)'")
    assert err == ["reluscape: wrote a.png"]
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_minimiser_that_is_known_is_in_the_document(run: Run) -> None:
    words = ("--target", "abs(x)", "--interval", "-1", "1", "--width", "1", "--json")
    status, out, _ = run(*words)
    values = json.loads(out)
    assert (status, values["attained"], values["sequence"]) == (0, True, None)
    parameters = values["minimiser"]
    parameters["activation"] = "relu"
    assert rs.Interval(rs.expression("abs(x)"), -1, 1).risk(rs.Network(**parameters)) < 1e-30


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*JUMP, "--activation", "sin"), "give relu, square, tanh, softplus, or leaky:S"),
        ((*JUMP, "--activation", "leaky:2"), "slope S between 0 and 1"),
        ((*JUMP[:-1], "0"), "--width is 0"),
        ((*JUMP, "--plot", "none/a.png"), "there is no folder"),
        ((*JUMP, "--density", "x - 1/2"), "the density is negative"),
        (JUMP[:-2], "--width"),
    ],
)
def test_refusals(run: Run, words: tuple[str, ...], message: str) -> None:
    status, out, err = run(*words)
    assert (status, out, len(err)) == (2, "", 1)
    assert message in err[0]
