"""Quasi-Newton fits: criticality re-proved, known networks found, odd data survived."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from reluscape.errors import InputError
from reluscape.networks.activations import leaky
from reluscape.networks.network import Network
from reluscape.problems import dense
from reluscape.training.proposals import propose
from reluscape.training.quasi_newton import minimise
from reluscape.training.standardised import Parts, standardise


def uniform(y):
    return np.full(len(y), 1 / len(y))


def noisy(rows=150, inputs=3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, inputs))
    y = np.abs(x[:, 0]) - np.maximum(x[:, 1] - x[:, -1], 0.3) + 0.2 * rng.normal(size=rows)
    return x, y


def smallest_gradient(network, x, y, weights):
    """Norm of the smallest element of Clarke's subdifferential, by one box-constrained problem."""
    heights = x @ network.weights.T + network.biases
    lengths = np.linalg.norm(network.weights, axis=1)
    ties = np.argwhere(np.abs(heights) < 1e-9 * lengths)
    outputs = network.outputs.reshape(network.width, -1)
    errors = network(x).reshape(len(x), -1) - y.reshape(len(x), -1)
    slope = network.activation.slope
    gradient = dense.gradient(network, x, y, weights, "gt")
    jumps = np.zeros((gradient.size, len(ties)))
    bounds = np.zeros((2, len(ties)))
    for column, (i, j) in enumerate(ties):
        jump = (1 - slope) * 2 * weights[i] * (errors[i] @ outputs[j])
        jumps[j * network.inputs : (j + 1) * network.inputs, column] = jump * x[i]
        jumps[network.width * network.inputs + j, column] = jump
        # `gradient` has the derivative 0 or 1, as rounding put the row on one side.
        bounds[:, column] = (0.0, 1.0) if heights[i, j] <= 0 else (-1.0, 0.0)
    if not len(ties):
        return np.linalg.norm(gradient), 0
    found = lsq_linear(jumps, -gradient, bounds, tol=1e-15)
    return np.linalg.norm(gradient + jumps @ found.x), len(ties)


@pytest.mark.parametrize("activation", ["relu", leaky(0.1)])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("targets", [None, 2])
def test_the_result_is_critical_and_most_hyperplanes_meet_rows(activation, skip, targets):
    x, y = noisy()
    if targets:
        y = np.column_stack([y, np.maximum(x[:, 2], 0.0) + y**2 / 5])
    found = minimise(x, y, uniform(y), 3, skip=skip, activation=activation, starts=6)
    assert found.critical
    assert found.gradient_norm < 1e-9
    norm, ties = smallest_gradient(found.network, x, y, uniform(y))
    assert norm < 1e-7
    assert ties == found.ties
    assert found.risk == dense.risk(found.network, x, y, uniform(y))
    assert found.risk == pytest.approx(found.risks.min(), rel=1e-9)
    assert found.network.width == 3
    assert found.network.scalar == (targets is None)
    assert (found.network.skip is not None) == skip


def test_no_direction_leads_down_to_first_order():
    x, y = noisy()
    found = minimise(x, y, uniform(y), 4, starts=6)
    assert found.ties > 0
    theta = found.network.to_vector()
    rng = np.random.default_rng(0)
    for _ in range(300):
        direction = rng.normal(size=theta.size) * rng.choice([1.0, 0.0], size=theta.size)
        near = Network.from_vector(theta + 1e-6 * direction, inputs=3, skip=True)
        # A rise of second order is allowed for, a fall of first order is not.
        assert dense.risk(near, x, y, uniform(y)) > found.risk - 1e-10


def test_plain_gradient_descent_does_not_get_lower():
    x, y = noisy()
    found = minimise(x, y, uniform(y), 3, starts=6)
    theta, best = found.network.to_vector(), found.risk
    for step in (1e-2, 1e-3, 1e-4):
        moved = theta
        for _ in range(300):
            network = Network.from_vector(moved, inputs=3, skip=True)
            moved = moved - step * dense.gradient(network, x, y, uniform(y))
            best = min(best, dense.risk(network, x, y, uniform(y)))
    assert best > found.risk - 1e-9


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("activation", ["relu", leaky(0.2)])
def test_a_teacher_is_found(skip, activation):
    rng = np.random.default_rng(3)
    teacher = Network(
        rng.normal(size=(2, 4)),
        0.3 * rng.normal(size=2),
        [1.0, -2.0],
        0.5,
        rng.normal(size=4) if skip else None,
        activation,
    )
    x = rng.normal(size=(300, 4))
    found = minimise(x, teacher(x), np.full(300, 1 / 300), 2, skip=skip, activation=activation)
    assert found.critical
    assert found.risk < 1e-20
    fresh = rng.normal(size=(100, 4))
    np.testing.assert_allclose(found.network(fresh), teacher(fresh), atol=1e-8)


