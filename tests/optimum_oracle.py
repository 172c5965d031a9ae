"""The least risk of all networks of a width on a few rows, by going through every placement.

A breakpoint of a best fit is at an input, or strictly inside a gap between neighbouring inputs
where the lines left and right of it, fitted freely, happen to cross; or two breakpoints share a
gap, and then the lines left and right of it are quite free. Everything in float64.
"""

from __future__ import annotations

from itertools import combinations
from math import inf

import numpy as np

CROSSING = 1e-11


def least_risk(x, y, k, weights=None):
    """Infimum of the weighted mean square over continuous lines with at most k breakpoints."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    mass = np.full(len(x), 1.0 / len(x)) if weights is None else np.asarray(weights, float)
    x, y, mass = x[mass > 0], y[mass > 0], mass[mass > 0]
    sites, group = np.unique(x, return_inverse=True)
    total = np.bincount(group, mass)
    centred = y - np.average(y, weights=mass)
    means = np.bincount(group, mass * centred) / total
    within = float(np.sum(mass * (centred - means[group]) ** 2))
    unit = (sites - sites[0]) / max(sites[-1] - sites[0], 1e-300)
    return within + _between(unit, means, np.sqrt(total), k)


def _between(x, y, root, k):
    m = len(x)
    if m == 1:
        return float((root * y)[0] ** 2)
    scale = max(float(np.ptp(y)), 1e-300)
    blocks = {}
    for i, j in combinations(range(m), 2):
        here = slice(i, j + 1)
        for size in range(min(k, j - i - 1) + 1):
            for hinges in combinations(range(i + 1, j), size):
                blocks.setdefault((i, j), []).append(
                    (size, *_block(x[here], y[here], root[here], x[list(hinges)]))
                )
    least = inf

    def extend(start, line, left, cost):
        nonlocal least
        for end in range(start + 1, m):
            for size, first, last, squares in blocks[start, end]:
                if size > left or cost + squares >= least:
                    continue
                if line is not None and not _cross(line, first, x[start - 1], x[start], scale):
                    continue
                if end == m - 1:
                    least = cost + squares
                    continue
                if left - size >= 1:
                    extend(end + 1, last, left - size - 1, cost + squares)
                if left - size >= 2:
                    extend(end + 1, None, left - size - 2, cost + squares)

    # A block of one site needs no looking at: its line turns about the site, at no cost, until a
    # breakpoint beside it is at an input, which is one of the placements above.
    extend(0, None, k, 0.0)
    return least


def _block(x, y, root, hinges):
    """First and last line (value at 0, slope) and sum of squares of a fit with given hinges."""
    base = x[0]
    table = np.column_stack([np.ones_like(x), x - base, *(np.maximum(x - t, 0) for t in hinges)])
    values = np.linalg.lstsq(table * root[:, None], y * root, rcond=None)[0]
    squares = float(np.sum((root * (table @ values - y)) ** 2))
    jumps = values[2:]
    first = values[0] - values[1] * base, values[1]
    last = first[0] - float(jumps @ hinges), first[1] + float(np.sum(jumps))
    return first, last, squares


def _cross(p, q, left, right, scale):
    at_left = p[0] - q[0] + (p[1] - q[1]) * left
    at_right = p[0] - q[0] + (p[1] - q[1]) * right
    return (
        min(at_left, at_right) <= CROSSING * scale and max(at_left, at_right) >= -CROSSING * scale
    )


def network_risk(x, y, at, values, weights=None):
    """Risk of the continuous line through the points (at, values), held straight outside."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    mass = np.full(len(x), 1.0 / len(x)) if weights is None else np.asarray(weights, float)
    piece = np.clip(np.searchsorted(at, x) - 1, 0, len(at) - 2)
    share = (x - at[piece]) / (at[piece + 1] - at[piece])
    return float(np.sum(mass * (values[piece] + share * np.diff(values)[piece] - y) ** 2))
