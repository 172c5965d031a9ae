"""A lower bound for a fit, and the certificate that proves it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from reluscape.networks.network import Network
from reluscape.optimum.certificate import Certificate, digest_of
from reluscape.optimum.graph import Line, line_of
from reluscape.optimum.search import Proof, prove, warm
from reluscape.problems.samples import Samples

# Share of the gap that is left for the difference between the search's arithmetic and the
# checker's, and the least of it, relative to the spread of the targets.
SLACK = 0.02
ROUNDING = 1e-15
# So that the gap that is stated is not above the one asked for, by rounding.
ROOM = 1e-9
# Spread of the targets below which a risk counts as 0.
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


def target_of(problem: Samples, risk: float, gap: float) -> Target:
    """Set the goal: the risk less the gap, or less rounding where the fit is all but perfect."""
    moments = problem.moments
    line = line_of(moments)
    unit = moments.mass * moments.y_axis.scale**2
    squares = risk / unit
    total = line.rows[-1, :6] + line.rows[-1, 6:]
    spread = max(total[5] - total[3] ** 2 / total[0], 0.0) + line.pure
    allowed = max(gap * (1.0 - ROOM) * squares, NOTHING * spread)
    slack = SLACK * allowed + ROUNDING * spread
    weight = moments.mass if problem.weighted else 1.0
    force = moments.y_axis.scale * weight
    return Target(line, unit, squares - line.pure - allowed + slack, slack, force)


def certify(
    problem: Samples,
    network: Network,
    risk: float,
    width: int,
    *,
    gap: float,
    time_limit: float | None,
    progress: Callable[[str, float], None],
) -> tuple[Certificate, Proof]:
    """Search for a proof that no network of this width is better than `risk` by more than `gap`.

    Parameters
    ----------
    problem : Samples
        One input, y of shape (n,).
    network : Network
    risk : float
    width : int
    gap : float
        Relative.
    time_limit : float or None
        Seconds; what is proved by then is returned.
    progress : callable (message, fraction)

    Returns
    -------
    certificate : Certificate
    proof : Proof
    """
    warm()
    begun = time.perf_counter()
    target = target_of(problem, risk, gap)
    first: list[float] = []

    def report(low: float) -> None:
        bound = target.risk(low) if low > -math.inf else 0.0
        open_gap = max((risk - bound) / risk, gap) if risk > 0 else gap
        first.append(open_gap)
        share = math.log(first[0] / open_gap) / math.log(max(first[0] / gap, 1.0 + 1e-9))
        progress(f"risk {risk:.6g}, at least {bound:.6g}", min(max(share, 0.0), 1.0))

    # A line has no breakpoint to place, and few inputs are fitted without error.
    proof = Proof(target.goal if not width else 0.0, (), closed=True)
    if width and target.goal > 0.0 and len(target.line.x) > width + 2:
        deadline = begun + (math.inf if time_limit is None else time_limit)
        with ThreadPoolExecutor(2) as pool:
            proof = prove(
                target.line, width, target.goal, deadline=deadline, report=report, pool=pool
            )
    low = float(target.risk(proof.low)) if proof.low > -math.inf else 0.0
    certificate = Certificate(
        width, problem.size, digest_of(problem), network, risk, low, target.force, proof.steps
    )
    return certificate, proof
