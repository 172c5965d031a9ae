"""Measured numbers on disk: one JSON file a section, every cell stored as soon as it is known."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import describe

RESULTS = Path(__file__).resolve().parent / "results"

Cell = dict[str, Any]


def say(message: str) -> None:
    """Write one line of progress to standard error."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {message}\n")
    sys.stderr.flush()


class Cells:
    """The cells of one section.

    What another machine, or another version of a library, has measured is not continued: ratios
    mean something only within one run. It is set aside as ``<section>.<old date>.json``.
    """

    def __init__(self, section: str, *, quick: bool = False) -> None:
        self.path = RESULTS / f"{section}{'.quick' if quick else ''}.json"
        self.machine = describe()
        self.cells: dict[str, Cell] = {}
        if self.path.exists():
            stored = json.loads(self.path.read_text(encoding="utf-8"))
            if stored["machine"] == self.machine:
                self.cells = stored["cells"]
            else:
                aside = self.path.with_suffix(f".{int(time.time())}.json")
                os.replace(self.path, aside)
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
        os.replace(scratch, self.path)
        return self.cells[key]


def load(section: str, *, quick: bool = False) -> dict[str, Any] | None:
    """Return the stored document of a section, or None when it was never run."""
    path = RESULTS / f"{section}{'.quick' if quick else ''}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