def test_one_hidden_kink_by_brute_force():
    # One input and one neuron: scan breakpoints, solving for the rest.
    rng = np.random.default_rng(5)
    x = np.sort(rng.uniform(size=80))
    y = np.maximum(x - 0.4, 0) * 3 - x + 0.1 * rng.normal(size=80)

    def best_at(t):
        columns = np.column_stack([np.ones(80), x, np.maximum(x - t, 0)])
        rest = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
        return np.mean(rest**2)

    scan = min(best_at(t) for t in np.linspace(x[1], x[-2], 5001))
    found = minimise(x, y, uniform(y), 1)
    assert scan - 1e-5 < found.risk <= scan
    assert found.network.scalar


def test_the_same_seed_gives_the_same_bits_and_units_do_not_matter():
    x, y = noisy()
    one, two = (minimise(x, y, uniform(y), 3, starts=4, seed=7) for _ in range(2))
    assert one.network == two.network
    np.testing.assert_array_equal(one.risks, two.risks)
    other = minimise(1e4 * x + 1e6, 1e-5 * y - 3, 7 * uniform(y), 3, starts=4, seed=7)
    assert other.risk == pytest.approx(7e-10 * one.risk, rel=1e-3)
    # Rows of weight 0 are not there.
    weights = np.append(uniform(y), 0.0)
    more = minimise(
        np.vstack([x, [[9.0, 9.0, 9.0]]]), np.append(y, 99.0), weights, 3, starts=4, seed=7
    )
    assert more.network == one.network


@pytest.mark.parametrize("size", [1e-150, 1e150])
def test_extreme_magnitudes(size):
    x, y = noisy()
    found = minimise(size * x, size * y, uniform(y), 2, starts=3)
    assert found.critical
    assert 0.0 < found.risk / size / size < np.var(y)


LEVEL = 3.25


@pytest.mark.parametrize(
    ("x", "y", "risk"),
    [
        (np.arange(6.0).reshape(3, 2), np.full(3, LEVEL), 0.0),  # y constant
        (np.full((4, 2), 7.0), np.array([0.0, 1.0, 0.0, 1.0]), 0.25),  # x constant
        (np.array([[1.0, 2.0]]), np.array([5.0]), 0.0),  # one row
        (np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([5.0, -1.0]), 0.0),  # two rows
        (np.eye(4), np.array([1.0, 2.0, 3.0, 4.0]), 0.0),  # rank deficient with the constant
    ],
)
@pytest.mark.parametrize("skip", [False, True])
def test_degenerate_data(x, y, risk, skip):
    found = minimise(x, y, uniform(y), 3, skip=skip, starts=4)
    assert found.risk == pytest.approx(risk, abs=1e-20)
    assert found.network.width == 3
    assert np.isfinite(found.network.to_vector()).all()


@pytest.mark.parametrize("skip", [False, True])
def test_width_zero_is_regression(skip):
    x, y = noisy()
    found = minimise(x, y, uniform(y), 0, skip=skip)
    columns = np.column_stack([np.ones(len(y)), x]) if skip else np.ones((len(y), 1))
    rest = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
    assert found.risk == pytest.approx(np.mean(rest**2), rel=1e-12)
    assert found.network.width == 0
    assert found.starts == len(found.risks) == 1


@pytest.mark.parametrize("skip", [False, True])
def test_an_exactly_linear_target_is_fitted_exactly(skip):
    x, _ = noisy()
    y = x @ [1.0, -2.0, 0.5] + 4.0
    assert minimise(x, y, uniform(y), 2, skip=skip).risk < 1e-20


