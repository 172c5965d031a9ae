"""What a fit may be asked to obey."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reluscape.errors import InputError
from reluscape.networks.arrays import is_number, is_whole


@dataclass(frozen=True)
class Constraints:
    """Constraints on a continuous piecewise-linear fit.

    Attributes
    ----------
    monotone : {None, "increasing", "decreasing"}
        Direction of the whole function (weakly).
    slope_bounds : None or (float, float)
        Least and greatest slope of every piece, in units of y per unit of x; infinite for none.
    min_distance : float
        Least distance between neighbouring breakpoints, in units of x.
    min_points : int
        Least number of distinct inputs in every piece, a breakpoint on an input counting it to
        the right.

    Examples
    --------
    >>> Constraints(monotone="increasing").slopes
    (0.0, inf)
    """

    monotone: str | None = None
    slope_bounds: tuple[float, float] | None = None
    min_distance: float = 0.0
    min_points: int = 0

    def __post_init__(self) -> None:
        """Check the values against each other."""
        if self.monotone not in (None, "increasing", "decreasing"):
            raise InputError(
                f'monotone is {self.monotone!r}; use "increasing", "decreasing" or None.'
            )
        if self.slope_bounds is not None:
            try:
                low, high = (float(bound) for bound in self.slope_bounds)
            except (TypeError, ValueError):
                raise InputError(
                    f"slope_bounds is {self.slope_bounds!r}; give two numbers, (least, greatest)."
                ) from None
            if math.isnan(low) or math.isnan(high) or low > high:
                raise InputError(f"slope_bounds are ({low}, {high}); give (least, greatest).")
        if not is_number(self.min_distance) or not 0.0 <= self.min_distance < math.inf:
            raise InputError(f"min_distance is {self.min_distance!r}; give a finite number >= 0.")
        if not is_whole(self.min_points) or self.min_points < 0:
            raise InputError(f"min_points is {self.min_points!r}; give a whole number >= 0.")
        low, high = self.slopes
        if low > high:
            raise InputError(
                f"slope_bounds {self.slope_bounds} leave no slope for a fit that is "
                f"{self.monotone}; relax one of them."
            )

    @property
    def slopes(self) -> tuple[float, float]:
        """Bounds on every slope, `monotone` included."""
        low, high = (-math.inf, math.inf) if self.slope_bounds is None else self.slope_bounds
        if self.monotone == "increasing":
            low = max(low, 0.0)
        if self.monotone == "decreasing":
            high = min(high, 0.0)
        return low, high

    @property
    def active(self) -> bool:
        """Whether anything is asked for at all."""
        return self.slopes != (-math.inf, math.inf) or self.min_distance > 0 or self.min_points > 0
