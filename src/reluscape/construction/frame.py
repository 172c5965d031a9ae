"""The subspace that the class means span, and coordinates on it.

The construction sees inputs `x' = A (x - c)`, with a constant coordinate `s` appended where they
are lifted. For inputs as given A is the identity, c is zero and nothing is appended. All of S4
then holds for x', because it holds for any data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reluscape.construction.summary import ClassSummary
from reluscape.errors import InputError
from reluscape.networks.arrays import Floats

Metric = Literal["euclidean", "within"]

EPS = float(np.finfo(np.float64).eps)
# Singular values below this multiple of rounding, relative to the largest, count as zero.
ROUNDING = 8.0
# Noise below this share of the noise in the widest direction counts as this share: inputs without
# noise would have an infinite weight. scikit-learn's LDA drops directions below the same share.
FLAT = 1e-4


@dataclass(frozen=True, eq=False)
class Frame:
    """Coordinates of the subspace.

    With `X' = U diag(s) V^T` the matrix of the class means as the construction sees them,
    `V diag(1 / s) U^T` is its pseudo-inverse Pen and `U U^T` the projector P.

    Attributes
    ----------
    linear : ndarray, shape (seen, inputs), or None
        A; None is the identity.
    centre : ndarray, shape (inputs,)
        c.
    lift : float
        s; 0 where nothing is appended.
    basis : ndarray, shape (dimensions, rank)
        U, orthonormal.
    singular : ndarray, shape (rank,)
        s, from large to small.
    mixing : ndarray, shape (classes, rank)
        V.
    reach : float
        An upper bound of the norm of x' over the rows.
    """

    linear: Floats | None
    centre: Floats
    lift: float
    basis: Floats
    singular: Floats
    mixing: Floats
    reach: float

    @property
    def rank(self) -> int:
        """Dimensions of the subspace."""
        return len(self.singular)

    @property
    def dimensions(self) -> int:
        """Inputs that the construction sees."""
        return int(self.basis.shape[0])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.mixing.shape[0])

    @property
    def condition(self) -> float:
        """Condition number of the class means as the construction sees them."""
        return float(self.singular[0] / self.singular[-1])

    @property
    def coordinates(self) -> Floats:
        """Class means on the basis, (rank, classes): `U^T X' = diag(s) V^T`."""
        return self.singular[:, np.newaxis] * self.mixing.T

    def rows_of(self, directions: Floats) -> tuple[Floats, Floats]:
        """Return weights and constants of functionals of x' as functionals of x.

        Parameters
        ----------
        directions : ndarray, shape (k, dimensions)

        Returns
        -------
        (ndarray of shape (k, inputs), ndarray of shape (k,))
            `directions x' = weights x + constants`.
        """
        constants = np.zeros(len(directions))
        if self.lift:
            constants += directions[:, -1] * self.lift
            directions = directions[:, :-1]
        weights = directions if self.linear is None else directions @ self.linear
        return weights, constants - weights @ self.centre

    def rotation(self) -> Floats:
        """Return R in SO(dimensions) with `R P R^T = diag(1, .., 1, 0, .., 0)`, by Householder QR.

        Its first rows are the basis, up to the sign of the last where the basis is complete.
        """
        full, triangle = np.linalg.qr(self.basis, mode="complete")
        full[:, : self.rank] *= np.sign(np.diag(triangle))
        if np.linalg.slogdet(full)[0] < 0:
            full[:, -1] *= -1.0
        return np.ascontiguousarray(full.T)


def make_frame(summary: ClassSummary, *, metric: Metric = "euclidean", lift: bool = False) -> Frame:
    """Find the subspace of the class means by a singular value decomposition.

    Parameters
    ----------
    summary : ClassSummary
        With scatter, for the metric "within".
    metric : {"euclidean", "within"}
        "within" measures distances in units of the noise: A is the inverse root of the pooled
        covariance within classes.
    lift : bool
        Whether to centre the inputs and append a constant coordinate.

    Returns
    -------
    Frame
        Of full rank or not.

    Raises
    ------
    InputError
        If all class means are zero, or the noise is, for the metric "within".
    """
    means = summary.means
    share = summary.weights / summary.weights.sum()
    centre = share @ means if lift else np.zeros(summary.inputs)
    linear = _whitening(summary) if metric == "within" else None
    seen = means - centre if linear is None else (means - centre) @ linear.T
    # Means are rounded where they lie, and centring does not take that away.
    sizes = np.abs(means).max(axis=0)
    rounding = EPS * float(np.linalg.norm(sizes if linear is None else np.abs(linear) @ sizes))
    constant = 0.0
    if lift:
        constant = float(np.sqrt(share @ np.square(seen).sum(axis=1))) or 1.0
        seen = np.column_stack([seen, np.full(len(seen), constant)])
    u, s, vt = np.linalg.svd(seen.T, full_matrices=False)
    least = ROUNDING * (EPS * max(seen.shape) * float(s[0]) + rounding)
    rank = int(np.count_nonzero(s > least))
    if not rank:
        raise InputError(
            "all class means are zero: means cannot tell the classes apart; give lift=True, or "
            "other inputs."
        )
    away = summary.reach + float(np.linalg.norm(summary.first - centre))
    reach = away
    if linear is not None:
        reach *= float(np.linalg.norm(linear))
        # w (x - m)^T S^+ (x - m) <= 1 for every row of weight w, S being the sum over the rows.
        light = float(summary.least_weights.min())
        noise = float(np.sqrt(summary.weights.sum() / light))
        middle = float(np.sqrt(np.square((means - centre) @ linear.T).sum(axis=1).max()))
        reach = min(reach, middle + noise)
    return Frame(
        linear,
        centre,
        constant,
        np.ascontiguousarray(u[:, :rank]),
        s[:rank],
        np.ascontiguousarray(vt[:rank].T),
        float(np.hypot(reach, constant)),
    )


def _whitening(summary: ClassSummary) -> Floats:
    """Return A with `A S A^T = 1` for the pooled covariance S, flat directions raised."""
    if summary.scatter is None:
        raise InputError('metric="within" needs a ClassSummary(scatter=True); make it so.')
    total = summary.weights.sum()
    pooled = summary.scatter.sum(axis=0) / total
    if not pooled.any():
        raise InputError(
            "no class has any noise: every row is its class mean; leave the metric euclidean."
        )
    share = summary.weights / total
    between = share @ np.square(summary.means - share @ summary.means)
    # Inputs first get one unit each, so that what counts as flat does not depend on units.
    unit = np.sqrt(np.diag(pooled) + between)
    unit[unit == 0.0] = 1.0
    values, vectors = np.linalg.eigh(pooled / np.outer(unit, unit))
    noise = np.sqrt(np.maximum(values, FLAT * FLAT * values[-1]))
    return (vectors / noise).T / unit
