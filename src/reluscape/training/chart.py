"""Coordinates in which networks with several inputs move: no units, no rescaling of neurons.

Inputs are whitened under the input law, so that the length of a neuron's `(w, b)` is the norm of
`w.x + b` in L2; neurons are balanced, `|(w, b)| = |v|`; and moves are orthogonal to the one that
only rescales a neuron, along which the risk does not change.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.arrays import Floats
from reluscape.networks.network import Network
from reluscape.problems.units import Unitless
from reluscape.training.descent import like

Places: TypeAlias = NDArray[np.int64]

BLUR = 16.0 * float(np.finfo(np.float64).eps)
"""Mean squares this many units in the last place of their terms apart are the same."""

SHORTEST = 1e-2
"""Least length of balanced weights; that of a neuron of the target's size is about one."""


@dataclass(frozen=True, eq=False)
class Moves:
    """The moves at one point that change the function, in an orthonormal basis.

    Parameters
    ----------
    rows : ndarray of int, shape (m, inputs + 2)
        For each neuron that can be rescaled its places in the vector, that of v last.
    mirrors : ndarray of shape (m, inputs + 2)
        A reflection takes the last of these places to the rescaling of the neuron.
    kept : ndarray of int
        The places that are left.
    """

    rows: Places
    mirrors: Floats
    kept: Places

    def reduce(self, array: Floats) -> Floats:
        """Return a vector, or a matrix along its first axis, in the basis."""
        return self._reflected(array)[self.kept]

    def expand(self, move: Floats, size: int) -> Floats:
        """Return a vector of the basis as one of all places."""
        full = np.zeros(size)
        full[self.kept] = move
        return self._reflected(full)

    def _reflected(self, array: Floats) -> Floats:
        out = array.copy()
        for rows, mirror in zip(self.rows, self.mirrors, strict=True):
            out[rows] -= np.multiply.outer(2.0 * mirror, mirror @ array[rows])
        return out


