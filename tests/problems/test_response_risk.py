"""The exact risk of generalized responses, in rational arithmetic and by theory."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluscape as rs
from gaussian_oracle import nodes
from records import add, integral, times
from reluscape import GeneralizedResponse, InputError, Network
from strategies import numbers, targets


@st.composite
def responses(draw, places=numbers):
    """Up to four terms at distinct places, with either orientation; kinks and jumps."""
    at = draw(st.lists(places, max_size=4, unique=True))
    normals = [draw(st.sampled_from([-1.0, 1.0])) for _ in at]
    deltas = [draw(numbers) for _ in at]
    jumps = [draw(st.sampled_from([0.0, 0.0, 0.5, -2.0])) for _ in at]
    counts = [1 if jump == 0.0 else 2 for jump in jumps]
    betas = [jump - d * t for jump, d, t in zip(jumps, deltas, at, strict=True)]
    thresholds = np.multiply(normals, at)
    return GeneralizedResponse(
        np.reshape(normals, -1),
        np.reshape(thresholds, -1),
        np.reshape(deltas, (-1, 1)),
        np.reshape(betas, -1),
        draw(numbers),
        [draw(numbers)],
        counts,
    )


def terms(response):
    """Place, orientation, and the affine function (constant, slope), exactly."""
    for k in range(len(response.betas)):
        normal = int(response.normals[k, 0])
        at = normal * Fraction(float(response.thresholds[k]))
        delta, beta = Fraction(float(response.deltas[k, 0])), Fraction(float(response.betas[k]))
        yield at, normal, (-delta * at if response.multiplicities[k] == 1 else beta, delta)


def line_at(response, x):
    line = (Fraction(response.offset), Fraction(float(response.slope[0])))
    for at, normal, term in terms(response):
        if normal * (x - at) > 0:
            line = add(line, term)
    return line


@settings(max_examples=100)
@given(responses(), targets())
def test_interval_is_exact(interval_of, response, pieces):
    target, density = pieces
    problem = interval_of(target, -1, 2, density)
    cuts = {Fraction(-1), Fraction(2), *target.breaks, *density.breaks}
    cuts |= {at for at, _, _ in terms(response)}
    risk = Fraction(0)
    for left, right in pairwise(sorted(t for t in cuts if -1 <= t <= 2)):
        middle = (left + right) / 2
        f = tuple(-c for c in target.piece(middle))
        e = add(line_at(response, middle), f)
        risk += integral(times(times(e, e), density.piece(middle)), left, right)
    assert problem.risk(response) == pytest.approx(float(risk), rel=1e-14, abs=1e-25)


@settings(max_examples=100)
@given(responses(st.sampled_from([-1.0, 0.0, 0.5, 1.0])), st.data())
def test_data_on_a_jump_are_outside_the_half_space(response, data):
    x = data.draw(st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0, 2.0]), min_size=1))
    y = [data.draw(numbers) for _ in x]
    weights = [data.draw(st.sampled_from([0.5, 1.0, 3.0])) for _ in x]
    risk = Fraction(0)
    for xi, yi, weight in zip(x, y, weights, strict=True):
        constant, slope = line_at(response, Fraction(xi))
        risk += Fraction(weight) * (constant + slope * Fraction(xi) - Fraction(yi)) ** 2
    problem = rs.Samples(x, y, weights)
    assert problem.risk(response) == pytest.approx(float(risk), rel=1e-14)
    direct = weights @ np.square(response(x) - y)
    assert direct == pytest.approx(float(risk), rel=1e-12, abs=1e-12)


def test_timestamps_keep_their_digits():
    rng = np.random.default_rng(1)
    x = 1.7e9 + np.sort(rng.integers(0, 1000, size=300)).astype(float)
    response = GeneralizedResponse([1.0, 1.0], x[[100, 200]], [0.0, 0.0], [1.0, -3.0], offset=1e6)
    noise = rng.normal(size=300) * 1e-3
    found = rs.Samples(x, response(x) + noise).risk(response)
    exact = np.mean(np.square(response(x) - (response(x) + noise)))
    assert found == pytest.approx(exact, rel=1e-12)


def test_continuous_responses_have_the_risk_of_their_network():
    rng = np.random.default_rng(2)
    network = Network(*rng.normal(size=(3, 5)), offset=0.3, skip=[0.7])
    response = GeneralizedResponse.from_network(network)
    x, y = rng.normal(size=(2, 50))
    for problem in (rs.Samples(x, y), rs.Interval(rs.polynomial([0, 1, -2]), -1, 1.5)):
        assert problem.risk(response) == pytest.approx(problem.risk(network), rel=1e-13)


def test_the_step_is_its_own_response():
    """Theory 4.5: no network attains the infimum 0, the jump does; ramps have eps / 12."""
    problem = rs.Interval(rs.step(0.5), 0, 1)
    assert problem.risk(GeneralizedResponse([1.0], [0.5], [0.0], [1.0])) == 0.0
    eps = 0.01
    ramp = Network([1.0, 1.0], [-0.5 + eps / 2, -0.5 - eps / 2], [1 / eps, -1 / eps])
    assert problem.risk(ramp) == pytest.approx(1 / 1200, rel=1e-12)


def test_the_best_jump_at_a_steep_ramp():
    """S0-2: clip(50 x, -1, 1) on [-1, 1], a jump at 0 with the best line on either side."""
    problem = rs.Interval(rs.piecewise_linear([-1, -0.02, 0.02, 1], [-1, -1, 1, 1]), -1, 1)
    # the best line on [0, 1], from the moments of min(50 x, 1) against 1 and x
    mean = 1 - 0.02 / 2
    tilt = 0.5 - 0.02**2 / 6
    slope, constant = 12 * tilt - 6 * mean, 4 * mean - 6 * tilt
    jump = GeneralizedResponse([1.0], [0.0], [0.0], [2 * constant], -constant, [slope])
    assert problem.risk(jump) == pytest.approx(0.012549226667, abs=1e-12)


@pytest.mark.parametrize("steepness", [10.0, 1000.0])
def test_a_jump_is_worth_less_than_a_ramp(steepness):
    """Theory 4.4: the gain is |J|^3 h / (6 k), here exactly as the error is constant aside."""
    problem = rs.Interval(rs.polynomial([0.5]), 0, 1)
    jump = GeneralizedResponse([1.0], [0.5], [0.0], [1.0])
    half = 0.5 / steepness
    ramp = Network([1.0, 1.0], [-0.5 + half, -0.5 - half], [steepness, -steepness])
    gain = problem.risk(jump) - problem.risk(ramp)
    assert steepness * gain == pytest.approx(1 / 6, rel=1e-9)


def test_several_inputs():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 2)), rng.normal(size=40)
    response = GeneralizedResponse([[1.0, 1.0]], [0.2], [[0.5, -1.0]], [2.0], slope=[1.0, 0.0])
    expected = np.mean(np.square(response(x) - y))
    assert rs.Samples(x, y).risk(response) == pytest.approx(expected, rel=1e-14)


# ------------------------------------------------------------------------- Gaussian inputs


def planes_of(response, teacher):
    return np.vstack(
        [
            np.column_stack([response.normals, -response.thresholds]),
            np.column_stack([teacher.weights, teacher.biases])[teacher.weights.any(axis=1)],
        ]
    )


@pytest.mark.parametrize("inputs", [1, 2])
def test_gaussian_risk_agrees_with_quadrature(inputs):
    rng = np.random.default_rng(4)
    for _ in range(3):
        teacher = Network(
            rng.normal(size=(2, inputs)), rng.normal(size=2), [1.0, -2.0], 0.3, np.ones(inputs)
        )
        # a jump near a kink of the teacher, one that tilts along its boundary, a kink
        normals = np.vstack([teacher.weights[:1] * 2.0, rng.normal(size=(2, inputs))])
        thresholds = [-2.0 * teacher.biases[0] + 1e-6, 0.4, -0.3]
        deltas, betas = rng.normal(size=(3, inputs)), rng.normal(size=3)
        deltas[2], betas[2] = 0.7 * normals[2], 0.7 * 0.3
        response = GeneralizedResponse(
            normals, thresholds, deltas, betas, 0.5, rng.normal(size=inputs)
        )
        assert response.dimension == 5
        x, weights = nodes(planes_of(response, teacher), inputs)
        expected = weights @ np.square(response(x) - teacher(x))
        assert rs.Gaussian(teacher).risk(response) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("angle", [0.0, 1e-8, 1e-4, np.pi - 1e-8])
def test_gaussian_risk_of_jumps_on_nearly_parallel_boundaries(angle):
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    normal = np.array([[0.6, 0.8]])
    teacher = Network(normal @ turn, [-0.2], [1.0])
    response = GeneralizedResponse(
        np.vstack([normal, normal @ turn]), [0.2, 0.3], [[1.0, -1.0], [0.5, 2.0]], [1.0, -2.0]
    )
    x, weights = nodes(planes_of(response, teacher), 2)
    expected = weights @ np.square(response(x) - teacher(x))
    assert rs.Gaussian(teacher).risk(response) == pytest.approx(expected, rel=1e-11)


def test_gaussian_risk_of_continuous_responses_is_that_of_their_network():
    rng = np.random.default_rng(5)
    teacher = Network(rng.normal(size=(4, 7)), rng.normal(size=4), rng.normal(size=4))
    network = Network(rng.normal(size=(5, 7)), rng.normal(size=5), rng.normal(size=5), skip=[1] * 7)
    problem = rs.Gaussian(teacher)
    response = GeneralizedResponse.from_network(network)
    assert problem.risk(response) == pytest.approx(problem.risk(network), rel=1e-13)
    assert problem.risk(GeneralizedResponse.from_network(teacher)) < 1e-13
    with pytest.raises(InputError, match=r"the response has 1 input\(s\), the problem 7"):
        problem.risk(GeneralizedResponse([1.0], [0.0], [1.0], [0.0]))


def test_what_it_refuses():
    plane = GeneralizedResponse([[1.0, 0.0]], [0.0], [[1.0, 0.0]], [0.0])
    line = GeneralizedResponse([1.0], [0.0], [1.0], [0.0])
    x = np.zeros((2, 2))
    with pytest.raises(InputError, match=r"the response has 2 input\(s\), the problem 1"):
        rs.Interval(rs.affine(1, 0), 0, 1).risk(plane)
    with pytest.raises(InputError, match=r"the response has 1 input\(s\), the problem 2"):
        rs.Samples(x, [0.0, 1.0]).risk(line)
    with pytest.raises(InputError, match="one target, the data 2"):
        rs.Samples(x, x).risk(plane)
    steep = GeneralizedResponse([1.0], [0.0], [1e200], [0.0])
    with pytest.raises(InputError, match="beyond the largest float"):
        rs.Interval(rs.affine(1, 0), 0, 1).risk(steep)
