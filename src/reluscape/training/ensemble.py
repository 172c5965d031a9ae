"""Many descents from given starts: the one face of the kernels that move many networks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.activations import Activation, parse, require_piecewise_linear
from reluscape.networks.arrays import as_floats, check_finite, is_whole
from reluscape.problems.interval import Interval
from reluscape.problems.line import zero_is_active
from reluscape.problems.samples import Samples
from reluscape.training.descent import check_run
from reluscape.training.devices import require
from reluscape.training.optimisers import (
    Adam,
    GradientDescent,
    HeavyBall,
    Optimiser,
    StochasticGradientDescent,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EnsembleRun:
    """The result of `run_ensemble`, one row a run.

    Attributes
    ----------
    parameters : ndarray, shape (runs, parameters)
        At the end, in the order of `Network.to_vector`.
    risks, initial_risks : ndarray, shape (runs,)
        Exact.
    records : ndarray, shape (runs, records)
        Exact risks at the chosen steps; NaN after a run has diverged.
    times : ndarray of int, shape (runs, thresholds)
        First monitored step with a risk at or below each threshold; -1 if there is none.
    steps : ndarray of int, shape (runs,)
        Steps made.
    diverged : ndarray of bool, shape (runs,)
        Runs stopped before a step to parameters whose sizes add up to 1e60 or more.
    """

    parameters: Floats
    risks: Floats
    initial_risks: Floats
    records: Floats
    times: Integers
    steps: Integers
    diverged: NDArray[np.bool_]


def run_ensemble(
    problem: Interval | Samples,
    parameters: Floats,
    *,
    step_size: float,
    steps: int,
    optimiser: Optimiser | None = None,
    skip: bool = False,
    activation: str | Activation = "relu",
    at_zero: Literal["gt", "ge"] = "gt",
    records: Sequence[int] = (),
    thresholds: Sequence[float] = (),
    monitor_every: int = 100,
    keys: NDArray[np.uint64] | None = None,
    threads: int | None = 1,
    device: Literal["cpu", "cuda"] = "cpu",
    precision: Literal["float64", "float32"] = "float64",
    progress: Callable[[str, float], None] | None = None,
) -> EnsembleRun:
    """Run a descent from each of many networks with one input and scalar targets.

    Eight networks share the vector registers of a processor. What becomes of a network depends on
    its own row alone, to the last bit, whatever the other rows and the number of threads are.

    Parameters
    ----------
    problem : Interval or Samples
    parameters : ndarray, shape (runs, parameters)
        The starts, in the order of `Network.to_vector`.
    step_size : float
    steps : int
    optimiser : GradientDescent, StochasticGradientDescent, HeavyBall or Adam, optional
        Default: plain gradient descent.
    skip : bool
    activation : str or Activation
        Piecewise linear.
    at_zero : {"gt", "ge"}
        Derivative of ReLU at zero, 0 or 1.
    records : sequence of int
        Steps before which the exact risk is kept, from 0 to `steps`.
    thresholds : sequence of float
        Risks whose first passage is noted.
    monitor_every : int
        Steps between two looks at the risk for the thresholds; the last step is looked at too. Of
        batches this is an exact risk; otherwise it is a by-product of the step, right to about
        1e-15 of the mean square of the target.
    keys : ndarray of uint64, shape (runs,), optional
        Seeds of the batches; default 0, 1, 2, ...
    threads : int, optional
        None: all processors.
    device : {"cpu", "cuda"}
        On CUDA a thread of the GPU takes a network, so that it takes some 100,000 runs to make it
        busy; batches are not drawn there. `threads` then take the exact risks.
    precision : {"float64", "float32"}
        Single precision on CUDA only: steps are rounded to it, the risks are exact for the networks
        that they lead to, and a run has diverged beyond 1e9.
    progress : callable (message, fraction), optional

    Returns
    -------
    EnsembleRun

    Raises
    ------
    InputError
        If a number is out of range, the problem has several inputs or targets, the activation is
        not piecewise linear, batches are asked for without data or on CUDA, or there is no such
        device.

    Examples
    --------
    >>> from reluscape import Interval, affine
    >>> starts = np.random.default_rng(0).standard_normal((16, 13))
    >>> run = run_ensemble(Interval(affine(1, 0), 0, 1), starts, step_size=0.05, steps=5000)
    >>> bool(run.risks.min() < 1e-6)
    True
    """
    _check_kinds(problem, optimiser)
    act = parse(activation)
    require_piecewise_linear(act, "run_ensemble")
    check_run(step_size, steps)
    active = zero_is_active(at_zero)
    rule = GradientDescent() if optimiser is None else optimiser
    theta = _starts(problem, parameters, skip)
    stops = _stops(records, steps)
    bars = _bars(thresholds)
    if not is_whole(monitor_every) or monitor_every < 1:
        raise InputError(f"monitor_every is {monitor_every!r}; give a whole number >= 1.")
    if threads is not None and (not is_whole(threads) or threads < 1):
        raise InputError(f"threads is {threads!r}; give a whole number >= 1, or None.")
    if isinstance(rule, StochasticGradientDescent) and not isinstance(problem, Samples):
        raise InputError("batches are drawn from data; use Samples, or another optimiser.")
    runs = len(theta)
    seeds = _seeds(keys, runs)
    require(device, precision)
    number, constants, batch = _constants(rule, step_size)
    if device == "cuda":
        if batch:
            raise InputError('batches run on processors only; use device="cpu".')
        done = _Done(theta, np.full((runs, len(stops)), np.nan), len(bars))
        from reluscape.kernels.cuda_runs import descend_on_gpu

        descend_on_gpu(
            done.theta,
            skip,
            act.slope,
            active,
            problem.moments.table,
            number,
            constants,
            stops,
            monitor_every,
            bars,
            done.risks,
            done.times,
            done.made,
            precision,
            threads,
            progress,
        )
        return done.result(runs, records, stops, skip=skip)
    from reluscape.kernels import lanes
    from reluscape.kernels.rules import MEMORIES
    from reluscape.kernels.runs import run_block

    size = -(-runs // lanes.LANES) * lanes.LANES
    # Blocks are filled up with copies of the last run.
    rows = np.minimum(np.arange(size), max(runs - 1, 0))
    done = _Done(theta[rows], np.full((size, len(stops)), np.nan), len(bars))
    seeds = seeds[rows]
    table = problem.moments.table
    packed, few = problem.moments.packed
    x, y, shares, mass = _rows(problem, batch > 0)

    def run(first: int) -> None:
        part = slice(first, first + lanes.LANES)
        run_block(
            done.theta[part],
            skip,
            act.slope,
            active,
            table,
            packed,
            few,
            number,
            MEMORIES[number],
            constants,
            x,
            y,
            shares,
            mass,
            int(batch),
            seeds[part],
            stops,
            int(monitor_every),
            bars,
            done.risks[part],
            done.times[part],
            done.made[part],
        )

    blocks = range(0, size, lanes.LANES)
    many = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(many) if many > 1 else nullcontext() as pool:
        for finished, _ in enumerate((map if pool is None else pool.map)(run, blocks)):
            if progress is not None:
                progress("descents", (finished + 1) / len(blocks))
    return done.result(runs, records, stops, skip=skip)


class _Done:
    """What the kernels write: rows of parameters, risks at stops, times, and steps made."""

    def __init__(self, theta: Floats, risks: Floats, thresholds: int) -> None:
        self.theta, self.risks = theta, risks
        self.times = np.full((len(theta), thresholds), -1, np.int64)
        self.made = np.zeros(len(theta), np.int64)

    def result(
        self, runs: int, records: Sequence[int], stops: Integers, *, skip: bool
    ) -> EnsembleRun:
        """Return the first rows as a user sees them."""
        kept = np.searchsorted(stops, np.asarray(records, dtype=np.int64))
        theta, risks, made = self.theta[:runs], self.risks[:runs], self.made[:runs]
        ended = made[:, None] < stops[kept]
        return EnsembleRun(
            theta if skip else theta[:, :-1],
            risks[:, -1].copy(),
            risks[:, 0].copy(),
            np.where(ended, np.nan, risks[:, kept]),
            self.times[:runs],
            made,
            made < stops[-1],
        )


def _check_kinds(problem: object, optimiser: object) -> None:
    if not isinstance(problem, Interval | Samples):
        raise InputError(f"an ensemble runs on an Interval or Samples, not on {problem!r}.")
    if not isinstance(optimiser, Optimiser | None):
        raise InputError(
            f"optimiser is {optimiser!r}; give GradientDescent(), HeavyBall(), Adam() or "
            "StochasticGradientDescent(batch)."
        )


def _starts(problem: Interval | Samples, parameters: Floats, skip: bool) -> Floats:
    """Return (w, b, v, c, u) of the starts, a copy; u is 0 without a skip connection."""
    if isinstance(problem, Samples) and not (problem.on_a_line and problem.y.ndim == 1):
        raise InputError("an ensemble needs one input and scalar targets; use descend for others.")
    given = as_floats("parameters", parameters)
    check_finite("parameters", given)
    if given.ndim != 2 or (given.shape[1] - 1 - skip) % 3 or given.shape[1] <= skip:
        raise InputError(
            f"parameters have shape {given.shape}; give (runs, 3 width + {1 + skip}), each row as "
            "Network.to_vector has it."
        )
    if skip:
        return given.copy()
    return np.hstack([given, np.zeros((len(given), 1))])


def _bars(thresholds: Sequence[float]) -> Floats:
    """Return the thresholds as an array of their own."""
    bars = as_floats("thresholds", thresholds).copy()
    if bars.ndim != 1 or np.isnan(bars).any():
        raise InputError(f"thresholds are {thresholds!r}; give a sequence of numbers.")
    return bars


def _seeds(keys: NDArray[np.uint64] | None, runs: int) -> NDArray[np.uint64]:
    """Return the seeds of the batches, one for each run."""
    if keys is None:
        return np.arange(runs, dtype=np.uint64)
    given = np.asarray(keys)
    if given.dtype.kind not in "ui" or (given.dtype.kind == "i" and (given < 0).any()):
        raise InputError("keys must be whole numbers from 0 to 2^64 - 1.")
    if given.shape != (runs,):
        raise InputError(f"keys have shape {given.shape}; give one for each run, ({runs},).")
    return given.astype(np.uint64)


def _stops(records: Sequence[int], steps: int) -> Integers:
    """Return where runs stop to have their exact risk taken."""
    wanted = list(records)
    if any(not is_whole(step) or not 0 <= step <= steps for step in wanted):
        raise InputError(f"records are {records!r}; give whole numbers from 0 to steps, {steps}.")
    return np.array(sorted({0, *(int(step) for step in wanted), int(steps)}), np.int64)


def _constants(rule: Optimiser, step_size: float) -> tuple[int, Floats, int]:
    """Return the number of a rule, what the kernel needs to know for it, and its batch size."""
    from reluscape.kernels.rules import ADAM, BATCHES, HEAVY_BALL, PLAIN

    match rule:
        case GradientDescent():
            return PLAIN, np.array([step_size]), 0
        case HeavyBall(momentum):
            return HEAVY_BALL, np.array([step_size, momentum]), 0
        case Adam(beta1, beta2, epsilon):
            return ADAM, np.array([step_size, beta1, beta2, epsilon]), 0
        case StochasticGradientDescent(batch):
            return BATCHES, np.array([step_size]), batch


def _rows(problem: Interval | Samples, wanted: bool) -> tuple[Floats, Floats, Floats, float]:
    """Return the data that batches are drawn from, cumulative shares if weighted, and the mass."""
    nothing = np.empty(0)
    if not wanted or isinstance(problem, Interval):
        return nothing, nothing, nothing, 0.0
    # Copies: the kernel is compiled for arrays of one kind, and a user's may be read-only.
    x, y, weights = problem.x.reshape(-1).copy(), problem.y.copy(), problem.weights
    mass = float(weights.sum())
    if not problem.weighted:
        return x, y, nothing, mass
    drawn = weights > 0.0
    shares = np.cumsum(weights[drawn]) / mass
    shares[-1] = 1.0
    return x[drawn], y[drawn], shares, mass
