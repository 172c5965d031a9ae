"""Dense sums over data against rational arithmetic: differences with a step of 2^-80 are exact."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reluscape.errors import InputError
from reluscape.networks.activations import leaky
from reluscape.networks.network import Network
from reluscape.problems import dense

TINY = Fraction(1, 2**80)
CASES = [
    (inputs, targets, skip, activation)
    for inputs in (1, 3)
    for targets in (None, 2)
    for skip in (False, True)
    for activation in ("relu", leaky(0.25))
]


def exact_risk(theta, shape, x, y, weights):
    """The risk in rational arithmetic; theta in the order of `to_vector`."""
    width, inputs, targets, skip, slope = shape
    parts = iter(theta)
    w = [[next(parts) for _ in range(inputs)] for _ in range(width)]
    b = [next(parts) for _ in range(width)]
    v = [[next(parts) for _ in range(targets)] for _ in range(width)]
    c = [next(parts) for _ in range(targets)]
    u = [[next(parts) for _ in range(targets)] for _ in range(inputs)] if skip else None
    total = Fraction(0)
    for row, goal, weight in zip(x, y, weights, strict=True):
        value = list(c)
        for j in range(width):
            pre = b[j] + sum(p * q for p, q in zip(w[j], row, strict=True))
            act = max(pre, slope * pre)
            value = [value[k] + v[j][k] * act for k in range(targets)]
        if u is not None:
            value = [
                value[k] + sum(u[i][k] * row[i] for i in range(inputs)) for k in range(targets)
            ]
        total += weight * sum((p - q) ** 2 for p, q in zip(value, goal, strict=True))
    return total


def rationals(array):
    return np.vectorize(Fraction, otypes=[object])(array).tolist()


class Case:
    """A random network with data, in floats and in rationals."""

    def __init__(self, inputs, targets, skip, activation, seed=0, rows=9, width=3):
        rng = np.random.default_rng(seed)
        tail = () if targets is None else (targets,)
        self.network = Network(
            rng.normal(size=(width, inputs)),
            rng.normal(size=width),
            rng.normal(size=(width, *tail)),
            rng.normal(size=tail),
            rng.normal(size=(inputs, *tail)) if skip else None,
            activation,
        )
        self.x = rng.normal(size=(rows, inputs))
        self.y = rng.normal(size=(rows, *tail))
        self.weights = rng.uniform(size=rows)
        self.data = (self.x, self.y, self.weights)
        slope = Fraction(self.network.activation.slope)
        self.shape = (width, inputs, targets or 1, skip, slope)
        self.theta = rationals(self.network.to_vector())

    def exact_risk(self, *steps):
        """The risk where some parameters have moved, `steps` being (index, distance)."""
        theta = list(self.theta)
        for index, distance in steps:
            theta[index] += distance
        y = self.y.reshape(self.y.shape[0], -1)
        return exact_risk(
            theta, self.shape, rationals(self.x), rationals(y), rationals(self.weights)
        )

    def exact_gradient(self):
        return [
            float((self.exact_risk((i, TINY)) - self.exact_risk((i, -TINY))) / (2 * TINY))
            for i in range(len(self.theta))
        ]


@pytest.mark.parametrize("case", CASES)
def test_risk_and_gradient_agree_with_rational_arithmetic(case):
    case = Case(*case)
    assert dense.risk(case.network, *case.data) == pytest.approx(
        float(case.exact_risk()), rel=1e-13
    )
    expected = case.exact_gradient()
    for at_zero in ("gt", "ge"):
        np.testing.assert_allclose(
            dense.gradient(case.network, *case.data, at_zero), expected, rtol=1e-11, atol=1e-12
        )


@pytest.mark.parametrize("case", CASES)
def test_hessian_agrees_with_rational_arithmetic(case):
    case = Case(*case, rows=5, width=2)
    size = len(case.theta)
    middle = case.exact_risk()
    up = [case.exact_risk((i, TINY)) for i in range(size)]
    expected = [
        [
            float((case.exact_risk((i, TINY), (j, TINY)) - up[i] - up[j] + middle) / TINY**2)
            for j in range(size)
        ]
        for i in range(size)
    ]
    actual = dense.hessian(case.network, *case.data)
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(actual, actual.T)


def test_blocks_change_nothing_but_rounding(monkeypatch):
    case = Case(3, 2, True, leaky(0.1), rows=1000, width=4)
    together = (
        dense.risk(case.network, *case.data),
        dense.gradient(case.network, *case.data),
        dense.hessian(case.network, *case.data),
    )
    monkeypatch.setattr(dense, "_ELEMENTS", 100)
    np.testing.assert_allclose(dense.risk(case.network, *case.data), together[0], rtol=1e-12)
    np.testing.assert_allclose(
        dense.gradient(case.network, *case.data), together[1], rtol=1e-10, atol=1e-10
    )
    np.testing.assert_allclose(
        dense.hessian(case.network, *case.data), together[2], rtol=1e-10, atol=1e-10
    )


def test_memory_does_not_grow_with_the_rows():
    rng = np.random.default_rng(0)
    rows, inputs, width = 200_000, 5, 20
    network = Network(
        rng.normal(size=(width, inputs)), rng.normal(size=width), rng.normal(size=width)
    )
    data = (rng.normal(size=(rows, inputs)), rng.normal(size=rows), np.full(rows, 1 / rows))
    for function in (dense.risk, dense.gradient, dense.hessian):
        tracemalloc.start()
        function(network, *data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 64e6, function.__name__


@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_both_conventions_where_a_row_sits_on_the_breakpoint(slope):
    # One row at the breakpoint x = 1 of w = 1, b = -1, v = 2; error 0 - 3, weight 1.
    network = Network([1.0], [-1.0], [2.0], activation=leaky(slope) if slope else "relu")
    data = (np.array([1.0]), np.array([3.0]), np.array([1.0]))
    # G_w = 2 v e x act'(0), G_b = 2 v e act'(0), G_v = 0, G_c = 2 e
    left, right = -12.0 * slope, -12.0
    np.testing.assert_array_equal(dense.gradient(network, *data, "gt"), [left, left, 0.0, -6.0])
    np.testing.assert_array_equal(dense.gradient(network, *data, "ge"), [right, right, 0.0, -6.0])


def test_both_conventions_at_a_degenerate_neuron():
    # S2-3: (w, b, v, c) = (0, 0, 1, 1/2) is critical under ">" and not under ">=".
    network = Network([0.0], [0.0], [1.0], 0.5)
    x = (np.arange(1000) + 0.5) / 1000
    data = (x, x, np.full(1000, 1e-3))
    np.testing.assert_allclose(dense.gradient(network, *data, "gt"), 0.0, atol=1e-15)
    np.testing.assert_allclose(
        dense.gradient(network, *data, "ge"), [-1 / 6, 0.0, 0.0, 0.0], atol=1e-6
    )


small = st.floats(-3, 3).map(lambda value: round(value, 3))


@st.composite
def problems(draw):
    rows, width = draw(st.integers(1, 6)), draw(st.integers(0, 4))
    inputs = draw(st.integers(1, 3))

    def array(*shape):
        size = int(np.prod(shape))
        return np.array(draw(st.lists(small, min_size=size, max_size=size))).reshape(shape)

    network = Network(
        array(width, inputs),
        array(width),
        array(width),
        array(),
        array(inputs) if draw(st.booleans()) else None,
        draw(st.sampled_from(["relu", leaky(0.25)])),
    )
    return network, (array(rows, inputs), array(rows), np.full(rows, 1.0 / rows))


def split(network, gradient):
    ends = np.cumsum([network.width * network.inputs, network.width, network.width, 1])
    w, b, v, c, u = np.split(gradient, ends)
    return w.reshape(network.width, network.inputs), b, v, c, u


def near(actual, expected):
    scale = 1.0 + np.abs(expected).max(initial=0.0)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-10 * scale)


@given(problems(), st.floats(0.2, 5))
def test_rescaling_a_neuron_keeps_the_risk_and_scales_the_gradient(problem, factor):
    network, data = problem
    other = Network(
        factor * network.weights,
        factor * network.biases,
        network.outputs / factor,
        network.offset,
        network.skip,
        network.activation,
    )
    # A row on a breakpoint may leave it by rounding; the gradient jumps there.
    if (np.abs(data[0] @ network.weights.T + network.biases) < 1e-9).any():
        return
    near(dense.risk(other, *data), dense.risk(network, *data))
    w, b, v, c, u = split(network, dense.gradient(network, *data))
    expected = np.concatenate([(w / factor).ravel(), b / factor, v * factor, c, u])
    near(dense.gradient(other, *data), expected)


@given(problems(), st.sampled_from(["gt", "ge"]))
def test_euler_balance(problem, at_zero):
    # w · G_w + b G_b = v G_v for every neuron.
    network, data = problem
    w, b, v, _, _ = split(network, dense.gradient(network, *data, at_zero))
    inner = (network.weights * w).sum(axis=1) + network.biases * b
    near(inner, network.outputs * v)


@given(problems(), st.floats(-3, 3))
def test_constant_target_identity(problem, level):
    # <G, (0, 0, v, c - beta, u)> = 2 L when the target is the constant beta.
    network, (x, y, weights) = problem
    data = (x, np.full_like(y, level), weights)
    _, _, v, c, u = split(network, dense.gradient(network, *data))
    inner = v @ network.outputs + float(c[0]) * (float(network.offset) - level)
    if network.skip is not None:
        inner += u @ network.skip
    near(inner, 2 * dense.risk(network, *data))


@given(problems(), st.randoms())
def test_permutation_permutes_the_gradient(problem, random):
    network, data = problem
    order = list(range(network.width))
    random.shuffle(order)
    other = Network(
        network.weights[order],
        network.biases[order],
        network.outputs[order],
        network.offset,
        network.skip,
        network.activation,
    )
    w, b, v, c, u = split(network, dense.gradient(network, *data))
    expected = np.concatenate([w[order].ravel(), b[order], v[order], c, u])
    near(dense.gradient(other, *data), expected)


@given(problems(), st.sampled_from([-2.0, -0.5, 1.0, 4.0]))
def test_shift_and_reflection_of_the_inputs(problem, shift):
    network, (x, y, weights) = problem
    if (np.abs(x @ network.weights.T + network.biases) < 1e-9).any():
        return
    skip = np.zeros(network.inputs) if network.skip is None else network.skip
    moved = Network(
        network.weights,
        network.biases - network.weights.sum(axis=1) * shift,
        network.outputs,
        network.offset - skip.sum() * shift,
        network.skip,
        network.activation,
    )
    w, b, v, c, u = split(network, dense.gradient(network, x, y, weights))
    pushed_u = u + c * shift if network.skip is not None else u
    expected = np.concatenate([(w + b[:, np.newaxis] * shift).ravel(), b, v, c, pushed_u])
    near(dense.gradient(moved, x + shift, y, weights), expected)
    mirrored = Network(
        -network.weights,
        network.biases,
        network.outputs,
        network.offset,
        None if network.skip is None else -network.skip,
        network.activation,
    )
    expected = np.concatenate([-w.ravel(), b, v, c, -u])
    near(dense.gradient(mirrored, -x, y, weights), expected)


@settings(max_examples=20)
@given(problems())
def test_targets_add_up(problem):
    network, (x, y, weights) = problem
    twice = Network(
        network.weights,
        network.biases,
        np.column_stack([network.outputs, -network.outputs]),
        [network.offset, -network.offset],
        None if network.skip is None else np.column_stack([network.skip, -network.skip]),
        network.activation,
    )
    both = dense.risk(twice, x, np.column_stack([y, -y]), weights)
    near(both, 2 * dense.risk(network, x, y, weights))


def test_wrong_calls_are_refused():
    network = Network([[1.0, 2.0]], [0.0], [1.0])
    x, y, weights = np.ones((3, 2)), np.ones(3), np.ones(3)
    with pytest.raises(InputError, match="3, 2 and"):
        dense.risk(network, x, y[:2], weights)
    with pytest.raises(InputError, match="1 input"):
        dense.risk(network, x[:, :1], y, weights)
    with pytest.raises(InputError, match="at_zero"):
        dense.gradient(network, x, y, weights, "=")
    with pytest.raises(InputError, match="largest float"):
        dense.risk(network, 1e300 * x, y, weights)
    with pytest.raises(InputError, match="largest float"):
        dense.gradient(network, 1e300 * x, y, weights)
    with pytest.raises(InputError, match="largest float"):
        dense.hessian(network, 1e300 * x, y, weights)
