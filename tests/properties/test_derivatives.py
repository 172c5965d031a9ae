"""Gradients and Hessians are the derivatives of the risk."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given

import reluscape as rs
from oracles import data_exact, finite_differences, hessian_array, interval_exact
from records import Plain
from strategies import networks, rows, targets

STEP = 1e-5
# fourth order: truncation is far below; rounding of a risk of size R costs 1e-16 R / STEP
BY_RISK = 1e-9
# near a kink the second derivative varies like 1 / w over a step: differences of gradients
BY_GRADIENT = 1e-6


def from_theta(net: Plain):
    activation = rs.leaky(net.slope) if net.slope else "relu"

    def build(theta):
        return rs.Network.from_vector(theta, skip=net.u is not None, activation=activation)

    return build


def clear_of(net: Plain, points, margin: float) -> bool:
    """No kink within reach of the finite-difference steps of any of the points."""
    return all(abs(t - p) > margin for t in net.kinks() for p in points)


@given(networks(regular=True), rows())
def test_data_gradient(net, data):
    x, y, mass = data
    assume(clear_of(net, np.unique(x), 1e-3))
    build, problem = from_theta(net), rs.Samples(x, y, weights=mass)
    found = problem.gradient(build(net.theta()))
    by_risk = finite_differences(lambda t: problem.risk(build(t)), net.theta(), STEP)
    size = 1 + problem.risk(build(net.theta())) + np.max(np.abs(found))
    np.testing.assert_allclose(found, by_risk, atol=BY_RISK * size)


@given(networks(regular=True), targets())
def test_interval_gradient(interval_of, net, pieces):
    assume(clear_of(net, [float(t) for t in pieces[0].breaks], 1e-3))
    build, problem = from_theta(net), interval_of(pieces[0], -1, 2, pieces[1])
    found = problem.gradient(build(net.theta()))
    by_risk = finite_differences(lambda t: problem.risk(build(t)), net.theta(), STEP)
    size = 1 + problem.risk(build(net.theta())) + np.max(np.abs(found))
    np.testing.assert_allclose(found, by_risk, atol=BY_RISK * size)


@given(networks(regular=True), targets())
def test_interval_hessian(interval_of, net, pieces):
    assume(clear_of(net, [float(t) for t in pieces[0].breaks], 1e-3))
    kinks = net.kinks()
    assume(all(abs(s - t) > 1e-3 for i, s in enumerate(kinks) for t in kinks[:i]))
    build, problem = from_theta(net), interval_of(pieces[0], -1, 2, pieces[1])
    found = problem.hessian(build(net.theta()))
    np.testing.assert_allclose(found, found.T, atol=1e-13 * np.max(np.abs(found)))
    by_gradient = finite_differences(lambda t: problem.gradient(build(t)), net.theta(), STEP)
    size = 1 + np.max(np.abs(found))
    np.testing.assert_allclose(found, by_gradient, atol=BY_GRADIENT * size)


@given(networks(regular=True), rows())
def test_data_hessian(net, data):
    x, y, mass = data
    assume(clear_of(net, np.unique(x), 1e-3))
    build, problem = from_theta(net), rs.Samples(x, y, weights=mass)
    found = problem.hessian(build(net.theta()))
    by_gradient = finite_differences(lambda t: problem.gradient(build(t)), net.theta(), STEP)
    size = 1 + np.max(np.abs(found))
    np.testing.assert_allclose(found, by_gradient, atol=BY_GRADIENT * size)


@given(networks(max_width=3), rows(max_size=12))
def test_data_against_rationals(net, data):
    x, y, mass = data
    problem, built = rs.Samples(x, y, weights=mass), from_theta(net)(net.theta())
    listed = None if mass is None else mass.tolist()
    for at_zero in ("gt", "ge"):
        # every number is a multiple of 1/64: ties are ties in floats, too
        exact = data_exact(x.tolist(), y.tolist(), net, weights=listed, at_zero=at_zero)
        risk, gradient = exact.floats()
        size = 1 + max(float(s) for s in exact.scale)
        np.testing.assert_allclose(problem.risk(built), risk, rtol=1e-13, atol=1e-13)
        found = problem.gradient(built, at_zero=at_zero)
        np.testing.assert_allclose(found, gradient, atol=1e-13 * size)


@given(networks(max_width=3), targets())
def test_interval_against_rationals(interval_of, net, pieces):
    problem, built = interval_of(pieces[0], -1, 2, pieces[1]), from_theta(net)(net.theta())
    for at_zero in ("gt", "ge"):
        exact = interval_exact(net, pieces[0], -1, 2, density=pieces[1], at_zero=at_zero)
        risk, gradient = exact.floats()
        size = 1 + risk + np.max(np.abs(gradient))
        np.testing.assert_allclose(problem.risk(built), risk, atol=1e-13 * size)
        found = problem.gradient(built, at_zero=at_zero)
        np.testing.assert_allclose(found, gradient, atol=1e-12 * size)


@given(networks(max_width=3, regular=True), targets())
def test_interval_hessian_against_rationals(interval_of, net, pieces):
    ends = [float(t) for t in pieces[0].breaks]
    assume(clear_of(net, ends, 1e-6))
    problem, built = interval_of(pieces[0], -1, 2, pieces[1]), from_theta(net)(net.theta())
    exact = hessian_array(interval_exact(net, pieces[0], -1, 2, density=pieces[1], hessian=True))
    found = problem.hessian(built)
    np.testing.assert_allclose(found, exact, atol=1e-11 * (1 + np.max(np.abs(exact))))
