"""Shortest paths over clusters of breakpoints, with multipliers that make them tight."""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.multipliers import improve
from reluscape.kernels.pieces import (
    CENTRE,
    CLOSE,
    FAR,
    LENGTH,
    LINE,
    MULTIPLIERS,
    NEAR,
    PIECE,
    PRICE,
    TERM,
    TURN,
    Graph,
    add_terms,
    cheapest,
    inner_price,
    read_line,
)
from reluscape.kernels.typing import Floats


@inner
def gather(graph: Graph, t: int, multipliers: Floats, costs: Floats, pieces: Floats) -> int:
    """Write the pieces that lead to node t from the nodes before it; return their count."""
    rows, places = graph.rows, graph.places
    here, layer = int(graph.enter[t]), int(graph.entry_layer[t])
    pull = graph.pulls[line_before(graph, t)]
    if layer == 0:
        end = rows.shape[0] - 1 if graph.backward else 0
        read_line(rows, end, here, pieces[:, 0])
        if not graph.backward:
            pieces[CENTRE, 0] -= pieces[LENGTH, 0]
        if abs(places[here] - places[end]) < LINE:
            pieces[:, 0] = 0.0
        else:
            pieces[TURN, 0] = pull
        return 1
    count, last, base = 0, -1, 0.0
    for i in range(graph.exit_starts[layer - 1], graph.exit_starts[layer]):
        u = graph.exits[i]
        if not costs[u] < np.inf:
            continue
        if graph.clear_before[t] - graph.clear_after[u] < LINE:
            break  # exits are in order: all that follow are nearer still
        if graph.spaced and not may_follow(graph, t, u):
            continue
        there = int(graph.leave[u])
        other = FAR if abs(places[here] - places[there]) < CLOSE else NEAR
        if graph.reach_before[t] == other or graph.reach_after[u] == other:
            continue
        if there == last:
            for row in range(PIECE):
                pieces[row, count] = pieces[row, count - 1]
        else:
            read_line(rows, there, here, pieces[:, count])
            if not graph.backward:
                pieces[CENTRE, count] -= pieces[LENGTH, count]
            base = pieces[PRICE, count]
            last = there
        q0, q1 = 0.0, 0.0
        for m in range(MULTIPLIERS):
            q0 += multipliers[u, m] * graph.on_leave[u, m, 0]
            q1 += multipliers[u, m] * graph.on_leave[u, m, 1]
        pieces[TERM, count] = q0
        # The terms of the other node are about the other end.
        way = -pieces[LENGTH, count] if graph.backward else pieces[LENGTH, count]
        pieces[TURN, count] = q1 - q0 * (pieces[CENTRE, count] + way) + pull
        pieces[PRICE, count] = base + costs[u]
        count += 1
    return count


@inner
def line_before(graph: Graph, t: int) -> int:
    """Return the number of the line that leads to node t, from the left in both directions."""
    layer = int(graph.entry_layer[t])
    return graph.ranges.shape[0] - 1 - layer if graph.backward else layer


@inner
def may_follow(graph: Graph, t: int, u: int) -> bool:
    """Return whether the breakpoint of t can be far enough beyond that of u."""
    apart = graph.far[t] - graph.near[u] >= graph.distance
    return bool(apart and graph.far_gap[t] - graph.near_gap[u] >= graph.points)


@compiled
def sweep(
    graph: Graph,
    ahead: Graph,
    start: int,
    stop: int,
    goal: float,
    steps: int,
    multipliers: Floats,
    costs: Floats,
    costs_ahead: Floats,
    through: Floats,
) -> None:
    """Price the nodes `entries[start:stop]` of one layer, tuning their multipliers first.

    `costs` (N,) is the cheapest way up to and including a node and must be known for all earlier
    layers, infinite for dead nodes; `costs_ahead` is the same from the other side, seen by the
    graph `ahead` of the other direction. Writes `costs`, and `through`, the cheapest whole path,
    infinite from `goal` on: such nodes are dead. With `steps` below 0 only `costs` is written.
    """
    n = costs.shape[0]
    before, after = np.empty((PIECE, n + 1)), np.empty((PIECE, n + 1))
    p = np.empty(4)
    count, many, entered, left, clear, clear_ahead = 0, 0, -1, -1, 0, 0
    gap, gap_ahead, reach, reach_ahead = 0, 0, -1, -1
    for i in range(start, stop):
        t = graph.entries[i]
        if not through[t] < np.inf:
            costs[t] = np.inf
            continue
        first, last = line_before(graph, t), line_before(ahead, t)
        spans = graph.ranges[first], graph.ranges[last]
        # Nodes that meet a line at the same row share its pieces.
        same = graph.enter[t] == entered and graph.clear_before[t] == clear
        same = same and graph.reach_before[t] == reach
        if not (same and graph.far_gap[t] == gap):
            count = gather(graph, t, multipliers, costs, before)
            entered, clear, gap = graph.enter[t], graph.clear_before[t], graph.far_gap[t]
            reach = graph.reach_before[t]
        if steps >= 0:
            row = graph.leave[t] + ahead.entry_layer[t] * graph.rows.shape[0]
            same = row == left and ahead.clear_before[t] == clear_ahead
            same = same and ahead.reach_before[t] == reach_ahead
            if not (same and ahead.far_gap[t] == gap_ahead):
                many = gather(ahead, t, multipliers, costs_ahead, after)
                left, clear_ahead = row, ahead.clear_before[t]
                gap_ahead = ahead.far_gap[t]
                reach_ahead = ahead.reach_before[t]
            if count > 0 and many > 0 and graph.on_enter[t].any():
                improve(graph, t, spans, before, count, after, many, goal, steps, multipliers)
        add_terms(graph.on_enter[t], graph.on_leave[t], multipliers[t], p)
        cost, _ = cheapest(before, count, p[0], p[1], spans[0])
        costs[t] = cost + inner_price(graph, t, multipliers[t])
        if steps >= 0:
            cost, _ = cheapest(after, many, p[2], p[3], spans[1])
            through[t] = costs[t] + cost
            if through[t] >= goal:
                through[t] = np.inf
                costs[t] = np.inf
