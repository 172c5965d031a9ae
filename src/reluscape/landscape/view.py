"""What decides about a network with several inputs, the same for data and for densities.

As with one input every test is a cosine in L2 between the error `e = N - f` and derivatives of N. A
neuron with v != 0 matters through `A = |v| (w, b)` only, which no rescaling changes; a neuron's
cosine is that with the whole space of its derivatives, `act'(w.x + b) (x, 1)`, so that no affine
change of the inputs changes it either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.sight import DEGENERATE, EPS, IDLE, PARAMETER_ROUNDING
from reluscape.networks.network import Network
from reluscape.problems.units import SeveralInputs, Units

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Eigenvalues of a neuron's Gram matrix below this share of the largest are rounding: the neuron
# has no derivatives in that direction.
NONE = 1e-13


@dataclass(frozen=True, eq=False)
class Neuron:
    """The derivatives of N in the plane (w, b) of one neuron, in units of the problem.

    Attributes
    ----------
    pull : ndarray, shape (inputs + 1,)
        Inner products of the error with `act' (z, 1)`.
    root : ndarray, shape (inputs + 1, rank)
        `root.T @ gram @ root` is the identity, where `gram` holds the inner products of
        `act' (z, 1)` among themselves.
    rounding : float
        By how much rounding may change a cosine of this neuron.
    """

    pull: Floats
    root: Floats
    rounding: float


@dataclass(frozen=True, eq=False)
class View:
    """A network with several inputs and its error, in units of the problem.

    Attributes
    ----------
    problem, network
        What is looked at.
    units : Units
    reduced : Network
        In these units.
    moments : ndarray, shape (inputs + 1, inputs + 1)
        The integral of `(z, 1) (z, 1)^T`.
    squares : float
        The integral of the squared error, less what no function of x can remove.
    blur : float
        By how much that may be wrong by rounding.
    rounding : float
        Norm of the rounding of N that the rounding of its parameters makes.
    role : ndarray of int, shape (width,)
    tolerance : float
    """

    problem: SeveralInputs
    network: Network
    units: Units
    reduced: Network
    moments: Floats = field(repr=False)
    squares: float
    blur: float
    rounding: float
    role: Integers
    tolerance: float

    @cached_property
    def error(self) -> float:
        """The largest norm that the error can have."""
        return float(np.sqrt(self.squares + self.blur))

    def cosine(self, neuron: Neuron) -> float:
        """Return the cosine of the error with the derivatives of a neuron, or its part there."""
        return float(np.linalg.norm(neuron.root.T @ neuron.pull)) / (self.error or 1.0)

    @property
    def nothing(self) -> bool:
        """Whether the error may be no more than rounding."""
        return float(np.sqrt(max(self.squares - self.blur, 0.0))) <= self.rounding

    @cached_property
    def floor(self) -> float:
        """Cosines up to this are zero."""
        return self.tolerance + (self.rounding / self.error if self.error > 0.0 else 1.0)

    @cached_property
    def planes(self) -> Floats:
        """The hyperplanes (w, b) of all neurons, shape (width, inputs + 1)."""
        return np.column_stack([self.reduced.weights, self.reduced.biases])

    @cached_property
    def sizes(self) -> Floats:
        """Norm of `w.z + b` of each neuron in L2."""
        squares = np.einsum("ji,ik,jk->j", self.planes, self.moments, self.planes)
        return np.sqrt(np.maximum(squares, 0.0))

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Which neurons are part of the function, or would be with another v."""
        return (self.role != DEGENERATE) & (self.role != IDLE)

    @property
    def flat(self) -> NDArray[np.bool_]:
        """Which neurons have v = 0."""
        return self.reduced.outputs == 0.0

    def change(self, planes: Floats, outputs: Floats, affine: Floats) -> Floats:
        """Return a change of planes, outputs and affine part (u, c) as one of the user's."""
        parts = [planes[:, :-1].ravel(), planes[:, -1], outputs, affine[-1:]]
        if self.reduced.skip is not None:
            parts.append(affine[:-1])
        return self.units.restore_change(self.reduced, np.concatenate(parts))

    def one(self, j: int, plane: Floats, output: float) -> Floats:
        """Return a change of one neuron as one of the user's parameters."""
        planes, outputs = np.zeros_like(self.planes), np.zeros(len(self.planes))
        planes[j], outputs[j] = plane, output
        return self.change(planes, outputs, np.zeros(len(plane)))


def rounding_of(network: Network, reach: Floats, size: float, mass: float) -> float:
    """Return the norm of the rounding of N that the rounding of its parameters makes.

    Parameters
    ----------
    network : Network
        As the user gave it: far from the origin its parameters are large.
    reach : ndarray, shape (inputs,)
        How far inputs reach.
    size : float
        The unit of values.
    mass : float
    """
    terms = np.abs(network.outputs) @ (np.abs(network.weights) @ reach + np.abs(network.biases))
    terms += np.abs(network.offset)
    if network.skip is not None:
        terms += np.abs(network.skip) @ reach
    # The target is subtracted as well, whose size is about one in the units.
    return PARAMETER_ROUNDING * EPS * (float(terms) / size + 1.0) * float(np.sqrt(mass))


def neuron_of(pull: Floats, gram: Floats, shared: float, single: float = 0.0) -> Neuron:
    """Return a neuron from its inner products.

    Parameters
    ----------
    pull : ndarray, shape (inputs + 1,)
    gram : ndarray, shape (inputs + 1, inputs + 1)
    shared, single : float
        By how much the inner product of the error with a function may be wrong by rounding, over
        the norm of the error: as a share of the norm of the function, and beyond that.
    """
    sizes = np.sqrt(np.maximum(np.diag(gram), 0.0))
    scale = np.where(sizes > 0.0, sizes, 1.0)
    values, axes = np.linalg.eigh(gram / scale / scale[:, np.newaxis])
    used = values > NONE * max(float(values[-1]), 0.0)
    root = (axes[:, used] / np.sqrt(values[used])) / scale[:, np.newaxis]
    if not used.any():
        return Neuron(pull, root, 0.0)
    most = shared + single / float(scale.min())
    return Neuron(pull, root, most / float(np.sqrt(values[used][0])))
