"""A network that was written down from class means, and the metric that it is."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.construction.exact import ExactValues
from reluscape.construction.frame import Frame, Metric
from reluscape.construction.labels import as_array, shown
from reluscape.construction.sources import COPIED, as_labels, blocks_of
from reluscape.errors import InputError
from reluscape.networks.arrays import Floats, check_finite
from reluscape.networks.network import Network

if TYPE_CHECKING:
    from reluscape.construction.truncation import Truncation


class Parameters(NamedTuple):
    """A network as S4 writes it: `W2 relu(W1 x + b1) + b2`."""

    W1: Floats
    b1: Floats
    W2: Floats
    b2: Floats


@dataclass(frozen=True, eq=False)
class Construction:
    """The result of `construct`: a network without descent, its cost, and its metric.

    On the rows that it was built from, the first Q hidden units are active and all others are
    exactly 0, so that the outputs are `Y Pen P x`: the network is a metric on the subspace that
    the class means span, and a class is a distance.

    Attributes
    ----------
    classes : tuple of hashable
        In the order of the columns of Y: sorted, where they can be.
    rows : ndarray of int, shape (Q,)
        Rows of each class.
    weights : ndarray, shape (Q,)
        Their weights, summed.
    means : ndarray, shape (Q, inputs)
        Class means.
    Y : ndarray, shape (outputs, Q)
        Reference outputs, one column a class.
    cost : float
        `C`, the root of the weighted mean of `|network(x) - y_j|^2` over the rows: the network was
        run on every row; equal to `closed_form_cost` where the rows could be read only once.
    closed_form_cost : float
        C from the relative noise alone, known before there is a network.
    class_weighted_cost : float
        `C_N`, in which every class counts as much and means are summed, not averaged.
    bound : float
        `|Y| delta_P`, spectral norm: no more than this is C.
    delta_P : float
        Largest relative noise of a row, "noise to signal": the norm of its deviation from its
        class mean in barycentric coordinates.
    delta : float
        Largest distance of a row from its class mean.
    class_delta_P : ndarray, shape (Q,)
        The largest relative noise in each class.
    covariance : ndarray, shape (Q, Q)
        Weighted mean of `d d^T` over the rows, d the relative noise.
    condition : float
        Condition number of the matrix of class means, as the construction sees them.
    exact : ExactValues or None
        Least costs of the linear regime, where it sees as many inputs as there are classes.
    metric : {"euclidean", "within"}
    lifted : bool
        Whether inputs were centred and a constant coordinate appended.
    passes : {1, 2}
        1 where the rows could be read only once: then `delta`, `delta_P`, `class_delta_P` and
        `bound` are upper bounds from second moments, not maxima over rows.
    remarks : tuple of str
        Hypotheses of the theorem that do not hold, and what else a reader should know.
    frame : Frame
        The subspace.

    See Also
    --------
    reluscape.construct
    """

    classes: tuple[Hashable, ...]
    rows: NDArray[np.int64]
    weights: Floats
    means: Floats
    Y: Floats
    cost: float
    closed_form_cost: float
    class_weighted_cost: float
    bound: float
    delta_P: float
    delta: float
    class_delta_P: Floats
    covariance: Floats
    condition: float
    exact: ExactValues | None
    metric: Metric
    lifted: bool
    passes: int
    remarks: tuple[str, ...]
    frame: Frame

    @cached_property
    def network(self) -> Network:
        """The network of S4, with as many hidden units as the construction sees inputs.

        Units beyond the first Q have output weights 0 and are exactly 0 on the rows. `compact` is
        the same function without them.
        """
        frame = self.frame
        return self._build(frame.rotation())

    @cached_property
    def compact(self) -> Network:
        """The same function as `network`, without the units that are silent on the rows."""
        return self._build(self.frame.basis.T)

    @property
    def parameters(self) -> Parameters:
        """The network as S4 writes it, `(W1, b1, W2, b2)`."""
        net = self.network
        return Parameters(net.weights, net.biases, net.outputs.T, net.offset)

    @property
    def basis(self) -> Floats:
        """Orthonormal basis of the subspace that the means span, one column a direction.

        In the inputs that the construction sees, lifted or measured in noise where asked for;
        shape (inputs, Q).
        """
        return self.frame.basis

    @property
    def readout(self) -> Floats:
        """`Y Pen U`, (outputs, rank): from coordinates on the basis to outputs."""
        return readout_of(self.frame, self.Y)

    def network_for(self, factor: Floats, shift: Floats | None = None) -> Network:
        """Return the network with outputs `Y (factor e + shift)`, e barycentric coordinates.

        Parameters
        ----------
        factor : ndarray, shape (Q, Q)
            Such as `exact.tied_readout` or `exact.affine_readout`.
        shift : ndarray of shape (Q,), or None
            Such as `exact.affine_shift`.

        Returns
        -------
        Network
        """
        return self._build(
            self.frame.rotation(),
            readout_of(self.frame, self.Y @ factor),
            None if shift is None else self.Y @ shift,
        )

    def _build(
        self, directions: Floats, readout: Floats | None = None, shift: Floats | None = None
    ) -> Network:
        rank = self.frame.rank
        weights, constants = self.frame.rows_of(directions)
        bias = bias_of(self.frame)
        biases = np.full(len(directions), -bias)
        biases[:rank] = bias
        outer = self.readout if readout is None else readout
        # The rotation may turn the last direction of a complete basis round.
        signs = np.sign(np.einsum("ki,ik->k", directions[:rank], self.frame.basis))
        outputs = np.zeros((len(directions), len(self.Y)))
        outputs[:rank] = (outer * signs).T
        offset = -(outer * signs).sum(axis=1) * bias
        if shift is not None:
            offset = offset + shift
        return Network(weights, biases + constants, outputs, offset)

    def outputs(self, X: ArrayLike) -> Floats:
        """Return `Y Pen P x`: what the network is on the rows, without the ReLU.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n, inputs)

        Returns
        -------
        ndarray of shape (n, outputs)

        Raises
        ------
        InputError
            If X has another shape, or values that are not finite.
        """
        weights, constants = self.frame.rows_of(self.frame.basis.T)
        matrix = weights.T @ self.readout.T
        shift = constants @ self.readout.T
        parts = [block @ matrix + shift for block in self._blocks(X)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.Y)))

    def distances(self, X: ArrayLike) -> Floats:
        """Return the distance of every row to every class, in the metric of the network.

        `d(Px, mean_j) = |Y Pen P (x - mean_j)|`.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n, inputs)

        Returns
        -------
        ndarray of shape (n, Q)

        Raises
        ------
        InputError
            If X has another shape, or values that are not finite.
        """
        values = self.outputs(X)
        found = np.empty((len(values), len(self.classes)))
        for j in range(len(self.classes)):
            found[:, j] = np.linalg.norm(values - self.Y[:, j], axis=1)
        return found

    def distance(self, x: ArrayLike, label: Hashable) -> Floats:
        """Return the distance of an input, or of every row of some, to one class.

        Parameters
        ----------
        x : array_like of shape (inputs,) or (n, inputs)
        label : hashable
            The class.

        Returns
        -------
        ndarray of shape () or (n,)

        Raises
        ------
        InputError
            If there is no such class, or x has another shape.
        """
        single = np.ndim(x) == 1
        away = self.outputs(np.asarray(x)[np.newaxis] if single else x) - self.Y[:, self._at(label)]
        found = np.linalg.norm(away, axis=1)
        return found[0] if single else found

    def classify(self, X: ArrayLike) -> NDArray[np.generic]:
        """Return the nearest class of every row.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n, inputs)

        Returns
        -------
        ndarray of shape (n,)
            Labels as they were given; of objects, where they are not all of one plain kind.

        Raises
        ------
        InputError
            If X has another shape, or values that are not finite.
        """
        return as_array(self.classes)[np.argmin(self.distances(X), axis=1)]

    def margins(self, X: ArrayLike, labels: object = None) -> Floats:
        """Return how far every row is inside the region of its class, in the metric.

        The distance to the nearest border with another class: negative outside the region.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n, inputs)
        labels : sequence of hashable, optional
            The classes of the rows; by default those that `classify` gives, and no margin is
            negative.

        Returns
        -------
        ndarray of shape (n,)

        Raises
        ------
        InputError
            If X has another shape, or a label is of no class.
        """
        squares = np.square(self.distances(X))
        if labels is None:
            own = np.argmin(squares, axis=1)
        else:
            names = as_labels(labels, len(squares), 0)
            own = np.array([self._at(label) for label in names], np.int64)
        between = np.linalg.norm(self.Y[:, :, np.newaxis] - self.Y[:, np.newaxis], axis=0)
        each = np.arange(len(squares))
        with np.errstate(divide="ignore", invalid="ignore"):
            borders = (squares - squares[each, own][:, np.newaxis]) / (2.0 * between[own])
        borders[each, own] = np.inf
        return borders.min(axis=1)

    def truncated(
        self, X: object, labels: object = None, *, weights: ArrayLike | None = None
    ) -> Truncation:
        """Search for thresholds with which ReLU deletes noise, below the linear regime.

        Parameters
        ----------
        X, labels, weights
            The rows of the construction; see `reluscape.construct`.

        Returns
        -------
        Truncation
            With both costs, and whether the search has found anything.

        Raises
        ------
        InputError
            If the rows can be read only once, or a label is of no class.
        """
        from reluscape.construction.truncation import truncate

        return truncate(self, X, labels, weights=weights)

    def _at(self, label: Hashable) -> int:
        if isinstance(label, np.generic):
            label = cast("Hashable", label.item())
        try:
            return self.classes.index(label)
        except ValueError:
            raise InputError(
                f"there is no class {label!r}; there are {shown(self.classes)}."
            ) from None

    def _blocks(self, X: ArrayLike) -> Iterator[Floats]:
        inputs = self.means.shape[1]
        for block, _ in blocks_of(X, viewed=COPIED):
            if block.shape[1] != inputs:
                raise InputError(
                    f"X has {block.shape[1]} inputs; the construction was made with {inputs}."
                )
            piece = block.astype(np.float64, copy=False)
            check_finite("X", piece)
            yield piece

    def __str__(self) -> str:
        lines = [
            f"Construction: {len(self.classes)} classes, {self.means.shape[1]} inputs, "
            f"{int(self.rows.sum()):,} rows",
            *(f"{name:<24} {value}" for name, value in self._facts()),
        ]
        return "\n".join([*lines, *(f"- {remark}" for remark in self.remarks)])

    def _facts(self) -> list[tuple[str, str]]:
        at_most = "" if self.passes == 2 else ", at most"
        facts = [
            ("cost", f"{self.cost:.10g}"),
            ("closed form", f"{self.closed_form_cost:.10g}"),
            (f"bound |Y| delta_P{at_most}", f"{self.bound:.10g}"),
            (f"delta_P{at_most}", f"{self.delta_P:.10g}"),
            ("condition of the means", f"{self.condition:.4g}"),
        ]
        if self.exact is not None:
            facts += [
                ("class-weighted cost", f"{self.exact.upper:.10g}"),
                ("least, b2 tied", f"{self.exact.tied:.10g}"),
                ("least, b2 free", f"{self.exact.affine:.10g}"),
            ]
        return facts

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
            for name, value in self._facts()
        )
        notes = "".join(f"<li>{escape(remark)}</li>" for remark in self.remarks)
        caption = f"{len(self.classes)} classes, {self.means.shape[1]} inputs"
        return f"<table><caption>{caption}</caption>{rows}</table><ul>{notes}</ul>"


def bias_of(frame: Frame) -> float:
    """Return beta: twice the largest norm of an input, so that units stay active well beyond."""
    return 2.0 * frame.reach


def readout_of(frame: Frame, outputs: Floats) -> Floats:
    """Return `outputs Pen U = outputs V diag(1 / s)`, (targets, rank)."""
    return (outputs @ frame.mixing) / frame.singular
