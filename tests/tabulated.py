"""Smooth functions as piecewise polynomials, interpolated at Chebyshev points."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

import reluscape as rs


def tabulated(function, breaks, degree):
    """Interpolate on each piece; coefficients are moved to x itself in exact arithmetic."""
    rows = []
    for left, right in pairwise(np.asarray(breaks, dtype=float).tolist()):
        middle, half = (
            (Fraction(left) + Fraction(right)) / 2,
            (Fraction(right) - Fraction(left)) / 2,
        )
        nodes = np.polynomial.chebyshev.chebinterpolate(
            lambda z, c=float(middle), h=float(half): function(c + h * z), degree
        )
        row = [Fraction(0)]
        for c in np.polynomial.chebyshev.cheb2poly(nodes)[::-1].tolist():
            # Horner's rule in z = (x - middle) / half
            row = _times(row, -middle / half, 1 / half)
            row[0] += Fraction(c)
        rows.append([float(c) for c in row[: degree + 1]])
    return rs.piecewise_polynomial(breaks, rows)


def _times(row, constant, slope):
    out = [constant * c for c in row] + [Fraction(0)]
    for i, c in enumerate(row):
        out[i + 1] += slope * c
    return out


def steep_tanh():
    """tanh(20 x) on [-1, 1]: pieces are short where it bends, and none begins at 0."""
    inner = np.linspace(-0.3, 0.3, 44)
    left = np.linspace(-1, -0.3, 15)[:-1]
    return tabulated(lambda x: np.tanh(20.0 * x), np.concatenate([left, inner, -left[::-1]]), 8)
