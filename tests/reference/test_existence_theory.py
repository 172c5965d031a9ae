"""Existence of minimisers against the papers' numbers: each row of the table of blow-ups (S0-5)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import comb

import numpy as np
import pytest
from flint import arb, arb_series, ctx

import reluscape as rs

ZETA_3 = 1.2020569031595942854


def sequence_of(text: str, a: float, b: float, width: int, activation: str):
    """A problem, and the explicit networks along which its infimum is approached."""
    problem = rs.Interval(rs.expression(text), a, b)
    answer = rs.attainment(problem, width, activation=activation, skip=False, bounds=())
    assert answer.attained is False
    assert answer.infimum == 0.0
    return problem, answer.sequence


def test_tanh_for_a_line() -> None:
    problem, sequence = sequence_of("x", -1, 1, 1, "tanh")
    network = sequence(0.1)
    assert problem.risk(network) == pytest.approx(5.054630683e-07, rel=1e-10)
    # v tanh(eps x): v grows as w shrinks.
    assert network.weights.tolist() == [[0.1]]
    assert network.biases.tolist() == [0.0]
    assert float(network.outputs[0]) == pytest.approx(10.0, rel=0.01)
    assert float(network.offset) == pytest.approx(0.0, abs=1e-14)
    assert problem.risk(sequence(0.01)) == pytest.approx(8 * 0.01**4 / 1575, rel=1e-4)


def test_softplus_for_a_kink() -> None:
    problem, sequence = sequence_of("max(x, 0)", -1, 1, 1, "softplus")
    assert problem.risk(sequence(20.0)) == pytest.approx(7.512855645e-05, rel=1e-10)
    assert problem.risk(sequence(100.0)) == pytest.approx(6.0102845158e-07, rel=1e-11)
    assert problem.risk(sequence(100.0)) == pytest.approx(ZETA_3 / 2e6, abs=1e-15)
    x = np.linspace(-1, 1, 7)
    assert np.allclose(sequence(20.0)(x), np.log1p(np.exp(20 * x)) / 20, rtol=1e-14, atol=0)


def sech_squared(pieces: int = 16, terms: int = 15) -> rs.Interval:
    """`sech(x)^2` on [-1, 1]: Taylor pieces of 120 bits, whose coefficients are rounded once."""
    before, ctx.prec, ctx.cap = (ctx.prec, ctx.cap), 120, terms
    borders = [Fraction(2 * i, pieces) - 1 for i in range(pieces + 1)]
    rows = []
    for low, high in pairwise(borders):
        centre = (low + high) / 2
        power = arb_series([2 * arb(float(centre)), 2]).exp()
        series = 4 * power / (1 + power) ** 2
        rows.append(about_zero([Fraction(*as_fraction(c)) for c in series.coeffs()], centre))
    ctx.prec, ctx.cap = before
    return rs.Interval(rs.piecewise_polynomial([float(t) for t in borders], rows), -1, 1)


def about_zero(coefficients: list[Fraction], centre: Fraction) -> list[float]:
    """The coefficients of a polynomial in x, from those in x - centre."""
    terms = list(enumerate(coefficients))
    return [
        float(sum(c * comb(k, j) * (-centre) ** (k - j) for k, c in terms[j:]))
        for j in range(len(coefficients))
    ]


def as_fraction(ball: arb) -> tuple[int, int]:
    mantissa, exponent = (int(n) for n in ball.mid().man_exp())
    return (mantissa << exponent, 1) if exponent >= 0 else (mantissa, 1 << -exponent)


def test_two_tanh_for_its_derivative() -> None:
    problem = sech_squared()
    x = np.linspace(-1, 1, 101)
    assert np.abs(problem.target(x) - np.cosh(x) ** -2).max() < 1e-14

    def risk(eps: float) -> float:
        pair = [0.5 / eps, -0.5 / eps]
        return problem.risk(rs.Network([1.0, 1.0], [eps, -eps], pair, activation="tanh"))

    assert risk(0.05) == pytest.approx(4.27723066e-07, rel=2e-9)
    assert risk(0.01) == pytest.approx(0.0685442374 * 0.01**4, rel=1e-3)
    # What is given is a piecewise polynomial that is no network: nothing is claimed about it.
    assert rs.attainment(problem, 2, activation="tanh", skip=False, bounds=()).attained is None


def test_parabola_for_a_line() -> None:
    problem, sequence = sequence_of("x", 0, 1, 1, "square")
    assert problem.risk(sequence(10.0)) == pytest.approx(3.4549245666e-08, rel=1e-10)
    assert problem.risk(sequence(100.0)) == pytest.approx(1 / (2880 * 100**4), rel=1e-4)
    network = sequence(10.0)
    # (x / (2 m) + m)^2 - m^2, but for the best v and c.
    assert network.weights[0, 0] == pytest.approx(1 / 20, rel=1e-15)
    assert float(network.biases[0]) == 10.0


def test_relu_for_a_jump() -> None:
    problem, sequence = sequence_of("step(x - 1/2)", 0, 1, 2, "relu")
    assert problem.risk(sequence(0.01)) == pytest.approx(1 / 1200, rel=1e-13)
    for eps in (0.5, 0.1, 1e-3, 1e-6):
        assert problem.risk(sequence(eps)) == pytest.approx(eps / 12, rel=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "width", "least"),
    [(0, 1, 1, 1 / 2880), (0, 1, 2, 1 / 14580), (0, 1, 3, 1 / 46080), (0, 1, 5, 1 / 233280)]
    + [(-1, 2, d, 243 / 180 / (d + 1) ** 4) for d in (1, 2, 4)],
)
def test_least_risk_for_a_square(a: int, b: int, width: int, least: float) -> None:
    answer = rs.attainment(rs.Interval(rs.expression("x^2"), a, b), width, bounds=())
    assert answer.attained is True
    assert answer.infimum == pytest.approx(least, rel=1e-13)


@pytest.mark.parametrize(
    ("text", "a", "b", "width", "activation", "first", "rate"),
    [
        ("x", -1, 1, 1, "tanh", 8.0, 4.0),
        ("max(x, 0)", -1, 1, 1, "softplus", 100.0, 3.0),
        # The largest parameter is the offset, of the size of m^2.
        ("x", 0, 1, 1, "square", 8.0, 2.0),
        # Balanced neurons are as large as the root of the slope 1 / eps.
        ("step(x - 1/2)", 0, 1, 2, "relu", 8.0, 2.0),
    ],
)
def test_best_networks_blow_up_at_a_rate(
    text: str, a: int, b: int, width: int, activation: str, first: float, rate: float
) -> None:
    problem = rs.Interval(rs.expression(text), a, b)
    bounds = (first, 2 * first, 4 * first)
    answer = rs.attainment(problem, width, activation=activation, skip=False, bounds=bounds)
    assert answer.evidence.rate == pytest.approx(rate, abs=0.05)
    assert answer.evidence.sizes == pytest.approx(bounds, rel=1e-3)
    assert (np.diff(answer.evidence.risks) < 0).all()


def test_two_tanh_blow_up_for_their_derivative() -> None:
    bounds = (16.0, 32.0, 64.0)
    answer = rs.attainment(sech_squared(), 2, activation="tanh", skip=False, bounds=bounds)
    assert answer.evidence.rate == pytest.approx(4.0, abs=0.05)


def test_relu_stays_bounded_for_a_continuous_target() -> None:
    problem = rs.Interval(rs.expression("x^2"), 0, 1)
    evidence = rs.attainment(problem, 2, bounds=(4.0, 16.0, 64.0)).evidence
    assert evidence.rate is None
    assert evidence.enough == 4.0
    assert evidence.risks == pytest.approx([1 / 14580] * 3, rel=1e-12)
    assert evidence.sizes == pytest.approx([evidence.sizes[-1]] * 3, rel=1e-6)
    assert evidence.sizes[-1] < 4.0
