"""Which neurons of a sequence of networks grow, and which of those close up into a jump."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.arrays import Floats
from reluscape.networks.halfspaces import oriented
from reluscape.networks.regions import Region
from reluscape.networks.tracks import Tracks

_GROWS = 1.25
"""A bend that grows by this factor over the tail may be growing without end: neurons that settle
change less over the last half of a sequence."""
_LASTING = 0.5
"""Growth in the last third of the tail, as a share of even growth: what levels off has less."""
_TREMBLE = 1e-3
"""A decrease between two networks, as a share of the growth, that is none."""
_CLOSING = 0.25
"""Least power of the bends with which distances shrink: a jump whose height stays needs 1, and one
whose height grows less."""
_MARGIN = 0.05
"""Hyperplanes that come along between those of a group, or beyond by this share of their distance,
belong to it."""
_DRIFT = 0.5
"""Largest power of the bends with which what stays bounded may still change."""
_CANCELS = 0.5
"""Bends of which this share is left when added up do not cancel: of a jump ever less is left."""


@dataclass(frozen=True, eq=False)
class Merger:
    """Neurons whose hyperplanes close up while their bends grow.

    Attributes
    ----------
    neurons : tuple of int
    normal : ndarray of shape (inputs,)
        Of the hyperplane in their middle in the last network, its first component positive.
    threshold : float
    delta, beta : ndarray of shape (inputs,), float
        The affine function that they add up to beyond all their hyperplanes.
    distances : ndarray of shape (m,)
        The largest distance between two of their hyperplanes.
    bends : ndarray of shape (m,)
        Their largest bend.
    heights : ndarray of shape (m,)
        The largest jump that would take their place, on its boundary.
    ends : tuple of float
        Thresholds of the outermost hyperplanes in the last network.
    trouble : str
        What does not fit a jump, for a sentence; empty if all does.
    fades : bool
        Whether the jump becomes small while the neurons close up, which leaves a kink.
    """

    neurons: tuple[int, ...]
    normal: Floats
    threshold: float
    delta: Floats
    beta: float
    distances: Floats
    bends: Floats
    heights: Floats
    ends: tuple[float, float]
    trouble: str
    fades: bool


def tail_of(many: int) -> int:
    """Return where the last half of so many networks begins: growth is judged from there on."""
    return (many - 1) // 2


def late_part(many: int) -> int:
    """Return where the last third of the tail of so many networks begins, or a short tail itself.

    What neurons are growing towards shows there: before, they may still have been on their way.
    """
    start = tail_of(many)
    third = (many - 1 - start) // 3
    return many - 1 - third if third else start


def growing(bends: Floats, start: int) -> NDArray[np.bool_]:
    """Tell which bends grow over the tail, steadily and up to the end.

    Parameters
    ----------
    bends : ndarray of shape (m, width)
    start : int
        Where the tail begins.

    Returns
    -------
    ndarray of bool, shape (width,)
    """
    tail = np.abs(bends[start:])
    alive = (tail > 0.0).all(axis=0)
    logs = np.log(np.where(alive, tail, 1.0))
    growth = logs[-1] - logs[0]
    steady = np.diff(logs, axis=0).min(axis=0) >= -_TREMBLE * growth
    third = (len(tail) - 1) // 3
    if third:
        late = logs[-1] - logs[-1 - third]
        steady &= late >= _LASTING * growth * third / (len(tail) - 1)
    return alive & steady & (growth >= np.log(_GROWS))


def growth_of(bends: Floats, start: int) -> Floats:
    """Return the factor by which each bend is larger at the end than where the tail begins."""
    first, last = np.abs(bends[start]), np.abs(bends[-1])
    with np.errstate(over="ignore"):
        return np.where(first > 0.0, last / np.where(first > 0.0, first, 1.0), 1.0)


def mergers_of(
    tracks: Tracks,
    region: Region,
    inside: NDArray[np.bool_],
    grows: NDArray[np.bool_],
    close: float,
) -> list[Merger]:
    """Group the growing neurons whose hyperplanes close up on each other.

    Parameters
    ----------
    tracks : Tracks
    region : Region
    inside, grows : ndarray of bool, shape (width,)
        Which hyperplanes meet the region and matter there, and which of these neurons grow.
    close : float
        Share of the domain within which hyperplanes count as one.

    Returns
    -------
    list of Merger
        Of two growing neurons or more each, and of those that lie between them and come along.
    """
    late = late_part(len(tracks.bends))
    among = np.flatnonzero(grows)
    factors = growth_of(tracks.bends, late)[among]
    first, last = (_distances(tracks, region, k, among) for k in (late, -1))
    shrunk = _shrinking(first, last)
    closing = _closing(shrunk[:, among], np.minimum(factors[:, np.newaxis], factors))
    found: list[Merger] = []
    rest = inside & ~grows
    for group in _components(closing):
        if len(group) < 2:
            continue
        members = among[group]
        # A neuron that comes along is as close to all of the group as they are to each other.
        reach = (1.0 + _MARGIN) * last[group][:, members].max()
        comes = rest & (last[group] <= reach).all(axis=0)
        comes &= _closing(shrunk[group], factors[group].min()).all(axis=0)
        rest &= ~comes
        everybody = np.sort(np.append(members, np.flatnonzero(comes)))
        found.append(_merger(tracks, region, late, everybody, close))
    return found


def _shrinking(first: Floats, last: Floats) -> Floats:
    """Return the logarithm of the factor by which distances shrink; infinite if to zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(last == 0.0, np.inf, np.log(first / np.where(last == 0.0, 1.0, last)))


