"""Network: construction, evaluation against exact arithmetic, parameter vector, equality."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reluscape.errors import InputError
from reluscape.networks.activations import Activation, leaky, parse, relu
from reluscape.networks.network import Network


def exact_value(network, x):
    """The value at one point (a sequence of inputs) in rational arithmetic, one target."""
    slope = Fraction(network.activation.slope)
    total = Fraction(float(network.offset))
    for w, b, v in zip(network.weights, network.biases, network.outputs, strict=True):
        y = Fraction(float(b)) + sum(
            Fraction(float(p)) * Fraction(float(q)) for p, q in zip(w, x, strict=True)
        )
        total += Fraction(float(v)) * max(y, slope * y)
    if network.skip is not None:
        total += sum(
            Fraction(float(p)) * Fraction(float(q)) for p, q in zip(network.skip, x, strict=True)
        )
    return total


def random_network(rng, width, inputs=1, targets=None, skip=True, activation="relu"):
    tail = () if targets is None else (targets,)
    return Network(
        rng.normal(size=(width, inputs)),
        rng.normal(size=width),
        rng.normal(size=(width, *tail)),
        rng.normal(size=tail),
        rng.normal(size=(inputs, *tail)) if skip else None,
        activation,
    )


@pytest.mark.parametrize("activation", ["relu", leaky(0.1)])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("inputs", [1, 3])
def test_values_agree_with_rational_arithmetic(activation, skip, inputs):
    rng = np.random.default_rng(1)
    network = random_network(rng, 5, inputs, skip=skip, activation=activation)
    x = rng.normal(size=(20, inputs))
    expected = [float(exact_value(network, row)) for row in x]
    np.testing.assert_allclose(network(x), expected, rtol=1e-13, atol=1e-14)


def test_values_far_from_the_origin_keep_their_digits():
    # Timestamps: w * x + b alone is wrong by 1e-6 here, a thousandth of the noise people measure.
    rng = np.random.default_rng(2)
    x = 1.7e9 + np.sort(rng.uniform(0, 1000, 200))
    w = rng.normal(size=3)
    b = -w * (1.7e9 + np.array([100.0, 500.0, 700.123]))
    network = Network(w, b, rng.normal(size=3), 1e6 - 2 * 1.7e9, [2.0])
    expected = np.array([float(exact_value(network, [row])) for row in x])
    np.testing.assert_allclose(network(x), expected, rtol=0, atol=2e-10)


def test_a_value_does_not_depend_on_the_other_rows():
    rng = np.random.default_rng(3)
    network = random_network(rng, 7)
    x = rng.normal(size=40_000)
    whole = network(x)
    assert all(network(x[i : i + 1])[0] == whole[i] for i in (0, 1, 16_384, 39_999))


def test_several_targets_are_several_networks():
    rng = np.random.default_rng(4)
    for inputs in (1, 2):
        network = random_network(rng, 4, inputs, targets=3)
        x = rng.normal(size=(11, inputs))
        one_by_one = [
            Network(
                network.weights,
                network.biases,
                network.outputs[:, k],
                network.offset[k],
                network.skip[:, k],
            )(x)
            for k in range(3)
        ]
        assert network(x).shape == (11, 3)
        np.testing.assert_allclose(network(x), np.column_stack(one_by_one), rtol=1e-13)


def test_shapes_in_and_out():
    network = Network([1.0, -2.0], [0.5, 0.0], [1.0, 1.0])
    assert (network.width, network.inputs, network.targets, network.scalar) == (2, 1, 1, True)
    assert network([1.0, 2.0]).shape == network([[1.0], [2.0]]).shape == (2,)
    assert network(1.0) == 1.5
    assert network([]).shape == (0,)
    one_column = Network([1.0], [0.0], [[1.0]])
    assert not one_column.scalar
    assert one_column([1.0, 2.0]).shape == (2, 1)
    np.testing.assert_array_equal(Network([], [], [], 3.0, 2.0)([1.0, 2.0]), [5.0, 7.0])
    assert Network(np.empty((0, 2)), [], [], 3.0)([[1.0, 2.0]]) == [3.0]


def test_evaluation_of_many_rows_needs_few_bytes_each():
    network = random_network(np.random.default_rng(5), 64)
    x = np.linspace(-1, 1, 400_000)
    network(x[:10])
    tracemalloc.start()
    network(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * x.size


def test_parameters_are_read_only_copies():
    weights = np.array([1.0, 2.0])
    network = Network(weights, [0.0, 0.0], [1.0, 1.0])
    weights[0] = 5.0
    assert network.weights[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        network.weights[0, 0] = 2.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        network.weights = weights
    revived = pickle.loads(pickle.dumps(network))  # noqa: S301 - our own bytes
    for other in (revived, copy.deepcopy(network), dataclasses.replace(network)):
        assert other == network
        assert not other.weights.flags.writeable


def test_equality_is_bit_for_bit():
    network = Network([1.0], [0.0], [1.0])
    assert network == Network([[1.0]], [0.0], [1.0])
    assert hash(network) == hash(Network([1.0], [0.0], [1.0]))
    different = [
        Network([1.0], [-0.0], [1.0]),
        Network([np.nextafter(1.0, 2.0)], [0.0], [1.0]),
        Network([1.0], [0.0], [[1.0]]),
        Network([1.0], [0.0], [1.0], skip=[0.0]),
        Network([1.0], [0.0], [1.0], activation=leaky(0.5)),
        "a network",
    ]
    assert all(network != other for other in different)


def test_breakpoints():
    network = Network([2.0, 0.0, -1.0, 3.0], [-4.0, 1.0, -1.0, 0.0], [1.0, 1.0, 1.0, 0.0])
    np.testing.assert_array_equal(network.breakpoints(), [-1.0, 0.0, 2.0])
    assert not np.signbit(network.breakpoints()[1])
    assert Network([1e-300], [1e300], [1.0]).breakpoints()[0] == -np.inf
    with pytest.raises(InputError, match="hyperplanes"):
        Network([[1.0, 2.0]], [0.0], [1.0]).breakpoints()


floats = st.floats(-1e100, 1e100)


@given(
    st.integers(0, 4),
    st.integers(1, 3),
    st.sampled_from([None, 1, 2]),
    st.booleans(),
    st.data(),
)
def test_the_vector_of_parameters_goes_there_and_back(width, inputs, targets, skip, data):
    outs = targets or 1
    size = width * (inputs + 1 + outs) + outs + (inputs * outs if skip else 0)
    theta = data.draw(arrays(np.float64, size, elements=floats))
    network = Network.from_vector(theta, inputs, skip, targets=targets)
    assert network.width == width
    assert network.to_vector().tobytes() == theta.tobytes()


def test_order_of_the_vector():
    network = Network([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0], [7.0, 8.0], 9.0, [10.0, 11.0])
    np.testing.assert_array_equal(network.to_vector(), np.arange(1.0, 12.0))
    assert Network.from_vector(np.arange(1.0, 12.0), inputs=2, skip=True) == network


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": 1.0}, "weights have shape"),
        ({"weights": np.ones((1, 0))}, "weights have shape"),
        ({"biases": 0.0}, "biases have shape"),
        ({"outputs": [1.0, 2.0]}, "outputs have shape"),
        ({"outputs": np.ones((1, 0))}, "outputs have shape"),
        ({"offset": [1.0]}, "offset has shape"),
        ({"skip": [1.0, 2.0]}, "skip has shape"),
        ({"weights": [[np.nan]]}, "weights holds 1 NaN"),
        ({"offset": np.inf}, "offset holds 1 NaN"),
        ({"weights": [["a"]]}, "give real numbers"),
        ({"weights": [[1j]]}, "give real numbers"),
        ({"weights": [[1.0], [1.0, 2.0]]}, "unequal length"),
        ({"activation": "sine"}, "not known"),
    ],
)
def test_a_wrong_network_is_refused_with_a_sentence(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        Network(**{"weights": [[1.0]], "biases": [0.0], "outputs": [1.0]} | changes)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1.0, 2.0]], r"needs \(n,\) or \(n, 1\)"),
        ([0.0, np.nan, np.inf], r"2 NaN or infinite value\(s\), the first at row 1"),
        (["a"], "real numbers"),
        ([1e300], "beyond the largest float"),
    ],
)
def test_wrong_inputs_are_refused_with_a_sentence(x, message):
    with pytest.raises(InputError, match=message):
        Network([1e300], [0.0], [1.0])(x)


def test_wrong_vectors_are_refused():
    for theta, options in [
        ([1.0, 2.0], {}),
        ([], {}),
        ([[1.0]], {}),
        ([1.0], {"inputs": 0}),
        ([1.0], {"skip": True}),
    ]:
        with pytest.raises(InputError):
            Network.from_vector(theta, **options)


def test_text_forms():
    network = Network([1.0], [2.0], [3.0], skip=[4.0], activation=leaky(0.5))
    from_text = eval(repr(network), {"Network": Network, "Activation": Activation})  # noqa: S307
    assert from_text == network
    assert "breakpoint" in network._repr_html_()
    assert repr(random_network(np.random.default_rng(0), 100)).startswith("<Network width=100")


def test_activations():
    assert parse("relu") == relu() == Activation("relu", 0.0)
    assert parse(leaky(0.5)) is not None
    for wrong in ("leaky", "sine"):
        with pytest.raises(InputError):
            parse(wrong)
    for slope in (0.0, 1.0, -0.5, 2.0, float("nan"), "x", None):
        with pytest.raises(InputError):
            leaky(slope)
    with pytest.raises(InputError):
        Activation("relu", 0.5)


networks = st.builds(
    lambda w, b, v, c, u, slope: Network(
        w, b[: len(w)], v[: len(w)], c, u, leaky(slope) if slope else "relu"
    ),
    st.lists(st.floats(-4, 4), min_size=0, max_size=5),
    st.lists(st.floats(-4, 4), min_size=5, max_size=5),
    st.lists(st.floats(-4, 4), min_size=5, max_size=5),
    st.floats(-4, 4),
    st.none() | st.floats(-4, 4),
    st.sampled_from([0.0, 0.1, 0.5]),
)
points = np.linspace(-3, 3, 41)


@given(networks, st.floats(0.1, 10), st.randoms())
def test_rescaling_and_permutation_keep_the_function(network, factor, random):
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
    np.testing.assert_allclose(other(points), network(points), rtol=1e-12, atol=1e-12)


@given(networks, st.floats(-3, 3))
def test_shift_and_reflection_move_the_function(network, shift):
    skip = 0.0 if network.skip is None else float(network.skip[0])
    moved = Network(
        network.weights,
        network.biases + network.weights[:, 0] * shift,
        network.outputs,
        network.offset + skip * shift,
        network.skip,
        network.activation,
    )
    np.testing.assert_allclose(moved(points), network(points + shift), rtol=1e-12, atol=1e-11)
    mirrored = Network(
        -network.weights,
        network.biases,
        network.outputs,
        network.offset,
        None if network.skip is None else -network.skip,
        network.activation,
    )
    np.testing.assert_allclose(mirrored(points), network(-points), rtol=1e-12, atol=1e-12)
