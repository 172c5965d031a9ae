"""Leaving a jump: the theory's numbers, strictly smaller risks, and what stands in the way."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import reluscape as rs
from reluscape.problems.power_risk import power_risk
from tabulated import steep_tanh

SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1]]
PENTAGON = [[0, 0], [2, -0.5], [3, 1], [2.5, 2], [0.5, 1.75]]
STEP_AT_ZERO = rs.GeneralizedResponse([1.0], [0.0], [0.0], [1.0])
STEP = rs.GeneralizedResponse([1.0], [0.5], [0.0], [1.0])


def gauss(cuts, count=60):
    """Nodes and weights on all intervals between cuts."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    cuts = np.asarray(cuts)
    half, middle = np.diff(cuts) / 2, (cuts[1:] + cuts[:-1]) / 2
    return (middle[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * weights).ravel()


@cache
def tanh_problem():
    return rs.Interval(steep_tanh(), -1, 1)


@cache
def tanh_jump():
    """The best response with one jump at 0: odd, a least-squares line to the right."""
    x, w = gauss(np.concatenate([np.linspace(0, 0.5, 21), [1.0]]))
    mean, tilt = w @ np.tanh(20 * x), w @ (x * np.tanh(20 * x))
    slope, constant = 12 * tilt - 6 * mean, 4 * mean - 6 * tilt
    return rs.GeneralizedResponse([1.0], [0.0], [0.0], [2 * constant], -constant, [slope])


# ------------------------------------------------------------------------------ the theory


def test_the_table_of_tanh_is_good_for_eleven_digits():
    x = np.linspace(-1, 1, 200_001)
    assert np.abs(steep_tanh()(x) - np.tanh(20 * x)).max() < 1e-11


def test_s0_3_the_jump_in_tanh():
    problem, response = tanh_problem(), tanh_jump()
    assert problem.risk(response) == pytest.approx(0.029850144941, abs=1e-12)
    found = rs.improve(problem, response)
    assert found.smaller
    assert found.constant == pytest.approx(0.8705743338, abs=1e-10)
    for k, expected in ((100.0, 0.78463), (1000.0, 0.86195), (10000.0, 0.86971)):
        network = found.network_at(k)
        scaled = k * (problem.risk(response) - problem.risk(network))
        assert scaled == pytest.approx(expected, abs=5e-6)
        # the two differ on the ramp only: against tanh itself, by Gauss rules
        reach = 1.0 / k
        x, w = gauss(np.sort([-reach, *(network.breakpoints()), 0.0, reach]))
        gain = w @ ((response(x) - np.tanh(20 * x)) ** 2 - (network(x) - np.tanh(20 * x)) ** 2)
        assert scaled == pytest.approx(k * gain, rel=1e-8)


def test_s0_4_a_jump_that_grows_along_its_line():
    """J = 1 + y at x = 1/2, the target in the middle: 0.625 for every steepness."""
    problem = rs.Polygon(rs.polynomial2d([[0.5, 0.5]]), SQUARE)
    response = rs.GeneralizedResponse([[1.0, 0.0]], [0.5], [[0.0, 1.0]], [1.0])
    found = rs.improve(problem, response)
    assert found.constant == pytest.approx(0.625, rel=1e-14)
    for k in (10.0, 100.0, 1000.0):
        gain = problem.risk(response) - problem.risk(found.network_at(k))
        assert k * gain == pytest.approx(0.625, abs=1e-10)


def test_other_losses_pay_their_own_bracket():
    """phi = e^4 between errors -1/2 and 1/2: 1/20."""
    problem = rs.Interval(rs.polynomial([0.5]), 0, 1)
    found = rs.improve(problem, STEP, power=4.0)
    assert found.constant == pytest.approx(1 / 20, rel=1e-14)
    assert found.smaller
    assert found.risk == power_risk(problem, found.network, 4.0)
    for k in (10.0, 1000.0):
        gain = found.before - power_risk(problem, found.network_at(k), 4.0)
        assert k * gain == pytest.approx(1 / 20, rel=1e-9)


@pytest.mark.parametrize("power", [1.25, 2.0, 3.0, 4.0])
def test_measured_gains_tend_to_the_constant_on_a_line(power):
    """The difference is of the first order in 1 / k: ten times the steepness, a tenth of it."""
    density = rs.piecewise_polynomial([-1, 0.25, 2], [[0.5, 0.25], [1.0, 0.5]])
    target = rs.polynomial([0.25, 1.0, -2.0, 0.5])
    problem = rs.Interval(target, -1, 2, density)
    response = rs.GeneralizedResponse(
        [1.0, -1.0, 1.0], [0.25, -0.5, 1.25], [1.0, 3.0, 2.0], [0.5, -1.0, -2.5], 0.2, [0.5]
    )
    found = rs.improve(problem, response, power=power)
    assert len(found.by_jump) == 2
    assert sum(found.by_jump) == pytest.approx(found.constant)
    off = [
        k * (found.before - power_risk(problem, found.network_at(k), power)) / found.constant - 1.0
        for k in (1e3, 1e4, 1e5)
    ]
    # the density jumps under the first jump: its two halves count for themselves
    assert abs(off[2]) < 1e-3
    assert abs(off[2]) < 0.3 * abs(off[1]) < 0.09 * abs(off[0])


@pytest.mark.parametrize("power", [1.5, 2.0, 3.0])
def test_measured_gains_tend_to_the_constant_in_the_plane(power):
    """Two jumps that cross each other and change their signs along their lines."""
    density = rs.polynomial2d([[1.0, 0.5], [1.0, 0.0]])
    problem = rs.Polygon(rs.polynomial2d([[0.5, -1.0], [1.0, 1.5]]), PENTAGON, density)
    response = rs.GeneralizedResponse(
        [[1.0, 0.5], [-1.0, 2.0]],
        [2.0, 0.4],
        [[2.0, -3.0], [1.0, -2.0]],
        [-1.0, 1.0],
        0.1,
        [0.5, 0],
    )
    found = rs.improve(problem, response, power=power)
    off = [
        k * (found.before - power_risk(problem, found.network_at(k), power)) / found.constant - 1.0
        for k in (1e2, 1e3, 1e4)
    ]
    assert abs(off[2]) < 2e-3
    assert abs(off[2]) < 0.3 * abs(off[1]) < 0.09 * abs(off[0])


@pytest.mark.parametrize("inputs", [1, 2, 6])
def test_gaussian_inputs(inputs):
    rng = np.random.default_rng(inputs)
    teacher = rs.Network(rng.normal(size=(3, inputs)), rng.normal(size=3), rng.normal(size=3))
    problem = rs.Gaussian(teacher)
    normal = rng.normal(size=(1, inputs))
    response = rs.GeneralizedResponse(
        normal / np.linalg.norm(normal), [0.3], rng.normal(size=(1, inputs)), [1.5]
    )
    found = rs.improve(problem, response)
    assert found.smaller
    assert found.network.width == response.dimension == 2
    assert problem.risk(found.network) == pytest.approx(found.risk, rel=1e-12)
    off = [
        k * (found.before - problem.risk(found.network_at(k))) / found.constant - 1.0
        for k in (30.0, 300.0)
    ]
    assert abs(off[1]) < 0.02
    assert abs(off[1]) < 0.2 * abs(off[0])


# ------------------------------------------------------------------------------ strictly smaller


def line_response(rng):
    """One to three jumps and up to two kinks on [-1, 2], with either orientation."""
    jumps, kinks = int(rng.integers(1, 4)), int(rng.integers(0, 3))
    count = jumps + kinks
    at, sign = rng.uniform(-0.95, 1.95, count), rng.choice([-1.0, 1.0], count)
    counts = rng.permutation([2] * jumps + [1] * kinks)
    deltas, betas = rng.normal(size=(2, count))
    betas = np.where(counts == 1, -deltas * at, betas)
    return rs.GeneralizedResponse(
        sign, sign * at, deltas, betas, rng.normal(), [rng.normal()], counts
    )


def plane_response(rng):
    """One or two jumps and up to two kinks across the pentagon."""
    jumps, kinks = int(rng.integers(1, 3)), int(rng.integers(0, 3))
    count = jumps + kinks
    normals = rng.normal(size=(count, 2))
    through = np.array([1.6, 0.8]) + 0.3 * rng.normal(size=(count, 2))
    tau = (normals * through).sum(axis=1)
    counts = rng.permutation([2] * jumps + [1] * kinks)
    deltas, betas = rng.normal(size=(count, 2)), rng.normal(size=count)
    continuous = counts == 1
    deltas[continuous] = normals[continuous]
    betas[continuous] = -tau[continuous]
    return rs.GeneralizedResponse(
        normals, tau, deltas, betas, rng.normal(), rng.normal(size=2), counts
    )


def check(problem, response):
    found = rs.improve(problem, response)
    assert found.smaller
    assert found.obstacle is None
    network = found.network
    assert isinstance(network, rs.Network)
    assert (network.width, network.activation.name) == (response.dimension, "relu")
    assert network.skip is not None
    assert found.before == problem.risk(response)
    assert problem.risk(network) < found.before
    assert problem.risk(network) == found.risk
    assert found.gain == found.before - found.risk


def test_seven_hundred_responses_on_a_line():
    rng = np.random.default_rng(0)
    for _ in range(35):
        knots = np.concatenate([[-1], np.sort(rng.uniform(-1, 2, 3)), [2]])
        target = (
            rs.piecewise_linear(knots, rng.normal(size=5))
            if rng.random() < 0.5
            else rs.polynomial(rng.normal(size=4) * [1, 3, 5, 2])
        )
        density = rs.polynomial([1.2, 0.5]) if rng.random() < 0.5 else None
        problem = rs.Interval(target, -1, 2, density)
        for _ in range(20):
            check(problem, line_response(rng))


def test_three_hundred_responses_in_the_plane():
    rng = np.random.default_rng(1)
    for i in range(30):
        if i % 2:
            target = rs.polynomial2d(rng.normal(size=(2, 2)))
        else:
            target = rs.Network(rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=2))
        problem = rs.Polygon(target, PENTAGON)
        for _ in range(10):
            check(problem, plane_response(rng))


