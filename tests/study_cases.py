"""Small studies for tests: a fraction of a second each."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np

import reluscape as rs

TENT = {"kind": "piecewise linear", "x": [0.0, 0.5, 1.0], "y": [0.5, 0.0, 0.5]}
LINE = {"kind": "affine", "alpha": 1.0, "beta": 0.0, "interval": [0.0, 1.0]}
NOISY = rs.Samples(np.linspace(-1.0, 1.0, 40), np.abs(np.linspace(-1.0, 1.0, 40) ** 3 - 0.1))


def small(**changes: Any) -> rs.Study:
    """A study of the tent; any setting may be another one."""
    settings: dict[str, Any] = {
        "problems": {"tent": TENT},
        "widths": [2],
        "starts": 5,
        "step_sizes": [0.05],
        "steps": 30,
        "monitor_every": 10,
    }
    return rs.Study(**(settings | changes))


def normal_starts(seed: int, width: int, name: str, block: int, size: int) -> np.ndarray:
    """The rule by which starts are drawn, written down a second time."""
    key = (0, width, crc32(name.encode()), block)
    bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))
    return np.random.Generator(bits).standard_normal((64, size))
