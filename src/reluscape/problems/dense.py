"""Risk, generalized gradient and Hessian on data by matrix products, for any number of inputs.

`risk = sum_i weights_i |N(x_i) - y_i|²`; rows go through in blocks, so that the memory in use does
not grow with their number. One input and one target have something faster, cumulative moments;
these functions are exact sums in the same sense and serve everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reluscape.errors import InputError
from reluscape.networks import curved
from reluscape.networks.activations import Activation
from reluscape.networks.arrays import Floats
from reluscape.networks.evaluation import activate, affine_values, preactivations
from reluscape.networks.network import Network

_ELEMENTS = 1 << 20
"""Numbers in the largest temporary array: 8 MiB; about five of that size live at once."""


def risk(network: Network, x: Floats, y: Floats, weights: Floats) -> float:
    """Return `sum_i weights_i |N(x_i) - y_i|²`.

    Parameters
    ----------
    network : Network
    x : ndarray of shape (n, inputs), or (n,) for one input
    y : ndarray of shape (n, targets), or (n,) for one target
    weights : ndarray of shape (n,)
        Not negative.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If shapes do not fit together or the result is beyond the largest float.

    Examples
    --------
    >>> hat = Network([1.0], [0.0], [1.0])
    >>> risk(hat, np.array([-1.0, 2.0]), np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    2.5
    """
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for block in _blocks(network, x, y, weights, network.width):
            total += float(block.weights @ np.square(block.errors).sum(axis=1))
    return float(_finite(np.asarray(total)))


def gradient(
    network: Network, x: Floats, y: Floats, weights: Floats, at_zero: str = "gt"
) -> Floats:
    """Return the generalized gradient of the risk.

    Parameters
    ----------
    network : Network
    x : ndarray of shape (n, inputs), or (n,) for one input
    y : ndarray of shape (n, targets), or (n,) for one target
    weights : ndarray of shape (n,)
        Not negative.
    at_zero : {"gt", "ge"}, default "gt"
        Derivative of the activation at zero: ``"gt"`` the left one (0 for ReLU, the slope for leaky
        ReLU), ``"ge"`` the right one (1).

    Returns
    -------
    ndarray of shape (parameters,)
        In the order of `Network.to_vector`.

    Raises
    ------
    InputError
        If shapes do not fit together, `at_zero` is unknown, or the result is beyond the largest
        float.

    Examples
    --------
    >>> hat = Network([1.0], [0.0], [1.0])
    >>> gradient(hat, np.array([-1.0, 2.0]), np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    array([4., 2., 4., 1.])
    """
    right = _takes_right_derivative(at_zero)
    outputs = network.outputs.reshape(network.width, network.targets)
    by_weights = np.zeros(network.weights.shape)
    by_biases = np.zeros(network.width)
    by_outputs = np.zeros(outputs.shape)
    by_offset = np.zeros(network.targets)
    by_skip = np.zeros((network.inputs, network.targets))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for block in _blocks(network, x, y, weights, network.width):
            pull = block.errors * (2.0 * block.weights[:, np.newaxis])
            by_outputs += block.activations.T @ pull
            by_offset += pull.sum(axis=0)
            if network.skip is not None:
                by_skip += block.x.T @ pull
            through = pull @ outputs.T
            through *= block.derivatives(network.activation, right)
            by_weights += through.T @ block.x
            by_biases += through.sum(axis=0)
    parts = [by_weights, by_biases, by_outputs, by_offset]
    if network.skip is not None:
        parts.append(by_skip)
    return _finite(np.concatenate([part.ravel() for part in parts]))


def hessian(network: Network, x: Floats, y: Floats, weights: Floats) -> Floats:
    """Return the Hessian of the risk in the cell of parameters around the network.

    On data the risk is smooth until a breakpoint, or hyperplane, meets a row: there are no kink
    terms. A row exactly on one counts as inactive.

    Parameters
    ----------
    network : Network
    x : ndarray of shape (n, inputs), or (n,) for one input
    y : ndarray of shape (n, targets), or (n,) for one target
    weights : ndarray of shape (n,)
        Not negative.

    Returns
    -------
    ndarray of shape (parameters, parameters)
        In the order of `Network.to_vector`; exactly symmetric.

    Raises
    ------
    InputError
        If shapes do not fit together or the result is beyond the largest float.

    Examples
    --------
    >>> line = Network([0.0], [1.0], [0.0])
    >>> hessian(line, np.array([0.0]), np.array([3.0]), np.array([1.0]))
    array([[ 0.,  0.,  0.,  0.],
           [ 0.,  0., -6.,  0.],
           [ 0., -6.,  2.,  2.],
           [ 0.,  0.,  2.,  2.]])
    """
    width, inputs, targets = network.width, network.inputs, network.targets
    outputs = network.outputs.reshape(width, network.targets)
    ends = np.cumsum([0, width * inputs, width, width * targets, targets, inputs * targets])
    size = int(ends[5] if network.skip is not None else ends[4])
    total = np.zeros((size, size))
    mixed_weights = np.zeros((width, inputs, targets))
    mixed_biases = np.zeros((width, targets))
    bent = not network.activation.piecewise_linear
    bends = np.zeros((width, inputs + 1, inputs + 1))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for block in _blocks(network, x, y, weights, size):
            n = block.weights.size
            active = block.derivatives(network.activation, False)
            pull = block.errors * (2.0 * block.weights[:, np.newaxis])
            root = np.sqrt(2.0 * block.weights)
            mixed_biases += active.T @ pull
            if bent:
                # The second derivative of the activation times what pulls on the neuron.
                bend = curved.second_derivative(network.activation.name, block.preactivations)
                seconds = bend * (pull @ outputs.T)
                extended = np.hstack([block.x, np.ones((n, 1))])
                for j in range(width):
                    bends[j] += (extended * seconds[:, j : j + 1]).T @ extended
            for k in range(targets):
                mixed_weights[:, :, k] += (active * pull[:, k : k + 1]).T @ block.x
                slopes = active * outputs[:, k]
                jacobian = np.zeros((n, size))
                jacobian[:, : ends[1]] = (
                    slopes[:, :, np.newaxis] * block.x[:, np.newaxis, :]
                ).reshape(n, -1)
                jacobian[:, ends[1] : ends[2]] = slopes
                jacobian[:, ends[2] + k : ends[3] : targets] = block.activations
                jacobian[:, ends[3] + k] = 1.0
                if network.skip is not None:
                    jacobian[:, ends[4] + k : ends[5] : targets] = block.x
                jacobian *= root[:, np.newaxis]
                total += jacobian.T @ jacobian
        for j in range(width):
            columns = slice(ends[2] + j * targets, ends[2] + (j + 1) * targets)
            rows = slice(j * inputs, (j + 1) * inputs)
            total[rows, columns] += mixed_weights[j]
            total[columns, rows] += mixed_weights[j].T
            total[ends[1] + j, columns] += mixed_biases[j]
            total[columns, ends[1] + j] += mixed_biases[j]
            inner = [*range(j * inputs, (j + 1) * inputs), int(ends[1]) + j]
            total[np.ix_(inner, inner)] += bends[j]
        return _finite(0.5 * (total + total.T))


@dataclass(frozen=True)
class _Block:
    """Some rows, with what the network makes of them."""

    x: Floats
    weights: Floats
    preactivations: Floats
    activations: Floats
    errors: Floats

    def derivatives(self, activation: Activation, right: bool) -> Floats:
        if not activation.piecewise_linear:
            return curved.derivative(activation.name, self.preactivations)
        active = self.preactivations >= 0.0 if right else self.preactivations > 0.0
        return np.where(active, 1.0, activation.slope)


def _blocks(
    network: Network, x: Floats, y: Floats, weights: Floats, columns: int
) -> Iterator[_Block]:
    rows = x[:, np.newaxis] if x.ndim == 1 else x
    values = y[:, np.newaxis] if y.ndim == 1 else y
    if not (rows.shape[0] == values.shape[0] == weights.shape[0] and weights.ndim == 1):
        raise InputError(
            f"x, y and weights have {rows.shape[0]}, {values.shape[0]} and {weights.shape} rows; "
            "give one of each for every sample."
        )
    if rows.shape[1] != network.inputs or values.shape[1] != network.targets:
        raise InputError(
            f"the data have {rows.shape[1]} input(s) and {values.shape[1]} target(s), the network "
            f"{network.inputs} and {network.targets}; give a network of the same."
        )
    outputs = network.outputs.reshape(network.width, network.targets)
    step = max(1, _ELEMENTS // max(columns, network.inputs, network.targets, 1))
    for start in range(0, rows.shape[0], step):
        part = rows[start : start + step]
        y_part = preactivations(network, part)
        activations = activate(network, y_part.copy())
        errors = activations @ outputs
        errors += affine_values(network, part)
        errors -= values[start : start + step]
        yield _Block(part, weights[start : start + step], y_part, activations, errors)


def _takes_right_derivative(at_zero: str) -> bool:
    if at_zero not in ("gt", "ge"):
        raise InputError(f'at_zero is {at_zero!r}; use "gt" or "ge".')
    return at_zero == "ge"


def _finite(result: Floats) -> Floats:
    if not np.isfinite(result).all():
        raise InputError(
            "the risk or its derivatives are beyond the largest float; scale data and parameters "
            "down."
        )
    return result
