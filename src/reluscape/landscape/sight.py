"""What the first derivatives of the risk say about each neuron, free of units and scales.

Everything is in the reduced frame of the moments, and every test is a cosine: the inner product of
the error `e = N - f` and of a derivative of N, divided by both norms in L2. Rescaling a neuron,
shifting or scaling x or y, changes none of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.line import Evaluation, evaluate
from reluscape.problems.moments import Moments
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

EPS = float(np.finfo(np.float64).eps)
# -b / w is rounded, and so is b = -w t: a breakpoint this many units in the last place of w x or b
# away from a datum or an end is on it.
ON_POINT = 8.0
# Parameters are rounded, and with them the error: cosines below this many units in the last place
# of the terms of N, divided by the error, say nothing.
PARAMETER_ROUNDING = 16.0
# Where rounding of the parameters makes cosines of this size, vanishing ones decide nothing.
BLIND = 1e-4

# What a neuron is to the risk: w = b = 0; no part of N on the support; affine on all of it; bent
# inside it; bent on a datum, the first and the last one included.
DEGENERATE, IDLE, CARRIER, KINK, EDGE = range(5)


@dataclass(frozen=True, eq=False)
class Sight:
    """A network as its problem sees it.

    Attributes
    ----------
    problem, network
        What is looked at.
    evaluation : Evaluation
        Error and integrals in the reduced frame; rows on a breakpoint count where `w x + b > 0`.
    t : ndarray, shape (width,)
        Breakpoints, reduced; nan for w = 0.
    role : ndarray of int, shape (width,)
        DEGENERATE, IDLE, CARRIER, KINK or EDGE.
    point : ndarray of int, shape (width,)
        The datum that the breakpoint is on, or the end of the interval (0, 1); else -1.
    tolerance : float
        Cosines up to `floor`, which adds rounding to it, are zero.
    """

    problem: Samples | Interval
    network: Network
    evaluation: Evaluation
    t: Floats
    role: Integers
    point: Integers
    tolerance: float

    @property
    def moments(self) -> Moments:
        """The moments of the problem."""
        return self.problem.moments

    @property
    def atomic(self) -> bool:
        """Whether the measure sits on points."""
        return self.moments.atomic

    @property
    def leak(self) -> float:
        """Slope of the activation to the left of zero."""
        return self.network.activation.slope

    @property
    def gain(self) -> float:
        """Factor from reduced integrals of e to derivatives of the risk in the user's units."""
        return 2.0 * self.moments.mass * self.moments.y_axis.scale

    @cached_property
    def risk(self) -> float:
        """The risk in the user's units."""
        return self.evaluation.squares * self.moments.mass * self.moments.y_axis.scale**2

    @cached_property
    def excess(self) -> float:
        """Norm of the error beyond what no function of x can remove, reduced."""
        squares = self.evaluation.squares
        if isinstance(self.problem, Samples):
            unit = self.moments.mass * self.moments.y_axis.scale**2
            squares -= self.problem.pure_error / unit
        return float(np.sqrt(max(squares, 0.0)))

    @cached_property
    def rounding(self) -> float:
        """Norm of the rounding of N that the rounding of its parameters makes, reduced."""
        network, x, y = self.network, self.moments.x_axis, self.moments.y_axis
        # In the user's units: parameters are rounded there, and far from the origin they are large.
        reach = float(np.abs(x.restore(np.array(self.moments.support))).max())
        size = np.abs(network.outputs) @ (
            np.abs(network.weights[:, 0]) * reach + np.abs(network.biases)
        )
        size += abs(float(network.offset))
        if network.skip is not None:
            size += abs(float(network.skip[0])) * reach
        # The error is that of subtracting f as well, whose size is at most one, reduced.
        total = float(size) / y.scale + 1.0
        return PARAMETER_ROUNDING * EPS * total * float(np.sqrt(self.mass.sum()))

    @cached_property
    def floor(self) -> float:
        """Cosines up to this are zero."""
        norm = self.excess
        return self.tolerance + (self.rounding / norm if norm > 0.0 else 1.0)

    @property
    def mass(self) -> Floats:
        """Mass of each interval between breakpoints, shape (width + 1,)."""
        return self.evaluation.segments[:, 0]

    @cached_property
    def slopes(self) -> Floats:
        """Slope of each activation on each of these intervals, shape (width + 1, width)."""
        from reluscape.kernels import exact

        reduced = self.evaluation.reduced
        active = np.empty((self.network.width + 1, self.network.width))
        exact.activity(reduced.weights, reduced.bias, self.leak, False, self.moments.table, active)
        return active

    @cached_property
    def tangents(self) -> Tangents:
        """Cosines of the error with the derivatives in each neuron's parameters."""
        return _tangents(self)


