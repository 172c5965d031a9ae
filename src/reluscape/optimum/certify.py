"""A lower bound for a fit, and the certificate that proves it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network
from reluscape.optimum.certificate import SIZES, Certificate, digest_of
from reluscape.optimum.line import Line, line_of
from reluscape.optimum.rules import Rules
from reluscape.optimum.search import Proof, prove, warm
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]

# Share of the gap that is left for the difference between the search's arithmetic and the
# checker's, and the least of it, relative to the squares of the targets.
SLACK = 0.02
ROUNDING = 1e-15
# So that the gap that is stated is not above the one asked for, by rounding.
ROOM = 1e-9
# Steps per second of the time limit, and that are always allowed: small boxes take the checker
# longer than the search, and a check should not take much longer than the limit.
STEPS_PER_SECOND, FEW_STEPS = 80.0, 1000.0
# Share of the squares of the targets below which a risk counts as 0.
NOTHING = 1e-14


@dataclass(frozen=True, eq=False)
class Target:
    """A risk that no network should beat, in the units of the search."""

    line: Line
    unit: float
    goal: float
    slack: float
    force: float

    def risk(self, low: float) -> float:
        """Return the risk that stands for what the search calls `low`, less the slack."""
        return max((low + self.line.pure - self.slack) * self.unit, 0.0)


def target_of(
    problem: Samples | Interval,
    rules: Rules,
    risk: float,
    gap: float,
) -> Target:
    """Set the goal: the risk less the gap, or less rounding where the fit is all but perfect."""
    moments = problem.moments
    line = line_of(moments, rules)
    unit = moments.mass * moments.y_axis.scale**2
    squares = risk / unit
    rows = line.rows_before(np.array([line.count]))[0] - line.rows_after(np.zeros(1, np.int64))[0]
    total = rows[:6] + rows[6:]
    # What is summed, and rounded: squares about the middle of the targets.
    size = float(total[5]) + line.pure
    allowed = max(gap * (1.0 - ROOM) * squares, NOTHING * size)
    slack = SLACK * allowed + ROUNDING * size
    weight = 1.0
    if isinstance(problem, Samples):
        weight = moments.mass if problem.weighted else 1.0
    force = moments.y_axis.scale * weight
    return Target(line, unit, squares - line.pure - allowed + slack, slack, force)


def certify(
    problem: Samples | Interval,
    network: Network,
    risk: float,
    width: int,
    rules: Rules,
    *,
    gap: float,
    time_limit: float | None,
    progress: Callable[[str, float], None],
    note: Callable[[float], None],
    better: Callable[[Floats, int], bool],
) -> tuple[Certificate, Proof]:
    """Search for a proof that no network of this width is better than `risk` by more than `gap`.

    Parameters
    ----------
    problem : Samples or Interval
        One input, y of shape (n,).
    network : Network
    risk : float
    width : int
    rules : Rules
        What the networks in question obey.
    gap : float
        Relative.
    time_limit : float or None
        Seconds; what is proved by then is returned, as it is on Ctrl-C.
    progress : callable (message, fraction)
    note : callable (bound)
        Told what is proved, when the search begins and whenever it knows more.
    better : callable (breakpoints, sides)
        Asked whether a placement leads to a better network; the search then ends.

    Returns
    -------
    certificate : Certificate
    proof : Proof
    """
    target, digest = target_of(problem, rules, risk, gap), digest_of(problem)
    stopped = False
    try:
        warm()
    except KeyboardInterrupt:
        stopped = True
    begun = time.perf_counter()
    note(0.0)
    first: list[float] = []

    def report(low: float) -> None:
        bound = target.risk(low) if low > -math.inf else 0.0
        open_gap = max((risk - bound) / risk, gap) if risk > 0 else gap
        first.append(open_gap)
        note(bound)
        share = math.log(first[0] / open_gap) / math.log(max(first[0] / gap, 1.0 + 1e-9))
        progress(f"risk {risk:.6g}, at least {bound:.6g}", min(max(share, 0.0), 1.0))

    # A line has no breakpoint to place, and few inputs are fitted without error.
    free = rules.skip and not rules.slopes_bounded and not rules.spaced
    least = width + 2 if free else 1
    proof = Proof(target.goal if not width else 0.0, (), closed=True)
    if stopped:
        proof = Proof(-math.inf, (), closed=False, interrupted=True)
    elif width >= SIZES:
        proof = Proof(-math.inf, (), closed=False)
    elif width and target.goal > 0.0 and target.line.count > least:
        limit = math.inf if time_limit is None else time_limit
        with ThreadPoolExecutor(2) as pool:
            proof = prove(
                target.line,
                width,
                target.goal,
                deadline=begun + limit,
                most_steps=max(FEW_STEPS, STEPS_PER_SECOND * limit),
                report=report,
                better=better,
                pool=pool,
            )
    low = float(target.risk(proof.low)) if proof.low > -math.inf else 0.0
    rows = problem.size if isinstance(problem, Samples) else 0
    # Multipliers on slopes are in units of x, too.
    scale = problem.moments.x_axis.scale
    unit = np.append(np.ones(2 * width), scale)
    steps = tuple(
        replace(
            step,
            pull=step.pull * scale,
            leaves=tuple(
                replace(leaf, multipliers=leaf.multipliers * unit) for leaf in step.leaves
            ),
        )
        for step in proof.steps
    )
    certificate = Certificate(width, rows, digest, network, risk, low, target.force, steps, rules)
    return certificate, proof
