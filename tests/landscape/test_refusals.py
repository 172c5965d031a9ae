"""Bad input to the landscape functions: one sentence, with what to do instead."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest

import reluscape as rs


def refused(call, *parts: str) -> None:
    """Expect an InputError of one sentence that has the cure after a semicolon or colon."""
    with pytest.raises(rs.InputError) as caught:
        call()
    text = str(caught.value)
    assert len(text) > 20
    assert text.endswith(".")
    assert "\n" not in text
    for part in parts:
        assert part in text, text


LINE = (1.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ((0.0, 1.0, 0.0, 1.0, 2), ("0",)),  # alpha = 0: every critical point is a global minimum
        ((nan, 0.0, 0.0, 1.0, 2), ()),
        ((inf, 0.0, 0.0, 1.0, 2), ()),
        ((1.0, nan, 0.0, 1.0, 2), ()),
        ((1.0, 0.0, nan, 1.0, 2), ()),
        ((1.0, 0.0, 0.0, inf, 2), ()),
        ((1.0, 0.0, 1.0, 1.0, 2), ("1",)),
        ((1.0, 0.0, 2.0, 1.0, 2), ("2", "1")),
        ((1.0, 0.0, 0.0, 1.0, 0), ("0",)),
        ((1.0, 0.0, 0.0, 1.0, -1), ("-1",)),
        ((1.0, 0.0, 0.0, 1.0, 1.5), ("1.5",)),
        ((1.0, 0.0, 0.0, 1.0, "two"), ()),
    ],
)
def test_affine_landscape(arguments, parts):
    refused(lambda: rs.affine_landscape(*arguments), *parts)


@pytest.mark.parametrize("slope", [0.0, 1.0, -0.1, 1.5, nan])
def test_slopes(slope):
    refused(lambda: rs.affine_landscape(*LINE, 2, activation=rs.leaky(slope)))


@pytest.mark.parametrize("activation", ["sine", "leaky", None, 0.1])
def test_activations(activation):
    refused(lambda: rs.affine_landscape(*LINE, 2, activation=activation))


@pytest.mark.parametrize(("width", "n"), [(1, 2), (2, 4), (3, 4), (5, 6)])
def test_saddles_wider_than_the_network(width, n):
    refused(lambda: rs.affine_landscape(*LINE, width).saddle(n), str(n), str(width))


@pytest.mark.parametrize("n", [1, 3, 5])
def test_odd_saddles_of_relu(n):
    refused(lambda: rs.affine_landscape(*LINE, 6).saddle(n), str(n), "even")


@pytest.mark.parametrize("n", [-2, 2.5, "two", nan, None])
def test_numbers_of_breakpoints(n):
    refused(lambda: rs.affine_landscape(*LINE, 6).saddle(n))


@pytest.mark.parametrize("family", ["C", "a b", 1])
def test_families(family):
    landscape = rs.affine_landscape(*LINE, 3, activation=rs.leaky(0.5))
    refused(lambda: landscape.saddle(2, family=family))


def test_leaky_saddles_may_be_odd_but_not_too_wide():
    landscape = rs.affine_landscape(*LINE, 3, activation=rs.leaky(0.5))
    assert landscape.saddle(3).width == 3
    refused(lambda: landscape.saddle(4), "4", "3")


def test_leaky_relu_has_no_dead_minimum():
    """Nothing is ever dead: all its critical points of positive risk are saddles."""
    refused(rs.affine_landscape(*LINE, 3, activation=rs.leaky(0.5)).dead_minimum)


@pytest.mark.parametrize("width", [0, -1, 3, 1.5, "one", None])
def test_widths_of_the_enumeration(width):
    """One neuron is solved, two are searched."""
    refused(lambda: rs.critical_points(rs.Interval(rs.polynomial([0, 0, 1]), 0, 1), width=width))


DATA = rs.Samples([0.0, 1.0, 2.0], [0.0, 1.0, 0.0])


@pytest.mark.parametrize("problem", [None, ([0, 1], [0, 1]), "x^2", np.zeros((3, 2)), DATA])
def test_problems_of_the_enumeration(problem):
    refused(lambda: rs.critical_points(problem))


NET = rs.Network([1.0], [0.0], [1.0])


@pytest.mark.parametrize("problem", [None, ([0, 1], [0, 1]), "x^2", np.zeros((3, 2))])
def test_problems_of_a_verdict(problem):
    refused(lambda: rs.classify(problem, NET))


@pytest.mark.parametrize("network", [None, [1.0, 0.0, 1.0, 0.0], "relu"])
def test_networks_of_a_verdict(network):
    refused(lambda: rs.classify(DATA, network))


def test_shapes_of_a_verdict():
    wide = rs.Network([[1.0, 0.0]], [0.0], [1.0])
    refused(lambda: rs.classify(DATA, wide), "2")
    refused(lambda: rs.classify(DATA, rs.Network([1.0], [0.0], [[1.0, 2.0]])))
    refused(lambda: rs.classify(rs.Interval(rs.affine(1, 0), 0, 1), wide))


@pytest.mark.parametrize("tolerance", [-1.0, nan, inf, "small", None])
def test_tolerances(tolerance):
    refused(lambda: rs.classify(DATA, NET, tolerance=tolerance))


def test_conventions():
    refused(lambda: rs.classify(DATA, NET, at_zero="eq"), "gt", "ge")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ((1, 0, 0.5), ("1", "0")),
        ((0, 0, 0.5), ("0",)),
        ((nan, 1, 0.5), ()),
        ((0, inf, 0.5), ()),
        ((0, 1, -0.5), ("-0.5",)),
        ((0, 1, 0.0), ()),
        ((0, 1, nan), ()),
        ((0, 1, inf), ()),
    ],
)
def test_traps(arguments, parts):
    refused(lambda: rs.trap(*arguments), *parts)


@pytest.mark.parametrize("t", [-0.5, 0.0, 0.5, 0.75, 1.5, nan])
def test_members_of_a_trap(t):
    """The family lives on the open first half."""
    refused(lambda: rs.trap(0, 1, 0.5).member(t))


@pytest.mark.parametrize("width", [0, -1, 1.5, "two"])
def test_widths_of_a_trap(width):
    refused(lambda: rs.trap(0, 1, 0.5).member(0.2, width))


TENT = rs.Interval(rs.piecewise_linear([0, 0.5, 1], [0.5, 0, 0.5]), 0, 1)


@pytest.mark.parametrize("width", [1, 0, -1, 2.5, "two"])
def test_widths_of_global_minima(width):
    """A tent has two pieces and needs two neurons."""
    refused(lambda: rs.global_minima(TENT, width))


@pytest.mark.parametrize(
    "target",
    [rs.polynomial([0, 0, 1]), rs.step(0.5)],
)
def test_targets_of_global_minima(target):
    """Networks do not reach curves and jumps."""
    refused(lambda: rs.global_minima(rs.Interval(target, 0, 1), 3))
