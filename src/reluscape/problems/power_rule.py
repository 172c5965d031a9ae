"""Integrals of `|e|^q p` for polynomials e and p: Gauss rules, dense where `|e|^q` is not smooth.

The singularities of `|e|^q` are the roots of e, complex ones near the interval included. It is cut
at the real parts of all of them, and each part into intervals that shrink by a factor of four
towards its ends: on every one of them the nearest singularity is farther away than a fixed multiple
of its length, and a Gauss rule is exact to rounding.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reluscape.problems.plane import gauss

Floats = NDArray[np.float64]

# On [1, 4] with a singularity at 0 the rule of n nodes errs by 3^(-2n): 16 leave 1e-15.
NODES = 16
# What is left at an end after so many cuts, a share 4^-LEVELS of the part, adds at most that to
# the power q + 1 > 2, times the error of its own rule: below 1e-15.
LEVELS = 8
# A leading coefficient below this share of the largest one is left over from rounding.
NO_DEGREE = 1e-14
# Polynomials are evaluated in blocks of so many values.
BLOCK = 1 << 18


def integrals(errors: Floats, densities: Floats, power: float) -> Floats:
    """Return the integrals of `|e|^power p` over [-1, 1], row by row.

    Parameters
    ----------
    errors : ndarray, shape (n, d + 1)
        Coefficients of e, lowest degree first.
    densities : ndarray, shape (n, m + 1)
        Coefficients of p.
    power : float
        At least 1.

    Returns
    -------
    ndarray, shape (n,)
        To rounding.

    Examples
    --------
    The integral of |x|^3.

    >>> integrals(np.array([[0.0, 1.0]]), np.array([[1.0]]), 3.0)
    array([0.5])
    """
    if is_even(power):
        # A polynomial.
        degree = int(power) * (errors.shape[1] - 1) + densities.shape[1] - 1
        rule = gauss(degree)
        z, weights = 2.0 * rule[:, 0] - 1.0, rule[:, 2]
        values = _values(errors, z) ** int(power) * _values(densities, z)
        return 2.0 * (values @ weights)
    rows, left, right = _parts(_break_points(errors))
    shares, weights = _graded()
    result = np.zeros(len(errors))
    step = max(1, BLOCK // len(shares))
    for start in range(0, len(rows), step):
        some = slice(start, start + step)
        length = (right - left)[some]
        z = left[some, np.newaxis] + length[:, np.newaxis] * shares
        row = rows[some]
        with np.errstate(under="ignore"):
            values = np.abs(_each(errors[row], z)) ** power * _each(densities[row], z)
        np.add.at(result, row, length * (values @ weights))
    return result


def smooth_rule(*polynomials: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return rules on [-1, 1] for what is smooth but where polynomials vanish, one for each row.

    Parameters
    ----------
    *polynomials : ndarrays, shape (n, any)
        Their i-th rows belong together.

    Returns
    -------
    rows : ndarray, shape (m,)
        Which row each node belongs to.
    nodes, weights : ndarray, shape (m,)
    """
    cuts = np.concatenate([_break_points(some) for some in polynomials], axis=1)
    rows, left, right = _parts(cuts)
    shares, weights = _graded()
    length = (right - left)[:, np.newaxis]
    nodes = left[:, np.newaxis] + length * shares
    return np.repeat(rows, len(shares)), nodes.ravel(), (length * weights).ravel()


def is_even(power: float) -> bool:
    """Tell whether `|e|^power` is a polynomial in e.

    Examples
    --------
    >>> is_even(4.0), is_even(3.0), is_even(2.5)
    (True, False, False)
    """
    return power > 0.0 and power % 2.0 == 0.0


@lru_cache(maxsize=1)
def _graded() -> tuple[Floats, Floats]:
    """Return nodes and weights on [0, 1] that are dense at both ends."""
    half = np.concatenate([[0.0], 4.0 ** np.arange(-LEVELS, 0.0), [0.5]])
    cuts = np.concatenate([half, 1.0 - half[-2::-1]])
    rule = gauss(2 * NODES - 1)
    lengths = np.diff(cuts)[:, np.newaxis]
    nodes = cuts[:-1, np.newaxis] + lengths * rule[:, 0]
    return nodes.ravel(), (lengths * rule[:, 2]).ravel()


def _parts(cuts: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return the rows, left and right ends of the intervals between cuts that are not empty."""
    cuts = np.sort(cuts, axis=1)
    rows, parts = np.nonzero(np.diff(cuts, axis=1) > 0.0)
    return rows, cuts[rows, parts], cuts[rows, parts + 1]


def _break_points(coefficients: Floats) -> Floats:
    """Return the ends and the real parts of all roots, those outside moved to the ends."""
    n = len(coefficients)
    found = np.full((n, coefficients.shape[1] + 1), -1.0)
    found[:, 0] = 1.0
    largest = np.abs(coefficients).max(axis=1, keepdims=True)
    counts = np.abs(coefficients) > NO_DEGREE * largest
    degrees = coefficients.shape[1] - 1 - np.argmax(counts[:, ::-1], axis=1)
    for degree in np.unique(degrees[largest[:, 0] > 0.0]).tolist():
        if not degree:
            continue
        rows = np.flatnonzero((degrees == degree) & (largest[:, 0] > 0.0))
        c = coefficients[rows, : degree + 1]
        companion = np.zeros((len(rows), degree, degree))
        companion[:, 1:, :-1] += np.eye(degree - 1)
        companion[:, :, -1] = -c[:, :-1] / c[:, -1:]
        found[rows, 1 : degree + 1] = np.linalg.eigvals(companion).real
    return np.clip(found, -1.0, 1.0)


def _values(coefficients: Floats, z: Floats) -> Floats:
    """Return all polynomials at the same places, shape (n, len(z))."""
    return coefficients @ np.vander(z, coefficients.shape[1], increasing=True).T


def _each(coefficients: Floats, z: Floats) -> Floats:
    """Return each polynomial at its own places, shape of z."""
    result = np.zeros_like(z)
    for c in coefficients.T[::-1]:
        result = result * z + c[:, np.newaxis]
    return result
