"""Losses |error|^q against closed forms, exact rationals and adaptive quadrature."""

from __future__ import annotations

from itertools import pairwise
from math import pi

import numpy as np
import pytest
from scipy.integrate import quad

import polygon_cases as cases
import polygon_oracle as oracle
import reluscape as rs
from reluscape.problems.power_risk import power_risk

SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1]]
ZERO = rs.Network([1.0], [0.0], [0.0])
FLAT = rs.Network([[1.0, 0.0]], [0.0], [0.0])


def with_jumps(rng):
    """A response on [-1, 2] with two jumps and a kink."""
    at = np.sort(rng.uniform(-0.9, 1.9, 3))
    deltas, betas = rng.normal(size=3), rng.normal(size=3)
    betas[1] = -deltas[1] * at[1]
    signs = np.array([1.0, 1.0, -1.0])
    return rs.GeneralizedResponse(
        signs, signs * at, deltas, betas, rng.normal(), [1.0], [2, 1, 2]
    ), at


def with_steps(rng):
    """A network with the same breakpoints throughout, one ramp of it steep."""
    at = np.sort(rng.uniform(-0.9, 1.9, 2))
    at = np.array([at[0], at[0] + 1e-3, at[1]])
    return rs.Network([1.0, 1.0, -2.0], at * [-1, -1, 2], [700.0, -700.0, 1.0], 0.3, [-0.5]), at


# ------------------------------------------------------------------------------ on a line


@pytest.mark.parametrize("power", [1.0, 1.25, 3.0, 4.0, 5.5])
def test_powers_of_x(power):
    problem = rs.Interval(rs.affine(1, 0), -1, 2)
    expected = (1.0 + 2.0 ** (power + 1.0)) / (power + 1.0)
    assert power_risk(problem, ZERO, power) == pytest.approx(expected, rel=2e-15)


@pytest.mark.parametrize("power", [1.1, 1.5, 2.5, 3.0, 4.0])
@pytest.mark.parametrize("make", [with_jumps, with_steps])
def test_curved_targets_agree_with_adaptive_quadrature(make, power):
    rng = np.random.default_rng(int(10 * power))
    target = rs.piecewise_polynomial([-1, 0.25, 2], [[0.5, -1, 2, 0.25], [1.0, 0.5, -1.0]])
    density = rs.piecewise_polynomial([-1, 0.75, 2], [[0.5, 0.25], [2.0, 0.0, -0.25]])
    function, at = make(rng)
    grid = np.linspace(-1, 2, 20_001)
    values = lambda x: function(np.atleast_1d(x)) - target(np.atleast_1d(x))  # noqa: E731
    error = values(grid)
    # the roots of the error, by bisection, and where anything is not smooth
    cuts = [-1.0, 0.25, 0.75, 2.0, *at]
    for i in np.flatnonzero(error[:-1] * error[1:] < 0.0):
        low, high = grid[i], grid[i + 1]
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if values(middle)[0] * error[i] > 0 else (low, middle)
        cuts.append(low)
    expected = 0.0
    for left, right in pairwise(sorted(cuts)):
        part, _ = quad(
            lambda x: abs(values(x)[0]) ** power * density([x])[0],
            left,
            right,
            epsabs=1e-13,
            epsrel=1e-12,
            limit=200,
        )
        expected += part
    found = power_risk(rs.Interval(target, -1, 2, density), function, power)
    assert found == pytest.approx(expected, rel=1e-11)


def test_a_double_root_and_roots_beside_the_line():
    for gap in (0.0, 1e-12, 1e-6, 1e-3, 0.1):
        # |x^2 + gap|^1.5 on [-1, 1], by Gauss rules on intervals that shrink towards 0
        cuts = np.concatenate([[0.0], 2.0 ** np.arange(-60, 1)])
        nodes, weights = np.polynomial.legendre.leggauss(40)
        half, middle = np.diff(cuts) / 2, (cuts[1:] + cuts[:-1]) / 2
        x = middle[:, None] + half[:, None] * nodes
        expected = 2.0 * float((half[:, None] * weights * (x * x + gap) ** 1.5).sum())
        problem = rs.Interval(rs.polynomial([gap, 0.0, 1.0]), -1, 1)
        assert power_risk(problem, ZERO, 1.5) == pytest.approx(expected, rel=4e-15)


def test_far_from_the_origin_nothing_cancels():
    shift = 1.7e9
    here = rs.Interval(rs.piecewise_linear([0, 1, 2], [0, 1, 0]), 0, 2)
    there = rs.Interval(
        rs.piecewise_linear([shift, shift + 1, shift + 2], [0, 1, 0]), shift, shift + 2
    )
    # 1/2 from the start on, and a jump of 1/4 at the top
    near = rs.GeneralizedResponse([1.0], [1.0], [0.0], [0.25], 0.5)
    far = rs.GeneralizedResponse([1.0], [shift + 1.0], [0.0], [0.25], 0.5)
    for power in (1.5, 3.0):
        assert power_risk(there, far, power) == pytest.approx(
            power_risk(here, near, power), rel=1e-14
        )


# ------------------------------------------------------------------------------ in the plane


@pytest.mark.parametrize("power", [1.0, 1.2, 2.5, 3.0, 4.0, 7.5])
def test_affine_errors_in_closed_form(power):
    problem = rs.Polygon(rs.polynomial2d([[0, -1], [1, 0]]), SQUARE)
    expected = 2.0 / ((power + 1.0) * (power + 2.0))  # of |x - y|
    assert power_risk(problem, FLAT, power) == pytest.approx(expected, rel=2e-15)
    # the density x y: twice the integral over x > y
    weighted = rs.Polygon(
        rs.polynomial2d([[0, -1], [1, 0]]), SQUARE, rs.polynomial2d([[0, 0], [0, 1]])
    )
    expected = 2.0 * sum(  # y = x - t: int t^q int_t^1 x (x - t) dx dt
        c / (power + k + 1) for k, c in ((0, 1 / 3), (1, -1 / 2), (3, 1 / 6))
    )
    assert power_risk(weighted, FLAT, power) == pytest.approx(expected, rel=4e-15)


