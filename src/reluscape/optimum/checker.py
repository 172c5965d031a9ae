"""The independent check of a certificate: nothing here is shared with the search.

**What is proved.** A network of width k with a skip connection and one input is a continuous
function made of lines L_0 .. L_k whose neighbours meet at k breakpoints in order. With m distinct
inputs x[0] < .. < x[m-1], gap g lies between x[g-1] and x[g]; each breakpoint lies in some gap
(one outside the data, or not used, may be moved into any gap with no turn). The checker holds a
*cover*, a list of nodes as in `covers.whole`; every placement of the breakpoints is a path through
it.

**Prices.** If breakpoint j turns with sign s inside the gaps a .. b, then s (L_j - L_{j-1}) is
<= 0 at x[a-1] and >= 0 at x[b]. Adding these with multipliers >= 0 lowers the squared error of
every network in question and separates the lines: each line then minimises a convex quadratic of
its own, in closed form (`prices.price`). So the sum of prices along a path bounds the squares of
all networks on it, for *any* multipliers; those in the certificate are hints. Nodes on no path
below the claimed bound are deleted. The claim is proved when each cover is empty.

**Arithmetic.** Data are turned into integers and summed exactly; prices are computed in balls
(midpoint and radius, `Ball`); sums of bounds are rounded down; single placements and the network's
risk are computed in fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.arithmetic import Rows, exact_rows, exactly, risk_of
from reluscape.optimum.certificate import Certificate, Leaf, Sweep, check_data, key_of, place_of
from reluscape.optimum.covers import (
    AT_END,
    FIRST,
    KIND,
    LATER,
    LAYER,
    LINE,
    PAIR,
    SECOND,
    SIGNED,
    SIGNS,
    A,
    B,
    C,
    D,
    U,
    V,
    halved,
    last,
    whole,
)
from reluscape.optimum.prices import Bridge, Terms, bridge_of, price, terms_of
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# Error allowed to the stated risk, relative to it and to the targets' size: it was rounded when
# it was written.
RISK_TOLERANCE = 1e-9
ROUNDING = 2.0**-48
# Pairs of nodes priced at once.
CHUNK = 400_000


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


def check(certificate: Certificate, problem: Samples) -> Check:
    """Prove again what a certificate claims, from the certificate and the data alone.

    Parameters
    ----------
    certificate : Certificate
    problem : Samples
        The data, in any order; one input, y of shape (n,).

    Returns
    -------
    Check

    Raises
    ------
    InputError
        If the data are not those of the certificate.

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
    rows = exact_rows(problem)
    risk = risk_of(certificate.network, rows)
    allowed = Fraction(RISK_TOLERANCE) * risk + Fraction(ROUNDING) * rows.spread
    if certificate.network.width > certificate.width:
        reason = f"the network has more than {certificate.width} neurons"
        return Check(False, 0.0, float(risk), reason)
    if not np.isfinite(certificate.risk) or abs(risk - Fraction(certificate.risk)) > allowed:
        reason = f"the network's risk is {float(risk):.17g}, not {certificate.risk:.17g}"
        return Check(False, 0.0, float(risk), reason)
    if not np.isfinite(certificate.lower_bound) or Fraction(certificate.lower_bound) > risk:
        return Check(False, 0.0, float(risk), "the bound is above the network's risk")
    goal = rows.goal(certificate.lower_bound)
    if goal <= 0.0:
        return Check(True, certificate.lower_bound, float(risk), "no function of x costs less")
    if not certificate.width:
        if _value(rows, Leaf((), (), np.zeros(0)), 1.0) >= Fraction(goal):
            return Check(True, certificate.lower_bound, float(risk), "no line costs less")
        return Check(False, 0.0, float(risk), "the best line costs less")
    if rows.count <= certificate.width + LINE:
        return Check(False, 0.0, float(risk), "the bound is above what such data can cost")
    # Balls that grow without bound are meant to: they prove nothing.
    with np.errstate(all="ignore"):
        reason = _replay(certificate, rows, goal)
    if reason:
        return Check(False, 0.0, float(risk), reason)
    return Check(True, certificate.lower_bound, float(risk), "every placement was deleted")


