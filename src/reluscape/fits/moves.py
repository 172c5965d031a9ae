"""Moves that leave a local minimum: exchange, jumps, spikes, hopping, and shaking.

All of them change the vertices in place, only ever downhill, and return the sum of squares.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# A move must lower the sum of squares by this share to count.
WORTHWHILE = 1e-10
# Newton steps before a trial is judged, and how much above the best it may then still be; where
# breakpoints are shaken, one round of settling is enough to tell.
JUDGED_AFTER = 12
PROMISING = 1.01
# Rounds of exchange: each must improve, so this only bounds a pathological case.
ROUNDS = 20
# Sets of breakpoints taken out, and places for a jump or spike, that are followed down.
FOLLOWED = 3
# The compiled kernels let go of the interpreter's lock: independent descents run side by side.
THREADS = 2
# Inputs tried as the left end of a jump, evenly spread in rank, and its widths in inputs.
JUMP_SITES = 500
JUMP_WIDTHS = (1, 4)
# How far shaking pushes a breakpoint, in inputs.
REACH = 4


def descend(moments: Moments, tau: Floats, tied: bool, skips: Floats) -> float:
    """Go down to a local minimum in place."""
    from reluscape.kernels import gaps, spline

    squares, _ = spline.newton(moments.table, tau, tied, skips, spline.MOST_STEPS)
    if moments.atomic:
        squares = gaps.settle(moments.table, tau, tied, skips, np.inf)
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
    costs, places = np.empty_like(grid), grid[:, np.newaxis]
    for _ in range(ROUNDS):
        before = squares
        for j in range(k):
            rest = np.delete(tau, j + 1).astype(np.float64)
            others = np.delete(signs, j).astype(np.float64)
            for side in sides:
                proposals.insertions(table, rest, tied, others, side, places, readings, costs)
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
    """Take two or three breakpoints out and make the best jump or spike of them; data only.

    Two breakpoints in neighbouring gaps make a jump, three a spike; either pays only as a whole.
    """
    edges = moments.table.edges
    if len(tau) - 2 < count or len(edges) < count + 3:
        return squares
    none = np.zeros(1)

    def places(rest: Floats) -> list[Floats]:
        found = _jumps(moments, rest) if count == 2 else _spikes(moments, rest)
        trials = [np.union1d(rest, edges[place]) for place in found]
        return [t for t in trials if len(t) == len(tau) and t[0] == tau[0] and t[-1] == tau[-1]]

    def follow(trial: Floats) -> float:
        return descend(moments, trial, False, none)

    with ThreadPoolExecutor(THREADS) as pool:
        rests = _cheapest_removals(moments, tau, count)
        trials = [trial for found in pool.map(places, rests) for trial in found]
        ends = list(pool.map(follow, trials))
    for trial, now in zip(trials, ends, strict=True):
        if now < squares * (1.0 - WORTHWHILE):
            squares = now
            tau[:] = trial
    return squares


def _cheapest_removals(moments: Moments, tau: Floats, count: int) -> list[Floats]:
    """Return the vertices left when the breakpoints that are missed least are taken out."""
    from reluscape.kernels import segments, spline

    sheet, none = segments.new_sheet(len(tau) - count), np.zeros(1)
    ranked: list[tuple[float, tuple[int, ...]]] = []
    for gone in combinations(range(1, len(tau) - 1), count):
        rest = np.delete(tau, gone)
        segments.lay(moments.table, rest, sheet)
        ranked.append((spline.assess(rest, sheet, False, none), gone))
    return [np.delete(tau, gone) for _, gone in sorted(ranked)[:FOLLOWED]]


def _jumps(moments: Moments, rest: Floats) -> list[Integers]:
    """Return the inputs at the ends of the best jumps."""
    from reluscape.kernels import proposals

    edges = moments.table.edges
    ends: list[Integers] = []
    for width in JUMP_WIDTHS:
        left = np.arange(1, len(edges) - 1 - width, max(len(edges) // JUMP_SITES, 1))
        ends.append(np.column_stack([left, left + width]))
    found: list[tuple[float, Integers]] = []
    for pairs in ends:
        places, costs = edges[pairs], np.empty(len(pairs))
        readings = proposals.read_grid(moments.table, places.ravel())
        proposals.insertions(moments.table, rest, False, np.zeros(1), 0.0, places, readings, costs)
        best = np.argsort(costs)[: FOLLOWED * FOLLOWED]
        found += [(float(costs[i]), pairs[i]) for i in best if costs[i] < np.inf]
    chosen: list[Integers] = []
    for _, pair in sorted(found, key=lambda item: item[0]):
        # Neighbours of a jump that is taken are the same jump.
        if all(abs(pair[0] - other[0]) > pair[1] - pair[0] for other in chosen):
            chosen.append(pair)
    return chosen[:FOLLOWED]


def _spikes(moments: Moments, rest: Floats) -> list[Integers]:
    """Return the inputs at the ends and the tip of the best spikes."""
    from reluscape.kernels import spikes

    places = np.zeros((FOLLOWED, 4))
    spikes.find_spikes(moments.table, rest, places)
    return [place[1:].astype(np.int64) for place in places if place[0] > 0.0]


def shake(
    moments: Moments, tau: Floats, tries: int, rng: np.random.Generator, squares: float
) -> float:
    """Push breakpoints to random places nearby and settle again; data only.

    Gap by gap the sum of squares has many minima that differ in the sixth digit.
    """
    from reluscape.kernels import gaps

    edges, k = moments.table.edges, len(tau) - 2
    if k < 1 or len(edges) < 3:
        return squares
    none = np.zeros(1)
    for _ in range(tries):
        at = np.searchsorted(edges, tau[1:-1]) + rng.integers(-REACH, REACH + 1, k)
        at = np.clip(at, 1, len(edges) - 2)
        share = np.where(rng.random(k) < 0.5, 0.0, 0.5)
        pushed = edges[at] + share * (edges[at + 1] - edges[at])
        inner = np.where(rng.random(k) < 0.6, pushed, tau[1:-1])
        trial = np.concatenate([tau[:1], np.sort(inner), tau[-1:]])
        if not (np.diff(trial) > 0).all():
            continue
        now = gaps.settle(moments.table, trial, False, none, squares * PROMISING)
        if now < squares * (1.0 - WORTHWHILE):
            squares = now
            tau[:] = trial
    return squares


def hop(
    moments: Moments, tau: Floats, tries: int, rng: np.random.Generator, squares: float
) -> float:
    """Take up to three breakpoints out, put them anywhere, and descend: basin hopping.

    New places are uniform on the scale of the vertices left, dense where these are dense.
    """
    from reluscape.kernels import spline

    k = len(tau) - 2
    if k < 2:
        return squares
    none = np.zeros(1)
    for _ in range(tries):
        moved = rng.choice(k, size=min(int(rng.integers(1, 4)), k), replace=False) + 1
        rest = np.delete(tau, moved)
        ranks = rng.uniform(0.0, len(rest) - 1.0, len(moved))
        new = np.interp(ranks, np.arange(len(rest)), rest)
        trial = np.sort(np.concatenate([rest, new]))
        if not (np.diff(trial) > 0).all():
            continue
        now, _ = spline.newton(moments.table, trial, False, none, JUDGED_AFTER)
        if now < squares * PROMISING:
            now = descend(moments, trial, False, none)
            if now < squares * (1.0 - WORTHWHILE):
                squares = now
                tau[:] = trial
    return squares
