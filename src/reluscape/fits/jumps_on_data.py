"""Jumps among data: what they can be exchanged for, and what lies between them."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from reluscape.fits import moves
from reluscape.fits.jump_proposals import Places
from reluscape.fits.polyline import Polyline
from reluscape.fits.search import QUICK, free_search, grid_of, with_values
from reluscape.problems.moments import Moments
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]

# Places in each gap that the grid has at most.
MOST_PARTS = 8
# So many pairs of kinks are tried as jumps, in all combinations.
MOST_PAIRS = 6


def grid_on_data(moments: Moments, size: int) -> Floats:
    """Return possible breakpoints: with few data inputs and places in the gaps, up to `size`."""
    edges = moments.table.edges
    if len(edges) > size // 2:
        return grid_of(moments, size, 0.5, 0)
    parts = min(max(size // (len(edges) - 1), 2), MOST_PARTS)
    shares = np.arange(parts) / parts
    inner = edges[:-1, np.newaxis] + np.diff(edges)[:, np.newaxis] * shares
    return np.append(inner.ravel(), edges[-1])


def with_pairs_as_jumps(moments: Moments, line: Polyline) -> list[Places]:
    """Return a continuous function's breakpoints with pairs in one gap between data as jumps.

    On the data a jump there can do all that such a pair does.
    """
    edges, kinks = moments.table.edges, line.tau[1:-1]
    pairs: list[tuple[int, float]] = []
    i = 0
    while i + 1 < len(kinks):
        above = int(np.searchsorted(edges, float(kinks[i]), side="right"))
        if kinks[i + 1] <= edges[above]:
            pairs.append((i, float(edges[above])))
            i += 1
        i += 1
    result: list[Places] = []
    for count in range(1, min(len(pairs), MOST_PAIRS) + 1):
        for chosen in combinations(pairs[:MOST_PAIRS], count):
            gone = [j for first, _ in chosen for j in (first, first + 1)]
            result.append(joined(np.delete(kinks, gone), np.array([at for _, at in chosen])))
    return result


def with_jumps_as_pairs(moments: Moments, places: Places) -> Polyline:
    """Return a continuous function that is as good on the data, and then moved downhill.

    Each jump becomes two kinks, on the data at both ends of its gap.
    """
    edges, kinks = moments.table.edges, places.at[~places.jumps]
    low, high = moments.support
    wanted = len(places.at) + int(places.jumps.sum())
    knots = kinks
    for at in places.at[places.jumps].tolist():
        above = int(np.searchsorted(edges, float(at)))
        knots = np.append(knots, edges[above - 1 : above + 1])
    tau = np.unique(np.concatenate([[low], knots, [high]]))
    while len(tau) - 2 < wanted:
        widest = int(np.argmax(np.diff(tau)))
        tau = np.insert(tau, widest + 1, (tau[widest] + tau[widest + 1]) / 2.0)
    moves.descend(moments, tau, False, np.zeros(1))
    return with_values(moments, tau, None)


def between_jumps(problem: Samples, places: Places, seed: int) -> Places:
    """Fit the data between neighbouring jumps anew, with as many kinks as there were.

    Given the jumps, where the kinks are best is an ordinary question.
    """
    moments = problem.moments
    x = problem.x.reshape(-1)
    reduced = moments.x_axis.reduce(x)
    jumps = places.at[places.jumps]
    parts: list[Floats] = []
    for left, right in pairwise([-np.inf, *jumps.tolist(), np.inf]):
        kinks = places.at[~places.jumps & (left < places.at) & (places.at < right)]
        here = (left <= reduced) & (reduced < right)
        weights = None if problem.given_weights is None else problem.given_weights[here]
        if len(kinks) and (weights is None or weights.any()):
            part = Samples(x[here], problem.y[here], weights)
            if len(kinks) <= part.distinct - 2:
                line = free_search(part.moments, [len(kinks)], seed, QUICK, _silent)[len(kinks)]
                inner = part.moments.x_axis.restore(line.tau[1:-1])
                kinks = np.asarray(moments.x_axis.reduce(inner), dtype=np.float64)
        parts.append(kinks)
    return joined(np.concatenate(parts), jumps)


def joined(kinks: Floats, jumps: Floats) -> Places:
    """Return kinks and jumps in one order."""
    everything = np.concatenate([kinks, jumps])
    order = np.argsort(everything)
    return Places(everything[order], order >= len(kinks))


def _silent(_message: str, _fraction: float) -> None:
    """Report nothing."""
