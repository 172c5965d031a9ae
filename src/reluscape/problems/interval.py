"""A piecewise polynomial target on an interval, under a piecewise polynomial density."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.network import Network
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems import dense, line, quadrature, response_risk, smooth
from reluscape.problems.moments import Moments, moments_of_polynomials
from reluscape.problems.targets import PiecewisePolynomial, polynomial

Floats = NDArray[np.float64]
Result = TypeVar("Result")


class Interval:
    """The risk `integral from a to b of (N(x) - f(x))^2 p(x) dx`, exactly.

    Parameters
    ----------
    target : PiecewisePolynomial
        The function f, see `piecewise_polynomial`.
    a, b : float
        The interval, a < b.
    density : PiecewisePolynomial, optional
        The density p >= 0; default 1, Lebesgue measure, as in S2 and S3: the risk is then not
        divided by b - a.

    Raises
    ------
    InputError
        If a >= b, a bound is not finite, the target or the density does not cover [a, b], or the
        density is negative somewhere or zero everywhere.

    Examples
    --------
    The saddle of S2 for the target x on [0, 1] with two neurons has risk 1/972.

    >>> from reluscape import Interval, Network, affine
    >>> problem = Interval(affine(1, 0), 0, 1)
    >>> saddle = Network([1, -1], [-1/3, 2/3], [2/3, -2/3], 1/2)
    >>> round(problem.risk(saddle) * 972, 12)
    1.0
    """

    def __init__(
        self,
        target: PiecewisePolynomial,
        a: float,
        b: float,
        density: PiecewisePolynomial | None = None,
    ) -> None:
        self.a, self.b = float(a), float(b)
        if not (np.isfinite(self.a) and np.isfinite(self.b) and self.a < self.b):
            raise InputError(f"the interval [{a}, {b}] is not one; give finite a < b.")
        self.target = target
        self.density = polynomial([1.0]) if density is None else density
        borders, pieces = self.density.on(self.a, self.b, "density")
        _check_density(borders, pieces)

    inputs = 1
    targets = 1

    @property
    def uniform(self) -> bool:
        """Whether the density is constant on [a, b]."""
        _, pieces = self.density.on(self.a, self.b, "density")
        return all(c[0] == pieces[0][0] and not any(c[1:]) for c in pieces)

    @cached_property
    def moments(self) -> Moments:
        """The six cumulative moments, tabulated exactly."""
        parts = self.pieces
        return moments_of_polynomials(np.asarray(parts.cuts), parts.target, parts.density)

    @cached_property
    def pieces(self) -> smooth.Pieces:
        """Target and density on their common pieces inside [a, b]."""
        borders, f = self.target.on(self.a, self.b, "target")
        others, p = self.density.on(self.a, self.b, "density")
        cuts = sorted({*borders, *others})
        target = [f[np.searchsorted(borders, t, side="right") - 1] for t in cuts[:-1]]
        density = [p[np.searchsorted(others, t, side="right") - 1] for t in cuts[:-1]]
        return smooth.Pieces(cuts, target, density)

    def risk(self, network: Network | GeneralizedResponse) -> float:
        """Return the exact risk of a network or of a generalized response, rounded once.

        By quadrature, to rounding, for the activations tanh and softplus.
        """
        if isinstance(network, GeneralizedResponse):
            return response_risk.risk_on_a_line(self.moments, network)
        if not network.activation.piecewise_linear:
            return self._curved(network, smooth.risk, dense.risk)
        return line.risk(self.moments, network)

    def gradient(self, network: Network, at_zero: str = "gt") -> Floats:
        """Return the generalized gradient.

        Parameters
        ----------
        network : Network
        at_zero : {"gt", "ge"}
            The papers' two conventions for neurons with w = b = 0: the derivative of ReLU at zero
            is 0 (S1, S3) or 1 (S2).

        Returns
        -------
        ndarray, shape (3 width + 1,) or (3 width + 2,) with a skip connection
            In the order of `Network.to_vector`.
        """
        if not network.activation.piecewise_linear:
            line.zero_is_active(at_zero)
            return self._curved(network, smooth.gradient, dense.gradient)
        return line.gradient(self.moments, network, at_zero)

    def hessian(self, network: Network) -> Floats:
        """Return the Hessian of the risk in the order of `Network.to_vector`.

        Valid where no neuron has w = 0 and no breakpoint sits on a or b; where a breakpoint meets
        a jump of f p, it is the one-sided Hessian from the right.
        """
        if not network.activation.piecewise_linear:
            return self._curved(network, smooth.hessian, dense.hessian)
        return line.hessian(self.moments, network)

    def _curved(
        self,
        network: Network,
        exact: Callable[[smooth.Pieces, Network], Result],
        over_rows: Callable[[Network, Floats, Floats, Floats], Result],
    ) -> Result:
        """Answer for a curved activation: parabolas exactly, others by quadrature."""
        if network.activation.name == "square":
            return exact(self.pieces, network)
        line.require_line(network)
        return over_rows(network, *quadrature.rows(self.pieces, network))

    def __repr__(self) -> str:
        """Name the interval and the number of pieces."""
        pieces = len(self.target.on(self.a, self.b, "target")[1])
        return f"Interval([{self.a:g}, {self.b:g}], target of {pieces} piece(s))"


def _check_density(borders: list[float], pieces: list[list[float]]) -> None:
    positive = False
    for left, right, c in zip(borders[:-1], borders[1:], pieces, strict=True):
        poly = np.polynomial.Polynomial(np.asarray(c))
        turns = poly.deriv().roots()
        inner = turns.real[(turns.real > left) & (turns.real < right)]
        values = poly(np.concatenate([[left, right], inner]))
        size = float(np.abs(values).max())
        # A double zero evaluates to rounding error of either sign.
        if float(values.min()) < -1e-12 * size:
            raise InputError(
                f"the density is negative between {left:g} and {right:g}; densities are >= 0."
            )
        positive = positive or size > 0
    if not positive:
        raise InputError("the density is zero everywhere; give one with positive mass.")
