"""Where the neurons of a sequence of networks are: their hyperplanes, bends and balanced norms.

Nothing here changes when neurons are rescaled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reluscape.errors import InputError
from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.arrays import Floats
from reluscape.networks.network import Network
from reluscape.networks.regions import Region

_BEND_WEIGHT = 0.1
"""What a bend that is e times as large costs in a match, in diameters of the domain."""
_OTHER = 10.0
"""What a bend to the other side, or a neuron without a hyperplane, costs there: more than any move
within the domain."""


@dataclass(frozen=True, eq=False)
class Tracks:
    """The neurons of m networks of one width; neuron j of one is neuron j of the next.

    Attributes
    ----------
    normals : ndarray of shape (m, width, inputs)
        Of length 1, to the side on which the neuron is active; zero where it has no hyperplane.
    thresholds : ndarray of shape (m, width)
        The neuron is active where `n.x > tau`; without a hyperplane -1 if that is everywhere, 1 if
        it is nowhere.
    bends : ndarray of shape (m, width)
        By how much the slope along n grows across the hyperplane.
    norms : ndarray of shape (m, width)
        Length of (w, b, v) after rescaling to `|w|² + b² = v²`.
    """

    normals: Floats
    thresholds: Floats
    bends: Floats
    norms: Floats

    def taken(self, order: list[list[int]]) -> Tracks:
        """Return the tracks with the neurons of each network in another order."""
        rows = np.arange(len(order))[:, np.newaxis]
        places = np.array(order, dtype=np.intp).reshape(len(order), -1)
        return Tracks(
            self.normals[rows, places],
            self.thresholds[rows, places],
            self.bends[rows, places],
            self.norms[rows, places],
        )


def balanced_norms(network: Network) -> Floats:
    """Return the length of each neuron's (w, b, v) after rescaling to `|w|² + b² = |v|²`.

    Parameters
    ----------
    network : Network

    Returns
    -------
    ndarray of shape (width,)
        `sqrt(2 |v| |(w, b)|)`, which rescaling of the neuron leaves as it is.

    Examples
    --------
    >>> balanced_norms(Network([3.0, 0.5], [4.0, 0.0], [2.5, 4.0]))
    array([5., 2.])
    """
    inner = np.hypot.reduce(np.column_stack([network.weights, network.biases]), axis=1)
    outer = np.hypot.reduce(network.outputs.reshape(network.width, network.targets), axis=1)
    # Two roots, lest the product be beyond the largest float.
    return np.sqrt(2.0) * np.sqrt(inner) * np.sqrt(outer)


def tracks_of(networks: Sequence[Network]) -> Tracks:
    """Read the tracks off networks of one shape.

    Parameters
    ----------
    networks : sequence of Network

    Returns
    -------
    Tracks

    Raises
    ------
    InputError
        If the networks do not have the same width, inputs and activation, are not scalar or not
        piecewise linear, or one is steeper than the largest float.
    """
    _check(networks)
    weights = np.array([network.weights for network in networks])
    biases = np.array([network.biases for network in networks])
    outputs = np.array([network.outputs for network in networks])
    lengths = np.hypot.reduce(weights, axis=2)
    with np.errstate(all="ignore"):
        thresholds = -biases / lengths
        normals = weights / lengths[..., np.newaxis]
        bends = (1.0 - networks[0].activation.slope) * outputs * lengths
    missing = ~(np.isfinite(thresholds) & (lengths > 0.0))
    normals[missing] = 0.0
    thresholds[missing] = np.where(biases[missing] > 0.0, -1.0, 1.0)
    bends[missing] = 0.0
    if not np.isfinite(bends).all():
        raise InputError("a network is steeper than the largest float; scale its parameters down.")
    norms = np.array([balanced_norms(network) for network in networks])
    return Tracks(normals, thresholds, bends, norms)


def _check(networks: Sequence[Network]) -> None:
    for network in networks:
        require_piecewise_linear(network.activation, "limit_response")
        if not network.scalar:
            raise InputError(
                f"a network has outputs of shape {network.outputs.shape}; give scalar ones, with "
                "outputs of shape (width,)."
            )
    first = networks[0]
    for k, other in enumerate(networks):
        for name in ("width", "inputs", "activation"):
            if getattr(other, name) != getattr(first, name):
                raise InputError(
                    f"network {k} has another {name} than the first; give networks of one run."
                )


def matched(tracks: Tracks, region: Region) -> Tracks:
    """Renumber the neurons of each network as in the last one, by hyperplane and bend.

    Each network is matched with the next by the assignment of least cost; neurons without a
    hyperplane are matched with whatever is left.

    Parameters
    ----------
    tracks : Tracks
        In any order, another one in each network.
    region : Region
        Its diameter is the unit of distances.

    Returns
    -------
    Tracks
    """
    from scipy.optimize import linear_sum_assignment

    many, width = tracks.bends.shape
    order = [list(range(width))]
    for k in range(many - 2, -1, -1):
        later = order[-1]
        cost = region.apart(
            tracks.normals[k + 1, later][:, np.newaxis],
            tracks.thresholds[k + 1, later][:, np.newaxis],
            tracks.normals[k][np.newaxis],
            tracks.thresholds[k][np.newaxis],
        )
        cost = np.minimum(cost / region.diameter, _OTHER)
        ahead, now = tracks.bends[k + 1, later][:, np.newaxis], tracks.bends[k][np.newaxis]
        same = ahead * now > 0.0
        change = np.abs(np.log(np.where(same, ahead / np.where(same, now, 1.0), 1.0)))
        cost = cost + np.where(same, _BEND_WEIGHT * change, _OTHER)
        order.append([int(j) for j in linear_sum_assignment(cost)[1]])
    return tracks.taken(order[::-1])
