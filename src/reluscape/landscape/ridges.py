"""What a new neuron would do, with several inputs: a search over all hyperplanes.

For a neuron with w = b = 0 the risk changes by `2 v D(w, b)` to first order, D being the integral
of the error times `act(w.x + b)`: positively homogeneous, so that its values on a sphere are all
there is. What the search finds is proved by its value; what it does not find may be there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from reluscape.networks.arrays import Floats

Respond: TypeAlias = Callable[[Floats], tuple[Floats, Floats]]
"""From planes (m, inputs + 1) to D (m,) and its gradient (m, inputs + 1)."""

# Hyperplanes tried, how many of the best are improved, and by how many steps.
TRIED, IMPROVED, STEPS = 96, 3, 12
# Lengths of a step that are tried at once.
LENGTHS = 2.0 ** np.arange(2.0, -7.0, -1.0)


@dataclass(frozen=True, eq=False)
class Ridges:
    """The hyperplanes with the largest and the least D that were found.

    Attributes
    ----------
    most, least : float
        D there, for `w.x + b` of norm one in L2.
    upper, lower : ndarray, shape (inputs + 1,)
        The hyperplanes.
    """

    most: float
    least: float
    upper: Floats
    lower: Floats

    def steepest(self, v: float) -> tuple[Floats, float]:
        """Return where `v D` is least, and D there."""
        return (self.lower, self.least) if v > 0.0 else (self.upper, self.most)

    def largest(self) -> tuple[Floats, float]:
        """Return where D is largest in size, and D there."""
        return (self.upper, self.most) if self.most > -self.least else (self.lower, self.least)


def ridges(respond: Respond, moments: Floats, own: Floats) -> Ridges:
    """Search for the hyperplanes with the largest and the least D.

    Parameters
    ----------
    respond : callable
    moments : ndarray, shape (inputs + 1, inputs + 1)
        The integral of `(z, 1) (z, 1)^T`, which may be singular.
    own : ndarray, shape (width, inputs + 1)
        Hyperplanes of the network, which are tried as well, to both sides.

    Returns
    -------
    Ridges
    """
    values, axes = np.linalg.eigh(moments)
    used = values > 1e-12 * values[-1]
    # Planes as `root @ t` with t on the unit sphere: `w.z + b` then has norm one.
    root = axes[:, used] / np.sqrt(values[used])
    back = np.sqrt(values[used])[:, np.newaxis] * axes[:, used].T

    def at(points: Floats) -> tuple[Floats, Floats]:
        value, slope = respond(points @ root.T)
        return value, slope @ root

    starts = np.vstack([_scattered(root.shape[1]), own @ back.T, -own @ back.T])
    lengths = np.linalg.norm(starts, axis=1)
    starts = starts[lengths > 0.0] / lengths[lengths > 0.0, np.newaxis]
    first = at(starts)[0]
    found: list[tuple[float, Floats]] = []
    for sign in (1.0, -1.0):
        order = np.argsort(-sign * first)[:IMPROVED]
        best = max((_climb(at, sign, starts[i]) for i in order), key=lambda pair: pair[0])
        found.append((sign * best[0], root @ best[1]))
    (most, upper), (least, lower) = found
    return Ridges(most, least, upper, lower)


def _scattered(dimension: int) -> Floats:
    """Return directions in all parts of a sphere, always the same."""
    steps = np.sqrt(np.arange(2.0, dimension + 2.0))
    points = np.cos(np.multiply.outer(np.arange(1.0, TRIED + 1.0), steps) * 2.4)
    eye = np.eye(dimension)
    return np.vstack([points, eye, -eye])


def _climb(
    at: Callable[[Floats], tuple[Floats, Floats]], sign: float, start: Floats
) -> tuple[float, Floats]:
    """Go up on the sphere by gradient steps, each the best of several lengths."""
    point = start
    value, slope = at(point[np.newaxis])
    height = sign * float(value[0])
    for _ in range(STEPS):
        along = sign * slope[0] - (sign * slope[0] @ point) * point
        size = float(np.linalg.norm(along))
        if size <= 1e-12 * max(abs(height), 1e-300):
            break
        trials = point + np.multiply.outer(LENGTHS, along / size)
        trials /= np.linalg.norm(trials, axis=1)[:, np.newaxis]
        values, slopes = at(trials)
        best = int(np.argmax(sign * values))
        if not sign * float(values[best]) > height:
            break
        point, height, slope = trials[best], sign * float(values[best]), slopes[[best]]
    return height, point
