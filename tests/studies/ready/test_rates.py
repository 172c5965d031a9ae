"""Rates at limits, against eigenvalues and powers that theory.md has (S1-1, S1-3, S1-4)."""

from __future__ import annotations

import numpy as np
import pytest

from reluscape import Interval, Network, global_minima, piecewise_linear
from reluscape.studies.ready.rates import STATES, limit_rate, local_rates, tail_power, tail_rate

TENT = Interval(piecewise_linear([0, 0.5, 1], [0.5, 0, 0.5]), 0, 1)
SCALE = 1 / 48
# S1-1: the smallest non-zero eigenvalue at the standard point, the same for every width.
SMALLEST = 0.0207416393


def rates_from(theta, more, step_size=0.1):
    risk = np.array([[TENT.risk(Network.from_vector(theta))]])
    return local_rates(
        TENT, theta[np.newaxis], risk, [0], step_size=step_size, more=more, scale=SCALE
    )


@pytest.mark.parametrize("width", [2, 3, 5])
def test_rate_near_the_standard_minimum_is_that_of_theory(width):
    start = global_minima(TENT, width).network.to_vector()
    start[: 2 * width] += 1e-6
    rates = rates_from(start, 10_000)
    expected = -2 * np.log(1 - 0.1 * SMALLEST)
    assert STATES[rates.state[0]] == "manifold"
    # A start this close moves the eigenvalues in their sixth digit.
    assert rates.expected[0] == pytest.approx(expected, rel=1e-4)
    assert rates.seen[0] == pytest.approx(expected, rel=1e-3)
    assert np.isnan(rates.power[0])


def test_two_breakpoints_that_meet_converge_like_the_third_power():
    # S1-4: moved by eps to both sides the risk is 2 eps^3 / 3, in a null direction of the Hessian.
    eps = 0.02
    start = np.array([-1.0, 1.0, 0.5 - eps, -0.5 - eps, 1.0, 1.0, eps])
    assert TENT.risk(Network.from_vector(start)) == pytest.approx(2 * eps**3 / 3, rel=1e-9)
    rates = rates_from(start, 200_000, step_size=0.2)
    assert STATES[rates.state[0]] == "on the way"
    assert rates.power[0] == pytest.approx(3.0, abs=0.1)
    assert np.isnan(rates.expected[0])


def test_limit_that_is_no_manifold_has_no_rate():
    crossed = np.array([-1.0, 1.0, 0.5, -0.5, 1.0, 1.0, 0.0])
    assert limit_rate(TENT, crossed, 0.1) == 1.0


def test_spare_breakpoint_at_an_end_has_no_rate():
    minimum = global_minima(TENT, 3).network
    theta = minimum.to_vector()
    theta[2], theta[5], theta[8] = 1.0, -1.0 + 1e-9, 0.5
    assert limit_rate(TENT, theta, 0.1) == 1.0


def test_outer_weight_that_has_all_but_vanished_is_put_to_zero():
    theta = global_minima(TENT, 3).network.to_vector()
    # A third neuron with its breakpoint at 1/4 and a v that rounding left over.
    theta[2], theta[5], theta[8] = 1.0, -0.25, 1e-15
    rate = limit_rate(TENT, theta, 0.1)
    theta[8] = 0.0
    hessian = TENT.hessian(Network.from_vector(theta))
    values = np.linalg.eigvalsh(hessian)
    least = values[values > 1e-10][0]
    assert rate == pytest.approx((1 - 0.1 * least) ** 2, rel=1e-9)


def test_network_that_is_no_minimum_has_no_limit():
    assert limit_rate(TENT, np.array([1.0, 1.0, 1.0, -0.4, -1.0, 1.5, 1.5]), 0.1) is None


def test_rates_are_read_between_the_linear_range_and_rounding():
    at = np.arange(0.0, 1000.0, 10.0)
    risks = 0.01 * np.exp(-0.05 * at) + 1e-2 * np.exp(-0.5 * at) + 1e-27
    assert tail_rate(at, risks) == pytest.approx(0.05, rel=1e-6)
    assert np.isnan(tail_rate(at, np.full(100, 0.5)))
    assert tail_power(at[1:], at[1:] ** -2.5) == pytest.approx(2.5)
