"""A piecewise polynomial target in the plane, on a convex polygon."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.errors import InputError
from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.network import Network
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.cellwise import Ground, Integrals, ground_of, integrate, risk_of
from reluscape.problems.convex import convex_polygon
from reluscape.problems.line import zero_is_active
from reluscape.problems.nonnegative import negative_point
from reluscape.problems.plane import frame_of
from reluscape.problems.polygon_hessian import hessian
from reluscape.problems.response_risk import check_inputs
from reluscape.problems.surfaces import PiecewisePolynomial2d, polynomial2d

Floats = NDArray[np.float64]


class Polygon:
    """The risk `integral over a convex polygon of (N(x) - f(x))^2 p(x) dx`, exactly.

    The lines where neurons switch, and those of target and density, cut the polygon into convex
    cells; on each of them everything is a polynomial and is integrated exactly, in about 32
    digits. Corners are classified in the same arithmetic: lines that are parallel, equal, or run
    through a corner or along an edge are no special case.

    Parameters
    ----------
    target : PiecewisePolynomial2d or Network
        The function f, see `polynomial2d` and `piecewise_polynomial2d`; a network with two inputs
        and scalar values is a teacher.
    vertices : array_like, shape (m, 2)
        Corners of the convex polygon in the order of its boundary, either way round.
    density : PiecewisePolynomial2d, optional
        The density p >= 0; default 1, Lebesgue measure: the risk is then not divided by the area.

    Attributes
    ----------
    vertices : ndarray, shape (corners, 2)
        Counter-clockwise, without vertices in the middle of an edge.
    target : PiecewisePolynomial2d or Network
    density : PiecewisePolynomial2d

    Raises
    ------
    InputError
        If the vertices are not those of a convex polygon, the target is neither of the two, or the
        density is negative somewhere (deeper than about 1e-7 of its largest value, if it touches
        zero along a curve) or zero everywhere.

    Examples
    --------
    The target x y on the unit square against the zero network: the risk is 1/9.

    >>> from reluscape import Network, Polygon, polynomial2d
    >>> square = [[0, 0], [1, 0], [1, 1], [0, 1]]
    >>> problem = Polygon(polynomial2d([[0, 0], [0, 1]]), square)
    >>> round(9 * problem.risk(Network([[1.0, -1.0]], [0.0], [0.0])), 15)
    1.0

    A teacher has risk 0.

    >>> teacher = Network([[1.0, -1.0]], [0.25], [2.0])
    >>> Polygon(teacher, square).risk(teacher)
    0.0
    """

    inputs = 2
    targets = 1

    def __init__(
        self,
        target: PiecewisePolynomial2d | Network,
        vertices: ArrayLike,
        density: PiecewisePolynomial2d | None = None,
    ) -> None:
        self.vertices = convex_polygon(vertices)
        self.vertices.flags.writeable = False
        if isinstance(target, Network):
            _check_network(target, "target")
        elif not isinstance(target, PiecewisePolynomial2d):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(
                f"the target is a {type(target).__name__}; give polynomial2d(...), "
                "piecewise_polynomial2d(...) or a Network with two inputs."
            )
        self.target = target
        if not isinstance(density, PiecewisePolynomial2d | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(
                f"the density is a {type(density).__name__}; give polynomial2d(...) or "
                "piecewise_polynomial2d(...)."
            )
        self.density = polynomial2d([[1.0]]) if density is None else density
        self.frame = frame_of(self.vertices)
        nothing = polynomial2d([[0.0]])
        _check_density(ground_of(nothing, self.density, self.vertices, self.frame))

    @property
    def uniform(self) -> bool:
        """Whether the density is constant on the polygon."""
        density = self.ground.density
        c = density.coefficients
        return density.degree == 0 and bool((c == c[0]).all())

    @cached_property
    def ground(self) -> Ground:
        """What the networks are compared with, cut into cells."""
        return ground_of(self.target, self.density, self.vertices, self.frame)

    def risk(self, network: Network | GeneralizedResponse) -> float:
        """Return the exact risk of a network or of a generalized response, rounded once.

        Examples
        --------
        A jump of height 2 along the diagonal of the unit square, against the target 0.

        >>> from reluscape import GeneralizedResponse
        >>> square = Polygon(polynomial2d([[0]]), [[0, 0], [1, 0], [1, 1], [0, 1]])
        >>> square.risk(GeneralizedResponse([[1.0, 1.0]], [1.0], [[0.0, 0.0]], [2.0]))
        2.0
        """
        if isinstance(network, GeneralizedResponse):
            check_inputs(network, 2)
            return risk_of(self.ground, network)
        return self._integrate(network).risk

    def gradient(self, network: Network, at_zero: str = "gt") -> Floats:
        """Return the generalized gradient.

        Parameters
        ----------
        network : Network
        at_zero : {"gt", "ge"}
            The derivative of ReLU at zero, 0 or 1, for neurons with w = 0 and b = 0.

        Returns
        -------
        ndarray, shape (4 width + 1,) or (4 width + 3,) with a skip connection
            In the order of `Network.to_vector`.
        """
        return self._integrate(network, at_zero).gradient

    def hessian(self, network: Network) -> Floats:
        """Return the Hessian of the risk in the order of `Network.to_vector`.

        It has the term of the moving lines: for each neuron `2 v / |w|` times the integral of
        `e p (x, 1) (x, 1)^T` along its line inside the polygon, e = N - f. Valid where no neuron
        has w = 0 and b = 0, and no line runs along an edge of the polygon (there it counts as
        outside); where a line runs along a jump of f p, it is the Hessian from the neuron's active
        side.
        """
        return hessian(self._integrate(network))

    def risk_of(self, function: PiecewisePolynomial2d) -> float:
        """Return the risk of any function that is a polynomial on the cells of some lines.

        Parameters
        ----------
        function : PiecewisePolynomial2d
            Takes the place of N; it may jump.

        Returns
        -------
        float

        Examples
        --------
        The indicator of x > 1/2 against the target 0 on the unit square.

        >>> from reluscape import piecewise_polynomial2d
        >>> square = Polygon(polynomial2d([[0]]), [[0, 0], [1, 0], [1, 1], [0, 1]])
        >>> square.risk_of(piecewise_polynomial2d([[2, 0, -1]], [([1], [[1]])]))
        0.5
        """
        return risk_of(self.ground, function)

    def _integrate(self, network: Network, at_zero: str = "gt") -> Integrals:
        right = zero_is_active(at_zero)
        _check_network(network, "network")
        return integrate(self.ground, network, right)

    def __repr__(self) -> str:
        """Name the polygon and the target."""
        if isinstance(self.target, Network):
            target = f"teacher of width {self.target.width}"
        else:
            target = f"target on {len(self.ground.cells.parents)} cell(s)"
        return f"Polygon({len(self.vertices)} vertices, {target})"


def _check_network(network: Network, what: str) -> None:
    require_piecewise_linear(network.activation, "the exact risk on a polygon")
    if network.inputs != 2 or not network.scalar:
        raise InputError(
            f"the {what} has {network.inputs} input(s) and {network.targets} target(s), a polygon "
            "two inputs and scalar values; give weights (width, 2) and outputs (width,)."
        )


def _check_density(ground: Ground) -> None:
    c, degree, cells = ground.density.coefficients, ground.density.degree, ground.cells
    if not c.any():
        raise InputError("the density is zero everywhere; give one with positive mass.")
    rows = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    matrix = np.zeros((degree + 1, degree + 1))
    for k in range(len(cells.parents)):
        matrix[tuple(np.array(rows).T)] = c[k].sum(axis=1)
        corners = cells.points[cells.starts[k] : cells.starts[k + 1], ::2]
        first = np.tile(corners[0], (len(corners) - 2, 1))
        point = negative_point(matrix, np.stack([first, corners[1:-1], corners[2:]], axis=1))
        if point is not None:
            x, y = np.asarray(ground.frame.centre) + ground.frame.unit * point
            raise InputError(
                f"the density is negative near ({x:g}, {y:g}), inside the polygon; densities are "
                ">= 0."
            )
