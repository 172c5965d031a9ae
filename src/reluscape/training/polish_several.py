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
from reluscape.problems.units import SeveralInputs, unitless
from reluscape.training.active_set import CRITICAL as SETTLED
from reluscape.training.active_set import settle
from reluscape.training.chart import Chart
from reluscape.training.quasi_newton import lbfgs, newton_steps
from reluscape.training.standardised import standardise
from reluscape.training.trust_region import EPS, MANY, newton

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
    size, risk = chart.size(end.theta), chart.value(end.theta)
    norm = float(np.linalg.norm(chart.gradient(end.theta)))
    # Cauchy and Schwarz on `2 E[e grad N]`; the derivatives of N are as long as its parameters.
    most = 2.0 * max(float(np.linalg.norm(end.theta)), 1.0)
    small = norm <= max(CRITICAL * float(np.sqrt(risk)), ROUNDED * size) * most
    outcome: Outcome = "critical point" if small else "stalled"
    return own.units.restore(chart.network(end.theta)), end.iterations, outcome


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
