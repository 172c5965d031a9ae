"""Devices, and descents on a GPU that Numba simulates against plain loops over exact gradients."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import reluscape as rs
import simulated_gpu
from reluscape.errors import InputError
from reluscape.kernels.descent import descend
from reluscape.training import devices
from reluscape.training.ensemble import run_ensemble
from reluscape.training.optimisers import Adam, HeavyBall, StochasticGradientDescent
from simulated_gpu import Array, Case, Result

ROOT = Path(__file__).resolve().parents[2]
CASES = simulated_gpu.cases()
# A step rounds at the size of the parameters, a few units; a hundred steps are taken at most, and
# the momentum of these starts lets no error grow by more than a factor of ten.
DOUBLE = 2e-13
# 100 steps that each move a parameter of up to 3 by half a unit of single precision, 1.8e-7.
SINGLE = 2e-5
# Relative error of a risk: twice that of the values of the network.
SINGLE_RISK = 1e-4


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    path = tmp_path_factory.mktemp("gpu") / "results.npz"
    places = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": places}
    subprocess.run(
        [sys.executable, "-W", "error", simulated_gpu.__file__, str(path)],
        check=True,
        env=environment,
    )
    return simulated_gpu.load(path)


def textbook(case: Case, start: Array) -> list[Array]:
    """Return the parameters before each step, from exact gradients and the rules as printed."""
    path, theta = [start], start
    velocity, mean, square = np.zeros_like(start), np.zeros_like(start), np.zeros_like(start)
    for step in range(1, case.steps + 1):
        net = rs.Network.from_vector(theta, 1, case.skip, case.activation)
        gradient = case.problem.gradient(net, case.at_zero)
        match case.rule:
            case HeavyBall(momentum):
                velocity = momentum * velocity - case.step_size * gradient
                theta = theta + velocity
            case Adam(beta1, beta2, epsilon):
                mean = beta1 * mean + (1 - beta1) * gradient
                square = beta2 * square + (1 - beta2) * gradient**2
                unbiased = np.sqrt(square / (1 - beta2**step))
                theta = theta - case.step_size * mean / (1 - beta1**step) / (unbiased + epsilon)
            case _:
                theta = theta - case.step_size * gradient
        path.append(theta)
    return path


def exact_risk(case: Case, theta: Array) -> float:
    return case.problem.risk(rs.Network.from_vector(theta, 1, case.skip, case.activation))


PATHS = [
    "interval",
    "pieces",
    "data",
    "datum gt",
    "datum ge",
    "heavy ball",
    "adam",
    "no neurons",
    "no steps",
    "watched",
]


@pytest.mark.parametrize("name", PATHS)
def test_steps_are_those_of_the_textbook(name: str, found: dict[str, Result]) -> None:
    case, result = CASES[name], found[name]
    expected = np.array([textbook(case, start)[-1] for start in case.starts])
    np.testing.assert_allclose(result.parameters, expected, rtol=0, atol=DOUBLE)
    assert (result.steps == case.steps).all()


@pytest.mark.parametrize("name", ["interval", "pieces", "data", "heavy ball", "adam", "watched"])
def test_single_precision_agrees_to_its_rounding(name: str, found: dict[str, Result]) -> None:
    single, double = found[f"{name} single"], found[name]
    assert not np.array_equal(single.parameters, double.parameters)
    np.testing.assert_allclose(single.parameters, double.parameters, rtol=0, atol=SINGLE)
    np.testing.assert_allclose(single.risks, double.risks, rtol=SINGLE_RISK)


def on_processors(case: Case) -> tuple[Array, Array]:
    """Return what `kernels.descent` makes of the starts, and the steps that it makes."""
    width = (case.starts.shape[1] - 1) // 3
    ends, made = case.starts.copy(), np.empty(len(case.starts))
    none, nowhere = np.empty(0, np.int64), np.empty((0, 0))
    for r, end in enumerate(ends):
        w, b, v = (end[i * width : (i + 1) * width] for i in range(3))
        affine, risks = np.array([end[-1], 0.0]), np.empty(0)
        table = case.problem.moments.table
        made[r] = descend(
            w,
            b,
            v,
            affine,
            case.skip,
            case.leak,
            False,
            table,
            case.step_size,
            case.steps,
            0,
            risks,
            risks,
            none,
            nowhere,
        )
        end[-1] = affine[0]
    return ends, made


def breakpoint_order(theta: Array) -> Array:
    width = (theta.shape[1] - 1) // 3
    return np.argsort(-theta[:, width : 2 * width] / theta[:, :width])


def test_hundred_steps_agree_with_the_processor(found: dict[str, Result]) -> None:
    case = CASES["interval"]
    expected, _ = on_processors(case)
    # The test means something only if neurons pass each other.
    assert not np.array_equal(breakpoint_order(expected), breakpoint_order(case.starts))
    np.testing.assert_allclose(found["interval"].parameters, expected, rtol=0, atol=DOUBLE)
    np.testing.assert_allclose(found["interval single"].parameters, expected, rtol=0, atol=SINGLE)


def test_conventions_at_zero_differ(found: dict[str, Result]) -> None:
    assert not np.allclose(found["datum gt"].parameters, found["datum ge"].parameters, atol=1e-3)


@pytest.mark.parametrize("name", ["watched", "no steps"])
def test_records_and_times_are_those_of_the_path(name: str, found: dict[str, Result]) -> None:
    case, result = CASES[name], found[name]
    for r, start in enumerate(case.starts):
        risks = [exact_risk(case, theta) for theta in textbook(case, start)]
        np.testing.assert_allclose(result.risks[r], [risks[i] for i in case.stops], rtol=1e-11)
        looks = [*range(0, case.steps, case.monitor_every), case.steps]
        for i, bar in enumerate(case.thresholds):
            expected = next((step for step in looks if risks[step] <= bar), -1)
            assert result.times[r, i] == expected


def test_some_thresholds_are_reached_on_the_way(found: dict[str, Result]) -> None:
    times = found["watched"].times
    assert (times == -1).any()
    assert ((times > 0) & (times < CASES["watched"].steps)).any()


def test_times_are_as_good_in_single_precision(found: dict[str, Result]) -> None:
    # No risk on the raster is as near to a threshold as single precision is to double.
    np.testing.assert_array_equal(found["watched single"].times, found["watched"].times)


def test_records_do_not_disturb_a_run(found: dict[str, Result]) -> None:
    np.testing.assert_array_equal(found["watched"].parameters, found["watched less"].parameters)


def test_a_run_depends_on_its_own_row_alone(found: dict[str, Result]) -> None:
    np.testing.assert_array_equal(found["alone"].parameters[0], found["interval"].parameters[1])


def test_a_diverging_run_stops_before_it_leaves_the_range(found: dict[str, Result]) -> None:
    case, result = CASES["diverging"], found["diverging"]
    assert result.steps[0] == case.steps
    assert (result.steps[1:] < case.steps).all()
    expected, made = on_processors(case)
    np.testing.assert_array_equal(result.steps, made)
    # A diverging run multiplies its rounding errors as it multiplies its parameters.
    np.testing.assert_allclose(result.parameters, expected, rtol=1e-9, atol=DOUBLE)
    for r in range(3):
        for column, stop in enumerate(case.stops[:-1]):
            assert np.isnan(result.risks[r, column]) == (stop > result.steps[r])
        assert result.risks[r, -1] == pytest.approx(exact_risk(case, result.parameters[r]))


def test_processors_are_always_there() -> None:
    assert devices.available()[0] == "cpu"
    assert devices.describe("cpu", threads=1) == "1 processor, float64"
    assert devices.describe() == f"{os.cpu_count()} processors, float64"


@pytest.mark.parametrize(
    ("device", "precision", "words"),
    [
        ("tpu", "float64", 'use "cpu" or "cuda"'),
        ("cpu", "float16", 'use "float64" or "float32"'),
        ("cpu", "float32", 'single precision needs device="cuda"'),
    ],
)
def test_a_device_that_is_not_known_is_refused(device: str, precision: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        devices.require(device, precision)


def test_without_a_gpu_cuda_is_refused_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("numba.cuda.is_available", lambda: False)
    assert devices.available() == ["cpu"]
    with pytest.raises(InputError, match=r'"cuda" is asked for, but .*use device="cpu"'):
        devices.describe("cuda")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"install it with pip install .reluscape\[cuda\]"):
        devices.require("cuda", "float32")
    case = CASES["interval"]
    with pytest.raises(InputError, match=r'"cuda" is asked for, but'):
        run_ensemble(case.problem, case.starts, step_size=0.1, steps=1, device="cuda")


def test_batches_are_not_drawn_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_why_not_cuda", lambda: "")
    case = CASES["adam"]
    rule = StochasticGradientDescent(4)
    with pytest.raises(InputError, match="batches run on processors"):
        run_ensemble(
            case.problem, case.starts, step_size=0.1, steps=1, optimiser=rule, device="cuda"
        )


def test_a_simulated_gpu_says_so() -> None:
    code = "from reluscape.training.devices import *; print(available(), describe('cuda'))"
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT / "src")}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "['cpu', 'cuda'] CUDA: simulated by Numba, float64"
