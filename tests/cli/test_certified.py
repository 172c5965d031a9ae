"""``reluscape fit --certify`` as a user meets it: what is shown, written, and left by Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MODULE = [sys.executable, "-m", "reluscape"]
HAT = ("fit", "hat.csv", "--width", "1")


def write_table(path: Path, x: Any, y: Any) -> None:
    np.savetxt(path, np.column_stack([x, y]), "%.17g", ",", header="time,dose", comments="")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with `hat.csv`: one breakpoint near 5."""
    x = np.linspace(0, 10, 80)
    rng = np.random.default_rng(3)
    write_table(tmp_path / "hat.csv", x, np.minimum(x, 10 - x) + 0.1 * rng.normal(size=80))
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Any:
    """Run the command in the folder."""

    def start(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MODULE, *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return start


def heed_interrupts() -> None:
    """Undo that shells have jobs in the background ignore Ctrl-C, as their children then do."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_certified_fit_shows_its_proof(run: Any, folder: Path) -> None:
    words = ("--certify", "--pinned", "5", "--report", "r.html", "--certificate", "c.json")
    done = run(*HAT, *words)
    assert done.returncode == 0, done.stderr
    assert "within 5 % from" in done.stdout
    assert "No network of width 1 with a skip connection whose jth breakpoint" in done.stdout
    page = (folder / "r.html").read_text(encoding="utf-8")
    assert "How sure is this?" in page
    (command,) = re.findall("<pre>(reluscape check .*)</pre>", page)
    checked = run(*shlex.split(command)[1:])
    assert checked.returncode == 0, checked.stderr
    assert "holds" in checked.stdout
    proof = json.loads(run(*HAT, "--certify", "--pinned", "5", "--json").stdout)["proof"]
    ((low, high),) = proof["pinned"]["intervals"]
    assert low <= 5 <= high
    assert (proof["pinned"]["share"], proof["ended"]) == (0.05, "closed")
    assert json.loads(run(*HAT, "--certify", "--json").stdout)["proof"]["pinned"] is None


def test_a_gap_that_is_not_closed_is_a_no(run: Any, folder: Path) -> None:
    done = run(*HAT, "--certify", "--time-limit", "0", "--report", "r.html", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["proof"]["ended"] == "time limit"
    assert "time was up" in (folder / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_interrupted_while_it_proves(run: Any, folder: Path, number: signal.Signals) -> None:
    pty = pytest.importorskip("pty")
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 1, 1000))
    write_table(folder / "sine.csv", x, np.sin(6 * x) + 0.3 * rng.normal(size=1000))
    main, side = pty.openpty()
    files = ("--report", "r.html", "--certificate", "c.json")
    working = subprocess.Popen(
        [*MODULE, "fit", "sine.csv", "--width", "8", "--certify", "--json", *files],
        cwd=folder,
        preexec_fn=heed_interrupts,
        stdout=subprocess.PIPE,
        stderr=side,
        text=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(side)
    # The bar says when the search for the bound has begun; closing the gap takes minutes.
    shown = b""
    while b"at least 0.0" not in shown and (part := os.read(main, 65536)):
        shown += part
    working.send_signal(number)
    drain = threading.Thread(target=read_all, args=(main,), daemon=True)
    drain.start()
    stdout, _ = working.communicate(timeout=120)
    assert working.returncode == 128 + number
    values = json.loads(stdout)
    assert values["proof"]["ended"] == "interrupted"
    assert 0 < values["proof"]["lower_bound"] < values["risk"]
    assert "interrupted" in values["claim"]
    assert "gap open: interrupted" in (folder / "r.html").read_text(encoding="utf-8")
    checked = run("check", "c.json", "sine.csv")
    assert checked.returncode == 0, checked.stdout


def read_all(stream: int) -> None:
    """Take what comes, so that nobody waits to write."""
    with suppress(OSError):
        while os.read(stream, 65536):
            pass
