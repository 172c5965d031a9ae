"""Descents on a GPU that Numba simulates: the cases, and the program that runs them.

Whether Numba simulates is settled when it is imported: `python tests/simulated_gpu.py FILE` runs
all cases in a process of its own and writes what comes out of them.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

import reluscape as rs
from reluscape.training.ensemble import run_ensemble
from reluscape.training.optimisers import Adam, GradientDescent, HeavyBall, Optimiser

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    problem: rs.Interval | rs.Samples
    starts: Array
    step_size: float
    steps: int
    rule: Optimiser = GradientDescent()  # noqa: RUF009 - frozen
    skip: bool = False
    leak: float = 0.0
    at_zero: Literal["gt", "ge"] = "gt"
    records: tuple[int, ...] = ()
    thresholds: tuple[float, ...] = ()
    monitor_every: int = 10
    precision: Literal["float64", "float32"] = "float64"

    @property
    def activation(self) -> rs.Activation:
        return rs.Activation("leaky", self.leak) if self.leak else rs.Activation("relu")

    @property
    def stops(self) -> list[int]:
        return sorted({0, *self.records, self.steps})


@dataclass(frozen=True)
class Result:
    parameters: Array
    risks: Array
    times: NDArray[np.int64]
    steps: NDArray[np.int64]


def four_pieces() -> rs.Interval:
    return rs.Interval(rs.piecewise_linear([0, 0.25, 0.5, 0.75, 1], [0, 1, 0, 1, 0.5]), 0, 1)


def many_pieces() -> rs.Interval:
    x = np.linspace(-2, 3, 25)
    return rs.Interval(rs.piecewise_linear(x, np.cos(3 * x)), -2, 3)


def readings() -> rs.Samples:
    """Data with weights and ties, far from the origin."""
    rng = np.random.default_rng(3)
    x = np.round(5 + 2 * rng.random(40), 1)
    return rs.Samples(x, 3 + np.sin(3 * x), weights=0.5 + rng.random(40))


def starts(runs: int, width: int, seed: int, *, skip: bool = False) -> Array:
    return np.random.default_rng(seed).standard_normal((runs, 3 * width + 1 + skip))


def on_a_datum() -> Array:
    """Breakpoints exactly on data, of both orientations, and flat neurons."""
    row = [1.0, -1.0, 2.0, 0.0, 0.0, -1.0, 1.0, -3.0, 1.0, -1.0, 0.7, -0.3, 0.2, 0.5, 0.4, 0.1]
    return np.array([row])


def cases() -> dict[str, Case]:
    tent, cosine, data = four_pieces(), many_pieces(), readings()
    found = {
        "interval": Case(tent, starts(2, 16, 0), 0.02, 100),
        "pieces": Case(cosine, starts(2, 6, 1, skip=True), 0.01, 40, skip=True, leak=0.1),
        "data": Case(data, starts(2, 5, 2, skip=True), 1e-4, 40, skip=True, leak=0.2),
        "datum gt": Case(rs.Samples([0, 1, 1.5, 2, 3], [0, 1, 0, 2, 1]), on_a_datum(), 0.01, 12),
        "datum ge": Case(
            rs.Samples([0, 1, 1.5, 2, 3], [0, 1, 0, 2, 1]), on_a_datum(), 0.01, 12, at_zero="ge"
        ),
        "heavy ball": Case(tent, starts(2, 4, 4, skip=True), 0.01, 40, HeavyBall(0.8), skip=True),
        "adam": Case(data, starts(2, 4, 5), 0.05, 40, Adam(0.8, 0.95, 1e-6)),
        "no neurons": Case(cosine, starts(2, 0, 6, skip=True), 0.02, 20, skip=True),
        "no steps": Case(tent, starts(2, 3, 6), 0.02, 0, thresholds=(100.0, 0.0)),
        "diverging": Case(
            tent,
            starts(3, 4, 7) * [[1.0], [30.0], [1000.0]],
            0.02,
            30,
            leak=0.3,  # else they die of too large a step
            records=(0, 1, 2, 15),
            thresholds=(1e5, 1.0),
            monitor_every=1,
        ),
        "watched": Case(
            tent,
            starts(3, 5, 8),
            0.05,
            65,
            records=(0, 7, 30),
            thresholds=(0.5, 0.3, 0.2, 0.15, 0.1, 0.03),
        ),
    }
    found["watched less"] = replace(found["watched"], records=(), thresholds=())
    found["alone"] = replace(found["interval"], starts=found["interval"].starts[1:2])
    for name in ("interval", "pieces", "data", "heavy ball", "adam", "watched"):
        found[f"{name} single"] = replace(found[name], precision="float32")
    return found


def run(case: Case) -> Result:
    found = run_ensemble(
        case.problem,
        case.starts,
        step_size=case.step_size,
        steps=case.steps,
        optimiser=case.rule,
        skip=case.skip,
        activation=case.activation,
        at_zero=case.at_zero,
        records=case.stops,
        thresholds=case.thresholds,
        monitor_every=case.monitor_every,
        device="cuda",
        precision=case.precision,
    )
    risks = np.column_stack([found.records[:, :-1], found.risks])
    return Result(found.parameters, risks, found.times, found.steps)


def load(path: Path) -> dict[str, Result]:
    with np.load(path) as stored:
        return {
            name: Result(*(stored[f"{name}/{part}"] for part in Result.__dataclass_fields__))
            for name in cases()
        }


if __name__ == "__main__":
    if os.environ.get("NUMBA_ENABLE_CUDASIM") != "1":
        sys.exit("set NUMBA_ENABLE_CUDASIM=1")
    arrays: dict[str, NDArray[np.generic]] = {}
    for key, one in cases().items():
        for part, value in vars(run(one)).items():
            arrays[f"{key}/{part}"] = value
    np.savez(sys.argv[1], **arrays)
