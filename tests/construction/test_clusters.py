"""The construction of S4: cost, closed form, bound, hidden units, metric, exact values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import reluscape as rs
from construction_oracle import clusters, cost, least_squares, rational
from reluscape.construction.exact import exact_values

# The reference says 1e-12 relative for all of these.
RELATIVE = 1e-12
SIZES = [(2, 2), (3, 2), (5, 3), (8, 8), (50, 2), (50, 7), (31, 29), (50, 50)]


def drawn(seed, inputs, classes, noise):
    rng = np.random.default_rng(seed)
    x, labels = clusters(rng, inputs, classes, noise)
    return x, labels, rng.normal(size=(classes, classes))


@pytest.mark.parametrize("noise", [0.3, 0.1, 0.01])
@pytest.mark.parametrize(("inputs", "classes"), SIZES)
def test_cost_is_the_closed_form_and_below_the_bound(inputs, classes, noise):
    for seed in range(2):
        x, labels, outputs = drawn([seed, inputs, classes], inputs, classes, noise)
        for y in (np.eye(classes), outputs):
            made = rs.construct(x, labels, Y=y)
            evaluated = cost(made.network, x, labels, y)
            assert evaluated == pytest.approx(made.closed_form_cost, rel=RELATIVE)
            assert made.cost == pytest.approx(made.closed_form_cost, rel=RELATIVE)
            assert made.cost <= made.bound
            assert made.bound == pytest.approx(np.linalg.norm(y, 2) * made.delta_P)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 50).flatmap(lambda m: st.tuples(st.just(m), st.integers(2, m))),
    st.sampled_from([0.3, 0.1, 0.01]),
)
@settings(max_examples=25)
def test_hidden_units_and_metric(seed, size, noise):
    inputs, classes = size
    x, labels, outputs = drawn(seed, inputs, classes, noise)
    made = rs.construct(x, labels, Y=outputs)
    assert made.cost <= made.bound
    evaluated = cost(made.network, x, labels, outputs)
    assert evaluated == pytest.approx(made.closed_form_cost, rel=RELATIVE)
    w1, b1, w2, b2 = made.parameters
    hidden = np.maximum(x @ w1.T + b1, 0.0)
    assert np.all(hidden[:, :classes] > 0.0)
    assert np.all(hidden[:, classes:] == 0.0)
    assert w1.shape == (inputs, inputs)
    np.testing.assert_allclose(w1 @ w1.T, np.eye(inputs), atol=1e-13)
    assert np.linalg.det(w1) == pytest.approx(1.0)
    # R P R^T = diag(1, .., 1, 0, .., 0), with P from least squares on the means.
    means = np.array([x[labels == j].mean(axis=0) for j in range(classes)]).T
    projector = means @ np.linalg.lstsq(means, np.eye(inputs))[0]
    wanted = np.diag([1.0] * classes + [0.0] * (inputs - classes))
    np.testing.assert_allclose(w1 @ projector @ w1.T, wanted, atol=1e-11 * made.condition)
    # Theorem C: the distance of the outputs is the distance in the subspace.
    out = hidden @ w2.T + b2
    away = np.linalg.norm(out[:, np.newaxis] - outputs.T[np.newaxis], axis=2)
    scale = away.max()
    np.testing.assert_allclose(made.distances(x), away, rtol=0, atol=RELATIVE * scale)
    pen = np.linalg.lstsq(means, np.eye(inputs))[0]
    direct = np.linalg.norm(outputs @ pen @ (x[0] - means[:, 0]))
    assert made.distance(x[0], 0) == pytest.approx(direct, rel=1e-10 * made.condition)
    np.testing.assert_array_equal(made.classify(x), np.argmin(away, axis=1))
    np.testing.assert_allclose(made.compact(x), made.network(x), rtol=0, atol=1e-11 * scale)


@pytest.mark.parametrize(("inputs", "classes"), [(2, 2), (4, 3), (3, 3)])
def test_against_exact_rationals(inputs, classes):
    x, labels, outputs = drawn(7, inputs, classes, 0.2)
    weights = np.random.default_rng(1).integers(0, 3, len(x)) / 2
    weights[: 2 * classes] = 1.0
    exact = rational(x, labels.tolist(), outputs, weights)
    made = rs.construct(x, labels, Y=outputs, weights=weights)
    np.testing.assert_allclose(made.means, np.array(exact["means"], float), rtol=1e-15, atol=1e-16)
    assert made.closed_form_cost**2 == pytest.approx(float(exact["C2"]), rel=1e-13)
    assert made.cost**2 == pytest.approx(float(exact["C2"]), rel=1e-12)
    assert made.class_weighted_cost**2 == pytest.approx(float(exact["CN2"]), rel=1e-13)
    assert made.delta_P**2 == pytest.approx(float(exact["delta_P2"]), rel=1e-13)
    d = np.array(exact["noise"], float)
    covariance = (d.T * weights) @ d / weights.sum()
    np.testing.assert_allclose(made.covariance, covariance, rtol=1e-12, atol=1e-15)
    away = x - made.means[labels]
    counted = weights > 0
    assert made.delta == pytest.approx(np.linalg.norm(away[counted], axis=1).max(), rel=1e-14)
    worst = [np.linalg.norm(d[counted & (labels == j)], axis=1).max() for j in range(classes)]
    np.testing.assert_allclose(made.class_delta_P, worst, rtol=1e-12)


def test_the_reference_case():
    x = [[1.1, 0.0], [0.9, 0.0], [0.1, 1.0], [-0.1, 1.0]]
    made = rs.construct(x, [1, 1, 2, 2])
    assert made.delta_P == pytest.approx(0.1, rel=1e-14)
    assert made.exact.upper**2 == pytest.approx(0.02, rel=1e-14)
    assert made.exact.tied**2 == pytest.approx(1 / 51, rel=1e-14)
    assert made.exact.affine == 0.0
    tied = made.network_for(made.exact.tied_readout)
    w2 = tied.outputs.T @ tied.weights
    np.testing.assert_allclose(w2, np.diag([1 / 1.02, 1.0]), atol=1e-15)
    free = made.network_for(made.exact.affine_readout, made.exact.affine_shift)
    points = np.array(x)
    np.testing.assert_allclose(
        free(x), np.column_stack([1 - points[:, 1], points[:, 1]]), atol=1e-14
    )


@pytest.mark.parametrize("classes", [2, 3, 5, 8])
def test_exact_values_are_those_of_least_squares(classes):
    x, labels, outputs = drawn(classes, classes, classes, 0.2)
    made = rs.construct(x, labels, Y=outputs)
    exact = made.exact
    tied, tied_values = least_squares(x, labels, outputs, constant=False)
    free, free_values = least_squares(x, labels, outputs, constant=True)
    assert exact.tied == pytest.approx(tied, rel=1e-11)
    assert exact.affine == pytest.approx(free, rel=1e-11)
    assert exact.affine < exact.tied < exact.upper == pytest.approx(made.class_weighted_cost)
    assert exact.relative_error == pytest.approx((exact.upper - tied) / tied, rel=1e-9)
    near = {"rtol": 0, "atol": 1e-11 * made.condition}
    np.testing.assert_allclose(made.network_for(exact.tied_readout)(x), tied_values, **near)
    affine = made.network_for(exact.affine_readout, exact.affine_shift)
    np.testing.assert_allclose(affine(x), free_values, **near)


def test_no_descent_finds_less_in_the_linear_regime():
    x, labels, outputs = drawn(3, 2, 2, 0.3)
    made = rs.construct(x, labels, Y=outputs)
    goals, share = outputs[:, labels].T, 1.0 / np.bincount(labels)[labels]

    def loss(theta, constant):
        values = x @ theta[:4].reshape(2, 2) + (theta[4:] if constant else 0.0)
        return np.sum(share[:, np.newaxis] * (values - goals) ** 2)

    for constant, value in ((False, made.exact.tied), (True, made.exact.affine)):
        found = minimize(loss, np.zeros(6), args=(constant,), method="BFGS", tol=1e-12)
        assert np.sqrt(found.fun) == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize("classes", [2, 4])
def test_relative_error_over_the_square_of_the_noise_converges(classes):
    """(C_N* - C_N**) / C_N** = tr(Y D^2 Y^T) / (2 tr(Y D Y^T)) + O(delta_P^4)."""
    rng = np.random.default_rng(5)
    means, labels = rng.normal(size=(classes, classes)), np.arange(classes).repeat(6)
    noise = rng.normal(size=(len(labels), classes))
    ratios = []
    for scale in (1e-2, 1e-3, 1e-4):
        made = rs.construct(means[labels] + scale * noise, labels)
        ratios.append(made.exact.relative_error / made.delta_P**2)
        d = np.linalg.solve(made.means.T, (scale * noise + means[labels] - made.means[labels]).T).T
        square = sum(d[labels == j].T @ d[labels == j] / 6 for j in range(classes))
        limit = np.trace(square @ square) / (2 * np.trace(square)) / made.delta_P**2
        assert ratios[-1] == pytest.approx(limit, rel=10 * classes * made.delta_P**2 + 1e-9)
        assert made.exact.relative_error <= classes * made.delta_P**2 / 2
    assert abs(ratios[2] - ratios[1]) < abs(ratios[1] - ratios[0])
    assert ratios[2] == pytest.approx(ratios[1], rel=1e-3)


def test_tiny_noise_keeps_its_digits():
    """The values scale with the noise, so that none of them comes from a cancellation."""
    half = np.random.default_rng(2).integers(-8, 9, size=(9, 3)).astype(float)
    labels = np.tile(np.arange(3).repeat(3), 2)
    directions = np.concatenate([half, -half])  # the means stay where they are
    values = []
    for scale in (2.0**-20, 2.0**-30):
        exact = rs.construct(np.eye(3)[labels] + scale * directions, labels).exact
        values.append(np.array([exact.upper, exact.tied, exact.affine]) / scale)
    np.testing.assert_allclose(values[0], values[1], rtol=1e-9)
    noise = sum(directions[labels == j].T @ directions[labels == j] / 6 for j in range(3))
    tiny = exact_values(noise * 2.0**-80, np.eye(3))
    # To first order: what regression on the sum of the components leaves of the noise.
    limit = np.trace(noise) - np.ones(3) @ noise @ noise @ np.ones(3) / noise.sum()
    assert tiny.affine * 2.0**40 == pytest.approx(np.sqrt(limit), rel=1e-13)
    assert tiny.tied * 2.0**40 == pytest.approx(np.sqrt(np.trace(noise)), rel=1e-13)


def test_network_saves_and_descends(tmp_path):
    x, labels, _ = drawn(1, 5, 3, 0.3)
    made = rs.construct(x, labels)
    made.network.save(tmp_path / "net.json")
    assert rs.load_network(tmp_path / "net.json") == made.network
    problem = rs.Samples(x, np.eye(3)[labels])
    assert problem.risk(made.network) == pytest.approx(made.cost**2, rel=1e-10)
    run = rs.descend(problem, made.network, step_size=1e-4, steps=50)
    assert run.risks[-1] < run.risks[0]


def test_symmetries():
    x, labels, outputs = drawn(4, 6, 3, 0.2)
    made = rs.construct(x, labels, Y=outputs)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(x))
    shuffled = rs.construct(x[order], labels[order], Y=outputs)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    turned = rs.construct(x @ turn, labels, Y=outputs)
    scaled = rs.construct(1e3 * x, labels, Y=outputs)
    for other in (shuffled, turned, scaled):
        assert other.cost == pytest.approx(made.cost, rel=1e-12)
        assert other.delta_P == pytest.approx(made.delta_P, rel=1e-12)
        assert other.condition == pytest.approx(made.condition, rel=1e-12)
    # delta_P does not change under maps of the subspace onto itself: with M = Q, all of them.
    y, names, _ = drawn(4, 3, 3, 0.2)
    mixed = rs.construct(y @ rng.normal(size=(3, 3)), names)
    assert mixed.delta_P == pytest.approx(rs.construct(y, names).delta_P, rel=1e-11)
    # Renaming the classes permutes them.
    renamed = rs.construct(x, [("c", "b", "a")[j] for j in labels], Y=outputs[:, ::-1])
    assert renamed.classes == ("a", "b", "c")
    assert renamed.cost == pytest.approx(made.cost, rel=1e-12)


def test_means_as_outputs_are_nearest_means():
    rng = np.random.default_rng(9)
    x, labels = clusters(rng, 6, 4, 1.0, rows=200)
    made = rs.construct(x, labels, Y="means")
    means = np.array([x[labels == j].mean(axis=0) for j in range(4)])
    away = np.linalg.norm(x[:, np.newaxis] - means, axis=2)
    np.testing.assert_array_equal(made.classify(x), away.argmin(axis=1))
    assert made.cost == pytest.approx(cost(made.network, x, labels, made.Y), rel=1e-12)
    # Distances are those of the projections.
    basis = np.linalg.qr(means.T)[0]
    projected = np.linalg.norm((x[:, np.newaxis] - means) @ basis, axis=2)
    np.testing.assert_allclose(made.distances(x), projected, rtol=1e-11)


def test_margins_are_distances_to_the_border():
    x, labels, outputs = drawn(6, 4, 3, 0.6)
    made = rs.construct(x, labels, Y=outputs)
    margins = made.margins(x, labels)
    np.testing.assert_array_equal(margins < 0, made.classify(x) != labels)
    assert np.all(made.margins(x) >= 0)
    # Brute force: how far the outputs have to go towards any other class to be assigned to it.
    out = made.outputs(x)
    for i in range(5):
        own = labels[i]
        found = []
        for other in {0, 1, 2} - {own}:
            towards = made.Y[:, other] - made.Y[:, own]
            towards = towards / np.linalg.norm(towards)
            grid = np.linspace(-20, 20, 400_001)[:, np.newaxis]
            path = out[i] + grid * towards
            gap = np.linalg.norm(path - made.Y[:, own], axis=1)
            gap -= np.linalg.norm(path - made.Y[:, other], axis=1)
            found.append(grid[np.argmin(np.abs(gap)), 0])
        assert margins[i] == pytest.approx(min(found), abs=2e-4)


def test_texts():
    x, labels, _ = drawn(1, 3, 3, 0.1)
    made = rs.construct(x, labels)
    for text in (str(made), made._repr_html_()):
        assert "least, b2 free" in text
        assert f"{made.cost:.10g}" in text
    one = rs.construct(iter([(x, labels)]))
    assert "at most" in str(one)
