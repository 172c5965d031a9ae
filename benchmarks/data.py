"""The data that every benchmark runs on: fixed seeds, rows in random order as real data are."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent
MOTORCYCLE = ROOT / "examples" / "motorcycle.csv"

SEED = 20_230_217
CASES = ("motorcycle", "sine", "pwl")
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
KNOTS = (1, 2, 3, 5, 8)

SINE_NOISE = 0.2
PWL_NOISE = 0.15
PWL_X = (0.0, 0.11, 0.29, 0.46, 0.67, 0.83, 1.0)
PWL_Y = (-0.2, 0.9, -0.5, 0.4, -0.9, 0.7, 0.1)

HARD_START = 1.7e9
HARD_LEVEL = 1e6


def sizes(name: str) -> tuple[int, ...]:
    """Return the row counts in which a case exists."""
    return (133,) if name == "motorcycle" else SIZES


def case(name: str, n: int) -> tuple[Array, Array]:
    """Return ``x`` and ``y`` of a case, both of shape ``(n,)``, always the same numbers.

    ``"sine"`` is sin(3 pi x) + 0.2 noise, ``"pwl"`` a piecewise-linear function with five kinks
    + 0.15 noise, both with x uniform on [0, 1] and standard normal noise; ``"motorcycle"`` is
    the data set of that name, whatever ``n``.
    """
    if name == "motorcycle":
        return motorcycle()
    if name not in CASES:
        raise ValueError(f"case {name!r} is unknown: use one of {', '.join(CASES)}")
    rng = np.random.default_rng((SEED, CASES.index(name), n))
    x = rng.uniform(0.0, 1.0, n)
    noise = rng.standard_normal(n)
    if name == "sine":
        return x, np.sin(3.0 * np.pi * x) + SINE_NOISE * noise
    return x, np.interp(x, PWL_X, PWL_Y) + PWL_NOISE * noise


def motorcycle() -> tuple[Array, Array]:
    """Return times in milliseconds and accelerations in g, 133 rows, 94 distinct times."""
    with MOTORCYCLE.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    x = np.array([float(row["milliseconds"]) for row in rows])
    y = np.array([float(row["acceleration"]) for row in rows])
    return x, y


def timestamps(n: int) -> tuple[Array, Array]:
    """Return hard numbers: x = 1.7e9 s in steps of a millisecond, y = 1e6 with 1e-3 noise."""
    rng = np.random.default_rng((SEED, 100, n))
    x = HARD_START + 1e-3 * np.arange(n, dtype=np.float64)
    return x, HARD_LEVEL + 1e-3 * rng.standard_normal(n)
