"""The search for a proof: covers are priced, pruned, refined and split until nothing is left.

A box is a cover of some of the ways to place breakpoints. Sweeps over its layers raise the price
of the cheapest path through every node by tuning the node's multipliers, and delete the nodes
whose price reaches the goal. Wide cells are halved; where that is exhausted, or sweeps delete
little, the box is split in two by the nodes that hold one of the breakpoints.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from reluscape.kernels.pieces import MULTIPLIERS
from reluscape.optimum.certificate import (
    ANY_REACH,
    CLOSE,
    COPY_AFTER,
    COPY_BEFORE,
    Leaf,
    Step,
    Sweep,
    key_of,
    place_of,
    too_large,
)
from reluscape.optimum.graph import Graphs, graphs_of, permitted
from reluscape.optimum.leaf import Seen, placements, seen, solve
from reluscape.optimum.line import Line, conditions, line_of
from reluscape.optimum.nodes import CONCAVE, Nodes, bisect, copied, whole
from reluscape.optimum.rules import Rules
from reluscape.optimum.tuning import TimeUp, run, soften
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
# Plain networks up to this width are bounded for each choice of their neurons' sides.
MOST_SIDES = 6
# Nodes of a breakpoint that are not worth splitting before their cells are halved.
TOGETHER = 12
# Share of a box's nodes that are left from which it is split before its cells are halved.
STALLED = 0.8
# Trials of the multiplier that joins the lines of a plain network.
PULLS = 24
# Temperatures of soft minima, as shares of the gap; only the first one where nodes are many.
WARMTHS = (0.05, 0.02, 0.01)
MANY = 3_000


@dataclass(order=True)
class Box:
    """A cover waiting to be priced; those with the lowest bound go first."""

    low: float
    number: int
    nodes: Nodes = field(compare=False)
    multipliers: Floats = field(compare=False)
    parent: int = field(compare=False)
    halved: bool = field(compare=False)
    sides: int = field(compare=False)
    layer: int = field(compare=False, default=-1)
    split: int = field(compare=False, default=0)
    upper: bool = field(compare=False, default=False)


@dataclass(frozen=True, eq=False)
class Proof:
    """What a search found: all placements cost at least `low`, by these steps."""

    low: float
    steps: tuple[Step, ...]
    closed: bool
    interrupted: bool = False


def warm() -> None:
    """Compile, or load what was compiled before, so that no time limit pays for it."""
    x = np.arange(8.0)
    line = line_of(moments_of_data(x, x * x, None), Rules())
    with ThreadPoolExecutor(1) as pool:
        price(line, replace(root(line, 1), low=0.0), 1, 1.0, np.inf, pool)


def root(line: Line, width: int, sides: int = -1) -> Box:
    """Return the box of all placements."""
    nodes = permitted(line, whole(line.count, width, COARSE), width)
    return Box(-np.inf, 0, nodes, np.zeros((len(nodes), MULTIPLIERS)), -1, False, sides)


def roots(line: Line, width: int) -> list[Box]:
    """Return the boxes to begin with: for plain networks one for each choice of sides."""
    if line.rules.skip or width > MOST_SIDES:
        return [root(line, width)]
    return [replace(root(line, width, sides), number=sides) for sides in range(1 << width)]


def prove(
    line: Line,
    width: int,
    goal: float,
    *,
    deadline: float,
    most_steps: float,
    report: Callable[[float], None],
    better: Callable[[Floats, int], bool],
    pool: ThreadPoolExecutor,
) -> Proof:
    """Delete placements that cost at least `goal` until none is left, time is up, or Ctrl-C.

    Time is up after `most_steps`, too: every step is to be checked.

    `better` is asked whether a placement that is left leads to a better network (with sides as in
    `Step`); then the goal is too high, and the search ends.
    """
    heap, steps, stuck = roots(line, width), list[Step](), np.inf
    heapq.heapify(heap)
    while heap:
        if time.perf_counter() > deadline or len(steps) >= most_steps:
            return Proof(min(heap[0].low, stuck), tuple(steps), False)
        box, done = heapq.heappop(heap), len(steps)
        if too_large(len(box.nodes), width):
            stuck = min(stuck, box.low)
            continue
        try:
            report(min(box.low, stuck, goal))
            low, left, multipliers, pull, sweeps = price(line, box, width, goal, deadline, pool)
            steps.append(
                Step(
                    box.parent,
                    box.halved,
                    box.layer,
                    box.split,
                    box.upper,
                    tuple(sweeps),
                    sides=box.sides,
                    pull=pull,
                )
            )
            low = max(low, box.low)
            if not len(left):
                continue
            at = len(steps) - 1
            children = list(divide(line, left, multipliers, at, low, width, box, pull))
            if not children:
                value, leaves = settle(line, left, width, box.sides)
                low = max(low, value)
                steps[at] = replace(steps[at], leaves=leaves)
            # Not after every split: placements are then much like those that were tried before.
            worth = (box.halved or not children) and low < goal
            if worth and better(middles(line, left, width), box.sides):
                return Proof(min([stuck, box.low, *(b.low for b in heap)]), tuple(steps), False)
            if not children:
                stuck = min(stuck, low)
            for child in children:
                child.number = 2 * at + child.upper
                heapq.heappush(heap, child)
        except (KeyboardInterrupt, TimeUp) as stop:
            # The box in progress is dropped, whatever came of it: its parent's bound stands.
            low = min([stuck, box.low, *(b.low for b in heap)])
            interrupted = isinstance(stop, KeyboardInterrupt)
            return Proof(low, tuple(steps[:done]), False, interrupted)
    return Proof(min(stuck, goal), tuple(steps), stuck >= goal)


def middles(line: Line, nodes: Nodes, width: int) -> Floats:
    """Return a placement (k,) in the middle of the nodes that are left."""
    result = np.empty(width)
    for j in range(width):
        some = np.flatnonzero(nodes.holding(j))
        i = some[len(some) // 2]
        low, high = line.position(np.array([nodes.a[i] - 1, nodes.b[i]]))
        # Members of a cluster side by side.
        share = (j - nodes.layer[i] + 1) / (nodes.size[i] + 1)
        result[j] = low + share * (high - low)
    return result


def settle(line: Line, path: Nodes, width: int, sides: int) -> tuple[float, tuple[Leaf, ...]]:
    """Solve the placements of a single path for all signs that they may have."""
    if not line.atomic:
        return -np.inf, ()
    low, leaves = np.inf, list[Leaf]()
    ranges, shares = conditions(line, width, sides, 1.0)
    rows: dict[tuple[int, ...], tuple[Seen | None, ...]] = {}
    for gaps, signs in placements(path):
        if gaps not in rows:
            rows[gaps] = seen(line, gaps)
        value, multipliers = solve(line, gaps, rows[gaps], signs, ranges, shares)
        low = min(low, value)
        leaves.append(Leaf(gaps, signs, multipliers))
    return low, tuple(leaves)


def divide(
    line: Line,
    left: Nodes,
    multipliers: Floats,
    parent: int,
    low: float,
    width: int,
    box: Box,
    pull: float,
) -> Iterator[Box]:
    """Yield the boxes that cover what is left of one: halved cells, or two halves."""
    sides = box.sides
    holds = [left.holding(j) for j in range(width)]
    j = int(np.argmax([held.sum() for held in holds]))
    # One pull for all placements is a poor one unless they are neighbours. And where sweeps delete
    # little, finer cells will not help: it is the multipliers, one set for too many placements.
    stalled = box.halved and len(left) > STALLED * len(box.nodes)
    crowded = (pull != 0.0 or stalled) and holds[j].sum() > TOGETHER
    if left.widest > 1 and not crowded:
        finer = permitted(line, bisect(left, width, line.count), width)
        # Multipliers start again from 0: tuned against what is gone by now, they are in the way.
        yield Box(low, 0, finer, np.zeros((len(finer), MULTIPLIERS)), parent, True, sides)
        return
    # Where cells are wide, no neighbours are near.
    fine = line.atomic and left.widest < CLOSE
    way = way_to_copy(left, width) if fine and holds[j].sum() > TOGETHER else 0
    if way < 0:
        finer, origin = copied(left, width, way == COPY_AFTER)
        yield Box(low, 0, finer, multipliers[origin], parent, False, sides, way)
        return
    if holds[j].sum() < 2:
        return
    # In order of gaps, so that halves are neighbourhoods.
    place = place_of(left.layer, left.size, left.what, left.a, left.d, j, line.count)
    split = int(np.sort(place[holds[j]])[holds[j].sum() // 2])
    for upper in (False, True):
        keep = ~holds[j] | ((place >= split) == upper)
        yield Box(low, 0, left.take(keep), multipliers[keep], parent, False, sides, j, split, upper)


def way_to_copy(nodes: Nodes, width: int) -> int:
    """Return how nodes can be copied by their neighbours, or 0."""
    if ((nodes.before == ANY_REACH) & (nodes.layer > 0)).any():
        return COPY_BEFORE
    if ((nodes.after == ANY_REACH) & (nodes.last < width - 1)).any():
        return COPY_AFTER
    return 0


def price(
    line: Line, box: Box, width: int, goal: float, deadline: float, pool: ThreadPoolExecutor
) -> tuple[float, Nodes, Floats, float, list[Sweep]]:
    """Sweep forwards and backwards while that deletes nodes.

    Returns the bound, what is left with its multipliers, the pull, and the sweeps.
    """
    nodes, multipliers = box.nodes, box.multipliers
    n = len(nodes)
    held = [nodes.holding(j) for j in range(width)]
    if not all(some.any() for some in held):
        return goal, nodes.take(np.zeros(n, np.bool_)), multipliers[:0], 0.0, []
    graphs = graphs_of(line, nodes, width, box.sides)
    pull = 0.0
    # Only where all lines see something: a line that does not could have any slope.
    if conditions(line, width, box.sides, 1.0)[1].any() and (nodes.kind <= CONCAVE).all():
        pull = best_pull(line, box, width, graphs, deadline, pool)
        graphs = pulled(graphs, conditions(line, width, box.sides, pull)[1])
    through = np.full(n, -np.inf)
    costs = (np.full(n, np.inf), np.full(n, np.inf))
    sweeps: list[Sweep] = []
    keys = key_of(nodes.layer, nodes.size, nodes.what, nodes.a, nodes.d, line.count)

    def go(backward: bool, rounds: int) -> None:
        alive = through < np.inf
        run(graphs, backward, width, goal, rounds, multipliers, costs, through, deadline, pool)
        some = alive & multipliers.any(axis=1)
        sweeps.append(Sweep(backward, keys[some], multipliers[some].copy()))

    if box.low > -np.inf and not np.isfinite(graphs.forward.ranges).any():
        for warmth in WARMTHS if n < MANY else WARMTHS[:1]:
            soften(graphs, width, warmth * (goal - box.low), multipliers, deadline, pool)
    go(True, -1)
    low, backward = -np.inf, False
    while True:
        before = int((through < np.inf).sum())
        go(backward, ROUNDS)
        alive = through < np.inf
        after = int(alive.sum())
        held = [alive & nodes.holding(j) for j in range(width)]
        if not all(some.any() for some in held):
            return goal, nodes.take(np.zeros(n, np.bool_)), multipliers[:0], pull, sweeps
        low = max(float(through[some].min()) for some in held)
        late = time.perf_counter() > deadline
        if late or len(sweeps) > MOST_SWEEPS or after > (1 - WORTHWHILE) * before:
            return low, nodes.take(alive), multipliers[alive], pull, sweeps
        backward = not backward


def pulled(graphs: Graphs, pulls: Floats) -> Graphs:
    """Return the graphs with other terms on the slopes of lines."""
    return Graphs(graphs.forward._replace(pulls=pulls), graphs.backward._replace(pulls=pulls))


def best_pull(
    line: Line, box: Box, width: int, graphs: Graphs, deadline: float, pool: ThreadPoolExecutor
) -> float:
    """Return a multiplier for the condition on several lines' slopes, by trial.

    The bound is concave in it: golden sections, from a bracket that is widened until it holds.
    """
    n = len(box.nodes)

    def bound(pull: float) -> float:
        costs, through = (np.full(n, np.inf), np.full(n, np.inf)), np.full(n, -np.inf)
        trial = pulled(graphs, conditions(line, width, box.sides, pull)[1])
        multipliers = box.multipliers.copy()
        for backward, rounds in ((True, -1), (False, 0)):
            run(trial, backward, width, np.inf, rounds, multipliers, costs, through, deadline, pool)
        return float(through.min())

    trials = {0.0: bound(0.0)}
    step = trials[0.0] + 1e-9
    for sign in (1.0, -1.0):
        at = sign * step
        while len(trials) < PULLS:
            trials[at] = bound(at)
            if trials[at] < max(trials.values()):
                break
            at *= 4.0
    while len(trials) < PULLS:
        order = sorted(trials)
        i = order.index(max(order, key=lambda pull: trials[pull]))
        if not 0 < i < len(order) - 1:
            break
        low, centre, high = order[i - 1 : i + 2]
        at = centre + 0.38 * (high - centre if high - centre > centre - low else low - centre)
        trials[at] = bound(at)
    return float(np.float32(max(trials, key=lambda pull: trials[pull])))
