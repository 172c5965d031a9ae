"""One cover and its sweeps, for the checker: which of its nodes are on a path below the goal."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.arithmetic import Rows, exactly
from reluscape.optimum.certificate import Sweep, key_of
from reluscape.optimum.covers import (
    LAYER,
    LINE,
    SIZE,
    A,
    B,
    C,
    Cover,
    D,
    U,
    V,
    holds,
    joined,
    last,
    what,
)
from reluscape.optimum.grids import Grid
from reluscape.optimum.prices import Bridge, bridge_of, price
from reluscape.optimum.rules import Rules
from reluscape.optimum.terms import MULTIPLIERS, Terms, terms_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# Pairs of nodes priced at once.
CHUNK = 400_000


@dataclass(frozen=True, eq=False)
class Setting:
    """What all covers of a certificate have in common, in the frame of the rows.

    `factor` turns multipliers on values into this frame, `turn` those on slopes.
    """

    rows: Rows | Grid
    k: int
    rules: Rules
    goal: float
    factor: float
    turn: float
    slopes: tuple[float, float]

    def conditions(self, sides: int, pull: float) -> tuple[list[tuple[float, float]], list[float]]:
        """Return each line's range of slopes, and the term on its slope."""
        slopes, pulls = [self.slopes] * (self.k + 1), [0.0] * (self.k + 1)
        if sides < 0:
            return slopes, pulls
        shares = [0] * (self.k + 1)
        shares[0] = 1
        for j in range(self.k):
            if sides >> j & 1:
                shares[j] -= 1
                shares[j + 1] += 1
        if shares.count(0) == self.k:
            slopes[next(j for j, share in enumerate(shares) if share)] = (0.0, 0.0)
        elif np.isfinite(pull):
            pulls = [pull * share for share in shares]
        return slopes, pulls

    def permitted(self, cover: Cover) -> Cover:
        """Leave out nodes whose breakpoints are too near to each other or to an end."""
        nodes, m, points = cover.nodes, self.rows.count, self.rules.min_points
        good = (nodes[:, LAYER] > 0) | (nodes[:, C] >= points)
        good &= (last(nodes) < self.k - 1) | (m - nodes[:, D] >= points)
        gaps = nodes[:, SIZE] - 1
        far = nodes[:, B] - nodes[:, A] >= gaps * points
        far &= self.apart(nodes[:, A], nodes[:, B], gaps)
        return cover.take(good & (far | (gaps == 0)))

    def apart(self, a: Integers, b: Integers, times: Integers) -> Booleans:
        """Return whether gaps a and b may hold breakpoints at this many least distances.

        Those in the first and the last gap may lie outside of the data.
        """
        far = np.ones(np.broadcast(a, b).shape, np.bool_)
        if self.rules.min_distance > 0.0:
            low, high = self.rows.position(a - 1), self.rows.position(b)
            least = float(self.rows.reach(self.rules.min_distance)) * (1.0 - 1e-12)
            room = (high.mid + high.rad) - (low.mid - low.rad) + 1e-300
            far = room * (1.0 + 1e-15) >= least * times
            far |= (a <= 1) | (b >= self.rows.count - 1)
        return far


def outward(bound: Fraction | float, way: float) -> float:
    """Return a bound on slopes as a float that allows no less."""
    return bound if isinstance(bound, float) else float(np.nextafter(float(bound), way))


def sweep_all(
    setting: Setting, cover: Cover, sweeps: tuple[Sweep, ...], sides: int, pull: float
) -> Cover:
    """Price all paths through a cover under the given multipliers; return what is below the goal.

    `costs[0]` holds for each node the cheapest way to it from the left, itself included, and
    `costs[1]` from the right. Sweeps go backward first, then forward, and so on: each renews one
    of them breakpoint by breakpoint with new multipliers; the cheapest path through a node is one
    plus the way on from the other, where the old multipliers of what lies ahead still count: every
    line has one set of terms.
    """
    rows, k, nodes = setting.rows, setting.k, cover.nodes
    n = len(nodes)
    alive = np.ones(n, np.bool_)
    mult = np.zeros((n, MULTIPLIERS))
    layer, size, a, d = (nodes[:, c] for c in (LAYER, SIZE, A, D))
    keys = key_of(layer, size, what(nodes), a, d, rows.count)
    costs = (np.full(n, np.inf), np.full(n, np.inf))
    slopes, pulls = setting.conditions(sides, pull * setting.turn)
    bridges = [bridge_of(rows, nodes, j, k, slopes[j], pulls[j]) for j in range(k + 1)]
    # A pull on a line inside a cluster could make it cheap without bound.
    inside = np.zeros(n, np.bool_)
    for j in range(1, k):
        inside |= (nodes[:, LAYER] < j) & (last(nodes) >= j) & (pulls[j] != 0.0)
    old = terms_of(rows, nodes, mult, setting.slopes, k)
    for number, sweep in enumerate(sweeps):
        new = _looked_up(sweep, keys) * setting.factor
        fresh = terms_of(rows, nodes, new, setting.slopes, k)
        own = np.where(inside, -np.inf, fresh.inside)
        mine, other = costs if not sweep.backward else costs[::-1]
        mine[:] = np.inf
        entry = k - 1 - last(nodes) if sweep.backward else nodes[:, LAYER]
        for j in range(k):
            some = np.flatnonzero(alive & (entry == j))
            way = _ways(setting, bridges, nodes, some, mine, fresh, fresh, sweep.backward)
            mine[some] = np.nextafter(way + own[some], -np.inf)
            if number:
                on = _ways(setting, bridges, nodes, some, other, fresh, old, not sweep.backward)
                dead = some[np.nextafter(mine[some] + on, -np.inf) >= setting.goal]
                alive[dead] = False
                mine[dead] = other[dead] = np.inf
        old = fresh
        # Every path holds every breakpoint.
        if not all((alive & holds(nodes, j)).any() for j in range(k)):
            return cover.take(np.zeros(n, np.bool_))
    return cover.take(alive)


