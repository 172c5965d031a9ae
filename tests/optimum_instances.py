"""Small problems of all kinds, drawn at random: few rows, a width that they allow, weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Problem = tuple[Floats, Floats, int, Floats | None]

KINDS = (
    "noise", "ties", "repeated", "collinear", "outliers", "exact", "tiny weights", "uneven",
    "jump", "flat", "zigzag", "mixed", "clumped",
)  # fmt: skip


def instance(kind: str, seed: int) -> Problem:
    """Draw 4 to 14 rows (x, y), a width from 0 to 3, and weights where the kind has them."""
    draw = np.random.default_rng([KINDS.index(kind), seed])
    n = int(draw.integers(4, 15))
    x, y, weights = np.sort(draw.uniform(-1, 1, n)), draw.normal(size=n), None
    grid = np.arange(n, dtype=float)
    if kind == "ties":
        x = grid if seed % 2 else x
        y = draw.integers(-2, 3, n).astype(float)
    elif kind == "collinear":
        x, (start, end) = grid, np.sort(draw.integers(0, n + 1, 2))
        y[start:end] = 2 * x[start:end] - 1
        y[end:] = y[end:] if seed % 2 else 3 - x[end:]
    elif kind == "outliers":
        y = 1e-3 * y + np.abs(x)
        far = draw.integers(0, n, draw.integers(1, 3))
        y[far] += draw.choice([-1e6, 1e6, 1e3])
    elif kind == "exact":
        kinks = draw.uniform(-1, 1, draw.integers(1, 4))
        y = sum(draw.normal() * np.abs(x - t) for t in kinks) + x
    elif kind == "uneven":
        x = np.cumsum(10.0 ** draw.uniform(-6, 0, n))
    elif kind == "jump":
        y = np.where(x < np.median(x), x, 5 - x) + 0.01 * y
    elif kind == "flat":
        y = (grid == draw.integers(0, n)) * 1.0
    elif kind == "zigzag":
        x, y = grid, (-1.0) ** grid + (0.1 * y if seed % 2 else 0)
    elif kind == "clumped":
        x[n // 2 :] = x[n // 2] + 1e-7 * np.arange(n - n // 2)
    if kind in ("repeated", "mixed"):
        distinct = int(draw.integers(3, n))
        x = np.sort(np.append(x[:distinct], draw.choice(x[:distinct], n - distinct)))
    if kind == "mixed":
        y = draw.integers(-2, 3, n).astype(float)
    if kind in ("tiny weights", "mixed"):
        weights = 10.0 ** draw.uniform(-8, 0, n)
    k = int(draw.integers(0, min(3, len(np.unique(x)) - 2) + 1))
    return x, y, k, weights
