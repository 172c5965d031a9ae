"""Problems with several inputs in units of their own, in which tolerances and steps mean the same.

Inputs are `x = centre + scale * z`, values `f = level + size * t`. A neuron `(w, b, v)` of x is the
neuron `(scale w, b + w.centre, v / size)` of z, and the risk only changes by a constant factor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np

from reluscape.networks.arrays import Floats
from reluscape.networks.network import Network
from reluscape.problems import dense
from reluscape.problems.cellwise import Ground, integrate
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.plane import Frame
from reluscape.problems.polygon import Polygon
from reluscape.problems.polygon_hessian import hessian
from reluscape.problems.samples import Samples

SeveralInputs: TypeAlias = Polygon | Gaussian | Samples
"""The problems that have no cumulative moments: everything but one input on a line."""


class Judge(Protocol):
    """What gives a network in units of the problem its risk and derivatives."""

    def risk(self, network: Network, /) -> float:
        """Return the risk."""
        ...

    def gradient(self, network: Network, /) -> Floats:
        """Return the generalized gradient, in the order of `Network.to_vector`."""
        ...

    def hessian(self, network: Network, /) -> Floats:
        """Return the Hessian, in the same order."""
        ...


@dataclass(frozen=True, eq=False)
class Units:
    """The change of variables `x = centre + scale * z`, `f = level + size * t`.

    Parameters
    ----------
    centre, scale : ndarray of shape (inputs,)
        All scales positive.
    level, size : float
        `size` positive.
    """

    centre: Floats
    scale: Floats
    level: float
    size: float

    def reduce(self, network: Network) -> Network:
        """Return a network of x as one of z."""
        skip, offset = network.skip, network.offset - self.level
        if skip is not None:
            offset = offset + self.centre @ skip
            skip = (skip.T * self.scale).T / self.size
        return Network(
            network.weights * self.scale,
            network.biases + network.weights @ self.centre,
            network.outputs / self.size,
            offset / self.size,
            skip,
            network.activation,
        )

    def restore(self, network: Network) -> Network:
        """Return a network of z as one of x."""
        weights = network.weights / self.scale
        skip, offset = network.skip, self.level + self.size * network.offset
        if skip is not None:
            skip = (skip.T / self.scale).T * self.size
            offset = offset - self.centre @ skip
        return Network(
            weights,
            network.biases - weights @ self.centre,
            network.outputs * self.size,
            offset,
            skip,
            network.activation,
        )

    def restore_change(self, like: Network, change: Floats) -> Floats:
        """Return a change of the parameters of z as one of those of x.

        Parameters
        ----------
        like : Network
            Scalar; says how many parameters there are of each sort.
        change : ndarray of shape (parameters,)
            In the order of `Network.to_vector`.
        """
        width, inputs = like.weights.shape
        w, b, v, rest = np.split(change, np.cumsum([width * inputs, width, width]))
        w = w.reshape(width, inputs) / self.scale
        parts = [w.ravel(), b - w @ self.centre, v * self.size, rest[:1] * self.size]
        if like.skip is not None:
            slope = rest[1:] / self.scale * self.size
            parts[-1] = parts[-1] - self.centre @ slope
            parts.append(slope)
        return np.concatenate(parts)


@dataclass(frozen=True, eq=False)
class Unitless:
    """A problem in its units.

    Parameters
    ----------
    units : Units
    judge : Judge
        Of networks of z.
    inputs : int
    reach : ndarray of shape (inputs,)
        How far the user's inputs reach, in size.
    closed : bool, default False
        Whether the risk is a sum of terms in closed form, each of them rounded: small risks are
        then known up to the rounding of the terms only.
    """

    units: Units
    judge: Judge
    inputs: int
    reach: Floats
    closed: bool = False

    @cached_property
    def moments(self) -> Floats:
        """The integral of `(z, 1) (z, 1)^T`, shape (inputs + 1, inputs + 1)."""
        total = self.judge.hessian(self._affine) / 2.0
        # The offset comes first there.
        order = [*range(1, self.inputs + 1), 0]
        return total[np.ix_(order, order)]

    @property
    def mass(self) -> float:
        """The integral of 1."""
        return float(self.moments[-1, -1])

    @cached_property
    def mean(self) -> float:
        """Mean of the target, in the units."""
        return -float(self.judge.gradient(self._affine)[0]) / (2.0 * self.mass)

    @cached_property
    def spread(self) -> float:
        """Standard deviation of the target, in the units."""
        square = self.judge.risk(self._affine) / self.mass - self.mean**2
        return math.sqrt(max(square, 0.0))

    @property
    def _affine(self) -> Network:
        none = np.empty((0, self.inputs))
        return Network(none, [], [], 0.0, np.zeros(self.inputs))


def unitless(problem: SeveralInputs) -> Unitless:
    """Return a problem with scalar targets in units of its own.

    Parameters
    ----------
    problem : Polygon, Gaussian or Samples

    Returns
    -------
    Unitless

    Examples
    --------
    >>> from reluscape import polynomial2d
    >>> far = Polygon(polynomial2d([[0, 8]]), [[100, 0], [104, 0], [104, 4], [100, 4]])
    >>> found = unitless(far)
    >>> found.units.centre, found.units.scale, found.units.size
    (array([102.,   2.]), array([4., 4.]), 32.0)
    >>> found.mass, round(found.mean, 12)
    (1.0, 0.5)
    """
    if isinstance(problem, Polygon):
        return _plane(problem)
    if isinstance(problem, Gaussian):
        return _normal(problem)
    return _rows(problem)


def _plane(problem: Polygon) -> Unitless:
    ground, frame = problem.ground, problem.frame
    units = Units(
        np.array(frame.centre),
        np.full(2, frame.unit),
        0.0,
        math.ldexp(1.0, ground.target.exponent),
    )
    # The cells, the target and the density are those of the frame already: nothing is rounded.
    own = replace(
        ground,
        frame=Frame((0.0, 0.0), 0),
        target=replace(ground.target, exponent=0),
        density=replace(ground.density, exponent=0),
    )
    return Unitless(units, _OnGround(own), 2, np.abs(problem.vertices).max(axis=0))


def _normal(problem: Gaussian) -> Unitless:
    inputs, teacher = problem.inputs, problem.teacher
    nothing = Network(np.empty((0, inputs)), [], [])
    size = _power_of_two(math.sqrt(problem.risk(nothing)))
    skip = None if teacher.skip is None else teacher.skip / size
    reduced = Network(
        teacher.weights,
        teacher.biases,
        teacher.outputs / size,
        teacher.offset / size,
        skip,
        teacher.activation,
    )
    units = Units(np.zeros(inputs), np.ones(inputs), 0.0, size)
    return Unitless(units, Gaussian(reduced), inputs, np.ones(inputs), closed=True)


def _rows(problem: Samples) -> Unitless:
    x, y = problem.x.reshape(problem.size, -1), problem.y.reshape(problem.size)
    used = problem.weights > 0.0
    x, y, weights = x[used], y[used], problem.weights[used]
    shares = weights / weights.max()
    shares /= shares.sum()
    centre, level = shares @ x, float(shares @ y)
    spread = np.sqrt(shares @ np.square(x - centre))
    size = math.sqrt(float(shares @ np.square(y - level))) or 1.0
    scale = np.where(spread > 0.0, spread, 1.0)
    units = Units(centre, scale, level, size)
    judge = _OnRows((x - centre) / scale, (y - level) / size, shares)
    return Unitless(units, judge, x.shape[1], np.abs(x).max(axis=0))


def _power_of_two(value: float) -> float:
    """Return the power of two near a number; 1 for 0."""
    return math.ldexp(1.0, math.frexp(value)[1]) if value > 0.0 else 1.0


@dataclass(frozen=True, eq=False)
class _OnGround:
    """A polygon in its frame."""

    ground: Ground

    def risk(self, network: Network) -> float:
        return integrate(self.ground, network, False).risk

    def gradient(self, network: Network) -> Floats:
        return integrate(self.ground, network, False).gradient

    def hessian(self, network: Network) -> Floats:
        return hessian(integrate(self.ground, network, False))


@dataclass(frozen=True, eq=False)
class _OnRows:
    """Data with mean 0 and spread 1."""

    x: Floats
    y: Floats
    weights: Floats

    def risk(self, network: Network) -> float:
        return dense.risk(network, self.x, self.y, self.weights)

    def gradient(self, network: Network) -> Floats:
        return dense.gradient(network, self.x, self.y, self.weights)

    def hessian(self, network: Network) -> Floats:
        return dense.hessian(network, self.x, self.y, self.weights)