@pytest.mark.parametrize(
    ("power", "expected"),
    [(3.0, 1 / 36 + 32 / 315), (1.5, (1 / 6 + 5 * pi / 32) / 2.5), (1.0, 1 / 10 + 4 / 15)],
)
def test_a_curved_zero_line(power, expected):
    """|x^2 - y|^q on the unit square: x^2q+2 + (1 - x^2)^q+1 over q + 1, along x."""
    problem = rs.Polygon(rs.polynomial2d([[0, -1], [0, 0], [1, 0]]), SQUARE)
    assert power_risk(problem, FLAT, power) == pytest.approx(expected, rel=1e-12)


def test_a_circle_inside():
    """|x^2 + y^2 - r^2|^q over the disc of radius r is pi r^(2q+2) / (q + 1)."""
    r, power = 0.625, 1.5
    big = [[-1, -1], [1, -1], [1, 1], [-1, 1]]
    total = power_risk(
        rs.Polygon(rs.polynomial2d([[-r * r, 0, 1], [0, 0, 0], [1, 0, 0]]), big), FLAT, power
    )

    def outside(x):  # the part of a column beyond the circle
        start = np.sqrt(max(r * r - x * x, 0.0))
        return 2.0 * quad(lambda y: abs(x * x + y * y - r * r) ** power, start, 1.0)[0]

    beyond = 2.0 * (quad(outside, 0.0, r)[0] + quad(outside, r, 1.0)[0])
    expected = pi * r ** (2 * power + 2) / (power + 1) + beyond
    assert total == pytest.approx(expected, rel=1e-9)


def test_even_powers_are_those_of_exact_rationals():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        corners = cases.polygon(rng)
        target, density = cases.target(rng, corners), cases.density(rng, corners)
        network = cases.network(rng, corners, int(rng.integers(1, 4)))
        model = (oracle.teacher_of if isinstance(target, rs.Network) else oracle.function_of)(
            target
        )
        weight = oracle.function_of(rs.polynomial2d([[1.0]]) if density is None else density)
        exact = oracle.risk_of(corners, oracle.teacher_of(network), model, weight, 4)
        found = power_risk(rs.Polygon(target, corners, density), network, 4.0)
        assert found == pytest.approx(int(exact.p) / int(exact.q), rel=1e-11), seed


@pytest.mark.parametrize("power", [1.5, 3.0])
def test_moving_and_scaling_the_plane(power):
    response = rs.GeneralizedResponse(
        [[1, 0.5], [-1, 2]], [0.4, 0.6], [[1, -1], [0.5, 1]], [0.5, -0.75], 0.25, [1, 0]
    )
    target = [[0.5, -1, 0.5], [1, 1, 0], [-2, 0, 0]]
    plain = power_risk(rs.Polygon(rs.polynomial2d(target), SQUARE), response, power)
    # a quarter turn: x' = -y, y' = x; the target takes (y', -x')
    turned = rs.polynomial2d([[0.5, 1, -2], [1, -1, 0], [0.5, 0, 0]])
    corners = [[0, 0], [0, 1], [-1, 1], [-1, 0]]
    other = rs.GeneralizedResponse(
        [[-0.5, 1], [-2, -1]], [0.4, 0.6], [[1, 1], [-1, 0.5]], [0.5, -0.75], 0.25, [0, 1]
    )
    assert power_risk(rs.Polygon(turned, corners), other, power) == pytest.approx(plain, rel=1e-11)


# ------------------------------------------------------------------------------ data, refusals


def test_data_are_summed():
    x, y, w = [0.0, 1.0, 3.0], [1.0, 0.0, -1.0], [1.0, 2.0, 0.5]
    step = rs.GeneralizedResponse([1.0], [1.0], [0.0], [2.0])  # the row on the jump is outside
    assert power_risk(rs.Samples(x, y, w), step, 3.0) == 1.0 + 0.0 + 0.5 * 27.0
    plane = rs.Samples(np.array([[0.0, 1.0], [2.0, 0.0]]), [1.0, 1.0])
    assert power_risk(plane, rs.Network([[1.0, 0.0]], [0.0], [2.0]), 4.0) == (1.0 + 81.0) / 2


def test_power_two_is_the_risk_of_the_problem():
    problem = rs.Polygon(rs.polynomial2d([[0, 1], [1, 0]]), SQUARE)
    network = rs.Network([[1.0, -1.0]], [0.25], [2.0])
    assert power_risk(problem, network, 2.0) == problem.risk(network)


def test_what_it_refuses():
    with pytest.raises(rs.InputError, match="only the squared loss is known"):
        power_risk(rs.Gaussian(ZERO), ZERO, 3.0)
    with pytest.raises(rs.InputError, match=r"1 input\(s\) and 1 target\(s\), the problem 2"):
        power_risk(rs.Polygon(rs.polynomial2d([[0.0]]), SQUARE), ZERO, 3.0)
    with pytest.raises(rs.InputError, match="2 targets"):
        power_risk(rs.Samples([0.0, 1.0], [[0.0, 1.0], [1.0, 0.0]]), ZERO, 3.0)
    curved = rs.Network([1.0], [0.0], [1.0], activation="tanh")
    with pytest.raises(rs.InputError, match="tanh"):
        power_risk(rs.Interval(rs.affine(1, 0), 0, 1), curved, 3.0)
