"""Random networks to start a descent from."""

from __future__ import annotations

import numpy as np

from reluscape.errors import InputError
from reluscape.networks.activations import Activation, parse, require_piecewise_linear
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples


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
    problem: Samples | Interval,
    width: int,
    rng: np.random.Generator,
    *,
    skip: bool = False,
    activation: str | Activation = "relu",
) -> Network:
    """Return a network whose breakpoints are spread over the inputs of a 1-D problem.

    Breakpoints are drawn from the distribution of the inputs, orientations are fair coins, and
    outer weights have the size of the target's range over the width. The offset is the target's
    mean. Unlike `standard_normal` this depends on neither the units nor the place of the data.

    Parameters
    ----------
    problem : Samples or Interval
        With one input and scalar targets.
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
    if isinstance(problem, Samples) and not problem.on_a_line:
        raise InputError("breakpoint_spread needs one input; use standard_normal for several.")
    act = parse(activation)
    require_piecewise_linear(act, "breakpoint_spread")
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
