"""Moves that leave a local minimum: exchange, jumps, spikes, and shaking.

All of them change the vertices in place, only ever downhill, and return the sum of squares.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]

# A move must lower the sum of squares by this share to count.
WORTHWHILE = 1e-10
# Newton steps before a trial is judged, and how much above the best it may then still be.
JUDGED_AFTER = 12
PROMISING = 1.01
# Rounds of exchange: each must improve, so this only bounds a pathological case.
ROUNDS = 20
# Sets of breakpoints taken out, and places for a jump or spike, that are followed down.
FOLLOWED = 3
# How far shaking pushes a breakpoint, in inputs.
REACH = 4


def descend(moments: Moments, tau: Floats, tied: bool, skips: Floats) -> float:
    """Go down to a local minimum in place."""
    from reluscape.kernels import gaps, spline

    squares, _ = spline.newton(moments.table, tau, tied, skips, spline.MOST_STEPS)
    if moments.atomic:
        squares = gaps.settle(moments.table, tau, tied, skips)
    return squares


def read_grid(moments: Moments, grid: Floats) -> Floats:
    """Return the moments at every grid point."""
    from reluscape.kernels import proposals

    return proposals.read_grid(moments.table, grid)


def exchange(
    moments: Moments,
    tau: Floats,
    grid: Floats,
    readings: Floats,
    squares: float,
    skips: Floats | None = None,
    sides: tuple[float, ...] = (0.0,),
) -> float:
    """Take each breakpoint out and put it where it gains most, until nothing gains.

    With `skips` the leftmost slope is tied (`kernels.ties`) and a breakpoint may come
    back on another of the `sides`; `skips` is changed in place then.
    """
    from reluscape.kernels import proposals, spline

    table, k = moments.table, len(tau) - 2
    tied = skips is not None
    signs = np.zeros(max(k, 1)) if skips is None else skips
    costs = np.empty_like(grid)
    for _ in range(ROUNDS):
        before = squares
        for j in range(k):
            rest = np.delete(tau, j + 1).astype(np.float64)
            others = np.delete(signs, j).astype(np.float64)
            for side in sides:
                proposals.insertions(table, rest, tied, others, side, grid, readings, costs)
                best = int(costs.argmin())
                if costs[best] == np.inf:
                    continue
                at = int(np.count_nonzero(rest <= grid[best]))
                trial = np.insert(rest, at, grid[best])
                turned = np.insert(others, at - 1, side) if tied else signs
                now, _ = spline.newton(table, trial, tied, turned, JUDGED_AFTER)
                if now < squares * PROMISING:
                    now = descend(moments, trial, tied, turned)
                if now < squares * (1.0 - WORTHWHILE):
                    squares = now
                    tau[:], signs[:] = trial, turned
        if not squares < before * (1.0 - WORTHWHILE):
            break
    return squares


def cluster(moments: Moments, tau: Floats, count: int, squares: float) -> float:
    """Take two or three breakpoints out and make the best jump or spike of them; data only."""
    from reluscape.kernels import clusters

    table, k = moments.table, len(tau) - 2
    edges = table.edges
    if k < count or len(edges) < count + 3:
        return squares
    chosen = np.zeros((FOLLOWED, 4))
    found = clusters.removals(table, tau, count, FOLLOWED, chosen)
    start, none = tau.copy(), np.zeros(1)
    for i in range(found):
        rest = np.delete(start, chosen[i, 1 : 1 + count].astype(np.int64))
        places = np.zeros((FOLLOWED, 4))
        (clusters.find_jumps if count == 2 else clusters.find_spikes)(table, rest, places)
        for place in places[places[:, 0] > 0.0]:
            columns = [1, 3] if count == 2 else [1, 2, 3]
            trial = np.union1d(rest, edges[place[columns].astype(np.int64)])
            if len(trial) < len(tau) or trial[0] < tau[0] or trial[-1] > tau[-1]:
                continue
            now = descend(moments, trial, False, none)
            if now < squares * (1.0 - WORTHWHILE):
                squares = now
                tau[:] = trial
    return squares


def shake(moments: Moments, tau: Floats, tries: int, seed: int, squares: float) -> float:
    """Push breakpoints to random places nearby and settle again; data only.

    Gap by gap the sum of squares has many minima that differ in the sixth digit.
    """
    from reluscape.kernels import gaps

    edges, k = moments.table.edges, len(tau) - 2
    if k < 1 or len(edges) < 3:
        return squares
    rng, none = np.random.default_rng(seed), np.zeros(1)
    for _ in range(tries):
        at = np.searchsorted(edges, tau[1:-1]) + rng.integers(-REACH, REACH + 1, k)
        at = np.clip(at, 1, len(edges) - 2)
        share = np.where(rng.random(k) < 0.5, 0.0, 0.5)
        pushed = edges[at] + share * (edges[at + 1] - edges[at])
        inner = np.where(rng.random(k) < 0.6, pushed, tau[1:-1])
        trial = np.concatenate([tau[:1], np.sort(inner), tau[-1:]])
        if not (np.diff(trial) > 0).all():
            continue
        now = gaps.settle(moments.table, trial, False, none)
        if now < squares * (1.0 - WORTHWHILE):
            squares = now
            tau[:] = trial
    return squares
