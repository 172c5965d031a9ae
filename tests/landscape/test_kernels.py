"""The compiled parts of a verdict against plain versions of the same."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

import reluscape as rs
from reluscape.kernels import curvature, escape
from reluscape.landscape.escape import COARSE, TRIES, lowest_along
from reluscape.landscape.sight import CARRIER, DEGENERATE, EDGE, IDLE, KINK, look
from reluscape.problems.line import evaluate

ULP = float(np.finfo(np.float64).eps)


def networks(count, rng, width=7):
    """Yield networks with shared, flat, outside, bordering and degenerate neurons, all mixed."""
    for i in range(count):
        w = rng.choice([-2.0, -0.5, 1.0, 3.0], width)
        t = rng.choice([-1.5, -1.0, -0.75, 0.0, 0.25, 0.3, 0.9, 1.0, 1.25], width)
        v = rng.normal(size=width) * (rng.random(width) > 0.2)
        b = -w * t
        still = rng.random(width) < 0.2
        w[still], b[still] = 0.0, rng.choice([-1.0, 0.0, 1.0], int(still.sum()))
        activation = "relu" if i % 2 else rs.leaky(0.25)
        skip = rng.normal(size=1) if i % 3 == 0 else None
        yield rs.Network(w, b, v, float(rng.normal()), skip, activation)


PROBLEMS = {
    "cubic": rs.Interval(rs.polynomial([0.0, 0.0, 0.0, 1.0]), -1.0, 1.0),
    "pieces": rs.Interval(
        rs.piecewise_linear([-1.0, 0.0, 0.25, 1.0], [0.0, 1.0, -1.0, 2.0]), -1, 1
    ),
    "data": rs.Samples([-1.0, -0.75, 0.0, 0.25, 0.5, 1.0], [0.0, 1.0, -1.0, 2.0, 0.5, 0.0]),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_roles_are_those_of_exact_arithmetic(name):
    problem = PROBLEMS[name]
    data = [-1.0, -0.75, 0.0, 0.25, 0.5, 1.0] if name == "data" else [-1.0, 1.0]
    for network in networks(200, np.random.default_rng(1)):
        sight = look(problem, network, 1e-9)
        for j, (w, b) in enumerate(zip(network.weights[:, 0], network.biases, strict=True)):
            signs = [_sign(w, b, x) for x in data]
            on = [k for k, sign in enumerate(signs) if sign == 0]
            assert sight.point[j] == (on[0] if on and w else -1)
            assert sight.role[j] == _role(w, b, signs, network.activation.slope, name == "data")
            if w:
                assert sight.t[j] == -b / w


def _sign(w, b, x):
    value = Fraction(float(w)) * Fraction(x) + Fraction(float(b))
    return (value > 0) - (value < 0)


def _role(w, b, signs, leak, atomic):
    if w == 0.0 and b == 0.0:
        return DEGENERATE
    if atomic and w and 0 in signs:
        return EDGE
    if signs[0] * signs[-1] < 0:
        return KINK
    return CARRIER if max(signs) > 0 or leak else IDLE


@pytest.mark.parametrize("name", ["cubic", "pieces"])
def test_inner_products_of_the_coordinates_by_quadrature(name):
    """Every derivative of N is written as a function of x and integrated between all its kinks."""
    problem = PROBLEMS[name]
    nodes, weights = np.polynomial.legendre.leggauss(3)
    for network in networks(60, np.random.default_rng(2)):
        sight = look(problem, network, 1e-9)
        moving = np.flatnonzero((sight.role == KINK) & (network.outputs != 0.0))
        w, v, slope = network.weights[:, 0], network.outputs, network.activation.slope
        t = -network.biases / np.where(w == 0.0, 1.0, w)
        group, first, places, border, both = curvature.bends(
            sight.evaluation.reduced.weights, sight.t, moving, problem.moments.table, 1e-12
        )
        kinks = sorted({float(t[j]) for j in moving})
        assert places.tolist() == kinks
        assert [group[j] for j in moving] == [kinks.index(float(t[j])) for j in moving]
        assert first.tolist() == [next(j for j in moving if t[j] == k) for k in kinks]
        edges = problem.moments.table.edges.tolist()
        assert border.tolist() == [edges.index(t[j]) if t[j] in edges else -1 for j in moving]
        assert both == any(
            w[i] * w[j] < 0.0 and t[i] == t[j] for i in moving for j in moving if i < j
        )
        cuts = np.unique([-1.0, 1.0, *kinks])
        x = np.concatenate([(a + b) / 2 + (b - a) / 2 * nodes for a, b in itertools.pairwise(cuts)])
        mass = np.concatenate([(b - a) / 2 * weights for a, b in itertools.pairwise(cuts)])
        for tilted in (False, True):
            rows = [np.ones_like(x)] + ([x - 0.125] if tilted else [])
            for j in first:
                side = 1.0 if tilted or w[j] > 0.0 else -1.0
                z = side * (x - t[j])
                rows.append(np.where(z > 0.0, z, 0.0 if tilted else slope * z))
            for j in moving:
                act = np.where(w[j] * (x - t[j]) > 0.0, 1.0, slope)
                rows.append(-v[j] * w[j] * act)
            expected = (np.array(rows) * mass) @ np.array(rows).T
            reduced = sight.evaluation.reduced
            found = curvature.gram(
                sight.evaluation.segments,
                sight.slopes,
                reduced.weights,
                reduced.outputs,
                moving,
                first,
                places,
                tilted,
                0.125,
            )
            # The table has moments of mean mass 1, outputs of the reduced targets.
            found *= problem.moments.mass
            scale = np.ones(len(found))
            scale[len(found) - len(moving) :] = problem.moments.y_axis.scale
            found *= scale * scale[:, None]
            assert np.abs(found - expected).max() <= 64 * ULP * max(np.abs(expected).max(), 1.0)


def test_the_frame_is_reached_without_rounding():
    problem = rs.Samples([1.7e9, 1.7e9 + 0.75, 1.7e9 + 5.0], [1e6, 1e6 + 0.25, 1e6 + 3.0])
    x, y = problem.moments.x_axis, problem.moments.y_axis
    rng = np.random.default_rng(3)
    size = 10.0 ** rng.integers(-8, 8, size=(3, 50))
    network = rs.Network(*rng.normal(size=(3, 50)) * size, 0.7, [0.3])
    reduced = evaluate(problem.moments, network).reduced
    for j in range(50):
        w, b, v = (
            Fraction(float(p[j])) for p in (network.weights[:, 0], network.biases, network.outputs)
        )
        power = Fraction(float(reduced.power[j]))
        assert power.numerator == 1 or power.denominator == 1
        assert Fraction(float(reduced.weights[j])) * power == w * Fraction(x.scale)
        bias = sum(Fraction(float(part)) for part in reduced.bias[j]) * power
        assert (
            abs(bias - (b + w * Fraction(x.centre)))
            <= abs(b + w * Fraction(x.centre)) * Fraction(2) ** -100
        )
        assert Fraction(float(reduced.outputs[j])) * Fraction(y.scale) == v * power
        assert max(abs(reduced.weights[j]), abs(reduced.bias[j, 0])) < 2.0
    offset = sum(Fraction(float(part)) for part in reduced.offset) * Fraction(y.scale)
    c, u = Fraction(0.7), Fraction(0.3)
    expected = c - Fraction(y.centre) + u * Fraction(x.centre)
    assert abs(offset - expected) <= abs(expected) * Fraction(2) ** -100


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_compiled_search_takes_the_steps_of_the_plain_one(name):
    problem = PROBLEMS[name]
    rng = np.random.default_rng(4)
    helped = 0
    for network in networks(40, rng):
        start, skip = network.to_vector(), network.skip is not None

        def risk(theta, network=network, skip=skip):
            return problem.risk(
                rs.Network.from_vector(theta, skip=skip, activation=network.activation)
            )

        level = problem.risk(network)
        for direction in (-problem.gradient(network), rng.normal(size=start.size)):
            table, leak = problem.moments.table, network.activation.slope
            step, lowest = escape.lowest_along(
                start, direction, skip, leak, table, level, 4.0, COARSE, TRIES
            )
            plain_step, plain_lowest = lowest_along(risk, start, direction, level, 4.0)
            assert step == plain_step
            assert lowest == pytest.approx(plain_lowest, rel=1e-12)
            helped += step > 0.0
    assert helped > 40
