"""Canonical and balanced forms: the same function, smaller, ordered, balanced."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reluscape.errors import InputError
from reluscape.networks.activations import leaky
from reluscape.networks.network import Network
from reluscape.networks.symmetry import balanced

# Few distinct values, so that hyperplanes coincide often; all far from rounding trouble.
coarse = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0])


@st.composite
def coarse_networks(draw):
    width = draw(st.integers(0, 6))
    inputs = draw(st.integers(1, 2))
    tail = draw(st.sampled_from([(), (2,)]))

    def array(shape):
        size = int(np.prod(shape))
        return np.reshape(draw(st.lists(coarse, min_size=size, max_size=size)), shape)

    skip = array((inputs, *tail)) if draw(st.booleans()) else None
    activation = draw(st.sampled_from(["relu", leaky(0.25)]))
    return Network(
        array((width, inputs)),
        array((width,)),
        array((width, *tail)),
        array(tail),
        skip,
        activation,
    )


def grid(inputs):
    line = np.linspace(-60, 60, 25) + 0.125
    return line if inputs == 1 else np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


@given(coarse_networks())
@settings(max_examples=300)
def test_canonical_is_the_same_function_minimal_balanced_and_stable(network):
    small = network.canonical()
    x = grid(network.inputs)
    np.testing.assert_allclose(small(x), network(x), rtol=1e-11, atol=1e-9)
    assert small.width <= network.width
    assert small.outputs.shape[1:] == network.outputs.shape[1:]
    assert (small.skip is None) == (network.skip is None)
    assert small.weights.any(axis=1).all()
    outputs = small.outputs.reshape(small.width, small.targets)
    inner = np.square(small.weights).sum(axis=1) + np.square(small.biases)
    np.testing.assert_allclose(inner, np.square(outputs).sum(axis=1), rtol=1e-12)
    again = small.canonical()
    assert again.width == small.width
    np.testing.assert_allclose(again.to_vector(), small.to_vector(), rtol=1e-11, atol=1e-11)
    if network.inputs == 1:
        breakpoints = -small.biases / small.weights[:, 0]
        assert (np.diff(breakpoints) >= -1e-14 * np.abs(breakpoints[1:])).all()
        # One neuron a kink; without a skip connection one more for the leftmost slope. A kink that
        # vanishes only up to rounding may count.
        kinks = len(set(np.round(breakpoints, 9)))
        assert small.width <= kinks + (network.skip is None)


@given(coarse_networks(), st.floats(0.05, 20), st.randoms())
def test_canonical_does_not_depend_on_order_and_scale(network, factor, random):
    order = list(range(network.width))
    random.shuffle(order)
    other = Network(
        factor * network.weights[order],
        factor * network.biases[order],
        network.outputs[order] / factor,
        network.offset,
        network.skip,
        network.activation,
    )
    one, two = network.canonical(), other.canonical()
    # Exactly cancelling outputs may leave rounding behind after the division by the factor.
    if one.width == two.width:
        x = grid(network.inputs)
        np.testing.assert_allclose(one(x), two(x), rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(
        two(grid(network.inputs)), network(grid(network.inputs)), rtol=1e-10, atol=1e-9
    )


def test_dead_and_constant_neurons_move_into_the_offset():
    network = Network([0.0, 0.0, 1.0], [2.0, -2.0, 1.0], [3.0, 5.0, 0.0], 1.0)
    assert network.canonical() == Network([], [], [], 7.0)
    low = Network([0.0], [-2.0], [5.0], 1.0, activation=leaky(0.25))
    assert low.canonical() == Network([], [], [], -1.5, activation=leaky(0.25))


def test_neurons_of_one_oriented_hyperplane_become_one():
    # Scaling by 3 rounds 0.1 and 0.7: the breakpoints differ in the last place.
    network = Network([0.1, 3 * 0.1, 7.0], [0.7, 3 * 0.7, 49.0], [1.0, 2.0, 3.0])
    assert network.canonical().width == 1
    in_plane = Network([[1.0, 2.0], [3.0, 6.0], [1.0, -2.0]], [1.0, 3.0, 1.0], [1.0, 1.0, 1.0])
    assert in_plane.canonical().width == 2


def test_a_step_one_float_wide_is_not_lost():
    height = 2.0**52
    step = Network([1.0, 1.0], [-1.0, -np.nextafter(1.0, 2.0)], [height, -height])
    assert step(2.0) == 1.0
    assert step.canonical().width == 2


@pytest.mark.parametrize("activation", ["relu", leaky(0.5)])
def test_opposite_neurons_without_a_skip_connection(activation):
    def width(weights, biases, outputs, skip=None):
        network = Network(weights, biases, outputs, 0.0, skip, activation)
        small = network.canonical()
        np.testing.assert_allclose(small(grid(1)), network(grid(1)), atol=1e-11)
        return small.width

    # |x| needs both neurons; with a skip connection one will do.
    assert width([1.0, -1.0], [0.0, 0.0], [1.0, 1.0]) == 2
    assert width([1.0, -1.0], [0.0, 0.0], [1.0, 1.0], skip=[0.0]) == 1
    # x = relu(x) - relu(-x) needs two as well, and none with a skip connection.
    assert width([1.0, -1.0], [0.0, 0.0], [1.0, -1.0]) == 2
    assert width([1.0, -1.0], [0.0, 0.0], [1.0, -1.0], skip=[0.0]) == 0
    # |x| - |x - 1|: the affine functions cancel.
    assert width([1.0, -1.0, 1.0, -1.0], [0.0, 0.0, -1.0, 1.0], [1.0, 1.0, -1.0, -1.0]) == 2
    # |x| + |x - 1| = 1 + 2 relu(-x) + 2 relu(x - 1): one neuron turns around.
    assert width([1.0, -1.0, 1.0, -1.0], [0.0, 0.0, -1.0, 1.0], [1.0, 1.0, 1.0, 1.0]) <= 3
    # |x| + 2 |x - 1|: one neuron more than kinks carries the leftmost slope.
    assert width([1.0, -1.0, 1.0, -1.0], [0.0, 0.0, -1.0, 1.0], [1.0, 1.0, 2.0, 2.0]) == 3
    # x + relu(x - 1): the kink at 1 carries the line.
    assert width([1.0, -1.0, 1.0], [0.0, 0.0, -1.0], [1.0, -1.0, 1.0]) == 2


def test_order_is_by_breakpoint_then_right_active_first():
    network = Network([-1.0, 1.0, -2.0], [1.0, -1.0, 0.0], [1.0, 2.0, 3.0]).canonical()
    np.testing.assert_allclose(-network.biases / network.weights[:, 0], [0.0, 1.0, 1.0])
    assert (np.sign(network.weights[:, 0]) == [-1, 1, -1]).all()


@pytest.mark.parametrize("size", [1e-150, 1.0, 1e150])
def test_balancing_extreme_magnitudes(size):
    network = Network([size, 1.0 / size], [size, 0.0], [1.0 / size, size])
    even = balanced(network)
    np.testing.assert_allclose(even.weights[:, 0] * even.outputs, [1.0, 1.0], rtol=1e-14)
    np.testing.assert_allclose(
        np.hypot(even.weights[:, 0], even.biases), np.abs(even.outputs), rtol=1e-14
    )


def test_balancing_neurons_that_add_nothing():
    even = balanced(Network([1.0, 0.0], [1.0, 0.0], [0.0, 3.0]))
    assert not even.to_vector().any()


wild = st.floats(-1e150, 1e150) | st.floats(-10, 10) | st.sampled_from([0.0, 1e-150, 1e150, 5e-324])


def exact_value_and_size(network, x):
    """The value in rational arithmetic, and the size of what rounding works on."""
    slope = Fraction(network.activation.slope)
    value, size = Fraction(float(network.offset)), abs(Fraction(float(network.offset)))
    for w, b, v in zip(network.weights[:, 0], network.biases, network.outputs, strict=True):
        w, b, v = (Fraction(float(part)) for part in (w, b, v))
        pre = w * Fraction(x) + b
        value += v * max(pre, slope * pre)
        size += abs(v) * (abs(w * Fraction(x)) + abs(b))
    if network.skip is not None:
        value += Fraction(float(network.skip[0])) * Fraction(x)
        size += abs(Fraction(float(network.skip[0])) * Fraction(x))
    return value, size


@given(
    st.lists(st.tuples(wild, wild, wild), max_size=4),
    wild,
    st.none() | wild,
    st.sampled_from(["relu", leaky(0.25)]),
    wild,
)
@example([(1.6096020204284905e139, 2.4968172320516804e-192, 1.0)], 0.0, None, "relu", 0.0)
@example([(5.6091351861272534e-195, 0.0, 5.6091351861272534e-195)], 0.0, None, "relu", 3.2e98)
@example([(5e-324, 5e-324, 5e-324), (1.0, 1.0, 1.0)], 0.0, None, "relu", 0.0)
@example([(1.0, 0.0, 1.0), (1e150, 1e-180, 1e150)], 0.0, None, "relu", 0.0)
@settings(max_examples=300)
def test_values_and_forms_of_any_magnitude_are_right_or_refused(neurons, c, u, activation, x):
    w, b, v = np.array(neurons).reshape(-1, 3).T
    network = Network(w, b, v, c, u, activation)
    value, size = exact_value_and_size(network, x)
    for form in (lambda: network, lambda: balanced(network), network.canonical):
        try:
            formed = form()
            result = formed(x)
        except InputError:
            assert size > 1e290
            continue
        # Rounding is relative, but for products and for biases of the form that underflow.
        outputs = sum(Fraction(abs(part)) for part in formed.outputs.tolist())
        lost = Fraction(1e-290) + Fraction(5e-324) * outputs
        assert abs(Fraction(float(result)) - value) <= Fraction(1e-14) * size + lost
