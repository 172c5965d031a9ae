"""Risk and gradient against exact rational arithmetic, next to what plain float64 sums give."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from benchmarks.cells import Cells, say
from benchmarks.data import Array, case, timestamps
from benchmarks.exact import Rows, risk_and_gradient
from benchmarks.workers import Failed, TimedOut, Worker

NETWORKS = 5
WIDTH = 4
LIMIT = 900.0
SIZES = (1_000, 1_000_000)
QUICK_SIZES = (1_000,)
DATA: dict[str, Callable[[int], tuple[Array, Array]]] = {
    "benign: the noisy sine": lambda n: case("sine", n),
    "hard: x = 1.7e9 + milliseconds, y = 1e6 ± 1e-3": timestamps,
}
WAYS = ("reluscape", "direct sums", "prefix sums")


def measure(cells: Cells, sizes: tuple[int, ...] = SIZES) -> None:
    """Measure every data set and size that is not stored yet."""
    with Worker() as worker:
        for data in DATA:
            for n in sizes:
                where = f"{data} | {n}"
                if cells.get(where) is None:
                    try:
                        cell = worker.call("benchmarks.accuracy", "errors", LIMIT, data=data, n=n)
                    except (Failed, TimedOut) as error:
                        cell = {"failure": str(error)}
                    cells.put(where, cell)
                    say(f"accuracy: {where}: {cell}")


def networks(x: Array, y: Array) -> list[Array]:
    """Return parameter vectors with kinks among the rows, heights like those of the data.

    The first units point right and left in turn; none is near a critical point, where a
    relative error of the gradient would mean nothing.
    """
    rng = np.random.default_rng(WIDTH)
    low, high = float(x.min()), float(x.max())
    centre = float(np.mean(y))
    spread = float(np.std(y))
    made: list[Array] = []
    for _ in range(NETWORKS):
        kinks = rng.uniform(low, high, WIDTH)
        w = np.where(np.arange(WIDTH) % 2 == 0, 1.0, -1.0) * rng.uniform(0.5, 2.0, WIDTH)
        v = spread / (high - low) * rng.uniform(-2.0, 2.0, WIDTH)
        c = centre + spread * rng.uniform(-1.0, 1.0)
        made.append(np.concatenate([w, -w * kinks, v, [c]]))
    return made


def errors(data: str, n: int) -> dict[str, dict[str, float]]:
    """Return, for each way, the worst relative error of risk and gradient over the networks.

    The gradient's error is the largest over its four parts (w, b, v, c), each relative to the
    exact part's Euclidean norm: the parts differ by many orders of magnitude.
    """
    import reluscape as rs

    x, y = DATA[data](n)
    rows, problem = Rows.of(x, y), rs.Samples(x, y)
    worst = {way: {"risk": 0.0, "gradient": 0.0} for way in WAYS}
    for theta in networks(x, y):
        risk, gradient = risk_and_gradient(rows, theta)
        net = rs.Network.from_vector(theta)
        answers: dict[str, tuple[float, Array]] = {
            "reluscape": (float(problem.risk(net)), np.asarray(problem.gradient(net))),
            "direct sums": direct(x, y, theta),
            "prefix sums": prefix(x, y, theta),
        }
        for way, (value, vector) in answers.items():
            off = abs(Fraction(value) - risk) / risk
            worst[way]["risk"] = max(worst[way]["risk"], float(off))
            worst[way]["gradient"] = max(worst[way]["gradient"], _distance(vector, gradient))
    return worst


def _distance(vector: Array, exact: list[Fraction]) -> float:
    far = 0.0
    for part in (slice(j * WIDTH, (j + 1) * WIDTH) for j in range(4)):
        wanted = exact[part]
        gaps = [Fraction(float(a)) - e for a, e in zip(vector[part], wanted, strict=True)]
        norm = sum((e * e for e in wanted), Fraction(0))
        far = max(far, float(sum((g * g for g in gaps), Fraction(0)) / norm) ** 0.5)
    return far


def direct(x: Array, y: Array, theta: Array) -> tuple[float, Array]:
    """Return risk and gradient as the plain float64 NumPy sums over all rows."""
    w, b, v, c = _parts(theta)
    before = w[:, None] * x + b[:, None]
    hidden = np.maximum(before, 0.0)
    error = v @ hidden + c - y
    active = (before > 0.0) * error
    parts: list[Any] = [v * (active @ x), v * active.sum(axis=1), hidden @ error, [error.sum()]]
    return float(np.mean(error * error)), 2.0 / x.size * np.concatenate(parts)


def prefix(x: Array, y: Array, theta: Array) -> tuple[float, Array]:
    """Return risk and gradient from float64 prefix sums of the raw numbers, not centred."""
    w, b, v, c = _parts(theta)
    order = np.argsort(x)
    x, y = x[order], y[order]
    columns = (np.ones_like(x), x, x * x, y, x * y, y * y)
    sums = np.array([np.concatenate([[0.0], np.cumsum(column)]) for column in columns])
    cuts = np.searchsorted(x, -b / w, side="right")
    borders = np.unique(np.concatenate([[0], cuts, [x.size]]))
    risk, grad_c = 0.0, 0.0
    sum_e, sum_xe = np.zeros(w.size), np.zeros(w.size)
    for low, high in itertools.pairwise(borders):
        active = np.where(w > 0.0, cuts <= low, cuts >= high)
        slope, level = float((v * w)[active].sum()), float((v * b)[active].sum()) + c
        count, sx, sxx, sy, sxy, syy = sums[:, high] - sums[:, low]
        error = level * count + slope * sx - sy
        error_x = level * sx + slope * sxx - sxy
        risk += level * (error - sy) + slope * (error_x - sxy) + syy
        grad_c += error
        sum_e[active] += error
        sum_xe[active] += error_x
    parts: list[Any] = [v * sum_xe, v * sum_e, w * sum_xe + b * sum_e, [grad_c]]
    return float(risk) / x.size, 2.0 / x.size * np.concatenate(parts)


def _parts(theta: Array) -> tuple[Array, Array, Array, float]:
    return theta[:WIDTH], theta[WIDTH : 2 * WIDTH], theta[2 * WIDTH : 3 * WIDTH], float(theta[-1])
