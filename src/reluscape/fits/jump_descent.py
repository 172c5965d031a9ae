"""Descent of the breakpoints of a piecewise-linear function with jumps, values solved exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reluscape.fits.jump_proposals import Places, line_of
from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]

# Newton's method with differences: their step as a share of the range, rounds, and halvings.
STEP, ROUNDS, HALVINGS = 1e-4, 12, 12
# Directions that curve less than this share of the steepest are taken to curve so much.
FLAT = 1e-6
# A round that gains less than this share of the sum of squares is the last.
NO_GAIN = 1e-14
# Searches for a single place end at this share of the range that they began with.
FINE = 1e-9
# Places between two neighbours that a breakpoint on data is tried at, before looking closer.
TRIALS = 24


def refined(moments: Moments, places: Places) -> Places:
    """Move the breakpoints of a proposal downhill."""
    if not len(places.at):
        return places
    return _on_data(moments, places) if moments.atomic else _on_a_density(moments, places)


def _on_a_density(moments: Moments, places: Places) -> Places:
    """Newton's method with differences, and one breakpoint at a time where it fails.

    The sum of squares is a smooth function of the breakpoints but where one meets a border of the
    target's pieces.
    """
    low, high = moments.support
    jumps, step = places.jumps, STEP * (high - low)

    def squares(at: Floats) -> float:
        if not (low < at[0] and at[-1] < high and (np.diff(at) > 0.0).all()):
            return np.inf
        return line_of(moments, Places(at, jumps)).squares

    at, best = places.at, squares(places.at)
    for _ in range(ROUNDS):
        before = best
        move = _newton_step(squares, at, best, step)
        share = 1.0
        for _ in range(HALVINGS if move is not None else 0):
            trial = at + share * move if move is not None else at
            now = squares(trial)
            if now < best:
                at, best = trial, now
                break
            share /= 4.0
        if not best < before * (1.0 - NO_GAIN):
            at, best = _one_by_one(squares, at, best, step)
            if not best < before * (1.0 - NO_GAIN):
                break
    return Places(at, jumps)


def _newton_step(
    squares: Callable[[Floats], float], at: Floats, best: float, step: float
) -> Floats | None:
    n = len(at)
    unit = step * np.eye(n)
    up = np.array([squares(at + e) for e in unit])
    down = np.array([squares(at - e) for e in unit])
    if not (np.isfinite(up).all() and np.isfinite(down).all()):
        return None
    gradient = (up - down) / (2.0 * step)
    hessian = np.diag(up - 2.0 * best + down) / step**2
    for i in range(n):
        for j in range(i):
            both = squares(at + unit[i] + unit[j]) - up[i] - up[j] + best
            hessian[i, j] = hessian[j, i] = both / step**2
    if not (np.isfinite(hessian).all() and hessian.any()):
        return None
    values, vectors = np.linalg.eigh(hessian)
    # Downhill along directions that curve down as well, and not too far along flat ones.
    sizes = np.maximum(np.abs(values), FLAT * np.abs(values).max())
    return -vectors @ ((vectors.T @ gradient) / sizes)


def _one_by_one(
    squares: Callable[[Floats], float], at: Floats, best: float, step: float
) -> tuple[Floats, float]:
    for i in range(len(at)):
        here = float(at[i])
        found, place = _least(_with_one_moved(squares, at, i), here - step, here + step)
        if found < best:
            best = found
            at = np.concatenate([at[:i], [place], at[i + 1 :]])
    return at, best


def _with_one_moved(
    squares: Callable[[Floats], float], at: Floats, i: int
) -> Callable[[float], float]:
    return lambda t: squares(np.concatenate([at[:i], [t], at[i + 1 :]]))


def _least(function: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Return the least value between two places, and where."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        function, bounds=(low, high), method="bounded", options={"xatol": FINE * (high - low)}
    )
    return float(found.fun), float(found.x)


def _on_data(moments: Moments, places: Places) -> Places:
    """Put one breakpoint at a time where it is best, on inputs and in the middles of gaps."""
    edges = moments.table.edges
    stops = np.sort(np.concatenate([edges, edges[:-1] + np.diff(edges) / 2.0]))
    at, jumps = places.at, places.jumps
    best = line_of(moments, places).squares
    for _ in range(ROUNDS):
        before = best
        for i in range(len(at)):
            low = float(at[i - 1]) if i else float(stops[0])
            high = float(at[i + 1]) if i + 1 < len(at) else float(stops[-1])
            first = int(np.searchsorted(stops, low, side="right"))
            end = int(np.searchsorted(stops, high))

            def squares(stop: int, i: int = i, base: Floats = at) -> float:
                trial = np.concatenate([base[:i], stops[stop : stop + 1], base[i + 1 :]])
                return line_of(moments, Places(trial, jumps)).squares

            now, stop = _closer_and_closer(squares, first, end)
            if now < best:
                best = now
                at = np.concatenate([at[:i], stops[stop : stop + 1], at[i + 1 :]])
            if not jumps[i]:
                # Kinks need not be at a stop: between the neighbouring ones.
                below = float(np.max(stops[stops < at[i]], initial=low))
                above = float(np.min(stops[stops > at[i]], initial=high))
                whole = _with_one_moved(lambda t: line_of(moments, Places(t, jumps)).squares, at, i)
                found, place = _least(whole, max(below, low), min(above, high))
                if found < best:
                    best = found
                    at = np.concatenate([at[:i], [place], at[i + 1 :]])
        if not best < before * (1.0 - NO_GAIN):
            break
    return Places(at, jumps)


def _closer_and_closer(squares: Callable[[int], float], first: int, end: int) -> tuple[float, int]:
    """Look for the least value over a range of integers, ever more finely around the best."""
    best, at = np.inf, first
    low, high = first, end
    while low < high:
        spacing = -(-(high - low) // TRIALS)
        for stop in range(low, high, spacing):
            now = squares(stop)
            if now < best:
                best, at = now, stop
        if spacing == 1:
            break
        low, high = max(first, at - spacing + 1), min(end, at + spacing)
    return best, at
