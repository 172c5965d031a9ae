"""Generalized responses: what networks with growing parameters can converge to, jumps included.

Two neurons whose hyperplanes merge while their outputs grow become a jump; everything else that
sequences of residual ReLU networks with bounded risk can do is to move kinks (Dereich, Jentzen,
Kassing, arXiv 2302.14690).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from reluscape.errors import InputError
from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.arrays import Floats, as_floats, check_finite
from reluscape.networks.evaluation import local_form
from reluscape.networks.halfspaces import (
    Integers,
    checked_terms,
    finite,
    multiplicities_of,
    oriented,
    refuse_equal,
    unit,
)
from reluscape.networks.network import Network
from reluscape.networks.symmetry import balanced

_Parts: TypeAlias = tuple[Floats, Floats, Floats, Floats, float, Floats, Integers]

_TERMS_SHOWN = 8
"""Terms that a formula may have before it is no longer read."""


@dataclass(frozen=True, eq=False, init=False, repr=False)
class GeneralizedResponse:
    """A piecewise affine function with kinks and jumps along hyperplanes.

    `R(x) = offset + slope.x + sum_k 1[n_k.x > tau_k] (delta_k.x + beta_k)`: on the boundary of a
    half-space, which is open, its term counts as zero. A term that vanishes there is a kink, an
    ordinary neuron, and has multiplicity 1; any other is a jump, the limit of two neurons, and has
    multiplicity 2.

    Parameters
    ----------
    normals : array_like of shape (K, inputs), or (K,) for one input
        Normals n of the half-spaces, not zero; they are brought to length 1, with the thresholds.
    thresholds : array_like of shape (K,)
        Thresholds tau. No two half-spaces may have the same boundary.
    deltas : array_like of shape (K, inputs), or (K,) for one input
        Slopes delta of the terms.
    betas : array_like of shape (K,)
        Constants beta of the terms.
    offset : float, default 0.0
    slope : None or array_like of shape (inputs,), default None
        Slope of the affine part; None is zero.
    multiplicities : None or array_like of shape (K,), default None
        1 for terms that are meant to be continuous: what is left of a jump is removed. 2 for terms
        that count as jumps, however small. None decides by the terms: those that vanish on their
        boundary up to rounding are kinks.

    Attributes
    ----------
    normals : ndarray of shape (K, inputs)
    thresholds : ndarray of shape (K,)
    deltas : ndarray of shape (K, inputs)
    betas : ndarray of shape (K,)
    offset : float
    slope : ndarray of shape (inputs,)
    multiplicities : ndarray of int, shape (K,)

    Raises
    ------
    InputError
        If shapes do not fit together, a number is not finite, a normal is zero, two boundaries
        coincide, or a term declared continuous jumps.

    Examples
    --------
    >>> response = GeneralizedResponse([1.0, 1.0], [0.0, 1.0], [2.0, 0.0], [0.0, -3.0], offset=1.0)
    >>> response
    GeneralizedResponse(1 + [x > 0] 2 (x - 0) + [x > 1] (-3); dimension 3)
    >>> response([-1.0, 0.5, 1.0, 2.0])
    array([1., 2., 3., 2.])
    """

    normals: Floats
    thresholds: Floats
    deltas: Floats
    betas: Floats
    offset: float
    slope: Floats
    multiplicities: Integers

    def __init__(
        self,
        normals: ArrayLike,
        thresholds: ArrayLike,
        deltas: ArrayLike,
        betas: ArrayLike,
        offset: float = 0.0,
        slope: ArrayLike | None = None,
        multiplicities: ArrayLike | None = None,
    ) -> None:
        n, tau, delta, beta, u = checked_terms(normals, thresholds, deltas, betas, slope)
        c = finite("offset", offset)
        if c.ndim:
            raise InputError(f"offset has shape {c.shape}; give one number.")
        n, tau = unit(n, tau)
        refuse_equal(n, tau)
        counts = multiplicities_of(n, tau, delta, beta, multiplicities)
        kinks = counts == 1
        # A kink is a multiple of `n.x - tau`, exactly: its slope along n says which.
        bends = (delta * n).sum(axis=1)[kinks]
        delta[kinks] = bends[:, np.newaxis] * n[kinks]
        beta[kinks] = -bends * tau[kinks] + 0.0
        self._set((n, tau, delta, beta, float(c), u, counts))

    def _set(self, parts: _Parts) -> None:
        for field, value in zip(fields(self), parts, strict=True):
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, field.name, value)

    @classmethod
    def _of(cls, *parts: *_Parts) -> GeneralizedResponse:
        """Build a response from parts that are in order, bit for bit."""
        response = object.__new__(cls)
        response._set(parts)
        return response

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return int(self.normals.shape[1])

    @property
    def dimension(self) -> int:
        """Sum of the multiplicities: the width of the networks that approach the response."""
        return int(self.multiplicities.sum())

    @property
    def strict(self) -> bool:
        """Whether a term has multiplicity 2: the response is then no network."""
        return bool((self.multiplicities == 2).any())

    @property
    def bends(self) -> Floats:
        """How far the slope along the normal turns at each boundary, `delta.n`, shape (K,)."""
        return (self.deltas * self.normals).sum(axis=1)

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate the response.

        Parameters
        ----------
        x : array_like of shape (n, inputs), or (n,) or () for one input

        Returns
        -------
        ndarray of shape (n,), or () if `x` is one number

        Raises
        ------
        InputError
            If `x` has another shape or is not finite.
        """
        points = as_floats("x", x)
        line = self.inputs == 1 and points.ndim < 2
        if not line and (points.ndim != 2 or points.shape[1] != self.inputs):
            raise InputError(
                f"x has shape {points.shape}; a response of {self.inputs} input(s) needs "
                + ("(n,) or (n, 1)." if self.inputs == 1 else f"(n, {self.inputs}).")
            )
        rows = points.reshape(-1, self.inputs)
        check_finite("x", rows)
        slopes = np.vstack([self.slope, self.deltas])
        constants = np.append(self.offset, self.betas)
        if self.inputs == 1:
            # Around their own zeros, lest timestamps cancel.
            form = local_form(slopes[:, 0], constants)
            lines = (rows - form.centres) * form.slopes + form.remainders
        else:
            lines = rows @ slopes.T + constants
        depth = rows @ self.normals.T - self.thresholds
        terms = np.where(self.multiplicities == 1, self.bends * depth, lines[:, 1:])
        result = lines[:, 0] + np.where(depth > 0.0, terms, 0.0).sum(axis=1)
        return result[0] if points.ndim == 0 else result

    @classmethod
    def from_network(cls, network: Network) -> GeneralizedResponse:
        """Return a ReLU or leaky ReLU network as a response, all multiplicities 1.

        Neurons with the same boundary become one term; of those with opposite orientations the
        affine part takes up the rest.

        Parameters
        ----------
        network : Network
            With scalar values.

        Returns
        -------
        GeneralizedResponse
            In canonical form; the same function up to rounding.

        Raises
        ------
        InputError
            If the network has an axis of targets or another activation.

        Examples
        --------
        >>> GeneralizedResponse.from_network(Network([2.0, -1.0], [-1.0, 0.5], [1.0, 1.0]))
        GeneralizedResponse(0.5 - 1 x + [x > 0.5] 3 (x - 0.5); dimension 1)
        """
        require_piecewise_linear(network.activation, "a generalized response")
        if not network.scalar:
            raise InputError(
                f"the network has outputs of shape {network.outputs.shape}; give a scalar one, "
                "with outputs of shape (width,)."
            )
        skip = np.zeros(network.inputs) if network.skip is None else network.skip
        parts = (network.weights, network.biases, network.outputs, network.offset)
        small = Network(*parts, skip, network.activation).canonical()
        slope = np.zeros(network.inputs) if small.skip is None else small.skip
        # A leaky neuron is a ReLU neuron and an affine function.
        leaking = network.activation.slope * small.outputs
        outputs = small.outputs - leaking
        offset = float(small.offset) + float(leaking @ small.biases)
        slope = slope + leaking @ small.weights
        lengths = np.hypot.reduce(small.weights, axis=1)
        normals, thresholds = unit(small.weights.copy(), -small.biases)
        bends = outputs * lengths
        normals, sign = oriented(normals)
        thresholds = thresholds * sign + 0.0
        # (-z)_+ = z_+ - z
        turned = np.where(sign < 0.0, bends, 0.0)
        offset += float(turned @ thresholds)
        slope = slope - turned @ normals
        # What canonical forms keep apart, lest it cancel, rounding may have put together here.
        planes, groups = np.unique(
            np.column_stack([normals, thresholds]), axis=0, return_inverse=True
        )
        bends = np.bincount(groups.ravel(), weights=bends, minlength=len(planes))
        normals, thresholds = planes[:, :-1], planes[:, -1]
        return cls(
            normals,
            thresholds,
            bends[:, np.newaxis] * normals,
            -bends * thresholds,
            offset,
            slope,
            np.ones(len(planes)),
        ).canonical()

    def to_network(self) -> Network:
        """Return a continuous response as a ReLU network with a skip connection.

        Returns
        -------
        Network
            One balanced neuron for each term, in order.

        Raises
        ------
        InputError
            If a term has multiplicity 2.

        Examples
        --------
        >>> GeneralizedResponse([1.0], [0.5], [4.0], [-2.0], slope=[1.0]).to_network().breakpoints()
        array([0.5])
        """
        jumps = np.flatnonzero(self.multiplicities == 2)
        if jumps.size:
            raise InputError(
                f"term {jumps[0]} of the response is a jump, which no network has; "
                "only responses of multiplicity 1 throughout are networks."
            )
        return balanced(
            Network(self.normals, -self.thresholds, self.bends, self.offset, self.slope)
        )

    def canonical(self) -> GeneralizedResponse:
        """Return the same function, off the boundaries, in its canonical form.

        Terms that are zero go; the first component of each normal that is not zero is positive;
        the terms are ordered by threshold (several inputs: by normal, then threshold). Two
        responses that agree almost everywhere have the same canonical form up to rounding.

        Returns
        -------
        GeneralizedResponse

        Examples
        --------
        >>> GeneralizedResponse([-1.0], [-2.0], [0.0], [3.0]).canonical()
        GeneralizedResponse(3 + [x > 2] (-3); dimension 2)
        """
        kept = self.deltas.any(axis=1) | (self.betas != 0.0)
        n, tau = self.normals[kept], self.thresholds[kept]
        delta, beta = self.deltas[kept], self.betas[kept]
        # 1[A] J = J - 1[complement of A] J, but on the boundary.
        n, sign = oriented(n)
        turned = sign < 0.0
        offset = self.offset + float(beta[turned].sum())
        slope = self.slope + delta[turned].sum(axis=0)
        delta = delta * sign[:, np.newaxis] + 0.0
        tau, beta = tau * sign + 0.0, beta * sign + 0.0
        # Rounded, lest parallel boundaries be ordered by the last place of their normals.
        order = np.lexsort([tau, *np.round(n, 12).T[::-1]])
        counts = self.multiplicities[kept]
        return GeneralizedResponse._of(
            n[order], tau[order], delta[order], beta[order], offset, slope, counts[order]
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GeneralizedResponse):
            return NotImplemented
        return self._bits() == other._bits()

    def __hash__(self) -> int:
        return hash(self._bits())

    def _bits(self) -> tuple[object, ...]:
        return self.normals.shape, *(np.asarray(part).tobytes() for part in self._parts())

    def _parts(self) -> _Parts:
        return (
            self.normals,
            self.thresholds,
            self.deltas,
            self.betas,
            self.offset,
            self.slope,
            self.multiplicities,
        )

    def __reduce__(self) -> tuple[object, _Parts]:
        # So that copies and unpickled responses are read-only too.
        return GeneralizedResponse._of, self._parts()

    def __repr__(self) -> str:
        if self.inputs > 1 or len(self.betas) > _TERMS_SHOWN:
            jumps = int((self.multiplicities == 2).sum())
            return (
                f"<GeneralizedResponse inputs={self.inputs}, kinks={len(self.betas) - jumps}, "
                f"jumps={jumps}, dimension={self.dimension}>"
            )
        text = _formula(self.offset, float(self.slope[0]))
        for k, count in enumerate(self.multiplicities.tolist()):
            sign = ">" if self.normals[k, 0] > 0.0 else "<"
            at, bend = float(self.thresholds[k] * self.normals[k, 0]), float(self.deltas[k, 0])
            text += f" + [x {sign} {at:g}] "
            if count == 1:
                text += f"{bend:g} (x {'-' if at >= 0.0 else '+'} {abs(at):g})"
            else:
                text += f"({_formula(float(self.betas[k]), bend)})"
        return f"GeneralizedResponse({text}; dimension {self.dimension})"


def _formula(constant: float, slope: float) -> str:
    """Write an affine function of x without its zeros."""
    if slope == 0.0:
        return f"{constant:g}"
    if constant == 0.0:
        return f"{slope:g} x"
    return f"{constant:g} {'-' if slope < 0.0 else '+'} {abs(slope):g} x"
