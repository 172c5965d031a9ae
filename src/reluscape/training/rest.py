"""When a flow has come to rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]

# A velocity below this share of what it could be is rounding error: this is a critical point.
STILL = 1e-15
# Near a minimum an integrator's own errors, of the size of its tolerance, keep the state moving a
# little for ever. At rest is what will not move by more than this many tolerances.
UNSTEADY = 100.0
# The largest exponent of growth that is computed: beyond, the flow leaves anyway.
MOST_GROWTH = 500.0


def at_rest(
    problem: Samples | Interval,
    network: Network,
    velocity: Floats,
    time_left: float,
    tolerance: float,
) -> bool:
    """Tell whether gradient flow has come to rest at a network.

    Parameters
    ----------
    problem : Samples or Interval
    network : Network
    velocity : ndarray, shape (parameters,)
        Of the flow there.
    time_left : float
    tolerance : float
        Relative error of the integration.

    Returns
    -------
    bool
        Whether the velocity is rounding error, or would, in the time left, move the parameters by
        less than 100 tolerances. To judge that the flow is linearised with the exact Hessian: it
        moves on along directions of negative curvature, so that a start beside a saddle is not at
        rest however slowly it leaves.

    Examples
    --------
    >>> from reluscape import Interval, affine
    >>> problem = Interval(affine(1, 0), 0, 1)
    >>> saddle = Network([1, -1], [-1/3, 2/3], [2/3, -2/3], 1/2)
    >>> at_rest(problem, saddle, -problem.gradient(saddle), 10.0, 1e-11)
    True
    """
    speed = float(np.linalg.norm(velocity))
    table = problem.moments.table
    target = float(table.high[-1, 0, 5]) * table.mass * table.y_scale**2
    hessian = problem.hessian(network)
    # Cauchy and Schwarz on `2 integral e grad N`, with the target in place of a smaller e: the
    # size of the terms that cancel in the gradient, hence of their rounding errors.
    curvature = float(np.abs(np.diag(hessian)).sum())
    most = float(np.sqrt(2.0 * max(target, problem.risk(network)) * curvature))
    if speed <= STILL * most:
        return True
    if speed > UNSTEADY * tolerance * most:
        return False
    values, vectors = np.linalg.eigh(hessian)
    growth = np.minimum(-values * time_left, MOST_GROWTH)
    # The integral of exp(growth * t) over the time left, in units of it.
    share = np.where(growth == 0.0, 1.0, np.expm1(growth) / np.where(growth == 0.0, 1.0, growth))
    way = float(np.linalg.norm(vectors.T @ velocity * (share * time_left)))
    return way <= UNSTEADY * tolerance * float(np.linalg.norm(network.to_vector()))
