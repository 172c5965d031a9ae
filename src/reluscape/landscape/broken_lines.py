"""Broken lines as networks: their kinks exactly, their jumps as ramps as steep as one likes.

A function with J jumps and K kinks takes 2 J + K neurons beside a skip connection. Without one the
slope at the left end must come from neurons too. A neuron that is active to the right of its
breakpoint adds `r d` to it, where d is how far the function bends there, and one that is active to
the left `l d`, with r = s / (1 - s), l = -1 / (1 - s) and s the slope of the activation below zero
(ReLU: 0 and -1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from flint import fmpq

from reluscape.errors import InputError
from reluscape.landscape.seen import BrokenLine, Joint, exactly, rounded
from reluscape.networks.activations import Activation
from reluscape.networks.network import Network

# Sums of bends that are looked through for one that makes the first slope.
MOST_SUMS = 1 << 16


@dataclass(frozen=True, eq=False)
class Plan:
    """Which neurons make a broken line.

    Attributes
    ----------
    line : BrokenLine
    width : int
        What these neurons leave over does nothing.
    skip : bool
    activation : Activation
        Piecewise linear.
    left : frozenset of int
        Joints whose neurons are active to the left; the others are active to the right.
    facing : (int, int) or None
        Two jumps whose ramps have one neuron of each kind. What these add to the slope at the left
        end grows as the ramps get steeper, and cancels: the width of the second ramp follows from
        that of the first.
    """

    line: BrokenLine
    width: int
    skip: bool
    activation: Activation
    left: frozenset[int] = frozenset()
    facing: tuple[int, int] | None = None

    @property
    def widest(self) -> float:
        """Width that no ramp may have: they must not reach into each other."""
        line, places = self.line, [joint.at for joint in self.line.joints]
        ends = [2 * (places[0] - line.left), 2 * (line.right - places[-1])] if places else []
        between = [b - a for a, b in pairwise(places)]
        return rounded(min([*ends, *between, line.right - line.left]))


@dataclass(frozen=True, eq=False)
class _Knot:
    """A bend of a network, and the side on which its neuron is active: 1 right, -1 left."""

    at: fmpq
    bend: fmpq
    side: int


def plan(line: BrokenLine, width: int, skip: bool, activation: Activation) -> Plan | None:
    """Say how networks of a width come as close to a broken line as one likes.

    Parameters
    ----------
    line : BrokenLine
    width : int
    skip : bool
    activation : Activation
        Piecewise linear.

    Returns
    -------
    Plan or None
        None if they do not, or if there are too many ways to try. A plan for a line without jumps
        is the line itself.
    """
    simple = Plan(line, width, skip, activation)
    if line.knots + (0 if skip else 1) <= width:
        # The neuron that is left makes the first slope where there is no skip connection.
        return simple
    if line.knots > width:
        return None
    turned = _turned(line, activation)
    if turned is not None:
        return replace(simple, left=turned)
    jumps = [i for i, joint in enumerate(line.joints) if joint.jump]
    return replace(simple, facing=(jumps[0], jumps[1])) if len(jumps) > 1 else None


def network_of(made: Plan, eps: float = 0.0) -> Network:
    """Return the network of a plan whose ramps have the width `eps`, centred on the jumps.

    Parameters
    ----------
    made : Plan
    eps : float
        In units of x; it does not matter without jumps.

    Returns
    -------
    Network

    Raises
    ------
    InputError
        If a ramp would reach into another or beyond an end, or be too narrow for doubles.

    Examples
    --------
    >>> from reluscape import Interval, step
    >>> from reluscape.landscape.seen import broken_line, seen_pieces
    >>> from reluscape.networks.activations import relu
    >>> line = broken_line(seen_pieces(Interval(step(0.5), 0, 1)))
    >>> network_of(plan(line, 2, False, relu()), 0.5)([0.0, 0.25, 0.5, 0.75])
    array([0. , 0. , 0.5, 1. ])
    """
    line, slope = made.line, exactly(made.activation.slope)
    if line.jumps and not 0.0 < eps <= made.widest:
        raise InputError(f"eps is {eps!r}; give the width of a ramp, up to {made.widest:g}.")
    knots = _knots(made, eps)
    if any(rounded(a.at) == rounded(b.at) for a, b in pairwise(knots)):
        raise InputError(f"a ramp of width {eps:g} is too narrow for doubles; give a wider one.")
    right, left = _shares(made.activation)
    outputs = [knot.bend / (1 - slope) for knot in knots]
    rest = line.slope - sum(
        (knot.bend * (right if knot.side > 0 else left) for knot in knots), fmpq(0)
    )
    weights = [float(knot.side) for knot in knots]
    biases = [-knot.side * knot.at for knot in knots]
    if not made.skip and len(knots) < made.width:
        # Active on the whole line: a bend one length before it.
        weights.append(1.0)
        biases.append(line.right - 2 * line.left)
        outputs.append(rest)
    level = line.value - sum(
        (
            v * _activated(knot.side * (line.left - knot.at), slope)
            for v, knot in zip(outputs, knots, strict=False)
        ),
        fmpq(0),
    )
    level -= rest * (line.left if made.skip else biases[-1] + line.left)
    return padded(
        Network(
            weights,
            [rounded(b) for b in biases],
            [rounded(v) for v in outputs],
            rounded(level),
            [rounded(rest)] if made.skip else None,
            made.activation,
        ),
        made.width,
    )


def padded(network: Network, width: int) -> Network:
    """Return a network with neurons that do nothing, up to a width."""
    idle = [0.0] * (width - network.width)
    return Network(
        [*network.weights.tolist(), *([0.0] * network.inputs for _ in idle)],
        [*network.biases.tolist(), *idle],
        [*network.outputs.tolist(), *idle],
        network.offset,
        network.skip,
        network.activation,
    )


def _shares(activation: Activation) -> tuple[fmpq, fmpq]:
    """Return what a bend adds to the slope at the left end, by the side of its neuron."""
    slope = exactly(activation.slope)
    return slope / (1 - slope), -1 / (1 - slope)


def _activated(value: fmpq, slope: fmpq) -> fmpq:
    return value if value > 0 else slope * value


def _turned(line: BrokenLine, activation: Activation) -> frozenset[int] | None:
    """Return joints whose neurons, active to the left, make the first slope exactly."""
    right, left = _shares(activation)
    bends = [joint.bend for joint in line.joints]
    wanted = (right * sum(bends, fmpq(0)) - line.slope) / (right - left)
    sums: dict[fmpq, frozenset[int]] = {fmpq(0): frozenset()}
    for i, bend in enumerate(bends):
        sums = {total + bend: chosen | {i} for total, chosen in sums.items()} | sums
        if len(sums) > MOST_SUMS:
            return None
    return sums.get(wanted)


def _knots(made: Plan, eps: float) -> list[_Knot]:
    widths, sides = _ramps(made, exactly(eps))
    knots: list[_Knot] = []
    for i, joint in enumerate(made.line.joints):
        first, second = sides[i]
        if not joint.jump:
            knots.append(_Knot(joint.at, joint.bend, first))
            continue
        half = widths[i] / 2
        rise = joint.jump / widths[i] + (joint.before + joint.after) / 2
        knots.append(_Knot(joint.at - half, rise - joint.before, first))
        knots.append(_Knot(joint.at + half, joint.after - rise, second))
    return knots


def _ramps(made: Plan, eps: fmpq) -> tuple[list[fmpq], list[tuple[int, int]]]:
    """Return the width of each ramp, and the sides of its neurons."""
    joints = made.line.joints
    widths = [eps] * len(joints)
    sides = [(-1, -1) if i in made.left else (1, 1) for i in range(len(joints))]
    if made.facing is None:
        return widths, sides
    one, two = made.facing
    right, left = _shares(made.activation)
    # Of a ramp of width e the first neuron bends by jump / e + bend / 2, the second by the rest of
    # the bend; those active to the left must bend by this much together.
    total = sum((joint.bend for joint in joints), fmpq(0))
    wanted = (made.line.slope - right * total) / (left - right)
    wanted -= (joints[one].bend + joints[two].bend) / 2
    sign = 1 if joints[one].jump > 0 else -1
    steep = abs(joints[one].jump) / eps - sign * wanted
    widest = exactly(made.widest)
    if steep * widest < abs(joints[two].jump):
        raise InputError(
            f"eps is {rounded(eps):g}; the ramp at {rounded(joints[two].at):g}, whose width "
            "follows from it, would be too wide: give a smaller one."
        )
    widths[two] = abs(joints[two].jump) / steep
    sides[one] = (-1, 1)
    sides[two] = (1, -1) if _same_sign(joints[one], joints[two]) else (-1, 1)
    return widths, sides


def _same_sign(one: Joint, other: Joint) -> bool:
    return (one.jump > 0) == (other.jump > 0)
