"""Multipliers of all nodes at once, tuned against soft minima.

Tuning a node against its cheapest path alone gets stuck: where two paths are equally cheap, no
single node may be able to raise both. A soft minimum, -T log sum exp(-price / T) over all paths, is
smooth and concave in all multipliers, so that tuning one node after the other does reach its
maximum, and it is below the minimum by no more than T times the logarithm of the number of paths
that count. What this finds is only a proposal: bounds are computed with hard minima afterwards.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.bounds import gather
from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.multipliers import climb, in_use
from reluscape.kernels.pieces import (
    CENTRE,
    MASS,
    MEAN,
    MULTIPLIERS,
    PIECE,
    PRICE,
    SCRATCH,
    SLOPE,
    SPREAD,
    TERM,
    TURN,
    Graph,
    add_terms,
    inner_price,
)
from reluscape.kernels.typing import Booleans, Floats, Integers

# Newton steps for a node, and halvings of a step.
STEPS, HALVINGS = 3, 4
ROUNDS = 4
SMALL = 1e-2
# Paths that are more expensive by this many T do not count.
REACH = 16.0


@inner
def prices_of(pieces: Floats, count: int, p0: float, p1: float) -> float:
    """Write the prices under the terms p0 * L(end) + p1 * slope to `SCRATCH`; return the least."""
    prices = pieces[SCRATCH]
    for i in range(count):
        c0 = pieces[TERM, i] + p0
        c1 = pieces[TURN, i] + p1 - p0 * pieces[CENTRE, i]
        prices[i] = (
            pieces[PRICE, i]
            + c0 * (pieces[MEAN, i] - c0 * pieces[MASS, i])
            + c1 * (pieces[SLOPE, i] - c1 * pieces[SPREAD, i])
        )
    best = np.inf
    for i in range(count):
        best = min(best, prices[i])
    return float(best)


@inner
def soft(pieces: Floats, count: int, p0: float, p1: float, warmth: float) -> float:
    """Return the soft minimum of all prices."""
    best = prices_of(pieces, count, p0, p1)
    if not best < np.inf:
        return np.inf
    total = 0.0
    for i in range(count):
        above = (pieces[SCRATCH, i] - best) / warmth
        if above < REACH:
            total += np.exp(-above)
    return float(best - warmth * np.log(total))


@inner
def join(
    pieces: Floats, count: int, best: float, warmth: float, taken: Booleans, few: Floats, many: int
) -> int:
    """Add the pieces that count at the present prices to those that did before; return how many."""
    most = best + REACH * warmth
    for i in range(count):
        if pieces[SCRATCH, i] <= most and not taken[i]:
            taken[i] = True
            for row in range(PIECE):
                few[row, many] = pieces[row, i]
            many += 1
    return many


@inner
def tune_node(
    graph: Graph,
    t: int,
    before: Floats,
    count: int,
    after: Floats,
    many: int,
    warmth: float,
    some: Floats,
    others: Floats,
    now: Floats,
) -> None:
    """Raise the soft minimum over all paths through t by its multipliers `now`, in place.

    It is raised for the paths that count, then those that count at the new multipliers join them.
    """
    best, value, p = now.copy(), -np.inf, np.empty(4)
    taken, known = np.zeros(count, np.bool_), np.zeros(many, np.bool_)
    few, rest = 0, 0
    new = now.copy()
    for attempt in range(ROUNDS):
        add_terms(graph.on_enter[t], graph.on_leave[t], new, p)
        trial = soft(before, count, p[0], p[1], warmth) + soft(after, many, p[2], p[3], warmth)
        trial += inner_price(graph, t, new)
        if trial > value:
            done = trial < value + SMALL * warmth
            value = trial
            best[:] = new
            if done:
                break
        if attempt == ROUNDS - 1:
            break
        some_best = lowest(before, count)
        few = join(before, count, some_best, warmth, taken, some, few)
        some_best = lowest(after, many)
        rest = join(after, many, some_best, warmth, known, others, rest)
        new[:] = best
        settle(graph, t, some, few, others, rest, warmth, new)
    now[:] = best


@inner
def lowest(pieces: Floats, count: int) -> float:
    """Return the least of the present prices."""
    best = np.inf
    for i in range(count):
        best = min(best, pieces[SCRATCH, i])
    return float(best)


@inner
def soft_line(
    pieces: Floats, count: int, p0: float, p1: float, warmth: float, facts: Floats
) -> float:
    """Return the soft minimum; write its gradient (2) in p0, p1, and minus its Hessian (3)."""
    best = prices_of(pieces, count, p0, p1)
    facts[:] = 0.0
    total, s00, s01, s11 = 0.0, 0.0, 0.0, 0.0
    for i in range(count):
        w = np.exp((best - pieces[SCRATCH, i]) / warmth)
        c0 = pieces[TERM, i] + p0
        centre, bend = pieces[CENTRE, i], pieces[SPREAD, i]
        c1 = pieces[TURN, i] + p1 - p0 * centre
        slope = pieces[SLOPE, i] - 2.0 * c1 * bend
        value = pieces[MEAN, i] - 2.0 * c0 * pieces[MASS, i] - slope * centre
        total += w
        facts[0] += w * value
        facts[1] += w * slope
        s00 += w * value * value
        s01 += w * value * slope
        s11 += w * slope * slope
        facts[2] += w * 2.0 * (pieces[MASS, i] + bend * centre * centre)
        facts[3] -= w * 2.0 * bend * centre
        facts[4] += w * 2.0 * bend
    for i in range(5):
        facts[i] /= total
    # What weights shift from one piece to another.
    facts[2] += max(s00 / total - facts[0] * facts[0], 0.0) / warmth
    facts[3] += (s01 / total - facts[0] * facts[1]) / warmth
    facts[4] += max(s11 / total - facts[1] * facts[1], 0.0) / warmth
    return float(best - warmth * np.log(total))


@inner
def collect(
    graph: Graph,
    t: int,
    used: Integers,
    now: Floats,
    one: Floats,
    two: Floats,
    slope: Floats,
    curve: Floats,
) -> None:
    """Write gradient and minus Hessian in the multipliers from those in both lines' terms."""
    own, single, inverse = graph.own[t], 0.0, 0.0
    if graph.weight[t] > 0.0:
        inverse = 0.25 / graph.weight[t]
    for m in used:
        single += own[m] * now[m]
    for m in used:
        slope[m] = graph.fixed[t, m] + own[m] * (graph.target[t] - 2.0 * single * inverse)
        for n in used:
            curve[m, n] = 2.0 * own[m] * own[n] * inverse
    for side in range(2):
        terms = graph.on_enter[t] if side == 0 else graph.on_leave[t]
        facts = one if side == 0 else two
        for m in used:
            slope[m] += facts[0] * terms[m, 0] + facts[1] * terms[m, 1]
            for n in used:
                curve[m, n] += (
                    facts[2] * terms[m, 0] * terms[n, 0]
                    + facts[3] * (terms[m, 0] * terms[n, 1] + terms[m, 1] * terms[n, 0])
                    + facts[4] * terms[m, 1] * terms[n, 1]
                )


