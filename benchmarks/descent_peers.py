"""The gradient descent that every library runs, the plain version, and the list of variants.

A network of width ``H`` is one row ``(w_1..w_H, b_1..b_H, v_1..v_H, c)`` of ``theta``, shape
``(networks, 3 H + 1)``; the risk is the mean of ``(N(x_i) - y_i)^2``. A variant is a function
``(theta, x, y, step_size, steps, block) -> theta`` that does the iterates of ``plain``, up to
rounding, over all rows. ``block`` is how many networks and how many rows it takes at a time; the
benchmark tries the blocks listed and keeps the fastest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.data import SEED, Array, case

WIDTH = 16
STEP_SIZE = 0.01
CHECK_STEPS = 10
ALL = 10**9

Block = tuple[int, int]
Descend = Callable[[Array, Array, Array, float, int, Block], Array]


@dataclass(frozen=True)
class Variant:
    """One way to write the descent in one library.

    ``kind`` is ``"documented"`` for what the library's own tutorials teach and ``"tuned"`` for
    what an expert makes of it by hand: cache blocks, preallocated buffers, both cores in use.
    """

    library: str
    name: str
    kind: str
    descend: Descend
    blocks: Callable[[int, int], Iterable[Block]]


def starts(networks: int) -> Array:
    """Return standard normal starting points, shape ``(networks, 3 * WIDTH + 1)``."""
    return np.random.default_rng((SEED, networks)).standard_normal((networks, 3 * WIDTH + 1))


def plain(theta: Array, x: Array, y: Array, step_size: float, steps: int) -> Array:
    """Return textbook full-batch gradient descent, one formula a line: what all must agree with."""
    h = WIDTH
    out = theta.copy()
    for row in out:
        w, b, v, c = row[:h], row[h : 2 * h], row[2 * h : 3 * h], row[3 * h :]
        for _ in range(steps):
            before = w[:, None] * x + b[:, None]
            hidden = np.maximum(before, 0.0)
            error = v @ hidden + c - y
            active = (before > 0.0) * error
            grad_w = v * (active @ x) * (2.0 / x.size)
            grad_b = v * active.sum(axis=1) * (2.0 / x.size)
            grad_v = hidden @ error * (2.0 / x.size)
            grad_c = error.sum() * (2.0 / x.size)
            w -= step_size * grad_w
            b -= step_size * grad_b
            v -= step_size * grad_v
            c -= step_size * grad_c
    return out


def variants(library: str) -> list[Variant]:
    """Return the variants of a library; importing them imports it."""
    if library == "numpy":
        from benchmarks.descent_numpy import VARIANTS
    elif library == "torch":
        from benchmarks.descent_torch import VARIANTS
    elif library == "jax":
        from benchmarks.descent_jax import VARIANTS
    else:
        raise ValueError(f"library {library!r} is not measured")
    return VARIANTS


def names(library: str, networks: int, n: int) -> list[str]:
    """Return the names of the variants of a library that are meant for this size."""
    return [v.name for v in variants(library) if any(True for _ in v.blocks(networks, n))]


def measure(
    library: str, name: str, networks: int, n: int, seconds: float, longest: float
) -> dict[str, Any]:
    """Return network-steps per second of one variant, its blocks tried first.

    Every timing covers at least ``seconds``, save that no single call should take more than
    ``longest``: then fewer networks run, and the answer says how many. The best of three repeats
    counts, which favours the peer.
    """
    variant = next(v for v in variants(library) if v.name == name)
    x, y = case("sine", n)
    theta = starts(networks)
    tried: dict[Block, float] = {}
    for block in dict.fromkeys(variant.blocks(networks, n)):
        some = theta[: _affordable(networks, n, 0.3)]
        variant.descend(some, x, y, STEP_SIZE, 1, block)
        steps = _steps(variant, some, x, y, block, 0.2)
        tried[block] = _rate(variant, some, x, y, steps, block)
    block = max(tried, key=lambda each: tried[each])
    few = max(2, int(tried[block] * longest) // 20 * 20)
    theta = theta[: min(networks, few)]
    variant.descend(theta, x, y, STEP_SIZE, 1, block)
    steps = _steps(variant, theta, x, y, block, seconds)
    repeats = 1 if theta.shape[0] / tried[block] > longest / 3 else 3
    rate = max(_rate(variant, theta, x, y, steps, block) for _ in range(repeats))
    check = theta[: _affordable(networks, n, 1.0)]
    return {
        "kind": variant.kind,
        "rate": rate,
        "block": list(block),
        "networks_run": theta.shape[0],
        "steps": steps,
        "disagreement": _disagreement(variant, check, x, y, block),
    }


def _affordable(networks: int, n: int, seconds: float) -> int:
    """Return how many networks a step can take within about ``seconds``, in an even number."""
    room = int(seconds * 1e8 / (WIDTH * n)) // 20 * 20
    return min(networks, max(2, room))


def _steps(variant: Variant, theta: Array, x: Array, y: Array, block: Block, seconds: float) -> int:
    """Return a number of steps that takes about ``seconds``."""
    steps = 1
    while True:
        begin = time.perf_counter()
        variant.descend(theta, x, y, STEP_SIZE, steps, block)
        took = time.perf_counter() - begin
        if took > 0.3 * seconds:
            return max(1, round(steps * seconds / took))
        steps = max(steps + 1, min(10 * steps, int(steps * seconds / max(took, 1e-6))))


def _rate(variant: Variant, theta: Array, x: Array, y: Array, steps: int, block: Block) -> float:
    begin = time.perf_counter()
    variant.descend(theta, x, y, STEP_SIZE, steps, block)
    return theta.shape[0] * steps / (time.perf_counter() - begin)


def _disagreement(variant: Variant, theta: Array, x: Array, y: Array, block: Block) -> float:
    """Return the largest relative distance from ``plain`` after a few steps, over networks."""
    expected = plain(theta, x, y, STEP_SIZE, CHECK_STEPS)
    got = variant.descend(theta, x, y, STEP_SIZE, CHECK_STEPS, block)
    distance = np.abs(got - expected).max(axis=1) / np.abs(expected).max(axis=1)
    return float(distance.max())
