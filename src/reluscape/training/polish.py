"""Polishing: from a network monotonically down to a critical point."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.moments import Moments
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples
from reluscape.problems.verbs import require_problem

Floats = NDArray[np.float64]
Outcome = Literal["critical point", "corner", "stalled"]


# A gradient below this share of its largest possible size is that of a critical point.
CRITICAL = 1e-7
# Breakpoints closer than this share of the support are one, up to rounding of their biases.
SAME = 1e-13
# A breakpoint closer than this share of the support to an input is on it: -b / w is rounded.
ON_DATUM = 1e-12
# Breakpoints closer than this share of the support to each other or to an end are tried there.
MEETING = 1e-4


@dataclass(frozen=True, eq=False)
class Polish:
    """The result of `polish`.

    Attributes
    ----------
    network : Network
        Same width; with one input the same neurons are active on the whole support or nowhere.
    risk : float
        Never above the risk at the start.
    gradient_norm : float
        Euclidean norm of the generalized gradient there.
    iterations : int
        Newton steps made.
    outcome : {"critical point", "corner", "stalled"}
        "corner": a breakpoint, or hyperplane, sits on a datum, where the risk has no gradient; the
        risk grows to both sides of it. "stalled": no step lowers the risk further in floating point
        although the gradient is not small; breakpoints that run into each other do that.
    """

    network: Network
    risk: float
    gradient_norm: float
    iterations: int
    outcome: Outcome


@dataclass(frozen=True, eq=False)
class _Split:
    """How the neurons of a network see the support.

    `knots` are the distinct reduced breakpoints inside it; `knot_of` says which of them a neuron
    has, -1 if none. `slope_share` is the slope that a neuron gives to the leftmost line, per unit
    of outer weight and in reduced inputs, if it has no breakpoint inside.
    """

    knots: Floats
    knot_of: NDArray[np.int64]
    slope_share: Floats


def polish(problem: Samples | Interval | Polygon | Gaussian, network: Network) -> Polish:
    """Move a network down to a critical point, never up.

    With one input and scalar targets the breakpoints inside the support move by Newton steps, and
    on data from gap to gap; outer weights, offset and skip connection are the exact least-squares
    solution throughout. Neurons keep the sign of their weight. Neurons without a breakpoint inside
    the support keep theirs; one that is active there serves as the skip connection if there is
    none.

    With several inputs all parameters move at once: on a `Polygon` and for `Gaussian` inputs by
    Newton's method in a trust region with the exact Hessian, past saddles; on data by L-BFGS and
    then by Newton steps from kink to kink of the risk, for several targets too. Neurons end up
    balanced, `|(w, b)| = |v|` in units of the problem.

    Parameters
    ----------
    problem : Samples, Interval, Polygon or Gaussian
    network : Network

    Returns
    -------
    Polish

    Raises
    ------
    InputError
        If the network does not fit the problem or is not piecewise linear.

    Examples
    --------
    >>> from reluscape import Interval, Network, polynomial
    >>> problem = Interval(polynomial([0, 0, 1]), 0, 1)
    >>> end = polish(problem, Network([1.0, 1.0], [-0.2, -0.9], [1.0, 1.0], skip=[0.0]))
    >>> end.network.breakpoints().round(9)
    array([0.33333333, 0.66666667])
    >>> bool(abs(end.risk - 1 / 14580) < 1e-18)
    True
    """
    require_problem(problem, "polish")
    require_piecewise_linear(network.activation, "polish")
    start = problem.risk(network)
    if isinstance(problem, Polygon | Gaussian) or (
        isinstance(problem, Samples) and not problem.on_a_line
    ):
        from reluscape.training.polish_several import polish_several

        return Polish(*polish_several(problem, network, start))
    moments = problem.moments
    given, network = network, _tilted(moments, network)
    if moments.support[0] == moments.support[1]:
        result, iterations = _level(moments, network), 0
    else:
        result, iterations = _through_mergers(problem, network)
    risk = problem.risk(result)
    if not risk <= start:
        result, risk = given, start
    norm = float(np.linalg.norm(problem.gradient(result)))
    return Polish(result, risk, norm, iterations, _outcome(problem, result, risk, norm))


def _outcome(problem: Samples | Interval, network: Network, risk: float, norm: float) -> Outcome:
    """Say what kind of point the end is, by its one-sided derivatives."""
    limit = CRITICAL * _gradient_scale(problem, network, risk)
    on_datum = _on_datum(problem.moments, network) if problem.moments.atomic else {}
    if not on_datum:
        return "critical point" if norm <= limit else "stalled"
    # Without the datum on its breakpoint a neuron's derivatives are `off`, with it `on`; that the
    # risk grows to both sides means off <= 0 <= on for the bias, and the weight goes along.
    gradient = problem.gradient(network)
    smooth = np.ones(len(gradient), dtype=np.bool_)
    width = network.width
    for j, (x, mass, mean) in on_datum.items():
        smooth[[j, width + j]] = False
        pull = 2.0 * float(network.outputs[j]) * mass * (float(network([x])[0]) - mean)
        # The gradient decides by the exact sign, and rounding may have put the datum on any side.
        w, b = Fraction(float(network.weights[j, 0])), Fraction(float(network.biases[j]))
        counted = w * Fraction(x) + b > 0
        off = gradient[width + j] - (pull if counted else 0.0)
        if off > limit or off + pull < -limit:
            return "stalled"
    return "corner" if np.linalg.norm(gradient[smooth]) <= limit else "stalled"


def _gradient_scale(problem: Samples | Interval, network: Network, risk: float) -> float:
    """Return what the gradient could be at most: Cauchy and Schwarz on `2 integral e grad N`."""
    curvature = float(np.abs(np.diag(problem.hessian(network))).sum())
    return float(np.sqrt(2.0 * risk * curvature))


def _split(moments: Moments, network: Network) -> _Split:
    low, high = moments.support
    w, b = network.weights[:, 0], network.biases
    leak = network.activation.slope
    knot_of = np.full(network.width, -1)
    share = np.zeros(network.width)
    moving = w != 0.0
    with np.errstate(over="ignore"):
        breakpoints = moments.x_axis.reduce(-b[moving] / w[moving])
    reduced = np.full(network.width, np.nan)
    reduced[moving] = breakpoints
    inside = moving & (reduced > low) & (reduced < high)
    places = np.unique(reduced[inside])
    first = np.append(True, np.diff(places) > SAME * (high - low))[: len(places)]
    knots = places[first]
    knot_of[inside] = np.searchsorted(knots, reduced[inside], side="right") - 1
    for j in np.flatnonzero(moving & ~inside):
        active = (w[j] > 0) == (reduced[j] <= low)
        share[j] = w[j] * moments.x_axis.scale * (1.0 if active else leak)
    return _Split(knots, knot_of, share)


def _tilted(moments: Moments, network: Network) -> Network:
    """Give neurons with w = 0 < b a weight, still active everywhere: they may have to slope.

    The function changes; the descent that follows solves for all outer weights anew.
    """
    w = network.weights[:, 0].copy()
    ends = moments.x_axis.restore(np.array(moments.support))
    reach = float(np.abs(ends).max())
    flat = (w == 0.0) & (network.biases > 0.0)
    if not flat.any() or reach == 0.0:
        return network
    w[flat] = network.biases[flat] / (2.0 * reach)
    return Network(
        w, network.biases, network.outputs, network.offset, network.skip, network.activation
    )


def _through_mergers(problem: Samples | Interval, network: Network) -> tuple[Network, int]:
    """Descend; where breakpoints run into each other or out of the support, let them, go on.

    There the neurons change their kind: two of opposite sign at one place make a slope of their
    own, and so does one that has become active everywhere.
    """
    moments = problem.moments
    best, iterations, risk = network, 0, np.inf
    for start in _off_the_ends(moments, network):
        trial, made = _descend(moments, start, _split(moments, start))
        now = problem.risk(trial)
        if now < risk * (1.0 - SAME):
            best, iterations, risk = trial, made, now
    for _ in range(network.width):
        snapped = _snap(moments, best)
        if snapped is None:
            break
        trial, more = _descend(moments, snapped, _split(moments, snapped))
        now = problem.risk(trial)
        if not now <= risk:
            break
        best, risk, iterations = trial, now, iterations + more
    return best, iterations


def _off_the_ends(moments: Moments, network: Network) -> list[Network]:
    """Return the starts to try: breakpoints on an end of the support, moved out of it and into it.

    There the risk has a corner, and the neuron may be of use on either side of it.
    """
    low, high = moments.support
    w, b = network.weights[:, 0], network.biases
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        reduced = moments.x_axis.reduce(-b / w)
    edges = moments.table.edges
    extent = high - low
    first, last = low + extent * MEETING, high - extent * MEETING
    if moments.atomic:
        first, last = (low + edges[1]) / 2, (edges[-2] + high) / 2
    at_low = (w != 0.0) & (np.abs(reduced - low) <= SAME * extent)
    at_high = (w != 0.0) & (np.abs(reduced - high) <= SAME * extent)
    if not (at_low | at_high).any():
        return [network]
    starts: list[Network] = []
    for left, right in ((low - extent, high + extent), (first, last)):
        places = moments.x_axis.restore(np.where(at_low, left, right))
        moved = np.where(at_low | at_high, -w * places, b)
        starts.append(
            Network(w, moved, network.outputs, network.offset, network.skip, network.activation)
        )
    return starts


def _snap(moments: Moments, network: Network) -> Network | None:
    """Join breakpoints that are about to meet each other or an end; None if there are none."""
    low, high = moments.support
    split = _split(moments, network)
    near = MEETING * (high - low)
    knots = split.knots.copy()
    for i in range(len(knots)):
        if knots[i] - low < near:
            knots[i] = low - near
        elif high - knots[i] < near:
            knots[i] = high + near
        elif i and abs(knots[i] - knots[i - 1]) < near:
            knots[i] = knots[i - 1]
    if np.array_equal(knots, split.knots):
        return None
    places = moments.x_axis.restore(knots)
    b = network.biases.copy()
    w = network.weights[:, 0]
    for j in np.flatnonzero(split.knot_of >= 0):
        b[j] = -w[j] * places[split.knot_of[j]]
    return Network(w, b, network.outputs, network.offset, network.skip, network.activation)


def _descend(moments: Moments, network: Network, split: _Split) -> tuple[Network, int]:
    from reluscape.kernels import gaps, segments, spline

    low, high = moments.support
    leak = network.activation.slope
    k = len(split.knots)
    w = network.weights[:, 0]
    left, right = -1.0 / (1.0 - leak), leak / (1.0 - leak)
    skips = np.zeros(max(k, 1))
    mixed = False
    for i in range(k):
        signs = w[split.knot_of == i] < 0
        mixed = mixed or bool(signs.any() and not signs.all())
        skips[i] = left if signs[0] else right
    free = network.skip is not None or mixed or bool(np.any(split.slope_share != 0.0))
    tau = np.concatenate([[low], split.knots, [high]])
    _, iterations = spline.newton(moments.table, tau, not free, skips, spline.MOST_STEPS)
    if moments.atomic:
        gaps.settle(moments.table, tau, not free, skips, np.inf)
    sheet = segments.new_sheet(k + 2)
    segments.lay(moments.table, tau, sheet)
    spline.assess(tau, sheet, not free, skips)
    return _rebuild(moments, network, split, tau, sheet[:, segments.VALUE]), iterations


def _rebuild(
    moments: Moments, network: Network, split: _Split, tau: Floats, phi: Floats
) -> Network:
    """Give a network the breakpoints and values of a polyline."""
    x_axis, y_axis = moments.x_axis, moments.y_axis
    leak = network.activation.slope
    unit = y_axis.scale / x_axis.scale
    slopes = np.diff(phi) / np.diff(tau) * unit
    turns = np.diff(slopes)
    knots = x_axis.restore(tau[1:-1])
    w = network.weights[:, 0]
    b, v = network.biases.copy(), network.outputs.copy()
    for i in range(len(knots)):
        group = np.flatnonzero(split.knot_of == i)
        b[group] = -w[group] * knots[i]
        v[group] = turns[i] / len(group) / (np.abs(w[group]) * (1.0 - leak))
    inside = split.knot_of >= 0
    leftmost = float(np.sum(np.where(inside & (w < 0), w * v, 0.0)))
    leftmost += leak * float(np.sum(np.where(inside & (w > 0), w * v, 0.0)))
    rest = float(slopes[0]) - leftmost
    share = split.slope_share / x_axis.scale
    u = None
    if network.skip is not None:
        u = rest - float(np.sum(share * v))
    elif np.any(share != 0.0):
        largest = int(np.argmax(np.abs(share)))
        v[largest] = 0.0
        v[largest] = (rest - float(np.sum(share * v))) / share[largest]
    else:
        _share_mixed(split, w, v, leak, rest)
    skip = None if u is None else [u]
    start = float(x_axis.restore(tau[:1])[0])
    level = float(y_axis.restore(phi[:1])[0])
    plain = Network(w, b, v, 0.0, skip, network.activation)
    return Network(w, b, v, level - float(plain([start])[0]), skip, network.activation)


def _share_mixed(split: _Split, w: Floats, v: Floats, leak: float, rest: float) -> None:
    """Let two neurons of opposite sign at one breakpoint make the leftmost slope that is left."""
    for i in range(len(split.knots)):
        group = np.flatnonzero(split.knot_of == i)
        lefts, rights = group[w[group] < 0], group[w[group] > 0]
        if len(lefts) and len(rights):
            # act(x - t) - act(t - x) = (1 + leak)(x - t): opposite weights add slope, no bend.
            slope = rest / (1.0 + leak)
            v[rights[0]] += slope / w[rights[0]]
            v[lefts[0]] += slope / w[lefts[0]]
            return


def _level(moments: Moments, network: Network) -> Network:
    """Set the offset so that a network is right at the only input there is."""
    table = moments.table
    mean = table.high[-1, 0, 3:4] / table.high[-1, 0, 0]
    wanted = float(moments.y_axis.restore(mean)[0])
    x = float(moments.x_axis.restore(table.edges[:1])[0])
    offset = float(network.offset) + wanted - float(network([x])[0])
    return Network(
        network.weights, network.biases, network.outputs, offset, network.skip, network.activation
    )


def _on_datum(moments: Moments, network: Network) -> dict[int, tuple[float, float, float]]:
    """Return the neurons whose breakpoint coincides with an input inside the support.

    For each: the input, the weight of the data there, and their mean target.
    """
    table, w = moments.table, network.weights[:, 0]
    edges = table.edges
    low, high = moments.support
    found: dict[int, tuple[float, float, float]] = {}
    for j in np.flatnonzero((w != 0.0) & (network.outputs != 0.0)):
        reduced = float(moments.x_axis.reduce(-network.biases[j : j + 1] / w[j])[0])
        if not low < reduced < high:
            continue
        at = int(np.clip(np.searchsorted(edges, reduced), 1, len(edges) - 1))
        at -= int(reduced - edges[at - 1] < edges[at] - reduced)
        if abs(edges[at] - reduced) > ON_DATUM * (high - low):
            continue
        rows = (table.high[at + 1, 0] - table.high[at, 0]) + (
            table.low[at + 1, 0] - table.low[at, 0]
        )
        x = float(moments.x_axis.restore(edges[at : at + 1])[0])
        mean = float(moments.y_axis.restore(rows[3:4] / rows[0])[0])
        found[int(j)] = (x, float(rows[0]) * moments.mass, mean)
    return found
