"""The search under constraints: grown one breakpoint at a time, and from dynamic programming."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.fits.constraints import Constraints
from reluscape.fits.polyline import Polyline
from reluscape.fits.search import THOROUGH, Progress, grid_of
from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]

# Proposals of the dynamic programming that are followed; it does not know of slope bounds.
PROPOSALS = 4


def constrained_search(
    moments: Moments,
    widths: Sequence[int],
    constraints: Constraints,
    seed: int,
    progress: Progress,
) -> dict[int, Polyline]:
    """Search under constraints for several widths at once.

    Raises
    ------
    InputError
        If no placement of so many breakpoints obeys the constraints.
    """
    from reluscape.kernels import bounded, proposals

    table = moments.table
    low, high = moments.support
    unit = moments.y_axis.scale / moments.x_axis.scale
    bounds = np.array(constraints.slopes) / unit
    distance = constraints.min_distance / moments.x_axis.scale
    points = int(constraints.min_points) if moments.atomic else 0
    shift = float(np.random.default_rng(seed).uniform())
    grid = grid_of(moments, THOROUGH.grid, shift)
    most = max(widths)
    costs, knots = proposals.propose(table, grid, most, distance, points, PROPOSALS)
    grown: Floats | None = np.array([low, high])
    found: dict[int, Polyline] = {}
    for k in range(most + 1):
        if k and grown is not None:
            place, squares = bounded.best_place(table, grown, bounds, distance, points, grid)
            grown = np.sort(np.append(grown, place)) if np.isfinite(squares) else None
        starts = [] if grown is None else [grown]
        for i in range(PROPOSALS):
            if np.isfinite(costs[k, i]):
                starts.append(np.concatenate([[low], grid[knots[k, i, :k]], [high]]))
        best: tuple[float, Floats] | None = None
        for start in starts:
            tau = start.copy()
            squares = bounded.sweep(table, tau, bounds, distance, points, grid)
            if best is None or squares < best[0]:
                best = (squares, tau)
        progress(f"width {k}", (k + 1) / (most + 1))
        if best is None:
            if k in widths:
                raise InputError(
                    f"{k} breakpoints cannot be placed with min_distance "
                    f"{constraints.min_distance:g} and min_points {constraints.min_points}; "
                    "lower one of them or the width."
                )
            continue
        grown = best[1]
        if k in widths:
            found[k] = with_bounds(moments, best[1], bounds)
    return found


def with_bounds(moments: Moments, tau: Floats, bounds: Floats) -> Polyline:
    """Solve for the values at given vertices, slopes within bounds."""
    from reluscape.kernels import bounded, segments

    sheet = segments.new_sheet(len(tau))
    segments.lay(moments.table, tau, sheet)
    squares = bounded.solve_bounded(tau, sheet, bounds)
    return Polyline(tau, sheet[:, segments.VALUE].copy(), squares)
