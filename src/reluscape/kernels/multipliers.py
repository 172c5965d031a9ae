"""Multipliers that make a node's price as high as it can be."""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import inner
from reluscape.kernels.pieces import (
    CENTRE,
    MASS,
    MULTIPLIERS,
    PIECE,
    SLOPE,
    SPREAD,
    TURN,
    Graph,
    add_terms,
    allowed,
    ascent,
    cheapest,
    inner_price,
)
from reluscape.kernels.typing import Floats, Integers

# Pieces that multipliers are tuned against at most, on each side; the others are only checked.
ACTIVE = 24
# Newton steps against the active pieces, and halvings of a line search.
NEWTON_STEPS = 6
HALVINGS = 10
# Share of its curvature that a price keeps where a slope is held at a bound, so that steps end.
HELD = 0.05
# Gain, relative to the price, below which multipliers are left alone.
SMALL_GAIN = 1e-11


@inner
def improve(
    graph: Graph,
    t: int,
    spans: tuple[Floats, Floats],
    before: Floats,
    many_before: int,
    after: Floats,
    many_after: int,
    goal: float,
    rounds: int,
    multipliers: Floats,
) -> None:
    """Raise the price of the cheapest path through t towards the goal by its multipliers.

    That price is a minimum of concave quadratics, one for each way in and each way out. It is
    raised for a few of them by `ascend`; then the ways that are cheapest at the new multipliers
    join those few. Multipliers are only replaced by better ones.
    """
    on_enter, on_leave = graph.on_enter[t], graph.on_leave[t]
    best, p = multipliers[t].copy(), np.empty(4)
    few_before, few_after = np.empty((PIECE, ACTIVE)), np.empty((PIECE, ACTIVE))
    used = in_use(graph, t)
    new, value = best.copy(), -np.inf
    for few in range(min(rounds, ACTIVE + 1)):
        add_terms(on_enter, on_leave, new, p)
        one, i = cheapest(before, many_before, p[0], p[1], spans[0])
        two, j = cheapest(after, many_after, p[2], p[3], spans[1])
        now = one + two + inner_price(graph, t, new)
        if now > value:
            value = now
            best[:] = new
        if value >= goal or few == ACTIVE:
            break
        few_before[:, few] = before[:, i]
        few_after[:, few] = after[:, j]
        new[:] = best
        reached = ascend(graph, t, used, spans, few_before, few_after, few + 1, goal, new)
        if not reached > value + SMALL_GAIN * abs(value):
            break
    # Certificates hold multipliers in single precision.
    for m in range(MULTIPLIERS):
        multipliers[t, m] = np.float64(np.float32(best[m]))


@inner
def in_use(graph: Graph, t: int) -> Integers:
    """Return the multipliers that a node of this kind has."""
    which, count = np.empty(MULTIPLIERS, np.int64), 0
    for m in range(MULTIPLIERS):
        enter, leave = graph.on_enter[t, m], graph.on_leave[t, m]
        if enter[0] != 0.0 or leave[0] != 0.0 or enter[1] != 0.0 or leave[1] != 0.0:
            which[count] = m
            count += 1
    return which[:count]


@inner
def ascend(
    graph: Graph,
    t: int,
    used: Integers,
    spans: tuple[Floats, Floats],
    before: Floats,
    after: Floats,
    count: int,
    goal: float,
    now: Floats,
) -> float:
    """Maximise the price over few pieces in place; return what is reached.

    Newton steps on the lowest quadratic over the non-negative multipliers, each with a line
    search on all of them, so that no step lowers it.
    """
    on_enter, on_leave, own = graph.on_enter[t], graph.on_leave[t], graph.own[t]
    slope, curve = np.empty(MULTIPLIERS), np.empty((MULTIPLIERS, MULTIPLIERS))
    new, p, d = np.empty(MULTIPLIERS), np.empty(4), np.empty(4)
    inverse = 0.0 if graph.weight[t] == 0.0 else 0.25 / graph.weight[t]
    add_terms(on_enter, on_leave, now, p)
    one, i = cheapest(before, count, p[0], p[1], spans[0])
    two, j = cheapest(after, count, p[2], p[3], spans[1])
    single = 0.0
    for m in range(MULTIPLIERS):
        single += own[m] * now[m]
    value = one + two + inner_price(graph, t, now)
    for _ in range(NEWTON_STEPS):
        if value >= goal:
            break
        derive(graph, t, used, spans, before[:, i], after[:, j], p, single, inverse, slope, curve)
        gain = climb(used, slope, curve, now, new)
        if not gain > SMALL_GAIN * abs(value):
            break
        add_terms(on_enter, on_leave, new - now, d)
        turn, steady, base = 0.0, 0.0, graph.floor[t]
        for m in range(MULTIPLIERS):
            turn += own[m] * (new[m] - now[m])
            steady += graph.fixed[t, m] * (new[m] - now[m])
            base += graph.fixed[t, m] * now[m]
        low, high, share, found = 0.0, 1.0, 1.0, 0.0
        for _ in range(HALVINGS):
            one, a = cheapest(before, count, p[0] + share * d[0], p[1] + share * d[1], spans[0])
            two, b = cheapest(after, count, p[2] + share * d[2], p[3] + share * d[3], spans[1])
            s = single + share * turn
            trial = one + two + s * (graph.target[t] - s * inverse) + base + share * steady
            rise = turn * (graph.target[t] - 2.0 * s * inverse) + steady
            q = p + share * d
            rise += ascent(before[:, a], q[0], q[1], d[0], d[1], spans[0])
            rise += ascent(after[:, b], q[2], q[3], d[2], d[3], spans[1])
            if trial > value:
                value, found, i, j = trial, share, a, b
                if value >= goal:
                    break
            if rise >= 0.0:
                low = share
            else:
                high = share
            if low >= 1.0:
                break
            share = 0.5 * (low + high)
        if found == 0.0:
            break
        for m in range(MULTIPLIERS):
            now[m] = max(now[m] + found * (new[m] - now[m]), 0.0)
        add_terms(on_enter, on_leave, now, p)
        single += found * turn
    return float(value)


