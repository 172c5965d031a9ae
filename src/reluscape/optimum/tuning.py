"""Passes over the layers of a cover that tune multipliers, on two threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from reluscape.kernels.pieces import Graph
from reluscape.optimum.graph import Graphs

Floats = NDArray[np.float64]

# Layers with fewer nodes than this are not worth a second thread.
THREADED = 64


class TimeUp(Exception):
    """The time is up in the middle of a sweep."""


def soften(
    graphs: Graphs,
    width: int,
    warmth: float,
    multipliers: Floats,
    deadline: float,
    pool: ThreadPoolExecutor,
) -> None:
    """Tune all multipliers from left to right, against soft minima over all paths."""
    from reluscape.kernels.smooth import smooth

    graph, ahead, n = graphs.forward, graphs.backward, len(multipliers)
    costs, others = np.full(n, np.inf), np.full(n, np.inf)

    def behind(start: int, stop: int) -> None:
        smooth(ahead, graph, start, stop, warmth, multipliers, others, costs, False)

    def tune(start: int, stop: int) -> None:
        smooth(graph, ahead, start, stop, warmth, multipliers, costs, others, True)

    in_layers(ahead, width, behind, deadline, pool)
    in_layers(graph, width, tune, deadline, pool)
    # Certificates hold multipliers in single precision.
    multipliers[:] = multipliers.astype(np.float32)


def run(
    graphs: Graphs,
    backward: bool,
    width: int,
    goal: float,
    rounds: int,
    multipliers: Floats,
    costs: tuple[Floats, Floats],
    through: Floats,
    deadline: float,
    pool: ThreadPoolExecutor,
) -> None:
    """Sweep once over all layers; the nodes of a layer do not depend on each other."""
    from reluscape.kernels.bounds import sweep

    graph, ahead = graphs.forward, graphs.backward
    mine, others = costs
    if backward:
        graph, ahead, mine, others = ahead, graph, others, mine

    def tune(start: int, stop: int) -> None:
        sweep(graph, ahead, start, stop, goal, rounds, multipliers, mine, others, through)

    in_layers(graph, width, tune, deadline, pool)


def in_layers(
    graph: Graph,
    width: int,
    work: Callable[[int, int], None],
    deadline: float,
    pool: ThreadPoolExecutor,
) -> None:
    """Work on one layer after the other, on two threads where that pays.

    Raises `TimeUp` when the deadline has passed.
    """
    for j in range(width):
        if time.perf_counter() > deadline:
            raise TimeUp
        start, stop = int(graph.entry_starts[j]), int(graph.entry_starts[j + 1])
        if stop - start <= THREADED:
            work(start, stop)
            continue
        middle = (start + stop) // 2
        for job in [pool.submit(work, start, middle), pool.submit(work, middle, stop)]:
            job.result()
