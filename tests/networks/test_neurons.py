"""Neuron states: the table of theory.md 1.1, and that exactly one kind ever holds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reluscape.errors import InputError
from reluscape.networks.network import Network


def kinds_by_definition(weight, bias, a, b):
    """Every kind whose condition in the paper holds, in rational arithmetic."""
    w, c, a, b = (Fraction(value) for value in (weight, bias, a, b))
    at_ends = (w * a + c, w * b + c)
    kinds = []
    if max(at_ends) < 0:
        kinds.append("inactive")
    if max(at_ends) == 0 and w != 0:
        kinds.append("semi-inactive")
    if w == 0 and c > 0:
        kinds.append("semi-active")
    if w != 0 and min(at_ends) >= 0:
        kinds.append("type-1-active")
    if w != 0 and a < -c / w < b:
        kinds.append("type-2-active")
    if w == 0 and c == 0:
        kinds.append("degenerate")
    return kinds


any_float = st.floats(allow_nan=False, allow_infinity=False)
small = st.sampled_from([-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 5e-324, -5e-324, 1e308])


@given(any_float | small, any_float | small, any_float | small, any_float | small)
@example(5e-324, -5e-324, 0.0, 1.0)
@example(1e308, -1e308, 0.5, 1.0)
@example(5e-324, -5e-324, 0.4, 0.6)  # w * 0.6 + b rounds to 0, and is not
@example(0.1, -0.3, 0.0, 3.0)  # -b / w rounds to the right of 3 and the truth is left of it
def test_exactly_one_kind_holds_for_every_float(weight, bias, a, b):
    a, b = sorted((a, b))
    if a == b:
        return
    state = Network([weight], [bias], [1.0]).neuron_states(a, b)[0]
    assert [state.kind] == kinds_by_definition(weight, bias, a, b)
    assert (state.breakpoint is None) == (weight == 0.0)
    if state.kind == "semi-inactive":
        zero = {"left": a, "right": b}[state.boundary]
        assert Fraction(weight) * Fraction(zero) + Fraction(bias) == 0
    else:
        assert state.boundary is None


def test_named_cases():
    # (w, b, v) of reference cases S2-3 on [0, 1].
    network = Network(
        [-1.0, -1.0, 1.0, -1.0, 0.0, 0.0, 1.0, 2.0],
        [-1.0, 0.0, -1.0, 0.0, 1.0, 0.0, 0.0, -1.0],
        [5.0, 1.0, -1.0, 0.0, 0.0, 0.0, 1.0, -1.0],
    )
    states = network.neuron_states(0, 1)
    assert [(state.kind, state.boundary, state.flat) for state in states] == [
        ("inactive", None, False),
        ("semi-inactive", "left", False),
        ("semi-inactive", "right", False),
        ("semi-inactive", "left", True),
        ("semi-active", None, True),
        ("degenerate", None, True),
        ("type-1-active", None, False),
        ("type-2-active", None, False),
    ]
    assert [state.breakpoint for state in states] == [-1.0, 0.0, 1.0, 0.0, None, None, 0.0, 0.5]


def test_a_neuron_is_flat_when_all_its_outputs_are_zero():
    states = Network([1.0, 1.0], [0.0, 0.0], [[0.0, 0.0], [0.0, 1.0]]).neuron_states(-1, 1)
    assert [state.flat for state in states] == [True, False]


@pytest.mark.parametrize("interval", [(1, 1), (2, 1), (np.nan, 1), (0, np.inf)])
def test_an_interval_that_is_none_is_refused(interval):
    with pytest.raises(InputError, match="a < b"):
        Network([1.0], [0.0], [1.0]).neuron_states(*interval)


def test_several_inputs_are_refused():
    with pytest.raises(InputError, match="one input"):
        Network([[1.0, 1.0]], [0.0], [1.0]).neuron_states(0, 1)
