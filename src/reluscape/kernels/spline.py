"""Descent of the breakpoints of a continuous piecewise-linear fit, values solved exactly.

For fixed breakpoints the best values are a linear least-squares problem (variable projection), so
the sum of squares is a function of the breakpoints alone. `newton` follows it down with damped
Newton steps; on data, where it has a corner at every input, `kernels.gaps` then finishes.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.segments import (
    AFTER,
    BESIDE,
    DIAGONAL,
    EXTRA,
    GRADIENT,
    LEVEL,
    LOAD,
    MASS,
    MEAN,
    READING,
    STEP,
    TIE,
    TOTAL,
    TURN,
    VALUE,
    lay,
    new_sheet,
    read_at,
    solve,
    squares,
    substitute,
)
from reluscape.kernels.table import INCLUSIVE, Table, count_below, densities
from reluscape.kernels.ties import solve_tie, tie_values
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


@compiled
def assess(tau: Floats, sheet: Floats, tied: bool, skips: Floats) -> float:
    """Solve for the values on a sheet that is laid; return the sum of squares."""
    solve(sheet)
    if tied:
        tie_values(tau, sheet, skips)
    return squares(sheet)


@inner
def derivatives(tau: Floats, sheet: Floats, tied: bool) -> None:
    """Write gradient and Hessian of the sum of squares in the breakpoints, values eliminated.

    Row j + 1 receives those of breakpoint j. The term `2 d e p` of the moving kink is left to
    `add_bend`.
    """
    k = tau.shape[0] - 2
    first = EXTRA + 2 * k
    error = total = below = 0.0
    for j in range(k):
        m, q = sheet[j, MASS], sheet[j, MEAN]
        rise = sheet[j + 1, VALUE] - sheet[j, VALUE]
        slope = (sheet[j + 2, VALUE] - sheet[j + 1, VALUE]) / (tau[j + 2] - tau[j + 1])
        turn = slope - rise / (tau[j + 1] - tau[j])
        error += m * (sheet[j, VALUE] + q * rise - sheet[j, LEVEL])
        total += m
        sheet[j + 1, TURN] = turn
        sheet[j + 1, TOTAL] = total
        sheet[j + 1, GRADIENT] = 2.0 * turn * error
        # A kink that moves lifts all on its left: its load on the hat functions there.
        sheet[j, LOAD] = below + m * (1.0 - q)
        below = m * q
        for i in range(j + 1):
            sheet[j + 1, first + i] = sheet[i, LOAD]
        sheet[j + 1, first + j + 1] = below
        for i in range(j + 2, k + 2):
            sheet[j + 1, first + i] = 0.0
        substitute(sheet, j + 1)
    if tied:
        keep_tie(sheet)
    for i in range(k):
        met = 0.0
        for j in range(i + 1):
            met += sheet[j, LOAD] * sheet[i + 1, first + j]
            last = sheet[j, MASS] * sheet[j, MEAN] * sheet[i + 1, first + j + 1]
            bend = 2.0 * sheet[i + 1, TURN] * sheet[j + 1, TURN]
            bend *= sheet[j + 1, TOTAL] - (met + last)
            sheet[i + 1, EXTRA + j] = bend
            sheet[j + 1, EXTRA + i] = bend


@inner
def keep_tie(sheet: Floats) -> None:
    """Take out of the responses of the values what would break the tie."""
    n = sheet.shape[0]
    first = sheet.shape[1] - n
    for i in range(n):
        if not sheet[i, DIAGONAL] > 0.0:
            return
    along = solve_tie(sheet)
    if not along > 0.0:
        return
    for j in range(1, n - 1):
        off = 0.0
        for i in range(n):
            off += sheet[i, TIE] * sheet[j, first + i]
        for i in range(n):
            sheet[j, first + i] -= sheet[0, first + i] * off / along


@inner
def add_bend(table: Table, tau: Floats, sheet: Floats) -> None:
    """Add the term of the moving kinks to the Hessian, for data read off a window around them."""
    for j in range(1, tau.shape[0] - 1):
        sheet[j, EXTRA + j - 1] += 2.0 * sheet[j, TURN] * push(table, tau, sheet, j)


@inner
def push(table: Table, tau: Floats, sheet: Floats, j: int) -> float:
    """Return `e p` at the interior vertex j; for data its mean over a window."""
    t, value = tau[j], sheet[j, VALUE]
    if table.high.shape[1] > 1:
        piece = count_below(table.edges, table.buckets, t, INCLUSIVE)
        p, fp = densities(table, piece, t)
        return value * p - fp
    h = WINDOW * min(t - tau[j - 1], tau[j + 1] - t)
    read_at(table, t - h, sheet, j, BESIDE)
    read_at(table, t + h, sheet, j, AFTER)
    left = (value - sheet[j - 1, VALUE]) / (t - tau[j - 1])
    right = (sheet[j + 1, VALUE] - value) / (tau[j + 1] - t)
    error = error_between(sheet, j, BESIDE, READING, left, t)
    error += error_between(sheet, j, READING, AFTER, right, t)
    return error / (2.0 * h)


@inner
def error_between(sheet: Floats, j: int, a: int, b: int, slope: float, t: float) -> float:
    """Return the integral of the error of the line through a vertex between two readings."""
    m = (sheet[j, b] - sheet[j, a]) + (sheet[j, b + 1] - sheet[j, a + 1])
    x = (sheet[j, b + 2] - sheet[j, a + 2]) + (sheet[j, b + 3] - sheet[j, a + 3])
    f = (sheet[j, b + 6] - sheet[j, a + 6]) + (sheet[j, b + 7] - sheet[j, a + 7])
    return slope * (x - t * m) + sheet[j, VALUE] * m - f


@inner
def damped_step(sheet: Floats, damping: float) -> bool:
    """Solve `(H + damping diag|H|) step = -gradient` by Cholesky; False if not positive."""
    k = sheet.shape[0] - 2
    factor = EXTRA + k
    for i in range(k):
        own = sheet[i + 1, EXTRA + i]
        if own == 0.0:
            own = 1.0  # a breakpoint that bends nothing stays where it is
        for j in range(i + 1):
            s = own + damping * abs(own) if i == j else sheet[i + 1, EXTRA + j]
            for r in range(j):
                s -= sheet[i + 1, factor + r] * sheet[j + 1, factor + r]
            if i == j:
                if not s > 1e-14 * abs(own):
                    return False
                sheet[i + 1, factor + i] = np.sqrt(s)
            else:
                sheet[i + 1, factor + j] = s / sheet[j + 1, factor + j]
    for i in range(k):
        s = -sheet[i + 1, GRADIENT]
        for r in range(i):
            s -= sheet[i + 1, factor + r] * sheet[r + 1, STEP]
        sheet[i + 1, STEP] = s / sheet[i + 1, factor + i]
    for i in range(k - 1, -1, -1):
        s = sheet[i + 1, STEP]
        for r in range(i + 1, k):
            s -= sheet[r + 1, factor + i] * sheet[r + 1, STEP]
        sheet[i + 1, STEP] = s / sheet[i + 1, factor + i]
    return True


@inner
def room(tau: Floats, sheet: Floats) -> float:
    """Return the largest share of a step that keeps the breakpoints in order."""
    share = 1.0
    last = tau.shape[0] - 1
    floor = CLOSEST * (tau[last] - tau[0])
    for i in range(last):
        gap = tau[i + 1] - tau[i]
        closing = sheet[i, STEP] if i > 0 else 0.0
        if i + 1 < last:
            closing -= sheet[i + 1, STEP]
        most = min(CLOSING * gap, gap - floor)
        if closing > max(most, 0.0):
            share = min(share, max(most, 0.0) / closing)
    return share


@inner
def advance(tau: Floats, sheet: Floats, share: float, trial: Floats) -> bool:
    """Write the breakpoints after a share of the step; tell whether any has moved."""
    moved = False
    for i in range(1, tau.shape[0] - 1):
        trial[i] = tau[i] + share * sheet[i, STEP]
        moved = moved or trial[i] != tau[i]
    return moved


@compiled
def newton(table: Table, tau: Floats, tied: bool, skips: Floats, most: int) -> tuple[float, int]:
    """Move the interior vertices `tau[1:-1]` downhill in place; return squares and steps."""
    vertices = tau.shape[0]
    sheet = new_sheet(vertices)
    trial = np.empty(vertices)
    trial[0], trial[vertices - 1] = tau[0], tau[vertices - 1]
    lay(table, tau, sheet)
    best = assess(tau, sheet, tied, skips)
    damping = 1e-6
    made = 0
    while made < most and vertices > 2:
        derivatives(tau, sheet, tied)
        add_bend(table, tau, sheet)
        gained = 0.0
        now = best
        while damping < 1e12:
            if damped_step(sheet, damping):
                if not advance(tau, sheet, room(tau, sheet), trial):
                    break
                lay(table, trial, sheet)
                now = assess(trial, sheet, tied, skips)
                if now < best:
                    gained = best - now
                    break
            damping = 1e-3 if damping < 1e-3 else damping * 8.0
        if gained == 0.0:
            break
        for i in range(vertices):
            tau[i] = trial[i]
        best = now
        damping *= 0.1
        made += 1
        if gained <= NO_GAIN * best:
            break
    # Quadratic by now: what is left to gain drowns in rounding, the gradient does not.
    for _ in range(FINAL_STEPS if vertices > 2 else 0):
        lay(table, tau, sheet)
        best = assess(tau, sheet, tied, skips)
        derivatives(tau, sheet, tied)
        add_bend(table, tau, sheet)
        if not damped_step(sheet, 0.0) or room(tau, sheet) < 1.0:
            break
        advance(tau, sheet, 1.0, trial)
        lay(table, trial, sheet)
        now = assess(trial, sheet, tied, skips)
        if not now <= best * (1.0 + ROUNDING):
            break
        for i in range(vertices):
            tau[i] = trial[i]
        best = now
        made += 1
    return best, made
