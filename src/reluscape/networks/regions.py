"""Where the inputs lie: the convex hull of some points, and hyperplanes against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reluscape.errors import InputError
from reluscape.networks.arrays import Floats, as_floats, check_finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_MANY = 256
"""Points from which on a region is its own sample."""
_MORE = 512
"""Points inside that are added to fewer: distances of functions are measured at all of them."""
_MOST = 4096
"""Points that a sample has at most."""
_ELEMENTS = 1 << 20
"""Numbers in one block of heights: 8 MiB."""
_PER_SIDE = 32
"""Points on each side of a hyperplane whose connections are cut with it: at most 1,024 cuts."""


@dataclass(frozen=True, eq=False)
class Region:
    """The convex hull of some points.

    Attributes
    ----------
    points : ndarray of shape (n, inputs)
        At least two different ones.
    given : bool
        Whether a caller said where the inputs lie.
    """

    points: Floats
    given: bool = True

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.points.shape[1])

    @property
    def box(self) -> tuple[Floats, Floats]:
        """The lowest and the highest corner of the bounding box."""
        return self.points.min(axis=0), self.points.max(axis=0)

    @property
    def diameter(self) -> float:
        """Length of the diagonal of the bounding box."""
        low, high = self.box
        return float(np.hypot.reduce(high - low))

    def reach(self, normals: Floats, thresholds: Floats) -> tuple[Floats, Floats]:
        """Return the least and the largest `n.x - tau` on the region, two arrays of shape (m,)."""
        least, most = np.full(len(normals), np.inf), np.full(len(normals), -np.inf)
        rows = max(1, _ELEMENTS // max(len(normals), 1))
        for start in range(0, len(self.points), rows):
            heights = normals @ self.points[start : start + rows].T - thresholds[:, np.newaxis]
            least = np.minimum(least, heights.min(axis=1))
            most = np.maximum(most, heights.max(axis=1))
        return least, most

    def apart(self, one: Floats, tau: Floats, other: Floats, sigma: Floats) -> Floats:
        """Return how far hyperplanes with the same orientation are from each other.

        Parameters
        ----------
        one, other : ndarray of shape (..., inputs)
            Unit normals.
        tau, sigma : ndarray of shape (...)

        Returns
        -------
        ndarray of shape (...)
            The largest `|(n.x - tau) - (m.x - sigma)|` on the bounding box; with one input the
            distance of two breakpoints.
        """
        low, high = self.box
        turn = one - other
        middle = turn @ (0.5 * (low + high)) - (tau - sigma)
        return np.abs(middle) + np.abs(turn) @ (0.5 * (high - low))

    def section(self, normal: Floats, threshold: float) -> Floats:
        """Return points of the region on a hyperplane, shape (k, inputs); one nearby if it misses.

        With few points, the corners of the section are among them.
        """
        heights = self.points @ normal - threshold
        above, below = np.flatnonzero(heights >= 0.0), np.flatnonzero(heights < 0.0)
        if self.inputs == 1 or not above.size or not below.size:
            low, high = self.box
            middle = (
                np.clip(threshold * normal, low, high) if self.inputs == 1 else (low + high) / 2
            )
            return (middle - (middle @ normal - threshold) * normal)[np.newaxis]
        above, below = (_spread(side, _PER_SIDE) for side in (above, below))
        up, down = heights[above][:, np.newaxis], heights[below][np.newaxis]
        share = (up / (up - down))[..., np.newaxis]
        cuts = (1.0 - share) * self.points[above][:, np.newaxis] + share * self.points[below]
        return cuts.reshape(-1, self.inputs)

    def sample(self) -> Floats:
        """Return at most 4,096 points of the region to compare functions at, shape (k, inputs)."""
        count = len(self.points)
        if count >= _MANY:
            return self.points[_spread(np.arange(count), _MOST)]
        # Dirichlet weights from a Kronecker sequence: evenly spread, and the same every time.
        roots = np.sqrt(_primes(count))
        even = np.outer(np.arange(1, _MORE + 1), roots) % 1.0
        weights = -np.log(np.clip(even, 1e-12, 1.0))
        inner = (weights / weights.sum(axis=1, keepdims=True)) @ self.points
        return np.vstack([self.points, inner])


def region_of(domain: ArrayLike | None, inputs: int, breakpoints: Floats) -> Region:
    """Return the region that a caller means by `domain`.

    Parameters
    ----------
    domain : None or array_like of shape (n, inputs), or (n,) for one input
        Points whose convex hull it is: the ends (a, b) of an interval, the corners of a box or a
        polygon, or the rows of the data. None, with one input, is three times the range of the
        breakpoints.
    inputs : int
    breakpoints : ndarray of shape (k,)
        Read where `domain` is None.

    Returns
    -------
    Region

    Raises
    ------
    InputError
        If the shape does not fit, a number is not finite, all points are the same, or there are
        several inputs and no domain.

    Examples
    --------
    >>> region_of((0.0, 2.0), 1, np.empty(0)).diameter
    2.0
    """
    if domain is None:
        if inputs > 1:
            raise InputError(
                "domain is None; with several inputs give points whose convex hull the inputs "
                "fill: the corners of a box, the vertices of a polygon, or the rows of the data."
            )
        low, high = (breakpoints.min(), breakpoints.max()) if breakpoints.size else (0.0, 0.0)
        room = (high - low) or max(abs(low), 1.0)
        return Region(np.array([[low - room], [high + room]]), given=False)
    points = as_floats("domain", domain)
    if points.ndim == 1 and inputs == 1:
        points = points[:, np.newaxis]
    if points.ndim != 2 or points.shape[1] != inputs:
        raise InputError(
            f"domain has shape {points.shape}; give points whose convex hull the inputs fill, "
            + ("such as (a, b)." if inputs == 1 else f"of shape (n, {inputs}).")
        )
    check_finite("domain", points)
    if not len(points) or not np.ptp(points, axis=0).any():
        raise InputError("domain is a single point; give at least two different ones.")
    return Region(points)


def _spread(indices: np.ndarray[tuple[int], np.dtype[np.intp]], most: int) -> list[int]:
    """Return at most so many of some indices, evenly."""
    places = np.linspace(0, len(indices) - 1, min(most, len(indices)))
    return indices[np.round(places).astype(np.intp)].tolist()


def _primes(count: int) -> Floats:
    """Return the first prime numbers."""
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return np.array(found, dtype=np.float64)
