"""How far a network is from a generalized response: in the mean, and off the jumps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.arrays import Floats
from reluscape.networks.network import Network
from reluscape.networks.regions import Region
from reluscape.networks.responses import GeneralizedResponse


def outside(points: Floats, bundles: Sequence[tuple[Floats, Floats]]) -> NDArray[np.bool_]:
    """Tell which points lie between no two hyperplanes of a bundle.

    Parameters
    ----------
    points : ndarray of shape (n, inputs)
    bundles : sequence of (normals of shape (k, inputs), thresholds of shape (k,))
        Hyperplanes that close up, oriented alike.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    result = np.ones(len(points), dtype=bool)
    for normals, thresholds in bundles:
        above = points @ normals.T > thresholds
        result &= above.all(axis=1) | ~above.any(axis=1)
    return result


def distances_to(
    network: Network,
    response: GeneralizedResponse,
    region: Region,
    bundles: Sequence[tuple[Floats, Floats]],
) -> tuple[float, float]:
    """Return two distances between a network and a response on a region.

    Parameters
    ----------
    network : Network
    response : GeneralizedResponse
    region : Region
    bundles : sequence of (normals, thresholds)
        For each jump its boundary and the hyperplanes that close up on it, oriented alike.

    Returns
    -------
    rms : float
        Root of the mean square difference: exactly with one input, else over `Region.sample`.
    largest : float
        The largest difference outside of the bundles; 0 if there is nothing outside.
    """
    if region.inputs > 1:
        points = region.sample()
        errors = np.abs(network(points) - response(points))
        off = outside(points, bundles)
        return float(np.sqrt(np.square(errors).mean())), float(errors[off].max(initial=0.0))
    low, high = (float(end[0]) for end in region.box)
    edges = np.concatenate(
        [
            network.breakpoints(),
            response.thresholds * response.normals[:, 0],
            *(n[:, 0] * tau for n, tau in bundles),
        ]
    )
    edges = np.unique([low, *edges[(edges > low) & (edges < high)], high])
    width = np.diff(edges)
    # The difference is affine on each piece, but for its ends, where it may jump: two points
    # inside tell it all.
    inner = edges[:-1] + width * np.array([[0.25], [0.75]])
    left, right = (network(row) - response(row) for row in inner)
    turn = 0.5 * (right - left)
    left, right = left - turn, right + turn
    squares = float(width @ (left * left + left * right + right * right)) / 3.0
    off = outside(inner.mean(axis=0)[:, np.newaxis], bundles)
    largest = np.maximum(np.abs(left), np.abs(right))[off].max(initial=0.0)
    return float(np.sqrt(max(squares, 0.0) / (high - low))), float(largest)