@pytest.mark.parametrize("power", [2.0, 3.0])
def test_the_steepness_is_the_best_one_around(power):
    problem, response = tanh_problem(), tanh_jump()
    found = rs.improve(problem, response, power=power)
    for factor in (0.25, 0.5, 0.9, 1.1, 2.0, 4.0, 64.0):
        other = found.network_at(factor * found.steepness)
        assert power_risk(problem, other, power) > found.risk


def test_scaling_moves_the_answer_along():
    """x times 4, y times 8: the same steps, risks times 256, constants times 8^3."""
    target, response = [0.5, 1.0, -3.0, 2.0], (0.25, 0.75, 1.5)
    small = rs.improve(
        rs.Interval(rs.polynomial(target), 0, 1),
        rs.GeneralizedResponse([1.0], [response[0]], [response[1]], [response[2]]),
    )
    large = rs.improve(
        rs.Interval(rs.polynomial([8.0 * c / 4.0**i for i, c in enumerate(target)]), 0, 4),
        rs.GeneralizedResponse([1.0], [4 * response[0]], [2 * response[1]], [8 * response[2]]),
    )
    assert large.constant == pytest.approx(512.0 * small.constant, rel=1e-13)
    assert large.steepness == pytest.approx(2.0 * small.steepness, rel=1e-9)
    assert large.gain == pytest.approx(256.0 * small.gain, rel=1e-12)


