"""Many descents from given starts: the one face of the kernels that move many networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.activations import Activation
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples
from reluscape.training.optimisers import Optimiser

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
        Runs stopped before a step that would have left the range of floating point.
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
) -> EnsembleRun:
    """Run plain gradient descent, slowly: to be replaced."""
    del optimiser, keys, threads, device, precision
    runs = len(parameters)
    end = parameters.copy()
    first, last = np.empty(runs), np.empty(runs)
    kept = np.full((runs, len(records)), np.nan)
    times = np.full((runs, len(thresholds)), -1, np.int64)
    made = np.full(runs, steps, np.int64)
    for r in range(runs):
        for step in range(steps + 1):
            net = Network.from_vector(end[r], 1, skip, activation)
            if step in (0, steps) or step in records or step % monitor_every == 0:
                risk = problem.risk(net)
                if step == 0:
                    first[r] = risk
                for i, at in enumerate(records):
                    if at == step:
                        kept[r, i] = risk
                if step % monitor_every == 0:
                    for i, bar in enumerate(thresholds):
                        if times[r, i] < 0 and risk <= bar:
                            times[r, i] = step
                last[r] = risk
            if step < steps:
                end[r] -= step_size * problem.gradient(net, at_zero)
    return EnsembleRun(end, last, first, kept, times, made, made < steps)
