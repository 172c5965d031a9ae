"""What a sequence of networks with growing parameters approaches: a generalized response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reluscape.errors import InputError
from reluscape.networks.arrays import Floats, as_floats, check_finite, is_number
from reluscape.networks.closeness import distances_to, outside
from reluscape.networks.fates import Fate, fates_of, read_off
from reluscape.networks.limit_groups import (
    LARGER,
    LimitGroup,
    group_of,
    rate_of,
    reasons_of,
    unsettled,
)
from reluscape.networks.mergers import aligned_with, growing, growth_of, tail_of
from reluscape.networks.network import Network
from reluscape.networks.regions import Region, region_of
from reluscape.networks.responses import GeneralizedResponse
from reluscape.networks.tracks import Tracks, matched, tracks_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_FEW = 4
"""Networks below which the evidence is thin."""


@dataclass(frozen=True, eq=False)
class LimitResponse:
    """What a sequence of networks approaches, with the evidence.

    Attributes
    ----------
    response : GeneralizedResponse or None
        Read off the last network: off the jumps it is that network, but for neurons that vanish.
        None if no limit is recognised; `reasons` then says why.
    groups : tuple of LimitGroup
        Every neuron is in one of them; those that jump come first. Empty without a response.
    steps : ndarray of shape (m,)
        When each network was.
    norms : ndarray of shape (m,)
        Length of all (w, b, v) after rescaling each neuron to `|w|² + b² = v²`.
    norm_rate : float or None
        Least-squares power of `steps` with which the norms change over the tail.
    tail : int
        Index of the first network of the tail, the last half, on which growth is judged.
    rms_distances : ndarray of shape (m,)
        Root of the mean square of each network minus the response, on the domain: exactly with one
        input, else over points of it. Empty without a response.
    max_distances : ndarray of shape (m,)
        The largest such difference off the jumps: where the network's merging hyperplanes and the
        boundary of the jump lie on the same side.
    reasons : tuple of str
        What was seen.
    doubts : tuple of str
        What is unsure about it.
    """

    response: GeneralizedResponse | None
    groups: tuple[LimitGroup, ...]
    steps: Floats
    norms: Floats
    norm_rate: float | None
    tail: int
    rms_distances: Floats
    max_distances: Floats
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def jumps(self) -> tuple[LimitGroup, ...]:
        """The groups that close up into jumps."""
        return tuple(group for group in self.groups if group.kind == "jump")

    def __repr__(self) -> str:
        """Show the response, or say that there is none."""
        if self.response is None:
            return f"<LimitResponse: none recognised among {len(self.steps)} networks>"
        return f"<LimitResponse of {len(self.steps)} networks: {self.response!r}>"

    def __str__(self) -> str:
        """Give the response, the reasons and the doubts, a line each."""
        doubts = [f"unsure: {doubt}" for doubt in self.doubts]
        return "\n".join([repr(self), *self.reasons, *doubts])


def limit_response(
    networks: Sequence[Network],
    *,
    domain: ArrayLike | None = None,
    steps: ArrayLike | None = None,
    places: ArrayLike = (),
    close: float = 0.05,
    aligned: bool = True,
) -> LimitResponse:
    """Recognise the generalized response that a sequence of networks approaches.

    A sequence of networks whose risk stays bounded has a subsequence that converges, off some
    hyperplanes, to a generalized response: a piecewise affine function with kinks and jumps
    (Dereich, Jentzen and Kassing, arXiv 2302.14690). Jumps come from two or more neurons whose
    hyperplanes close up while their bends grow and cancel. This is looked for in the last half of
    the sequence, and the response read off the last network: a jump is put halfway between its
    outermost hyperplanes, nothing is extrapolated.

    Parameters
    ----------
    networks : sequence of Network
        At least two, such as the tail of a descent: of one width, with scalar values, ReLU or
        leaky ReLU.
    domain : array_like of shape (n, inputs), or (n,) for one input, optional
        Points whose convex hull the inputs fill: the ends (a, b) of an interval, the corners of a
        box, the vertices of a polygon, or the rows of the data. Neurons whose hyperplane does not
        meet its interior are affine there. Needed for several inputs; with one it defaults to three
        times the range of all breakpoints.
    steps : array_like of shape (m,), optional
        When each network was, increasing and not negative; by default 1, 2, …. Rates are powers of
        it.
    places : array_like of shape (k,), optional
        One input only: where jumps are known to be, such as the jumps of the target. A jump whose
        neurons bend to both sides of such a place is put there.
    close : float, default 0.05
        Between 0 and 1: hyperplanes that are farther apart than this share of the domain, the
        diagonal of its bounding box, are not yet read as one.
    aligned : bool, default True
        Whether neuron j of one network is neuron j of the next, as in a descent. Otherwise they are
        matched by their hyperplanes and bends.

    Returns
    -------
    LimitResponse
        If nothing blows up, with a continuous response. If neurons grow and make no jump, with
        none.

    Raises
    ------
    InputError
        If there are fewer than two networks or they do not fit together, an argument has another
        shape, or the domain is missing.

    Notes
    -----
    What is recognised is evidence, not proof: no finite part of a sequence determines its limit.
    Networks on their way to a ramp that is steep, but not infinitely so, look as if they made a
    jump as long as theirs is wider.

    Examples
    --------
    Ramps from 0 to 1 around x = 1/2 that become steeper.

    >>> ramps = [Network([1.0, 1.0], [1 / k - 0.5, -1 / k - 0.5], [k / 2, -k / 2])
    ...          for k in (25.0, 50.0, 100.0, 200.0)]
    >>> limit = limit_response(ramps, domain=(0, 1))
    >>> limit.response.thresholds, limit.groups[0].neurons, limit.groups[0].heights
    (array([0.5]), (0, 1), array([1., 1., 1., 1.]))
    """
    members = list(networks)
    if len(members) < 2:
        raise InputError(f"there are {len(members)} network(s); a limit needs two or more.")
    tracks = tracks_of(members)
    region = region_of(domain, members[0].inputs, _breakpoints(tracks))
    known = _places(places, region.inputs)
    when = _steps(steps, len(members))
    if not is_number(close) or not 0.0 < close < 1.0:
        raise InputError(f"close is {close!r}; give a number between 0 and 1.")
    if not aligned:
        tracks = matched(tracks, region)
    return _recognised(members, tracks, region, when, known, float(close))


def _breakpoints(tracks: Tracks) -> Floats:
    moving = tracks.normals.any(axis=2)
    return (tracks.thresholds * tracks.normals.sum(axis=2))[moving]


def _steps(steps: ArrayLike | None, many: int) -> Floats:
    if steps is None:
        return np.arange(1.0, many + 1.0)
    when = as_floats("steps", steps)
    check_finite("steps", when)
    if when.shape != (many,) or (when < 0.0).any() or (np.diff(when) <= 0.0).any():
        raise InputError(f"steps must be {many} increasing numbers, one a network, from 0 on.")
    return when


def _places(places: ArrayLike, inputs: int) -> Floats:
    known = as_floats("places", places)
    check_finite("places", known)
    if known.ndim != 1 or (known.size and inputs > 1):
        raise InputError("places must be one row of numbers, and needs networks of one input.")
    return np.sort(known)


def _recognised(
    networks: list[Network],
    tracks: Tracks,
    region: Region,
    steps: Floats,
    places: Floats,
    close: float,
) -> LimitResponse:
    start = tail_of(len(networks))
    norms = np.sqrt(np.square(tracks.norms).sum(axis=1))
    rate = rate_of(norms[start:], steps[start:])
    points = region.sample()
    spread = float(np.ptp(networks[-1](points)))
    fates = fates_of(tracks, region, start, spread, close)
    doubts = [*_thin(networks, region), *fates.doubts]
    troubles = fates.troubles or _unbounded(networks, tracks, points, start, fates.all)
    if troubles:
        reasons = ("no limit is recognised; later networks may show one", *troubles)
        empty = np.empty(0)
        return LimitResponse(
            None, (), steps, norms, rate, start, empty, empty.copy(), reasons, tuple(doubts)
        )
    response, terms, remarks = read_off(networks[-1], tracks, region, fates.all, places)
    groups = tuple(
        group_of(tracks, steps, start, fate, term)
        for fate, term in zip(fates.all, terms, strict=True)
    )
    apart = np.array(
        [
            distances_to(
                network,
                response,
                region,
                _with_boundaries(_bundles(tracks, k, fates.all), response, terms),
            )
            for k, network in enumerate(networks)
        ]
    )
    doubts += unsettled(groups, apart[:, 1], region, spread)
    reasons = [*reasons_of(groups, start, norms), *remarks]
    rms, largest = apart.T.copy()
    return LimitResponse(
        response, groups, steps, norms, rate, start, rms, largest, tuple(reasons), tuple(doubts)
    )


def _bundles(tracks: Tracks, k: int, fates: Sequence[Fate]) -> dict[int, tuple[Floats, Floats]]:
    """Return the closing hyperplanes in one network, by the index of their fate."""
    return {
        i: aligned_with(fate.merger.normal, tracks, k, fate.neurons)[:2]
        for i, fate in enumerate(fates)
        if fate.merger is not None
    }


def _with_boundaries(
    bundles: dict[int, tuple[Floats, Floats]],
    response: GeneralizedResponse,
    terms: Sequence[int | None],
) -> list[tuple[Floats, Floats]]:
    """Add to closing hyperplanes the boundary of the term that takes their place."""
    found: list[tuple[Floats, Floats]] = []
    for i, (n, tau) in bundles.items():
        term = terms[i]
        if term is not None:
            n = np.vstack([n, response.normals[term]])
            tau = np.append(tau, response.thresholds[term])
        found.append((n, tau))
    return found


def _unbounded(
    networks: list[Network], tracks: Tracks, points: Floats, start: int, fates: Sequence[Fate]
) -> list[str]:
    """Say so if the values off the jumps grow up to the end: then they have no limit."""
    off = outside(points, list(_bundles(tracks, -1, fates).values()))
    if not off.any():
        return []
    ranges = np.array([[np.ptp(network(points[off]))] for network in networks[start:]])
    factor = float(growth_of(ranges, 0)[0])
    if not growing(ranges, 0)[0] or factor < LARGER:
        return []
    return [
        f"the range of the values has grown {factor:.3g} times over the last half, up to its end"
    ]


def _thin(networks: list[Network], region: Region) -> list[str]:
    found: list[str] = []
    if len(networks) < _FEW:
        found.append(f"there are only {len(networks)} networks")
    if not region.given:
        found.append(
            "no domain was given: neurons whose breakpoint runs away are not told from others"
        )
    return found
