"""Random networks to start a descent from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.activations import Activation, parse, require_piecewise_linear
from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples
from reluscape.problems.units import SeveralInputs, unitless

Floats = NDArray[np.float64]

# Points drawn on a polygon for each one that is kept in proportion to the density.
_POOL = 32
# Directions of a spread below this share of the largest have none.
_NO_SPREAD = 1e-12


def standard_normal(
    width: int,
    rng: np.random.Generator,
    *,
    inputs: int = 1,
    skip: bool = False,
    activation: str | Activation = "relu",
) -> Network:
    """Return a network with independent standard normal parameters (S1).

    Parameters
    ----------
    width : int
    rng : numpy.random.Generator
    inputs : int
    skip : bool
        Whether to have a skip connection.
    activation : str or Activation

    Returns
    -------
    Network
        Its `to_vector` is one draw of `rng.standard_normal`.

    Examples
    --------
    >>> standard_normal(3, np.random.default_rng(0)).width
    3
    """
    size = width * (inputs + 2) + 1 + (inputs if skip else 0)
    theta = rng.standard_normal(size)
    return Network.from_vector(theta, inputs=inputs, skip=skip, activation=activation)


def breakpoint_spread(
    problem: Samples | Interval | Polygon | Gaussian,
    width: int,
    rng: np.random.Generator,
    *,
    skip: bool = False,
    activation: str | Activation = "relu",
) -> Network:
    """Return a network whose breakpoints are spread over the inputs of a problem.

    Breakpoints are drawn from the distribution of the inputs, orientations are fair coins, and
    outer weights have the size of the target's range over the width. The offset is the target's
    mean. Unlike `standard_normal` this depends on neither the units nor the place of the data.

    With several inputs the hyperplanes pass through points drawn from the distribution of the
    inputs, in directions that are uniform once the inputs are uncorrelated and of variance one;
    then each `w.x + b` has variance one.

    Parameters
    ----------
    problem : Samples, Interval, Polygon or Gaussian
        With scalar targets.
    width : int
    rng : numpy.random.Generator
    skip : bool
    activation : str or Activation

    Returns
    -------
    Network

    Examples
    --------
    >>> from reluscape import Interval, affine
    >>> net = breakpoint_spread(Interval(affine(1, 0), 5, 6), 4, np.random.default_rng(0))
    >>> bool(((net.breakpoints() > 5) & (net.breakpoints() < 6)).all())
    True
    """
    act = parse(activation)
    require_piecewise_linear(act, "breakpoint_spread")
    if isinstance(problem, Samples) and problem.y.ndim != 1:
        raise InputError(
            f"breakpoint_spread needs y of shape (n,), not {problem.y.shape}; use standard_normal "
            "for several targets."
        )
    if isinstance(problem, Polygon | Gaussian) or (
        isinstance(problem, Samples) and not problem.on_a_line
    ):
        return _hyperplane_spread(problem, width, rng, skip, act)
    moments = problem.moments
    table, x_axis, y_axis = moments.table, moments.x_axis, moments.y_axis
    low, high = moments.support
    if moments.atomic:
        total = table.high[-1, 0, 0]
        ranks = np.searchsorted(table.high[1:, 0, 0], rng.uniform(0, total, width))
        reduced = table.edges[np.minimum(ranks, len(table.edges) - 1)]
        # A place inside the gap: a breakpoint on a datum would start on a corner of the risk.
        reduced = reduced + rng.uniform(-0.5, 0.5, width) * (high - low) / max(len(table.edges), 2)
        reduced = np.clip(reduced, low, high)
    else:
        reduced = rng.uniform(low, high, width)
    breakpoints = x_axis.restore(reduced)
    extent = max(high - low, np.finfo(np.float64).tiny) * x_axis.scale
    signs = np.where(rng.random(width) < 0.5, -1.0, 1.0)
    weights = signs / extent
    outputs = rng.standard_normal(width) * y_axis.scale / max(width, 1)
    mean = y_axis.restore(table.high[-1, 0, 3:4] / table.high[-1, 0, 0])[0]
    slope = [0.0] if skip else None
    return Network(weights, -weights * breakpoints, outputs, mean, slope, act)


def _hyperplane_spread(
    problem: SeveralInputs, width: int, rng: np.random.Generator, skip: bool, activation: Activation
) -> Network:
    own = unitless(problem)
    inputs = own.inputs
    moments = own.moments / own.mass
    centre = moments[:inputs, inputs]
    variances, axes = np.linalg.eigh(moments[:inputs, :inputs] - np.outer(centre, centre))
    varies = variances > _NO_SPREAD * max(float(variances[-1]), 0.0)
    across = np.where(varies, 1.0 / np.sqrt(np.where(varies, variances, 1.0)), 0.0)
    directions = rng.standard_normal((width, inputs)) * varies
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    weights = (directions / np.where(lengths > 0.0, lengths, 1.0) * across) @ axes.T
    points = (_points(problem, width, rng) - own.units.centre) / own.units.scale
    biases = -(weights * points).sum(axis=1)
    outputs = rng.standard_normal(width) * own.spread / max(width, 1)
    slope = np.zeros(inputs) if skip else None
    network = Network(weights, biases, outputs, own.mean, slope, activation)
    return own.units.restore(network)


def _points(problem: SeveralInputs, count: int, rng: np.random.Generator) -> Floats:
    """Draw points from the distribution of the inputs, shape (count, inputs)."""
    if isinstance(problem, Gaussian):
        return rng.standard_normal((count, problem.inputs))
    if isinstance(problem, Samples):
        shares = problem.weights / problem.weights.sum()
        return problem.x.reshape(problem.size, -1)[rng.choice(problem.size, count, p=shares)]
    corners = problem.vertices
    first, sides = corners[0], corners[1:] - corners[0]
    areas = np.abs(sides[:-1, 0] * sides[1:, 1] - sides[:-1, 1] * sides[1:, 0])
    fan = rng.choice(len(areas), count * _POOL, p=areas / areas.sum())
    places = rng.random((2, count * _POOL, 1))
    places = np.where(places.sum(axis=0) > 1.0, 1.0 - places, places)
    pool = first + places[0] * sides[:-1][fan] + places[1] * sides[1:][fan]
    heights = np.maximum(problem.density(pool), 0.0)
    if not heights.any():
        return pool[:count]
    return pool[rng.choice(len(pool), count, p=heights / heights.sum())]
