"""Data as a problem: the weighted sum of squared errors over rows (x_i, y_i)."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.errors import InputError
from reluscape.networks.arrays import as_floats, check_finite
from reluscape.networks.network import Network
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems import dense, line, response_risk
from reluscape.problems.moments import Moments, moments_of_data

Floats = NDArray[np.float64]


class Samples:
    """The risk `sum_i weights_i |N(x_i) - y_i|^2` over data.

    With one input and scalar targets everything is computed from cumulative moments, at a cost
    that does not grow with the number of rows; otherwise, and for the activation "square", by
    matrix products over the rows.

    Parameters
    ----------
    x : array_like, shape (n,) or (n, inputs)
        Inputs, in any order; repeated values are fine.
    y : array_like, shape (n,) or (n, targets)
        Targets.
    weights : array_like, shape (n,), optional
        Non-negative, not all zero; default 1/n each, so that the risk is the mean squared error.

    Attributes
    ----------
    x, y : ndarray
        The data as given; float64 arrays are not copied, so do not change them afterwards.
    weights : ndarray, shape (n,)
    weighted : bool
        Whether the user gave weights.

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite, there are no rows, or weights are negative or
        all zero.

    Examples
    --------
    >>> from reluscape import Network, Samples
    >>> problem = Samples([0.0, 1.0, 2.0], [0.0, 1.0, 0.0])
    >>> problem.risk(Network([1.0], [0.0], [1.0]))
    1.3333333333333333
    """

    def __init__(self, x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> None:
        self.x, self.y = as_floats("x", x), as_floats("y", y)
        if self.x.ndim not in (1, 2) or self.y.ndim not in (1, 2):
            raise InputError(
                f"x has shape {self.x.shape} and y {self.y.shape}; give (n,) or (n, inputs), and "
                "(n,) or (n, targets)."
            )
        if len(self.x) != len(self.y):
            raise InputError(
                f"x has {len(self.x)} rows and y {len(self.y)}; they must have the same number."
            )
        if not len(self.x) or not self.x.size or not self.y.size:
            raise InputError("there are no rows to fit; give at least one.")
        check_finite("x", self.x)
        check_finite("y", self.y)
        self.given_weights = None if weights is None else _checked_weights(weights, len(self.x))

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.x)

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return 1 if self.x.ndim == 1 else int(self.x.shape[1])

    @property
    def targets(self) -> int:
        """Number of targets."""
        return 1 if self.y.ndim == 1 else int(self.y.shape[1])

    @property
    def weighted(self) -> bool:
        """Whether weights were given."""
        return self.given_weights is not None

    @property
    def weights(self) -> Floats:
        """Weight of each row, shape (n,)."""
        if self.given_weights is None:
            return np.full(self.size, 1.0 / self.size)
        return self.given_weights

    @property
    def on_a_line(self) -> bool:
        """Whether there is one input and y has shape (n,): the exact one-dimensional case."""
        return self.inputs == 1 and self.y.ndim == 1

    @cached_property
    def moments(self) -> Moments:
        """The six cumulative moments; one input and y of shape (n,) only."""
        if not self.on_a_line:
            raise InputError(
                f"moments need one input and y of shape (n,); these data have {self.inputs} "
                f"input(s) and y of shape {self.y.shape}."
            )
        return moments_of_data(self.x.reshape(-1), self.y, self.given_weights)

    @property
    def distinct(self) -> int:
        """Number of distinct inputs with positive weight (one input only)."""
        return len(self.moments.table.edges)

    @cached_property
    def pure_error(self) -> float:
        """The part of the risk that no function of x can remove: repeated x, unequal y."""
        from reluscape.kernels.table import pure_error

        table = self.moments.table
        return pure_error(table.high, table.low) * table.mass * table.y_scale**2

    def risk(self, network: Network | GeneralizedResponse) -> float:
        """Return `sum_i weights_i |N(x_i) - y_i|^2` of a network or a generalized response.

        For a response a row on the boundary of a half-space, which is open, is outside of it.
        """
        if isinstance(network, GeneralizedResponse):
            if self.targets != 1:
                raise InputError(f"the response has one target, the data {self.targets}.")
            if self.on_a_line:
                return response_risk.risk_on_a_line(self.moments, network)
            x, y, weights = self._rows()
            return response_risk.risk_on_rows(network, x, y[:, 0], weights)
        if self._through_moments(network):
            return line.risk(self.moments, network)
        return dense.risk(network, *self._rows())

    def gradient(self, network: Network, at_zero: str = "gt") -> Floats:
        """Return the generalized gradient in the order of `Network.to_vector`.

        Parameters
        ----------
        network : Network
        at_zero : {"gt", "ge"}
            Derivative of ReLU at zero: 0 ("gt": S1, S3) or 1 ("ge": S2). For data it also says
            whether a row that sits exactly on a breakpoint counts.

        Returns
        -------
        ndarray
        """
        if self._through_moments(network):
            return line.gradient(self.moments, network, at_zero)
        line.zero_is_active(at_zero)
        return dense.gradient(network, *self._rows(), at_zero)

    def hessian(self, network: Network) -> Floats:
        """Return the Hessian of the risk on the smooth cell that the network lies in."""
        if self._through_moments(network):
            return line.hessian(self.moments, network)
        return dense.hessian(network, *self._rows())

    def _through_moments(self, network: Network) -> bool:
        if network.inputs != self.inputs or network.targets != self.targets:
            raise InputError(
                f"the network has {network.inputs} input(s) and {network.targets} target(s), the "
                f"data {self.inputs} and {self.targets}."
            )
        return self.on_a_line and network.scalar and network.activation.piecewise_linear

    def _rows(self) -> tuple[Floats, Floats, Floats]:
        return self.x.reshape(self.size, -1), self.y.reshape(self.size, -1), self.weights

    def __repr__(self) -> str:
        """Name the shape."""
        extra = ", weighted" if self.weighted else ""
        return f"Samples({self.size} rows, {self.inputs} input(s), {self.targets} target(s){extra})"


def _checked_weights(weights: ArrayLike, rows: int) -> Floats:
    w = as_floats("weights", weights)
    if w.shape != (rows,):
        raise InputError(f"weights have shape {w.shape}; give one per row, shape ({rows},).")
    check_finite("weights", w)
    if (w < 0).any():
        raise InputError(
            f"weights hold {int((w < 0).sum())} negative value(s), the first at row "
            f"{int(np.argmax(w < 0))}; weights must be >= 0."
        )
    if not w.any():
        raise InputError("all weights are zero; at least one row needs a positive weight.")
    return w
