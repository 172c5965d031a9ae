"""Bad input gets one sentence: what was wrong and what to do instead."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest

import reluscape as rs

X = np.arange(6.0)
Y = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 3.0])


def refused(call, *parts: str) -> None:
    """Expect an InputError whose text is one sentence and mentions the parts."""
    with pytest.raises(rs.InputError) as caught:
        call()
    text = str(caught.value)
    assert len(text) > 20
    assert text.endswith(".")
    assert "\n" not in text
    for part in parts:
        assert part in text, text
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("x", "y", "parts"),
    [
        ([1.0, 2.0, 3.0], [1.0, 2.0], ("3", "2")),
        ([], [], ()),
        ([1.0, nan, 3.0, nan], [1.0, 2.0, 3.0, 4.0], ("2",)),
        ([1.0, 2.0, 3.0], [1.0, inf, 3.0], ("1",)),
        ([1.0, 2.0, 3.0], [-inf, inf, nan], ("3",)),
        (["a", "b"], [1.0, 2.0], ()),
        ([1.0, 2.0], ["a", "b"], ()),
        ([[1.0], [2.0, 3.0]], [1.0, 2.0], ()),
        ([1.0 + 1j, 2.0], [1.0, 2.0], ()),
        (np.zeros((2, 2, 2)), [1.0, 2.0], ()),
    ],
)
def test_rows(x, y, parts):
    refused(lambda: rs.Samples(x, y), *parts)


@pytest.mark.parametrize(
    ("weights", "parts"),
    [
        ([1.0] * 5, ("5", "6")),
        ([1.0, 1.0, -1.0, 1.0, 1.0, 1.0], ()),
        ([0.0] * 6, ()),
        ([1.0, nan, 1.0, 1.0, 1.0, 1.0], ()),
        ([1.0, inf, 1.0, 1.0, 1.0, 1.0], ()),
        (["a"] * 6, ()),
    ],
)
def test_weights(weights, parts):
    refused(lambda: rs.Samples(X, Y, weights=weights), "eight", *parts)


@pytest.mark.parametrize("width", [-1, 1.5, "three", None, nan, [2], 2 + 0j, "Auto2"])
def test_widths(width):
    refused(lambda: rs.fit(rs.Samples(X, Y), width))


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("width", [3, 8])
def test_fewer_distinct_x_than_the_width_needs(width, skip):
    x = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    refused(lambda: rs.fit(rs.Samples(x, Y), width, skip=skip), "3")


@pytest.mark.parametrize(
    "arguments",
    [
        {"monotone": "up"},
        {"monotone": True},
        {"slope_bounds": (1.0, -1.0)},
        {"slope_bounds": (nan, 1.0)},
        {"slope_bounds": 3.0},
        {"slope_bounds": (1.0, 2.0, 3.0)},
        {"min_distance": -1.0},
        {"min_distance": nan},
        {"min_distance": 100.0},
        {"min_points": -1},
        {"min_points": 2.5},
        {"min_points": 50},
        {"seed": -1},
        {"seed": 1.5},
        {"monotone": "increasing", "slope_bounds": (-2.0, -1.0)},
    ],
)
def test_constraints(arguments):
    refused(lambda: rs.fit(rs.Samples(X, Y), 2, **arguments))


@pytest.mark.parametrize("problem", [None, (X, Y), "data.csv", np.zeros((3, 2))])
def test_not_a_problem(problem):
    refused(lambda: rs.fit(problem, 1))


@pytest.mark.parametrize(
    "call",
    [
        lambda: rs.Interval(rs.affine(1, 0), 1, 0),
        lambda: rs.Interval(rs.affine(1, 0), 0, 0),
        lambda: rs.Interval(rs.affine(1, 0), 0, inf),
        lambda: rs.Interval(rs.affine(1, 0), nan, 1),
        lambda: rs.Interval(rs.affine(1, 0), 0, 1, density=rs.polynomial([-1])),
        lambda: rs.Interval(rs.affine(1, 0), 0, 1, density=rs.polynomial([0])),
        lambda: rs.Interval(rs.affine(1, 0), -1, 1, density=rs.affine(1, 0)),
        lambda: rs.affine(nan, 0),
        lambda: rs.polynomial([]),
        lambda: rs.polynomial([1.0, inf]),
        lambda: rs.step(nan),
        lambda: rs.piecewise_linear([0, 1], [1]),
        lambda: rs.piecewise_linear([0], [1]),
        lambda: rs.piecewise_linear([1, 0], [1, 2]),
        lambda: rs.piecewise_linear([0, 0], [1, 2]),
        lambda: rs.piecewise_polynomial([0, 1], [[1], [2]]),
        lambda: rs.piecewise_polynomial([1, 0], [[1]]),
        lambda: rs.piecewise_polynomial([0, nan, 1], [[1], [2]]),
    ],
)
def test_targets_and_intervals(call):
    refused(call)


NET = {"weights": [1.0, -1.0], "biases": [0.0, 1.0], "outputs": [1.0, 1.0]}


@pytest.mark.parametrize(
    ("step_size", "steps"),
    [(0.0, 5), (-1.0, 5), (nan, 5), (inf, 5), (0.1, -1), (0.1, 2.5), ("a", 1)],
)
def test_descent(step_size, steps):
    problem = rs.Samples(X, Y)
    refused(lambda: rs.descend(problem, rs.Network(**NET), step_size=step_size, steps=steps))


@pytest.mark.parametrize("at_zero", ["eq", None, 0, ""])
def test_conventions(at_zero):
    problem, net = rs.Samples(X, Y), rs.Network(**NET)
    refused(lambda: problem.gradient(net, at_zero=at_zero), "gt", "ge")
    refused(lambda: rs.Interval(rs.affine(1, 0), 0, 1).gradient(net, at_zero=at_zero), "gt")
    refused(lambda: rs.descend(problem, net, step_size=0.1, steps=1, at_zero=at_zero), "gt")


@pytest.mark.parametrize(("starts", "width"), [(0, 2), (-3, 2), (1.5, 2), (3, -1), (3, 1.5)])
def test_multistart(starts, width):
    problem = rs.Samples(X, Y)
    refused(lambda: rs.multistart(problem, width, starts=starts, step_size=0.1, steps=2))


def test_network_of_another_dimension():
    net = rs.Network(np.ones((2, 3)), np.ones(2), np.ones(2))
    for problem in (rs.Samples(X, Y), rs.Interval(rs.affine(1, 0), 0, 1)):
        for call in (problem.risk, problem.gradient, problem.hessian):
            refused(lambda call=call: call(net))
        refused(lambda problem=problem: rs.polish(problem, net))
        refused(lambda problem=problem: rs.descend(problem, net, step_size=0.1, steps=1))
    with pytest.raises(rs.InputError):
        net(np.zeros((4, 2)))


@pytest.mark.parametrize(
    "arguments",
    [
        {"method": "magic"},
        {"level": 0.0},
        {"level": 1.0},
        {"level": nan},
        {"method": "bootstrap", "replicates": 0},
        {"method": "bootstrap", "replicates": 2.5},
    ],
)
def test_inference(arguments):
    fit = rs.fit(rs.Samples(X, Y), 1)
    refused(lambda: fit.inference(**arguments))


def test_inference_needs_rows():
    fit = rs.fit(rs.Interval(rs.polynomial([0, 0, 1]), 0, 1), 1)
    refused(fit.inference)


def test_errors_share_a_base():
    assert issubclass(rs.InputError, rs.ReluscapeError)