# ------------------------------------------------------------------------------ what fails


def test_a_response_without_jumps_is_a_network():
    problem = rs.Interval(rs.polynomial([0, 0, 1.0]), 0, 1)
    kink = rs.GeneralizedResponse([1.0], [0.5], [2.0], [-1.0])
    found = rs.improve(problem, kink)
    assert (found.smaller, found.obstacle) == (False, "no jump")
    assert found.risk == pytest.approx(found.before, rel=1e-14)
    assert found.network.breakpoints() == [0.5]
    declared = rs.GeneralizedResponse([1.0], [0.5], [2.0], [-1.0], multiplicities=[2])
    found = rs.improve(problem, declared)
    assert (found.smaller, found.obstacle) == (False, "no jump")
    assert "height zero" in str(found)
    assert found.network.width == 1


def test_a_jump_on_the_jump_of_the_target():
    found = rs.improve(rs.Interval(rs.step(0.5), 0, 1), STEP)
    assert (found.smaller, found.network, found.obstacle) == (False, None, "discontinuous target")
    assert found.before == 0.0
    assert "discontinuous across the jump of term 0" in str(found)
    target = rs.piecewise_polynomial2d([[1, 0, -0.5]], [([1], [[1.0, 1.0]])])
    plane = rs.GeneralizedResponse([[1.0, 0.0]], [0.5], [[0.0, 0.0]], [1.5])
    found = rs.improve(rs.Polygon(target, SQUARE), plane)
    assert (found.smaller, found.network, found.obstacle) == (False, None, "discontinuous target")
    # continuous there, discontinuous elsewhere: the step asks for no more
    beside = rs.GeneralizedResponse([[1.0, 0.0]], [0.25], [[0.0, 0.0]], [1.5])
    assert rs.improve(rs.Polygon(target, SQUARE), beside).smaller
    assert rs.improve(rs.Interval(rs.step(0.5), 0, 1), STEP, power=3.0).obstacle == (
        "discontinuous target"
    )


