"""How long exact gradients take for several inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import repeated
from benchmarks.cells import Cells

PLANE_WIDTH = 16
GAUSSIAN_WIDTH, INPUTS = 64, 100
REPEATS = 200
LIMIT = 120.0
SEED = 20_221_116
# What each case may take, in seconds.
BARS = {
    f"Polygon, width {PLANE_WIDTH}: polynomial on a square": 5e-3,
    f"Polygon, width {PLANE_WIDTH}: tent on a hexagon": 5e-3,
    f"Gaussian, width {GAUSSIAN_WIDTH}, {INPUTS} inputs: teacher of the same width": 5e-3,
}


def measure(cells: Cells) -> None:
    """Measure all cases in one process, if they are not stored yet."""
    repeated.measure(cells, "derivatives", BARS, LIMIT)


def times() -> dict[str, Any]:
    """Return median seconds of each case, kernels compiled."""
    import reluscape as rs

    rng = np.random.default_rng(SEED)
    square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    turn = np.arange(6) * np.pi / 3.0
    hexagon = np.column_stack([np.cos(turn), np.sin(turn)])
    quadratic = rs.polynomial2d([[0.0, 1.0, 2.0], [-1.0, 0.5, 0.0], [1.0, 0.0, 0.0]])
    tent = rs.Network(rng.normal(size=(4, 2)), rng.normal(size=4) / 2.0, rng.normal(size=4))
    flat = rs.Polygon(quadratic, square)
    folded = rs.Polygon(tent, hexagon)
    plane = _network(rng, PLANE_WIDTH, 2)
    normal = rs.Gaussian(_network(rng, GAUSSIAN_WIDTH, INPUTS))
    wide = _network(rng, GAUSSIAN_WIDTH, INPUTS)
    ways: list[Callable[[], object]] = [
        lambda: flat.gradient(plane),
        lambda: folded.gradient(plane),
        lambda: normal.gradient(wide),
    ]
    return {case: repeated.median(way, REPEATS) for case, way in zip(BARS, ways, strict=True)}


def _network(rng: np.random.Generator, width: int, inputs: int) -> Any:
    """Return a network with a skip connection and all parameters drawn."""
    import reluscape as rs

    weights = rng.normal(size=(width, inputs)) / np.sqrt(inputs)
    biases, outputs = rng.normal(size=(2, width)) / 2.0
    return rs.Network(weights, biases, outputs, 0.1, rng.normal(size=inputs))
