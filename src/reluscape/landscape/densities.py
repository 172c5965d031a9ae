"""First derivatives on a polygon and for normal inputs, with all that second order needs.

All of it comes from one gradient and one Hessian of the *spread* network, which has the same
function: neurons with v != 0 are rescaled to v = 1 or -1, those with v = 0 become a pair of outputs
1 and -1, whose parts cancel and whose derivatives do not, and there is a skip connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.sight import CARRIER, DEGENERATE, EPS, IDLE, KINK, ON_POINT
from reluscape.landscape.view import Neuron, View, neuron_of, rounding_of
from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.orthants import FAR
from reluscape.problems.polygon import Polygon
from reluscape.problems.units import Unitless, unitless

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Rounding of an integral, in units in the last place of the sizes of its terms.
INTEGRAL = 64.0
# Hyperplanes asked about at once: the lines of all of them cut a polygon.
AT_ONCE = 9


@dataclass(frozen=True, eq=False)
class Density(View):
    """A network on a polygon, or under the normal law.

    Attributes
    ----------
    own : Unitless
    touched : dict of int to ndarray of bool
        For neurons whose line meets the polygon in a corner or an edge only, the corners that it
        meets.
    """

    own: Unitless = field(repr=False)
    touched: dict[int, NDArray[np.bool_]] = field(repr=False)

    @property
    def leak(self) -> float:
        """Slope of the activation to the left of zero."""
        return self.reduced.activation.slope

    @cached_property
    def order(self) -> Integers:
        """The neuron that each one of the spread network belongs to; the pairs come last."""
        firm = np.flatnonzero(self.alive & ~self.flat)
        flat = np.flatnonzero(self.alive & self.flat)
        return np.concatenate([firm, np.repeat(flat, 2)])

    @cached_property
    def spread(self) -> Network:
        """The spread network."""
        firm = int(np.sum(self.alive & ~self.flat))
        outputs = self.reduced.outputs[self.order]
        scale, signs = np.abs(outputs), np.sign(outputs)
        scale[firm:] = 1.0 / self.sizes[self.order[firm:]]
        signs[firm:] = np.tile([1.0, -1.0], (len(signs) - firm) // 2)
        planes = self.planes[self.order] * scale[:, np.newaxis]
        reduced = self.reduced
        skip = np.zeros(reduced.inputs) if reduced.skip is None else reduced.skip
        return Network(
            planes[:, :-1], planes[:, -1], signs, reduced.offset, skip, reduced.activation
        )

    @cached_property
    def gradient(self) -> Floats:
        """Of the spread network."""
        return self.own.judge.gradient(self.spread)

    @cached_property
    def hessian(self) -> Floats:
        """Of the spread network."""
        return self.own.judge.hessian(self.spread)

    def places(self, k: int) -> Integers:
        """Return where (w, b) of neuron k of the spread network stand among its parameters."""
        width, inputs = self.spread.weights.shape
        first: Integers = np.arange(k * inputs, (k + 1) * inputs, dtype=np.int64)
        return np.append(first, width * inputs + k)

    @property
    def affine_places(self) -> Integers:
        """Where (u, c) of the spread network stand among its parameters."""
        width, inputs = self.spread.weights.shape
        offset = width * (inputs + 2)
        slope: Integers = np.arange(offset + 1, offset + 1 + inputs, dtype=np.int64)
        return np.append(slope, offset)

    @cached_property
    def affine(self) -> Floats:
        """Inner products of the error with (z, 1)."""
        return self.gradient[self.affine_places] / 2.0

    @cached_property
    def grams(self) -> Floats:
        """Inner products of `act' (z, 1)` of each neuron of the spread network among themselves."""
        out = np.empty((self.spread.width, len(self.moments), len(self.moments)))
        for k, sign in enumerate(self.spread.outputs):
            once = self.hessian[np.ix_(self.places(k), self.affine_places)] * (sign / 2.0)
            # With a leak, act' is 1 or the leak: its square follows from itself.
            out[k] = (1.0 + self.leak) * once - self.leak * self.moments
        return out

    @cached_property
    def neurons(self) -> dict[int, Neuron]:
        """Each neuron that is alive, by its number."""
        found: dict[int, Neuron] = {}
        single = INTEGRAL * EPS * self.terms / (self.error or 1.0) if self.own.closed else 0.0
        for k, j in enumerate(self.order.tolist()):
            if j not in found:
                pull = self.gradient[self.places(k)] * (self.spread.outputs[k] / 2.0)
                found[j] = neuron_of(pull, self.grams[k], INTEGRAL * EPS, single)
        return found

    @cached_property
    def output(self) -> Floats:
        """Cosine of the error with `act(w.x + b)` of each neuron, 0 for those not alive."""
        out = np.zeros(len(self.role))
        for k, j in enumerate(self.order.tolist()):
            plane = np.append(self.spread.weights[k], self.spread.biases[k])
            norm = float(np.sqrt(max(plane @ self.grams[k] @ plane, 0.0)))
            inner = float(plane @ self.neurons[j].pull)
            out[j] = inner / (norm * self.error) if norm > 0.0 and self.error > 0.0 else 0.0
        return out

    @cached_property
    def terms(self) -> float:
        """The sum of the sizes of the terms of N and of the target, in L2."""
        reduced, own = self.reduced, self.own
        skip = np.zeros(reduced.inputs) if reduced.skip is None else reduced.skip
        affine = np.append(skip, reduced.offset)
        size = float(np.abs(reduced.outputs) @ self.sizes)
        size += float(np.sqrt(max(affine @ self.moments @ affine, 0.0)))
        return size + float(np.hypot(own.mean, own.spread)) * float(np.sqrt(own.mass))

    def respond(self, planes: Floats) -> tuple[Floats, Floats]:
        """Return the inner products of the error with `act(w.z + b)`, and their gradients.

        Parameters
        ----------
        planes : ndarray, shape (m, inputs + 1)
        """
        values, slopes = np.empty(len(planes)), np.empty_like(planes)
        reduced = self.reduced
        width, inputs = reduced.weights.shape
        for start in range(0, len(planes), AT_ONCE):
            some = np.repeat(planes[start : start + AT_ONCE], 2, axis=0)
            asked = Network(
                np.vstack([reduced.weights, some[:, :-1]]),
                np.concatenate([reduced.biases, some[:, -1]]),
                np.concatenate([reduced.outputs, np.tile([1.0, -1.0], len(some) // 2)]),
                reduced.offset,
                reduced.skip,
                reduced.activation,
            )
            gradient = self.own.judge.gradient(asked) / 2.0
            total = width + len(some)
            w = gradient[: total * inputs].reshape(total, inputs)[width::2]
            b, v = gradient[total * inputs : total * (inputs + 2)].reshape(2, total)[:, width::2]
            slopes[start : start + AT_ONCE] = np.column_stack([w, b])
            values[start : start + AT_ONCE] = v
        return values, slopes


def look_at_density(problem: Polygon | Gaussian, network: Network, tolerance: float) -> Density:
    """Return how a polygon, or the normal law, sees a network.

    Parameters
    ----------
    problem : Polygon or Gaussian
    network : Network
        Piecewise linear, of scalar values.
    tolerance : float

    Returns
    -------
    Density
    """
    own = unitless(problem)
    reduced = own.units.reduce(network)
    touched: dict[int, NDArray[np.bool_]] = {}
    if isinstance(problem, Polygon):
        role, touched, outwards = _in_the_plane(problem, network)
        biases = reduced.biases + outwards
        reduced = Network(
            reduced.weights,
            biases,
            reduced.outputs,
            reduced.offset,
            reduced.skip,
            reduced.activation,
        )
    else:
        role = _in_space(reduced)
    found = Density(
        problem=problem,
        network=network,
        units=own.units,
        reduced=reduced,
        moments=own.moments,
        squares=own.judge.risk(reduced),
        blur=0.0,
        rounding=rounding_of(network, own.reach, own.units.size, own.mass),
        role=role,
        tolerance=tolerance,
        own=own,
        touched=touched,
    )
    # Each term of a closed form is rounded.
    return replace(found, blur=PRODUCTS * EPS * found.terms**2) if own.closed else found


# Rounding of the sum of products that a risk in closed form is, in units in the last place.
PRODUCTS = 16.0


def _in_space(network: Network) -> Integers:
    """Return the roles under the normal law, which has no end: a hyperplane is met unless w = 0."""
    lengths = np.linalg.norm(network.weights, axis=1)
    role = np.full(network.width, KINK)
    far = np.abs(network.biases) >= FAR * lengths
    role[far & (network.biases > 0.0)] = CARRIER
    role[far & (network.biases < 0.0)] = IDLE if network.activation.slope == 0.0 else CARRIER
    role[(lengths == 0.0) & (network.biases == 0.0)] = DEGENERATE
    return role


def _in_the_plane(
    problem: Polygon, network: Network
) -> tuple[Integers, dict[int, NDArray[np.bool_]], Floats]:
    """Return the roles on a polygon, and the corners that lines meet which only touch it.

    Also how far to move such lines outwards, no more than rounding has, for them to have no part
    inside: the Hessian of one that has is that of the other side.
    """
    corners = problem.vertices
    w, b = network.weights, network.biases
    heights = w @ corners.T + b[:, np.newaxis]
    terms = np.abs(w) @ np.abs(corners).max(axis=0) + np.abs(b)
    near = np.abs(heights) <= ON_POINT * EPS * terms[:, np.newaxis]
    above, below = (heights > 0.0) & ~near, (heights < 0.0) & ~near
    role = np.full(network.width, KINK)
    role[~below.any(axis=1)] = CARRIER
    role[~above.any(axis=1)] = IDLE if network.activation.slope == 0.0 else CARRIER
    still = ~w.any(axis=1)
    role[still & (b == 0.0)] = DEGENERATE
    one_sided = ~(above.any(axis=1) & below.any(axis=1)) & near.any(axis=1) & ~still
    outwards = np.where(below.any(axis=1), -2.0, 2.0) * ON_POINT * EPS * terms * one_sided
    return role, {int(j): near[j] for j in np.flatnonzero(one_sided)}, outwards
