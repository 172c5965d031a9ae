"""Shortest paths over clusters of breakpoints, with multipliers that make them tight."""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.multipliers import improve
from reluscape.kernels.pieces import (
    CENTRE,
    FIRST,
    LATER,
    LENGTH,
    LINE,
    MULTIPLIERS,
    PIECE,
    PRICE,
    SECOND,
    TERM,
    TURN,
    Graph,
    add_terms,
    cheapest,
    read_line,
)
from reluscape.kernels.typing import Floats


@inner
def gather(graph: Graph, t: int, multipliers: Floats, costs: Floats, pieces: Floats) -> int:
    """Write the pieces that lead to node t from the nodes before it; return their count."""
    rows, places = graph.rows, graph.places
    here, layer = int(graph.enter[t]), int(graph.entry_layer[t])
    if layer == 0:
        end = rows.shape[0] - 1 if graph.backward else 0
        read_line(rows, end, here, pieces[:, 0])
        if not graph.backward:
            pieces[CENTRE, 0] -= pieces[LENGTH, 0]
        if abs(places[here] - places[end]) < LINE:
            pieces[:, 0] = 0.0
        return 1
    count, last, base = 0, -1, 0.0
    for i in range(graph.exit_starts[layer - 1], graph.exit_starts[layer]):
        u = graph.exits[i]
        if not (graph.far_out[u] and costs[u] < np.inf):
            continue
        if graph.clear_before[t] - graph.clear_after[u] < LINE:
            break  # exits are in order: all that follow are nearer still
        there = int(graph.leave[u])
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
        pieces[TURN, count] = q1 - q0 * (pieces[CENTRE, count] + way)
        pieces[PRICE, count] = base + costs[u]
        count += 1
    return count


@inner
def enter_near(graph: Graph, t: int, costs: Floats) -> float:
    """Return the cheapest way to a link from its neighbours in the chain."""
    layer, near = int(graph.entry_layer[t]), np.inf
    if graph.kind[t] < FIRST or layer == 0:
        return near
    here = graph.places[graph.enter[t]]
    for i in range(graph.exit_starts[layer - 1], graph.exit_starts[layer]):
        u = graph.exits[i]
        if graph.kind[u] < FIRST or not costs[u] < near:
            continue
        apart = here - graph.places[graph.leave[u]]
        if graph.backward:
            apart = -apart
        if apart < LINE and linked(graph, u, t):
            near = float(costs[u])
    return near


@inner
def linked(graph: Graph, u: int, t: int) -> bool:
    """Return whether u and t are neighbouring links of a chain, entered in the graph's order."""
    one, two = graph.kind[u], graph.kind[t]
    first, second = u, t
    if graph.backward:
        one, two = two, one
        first, second = t, u
    if not (
        (one == FIRST and two == SECOND)
        or (one == SECOND and two == LATER)
        or (one == LATER and two == LATER)
    ):
        return False
    # The second link may not lie wholly to the left of the first.
    left = graph.leave[first] if graph.backward else graph.enter[first]
    right = graph.enter[second] if graph.backward else graph.leave[second]
    return bool(graph.places[left] <= graph.places[right])


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
    for i in range(start, stop):
        t = graph.entries[i]
        if not through[t] < np.inf:
            costs[t] = np.inf
            continue
        # Nodes that meet a line at the same row share its pieces.
        if graph.enter[t] != entered or graph.clear_before[t] != clear:
            count = gather(graph, t, multipliers, costs, before)
            entered, clear = graph.enter[t], graph.clear_before[t]
        near = enter_near(graph, t, costs)
        ways = count if graph.far_in[t] else 0
        ways_ahead, near_ahead = 0, np.inf
        if steps >= 0:
            row = graph.leave[t] + ahead.entry_layer[t] * graph.rows.shape[0]
            if row != left or ahead.clear_before[t] != clear_ahead:
                many = gather(ahead, t, multipliers, costs_ahead, after)
                left, clear_ahead = row, ahead.clear_before[t]
            near_ahead = enter_near(ahead, t, costs_ahead)
            ways_ahead = many if graph.far_out[t] else 0
            if ways > 0 and ways_ahead > 0 and graph.on_enter[t].any():
                improve(graph, t, before, ways, after, ways_ahead, goal, steps, multipliers)
        add_terms(graph.on_enter[t], graph.on_leave[t], multipliers[t], p)
        inside = graph.floor[t]
        if graph.weight[t] > 0.0:
            single = 0.0
            for m in range(MULTIPLIERS):
                single += graph.own[t, m] * multipliers[t, m]
            inside += single * (graph.target[t] - 0.25 * single / graph.weight[t])
        cost, _ = cheapest(before, ways, p[0], p[1])
        costs[t] = min(cost, near) + inside
        if steps >= 0:
            cost, _ = cheapest(after, ways_ahead, p[2], p[3])
            through[t] = costs[t] + min(cost, near_ahead)
            if through[t] >= goal:
                through[t] = np.inf
                costs[t] = np.inf
