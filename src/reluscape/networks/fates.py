"""What becomes of each neuron of a sequence of networks, and the response that is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.arrays import Floats
from reluscape.networks.halfspaces import Integers, oriented
from reluscape.networks.mergers import Merger, growing, growth_of, mergers_of
from reluscape.networks.network import Network
from reluscape.networks.regions import Region
from reluscape.networks.responses import GeneralizedResponse
from reluscape.networks.tracks import Tracks

Kind = Literal["jump", "kink", "affine", "inactive", "vanishing"]

_LONE = 2.0
"""A bend that grows by this factor over the tail, alone, is not about to settle."""
_FAINT = 1e-3
"""A neuron whose bend moves the function by less than this share of its range is faint."""
_FADES = 0.5
"""A faint neuron vanishes if over the tail it became fainter by this factor."""


@dataclass(frozen=True, eq=False)
class Fate:
    """Neurons with one fate.

    Attributes
    ----------
    kind : {"jump", "kink", "affine", "inactive", "vanishing"}
    neurons : tuple of int
    merger : Merger or None
        For neurons that close up: into a jump, or a kink where the jump fades.
    """

    kind: Kind
    neurons: tuple[int, ...]
    merger: Merger | None = None


@dataclass(frozen=True, eq=False)
class Fates:
    """The fates of all neurons, jumps first, and what speaks against them.

    Attributes
    ----------
    all : list of Fate
    troubles : list of str
        Why there is no limit to be recognised; empty if there is.
    doubts : list of str
    """

    all: list[Fate]
    troubles: list[str]
    doubts: list[str]


def fates_of(tracks: Tracks, region: Region, start: int, spread: float, close: float) -> Fates:
    """Tell the fates of all neurons.

    Parameters
    ----------
    tracks : Tracks
    region : Region
    start : int
        Where the tail begins.
    spread : float
        Range of the values of the last network on the region.
    close : float
        Share of the domain within which hyperplanes count as one.

    Returns
    -------
    Fates
    """
    least, most = region.reach(tracks.normals[-1], tracks.thresholds[-1])
    inside = (least < 0.0) & (most > 0.0) & tracks.normals[-1].any(axis=1)
    first, last = (_strengths(tracks, region, k) for k in (start, -1))
    vanishing = inside & (last <= _FAINT * spread) & (last <= _FADES * first)
    grows = growing(tracks.bends, start) & inside & ~vanishing
    mergers = mergers_of(tracks, region, inside & ~vanishing, grows, close)
    merging = {j for merger in mergers for j in merger.neurons}
    found = [Fate("kink" if m.fades else "jump", m.neurons, m) for m in mergers]
    found.sort(key=lambda fate: (fate.kind, fate.neurons))
    troubles = [
        f"the hyperplanes of neurons {listed(m.neurons)} close up while their bends grow, but "
        f"{m.trouble}"
        for m in mergers
        if m.trouble
    ]
    doubts: list[str] = []
    factors = growth_of(tracks.bends, start)
    for j in np.flatnonzero(grows).tolist():
        if j in merging:
            continue
        text = (
            f"the bend of neuron {j} has grown {factors[j]:.3g} times over the last half, and no "
            "other growing hyperplane closes in on it"
        )
        (troubles if factors[j] >= _LONE else doubts).append(text)
    free = np.array([j for j in np.flatnonzero(inside & ~vanishing) if j not in merging], np.intp)
    found += [Fate("kink", group) for group in _shared(tracks, free)]
    found += [Fate("vanishing", (j,)) for j in np.flatnonzero(vanishing).tolist()]
    for j in np.flatnonzero(~inside).tolist():
        found.append(Fate("affine" if _active(least[j], most[j]) else "inactive", (j,)))
    return Fates(found, troubles, doubts)


def listed(neurons: Sequence[int]) -> str:
    """Name neurons in a sentence.

    Examples
    --------
    >>> listed((3, 5, 8))
    '3, 5 and 8'
    """
    *others, last = map(str, neurons)
    return f"{', '.join(others)} and {last}" if others else last


def _active(least: float, most: float) -> bool:
    """Tell whether a neuron is active on the larger part of the region."""
    return bool(least + most > 0.0)


def _strengths(tracks: Tracks, region: Region, k: int) -> Floats:
    """Return the root mean square of what each neuron adds beyond an affine function.

    Of its two sides the smaller counts: the other is the affine function.
    """
    n, tau, bends = tracks.normals[k], tracks.thresholds[k], np.abs(tracks.bends[k])
    if region.inputs == 1:
        least, most = region.reach(n, tau)
        beyond = np.maximum(np.minimum(most, -least), 0.0)
        return bends * np.sqrt(beyond**3 / (3.0 * region.diameter))
    heights = n @ region.sample().T - tau[:, np.newaxis]
    sides = [np.square(np.maximum(sign * heights, 0.0)).mean(axis=1) for sign in (1.0, -1.0)]
    return bends * np.sqrt(np.minimum(*sides))


def _shared(tracks: Tracks, among: NDArray[np.intp]) -> list[tuple[int, ...]]:
    """Group the neurons that share a hyperplane, bit for bit."""
    if not among.size:
        return []
    n, sign = oriented(tracks.normals[-1, among])
    planes = np.column_stack([n, tracks.thresholds[-1, among] * sign + 0.0])
    _, groups = np.unique(planes, axis=0, return_inverse=True)
    members = [tuple(among[groups.ravel() == g].tolist()) for g in range(groups.max() + 1)]
    return sorted(members)


def read_off(
    network: Network, tracks: Tracks, region: Region, fates: Sequence[Fate], places: Floats
) -> tuple[GeneralizedResponse, list[int | None], list[str]]:
    """Return the response that a network approaches, given what becomes of its neurons.

    Parameters
    ----------
    network : Network
        The last one, its neurons in the order of `tracks`.
    tracks : Tracks
    region : Region
    fates : sequence of Fate
    places : ndarray of shape (k,)
        Where jumps may be put, sorted.

    Returns
    -------
    response : GeneralizedResponse
    terms : list of int or None
        The term of each fate.
    remarks : list of str
        Which jumps were put on a place.
    """
    slope = network.activation.slope
    through = network.outputs[:, np.newaxis] * np.column_stack([network.weights, network.biases])
    base = np.append(np.zeros(network.inputs) if network.skip is None else network.skip, 0.0)
    base[-1] = float(network.offset)
    parts = [base, *(slope * through)]  # leaky neurons are affine and ReLU neurons
    through = (1.0 - slope) * through
    planes: list[Floats] = []
    values: list[Floats] = []
    counts: list[int] = []
    remarks: list[str] = []
    owner: list[int | None] = []
    for fate in fates:
        members = list(fate.neurons)
        n, tau = tracks.normals[-1, members], tracks.thresholds[-1, members]
        if fate.merger is None and fate.kind != "kink":
            least, most = region.reach(n, tau)
            parts += [through[j] for j, lo, hi in zip(members, least, most, strict=True)
                      if _active(lo, hi)]  # fmt: skip
            owner.append(None)
            continue
        if fate.merger is None:
            normal, sign = oriented(n[:1])
            normal, threshold = normal[0], float(tau[0] * sign[0] + 0.0)
            delta, beta = _kink(tracks.bends[-1, members].sum(), normal, threshold)
        else:
            normal, threshold = fate.merger.normal, fate.merger.threshold
            delta, beta = fate.merger.delta, fate.merger.beta
            if fate.kind == "kink":
                delta, beta = _kink(float(delta @ normal), normal, threshold)
            else:
                threshold, said = _placed(fate, places)
                remarks += said
        # (-z)_+ = z_+ - z
        parts += [through[j] for j, row in zip(members, n, strict=True) if row @ normal < 0.0]
        owner.append(len(planes))
        planes.append(np.append(normal, threshold))
        values.append(np.append(delta, beta))
        counts.append(2 if fate.kind == "jump" else 1)
    total = [fsum(column) for column in np.array(parts).T.tolist()]
    response, index = _assembled(network.inputs, planes, values, counts, total)
    return response, [None if k is None else index[k] for k in owner], remarks


def _kink(bend: float, normal: Floats, threshold: float) -> tuple[Floats, float]:
    return bend * normal, -bend * threshold


def _placed(fate: Fate, places: Floats) -> tuple[float, list[str]]:
    """Return where a jump is: on a place between its hyperplanes, or in their middle."""
    merger = fate.merger
    if merger is None:
        return 0.0, []
    low, high = merger.ends
    between = places[(places >= low) & (places <= high)]
    if not between.size:
        return merger.threshold, []
    place = float(between[np.argmin(np.abs(between - merger.threshold))])
    return place, [
        f"a jump was put at {place:.9g}, a known place, and not in the middle of its hyperplanes, "
        f"{merger.threshold:.9g}"
    ]


def _assembled(
    inputs: int, planes: list[Floats], values: list[Floats], counts: list[int], total: list[float]
) -> tuple[GeneralizedResponse, list[int | None]]:
    """Make one term of those with the same boundary, in order, and drop those that are zero."""
    plane = np.array(planes).reshape(-1, inputs + 1)
    _, firsts, groups = np.unique(plane, axis=0, return_index=True, return_inverse=True)
    value = np.zeros((len(firsts), inputs + 1))
    count = np.ones(len(firsts), dtype=np.int_)
    np.add.at(value, groups.ravel(), np.array(values).reshape(-1, inputs + 1))
    np.maximum.at(count, groups.ravel(), np.array(counts, dtype=np.int_))
    kept: Integers = np.flatnonzero(value.any(axis=1))
    response = GeneralizedResponse(
        plane[firsts[kept], :-1],
        plane[firsts[kept], -1],
        value[kept, :-1],
        value[kept, -1],
        total[-1],
        total[:-1],
        count[kept],
    )
    index = {int(group): k for k, group in enumerate(kept)}
    return response, [index.get(int(group)) for group in groups.ravel()]
