"""Pairs of half-spaces under a standard normal law: their common mass and its derivatives.

A neuron `(w.x + b)_+` with `x ~ N(0, I)` is `|w| (X + p)_+`, where `X = w.x / |w|` is a standard
normal number and `p = b / |w|` its level. What two neurons have in common is a function of both
levels and of the correlation rho of their X. By rho it is steep where weights are parallel, by the
sine of the angle between them it is not: all of it is computed from that, and stays accurate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reluscape.networks.arrays import Floats

FAR = 40.0
"""Levels beyond are as good as infinite: the normal density there is zero in floating point."""

_CENTRAL = 1e-150
"""Levels below this count as zero: half-spaces differ by less, and quotients could underflow."""

_NEARLY_PARALLEL = 0.99
"""Correlations beyond lose digits of `1 - rho^2`; the difference of directions gives them back."""

_BLOCK = 1 << 18
"""Numbers in one block of differences of directions: 2 MiB."""


@dataclass(frozen=True, eq=False)
class Planes:
    """Neurons as half-spaces `directions.x + levels > 0`, m of them in d dimensions.

    Parameters
    ----------
    weights : ndarray of shape (m, d)
    biases : ndarray of shape (m,)
    right : bool
        Whether neurons with `w = b = 0` count as active everywhere rather than nowhere.

    Attributes
    ----------
    lengths : ndarray of shape (m,)
        `|w|`.
    directions : ndarray of shape (m, d)
        `w / |w|`, zero where `w = 0`.
    levels : ndarray of shape (m,)
        `b / |w|`, cut off at `FAR`; where `w = 0` it says by its sign who is active.
    density, mass : ndarray of shape (m,)
        The normal density and distribution function at the levels.
    """

    weights: Floats
    biases: Floats
    lengths: Floats
    directions: Floats
    levels: Floats
    density: Floats
    mass: Floats

    @classmethod
    def of(cls, weights: Floats, biases: Floats, right: bool = False) -> Planes:
        """Bring neurons into this form.

        Examples
        --------
        >>> planes = Planes.of(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([0.0, 2.0]))
        >>> planes.lengths, planes.mass
        (array([5., 0.]), array([0.5, 1. ]))
        """
        from scipy.special import ndtr

        largest = np.abs(weights).max(axis=1, initial=0.0)
        scale = np.where(largest > 0.0, largest, 1.0)
        scaled = weights / scale[:, np.newaxis]
        norms = np.sqrt(np.square(scaled).sum(axis=1))
        moving = norms > 0.0
        norms = np.where(moving, norms, 1.0)
        with np.errstate(over="ignore"):
            levels = np.clip(biases / scale / norms, -FAR, FAR)
        still = np.where((biases > 0.0) | ((biases == 0.0) & right), FAR, -FAR)
        # Adding zero turns -0.0 into 0.0: quotients by a level of zero are then of one sign.
        levels = np.where(np.abs(levels) < _CENTRAL, 0.0, levels) + 0.0
        levels = np.where(moving, levels, still)
        return cls(
            weights,
            biases,
            np.where(moving, scale * norms, 0.0),
            scaled / norms[:, np.newaxis],
            levels,
            normal_density(levels),
            ndtr(levels),
        )

    @property
    def means(self) -> Floats:
        """Mean values of the neurons, `E (w.x + b)_+`, shape (m,)."""
        return self.lengths * self.density + self.biases * self.mass


@dataclass(frozen=True, eq=False)
class Pairs:
    """What the half-spaces `X > -p` of some neurons and `Y > -q` of others have in common.

    All attributes have the shape (rows, columns). `phi` is the normal density, `Phi` its
    distribution function.

    Attributes
    ----------
    correlation, sine : ndarray
        `rho = E X Y`, and the sine of the angle between the directions.
    both : ndarray
        The mass of the common part, `P(X > -p, Y > -q)`.
    row_edge, column_edge : ndarray
        Its derivatives by p and q, `phi(p) Phi((q - rho p) / sine)` and the same with p and q
        exchanged: the part of each boundary that lies in the other half-space.
    corner : ndarray
        `phi(p) phi((q - rho p) / sine)`: the derivative of `both` by rho, times the sine.
    """

    rows: Planes
    columns: Planes
    correlation: Floats
    sine: Floats
    both: Floats
    row_edge: Floats
    column_edge: Floats
    corner: Floats

    @cached_property
    def edge_values(self) -> Floats:
        """`phi(p) E[(w'.x + b')_+ | X = -p]`: the columns' means on the edges of the rows."""
        lengths = self.columns.lengths
        # The bias itself: the level of a long-off or ever-on neuron is cut off.
        offsets = self.columns.biases - self.correlation * self.rows.levels[:, np.newaxis] * lengths
        return offsets * self.row_edge + (self.sine * self.corner) * lengths

    @cached_property
    def edge_sums(self) -> Floats:
        """`E[Y; X > -p, Y > -q]`: the columns without their level, where both are active."""
        return self.column_edge + self.correlation * self.row_edge

    @cached_property
    def products(self) -> Floats:
        """`E[(w.x + b)_+ (w'.x + b')_+]` for each row and column.

        The arc-cosine kernel of Cho and Saul (2009) where both biases are zero.
        """
        rows, columns = self.rows, self.columns
        length = rows.lengths[:, np.newaxis]
        bias = rows.biases[:, np.newaxis]
        crossed = self.correlation * self.both + self.sine * self.corner
        return (length * crossed + bias * self.column_edge) * columns.lengths + (
            bias * self.both + length * self.row_edge
        ) * columns.biases


