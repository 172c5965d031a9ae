"""The risk of generalized responses on a polygon against exact rationals."""

from __future__ import annotations

import numpy as np
import pytest

import polygon_cases as cases
import polygon_oracle as oracle
import reluscape as rs

SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1]]


def rounded(number):
    return int(number.p) / int(number.q)


def exact(corners, target, density, response):
    target = (oracle.teacher_of if isinstance(target, rs.Network) else oracle.function_of)(target)
    weight = oracle.function_of(rs.polynomial2d([[1.0]]) if density is None else density)
    return rounded(oracle.risk_of(corners, oracle.response_of(response), target, weight))


def drawn(rng, corners, others):
    """Kinks and jumps on lines that are degenerate more often than not."""
    lines, rows = list(others), []
    while len(rows) < rng.integers(1, 5):
        a, b, c = cases.line(rng, corners, lines)
        unit = np.array([a, b, -c]) / max(np.hypot(a, b), 1e-300)
        same = [np.allclose(np.abs(unit), np.abs(row), rtol=1e-12, atol=0) for row in rows]
        if (a or b) and not any(same):
            lines.append((a, b, c))
            rows.append(unit)
    rows = np.array(rows)
    size = float(np.ptp(corners, axis=0).max())
    counts = rng.integers(1, 3, len(rows))
    deltas, betas = rng.integers(-8, 9, (len(rows), 2)) / 4.0 / size, rng.normal(size=len(rows))
    kinks = counts == 1
    deltas[kinks] = rows[kinks, :2] / size
    betas[kinks] = -rows[kinks, 2] / size
    return rs.GeneralizedResponse(
        rows[:, :2],
        rows[:, 2],
        deltas,
        betas,
        rng.normal(),
        rng.integers(-8, 9, 2) / 4.0 / size,
        counts,
    )


@pytest.mark.parametrize("block", range(5))
def test_risk_is_that_of_exact_rationals(block):
    for seed in range(30 * block, 30 * block + 30):
        rng = np.random.default_rng(seed)
        corners = cases.polygon(rng)
        target, density = cases.target(rng, corners), cases.density(rng, corners)
        lines = [] if isinstance(target, rs.Network) else list(target.lines)
        response = drawn(rng, corners, lines)
        found = rs.Polygon(target, corners, density).risk(response)
        assert found == pytest.approx(exact(corners, target, density, response), rel=4e-16), seed


def test_a_jump_on_the_jump_of_the_target_leaves_nothing():
    lines = [[1, 0, -0.5], [0.6, 0.8, -0.7]]
    target = rs.piecewise_polynomial2d(
        lines, [([0, 0], [[1, 2]]), ([1, 0], [[3, -1], [2, 0]]), ([0, -1], [[0.5, 0], [4, 0]])]
    )
    # 1 + 2y + [x > 1/2] (3 - y + 2x) + [0.6 x + 0.8 y < 0.7] (1/2 + 4 x)
    response = rs.GeneralizedResponse(
        [[1, 0], [-0.6, -0.8]], [0.5, -0.7], [[2, -1], [4, 0]], [3, 0.5], 1.0, [0, 2]
    )
    problem = rs.Polygon(target, SQUARE)
    # the normal (0.6, 0.8) has length 1 only up to rounding, so that a sliver may be left
    assert problem.risk(response) < 1e-14
    aligned = rs.GeneralizedResponse([[1, 0]], [0.5], [[2, -1]], [3], 1.0, [0, 2])
    plain = rs.piecewise_polynomial2d(lines[:1], [([0], [[1, 2]]), ([1], [[3, -1], [2, 0]])])
    assert rs.Polygon(plain, SQUARE).risk(aligned) == 0.0


def test_boundaries_on_the_edges_of_the_polygon_cut_nothing():
    problem = rs.Polygon(rs.polynomial2d([[0.0]]), SQUARE)
    outside = rs.GeneralizedResponse([[1, 0], [0, -1]], [1.0, 0.0], [[0, 0], [0, 0]], [5.0, 7.0])
    assert problem.risk(outside) == 0.0
    inside = rs.GeneralizedResponse([[1, 0], [0, -1]], [0.0, -1.0], [[0, 0], [0, 0]], [1.0, 2.0])
    assert problem.risk(inside) == 9.0


def test_continuous_responses_have_the_risk_of_their_network():
    rng = np.random.default_rng(2)
    network = rs.Network(
        rng.normal(size=(4, 2)), rng.normal(size=4), rng.normal(size=4), 0.3, [1, 2]
    )
    problem = rs.Polygon(rs.polynomial2d([[0, 1], [2, -1]]), SQUARE)
    response = rs.GeneralizedResponse.from_network(network)
    assert problem.risk(response) == pytest.approx(problem.risk(network), rel=1e-13)


def test_the_number_of_inputs_must_fit():
    line = rs.GeneralizedResponse([1.0], [0.0], [1.0], [0.0])
    with pytest.raises(rs.InputError, match=r"the response has 1 input\(s\), the problem 2"):
        rs.Polygon(rs.polynomial2d([[0.0]]), SQUARE).risk(line)
