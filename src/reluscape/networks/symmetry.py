"""Networks that are the same function: balanced and canonical forms.

Rescaling a neuron, `(w, b, v) -> (l w, l b, v / l)` with l > 0, permuting neurons, and joining
neurons that switch on the same hyperplane leave the function as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from reluscape.errors import InputError
from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reluscape.networks.arrays import Floats

_NEAR = 4.0 * float(np.finfo(np.float64).eps)
"""Hyperplanes whose normalised coefficients agree to this relative precision are the same."""


_LEAST_EXPONENT = -960
"""Numbers of this binary exponent are still normal floats, with room for a few divisions."""


def balanced(network: Network) -> Network:
    """Return the same function with `|w_j|² + b_j² = |v_j|²` for every neuron.

    A neuron that adds nothing, because `v = 0` or `w = b = 0`, becomes zero throughout.

    Parameters
    ----------
    network : Network

    Returns
    -------
    Network

    Raises
    ------
    InputError
        If the activation is not piecewise linear: its neurons rescale in another way.

    Examples
    --------
    >>> balanced(Network([0.5], [0.0], [8.0]))
    Network(weights=[[2.0]], biases=[0.0], outputs=[2.0], offset=0.0)
    """
    require_piecewise_linear(network.activation, "the balanced form")
    width = network.width
    outputs = network.outputs.reshape(width, network.targets)
    inner = _norms(np.column_stack([network.weights, network.biases]))
    outer = _norms(outputs)
    alive = (inner > 0.0) & (outer > 0.0)
    root_inner = np.where(alive, np.sqrt(inner), 1.0)
    root_outer = np.where(alive, np.sqrt(outer), 1.0)

    def rescaled(array: Floats, up: Floats, down: Floats) -> Floats:
        # Mantissas and exponents apart: neither the factor nor a quotient may over- or underflow.
        shape = (width,) + (1,) * (array.ndim - 1)
        (a, a_exponent), (b, b_exponent) = np.frexp(up), np.frexp(down)
        mantissa, exponent = np.frexp(array)
        exponent = exponent + (a_exponent - b_exponent).reshape(shape)
        with np.errstate(under="ignore"):
            scaled = np.ldexp(mantissa * (a / b).reshape(shape), exponent)
        return np.where(alive.reshape(shape), scaled, 0.0)

    return Network(
        rescaled(network.weights, root_outer, root_inner),
        rescaled(network.biases, root_outer, root_inner),
        rescaled(outputs, root_inner, root_outer).reshape(network.outputs.shape),
        network.offset,
        network.skip,
        network.activation,
    )


def canonical(network: Network) -> Network:
    """Return the same function, everywhere and not only on data, in its canonical form.

    Neurons with `w = 0` move into the offset and flat ones go. Neurons on the same hyperplane with
    the same orientation become one. Those with opposite orientations become one where a skip
    connection takes up the affine function between them; without one, where these affine functions
    cancel, or, with one input, where a single neuron carries all of them. The rest is balanced, and
    ordered by breakpoint, right-active first (several inputs: by normalised weights, then bias).

    Parameters
    ----------
    network : Network

    Returns
    -------
    Network
        With a skip connection if and only if `network` has one.

    Raises
    ------
    InputError
        If a parameter of the result would be beyond the largest float, or the activation is not
        piecewise linear: its neurons rescale in another way.

    Notes
    -----
    The function is the same up to rounding. Two hyperplanes count as the same if their normalised
    coefficients agree to four units in the last place, and exactly if the outputs on them nearly
    cancel: then even a distance that small can matter. Without a skip connection the smallest width
    is a subset-sum problem; this form does not search for it among neurons on distinct hyperplanes.

    Examples
    --------
    >>> canonical(Network([2.0, -2.0], [0.0, 0.0], [1.0, 1.0], skip=[0.0]))
    Network(weights=[[2.0]], biases=[0.0], outputs=[2.0], offset=0.0, skip=[-2.0])
    """
    require_piecewise_linear(network.activation, "the canonical form")
    parts = _Parts(
        network.weights,
        network.biases,
        network.outputs.reshape(network.width, network.targets),
        np.atleast_1d(network.offset),
        None if network.skip is None else network.skip.reshape(network.inputs, network.targets),
        network.activation.slope,
    )
    with np.errstate(all="ignore"):  # what overflows is refused as a parameter below
        parts = _join_opposite(_join_aligned(_fold_constants(_scaled(parts))))
    tail = network.outputs.shape[1:]
    merged = Network(
        parts.weights,
        parts.biases,
        parts.outputs.reshape(parts.biases.size, *tail),
        parts.offset.reshape(tail),
        None if parts.skip is None else parts.skip.reshape(network.inputs, *tail),
        network.activation,
    )
    return _ordered(balanced(merged))


@dataclass(frozen=True)
class _Parts:
    """Parameters on the way to the canonical form; outputs, offset and skip have target axes."""

    weights: Floats
    biases: Floats
    outputs: Floats
    offset: Floats
    skip: Floats | None
    slope: float

    def replace(
        self,
        weights: Floats,
        biases: Floats,
        outputs: Floats,
        offset: Floats | None = None,
        skip: Floats | None = None,
    ) -> _Parts:
        return _Parts(
            weights,
            biases,
            outputs,
            self.offset if offset is None else offset,
            self.skip if skip is None else skip,
            self.slope,
        )


def _scaled(parts: _Parts) -> _Parts:
    """Bring the largest of (w, b) of each neuron near 1, by powers of two, which do not round.

    A neuron is not scaled so far that the smallest of (w, b) or of v loses digits to underflow.
    """
    inner = np.column_stack([parts.weights, parts.biases])
    _, exponents = np.frexp(np.abs(inner).max(axis=1, initial=0.0))
    down = np.maximum(_smallest_exponent(inner) - _LEAST_EXPONENT, 0)
    up = np.minimum(_LEAST_EXPONENT - _smallest_exponent(parts.outputs), 0)
    exponents = np.clip(exponents, up, down)
    outputs = np.ldexp(parts.outputs, exponents[:, np.newaxis])
    if not np.isfinite(outputs).all():
        raise InputError(
            "the network is steeper than the largest float; scale its parameters down."
        )
    return parts.replace(
        np.ldexp(parts.weights, -exponents[:, np.newaxis]),
        np.ldexp(parts.biases, -exponents),
        outputs,
    )


def _smallest_exponent(rows: Floats) -> NDArray[np.int_]:
    sizes = np.abs(rows)
    _, exponents = np.frexp(np.where(sizes > 0.0, sizes, np.inf).min(axis=1, initial=1.0))
    return exponents.astype(int)


def _fold_constants(parts: _Parts) -> _Parts:
    moving = parts.weights.any(axis=1)
    level = np.maximum(parts.biases, parts.slope * parts.biases)
    offset = parts.offset + level[~moving] @ parts.outputs[~moving]
    kept = np.flatnonzero(moving & parts.outputs.any(axis=1)).tolist()
    return parts.replace(parts.weights[kept], parts.biases[kept], parts.outputs[kept], offset)


def _join_aligned(parts: _Parts) -> _Parts:
    """Make one neuron of those that share a hyperplane and its orientation."""
    planes = _normalised(parts)
    outputs = parts.outputs.copy()
    open_ = np.ones(parts.biases.size, dtype=bool)
    kept: list[int] = []
    # Longest weights first: the ratios below are then at most 1, up to rounding.
    longest = np.abs(parts.weights).max(axis=1, initial=0.0)
    for first in np.argsort(-longest, kind="stable").tolist():
        if not open_[first]:
            continue
        open_[first] = False
        kept.append(first)
        for other in np.flatnonzero(open_ & _near(planes, first)):
            moved = parts.outputs[other] * _ratio(parts, int(other), first)
            if _may_join(parts, int(other), first, moved, outputs[first]):
                outputs[first] = outputs[first] + moved
                open_[other] = False
    kept = [j for j in sorted(kept) if outputs[j].any()]
    return parts.replace(parts.weights[kept], parts.biases[kept], outputs[kept])


def _join_opposite(parts: _Parts) -> _Parts:
    """Join pairs of opposite orientation if something takes up `act(y) - act(-y) = (1 + s) y`."""
    pairs = _opposite_pairs(parts)
    if not pairs:
        return parts
    factor = 1.0 + parts.slope
    outputs = parts.outputs.copy()
    weights_left: list[tuple[Floats, Floats]] = []  # the linear functions, as (w, coefficient)
    offset = parts.offset.copy()
    for stays, goes in pairs:
        moved = parts.outputs[goes] * _ratio(parts, goes, stays)
        outputs[stays] = outputs[stays] + moved
        weights_left.append((parts.weights[goes], factor * parts.outputs[goes]))
        offset = offset + factor * parts.outputs[goes] * parts.biases[goes]
    gone = {goes for _, goes in pairs}
    kept = [j for j in range(parts.biases.size) if j not in gone and outputs[j].any()]
    joined = parts.replace(parts.weights[kept], parts.biases[kept], outputs[kept], offset)
    if parts.skip is None and _cancels(weights_left):
        return joined
    linear = np.sum([np.outer(w, coefficient) for w, coefficient in weights_left], axis=0)
    if parts.skip is not None:
        return joined.replace(
            joined.weights, joined.biases, joined.outputs, offset, parts.skip + linear
        )
    carriers = 1 if kept else 2
    if parts.weights.shape[1] > 1 or len(kept) + carriers >= parts.biases.size:
        return parts
    return _carry(joined, linear[0], parts.weights[pairs[0][0]], parts.biases[pairs[0][0]])


def _carry(parts: _Parts, slope: Floats, weight: Floats, bias: float) -> _Parts:
    """Add `slope * x` (one input) through one more neuron, opposite to the first, or two."""
    weights, biases, outputs = parts.weights, parts.biases, parts.outputs
    if not biases.size:
        weights, biases = weight[np.newaxis], np.array([bias])
        outputs = np.zeros((1, slope.size))
    share = slope / ((1.0 + parts.slope) * weights[0, 0])
    offset = parts.offset - slope * (biases[0] / weights[0, 0])
    weights = np.vstack([weights, -weights[:1]])
    biases = np.append(biases, -biases[0])
    outputs = np.vstack([outputs[:1] + share, outputs[1:], -share])
    kept = np.flatnonzero(outputs.any(axis=1))
    return parts.replace(weights[kept], biases[kept], outputs[kept], offset)


def _opposite_pairs(parts: _Parts) -> list[tuple[int, int]]:
    """Return (stays, goes) for neurons on one hyperplane; the lighter goes, to round least."""
    planes = _normalised(parts)
    open_ = np.ones(parts.biases.size, dtype=bool)
    pairs: list[tuple[int, int]] = []
    for first in range(parts.biases.size):
        open_[first] = False
        for other in np.flatnonzero(open_ & _near(planes, first, -1.0)):
            moved = parts.outputs[other] * _ratio(parts, int(other), first)
            if _may_join(parts, int(other), first, moved, parts.outputs[first]):
                heavier = np.abs(moved).max() > np.abs(parts.outputs[first]).max()
                pairs.append((int(other), first) if heavier else (first, int(other)))
                open_[other] = False
                break
    return pairs


@dataclass(frozen=True)
class _Planes:
    """Coefficients over the largest weight as `mantissas * 2^exponents`, which cannot underflow."""

    mantissas: Floats  # (m, inputs + 1)
    exponents: NDArray[np.int_]  # (m, inputs + 1)


def _normalised(parts: _Parts) -> _Planes:
    largest, shift = np.frexp(np.abs(parts.weights).max(axis=1, keepdims=True, initial=0.0))
    mantissas, exponents = np.frexp(np.column_stack([parts.weights, parts.biases]))
    return _Planes(mantissas / largest, exponents.astype(int) - shift)


def _near(planes: _Planes, first: int, sign: float = 1.0) -> NDArray[np.bool_]:
    """Return which planes are `sign` times the first."""
    plane = sign * planes.mantissas[first]
    others = np.ldexp(planes.mantissas, planes.exponents - planes.exponents[first])
    zero = (plane == 0.0) & (planes.mantissas == 0.0)
    near = (plane != 0.0) & (np.abs(others - plane) <= _NEAR * np.abs(plane))
    return np.logical_and.reduce(zero | near, axis=1)


def _ratio(parts: _Parts, one: int, other: int) -> float:
    """Return how many times longer the coefficients of one neuron are."""
    pivot = int(np.argmax(np.abs(parts.weights[other])))
    return abs(float(parts.weights[one, pivot] / parts.weights[other, pivot]))


def _may_join(parts: _Parts, one: int, other: int, moved: Floats, present: Floats) -> bool:
    larger = max(np.abs(moved).max(), np.abs(present).max())
    if np.abs(moved + present).max() >= 0.5 * larger:
        return True
    a = [Fraction(value) for value in (*parts.weights[one].tolist(), parts.biases[one].item())]
    b = [Fraction(value) for value in (*parts.weights[other].tolist(), parts.biases[other].item())]
    pivot = int(np.argmax(np.abs(parts.weights[other])))
    return all(p * b[pivot] == q * a[pivot] for p, q in zip(a, b, strict=True))


def _cancels(linear: list[tuple[Floats, Floats]]) -> bool:
    """Whether the sum of the outer products is zero, exactly."""
    inputs, targets = linear[0][0].size, linear[0][1].size
    return all(
        not sum(Fraction(w[i].item()) * Fraction(v[k].item()) for w, v in linear)
        for i in range(inputs)
        for k in range(targets)
    )


def _ordered(network: Network) -> Network:
    weights, biases = network.weights, network.biases
    with np.errstate(all="ignore"):
        if network.inputs == 1:
            points = -biases / weights[:, 0]
            first = np.sort(points)
            # What rounding tells apart counts as one breakpoint, lest the order depend on it.
            places = np.append(0, np.cumsum(np.diff(first) > _NEAR * np.abs(first[1:])))
            place = places[np.searchsorted(first, points)]
            order = np.lexsort((points, weights[:, 0] < 0.0, place))
        else:
            lengths = _norms(weights)[:, np.newaxis]
            # Rounded, lest parallel hyperplanes be ordered by the last place of their directions.
            columns = [*np.round(weights / lengths, 12).T, biases / lengths[:, 0]]
            order = np.lexsort(columns[::-1])
    return Network(
        weights[order],
        biases[order],
        network.outputs[order],
        network.offset,
        network.skip,
        network.activation,
    )


def _norms(rows: Floats) -> Floats:
    """Return Euclidean lengths without overflow or underflow of the squares."""
    largest = np.abs(rows).max(axis=1, initial=0.0)
    scale = np.where(largest > 0.0, largest, 1.0)
    with np.errstate(under="ignore"):
        return scale * np.sqrt(np.square(rows / scale[:, np.newaxis]).sum(axis=1))
