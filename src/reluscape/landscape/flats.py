"""Neurons that add nothing, or bend on an end of the interval: what they could do.

A flat neuron (v = 0) has first derivatives only in v, and where they vanish the risk may still fall
along curves that change v and (w, b) together: an escape neuron (Wu, Simsek and Ged 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.curvature import FLAT, end_term, kink_term
from reluscape.landscape.probes import Probes, probe
from reluscape.landscape.sight import CARRIER, DEGENERATE, EDGE, IDLE, KINK, Sight

Floats = NDArray[np.float64]

# Sizes of the change of v, against that of w and b, along which an escape is looked for: the best
# one depends on higher derivatives.
RATIOS = (1.0, 0.1, 0.01, 1e-3)
# Shares of the change of v that is best at second order, where that is known.
SHARES = (1.0, 0.25)


@dataclass(frozen=True, eq=False)
class Leads:
    """What was found at single neurons.

    Attributes
    ----------
    reasons : dict of str to list of int
        Why the network is no local minimum, and the neurons that it is true of.
    directions : list of ndarray
        Where the risk may fall, in the order of `Network.to_vector`.
    doubts : dict of str to list of int
        What could not be decided.
    """

    reasons: dict[str, list[int]]
    directions: list[Floats]
    doubts: dict[str, list[int]]


def sentences(found: dict[str, list[int]]) -> list[str]:
    """Return one sentence for all neurons that it is true of, or for the network where none is."""
    return [
        f"neuron{'s' if len(neurons) > 1 else ''} {', '.join(map(str, neurons))}: {text}"
        if neurons
        else text
        for text, neurons in found.items()
    ]


def note(where: dict[str, list[int]], j: int, text: str) -> None:
    """Add a neuron to those that a text is true of."""
    where.setdefault(text, []).append(j)


def leads(sight: Sight, probes: Probes | None) -> Leads:
    """Look at each flat neuron, and at each neuron that bends on an end of an interval."""
    found = Leads({}, [], {})
    v = sight.network.outputs
    for j in range(sight.network.width):
        role = int(sight.role[j])
        if role == DEGENERATE and v[j] == 0.0:
            _new_neuron(sight, j, probes or probe(sight), found)
        elif role in (KINK, CARRIER, EDGE) and v[j] == 0.0:
            _escape_neuron(sight, j, found)
        if not sight.atomic and sight.point[j] >= 0 and role in (IDLE, CARRIER):
            _at_end(sight, j, found)
    return found


def _new_neuron(sight: Sight, j: int, probes: Probes, found: Leads) -> None:
    direction, sign = probes.largest()
    if max(-probes.least, probes.most) <= sight.floor:
        note(found.doubts, j, "zero (w = b = v = 0), and no new bend lowers the risk visibly")
        return
    note(found.reasons, j, "zero (w = b = v = 0), and a bend that lowers the risk can grow from it")
    found.directions.extend(_with_output(sight, j, direction, -sign))


def _escape_neuron(sight: Sight, j: int, found: Leads) -> None:
    """Test whether the error is orthogonal to all that a flat neuron can become."""
    tangents = sight.tangents
    if sight.role[j] == EDGE:
        parts = np.array([tangents.away[j], tangents.into[j], tangents.turn[j]])
    else:
        parts = np.array([tangents.shift[j], tangents.shift[j], tangents.turn[j]])
    if np.abs(parts).max() > sight.floor:
        note(
            found.reasons,
            j,
            "flat (v = 0) and able to turn towards the error, so that its weights and v together "
            "lower the risk at second order (an escape neuron)",
        )
        found.directions.extend(_turned(sight, j, parts))
        return
    if sight.atomic or sight.role[j] != KINK:
        return
    below, above = kink_term(sight, j)
    limit = _visible_error(sight)
    if max(abs(below), abs(above)) <= limit:
        note(found.doubts, j, "flat, and the error is zero at the breakpoint")
        return
    side = 1.0 if abs(above) >= abs(below) else -1.0
    sign = np.sign(above if side > 0.0 else below)
    note(
        found.reasons,
        j,
        "flat, and the error at the breakpoint is not zero: moving it while v grows lowers the "
        "risk at fourth order",
    )
    move = np.array([0.0, -side * float(sight.network.weights[j, 0]) * sight.moments.x_axis.scale])
    found.directions.extend(_with_output(sight, j, move, -float(sign)))


def _at_end(sight: Sight, j: int, found: Leads) -> None:
    """Look at a breakpoint on an end: moved inside it adds a small bend there."""
    network = sight.network
    error, v = end_term(sight, j), float(network.outputs[j])
    where = "left" if sight.point[j] == 0 else "right"
    idle = int(sight.role[j]) == IDLE
    w = float(network.weights[j, 0])
    # To which side of zero the neuron is on the support, and its slope there.
    positive = (w > 0.0) == (sight.point[j] == 0)
    slope = 1.0 if positive else sight.leak
    move = np.array([0.0, (-1.0 if positive else 1.0) * abs(w) * sight.moments.x_axis.scale])
    if abs(error) <= _visible_error(sight):
        note(found.doubts, j, f"breakpoint on the {where} end, where the error is zero")
    elif v == 0.0:
        order = "third" if idle else "fourth"
        note(
            found.reasons,
            j,
            f"flat, with its breakpoint on the {where} end: moved inside, with v of one sign, it "
            f"lowers the risk at {order} order",
        )
        found.directions.extend(_with_output(sight, j, move, -float(np.sign(error))))
    elif v * error < 0.0:
        note(
            found.reasons,
            j,
            f"breakpoint on the {where} end: moved inside, it lowers the risk at second order",
        )
        change = _blank(sight)
        change[[j, network.width + j]] = move
        # The line beside the bend stays where it is.
        change[3 * network.width] = -slope * v * move[1]
        found.directions.append(change)


def _visible_error(sight: Sight) -> float:
    """Return the size of e p that is zero: a share of the root mean square of e, times mean p."""
    total = float(sight.mass.sum())
    low, high = sight.moments.support
    return FLAT * sight.excess / np.sqrt(total) * total / (high - low)


def _blank(sight: Sight) -> Floats:
    return np.zeros(3 * sight.network.width + (1 if sight.network.skip is None else 2))


def _with_output(sight: Sight, j: int, move: Floats, sign: float) -> list[Floats]:
    """Return directions that change (w, b) by `move`, and v by several shares of one sign."""
    width = sight.network.width
    x, y = sight.moments.x_axis, sight.moments.y_axis
    # An output weight that makes bends of the size of the target, for weights of this size.
    size = float(np.hypot(move[0] * x.scale, move[0] * x.centre + move[1])) or 1.0
    result: list[Floats] = []
    for ratio in RATIOS:
        change = _blank(sight)
        change[[j, width + j]] = move
        change[2 * width + j] = sign * ratio * y.scale / size
        result.append(change)
    return result


def _turned(sight: Sight, j: int, parts: Floats) -> list[Floats]:
    """Return directions along which `act' (dw x + db)` correlates with the error, and v follows.

    Along dw = move and dv the risk changes by `2 dv D + dv^2 H` at second order, D being the inner
    product of that derivative with the error and H the square of the norm of `act`: -D / H is best.
    """
    x, y, width = sight.moments.x_axis, sight.moments.y_axis, sight.network.width
    w, b = float(sight.network.weights[j, 0]), float(sight.network.biases[j])
    size = max(float(np.hypot(w * x.scale, w * x.centre + b)), 1e-300)
    shift, turn, output = sight.tangents.norms[:, j]
    if abs(parts[2]) >= max(abs(parts[0]), abs(parts[1])):
        centre = float(sight.tangents.centre[j])
        move = np.array([1.0 / x.scale, -centre - x.centre / x.scale]) * size
        inner = float(parts[2]) * turn
    else:
        up = abs(parts[1]) >= abs(parts[0])
        move = np.array([0.0, 1.0 if up else -1.0]) * size
        inner = float(parts[1] if up else -parts[0]) * shift
    act = float(output * sight.evaluation.reduced.power[j])
    if act == 0.0:
        return _with_output(sight, j, move, -float(np.sign(inner)))
    best = -y.scale * size * inner * sight.excess / act**2
    result: list[Floats] = []
    for share in SHARES:
        change = _blank(sight)
        change[[j, width + j]] = move
        change[2 * width + j] = share * best
        result.append(change)
    return result