def _looked_up(sweep: Sweep, keys: Integers) -> Floats:
    """Return the multipliers of all nodes, 0 where the sweep has none or none that is valid."""
    result = np.zeros((len(keys), MULTIPLIERS))
    if len(sweep.keys):
        order = np.argsort(sweep.keys, kind="stable")
        at = np.minimum(np.searchsorted(sweep.keys[order], keys), len(order) - 1)
        found = sweep.keys[order][at] == keys
        result[found] = sweep.multipliers[order][at][found]
    return np.where(np.isfinite(result) & (result > 0.0), result, 0.0)


def _ways(
    setting: Setting,
    bridges: list[Bridge],
    nodes: Integers,
    here: Integers,
    costs: Floats,
    mine: Terms,
    theirs: Terms,
    backward: bool,
) -> Floats:
    """Return the cheapest way to the nodes `here` from the nodes before them (`theirs`)."""
    best = np.full(len(here), np.inf)
    if not len(here):
        return best
    k, points = setting.k, setting.rules.min_points
    if backward:
        entry, leaving, row, from_row = k - 1 - last(nodes), k - 1 - nodes[:, LAYER], B, A
        gap_here, gap_there = -nodes[:, V], -nodes[:, U]
        on, off, free = mine.leave, theirs.enter, (mine.free[1], theirs.free[0])
    else:
        entry, leaving, row, from_row = nodes[:, LAYER], last(nodes), A, B
        gap_here, gap_there = nodes[:, U], nodes[:, V]
        on, off, free = mine.enter, theirs.leave, (mine.free[0], theirs.free[1])
    layer = entry[here[0]]
    same = entry[here] == layer
    if not same.all():
        # Nodes of one breakpoint are left for different ones.
        for number in np.unique(entry[here]).tolist():
            part = entry[here] == number
            some = here[part]
            best[part] = _ways(setting, bridges, nodes, some, costs, mine, theirs, backward)
        return best
    bridge = bridges[k - layer] if backward else bridges[layer]
    if layer == 0:
        place, end = nodes[here, row], bridge.right if backward else bridge.left
        i, j = (place, end) if backward else (end, place)
        some = on[0][here], on[1][here]
        zero = exactly(np.zeros(len(here)))
        ends = (some, (zero, zero)) if backward else ((zero, zero), some)
        return price(bridge, i, j, *ends, free[0][here])
    # Only what is deleted is left out: a cost that could not be bounded (-inf, nan) must count.
    there = np.flatnonzero((leaving == layer - 1) & (costs != np.inf))
    chunk = max(CHUNK // max(len(there), 1), 1)
    for first in range(0, len(here), chunk):
        some = here[first : first + chunk]
        apart = gap_here[some] - gap_there[there][:, np.newaxis] >= LINE
        u, t = np.nonzero(apart)
        one, two = (some[t], there[u]) if backward else (there[u], some[t])
        good = joined(nodes, one, two)
        u, t, one, two = u[good], t[good], one[good], two[good]
        if setting.rules.spaced:
            good = nodes[two, C] - nodes[one, D] >= points
            good &= setting.apart(nodes[one, D], nodes[two, C], np.ones(len(u), np.int64))
            u, t = u[good], t[good]
        if len(u):
            i, j = nodes[there[u], from_row], nodes[some[t], row]
            i, j = (j, i) if backward else (i, j)
            here_terms = on[0][some[t]], on[1][some[t]]
            there_terms = off[0][there[u]], off[1][there[u]]
            ends = (here_terms, there_terms) if backward else (there_terms, here_terms)
            none = free[0][some[t]] & free[1][there[u]]
            ways = price(bridge, i, j, *ends, none)
            total = np.nextafter(ways + costs[there[u]], -np.inf)
            # A cost that is not a number is no bound at all.
            np.minimum.at(best, first + t, np.where(np.isnan(total), -np.inf, total))
    return best
