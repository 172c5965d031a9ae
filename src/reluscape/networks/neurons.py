"""The state of each neuron on an interval, with every sign decided in exact arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError

if TYPE_CHECKING:
    from reluscape.networks.network import Network

Floats = NDArray[np.float64]
Kind: TypeAlias = Literal[
    "inactive", "semi-inactive", "semi-active", "type-1-active", "type-2-active", "degenerate"
]

# Both roundings of w x + b together are below this share of its terms, unless they underflow.
_ROUNDING = 4.0 * float(np.finfo(np.float64).eps)
_TINY = 1e-290


@dataclass(frozen=True)
class NeuronState:
    """Where on `[a, b]` a neuron is active, in the words of Cheridito, Jentzen and Rossmannek.

    Let I be the part of `[a, b]` with `w x + b >= 0`. Exactly one kind holds.

    Parameters
    ----------
    kind : str
        ``"inactive"``: I is empty. ``"semi-inactive"``: I is one end of the interval.
        ``"semi-active"``: `w = 0 < b`. ``"type-1-active"``: `w != 0` and I is the whole interval.
        ``"type-2-active"``: the breakpoint lies strictly inside. ``"degenerate"``: `w = b = 0`.
    flat : bool
        Whether all outer weights of the neuron are 0, which goes with any kind.
    breakpoint : float or None
        `-b / w` rounded, infinite beyond the largest float; None if `w = 0`.
    boundary : {"left", "right"} or None, default None
        The end at which a semi-inactive neuron is zero rather than negative.

    Examples
    --------
    >>> NeuronState("type-2-active", flat=False, breakpoint=0.5).boundary is None
    True
    """

    kind: Kind
    flat: bool
    breakpoint: float | None
    boundary: Literal["left", "right"] | None = None


def neuron_states(network: Network, a: float, b: float) -> tuple[NeuronState, ...]:
    """Return the state of each neuron on `[a, b]`.

    Parameters
    ----------
    network : Network
        With one input.
    a, b : float
        The interval, `a < b`.

    Returns
    -------
    tuple of NeuronState

    Raises
    ------
    InputError
        If the network has several inputs or `a < b` does not hold.

    Examples
    --------
    >>> from reluscape.networks.network import Network
    >>> neuron_states(Network([1.0], [-2.0], [1.0]), 0.0, 2.0)[0].boundary
    'right'
    """
    if network.inputs != 1:
        raise InputError(
            f"neuron states are defined for one input, not {network.inputs}; "
            "restrict the network to a line."
        )
    left, right = float(a), float(b)
    if not (math.isfinite(left) and math.isfinite(right) and left < right):
        raise InputError(f"the interval [{a}, {b}] is not one; give finite ends with a < b.")
    w, biases = network.weights[:, 0], network.biases
    flat = ~np.any(network.outputs.reshape(network.width, network.targets), axis=1)
    with np.errstate(all="ignore"):
        points = -biases / w + 0.0
    at_left, at_right = _sides(w, biases, left), _sides(w, biases, right)
    return tuple(
        _state(
            float(w[j]),
            float(biases[j]),
            bool(flat[j]),
            float(points[j]),
            int(at_left[j]),
            int(at_right[j]),
        )
        for j in range(network.width)
    )


def _sides(w: Floats, b: Floats, end: float) -> NDArray[np.int64]:
    """Return the sign of `w * end + b` of each neuron.

    The rounded breakpoint may sit on the wrong side of an end, and the sum may cancel or underflow:
    where rounding could matter, only exact arithmetic puts every neuron into one class.
    """
    with np.errstate(all="ignore"):
        product = w * end
        value, terms = product + b, np.abs(product) + np.abs(b)
        clear = (terms > _TINY) & (terms < np.inf) & (np.abs(value) > _ROUNDING * terms)
    signs = np.where(value > 0.0, 1, -1)
    for j in np.flatnonzero(~clear):
        exact = Fraction(float(w[j])) * Fraction(end) + Fraction(float(b[j]))
        signs[j] = (exact > 0) - (exact < 0)
    return signs


def _state(
    weight: float, bias: float, flat: bool, point: float, at_left: int, at_right: int
) -> NeuronState:
    if weight == 0.0:
        kind: Kind = "degenerate" if bias == 0.0 else "semi-active" if bias > 0.0 else "inactive"
        return NeuronState(kind, flat, None)
    if at_left < 0 and at_right < 0:
        return NeuronState("inactive", flat, point)
    if at_left >= 0 and at_right >= 0:
        return NeuronState("type-1-active", flat, point)
    if at_left == 0:
        return NeuronState("semi-inactive", flat, point, "left")
    if at_right == 0:
        return NeuronState("semi-inactive", flat, point, "right")
    return NeuronState("type-2-active", flat, point)
