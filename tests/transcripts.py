"""Commands of a page of the documentation, played again as a reader would type them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sysconfig
from pathlib import Path

from fault_runs import environment

# What differs from run to run: numbers, with the unit that a size or a time happens to have.
_NUMBER = re.compile(r"\b[0-9a-f]{16}\b|\d[\d,.:e+-]*( (s|min|million|thousand)\b)?|–")


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    found = re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    return [str(block) for block in found]


def commands(transcript: str) -> list[str]:
    """Return what was typed."""
    return [line[2:] for line in transcript.splitlines() if line.startswith("$ ")]


def play(typed: list[str], folder: Path) -> str:
    """Run commands in one shell and return the transcript."""
    lines = [f"printf '%s\\n' {shlex.quote('$ ' + command)}\n{command}\n" for command in typed]
    paths = environment() | {
        "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
        # As wide as the page.
        "COLUMNS": "100",
    }
    shell = ["bash", "-c", "exec 2>&1\n" + "".join(lines)]
    run = subprocess.run(
        shell, cwd=folder, env=paths, stdout=subprocess.PIPE, text=True, timeout=300
    )
    return run.stdout


def shape(transcript: str) -> list[str]:
    """Return the lines without what differs from run to run: numbers, and progress on the way."""
    passing = ("waiting for workers", "compiling for this machine", " left")
    said = (line for line in transcript.splitlines() if not any(word in line for word in passing))
    return [re.sub(r"\s+|-{3,}|─+", " ", _NUMBER.sub("#", line)).strip() for line in said if line]
