"""First order on data with several inputs, which decides alone: hyperplanes on rows included.

In the coordinates `A = |v| (w, b)` of neurons with v != 0, offset and skip connection, N is on each
row a sum of terms linear between kinks: near the network the risk is its value, plus the one-sided
derivative (which is exactly homogeneous), plus a square. So the network is a local minimum if no
one-sided derivative is negative and no neuron with v = 0 is an escape neuron, and only then (Yun,
Sra and Jadbabaie 2018; Wu, Simsek and Ged 2024).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.sight import CARRIER, DEGENERATE, EPS, IDLE, KINK, ON_POINT
from reluscape.landscape.view import Neuron, View, neuron_of, rounding_of
from reluscape.networks.network import Network
from reluscape.problems.samples import Samples
from reluscape.problems.units import Units
from reluscape.training.standardised import Standardised, standardise

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# Rounding of a sum over rows, in units in the last place of the sizes of its terms.
SUM = 64.0


@dataclass(frozen=True, eq=False)
class Rows(View):
    """A network on data.

    Attributes
    ----------
    data : Standardised
        Equal rows of x are one, with the mean of their y.
    heights : ndarray, shape (width, n)
        `w.x + b`, zero for tied rows.
    tied : ndarray of bool, shape (width, n)
        Which rows are on which hyperplane.
    errors : ndarray, shape (n,)
    """

    data: Standardised = field(repr=False)
    heights: Floats = field(repr=False)
    tied: Booleans = field(repr=False)
    errors: Floats = field(repr=False)

    @property
    def leak(self) -> float:
        """Slope of the activation to the left of zero."""
        return self.reduced.activation.slope

    @cached_property
    def pulled(self) -> Floats:
        """Weight times error of each row, shape (n,)."""
        return self.data.weights * self.errors

    @cached_property
    def affine(self) -> Floats:
        """Inner products of the error with (z, 1)."""
        return self.data.x @ self.pulled

    def neuron(self, j: int) -> Neuron:
        """Return the derivatives of N in the plane of one neuron.

        In the inner products with the error tied rows are on the lower side of the bend, in those
        of the derivatives among themselves on the upper side.
        """
        x, weights = self.data.x, self.data.weights
        lower = np.where(self.heights[j] > 0.0, 1.0, self.leak)
        upper = np.where(self.tied[j], 1.0, lower)
        used = upper != 0.0
        part = x[:, used] * upper[used]
        gram = (part * weights[used]) @ part.T
        pull = x @ (lower * self.pulled)
        return neuron_of(pull, gram, SUM * EPS)

    def kinks(self, j: int) -> tuple[Integers, Floats]:
        """Return the rows on the hyperplane of a neuron, and the jumps of its pull there.

        The jump of a row is that of the inner product of the error with the derivative along a
        unit of height.
        """
        rows = np.flatnonzero(self.tied[j])
        return rows, (1.0 - self.leak) * self.pulled[rows]

    def output(self, j: int) -> float:
        """Return the cosine of the error with `act(w.x + b)`, 0 if that is 0 on all rows."""
        values = np.maximum(self.heights[j], self.leak * self.heights[j])
        norm = float(np.sqrt(self.data.weights @ np.square(values)))
        inner = float(values @ self.pulled)
        return inner / (norm * self.error) if norm > 0.0 and self.error > 0.0 else 0.0

    def respond(self, planes: Floats) -> tuple[Floats, Floats]:
        """Return the inner products of the error with `act(w.z + b)`, and their gradients.

        Parameters
        ----------
        planes : ndarray, shape (m, inputs + 1)
        """
        heights = planes @ self.data.x
        steep = np.where(heights > 0.0, 1.0, self.leak)
        return (heights * steep) @ self.pulled, (steep * self.pulled) @ self.data.x.T


def look_at_rows(problem: Samples, network: Network, tolerance: float) -> Rows:
    """Return how data with several inputs see a network.

    Parameters
    ----------
    problem : Samples
        With y of shape (n,).
    network : Network
        Piecewise linear, of scalar values.
    tolerance : float

    Returns
    -------
    Rows
    """
    x, y = problem.x.reshape(problem.size, -1), problem.y.reshape(-1, 1)
    skip = network.skip is not None
    data = standardise(x, y, problem.weights, network.width, skip, network.activation)
    scale = np.where(data.x_scale > 0.0, data.x_scale, 1.0)
    size = data.y_scale or 1.0
    units = Units(data.x_centre, scale, float(data.y_centre[0]), size)
    reduced = units.reduce(network)
    heights = np.column_stack([reduced.weights, reduced.biases]) @ data.x
    # `w.x + b` is rounded in the user's units, and so are x and b.
    spread = np.maximum(np.abs(data.x[:-1]), 1.0)
    reach = np.abs(data.x_centre)[:, np.newaxis] + scale[:, np.newaxis] * spread
    terms = np.abs(network.weights) @ reach + np.abs(network.biases)[:, np.newaxis]
    limits = (ON_POINT + 2.0 * network.inputs) * EPS * terms
    tied = np.asarray(np.abs(heights) <= limits, dtype=np.bool_)
    heights[tied] = 0.0
    still = ~network.weights.any(axis=1)
    tied[still] = False
    role = np.full(network.width, KINK)
    role[(heights >= 0.0).all(axis=1)] = CARRIER
    if network.activation.slope == 0.0:
        role[(heights < 0.0).all(axis=1)] = IDLE
    role[still & (network.biases == 0.0)] = DEGENERATE
    activations = np.maximum(heights, network.activation.slope * heights)
    slope = np.zeros(network.inputs) if reduced.skip is None else reduced.skip
    errors = reduced.outputs @ activations + np.append(slope, reduced.offset) @ data.x - data.y[0]
    return Rows(
        problem=problem,
        network=network,
        units=units,
        reduced=reduced,
        moments=(data.x * data.weights) @ data.x.T,
        squares=float(data.weights @ np.square(errors)),
        blur=0.0,
        rounding=rounding_of(network, np.abs(x).max(axis=0), size, 1.0),
        role=role,
        tolerance=tolerance,
        data=data,
        heights=heights,
        tied=tied,
        errors=errors,
    )