def _replay(certificate: Certificate, rows: Rows, goal: float) -> str:
    """Follow the steps; return why the claim is not proved, or nothing."""
    k = certificate.width
    try:
        factor = rows.factor(certificate.unit)
    except (OverflowError, ValueError):
        return "the unit of the multipliers is out of range"
    waiting: dict[tuple[int, int], Integers] = {(-1, 0): whole(rows.count, k)}
    for number, step in enumerate(certificate.steps):
        name = (step.parent, 2 * step.layer + step.upper if step.layer >= 0 else 0)
        cover = waiting.pop(name, None)
        if cover is None:
            continue  # nothing was left there
        if any(sweep.backward == bool(i % 2) for i, sweep in enumerate(step.sweeps)):
            return f"the sweeps of step {number} do not go back and forth"
        if any(sweep.multipliers.shape != (len(sweep.keys), 3) for sweep in step.sweeps):
            return f"step {number} has more keys than multipliers, or fewer"
        left = _sweep_all(rows, cover, step.sweeps, k, goal, factor)
        if not len(left):
            continue
        if step.leaves:
            if not _leaves_hold(rows, left, step.leaves, k, goal, factor):
                return f"a placement of step {number} is not shown to reach the bound"
            continue
        follow = certificate.follow(number)
        if follow is None:
            return f"step {number} leaves {len(left)} nodes that no later step deletes"
        if follow.halved:
            waiting[number, 0] = halved(left, rows.count, k)
            continue
        j = follow.layer
        held = (left[:, LAYER] <= j) & (last(left) >= j)
        layer, kind, a, d = (left[:, c] for c in (LAYER, KIND, A, D))
        above = place_of(layer, kind, a, d, j, rows.count) >= follow.split
        waiting[number, 2 * j] = left[~held | ~above]
        waiting[number, 2 * j + 1] = left[~held | above]
    return f"{len(waiting)} covers are never emptied" if waiting else ""


def _sweep_all(
    rows: Rows, cover: Integers, sweeps: tuple[Sweep, ...], k: int, goal: float, factor: float
) -> Integers:
    """Price all paths through a cover under the given multipliers; return what is below the goal.

    `costs[0]` holds for each node the cheapest way to it from the left, itself included, and
    `costs[1]` from the right. Sweeps go backward first, then forward, and so on: each renews one
    of them breakpoint by breakpoint with new multipliers; the cheapest path through a node is one
    plus the way on from the other, where the old multipliers of what lies ahead still count: every
    line has one set of terms.
    """
    n = len(cover)
    alive = np.ones(n, np.bool_)
    mult = np.zeros((n, 3))
    keys = key_of(cover[:, LAYER], cover[:, KIND], cover[:, A], cover[:, D], rows.count)
    costs = (np.full(n, np.inf), np.full(n, np.inf))
    bridges = [bridge_of(rows, cover, j, k) for j in range(k + 1)]
    for number, sweep in enumerate(sweeps):
        new = _looked_up(sweep, keys) * factor
        terms = terms_of(rows, cover, new), terms_of(rows, cover, mult)
        mine, other = costs if not sweep.backward else costs[::-1]
        mine[:] = np.inf
        entry = k - 1 - last(cover) if sweep.backward else cover[:, LAYER]
        for j in range(k):
            here = np.flatnonzero(alive & (entry == j))
            way = _ways(bridges, cover, here, mine, terms[0], terms[0], sweep.backward)
            mine[here] = np.nextafter(way + terms[0].inside[here], -np.inf)
            if number:
                on = _ways(bridges, cover, here, other, terms[0], terms[1], not sweep.backward)
                dead = here[np.nextafter(mine[here] + on, -np.inf) >= goal]
                alive[dead] = False
                mine[dead] = other[dead] = np.inf
        mult = new
        # Every path holds every breakpoint.
        held = [alive & (cover[:, LAYER] <= j) & (last(cover) >= j) for j in range(k)]
        if not all(some.any() for some in held):
            return cover[:0]
    return cover[alive]


