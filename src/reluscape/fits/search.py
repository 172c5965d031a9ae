"""The search for the best breakpoints: many good proposals, each followed down to the bottom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from reluscape.fits import moves
from reluscape.fits.polyline import Polyline
from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Effort:
    """How hard to search.

    Attributes
    ----------
    grid : int
        Points of the dynamic programming: quadratic in time, and the descent makes up for gaps.
    grids : int
        Number of different grids.
    followed : int
        Proposals followed down per grid.
    clusters : bool
        Whether to try jumps and spikes.
    small : int
        Up to so many inputs all of them, and all gap middles, are the grid.
    """

    grid: int
    grids: int
    followed: int
    clusters: bool
    small: int


# All inputs and gap middles are tried when there are so few; then the grid leaves no gap.
SMALL = 128
THOROUGH = Effort(grid=160, grids=2, followed=6, clusters=True, small=SMALL)
# For the folds of a cross-validation, where a few parts in a thousand do not matter.
QUICK = Effort(grid=80, grids=1, followed=3, clusters=False, small=40)

# With so few ways to choose breakpoints from the grid, all of them are followed down.
EXHAUSTIVE = 800
# Random pushes of the result; with few data the gaps between them matter more.
SHAKES_SMALL = 60
SHAKES = 10
# Breakpoints put anywhere, with more data: where spare ones go has many near-equal answers. Each
# chain goes its own way.
HOPS = 30
CHAINS = 2


def grid_of(moments: Moments, size: int, shift: float, small: int = SMALL) -> Floats:
    """Return possible breakpoints, ends included: inputs at even ranks, or equal spacing.

    `shift` in [0, 1) moves the ranks, so that different grids see different inputs. Up to `small`
    inputs, all of them and the middles of the gaps are returned.
    """
    edges = moments.table.edges
    low, high = moments.support
    if not moments.atomic:
        inner = low + (high - low) * (np.arange(size) + shift) / size
        return np.unique(np.concatenate([[low], inner, [high]]))
    if len(edges) <= small:
        middles = edges[:-1] + np.diff(edges) / 2
        return np.unique(np.concatenate([edges, middles]))
    ranks = ((np.arange(size) + shift) / size * (len(edges) - 1)).astype(np.int64)
    # Half the points follow the data, half the range: sparse regions must not be missed.
    spread = low + (high - low) * (np.arange(size // 2) + shift) / (size // 2)
    nearest = np.searchsorted(edges, spread)
    picked = np.unique(np.concatenate([[0], ranks[::2], nearest, [len(edges) - 1]]))
    return edges[picked]


def free_search(
    moments: Moments,
    widths: Sequence[int],
    seed: int,
    effort: Effort,
    progress: Progress,
) -> dict[int, Polyline]:
    """Search without constraints, with a free leftmost slope, for several widths at once."""
    from reluscape.kernels import proposals

    rng = np.random.default_rng(seed)
    most = max(widths)
    shifts = [float(shift) for shift in rng.uniform(size=effort.grids)]
    grids = [grid_of(moments, effort.grid, shift, effort.small) for shift in shifts]
    if moments.atomic and len(moments.table.edges) <= effort.small:
        grids = grids[:1]

    def tables(grid: Floats) -> tuple[Floats, NDArray[np.int64]]:
        return proposals.propose(moments.table, grid, most, 0.0, 0, effort.followed)

    with ThreadPoolExecutor(moves.THREADS) as pool:
        found = list(pool.map(tables, grids))
        jobs = [
            (moments, k, grid, costs[k], knots[k])
            for k in widths
            for grid, (costs, knots) in zip(grids, found, strict=True)
        ]
        best: dict[int, Polyline] = {}
        followed = [pool.submit(follow, *job) for job in jobs]
        for done, future in enumerate(followed):
            k, line = jobs[done][1], future.result()
            progress(f"width {k}", (done + 1) / len(jobs))
            if k not in best or line.squares < best[k].squares:
                best[k] = line
        if not effort.clusters:
            return best
        refined = {k: pool.submit(refine, moments, line, grids[0]) for k, line in best.items()}
        chains = np.random.SeedSequence(seed).spawn(CHAINS)
        shaken = {
            k: [pool.submit(stir, moments, future.result(), chain) for chain in chains]
            for k, future in refined.items()
        }
        return {
            k: min((future.result() for future in futures), key=lambda line: line.squares)
            for k, futures in shaken.items()
        }


def refine(moments: Moments, line: Polyline, grid: Floats) -> Polyline:
    """Try jumps, spikes and single moves until nothing gains."""
    if len(line.tau) < 3 or not moments.atomic:
        return line
    tau, squares = line.tau.copy(), line.squares
    readings = moves.read_grid(moments, grid)
    while True:
        before = squares
        for count in (2, 3):
            squares = moves.cluster(moments, tau, count, squares)
        if not squares < before * (1.0 - moves.WORTHWHILE):
            break
        squares = moves.exchange(moments, tau, grid, readings, squares)
    return with_values(moments, tau, None)


def stir(moments: Moments, line: Polyline, chain: np.random.SeedSequence) -> Polyline:
    """Hop and shake at random: few data are only shaken, the gaps between them matter more."""
    if len(line.tau) < 3 or not moments.atomic:
        return line
    rng, tau, squares = np.random.default_rng(chain), line.tau.copy(), line.squares
    if len(moments.table.edges) <= SMALL:
        moves.shake(moments, tau, SHAKES_SMALL // CHAINS, rng, squares)
    else:
        squares = moves.hop(moments, tau, HOPS, rng, squares)
        moves.shake(moments, tau, SHAKES, rng, squares)
    return with_values(moments, tau, None)


def follow(
    moments: Moments, k: int, grid: Floats, costs: Floats, knots: NDArray[np.int64]
) -> Polyline:
    """Polish the proposals for one width, exchange breakpoints of the best; return it."""
    low, high = moments.support
    none = np.zeros(1)
    starts = [
        np.concatenate([[low], grid[numbers[:k]], [high]])
        for cost, numbers in zip(costs, knots, strict=True)
        if cost < np.inf
    ]
    inner = grid[1:-1]
    if k and moments.atomic and comb(len(inner), k) <= EXHAUSTIVE:
        starts += [np.concatenate([[low], c, [high]]) for c in combinations(inner, k)]
    if not starts:
        starts = [np.concatenate([[low], spread_knots(moments, k), [high]])]
    squares = [moves.descend(moments, tau, False, none) for tau in starts]
    best = int(np.argmin(squares))
    if k:
        readings = moves.read_grid(moments, grid)
        moves.exchange(moments, starts[best], grid, readings, squares[best])
    return with_values(moments, starts[best], None)


def spread_knots(moments: Moments, k: int) -> Floats:
    """Return k distinct places inside the support, evenly spread over the inputs."""
    low, high = moments.support
    if not moments.atomic:
        return low + (high - low) * np.arange(1, k + 1) / (k + 1)
    edges = moments.table.edges
    ranks = np.linspace(0, len(edges) - 1, k + 2)[1:-1]
    return edges[np.round(ranks).astype(np.int64)]


def with_values(
    moments: Moments,
    tau: Floats,
    left_active: NDArray[np.bool_] | None,
    free_slope: bool = False,
) -> Polyline:
    """Solve for the values at given vertices."""
    from reluscape.kernels import segments, spline

    sheet = segments.new_sheet(len(tau))
    tied = left_active is not None and not free_slope
    skips = np.where(left_active, -1.0, 0.0) if left_active is not None else np.zeros(1)
    segments.lay(moments.table, tau, sheet)
    squares = spline.assess(tau, sheet, tied, skips)
    return Polyline(tau, sheet[:, segments.VALUE].copy(), squares, left_active, free_slope)
