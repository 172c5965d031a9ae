"""Risk and gradient in exact rational arithmetic, for a million rows in seconds.

Floating-point numbers are fractions with a power of two below the line. Scaled to a common
one, rows are Python integers, which never round; a network is linear between its kinks, so that
six exact sums a piece give everything. Kinks and parameters are exact rationals too.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from benchmarks.data import Array


@dataclass(frozen=True)
class Rows:
    """Rows sorted by x as integers: ``x = ints_x / scale_x`` and ``y = ints_y / scale_y``."""

    ints_x: list[int]
    ints_y: list[int]
    scale_x: int
    scale_y: int

    @classmethod
    def of(cls, x: Array, y: Array) -> Rows:
        """Return the rows of two arrays, exactly."""
        order = np.argsort(x, kind="stable")
        ints_x, scale_x = _integers(x[order])
        ints_y, scale_y = _integers(y[order])
        return cls(ints_x, ints_y, scale_x, scale_y)


def _integers(values: Array) -> tuple[list[int], int]:
    ratios = [value.as_integer_ratio() for value in values.tolist()]
    scale = max(bottom for _, bottom in ratios)
    return [top * (scale // bottom) for top, bottom in ratios], scale


def risk_and_gradient(rows: Rows, theta: Array) -> tuple[Fraction, list[Fraction]]:
    """Return the mean squared error and its gradient in the order (w, b, v, c)."""
    h = (theta.size - 1) // 3
    exact = [Fraction(float(value)) for value in theta]
    w, b, v, c = exact[:h], exact[h : 2 * h], exact[2 * h : 3 * h], exact[3 * h]
    borders = {0, len(rows.ints_x)}
    for j in range(h):
        if w[j]:
            # Rows exactly on a kink make a piece of their own: the unit is not active on them.
            borders |= {_first(rows, -b[j] / w[j], past) for past in (False, True)}
    cuts = sorted(borders)
    risk, grad_c = Fraction(0), Fraction(0)
    sum_e, sum_xe = [Fraction(0)] * h, [Fraction(0)] * h
    for low, high in itertools.pairwise(cuts):
        active = [j for j in range(h) if _active(rows, w[j], b[j], low)]
        slope = sum((v[j] * w[j] for j in active), Fraction(0))
        level = sum((v[j] * b[j] for j in active), c)
        count, sx, sxx, sy, sxy, syy = _moments(rows, low, high)
        error = level * count + slope * sx - sy
        error_x = level * sx + slope * sxx - sxy
        risk += level * (error - sy) + slope * (error_x - sxy) + syy
        grad_c += error
        for j in active:
            sum_e[j] += error
            sum_xe[j] += error_x
    n = len(rows.ints_x)
    gradient = [v[j] * sum_xe[j] for j in range(h)] + [v[j] * sum_e[j] for j in range(h)]
    gradient += [w[j] * sum_xe[j] + b[j] * sum_e[j] for j in range(h)] + [grad_c]
    return risk / n, [2 * entry / n for entry in gradient]


def _first(rows: Rows, kink: Fraction, past: bool) -> int:
    """Return the index of the first row with x > kink (``past``) or x >= kink, exactly."""
    bound = kink * rows.scale_x
    low, high = 0, len(rows.ints_x)
    while low < high:
        middle = (low + high) // 2
        here = rows.ints_x[middle]
        if here > bound or (here == bound and not past):
            high = middle
        else:
            low = middle + 1
    return low


def _active(rows: Rows, w: Fraction, b: Fraction, row: int) -> bool:
    return w * Fraction(rows.ints_x[row], rows.scale_x) + b > 0


def _moments(rows: Rows, low: int, high: int) -> tuple[Any, ...]:
    xs, ys = rows.ints_x[low:high], rows.ints_y[low:high]
    p, q = rows.scale_x, rows.scale_y
    return (
        high - low,
        Fraction(sum(xs), p),
        Fraction(sum(x * x for x in xs), p * p),
        Fraction(sum(ys), q),
        Fraction(sum(x * y for x, y in zip(xs, ys, strict=True)), p * q),
        Fraction(sum(y * y for y in ys), q * q),
    )
