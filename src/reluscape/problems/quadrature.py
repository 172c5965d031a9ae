"""Risk and derivatives on an interval for tanh and softplus: Gauss rules, fine where they bend.

Integrals of these activations have no closed form that does not cancel. The interval is cut at the
borders of the pieces and, for every neuron, around the place where it bends, at distances that grow
with powers of two from its own scale; on each part a Gauss rule is exact to rounding. Nodes and
weights then serve as data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network
from reluscape.problems.smooth import Pieces

Floats = NDArray[np.float64]

# Nodes of each part, and the distances of cuts from where a neuron bends, in units of 1 / |w|:
# within them the nearest poles of tanh, at i pi / 2, are outside of the ellipse on which the rule
# converges to rounding; beyond the last one the activation is straight.
NODES = 24
DISTANCES = np.concatenate([[0.0], 0.75 * 1.5 ** np.arange(11)])


def rows(pieces: Pieces, network: Network) -> tuple[Floats, Floats, Floats]:
    """Return nodes (n, 1), values of the target (n, 1) and weights (n,).

    Parameters
    ----------
    pieces : Pieces
        Target and density.
    network : Network
        With one input; its breakpoints say where nodes must be dense.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    cuts = _cuts(pieces, network)
    half, middle = np.diff(cuts) / 2.0, (cuts[1:] + cuts[:-1]) / 2.0
    x = middle[:, None] + half[:, None] * nodes
    mass = half[:, None] * weights
    piece = np.searchsorted(pieces.cuts, middle, side="right") - 1
    y = np.empty_like(x)
    for i in range(len(pieces.target)):
        here = piece == i
        y[here] = np.polynomial.polynomial.polyval(x[here], np.asarray(pieces.target[i], float))
        mass[here] *= np.polynomial.polynomial.polyval(
            x[here], np.asarray(pieces.density[i], float)
        )
    return x.reshape(-1, 1), y.reshape(-1, 1), mass.ravel()


def _cuts(pieces: Pieces, network: Network) -> Floats:
    low, high = pieces.cuts[0], pieces.cuts[-1]
    w, b = network.weights[:, 0], network.biases
    moving = w != 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        centre, reach = -b[moving] / w[moving], 1.0 / np.abs(w[moving])
        steps = np.multiply.outer(reach, np.concatenate([-DISTANCES[::-1], DISTANCES]))
        around = (centre[:, None] + steps).ravel()
    inside = around[(around > low) & (around < high)]
    return np.unique(np.concatenate([pieces.cuts, inside]))
