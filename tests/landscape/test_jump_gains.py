"""The constants of the first order against quadrature."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

import reluscape as rs
from reluscape.landscape.brackets import bracket, lopsidedness
from reluscape.landscape.jump_gains import jump_gains, third_moment

SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1]]


def bracket_by_quadrature(e, jump, power):
    root = [-e / jump] if jump and 0 < -e / jump < 1 else None
    mean = quad(lambda s: abs(e + s * jump) ** power, 0, 1, points=root, epsabs=1e-14)[0]
    return (abs(e) ** power + abs(e + jump) ** power) / 2 - mean


@pytest.mark.parametrize("power", [1.25, 2.0, 3.0, 4.0, 5.5])
def test_the_bracket_is_what_convexity_says(power):
    rng = np.random.default_rng(1)
    e, jump = rng.normal(size=60), rng.normal(size=60)
    jump[::3] *= 0.05  # small beside the errors: the other branch
    expected = [bracket_by_quadrature(a, j, power) for a, j in zip(e, jump, strict=True)]
    np.testing.assert_allclose(bracket(e, jump, power), expected, rtol=1e-9, atol=1e-13)


def test_the_bracket_of_tiny_jumps_keeps_its_digits():
    """phi''(e) J^2 / 12 to leading order, where the difference of means has no digit left."""
    e, jump = np.array([1.5, -2.0]), np.array([1e-7, -1e-7])
    expected = 4.0 * 3.0 * e**2 * jump**2 / 12.0
    np.testing.assert_allclose(bracket(e, jump, 4.0), expected, rtol=1e-6)


def test_brackets_of_the_theory():
    half = np.array([-0.5])
    one = np.array([1.0])
    assert bracket(half, one, 4.0)[0] == pytest.approx(1 / 20, rel=1e-14)
    assert bracket(half, one, 2.0)[0] == pytest.approx(1 / 6, rel=1e-15)
    # |e| is not strictly convex: nothing to gain between errors of equal signs
    same = bracket(np.array([0.25, -3.0, 0.0]), np.array([1.0, 0.5, 2.0]), 1.0)
    np.testing.assert_allclose(same, 0.0, atol=1e-15)
    assert bracket(half, one, 1.0)[0] == pytest.approx(1 / 4, rel=1e-14)


@pytest.mark.parametrize("power", [1.5, 2.0, 3.0])
def test_lopsidedness_by_quadrature(power):
    rng = np.random.default_rng(2)
    for e, jump in rng.normal(size=(20, 2)):
        halves = [
            abs(e + end * jump) ** power / 2
            - quad(lambda s, e=e, jump=jump: abs(e + s * jump) ** power, *part, epsabs=1e-13)[0]
            for end, part in ((0, (0, 0.5)), (1, (0.5, 1)))
        ]
        found = lopsidedness(np.array([e]), np.array([jump]), power)[0]
        assert found == pytest.approx(halves[1] - halves[0], abs=1e-8)
        assert bracket(np.array([e]), np.array([jump]), power)[0] == pytest.approx(
            sum(halves), abs=1e-8
        )


def test_on_an_interval_it_is_the_value_at_the_jump():
    """|J|^3 h / 6, for both orientations, with other terms around and a density."""
    density = rs.polynomial([1.0, 2.0])
    problem = rs.Interval(rs.polynomial([0.25, 1.0, -1.0]), 0, 1, density)
    response = rs.GeneralizedResponse(
        [1.0, -1.0, 1.0], [0.25, -0.5, 0.75], [1.0, 3.0, 2.0], [0.5, -1.0, -1.5]
    )
    gains = jump_gains(problem, response, 2.0)
    assert [gain.term for gain in gains] == [0, 1]
    assert gains[0].constant == pytest.approx(0.75**3 * 1.5 / 6, rel=1e-14)
    assert gains[1].constant == pytest.approx(0.5**3 * 2.0 / 6, rel=1e-14)
    fourth = jump_gains(problem, response, 4.0)
    # at 1/4 outside: the second term, 3/4 - 1, minus f = 7/16
    e = (0.25 * 3.0 - 1.0) - (0.25 + 0.25 - 0.0625)
    expected = 0.75 * 1.5 * bracket_by_quadrature(e, 0.75, 4.0)
    assert fourth[0].constant == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("power", [1.5, 2.0, 3.0, 4.0])
def test_in_the_plane_it_is_an_integral_along_the_line(power):
    """A slanted line: J changes its sign, the target bends, there is a density and another jump."""
    teacher = rs.Network([[1.0, 1.0]], [-0.75], [2.0], skip=[0.5, -1.0])
    density = rs.polynomial2d([[1.0, 0.5], [2.0, 0.0]])
    problem = rs.Polygon(teacher, SQUARE, density)
    response = rs.GeneralizedResponse(
        [[3.0, 4.0], [0.0, 1.0]], [2.5, 0.3], [[2.0, 1.0], [0.0, 0.0]], [-1.6, 0.8], 0.1, [1.0, 0.0]
    )
    gain = jump_gains(problem, response, power)[0]

    def along(t):  # from (1/2, 1/4) + t (0.8, -0.6), the line 3 x + 4 y = 2.5
        return np.array([[0.5 + 0.8 * t, 0.25 - 0.6 * t]])

    ends = (-0.5 / 0.8, 0.25 / 0.6)

    def parts(t):
        x = along(t)
        jump = float(2.0 * x[0, 0] + x[0, 1] - 1.6)
        base = 0.1 + x[0, 0] + (0.8 if x[0, 1] > 0.3 else 0.0)
        return jump, float(base - teacher(x)[0])

    def integrand(t):
        jump, e = parts(t)
        return abs(jump) * density(along(t))[0] * bracket_by_quadrature(e, jump, power)

    # where J, the target or the other jump bend: 2 x + y = 1.6, x + y = 0.75, y = 0.3
    cuts = sorted([*ends, (1.6 - 1.25) / 1.0, 0.0, -0.05 / 0.6])
    expected = sum(quad(integrand, *pair, epsrel=1e-9)[0] for pair in pairwise(cuts))
    assert gain.constant == pytest.approx(expected, rel=1e-7)
    assert gain.side == 0
    assert gain.obstacle is None


def test_third_moments_of_normal_variables():
    for mean, spread in ((0.0, 1.0), (1.5, 0.5), (-0.3, 2.0), (4.0, 1e-3)):
        low, high = mean - 12 * spread, mean + 12 * spread

        def weighted(x, mean=mean, spread=spread):
            z = (x - mean) / spread
            return abs(x) ** 3 * np.exp(-z * z / 2) / (spread * np.sqrt(2 * np.pi))

        points = [0.0, mean] if low < 0.0 < high else [mean]
        expected = quad(weighted, low, high, points=points, epsabs=1e-13)[0]
        assert third_moment(mean, spread) == pytest.approx(expected, rel=1e-10)
    assert third_moment(-2.0, 0.0) == 8.0


def test_under_a_gaussian_it_is_a_mean_along_the_hyperplane():
    rng = np.random.default_rng(3)
    delta, normal = rng.normal(size=4), np.array([0.5, -0.5, 0.5, 0.5])
    response = rs.GeneralizedResponse([normal], [0.7], [delta], [0.4])
    problem = rs.Gaussian(rs.Network(np.eye(4), np.zeros(4), np.ones(4)))
    constant = jump_gains(problem, response, 2.0)[0].constant
    # J on the hyperplane depends on one standard normal variable along delta's projection
    tangent = delta - (delta @ normal) * normal
    spread = np.linalg.norm(tangent)
    mean = 0.7 * (delta @ normal) + 0.4

    def weighted(z):
        return abs(mean + spread * z) ** 3 * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)

    moment = quad(weighted, -12, 12, points=[-mean / spread], epsabs=1e-13)[0]
    density = np.exp(-0.49 / 2) / np.sqrt(2 * np.pi)
    assert constant == pytest.approx(density * moment / 6, rel=1e-9)


@pytest.mark.parametrize(
    ("normal", "tau", "side"),
    [
        ([1.0, 0.0], 0.0, 1),
        ([1.0, 0.0], 1.0, -1),
        ([-1.0, 0.0], 0.0, -1),
        ([-1.0, 0.0], -1.0, 1),
        ([1.0, 1.0], 2.0, -1),
        ([0.0, 1.0], -5.0, 1),
    ],
)
def test_boundaries_that_miss_the_inside(normal, tau, side):
    problem = rs.Polygon(rs.polynomial2d([[0.0]]), SQUARE)
    response = rs.GeneralizedResponse([normal], [tau], [[0.0, 0.0]], [1.0])
    gain = jump_gains(problem, response, 2.0)[0]
    assert (gain.side, gain.constant) == (side, 0.0)
    if normal[1] == 0.0:
        line = rs.GeneralizedResponse(normal[:1], [tau], [0.0], [1.0])
        along = jump_gains(rs.Interval(rs.polynomial([0.0]), 0, 1), line, 2.0)[0]
        assert (along.side, along.constant) == (side, 0.0)


@pytest.mark.parametrize(("a", "b", "c"), [(3.0, 4.0, 3.5), (1.0, 2.0, 1.5), (1.0, 3.0, 1.25)])
def test_a_slanted_jump_along_a_slanted_jump_of_the_target(a, b, c):
    """The two lines agree to rounding only; what is between them is no side of the jump."""
    target = rs.piecewise_polynomial2d([[a, b, -c]], [([0], [[1.0]]), ([1], [[0.5]])])
    response = rs.GeneralizedResponse([[a, b]], [c], [[0.0, 0.0]], [1.0])
    gain = jump_gains(rs.Polygon(target, SQUARE), response, 2.0)[0]
    assert gain.obstacle == "discontinuous target"
    length = np.diff(crossings(a, b, c)).item() * np.hypot(1.0, a / b)
    assert gain.constant == pytest.approx(length / 6, rel=1e-9)


def crossings(a, b, c):
    """The x at which a x + b y = c enters and leaves the unit square."""
    return [max(0.0, (c - b) / a), min(1.0, c / a)]
