"""Exact risk, generalized gradient and Hessian of a one-dimensional problem from its moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.network import Network
from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reduced:
    """A network's parameters in the frame of the moments, exactly.

    `bias` (width, 2) and `offset` (2,) are unevaluated pairs of floats; neuron j was divided by
    `power[j]` and its output multiplied by it.
    """

    weights: Floats
    bias: Floats
    outputs: Floats
    offset: Floats
    skip: float
    power: Floats


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the exact kernel returns: see `kernels.exact.evaluate`, in the reduced frame."""

    reduced: Reduced
    squares: float
    integrals: Floats
    kinks: Floats
    segments: Floats
    error: float
    error_x: float


def evaluate(moments: Moments, network: Network, at_zero: str = "gt") -> Evaluation:
    """Run the exact kernel on a network with one input and a scalar output."""
    from reluscape.kernels import framed

    require_piecewise_linear(network.activation, "the exact risk from moments")
    require_line(network)
    reduced, seen = framed.evaluate(
        np.ascontiguousarray(network.weights[:, 0]),
        network.biases,
        network.outputs,
        float(network.offset),
        0.0 if network.skip is None else float(network.skip[0]),
        network.activation.slope,
        zero_is_active(at_zero),
        moments.table,
    )
    return Evaluation(Reduced(*reduced), *seen)


def require_line(network: Network) -> None:
    """Refuse networks that have not one input and a scalar output.

    Raises
    ------
    InputError
    """
    if network.inputs != 1 or not network.scalar:
        raise InputError(
            f"the network has {network.inputs} input(s) and {network.targets} target(s), the "
            "problem one of each with scalar outputs; give outputs of shape (width,)."
        )


def zero_is_active(at_zero: str) -> bool:
    """Translate the papers' two conventions for the derivative of ReLU at 0.

    Raises
    ------
    InputError
        If `at_zero` is neither "gt" nor "ge".
    """
    if at_zero not in ("gt", "ge"):
        raise InputError(
            f'at_zero is {at_zero!r}; use "gt" (derivative 0 at zero) or "ge" (derivative 1).'
        )
    return at_zero == "ge"


def risk(moments: Moments, network: Network) -> float:
    """Return `integral (N - f)^2 dmu` in the user's units."""
    scale = moments.y_axis.scale
    return evaluate(moments, network).squares * moments.mass * scale * scale


def gradient(moments: Moments, network: Network, at_zero: str) -> Floats:
    """Return the generalized gradient, in the order of `Network.to_vector`."""
    return gradient_of(moments, network, evaluate(moments, network, at_zero))


def gradient_of(moments: Moments, network: Network, result: Evaluation) -> Floats:
    """Return the generalized gradient from an evaluation."""
    x_axis = moments.x_axis
    gain = 2.0 * moments.mass * moments.y_axis.scale
    on, on_x, output = result.integrals.T
    v = network.outputs
    parts = [
        gain * v * (x_axis.scale * on_x + x_axis.centre * on),
        gain * v * on,
        gain * output * result.reduced.power,
        np.array([gain * result.error]),
    ]
    if network.skip is not None:
        slope = gain * (x_axis.scale * result.error_x + x_axis.centre * result.error)
        parts.append(np.array([slope]))
    return np.concatenate(parts)


def hessian(moments: Moments, network: Network) -> Floats:
    """Return the Hessian of the risk, in the order of `Network.to_vector`.

    For data it is that of the smooth cell the network lies in; for densities it carries the
    term of the moving breakpoints (theory: S2).
    """
    from reluscape.kernels import exact

    result = evaluate(moments, network)
    width, reduced = network.width, result.reduced
    x_axis = moments.x_axis
    active = np.empty((width + 1, width))
    inside = exact.activity(
        reduced.weights, reduced.bias, network.activation.slope, False, moments.table, active
    )
    mass, mean, spread = result.segments.T
    x = x_axis.restore(mean)
    v = network.outputs
    w = network.weights[:, 0]
    # grad N on each interval between breakpoints: its value at the mean of x, and its slope.
    pre = np.empty((width + 1, width))
    for j in range(width):
        pre[:, j] = w[j] * x_axis.scale * mean + (w[j] * x_axis.centre + network.biases[j])
    ones = np.ones((width + 1, 1))
    zeros = np.zeros((width + 1, 1))
    blocks = [active * v * x[:, np.newaxis], active * v, active * pre, ones]
    slopes = [active * v * x_axis.scale, active * 0.0, active * w * x_axis.scale, zeros]
    if network.skip is not None:
        blocks.append(x[:, np.newaxis])
        slopes.append(ones * x_axis.scale)
    value, slope = np.hstack(blocks), np.hstack(slopes)
    total = (value * mass[:, np.newaxis]).T @ value + (slope * spread[:, np.newaxis]).T @ slope
    total *= 2.0 * moments.mass
    gain = 2.0 * moments.mass * moments.y_axis.scale
    on, on_x, _ = result.integrals.T
    rows = np.arange(width)
    for block, term in ((0, x_axis.scale * on_x + x_axis.centre * on), (1, on)):
        total[block * width + rows, 2 * width + rows] += gain * term
        total[2 * width + rows, block * width + rows] += gain * term
    moving = inside & (w != 0.0)
    for j in np.flatnonzero(moving):
        kink = gain / x_axis.scale * v[j] * result.kinks[j] / abs(w[j])
        kink *= 1.0 - network.activation.slope
        t = -network.biases[j] / w[j]
        total[j, j] += kink * t * t
        total[j, width + j] += kink * t
        total[width + j, j] += kink * t
        total[width + j, width + j] += kink
    return total
