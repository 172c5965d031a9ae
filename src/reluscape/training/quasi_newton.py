"""Fitting networks with several inputs or targets: L-BFGS from many starts, then Newton on kinks.

Nothing here bounds the risk from below: the result is a critical point, the best of those found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from reluscape.errors import InputError
from reluscape.networks.activations import Activation, parse, require_piecewise_linear
from reluscape.networks.network import Network
from reluscape.problems import dense
from reluscape.training.active_set import CRITICAL, Settled, settle
from reluscape.training.proposals import best_affine, propose
from reluscape.training.standardised import Parts, Standardised, standardise

if TYPE_CHECKING:
    from reluscape.networks.arrays import Floats

Progress: TypeAlias = Callable[[str, float], None]

_SHORT = 200
"""Iterations of L-BFGS from each start."""
_FINALISTS = 4
"""Best starts that are taken all the way."""
_ROWS_PER_PARAMETER = 20
"""With many more rows than that, starts see a sample."""
_BUDGET = 1e11
"""Multiplications that Newton steps may take altogether: some seconds."""
_EXACT = 1e-24
"""Risk, in units of the spread of y, that rounding makes of an exact fit."""


@dataclass(frozen=True)
class QuasiNewton:
    """What `minimise` found.

    Parameters
    ----------
    network : Network
        The best one.
    risk : float
        Its `sum_i weights_i |N(x_i) - y_i|²`.
    gradient_norm : float
        Norm of its smallest generalized gradient, for inputs and targets of mean 0 and spread 1 and
        balanced neurons. Where hyperplanes pass through rows, as they do at most minima on data,
        the derivative there may be any between those of the two sides.
    critical : bool
        Whether that norm is below 1e-9.
    ties : int
        Pairs of a hyperplane and a row on it; equal rows of x count once.
    starts : int
        How many were tried; fewer than asked for when one fits exactly.
    risks : ndarray of shape (starts,)
        Where each one ended; the best few, and only they, are taken to a critical point.
    """

    network: Network
    risk: float
    gradient_norm: float
    critical: bool
    ties: int
    starts: int
    risks: Floats


def minimise(
    x: Floats,
    y: Floats,
    weights: Floats,
    width: int,
    *,
    skip: bool = True,
    activation: str | Activation = "relu",
    starts: int = 24,
    seed: int = 0,
    max_iterations: int = 500,
    progress: Progress | None = None,
) -> QuasiNewton:
    """Fit a network to data by L-BFGS from many starts, and take the best to a critical point.

    Parameters
    ----------
    x : ndarray of shape (n, inputs), or (n,) for one input
        Finite.
    y : ndarray of shape (n, targets), or (n,) for a scalar network
        Finite.
    weights : ndarray of shape (n,)
        Not negative, not all 0.
    width : int
        Number of neurons.
    skip : bool, default True
        Whether the network has a skip connection.
    activation : str or Activation, default "relu"
    starts : int, default 24
    seed : int, default 0
        The same seed gives the same network.
    max_iterations : int, default 500
        Of L-BFGS on all rows, and of Newton's method, for each of the best starts.
    progress : None or callable, default None
        Called with a message and the fraction done.

    Returns
    -------
    QuasiNewton

    Raises
    ------
    InputError
        If shapes do not fit together, or width, starts or max_iterations are not sensible.

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    >>> y = np.maximum(x[:, 0] - x[:, 1], 0.0)
    >>> found = minimise(x, y, np.full(5, 0.2), 1, starts=4)
    >>> found.risk < 1e-20, found.critical
    (True, True)
    """
    activation = parse(activation)
    require_piecewise_linear(activation, "this descent")
    _check(x, y, weights, width, starts, max_iterations)
    report = progress if progress is not None else _silent
    rows = x[:, np.newaxis] if x.ndim == 1 else x
    values = y[:, np.newaxis] if y.ndim == 1 else y
    data = standardise(rows, values, weights, width, skip, activation)

    def found(best: Settled, risks: list[float]) -> QuasiNewton:
        network = data.network(best.parts, scalar=y.ndim == 1)
        unit = data.y_scale * data.y_scale * data.total
        return QuasiNewton(
            network,
            dense.risk(network, rows, values, weights),
            best.gradient_norm,
            best.gradient_norm <= CRITICAL,
            best.ties,
            len(risks),
            np.array(risks) * unit + data.pure,
        )

    affine = settle(data, best_affine(data), 0)
    if width == 0 or affine.risk <= _EXACT or not data.x_scale.any():
        return found(affine, [affine.risk])
    rng = np.random.default_rng(seed)
    sample = _sample(data, rng)
    begun: list[tuple[float, Parts]] = []
    for start in range(starts):
        report(f"start {start + 1} of {starts}", 0.7 * start / starts)
        begun.append(lbfgs(sample, propose(sample, start, rng), _SHORT))
        if begun[-1][0] <= _EXACT:
            break
    if sample is not data:
        begun = [(data.risk_and_gradient(parts.pack())[0], parts) for _, parts in begun]
    risks = [risk for risk, _ in begun]
    finalists = sorted(range(len(begun)), key=risks.__getitem__)
    finalists = finalists[: _FINALISTS if sample is data else _FINALISTS // 2]
    for place, start in enumerate(finalists):
        report(f"finalist {place + 1} of {len(finalists)}", 0.7 + 0.1 * place / len(finalists))
        begun[start] = lbfgs(data, begun[start][1], max_iterations, 1e-12)
    results: list[Settled] = []
    steps = newton_steps(data)
    for place, start in enumerate(sorted(finalists, key=lambda start: begun[start][0])):
        report(f"finalist {place + 1} of {len(finalists)}", 0.8 + 0.2 * place / len(finalists))
        results.append(settle(data, begun[start][1], min(steps, max_iterations)))
        steps -= results[-1].iterations
        risks[start] = results[-1].risk
    report("done", 1.0)
    return found(min(results, key=lambda result: result.risk), risks)


def lbfgs(
    data: Standardised, parts: Parts, iterations: int, tolerance: float = 1e-9
) -> tuple[float, Parts]:
    """Go down by L-BFGS; return the risk at the end, in units of the spread of y, and the end."""
    from scipy.optimize import minimize

    result = minimize(
        data.risk_and_gradient,
        parts.pack(),
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": iterations,
            "maxfun": 4 * iterations,
            "maxcor": 20,
            "ftol": tolerance,
            "gtol": 1e-10,
        },
    )
    return float(result.fun), data.unpack(np.asarray(result.x, dtype=np.float64))


def newton_steps(data: Standardised) -> int:
    """Return how many Newton steps the budget allows, which depends on nothing but sizes."""
    size = data.width * (data.columns - 1 + data.targets) + len(data.affine) * data.targets
    return int(_BUDGET / (float(data.rows) * data.targets * size**2 + float(size) ** 3))


def _sample(data: Standardised, rng: np.random.Generator) -> Standardised:
    """Return enough rows to tell good starts from bad ones."""
    rows = max(2000, _ROWS_PER_PARAMETER * data.width * (data.columns + data.targets))
    if data.rows <= 2 * rows:
        return data
    kept = np.sort(rng.choice(data.rows, rows, replace=False))
    weights = data.weights[kept]
    return replace(data, x=data.x[:, kept], y=data.y[:, kept], weights=weights / weights.sum())


def _silent(message: str, fraction: float) -> None:
    del message, fraction


def _check(
    x: Floats, y: Floats, weights: Floats, width: int, starts: int, max_iterations: int
) -> None:
    if x.ndim not in (1, 2) or y.ndim not in (1, 2) or weights.ndim != 1:
        raise InputError(
            f"x, y and weights have shapes {x.shape}, {y.shape} and {weights.shape}; give "
            "(n, inputs), (n, targets) and (n,)."
        )
    if not 0 < x.shape[0] == y.shape[0] == weights.shape[0]:
        raise InputError(
            f"x, y and weights have {x.shape[0]}, {y.shape[0]} and {weights.shape[0]} rows; give "
            "one of each for every sample."
        )
    if width < 0:
        raise InputError(f"width is {width}; give a number of neurons, 0 or more.")
    if starts < 1 or max_iterations < 1:
        raise InputError(
            f"starts is {starts} and max_iterations {max_iterations}; both must be at least 1."
        )
