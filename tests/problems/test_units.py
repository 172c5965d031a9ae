"""Units of problems with several inputs: the same risks, and moments known by other means."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from reluscape.problems.units import unitless
from several_cases import SQUARE, like, normal, rows, taught

FAR = [[1024.0, -4096.0], [1028.0, -4096.0], [1028.0, -4092.0], [1024.0, -4092.0]]


def network(inputs, skip, shift=0.0):
    rng = np.random.default_rng(inputs)
    w = rng.normal(size=(3, inputs))
    biases = rng.normal(size=3) - w @ (shift * np.ones(inputs))
    return rs.Network(w, biases, rng.normal(size=3), 0.3, rng.normal(size=inputs) if skip else None)


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize(
    "problem", [taught(1), taught(2, [[0, 0], [1e-3, 0], [0, 1e-3]]), normal(1), rows(1)]
)
def test_risks_differ_by_one_factor(problem, skip):
    own = unitless(problem)
    factors = []
    for shift in (0.0, 0.5, -1.0):
        net = network(problem.inputs, skip, shift)
        factors.append(problem.risk(net) / own.judge.risk(own.units.reduce(net)))
    np.testing.assert_allclose(factors, factors[0], rtol=1e-11)


@pytest.mark.parametrize("skip", [False, True])
def test_there_and_back(skip):
    own = unitless(rs.Samples(100.0 + 7.0 * rows(0).x, 1e5 + 3.0 * rows(0).y))
    net = network(3, skip)
    theta = own.units.restore(own.units.reduce(net)).to_vector()
    np.testing.assert_allclose(theta, net.to_vector(), rtol=1e-12, atol=1e-9)
    reduced, rng = own.units.reduce(net), np.random.default_rng(0)
    change = rng.normal(size=theta.size)
    moved = own.units.restore(like(reduced, reduced.to_vector() + change)).to_vector()
    np.testing.assert_allclose(own.units.restore_change(net, change), moved - theta, atol=1e-8)


def test_moments_of_a_square_far_away():
    """The unit of 4 and the centre make z uniform on a square of side 1: variance 1/12."""
    own = unitless(rs.Polygon(rs.polynomial2d([[0.0]]), FAR))
    np.testing.assert_allclose(own.moments, np.diag([1 / 12, 1 / 12, 1.0]), atol=1e-15)


def test_moments_with_a_density():
    """Density 1 + x on the unit square: E x = (1/2 + 1/3) / (3/2) = 5/9."""
    problem = rs.Polygon(rs.polynomial2d([[0, 2]]), SQUARE, rs.polynomial2d([[1], [1]]))
    own = unitless(problem)
    mean = own.moments[:, 2] / own.mass
    np.testing.assert_allclose(own.units.centre + own.units.scale * mean[:2], [5 / 9, 1 / 2])
    # The target 2 y has mean 1 and variance 4 / 12.
    assert own.units.size * own.mean == pytest.approx(1.0)
    assert own.units.size * own.spread == pytest.approx(1 / np.sqrt(3))


def test_moments_of_data_and_of_normal_inputs():
    data = unitless(rows(3))
    np.testing.assert_allclose(np.diag(data.moments), 1.0)
    np.testing.assert_allclose(data.moments[:3, 3], 0.0, atol=1e-15)
    assert data.spread == pytest.approx(1.0)
    np.testing.assert_array_equal(unitless(normal(2)).moments, np.eye(5))
