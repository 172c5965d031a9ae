"""Descent of the breakpoints of a continuous piecewise-linear fit, values solved exactly.

For fixed breakpoints the best values are a linear least-squares problem (variable projection), so
the sum of squares is a function of the breakpoints alone. `newton` follows it down with damped
Newton steps; on data, where it has a corner at every input, `kernels.gaps` then finishes.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.segments import (
    LEVEL,
    MASS,
    MEAN,
    lay,
    read_at,
    solve,
    squares,
    substitute,
    workspace,
)
from reluscape.kernels.table import Table, count_below, densities
from reluscape.kernels.typing import Floats

# Newton steps of one descent: far more than a quadratic basin needs.
MOST_STEPS = 60
# A step whose gain is below this share of the sum of squares has converged.
NO_GAIN = 1e-14
# Steps after nothing more is gained.
FINAL_STEPS = 2
# An increase below this share of the sum of squares is rounding.
ROUNDING = 1e-15
# A step may close at most this share of the gap between two breakpoints.
CLOSING = 0.7
# Breakpoints stay apart by this share of the range: slopes between closer ones would cost more
# digits than their place could gain.
CLOSEST = 1e-8
# Curvature on data is read off a window of this share of the shorter neighbouring interval.
WINDOW = 0.25


@inner
def tie_of(tau: Floats, skips: Floats, tie: Floats) -> None:
    """Write the condition on the values that a network without skip connection obeys.

    Its leftmost slope is `sum_j skips[j] * (change of slope at j)`: see `training.polish`.
    """
    k = tau.shape[0] - 2
    for i in range(k + 2):
        tie[i] = 0.0
    first = 1.0 / (tau[1] - tau[0])
    tie[0] -= first
    tie[1] += first
    for j in range(1, k + 1):
        left, right = 1.0 / (tau[j] - tau[j - 1]), 1.0 / (tau[j + 1] - tau[j])
        tie[j - 1] -= skips[j - 1] * left
        tie[j] += skips[j - 1] * (left + right)
        tie[j + 1] -= skips[j - 1] * right


@compiled
def assess(
    tau: Floats,
    segments: Floats,
    tied: bool,
    skips: Floats,
    phi: Floats,
    diagonal: Floats,
    lower: Floats,
    tie: Floats,
) -> float:
    """Solve for the values; return the sum of squares."""
    if tied:
        tie_of(tau, skips, tie)
    solve(segments, tied, tie, phi, diagonal, lower)
    return squares(segments, phi)


@inner
def slopes_of(tau: Floats, phi: Floats, slopes: Floats) -> None:
    """Write the slope of every interval."""
    for i in range(slopes.shape[0]):
        slopes[i] = (phi[i + 1] - phi[i]) / (tau[i + 1] - tau[i])


@inner
def derivatives(
    table: Table,
    tau: Floats,
    segments: Floats,
    tied: bool,
    phi: Floats,
    diagonal: Floats,
    lower: Floats,
    tie: Floats,
    bend: bool,
    gradient: Floats,
    hessian: Floats,
) -> None:
    """Write gradient (k,) and Hessian (k, k) of the sum of squares in the breakpoints.

    `diagonal` and `lower` are the factors that `solve` left. The Hessian is that of the linear
    coefficients eliminated; with `bend` it has the term `2 d e p` of the moving kink, for data
    read off a window around the breakpoint.
    """
    k = tau.shape[0] - 2
    slopes = np.empty(k + 1)
    slopes_of(tau, phi, slopes)
    error = 0.0
    mass = np.empty(k)
    total = 0.0
    steps = np.zeros((k, k + 2))
    solved = np.zeros((k, k + 2))
    turn = np.empty(k)
    for j in range(k):
        m, q = segments[j, MASS], segments[j, MEAN]
        rise = phi[j + 1] - phi[j]
        error += m * (phi[j] + q * rise - segments[j, LEVEL])
        total += m
        mass[j] = total
        turn[j] = slopes[j + 1] - slopes[j]
        gradient[j] = 2.0 * turn[j] * error
        for i in range(j + 1):
            steps[j, i] += segments[i, MASS] * (1.0 - segments[i, MEAN])
            steps[j, i + 1] += segments[i, MASS] * segments[i, MEAN]
        for i in range(k + 2):
            solved[j, i] = steps[j, i]
        substitute(diagonal, lower, solved[j], False)
    determined = True
    for i in range(k + 2):
        determined = determined and diagonal[i] > 0.0
    if tied and determined:
        z = tie.copy()
        substitute(diagonal, lower, z, False)
        along = 0.0
        for i in range(k + 2):
            along += tie[i] * z[i]
        if along > 0.0:
            for j in range(k):
                off = 0.0
                for i in range(k + 2):
                    off += tie[i] * solved[j, i]
                for i in range(k + 2):
                    solved[j, i] -= z[i] * off / along
    for i in range(k):
        for j in range(i + 1):
            inner = mass[j]
            for r in range(k + 2):
                inner -= steps[j, r] * solved[i, r]
            hessian[i, j] = 2.0 * turn[i] * turn[j] * inner
            hessian[j, i] = hessian[i, j]
    for j in range(k):
        if bend:
            hessian[j, j] += 2.0 * turn[j] * push(table, tau, phi, slopes, j + 1)
        if hessian[j, j] == 0.0:
            # A breakpoint that bends nothing stays where it is.
            hessian[j, j] = 1.0


@inner
def push(table: Table, tau: Floats, phi: Floats, slopes: Floats, j: int) -> float:
    """Return `e p` at the interior vertex j; for data its mean over a window."""
    t = tau[j]
    if table.high.shape[1] > 1:
        piece = count_below(table.edges, table.buckets, t, True)
        p, fp = densities(table, piece, t)
        return phi[j] * p - fp
    h = WINDOW * min(t - tau[j - 1], tau[j + 1] - t)
    before, here, after = np.empty((6, 2)), np.empty((6, 2)), np.empty((6, 2))
    read_at(table, t - h, before)
    read_at(table, t, here)
    read_at(table, t + h, after)
    error = error_between(before, here, slopes[j - 1], t, phi[j])
    error += error_between(here, after, slopes[j], t, phi[j])
    return error / (2.0 * h)


@inner
def error_between(a: Floats, b: Floats, slope: float, t: float, value: float) -> float:
    """Return the integral of the error of the line through (t, value) between two readings."""
    m = (b[0, 0] - a[0, 0]) + (b[0, 1] - a[0, 1])
    x = (b[1, 0] - a[1, 0]) + (b[1, 1] - a[1, 1])
    f = (b[3, 0] - a[3, 0]) + (b[3, 1] - a[3, 1])
    return slope * (x - t * m) + value * m - f


@inner
def damped_step(hessian: Floats, gradient: Floats, damping: float, step: Floats) -> bool:
    """Solve `(H + damping diag|H|) step = -gradient` by Cholesky; False if not positive."""
    k = gradient.shape[0]
    factor = np.empty((k, k))
    for i in range(k):
        for j in range(i + 1):
            s = hessian[i, j]
            if i == j:
                s += damping * abs(s)
            for r in range(j):
                s -= factor[i, r] * factor[j, r]
            if i == j:
                if not s > 1e-14 * abs(hessian[i, i]) or s <= 0.0:
                    return False
                factor[i, i] = np.sqrt(s)
            else:
                factor[i, j] = s / factor[j, j]
    for i in range(k):
        s = -gradient[i]
        for r in range(i):
            s -= factor[i, r] * step[r]
        step[i] = s / factor[i, i]
    for i in range(k - 1, -1, -1):
        s = step[i]
        for r in range(i + 1, k):
            s -= factor[r, i] * step[r]
        step[i] = s / factor[i, i]
    return True


@inner
def room(tau: Floats, step: Floats) -> float:
    """Return the largest share of a step that keeps the breakpoints in order."""
    share = 1.0
    k = step.shape[0]
    floor = CLOSEST * (tau[k + 1] - tau[0])
    for i in range(k + 1):
        gap = tau[i + 1] - tau[i]
        left = step[i - 1] if i > 0 else 0.0
        right = step[i] if i < k else 0.0
        closing = left - right
        most = min(CLOSING * gap, gap - floor)
        if closing > max(most, 0.0):
            share = min(share, max(most, 0.0) / closing)
    return share


@compiled
def newton(table: Table, tau: Floats, tied: bool, skips: Floats, most: int) -> tuple[float, int]:
    """Move the interior vertices `tau[1:-1]` downhill in place; return squares and steps."""
    k = tau.shape[0] - 2
    readings, segments, phi, diagonal, lower = workspace(k + 2)
    tie = np.zeros(k + 2)
    lay(table, tau, readings, segments)
    best = assess(tau, segments, tied, skips, phi, diagonal, lower, tie)
    if k == 0:
        return best, 0
    gradient, step = np.zeros(k), np.zeros(k)
    hessian = np.zeros((k, k))
    trial = tau.copy()
    damping = 1e-6
    made = 0
    while made < most:
        derivatives(table, tau, segments, tied, phi, diagonal, lower, tie, True, gradient, hessian)
        gained = 0.0
        now = best
        while damping < 1e12:
            if damped_step(hessian, gradient, damping, step):
                share = room(tau, step)
                moved = False
                for i in range(k):
                    trial[i + 1] = tau[i + 1] + share * step[i]
                    moved = moved or trial[i + 1] != tau[i + 1]
                if not moved:
                    break
                lay(table, trial, readings, segments)
                now = assess(trial, segments, tied, skips, phi, diagonal, lower, tie)
                if now < best:
                    gained = best - now
                    break
            damping = 1e-3 if damping < 1e-3 else damping * 8.0
        if gained == 0.0:
            break
        for i in range(k):
            tau[i + 1] = trial[i + 1]
        best = now
        damping *= 0.1
        made += 1
        if gained <= NO_GAIN * best:
            break
    # Quadratic by now: what is left to gain drowns in rounding, the gradient does not.
    for _ in range(FINAL_STEPS):
        lay(table, tau, readings, segments)
        best = assess(tau, segments, tied, skips, phi, diagonal, lower, tie)
        derivatives(table, tau, segments, tied, phi, diagonal, lower, tie, True, gradient, hessian)
        if not damped_step(hessian, gradient, 0.0, step) or room(tau, step) < 1.0:
            break
        for i in range(k):
            trial[i + 1] = tau[i + 1] + step[i]
        lay(table, trial, readings, segments)
        now = assess(trial, segments, tied, skips, phi, diagonal, lower, tie)
        if not now <= best * (1.0 + ROUNDING):
            break
        for i in range(k):
            tau[i + 1] = trial[i + 1]
        best = now
        made += 1
    return best, made