def test_no_density_along_the_jump_gains_nothing():
    touching = rs.polynomial([0.25, -1.0, 1.0])  # (x - 1/2)^2
    found = rs.improve(rs.Interval(rs.polynomial([0.5]), 0, 1, touching), STEP)
    assert (found.smaller, found.constant, found.obstacle) == (False, 0.0, "no density")
    gap = rs.piecewise_polynomial([0, 0.25, 0.75, 1], [[1.0], [0.0], [1.0]])
    found = rs.improve(rs.Interval(rs.polynomial([0.5]), 0, 1, gap), STEP)
    assert (found.smaller, found.constant, found.obstacle) == (False, 0.0, "no density")
    band = rs.piecewise_polynomial2d([[1, 0, -0.7]], [([1], [[1.0]])])
    plane = rs.GeneralizedResponse([[1.0, 0.0]], [0.5], [[0.0, 0.0]], [1.5])
    found = rs.improve(rs.Polygon(rs.polynomial2d([[0.5]]), SQUARE, band), plane)
    assert (found.smaller, found.constant, found.obstacle) == (False, 0.0, "no density")
    # one of two jumps where there is density is enough
    both = rs.GeneralizedResponse([[1.0, 0.0], [1.0, 0.0]], [0.5, 0.9], [[0, 0]] * 2, [1.5, 1.0])
    assert rs.improve(rs.Polygon(rs.polynomial2d([[0.5]]), SQUARE, band), both).smaller


def test_a_density_that_ends_at_the_jump():
    """The error is 0 where the mass is: any ramp in the middle costs."""
    half = rs.piecewise_polynomial([0, 0.5, 1], [[1.0], [0.0]])
    found = rs.improve(rs.Interval(rs.polynomial([0.0]), 0, 1, half), STEP)
    assert (found.smaller, found.network, found.obstacle) == (False, None, "discontinuous density")
    assert found.constant == pytest.approx(-1 / 24, rel=1e-12)
    # the other way round it is a way down
    assert rs.improve(rs.Interval(rs.polynomial([1.0]), 0, 1, half), STEP).smaller


@pytest.mark.parametrize(("at", "value"), [(0.0, 1.0), (-3.0, 1.0), (1.0, 0.0), (2.0, 0.0)])
def test_jumps_outside_are_affine(at, value):
    problem = rs.Interval(rs.polynomial([0.0, 1.0]), 0, 1)
    response = rs.GeneralizedResponse([1.0, 1.0], [at, 0.5], [1.0, 1.0], [1.0, -0.5], 0.25)
    found = rs.improve(problem, response)
    assert (found.smaller, found.obstacle) == (False, "outside")
    assert found.network.width == 1
    x = np.array([0.125, 0.625, 0.875])
    np.testing.assert_allclose(found.network(x), response(x), atol=1e-15)
    assert found.risk == pytest.approx(found.before, rel=1e-14)
    assert found.network([0.25]) == pytest.approx(0.25 + value * 1.25)


def test_jumps_outside_beside_jumps_inside():
    problem = rs.Polygon(rs.polynomial2d([[0.0, 1.0]]), SQUARE)
    response = rs.GeneralizedResponse(
        [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], [0.5, 2.0, 0.0], [[0, 0]] * 3, [1.0, 5.0, 7.0], -7.5
    )
    found = rs.improve(problem, response)
    assert found.smaller
    assert found.network.width == 2
    assert found.before == problem.risk(response)
    assert found.constant == pytest.approx(1 / 6, rel=1e-13)


def test_data_do_not_see_a_ramp():
    rng = np.random.default_rng(5)
    x, y = rng.uniform(-1, 1, 30), rng.normal(size=30)
    # a row on a jump, which is outside; two jumps and a kink in the same gap
    x[:3] = -0.5, 0.25, 0.5
    x[(x > 0.25) & (x < 0.5)] = 0.5
    response = rs.GeneralizedResponse(
        [1.0, 1.0, -1.0, 1.0],
        [-0.5, 0.3, -0.4, 0.35],
        [1.0, 0.0, 2.0, 3.0],
        [2.0, 1.0, -1.0, -1.05],
    )
    for power in (2.0, 3.0):
        problem = rs.Samples(x, y)
        found = rs.improve(problem, response, power=power)
        assert (found.smaller, found.obstacle, found.constant) == (False, "data", None)
        assert found.network.width == response.dimension == 7
        np.testing.assert_allclose(found.network(x), response(x), atol=1e-12)
        assert found.risk == pytest.approx(found.before, rel=1e-13)


