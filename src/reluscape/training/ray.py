"""The risk along a ray through the parameters: a polynomial of degree four between kinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reluscape.networks.arrays import Floats
    from reluscape.training.standardised import Parts, Standardised


@dataclass(frozen=True)
class Stop:
    """Where a search along a ray ended.

    Parameters
    ----------
    length : float
        In units of the direction; 0 if it does not lead down.
    neurons, rows : ndarray of int, shape (m,)
        The pairs whose kink it ended on.
    """

    length: float
    neurons: NDArray[np.intp]
    rows: NDArray[np.intp]


class Ray:
    """The networks `start + t * direction` on data, for t from 0 to 1.

    Parameters
    ----------
    data : Standardised
    start, direction : Parts
    heights : ndarray of shape (width, n)
        Pre-activations at the start; exactly 0 for rows on a hyperplane.
    tied : ndarray of bool, shape (width, n)
        Pairs that stay on their hyperplane all along.
    """

    def __init__(
        self,
        data: Standardised,
        start: Parts,
        direction: Parts,
        heights: Floats,
        tied: NDArray[np.bool_],
    ) -> None:
        self._data, self._start, self._direction = data, start, direction
        self._heights = heights
        self._rises = direction.w @ data.x
        self._rises[tied] = 0.0
        self._line = start.a.T @ data.affine - data.y
        self._line_rise = direction.a.T @ data.affine
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            where = -heights / self._rises
        crossing = (where > 0.0) & (where < 1.0)
        self._pairs = np.nonzero(crossing)
        self._where = where[crossing]
        self._kinks = np.unique(self._where)

    def descend(self) -> Stop:
        """Go down to a local minimum along the ray, exactly onto a kink if it sits on one.

        Returns
        -------
        Stop
        """
        from scipy.optimize import brentq

        low, high = 0.0, 1.0
        if self._slope(low, self._beside(0)) >= 0.0:
            return self._stop(0.0)
        if self._slope(high, self._beside(self._kinks.size)) <= 0.0:
            return self._stop(self._halve())
        first, last = 0, self._kinks.size  # kinks inside the bracket
        while first < last:
            half = (first + last) // 2
            kink = float(self._kinks[half])
            if self._slope(kink, self._beside(half)) > 0.0:
                high, last = kink, half
            elif self._slope(kink, self._beside(half + 1)) < 0.0:
                low, first = kink, half + 1
            else:
                return self._stop(kink)
        side = self._beside(first)
        root, _ = brentq(
            lambda t: self._slope(t, side),
            low,
            high,
            xtol=1e-300,
            maxiter=200,
            full_output=True,
            disp=False,
        )
        return self._stop(float(root))

    def _halve(self) -> float:
        """Return the first of 1, 1/2, 1/4, ... that is lower than the start, or 0."""
        start, t = self._risk(0.0), 1.0
        while t > 1e-12:
            if self._risk(t) < start:
                return t
            t *= 0.5
        return 0.0

    def _beside(self, k: int) -> float:
        """Return a point between the kinks k - 1 and k."""
        low = float(self._kinks[k - 1]) if k > 0 else 0.0
        high = float(self._kinks[k]) if k < self._kinks.size else 1.0
        return 0.5 * (low + high)

    def _stop(self, t: float) -> Stop:
        hit = self._where == t
        return Stop(t, self._pairs[0][hit], self._pairs[1][hit])

    def _risk(self, t: float) -> float:
        errors, _ = self._errors(t, self._derivatives(t))
        return float(np.sum(np.square(errors) @ self._data.weights))

    def _slope(self, t: float, side: float) -> float:
        """Return the derivative at t of the polynomial that the risk is around `side`."""
        derivatives = self._derivatives(side)
        errors, activations = self._errors(t, derivatives)
        v = self._start.v + t * self._direction.v
        rise = v.T @ (derivatives * self._rises)
        rise += self._direction.v.T @ activations
        rise += self._line_rise
        return 2.0 * float(np.sum((errors * rise) @ self._data.weights))

    def _derivatives(self, t: float) -> Floats:
        slope = self._data.activation.slope
        active = self._heights + t * self._rises > 0.0
        return np.where(active, 1.0, slope) if slope else active.astype(np.float64)

    def _errors(self, t: float, derivatives: Floats) -> tuple[Floats, Floats]:
        activations = self._heights + t * self._rises
        activations *= derivatives
        v = self._start.v + t * self._direction.v
        return v.T @ activations + self._line + t * self._line_rise, activations