@dataclass(frozen=True, eq=False)
class Tangents:
    """Inner products of the error with derivatives of N, as cosines.

    Attributes
    ----------
    level, tilt : float
        With 1, and with x about its mean.
    output : ndarray, shape (width,)
        With `act(w x + b)`.
    shift, turn : ndarray, shape (width,)
        With `act'`, and with `act' x` made orthogonal to it; for neurons on a datum, `turn` turns
        them about it and `shift` is `away`.
    centre : ndarray, shape (width,)
        What x is taken about in `turn`, reduced.
    norms : ndarray, shape (3, width)
        Of the derivatives behind `shift`, `turn` and `output`.
    away, into : ndarray, shape (width,)
        For neurons on a datum: with `act'` where the datum counts on the lower side of the bend,
        and where it counts on the upper side; nan for others.
    """

    level: float
    tilt: float
    output: Floats
    shift: Floats
    turn: Floats
    centre: Floats
    norms: Floats
    away: Floats
    into: Floats


def look(problem: Samples | Interval, network: Network, tolerance: float) -> Sight:
    """Return how a one-dimensional problem sees a network."""
    from reluscape.kernels import tangents

    moments = problem.moments
    evaluation = evaluate(moments, network)
    reduced = evaluation.reduced
    t, role, point = tangents.roles(
        reduced.weights,
        reduced.bias,
        reduced.power,
        np.ascontiguousarray(network.weights[:, 0]),
        network.biases,
        moments.table,
        network.activation.slope,
        moments.atomic,
        ON_POINT * EPS,
    )
    return Sight(problem, network, evaluation, t, role, point, tolerance)


def counted(sight: Sight, j: int) -> bool:
    """Return whether the datum that neuron j is on counts as active in the integrals."""
    x = float(sight.moments.x_axis.restore(sight.moments.table.edges[sight.point[j]]))
    w, b = sight.network.weights[j, 0], sight.network.biases[j]
    return Fraction(float(w)) * Fraction(x) + Fraction(float(b)) > 0


def row(sight: Sight, index: int) -> tuple[float, float]:
    """Return the mass of a datum and the error there, reduced."""
    table = sight.moments.table
    sums = (table.high[index + 1, 0] - table.high[index, 0]) + (
        table.low[index + 1, 0] - table.low[index, 0]
    )
    x = sight.moments.x_axis.restore(table.edges[index : index + 1])
    value = float(sight.moments.y_axis.reduce(sight.network(x))[0])
    return float(sums[0]), value - float(sums[3] / sums[0])


def _tangents(sight: Sight) -> Tangents:
    from reluscape.kernels import tangents

    segments = sight.evaluation.segments
    mass, mean, spread = segments.T
    norm = sight.excess or 1.0
    reduced = sight.evaluation.reduced
    on, on_x, output = (column.copy() for column in sight.evaluation.integrals.T)
    centre, extra = np.full(len(on), np.nan), np.zeros(len(on))
    away, into = np.full(len(on), np.nan), np.full(len(on), np.nan)
    for j in np.flatnonzero(sight.role == EDGE):
        m, e = row(sight, int(sight.point[j]))
        centre[j] = sight.moments.table.edges[sight.point[j]]
        # The row counts with the slope 1 above the bend and with the leak below it.
        bend = (1.0 - sight.leak) * m * e
        if counted(sight, int(j)):
            on[j] -= bend
            on_x[j] -= bend * centre[j]
        else:
            extra[j] = m
        away[j], into[j] = on[j], on[j] + bend
    norms = np.sqrt(
        tangents.norms(reduced.weights, reduced.bias, segments, sight.slopes, extra, centre)
    )
    total = float(mass.sum())
    middle = float(mass @ mean) / total
    wide = float(mass @ (mean - middle) ** 2 + spread.sum())
    error, error_x = sight.evaluation.error, sight.evaluation.error_x
    scale = norm * norms
    return Tangents(
        _ratio(error, norm * math.sqrt(total)),
        _ratio(error_x - middle * error, norm * math.sqrt(wide)),
        _ratios(output, scale[2]),
        _ratios(on, scale[0]),
        _ratios(on_x - centre * on, scale[1]),
        centre,
        norms,
        _ratios(away, scale[0]),
        _ratios(into, scale[0]),
    )


def _ratio(value: float, size: float) -> float:
    return float(value / size) if size > 0.0 else 0.0


def _ratios(values: Floats, sizes: Floats) -> Floats:
    return np.where(sizes > 0.0, values / np.where(sizes > 0.0, sizes, 1.0), 0.0)
