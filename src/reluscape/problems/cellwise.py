"""Cells of a polygon, and the integrals over them that risk and derivatives are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.network import Network
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.plane import Frame, gauss, parts_of
from reluscape.problems.surfaces import PiecewisePolynomial2d

if TYPE_CHECKING:
    from reluscape.kernels.clipping import Cells

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Layer:
    """A function in the frame, a polynomial on each cell.

    Attributes
    ----------
    coefficients : ndarray, shape (cells, terms, 2)
        As the kernels take them.
    degree : int
    exponent : int
        They were divided by 2^exponent.
    """

    coefficients: Floats
    degree: int
    exponent: int


@dataclass(frozen=True, eq=False)
class Ground:
    """What functions are compared with: target and density, and the cells cut by their lines."""

    frame: Frame
    cells: Cells
    target: Layer
    density: Layer

    @property
    def measure(self) -> int:
        """The exponent of the measure: of the density, and of the frame's area."""
        return self.density.exponent + 2 * self.frame.exponent

    def squares(self, cells: Cells, errors: Floats, degree: int) -> Floats:
        """Integrate over finer cells, see `kernels.polygons.squares`."""
        from reluscape.kernels.polygons import squares

        p = self.density
        rule = gauss(2 * degree + p.degree + 1)
        return squares(cells, errors, degree, p.coefficients[cells.parents], p.degree, rule)


def ground_of(
    target: PiecewisePolynomial2d | Network,
    density: PiecewisePolynomial2d,
    vertices: Floats,
    frame: Frame,
) -> Ground:
    """Cut a polygon along the lines of target and density."""
    from reluscape.kernels.clipping import Cells, split
    from reluscape.kernels.polygons import combine

    functions = parts_of(target, frame), parts_of(density, frame)
    whole = Cells(
        frame.points(vertices),
        np.array([0, len(vertices)]),
        np.zeros(1, dtype=np.int64),
        np.zeros((1, 0), dtype=np.int8),
    )
    cells = split(whole, np.vstack([parts.lines for parts in functions]))
    layers: list[Layer] = []
    borders = np.cumsum([0, *(len(parts.lines) for parts in functions)])
    # Networks are affine, so that an error has degree 1 at least.
    for k, (parts, least) in enumerate(zip(functions, (1, 0), strict=True)):
        degree, exponent = max(least, parts.degree), parts.exponent
        pieces = parts.coefficients(degree, exponent)
        matches = parts.matches(cells.sides[:, borders[k] : borders[k + 1]])
        nothing = np.zeros((len(matches), *pieces.shape[1:]))
        layers.append(Layer(combine(matches, pieces, nothing), degree, exponent))
    return Ground(frame, cells, *layers)


@dataclass(frozen=True, eq=False)
class Errors:
    """What a function differs by from the target, on the cells that both cut.

    Attributes
    ----------
    cells : Cells
        Cut by the lines of the function, too; its sides are those of these lines.
    coefficients : ndarray, shape (cells, terms, 2)
        Of the function minus the target, divided by 2^exponent of the target.
    degree : int
    """

    cells: Cells
    coefficients: Floats
    degree: int


def errors_of(
    ground: Ground, function: PiecewisePolynomial2d | Network | GeneralizedResponse
) -> Errors:
    """Subtract the target from a function, cell by cell."""
    from reluscape.kernels.clipping import split
    from reluscape.kernels.polygons import combine

    parts, target = parts_of(function, ground.frame), ground.target
    cells = split(ground.cells, parts.lines)
    degree = max(target.degree, parts.degree)
    start = -_raised(target, degree)[cells.parents]
    pieces = parts.coefficients(degree, target.exponent)
    return Errors(cells, combine(parts.matches(cells.sides), pieces, start), degree)


def risk_of(ground: Ground, function: PiecewisePolynomial2d | GeneralizedResponse) -> float:
    """Return the integral of `(function - f)^2 p`."""
    errors = errors_of(ground, function)
    sums = ground.squares(errors.cells, errors.coefficients, errors.degree)[:, 0]
    total = float(sums[:, 0].sum() + sums[:, 1].sum())
    return float(scaled(total, 2 * ground.target.exponent + ground.measure))


