"""One cover and its sweeps, for the checker: which of its nodes are on a path below the goal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.arithmetic import Ball, Rows, exactly
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
from reluscape.optimum.prices import Bridge, bridge_of, margins, plainly, price
from reluscape.optimum.rules import Rules
from reluscape.optimum.terms import MULTIPLIERS, Terms, terms_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# Pairs of nodes priced at once.
CHUNK = 400_000
# The same in plain arithmetic: what caches hold.
BLOCK = 30_000


@dataclass(frozen=True, eq=False)
class Setting:
    """What all covers of a certificate have in common, in the frame of the rows.

    `factor` turns multipliers on values into this frame, `turn` those on slopes. `tolerance` is
    what prices may be too low by where that saves time; it has no part in what is proved.
    """

    rows: Rows | Grid
    k: int
    rules: Rules
    goal: float
    factor: float
    turn: float
    slopes: tuple[float, float]
    tolerance: float

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

    def follows(self, nodes: Integers, one: Integers, two: Integers) -> Booleans:
        """Return whether the second node may follow the first on a path."""
        good = (nodes[two, U] - nodes[one, V] >= LINE) & joined(nodes, one, two)
        if self.rules.spaced:
            d, c = np.broadcast_arrays(nodes[one, D], nodes[two, C])
            good &= (c - d >= self.rules.min_points) & self.apart(d, c, np.ones_like(d))
        return good

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


def bridges_of(setting: Setting, cover: Cover, sides: int) -> list[Bridge]:
    """Compute the lines between all neighbouring breakpoints of a cover."""
    rows, k = setting.rows, setting.k
    slopes, _ = setting.conditions(sides, 0.0)
    return [bridge_of(rows, cover.nodes, j, k, slopes[j], 0.0) for j in range(k + 1)]


def sweep_all(
    setting: Setting,
    cover: Cover,
    bridges: list[Bridge],
    sweeps: tuple[Sweep, ...],
    sides: int,
    pull: float,
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
    _, pulls = setting.conditions(sides, pull * setting.turn)
    bridges = [replace(bridge, pull=pulls[j]) for j, bridge in enumerate(bridges)]
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
    k = setting.k
    if backward:
        entry, leaving, row, from_row = k - 1 - last(nodes), k - 1 - nodes[:, LAYER], B, A
        on, off, free = mine.leave, theirs.enter, (mine.free[1], theirs.free[0])
    else:
        entry, leaving, row, from_row = nodes[:, LAYER], last(nodes), A, B
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
    if bridge.slopes == (-np.inf, np.inf):
        best, close = _quickly(setting, bridge, nodes, here, there, costs, on, off, backward)
    else:
        best, close = best, np.zeros(len(here), np.bool_)
    rest = np.flatnonzero(~close)
    best[rest] = np.inf
    chunk = max(CHUNK // max(len(there), 1), 1)
    for first in range(0, len(rest), chunk):
        these = rest[first : first + chunk]
        some = here[these]
        one, two = (some, there) if backward else (there, some)
        allowed = setting.follows(nodes, one[:, np.newaxis], two)
        t, u = np.nonzero(allowed) if backward else np.nonzero(allowed.T)
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
            np.minimum.at(best, these[t], np.where(np.isnan(total), -np.inf, total))
    return best


def _quickly(
    setting: Setting,
    bridge: Bridge,
    nodes: Integers,
    here: Integers,
    there: Integers,
    costs: Floats,
    on: tuple[Ball, Ball],
    off: tuple[Ball, Ball],
    backward: bool,
) -> tuple[Floats, Booleans]:
    """Bound the cheapest way to nodes in plain arithmetic; also return where that is close.

    Every line's squares are lowered by all that its price may be off, so that what comes out is a
    bound; it is close if the line of the cheapest way was lowered by next to nothing.
    """
    best, close = np.full(len(here), np.inf), np.ones(len(here), np.bool_)
    if not len(there) or not len(bridge.lines.squares):
        return best, ~close
    mine, theirs = (on[0][here], on[1][here]), (off[0][there], off[1][there])
    ends = (mine, theirs) if backward else (theirs, mine)
    margin = margins(bridge, ends[0], ends[1])
    squares = np.nextafter(bridge.lines.squares - margin, -np.inf)
    chunk = max(BLOCK // len(there), 1)
    for first in range(0, len(here), chunk):
        part = slice(first, first + chunk)
        some = mine[0][part], mine[1][part]
        one, two = (here[part], there) if backward else (there, here[part])
        at = bridge.lines_at(nodes[one, B][:, np.newaxis], nodes[two, A])
        ends = (some, theirs) if backward else (theirs, some)
        total = plainly(bridge, at, squares, ends[0], ends[1])
        total += costs[there] if backward else costs[there][:, np.newaxis]
        total[~setting.follows(nodes, one[:, np.newaxis], two)] = np.inf
        axis = 1 if backward else 0
        which = np.expand_dims(np.argmin(total, axis=axis), axis)
        least = np.take_along_axis(total, which, axis).reshape(-1)
        best[part] = np.nextafter(least, -np.inf)
        off_by = margin[np.take_along_axis(at, which, axis)].reshape(-1)
        close[part] = (off_by <= setting.tolerance) | (least == np.inf)
    return best, close & ~np.isnan(best)
