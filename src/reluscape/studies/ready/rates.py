"""How fast runs converge at last, and how fast the curvature at their own limits says (S1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.landscape.geometry import geometry
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.training.ensemble import run_ensemble

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Shares of the risk of the best constant. Below LINEAR only the slowest direction is left; above
# FLOOR nothing is seen of rounding, which leaves about 1e-26; a run that ends below it is there.
LINEAR, FLOOR = 1e-8, 1e-22
# The rate is taken over the last part of the steps in which the risk was in that range.
WINDOW = 0.2
# A power of the number of steps shows when that number doubles.
DOUBLE = 0.5
# A neuron whose outer weight is this small beside its inner ones is on its way to 0 and all but
# there: it is put there, lest rounding decides whether its breakpoint counts.
SNAP = 1e-9
# Risks that are kept while runs go on.
RECORDS = 60
# Newton steps that may follow descent, and eigenvalues of the Hessian, as shares of the largest, in
# whose directions they do not go.
NEWTON, NULL = 4, 1e-8
# A breakpoint closer than this share of the interval to one of its ends has gone there.
ENDS = 1e-6
STATES = ("manifold", "no manifold", "on the way")


@dataclass(frozen=True, eq=False)
class Rates:
    """Rates of runs, one entry a run.

    Attributes
    ----------
    seen : ndarray, shape (runs,)
        Minus the logarithm of the factor by which the risk shrank with each of the last steps; NaN
        where it did not come close enough to 0.
    expected : ndarray, shape (runs,)
        The same from the eigenvalues of the Hessian at the limit; NaN where there is no such rate.
    power : ndarray, shape (runs,)
        p where the risk falls like `steps^-p` at last; NaN where the limit is reached.
    state : ndarray of int, shape (runs,)
        Into STATES: the limit is reached to rounding, and the minima around it form a manifold as
        in S1; it is reached, but they do not; it is not reached.
    """

    seen: Floats
    expected: Floats
    power: Floats
    state: Integers


def local_rates(
    problem: Interval,
    parameters: Floats,
    before: Floats,
    before_at: Sequence[int],
    *,
    step_size: float,
    more: int,
    scale: float,
) -> Rates:
    """Let runs of plain gradient descent go on, and compare their rates with the curvature.

    Parameters
    ----------
    problem : Interval
    parameters : ndarray, shape (runs, 3 width + 1)
        ReLU networks in the order of `Network.to_vector`.
    before : ndarray, shape (runs, records)
        Risks on the way here.
    before_at : sequence of int
        Steps at which they were taken, increasing; the last of them is here.
    step_size : float
    more : int
        Steps to go on.
    scale : float
        Risk of the best constant.

    Returns
    -------
    Rates

    Notes
    -----
    S1: around minima at which the Hessian has the rank of the manifold's codimension, the risk of
    gradient descent shrinks by `(1 - step_size * eigenvalue)^2` with each step, with the smallest
    eigenvalue that is not 0. Other limits are not Morse-Bott: where a breakpoint that is not
    needed arrives at an end of the interval, or at another one, the risk grows with the third power
    of its distance, so that `distance' ~ -distance^2` and the risk falls like `steps^-3`.

    Examples
    --------
    >>> from reluscape import global_minima, piecewise_linear
    >>> tent = Interval(piecewise_linear([0, 0.5, 1], [0.5, 0, 0.5]), 0, 1)
    >>> start = global_minima(tent, 2).network.to_vector()[np.newaxis] + 1e-4
    >>> risk = np.array([[tent.risk(Network.from_vector(start[0]))]])
    >>> rates = local_rates(tent, start, risk, [0], step_size=0.1, more=12_000, scale=1 / 48)
    >>> rates.state.tolist(), bool(abs(rates.seen[0] / rates.expected[0] - 1) < 1e-3)
    ([0], True)
    """
    kept = sorted({round(step) for step in np.linspace(0, more, RECORDS + 1)[1:]})
    done = run_ensemble(
        problem, parameters, step_size=step_size, steps=more, records=kept, threads=None
    )
    at = np.array([*before_at, *(before_at[-1] + step for step in kept)], np.float64)
    risks = np.hstack([before, done.records]) / scale
    runs = len(parameters)
    seen, expected, power = (np.full(runs, np.nan) for _ in range(3))
    state = np.full(runs, STATES.index("on the way"), np.int64)
    for i in range(runs):
        seen[i] = tail_rate(at, risks[i])
        if not done.risks[i] <= FLOOR * scale:
            power[i] = tail_power(at, risks[i])
            continue
        rate = limit_rate(problem, done.parameters[i], step_size)
        if rate is not None:
            state[i] = STATES.index("manifold" if rate < 1.0 else "no manifold")
            expected[i] = -np.log(rate) if rate < 1.0 else np.nan
    return Rates(seen, expected, power, state)


def tail_rate(at: Floats, risks: Floats) -> float:
    """Return minus the logarithm of the factor a step at the end of a run.

    Parameters
    ----------
    at : ndarray, shape (records,)
        Steps, increasing.
    risks : ndarray, shape (records,)
        In units of the risk of the best constant.

    Returns
    -------
    float
        NaN where the records show no decline between LINEAR and FLOOR.

    Examples
    --------
    >>> at = np.arange(0.0, 100.0, 5.0)
    >>> round(tail_rate(at, 1e-6 * 0.5**at) / float(np.log(2)), 9)
    1.0
    """
    inside = np.flatnonzero((risks <= LINEAR) & (risks >= FLOOR))
    if len(inside) < 2:
        return float("nan")
    last = int(inside[-1])
    early = inside[at[inside] <= (1.0 - WINDOW) * at[last]]
    first = int(early[-1]) if len(early) else int(inside[0])
    return float(np.log(risks[first] / risks[last]) / (at[last] - at[first]))


def tail_power(at: Floats, risks: Floats) -> float:
    """Return p where risks fall like `steps^-p` at the end of a run.

    Parameters
    ----------
    at : ndarray, shape (records,)
        Steps, increasing.
    risks : ndarray, shape (records,)
        Positive.

    Returns
    -------
    float

    Examples
    --------
    >>> at = np.arange(10.0, 1000.0, 10.0)
    >>> round(tail_power(at, at**-3.0), 9)
    3.0
    """
    first = int(np.flatnonzero(at >= DOUBLE * at[-1])[0])
    return float(np.log(risks[first] / risks[-1]) / np.log(at[-1] / at[first]))


def limit_rate(problem: Interval, theta: Floats, step_size: float) -> float | None:
    """Return the factor a step that the Hessian at a limit predicts.

    Parameters
    ----------
    problem : Interval
    theta : ndarray, shape (3 width + 1,)
        A ReLU network of risk zero up to rounding.
    step_size : float

    Returns
    -------
    float or None
        1 or more if the minima form no manifold with that rank, or the step is too large. None if
        the risk is not zero to rounding.
    """
    width = len(theta) // 3
    w, b, v = (theta[i * width : (i + 1) * width].copy() for i in range(3))
    v[np.abs(v) <= SNAP * np.hypot(w, b)] = 0.0
    near = ENDS * (problem.b - problem.a) * np.abs(w)
    if (
        (v != 0.0) & ((np.abs(w * problem.a + b) < near) | (np.abs(w * problem.b + b) < near))
    ).any():
        return 1.0
    network = Network(w, b, v, theta[-1])
    for _ in range(NEWTON):
        try:
            return geometry(problem, network).rate(step_size)
        except InputError:
            network = _newton(problem, network)
    return None


def _newton(problem: Interval, network: Network) -> Network:
    """Return the critical point next to a network; descent ends where its steps round away."""
    hessian, gradient = problem.hessian(network), problem.gradient(network)
    step = np.linalg.lstsq(hessian, gradient, rcond=NULL)[0]
    return Network.from_vector(network.to_vector() - step)
