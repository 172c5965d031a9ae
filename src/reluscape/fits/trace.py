"""What was known when: the two bounds on the least risk over the time of a search."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Share of the gap that closes between two rows: less would not be seen.
VISIBLE = 0.01
# Beyond so many rows every second one goes.
MOST = 300


def _now() -> float:
    return time.perf_counter()


@dataclass
class Trace:
    """Notes bounds as they come; few enough to draw.

    Attributes
    ----------
    begun : float
        `time.perf_counter` when the call began.
    rows : list of (seconds, lower bound, risk)

    Examples
    --------
    >>> trace = Trace(_now())
    >>> for bound in (0.0, 0.5, 0.502, 0.4, 0.9):
    ...     trace.note(bound, 1.0)
    >>> trace.until(0.9, 1.0)[:, 1:]
    array([[0. , 1. ],
           [0.5, 1. ],
           [0.9, 1. ],
           [0.9, 1. ]])
    """

    begun: float
    rows: list[tuple[float, float, float]] = field(default_factory=list[tuple[float, float, float]])

    def note(self, bound: float, risk: float) -> None:
        """Add a row, unless nothing that could be seen has changed."""
        if self.rows:
            _, before, above = self.rows[-1]
            if risk == above and bound - before <= VISIBLE * (risk - before):
                return
            bound = max(bound, before)
        self.rows.append((_now() - self.begun, bound, risk))
        if len(self.rows) > MOST:
            self.rows = [*self.rows[:-1:2], self.rows[-1]]

    def until(self, bound: float, risk: float) -> Floats:
        """Return the rows, and the final state as the last one.

        Parameters
        ----------
        bound, risk : float

        Returns
        -------
        ndarray, shape (t, 3)
            Seconds, lower bound, risk.
        """
        rows = np.array([*self.rows, (_now() - self.begun, bound, risk)])
        # The search may have counted on rounding that the certificate does not.
        rows[:, 1] = np.minimum(rows[:, 1], bound)
        return rows
