"""Verdicts with several inputs: judged by perturbations and by what neurons were added."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from several_cases import (
    all_problems,
    curved,
    falls,
    like,
    normal,
    perturbed,
    polished,
    rows,
    start,
    taught,
    widened,
)

LOCAL, SADDLE, NOT, GLOBAL = "local minimum", "saddle", "not critical", "global minimum"


# --------------------------------------------------------------------------- brute perturbations


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("problem", [curved(), taught(1, width=5), normal(3, 3, 5)])
def test_nothing_near_a_local_minimum_is_lower(problem, skip, seed):
    network = polished(problem, 3, seed, skip)
    verdict = rs.classify(problem, network)
    if verdict.kind not in (LOCAL, GLOBAL):
        # Without a skip connection neurons leave for infinity under the normal law.
        assert isinstance(problem, rs.Gaussian)
        assert not skip
        return
    assert verdict.escape is None
    assert verdict.risk == problem.risk(network)
    rng = np.random.default_rng(seed)
    lowest = min(problem.risk(n) for n in perturbed(network, rng, 200, 1e-2))
    assert lowest >= verdict.risk * (1.0 - 1e-12) or verdict.kind == GLOBAL


def test_a_thousand_perturbations():
    for problem in (curved(), rows(2, 2, 40)):
        network = polished(problem, 3, 1)
        verdict = rs.classify(problem, network)
        assert verdict.kind == LOCAL
        # On data the cell ends at the nearest row.
        size = 1e-2 if isinstance(problem, rs.Polygon) else 1e-4
        rng = np.random.default_rng(0)
        lowest = min(problem.risk(n) for n in perturbed(network, rng, 1000, size))
        assert lowest >= verdict.risk * (1.0 - 1e-13)


@pytest.mark.parametrize("activation", ["relu", rs.leaky(0.2)])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_on_data_corners_are_local_minima(seed, whole, activation):
    problem = rows(seed, 2, 50, whole)
    end = rs.polish(problem, start(problem, 3, seed, seed % 2 == 0, activation))
    verdict = rs.classify(problem, end.network)
    assert verdict.kind in (LOCAL, GLOBAL)
    assert ("pair" in verdict.reasons[0]) == (end.outcome == "corner")
    rng = np.random.default_rng(seed)
    lowest = min(problem.risk(n) for n in perturbed(end.network, rng, 300, 1e-6))
    assert lowest >= verdict.risk * (1.0 - 1e-13)


@pytest.mark.parametrize("problem", all_problems())
def test_slopes_are_not_critical(problem):
    network = start(problem)
    verdict = rs.classify(problem, network)
    assert verdict.kind == NOT
    assert falls(problem, network, verdict)
    assert verdict.neuron_states == ()
    np.testing.assert_array_equal(verdict.gradient, problem.gradient(network, "ge"))
    assert verdict.gradient_norm == np.linalg.norm(verdict.gradient)


# ------------------------------------------------------------------------ more neurons than used


@pytest.mark.parametrize("problem", all_problems())
def test_a_zero_neuron_is_a_way_down(problem):
    network = widened(polished(problem, 2), np.zeros(problem.inputs), 0.0, 0.0)
    verdict = rs.classify(problem, network)
    assert verdict.kind == SADDLE
    assert "neuron 2: zero" in verdict.reasons[-1]
    assert falls(problem, network, verdict)


@pytest.mark.parametrize("problem", all_problems())
def test_a_neuron_at_zero_with_an_output(problem):
    """Such a neuron has a one-sided derivative to both sides of its hyperplane of zeros."""
    network = widened(polished(problem, 2), np.zeros(problem.inputs), 0.0, 1.0)
    verdict = rs.classify(problem, network, at_zero="ge")
    assert verdict.kind == NOT
    assert "neuron 2 has w = b = 0" in verdict.reasons[0]
    assert falls(problem, network, verdict)
    gradient = problem.gradient(network, "gt")
    other = rs.classify(problem, network, at_zero="gt")
    smooth = np.linalg.norm(gradient) < 1e-9
    assert other.kind == SADDLE or not smooth


@pytest.mark.parametrize("problem", [taught(2, width=5), normal(3, 3, 5)])
def test_a_flat_neuron_that_can_turn_is_an_escape_neuron(problem):
    """Its hyperplane is moved until the error is orthogonal to it: v alone lowers nothing."""
    from scipy.optimize import brentq

    network = polished(problem, 2)

    def pull(bias, weights):
        wider = widened(network, weights, bias, 0.0)
        return problem.gradient(wider)[3 * (problem.inputs + 1) + 2]

    biases = np.linspace(-1.5, 1.0, 40)
    rng = np.random.default_rng(3)
    for _ in range(20):
        weights = rng.normal(size=problem.inputs)
        pulls = np.array([pull(b, weights) for b in biases])
        # Where the hyperplane meets the inputs: beside them rounding alone changes signs.
        changes = np.flatnonzero(
            (pulls[:-1] * pulls[1:] < 0.0) & (np.minimum(abs(pulls[:-1]), abs(pulls[1:])) > 1e-7)
        )
        if len(changes):
            break
    k = int(changes[0])
    bias = float(brentq(pull, biases[k], biases[k + 1], (weights,), xtol=1e-15))
    wider = widened(network, weights, bias, 0.0)
    verdict = rs.classify(problem, wider)
    assert verdict.kind == SADDLE
    assert "neuron 2: flat (v = 0) and able to turn" in verdict.reasons[0]
    assert falls(problem, wider, verdict)


def test_a_split_neuron_moves_along_a_flat_valley():
    """Two neurons for one: the share of each is free, which is no zero curvature in question.

    Turned apart they fit better where the error on the fold has the sign that pays for it.
    """
    kinds = set()
    for seed in range(6):
        problem = curved()
        network = polished(problem, 2, seed)
        v = network.outputs.copy()
        v[0] /= 2.0
        one = rs.Network(network.weights, network.biases, v, network.offset, network.skip)
        split = widened(one, 2.0 * network.weights[0], 2.0 * network.biases[0], v[0] / 2.0)
        assert problem.risk(split) == pytest.approx(problem.risk(network), rel=1e-14)
        verdict = rs.classify(problem, split)
        kinds.add(verdict.kind)
        rng = np.random.default_rng(seed)
        if verdict.kind == LOCAL:
            lowest = min(problem.risk(n) for n in perturbed(split, rng, 200, 1e-2))
            assert lowest >= verdict.risk * (1.0 - 1e-12)
        else:
            assert verdict.kind == SADDLE
            assert falls(problem, split, verdict)
    assert SADDLE in kinds


def test_neurons_that_nothing_sees():
    problem = curved()
    network = polished(problem, 2)
    assert rs.classify(problem, network).kind == LOCAL
    dead = widened(network, [-1.0, -1.0], -0.25, 7.0)
    verdict = rs.classify(problem, dead)
    assert verdict.kind == LOCAL
    assert verdict.reasons[1] == (
        "neuron 2: inactive on the whole polygon, and still so after any small move"
    )
    # A neuron that is affine on the polygon shares its slope with the skip connection.
    skip = network.skip - [0.5, 0.25]
    affine = rs.Network(
        [*network.weights, [2.0, 1.0]],
        [*network.biases, 1.0],
        [*network.outputs, 0.25],
        network.offset - 0.25,
        skip,
    )
    assert problem.risk(affine) == pytest.approx(problem.risk(network), rel=1e-13)
    assert rs.classify(problem, affine).kind == LOCAL
    # With v = 0 it could only make a slope that the skip connection makes already.
    flat = widened(network, [2.0, 1.0], 1.0, 0.0)
    assert rs.classify(problem, flat).kind == LOCAL


def test_far_away_neurons_of_normal_inputs_are_not_decided():
    """Normal inputs have no end: some of them meet every hyperplane."""
    problem = normal(2, 2, 3)
    network = polished(problem, 2)
    assert rs.classify(problem, network).kind == LOCAL
    for bias in (-1.0, 1.0):
        still = widened(network, [0.0, 0.0], bias, 0.0)
        verdict = rs.classify(problem, still)
        assert verdict.kind == "undecided"
        assert any("neuron 2: without weights" in text for text in verdict.reasons)
    far = widened(network, [1.0, 0.0], 7.0, 1e-30)
    assert rs.classify(problem, far).kind != LOCAL


# ------------------------------------------------------------------------------ minima of risk 0


@pytest.mark.parametrize("problem", [taught(5), normal(5)])
def test_the_teacher_is_a_global_minimum(problem):
    teacher = problem.target if isinstance(problem, rs.Polygon) else problem.teacher
    verdict = rs.classify(problem, teacher)
    assert verdict.kind == GLOBAL
    assert verdict.escape is None
    rng = np.random.default_rng(0)
    theta = teacher.to_vector() + 1e-3 * rng.normal(size=teacher.to_vector().size)
    near = rs.polish(problem, like(teacher, theta)).network
    assert rs.classify(problem, near).kind == GLOBAL
    # The gradient sees what the risk in closed form does not.
    beside = like(teacher, teacher.to_vector() + 1e-10 * rng.normal(size=theta.size))
    assert rs.classify(problem, beside).kind == NOT


def test_equal_rows_and_bounds():
    x = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    problem = rs.Samples(x, [1.0, 3.0, 4.0, 5.0])
    exact = rs.Network(np.empty((0, 2)), [], [], 2.0, [2.0, 3.0])
    verdict = rs.classify(problem, exact)
    assert verdict.kind == GLOBAL
    assert "means of equal inputs" in verdict.reasons[0]
    data = rows(0)
    network = polished(data, 2)
    bound = data.risk(network)
    assert rs.classify(data, network, lower_bound=bound).kind == GLOBAL
    assert rs.classify(data, network, lower_bound=0.5 * bound).kind == LOCAL


# -------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda p: rs.classify(p, rs.Network([1.0], [0.0], [1.0])), "input"),
        (lambda p: rs.classify(p, rs.Network([[1.0, 0.0]], [0.0], [[1.0, 2.0]])), "target|scalar"),
        (
            lambda p: rs.classify(p, rs.Network([[1.0, 0.0]], [0.0], [1.0], activation="tanh")),
            "tanh",
        ),
        (lambda p: rs.classify(rs.Samples([[1.0, 2.0]], [[1.0, 2.0]]), start(p)), "one column"),
        (lambda p: rs.classify(p, start(p), tolerance=2.0), "tolerance"),
        (lambda p: rs.classify(p, start(p), at_zero="eq"), "gt"),
    ],
)
def test_refused(call, match):
    with pytest.raises(rs.InputError, match=match):
        call(curved())
