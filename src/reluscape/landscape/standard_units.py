"""Parameters of networks in units that fit a problem, so that their sizes mean something.

The inputs run from -1 to 1 (normal inputs stay as they are). The target, less its best affine
function where there is a skip connection and its mean where there is none, has mean square 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from reluscape.networks.activations import Activation
from reluscape.networks.arrays import Floats
from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples

Problem: TypeAlias = Interval | Samples | Polygon | Gaussian

# Newton steps to the best affine function: one, and others for what it loses to rounding.
_STEPS = 3


@dataclass(frozen=True, eq=False)
class Shape:
    """Networks that are looked at.

    Attributes
    ----------
    width, inputs : int
    activation : Activation
    skip : bool
    """

    width: int
    inputs: int
    activation: Activation
    skip: bool

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.width * (self.inputs + 2) + 1 + (self.inputs if self.skip else 0)

    def split(self, theta: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Return w, b, v, c and u of parameters along the last axis; without skip u is empty."""
        h, d = self.width, self.inputs
        w, b, v, c, u = np.split(theta, np.cumsum([h * d, h, h, 1]), axis=-1)
        return w.reshape(*theta.shape[:-1], h, d), b, v, c, u


@dataclass(frozen=True, eq=False)
class Units:
    """Units of a problem: x = centre + half z, and y = level + tilt.z + spread times the value.

    Attributes
    ----------
    centre, half : ndarray of shape (inputs,)
    level : float
    tilt : ndarray of shape (inputs,)
        Zero for networks without skip connection.
    spread : float
    mass : float
        Of all inputs.
    """

    centre: Floats
    half: Floats
    level: float
    tilt: Floats
    spread: float
    mass: float

    @property
    def risk(self) -> float:
        """The unit of the risk, that of the best affine function, or constant."""
        return self.mass * self.spread * self.spread

    def network(self, shape: Shape, theta: Floats) -> Network:
        """Return the network with these parameters, in the units of the user."""
        w, b, v, c, u = shape.split(theta)
        weights = w / self.half
        slope = (self.tilt + self.spread * u) / self.half if shape.skip else None
        level = self.level + self.spread * float(c[0])
        return Network(
            weights,
            b - weights @ self.centre,
            self.spread * v,
            level if slope is None else level - float(slope @ self.centre),
            slope,
            shape.activation,
        )

    def parameters(self, shape: Shape, network: Network) -> Floats:
        """Return the parameters of a network, the other way round.

        Neurons that rescale are first given `max(|w|, |b|) = |v|`.
        """
        w = network.weights * self.half
        b = network.biases + network.weights @ self.centre
        v = network.outputs / self.spread
        slope = np.zeros(shape.inputs) if network.skip is None else network.skip
        c = (float(network.offset) + float(slope @ self.centre) - self.level) / self.spread
        u = (slope * self.half - self.tilt) / self.spread if shape.skip else np.zeros(0)
        if shape.activation.piecewise_linear:
            inner = np.maximum(np.abs(w).max(axis=1, initial=0.0), np.abs(b))
            alive = (inner > 0.0) & (v != 0.0)
            factor = np.sqrt(np.abs(v[alive]) / inner[alive])
            w[alive] *= factor[:, np.newaxis]
            b[alive] *= factor
            v[alive] /= factor
        return np.concatenate([w.ravel(), b, v, [c], u])

    def pulled_back(self, shape: Shape, rows: Floats) -> Floats:
        """Return derivatives by these parameters from those by the user's, along the last axis."""
        w, b, v, c, u = shape.split(rows)
        by_w = (w - b[..., np.newaxis] * self.centre) / self.half
        by_u = self.spread * (u - c * self.centre) / self.half if shape.skip else u
        flat = by_w.reshape(*rows.shape[:-1], -1)
        return np.concatenate([flat, b, self.spread * v, self.spread * c, by_u], axis=-1)


def units_of(problem: Problem, skip: bool) -> Units:
    """Return the units of a problem for networks with or without a skip connection.

    Examples
    --------
    >>> from reluscape import affine
    >>> units = units_of(Interval(affine(3.0, 1.0), 0.0, 2.0), False)
    >>> units.centre, units.half, round(units.level, 9), round(units.spread**2, 9)
    (array([1.]), array([1.]), 4.0, 3.0)
    """
    low, high = _range(problem)
    half = (high - low) / 2.0
    half[half == 0.0] = 1.0
    inputs = problem.inputs
    shape = Shape(0, inputs, Activation("relu"), skip)
    plain = Units((low + high) / 2.0, half, 0.0, np.zeros(inputs), 1.0, 1.0)
    # The risk of affine functions is a quadratic form.
    theta = np.zeros(shape.size)
    start = plain.network(shape, theta)
    curved = plain.pulled_back(shape, problem.hessian(start))
    curved = plain.pulled_back(shape, curved.T)
    for _ in range(_STEPS):
        gradient = problem.gradient(plain.network(shape, theta))
        # Inputs that do not vary leave the form singular.
        theta = theta - np.linalg.pinv(curved) @ plain.pulled_back(shape, gradient)
    mass = float(curved[0, 0]) / 2.0
    spread = float(np.sqrt(problem.risk(plain.network(shape, theta)) / mass))
    level, tilt = float(theta[0]), theta[1:] if skip else np.zeros(inputs)
    # What is left of an affine target is rounding.
    size = float(np.sqrt(problem.risk(start) / mass))
    visible = spread > 1e-12 * size
    return Units(plain.centre, half, level, tilt, spread if visible else size or 1.0, mass)


def size_of(shape: Shape, theta: Floats) -> float:
    """Return the largest parameter; neurons that rescale count with `max(|w|, |b|) = |v|`.

    Examples
    --------
    >>> size_of(Shape(1, 1, Activation("relu"), False), np.array([8.0, 1.0, 0.5, 0.0]))
    2.0
    """
    w, b, v, c, u = shape.split(theta)
    inner = np.maximum(np.abs(w).max(axis=-1, initial=0.0), np.abs(b))
    outer = np.abs(v)
    if shape.activation.piecewise_linear:
        neurons = np.sqrt(inner * outer)
    else:
        # A neuron that adds nothing has no size.
        neurons = np.where(outer > 0.0, np.maximum(inner, outer), 0.0)
    return float(max(neurons.max(initial=0.0), np.abs(c).max(), np.abs(u).max(initial=0.0)))


def _range(problem: Problem) -> tuple[Floats, Floats]:
    if isinstance(problem, Interval):
        return np.array([problem.a]), np.array([problem.b])
    if isinstance(problem, Gaussian):
        return -np.ones(problem.inputs), np.ones(problem.inputs)
    x = problem.vertices if isinstance(problem, Polygon) else problem.x.reshape(problem.size, -1)
    return x.min(axis=0), x.max(axis=0)
