"""Networks with leaky neurons as networks of ReLU neurons with a skip connection.

`max(y, s y) = s y + (1 - s) max(y, 0)`: whoever can integrate ReLU networks can integrate leaky
ones, and the chain rule brings derivatives back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reluscape.networks.arrays import Floats
from reluscape.networks.network import Network


@dataclass(frozen=True, eq=False)
class ReluForm:
    """A scalar network as `offset + slope.x + sum_j outputs_j (weights_j.x + biases_j)_+`.

    Parameters
    ----------
    weights : ndarray of shape (width, inputs)
    biases, outputs : ndarray of shape (width,)
    offset : float
    slope : ndarray of shape (inputs,)
        Zero for a ReLU network without a skip connection.
    """

    weights: Floats
    biases: Floats
    outputs: Floats
    offset: float
    slope: Floats


def relu_form(network: Network) -> ReluForm:
    """Return a network with piecewise linear activation and scalar values in this form.

    Examples
    --------
    >>> from reluscape import leaky
    >>> form = relu_form(Network([2.0], [1.0], [4.0], activation=leaky(0.25)))
    >>> form.outputs, form.offset, form.slope
    (array([3.]), 1.0, array([2.]))
    """
    leak = network.activation.slope
    slope = np.zeros(network.inputs) if network.skip is None else network.skip
    if leak == 0.0:
        outputs, offset = network.outputs, float(network.offset)
    else:
        leaking = leak * network.outputs
        outputs = (1.0 - leak) * network.outputs
        offset = float(network.offset) + float(leaking @ network.biases)
        slope = slope + leaking @ network.weights
    return ReluForm(network.weights, network.biases, outputs, offset, slope)


@dataclass(frozen=True)
class Layout:
    """Where the blocks of parameters stand in `(w, b, v, c, u)`.

    Examples
    --------
    >>> Layout(2, 3).u
    slice(11, 14, None)
    """

    width: int
    inputs: int

    @property
    def w(self) -> slice:
        """Weights, neuron after neuron."""
        return slice(0, self.width * self.inputs)

    @property
    def b(self) -> slice:
        """Biases."""
        return slice(self.w.stop, self.w.stop + self.width)

    @property
    def v(self) -> slice:
        """Outputs."""
        return slice(self.b.stop, self.b.stop + self.width)

    @property
    def c(self) -> int:
        """The offset."""
        return self.v.stop

    @property
    def u(self) -> slice:
        """The skip connection."""
        return slice(self.c + 1, self.c + 1 + self.inputs)

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.u.stop

    def neuron(self, j: int) -> slice:
        """Return where the weights of one neuron stand."""
        return slice(j * self.inputs, (j + 1) * self.inputs)


def pull_back(network: Network, by_form: Floats) -> Floats:
    """Turn derivatives by the parameters of the form into those by the network's own.

    Parameters
    ----------
    network : Network
    by_form : ndarray of shape (parameters, ...)
        Derivatives by `(w, b, v, c, u)` of its `relu_form` along the first axis.

    Returns
    -------
    ndarray of shape (parameters, ...)
        In the order of `Network.to_vector`: without those by u if there is no skip connection.
    """
    layout = Layout(network.width, network.inputs)
    leak = network.activation.slope
    result = by_form
    if leak != 0.0:
        rest = by_form.shape[1:]
        by_offset, by_slope = by_form[layout.c], by_form[layout.u]
        # w reaches the slope through the leak times v, b the offset, v both.
        leaking = leak * network.outputs.reshape(-1, *(1 for _ in rest))
        result = by_form.copy()
        through = leaking[:, np.newaxis] * by_slope
        result[layout.w] += through.reshape(-1, *rest)
        result[layout.b] += leaking * by_offset
        result[layout.v] *= 1.0 - leak
        result[layout.v] += leak * np.tensordot(network.weights, by_slope, axes=1)
        result[layout.v] += leak * np.multiply.outer(network.biases, by_offset)
    return result if network.skip is not None else result[: layout.c + 1]


def pull_back_twice(network: Network, gradient: Floats, hessian: Floats) -> Floats:
    """Turn second derivatives by the parameters of the form into those by the network's own.

    Parameters
    ----------
    network : Network
    gradient : ndarray of shape (parameters,)
        By the parameters of the form.
    hessian : ndarray of shape (parameters, parameters)
        By the parameters of the form; exactly symmetric.

    Returns
    -------
    ndarray of shape (parameters, parameters)
        In the order of `Network.to_vector`; exactly symmetric.
    """
    layout = Layout(network.width, network.inputs)
    leak = network.activation.slope
    if leak == 0.0:
        ours = slice(0, layout.size if network.skip is not None else layout.c + 1)
        return np.ascontiguousarray(hessian[ours, ours])
    result = pull_back(network, pull_back(network, hessian).T)
    # The leak makes products of w and v of the slope, and of b and v of the offset.
    for j in range(network.width):
        output = layout.v.start + j
        result[layout.neuron(j), output] += leak * gradient[layout.u]
        result[output, layout.neuron(j)] += leak * gradient[layout.u]
        result[layout.b.start + j, output] += leak * gradient[layout.c]
        result[output, layout.b.start + j] += leak * gradient[layout.c]
    return 0.5 * (result + result.T)
