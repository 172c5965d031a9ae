"""As many inputs as classes: the least cost of the linear regime, with b2 tied and with b2 free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reluscape.networks.arrays import Floats


@dataclass(frozen=True, eq=False)
class ExactValues:
    """Least class-weighted costs over networks that are linear on the data (M = Q).

    The cost is `C_N = sqrt(sum_j 1/N_j sum_i |out(x_ji) - y_j|^2)`. "Tied" has no net bias:
    `b2 = -W2 b1`, as in S4; "affine" lets b2 be free, which is a weighted affine regression. The
    two differ by a factor that does not tend to 1 as the noise vanishes. Neither is claimed to be
    the least cost of all networks: ReLU may cut noise off.

    Attributes
    ----------
    upper : float
        The cost of the network that is written down from the means.
    tied : float
        The least cost with b2 tied.
    affine : float
        The least cost with b2 free.
    relative_error : float
        `(upper - tied) / tied`; 0 where there is no noise. It is at most a multiple of the square
        of the relative noise.
    tied_readout, affine_readout : ndarray, shape (outputs, classes)
        The factor between Y and them: outputs are `Y readout e`, e being barycentric coordinates.
    affine_shift : ndarray, shape (classes,)
        What the affine outputs have beside: `Y (readout e + shift)`.
    """

    upper: float
    tied: float
    affine: float
    relative_error: float
    tied_readout: Floats
    affine_readout: Floats
    affine_shift: Floats


def exact_values(noise: Floats, outputs: Floats) -> ExactValues:
    """Return the three costs of S4, Theorem B, from the relative noise.

    Parameters
    ----------
    noise : ndarray, shape (classes, classes)
        Delta_2: the sum over classes of the mean of `d d^T`.
    outputs : ndarray, shape (classes, classes)
        Y.

    Returns
    -------
    ExactValues

    Examples
    --------
    The reference case of two inputs, with noise on the first alone:

    >>> values = exact_values(np.diag([0.02, 0.0]), np.eye(2))
    >>> round(values.tied**2 * 51, 12), values.affine
    (1.0, 0.0)
    """
    q = len(noise)
    # In its eigenvectors Delta_2 (1 + Delta_2)^-1 has no cancellation.
    values, vectors = np.linalg.eigh(noise)
    values = values.clip(min=0.0)
    turned = np.square(outputs @ vectors).sum(axis=0)
    upper = float(np.sqrt(turned @ values))
    tied = float(np.sqrt(turned @ (values / (1.0 + values))))
    # (upper^2 - tied^2) / (tied (upper + tied)) instead of a difference of nearly equal numbers.
    excess = float(turned @ (values * values / (1.0 + values)))
    relative = excess / (tied * (upper + tied)) if tied else 0.0
    tied_readout = (vectors / (1.0 + values)) @ vectors.T
    # A free b2 takes the direction u = (1, .., 1) out: of the noise only what regression on its
    # component along u leaves, K = A - b b^T / c, counts, on the complement E of u.
    complement = _complement(q)
    middle = np.full(q, 1.0 / np.sqrt(q))
    cross = complement.T @ noise @ middle
    along = float(middle @ noise @ middle)
    left = complement.T @ noise @ complement
    pull = np.zeros(q - 1)
    if along > 0.0:
        pull = cross / along
        left = left - np.outer(cross, pull)
    rest, axes = np.linalg.eigh(left)
    rest = rest.clip(min=0.0)
    free = complement @ axes
    affine = float(np.sqrt(np.square(outputs @ free).sum(axis=0) @ (rest / (1.0 + rest))))
    readout = (free / (1.0 + rest)) @ axes.T @ (complement.T - np.outer(pull, middle))
    shift = (np.ones(q) - readout.sum(axis=1)) / q
    return ExactValues(upper, tied, affine, relative, tied_readout, readout, shift)


def _complement(q: int) -> Floats:
    """Return an orthonormal basis of the vectors whose components sum to zero, (q, q - 1)."""
    full, _ = np.linalg.qr(np.column_stack([np.ones(q), np.eye(q)[:, 1:]]))
    return full[:, 1:]
