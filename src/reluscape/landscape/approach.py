"""Explicit networks along a parameter whose risk goes to the infimum that none of them attains."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from reluscape.errors import InputError
from reluscape.landscape.broken_lines import Plan, network_of, padded
from reluscape.landscape.seen import BrokenLine, rounded
from reluscape.networks import curved
from reluscape.networks.activations import Activation
from reluscape.networks.arrays import Floats, is_number
from reluscape.networks.network import Network
from reluscape.problems import quadrature
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

# Functions at a smaller angle to the others leave fewer than three digits of their weights.
LEAST_ANGLE = 1e-13


@dataclass(frozen=True, eq=False)
class MinimisingSequence:
    """Explicit networks along one parameter; their risk tends to the infimum.

    Attributes
    ----------
    parameter : str
        Its name: "eps" goes to zero; "k" and "m" grow.
    formula : str
        What the networks are, in words.
    values : tuple of float
        A few values that a table may show.
    """

    parameter: str
    formula: str
    values: tuple[float, ...]
    build: Callable[[float], Network] = field(repr=False)

    def __call__(self, value: float) -> Network:
        """Return the network for a value of the parameter.

        Parameters
        ----------
        value : float
            Positive.

        Returns
        -------
        Network

        Raises
        ------
        InputError
            If the value is not a positive number, or beyond what doubles can hold.
        """
        if not is_number(value) or not 0.0 < value < math.inf:
            raise InputError(f"{self.parameter} is {value!r}; give a finite number above 0.")
        return self.build(float(value))

    def __str__(self) -> str:
        """Say what it is in one line."""
        way = "0" if self.parameter == "eps" else "infinity"
        return f"{self.formula}, {self.parameter} -> {way}"


def ramps(made: Plan) -> MinimisingSequence:
    """Return networks whose ramps get steeper, for a line that jumps."""
    return MinimisingSequence(
        "eps",
        "a ramp of width eps, centred, in the place of each jump",
        _powers(made.widest, -1),
        lambda eps: network_of(made, eps),
    )


def sharpened(made: Plan) -> MinimisingSequence:
    """Return softplus networks that come close to a broken line: `log(1 + e^(k y)) / k` is sharp.

    Where the line jumps, a ramp of width eps is sharpened by `k = length / eps^2`.
    """
    length = rounded(made.line.right - made.line.left)
    if made.line.jumps:
        return MinimisingSequence(
            "eps",
            "ramps of width eps in the place of jumps, of neurons log(1 + exp(k y)) / k with "
            f"k = {length:g} / eps^2",
            _powers(made.widest, -1),
            lambda eps: _softened(network_of(made, eps), length / (eps * eps)),
        )
    first = _powers(1.0 / length, 1)
    return MinimisingSequence(
        "k",
        "log(1 + exp(k y)) / k in the place of each max(y, 0)",
        tuple(10.0 * k for k in first),
        lambda k: _softened(network_of(made), k),
    )


def steps(line: BrokenLine, width: int, skip: bool) -> MinimisingSequence:
    """Return tanh networks that come close to a line whose pieces are all parallel."""
    places = [rounded(joint.at) for joint in line.joints]
    heights = [rounded(joint.jump) for joint in line.joints]
    slope, value = rounded(line.slope), rounded(line.value - line.slope * line.left)
    length = rounded(line.right - line.left)

    def build(k: float) -> Network:
        network = Network(
            [k] * len(places),
            [-k * at for at in places],
            [height / 2.0 for height in heights],
            value + sum(heights) / 2.0,
            [slope] if skip else None,
            "tanh",
        )
        return padded(network, width)

    return MinimisingSequence(
        "k",
        "(1 + tanh(k (x - t))) / 2 in the place of each step at t",
        tuple(10.0 * k for k in _powers(1.0 / length, 1)),
        build,
    )


def far_kink(
    unit: Floats, shift: float, reach: float, offset: float, width: int, activation: Activation
) -> MinimisingSequence:
    """Return networks without skip connection that come close to `reach (unit.x - shift) + offset`.

    Their one kink moves away from where x is.

    Parameters
    ----------
    unit : ndarray of shape (inputs,)
        Such that `unit.x - shift` is of size one.
    shift, reach, offset : float
    width : int
    activation : Activation
        Piecewise linear or softplus.
    """

    def build(m: float) -> Network:
        neuron = Network([unit], [m - shift], [reach], offset - reach * m, None, activation)
        return padded(neuron, width)

    return MinimisingSequence(
        "m",
        "one neuron act(y + m) - m, whose kink moves away from all x",
        (2.0, 4.0, 8.0),
        build,
    )


def steep_parabola(problem: Interval | Samples, ends: tuple[float, float]) -> MinimisingSequence:
    """Return parabolas of one neuron, ever less curved, with the best outer weights.

    Parameters
    ----------
    problem : Interval or Samples
        With one input.
    ends : (float, float)
        The least and the largest x.
    """
    low, high = ends

    def build(m: float) -> Network:
        weight = 1.0 / (2.0 * m * (high - low))
        inner = Network([weight], [m - weight * low], [0.0], activation="square")
        return with_best_outputs(problem, inner)

    return MinimisingSequence(
        "m",
        f"v (m + y / (2 m))^2 + c with y from 0 at {low:g} to 1 at {high:g} and the best v and c",
        (4.0, 16.0, 64.0),
        build,
    )


def with_best_outputs(problem: Interval | Samples, network: Network) -> Network:
    """Return a curved network with the outer weights, offset and skip connection of least risk.

    Raises
    ------
    InputError
        If these cannot be told apart in floating point: the neurons are too much alike.
    """
    if isinstance(problem, Interval):
        x, y, weights = quadrature.rows(problem.pieces, network)
    else:
        x, y, weights = problem.x.reshape(-1, 1), problem.y.reshape(-1, 1), problem.weights
    low, high = float(x.min()), float(x.max())
    middle, half = (low + high) / 2.0, (high - low) / 2.0
    inner = x * network.weights[:, 0] + network.biases
    columns = [curved.apply(network.activation.name, inner), np.ones_like(x)]
    if network.skip is not None:
        columns.append((x - middle) / half)
    root = np.sqrt(weights)[:, np.newaxis]
    design = np.hstack(columns) * root
    # No column is left out, however alike they are: that would be another network.
    q, r = np.linalg.qr(design)
    if (np.abs(np.diag(r)) <= LEAST_ANGLE * np.linalg.norm(design, axis=0)).any():
        raise InputError("the neurons are too much alike for doubles; stay farther from the limit.")
    solved = np.linalg.solve(r, q.T @ (y * root).ravel())
    width = network.width
    slope = float(solved[width + 1]) / half if network.skip is not None else 0.0
    return Network(
        network.weights,
        network.biases,
        solved[:width],
        float(solved[width]) - slope * middle,
        None if network.skip is None else [slope],
        network.activation,
    )


def _softened(network: Network, k: float) -> Network:
    """Return a ReLU network with `log(1 + e^(k y)) / k` in the place of `max(y, 0)`."""
    return Network(
        network.weights * k,
        network.biases * k,
        network.outputs / k,
        network.offset,
        network.skip,
        "softplus",
    )


def _powers(below: float, way: int) -> tuple[float, ...]:
    """Return three powers of ten from a number on, down (-1) or up (1)."""
    first = math.floor(math.log10(below / 2.0)) if way < 0 else math.ceil(math.log10(below))
    return tuple(10.0 ** (first + way * i) for i in range(3))
