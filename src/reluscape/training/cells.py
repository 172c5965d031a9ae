"""Cells of the parameter space in which gradient flow is smooth, and how it passes between them.

In a cell every breakpoint stays in one piece of the target and the density, or between two inputs
of the data, and breakpoints keep their order. On data the gradient jumps where a breakpoint meets
an input; where it pushes there from both sides, the flow stays on the input (Filippov): its
velocity is the mixture of those on both sides that keeps the breakpoint there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]
Kind = Literal["end", "border", "datum", "zero"]
What = Literal["entered", "left", "crossed", "slides", "released", "vanished"]

# Share of `|w| max |x| + |b|` below which `w x + b` may be rounding error.
ROUNDING = 1e-13
# The same for the pushes on a sliding breakpoint, sums over all data.
PUSH_ROUNDING = 1e-12
# Breakpoints may pass each other by this share of the support before the cell is left: going on
# with the old formulas costs the square of it.
MEETING = 1e-9
# Below this share of |v|, (w, b) counts as zero; and to which share of |v| a neuron that is pushed
# away from zero is set, whose square is lost in rounding.
VANISHED, NUDGE = 1e-12, 1e-9
# A neuron that is back at zero within this share of the time passed came back at once.
AT_ONCE = 1e-6


@dataclass(frozen=True)
class FlowEvent:
    """Something that a neuron did at one moment of a `flow`.

    Attributes
    ----------
    time : float
    neuron : int
        Its index in the network.
    kind : {"end", "border", "datum", "zero"}
        What the breakpoint met: an end of the interval, a border between pieces of the target or
        the density, an input of the data; or the neuron came to w = b = 0.
    place : float or None
        Where the breakpoint was; None at w = b = 0.
    what : {"entered", "left", "crossed", "slides", "released", "vanished"}
        "entered" and "left": the interval. "crossed": a border or an input. "slides": from now on
        the breakpoint stays on the input; "released": no longer. "vanished": w = b = 0.

    Examples
    --------
    >>> FlowEvent(0.5, 0, "datum", 1.0, "crossed").what
    'crossed'
    """

    time: float
    neuron: int
    kind: Kind
    place: float | None
    what: What


class Cell:
    """The cell that a flow is in.

    Parameters
    ----------
    moments : Moments
    width : int
    leak : float
        Slope of the activation below zero.
    right : bool
        Whether the derivative of the activation at zero is that to the right.
    """

    def __init__(self, moments: Moments, width: int, leak: float, right: bool) -> None:
        from reluscape.kernels.flow import velocity

        # Kept here: it is called dozens of times a step.
        self._velocity = velocity
        self.table, self.atomic = moments.table, moments.atomic
        self.width, self.leak, self.right = width, leak, right
        self.places = moments.x_axis.restore(moments.table.edges)
        self.reach = float(np.abs(self.places).max())
        self.kind = np.zeros(width, np.int64)
        self.piece = np.zeros(width, np.int64)
        self.datum = np.full(width, -1, np.int64)
        self.order = np.zeros(0, np.int64)
        self.push = np.zeros((width, 2))
        # Guards a w + b: positive inside the cell; both factors 0 where there is none.
        self.by_w, self.by_b = np.zeros((2, width)), np.zeros((2, width))
        self.vanished_at = np.full(width, -np.inf)

    def velocity(self, theta: Floats) -> Floats:
        """Return the velocity of the flow by the formulas of this cell, and set `push`."""
        out = np.empty(len(theta))
        self._velocity(
            theta,
            self.width,
            self.leak,
            self.kind,
            self.piece,
            self.order,
            self.datum,
            self.table,
            out,
            self.push,
        )
        return out

    def enter(self, theta: Floats) -> Floats:
        """Find the cell of a start; return the start, with neurons pushed off w = b = 0."""
        from reluscape.kernels.flow import STILL

        theta = theta.copy()
        on_place: list[tuple[int, int]] = []
        zero: list[int] = []
        for j in range(self.width):
            w, b = float(theta[j]), float(theta[self.width + j])
            if w == 0.0 and b == 0.0:
                zero.append(j)
                self.kind[j] = STILL
            elif w == 0.0:
                self._put(j, 0, b > 0.0)
            else:
                k, meets = self._locate(w, b)
                self._put(j, k, w > 0.0)
                if meets:
                    on_place.append((j, k))
        self._sort(theta)
        for j in zero:
            theta = self._leave_zero(theta, j)
        for j, k in on_place:
            theta = self._start_on(theta, j, k)
        return theta

    def guards(self, w: Floats, b: Floats) -> Floats:
        """Return the guards (2, width) of inner weights and biases; linear in both."""
        return self.by_w * w + self.by_b * b

    def cross(self, theta: Floats, time: float, j: int, side: int) -> tuple[Floats, FlowEvent]:
        """Let neuron j leave the cell by the guard `side`; return the state and what happened."""
        theta = theta.copy()
        v = float(theta[2 * self.width + j])
        size = np.hypot(theta[j], theta[self.width + j])
        if self.datum[j] >= 0 or size <= VANISHED * abs(v):
            return self._vanish(theta, time, j)
        k = self._edge(j, side)
        above = bool(self.by_b[side, j] > 0.0)
        inside = 0 < self.piece[j] < len(self.places)
        theta[self.width + j] = -theta[j] * self.places[k]
        self._side(theta, j, k, not above)
        place = float(self.places[k])
        if self.atomic:
            if (self._climb(theta, j, k) > 0.0) == above:
                self._slide(theta, j, k)
                return theta, FlowEvent(time, j, "datum", place, "slides")
            return theta, FlowEvent(time, j, "datum", place, "crossed")
        if k in (0, len(self.places) - 1):
            return theta, FlowEvent(time, j, "end", place, "left" if inside else "entered")
        return theta, FlowEvent(time, j, "border", place, "crossed")

    def release(self, theta: Floats, time: float, j: int, on: bool) -> tuple[Floats, FlowEvent]:
        """Let neuron j go from the datum it slides on, to where the datum counts or does not."""
        k = int(self.datum[j])
        self._side(theta, j, k, on)
        return theta, FlowEvent(time, j, "datum", float(self.places[k]), "released")

    def stay(self, theta: Floats) -> Floats:
        """Remove what rounding moved the sliding breakpoints off their data."""
        for j in np.flatnonzero(self.datum >= 0):
            theta[self.width + j] = -theta[j] * self.places[self.datum[j]]
        return theta

    def breakpoints(self, theta: Floats) -> Floats:
        """Return the breakpoints in the support in the order that the cell demands."""
        return -theta[self.width + self.order] / theta[self.order]

    def swap(self, i: int) -> None:
        """Let the i-th breakpoint in the support pass the next one."""
        self.order[[i, i + 1]] = self.order[[i + 1, i]]

    def _locate(self, w: float, b: float) -> tuple[int, bool]:
        """Count the places to the left of a breakpoint; say whether it is on the next one."""
        from fractions import Fraction

        places = self.places
        with np.errstate(over="ignore"):
            k = int(np.searchsorted(places, np.float64(-b) / np.float64(w)))

        def right_of(i: int) -> int:
            value = (Fraction(w) * Fraction(float(places[i])) + Fraction(b)) * (1 if w > 0 else -1)
            return (value > 0) - (value < 0)

        while k > 0 and right_of(k - 1) >= 0:
            k -= 1
        while k < len(places) and right_of(k) < 0:
            k += 1
        return k, k < len(places) and right_of(k) == 0

    def _put(self, j: int, piece: int, rising: bool) -> None:
        """Put the breakpoint of neuron j behind `piece` places."""
        from reluscape.kernels.flow import LEFT, OFF, ON, RIGHT

        last = len(self.places)
        self.piece[j], self.datum[j] = piece, -1
        if 0 < piece < last:
            self.kind[j] = RIGHT if rising else LEFT
            signs = (-1.0, 1.0) if rising else (1.0, -1.0)
        else:
            active = rising == (piece == 0)
            self.kind[j] = ON if active else OFF
            signs = (1.0, 1.0) if active else (-1.0, -1.0)
        for side in (0, 1):
            self.by_w[side, j] = signs[side] * self.places[self._edge(j, side)]
            self.by_b[side, j] = signs[side]

    def _edge(self, j: int, side: int) -> int:
        """Return the place that a guard of neuron j watches."""
        last = len(self.places)
        if 0 < self.piece[j] < last:
            return int(self.piece[j]) - 1 + side
        return side * (last - 1)

    def _side(self, theta: Floats, j: int, k: int, above: bool) -> None:
        """Put neuron j next to place k, on the side where its pre-activation there is positive."""
        rising = bool(theta[j] > 0.0)
        self._put(j, k if rising == above else k + 1, rising)
        self._sort(theta)

    def _slide(self, theta: Floats, j: int, k: int) -> None:
        self._side(theta, j, k, False)
        self.datum[j] = k
        # What is left to watch is the orientation.
        self.by_w[:, j] = np.sign(theta[j]), 0.0
        self.by_b[:, j] = 0.0

    def _sort(self, theta: Floats) -> None:
        from reluscape.kernels.flow import LEFT, RIGHT

        inside = np.flatnonzero((self.kind == RIGHT) | (self.kind == LEFT))
        t = -theta[self.width + inside] / theta[inside]
        self.order = inside[np.lexsort((t, self.piece[inside]))]

    def _climb(self, theta: Floats, j: int, k: int) -> float:
        """Return the velocity of the pre-activation of neuron j at place k."""
        rate = self.velocity(theta)
        return float(rate[j] * self.places[k] + rate[self.width + j])

    def _start_on(self, theta: Floats, j: int, k: int) -> Floats:
        """Choose the side of a place that a breakpoint starts on, or let it slide there."""
        theta[self.width + j] = -theta[j] * self.places[k]
        at = theta
        if theta[2 * self.width + j] == 0.0:
            # The neuron rests until its outer weight has grown: look a moment ahead.
            at = theta.copy()
            at[2 * self.width + j] = NUDGE * np.sign(self.velocity(theta)[2 * self.width + j])
        climbs: list[float] = []
        for above in (False, True):
            self._side(theta, j, k, above)
            climbs.append(self._climb(at, j, k))
        # Like descent with small steps: by the field of the side that counts at zero, and if that
        # leads to the other side, on from there by the other field.
        into = 1.0 if self.right else -1.0
        own, other = into * climbs[self.right], into * climbs[not self.right]
        if own < 0.0 <= other and self.atomic:
            self._slide(theta, j, k)
        else:
            self._side(theta, j, k, self.right == (own >= 0.0))
        return theta

    def _vanish(self, theta: Floats, time: float, j: int) -> tuple[Floats, FlowEvent]:
        from reluscape.kernels.flow import STILL

        theta[[j, self.width + j]] = 0.0
        before, self.vanished_at[j] = self.vanished_at[j], time
        self.kind[j], self.datum[j] = STILL, -1
        self.by_w[:, j] = self.by_b[:, j] = 0.0
        self._sort(theta)
        # A neuron that comes back as soon as it is pushed off stays: so does the flow.
        if time - before > AT_ONCE * time:
            theta = self._leave_zero(theta, j)
        return theta, FlowEvent(time, j, "zero", None, "vanished")

    def _leave_zero(self, theta: Floats, j: int) -> Floats:
        """Push a neuron off w = b = 0 if the derivative of the activation chosen there does."""
        from reluscape.kernels.flow import OFF, ON, STILL

        width = self.width
        v = float(theta[2 * width + j])
        self.kind[j] = ON if self.right else OFF
        pull = self.velocity(theta)[[j, width + j]]
        self.kind[j] = STILL
        size = float(np.hypot(*pull))
        if v == 0.0 or size == 0.0:
            return theta
        theta[[j, width + j]] = pull * (NUDGE * abs(v) / size)
        w, b = float(theta[j]), float(theta[width + j])
        if w == 0.0:
            self._put(j, 0, b > 0.0)
        else:
            self._put(j, self._locate(w, b)[0], w > 0.0)
        self._sort(theta)
        return theta
