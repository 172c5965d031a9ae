"""One timed fit by each library, and the sum of squares of the kinks that it returns."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from benchmarks.data import Array, case

PEERS = ("pwlf.fit", "pwlf.fitfast", "piecewise-regression")
WARM_UP = 300

cached_case = lru_cache(maxsize=2)(case)


def sum_of_squares(x: Array, y: Array, kinks: Array) -> float:
    """Return the least sum of squares of a continuous piecewise-linear function with these kinks.

    The basis of hat functions is well conditioned whatever the kinks, so that a peer is judged
    by its kinks and not by the accuracy of its own solver. Kinks outside the data are dropped:
    they change nothing there.
    """
    low, high = float(x.min()), float(x.max())
    inner = np.unique(kinks[(kinks > low) & (kinks < high)])
    nodes = np.concatenate([[low], inner, [high]])
    piece = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, nodes.size - 2)
    share = (x - nodes[piece]) / (nodes[piece + 1] - nodes[piece])
    basis = np.zeros((x.size, nodes.size))
    rows = np.arange(x.size)
    basis[rows, piece] = 1.0 - share
    basis[rows, piece + 1] = share
    values, *_ = np.linalg.lstsq(basis, y, rcond=None)
    residual = y - basis @ values
    return float(residual @ residual)


def run(method: str, name: str, n: int, knots: int, seed: int) -> dict[str, Any]:
    """Return ``seconds``, ``kinks`` (None where the method gave none) and ``sse`` of one fit."""
    x, y = cached_case(name, n)
    fitter = {
        "pwlf.fit": _pwlf_fit,
        "pwlf.fitfast": _pwlf_fitfast,
        "piecewise-regression": _piecewise_regression,
        "reluscape": _reluscape,
    }[method]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        seconds, kinks, sse = fitter(x, y, knots, seed)
    if kinks is None:
        return {"seconds": seconds, "kinks": None, "sse": None}
    if sse is None:
        sse = sum_of_squares(x, y, kinks)
    return {"seconds": seconds, "kinks": sorted(map(float, kinks)), "sse": sse}


def warm_up(method: str) -> None:
    """Import the library, and let whatever compiles compile."""
    run(method, "sine", WARM_UP, 2, 0)


Timed = tuple[float, Array | None, float | None]


def _pwlf_fit(x: Array, y: Array, knots: int, seed: int) -> Timed:
    import pwlf

    start = time.perf_counter()
    breaks = pwlf.PiecewiseLinFit(x, y, seed=seed).fit(knots + 1)
    return time.perf_counter() - start, np.asarray(breaks)[1:-1], None


def _pwlf_fitfast(x: Array, y: Array, knots: int, seed: int) -> Timed:
    import pwlf

    start = time.perf_counter()
    breaks = pwlf.PiecewiseLinFit(x, y, seed=seed).fitfast(knots + 1)
    return time.perf_counter() - start, np.asarray(breaks)[1:-1], None


def _piecewise_regression(x: Array, y: Array, knots: int, seed: int) -> Timed:
    import piecewise_regression

    np.random.seed(seed)  # noqa: NPY002 (the library draws from the global generator)
    start = time.perf_counter()
    found = piecewise_regression.Fit(x, y, n_breakpoints=knots, verbose=False)
    seconds = time.perf_counter() - start
    estimates = found.get_results()["estimates"]
    if estimates is None:
        return seconds, None, None
    kinks = [estimates[f"breakpoint{j + 1}"]["estimate"] for j in range(knots)]
    return seconds, np.asarray(kinks, dtype=np.float64), None


def _reluscape(x: Array, y: Array, knots: int, seed: int) -> Timed:
    import reluscape as rs

    start = time.perf_counter()
    found = rs.fit(rs.Samples(x, y), knots, seed=seed)
    seconds = time.perf_counter() - start
    # Not solved again: the network as it was returned, and nothing but sums of its residuals.
    residual = np.asarray(found.network(x)) - y
    return seconds, np.asarray(found.breakpoints), float(residual @ residual)
