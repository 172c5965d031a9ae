"""The search behind the evidence: units, derivatives, bounds, and what it makes of known cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reluscape as rs
from reluscape.landscape.bounded_search import random_start, search_for
from reluscape.landscape.standard_units import Shape, size_of, units_of
from reluscape.networks.activations import Activation

SQUARE = [[2.0, -1.0], [5.0, -1.0], [5.0, 1.0], [2.0, 1.0]]
TEACHER = rs.Network([[1.0, 2.0], [-1.0, 0.5]], [0.5, 0.0], [2.0, -1.0], 0.25)


def data(inputs: int, rows: int = 30) -> rs.Samples:
    rng = np.random.default_rng(inputs)
    x = rng.normal(size=(rows, inputs)) * [1.0, 10.0, 0.1][:inputs] + 7.0
    return rs.Samples(x[:, 0] if inputs == 1 else x, rng.normal(size=rows) * 3.0 + 5.0)


def on(text: str, a: float = 0.0, b: float = 1.0, density: str = "1") -> rs.Interval:
    return rs.Interval(rs.expression(text), a, b, rs.expression(density))


PROBLEMS = {
    "interval": on("abs(x - 11) + x^2", 10, 13, "x - 9"),
    "data": data(1),
    "several inputs": data(3),
    "polygon": rs.Polygon(rs.polynomial2d([[0, 1], [2, 3]]), SQUARE, rs.polynomial2d([[1], [0.5]])),
    "gaussian": rs.Gaussian(TEACHER),
}
KINDS = [
    (name, activation)
    for name in PROBLEMS
    for activation in ("relu", "tanh", "softplus", "square")
    if activation == "relu" or name not in ("polygon", "gaussian")
]


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("name", PROBLEMS)
def test_units_make_the_best_affine_function_one(name: str, skip: bool) -> None:
    problem = PROBLEMS[name]
    units = units_of(problem, skip)
    shape = Shape(0, problem.inputs, Activation("relu"), skip)
    zero = np.zeros(shape.size)
    assert problem.risk(units.network(shape, zero)) == pytest.approx(units.risk, rel=1e-12)
    # It is the best one: in every direction the risk is larger by the square of the step.
    rng = np.random.default_rng(0)
    for step in rng.normal(size=(5, shape.size)):
        there = [problem.risk(units.network(shape, s * step)) for s in (1.0, -1.0)]
        assert there[0] == pytest.approx(there[1], rel=1e-9)
        assert min(there) > units.risk


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize(("name", "activation"), KINDS)
def test_parameters_go_both_ways(name: str, activation: str, skip: bool) -> None:
    problem = PROBLEMS[name]
    units = units_of(problem, skip)
    shape = Shape(3, problem.inputs, Activation(activation), skip)
    theta = random_start(shape, 4.0, np.random.default_rng(0))
    theta[-1] = 0.5
    network = units.network(shape, theta)
    again = units.parameters(shape, network)
    x = np.random.default_rng(1).normal(size=(50, problem.inputs)) + units.centre
    assert units.network(shape, again)(x) == pytest.approx(network(x), rel=1e-9, abs=1e-9)
    assert size_of(shape, again) == pytest.approx(size_of(shape, theta), rel=1e-9)
    if activation == "relu":
        w, b, v, _, _ = shape.split(again)
        inner = np.maximum(np.abs(w).max(axis=1), np.abs(b))
        assert inner == pytest.approx(np.abs(v), rel=1e-12)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("name", PROBLEMS)
def test_derivatives_in_standard_units(name: str, skip: bool) -> None:
    problem = PROBLEMS[name]
    units = units_of(problem, skip)
    shape = Shape(2, problem.inputs, Activation("relu"), skip)
    theta = random_start(shape, 2.0, np.random.default_rng(2))
    network = units.network(shape, theta)
    gradient = units.pulled_back(shape, problem.gradient(network))
    rows = units.pulled_back(shape, problem.hessian(network))
    hessian = units.pulled_back(shape, rows.T)
    step = 1e-6
    for i, unit in enumerate(np.eye(shape.size) * step):
        ends = [units.network(shape, theta + s * unit) for s in (1.0, -1.0)]
        slope = (problem.risk(ends[0]) - problem.risk(ends[1])) / (2 * step)
        assert slope == pytest.approx(gradient[i], rel=1e-5, abs=1e-6 * units.risk)
        turned = [units.pulled_back(shape, problem.gradient(n)) for n in ends]
        bend = (turned[0] - turned[1]) / (2 * step)
        assert bend == pytest.approx(hessian[i], rel=1e-4, abs=1e-4 * units.risk)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize(("name", "activation"), KINDS)
def test_searches_go_down_inside_their_bounds(name: str, activation: str, skip: bool) -> None:
    problem = PROBLEMS[name]
    units = units_of(problem, skip)
    shape = Shape(2, problem.inputs, Activation(activation), skip)
    rng = np.random.default_rng(3)
    search = search_for(problem, shape, units, 3.0, rng)
    start = random_start(shape, 3.0, rng)
    first, theta = search.descend(start, 20)
    last, theta = search.finish(theta)
    assert np.abs(theta).max() <= 3.0
    assert last <= first <= search.value(start) * (1 + 1e-12)
    # What it calls the risk is that of the problem, also where it sees nodes instead.
    exact = problem.risk(units.network(shape, theta)) / units.risk
    assert last == pytest.approx(exact, rel=1e-9, abs=1e-13)
    assert search.value(theta) == pytest.approx(exact, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("activation", ["tanh", "softplus", "square"])
def test_only_inner_weights_descend(activation: str) -> None:
    problem, shape = data(3), Shape(2, 3, Activation(activation), True)
    units = units_of(problem, True)
    search = search_for(problem, shape, units, 1.5, np.random.default_rng(0))
    inner = random_start(shape, 1.5, np.random.default_rng(1))[: 2 * 4]
    value, gradient = search._value_and_gradient(inner)
    step = 1e-6
    for i, unit in enumerate(np.eye(len(inner)) * step):
        ends = [search._value_and_gradient(inner + s * unit)[0] for s in (1.0, -1.0)]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(gradient[i], rel=1e-4, abs=1e-7)
    # No outer weights within the bounds are better.
    outer = search._outer(search._design(inner)[0])
    assert np.abs(outer).max() == 1.5
    for trial in np.random.default_rng(2).uniform(-1e-2, 1e-2, (200, len(outer))):
        theta = np.concatenate([inner, np.clip(outer + trial, -1.5, 1.5)])
        assert search.value(theta) >= value * (1 - 1e-12)


def test_a_part_of_many_rows() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(9_000, 2))
    problem = rs.Samples(x, np.tanh(x[:, 0]) + x[:, 1])
    shape = Shape(1, 2, Activation("tanh"), True)
    units = units_of(problem, True)
    search = search_for(problem, shape, units, 8.0, rng)
    theta = random_start(shape, 8.0, rng)
    exact = problem.risk(units.network(shape, theta)) / units.risk
    assert search.value(theta) == pytest.approx(exact, rel=0.1)
    assert search.value(theta) != pytest.approx(exact, rel=1e-9)


def test_the_best_within_a_bound_is_found() -> None:
    # max(x, 0) on [-1, 1] by c + v log(1 + e^(w x)): a grid over w, best v and c within the box.
    problem = on("max(x, 0)", -1, 1)
    units = units_of(problem, False)
    evidence = rs.attainment(
        problem, 1, activation="softplus", skip=False, bounds=(4.0, 8.0)
    ).evidence
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x = np.concatenate([(nodes - 1) / 2, (nodes + 1) / 2])
    mass = np.concatenate([weights, weights]) / 2
    f = (np.maximum(x, 0) - units.level) / units.spread
    for bound, risk in zip(evidence.bounds, evidence.risks, strict=True):
        least = np.inf
        for w in np.linspace(0.5, bound, 40):
            for b in np.linspace(-1.0, 1.0, 41):
                a = np.logaddexp(0, w * x + b)
                design = np.stack([a, np.ones_like(a)], axis=1) * np.sqrt(mass)[:, None]
                v, c = np.linalg.lstsq(design, f * np.sqrt(mass), rcond=None)[0]
                if max(abs(v), abs(c)) <= bound:
                    least = min(least, mass @ (c + v * a - f) ** 2)
        least *= units.spread**2
        assert risk <= least * (1 + 1e-9)
        assert risk == pytest.approx(least, rel=0.02)


def test_the_same_seed_gives_the_same_networks() -> None:
    problem = on("abs(x - 1/3) + x^2")
    one, two = (rs.attainment(problem, 2, bounds=(2.0, 4.0), seed=5).evidence for _ in range(2))
    assert one.networks == two.networks
    assert (one.risks == two.risks).all()


def test_risks_are_those_of_the_networks_and_never_rise() -> None:
    for problem, activation in ((data(1), "relu"), (on("x^3", -1, 1), "tanh")):
        evidence = rs.attainment(problem, 1, activation=activation, bounds=(1, 2, 4)).evidence
        assert [problem.risk(n) for n in evidence.networks] == evidence.risks.tolist()
        assert (np.diff(evidence.risks) <= 1e-15).all()
        assert (evidence.sizes <= evidence.bounds * (1 + 1e-12)).all()


def test_evidence_agrees_with_what_is_proved() -> None:
    bounds = (4.0, 8.0, 16.0)
    attained = rs.attainment(on("x^3", -1, 1), 2, bounds=bounds).evidence
    assert attained.enough is not None
    assert attained.rate is None
    assert "do as well" in str(attained)
    lost = rs.attainment(on("x^3 - x", -1, 1), 1, activation="square", skip=False, bounds=bounds)
    # The infimum is known, 8/175, and the rate that of what is above it.
    assert lost.evidence.rate == pytest.approx(2.0, abs=0.05)
    assert "falls like size^-2.0" in str(lost.evidence)
    # The best is a jump between two lines, of risk 2 (1/2)^5 / 180, which networks do not reach.
    problem = on("x^2 + step(x - 1/2)")
    open_ = rs.attainment(problem, 2, bounds=(64.0, 128.0, 256.0))
    assert (open_.attained, open_.evidence.rate, open_.evidence.enough) == (None, None, None)
    assert (open_.evidence.risks > 2 * 0.5**5 / 180).all()
    assert open_.evidence.risks[-1] == pytest.approx(2 * 0.5**5 / 180, rel=0.01)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 1.0, 64.0]), st.integers(1, 3))
def test_starts_are_within_their_bounds(seed: int, bound: float, inputs: int) -> None:
    shape = Shape(4, inputs, Activation("relu"), True)
    theta = random_start(shape, bound, np.random.default_rng(seed))
    assert len(theta) == shape.size
    assert np.abs(theta).max() <= bound
    w, b, _, c, u = shape.split(theta)
    # Every hyperplane meets the cube, and nothing else is there at first.
    assert (np.abs(b) <= np.abs(w).sum(axis=1) + 1e-12).all()
    assert not c.any()
    assert not u.any()
