"""Polishing networks with several inputs: by Newton's method, or on data from kink to kink."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples
from reluscape.problems.units import SeveralInputs, Unitless, unitless
from reluscape.training.active_set import CRITICAL as SETTLED
from reluscape.training.active_set import settle
from reluscape.training.chart import Chart
from reluscape.training.quasi_newton import lbfgs, newton_steps
from reluscape.training.standardised import standardise
from reluscape.training.trust_region import EPS, MANY, Rest, newton

if TYPE_CHECKING:
    from reluscape.networks.arrays import Floats

Outcome = Literal["critical point", "corner", "stalled"]

# Hessians, or on data Newton steps: far more than a polish takes that ends at a critical point.
MOST = 500
# Iterations of L-BFGS before Newton's method where there are so many parameters that its own first
# steps, far from any minimum, cost more.
FAR = 300
# The same on data, where it crosses kinks that Newton's method has to stop at one by one.
ACROSS = 500
# Steps from a gradient that counts as zero on data, to one that is rounding.
CLOSER = 3
# A line that rises above, or sinks below, zero on a polygon by less than this share of its largest
# value there is tried outside; where that raises the risk by no more than this share, it stays.
MEETING, SAME = 1e-4, 1e-12
# A gradient below this share of its largest possible size is that of a critical point, and one of
# that many units in the last place is rounding.
CRITICAL, ROUNDED = 1e-7, 64.0 * EPS


def polish_several(
    problem: SeveralInputs, network: Network, start: float
) -> tuple[Network, float, float, int, Outcome]:
    """Move a network down to a critical point of a problem with several inputs.

    Parameters
    ----------
    problem : Polygon, Gaussian or Samples
    network : Network
        Piecewise linear.
    start : float
        Its risk.

    Returns
    -------
    network : Network
    risk, gradient_norm : float
    iterations : int
    outcome : {"critical point", "corner", "stalled"}
        See `Polish`.
    """
    if isinstance(problem, Samples):
        result, iterations, outcome = _on_rows(problem, network)
    else:
        result, iterations, outcome = _smooth(problem, network)
    risk = problem.risk(result)
    if not risk <= start:
        # By rounding, from a start that was critical before.
        result, risk = network, start
    norm = float(np.linalg.norm(problem.gradient(result)))
    return result, risk, norm, iterations, outcome


def _smooth(problem: Polygon | Gaussian, network: Network) -> tuple[Network, int, Outcome]:
    own = unitless(problem)
    start = own.units.reduce(network)
    chart = Chart(own, start)
    theta = chart.vector(start)
    many = len(theta) > MANY
    with _threads(many):
        if many:
            theta = _quasi_newton(chart, theta)
        end = newton(chart, theta, MOST)
        for _ in range(network.width):
            if isinstance(problem, Gaussian) or end.iterations >= MOST:
                break
            # What was gained from the slivers that such lines cut off is beyond all derivatives.
            snapped = _snapped(problem, own, chart.network(end.theta))
            if snapped is None:
                break
            trial = newton(chart, chart.vector(snapped), MOST)
            if not chart.value(trial.theta) <= chart.value(end.theta) * (1.0 + SAME):
                break
            end = Rest(trial.theta, end.iterations + trial.iterations)
    size, risk = chart.size(end.theta), chart.value(end.theta)
    norm = float(np.linalg.norm(chart.gradient(end.theta)))
    # Cauchy and Schwarz on `2 E[e grad N]`; the derivatives of N are as long as its parameters.
    most = 2.0 * max(float(np.linalg.norm(end.theta)), 1.0)
    small = norm <= max(CRITICAL * float(np.sqrt(risk)), ROUNDED * size) * most
    outcome: Outcome = "critical point" if small else "stalled"
    return own.units.restore(chart.network(end.theta)), end.iterations, outcome


def _snapped(problem: Polygon, own: Unitless, network: Network) -> Network | None:
    """Move lines that cut next to nothing off a polygon out of it; None if there are none.

    The function changes next to nothing.
    """
    corners = (problem.vertices - own.units.centre) / own.units.scale
    w, b, v = network.weights, network.biases.copy(), network.outputs
    heights = w @ corners.T + b[:, np.newaxis]
    highest, lowest = heights.max(axis=1), heights.min(axis=1)
    near = MEETING * np.maximum(highest, -lowest)
    # Those on a corner or an edge are moved as well, beyond which nothing changes any more.
    off, on = np.abs(highest) < near, np.abs(lowest) < near
    if not (off | on).any():
        return None
    b[off] -= highest[off] + near[off]
    b[on] += near[on] - lowest[on]
    offset = network.offset - float(v[on] @ (near[on] - lowest[on]))
    return Network(w, b, v, offset, network.skip, network.activation)


def _quasi_newton(chart: Chart, theta: Floats) -> Floats:
    from scipy.optimize import minimize

    def both(at: Floats) -> tuple[float, Floats]:
        return chart.value(at), chart.gradient(at)

    start = chart.balanced(theta)
    found = minimize(both, start, jac=True, method="L-BFGS-B", options={"maxiter": FAR})
    return np.asarray(found.x, dtype=np.float64)


def _on_rows(problem: Samples, network: Network) -> tuple[Network, int, Outcome]:
    rows = problem.x.reshape(problem.size, -1), problem.y.reshape(problem.size, -1)
    skip = network.skip is not None
    data = standardise(*rows, problem.weights, network.width, skip, network.activation)
    if data.y_scale == 0.0:
        # A constant target: the unit of its own spread would be none.
        data = replace(data, y_scale=1.0)
    parts = data.parts(network)
    with _threads(data.rows * data.columns * max(data.width, 1) > LARGE):
        # From a point that is critical already no search may leave.
        end = settle(data, parts, 0)
        if end.gradient_norm > SETTLED:
            _, parts = lbfgs(data, parts.balanced(), ACROSS, 1e-12)
            end = settle(data, parts, min(MOST, newton_steps(data)))
        if 0.0 < end.gradient_norm <= SETTLED:
            closer = settle(data, end.parts, CLOSER, 0.0)
            if closer.gradient_norm < end.gradient_norm and closer.risk <= end.risk:
                end = closer
    outcome: Outcome = "stalled"
    if end.gradient_norm <= SETTLED:
        outcome = "corner" if end.ties else "critical point"
    return data.network(end.parts, network.scalar), end.iterations, outcome


# Numbers in a pass over the data from which matrix products gain from several threads.
LARGE = 3_000_000


def _threads(many: bool) -> AbstractContextManager[object]:
    """Keep BLAS to one thread on small matrices, where more cost several times what they save."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(None if many else 1)
