"""Snapshots of a run: networks along the way, close together at first and then ever farther apart.

What grows like a power of time takes equal steps between snapshots whose times grow by a factor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SNAPSHOTS = 32
"""Snapshots of a run, at most: half of them, on which growth is judged, make a rate."""


def chosen(records: int) -> Integers:
    """Return which of the records 0, 1, …, `records` to take snapshots at.

    Examples
    --------
    >>> chosen(5), len(chosen(1000))
    (array([1, 2, 3, 4, 5]), 29)
    """
    if records < 1:
        return np.empty(0, np.int64)
    return np.unique(np.round(np.geomspace(1.0, records, SNAPSHOTS)).astype(np.int64))


def networks_of(model: Network, parameters: Floats) -> tuple[Network, ...]:
    """Return rows of parameters as networks with the shapes of another.

    Parameters
    ----------
    model : Network
    parameters : ndarray, shape (s, parameters)
        In the order of `Network.to_vector`.

    Returns
    -------
    tuple of Network
    """
    return tuple(like(model, theta) for theta in parameters)


def like(network: Network, theta: Floats) -> Network:
    """Return a network with the shapes of another and the parameters `theta`."""
    parts: list[Floats] = []
    at = 0
    arrays = [network.weights, network.biases, network.outputs, network.offset]
    if network.skip is not None:
        arrays.append(network.skip)
    for array in arrays:
        parts.append(theta[at : at + array.size].reshape(array.shape))
        at += array.size
    skip = parts[4] if network.skip is not None else None
    return Network(parts[0], parts[1], parts[2], parts[3], skip, network.activation)
