"""The frame a one-dimensional problem is computed in: shifted and scaled without rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError

# Squares of inputs and targets, and products of both, must stay inside the range of doubles.
LARGEST = 1e153


@dataclass(frozen=True)
class Axis:
    """An exact change of one variable, `value = centre + scale * reduced`.

    Attributes
    ----------
    centre : float
        Zero unless all values are so far from the origin that subtracting it is exact
        (Sterbenz: for `c / 2 <= v <= 2 c` the difference `v - c` of two floats is a float).
    scale : float
        A power of two, so that dividing by it is exact; reduced values are at most 1 in size.
    """

    centre: float
    scale: float

    def reduce(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the reduced values."""
        if self.centre == 0.0 and self.scale == 1.0:
            return values
        return (values - self.centre) / self.scale

    def restore(self, reduced: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values from reduced ones (rounded)."""
        return self.centre + self.scale * reduced


def axis_for(low: float, high: float, name: str) -> Axis:
    """Return the axis for values between `low` and `high`.

    Raises
    ------
    InputError
        If the values are so large that their squares overflow.
    """
    if max(abs(low), abs(high)) > LARGEST:
        message = (
            f"{name} reaches {max(abs(low), abs(high)):.3g}, whose square overflows; "
            f"rescale it to below {LARGEST:.0e}."
        )
        raise InputError(message)
    centre = 0.0
    middle = low + (high - low) / 2
    nearest, farthest = sorted((abs(low), abs(high)))
    if low * high > 0 and farthest / 2 <= abs(middle) <= 2 * nearest:
        centre = middle
    extent = max(abs(low - centre), abs(high - centre))
    if extent == 0.0:
        return Axis(centre, 1.0)
    return Axis(centre, 2.0 ** math.ceil(math.log2(extent)))