def test_data_in_space_do_not_either():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    weights = np.ones(40)
    weights[0], x[0] = 0.0, [0.5, 0.0, 0.0]  # a row without weight may lie anywhere
    response = rs.GeneralizedResponse(
        [[1.0, 0.0, 0.0], [1.0, -1.0, 2.0], [0.0, 0.0, 1.0]],
        [0.5, 0.1, 100.0],
        rng.normal(size=(3, 3)),
        rng.normal(size=3),
        0.25,
        [1.0, 0.0, 0.0],
    )
    found = rs.improve(rs.Samples(x, y, weights), response)
    assert (found.smaller, found.obstacle) == (False, "data")
    assert found.network.width == 4  # no row lies beyond the third jump
    np.testing.assert_allclose(found.network(x[1:]), response(x[1:]), atol=1e-11)


def test_data_on_one_side_only():
    found = rs.improve(rs.Samples([0.0, 0.25, 0.5], [1.0, 0.0, 2.0]), STEP)
    assert (found.smaller, found.obstacle, found.risk) == (False, "outside", found.before)


def test_data_next_to_each_other_in_doubles():
    x = [1e9, np.nextafter(1e9, 2e9)]
    response = rs.GeneralizedResponse([1.0], [1e9], [0.0], [1.0])
    found = rs.improve(rs.Samples(x, [0.0, 1.0]), response)
    assert (found.smaller, found.obstacle) == (False, "data")


def test_a_gain_below_rounding_is_no_gain():
    tiny = rs.GeneralizedResponse([1.0], [0.5], [0.0], [1e-9], 1.0)
    found = rs.improve(rs.Interval(rs.polynomial([0.0, 0.0, 1.0]), 0, 1), tiny)
    assert (found.smaller, found.network, found.obstacle) == (False, None, "rounding")
    assert found.constant == pytest.approx(1e-27 / 6)


def test_under_a_gaussian_steep_ramps_drown_in_rounding():
    """The closed form sums products of neurons of size k^2; the teacher's ramp has k = 5e4."""
    teacher = rs.Network([5e4, 5e4], [0.5, -0.5], [1.0, -1.0])
    found = rs.improve(rs.Gaussian(teacher), STEP_AT_ZERO)
    assert (found.smaller, found.network, found.obstacle) == (False, None, "rounding")
    assert found.constant == pytest.approx(1 / (6 * np.sqrt(2 * np.pi)))
    gentle = rs.Network([50.0, 50.0], [0.5, -0.5], [1.0, -1.0])
    assert rs.improve(rs.Gaussian(gentle), STEP_AT_ZERO).steepness == pytest.approx(50.0, rel=0.02)


@pytest.mark.parametrize("power", [1.0, 0.5, -2.0, np.inf, np.nan, "2"])
def test_losses_that_are_not_strictly_convex_are_refused(power):
    with pytest.raises(rs.InputError, match="not strictly convex"):
        rs.improve(rs.Interval(rs.polynomial([0.5]), 0, 1), STEP, power=power)


def test_calls_that_make_no_sense():
    line = rs.Interval(rs.polynomial([0.5]), 0, 1)
    with pytest.raises(rs.InputError, match="only the squared loss"):
        rs.improve(rs.Gaussian(rs.Network([1.0], [0.0], [1.0])), STEP, power=3.0)
    with pytest.raises(rs.InputError, match=r"1 input\(s\), the problem 2"):
        rs.improve(rs.Polygon(rs.polynomial2d([[0.0]]), SQUARE), STEP)
    with pytest.raises(rs.InputError, match="from_network"):
        rs.improve(line, rs.Network([1.0], [0.0], [1.0]))
    with pytest.raises(rs.InputError, match="problem is a list"):
        rs.improve([1.0], STEP)
    with pytest.raises(rs.InputError, match="2 targets"):
        rs.improve(rs.Samples([0.0, 1.0], [[0.0, 1.0], [1.0, 0.0]]), STEP)


def test_what_it_says():
    found = rs.improve(rs.Interval(rs.polynomial([0.5]), 0, 1), STEP)
    assert str(found).startswith("risk ")
    assert "1 jump(s) replaced by ramps" in str(found)
    assert "<li>1 jump(s)" in found._repr_html_()
    assert "Network" not in repr(found)
