"""The spurious minimum of Safran and Shamir (theory 6.6), seen with biases and without."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from several_cases import (
    falls,
    perturbed,
)

LOCAL, SADDLE, NOT, GLOBAL = "local minimum", "saddle", "not critical", "global minimum"


@pytest.fixture(scope="module")
def spurious():
    """The local minimum of F(W) for k = 7, v = 1 and b = c = 0, by Newton's method on W alone."""
    from scipy.optimize import minimize

    k = 7
    problem = rs.Gaussian(rs.Network(np.eye(k), np.zeros(k), np.ones(k)))

    def network(w, skip=None):
        return rs.Network(w.reshape(k, k), np.zeros(k), np.ones(k), 0.0, skip)

    def half(w):
        net = network(w)
        return problem.risk(net) / 2.0, problem.gradient(net)[: k * k] / 2.0

    # The first seed whose descent ends there.
    begin = np.random.default_rng(5).normal(size=k * k) / np.sqrt(k)
    w = minimize(half, begin, jac=True, method="BFGS", options={"gtol": 1e-7}).x
    for _ in range(4):
        w = w - np.linalg.solve(problem.hessian(network(w))[: k * k, : k * k] / 2.0, half(w)[1])
    return problem, network, w


def test_the_spurious_minimum_of_students_without_biases(spurious):
    """F is half of the risk: 0.023203 for k = 7."""
    problem, network, w = spurious
    net = network(w)
    assert problem.risk(net) / 2.0 == pytest.approx(0.023203, abs=5e-7)
    inner = problem.hessian(net)[:49, :49]
    assert np.linalg.norm(problem.gradient(net)[:49]) < 1e-13
    assert np.linalg.eigvalsh(inner).min() > 0.01


def test_it_is_not_critical_once_biases_may_move(spurious):
    problem, network, w = spurious
    net = network(w)
    verdict = rs.classify(problem, net)
    assert verdict.kind == NOT
    assert falls(problem, net, verdict)
    # Outputs are at rest by Euler's identity, biases and the offset are not.
    gradient = problem.gradient(net)
    assert np.abs(gradient[56:63]).max() < 1e-13
    assert np.abs(gradient[49:56]).min() > 0.01


def test_biases_do_not_remove_it_and_a_skip_connection_does(spurious):
    problem, network, w = spurious
    end = rs.polish(problem, network(w))
    assert end.gradient_norm < 1e-9
    verdict = rs.classify(problem, end.network)
    assert verdict.kind == LOCAL
    # F = 0.0213896: lower than without biases, far from the global minimum 0.
    assert verdict.risk / 2.0 == pytest.approx(0.0213896, abs=5e-8)
    rng = np.random.default_rng(1)
    lowest = min(problem.risk(n) for n in perturbed(end.network, rng, 300, 1e-3))
    assert lowest >= verdict.risk * (1.0 - 1e-12)
    free = rs.polish(problem, network(w, np.zeros(7)))
    assert rs.classify(problem, free.network).kind == GLOBAL
