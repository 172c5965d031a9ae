"""Descent, many starts and polishing with several inputs."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from several_cases import (
    KITE,
    all_problems,
    curved,
    like,
    normal,
    perturbed,
    rescaled,
    rows,
    start,
    taught,
    widened,
)

# ------------------------------------------------------------------------------------ descent


@pytest.mark.parametrize("problem", [curved(), normal(1)])
def test_descent_is_the_textbooks(problem):
    """Ten steps by hand, with derivatives from differences of the risk."""
    net = start(problem, 2)
    theta = net.to_vector()
    for _ in range(10):
        h = 1e-5
        slope = [
            (problem.risk(like(net, theta + h * e)) - problem.risk(like(net, theta - h * e)))
            / (2 * h)
            for e in np.eye(theta.size)
        ]
        theta = theta - 0.05 * np.array(slope)
    run = rs.descend(problem, net, step_size=0.05, steps=10, record_every=1)
    np.testing.assert_allclose(run.network.to_vector(), theta, atol=1e-7)
    assert run.outcome == "finished"
    assert run.recorded.tolist() == list(range(11))
    assert run.risks[0] == problem.risk(net)
    assert run.risks[-1] == problem.risk(run.network)
    assert run.threshold is None


def test_descent_stops_before_it_leaves_the_floats():
    run = rs.descend(normal(2), start(normal(2)), step_size=1e3, steps=50)
    assert run.outcome == "diverged"
    assert np.isfinite(run.network.to_vector()).all()


def test_the_convention_at_zero_reaches_the_gradient():
    """With w = b = 0 and v != 0 only the derivative 1 at zero makes the neuron move."""
    problem = curved()
    net = rs.Network([[0.0, 0.0]], [0.0], [1.0], 0.25)
    left = rs.descend(problem, net, step_size=0.1, steps=1, at_zero="gt")
    right = rs.descend(problem, net, step_size=0.1, steps=1, at_zero="ge")
    assert not left.network.weights.any()
    assert right.network.weights.all()


# --------------------------------------------------------------------------------- many starts


@pytest.mark.parametrize("problem", all_problems())
@pytest.mark.parametrize("skip", [False, True])
def test_many_starts_are_single_descents(problem, skip):
    runs = rs.multistart(problem, 3, starts=3, step_size=0.02, steps=30, seed=7, skip=skip)
    rng = np.random.default_rng(7)
    for i in range(3):
        net = rs.breakpoint_spread(problem, 3, rng, skip=skip)
        single = rs.descend(problem, net, step_size=0.02, steps=30)
        assert runs.networks[i] == single.network
        assert runs.risks[i] == single.risks[-1]
        assert runs.initial_risks[i] == problem.risk(net)
    assert problem.risk(runs.best) == runs.risks.min()
    assert not runs.diverged.any()
    assert (runs.risks < runs.initial_risks).all()


def test_many_starts_from_normal_parameters():
    runs = rs.multistart(
        normal(0), 2, starts=2, step_size=0.01, steps=0, seed=1, initialise="normal"
    )
    rng = np.random.default_rng(1)
    assert runs.networks[0] == rs.standard_normal(2, rng, inputs=4)
    assert runs.networks[1] == rs.standard_normal(2, rng, inputs=4)


def test_hyperplanes_meet_the_inputs_wherever_they_are():
    far = rs.Polygon(rs.polynomial2d([[3.0, 0], [1, 0]]), np.array(KITE) * 1e-3 + [50.0, 70.0])
    net = rs.breakpoint_spread(far, 200, np.random.default_rng(0))
    heights = net.weights @ far.vertices.T + net.biases[:, np.newaxis]
    assert ((heights > 0.0).any(axis=1) & (heights < 0.0).any(axis=1)).all()
    # The target is 3 + x: the offset its mean, outputs as small as its spread over the width.
    assert float(net.offset) == pytest.approx(53.0, abs=1e-3)
    assert np.abs(net.outputs).max() < 1e-4


def test_hyperplanes_follow_the_density():
    """Density x^2 on [0, 1] x [0, 1]: P(x < 1/2) = 1/8, so that of 400 lines 50 +- 7 start there.

    A vertical line is at its point: those that are nearly so show where points are drawn.
    """
    problem = rs.Polygon(
        rs.polynomial2d([[0.0]]),
        [[0, 0], [1, 0], [1, 1], [0, 1]],
        rs.polynomial2d([[0.0], [0.0], [3.0]]),
    )
    from reluscape.training.initialise import _points

    points = _points(problem, 4000, np.random.default_rng(3))
    assert np.mean(points[:, 0] < 0.5) == pytest.approx(1 / 8, abs=0.03)
    assert np.mean(points[:, 1] < 0.5) == pytest.approx(1 / 2, abs=0.04)


def test_hyperplanes_do_not_depend_on_units():
    data = rows(2)
    moved = rs.Samples(data.x * [1e3, 1e-3, 1.0] + [5.0, 0.0, -1e4], 100.0 * data.y - 7.0)
    one, other = (
        rs.breakpoint_spread(p, 5, np.random.default_rng(1), skip=True) for p in (data, moved)
    )
    np.testing.assert_allclose(other(moved.x), 100.0 * one(data.x) - 7.0, rtol=1e-8)


# ------------------------------------------------------------------------------------ polishing


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("problem", [curved(), taught(1), normal(3)])
def test_polish_ends_at_a_critical_point(problem, skip, seed):
    net = start(problem, 4, seed, skip)
    end = rs.polish(problem, net)
    assert end.risk == problem.risk(end.network) < problem.risk(net)
    assert end.outcome == "critical point"
    assert end.gradient_norm == np.linalg.norm(problem.gradient(end.network))
    assert end.gradient_norm < 1e-9
    assert end.network.width == 4


@pytest.mark.parametrize("activation", ["relu", rs.leaky(0.1)])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("whole", [False, True])
def test_polish_on_data_ends_where_no_direction_leads_down(whole, seed, activation):
    problem = rows(seed, 2, 50, whole)
    net = start(problem, 3, seed, activation=activation)
    end = rs.polish(problem, net)
    assert end.risk < problem.risk(net)
    assert end.outcome in ("critical point", "corner")
    rng = np.random.default_rng(seed)
    near = [problem.risk(n) for n in perturbed(end.network, rng, 300, 1e-6)]
    assert min(near) >= end.risk * (1.0 - 1e-13)
    if end.outcome == "critical point":
        assert end.gradient_norm < 1e-9


def test_polish_of_several_targets():
    data = rows(4)
    problem = rs.Samples(data.x, np.column_stack([data.y, data.y**2]))
    rng = np.random.default_rng(0)
    net = rs.Network(rng.normal(size=(3, 3)), [0.1, 0.2, 0.3], rng.normal(size=(3, 2)))
    end = rs.polish(problem, net)
    assert end.risk < problem.risk(net)
    assert end.outcome in ("critical point", "corner")


@pytest.mark.parametrize("problem", all_problems())
def test_a_polished_network_stays(problem):
    end = rs.polish(problem, start(problem, 3, 1))
    again = rs.polish(problem, end.network)
    assert again.risk <= end.risk
    assert again.risk == pytest.approx(end.risk, rel=1e-9)
    assert again.outcome == end.outcome


@pytest.mark.parametrize("problem", [taught(5), normal(5)])
def test_a_teacher_is_found_from_nearby(problem):
    teacher = problem.target if isinstance(problem, rs.Polygon) else problem.teacher
    rng = np.random.default_rng(2)
    theta = teacher.to_vector() + 0.02 * rng.normal(size=teacher.to_vector().size)
    end = rs.polish(problem, like(teacher, theta))
    # A closed form knows a risk of zero up to rounding of its terms, whose squares are some 100.
    assert end.risk < 1e-13
    x = rng.normal(size=(50, problem.inputs)) * 0.3
    np.testing.assert_allclose(end.network(x), teacher(x), atol=1e-9)


def test_polish_knows_no_units_and_no_rescaling():
    problem = curved()
    small = rs.Polygon(
        rs.polynomial2d([[0, 0, 1], [0, 1, 0], [2, 0, 0]]), problem.vertices * 2**-10
    )
    net = start(problem, 3, 2)
    scaled = rs.Network(
        net.weights * 2**10,
        net.biases,
        net.outputs * 2**-20,
        net.offset * 2**-20,
        net.skip * 2**-10,
    )
    one = rs.polish(problem, net)
    other = rs.polish(small, rescaled(scaled, [4.0, 0.25, 64.0]))
    # The risk is an integral over an area of a square of the target.
    assert other.risk == pytest.approx(one.risk * 2.0**-60, rel=1e-9)


@pytest.mark.parametrize("output", [1e-4, 1e-8, -1e-8])
def test_polish_goes_past_a_saddle(output):
    """A network with a neuron that adds next to nothing is beside a saddle, whatever its sign.

    One sign of v lets the neuron grow at once, the other has to pass through zero first.
    """
    problem = curved()
    end = rs.polish(problem, start(problem, 1))
    size = abs(output)
    beside = widened(end.network, [10 * size, -20 * size], 5 * size, output)
    further = rs.polish(problem, beside)
    assert further.risk < 0.8 * end.risk
    assert further.gradient_norm < 1e-9


def test_lines_do_not_stop_a_hair_inside_the_polygon():
    """Minima on the border of two regions are approached ever slower: lines end outside."""
    problem = curved()
    for seed in (3, 6, 7, 20):
        end = rs.polish(problem, start(problem, 4, seed, skip=False)).network
        heights = end.weights @ problem.vertices.T + end.biases[:, np.newaxis]
        ends = np.abs([heights.max(axis=1), heights.min(axis=1)])
        assert (ends.min(axis=0) > 1e-5 * ends.max(axis=0)).all()


def test_wide_networks_end_at_critical_points():
    problem = curved()
    end = rs.polish(problem, start(problem, 16, 0))
    assert end.gradient_norm < 1e-9
    wide = normal(6, 20, 10)
    end = rs.polish(wide, start(wide, 12, 0))
    assert end.gradient_norm < 1e-9


def test_networks_without_neurons():
    """Only the affine part is left: the least-squares plane, or constant."""
    problem = curved()
    none = np.empty((0, 2))
    end = rs.polish(problem, rs.Network(none, [], [], 3.0))
    # The mean of 2 x^2 + x y + y^2 on the unit square.
    assert float(end.network.offset) == pytest.approx(2 / 3 + 1 / 4 + 1 / 3)
    plane = rs.polish(problem, rs.Network(none, [], [], 0.0, [0.0, 0.0]))
    # The slope of the best line for x^2 on [0, 1] is 1; x y adds 1/2 in both directions.
    np.testing.assert_allclose(plane.network.skip, [2.5, 1.5])
    data = rows(0)
    fitted = rs.polish(data, rs.Network(np.empty((0, 3)), [], [], 0.0, np.zeros(3)))
    regressors = np.column_stack([data.x, np.ones(60)])
    expected = np.linalg.lstsq(regressors, data.y, rcond=None)[0]
    np.testing.assert_allclose([*fitted.network.skip, fitted.network.offset], expected)


def test_a_constant_target_on_data():
    data = rows(0)
    problem = rs.Samples(data.x, np.full(60, 5.0))
    end = rs.polish(problem, start(problem, 2))
    assert end.risk < 1e-24


# ------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda p, n: rs.polish("x^2", n), "not a str"),
        (lambda p, n: rs.polish(p, rs.Network([1.0], [0.0], [1.0])), "input"),
        (
            lambda p, n: rs.descend(p, rs.Network([1.0], [0.0], [1.0]), step_size=1, steps=1),
            "input",
        ),
        (lambda p, n: rs.descend(p, n, step_size=-1, steps=1), "step_size"),
        (
            lambda p, n: rs.polish(
                p, rs.Network(n.weights, n.biases, n.outputs, activation="tanh")
            ),
            "tanh",
        ),
        (
            lambda p, n: rs.multistart(p, 2, starts=1, step_size=1, steps=1, initialise="x"),
            "initialise",
        ),
        (lambda p, n: rs.multistart(p, 2, starts=0, step_size=1, steps=1), "starts"),
    ],
)
def test_refused(call, match):
    problem = curved()
    with pytest.raises(rs.InputError, match=match):
        call(problem, start(problem))


def test_several_targets_are_refused_where_one_is_needed():
    problem = rs.Samples(rows(0).x, np.ones((60, 2)))
    with pytest.raises(rs.InputError, match="targets"):
        rs.multistart(problem, 2, starts=1, step_size=0.1, steps=1)
    with pytest.raises(rs.InputError, match="targets"):
        rs.breakpoint_spread(problem, 2, np.random.default_rng(0))
