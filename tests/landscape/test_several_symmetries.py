"""What changes no verdict with several inputs: order, rescaling, turning, moving, units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluscape as rs
from several_cases import (
    all_problems,
    permuted,
    polished,
    rescaled,
    rows,
    start,
    taught,
)

LOCAL, SADDLE, NOT, GLOBAL = "local minimum", "saddle", "not critical", "global minimum"


@settings(max_examples=15)
@given(st.randoms(use_true_random=False), st.booleans())
def test_rescaling_and_order_change_nothing(random, at_rest):
    problem = all_problems()[random.randrange(5)]
    network = polished(problem, 3, 2) if at_rest else start(problem, 3, 2)
    order = list(range(3))
    random.shuffle(order)
    factors = [2.0 ** random.randrange(-6, 7) for _ in order]
    other = permuted(rescaled(network, factors), order)
    one, two = rs.classify(problem, network), rs.classify(problem, other)
    assert one.kind == two.kind
    assert two.risk == pytest.approx(one.risk, rel=1e-12)
    assert len(one.reasons) == len(two.reasons)


def turned(network):
    """The network of (x, y) turned by a right angle: N'(-y, x) = N(x, y)."""
    w = np.column_stack([-network.weights[:, 1], network.weights[:, 0]])
    skip = None if network.skip is None else [-network.skip[1], network.skip[0]]
    return rs.Network(w, network.biases, network.outputs, network.offset, skip)


@pytest.mark.parametrize("at_rest", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_turning_and_moving_a_polygon(seed, at_rest):
    problem = taught(seed, width=5)
    network = polished(problem, 2, seed) if at_rest else start(problem, 2, seed)
    expected = rs.classify(problem, network)
    corners = np.column_stack([-problem.vertices[:, 1], problem.vertices[:, 0]])
    other = rs.Polygon(turned(problem.target), corners)
    assert rs.classify(other, turned(network)).kind == expected.kind
    by = np.array([16.0, -8.0])

    def moved(net):
        biases = net.biases - net.weights @ by
        offset = net.offset - (0.0 if net.skip is None else net.skip @ by)
        return rs.Network(net.weights, biases, net.outputs, offset, net.skip)

    away = rs.Polygon(moved(problem.target), problem.vertices + by)
    assert rs.classify(away, moved(network)).kind == expected.kind


def test_units_change_nothing():
    data = rows(2)
    scale, centre = np.array([1e4, 1e-4, 1.0]), np.array([1e3, 0.0, -5.0])
    other = rs.Samples(data.x * scale + centre, 1e5 * data.y + 3.0)
    for network in (start(data), polished(data)):
        weights = network.weights / scale
        skip = 1e5 * network.skip / scale
        moved = rs.Network(
            weights,
            network.biases - weights @ centre,
            1e5 * network.outputs,
            3.0 + 1e5 * network.offset - skip @ centre,
            skip,
        )
        one, two = rs.classify(data, network), rs.classify(other, moved)
        assert (one.kind, len(one.reasons)) == (two.kind, len(two.reasons))
