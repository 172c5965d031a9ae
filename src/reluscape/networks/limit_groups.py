"""The evidence on each group of neurons along a sequence of networks, in numbers and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reluscape.networks.arrays import Floats
from reluscape.networks.fates import Fate, Kind, listed
from reluscape.networks.regions import Region
from reluscape.networks.tracks import Tracks

STILL = 1e-2
"""A distance that is more than this share of its unit is one that a caller should know of."""
LARGER = 2.0
"""What grows by this factor over the tail, up to its end, is not about to settle."""
_RATED = 3
"""Networks in the tail below which a power is no fit."""


@dataclass(frozen=True, eq=False)
class LimitGroup:
    """Neurons that share one fate along a sequence of networks, and the evidence.

    Attributes
    ----------
    kind : {"jump", "kink", "affine", "inactive", "vanishing"}
        "jump": their hyperplanes close up while their bends grow and cancel. "kink": they stay
        ordinary neurons, on one hyperplane. "affine" and "inactive": no hyperplane meets the
        domain, and on it they are affine or add nothing (leaky ReLU: are affine, too). "vanishing":
        what they add beyond an affine function dies out.
    neurons : tuple of int
        In the numbering of the last network.
    term : int or None
        Index of their term in the response; None if they have none.
    distances : ndarray of shape (m,)
        The largest distance of two of their hyperplanes in each network, in units of the inputs: on
        the bounding box of the domain.
    bends : ndarray of shape (m,)
        The largest change of slope across one of their hyperplanes, in size.
    heights : ndarray of shape (m,)
        The largest jump on the domain that would take their place; 0 for one neuron.
    norms : ndarray of shape (m,)
        Length of their parameters (w, b, v) after rescaling each to `|w|² + b² = v²`.
    distance_rate, distance_by_norm : float or None
        Least-squares powers of `steps` and of `norms` with which the distances change over the
        tail; None with fewer than three networks there, or no distance.
    """

    kind: Kind
    neurons: tuple[int, ...]
    term: int | None
    distances: Floats
    bends: Floats
    heights: Floats
    norms: Floats
    distance_rate: float | None
    distance_by_norm: float | None


def group_of(tracks: Tracks, steps: Floats, start: int, fate: Fate, term: int | None) -> LimitGroup:
    """Gather the evidence on one group; `start` is where the tail begins."""
    members, merger = list(fate.neurons), fate.merger
    nothing = np.zeros(len(steps))
    norms = np.sqrt(np.square(tracks.norms[:, members]).sum(axis=1))
    distances = nothing if merger is None else merger.distances
    return LimitGroup(
        fate.kind,
        fate.neurons,
        term,
        distances,
        np.abs(tracks.bends[:, members]).max(axis=1),
        nothing if merger is None else merger.heights,
        norms,
        rate_of(distances[start:], steps[start:]),
        rate_of(distances[start:], norms[start:]),
    )


def rate_of(values: Floats, by: Floats) -> float | None:
    """Return the least-squares power of one sequence with which another changes."""
    both = (values > 0.0) & (by > 0.0)
    x, y = np.log(by[both]), np.log(values[both])
    if len(x) < _RATED or not np.ptp(x):
        return None
    x -= x.mean()
    return float(x @ y / (x @ x))


def unsettled(
    groups: Sequence[LimitGroup], apart: Floats, region: Region, spread: float
) -> list[str]:
    """Say what is still on its way, given the largest distances to the response off the jumps."""
    found: list[str] = []
    for group in groups:
        share = float(group.distances[-1]) / region.diameter
        if share > STILL:
            found.append(
                f"the hyperplanes of neurons {listed(group.neurons)} are still "
                f"{group.distances[-1]:.3g} apart, {100.0 * share:.2g} % of the domain"
            )
    if apart[-2] > STILL * spread:
        found.append(
            f"the networks still move: the last but one is up to {apart[-2]:.3g} away from the "
            "response off the jumps"
        )
    return found


def reasons_of(groups: Sequence[LimitGroup], start: int, norms: Floats) -> list[str]:
    """Say what was seen of the groups; `start` is where the tail begins."""
    found: list[str] = []
    for group in groups:
        if len(group.neurons) > 1 and group.distances.any():
            first, last = group.distances[start], group.distances[-1]
            height = f"{group.heights[start]:.3g} to {group.heights[-1]:.3g}"
            ending = (
                f"the jump between them went from {height}"
                if group.kind == "jump"
                else f"the jump between them fades, from {height}: a kink is left"
            )
            found.append(
                f"neurons {listed(group.neurons)} close up: over the last half of the sequence the "
                f"distance of their hyperplanes fell from {first:.3g} to {last:.3g}, their largest "
                f"bend grew from {group.bends[start]:.3g} to {group.bends[-1]:.3g}, and {ending}"
            )
        elif group.kind == "vanishing":
            found.append(f"neuron {listed(group.neurons)} dies out: the response is without it")
    if not any(group.kind == "jump" for group in groups):
        found.insert(0, "nothing jumps: the limit is a continuous response, of multiplicity 1")
        if norms[-1] > LARGER * norms[start]:
            found.append(
                f"the parameters grow, from norm {norms[start]:.3g} to {norms[-1]:.3g}, but on the "
                "domain they make no jump"
            )
    return found
