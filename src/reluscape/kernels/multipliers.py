"""Multipliers that make a node's price as high as it can be."""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import inner
from reluscape.kernels.pieces import (
    CENTRE,
    MASS,
    MULTIPLIERS,
    PIECE,
    SPREAD,
    Graph,
    add_terms,
    ascent,
    cheapest,
)
from reluscape.kernels.typing import Floats

# Pieces that multipliers are tuned against at most, on each side; the others are only checked.
ACTIVE = 24
# Newton steps against the active pieces, and halvings of a line search.
NEWTON_STEPS = 6
HALVINGS = 10
# Gain, relative to the price, below which multipliers are left alone.
SMALL_GAIN = 1e-11


@inner
def improve(
    graph: Graph,
    t: int,
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
    on_enter, on_leave, own = graph.on_enter[t], graph.on_leave[t], graph.own[t]
    best, p = multipliers[t].copy(), np.empty(4)
    few_before, few_after = np.empty((PIECE, ACTIVE)), np.empty((PIECE, ACTIVE))
    inverse = 0.0 if graph.weight[t] == 0.0 else 0.25 / graph.weight[t]
    new, value = best.copy(), -np.inf
    for few in range(min(rounds, ACTIVE + 1)):
        add_terms(on_enter, on_leave, new, p)
        one, i = cheapest(before, many_before, p[0], p[1])
        two, j = cheapest(after, many_after, p[2], p[3])
        single = 0.0
        for m in range(MULTIPLIERS):
            single += own[m] * new[m]
        now = one + two + single * (graph.target[t] - single * inverse) + graph.floor[t]
        if now > value:
            value = now
            best[:] = new
        if value >= goal or few == ACTIVE:
            break
        few_before[:, few] = before[:, i]
        few_after[:, few] = after[:, j]
        new[:] = best
        reached = ascend(graph, t, few_before, few_after, few + 1, goal, new)
        if not reached > value + SMALL_GAIN * abs(value):
            break
    # Certificates hold multipliers in single precision.
    for m in range(MULTIPLIERS):
        multipliers[t, m] = np.float64(np.float32(best[m]))


@inner
def ascend(
    graph: Graph, t: int, before: Floats, after: Floats, count: int, goal: float, now: Floats
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
    one, i = cheapest(before, count, p[0], p[1])
    two, j = cheapest(after, count, p[2], p[3])
    single = 0.0
    for m in range(MULTIPLIERS):
        single += own[m] * now[m]
    value = one + two + single * (graph.target[t] - single * inverse) + graph.floor[t]
    for _ in range(NEWTON_STEPS):
        if value >= goal:
            break
        derive(graph, t, before[:, i], after[:, j], p, single, inverse, slope, curve)
        gain = climb(slope, curve, now, new)
        if not gain > SMALL_GAIN * abs(value):
            break
        add_terms(on_enter, on_leave, new - now, d)
        turn = 0.0
        for m in range(MULTIPLIERS):
            turn += own[m] * (new[m] - now[m])
        low, high, share, found = 0.0, 1.0, 1.0, 0.0
        for _ in range(HALVINGS):
            one, a = cheapest(before, count, p[0] + share * d[0], p[1] + share * d[1])
            two, b = cheapest(after, count, p[2] + share * d[2], p[3] + share * d[3])
            s = single + share * turn
            trial = one + two + s * (graph.target[t] - s * inverse) + graph.floor[t]
            rise = turn * (graph.target[t] - 2.0 * s * inverse)
            rise += ascent(before[:, a], p[0] + share * d[0], p[1] + share * d[1], d[0], d[1])
            rise += ascent(after[:, b], p[2] + share * d[2], p[3] + share * d[3], d[2], d[3])
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
    return value


@inner
def derive(
    graph: Graph,
    t: int,
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
    for m in range(MULTIPLIERS):
        slope[m] = own[m] * (graph.target[t] - 2.0 * single * inverse)
        for n in range(MULTIPLIERS):
            curve[m, n] = 2.0 * own[m] * own[n] * inverse
    for side in range(2):
        piece = before if side == 0 else after
        terms = graph.on_enter[t] if side == 0 else graph.on_leave[t]
        centre = piece[CENTRE]
        for m in range(MULTIPLIERS):
            d0 = terms[m, 0]
            d1 = terms[m, 1] - d0 * centre
            slope[m] += ascent(piece, p[2 * side], p[2 * side + 1], d0, terms[m, 1])
            for n in range(MULTIPLIERS):
                e0 = terms[n, 0]
                e1 = terms[n, 1] - e0 * centre
                curve[m, n] += 2.0 * (d0 * e0 * piece[MASS] + d1 * e1 * piece[SPREAD])


@inner
def climb(slope: Floats, curve: Floats, now: Floats, new: Floats) -> float:
    """Write the best non-negative multipliers for a concave quadratic; return the gain.

    Every set of multipliers that are not zero is tried.
    """
    best = 0.0
    new[:] = now
    factor, step, size = np.zeros((3, 3)), np.zeros(3), np.zeros(3)
    which = np.zeros(3, np.int64)
    for subset in range(1 << MULTIPLIERS):
        count = 0
        possible = True
        for m in range(MULTIPLIERS):
            if subset >> m & 1:
                if not curve[m, m] > 0.0:
                    possible = False
                which[count] = m
                count += 1
        if not possible:
            continue
        # The others go to zero; the right side then holds what that changes.
        for r in range(count):
            size[r] = slope[which[r]]
            for m in range(MULTIPLIERS):
                if not subset >> m & 1:
                    size[r] += curve[which[r], m] * now[m]
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
        for m in range(MULTIPLIERS):
            step[m] = -now[m]
        for r in range(count):
            step[which[r]] = size[r]
            if now[which[r]] + size[r] < 0.0:
                possible = False
        if not possible:
            continue
        gain = 0.0
        for m in range(MULTIPLIERS):
            bend = 0.0
            for n in range(MULTIPLIERS):
                bend += curve[m, n] * step[n]
            gain += step[m] * (slope[m] - 0.5 * bend)
        if gain > best:
            best = gain
            for m in range(MULTIPLIERS):
                new[m] = max(now[m] + step[m], 0.0)
    return best