class Chart:
    """Networks like one of a problem as vectors `(w, b, v, c, u)` of whitened inputs.

    Parameters
    ----------
    problem : Unitless
    model : Network
        In the units of the problem: its shapes and its activation.
    """

    def __init__(self, problem: Unitless, model: Network) -> None:
        self._problem, self._model = problem, model
        inputs, moments = problem.inputs, problem.moments / problem.mass
        self._centre = moments[:inputs, inputs]
        covariance = moments[:inputs, :inputs] - np.outer(self._centre, self._centre)
        self._root = np.linalg.cholesky(covariance)
        self._inverse = np.linalg.inv(self._root)
        # Standard normal inputs are white as they are: spare large networks the products.
        self._white = bool((moments == np.eye(inputs + 1)).all())

    @cached_property
    def places(self) -> Places:
        """For each neuron the places of w, b and v in the vector, shape (width, inputs + 2)."""
        width, inputs = self._model.weights.shape
        neurons: Places = np.arange(width, dtype=np.int64)
        w: Places = np.arange(width * inputs, dtype=np.int64).reshape(width, inputs)
        return np.column_stack([w, width * inputs + neurons, width * (inputs + 1) + neurons])

    def vector(self, network: Network) -> Floats:
        """Return a network, in the units of the problem, as a vector."""
        if self._white:
            return network.to_vector()
        return self._moved(
            network,
            network.weights @ self._root,
            network.biases + network.weights @ self._centre,
            None if network.skip is None else self._root.T @ network.skip,
            network.offset + (0.0 if network.skip is None else self._centre @ network.skip),
        ).to_vector()

    def network(self, theta: Floats) -> Network:
        """Return a vector as a network, in the units of the problem."""
        white = like(self._model, theta)
        if self._white:
            return white
        weights = white.weights @ self._inverse
        skip = None if white.skip is None else self._inverse.T @ white.skip
        return self._moved(
            white,
            weights,
            white.biases - weights @ self._centre,
            skip,
            white.offset - (0.0 if skip is None else self._centre @ skip),
        )

    def value(self, theta: Floats) -> float:
        """Return the mean square of the error."""
        return self._problem.judge.risk(self.network(theta)) / self._problem.mass

    def gradient(self, theta: Floats) -> Floats:
        """Return its gradient."""
        return self._pulled(self._problem.judge.gradient(self.network(theta))) / self._problem.mass

    def hessian(self, theta: Floats) -> Floats:
        """Return its Hessian."""
        total = self._problem.judge.hessian(self.network(theta)) / self._problem.mass
        return total if self._white else self._pulled(self._pulled(total).T)

    def size(self, theta: Floats) -> float:
        """Return a bound on the size of the error: the sum of those of its terms, in L2."""
        terms = theta[self.places]
        neurons = np.linalg.norm(terms[:, :-1], axis=1) @ np.abs(terms[:, -1])
        affine = float(np.linalg.norm(theta[self.places.size :]))
        target = float(np.hypot(self._problem.mean, self._problem.spread))
        return float(neurons) + affine + target

    def blur(self, theta: Floats, height: float) -> float:
        """Return by how much mean squares near a point may differ by rounding."""
        size = self.size(theta)
        if self._problem.closed:
            return BLUR * size * size
        # Only the parameters are rounded, when they are balanced.
        return BLUR * (height + size * float(np.sqrt(height)))

    def balanced(self, theta: Floats) -> Floats:
        """Return the same function with `|(w, b)| = |v|` for all neurons that can be rescaled.

        A neuron that adds next to nothing keeps weights of some length: else steps would have to
        be as small, lest they turn it around and around.
        """
        out = theta.copy()
        rows = self.places
        inner = np.linalg.norm(theta[rows[:, :-1]], axis=1)
        outer = np.abs(theta[rows[:, -1]])
        alive = (inner > 0.0) & (outer > 0.0)
        length = np.maximum(np.sqrt(inner * outer), SHORTEST)
        factor = np.where(alive, length / np.where(alive, inner, 1.0), 1.0)
        out[rows[:, :-1]] *= factor[:, np.newaxis]
        out[rows[:, -1]] /= factor
        return out

    def moves(self, theta: Floats) -> Moves:
        """Return the moves at a balanced point that are more than a rescaling of neurons."""
        terms = theta[self.places]
        lengths = np.linalg.norm(terms, axis=1)
        usable = (terms[:, :-1].any(axis=1)) & (terms[:, -1] != 0.0)
        rows = self.places[usable]
        along = terms[usable] / lengths[usable, np.newaxis]
        along[:, -1] *= -1.0
        # The reflection that takes the last unit vector to `along`, by the stable sign.
        along *= -np.where(along[:, -1:] >= 0.0, 1.0, -1.0)
        mirrors = along.copy()
        mirrors[:, -1] -= 1.0
        mirrors /= np.linalg.norm(mirrors, axis=1)[:, np.newaxis]
        dropped = rows[:, -1]
        kept = np.setdiff1d(np.arange(len(theta)), dropped)
        return Moves(rows, mirrors, kept)

    def _moved(
        self, network: Network, weights: Floats, biases: Floats, skip: Floats | None, offset: Floats
    ) -> Network:
        return Network(weights, biases, network.outputs, offset, skip, network.activation)

    def _pulled(self, array: Floats) -> Floats:
        """Turn derivatives by the units' parameters, along the first axis, into the vector's."""
        if self._white:
            return array
        width, inputs = self._model.weights.shape
        rest = array.shape[1:]
        out = array.copy()
        ends = width * inputs
        w, b = array[:ends].reshape(width, inputs, *rest), array[ends : ends + width]
        # w = root^-T w', b = b' - w.centre.
        w = w - np.multiply.outer(self._centre, b).swapaxes(0, 1)
        out[:ends] = np.tensordot(w, self._inverse, axes=(1, 1)).swapaxes(1, -1).reshape(-1, *rest)
        if self._model.skip is not None:
            slope = array[-inputs:] - np.multiply.outer(self._centre, array[-inputs - 1])
            out[-inputs:] = np.tensordot(self._inverse, slope, axes=1)
        return out
