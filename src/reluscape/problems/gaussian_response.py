"""The risk of generalized responses under standard normal inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.orthants import Planes, pairs
from reluscape.problems.relu_form import ReluForm

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Terms:
    """A function `offset + slope.x + sum_k 1_k(x) (deltas_k.x + betas_k)` over half-spaces.

    Parameters
    ----------
    planes : Planes
        The half-spaces, m of them.
    deltas : ndarray of shape (m, inputs)
    betas : ndarray of shape (m,)
    offset : float
    slope : ndarray of shape (inputs,)
    """

    planes: Planes
    deltas: Floats
    betas: Floats
    offset: float
    slope: Floats


def difference(response: GeneralizedResponse, target: ReluForm) -> Terms:
    """Return `R - T`: the neurons of the target are terms too."""
    v = -target.outputs
    return Terms(
        Planes.of(
            np.vstack([response.normals, target.weights]),
            np.concatenate([-response.thresholds, target.biases]),
        ),
        np.vstack([response.deltas, v[:, np.newaxis] * target.weights]),
        np.concatenate([response.betas, v * target.biases]),
        response.offset - target.offset,
        response.slope - target.slope,
    )


def mean_square(terms: Terms) -> float:
    """Return `E f(x)^2` for `x ~ N(0, I)`.

    Parameters
    ----------
    terms : Terms

    Returns
    -------
    float
        Not below zero.

    Notes
    -----
    Second moments over pairs of half-spaces come from Stein's identity, as in the Hessian of a
    Gaussian risk; sines divide only what shrinks with their squares.

    Examples
    --------
    A jump of height 2 on half of the mass.

    >>> step = GeneralizedResponse([1.0], [0.0], [0.0], [2.0])
    >>> nothing = ReluForm(np.zeros((0, 1)), np.zeros(0), np.zeros(0), 0.0, np.zeros(1))
    >>> mean_square(difference(step, nothing))
    2.0
    """
    planes, deltas, betas = terms.planes, terms.deltas, terms.betas
    common = pairs(planes, planes)
    rho, sine = common.correlation, common.sine
    row, column = common.row_edge, common.column_edge
    # The slope of term i along the normals of i and j, and along the part of j's across i's; then
    # the same for the slope of term j.
    own = (deltas * planes.directions).sum(axis=1)
    first_other = deltas @ planes.directions.T
    second_other = first_other.T
    first_own, second_own = own[:, np.newaxis], own[np.newaxis, :]
    first_across = first_other - rho * first_own
    second_across = second_own - rho * second_other
    p, q = planes.levels[:, np.newaxis], planes.levels[np.newaxis, :]
    folded = np.divide(common.corner * rho, sine, out=np.zeros_like(sine), where=sine > 0.0)
    turned = common.corner * sine
    total = (deltas @ deltas.T + np.outer(betas, betas)) * common.both
    total += (turned * rho - p * row) * first_own * second_other
    total -= q * column * first_other * second_own
    total += turned * (first_own * second_across + first_across * second_other)
    total -= folded * first_across * second_across
    total += betas[:, np.newaxis] * (second_other * row + second_own * column)
    total += betas * (first_own * row + first_other * column)
    means = betas * planes.mass + own * planes.density
    edges = (betas - planes.levels * own) * planes.density
    skews = planes.mass @ deltas + edges @ planes.directions
    affine = terms.offset * terms.offset + float(terms.slope @ terms.slope)
    mixed = terms.offset * float(means.sum()) + float(skews @ terms.slope)
    result = float(total.sum()) + affine + 2.0 * mixed
    # Not max: that would turn what overflowed into zero.
    return 0.0 if result < 0.0 else result
