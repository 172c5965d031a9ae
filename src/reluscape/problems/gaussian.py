"""Standard normal inputs and a network to imitate: risk and gradient in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.network import Network
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems import gaussian_response, response_risk
from reluscape.problems.line import zero_is_active
from reluscape.problems.orthants import Pairs, Planes, pairs
from reluscape.problems.relu_form import ReluForm, pull_back, pull_back_twice, relu_form

Floats = NDArray[np.float64]


class Gaussian:
    """The risk `E (N(x) - T(x))^2` for `x ~ N(0, I)` and a teacher network T, in closed form.

    There is neither sampling nor quadrature: with ReLU everything follows from the normal
    distribution functions in one and two variables, and from the arc-cosine kernel. The cost is
    that of a few matrix products, in any number of inputs.

    Parameters
    ----------
    teacher : Network
        The target T: ReLU or leaky ReLU, scalar values, with or without a skip connection. Its
        number of inputs is that of the problem.

    Attributes
    ----------
    teacher : Network

    Raises
    ------
    InputError
        If the teacher is not a `Network`, has an axis of targets, or another activation.

    Notes
    -----
    Rounding errors are some 1e-16 of the sum of the sizes of the terms, whatever the angles
    between weights. The risk of a network that is nearly the teacher is thus known up to that,
    and never negative; the gradient is the finer instrument there.

    Examples
    --------
    The zero network pays the mean square of the teacher, here 1/2.

    >>> from reluscape import Gaussian, Network
    >>> problem = Gaussian(Network([[0.6, 0.8]], [0.0], [1.0]))
    >>> round(problem.risk(Network([[0.0, 0.0]], [0.0], [0.0])), 15)
    0.5
    """

    targets = 1

    def __init__(self, teacher: Network) -> None:
        if not isinstance(teacher, Network):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"the teacher is a {type(teacher).__name__}; give a Network.")
        require_piecewise_linear(teacher.activation, "the closed form of a Gaussian risk")
        if not teacher.scalar:
            raise InputError(
                f"the teacher has outputs of shape {teacher.outputs.shape}; give a scalar teacher, "
                "with outputs of shape (width,)."
            )
        self.teacher = teacher

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return self.teacher.inputs

    def risk(self, network: Network | GeneralizedResponse) -> float:
        """Return `E (N(x) - T(x))^2` for a network, or the same for a generalized response.

        Parameters
        ----------
        network : Network or GeneralizedResponse

        Returns
        -------
        float

        Raises
        ------
        InputError
            If it has another number of inputs, a network is not scalar or not piecewise linear,
            or the risk is beyond the largest float.
        """
        if isinstance(network, GeneralizedResponse):
            response_risk.check_inputs(network, self.inputs)
            with np.errstate(over="ignore", invalid="ignore"):
                terms = gaussian_response.difference(network, self._form)
                return float(_finite(np.asarray(gaussian_response.mean_square(terms))))
        with np.errstate(over="ignore", invalid="ignore"):
            error = self.error_of(network)
            v, t = error.outputs, error.target_outputs
            total = v @ error.own.products @ v + 2.0 * (v @ error.shared.products @ t)
            total += t @ self._target_products @ t
            total += error.offset * error.offset + error.slope @ error.slope
            total += 2.0 * error.offset * (v @ error.planes.means + t @ self._planes.means)
            pull = (v * error.planes.mass) @ error.planes.weights
            pull += (t * self._planes.mass) @ self._planes.weights
            total += 2.0 * (pull @ error.slope)
        return max(float(_finite(np.asarray(total))), 0.0)

    def gradient(self, network: Network, at_zero: str = "gt") -> Floats:
        """Return the generalized gradient of the risk.

        Parameters
        ----------
        network : Network
        at_zero : {"gt", "ge"}
            The papers' two conventions for neurons with w = b = 0, the only places where the risk
            need not be differentiable: the derivative of ReLU at zero is 0 (S1, S3) or 1 (S2).

        Returns
        -------
        ndarray of shape (parameters,)
            In the order of `Network.to_vector`.

        Raises
        ------
        InputError
            As for `risk`; also if `at_zero` is unknown.

        Examples
        --------
        >>> from reluscape import Gaussian, Network
        >>> problem = Gaussian(Network([1.0], [0.0], [1.0]))
        >>> np.round(problem.gradient(Network([-1.0], [0.0], [1.0])), 6)
        array([-1.      ,  0.797885,  1.      ,  0.      ])
        """
        with np.errstate(over="ignore", invalid="ignore"):
            error = self.error_of(network, zero_is_active(at_zero))
            return _finite(pull_back(network, form_gradient(error)))

    def hessian(self, network: Network) -> Floats:
        """Return the Hessian of the risk.

        Parameters
        ----------
        network : Network

        Returns
        -------
        ndarray of shape (parameters, parameters)
            In the order of `Network.to_vector`; exactly symmetric. The risk is twice continuously
            differentiable where no neuron has w = b = 0; such a neuron counts as inactive.

        Raises
        ------
        InputError
            As for `risk`.

        Examples
        --------
        >>> from reluscape import Gaussian, Network
        >>> teacher = Network([1.0], [0.0], [1.0])
        >>> np.round(np.linalg.eigvalsh(Gaussian(teacher).hessian(teacher)), 6) + 0.0
        array([0.      , 0.211112, 0.880894, 3.907994])
        """
        from reluscape.problems.gaussian_hessian import form_hessian

        with np.errstate(over="ignore", invalid="ignore"):
            error = self.error_of(network)
            by_form = form_hessian(error)
            return _finite(pull_back_twice(network, form_gradient(error), by_form))

    def error_of(self, network: Network, right: bool = False) -> Error:
        """Return the error `N - T` of a network with what its derivatives are made of.

        Parameters
        ----------
        network : Network
        right : bool, default False
            Whether neurons with w = b = 0 count as active.

        Returns
        -------
        Error
        """
        require_piecewise_linear(network.activation, "the closed form of a Gaussian risk")
        if network.inputs != self.inputs or not network.scalar:
            raise InputError(
                f"the network has {network.inputs} input(s) and outputs of shape "
                f"{network.outputs.shape}; the problem needs {self.inputs} input(s) and outputs of "
                "shape (width,)."
            )
        form, target = relu_form(network), self._form
        planes = Planes.of(form.weights, form.biases, right)
        return Error(
            form.offset - target.offset,
            form.slope - target.slope,
            planes,
            form.outputs,
            pairs(planes, planes),
            self._planes,
            -target.outputs,
            pairs(planes, self._planes),
        )

    @cached_property
    def _form(self) -> ReluForm:
        return relu_form(self.teacher)

    @cached_property
    def _planes(self) -> Planes:
        return Planes.of(self._form.weights, self._form.biases)

    @cached_property
    def _target_products(self) -> Floats:
        return pairs(self._planes, self._planes).products

    def __repr__(self) -> str:
        """Name the size of the teacher."""
        skip = ", skip" if self.teacher.skip is not None else ""
        return f"Gaussian({self.inputs} input(s), teacher of width {self.teacher.width}{skip})"


@dataclass(frozen=True, eq=False)
class Error:
    """The error `offset + slope.x + sum of outputs (w.x + b)_+` over student and teacher neurons.

    Attributes
    ----------
    offset : float
    slope : ndarray of shape (inputs,)
    planes, outputs : Planes, ndarray of shape (width,)
        The student's neurons.
    own : Pairs
        Among them.
    target_planes, target_outputs : Planes, ndarray of shape (teacher width,)
        The teacher's neurons, outputs with the opposite sign.
    shared : Pairs
        Between the student's, in rows, and the teacher's.
    """

    offset: float
    slope: Floats
    planes: Planes
    outputs: Floats
    own: Pairs
    target_planes: Planes
    target_outputs: Floats
    shared: Pairs

    @cached_property
    def active(self) -> tuple[Floats, Floats]:
        """`E[(N - T) 1_i]` and `E[(N - T) x 1_i]` over the active half-space of each neuron.

        Shapes (width,) and (width, inputs). From Stein's identity `E x F(x) = E grad F(x)`.
        """
        planes = self.planes
        along = planes.directions @ self.slope
        plain = self.offset * planes.mass + along * planes.density
        # What points along a neuron's own direction comes from the edge of its half-space.
        edge = self.offset * planes.density - planes.levels * planes.density * along
        vector = planes.mass[:, np.newaxis] * self.slope
        for part, outputs in ((self.own, self.outputs), (self.shared, self.target_outputs)):
            columns = part.columns
            steep = outputs * columns.lengths
            plain += part.both @ (outputs * columns.biases) + part.edge_sums @ steep
            edge += part.edge_values @ outputs
            vector += part.both @ (outputs[:, np.newaxis] * columns.weights)
        return plain, vector + edge[:, np.newaxis] * planes.directions

    @cached_property
    def total(self) -> tuple[float, Floats]:
        """`E[N - T]` and `E[(N - T) x]`, the latter of shape (inputs,)."""
        mean, vector = self.offset, self.slope
        for planes, outputs in (
            (self.planes, self.outputs),
            (self.target_planes, self.target_outputs),
        ):
            mean = mean + float(outputs @ planes.means)
            vector = vector + (outputs * planes.mass) @ planes.weights
        return mean, vector


def form_gradient(error: Error) -> Floats:
    """Return the gradient by `(w, b, v, c, u)` of a ReLU network with a skip connection.

    Parameters
    ----------
    error : Error

    Returns
    -------
    ndarray of shape (parameters,)
    """
    plain, vector = error.active
    mean, skew = error.total
    planes, v = error.planes, error.outputs
    # A neuron is where it is active the product of (w, b) and (x, 1): its mean against the error
    # follows, and Euler's identity w.G_w + b G_b = v G_v holds by construction.
    by_output = (planes.weights * vector).sum(axis=1) + planes.biases * plain
    parts = [
        (v[:, np.newaxis] * vector).ravel(),
        v * plain,
        by_output,
        np.array([mean]),
        skew,
    ]
    return 2.0 * np.concatenate(parts)


def _finite(result: Floats) -> Floats:
    if not np.isfinite(result).all():
        raise InputError(
            "the risk or its derivatives are beyond the largest float; scale the parameters down."
        )
    return result