@inner
def derive(
    graph: Graph,
    t: int,
    used: Integers,
    spans: tuple[Floats, Floats],
    before: Floats,
    after: Floats,
    p: Floats,
    single: float,
    inverse: float,
    slope: Floats,
    curve: Floats,
) -> None:
    """Write the gradient in the multipliers of two pieces' sum, and minus its Hessian."""
    own = graph.own[t]
    for m in used:
        slope[m] = own[m] * (graph.target[t] - 2.0 * single * inverse) + graph.fixed[t, m]
        for n in used:
            curve[m, n] = 2.0 * own[m] * own[n] * inverse
    for side in range(2):
        piece = before if side == 0 else after
        terms = graph.on_enter[t] if side == 0 else graph.on_leave[t]
        centre = piece[CENTRE]
        # Where the slope is at a bound, it stays there.
        c1 = piece[TURN] + p[2 * side + 1] - p[2 * side] * centre
        span = spans[0] if side == 0 else spans[1]
        held = allowed(piece, c1, span) != piece[SLOPE] - 2.0 * c1 * piece[SPREAD]
        bend = HELD * piece[SPREAD] if held else piece[SPREAD]
        for m in used:
            d0 = terms[m, 0]
            d1 = terms[m, 1] - d0 * centre
            slope[m] += ascent(piece, p[2 * side], p[2 * side + 1], d0, terms[m, 1], span)
            for n in used:
                e0 = terms[n, 0]
                e1 = terms[n, 1] - e0 * centre
                curve[m, n] += 2.0 * (d0 * e0 * piece[MASS] + d1 * e1 * bend)


@inner
def climb(used: Integers, slope: Floats, curve: Floats, now: Floats, new: Floats) -> float:
    """Write the best non-negative multipliers for a concave quadratic; return the gain.

    Every set of multipliers that are not zero is tried.
    """
    many = used.shape[0]
    best = 0.0
    new[:] = now
    factor, step = np.zeros((MULTIPLIERS, MULTIPLIERS)), np.zeros(MULTIPLIERS)
    size, which = np.zeros(MULTIPLIERS), np.zeros(MULTIPLIERS, np.int64)
    for subset in range(1 << many):
        count = 0
        possible = True
        for i in range(many):
            if subset >> i & 1:
                m = used[i]
                if not curve[m, m] > 0.0:
                    possible = False
                which[count] = m
                count += 1
        if not possible:
            continue
        # The others go to zero; the right side then holds what that changes.
        for r in range(count):
            size[r] = slope[which[r]]
            for i in range(many):
                if not subset >> i & 1:
                    size[r] += curve[which[r], used[i]] * now[used[i]]
        for r in range(count):
            for c in range(r + 1):
                v = curve[which[r], which[c]]
                for k in range(c):
                    v -= factor[r, k] * factor[c, k]
                if r == c:
                    if not v > 1e-12 * curve[which[r], which[r]]:
                        possible = False
                    factor[r, r] = np.sqrt(max(v, 1e-300))
                else:
                    factor[r, c] = v / factor[c, c]
        if not possible:
            continue
        for r in range(count):
            for k in range(r):
                size[r] -= factor[r, k] * size[k]
            size[r] /= factor[r, r]
        for r in range(count - 1, -1, -1):
            for k in range(r + 1, count):
                size[r] -= factor[k, r] * size[k]
            size[r] /= factor[r, r]
        for m in used:
            step[m] = -now[m]
        for r in range(count):
            step[which[r]] = size[r]
            if now[which[r]] + size[r] < 0.0:
                possible = False
        if not possible:
            continue
        gain = 0.0
        for m in used:
            bend = 0.0
            for n in used:
                bend += curve[m, n] * step[n]
            gain += step[m] * (slope[m] - 0.5 * bend)
        if gain > best:
            best = gain
            for m in used:
                new[m] = max(now[m] + step[m], 0.0)
    return float(best)