def _closing(shrunk: Floats, factor: Floats | float) -> NDArray[np.bool_]:
    """Tell which distances shrink fast enough for bends that grow by a factor."""
    growth = np.log(np.maximum(factor, 1.0))
    return (growth > 0.0) & (shrunk >= _CLOSING * growth)


def _distances(tracks: Tracks, region: Region, k: int, among: NDArray[np.intp]) -> Floats:
    """Return how far some hyperplanes of a network are from all, whatever their orientation."""
    n, tau = tracks.normals[k], tracks.thresholds[k]
    found = np.empty((len(among), len(tau)))
    for row, j in enumerate(among.tolist()):  # one at a time: the differences of all are too many
        same, opposite = (region.apart(n, tau, sign * n[j], sign * tau[j]) for sign in (1.0, -1.0))
        found[row] = np.minimum(same, opposite)
    return found


def _components(linked: NDArray[np.bool_]) -> list[list[int]]:
    """Return the connected components of a symmetric relation."""
    open_ = set(range(len(linked)))
    found: list[list[int]] = []
    while open_:
        waiting, group = [min(open_)], set[int]()
        while waiting:
            one = waiting.pop()
            if one in group:
                continue
            group.add(one)
            waiting += np.flatnonzero(linked[one]).tolist()
        open_ -= group
        found.append(sorted(group))
    return found


def _merger(
    tracks: Tracks, region: Region, late: int, among: NDArray[np.intp], close: float
) -> Merger:
    many = len(tracks.bends)
    lead = among[int(np.argmax(np.abs(tracks.bends[-1, among])))]
    heading = oriented(tracks.normals[-1, lead][np.newaxis])[0][0]
    normal, threshold = heading, 0.0
    distances, heights, nets = np.empty(many), np.empty(many), np.empty(many)
    for k in range(many):
        n, tau, bends = aligned_with(heading, tracks, k, among)
        gaps = region.apart(n[:, np.newaxis], tau[:, np.newaxis], n, tau)
        distances[k] = gaps.max()
        normal, threshold = _middle(n, tau, gaps)
        cuts = region.section(normal, threshold)
        heights[k] = np.abs((cuts @ n.T - tau) @ bends).max()
        nets[k] = abs(bends.sum())
    # The boundary's own normal says which side is beyond.
    n, tau, bends = aligned_with(normal, tracks, -1, among)
    delta = bends @ n
    # About a point of the boundary, lest the constants cancel far from the origin.
    foot = threshold * normal
    beta = float((n @ foot - tau) @ bends) - float(delta @ foot)
    largest = np.abs(tracks.bends[:, among]).max(axis=1)
    growth = float(np.log(largest[-1] / largest[late]))
    return Merger(
        tuple(among.tolist()),
        normal,
        threshold,
        delta,
        beta,
        distances,
        largest,
        heights,
        (float(tau.min()), float(tau.max())),
        _trouble(close * region.diameter, late, growth, distances, heights, nets, largest),
        _power(heights, late, growth) < -_DRIFT,
    )


def aligned_with(
    heading: Floats, tracks: Tracks, k: int, among: Sequence[int] | NDArray[np.intp]
) -> tuple[Floats, Floats, Floats]:
    """Return normals to one side, their thresholds, and bends, which orientation does not change.

    Parameters
    ----------
    heading : ndarray of shape (inputs,)
        The side: with it, normals have a scalar product that is not negative.
    tracks : Tracks
    k : int
        Which network.
    among : sequence of int
        Which neurons.

    Returns
    -------
    normals : ndarray of shape (k, inputs)
    thresholds, bends : ndarray of shape (k,)
    """
    members = list(among)
    n, tau = tracks.normals[k, members], tracks.thresholds[k, members]
    sign = np.where(n @ heading < 0.0, -1.0, 1.0)
    return n * sign[:, np.newaxis], tau * sign, tracks.bends[k, members]


def _middle(n: Floats, tau: Floats, gaps: Floats) -> tuple[Floats, float]:
    """Return the hyperplane halfway between the two that are farthest apart."""
    one, other = np.unravel_index(int(np.argmax(gaps)), gaps.shape)
    normal = n[one] + n[other]
    length = float(np.hypot.reduce(normal))
    if length == 0.0:
        return n[one], float(tau[one])
    normal, sign = oriented(normal[np.newaxis] / length)
    return normal[0], float(sign[0] * (tau[one] + tau[other]) / length)


def _power(values: Floats, late: int, growth: float) -> float:
    """Return the power of what has grown by `exp(growth)` with which values have changed."""
    if values[late] == 0.0 or values[-1] == 0.0:
        return 0.0 if values[late] == values[-1] else np.copysign(np.inf, values[-1] - values[late])
    return float(np.log(values[-1] / values[late]) / growth)


def _trouble(
    near: float,
    late: int,
    growth: float,
    distances: Floats,
    heights: Floats,
    nets: Floats,
    bends: Floats,
) -> str:
    if nets[-1] > _CANCELS * bends[-1] and _power(nets, late, growth) > _DRIFT:
        return f"their bends do not cancel: the sum has grown to {nets[-1]:.3g}"
    if _power(heights, late, growth) > _DRIFT:
        return f"the jump between them grows without bound, to {heights[-1]:.3g}"
    if distances[-1] > near:
        return f"they are still {distances[-1]:.3g} apart"
    return ""
