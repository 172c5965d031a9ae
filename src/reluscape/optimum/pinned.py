"""Where the breakpoints of all good fits are."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reluscape.kernels.pieces import MULTIPLIERS
from reluscape.optimum.certify import SLACK, target_of
from reluscape.optimum.graph import permitted
from reluscape.optimum.nodes import LINE, Nodes, bisect
from reluscape.optimum.rules import Rules
from reluscape.optimum.search import Box, price, roots, warm
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Nodes above which cells are not made finer.
MOST_NODES = 40_000
# Cells of an interval are halved while what is left shrinks below this share.
ENOUGH = 0.98
# Times that a round may take as long as the one before it.
GROWTH = 3.0


@dataclass(frozen=True, eq=False)
class Pinned:
    """Intervals outside which no good fit has its breakpoints.

    Attributes
    ----------
    intervals : ndarray, shape (width, 2)
        For each breakpoint, from left to right, in units of x. For data they end on inputs.
    share : float
        What is good: at most this much more risk than the fit's, relative to it.
    fine : bool
        Whether they are as narrow as the bounds can make them; if not, time was short.

    Examples
    --------
    >>> import numpy as np
    >>> from reluscape import Samples, fit
    >>> x = np.linspace(0, 1, 101)
    >>> pins = fit(Samples(x, abs(x - 0.4) + 0.01 * np.cos(99 * x)), 1).pins(0.05)
    >>> pins.share, pins.fine, pins.intervals.round(2)
    (0.05, True, array([[0.39, 0.41]]))
    """

    intervals: Floats
    share: float
    fine: bool


def pinned(
    problem: Samples | Interval,
    rules: Rules,
    risk: float,
    width: int,
    share: float,
    *,
    patience: float,
    progress: Callable[[str, float], None],
) -> Pinned:
    """Return intervals outside which no fit comes within `share` of a risk.

    Parameters
    ----------
    problem : Samples or Interval
    rules : Rules
        What the fits in question obey.
    risk : float
    width : int
    share : float
        Relative, for instance 0.01.
    patience : float
        Seconds, about, after which cells are not made finer. Ctrl-C has the same effect.
    progress : callable (message, fraction)

    Returns
    -------
    Pinned
    """
    x_axis, moments = problem.moments.x_axis, problem.moments
    target = target_of(problem, rules, risk * (1.0 + share), 1e-9)
    line = target.line
    everywhere = np.tile(x_axis.restore(np.array(moments.support)), (width, 1))
    if not width or line.count <= width + LINE:
        return Pinned(everywhere, share, fine=True)
    # The goal of a proof is next to nothing below the risk; what has just that risk is good, too.
    goal = target.goal + 2.0 * target.slack / SLACK
    # Without a skip connection, all choices of the neurons' sides count.
    boxes = roots(line, width)
    places = [_ranges(box.nodes, width) for box in boxes]
    rounds, fine = math.log2(boxes[0].nodes.widest) + 1.0, False
    try:
        warm()
        begun, done = time.perf_counter(), 0.0
        with ThreadPoolExecutor(2) as pool:
            while not fine:
                progress("where all good fits bend", min(done / rounds, 1.0))
                started, before, left = time.perf_counter(), places, list[Box]()
                for box in boxes:
                    nodes = price(line, box, width, goal, math.inf, pool)[1]
                    if len(nodes):
                        left.append(replace(box, nodes=nodes))
                places = [_ranges(box.nodes, width) for box in left]
                # Gaps of data end somewhere; cells of an interval could always be made finer.
                fine = all(box.nodes.widest <= 1 for box in left)
                fine |= not line.atomic and _size(places) > ENOUGH * _size(before) and done > 0.0
                now, done = time.perf_counter(), done + 1.0
                late = now - begun + GROWTH * (now - started) > patience
                if late or sum(len(box.nodes) for box in left) > MOST_NODES:
                    break
                boxes = list[Box]()
                for box in left:
                    nodes = permitted(line, bisect(box.nodes, width, line.count), width)
                    zero = np.zeros((len(nodes), MULTIPLIERS))
                    boxes.append(replace(box, nodes=nodes, multipliers=zero))
    except KeyboardInterrupt:
        # What is left of the last round that was finished holds all good fits.
        fine = False
    if not places:
        return Pinned(everywhere, share, fine=False)
    every = np.stack(places)
    ends = np.stack([every[..., 0].min(axis=0) - 1, every[..., 1].max(axis=0)], axis=1)
    return Pinned(x_axis.restore(line.position(ends)), share, fine)


def _ranges(nodes: Nodes, width: int) -> Integers:
    """Return the first and the last gap that is left for each breakpoint."""
    held = [nodes.holding(j) for j in range(width)]
    return np.array([(nodes.a[some].min(), nodes.b[some].max()) for some in held])


def _size(places: list[Integers]) -> float:
    """Return the length of all ranges together."""
    return float(sum((each[:, 1] - each[:, 0] + 1).sum() for each in places))
