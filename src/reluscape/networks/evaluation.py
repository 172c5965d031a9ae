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
from reluscape.networks.arrays import Floats

if TYPE_CHECKING:
    from reluscape.networks.network import Network

ELEMENTS = 1 << 17
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

    Where the zero is not a normal number, or there is none, the centre is 0.

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
    normal = np.isfinite(centres) & (np.abs(centres) >= np.finfo(np.float64).tiny)
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
    rows = max(1, ELEMENTS // max(network.width, network.inputs, network.targets))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        evaluate = _values_on_line if network.inputs == 1 else _values_in_space
        evaluate(network, x, result, rows)
    if not np.isfinite(result).all():
        first = int(np.flatnonzero(~np.isfinite(result).all(axis=1))[0])
        raise InputError(
            f"the value of the network at x = {np.squeeze(x[first])} (row {first}) is beyond the "
            "largest float; scale inputs and parameters down."
        )
    return result


def _values_in_space(network: Network, x: Floats, result: Floats, rows: int) -> None:
    outputs = network.outputs.reshape(network.width, -1)
    for start in range(0, x.shape[0], rows):
        part = x[start : start + rows]
        block = activate(network, preactivations(network, part)) @ outputs
        block += network.offset
        if network.skip is not None:
            block += part @ network.skip.reshape(network.inputs, -1)
        result[start : start + rows] = block


def _values_on_line(network: Network, x: Floats, result: Floats, rows: int) -> None:
    # One neuron after another: a row's value never depends on its neighbours, as it may in BLAS.
    form = local_form(network.weights[:, 0], network.biases)
    outputs = network.outputs.reshape(network.width, -1)
    breakpoints = network.breakpoints()
    middle = float(breakpoints[breakpoints.size // 2]) if breakpoints.size else 0.0
    line = _affine_part(network, middle if np.isfinite(middle) else 0.0)
    for start in range(0, x.shape[0], rows):
        part = x[start : start + rows, 0]
        block = result[start : start + rows]
        for k, (slope, centre, remainder) in enumerate(
            zip(line.slopes, line.centres, line.remainders, strict=True)
        ):
            block[:, k] = (part - centre) * slope + remainder
        for j in range(network.width):
            y = part - form.centres[j]
            y *= form.slopes[j]
            y += form.remainders[j]
            activate(network, y)
            for k in range(network.targets):
                block[:, k] += outputs[j, k] * y


def _affine_part(network: Network, centre: float) -> LocalForm:
    """Return `offset + skip * x` around a centre that the network has in common."""
    offset = np.atleast_1d(network.offset)
    if network.skip is None:
        return LocalForm(np.zeros_like(offset), np.zeros_like(offset), offset)
    slopes = network.skip.reshape(-1)
    product, error = _two_product(slopes, np.full_like(slopes, centre))
    total = product + offset
    virtual = total - product
    constants = total + (((product - (total - virtual)) + (offset - virtual)) + error)
    usable = np.isfinite(constants)
    return LocalForm(slopes, np.where(usable, centre, 0.0), np.where(usable, constants, offset))


def _two_product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the rounded product and its rounding error (Dekker)."""
    with np.errstate(all="ignore"):
        product = a * b
        a_high, b_high = 134217729.0 * a, 134217729.0 * b
        a_high, b_high = a_high - (a_high - a), b_high - (b_high - b)
        a_low, b_low = a - a_high, b - b_high
        error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error
