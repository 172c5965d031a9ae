"""Pre-activations and values of a network, accurate also far from the origin.

At x near 1.7e9 (a timestamp) `w * x + b` loses every digit that the residuals need. With one input
`w * x + b = w * (x - t) + r`, where t is the breakpoint rounded and r the tiny exact remainder: the
difference x - t is exact near t, so the sum is accurate to the last places of x itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reluscape.errors import InputError
from reluscape.networks import curved
from reluscape.networks.arrays import Floats

if TYPE_CHECKING:
    from reluscape.networks.network import Network

_ELEMENTS = 1 << 17
"""Numbers in one block of pre-activations: 1 MiB, which stays in the second-level cache."""


@dataclass(frozen=True)
class LocalForm:
    """Affine functions `slopes * x + constants` as `slopes * (x - centres) + remainders`.

    Parameters
    ----------
    slopes, centres, remainders : ndarray of shape (m,)
    """

    slopes: Floats
    centres: Floats
    remainders: Floats


def local_form(slopes: Floats, constants: Floats) -> LocalForm:
    """Write `slopes * x + constants` around the zero of each function.

    Where there is no zero, or its magnitude is not between 1e-150 and 1e150, the centre is 0.

    Parameters
    ----------
    slopes, constants : ndarray of shape (m,)

    Returns
    -------
    LocalForm

    Examples
    --------
    >>> form = local_form(np.array([3.0]), np.array([-1.0]))
    >>> form.centres, form.remainders
    (array([0.33333333]), array([-5.55111512e-17]))
    """
    with np.errstate(all="ignore"):
        centres = -constants / slopes
    # Centres far out or tiny gain nothing, and lose to overflow and underflow.
    normal = (np.abs(centres) < 1e150) & (np.abs(centres) > 1e-150)
    centres = np.where(normal, centres, 0.0)
    # slopes * centres + constants without rounding: mantissas cannot overflow or underflow.
    slope_mantissa, slope_exponent = np.frexp(slopes)
    centre_mantissa, centre_exponent = np.frexp(centres)
    exponent = slope_exponent + centre_exponent
    product, error = _two_product(slope_mantissa, centre_mantissa)
    with np.errstate(all="ignore"):
        remainders = np.ldexp((product + np.ldexp(constants, -exponent)) + error, exponent)
    return LocalForm(slopes, centres, np.where(normal, remainders, constants))


def preactivations(network: Network, x: Floats) -> Floats:
    """Return `w_j · x_i + b_j`.

    Parameters
    ----------
    network : Network
    x : ndarray of shape (n, inputs)

    Returns
    -------
    ndarray of shape (n, width)
    """
    if network.inputs != 1:
        return x @ network.weights.T + network.biases
    form = local_form(network.weights[:, 0], network.biases)
    return (x - form.centres) * form.slopes + form.remainders


def activate(network: Network, y: Floats) -> Floats:
    """Apply the activation to an array of pre-activations, in place.

    Parameters
    ----------
    network : Network
    y : ndarray

    Returns
    -------
    ndarray
        The array given.
    """
    if not network.activation.piecewise_linear:
        return curved.apply(network.activation.name, y)
    slope = network.activation.slope
    if slope == 0.0:
        return np.maximum(y, 0.0, out=y)
    return np.maximum(y, slope * y, out=y)


def values(network: Network, x: Floats) -> Floats:
    """Evaluate a network on checked inputs.

    Parameters
    ----------
    network : Network
    x : ndarray of shape (n, inputs)

    Returns
    -------
    ndarray of shape (n, targets)

    Raises
    ------
    InputError
        If a value is beyond the largest float.
    """
    result = np.empty((x.shape[0], network.targets))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        if network.inputs == 1:
            _values_on_line(network, x, result, max(1, (_ELEMENTS >> 3) // network.targets))
        else:
            columns = max(network.width, network.inputs, network.targets)
            _values_in_space(network, x, result, max(1, _ELEMENTS // columns))
    if not np.isfinite(result).all():
        first = int(np.flatnonzero(~np.isfinite(result).all(axis=1))[0])
        raise InputError(
            f"the value of the network at x = {np.squeeze(x[first])} (row {first}) is beyond the "
            "largest float; scale inputs and parameters down."
        )
    return result


def affine_values(network: Network, x: Floats) -> Floats:
    """Return the affine part of a network, `offset + skip · x`.

    Parameters
    ----------
    network : Network
    x : ndarray of shape (n, inputs)

    Returns
    -------
    ndarray of shape (n, targets)
    """
    offset = np.atleast_1d(network.offset)
    if network.skip is None:
        return np.tile(offset, (x.shape[0], 1))
    slopes = network.skip.reshape(network.inputs, network.targets)
    if network.inputs != 1:
        return x @ slopes + offset
    form = local_form(slopes[0], offset)
    return (x - form.centres) * form.slopes + form.remainders


def _values_in_space(network: Network, x: Floats, result: Floats, rows: int) -> None:
    outputs = network.outputs.reshape(network.width, network.targets)
    for start in range(0, x.shape[0], rows):
        # BLAS rounds by layout; a data frame and an array of the same numbers have the same values.
        part = np.ascontiguousarray(x[start : start + rows])
        block = activate(network, preactivations(network, part)) @ outputs
        block += affine_values(network, part)
        result[start : start + rows] = block


def _values_on_line(network: Network, x: Floats, result: Floats, rows: int) -> None:
    # One neuron after another: a row's value never depends on its neighbours, as it may in BLAS.
    form = local_form(network.weights[:, 0], network.biases)
    outputs = network.outputs.reshape(network.width, network.targets)
    for start in range(0, x.shape[0], rows):
        part = x[start : start + rows]
        block = affine_values(network, part)
        for j in range(network.width):
            y = part[:, 0] - form.centres[j]
            y *= form.slopes[j]
            y += form.remainders[j]
            activate(network, y)
            for k in range(network.targets):
                block[:, k] += outputs[j, k] * y
        result[start : start + rows] = block


def _two_product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the rounded product and its rounding error (Dekker)."""
    with np.errstate(all="ignore"):
        product = a * b
        a_high, b_high = 134217729.0 * a, 134217729.0 * b
        a_high, b_high = a_high - (a_high - a), b_high - (b_high - b)
        a_low, b_low = a - a_high, b - b_high
        error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error
