"""The accuracy promised: exact rationals on hostile data, a plain loop on plain data."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import reluscape as rs
from oracles import (
    Exact,
    data_exact,
    data_exact_integers,
    descend_textbook,
    direct,
    hessian_array,
    interval_exact,
)
from records import Pieces, Plain, plain_of

BAR = 1e-10  # the promise for risk and gradient, relative
ITERATES = 1e-9  # the promise for 100 steps of descent


def relative(found: float, exact: Fraction) -> float:
    return abs(float((Fraction(float(found)) - exact) / exact))


def check(problem: Any, net: Any, exact: Exact, *, entrywise: bool) -> None:
    """Risk within the bar; each gradient entry within it of itself, or of its terms' sizes."""
    assert relative(problem.risk(net), exact.risk) <= BAR
    gradient = problem.gradient(net)
    sizes = [abs(g) for g in exact.gradient] if entrywise else exact.scale
    worst = [
        abs(float((Fraction(float(g)) - e) / s))
        for g, e, s in zip(gradient, exact.gradient, sizes, strict=True)
        if s
    ]
    assert max(worst) <= BAR, worst
    zeros = [g for g, s in zip(gradient, sizes, strict=True) if not s]
    assert not np.any(zeros)


# ------------------------------------------------------------- timestamps and a large offset


