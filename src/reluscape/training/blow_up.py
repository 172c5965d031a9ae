"""Whether a run blows up: parameters that grow without bound while the risk goes on falling.

For a continuous target it never needs to: a jump is never optimal (Dereich, Jentzen and Kassing,
arXiv 2302.14690). Where the target jumps, networks of two neurons or more can come ever closer to
it, and no network is best (Gallon, Jentzen and Lindner, arXiv 2211.15641).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.limits import LimitResponse, limit_response
from reluscape.networks.mergers import growing, tail_of
from reluscape.networks.network import Network
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples
from reluscape.training.trail import networks_of

Floats = NDArray[np.float64]

# A jump of the target below this share of its size is rounding of its coefficients.
JUMP = 1e-12
# Snapshots below which a run is too short to be judged: its tail makes four rates at least.
SHORTEST = 8
# Breakpoints this share of the interval apart count as one place: there is a jump of the target
# between them, which tells more than their distance.
CLOSE = 0.1
# Share of the steps from snapshot to snapshot on which the risk of a falling run may rise.
RISES = 0.25
# Ramps in place of a jump whose risks are compared: each half as wide as the one before, from the
# width in the last network to a thousandth of it.
HALVINGS = 10


def limit_of_run(
    problem: Samples | Interval, network: Network, trail: Floats, at: Floats, risks: Floats
) -> LimitResponse | None:
    """Return what a run approaches if there is strong evidence that it blows up.

    All of this must hold:

    * the problem is an interval, and its target jumps;
    * in the last half of the snapshots, which is most of the run, neurons close up into jumps, see
      `limit_response`, each of them around a jump of the target;
    * from snapshot to snapshot of that half the risk falls, and it ends lowest; a descent whose
      step is about too long may rise now and then;
    * the risk of the response is below that of the last network, and ramps in the place of each
      jump have risks that fall with their widths: narrowing them further goes on paying.

    On data nothing is said: between two inputs a steep piece does as well as a jump, so that
    finite parameters are enough.

    Parameters
    ----------
    problem : Samples or Interval
    network : Network
        The last one.
    trail : ndarray, shape (s, parameters)
        Snapshots, see `reluscape.training.trail`.
    at, risks : ndarray, shape (s,)
        When they were, and their risks.

    Returns
    -------
    LimitResponse or None
    """
    if not isinstance(problem, Interval) or network.width < 2 or len(at) < SHORTEST:
        return None
    places = jumps_of(problem)
    if not places.size or not _may(problem, network, trail):
        return None
    falling = risks[tail_of(len(at)) :]
    if falling[-1] > falling.min() or (np.diff(falling) >= 0.0).mean() > RISES:
        return None
    limit = limit_response(
        networks_of(network, trail),
        domain=(problem.a, problem.b),
        steps=at,
        places=places,
        close=CLOSE,
    )
    response = limit.response
    if response is None or not limit.jumps or problem.risk(response) >= risks[-1]:
        return None
    for group in limit.jumps:
        if group.term is None or response.thresholds[group.term] not in places:
            return None
        if not _pays(problem, response, group.term, float(group.distances[-1])):
            return None
    return limit


def _may(problem: Interval, network: Network, trail: Floats) -> bool:
    """Tell, quickly, whether two neurons grow up to the end and come close: most runs end here."""
    w, b, v = trail[:, : 3 * network.width].reshape(-1, 3, network.width).swapaxes(0, 1)
    grows = growing(v * w, tail_of(len(trail))) & (w[-1] != 0.0)
    places = np.sort(-b[-1, grows] / w[-1, grows])
    return bool((np.diff(places) <= CLOSE * (problem.b - problem.a)).any())


def jumps_of(problem: Interval) -> Floats:
    """Return where the target of an interval jumps, strictly inside.

    Examples
    --------
    >>> from reluscape import step
    >>> jumps_of(Interval(step(0.25), 0, 1)), jumps_of(Interval(step(2.0), 0, 1))
    (array([0.25]), array([], dtype=float64))
    """
    borders, pieces = problem.target.on(problem.a, problem.b, "target")
    found: list[float] = []
    for t, left, right in zip(borders[1:-1], pieces[:-1], pieces[1:], strict=True):
        before, after = (np.polynomial.Polynomial(c) for c in (left, right))
        size = max(abs(before(t)), abs(after(t)))
        if abs(before(t) - after(t)) > JUMP * size:
            found.append(t)
    return np.array(found)


def _pays(problem: Interval, response: GeneralizedResponse, term: int, width: float) -> bool:
    """Tell whether the risk falls as a ramp in the place of a jump narrows, down to the jump."""
    widths = width * 0.5 ** np.arange(HALVINGS + 1)
    risks = [problem.risk(_with_ramp(response, term, w)) for w in widths.tolist()]
    return bool((np.diff([*risks, problem.risk(response)]) < 0.0).all())


def _with_ramp(response: GeneralizedResponse, term: int, width: float) -> GeneralizedResponse:
    """Put two kinks in the place of a jump, with the same function beyond them."""
    at, slope = float(response.thresholds[term]), float(response.deltas[term, 0])
    height = slope * at + float(response.betas[term])
    steep = 2.0 * height / width
    places = np.array([at - 0.5 * width, at + 0.5 * width])
    bends = 0.5 * np.array([slope + steep, slope - steep])
    others = np.arange(len(response.betas)) != term
    thresholds = np.append(response.thresholds[others], places)
    deltas = np.append(response.deltas[others, 0], bends)
    betas = np.append(response.betas[others], -bends * places)
    counts = np.append(response.multiplicities[others], [1, 1])
    # A kink of the response may be where the ramp begins or ends.
    unique, groups = np.unique(thresholds, return_inverse=True)
    many = np.ones(len(unique), dtype=np.int_)
    np.maximum.at(many, groups, counts)
    return GeneralizedResponse(
        np.ones(len(unique)),
        unique,
        np.bincount(groups, deltas),
        np.bincount(groups, betas),
        response.offset,
        response.slope,
        many,
    )
