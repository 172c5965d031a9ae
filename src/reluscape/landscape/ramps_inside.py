"""A response as its problem sees it: jumps inside the domain, and ramps between data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network
from reluscape.networks.ramps import ramped
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]

# Ramps on data are this much steeper than the closest data ask for, so that rounding of their
# breakpoints reaches none.
SAFE = 2.0


def settled(response: GeneralizedResponse) -> GeneralizedResponse:
    """Return the response with jumps of height zero as kinks."""
    return GeneralizedResponse(
        response.normals,
        response.thresholds,
        response.deltas,
        response.betas,
        response.offset,
        response.slope,
    )


def absorbed(response: GeneralizedResponse, sides: dict[int, int]) -> GeneralizedResponse:
    """Return the response without the jumps outside of the domain: they are affine there."""
    gone = [term for term, side in sides.items() if side]
    there = [term for term in gone if sides[term] > 0]
    kept = np.setdiff1d(np.arange(len(response.betas)), gone)
    return GeneralizedResponse(
        response.normals[kept],
        response.thresholds[kept],
        response.deltas[kept],
        response.betas[kept],
        response.offset + float(response.betas[there].sum()),
        response.slope + response.deltas[there].sum(axis=0),
        response.multiplicities[kept],
    )


def on_rows(problem: Samples, response: GeneralizedResponse) -> GeneralizedResponse:
    """Return the response without the jumps that have data on one side only."""
    depth = _rows(problem) @ response.normals.T - response.thresholds
    sides = {
        int(k): 1 if (depth[:, k] > 0.0).all() else -1 if (depth[:, k] <= 0.0).all() else 0
        for k in np.flatnonzero(response.multiplicities == 2)
    }
    return absorbed(response, sides)


def ramps_between_rows(problem: Samples, response: GeneralizedResponse) -> tuple[Network, float]:
    """Return a network with the values of a response on all data, and its largest steepness.

    Each ramp is in the middle between the data closest to its jump.

    Parameters
    ----------
    problem : Samples
    response : GeneralizedResponse
        All of its jumps have data on both sides.

    Returns
    -------
    network : Network
    steepness : float

    Raises
    ------
    InputError
        If data are too close together for a ramp in doubles.

    Examples
    --------
    >>> step = GeneralizedResponse([1.0], [0.75], [0.0], [1.0])
    >>> network, _ = ramps_between_rows(Samples([0.0, 1.0, 2.0], [0.0, 0.0, 0.0]), step)
    >>> network([0.0, 1.0, 2.0])
    array([0., 1., 1.])
    """
    rows = _rows(problem)
    jumps = np.flatnonzero(response.multiplicities == 2)
    depth = rows @ response.normals[jumps].T - response.thresholds[jumps]
    below = np.where(depth <= 0.0, depth, -np.inf).max(axis=0)
    above = np.where(depth > 0.0, depth, np.inf).min(axis=0)
    shifts = (below + above) / 2.0
    heights = np.abs(rows @ response.deltas[jumps].T + response.betas[jumps])
    steepness = SAFE * (heights / (2.0 * np.abs(depth - shifts))).max(axis=0)
    steepness = np.maximum(steepness, np.abs(response.bends[jumps]))
    return ramped(response, steepness, shifts), float(steepness.max())


def _rows(problem: Samples) -> Floats:
    return problem.x.reshape(problem.size, -1)[problem.weights > 0.0]
