"""tanh and softplus on an interval: the numbers of theory, adaptive quadrature, differences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit

import reluscape as rs

ACT = {
    "tanh": np.tanh,
    "softplus": lambda y: np.logaddexp(0.0, y),
}


def with_best_outputs(problem, network):
    """Return the risk with outer weights and offset solved for: the risk is quadratic in them."""
    k = network.width
    outer = np.arange(2 * k, 3 * k + 1)
    theta = network.to_vector()
    hessian = problem.hessian(network)[np.ix_(outer, outer)]
    theta[outer] -= np.linalg.solve(hessian, problem.gradient(network)[outer])
    return problem.risk(rs.Network.from_vector(theta, activation=network.activation))


def test_affine_target_by_flat_tanh():
    """S0-5: the best v and c for tanh(eps x) at eps = 0.1."""
    problem = rs.Interval(rs.affine(1, 0), -1, 1)
    risk = with_best_outputs(problem, rs.Network([0.1], [0.0], [0.0], activation="tanh"))
    assert risk == pytest.approx(5.054630683e-07, rel=1e-9)


@pytest.mark.parametrize(("k", "risk"), [(20, 7.512855645e-05), (100, 6.0102845158e-07)])
def test_ramp_by_steep_softplus(k, risk):
    """S0-5: log(1 + e^(k x)) / k against max(x, 0) on [-1, 1]."""
    problem = rs.Interval(rs.expression("max(x, 0)"), -1, 1)
    network = rs.Network([k], [0.0], [1.0 / k], activation="softplus")
    assert problem.risk(network) == pytest.approx(risk, rel=1e-10)


@pytest.mark.parametrize("name", ACT)
@pytest.mark.parametrize("steep", [0.3, 3.0, 400.0])
def test_risk_by_adaptive_quadrature(name, steep):
    rng = np.random.default_rng(7)
    w, b, v = rng.normal(size=(3, 3)) * [[steep], [steep / 2], [1.0]]
    target = rs.expression("piecewise(x^2, x < 1/3, 1 - x)")
    problem = rs.Interval(target, -1, 2, rs.expression("1 + x/4"))
    network = rs.Network(w, b, v, 0.3, skip=[0.7], activation=name)

    def integrand(x):
        value = float(ACT[name](w * x + b) @ v) + 0.3 + 0.7 * x
        return (value - float(target(x))) ** 2 * (1 + x / 4)

    bends = sorted(t for t in [1 / 3, *(-b / w)] if -1 < t < 2)
    cuts = [-1.0, *bends, 2.0]
    expected = sum(
        quad(integrand, low, high, epsabs=0, epsrel=1e-12, limit=400)[0]
        for low, high in pairwise(cuts)
    )
    assert problem.risk(network) == pytest.approx(expected, rel=1e-10)
    assert network([0.5])[0] == pytest.approx(float(ACT[name](w * 0.5 + b) @ v) + 0.65)


@pytest.mark.parametrize("name", ACT)
def test_derivatives_by_differences(name):
    rng = np.random.default_rng(3)
    network = rs.Network(*rng.normal(size=(3, 2)), 0.1, skip=[-0.4], activation=name)
    problem = rs.Interval(rs.polynomial([0, 1, -1]), 0, 1.5)
    theta, step = network.to_vector(), 1e-5
    gradient, hessian = np.empty(len(theta)), np.empty((len(theta), len(theta)))
    for i in range(len(theta)):
        ends = []
        for sign in (1, -1):
            moved = theta.copy()
            moved[i] += sign * step
            ends.append(rs.Network.from_vector(moved, skip=True, activation=name))
        gradient[i] = (problem.risk(ends[0]) - problem.risk(ends[1])) / (2 * step)
        hessian[i] = (problem.gradient(ends[0]) - problem.gradient(ends[1])) / (2 * step)
    assert problem.gradient(network) == pytest.approx(gradient, abs=1e-8)
    assert problem.hessian(network) == pytest.approx(hessian, abs=1e-8)


def test_derivative_of_softplus_is_the_logistic_function():
    """The offset's share of the gradient of a wide, flat problem is known in closed form."""
    network = rs.Network([2.0], [0.5], [1.0], activation="softplus")
    samples = rs.Samples([0.25], [0.0])
    value = np.logaddexp(0.0, 1.0)
    expected = [2 * value * expit(1.0) * 0.25, 2 * value * expit(1.0), 2 * value * value, 2 * value]
    assert samples.gradient(network) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("name", ACT)
def test_saved_and_loaded(name, tmp_path):
    network = rs.Network([1.0], [0.0], [1.0], activation=name)
    network.save(tmp_path / "net.json")
    assert rs.load_network(tmp_path / "net.json") == network


@pytest.mark.parametrize("name", ACT)
def test_what_needs_breakpoints_refuses(name):
    network = rs.Network([1.0], [0.0], [1.0], activation=name)
    problem = rs.Interval(rs.affine(1, 0), 0, 1)
    for verb in (
        network.breakpoints,
        network.canonical,
        lambda: rs.classify(problem, network),
        lambda: rs.polish(problem, network),
        lambda: rs.descend(problem, network, step_size=0.1, steps=1),
        lambda: rs.flow(problem, network, time=1.0),
    ):
        with pytest.raises(rs.InputError):
            verb()
    with pytest.raises(rs.InputError, match="input"):
        problem.risk(rs.Network([[1.0, 2.0]], [0.0], [1.0], activation=name))
