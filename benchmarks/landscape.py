"""How long a verdict takes, and the list of all critical points of one neuron."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import repeated
from benchmarks.cells import Cells

WIDTH = 16
ROWS = 100_000
PIECES = 100
REPEATS = 200
LIMIT = 120.0
SEED = 20_221_116
# What each case may take, in seconds.
BARS = {
    "verdict, interval: not critical": 1e-3,
    "verdict, interval: local minimum": 1e-3,
    "verdict, interval: saddle": 1e-3,
    f"verdict, data, n = {ROWS:,}": 20e-3,
    f"verdict, data, n = {ROWS:,}, with sorting": 20e-3,
    f"critical points, {PIECES} quadratic pieces": 1.0,
}


def measure(cells: Cells) -> None:
    """Measure all cases in one process, if they are not stored yet."""
    repeated.measure(cells, "landscape", BARS, LIMIT)


def times() -> dict[str, Any]:
    """Return median seconds of each case, kernels compiled."""
    import reluscape as rs

    rng = np.random.default_rng(SEED)
    polyline = rs.Interval(rs.piecewise_linear([0, 0.2, 0.5, 0.8, 1], [0, 1, 0, 2, 1]), 0, 1)
    cubic = rs.Interval(rs.polynomial([0, 0, 0, 1]), -1, 1)
    somewhere = rs.Network(*rng.normal(size=(3, WIDTH)))
    minimum = rs.fit(cubic, WIDTH).network
    landscape = rs.affine_landscape(1, 0, 0, 1, WIDTH)
    saddle = landscape.saddle(2, split=(WIDTH // 2, WIDTH // 2))
    x = rng.uniform(0, 10, ROWS)
    y = np.sin(x) + 0.1 * rng.normal(size=ROWS)
    data = rs.Samples(x, y)
    pieces = rs.Interval(_quadratics(rng), 0, 1)
    ways: list[Callable[[], object]] = [
        lambda: rs.classify(polyline, somewhere),
        lambda: rs.classify(cubic, minimum),
        lambda: rs.classify(landscape.problem, saddle),
        lambda: rs.classify(data, somewhere),
        lambda: rs.classify(rs.Samples(x, y), somewhere),
        lambda: rs.critical_points(pieces),
    ]
    return {
        case: repeated.median(way, REPEATS if bar < 0.01 else 9)
        for (case, bar), way in zip(BARS.items(), ways, strict=True)
    }


def _quadratics(rng: np.random.Generator) -> Any:
    """Return a continuous target of quadratic pieces."""
    import reluscape as rs

    borders = np.linspace(0.0, 1.0, PIECES + 1)
    rows, value = [], 0.0
    for low, high in itertools.pairwise(borders):
        slope, bend = rng.normal(size=2) * [20.0, 300.0]
        rows.append([value - slope * low + bend * low**2, slope - 2.0 * bend * low, bend])
        value += slope * (high - low) + bend * (high - low) ** 2
    return rs.piecewise_polynomial(borders, rows)
