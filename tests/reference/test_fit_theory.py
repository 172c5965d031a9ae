"""``fit`` on problems whose best fit is known in closed form."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import reluscape as rs
from problems import CUBIC, SQUARE, STEP, TENT, chebyshev_pieces, square_best

RISK = 1e-9  # relative: critical values are stationary, so they come out far better than kinks
KINK = 1e-5  # relative to the interval


@pytest.mark.parametrize(("a", "b"), [(0, 1), (-1, 2)])
@pytest.mark.parametrize("d", [0, 1, 2, 3, 5])
def test_square_with_a_skip_connection(d, a, b, interval_of):
    risk, kinks = square_best(d, a, b)
    fit = rs.fit(interval_of(SQUARE, a, b), d)
    assert fit.risk == pytest.approx(risk, rel=RISK)
    assert fit.risk >= risk * (1 - 1e-10)  # nothing is better than the best
    np.testing.assert_allclose(fit.breakpoints, kinks, atol=KINK * (b - a))


def test_square_without_a_skip_connection(interval_of):
    # one plain neuron on x^2: the kink at 1/3 (S3-2), better than the line (1/180)
    fit = rs.fit(interval_of(SQUARE, 0, 1), 1, skip=False)
    assert fit.network.skip is None
    assert fit.risk == pytest.approx(4 / 3645, rel=RISK)
    np.testing.assert_allclose(fit.breakpoints, [1 / 3], atol=KINK)


def test_even_square_needs_no_skip_connection():
    # on [-1/2, 1/2] the best two kinks leave a flat middle: a left- and a right-active neuron
    even = rs.fit(rs.Interval(rs.polynomial([0, 0, 1]), -0.5, 0.5), 2, skip=False)
    risk, kinks = square_best(2, -0.5, 0.5)
    assert even.risk == pytest.approx(risk, rel=RISK)
    np.testing.assert_allclose(even.breakpoints, kinks, atol=KINK)


def test_cubic_with_one_plain_neuron(interval_of):
    fit = rs.fit(interval_of(CUBIC, -1, 1), 1, skip=False)
    assert fit.risk == pytest.approx(0.0362271056400670, rel=RISK)
    assert abs(fit.breakpoints[0]) == pytest.approx(0.519493853295916, abs=KINK)


def test_tent(interval_of):
    problem = interval_of(TENT, 0, 1)
    assert rs.fit(problem, 1).risk == pytest.approx(0, abs=1e-15)
    plain = rs.fit(problem, 1, skip=False)
    assert plain.risk == pytest.approx((3 - 2 * np.sqrt(2)) / 12, rel=RISK)
    assert rs.fit(problem, 2, skip=False).risk == pytest.approx(0, abs=1e-15)


def test_step_with_one_plain_neuron(interval_of):
    fit = rs.fit(interval_of(STEP, 0, 1), 1, skip=False)
    assert fit.risk == pytest.approx(1 / 18, rel=RISK)
    assert rs.Interval(rs.step(0.5), 0, 1).risk(fit.network) == pytest.approx(1 / 18, rel=RISK)


def test_steep_clip_is_its_own_best_fit():
    target = rs.piecewise_linear([-1, -0.02, 0.02, 1], [-1, -1, 1, 1])
    fit = rs.fit(rs.Interval(target, -1, 1), 2)
    assert fit.risk == pytest.approx(0, abs=1e-14)
    np.testing.assert_allclose(fit.breakpoints, [-0.02, 0.02], atol=1e-8)


def test_steep_tanh_two_kinks(interval_of):
    breaks = [Fraction(i, 128) for i in range(-128, 129)]
    target = chebyshev_pieces(lambda x: np.tanh(20 * x), breaks, 5)  # within 1e-9 of tanh(20 x)
    x = np.linspace(-1, 1, 4001)
    assert np.max(np.abs(target(x) - np.tanh(20 * x))) < 1e-9
    fit = rs.fit(interval_of(target, -1, 1), 2)
    assert fit.risk == pytest.approx(0.000881623580, abs=2e-11)
    np.testing.assert_allclose(fit.breakpoints, [-0.06327951, 0.06327951], atol=1e-6)


def test_data_approach_the_integral():
    # midpoint rows of x^2: the mean over n rows tends to the integral like 1/n^2
    n = 20_000
    x = (np.arange(n) + 0.5) / n
    fit = rs.fit(rs.Samples(x, x**2), 2)
    assert fit.risk == pytest.approx(1 / 14580, rel=1e-5)
    np.testing.assert_allclose(fit.breakpoints, [1 / 3, 2 / 3], atol=1e-3)