def pairs(rows: Planes, columns: Planes) -> Pairs:
    """Return what each of some neurons has in common with each of others.

    Parameters
    ----------
    rows, columns : Planes
        In the same dimension.

    Returns
    -------
    Pairs

    Notes
    -----
    The common mass follows Owen (1956), Ann. Math. Statist. 27, from his function T.

    Examples
    --------
    Two orthogonal half-spaces through the origin share a quarter of the mass.

    >>> planes = Planes.of(np.eye(2), np.zeros(2))
    >>> pairs(planes, planes).both
    array([[0.5 , 0.25],
           [0.25, 0.5 ]])
    """
    from scipy.special import ndtr, owens_t

    correlation, gap = _angles(rows.directions, columns.directions)
    sine = np.sqrt(gap * (2.0 - gap))
    sign = np.where(correlation < 0.0, -1.0, 1.0)
    p, q = rows.levels[:, np.newaxis], columns.levels[np.newaxis, :]
    # q - rho p and p - rho q from q -+ p, which is exact where it matters: both then err in the
    # same way, and what they make of nearly equal half-spaces adds up.
    apart = q - sign * p
    row_offsets = apart + sign * gap * p
    row_depth = _quotient(row_offsets, sine)
    row_edge = rows.density[:, np.newaxis] * ndtr(row_depth)
    row_wedge = owens_t(p, _quotient(row_depth, p))
    if rows is columns:
        column_edge, column_wedge = row_edge.T, row_wedge.T
    else:
        column_depth = _quotient(sign * (gap * q - apart), sine)
        column_edge = columns.density * ndtr(column_depth)
        column_wedge = owens_t(q, _quotient(column_depth, q))
    with np.errstate(over="ignore", under="ignore"):
        corner = np.exp(-0.5 * (np.square(p) + np.square(row_depth))) / (2.0 * math.pi)
    both = _common_mass(rows, columns, row_wedge + column_wedge)
    central = (p == 0.0) & (q == 0.0)
    if central.any():
        angles = np.arctan2(sine[central], correlation[central])
        both[central] = 0.5 - angles / (2.0 * math.pi)
    return Pairs(
        rows,
        columns,
        correlation,
        sine,
        both,
        row_edge,
        column_edge,
        corner,
    )


def normal_density(z: Floats) -> Floats:
    """Return the standard normal density."""
    with np.errstate(under="ignore"):
        return np.exp(-0.5 * np.square(z)) / math.sqrt(2.0 * math.pi)


def _angles(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Return `rho`, and `1 - |rho|` to full relative accuracy near 0."""
    correlation = first @ second.T
    gap = np.maximum(1.0 - np.abs(correlation), 0.0)
    near = np.abs(correlation) > _NEARLY_PARALLEL
    if first is second:
        itself = np.diag_indices_from(near)
        moving = near[itself]  # a direction of zero is not parallel to itself
        gap[itself], correlation[itself] = np.where(moving, 0.0, 1.0), np.where(moving, 1.0, 0.0)
        near = np.triu(near, 1)
    rows, columns = np.nonzero(near)
    step = max(1, _BLOCK // max(first.shape[1], 1))
    for start in range(0, rows.size, step):
        i, j = rows[start : start + step], columns[start : start + step]
        sign = np.sign(correlation[i, j])
        chord = np.square(first[i] - sign[:, np.newaxis] * second[j]).sum(axis=1)
        gap[i, j] = 0.5 * chord
        correlation[i, j] = sign * (1.0 - 0.5 * chord)
        if first is second:
            gap[j, i], correlation[j, i] = gap[i, j], correlation[i, j]
    return correlation, gap


def _common_mass(rows: Planes, columns: Planes, wedges: Floats) -> Floats:
    p, q = rows.levels[:, np.newaxis], columns.levels[np.newaxis, :]
    first, second = rows.mass[:, np.newaxis], columns.mass[np.newaxis, :]
    opposite = (p < 0.0) != (q < 0.0)
    result = 0.5 * (first + second - opposite) - wedges
    # Between the bounds of Frechet, so that half-spaces far out have exactly nothing in common.
    return np.clip(result, np.maximum(first + second - 1.0, 0.0), np.minimum(first, second))


def _quotient(a: Floats, b: Floats) -> Floats:
    """Return a / b with the sign of a where b is zero, and zero where both are."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = a / b
    result[(a == 0.0) & (b == 0.0)] = 0.0
    return result
