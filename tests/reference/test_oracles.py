"""The judges judged: each oracle against another one, and against the published numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from fit_oracles import (
    best_plain_sse,
    bounded_best_sse,
    exact_best_spline,
    least_squares_line,
    spline_sse,
)
from oracles import (
    data_exact,
    data_exact_integers,
    direct,
    finite_differences,
    hessian_array,
    interval_exact,
    interval_quadrature,
    weighted_sums,
)
from problems import (
    CRITICAL,
    CURVED,
    FAMILY_RISK,
    LEAKY_TABLE,
    TILTED,
    affine_level,
    affine_saddle,
    family_function,
    family_network,
    family_target,
    leaky_level,
    leaky_saddle,
)
from records import ONE, Pieces, Plain

CURVE = Pieces.of((-1, 0, Fraction(1, 2), 2), ((1, 2, 3), (1, -1), (0, 1, 1, 1)))


def random_net(seed: int, width: int, *, skip: bool = False, slope: float = 0.0) -> Plain:
    rng = np.random.default_rng(seed)
    return Plain.of(rng.normal(size=3 * width + 1 + skip), skip=skip, slope=slope)


@pytest.mark.parametrize("solved", CRITICAL, ids=lambda s: s.name)
def test_solved_problem_by_exact_integration(solved):
    exact = interval_exact(solved.net, solved.target, solved.a, solved.b, density=solved.density)
    risk, gradient = exact.floats()
    assert risk == pytest.approx(solved.risk, abs=solved.digits)
    assert np.max(np.abs(gradient)) <= solved.gradient


@pytest.mark.parametrize("solved", CURVED, ids=lambda s: s.name)
def test_solved_curvature_by_exact_integration(solved):
    exact = interval_exact(
        solved.net, solved.target, solved.a, solved.b, density=solved.density, hessian=True
    )
    found = np.linalg.eigvalsh(hessian_array(exact))
    # published to eight significant digits, at most
    np.testing.assert_allclose(found, solved.eigenvalues, rtol=6e-8, atol=2e-9)


@pytest.mark.parametrize("n", [0, 2, 4, 6])
def test_affine_levels(n):
    net = affine_saddle(n, 2, -1, 0.5, 3)
    exact = interval_exact(net, Pieces.of((0, 1), ((-1, 2),)), 0.5, 3)
    assert float(exact.risk) == pytest.approx(affine_level(n, 2, 0.5, 3), rel=1e-13)


@pytest.mark.parametrize(("n", "family", "g", "digits"), LEAKY_TABLE)
def test_leaky_saddles_are_critical(n, family, g, digits):
    net = leaky_saddle(n, family, g, 1, 0, 0, 1)
    exact = interval_exact(net, Pieces.of((0, 1), ((0, 1),)), 0, 1)
    risk, gradient = exact.floats()
    assert risk == pytest.approx(digits, abs=6e-11)
    assert risk == pytest.approx(leaky_level(n, family, g, 1, 0, 1), rel=1e-12)
    assert np.max(np.abs(gradient)) < 1e-15 * 10


def test_family_target_is_the_function_and_its_members_are_critical():
    target = family_target()
    x = np.linspace(0, 1, 2001)
    np.testing.assert_allclose(target(x), [family_function(t) for t in x], atol=1e-11)
    for t in (0.1, 0.4):
        exact = interval_exact(family_network(t), target, 0, 1)
        risk, gradient = exact.floats()
        assert risk == pytest.approx(FAMILY_RISK, abs=1e-11)
        assert np.max(np.abs(gradient)) < 1e-11


@pytest.mark.parametrize("slope", [0.0, 0.3])
@pytest.mark.parametrize("skip", [False, True])
def test_rationals_agree_with_quadrature_and_differences(slope, skip):
    for seed in range(2):
        net = random_net(seed, 3, skip=skip, slope=slope)
        exact = interval_exact(net, CURVE, -1, 2, density=TILTED_ON_CURVE, hessian=True)
        risk, gradient = exact.floats()
        cuts = [float(t) for t in (*CURVE.breaks, *TILTED_ON_CURVE.breaks)]
        other = interval_quadrature(net, CURVE, -1, 2, density=TILTED_ON_CURVE, cuts=cuts)
        assert risk == pytest.approx(other[0], rel=1e-13)
        np.testing.assert_allclose(gradient, other[1], atol=1e-12 * np.max(np.abs(gradient)))

        def both(theta, skip=skip, slope=slope, cuts=cuts):
            moved = Plain.of(theta, skip=skip, slope=slope)
            return interval_quadrature(moved, CURVE, -1, 2, density=TILTED_ON_CURVE, cuts=cuts)

        by_risk = finite_differences(lambda t: both(t)[0], net.theta(), 1e-3)
        np.testing.assert_allclose(by_risk, gradient, atol=1e-7 * np.max(np.abs(gradient)))
        hess = hessian_array(exact)
        by_gradient = finite_differences(lambda t: both(t)[1], net.theta(), 1e-4)
        np.testing.assert_allclose(by_gradient, hess, atol=1e-6 * np.max(np.abs(hess)))
        np.testing.assert_array_equal(hess, hess.T)


TILTED_ON_CURVE = Pieces.of((-1, Fraction(3, 4), 2), ((3, 1), (1, 0, 1)))


def test_tilted_density_is_one_plus_x():
    assert TILTED(np.array([0.0, 0.5]))[1] == 1.5
    assert ONE(np.array([0.3]))[0] == 1.0


@pytest.mark.parametrize("at_zero", ["gt", "ge"])
def test_data_sums_three_ways(at_zero):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=60), rng.normal(size=60)
    net = Plain((1.0, -2.0, 0.0, 0.5), (-x[5], 0.25, 0.0, 1.0), (0.5, -1.0, 2.0, 1.0), 0.1, 0.3)
    exact = data_exact(x.tolist(), y.tolist(), net, at_zero=at_zero)
    integers = data_exact_integers(x, y, net, at_zero=at_zero)
    assert exact.risk == integers.risk
    assert exact.gradient == integers.gradient
    risk, gradient = weighted_sums(x, y, np.full(60, 1 / 60), net, at_zero=at_zero)
    assert risk == pytest.approx(float(exact.risk), rel=1e-13)
    np.testing.assert_allclose(gradient, exact.floats()[1], rtol=1e-11, atol=1e-13)
    loops = direct(
        x[:, None],
        y[:, None],
        np.array(net.w)[:, None],
        np.array(net.b),
        np.array(net.v)[:, None],
        np.array([net.c]),
        np.array([[net.u]]),
        at_zero=at_zero,
    )
    assert loops[0] == pytest.approx(risk, rel=1e-13)
    np.testing.assert_allclose(loops[1], gradient, rtol=1e-11, atol=1e-13)


def test_conventions_differ_exactly_at_a_tie():
    net = Plain((1.0,), (-2.0,), (3.0,), 0.0)
    assert data_exact([2.0], [1.0], net).gradient == (0, 0, 0, -2)
    assert data_exact([2.0], [1.0], net, at_zero="ge").gradient == (-12, -6, 0, -2)


def test_data_hessian_by_differences():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=12).tolist(), rng.normal(size=12).tolist()
    net = random_net(8, 2, skip=True, slope=0.2)
    exact = data_exact(x, y, net, hessian=True)

    def gradient(theta):
        return data_exact(x, y, Plain.of(theta, skip=True, slope=0.2)).floats()[1]

    found = finite_differences(gradient, net.theta(), 1e-5)
    np.testing.assert_allclose(found, hessian_array(exact), atol=1e-8)


def test_best_spline_against_a_fine_grid():
    rng = np.random.default_rng(11)
    for _ in range(6):
        x = np.sort(rng.integers(0, 40, 8)) / 4
        y = np.round(rng.normal(size=8) * 8) / 8
        grid = np.linspace(x[0], x[-1], 400)[1:-1]
        coarse = min(spline_sse(x, y, [t])[0] for t in [*grid, *x[1:-1]])
        exact = float(exact_best_spline(x, y, 1).sum_of_squares)
        assert exact <= coarse + 1e-12
        assert coarse <= exact + 0.01 * (1 + exact)


def test_two_knots_against_a_grid():
    rng = np.random.default_rng(12)
    for _ in range(3):
        x, y = np.arange(7.0), np.round(rng.normal(size=7) * 8) / 8
        grid = np.linspace(0, 6, 49)[1:-1]
        coarse = min(spline_sse(x, y, [s, t])[0] for i, s in enumerate(grid) for t in grid[i + 1 :])
        exact = float(exact_best_spline(x, y, 2).sum_of_squares)
        assert exact <= coarse + 1e-12
        assert coarse <= exact + 0.05 * (1 + exact)


def test_best_spline_grows_better_and_ends_in_interpolation():
    x, y = [0, 1, 2, 3, 4, 5], [0, 2, 1, 3, -1, 0]
    fits = [exact_best_spline(x, y, k).sum_of_squares for k in range(5)]
    assert fits == sorted(fits, reverse=True)
    assert fits[0] == least_squares_line(x, y)[2]
    assert fits[4] == 0
    assert fits[2] > 0


def test_best_spline_hand_solved():
    # a hat with one point pushed off it: two free lines through (0,0),(1,1) and (3,1),(4,0)
    # meet at x = 2, y = 2; the datum there is 2, so one knot on the site is perfect
    assert exact_best_spline([0, 1, 2, 3, 4], [0, 1, 2, 1, 0], 1).sum_of_squares == 0
    # a jump between 1 and 2 needs two knots in one gap
    step = ([0, 1, 2, 3], [0, 0, 1, 1])
    assert exact_best_spline(*step, 2).sum_of_squares == 0
    assert exact_best_spline(*step, 1).sum_of_squares > 0


def test_weights_are_repeated_rows():
    x, y = [0, 1, 2, 3, 4, 5], [1, -1, 2, 0, 3, 1]
    weights = [1, 3, 1, 2, 1, 1]
    rows = [(a, b) for a, b, m in zip(x, y, weights, strict=True) for _ in range(m)]
    for k in (0, 1, 2):
        one = exact_best_spline(x, y, k, weights=weights).sum_of_squares
        assert one == exact_best_spline(*zip(*rows, strict=True), k).sum_of_squares


def test_plain_networks_lie_between_splines():
    rng = np.random.default_rng(2)
    for _ in range(4):
        x, y = np.arange(7.0), np.round(rng.normal(size=7) * 8) / 8
        for width in (1, 2):
            plain = best_plain_sse(x, y, width)
            same = float(exact_best_spline(x, y, width).sum_of_squares)
            fewer = float(exact_best_spline(x, y, width - 1).sum_of_squares)
            assert same - 1e-12 <= plain <= fewer + 1e-12


def test_bounded_fit_hand_solved():
    x = np.array([0.0, 1.0, 2.0, 3.0])
    # increasing fits of a decreasing line are constant
    assert bounded_best_sse(x, -x, 1, 0.0, np.inf) == pytest.approx(5.0, rel=1e-9)
    # slope at most 1 against slope 2 from the origin: residuals +-0.5, +-1.5
    assert bounded_best_sse(x, 2 * x, 0, -1.0, 1.0) == pytest.approx(5.0, rel=1e-9)
    assert bounded_best_sse(x, np.abs(x - 1), 1, -1.0, 1.0) == pytest.approx(0.0, abs=1e-12)
