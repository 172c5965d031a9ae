"""Newton's method in a trust region: its steps are the least of the model, its ends are at rest."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from reluscape.problems.units import unitless
from reluscape.training.chart import Chart, Moves
from reluscape.training.trust_region import _Krylov, _Whole, newton
from several_cases import like, normal, taught


def values_in_ball(hessian, gradient, radius, rng):
    """The model at many points of a ball, its border included."""
    points = rng.normal(size=(20_000, len(gradient)))
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    shares = np.minimum(1.0, 1.5 * rng.random((20_000, 1)))
    points *= radius * shares / lengths
    return points @ gradient + 0.5 * np.einsum("ki,ij,kj->k", points, hessian, points)


@pytest.mark.parametrize("eigenvalues", [(1, 2, 3), (-1, 0.5, 4), (-2, -1, -0.5), (0, 0, 1)])
@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("radius", [0.1, 1.0, 10.0])
def test_the_exact_step_is_least_in_the_ball(eigenvalues, hard, radius):
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    hessian = axes @ np.diag(eigenvalues).astype(float) @ axes.T
    # The hard case: nothing of the gradient along the least eigenvector.
    gradient = axes @ np.array([0.0 if hard else 0.7, -0.4, 0.9])
    move, promised = _Whole(hessian, gradient).step(radius)
    assert np.linalg.norm(move) <= radius * 1.01
    assert promised == pytest.approx(-(gradient @ move + 0.5 * move @ hessian @ move))
    best = -values_in_ball(hessian, gradient, radius, rng).min()
    assert promised >= best * (1.0 - 5e-3)


def test_conjugate_gradients_solve_and_stop_at_the_border():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(6, 6))
    hessian, gradient = root @ root.T + np.eye(6), 1e-3 * rng.normal(size=6)
    move, promised = _Krylov(lambda v: hessian @ v, gradient).step(10.0)
    exact = -np.linalg.solve(hessian, gradient)
    best = 0.5 * -gradient @ exact
    assert 0.95 * best < promised <= best * (1.0 + 1e-12)
    hessian -= 20.0 * np.eye(6)
    move, promised = _Krylov(lambda v: hessian @ v, gradient).step(0.5)
    assert np.linalg.norm(move) == pytest.approx(0.5)
    assert promised > 0.0


class Monkey:
    """The surface x^3 - 3 x y^2 + (x^2 + y^2)^2: a flat saddle at 0, minima around it."""

    nothing = Moves(np.empty((0, 2), dtype=np.int64), np.empty((0, 2)), np.arange(2))

    def value(self, t):
        return t[0] ** 3 - 3 * t[0] * t[1] ** 2 + (t @ t) ** 2

    def gradient(self, t):
        cubic = np.array([3 * t[0] ** 2 - 3 * t[1] ** 2, -6 * t[0] * t[1]])
        return cubic + 4 * (t @ t) * t

    def hessian(self, t):
        cubic = 6 * np.array([[t[0], -t[1]], [-t[1], -t[0]]])
        return cubic + 4 * (t @ t) * np.eye(2) + 8 * np.outer(t, t)

    def size(self, t):
        return 1.0

    def blur(self, t, height):
        return 1e-16

    def balanced(self, t):
        return t

    def moves(self, t):
        return self.nothing


def test_it_goes_past_a_saddle():
    """In polar coordinates r^3 cos 3a + r^4: the minima are at r = 3/4, height -27/256."""
    surface = Monkey()
    end = newton(surface, np.array([1e-3, 1e-4]), 100)
    assert np.linalg.norm(end.theta) == pytest.approx(0.75)
    assert surface.value(end.theta) == pytest.approx(-27 / 256)
    stays = newton(surface, np.zeros(2), 100)
    assert stays.iterations == 0


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("problem", [taught(3), normal(3)])
def test_the_chart_has_the_derivatives_of_its_values(problem, skip):
    rng, own = np.random.default_rng(4), unitless(problem)
    d = problem.inputs
    net = rs.Network(
        rng.normal(size=(3, d)),
        0.3 * rng.normal(size=3),
        rng.normal(size=3),
        0.3,
        rng.normal(size=d) if skip else None,
    )
    chart = Chart(own, net)
    theta = chart.vector(net)
    assert np.abs(chart.network(theta).to_vector() - net.to_vector()).max() < 1e-14
    steps = 1e-6 * np.eye(len(theta))
    slopes = [(chart.value(theta + e) - chart.value(theta - e)) / 2e-6 for e in steps]
    bends = [(chart.gradient(theta + e) - chart.gradient(theta - e)) / 2e-6 for e in steps]
    np.testing.assert_allclose(chart.gradient(theta), slopes, atol=1e-7, rtol=1e-7)
    np.testing.assert_allclose(chart.hessian(theta), bends, atol=1e-6, rtol=1e-7)


def test_moves_leave_out_rescaling_only():
    rng, own = np.random.default_rng(5), unitless(normal(5))
    net = rs.Network(rng.normal(size=(3, 4)), rng.normal(size=3), [1.0, 0.0, -2.0])
    chart = Chart(own, net)
    theta = chart.balanced(chart.vector(net))
    assert chart.value(theta) == pytest.approx(chart.value(chart.vector(net)), rel=1e-14)
    moves = chart.moves(theta)
    basis = np.array([moves.expand(e, len(theta)) for e in np.eye(len(moves.kept))]).T
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-14)
    # Neuron 1 has v = 0: all of its moves change the derivatives.
    assert basis.shape == (len(theta), len(theta) - 2)
    for j in (0, 2):
        scaled = like(net, theta)
        direction = np.zeros(len(theta))
        direction[chart.places[j]] = [*scaled.weights[j], scaled.biases[j], -scaled.outputs[j]]
        assert np.abs(basis.T @ direction).max() < 1e-13
