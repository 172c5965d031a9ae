"""Convex hulls of points and hyperplanes against them, by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import reluscape as rs
from reluscape.networks.regions import Region, region_of
from reluscape.networks.tracks import matched, tracks_of


def in_hull(points, x):
    """Whether x is a convex combination of points, by a linear program."""
    equal = np.vstack([points.T, np.ones(len(points))])
    found = linprog(np.zeros(len(points)), A_eq=equal, b_eq=np.append(x, 1.0))
    return found.status == 0


def unit_normal(rng, inputs):
    n = rng.normal(size=inputs)
    return n / np.linalg.norm(n)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_sections_and_samples_lie_where_they_should(seed, inputs):
    rng = np.random.default_rng(seed)
    region = Region(rng.normal(size=(inputs + 3, inputs)))
    n = unit_normal(rng, inputs)
    tau = float(rng.uniform(*np.quantile(region.points @ n, [0.2, 0.8])))
    cuts = region.section(n, tau)
    np.testing.assert_allclose(cuts @ n, tau, atol=1e-9)
    for x in np.vstack([cuts[::7], region.sample()[::101]]):
        assert in_hull(region.points, x)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_distances_and_reach_are_suprema(seed, inputs):
    rng = np.random.default_rng(seed)
    region = Region(rng.normal(size=(50, inputs)))
    low, high = region.box
    corners = np.stack(np.meshgrid(*np.stack([low, high], 1)), -1).reshape(-1, inputs)
    one, other = unit_normal(rng, inputs), unit_normal(rng, inputs)
    tau, sigma = rng.normal(size=2)
    brute = np.abs((corners @ one - tau) - (corners @ other - sigma)).max()
    assert float(region.apart(one, tau, other, sigma)) == pytest.approx(brute, rel=1e-12)
    least, most = region.reach(one[np.newaxis], np.array([tau]))
    heights = region.points @ one - tau
    assert (least[0], most[0]) == pytest.approx((heights.min(), heights.max()))


def test_samples_of_few_and_of_many():
    square = Region(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]))
    points = square.sample()
    assert len(points) == 516
    # Evenly enough: no quarter of the square is left out.
    quarters = np.histogram2d(*points.T, bins=2)[0]
    assert quarters.min() > 60
    assert len(Region(np.random.default_rng(0).normal(size=(10_000, 2))).sample()) == 4096


def test_reach_in_blocks_is_the_same():
    rng = np.random.default_rng(0)
    region = Region(rng.normal(size=(5000, 3)))
    n, tau = rng.normal(size=(700, 3)), rng.normal(size=700)
    heights = n @ region.points.T - tau[:, None]
    least, most = region.reach(n, tau)
    np.testing.assert_allclose(least, heights.min(axis=1), rtol=1e-12)
    np.testing.assert_allclose(most, heights.max(axis=1), rtol=1e-12)


def test_the_domain_that_is_not_given():
    region = region_of(None, 1, np.array([2.0, 5.0]))
    assert (region.points.ravel().tolist(), region.given) == ([-1.0, 8.0], False)
    assert region_of(None, 1, np.empty(0)).points.ravel().tolist() == [-1.0, 1.0]
    assert region_of(None, 1, np.array([7.0])).points.ravel().tolist() == [0.0, 14.0]


def test_matching_finds_the_permutation():
    """Neurons that move a little, in another order each time; two share a hyperplane."""
    rng = np.random.default_rng(4)
    base = np.array([[1.0, -0.2, 1.0], [1.0, -0.2, -3.0], [-1.0, 0.2, 2.0], [1.0, -0.7, 1.0]])
    networks, orders = [], []
    for k in range(6):
        moved = base + 0.01 * k * np.array([0.0, 1.0, 0.0])
        order = rng.permutation(4) if k < 5 else np.arange(4)
        w, b, v = moved[order].T
        networks.append(rs.Network(w, b, v))
        orders.append(order)
    found = matched(tracks_of(networks), region_of((0, 1), 1, np.empty(0)))
    straight = tracks_of(networks)
    for k, order in enumerate(orders):
        back = np.argsort(order)
        np.testing.assert_array_equal(found.bends[k], straight.bends[k, back])
        np.testing.assert_array_equal(found.thresholds[k], straight.thresholds[k, back])