def test_rows_on_a_grid():
    # A hyperplane meets more rows at once than it has coefficients: multipliers are not unique.
    a, b = np.meshgrid(np.arange(7.0), np.arange(7.0))
    x = np.column_stack([a.ravel(), b.ravel()])
    y = np.abs(x[:, 0] - x[:, 1]) - 0.5 * (x[:, 0] == x[:, 1])
    found = minimise(x, y, uniform(y), 1, starts=8)
    assert found.critical
    assert found.ties == 7
    assert smallest_gradient(found.network, x, y, uniform(y))[0] < 1e-7


def test_equal_rows_are_one_row():
    x, y = noisy(40)
    rng = np.random.default_rng(1)
    order = rng.permutation(120)
    noise = rng.normal(size=120)
    noise -= np.tile(noise.reshape(3, 40).mean(axis=0), 3)
    many_x, many_y = np.tile(x, (3, 1))[order], (np.tile(y, 3) + noise)[order]
    found = minimise(many_x, many_y, uniform(many_y), 2, starts=4)
    assert found.critical
    assert found.risk == pytest.approx(found.risks.min(), rel=1e-9)
    once = dense.risk(found.network, x, y, uniform(y))
    assert found.risk == pytest.approx(once + np.mean(noise**2), rel=1e-12)


def test_many_rows_begin_on_a_sample():
    x, y = noisy(20_000)
    found = minimise(x, y, uniform(y), 2, starts=6)
    assert found.critical
    assert found.starts == len(found.risks) == 6
    truth = np.abs(x[:, 0]) - np.maximum(x[:, 1] - x[:, -1], 0.3)
    assert np.mean((found.network(x) - truth) ** 2) < 1e-3


def test_more_inputs_than_rows():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 100)), rng.normal(size=30)
    for skip in (False, True):
        assert minimise(x, y, uniform(y), 2, skip=skip, starts=3).risk < 1e-20


def test_progress_is_told():
    x, y = noisy(50)
    told = []
    minimise(x, y, uniform(y), 1, starts=3, progress=lambda *args: told.append(args))
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert told[0] == ("start 1 of 3", 0.0)


@pytest.mark.parametrize("kind", range(4))
@pytest.mark.parametrize("skip", [False, True])
def test_proposals_pass_through_rows(kind, skip):
    x, y = noisy()
    activation = Network([1.0], [0.0], [1.0]).activation
    data = standardise(x, y[:, np.newaxis], uniform(y), 3, skip, activation)
    parts = propose(data, kind, np.random.default_rng(0))
    touched = (np.abs(parts.w @ data.x) < 1e-12).any(axis=1)
    whole = (parts.w @ data.x > 0.0).all(axis=1)
    assert (touched | whole).all()
    risk, gradient = data.risk_and_gradient(parts.pack())
    assert risk < 1.0
    # The gradient of the packed network, by central differences where no row is near a kink.
    parts = Parts(parts.w + np.array([0.0, 0.0, 0.0, 1e-3]), parts.v, parts.a)
    risk, gradient = data.risk_and_gradient(parts.pack())
    steps = 1e-6 * np.eye(gradient.size)
    numeric = [
        (
            data.risk_and_gradient(parts.pack() + step)[0]
            - data.risk_and_gradient(parts.pack() - step)[0]
        )
        / 2e-6
        for step in steps
    ]
    np.testing.assert_allclose(gradient, numeric, atol=1e-6)
    assert dense.risk(data.network(parts, True), x, y, uniform(y)) == pytest.approx(
        risk * data.y_scale**2, rel=1e-12
    )


def test_wrong_calls_are_refused():
    x, y = noisy(10)
    for arguments, options in [
        ((x, y[:5], uniform(y), 1), {}),
        ((x, y, uniform(y), -1), {}),
        ((x[:0], y[:0], y[:0], 1), {}),
        ((x[np.newaxis], y, uniform(y), 1), {}),
        ((x, y, uniform(y), 1), {"starts": 0}),
        ((x, y, uniform(y), 1), {"max_iterations": 0}),
        ((x, y, uniform(y), 1), {"activation": "tanh"}),
    ]:
        with pytest.raises(InputError):
            minimise(*arguments, **options)