def _looked_up(sweep: Sweep, keys: Integers) -> Floats:
    """Return the multipliers of all nodes, 0 where the sweep has none or none that is valid."""
    result = np.zeros((len(keys), 3))
    if len(sweep.keys):
        order = np.argsort(sweep.keys, kind="stable")
        at = np.minimum(np.searchsorted(sweep.keys[order], keys), len(order) - 1)
        found = sweep.keys[order][at] == keys
        result[found] = sweep.multipliers[order][at][found]
    return np.where(np.isfinite(result) & (result > 0.0), result, 0.0)


def _ways(
    bridges: list[Bridge],
    cover: Integers,
    here: Integers,
    costs: Floats,
    mine: Terms,
    theirs: Terms,
    backward: bool,
) -> Floats:
    """Return the cheapest way to the nodes `here` from the nodes before them (`theirs`)."""
    kind, start = cover[:, KIND], (cover[:, LAYER] == 0) & (cover[:, A] < LINE)
    far = (kind <= FIRST) | start, (kind < FIRST) | (kind == LATER)
    best = np.full(len(here), np.inf)
    if not len(here):
        return best
    k = len(bridges) - 1
    if backward:
        entry, leaving, row, from_row = k - 1 - last(cover), k - 1 - cover[:, LAYER], B, A
        gap_here, gap_there = -cover[:, V], -cover[:, U]
        far_in, far_out, on, off = far[1], far[0], mine.leave, theirs.enter
    else:
        entry, leaving, row, from_row = cover[:, LAYER], last(cover), A, B
        gap_here, gap_there = cover[:, U], cover[:, V]
        far_in, far_out, on, off = far[0], far[1], mine.enter, theirs.leave
    layer = entry[here[0]]
    same = entry[here] == layer
    if not same.all():
        # Singles and pairs are left for different breakpoints.
        for part in (same, ~same):
            best[part] = _ways(bridges, cover, here[part], costs, mine, theirs, backward)
        return best
    bridge = bridges[k - layer] if backward else bridges[layer]
    if layer == 0:
        place, end = cover[here, row], bridge.right if backward else bridge.left
        i, j = (place, end) if backward else (end, place)
        some = on[0][here], on[1][here]
        zero = exactly(np.zeros(len(here)))
        free = zero, zero
        ends = (some, free) if backward else (free, some)
        costs_here = price(bridge, i, j, *ends, mine.idle[here])
        # A node too near to the end makes no line there; its kind has no terms.
        return np.where(far_in[here], costs_here, np.inf)
    # Only what is deleted is left out: a cost that could not be bounded (-inf, nan) must count.
    there = np.flatnonzero((leaving == layer - 1) & (costs != np.inf))
    chunk = max(CHUNK // max(len(there), 1), 1)
    for first in range(0, len(here), chunk):
        some = here[first : first + chunk]
        apart = gap_here[some] - gap_there[there][:, np.newaxis] >= LINE
        u, t = np.nonzero(apart & far_in[some] & far_out[there][:, np.newaxis])
        if len(u):
            i, j = cover[there[u], from_row], cover[some[t], row]
            i, j = (j, i) if backward else (i, j)
            here_terms = on[0][some[t]], on[1][some[t]]
            there_terms = off[0][there[u]], off[1][there[u]]
            ends = (here_terms, there_terms) if backward else (there_terms, here_terms)
            none = mine.idle[some[t]] & theirs.idle[there[u]]
            ways = price(bridge, i, j, *ends, none)
            total = np.nextafter(ways + costs[there[u]], -np.inf)
            np.minimum.at(best, first + t, total)
        if (kind[some] >= FIRST).any():
            u, t = np.nonzero(_linked(cover, there, some, backward))
            np.minimum.at(best, first + t, costs[there[u]])
    return best


def _linked(cover: Integers, there: Integers, some: Integers, backward: bool) -> Booleans:
    """Return which nodes `there` and `some` are neighbouring links of one chain."""
    one, two = cover[there][:, np.newaxis, :], cover[some][np.newaxis, :, :]
    if backward:
        one, two = two, one
    kinds = one[..., KIND], two[..., KIND]
    fits = (kinds[0] == FIRST) & (kinds[1] == SECOND)
    fits |= ((kinds[0] == SECOND) | (kinds[0] == LATER)) & (kinds[1] == LATER)
    return fits & (two[..., A] - one[..., B] < LINE) & (one[..., A] <= two[..., B])


def _leaves_hold(
    rows: Rows, left: Integers, leaves: tuple[Leaf, ...], k: int, goal: float, factor: float
) -> bool:
    """Check that a single placement is solved for all signs, each reaching the goal."""
    gaps = [-1] * k
    choices: list[list[tuple[int, ...]]] = [[(1,), (-1,)] for _ in range(k)]
    for node in left.tolist():
        j, kind = node[LAYER], node[KIND]
        if node[A] != node[C] or node[D] != node[B] or gaps[j] >= 0:
            return False
        gaps[j] = node[A]
        if kind < AT_END:
            choices[j] = [(1 - 2 * kind,)]
        elif PAIR <= kind < FIRST:
            if gaps[j + 1] >= 0:
                return False
            gaps[j + 1] = node[B]
            if kind >= SIGNED:
                choices[j], choices[j + 1] = [SIGNS[kind - SIGNED]], [()]
            elif node[A] == node[B]:
                # In one gap: with opposite signs the lines are free of each other.
                choices[j], choices[j + 1] = [(1, -1)], [()]
    given = {leaf.signs: leaf for leaf in leaves if list(leaf.gaps) == gaps}
    for parts in product(*choices):
        leaf = given.get(tuple(sign for part in parts for sign in part))
        if leaf is None or not _value(rows, leaf, factor) >= Fraction(goal):
            return False
    return all(gap >= 0 for gap in gaps)


def _value(rows: Rows, leaf: Leaf, factor: float) -> Fraction:
    """Bound the scaled squares of one placement with signs, in fractions.

    A line that sees one input must get terms on its value there only, one that sees none no terms
    at all; the multipliers after it are tied to those before it so that this is exact.
    """
    k = len(leaf.gaps)
    mult = [
        [Fraction(max(v * factor, 0.0)) if np.isfinite(v * factor) else Fraction(0) for v in pair]
        for pair in leaf.multipliers.reshape(k, 2).tolist()
    ]
    sx, sy, sw = rows.scales
    total = Fraction(0)
    for j in range(k + 1):
        start = leaf.gaps[j - 1] if j else 0
        end = leaf.gaps[j] if j < k else rows.count
        if 0 < j < k and leaf.signs[j - 1] == leaf.signs[j] and end - start < LINE:
            if end == start:
                mult[j] = list(mult[j - 1])
            else:
                down, up = (rows.x[start + i] - rows.x[start + i - 1] for i in (0, 1))
                mult[j][1] = mult[j - 1][0] * Fraction(down, up)
        p0 = p1 = Fraction(0)
        for i, way in ((j - 1, 1), (j, -1)):
            if 0 <= i < k:
                for m, side, place in ((0, 1, leaf.gaps[i] - 1), (1, -1, leaf.gaps[i])):
                    term = way * side * leaf.signs[i] * mult[i][m]
                    p0, p1 = p0 + term, p1 + term * Fraction(rows.x[place], sx)
        sums = [Fraction(b - a) for a, b in zip(rows.sums[start], rows.sums[end], strict=True)]
        scale = (sw, sw * sx, sw * sx * sx, sw * sy, sw * sx * sy, sw * sy * sy * rows.fine)
        mass, s1, s2, y, xy, yy = (v / s for v, s in zip(sums, scale, strict=True))
        if end == start:
            if p0 or p1:
                return Fraction(-1)
            continue
        mean = s1 / mass
        spread, both, turn = s2 - s1 * mean, xy - mean * y, p1 - p0 * mean
        total += yy - y * y / mass + p0 * (y / mass - p0 / (4 * mass))
        if spread:
            total += turn * (both / spread - turn / (4 * spread)) - both * both / spread
        elif turn:
            return Fraction(-1)
    return total
