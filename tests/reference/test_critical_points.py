"""The package at points of the landscape that are known: risk, gradient, Hessian."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from oracles import hessian_array, interval_exact
from problems import (
    CRITICAL,
    CURVED,
    FAMILY_RISK,
    IDENTITY,
    LEAKY_TABLE,
    S1_4,
    TENT,
    affine_level,
    affine_saddle,
    family_network,
    family_target,
    leaky_level,
    leaky_saddle,
)
from records import Pieces, Plain

PUBLISHED_EIGENVALUE = 2e-9  # printed to eight to ten digits
ENTRY = 1e-12  # a Hessian entry against exact integration, relative to the largest
FAMILY = 1e-11  # the polynomial stand-in for the S3 target is that close to it


@pytest.mark.parametrize("solved", CRITICAL, ids=lambda s: s.name)
def test_risk_and_vanishing_gradient(solved, network_of, interval_of):
    problem = interval_of(solved.target, solved.a, solved.b, solved.density)
    net = network_of(solved.net)
    assert problem.risk(net) == pytest.approx(solved.risk, abs=solved.digits)
    for at_zero in ("gt", "ge"):
        gradient = problem.gradient(net, at_zero=at_zero)
        assert gradient.shape == (3 * solved.net.width + 1,)
        assert np.max(np.abs(gradient)) <= solved.gradient


@pytest.mark.parametrize("solved", CURVED, ids=lambda s: s.name)
def test_hessian(solved, network_of, interval_of):
    problem = interval_of(solved.target, solved.a, solved.b, solved.density)
    found = problem.hessian(network_of(solved.net))
    exact = hessian_array(
        interval_exact(
            solved.net, solved.target, solved.a, solved.b, density=solved.density, hessian=True
        )
    )
    np.testing.assert_allclose(found, exact, atol=ENTRY * np.max(np.abs(exact)))
    values = np.linalg.eigvalsh(found)
    np.testing.assert_allclose(values, solved.eigenvalues, rtol=6e-8, atol=PUBLISHED_EIGENVALUE)


def test_canonical_saddle_values(network_of):
    net = network_of(CRITICAL[0].net)
    expected = np.array([1, 5, 13, 17]) / 18
    np.testing.assert_allclose(net(np.array([0, 1 / 3, 2 / 3, 1])), expected, atol=1e-15)


@pytest.mark.parametrize("dead", [0, 1, 3])
def test_hessian_rank_is_twice_the_number_of_pieces(dead, network_of, interval_of):
    solved = next(s for s in CRITICAL if s.name == "S1-1 H=2 uniform")
    net = Plain(
        (*solved.net.w, *[1.0] * dead),
        (*solved.net.b, *[-2.0] * dead),
        (*solved.net.v, *[0.5] * dead),
        solved.net.c,
    )
    values = np.linalg.eigvalsh(interval_of(TENT, 0, 1).hessian(network_of(net)))
    assert np.sum(np.abs(values) > 1e-9) == 4
    assert np.sum(np.abs(values) <= 1e-12) == 3 * (2 + dead) - 3
    assert 2 / values[-1] == pytest.approx(0.144083691, abs=6e-10)


@pytest.mark.parametrize("n", [0, 2, 4, 6])
def test_affine_levels(n, network_of, interval_of):
    problem = interval_of(Pieces.of((0, 1), ((-1, 2),)), 0.5, 3)
    net = network_of(affine_saddle(n, 2, -1, 0.5, 3))
    assert problem.risk(net) == pytest.approx(affine_level(n, 2, 0.5, 3), rel=1e-13)
    assert np.max(np.abs(problem.gradient(net))) < 1e-13


def test_affine_target_is_the_polynomial(network_of):
    net = network_of(affine_saddle(2, 2, -1, 0.5, 3))
    one = rs.Interval(rs.affine(2, -1), 0.5, 3)
    other = rs.Interval(rs.polynomial([-1, 2]), 0.5, 3)
    assert one.risk(net) == pytest.approx(other.risk(net), rel=1e-15)


@pytest.mark.parametrize(("n", "family", "g", "digits"), LEAKY_TABLE)
def test_leaky_saddles(n, family, g, digits, network_of, interval_of):
    plain = leaky_saddle(n, family, g, 1, 0, 0, 1)
    problem, net = interval_of(IDENTITY, 0, 1), network_of(plain)
    assert problem.risk(net) == pytest.approx(digits, abs=6e-11)
    assert problem.risk(net) == pytest.approx(leaky_level(n, family, g, 1, 0, 1), abs=1e-15)
    assert np.max(np.abs(problem.gradient(net))) < 1e-14
    exact = hessian_array(interval_exact(plain, IDENTITY, 0, 1, hessian=True))
    found = problem.hessian(net)
    np.testing.assert_allclose(found, exact, atol=ENTRY * np.max(np.abs(exact)))
    assert np.linalg.eigvalsh(found)[0] < -1e-4  # every one of them is a strict saddle


# --------------------------------------------- one neuron, both conventions at w = b = 0 (S2-3)

ONE_NEURON = [
    (-1, -1, 5),
    (-1, 0, 1),
    (1, -1, -1),
    (-1, 0, -1),
    (1, -1, 1),
    (-1, 0, 0),
    (0, 1, 0),
    (0, 0, 0),
]


@pytest.mark.parametrize(("w", "b", "v"), ONE_NEURON)
def test_eight_critical_points_of_one_neuron(w, b, v):
    problem = rs.Interval(rs.affine(1, 0), 0, 1)
    net = rs.Network([w], [b], [v], 0.5)
    assert problem.risk(net) == pytest.approx(1 / 12, abs=1e-16)
    for at_zero in ("gt", "ge"):
        np.testing.assert_allclose(problem.gradient(net, at_zero=at_zero), 0, atol=1e-16)


def test_degenerate_neuron_divides_the_conventions():
    problem = rs.Interval(rs.affine(1, 0), 0, 1)
    net = rs.Network([0], [0], [1], 0.5)
    np.testing.assert_allclose(problem.gradient(net, at_zero="gt"), 0, atol=1e-16)
    # 2 v int x e = 2 (1/4 - 1/3) = -1/6 and 2 v int e = 0
    expected = [-1 / 6, 0, 0, 0]
    np.testing.assert_allclose(problem.gradient(net, at_zero="ge"), expected, atol=1e-16)


# ------------------------------------------------------ a continuum of local minima (S3-1)


@pytest.mark.parametrize("t", [0.1, 0.2, 0.4])
def test_family_of_local_minima(t, network_of, interval_of):
    problem, net = interval_of(family_target(), 0, 1), network_of(family_network(t))
    assert problem.risk(net) == pytest.approx(FAMILY_RISK, abs=FAMILY)
    assert np.max(np.abs(problem.gradient(net))) < 10 * FAMILY


def test_family_published_numbers(network_of, interval_of):
    assert pytest.approx(1.562035302977, abs=6e-13) == FAMILY_RISK
    for t, c, p in (
        (0.1, 4.9923017660, -12.3266710272),
        (0.2, 4.2426406871, -13.2582521472),
        (0.4, 3.1333978072, -17.4077655956),
    ):
        net = family_network(t)
        assert net.c == pytest.approx(c, abs=6e-11)
        assert net.v[0] == pytest.approx(p, abs=6e-11)
    hess = interval_of(family_target(), 0, 1).hessian(network_of(family_network(0.2)))
    values = np.linalg.eigvalsh(hess)
    # published: 0, 0, 6.2516331, 357.0272; the polynomial stand-in jumps by 1e-12 at its breaks
    np.testing.assert_allclose(values, [0, 0, 6.2516331, 357.0272], rtol=2e-7, atol=1e-8)


def test_family_risk_is_flat_along_the_family(network_of, interval_of):
    problem = interval_of(family_target(), 0, 1)
    risks = [problem.risk(network_of(family_network(t))) for t in np.linspace(0.01, 0.49, 49)]
    assert np.ptp(risks) < FAMILY


# -------------------------------------------------------- cubic growth at a minimum (S1-4)


@pytest.mark.parametrize("eps", [0.1, 0.01, 1e-3])
def test_cubic_growth(eps, interval_of, network_of):
    moved = Plain((-1.0, 1.0), (0.5 - eps, -0.5 - eps), (1.0, 1.0), eps)
    problem = interval_of(S1_4.target, 0, 1)
    assert problem.risk(network_of(moved)) == pytest.approx(2 * eps**3 / 3, abs=1e-14)


# ------------------------------------------------- three data points on the kinks (theory 6.2)

POINTS = rs.Samples([-1.0, 0.0, 1.0], [1.0, 0.0, 1.0], weights=[0.5, 0.5, 0.5])


@pytest.mark.parametrize(
    ("neuron", "at_zero", "pull"),
    [
        ((0, -1, 0), "gt", (0, 0)),
        ((0, -1, 0), "ge", (0, 0)),
        ((-1, -1, 0), "gt", (0, 0)),  # v = 0: the escape shows in one-sided derivatives only
        ((-1, -1, 0), "ge", (0, 0)),
        ((-1, -1, -1), "gt", (0, 0)),  # the datum on the kink counts as off
        ((-1, -1, -1), "ge", (-1, 1)),  # ... or as on: v x e = (-1)(-1)(-1), v e = (-1)(-1)
        ((-1, -1, 1), "ge", (1, -1)),
    ],
)
def test_neuron_with_its_kink_on_a_datum(neuron, at_zero, pull):
    w, b, v = neuron
    net = rs.Network([1, w], [0, b], [1, v])
    # errors (-1, 0, 0): risk half of one
    assert POINTS.risk(net) == pytest.approx(0.5, abs=1e-15)
    gradient = POINTS.gradient(net, at_zero=at_zero)
    expected = [0, pull[0], 0, pull[1], 0, 0, -1]
    np.testing.assert_allclose(gradient, expected, atol=1e-15)
