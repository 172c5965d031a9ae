"""The independent check of a certificate: nothing here is shared with the search.

**What is proved.** A network of width k with a skip connection and one input is a continuous
function made of lines L_0 .. L_k whose neighbours meet at k breakpoints in order. With m distinct
inputs x[0] < .. < x[m-1], gap g lies between x[g-1] and x[g]; each breakpoint lies in some gap
(one outside the data, or not used, may be moved into any gap with no turn). The checker holds a
*cover*, a list of nodes as in `covers.whole`; every placement of the breakpoints is a path through
it.

On an interval the places x[0] .. x[m-1] are the points of a fine grid, and the mass is between.

**Prices.** If breakpoint j turns with sign s inside the gaps a .. b, then s (L_j - L_{j-1}) is
<= 0 at x[a-1] and >= 0 at x[b]. Adding this and other conditions (`terms.terms_of`) with
multipliers >= 0 lowers the squared error of every network in question and separates the lines: each
line then minimises a convex quadratic of its own, in closed form (`prices.price`). So the sum of
prices along a path bounds the squares of all networks on it, for *any* multipliers; those in the
certificate are hints. Nodes on no path below the claimed bound are deleted. The claim is proved
when each cover is empty.

**Rules.** Bounds on slopes are bounds for each line. Breakpoints that must keep a distance, or have
data between them, join no others that are too near. Without a skip connection the slopes s_0 .. s_k
obey s_0 + sum over the left-active neurons j of (s_j - s_{j-1}) = 0, one cover for each choice of
them: a condition on a single line makes it flat, one on several may be added with any multiplier.

**Arithmetic.** Data are turned into integers and summed exactly; prices are computed in balls
(midpoint and radius, `Ball`); sums of bounds are rounded down; single placements and the network's
risk are computed in fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from reluscape.optimum.arithmetic import Rows, exact_rows, risk_of
from reluscape.optimum.certificate import (
    COPY_AFTER,
    COPY_BEFORE,
    SIZES,
    Certificate,
    check_data,
    place_of,
    too_large,
)
from reluscape.optimum.covers import (
    AFTER,
    BEFORE,
    LAYER,
    LINE,
    SIZE,
    A,
    D,
    copied,
    halved,
    holds,
    what,
    whole,
)
from reluscape.optimum.grids import Grid, exact_grid, grid_risk
from reluscape.optimum.placements import leaves_hold, one_line
from reluscape.optimum.prices import Bridge
from reluscape.optimum.sweeping import Setting, bridges_of, outward, sweep_all
from reluscape.optimum.terms import MULTIPLIERS
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

# Error allowed to the stated risk, relative to it and to the targets' size: it was rounded when
# it was written.
RISK_TOLERANCE = 1e-9
ROUNDING = 2.0**-48
# Plain networks below this width may be covered for each choice of their neurons' sides.
MOST_SIDES = 12
# Share of the gap that is not worth computing prices more exactly for.
TOLERANCE = 2.0**-12
# Lines of a cover that are kept for what is left of it.
MOST_LINES = 20_000


@dataclass(frozen=True)
class Check:
    """The verdict on a certificate.

    Attributes
    ----------
    holds : bool
    lower_bound : float
        No network of the width has a lower risk; 0 if the certificate does not hold.
    risk : float
        Risk of the certificate's network, from exact arithmetic.
    reason : str
    """

    holds: bool
    lower_bound: float
    risk: float
    reason: str


def check(certificate: Certificate, problem: Samples | Interval) -> Check:
    """Prove again what a certificate claims, from the certificate and the problem alone.

    Parameters
    ----------
    certificate : Certificate
    problem : Samples or Interval
        The data, in any order, with one input and y of shape (n,); or the interval.

    Returns
    -------
    Check

    Raises
    ------
    InputError
        If the problem is not that of the certificate.

    Examples
    --------
    >>> import numpy as np
    >>> from reluscape import Samples, check, fit
    >>> x = np.linspace(0, 1, 30)
    >>> data = Samples(x, np.cos(7 * x))
    >>> certificate = fit(data, 2, certify=True).certificate
    >>> check(certificate, data).holds
    True
    """
    check_data(problem, certificate)
    rows: Rows | Grid
    if isinstance(problem, Interval):
        rows = exact_grid(problem)
        risk = grid_risk(certificate.network, rows)
    else:
        rows = exact_rows(problem)
        risk = risk_of(certificate.network, rows)
    reason = _wrong_facts(certificate, rows, risk)
    if reason:
        return Check(False, 0.0, float(risk), reason)
    goal = rows.goal(certificate.lower_bound)
    if goal <= 0.0:
        return Check(True, certificate.lower_bound, float(risk), "no function of x costs less")
    # Balls that grow without bound are meant to: they prove nothing.
    with np.errstate(all="ignore"):
        reason = _replay(certificate, rows, goal)
    if reason:
        return Check(False, 0.0, float(risk), reason)
    return Check(True, certificate.lower_bound, float(risk), "every placement was deleted")


def _wrong_facts(certificate: Certificate, rows: Rows | Grid, risk: Fraction) -> str:
    """Return what is wrong with the network, its risk or the bound, or nothing."""
    network, rules = certificate.network, certificate.rules
    if certificate.width >= SIZES:
        return f"widths from {SIZES} on are not checked"
    if network.activation.name != "relu":
        return "the network is not one of ReLU"
    if network.width > certificate.width:
        return f"the network has more than {certificate.width} neurons"
    if not rules.skip and network.skip is not None and network.skip.any():
        return "the network has a skip connection"
    allowed = Fraction(RISK_TOLERANCE) * risk + Fraction(ROUNDING) * rows.spread
    if not np.isfinite(certificate.risk) or abs(risk - Fraction(certificate.risk)) > allowed:
        return f"the network's risk is {float(risk):.17g}, not {certificate.risk:.17g}"
    if not np.isfinite(certificate.lower_bound) or Fraction(certificate.lower_bound) > risk:
        return "the bound is above the network's risk"
    return ""


def _replay(certificate: Certificate, rows: Rows | Grid, goal: float) -> str:
    """Follow the steps; return why the claim is not proved, or nothing."""
    k, rules = certificate.width, certificate.rules
    low, high = rules.low, rules.high
    try:
        factor = rows.factor(certificate.unit)
        turn = factor * float(rows.reach(1.0))
        slopes = (
            outward(rows.slope(low), -np.inf) if np.isfinite(low) else -np.inf,
            outward(rows.slope(high), np.inf) if np.isfinite(high) else np.inf,
        )
    except (OverflowError, ValueError):
        return "the unit of the multipliers, or a bound on slopes, is out of range"
    open_gap = 1.0 - certificate.lower_bound / certificate.risk if certificate.risk > 0.0 else 0.0
    setting = Setting(rows, k, rules, goal, factor, turn, slopes, TOLERANCE * open_gap * goal)
    known = [-1]
    if not rules.skip and not any(s.parent < 0 and s.sides < 0 for s in certificate.steps):
        known = list(range(1 << k)) if k < MOST_SIDES else [-1]
    if k and rows.count < LINE:
        return "the bound is above what such data can cost"
    if not k:
        return one_line(setting, 0 if not rules.skip else -1)
    every = setting.permitted(whole(rows.count, k))
    none: list[Bridge] = []
    waiting = {(-1, sides): (every, sides, none) for sides in known}
    for number, step in enumerate(certificate.steps):
        name = (step.parent, 2 * step.layer + step.upper if step.layer >= 0 else 0)
        name = (-1, step.sides) if step.parent < 0 else name
        cover, sides, bridges = waiting.pop(name, (None, -1, none))
        if cover is None:
            continue  # nothing was left there
        if any(sweep.backward == bool(i % 2) for i, sweep in enumerate(step.sweeps)):
            return f"the sweeps of step {number} do not go back and forth"
        if any(sweep.multipliers.shape != (len(sweep.keys), MULTIPLIERS) for sweep in step.sweeps):
            return f"step {number} has more keys than multipliers, or fewer"
        if too_large(len(cover.nodes), k):
            return f"the cover of step {number} has {len(cover.nodes)} nodes, too many to be swept"
        if not bridges:
            bridges = bridges_of(setting, cover, sides)
        left = sweep_all(setting, cover, bridges, step.sweeps, sides, step.pull)
        # What is left of a small cover has the same lines, or some of them.
        if sum(len(bridge.lines.squares) for bridge in bridges) > MOST_LINES:
            bridges = []
        nodes = left.nodes
        if not len(nodes):
            continue
        if step.leaves:
            if not leaves_hold(setting, nodes, step.leaves, sides):
                return f"a placement of step {number} is not shown to reach the bound"
            continue
        follow = certificate.follow(number)
        if follow is None:
            return f"step {number} leaves {len(nodes)} nodes that no later step deletes"
        if follow.halved:
            waiting[number, 0] = setting.permitted(halved(left, rows.count, k)), sides, none
            continue
        if follow.layer in (COPY_BEFORE, COPY_AFTER):
            column = AFTER if follow.layer == COPY_AFTER else BEFORE
            waiting[number, 0] = copied(left, k, column), sides, bridges
            continue
        j = follow.layer
        held = holds(nodes, j)
        layer, size, a, d = (nodes[:, c] for c in (LAYER, SIZE, A, D))
        above = place_of(layer, size, what(nodes), a, d, j, rows.count) >= follow.split
        waiting[number, 2 * j] = left.take(~held | ~above), sides, bridges
        waiting[number, 2 * j + 1] = left.take(~held | above), sides, bridges
    return f"{len(waiting)} covers are never emptied" if waiting else ""
