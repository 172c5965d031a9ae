"""Where the breakpoints of all good fits are."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.certify import target_of
from reluscape.optimum.nodes import bisect, whole
from reluscape.optimum.search import COARSE, Box, price, warm
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]

# Nodes and seconds after which cells are not made finer: the intervals are then wider than need be.
MOST_NODES = 40_000
PATIENCE = 20.0


def pinned(problem: Samples, risk: float, width: int, share: float) -> Floats:
    """Return intervals outside which no fit comes within `share` of a risk.

    Parameters
    ----------
    problem : Samples
    risk : float
    width : int
    share : float
        Relative, for instance 0.01.

    Returns
    -------
    ndarray, shape (width, 2)
        For each breakpoint, in order, in units of x. They end on inputs.
    """
    warm()
    # A gap of next to nothing below the risk that is still good.
    target = target_of(problem, risk * (1.0 + share), 1e-9)
    line, begun = target.line, time.perf_counter()
    inputs = len(line.x)
    nodes = whole(inputs, width, COARSE)
    with ThreadPoolExecutor(2) as pool:
        while True:
            box = Box(-np.inf, 0, nodes, np.zeros((len(nodes), 3)), -1, halved=False)
            _, left, _, _ = price(line, box, width, target.goal, pool)
            late = time.perf_counter() - begun > PATIENCE
            if left.widest <= 1 or late or len(left) > MOST_NODES:
                break
            nodes = bisect(left, width, inputs)
    restore = problem.moments.x_axis.restore
    result = np.empty((width, 2))
    for j in range(width):
        held = (left.layer <= j) & (left.last >= j)
        ends = line.x[[left.a[held].min() - 1, left.b[held].max()]]
        result[j] = restore(ends)
    return result