def integrate(ground: Ground, network: Network, right: bool) -> Integrals:
    """Integrate a network's errors over the cells that its lines cut.

    Parameters
    ----------
    ground : Ground
    network : Network
        Two inputs, scalar values.
    right : bool
        Whether neurons with w = b = 0 have the right derivative of the activation.
    """
    from reluscape.kernels.clipping import split
    from reluscape.kernels.polygons import add_network, gather

    frame, target = ground.frame, ground.target
    weights, biases, powers = frame.affine(network.weights, network.biases)
    skip = np.zeros((1, 2)) if network.skip is None else network.skip[np.newaxis]
    u, c, power = frame.affine(skip, network.offset[np.newaxis])
    affine = np.zeros((3, 2))
    affine[0], affine[1:, 0] = c[0], u[0]
    with np.errstate(over="ignore", under="ignore"):
        affine = np.ldexp(affine, power[0] - target.exponent)
        outputs = np.ldexp(network.outputs, powers - target.exponent)
    bent = network.weights.any(axis=1)
    lines = np.hstack([weights[bent], biases[bent]])
    cells = split(ground.cells, lines)
    slope = network.activation.slope
    still = np.where((network.biases > 0) | (right & (network.biases == 0)), 1.0, slope)
    factors = np.tile(still, (len(cells.parents), 1))
    factors[:, bent] = np.where(cells.sides > 0, 1.0, slope)
    start = -target.coefficients[cells.parents]
    errors = add_network(factors, weights, biases, outputs, affine, target.degree, start)
    sums = ground.squares(cells, errors, target.degree)
    centre = np.ldexp(np.asarray(frame.centre), -frame.exponent)
    neurons, total = gather(sums, factors, weights, biases, centre)
    return Integrals(ground, network, cells, lines, factors, errors, powers, neurons, total)


@dataclass(frozen=True, eq=False)
class Integrals:
    """What risk and derivatives of one network are made of, in the frame.

    Attributes
    ----------
    ground : Ground
    network : Network
    cells : Cells
        Cut by the lines of the neurons with w != 0.
    lines : ndarray, shape (m, 4)
        These lines.
    factors : ndarray, shape (cells, width)
        Slope of each neuron's activation on each cell.
    errors : ndarray, shape (cells, terms, 2)
        N - f on each cell.
    powers : ndarray, shape (width,)
        Neurons were divided by 2^power.
    neurons, total : ndarrays, shapes (width, 4) and (4,)
        See `kernels.polygons.gather`.
    """

    ground: Ground
    network: Network
    cells: Cells
    lines: Floats
    factors: Floats
    errors: Floats
    powers: NDArray[np.int64]
    neurons: Floats
    total: Floats

    @property
    def risk(self) -> float:
        """The risk in the user's units."""
        exponent = 2 * self.ground.target.exponent + self.ground.measure
        return float(scaled(self.total[3], exponent))

    @property
    def gradient(self) -> Floats:
        """The gradient in the order of `Network.to_vector`."""
        by_x, by_one, by_value = self.pulls
        v = self.network.outputs
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            parts = [(v[:, np.newaxis] * by_x).ravel(), v * by_one, by_value]
        gain = self._gain
        parts.append(scaled(self.total[2:3], gain))
        if self.network.skip is not None:
            parts.append(scaled(self.total[:2], gain + self.ground.frame.exponent))
        return finite(np.concatenate(parts))

    @cached_property
    def pulls(self) -> tuple[Floats, Floats, Floats]:
        """Twice the integrals of `a' e p x` (width, 2), `a' e p` and `a e p`, in user's units."""
        gain = self._gain
        return (
            scaled(self.neurons[:, :2], gain + self.ground.frame.exponent),
            scaled(self.neurons[:, 2], gain),
            scaled(self.neurons[:, 3], gain + self.powers),
        )

    @property
    def _gain(self) -> int:
        return self.ground.target.exponent + self.ground.measure + 1


def finite(result: Floats) -> Floats:
    """Return numbers that are finite, or say that they are too large.

    Raises
    ------
    InputError
        If one is not finite.
    """
    if not np.isfinite(result).all():
        raise InputError(
            "the risk or its derivatives are beyond the largest float; scale target and "
            "parameters down."
        )
    return result


def scaled(values: Floats | float, exponents: NDArray[np.int64] | int) -> Floats:
    """Return numbers times powers of two, if they are finite.

    Raises
    ------
    InputError
        If one is not.
    """
    with np.errstate(over="ignore", under="ignore"):
        return finite(np.ldexp(values, exponents))


def _raised(layer: Layer, degree: int) -> Floats:
    """Return coefficients (cells, terms, 2) with room for a higher degree."""
    c = layer.coefficients
    out = np.zeros((len(c), (degree + 1) * (degree + 2) // 2, 2))
    start = 0
    for i in range(layer.degree + 1):
        row = i * (degree + 1) - i * (i - 1) // 2
        length = layer.degree - i + 1
        out[:, row : row + length] = c[:, start : start + length]
        start += length
    return out
