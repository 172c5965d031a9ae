"""The search for plain networks, without a skip connection.

The leftmost slope of such a network is made by its neurons: `-sum of d_j` over those that are
active to the left of their breakpoint, d_j the change of slope there. Which neurons are is a
second, discrete unknown. A neuron that is active on the whole support gives the slope away freely
and costs a breakpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from math import comb

import numpy as np
from numpy.typing import NDArray

from reluscape.fits import moves
from reluscape.fits.polyline import Polyline, network_of
from reluscape.fits.search import (
    THOROUGH,
    Effort,
    Progress,
    free_search,
    grid_of,
    spread_knots,
    with_values,
)
from reluscape.problems.line import risk
from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]

# All patterns of sides are tried up to this width; beyond, random ones.
ALL_PATTERNS = 6
PATTERNS = 64
# With so few ways to choose breakpoints from the grid, all of them are tried.
EXHAUSTIVE = 100
# Random breakpoints tried beside those of the spline.
RANDOM_STARTS = 6
# Patterns followed down.
FOLLOWED = 12
# Few inputs: all starts are as good as their first steps are misleading.
FEW = 12
FOLLOWED_FEW = 150
# A network may miss the risk of its polyline by this share, for rounding.
BUILDABLE = 1e-7
# And by this share of the sum of squares of the targets, where it fits them exactly.
ROUNDED = 1e-14
# A left-active neuron takes its whole change of slope from the leftmost slope.
LEFT, RIGHT = -1.0, 0.0


def plain_search(
    moments: Moments, widths: Sequence[int], seed: int, effort: Effort, progress: Progress
) -> dict[int, Polyline]:
    """Search among networks without skip connection for several widths at once."""
    needed = sorted({k for width in widths for k in (width, width - 1) if k >= 0})
    free = free_search(moments, needed, seed, effort, progress)
    result: dict[int, Polyline] = {}
    for width in widths:
        if width == 0:
            result[0] = constant(moments)
            continue
        shorter = free[width - 1]
        none = np.zeros(width - 1, dtype=np.bool_)
        best = Polyline(shorter.tau, shorter.phi, shorter.squares, none, free_slope=True)
        low, high = moments.support
        starts = [free[width].tau, np.concatenate([[low], spread_knots(moments, width), [high]])]
        rng = np.random.default_rng(seed)
        inner = grid_of(moments, THOROUGH.grid, 0.5)[1:-1]
        if moments.atomic and comb(len(inner), width) <= EXHAUSTIVE:
            starts += [np.concatenate([[low], c, [high]]) for c in combinations(inner, width)]
        else:
            starts += [random_knots(moments, width, rng) for _ in range(RANDOM_STARTS)]
        tied = tied_search(moments, starts, width, rng)
        result[width] = tied if tied.squares < best.squares else best
    return result


def constant(moments: Moments) -> Polyline:
    """Return the best constant: a network of width 0 without skip connection."""
    from reluscape.kernels import segments
    from reluscape.kernels.table import pure_error

    low, high = moments.support
    tau = np.array([low, high])
    sheet = segments.new_sheet(2)
    segments.lay(moments.table, tau, sheet)
    # A support of one point has no length to lay a line on: its level is read off directly.
    table = moments.table
    mass = float(table.high[-1, 0, 0])
    level = float(sheet[0, segments.LEVEL]) if high > low else float(table.high[-1, 0, 3]) / mass
    phi = sheet[:, segments.VALUE] = np.array([level, level])
    squares = segments.squares(sheet) if high > low else pure_error(table.high, table.low)
    return Polyline(tau, phi, squares, np.zeros(0, dtype=np.bool_))


def random_knots(moments: Moments, width: int, rng: np.random.Generator) -> Floats:
    """Return vertices with breakpoints at random inputs, or anywhere for a density."""
    low, high = moments.support
    if moments.atomic:
        knots = np.sort(rng.choice(moments.table.edges[1:-1], width, replace=False))
    else:
        knots = np.sort(rng.uniform(low, high, width))
    return np.concatenate([[low], knots, [high]])


def tied_search(
    moments: Moments, starts: Sequence[Floats], width: int, rng: np.random.Generator
) -> Polyline:
    """Search with every breakpoint inside the support and the leftmost slope tied."""
    from reluscape.kernels import spline

    table = moments.table
    grid = grid_of(moments, THOROUGH.grid // 2, 0.5)
    readings = moves.read_grid(moments, grid)
    if width <= ALL_PATTERNS:
        patterns = [np.array(p) for p in product((LEFT, RIGHT), repeat=width)]
    else:
        patterns = [np.where(rng.random(width) < 0.5, LEFT, RIGHT) for _ in range(PATTERNS)]
        patterns += [np.full(width, LEFT), np.full(width, RIGHT)]
    ranked: list[tuple[float, Floats, Floats]] = []
    for start in starts:
        for skips in patterns:
            tau = start.copy()
            squares, _ = spline.newton(table, tau, True, skips, 8)
            ranked.append((squares, tau, skips))
    ranked.sort(key=lambda item: item[0])
    few = len(moments.table.edges) <= FEW
    found: list[tuple[float, Floats, Floats]] = []
    for _, start, skips in ranked[: FOLLOWED_FEW if few else FOLLOWED]:
        tau, turned = start.copy(), skips.copy()
        squares = moves.descend(moments, tau, True, turned)
        squares = moves.exchange(moments, tau, grid, readings, squares, turned, (LEFT, RIGHT))
        found.append((squares, tau, turned))
    found.sort(key=lambda item: item[0])
    for _, tau, turned in found:
        tied = with_values(moments, tau, turned == LEFT)
        if can_be_built(moments, tied):
            return tied
    return constant_line(moments, width)


def can_be_built(moments: Moments, tied: Polyline) -> bool:
    """Tell whether the network is the polyline: near a jump its weights outgrow their digits."""
    network = network_of(tied, moments)
    unit = moments.mass * moments.y_axis.scale**2
    total = float(moments.table.high[-1, 0, 5])
    allowed = tied.squares * (1.0 + BUILDABLE) + ROUNDED * total
    return risk(moments, network) <= allowed * unit


def constant_line(moments: Moments, width: int) -> Polyline:
    """Return the best constant with breakpoints that bend nothing."""
    level = constant(moments)
    low, high = moments.support
    tau = np.concatenate([[low], spread_knots(moments, width), [high]])
    phi = np.full(width + 2, level.phi[0])
    return Polyline(tau, phi, level.squares, np.zeros(width, dtype=np.bool_))
