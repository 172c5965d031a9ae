"""The search for a proof: covers are priced, pruned, refined and split until nothing is left.

A box is a cover of some of the ways to place breakpoints. Sweeps over its layers raise the price
of the cheapest path through every node by tuning the node's multipliers, and delete the nodes
whose price reaches the goal. Wide cells are halved; where that is exhausted and multipliers no
longer help, the box is split in two by the nodes that hold one of the breakpoints.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.certificate import Leaf, Step, Sweep, key_of, place_of
from reluscape.optimum.graph import Graphs, Line, graphs_of, line_of
from reluscape.optimum.leaf import placement, sign_patterns, solve
from reluscape.optimum.nodes import Nodes, bisect, whole
from reluscape.problems.moments import moments_of_data

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Cells that the gaps are first cut into.
COARSE = 64
# Times that each node's multipliers are tuned and checked, per sweep.
ROUNDS = 8
# Sweeps end once one of them deletes less than this share of the nodes.
WORTHWHILE = 0.03
MOST_SWEEPS = 40
# Layers with fewer nodes than this are not worth a second thread.
THREADED = 64


@dataclass(order=True)
class Box:
    """A cover waiting to be priced; those with the lowest bound go first."""

    low: float
    number: int
    nodes: Nodes = field(compare=False)
    multipliers: Floats = field(compare=False)
    parent: int = field(compare=False)
    halved: bool = field(compare=False)
    layer: int = field(compare=False, default=-1)
    split: int = field(compare=False, default=0)
    upper: bool = field(compare=False, default=False)


@dataclass(frozen=True, eq=False)
class Proof:
    """What a search found: all placements cost at least `low`, by these steps.

    `candidate` are the gaps of a placement below the goal, if one was found: a better network.
    """

    low: float
    steps: tuple[Step, ...]
    closed: bool
    candidate: tuple[int, ...] = ()


def warm() -> None:
    """Compile, or load what was compiled before, so that no time limit pays for it."""
    x = np.arange(8.0)
    line = line_of(moments_of_data(x, x * x, None))
    nodes = whole(len(x), 1, COARSE)
    with ThreadPoolExecutor(1) as pool:
        box = Box(-np.inf, 0, nodes, np.zeros((len(nodes), 3)), -1, halved=False)
        price(line, box, 1, np.inf, pool)


def prove(
    line: Line,
    width: int,
    goal: float,
    *,
    deadline: float,
    report: Callable[[float], None],
    pool: ThreadPoolExecutor,
) -> Proof:
    """Delete placements that cost at least `goal` until none is left or time is up."""
    inputs = len(line.x)
    nodes = whole(inputs, width, COARSE)
    first = Box(-np.inf, 0, nodes, np.zeros((len(nodes), 3)), -1, halved=False)
    heap, steps, stuck = [first], list[Step](), np.inf
    candidate: tuple[int, ...] = ()
    while heap:
        if time.perf_counter() > deadline:
            return Proof(min(heap[0].low, stuck), tuple(steps), False, candidate)
        box = heapq.heappop(heap)
        report(min(box.low, stuck, goal))
        low, left, multipliers, sweeps = price(line, box, width, goal, pool)
        steps.append(Step(box.parent, box.halved, box.layer, box.split, box.upper, tuple(sweeps)))
        low = max(low, box.low)
        if not len(left):
            continue
        at = len(steps) - 1
        children = list(divide(line, left, multipliers, at, low, width))
        if not children:
            low, leaves = settle(line, left, width)
            steps[at] = replace(steps[at], leaves=leaves)
            if low < min(stuck, goal):
                candidate = leaves[0].gaps
            stuck = min(stuck, low)
        for child in children:
            child.number = 2 * at + child.upper
            heapq.heappush(heap, child)
    return Proof(min(stuck, goal), tuple(steps), stuck >= goal, candidate)


def settle(line: Line, path: Nodes, width: int) -> tuple[float, tuple[Leaf, ...]]:
    """Solve a single placement for all signs that it may have."""
    gaps, low, leaves = placement(path, width), np.inf, list[Leaf]()
    for signs in sign_patterns(path):
        value, multipliers = solve(line, gaps, signs)
        low = min(low, value)
        leaves.append(Leaf(tuple(gaps), signs, multipliers))
    return low, tuple(leaves)


def divide(
    line: Line, left: Nodes, multipliers: Floats, parent: int, low: float, width: int
) -> Iterator[Box]:
    """Yield the boxes that cover what is left of one: halved cells, or two halves."""
    if left.widest > 1:
        finer = bisect(left, width, len(line.x))
        # Multipliers start again from 0: tuned against what is gone by now, they are in the way.
        yield Box(low, 0, finer, np.zeros((len(finer), 3)), parent, halved=True)
        return
    holds = [(left.layer <= j) & (left.last >= j) for j in range(width)]
    j = int(np.argmax([held.sum() for held in holds]))
    if holds[j].sum() < 2:
        return
    # In order of gaps, so that halves are neighbourhoods.
    place = place_of(left.layer, left.kind, left.a, left.d, j, len(line.x))
    split = int(np.sort(place[holds[j]])[holds[j].sum() // 2])
    for upper in (False, True):
        keep = ~holds[j] | ((place >= split) == upper)
        yield Box(low, 0, left.take(keep), multipliers[keep], parent, False, j, split, upper)


def price(
    line: Line, box: Box, width: int, goal: float, pool: ThreadPoolExecutor
) -> tuple[float, Nodes, Floats, list[Sweep]]:
    """Sweep forwards and backwards while that deletes nodes; return the bound and what is left."""
    nodes, multipliers = box.nodes, box.multipliers
    graphs = graphs_of(line, nodes, width)
    n = len(nodes)
    through = np.full(n, -np.inf)
    costs = (np.full(n, np.inf), np.full(n, np.inf))
    sweeps: list[Sweep] = []
    keys = key_of(nodes.layer, nodes.kind, nodes.a, nodes.d, len(line.x))

    def go(backward: bool, rounds: int) -> None:
        alive = through < np.inf
        run(graphs, backward, width, goal, rounds, multipliers, costs, through, pool)
        some = alive & multipliers.any(axis=1)
        sweeps.append(Sweep(backward, keys[some], multipliers[some].copy()))

    go(True, -1)
    low, backward = -np.inf, False
    while True:
        before = int((through < np.inf).sum())
        go(backward, ROUNDS)
        alive = through < np.inf
        after = int(alive.sum())
        held = [alive & (nodes.layer <= j) & (nodes.last >= j) for j in range(width)]
        if not all(some.any() for some in held):
            return goal, nodes.take(np.zeros(n, np.bool_)), multipliers[:0], sweeps
        low = max(float(through[some].min()) for some in held)
        if len(sweeps) > MOST_SWEEPS or after > (1 - WORTHWHILE) * before:
            return low, nodes.take(alive), multipliers[alive], sweeps
        backward = not backward


def run(
    graphs: Graphs,
    backward: bool,
    width: int,
    goal: float,
    rounds: int,
    multipliers: Floats,
    costs: tuple[Floats, Floats],
    through: Floats,
    pool: ThreadPoolExecutor,
) -> None:
    """Sweep once over all layers; the nodes of a layer do not depend on each other."""
    from reluscape.kernels.bounds import sweep

    graph, ahead = graphs.forward, graphs.backward
    mine, others = costs
    if backward:
        graph, ahead, mine, others = ahead, graph, others, mine
    for j in range(width):
        start, stop = int(graph.entry_starts[j]), int(graph.entry_starts[j + 1])
        cuts = [start, (start + stop) // 2, stop] if stop - start > THREADED else [start, stop]
        jobs = [
            pool.submit(sweep, graph, ahead, i, k, goal, rounds, multipliers, mine, others, through)
            for i, k in pairwise(cuts)
        ]
        for job in jobs:
            job.result()
