"""What the networks that a bound is about obey."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """Which networks a bound is about; by default all of a width, with a skip connection.

    Attributes
    ----------
    skip : bool
        Whether networks have a skip connection. Without one the leftmost slope is minus the sum of
        the changes of slope at the breakpoints of the left-active neurons.
    low, high : float
        Least and greatest slope of every piece, in units of y per unit of x.
    min_distance : float
        Least distance between neighbouring breakpoints, in units of x.
    min_points : int
        Least number of distinct inputs in every piece, a breakpoint on an input counting it to
        the right.

    Examples
    --------
    >>> Rules(low=0.0).slopes_bounded
    True
    """

    skip: bool = True
    low: float = -math.inf
    high: float = math.inf
    min_distance: float = 0.0
    min_points: int = 0

    @property
    def slopes_bounded(self) -> bool:
        """Whether slopes are bounded at all."""
        return self.low > -math.inf or self.high < math.inf

    @property
    def spaced(self) -> bool:
        """Whether breakpoints must keep a distance."""
        return self.min_distance > 0.0 or self.min_points > 0

    def describe(self) -> str:
        """Say which networks are meant.

        Examples
        --------
        >>> Rules(min_points=3).describe()
        'with a skip connection, at least 3 inputs in every piece'
        """
        parts = ["with a skip connection" if self.skip else "without a skip connection"]
        if self.slopes_bounded:
            parts.append(f"slopes from {self.low:g} to {self.high:g}")
        if self.min_distance > 0.0:
            parts.append(f"breakpoints at least {self.min_distance:g} apart")
        if self.min_points > 0:
            parts.append(f"at least {self.min_points} inputs in every piece")
        return ", ".join(parts)
