"""Measured numbers on disk: one JSON file a section, every cell stored as soon as it is known."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import describe

RESULTS = Path(__file__).resolve().parent / "results"

Cell = dict[str, Any]


def path(section: str, *, quick: bool) -> Path:
    """Return where a section is stored."""
    return RESULTS / "quick" / f"{section}.json" if quick else RESULTS / f"{section}.json"


def say(message: str) -> None:
    """Write one line of progress to standard error."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {message}\n")
    sys.stderr.flush()


class Cells:
    """The cells of one section.

    What another machine, or another version of a library, has measured is not continued: ratios
    mean something only within one run. It is set aside in ``results/aside``.
    """

    def __init__(self, section: str, *, quick: bool = False) -> None:
        self.path = path(section, quick=quick)
        self.machine = describe()
        self.cells: dict[str, Cell] = {}
        if self.path.exists():
            stored = json.loads(self.path.read_text(encoding="utf-8"))
            if stored["machine"] == self.machine:
                self.cells = stored["cells"]
            else:
                aside = RESULTS / "aside" / f"{section}.{int(time.time())}.json"
                aside.parent.mkdir(exist_ok=True)
                self.path.replace(aside)
                say(f"{self.path.name}: other machine or versions, set aside as {aside.name}")

    def get(self, key: str) -> Cell | None:
        """Return a stored cell, or None."""
        return self.cells.get(key)

    def put(self, key: str, cell: Cell) -> Cell:
        """Store a cell at once; a crash or Ctrl-C later loses nothing."""
        self.cells[key] = cell | {"finished": time.strftime("%Y-%m-%d %H:%M:%S")}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_suffix(".tmp")
        document = {"machine": self.machine, "cells": self.cells}
        scratch.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        scratch.replace(self.path)
        return self.cells[key]


def load(section: str, *, quick: bool = False) -> dict[str, Any] | None:
    """Return the stored document of a section, or None when it was never run."""
    stored = path(section, quick=quick)
    return json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else None
