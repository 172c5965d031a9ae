"""A continuous piecewise-linear function in the frame of its problem, and as a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network
from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Polyline:
    """Vertices and values in the reduced frame.

    Attributes
    ----------
    tau : ndarray, shape (k + 2,)
        Left end of the support, breakpoints, right end.
    phi : ndarray, shape (k + 2,)
        Values there.
    squares : float
        Reduced sum of squares.
    left_active : ndarray of bool, shape (k,), or None
        None with a skip connection. Otherwise which breakpoints belong to neurons that are active
        to their left: those make the leftmost slope.
    free_slope : bool
        Whether the leftmost slope is free although there is no skip connection, because one more
        neuron is active on the whole support.
    """

    tau: Floats
    phi: Floats
    squares: float
    left_active: NDArray[np.bool_] | None = None
    free_slope: bool = False


def network_of(line: Polyline, moments: Moments) -> Network:
    """Return the network that is this polyline on the support, in the user's units.

    Breakpoints come out exactly as rounded: inner weights are 1 or -1, biases -t or t.
    """
    x_axis, y_axis = moments.x_axis, moments.y_axis
    knots = x_axis.restore(line.tau[1:-1])
    slopes = slopes_of(line) * (y_axis.scale / x_axis.scale)
    turns = np.diff(slopes)
    start = float(x_axis.restore(line.tau[:1])[0])
    value = float(y_axis.restore(line.phi[:1])[0])
    if line.left_active is None:
        slope = float(slopes[0])
        return Network(np.ones(len(knots)), -knots, turns, value - slope * start, [slope])
    left = line.left_active
    signs = np.where(left, -1.0, 1.0)
    offset = value - float(np.sum(turns[left] * (knots[left] - start)))
    weights, biases, outputs = signs, -signs * knots, turns
    if line.free_slope:
        weights = np.append(1.0, weights)
        biases = np.append(-start, biases)
        outputs = np.append(slopes[0], outputs)
    return Network(weights, biases, outputs, offset)


def slopes_of(line: Polyline) -> Floats:
    """Return the slope of each piece in the reduced frame, 0 where the support is one point."""
    length = np.diff(line.tau)
    rise = np.diff(line.phi)
    return np.divide(rise, length, out=np.zeros_like(rise), where=length > 0)