def timestamps(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Milliseconds around 1.7e9 seconds, y = 1e6 plus small hats plus noise of 1e-3."""
    rng = np.random.default_rng(seed)
    x = 1.7e9 + np.sort(rng.integers(0, 60_000, n)) * 1e-3
    knots = [1.7e9 + 15.0, 1.7e9 + 32.5, 1.7e9 + 47.25]
    y = 1e6 + 1e-3 * (x - 1.7e9) / 60 + 5e-3 * np.maximum(x - knots[0], 0) / 60
    y = y - 9e-3 * np.maximum(x - knots[1], 0) / 60 + rng.normal(size=n) * 1e-3
    return x, y, knots


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_network_that_follows_timestamps(seed, skip):
    x, y, knots = timestamps(1500, seed)
    slopes = (5e-3 / 60, -9e-3 / 60, 2e-3 / 60)
    if skip:
        u = 1e-3 / 60
        c = float(1e6 - u * 1.7e9 + 4e-4)
        net = Plain((1.0,) * 3, tuple(-t for t in knots), slopes, c, u)
    else:
        # the first line by a left-active neuron, off by 4e-4 so that no entry cancels
        net = Plain(
            (1.0, 1.0, 1.0, -1.0),
            (*(-t for t in knots), 1.7e9 + 60.0),
            (*slopes, -1e-3 / 60),
            1e6 + 1e-3 + 4e-4,
        )
    exact = data_exact(x.tolist(), y.tolist(), net)
    # it follows: the error is noise plus the small offset, not the trend
    assert float(exact.risk) < 5e-6
    problem = rs.Samples(x, y)
    built = _build(net)
    check(problem, built, exact, entrywise=False)
    check(problem, built, exact, entrywise=True)


@pytest.mark.parametrize("width", [1, 3, 6])
def test_fitted_network_on_timestamps(width):
    x, y, _ = timestamps(1500, 5)
    problem = rs.Samples(x, y)
    fit = rs.fit(problem, width)
    net = plain_of(fit.network)
    exact = data_exact(x.tolist(), y.tolist(), net)
    # a network of doubles can follow: the noise has variance 1e-6
    assert float(exact.risk) < 1.1e-6 + (4e-7 if width == 1 else 0)
    check(problem, fit.network, exact, entrywise=False)
    assert fit.risk == pytest.approx(float(exact.risk), rel=BAR)


def _build(net: Plain) -> Any:
    return rs.Network(
        np.array(net.w),
        np.array(net.b),
        np.array(net.v),
        net.c,
        skip=None if net.u is None else np.array([net.u]),
        activation=rs.leaky(net.slope) if net.slope else "relu",
    )


@pytest.mark.parametrize("slope", [0.0, 0.25])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("at_zero", ["gt", "ge"])
def test_plain_data_with_ties(at_zero, skip, slope):
    rng = np.random.default_rng(17)
    # x on a coarse grid: repeats, and breakpoints that hit them exactly
    x = rng.integers(-20, 20, 300) / 4
    y = rng.normal(size=300)
    w = (1.0, -1.0, 2.0, -0.5, 0.0, 0.0, 1.0)
    b = (-2.25, 1.5, 3.0, 0.3, 0.0, 0.7, -90.0)
    v = (0.5, -1.25, 0.75, 2.0, 1.5, -0.5, 1.0)
    net = Plain(w, b, v, 0.4, -0.3 if skip else None, slope)
    exact = data_exact(x.tolist(), y.tolist(), net, at_zero=at_zero)
    problem = rs.Samples(x, y)
    gradient = problem.gradient(_build(net), at_zero=at_zero)
    risk, expected = exact.floats()
    assert problem.risk(_build(net)) == pytest.approx(risk, rel=1e-13)
    np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_weighted_data_and_hessian(slope):
    rng = np.random.default_rng(23)
    x, y, mass = rng.normal(size=80), rng.normal(size=80), rng.uniform(0.1, 2, 80)
    mass[7] = 0.0
    net = Plain.of(rng.normal(size=11), skip=True, slope=slope)
    exact = data_exact(x.tolist(), y.tolist(), net, weights=mass.tolist(), hessian=True)
    problem = rs.Samples(x, y, weights=mass)
    risk, gradient = exact.floats()
    assert problem.risk(_build(net)) == pytest.approx(risk, rel=1e-13)
    np.testing.assert_allclose(problem.gradient(_build(net)), gradient, rtol=1e-11, atol=1e-12)
    hess = hessian_array(exact)
    found = problem.hessian(_build(net))
    np.testing.assert_allclose(found, hess, rtol=1e-11, atol=1e-12 * np.max(np.abs(hess)))


# ------------------------------------------------------------------------------ a million rows


def million(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 10, 1_000_000)
    y = np.abs(x - 5) + 0.1 * rng.normal(size=x.size)
    return x, y


def test_a_million_rows():
    x, y = million(4)
    net = Plain((1.0, -0.75), (-5.01, 3.0), (2.0, 0.0625), 5.03, -1.01)
    exact = data_exact_integers(x, y, net)
    check(rs.Samples(x, y), _build(net), exact, entrywise=True)


def test_a_million_timestamps():
    x, y, knots = timestamps(1_000_000, 8)
    u = 1e-3 / 60
    c = float(1e6 - u * 1.7e9 + 4e-4)
    net = Plain((1.0,) * 2, tuple(-t for t in knots[:2]), (5e-3 / 60, -9e-3 / 60), c, u)
    exact = data_exact_integers(x, y, net)
    assert float(exact.risk) < 5e-6
    check(rs.Samples(x, y), _build(net), exact, entrywise=True)


# ----------------------------------------------------------------------------------- intervals


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("slope", [0.0, 0.25])
@pytest.mark.parametrize("seed", range(3))
def test_interval_against_rationals(seed, slope, skip, interval_of):
    target = Pieces.of((-1, 0, Fraction(1, 2), 2), ((1, 2, 3), (1, -1), (0, 1, 1, 1)))
    density = Pieces.of((-1, Fraction(3, 4), 2), ((3, 1), (1, 0, 1)))
    rng = np.random.default_rng(seed)
    net = Plain.of(rng.normal(size=13 + skip), skip=skip, slope=slope)
    exact = interval_exact(net, target, -1, 2, density=density, hessian=True)
    problem = interval_of(target, -1, 2, density)
    risk, gradient = exact.floats()
    built = _build(net)
    assert problem.risk(built) == pytest.approx(risk, rel=1e-13)
    np.testing.assert_allclose(
        problem.gradient(built), gradient, rtol=1e-11, atol=1e-13 * np.max(np.abs(gradient))
    )
    hess = hessian_array(exact)
    np.testing.assert_allclose(problem.hessian(built), hess, atol=1e-12 * np.max(np.abs(hess)))


def test_interval_far_from_the_origin(interval_of):
    # a hat on [1e6, 1e6 + 1]: coefficients in x itself, all dyadic, so the target is exact
    a = 2.0**20
    target = Pieces.of((a, a + 0.5, a + 1), ((-a, 1), (a + 1, -1)))
    net = Plain((1.0, -1.0), (-a - 0.25, a + 0.75), (0.5, 0.25), 0.125)
    exact = interval_exact(net, target, a, a + 1)
    problem, built = interval_of(target, a, a + 1), _build(net)
    assert relative(problem.risk(built), exact.risk) <= BAR
    for found, expected in zip(problem.gradient(built), exact.gradient, strict=True):
        assert relative(found, expected) <= BAR


# ------------------------------------------------------------------------------------ descent


@pytest.mark.parametrize("at_zero", ["gt", "ge"])
@pytest.mark.parametrize("slope", [0.0, 0.1])
@pytest.mark.parametrize("skip", [False, True])
def test_a_hundred_steps_are_the_textbook_ones(skip, slope, at_zero):
    rng = np.random.default_rng(31)
    x, y = rng.normal(size=400), rng.normal(size=400)
    theta = rng.normal(size=49 + skip)
    theta[[3, 19]] = 0.0  # neuron 3 starts degenerate: the conventions part at once
    start = Plain.of(theta, skip=skip, slope=slope)
    expected = descend_textbook(x, y, start, step_size=0.01, steps=100, at_zero=at_zero)
    run = rs.descend(rs.Samples(x, y), _build(start), step_size=0.01, steps=100, at_zero=at_zero)
    found = run.network.to_vector()
    assert not np.allclose(expected.theta(), theta, atol=1e-2)
    np.testing.assert_allclose(found, expected.theta(), rtol=ITERATES, atol=ITERATES)
    assert np.all(np.isfinite(run.risks))
    final = rs.Samples(x, y).risk(run.network)
    assert np.asarray(run.risks)[-1] == pytest.approx(final, rel=1e-9)


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6])
def test_a_dead_neuron_of_any_size_does_not_disturb_a_step(size):
    # its breakpoint lies left of the data and it is active further left still
    x = np.linspace(0, 10, 50)
    start = Plain((-size, 1.0), (-size / 10, -5.0), (size, 1.0), 0.3)
    expected = descend_textbook(x, np.sin(x), start, step_size=0.01, steps=1)
    run = rs.descend(rs.Samples(x, np.sin(x)), _build(start), step_size=0.01, steps=1)
    found = run.network.to_vector()
    np.testing.assert_allclose(found, expected.theta(), rtol=ITERATES, atol=ITERATES)


def test_weighted_steps_are_the_textbook_ones():
    rng = np.random.default_rng(37)
    x, y, mass = rng.integers(0, 50, 300) / 10, rng.normal(size=300), rng.uniform(0, 0.01, 300)
    start = Plain.of(rng.normal(size=49), skip=False)
    expected = descend_textbook(x, y, start, step_size=0.005, steps=100, weights=mass)
    run = rs.descend(rs.Samples(x, y, weights=mass), _build(start), step_size=0.005, steps=100)
    np.testing.assert_allclose(
        run.network.to_vector(), expected.theta(), rtol=ITERATES, atol=ITERATES
    )


def test_steps_on_an_interval_are_the_textbook_ones(interval_of):
    # the integral steps by quadrature cut at the kinks of each iterate
    from oracles import interval_quadrature
    from problems import TENT

    rng = np.random.default_rng(41)
    start = Plain.of(rng.normal(size=49), skip=False)
    theta = start.theta()
    for _ in range(100):
        now = Plain.of(theta, skip=False)
        theta = theta - 0.02 * interval_quadrature(now, TENT, 0.0, 1.0, cuts=[0.5], order=4)[1]
    run = rs.descend(interval_of(TENT, 0, 1), _build(start), step_size=0.02, steps=100)
    np.testing.assert_allclose(run.network.to_vector(), theta, rtol=ITERATES, atol=ITERATES)


# ------------------------------------------------------------------- several inputs and targets


@pytest.mark.parametrize("at_zero", ["gt", "ge"])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_several_inputs_and_targets(slope, skip, at_zero):
    rng = np.random.default_rng(43)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
    w, b, v = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=(4, 2))
    w[2], b[2] = 0.0, 0.0
    c = rng.normal(size=2)
    u = rng.normal(size=(3, 2)) if skip else None
    mass = rng.uniform(size=40)
    risk, gradient = direct(x, y, w, b, v, c, u, row_weights=mass, slope=slope, at_zero=at_zero)
    net = rs.Network(w, b, v, c, skip=u, activation=rs.leaky(slope) if slope else "relu")
    problem = rs.Samples(x, y, weights=mass)
    assert problem.risk(net) == pytest.approx(risk, rel=1e-12)
    np.testing.assert_allclose(problem.gradient(net, at_zero=at_zero), gradient, atol=1e-12)


def test_hessian_in_several_inputs_is_the_slope_of_the_gradient():
    from oracles import finite_differences

    rng = np.random.default_rng(47)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    net = rs.Network.from_vector(rng.normal(size=15), inputs=2, skip=True)
    assert (net.width, net.inputs) == (3, 2)
    problem = rs.Samples(x, y)

    def gradient(theta):
        return problem.gradient(rs.Network.from_vector(theta, inputs=2, skip=True))

    found = problem.hessian(net)
    expected = finite_differences(gradient, net.to_vector(), 1e-5)
    np.testing.assert_allclose(found, expected, atol=1e-7)
