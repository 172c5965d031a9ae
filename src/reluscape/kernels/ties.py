"""Polylines whose leftmost slope is tied to their kinks: networks without a skip connection.

A left-active neuron makes slope left of its breakpoint, a right-active one does not. The leftmost
slope is therefore `sum_j skips[j] * (change of slope at j)`, one linear condition on the values.
"""

from __future__ import annotations

from reluscape.kernels.compiled import inner
from reluscape.kernels.segments import DIAGONAL, LOWER, TIE, VALUE, substitute
from reluscape.kernels.typing import Floats, number

# A sum below this share of its terms is zero up to rounding.
NO_TIE = 1e-10
# The row whose right-hand side belongs to the tie: it has no breakpoint of its own.
FIRST = number(0)


@inner
def tie_values(tau: Floats, sheet: Floats, skips: Floats) -> None:
    """Move the solved values to the best ones that obey the tie, `tie . values = 0`."""
    n = tau.shape[0]
    write_tie(tau, sheet, skips)
    if tie_freely(sheet):
        return
    first = sheet.shape[1] - n
    along = solve_tie(sheet)
    off = 0.0
    for i in range(n):
        off += sheet[i, TIE] * sheet[i, VALUE]
    if along > 0.0:
        for i in range(n):
            sheet[i, VALUE] -= sheet[0, first + i] * off / along


@inner
def write_tie(tau: Floats, sheet: Floats, skips: Floats) -> None:
    """Write the coefficients of the condition."""
    k = tau.shape[0] - 2
    for i in range(k + 2):
        sheet[i, TIE] = 0.0
    first = 1.0 / (tau[1] - tau[0])
    sheet[0, TIE] -= first
    sheet[1, TIE] += first
    for j in range(1, k + 1):
        left, right = 1.0 / (tau[j] - tau[j - 1]), 1.0 / (tau[j + 1] - tau[j])
        sheet[j - 1, TIE] -= skips[j - 1] * left
        sheet[j, TIE] += skips[j - 1] * (left + right)
        sheet[j + 1, TIE] -= skips[j - 1] * right


@inner
def solve_tie(sheet: Floats) -> float:
    """Solve for the direction that restores the tie, in row 0; return the tie along it."""
    n = sheet.shape[0]
    first = sheet.shape[1] - n
    for i in range(n):
        sheet[0, first + i] = sheet[i, TIE]
    substitute(sheet, FIRST)
    along = 0.0
    for i in range(n):
        along += sheet[i, TIE] * sheet[0, first + i]
    return along


@inner
def tie_freely(sheet: Floats) -> bool:
    """Meet the tie by moving values that no datum determines, which costs nothing."""
    n = sheet.shape[0]
    z = sheet.shape[1] - n
    for i in range(n):
        if sheet[i, DIAGONAL] > 0.0:
            continue
        for r in range(n):
            sheet[0, z + r] = 1.0 if r == i else 0.0
        for r in range(i - 1, -1, -1):
            sheet[0, z + r] = -sheet[r, LOWER] * sheet[0, z + r + 1]
        along = 0.0
        off = 0.0
        size = 0.0
        for r in range(n):
            along += sheet[r, TIE] * sheet[0, z + r]
            off += sheet[r, TIE] * sheet[r, VALUE]
            size += abs(sheet[r, TIE] * sheet[0, z + r])
        if abs(along) > NO_TIE * size:
            for r in range(n):
                sheet[r, VALUE] -= sheet[0, z + r] * off / along
            return True
    return False