@inner
def settle(
    graph: Graph,
    t: int,
    before: Floats,
    count: int,
    after: Floats,
    many: int,
    warmth: float,
    now: Floats,
) -> None:
    """Raise the soft minimum over the paths through t by its multipliers `now`, in place."""
    used = in_use(graph, t)
    if used.shape[0] == 0:
        return
    on_enter, on_leave = graph.on_enter[t], graph.on_leave[t]
    p, new = np.empty(4), np.empty(MULTIPLIERS)
    slope, curve = np.zeros(MULTIPLIERS), np.zeros((MULTIPLIERS, MULTIPLIERS))
    one, two = np.empty(5), np.empty(5)
    add_terms(on_enter, on_leave, now, p)
    value = soft_line(before, count, p[0], p[1], warmth, one)
    value += soft_line(after, many, p[2], p[3], warmth, two) + inner_price(graph, t, now)
    for _ in range(STEPS):
        collect(graph, t, used, now, one, two, slope, curve)
        gain = climb(used, slope, curve, now, new)
        if not gain > 1e-3 * warmth:
            return
        better, trial = False, value
        for _ in range(HALVINGS):
            add_terms(on_enter, on_leave, new, p)
            trial = soft_line(before, count, p[0], p[1], warmth, one)
            trial += soft_line(after, many, p[2], p[3], warmth, two)
            trial += inner_price(graph, t, new)
            if trial > value + 0.1 * gain:
                better = True
                break
            gain *= 0.25
            for m in range(MULTIPLIERS):
                new[m] = now[m] + 0.25 * (new[m] - now[m])
        if not better:
            return
        value = trial
        now[:] = new


@compiled
def smooth(
    graph: Graph,
    ahead: Graph,
    start: int,
    stop: int,
    warmth: float,
    multipliers: Floats,
    costs: Floats,
    costs_ahead: Floats,
    tune: bool,
) -> None:
    """Tune the nodes `entries[start:stop]` of one layer, and write their soft `costs`.

    As `bounds.sweep`, but with soft minima; nodes whose costs are infinite are left out.
    """
    n = costs.shape[0]
    before, after = np.empty((PIECE, n + 1)), np.empty((PIECE, n + 1))
    some, others = np.empty((PIECE, n + 1)), np.empty((PIECE, n + 1))
    p = np.empty(4)
    count, many, entered, left, clear, clear_ahead = 0, 0, -1, -1, 0, 0
    gap, gap_ahead, reach, reach_ahead = 0, 0, -1, -1
    for i in range(start, stop):
        t = graph.entries[i]
        same = graph.enter[t] == entered and graph.clear_before[t] == clear
        same = same and graph.reach_before[t] == reach
        if not (same and graph.far_gap[t] == gap):
            count = gather(graph, t, multipliers, costs, before)
            entered, clear, gap = graph.enter[t], graph.clear_before[t], graph.far_gap[t]
            reach = graph.reach_before[t]
        if tune:
            row = graph.leave[t] + ahead.entry_layer[t] * graph.rows.shape[0]
            same = row == left and ahead.clear_before[t] == clear_ahead
            same = same and ahead.reach_before[t] == reach_ahead
            if not (same and ahead.far_gap[t] == gap_ahead):
                many = gather(ahead, t, multipliers, costs_ahead, after)
                left, clear_ahead = row, ahead.clear_before[t]
                gap_ahead = ahead.far_gap[t]
                reach_ahead = ahead.reach_before[t]
            if count > 0 and many > 0 and graph.on_enter[t].any():
                now = multipliers[t]
                tune_node(graph, t, before, count, after, many, warmth, some, others, now)
        add_terms(graph.on_enter[t], graph.on_leave[t], multipliers[t], p)
        if count > 0:
            costs[t] = soft(before, count, p[0], p[1], warmth) + inner_price(
                graph, t, multipliers[t]
            )
        else:
            costs[t] = np.inf
