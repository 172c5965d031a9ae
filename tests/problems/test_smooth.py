"""The activation y^2: exact risks and derivatives, what theory says of it, and what refuses it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluscape as rs
from oracles import finite_differences
from records import Pieces, add, integral, times
from reluscape.networks.symmetry import balanced
from reluscape.training.quasi_newton import minimise
from strategies import numbers, rows, targets

ALPHA, BETA, A, B = 2.0, -1.0, 0.5, 3.0
LEVEL = ALPHA**2 * (B - A) ** 3 / 12
MIDDLE = ALPHA * (A + B) / 2 + BETA


def squares(w, b, v, c=0.0, u=None):
    return rs.Network(w, b, v, c, skip=None if u is None else [u], activation="square")


@st.composite
def parabolas(draw):
    width = draw(st.integers(0, 4))
    w, b, v = ([draw(numbers) for _ in range(width)] for _ in range(3))
    return squares(w, b, v, draw(numbers), draw(st.none() | numbers))


def exact(net, target: Pieces, density: Pieces):
    """Risk and gradient by integrating products of polynomials, in rationals."""
    w, b, v = (
        [Fraction(float(t)) for t in p] for p in (net.weights[:, 0], net.biases, net.outputs)
    )
    lines = [(r, s) for s, r in zip(w, b, strict=True)]
    value = (Fraction(float(net.offset)), Fraction(0 if net.skip is None else float(net.skip[0])))
    for line, t in zip(lines, v, strict=True):
        value = add(value, times((t,), times(line, line)))
    x = (Fraction(0), Fraction(1))
    inner = [times(times((2 * t,), line), x) for line, t in zip(lines, v, strict=True)]
    inner += [times((2 * t,), line) for line, t in zip(lines, v, strict=True)]
    inner += [times(line, line) for line in lines]
    inner += [(Fraction(1),)] if net.skip is None else [(Fraction(1),), x]
    risk, gradient = Fraction(0), [Fraction(0)] * len(inner)
    for left, right in pairwise(sorted({*target.breaks, *density.breaks})):
        middle = (left + right) / 2
        e = add(value, times((Fraction(-1),), target.piece(middle)))
        ep = times(e, density.piece(middle))
        risk += integral(times(e, ep), left, right)
        for i, factor in enumerate(inner):
            gradient[i] += 2 * integral(times(ep, factor), left, right)
    return float(risk), np.array([float(g) for g in gradient])


@settings(max_examples=40)
@given(parabolas(), targets())
def test_interval_is_exact(interval_of, net, pieces):
    problem = interval_of(pieces[0], -1, 2, pieces[1])
    risk, gradient = exact(net, *pieces)
    assert problem.risk(net) == risk
    np.testing.assert_array_equal(problem.gradient(net), gradient)


@settings(max_examples=15)
@given(parabolas(), targets())
def test_hessian_is_the_derivative_of_the_gradient(interval_of, net, pieces):
    problem = interval_of(pieces[0], -1, 2, pieces[1])

    def gradient(theta):
        return problem.gradient(like(theta, net))

    # central differences of order 4 are exact for the gradient, a polynomial of degree 5, but for
    # the fifth derivative times the step to the fourth
    numeric = finite_differences(gradient, net.to_vector())
    hessian = problem.hessian(net)
    np.testing.assert_allclose(hessian, numeric, rtol=0, atol=1e-8 * (1 + np.abs(hessian).max()))
    np.testing.assert_array_equal(hessian, hessian.T)


def like(theta, net):
    return rs.Network.from_vector(theta, skip=net.skip is not None, activation="square")


@settings(max_examples=30)
@given(parabolas(), rows())
def test_data(net, data):
    x, y, mass = data
    problem = rs.Samples(x, y, weights=mass)
    weights = np.full(len(x), 1 / len(x)) if mass is None else mass

    def risk(theta):
        now = like(theta, net)
        value = float(now.offset) + (0 if now.skip is None else now.skip[0] * x)
        for w, b, v in zip(now.weights[:, 0], now.biases, now.outputs, strict=True):
            value = value + v * (w * x + b) ** 2
        return float(np.sum(weights * (value - y) ** 2))

    theta = net.to_vector()
    assert problem.risk(net) == pytest.approx(risk(theta), rel=1e-11, abs=1e-13)
    numeric = finite_differences(risk, theta)
    gradient = problem.gradient(net)
    np.testing.assert_allclose(gradient, numeric, rtol=0, atol=1e-6 * (1 + np.abs(numeric).max()))
    hessian = problem.hessian(net)
    slopes = finite_differences(lambda t: problem.gradient(like(t, net)), theta)
    np.testing.assert_allclose(hessian, slopes, rtol=0, atol=1e-7 * (1 + np.abs(slopes).max()))


def test_data_in_space():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    problem = rs.Samples(x, y)

    def build(theta):
        return rs.Network.from_vector(theta, 3, True, "square", targets=2)

    theta = rng.normal(size=3 * 4 + 4 + 4 * 2 + 2 + 6)
    net = build(theta)
    want = ((x @ net.weights.T + net.biases) ** 2) @ net.outputs + net.offset + x @ net.skip
    np.testing.assert_allclose(net(x), want, rtol=1e-12, atol=1e-12)
    assert problem.risk(net) == pytest.approx(np.mean(np.sum((want - y) ** 2, axis=1)), rel=1e-13)
    numeric = finite_differences(lambda t: problem.risk(build(t)), theta)
    np.testing.assert_allclose(problem.gradient(net), numeric, rtol=1e-7, atol=1e-7)
    numeric = finite_differences(lambda t: problem.gradient(build(t)), theta)
    np.testing.assert_allclose(problem.hessian(net), numeric, rtol=1e-7, atol=1e-6)


# ------------------------------------------------------------------ affine targets (theory 1.4)


@pytest.mark.parametrize(
    "net",
    [
        squares([0.0], [3.0], [0.0], MIDDLE),
        squares([2.0], [-2.0 * (A + B) / 2], [0.0], MIDDLE),
        squares([0.0], [0.0], [5.0], MIDDLE),
        squares([0.0, 4.0, 0.0], [-7.0, -7.0, 0.0], [0.0, 0.0, -2.0], MIDDLE),
    ],
)
def test_critical_points(net):
    problem = rs.Interval(rs.affine(ALPHA, BETA), A, B)
    assert problem.risk(net) == pytest.approx(LEVEL, rel=1e-15)
    np.testing.assert_allclose(problem.gradient(net), 0, atol=1e-13)
    # all of them are saddles
    assert np.linalg.eigvalsh(problem.hessian(net)).min() < -0.1


@pytest.mark.parametrize(
    "net",
    [
        squares([0.0], [3.0], [0.1], MIDDLE - 0.9),  # v and b
        squares([2.0], [1.0], [0.0], MIDDLE),  # v = 0, vertex elsewhere
        squares([0.0], [3.0], [0.0], MIDDLE + 1),
    ],
)
def test_neighbours_that_are_not_critical(net):
    problem = rs.Interval(rs.affine(ALPHA, BETA), A, B)
    assert np.abs(problem.gradient(net)).max() > 0.1


def test_two_squares_make_an_affine_function():
    # ((x + 1)^2 - (x - 1)^2) / 4 = x
    net = squares([1.0, 1.0], [1.0, -1.0], [ALPHA / 4, -ALPHA / 4], BETA)
    problem = rs.Interval(rs.affine(ALPHA, BETA), A, B)
    assert problem.risk(net) == 0.0
    np.testing.assert_array_equal(problem.gradient(net), 0)
    assert net([2.0])[0] == 3.0


def test_one_square_gets_as_near_as_you_like_but_no_nearer():
    # (x / (2 m) + m)^2 - m^2 for the target x on [0, 1], with the best v and c; m = 10
    problem = rs.Interval(rs.affine(1, 0), 0, 1)
    net = squares([1 / 20], [10.0], [1.0], -100.0)
    step = np.linalg.solve(problem.hessian(net)[2:, 2:], problem.gradient(net)[2:])
    best = squares([1 / 20], [10.0], [1.0 - step[0]], -100.0 - step[1])
    # the published digits; v and c are solved for to seven, which costs their square
    assert problem.risk(best) == pytest.approx(3.4549245666e-08, rel=1e-9)


# -------------------------------------------------------------------------- what is around it


def test_a_network_of_squares(tmp_path):
    net = squares([2.0, 0.0], [-1.0, 1.0], [0.5, 3.0], 0.25, 1.0)
    x = np.array([-1.0, 0.0, 0.5, 2.0])
    np.testing.assert_array_equal(net(x), 0.25 + x + 0.5 * (2 * x - 1) ** 2 + 3)
    for name in ("net.json", "net.npz"):
        net.save(tmp_path / name)
        assert rs.load_network(tmp_path / name) == net
    assert "square" in repr(net)
    assert "square" in net._repr_html_()
    assert "breakpoint" not in net._repr_html_()
    kinds = [state.kind for state in net.neuron_states(0.0, 1.0)]
    assert kinds == ["type-2-active", "semi-active"]
    assert rs.Activation("square") == net.activation
    assert net != rs.Network(net.weights, net.biases, net.outputs, 0.25, skip=[1.0])
    with pytest.raises(rs.InputError, match="slope"):
        rs.Activation("square", 0.5)


NET = squares([1.0], [0.5], [1.0])
LINE = rs.Interval(rs.affine(1, 0), 0, 1)
DATA = rs.Samples([0.0, 1.0, 2.0], [0.0, 1.0, 0.0])


@pytest.mark.parametrize(
    "call",
    [
        NET.breakpoints,
        NET.canonical,
        lambda: balanced(NET),
        lambda: rs.descend(LINE, NET, step_size=0.1, steps=1),
        lambda: rs.descend(DATA, NET, step_size=0.1, steps=1),
        lambda: rs.flow(LINE, NET, time=1.0),
        lambda: rs.flow(DATA, NET, time=1.0),
        lambda: rs.polish(LINE, NET),
        lambda: rs.polish(DATA, NET),
        lambda: rs.multistart(LINE, 2, starts=2, step_size=0.1, steps=1, activation="square"),
        lambda: rs.breakpoint_spread(LINE, 2, np.random.default_rng(0), activation="square"),
        lambda: minimise(np.ones((3, 2)), np.ones(3), np.ones(3), 1, activation="square"),
    ],
)
def test_what_is_made_of_breakpoints_refuses_it(call):
    with pytest.raises(rs.InputError, match="piecewise linear"):
        call()


def test_what_does_not_fit_is_refused():
    with pytest.raises(rs.InputError, match="input"):
        LINE.risk(rs.Network([[1.0, 2.0]], [0.0], [1.0], activation="square"))
    with pytest.raises(rs.InputError, match="at_zero"):
        LINE.gradient(NET, at_zero="no")
    with pytest.raises(rs.InputError, match="largest float"):
        LINE.risk(squares([1e120], [0.0], [1e120]))
