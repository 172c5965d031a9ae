"""From a placement of breakpoints that may be good to a network that is better, if it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluscape.fits import moves
from reluscape.fits.constrained import with_bounds
from reluscape.fits.constraints import Constraints
from reluscape.fits.plain import LEFT, RIGHT, can_be_built
from reluscape.fits.polyline import Polyline
from reluscape.fits.search import THOROUGH, grid_of, with_values
from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]

# Rounds of trying breakpoints on the inputs next to them.
ROUNDS = 4


def better_line(
    moments: Moments,
    line: Polyline,
    knots: Floats,
    sides: int,
    *,
    skip: bool,
    constraints: Constraints,
) -> Polyline | None:
    """Descend from breakpoints; return the result if its sum of squares is lower.

    Parameters
    ----------
    moments : Moments
    line : Polyline
        What must be beaten.
    knots : ndarray, shape (k,)
        In the reduced frame, in order; equal ones are moved apart.
    sides : int
        For plain networks: bit mask of the breakpoints of left-active neurons, -1 if unknown.
    skip : bool
    constraints : Constraints
    """
    low, high = moments.support
    inner = knots[(knots > low) & (knots < high)]
    if len(inner) < len(knots) or not (np.diff(knots) > 0.0).all():
        return None
    tau = np.concatenate([[low], knots, [high]])
    if constraints.active:
        found = _constrained(moments, tau, constraints)
        if found is None:
            return None
    elif skip:
        found = _free(moments, tau)
    elif sides >= 0:
        left = np.array([bool(sides >> j & 1) for j in range(len(knots))])
        moves.descend(moments, tau, True, np.where(left, LEFT, RIGHT))
        found = with_values(moments, tau, left)
        if not can_be_built(moments, found):
            return None
    else:
        return None
    return found if found.squares < line.squares * (1.0 - moves.WORTHWHILE) else None


def _free(moments: Moments, tau: Floats) -> Polyline:
    """Descend; for data also from where the pieces' own lines cross, and from inputs.

    The way down from a gap's middle may lead out of it: kinks on inputs, jumps, and lines that see
    two inputs make narrow minima.
    """
    best = with_values(moments, tau, None)
    edges = moments.table.edges
    crossed = tau.copy()
    for j in range(1, len(tau) - 1):
        crossed[j] = (_crossing(moments, tau, j) or [tau[j]])[0]
    if moments.atomic and (np.diff(crossed) > 0.0).all():
        found = with_values(moments, crossed, None)
        if found.squares < best.squares and can_be_built(moments, found):
            best = found
    for _ in range(ROUNDS if moments.atomic else 0):
        before = best.squares
        for j in range(1, len(tau) - 1):
            gap = int(np.searchsorted(edges, float(best.tau[j])))
            nearest: list[float] = edges[max(gap - 1, 0) : gap + 2].tolist()
            for place in nearest + _crossing(moments, best.tau, j):
                trial: Floats = best.tau.copy()
                trial[j] = place
                if (np.diff(trial) > 0.0).all():
                    found = with_values(moments, trial, None)
                    if found.squares < best.squares and can_be_built(moments, found):
                        best = found
        if not best.squares < before:
            break
    for start in (tau, best.tau):
        trial = start.copy()
        moves.descend(moments, trial, False, np.zeros(1))
        found = with_values(moments, trial, None)
        if found.squares < best.squares and can_be_built(moments, found):
            best = found
    return best


def _crossing(moments: Moments, tau: Floats, j: int) -> list[float]:
    """Return where the lines on the data left and right of a breakpoint cross, if it is there."""
    cuts = np.searchsorted(moments.table.edges, tau[j - 1 : j + 2])
    if j + 2 == len(tau):
        cuts[2] += 1
    high, low = moments.table.high[cuts, 0], moments.table.low[cuts, 0]
    lines: list[tuple[float, float]] = []
    for i in range(2):
        mass, x, xx, y, xy, _ = (high[i + 1] - high[i]) + (low[i + 1] - low[i])
        spread = xx - x * x / mass if mass > 0.0 else 0.0
        if cuts[i + 1] - cuts[i] < 2 or not spread > 0.0:
            return []
        slope = (xy - x * y / mass) / spread
        lines.append((slope, (y - slope * x) / mass))
    (slope, level), (other, second) = lines
    place = (second - level) / (slope - other) if slope != other else tau[j]
    return [float(place)] if tau[j - 1] < place < tau[j + 1] else []


def _constrained(moments: Moments, tau: Floats, constraints: Constraints) -> Polyline | None:
    """Move the breakpoints under constraints; None if they are too near to each other."""
    from reluscape.kernels import bounded

    bounds = np.array(constraints.slopes) * (moments.x_axis.scale / moments.y_axis.scale)
    distance = constraints.min_distance / moments.x_axis.scale
    points = int(constraints.min_points) if moments.atomic else 0
    grid = grid_of(moments, THOROUGH.grid, 0.5)
    bounded.sweep(moments.table, tau, bounds, distance, points, grid)
    if (np.diff(tau[1:-1]) < distance).any():
        return None
    cuts = np.searchsorted(moments.table.edges, tau)
    cuts[-1] = len(moments.table.edges)
    if points and (np.diff(cuts) < points).any():
        return None
    return with_bounds(moments, tau, bounds)
