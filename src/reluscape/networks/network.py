"""The shallow network `N(x) = c + u·x + sum_j v_j act(w_j·x + b_j)` as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from reluscape.errors import InputError
from reluscape.networks.activations import Activation, parse, require_piecewise_linear
from reluscape.networks.arrays import Floats, as_floats, check_finite
from reluscape.networks.evaluation import values

if TYPE_CHECKING:
    from pathlib import Path

    from reluscape.networks.neurons import NeuronState


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Network:
    """A shallow network `N(x) = c + u·x + sum_j v_j act(w_j·x + b_j)`.

    The parameters are copied into read-only float64 arrays. Two networks are equal when all their
    parameters are, bit for bit; see `canonical` to compare functions.

    Parameters
    ----------
    weights : array_like of shape (width, inputs), or (width,) for one input
        Inner weights w.
    biases : array_like of shape (width,)
        Inner biases b.
    outputs : array_like of shape (width,) or (width, targets)
        Outer weights v; the first form makes a network with scalar values.
    offset : float or array_like of shape (targets,), default 0.0
        Outer bias c.
    skip : None or array_like of shape (inputs,) or (inputs, targets), default None
        Weights u of a direct affine connection; None is a network without one.
    activation : str or Activation, default "relu"
        ``"relu"``, ``leaky(slope)``, or ``"square"`` (`y^2`), ``"tanh"``, ``"softplus"``, which
        breakpoints and descents refuse.

    Attributes
    ----------
    weights : ndarray of shape (width, inputs)
    biases : ndarray of shape (width,)
    outputs : ndarray of shape (width,) or (width, targets)
    offset : ndarray of shape () or (targets,)
    skip : None or ndarray of shape (inputs,) or (inputs, targets)
    activation : Activation

    Raises
    ------
    InputError
        If shapes do not fit together, a parameter is not finite, or the activation is unknown.

    Examples
    --------
    >>> hat = Network(weights=[1.0, 1.0], biases=[0.0, -1.0], outputs=[1.0, -2.0])
    >>> hat([-1.0, 0.5, 1.0, 2.0])
    array([0. , 0.5, 1. , 0. ])
    >>> hat.breakpoints()
    array([0., 1.])
    """

    weights: Floats
    biases: Floats
    outputs: Floats
    offset: Floats
    skip: Floats | None
    activation: Activation

    def __init__(
        self,
        weights: ArrayLike,
        biases: ArrayLike,
        outputs: ArrayLike,
        offset: ArrayLike = 0.0,
        skip: ArrayLike | None = None,
        activation: str | Activation = "relu",
    ) -> None:
        w = _parameter("weights", weights)
        if w.ndim == 1:
            w = w[:, np.newaxis]
        if w.ndim != 2 or w.shape[1] == 0:
            raise InputError(
                f"weights have shape {w.shape}; give (width, inputs), or (width,) for one input."
            )
        width, inputs = w.shape
        b = _parameter("biases", biases)
        if b.shape != (width,):
            raise InputError(f"biases have shape {b.shape}; {width} neurons need ({width},).")
        v = _parameter("outputs", outputs)
        if v.ndim not in (1, 2) or v.shape[0] != width or v.shape[1:] == (0,):
            raise InputError(
                f"outputs have shape {v.shape}; {width} neurons need ({width},) or "
                f"({width}, targets)."
            )
        targets = v.shape[1:]
        c = _parameter("offset", offset)
        if c.ndim == 0 and targets:
            c = np.full(targets, c)
        if c.shape != targets:
            raise InputError(
                f"offset has shape {c.shape}; outputs of shape {v.shape} need {targets}."
            )
        u = None
        if skip is not None:
            u = _parameter("skip", skip)
            if u.ndim == 0 and inputs == 1 and not targets:
                u = u[np.newaxis]
            if u.shape != (inputs, *targets):
                raise InputError(
                    f"skip has shape {u.shape}; {inputs} inputs and outputs of shape {v.shape} "
                    f"need {(inputs, *targets)}."
                )
        fields = {"weights": w, "biases": b, "outputs": v, "offset": c, "skip": u}
        for name, array in fields.items():
            if array is not None:
                array = np.ascontiguousarray(array) if array.ndim else array
                array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "activation", parse(activation))

    @property
    def width(self) -> int:
        """Number of neurons."""
        return int(self.weights.shape[0])

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.weights.shape[1])

    @property
    def targets(self) -> int:
        """Number of outputs; 1 for a scalar network."""
        return 1 if self.scalar else int(self.outputs.shape[1])

    @property
    def scalar(self) -> bool:
        """Whether values have no axis of targets."""
        return self.outputs.ndim == 1

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate the network.

        Parameters
        ----------
        x : array_like of shape (n, inputs), or (n,) or () for one input

        Returns
        -------
        ndarray of shape (n,), or (n, targets) unless the network is scalar
            Without the first axis if `x` is one number.

        Raises
        ------
        InputError
            If `x` has another shape or is not finite, or a value is beyond the largest float.

        Examples
        --------
        >>> Network([[1.0, -1.0]], [0.0], [2.0], offset=1.0)([[3.0, 1.0], [0.0, 5.0]])
        array([5., 1.])
        """
        points = as_floats("x", x)
        if self.inputs == 1 and points.ndim < 2:
            rows = points.reshape(-1, 1)
        elif points.ndim == 2 and points.shape[1] == self.inputs:
            rows = points
        else:
            raise InputError(
                f"x has shape {points.shape}; a network of {self.inputs} input(s) needs "
                + ("(n,) or (n, 1)." if self.inputs == 1 else f"(n, {self.inputs}).")
            )
        check_finite("x", rows)
        result = values(self, rows)
        if self.scalar:
            result = result[:, 0]
        return result[0] if points.ndim == 0 else result

    def breakpoints(self) -> Floats:
        """Return where the neurons with a non-zero weight switch, sorted; one input only.

        Returns
        -------
        ndarray of shape (m,)
            `-b_j / w_j` for every `w_j != 0`, flat neurons included; infinite beyond the largest
            float.

        Raises
        ------
        InputError
            If the network has several inputs, or its activation has no breakpoints.

        Examples
        --------
        >>> Network([2.0, 0.0, -1.0], [1.0, 1.0, 0.5], [1.0, 1.0, 1.0]).breakpoints()
        array([-0.5,  0.5])
        """
        if self.inputs != 1:
            raise InputError(
                f"a network of {self.inputs} inputs has hyperplanes instead of breakpoints; "
                "read its weights and biases."
            )
        require_piecewise_linear(self.activation, "a breakpoint")
        moving = self.weights[:, 0] != 0.0
        with np.errstate(over="ignore", under="ignore"):
            # Adding zero turns -0.0 into 0.0.
            return np.sort(-self.biases[moving] / self.weights[moving, 0] + 0.0)

    def to_vector(self) -> Floats:
        """Return the parameters in the order of the papers, `(w, b, v, c[, u])`.

        Returns
        -------
        ndarray
            Each block row by row: `w` neuron after neuron, `v` and `u` with targets last.

        Examples
        --------
        >>> Network([1.0, 2.0], [3.0, 4.0], [5.0, 6.0], offset=7.0).to_vector()
        array([1., 2., 3., 4., 5., 6., 7.])
        """
        blocks = [self.weights, self.biases, self.outputs, self.offset]
        if self.skip is not None:
            blocks.append(self.skip)
        return np.concatenate([block.ravel() for block in blocks])

    @classmethod
    def from_vector(
        cls,
        theta: ArrayLike,
        inputs: int = 1,
        skip: bool = False,
        activation: str | Activation = "relu",
        *,
        targets: int | None = None,
    ) -> Network:
        """Build the network whose `to_vector` is given.

        Parameters
        ----------
        theta : array_like of shape (parameters,), `(w, b, v, c[, u])`
        inputs : int, default 1
        skip : bool, default False
            Whether `theta` ends with the weights of a skip connection.
        activation : str or Activation, default "relu"
        targets : int or None, default None
            None for a scalar network.

        Returns
        -------
        Network

        Raises
        ------
        InputError
            If no width fits the length of `theta`.

        Examples
        --------
        >>> Network.from_vector([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).width
        2
        """
        vector = _parameter("theta", theta)
        outs = 1 if targets is None else targets
        if inputs < 1 or outs < 1:
            raise InputError(f"inputs ({inputs}) and targets ({targets}) must be at least 1.")
        fixed = outs + (inputs * outs if skip else 0)
        width, rest = divmod(vector.size - fixed, inputs + 1 + outs)
        if vector.ndim != 1 or width < 0 or rest:
            raise InputError(
                f"theta has shape {vector.shape}; {inputs} input(s), {outs} target(s) and "
                f"skip={skip} need a vector of length {inputs + 1 + outs} * width + {fixed}."
            )
        tail = () if targets is None else (outs,)
        b = width * inputs
        v, c = b + width, b + width + width * outs
        return cls(
            vector[:b].reshape(width, inputs),
            vector[b:v],
            vector[v:c].reshape(width, *tail),
            vector[c : c + outs].reshape(tail),
            vector[c + outs :].reshape(inputs, *tail) if skip else None,
            activation,
        )

    def neuron_states(self, a: float, b: float) -> tuple[NeuronState, ...]:
        """Say for each neuron where on `[a, b]` it is active, decided exactly; one input only.

        Parameters
        ----------
        a, b : float
            The interval, `a < b`.

        Returns
        -------
        tuple of NeuronState
            One for each neuron, in order.

        Raises
        ------
        InputError
            If the network has several inputs or `a < b` does not hold.

        Examples
        --------
        >>> pair = Network([1.0, -1.0], [-0.5, 0.0], [1.0, 1.0])
        >>> [state.kind for state in pair.neuron_states(0.0, 1.0)]
        ['type-2-active', 'semi-inactive']
        """
        from reluscape.networks.neurons import neuron_states

        return neuron_states(self, a, b)

    def canonical(self) -> Network:
        """Return the same function as a minimal, ordered, balanced network.

        Returns
        -------
        Network
            See `reluscape.networks.symmetry.canonical`.

        Examples
        --------
        >>> Network([4.0, 1.0, 0.0], [0.0, 0.0, 2.0], [0.5, 2.0, 3.0]).canonical()
        Network(weights=[[2.0]], biases=[0.0], outputs=[2.0], offset=6.0)
        """
        from reluscape.networks.symmetry import canonical

        return canonical(self)

    def save(self, path: str | Path) -> None:
        """Write the network to a file that `load_network` reads back bit for bit.

        Parameters
        ----------
        path : str or Path
            Ends in ``.json`` or ``.npz``; an existing file is replaced, at once or not at all.

        Raises
        ------
        InputError
            If the suffix is another.
        FileError
            If the file cannot be written.
        """
        from reluscape.networks.storage import save_network

        save_network(self, path)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return self._bits() == other._bits()

    def __hash__(self) -> int:
        return hash(self._bits())

    def _bits(self) -> tuple[object, ...]:
        arrays = (self.weights, self.biases, self.outputs, self.offset, self.skip)
        return (
            self.activation,
            *(None if array is None else (array.shape, array.tobytes()) for array in arrays),
        )

    def __reduce__(self) -> tuple[type[Network], tuple[object, ...]]:
        # Through the constructor, so that copies and unpickled networks are read-only too.
        parts = (self.weights, self.biases, self.outputs, self.offset, self.skip, self.activation)
        return Network, parts

    def __repr__(self) -> str:
        if self.width * (self.inputs + self.targets) > 40:
            shape = f"width={self.width}, inputs={self.inputs}, targets={self.targets}"
            return f"<Network {shape}, skip={self.skip is not None}, {self.activation.name}>"
        parts = [
            f"{name}={getattr(self, name).tolist()}"
            for name in ("weights", "biases", "outputs", "offset")
        ]
        if self.skip is not None:
            parts.append(f"skip={self.skip.tolist()}")
        if self.activation.name != "relu":
            parts.append(f"activation={self.activation!r}")
        return f"Network({', '.join(parts)})"

    def _repr_html_(self) -> str:
        from reluscape.networks.table import html_table

        return html_table(self)


def _parameter(name: str, values: ArrayLike) -> Floats:
    array = as_floats(name, values).copy()
    check_finite(name, array)
    return array
