"""`classify`, `atlas` and `trap`: what they pass on, print, write and refuse.

Most tests put simple stand-ins for the verbs of the landscape; those at the end use the verbs
themselves, and expect what the papers prove.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import reluscape as rs
from reluscape.cli.app import main

HEAVY = {"numba", "scipy", "sklearn", "matplotlib", "pandas", "pyarrow"}
COMPILING = "compiling"
VERBS = ("affine_landscape", "classify", "critical_points", "trap")

Run = Callable[..., tuple[int, str, list[str]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in an empty folder: its status, output, and lines of errors."""
    monkeypatch.chdir(tmp_path)

    def start(*words: str) -> tuple[int, str, list[str]]:
        status = main(list(words))
        said = capsys.readouterr()
        # The first command on a machine says that it compiles.
        return status, said.out, [line for line in said.err.splitlines() if COMPILING not in line]

    return start


def saddle(width: int = 2) -> rs.Network:
    """A saddle for x on [0, 1] of risk 1/972, from the papers."""
    rest = width - 2
    return rs.Network(
        [1, -1] + [0] * rest,
        [-1 / 3, 2 / 3] + [-1] * rest,
        [2 / 3, -2 / 3] + [0] * rest,
        1 / 2,
    )


@pytest.fixture
def net(run: Run, tmp_path: Path) -> str:
    """The saddle, in a file."""
    del run
    saddle().save(tmp_path / "net.json")
    return "net.json"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Stand-ins for the verbs, which note how they are called."""
    noted: list[tuple[Any, ...]] = []

    def classify(problem: Any, network: rs.Network, **options: Any) -> Any:
        noted.append((problem, network, options))
        better = rs.Network.from_vector(network.to_vector() * 1.01, network.inputs)
        states = network.neuron_states(0.0, 1.0) if network.inputs == 1 else ()
        return SimpleNamespace(
            kind="saddle",
            risk=problem.risk(network),
            gradient_norm=0.0,
            gradient=np.zeros(7),
            reasons=("The gradient is zero.", "There is a way down."),
            neuron_states=states,
            escape=SimpleNamespace(
                direction=np.full(7, 7**-0.5), step=0.125, network=better, risk=0.25, drop=0.5
            ),
        )

    def affine_landscape(*given: Any, **options: Any) -> Any:
        noted.append((*given, options))
        alpha, beta, a, b, width = given
        middle = alpha * (a + b) / 2 + beta
        flat = rs.Network([0] * width, [1] * width, [0] * width, middle)
        dead = rs.Network([0] * width, [-1] * width, [1] * width, middle)
        line = rs.Network(
            [1] + [0] * (width - 1), [-a] + [-1] * (width - 1), [alpha] * width, alpha * a + beta
        )
        top = alpha**2 * (b - a) ** 3 / 12
        return SimpleNamespace(
            levels=(0.0, top / 81, top),
            threshold=top,
            saddle=lambda n, split=None, family=None: saddle(width) if n else flat,
            dead_minimum=lambda: dead,
            global_minimum=lambda: line,
        )

    def critical_points(problem: Any, width: int = 1) -> Any:
        noted.append((problem, width))
        pair = (0.25, 0.2500001)
        place = pair if width == 1 else None
        kink = rs.Network([1], [-0.25], [1], 0)
        mean = rs.Network([-1], [-1], [1], 0.5)
        return [
            SimpleNamespace(
                kind="local minimum", risk=0.5, network=mean, family="constant", breakpoint=None
            ),
            SimpleNamespace(
                kind="saddle", risk=0.25, network=kink, family="right-active", breakpoint=place
            ),
        ]

    def trap(a: float, b: float, gap: float) -> Any:
        noted.append((a, b, gap))
        problem = rs.Interval(rs.expression("x^2"), a, b)

        def member(t: float, width: int = 2) -> rs.Network:
            return rs.Network([1] + [0] * (width - 1), [-t] + [-1] * (width - 1), [1] * width)

        return SimpleNamespace(
            problem=problem,
            risk=1.5,
            gap=gap * 1.25,
            requested=gap,
            better=rs.Network([1, 1], [0, -0.5], [0.5, 1]),
            range=(a, (a + b) / 2),
            member=member,
        )

    for verb in (classify, affine_landscape, critical_points, trap):
        monkeypatch.setattr(rs, verb.__name__, verb, raising=False)
    return noted


ON_X = ("--target", "x", "--interval", "0", "1")


def test_a_verdict_is_printed(run: Run, net: str, calls: list[Any]) -> None:
    status, out, err = run("classify", net, *ON_X)
    assert (status, err) == (0, [])
    lines = out.splitlines()
    assert lines[0] == "net.json, 2 neurons, on x on [0, 1]"
    assert lines[1] == "saddle, risk 0.001028807, norm of the gradient 0"
    assert lines[2:4] == ["- The gradient is zero.", "- There is a way down."]
    assert [line.split() for line in lines[5:8]] == [
        ["neuron", "state", "breakpoint"],
        ["1", "type-2-active", "0.33333"],
        ["2", "type-2-active", "0.66667"],
    ]
    assert "A step of 0.125 along the direction of escape lowers the risk by 0.500" in out
    ((problem, network, options),) = calls
    assert network == saddle()
    assert problem.risk(network) == pytest.approx(1 / 972)
    assert options == {"tolerance": 1e-9, "at_zero": "ge", "lower_bound": None}


def test_options_of_a_verdict_are_passed_on(run: Run, net: str, calls: list[Any]) -> None:
    words = ("--density", "1 + x", "--at-zero", "gt", "--tolerance", "1e-6")
    status, _, _ = run("classify", net, *ON_X, *words, "--lower-bound", "-0.5")
    assert status == 0
    ((problem, _, options),) = calls
    assert problem.density([1.0]) == 2.0
    assert options == {"tolerance": 1e-6, "at_zero": "gt", "lower_bound": -0.5}


def test_a_verdict_as_json_and_its_files(
    run: Run, net: str, calls: list[Any], tmp_path: Path
) -> None:
    words = ("--save", "better.json", "--plot", "verdict.png")
    status, out, err = run("classify", net, *ON_X, *words, "--json")
    assert status == 0
    values = json.loads(out, parse_constant=pytest.fail)
    assert values["kind"] == "saddle"
    assert values["problem"] == {"target": "x", "interval": [0.0, 1.0], "density": None}
    assert [neuron["kind"] for neuron in values["neurons"]] == ["type-2-active"] * 2
    assert len(values["escape"]["direction"]) == 7
    parameters = values["escape"]["network"]
    assert parameters.pop("activation") == {"name": "relu", "slope": 0.0}
    assert rs.Network(**parameters) == rs.load_network(tmp_path / "better.json")
    assert (tmp_path / "verdict.png").read_bytes().startswith(b"\x89PNG")
    assert values["files"] == {"save": "better.json", "plot": "verdict.png"}
    assert err == ["reluscape: wrote better.json", "reluscape: wrote verdict.png"]


def test_without_an_escape_nothing_is_saved(
    run: Run, net: str, calls: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    noting = rs.classify

    def minimum(*given: Any, **options: Any) -> Any:
        verdict = noting(*given, **options)
        verdict.kind, verdict.escape, verdict.neuron_states = "undecided", None, ()
        return verdict

    monkeypatch.setattr(rs, "classify", minimum)
    status, out, err = run("classify", net, *ON_X, "--save", "better.json", "--json")
    assert status == 0
    assert json.loads(out)["escape"] is None
    assert json.loads(out)["files"] == {}
    assert err == ["reluscape: no better network is known, so better.json was not written."]
    assert not (tmp_path / "better.json").exists()
    assert "neuron " not in run("classify", net, *ON_X)[1]


def test_a_verdict_on_data(run: Run, net: str, calls: list[Any], tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x,y,w\n0,0,1\n0.5,1,2\n1,1,3\n")
    words = ("--data", "data.csv", "--x", "x", "--y", "y", "--weights", "w", "--plot", "a.pdf")
    status, out, err = run("classify", net, *words)
    assert status == 0
    assert out.startswith("net.json, 2 neurons, on y against x, 3 rows of data.csv, weighted by w")
    ((problem, _, _),) = calls
    assert problem.weights.tolist() == [1.0, 2.0, 3.0]
    assert err == ["reluscape: wrote a.pdf"]


def test_a_certificate_gives_the_bound(
    run: Run, net: str, calls: list[Any], tmp_path: Path
) -> None:
    x = np.linspace(0, 1, 12)
    data = rs.Samples(x, np.abs(x - 0.4) + 0.1 * np.cos(9 * x))
    found = rs.fit(data, 1, skip=False, certify=True)
    found.certificate.save(tmp_path / "c.json")
    found.network.save(tmp_path / "fit.json")
    rows = zip(data.x.tolist(), data.y.tolist(), strict=True)
    table = "x,y\n" + "".join(f"{a!r},{b!r}\n" for a, b in rows)
    (tmp_path / "data.csv").write_text(table)
    words = ("--data", "data.csv", "--certificate", "c.json")
    assert run("classify", "fit.json", *words)[0] == 0
    assert calls[-1][2]["lower_bound"] == found.lower_bound > 0
    # The saddle has two neurons, the certificate is about one.
    status, out, err = run("classify", net, *words)
    assert (status, out) == (2, "")
    assert "is about networks of width 1 and this one has width 2" in err[0]
    (tmp_path / "data.csv").write_text(table.replace("1.0,", "1.5,"))
    status, _, err = run("classify", "fit.json", *words)
    assert status == 2
    assert len(err) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give either --data DATA, or --target EXPR"),
        ((*ON_X, "--data", "net.json"), "give either --data DATA, or --target EXPR"),
        (("--target", "x"), "--interval is missing"),
        (("--data", "a.csv", "--interval", "0", "1"), "--interval goes with --target only"),
        ((*ON_X, "--y", "y"), "--y goes with --data only"),
        ((*ON_X, "--tolerance", "nan"), "--tolerance is nan"),
        ((*ON_X, "--tolerance", "0"), "--tolerance is 0"),
        ((*ON_X, "--lower-bound", "inf"), "--lower-bound is inf"),
        ((*ON_X, "--lower-bound", "1", "--certificate", "c"), "say the same"),
        ((*ON_X, "--certificate", "none.json"), "none.json"),
        ((*ON_X, "--save", "net.json"), "would overwrite"),
        ((*ON_X, "--save", "a.txt"), "end its name in .json or .npz"),
        ((*ON_X, "--plot", "none/a.png"), "there is no folder"),
        ((*ON_X, "--at-zero", "eq"), "'eq'"),
        (("--target", "x+", "--interval", "0", "1"), r'--target: in "x\+", column 3'),
        ((*ON_X, "--density", "y"), "--density: .*there is no y|--density: "),
        ((*ON_X, "--density", "x - 1/2"), "the density is negative"),
        (("--target", "x", "--interval", "1", "0"), "--interval 1 0 is none"),
        (("--target", "x", "--interval", "0", "x"), "--interval: x is no number"),
        (("--target", "x", "--interval", "0", "inf"), "there is no inf"),
        (("--target", "x", "--interval", "0"), "--interval"),
        (("--data", "none.csv"), "there is no file none.csv"),
    ],
)
def test_refused_verdicts(
    run: Run, net: str, calls: list[Any], words: tuple[str, ...], message: str
) -> None:
    import re

    status, out, err = run("classify", net, *words)
    assert (status, out, len(err)) == (2, "", 1)
    assert re.search(message, err[0])
    assert calls == []


def test_a_network_of_two_inputs_is_not_judged_on_one(
    run: Run, calls: list[Any], tmp_path: Path
) -> None:
    rs.Network([[1.0, 2.0]], [0.0], [1.0]).save(tmp_path / "plane.npz")
    status, _, err = run("classify", "plane.npz", *ON_X)
    assert status == 2
    assert "plane.npz has 2 input(s) and the problem 1" in err[0]
    (tmp_path / "data.csv").write_text("a,b,y\n0,0,1\n0.5,1,2\n1,1,3\n")
    words = ("--data", "data.csv", "--x", "a", "--x", "b", "--y", "y")
    status, out, _ = run("classify", "plane.npz", *words)
    assert status == 0
    assert "y against a, b" in out
    rs.Network([[1.0, 2.0, 3.0]], [0.0], [1.0]).save(tmp_path / "space.npz")
    (tmp_path / "data.csv").write_text("a,b,d,y\n0,0,1,1\n0.5,1,2,2\n1,1,3,3\n")
    words = (*words, "--x", "d")
    status, _, err = run("classify", "space.npz", *words, "--plot", "a.png")
    assert (status, len(err)) == (2, 1)
    assert "--plot needs one or two inputs" in err[0]


def test_a_network_of_two_inputs(run: Run, tmp_path: Path) -> None:
    """The verb itself, on data whose best plane is known: 1 + a - b, with a hump at one row."""
    rows = [(a, b, 1.0 + a - b + (a == b == 0)) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    table = "dose,time,y\n" + "".join(f"{a},{b},{y}\n" for a, b, y in rows)
    (tmp_path / "data.csv").write_text(table)
    # The mean of the hump, 1/9, goes to the offset; the neuron is dead on all rows.
    rs.Network([[1.0, 1.0]], [-5.0], [1.0], 1.0 + 1 / 9, [1.0, -1.0]).save(tmp_path / "net.json")
    words = ("classify", "net.json", "--data", "data.csv", "--x", "dose", "--x", "time")
    status, out, err = run(*words, "--y", "y", "--plot", "net.png")
    assert status == 0
    assert "local minimum, risk 0.09876543" in out  # 8/81
    assert "neuron state" not in out
    assert "reluscape: wrote net.png" in err
    assert (tmp_path / "net.png").stat().st_size > 10_000
    rs.Network([[0.0, 0.0]], [0.0], [0.0], 1.0 + 1 / 9, [1.0, -1.0]).save(tmp_path / "net.json")
    status, out, _ = run(*words, "--y", "y", "--json", "--save", "better.json")
    found = json.loads(out)
    assert found["kind"] == "saddle"
    assert found["neurons"] == []
    assert found["problem"]["x"] == ["dose", "time"]
    assert found["escape"]["risk"] < found["risk"] == pytest.approx(8 / 81)
    better = rs.load_network(tmp_path / "better.json")
    data = rs.Samples([row[:2] for row in rows], [row[2] for row in rows])
    assert data.risk(better) == pytest.approx(found["escape"]["risk"])


def test_an_affine_target_has_its_levels(run: Run, calls: list[Any], tmp_path: Path) -> None:
    words = ("--width", "3", "--plot", "atlas.svg", "--save-dir", "nets")
    status, out, err = run("atlas", *ON_X, *words)
    assert status == 0
    assert calls == [(1.0, 0.0, 0.0, 1.0, 3, {"activation": rs.Activation("relu")})]
    lines = out.splitlines()
    assert lines[0] == "Critical points of 3 neurons (ReLU) for x on [0, 1]"
    assert [line.split() for line in lines[3:7]] == [
        ["1", "global", "minimum", "0"],
        ["2", "saddle", "n", "=", "2", "0.001028807", "0.3333333,", "0.6666667"],
        ["3", "local", "minimum", "inactive", "0.08333333"],
        ["4", "saddle", "n", "=", "0", "0.08333333"],
    ]
    assert err == ["reluscape: wrote atlas.svg", "reluscape: wrote 4 networks into nets"]
    assert sorted(path.name for path in (tmp_path / "nets").iterdir()) == [
        "01-global-minimum.json",
        "02-saddle.json",
        "03-local-minimum.json",
        "04-saddle.json",
    ]
    assert rs.load_network(tmp_path / "nets" / "02-saddle.json") == saddle(3)


def test_a_leaky_atlas_has_both_families(run: Run, calls: list[Any]) -> None:
    words = ("--target", "3 - 2x", "--interval", "-1/2", "1", "-k", "2")
    status, out, _ = run("atlas", *words, "--activation", "leaky:0.25", "--json")
    assert status == 0
    assert calls == [(-2.0, 3.0, -0.5, 1.0, 2, {"activation": rs.leaky(0.25)})]
    values = json.loads(out)
    families = sorted(point["family"] for point in values["critical_points"])
    assert families == ["", "n = 0", "n = 1, A", "n = 1, B", "n = 2, A", "n = 2, B"]
    assert values["activation"] == {"name": "leaky", "slope": 0.25}
    assert values["complete"] is True


@pytest.mark.parametrize(
    "words", [("abs(x) + 1 - abs(x)", "1"), ("1", "9"), ("piecewise(1, x < 5, x)", "2")]
)
def test_a_constant_target_has_one_level(
    run: Run, calls: list[Any], words: tuple[str, str]
) -> None:
    given = ("--target", words[0], "--interval", "0", "1", "--width", words[1])
    status, out, _ = run("atlas", *given, "--json", "--density", "1 + x")
    assert (status, calls) == (0, [])
    (point,) = json.loads(out)["critical_points"]
    assert (point["kind"], point["risk"]) == ("global minimum", 0.0)
    point["network"].pop("activation")
    net = rs.Network(**point["network"])
    assert net.width == int(words[1])
    assert net([0.0, 1.0]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("width", [1, 2])
def test_other_targets_are_enumerated(run: Run, calls: list[Any], width: int) -> None:
    words = ("--target", "abs(x)", "--interval", "-1", "1", "-k", f"{width}")
    status, out, _ = run("atlas", *words, "--json", "--plot", "a.png")
    assert status == 0
    assert calls[0][1] == width
    values = json.loads(out, parse_constant=pytest.fail)
    assert [point["kind"] for point in values["critical_points"]] == ["saddle", "local minimum"]
    first, second = values["critical_points"]
    assert first["enclosures"] == ([[0.25, 0.2500001]] if width == 1 else [])
    assert second["enclosures"] == []
    assert values["complete"] is (width == 1)
    assert ("not exhaustive" in out) is (width == 2)


def test_a_density_makes_an_affine_target_one_to_enumerate(run: Run, calls: list[Any]) -> None:
    assert run("atlas", *ON_X, "-k", "1", "--density", "1 + x")[0] == 0
    assert len(calls[0]) == 2
    assert run("atlas", *ON_X, "-k", "1", "--density", "1")[0] == 0
    assert calls[1][:2] == (1.0, 0.0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*ON_X, "-k", "0"), "--width is 0; give 1 to 1000"),
        ((*ON_X, "-k", "1001"), "--width is 1001"),
        ((*ON_X, "-k", "x"), "--width"),
        (ON_X, "--width"),
        (("--target", "x", "-k", "1"), "--interval"),
        (("--interval", "0", "1", "-k", "1"), "--target"),
        (("--target", "x^2", "--interval", "0", "1", "-k", "3"), "more than 2 neurons"),
        ((*ON_X, "-k", "3", "--density", "2"), "more than 2 neurons"),
        ((*ON_X, "-k", "1", "--density", "x", "--activation", "leaky:0.1"), "leaky ReLU needs"),
        ((*ON_X, "-k", "1", "--activation", "leaky"), "--activation is 'leaky'"),
        ((*ON_X, "-k", "1", "--activation", "leaky:1e"), "--activation is"),
        ((*ON_X, "-k", "1", "--activation", "leaky:1"), "--activation is"),
        ((*ON_X, "-k", "1", "--plot", "a.gif"), ".png, .svg or .pdf"),
        ((*ON_X, "-k", "1", "--save-dir", "no/such"), "there is no folder no"),
        ((*ON_X, "-k", "1", "--save-dir", "net.json"), "is a file"),
    ],
)
def test_refused_atlases(
    run: Run, net: str, calls: list[Any], words: tuple[str, ...], message: str
) -> None:
    status, out, err = run("atlas", *words)
    assert (status, out, len(err)) == (2, "", 1)
    assert message in err[0]
    assert calls == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused(
    run: Run, calls: list[Any], tmp_path: Path
) -> None:
    tmp_path.chmod(0o555)
    try:
        status, _, err = run("atlas", *ON_X, "-k", "1", "--save-dir", "nets")
    finally:
        tmp_path.chmod(0o755)
    assert status == 2
    assert "cannot write in the folder" in err[0]
    assert calls == []


def test_a_trap_is_printed_drawn_and_saved(run: Run, calls: list[Any], tmp_path: Path) -> None:
    words = ("--interval", "0", "2", "--gap", "3", "--width", "4", "--members", "3")
    status, out, err = run("trap", *words, "--plot", "t.pdf", "--save-dir", "nets")
    assert status == 0
    assert calls == [(0.0, 2.0, 3.0)]
    lines = out.splitlines()
    assert lines[0].startswith("A target on [0, 2] with local minima that form a continuum")
    assert "at least 3.7500 above" in lines[1]
    assert [line.split()[:3] for line in lines[4:7]] == [
        ["member", "1", "0.2500"],
        ["member", "2", "0.5000"],
        ["member", "3", "0.7500"],
    ]
    assert lines[7].startswith("better, 2 neurons")
    assert err == ["reluscape: wrote t.pdf", "reluscape: wrote 4 networks into nets"]
    assert rs.load_network(tmp_path / "nets" / "member-02.json").width == 4
    assert rs.load_network(tmp_path / "nets" / "better.json").width == 2


def test_a_trap_as_json(run: Run, calls: list[Any]) -> None:
    status, out, err = run("trap", "--interval", "0", "1", "--gap", "0.5", "--json")
    assert (status, err) == (0, [])
    values = json.loads(out, parse_constant=pytest.fail)
    assert values["target"] is None
    assert (values["gap"], values["requested"], values["range"]) == (0.625, 0.5, [0.0, 0.5])
    assert len(values["members"]) == 5
    assert values["members"][0]["t"] == pytest.approx(1 / 12)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--gap", "1"), "--interval"),
        (("--interval", "0", "1"), "--gap"),
        (("--interval", "1", "1", "--gap", "1"), "lower end first"),
        (("--interval", "0", "1", "--gap", "0"), "--gap is 0"),
        (("--interval", "0", "1", "--gap", "nan"), "--gap is nan"),
        (("--interval", "0", "1", "--gap", "1/2"), "--gap"),
        (("--interval", "0", "1", "--gap", "1", "--width", "1"), "one neuron is not trapped"),
        (("--interval", "0", "1", "--gap", "1", "--members", "0"), "--members is 0"),
        (("--interval", "0", "1", "--gap", "1", "--plot", "t"), ".png, .svg or .pdf"),
    ],
)
def test_refused_traps(run: Run, calls: list[Any], words: tuple[str, ...], message: str) -> None:
    status, out, err = run("trap", *words)
    assert (status, out, len(err)) == (2, "", 1)
    assert message in err[0]
    assert calls == []


@pytest.mark.parametrize("command", ["classify", "atlas", "trap"])
def test_help_shows_an_example_and_loads_nothing_heavy(command: str) -> None:
    code = (
        "import sys; from reluscape.cli.app import main\n"
        f"status = main([{command!r}, '--help'])\n"
        f"sys.exit(status or len({HEAVY!r} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"Example: reluscape {command} " in shown.stdout
    listed = subprocess.run(
        [sys.executable, "-m", "reluscape", "--help"], capture_output=True, text=True, check=True
    )
    assert f"  {command} " in listed.stdout


# From here on: the verbs themselves.


def test_levels_of_the_affine_theorem(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("atlas", *ON_X, "-k", "5", "--json", "--save-dir", "nets")
    assert status == 0
    points = json.loads(out)["critical_points"]
    shown = [(point["kind"], point["risk"]) for point in points]
    assert sorted(shown, key=lambda row: (row[1], row[0])) == [
        ("global minimum", 0.0),
        ("saddle", pytest.approx(1 / 7500, rel=1e-12)),
        ("saddle", pytest.approx(1 / 972, rel=1e-12)),
        ("local minimum", pytest.approx(1 / 12, rel=1e-12)),
        ("saddle", pytest.approx(1 / 12, rel=1e-12)),
    ]
    for point, path in zip(points, sorted((tmp_path / "nets").iterdir()), strict=True):
        status, out, _ = run("classify", str(path), *ON_X, "--json")
        assert status == 0
        assert json.loads(out)["kind"] == point["kind"]


def test_levels_of_leaky_relu(run: Run) -> None:
    words = ("-k", "2", "--activation", "leaky:0.1", "--json")
    status, out, _ = run("atlas", *ON_X, *words)
    assert status == 0
    risks = {point["family"]: point["risk"] for point in json.loads(out)["critical_points"]}
    assert risks[""] == 0.0
    assert risks["n = 0"] == pytest.approx(1 / 12)
    assert risks["n = 1, A"] == risks["n = 1, B"] == pytest.approx(0.0224894886, abs=1e-9)
    assert risks["n = 2, A"] == pytest.approx(0.0007812373, abs=1e-9)
    assert risks["n = 2, B"] == pytest.approx(0.0084481132, abs=1e-9)


def test_critical_points_of_one_neuron_for_a_parabola(run: Run) -> None:
    words = ("--target", "x^2", "--interval", "0", "1", "-k", "1", "--json", "--plot", "a.png")
    status, out, _ = run("atlas", *words)
    assert status == 0
    points = json.loads(out)["critical_points"]
    risks = [point["risk"] for point in points]
    assert risks == pytest.approx([4 / 3645, 1 / 180, 4 / 45], rel=1e-12)
    assert {point["kind"] for point in points} <= {"local minimum", "global minimum"}
    ((low, high),) = points[0]["enclosures"]
    assert low <= 1 / 3 <= high
    assert points[0]["breakpoints"] == pytest.approx([1 / 3], rel=1e-12)


def test_a_width_of_two_is_not_exhaustive(run: Run) -> None:
    words = ("--target", "x^2", "--interval", "0", "1", "-k", "2")
    status, out, _ = run("atlas", *words)
    assert status == 0
    assert "not exhaustive" in out


def test_the_saddle_of_the_papers_is_one_and_its_escape_leads_down(
    run: Run, net: str, tmp_path: Path
) -> None:
    status, out, _ = run("classify", net, *ON_X, "--json", "--save", "better.json")
    assert status == 0
    values = json.loads(out)
    assert values["kind"] == "saddle"
    better = rs.load_network(tmp_path / "better.json")
    problem = rs.Interval(rs.affine(1, 0), 0, 1)
    assert problem.risk(better) < 1 / 972
    assert problem.risk(better) == pytest.approx(values["escape"]["risk"], abs=1e-15)
    assert values["escape"]["drop"] == pytest.approx(1 / 972 - values["escape"]["risk"], rel=1e-6)


@pytest.mark.parametrize(
    ("neuron", "offset", "kind"),
    [
        ((-1.0, -1.0, 5.0), 0.5, "local minimum"),
        ((-1.0, 0.0, 1.0), 0.5, "local minimum"),
        ((-1.0, 0.0, -1.0), 0.5, "saddle"),
        ((0.0, 1.0, 0.0), 0.5, "saddle"),
        ((0.0, 0.0, 1.0), 0.5, "not critical"),
        ((1.0, 0.0, 1.0), 0.0, "global minimum"),
        ((1.0, 0.0, 1.0), 0.1, "not critical"),
    ],
)
def test_verdicts_of_the_affine_theorem(
    run: Run, tmp_path: Path, neuron: tuple[float, float, float], offset: float, kind: str
) -> None:
    w, b, v = neuron
    rs.Network([w], [b], [v], offset).save(tmp_path / "one.json")
    status, out, _ = run("classify", "one.json", *ON_X, "--json")
    assert status == 0
    assert json.loads(out)["kind"] == kind


def test_a_trap_keeps_its_promise(run: Run) -> None:
    words = ("--interval", "-1", "2", "--gap", "5", "--json", "--plot", "t.png")
    status, out, _ = run("trap", *words)
    assert status == 0
    values = json.loads(out)
    assert values["gap"] >= values["requested"] == 5.0
    assert values["target"]["z"] == "(x - -1.0) / (2.0 - -1.0)"
    risks = [member["risk"] for member in values["members"]]
    assert risks == pytest.approx([values["risk"]] * 5, rel=1e-6)
    assert values["better"]["risk"] < values["risk"] - 5.0
