"""The command line as a user meets it: real processes, their output and exit status."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reluscape.networks.network import Network

CONSOLE_SCRIPT = [str(Path(sysconfig.get_path("scripts")) / "reluscape")]
MODULE = [sys.executable, "-m", "reluscape"]
COMPILING = "compiling"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with `hat.csv`: one breakpoint near 5, and a weight of 0 for one wild row."""
    rng = np.random.default_rng(3)
    x = np.linspace(0, 10, 80)
    y = np.minimum(x, 10 - x) + 0.1 * rng.normal(size=80)
    lines = [f"{a},{b},1" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    (tmp_path / "hat.csv").write_text("\n".join(["time,dose,w", *lines, "5,1000,0"]) + "\n")
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Any:
    """Run the command in the folder."""

    def start(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        program = options.pop("program", MODULE)
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        return subprocess.run(
            [*program, *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            **{key: value for key, value in options.items() if value is not None},
        )

    return start


HAT = ("fit", "hat.csv", "--x", "time", "--y", "dose", "--weights", "w", "--width", "1")


def noise(stderr: str) -> list[str]:
    """The lines on standard error that are not about compilation."""
    return [line for line in stderr.splitlines() if COMPILING not in line]


@pytest.mark.parametrize("program", [CONSOLE_SCRIPT, MODULE], ids=["script", "module"])
def test_version_and_help(run: Any, program: list[str]) -> None:
    assert run("--version", program=program).stdout.startswith("reluscape ")
    for words in ((), ("--help",), ("-h",)):
        shown = run(*words, program=program)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "fit" in shown.stdout
    shown = run("fit", "--help", program=program)
    for option in ("--x", "--width", "--no-skip", "--bootstrap", "--save", "--report", "--json"):
        assert option in shown.stdout


def test_a_fit_is_shown(run: Any) -> None:
    done = run(*HAT, program=CONSOLE_SCRIPT)
    assert done.returncode == 0
    assert noise(done.stderr) == []
    assert "dose against time, 81 rows" in done.stdout
    row = next(line for line in done.stdout.splitlines() if line.startswith("breakpoint 1"))
    value, error, low, high = map(float, row.split()[2:])
    assert low < 5 < high
    assert value == pytest.approx(5, abs=0.1)
    assert 0 < error < 0.1
    assert "95 % from" in done.stdout


def test_json_is_one_document_and_all_files_are_written(run: Any, folder: Path) -> None:
    words = (*HAT, "--json", "--save", "n.json", "--report", "r.html", "--plot", "p.svg")
    done = run(*words, "--level", "0.9")
    assert done.returncode == 0
    values = json.loads(done.stdout, parse_constant=pytest.fail)
    assert values["data"] == {
        "source": "hat.csv",
        "x": ["time"],
        "y": "dose",
        "weights": "w",
        "rows": 81,
        "distinct": 80,
    }
    (breakpoint_1,) = values["breakpoints"]
    assert breakpoint_1["low"] < 5 < breakpoint_1["high"]
    assert values["inference"]["level"] == 0.9
    assert values["files"] == {"save": "n.json", "report": "r.html", "plot": "p.svg"}
    stored = values["network"]
    assert stored.pop("activation")["name"] == "relu"
    import reluscape as rs

    assert rs.load_network(folder / "n.json") == Network(**stored)
    assert "reluscape fit hat.csv" in (folder / "r.html").read_text(encoding="utf-8")
    assert (folder / "p.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert noise(done.stderr) == [f"reluscape: wrote {name}" for name in values["files"].values()]
    assert sorted(p.name for p in folder.iterdir()) == ["hat.csv", "n.json", "p.svg", "r.html"]


def test_the_command_of_the_report_makes_it_again(run: Any, folder: Path) -> None:
    run(*HAT, "--report", "r.html", "--plot", "p.png")
    first = (folder / "r.html").read_bytes(), (folder / "p.png").read_bytes()
    run(*HAT, "--report", "r.html", "--plot", "p.png")
    assert ((folder / "r.html").read_bytes(), (folder / "p.png").read_bytes()) == first


def test_standard_input_and_auto(run: Any, folder: Path) -> None:
    text = (folder / "hat.csv").read_text()
    done = run("fit", "-", "--x", "1", "--y", "2", "--weights", "-1", "--json", input=text)
    values = json.loads(done.stdout)
    assert values["data"]["source"] == "standard input"
    assert values["width"] == 1
    assert [row["width"] for row in values["widths"]] == list(range(11))
    assert [row["width"] for row in values["widths"] if row["chosen"]] == [1]


def test_auto_shows_the_widths(run: Any) -> None:
    done = run(*HAT[:-2], "--max-width", "3")
    assert done.returncode == 0
    assert "BIC" in done.stdout
    (chosen,) = [line for line in done.stdout.splitlines() if line.endswith("chosen")]
    assert chosen.split()[0] == "1"


def test_bootstrap_and_constraints(run: Any) -> None:
    words = ("--bootstrap", "20", "--slope-max", "0.5", "--slope-min", "-0.5", "--seed", "3")
    values = json.loads(run(*HAT, *words, "--json").stdout)
    assert values["inference"]["method"] == "bootstrap"
    assert values["seed"] == 3
    assert values["constraints"]["slope_bounds"] == [-0.5, 0.5]
    assert [s["value"] for s in values["slopes"]] == pytest.approx([0.5, -0.5], abs=1e-9)


def test_no_skip_and_several_inputs(run: Any) -> None:
    plain = json.loads(run(*HAT, "--no-skip", "--json").stdout)
    assert plain["network"]["skip"] is None
    both = run("fit", "hat.csv", "--x", "time", "--x", "w", "--y", "dose", "-k", "2", "--json")
    values = json.loads(both.stdout)
    assert values["breakpoints"] is None
    assert len(values["network"]["weights"][0]) == 2


def test_decimal_commas_are_read_and_mentioned(run: Any, folder: Path) -> None:
    (folder / "fr.csv").write_text("x;y\n0;0,5\n1;1,5\n2;2,5\n")
    done = run("fit", "fr.csv", "--width", "0", "--json")
    assert json.loads(done.stdout)["slopes"][0]["value"] == pytest.approx(1)
    assert "decimal commas: 0,5 is read as 0.5" in done.stderr


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "no data": (("fit",), "missing argument 'DATA'"),
    "unknown option": (("fit", "hat.csv", "--bogus"), "--bogus"),
    "unknown command": (("fti",), "fti"),
    "missing file": (("fit", "hta.csv"), "did you mean hat.csv?"),
    "directory": (("fit", "."), "is a directory"),
    "missing column": (("fit", "hat.csv", "--x", "tiem"), "did you mean 'time'?"),
    "no columns": (("fit", "hat.csv"), "say with --x and --y"),
    "negative width": ((*HAT[:-1], "-1"), "--width is '-1'"),
    "width 1.5": ((*HAT[:-1], "1.5"), "--width is '1.5'"),
    "width many": ((*HAT[:-1], "many"), "whole number, 0 or more, or auto"),
    "width too large": ((*HAT[:-1], "79"), "distinct"),
    "max width without auto": ((*HAT, "--max-width", "3"), "--width auto only"),
    "level 95": ((*HAT, "--level", "95"), "between 0 and 1"),
    "one replicate": ((*HAT, "--bootstrap", "1"), "2 replicates or more"),
    "bootstrap of several": ((*HAT, "--x", "w", "--bootstrap", "9"), "single --x"),
    "seed of letters": ((*HAT, "--seed", "x"), "--seed"),
    "slope nan": ((*HAT, "--slope-min", "nan"), "--slope-min is nan"),
    "slopes swapped": ((*HAT, "--slope-min", "3", "--slope-max", "1"), "swap them"),
    "monotone up": ((*HAT, "--monotone", "up"), "'increasing', 'decreasing'"),
    "pinned without certify": ((*HAT, "--pinned", "1"), "--pinned goes with --certify only"),
    "pinned 0": ((*HAT, "--certify", "--pinned", "0"), "a percentage above 0"),
    "pinned nan": ((*HAT, "--certify", "--pinned", "nan"), "a percentage above 0"),
    "bad suffix": ((*HAT, "--plot", "a.gif"), ".png, .svg or .pdf"),
    "bad folder": ((*HAT, "--report", "no/a.html"), "no folder no"),
    "over the data": (("fit", "a.json", "--save", "a.json"), "overwrite the data"),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_in_one_sentence(
    run: Any, folder: Path, words: tuple[str, ...], message: str
) -> None:
    shutil.copy(folder / "hat.csv", folder / "a.json")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    done = run(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = noise(done.stderr)
    assert line.startswith("reluscape: ")
    assert message in line
    assert line.endswith((".", "?"))
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_fault_in_the_data_has_its_line(run: Any) -> None:
    done = run("fit", "-", input="x,y\n1,2\n3,abc\n")
    assert done.returncode == 2
    assert done.stderr == (
        "reluscape: standard input, line 3: 'abc' in column 'y' is not a number; "
        "mend or remove that row, or choose another column.\n"
    )


def test_the_unforeseen_is_one_sentence_too(run: Any, folder: Path) -> None:
    # A module of that name in the way makes the import fail in a way that nobody foresaw.
    (folder / "numba.py").write_text("raise RuntimeError('boom')\n")
    env = {**os.environ, "PYTHONPATH": str(folder)}
    done = run(*HAT, env=env)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "RuntimeError: boom" in line
    assert "RELUSCAPE_DEBUG=1" in line
    told = run(*HAT, env={**env, "RELUSCAPE_DEBUG": "1"})
    assert told.returncode != 0
    assert "Traceback" in told.stderr


def test_a_full_disk_loses_no_result(run: Any, folder: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    done = run(*HAT, "--save", "n.json", env={**os.environ, "TMPDIR": str(folder)})
    assert done.returncode == 0
    with Path("/dev/full").open("w") as full:
        lost = subprocess.run(
            [*MODULE, *HAT, "--save", "m.json"],
            cwd=folder,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert lost.returncode == 2
    assert "No space left" in noise(lost.stderr)[-1]
    assert "Traceback" not in lost.stderr
    assert (folder / "m.json").read_bytes() == (folder / "n.json").read_bytes()


def test_a_reader_that_leaves_early_is_no_error(folder: Path) -> None:
    for words in (HAT, ("fit", "--help")):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [*MODULE, *words],
            cwd=folder,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        os.close(writing)
        assert done.returncode == 0
        assert noise(done.stderr) == []


def heed_interrupts() -> None:
    """Undo that shells have jobs in the background ignore Ctrl-C, as their children then do."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_interrupted_while_it_works(folder: Path, number: signal.Signals) -> None:
    (folder / "r.html").write_text("old")
    working = subprocess.Popen(
        [*MODULE, *HAT, "--bootstrap", "1000000", "--report", "r.html", "--save", "n.json"],
        cwd=folder,
        preexec_fn=heed_interrupts,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(4)
    working.send_signal(number)
    stdout, stderr = working.communicate(timeout=120)
    assert working.returncode == 128 + number
    assert (stdout, noise(stderr)) == ("", [])
    assert (folder / "r.html").read_text() == "old"
    assert sorted(p.name for p in folder.iterdir()) == ["hat.csv", "r.html"]


def test_interrupted_while_it_reads(folder: Path) -> None:
    reading = subprocess.Popen(
        [*MODULE, "fit", "-"],
        cwd=folder,
        preexec_fn=heed_interrupts,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(2)
    reading.send_signal(signal.SIGINT)
    assert reading.communicate(timeout=60) == ("", "")
    assert reading.returncode == 130


def test_a_terminal_gets_tables(folder: Path) -> None:
    pty = pytest.importorskip("pty")
    main, side = pty.openpty()
    working = subprocess.Popen(
        [*MODULE, *HAT],
        cwd=folder,
        stdout=side,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(side)
    shown = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:  # what Linux says when the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(main)
    _, stderr = working.communicate(timeout=120)
    assert working.returncode == 0
    assert noise(stderr) == []
    assert "─" in shown.decode()
    assert "breakpoint 1" in shown.decode()


@pytest.mark.slow
def test_the_first_run_says_that_it_compiles(run: Any, folder: Path) -> None:
    env = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}
    first, second = run(*HAT, env=env), run(*HAT, env=env)
    assert first.returncode == second.returncode == 0
    assert [COMPILING in line for line in first.stderr.splitlines()] == [True]
    assert second.stderr == ""
    assert first.stdout == second.stdout
