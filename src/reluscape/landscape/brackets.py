"""What a jump pays for being none, to first order: the bracket of convexity.

With errors `e` and `e + J` on the two sides of a jump and the loss `|error|^q`, replacing the jump
by a ramp of steepness k lowers the risk by `|J| / k` times
`(phi(e) + phi(e + J)) / 2 - integral of phi(e + s J) over s in [0, 1]`
per unit of mass along it. For strictly convex losses this is positive (Hermite and Hadamard).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Jumps below this share of the errors beside them: the difference of means would cancel, while the
# second derivative of the loss is smooth between them, and this rule exact to rounding.
SMALL = 0.1
NODES = 10


def bracket(before: Floats, heights: Floats, power: float) -> Floats:
    """Return the mean of the loss at both ends minus its mean in between.

    Parameters
    ----------
    before : ndarray
        Errors on one side.
    heights : ndarray
        What they change by across the jump.
    power : float
        At least 1; for 1 the loss is not strictly convex and the bracket may vanish.

    Returns
    -------
    ndarray
        Not negative. `heights^2 / 6` for power 2.

    Examples
    --------
    >>> bracket(np.array([-0.5]), np.array([1.0]), 2.0).round(12)
    array([0.16666667])
    """
    if power == 2.0:
        return np.square(heights) / 6.0
    after = before + heights
    largest = np.maximum(np.abs(before), np.abs(after))
    small = np.abs(heights) < SMALL * largest
    result = np.zeros_like(heights)
    rest = ~small & (heights != 0.0)
    e, f, jump = before[rest], after[rest], heights[rest]
    means = (_primitive(f, power) - _primitive(e, power)) / jump
    result[rest] = (np.abs(e) ** power + np.abs(f) ** power) / 2.0 - means
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    s = (nodes + 1.0) / 2.0
    # The error of the trapezoidal rule as an integral: int_0^1 phi''(e + s J) J^2 s (1 - s) / 2 ds.
    places = np.abs(before[small, np.newaxis] + s * heights[small, np.newaxis])
    bends = power * (power - 1.0) * places ** (power - 2.0)
    result[small] = bends @ (weights * s * (1.0 - s)) * np.square(heights[small]) / 4.0
    return np.maximum(result, 0.0)


def lopsidedness(before: Floats, heights: Floats, power: float) -> Floats:
    """Return the part of the bracket from the far half of a ramp minus that from the near half.

    It counts where the density is not the same on both sides of a jump.

    Parameters
    ----------
    before, heights : ndarray
    power : float

    Returns
    -------
    ndarray

    Examples
    --------
    >>> lopsidedness(np.array([0.0]), np.array([1.0]), 2.0)
    array([0.25])
    """
    after = before + heights
    if power == 2.0:
        return (before + after) * heights / 4.0
    middle = before + heights / 2.0
    far = _primitive(after, power) - _primitive(middle, power)
    near = _primitive(middle, power) - _primitive(before, power)
    ends = (np.abs(after) ** power - np.abs(before) ** power) / 2.0
    return ends - np.divide(far - near, heights, out=np.zeros_like(ends), where=heights != 0.0)


def _primitive(e: Floats, power: float) -> Floats:
    return e * np.abs(e) ** power / (power + 1.0)
