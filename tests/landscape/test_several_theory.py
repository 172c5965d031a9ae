"""Verdicts with several inputs where one-dimensional theory or a short argument knows them."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from landscape_data import data_cases
from several_cases import (
    SQUARE,
    falls,
)

LOCAL, SADDLE, NOT, GLOBAL = "local minimum", "saddle", "not critical", "global minimum"


# --------------------------------------------------------------------------- theory of one input


def square_with(target):
    return rs.Polygon(rs.polynomial2d(target), SQUARE)


@pytest.mark.parametrize(
    ("neuron", "kind"),
    [
        ((-1.0, -1.0, 5.0), LOCAL),
        ((-1.0, 0.0, 1.0), LOCAL),
        ((1.0, -1.0, -1.0), LOCAL),
        ((-1.0, 0.0, -1.0), SADDLE),
        ((1.0, -1.0, 1.0), SADDLE),
        ((-1.0, 0.0, 0.0), SADDLE),
        ((0.0, 1.0, 0.0), SADDLE),
        ((0.0, 0.0, 0.0), SADDLE),
        ((0.0, 0.0, 1.0), NOT),
    ],
)
def test_one_neuron_for_an_affine_target(neuron, kind):
    """S2-3 on a square with the target x: lines along edges, dead, flat and zero neurons.

    What leads down on an interval does so here; minima stay minima, as the error has one sign on
    each edge.
    """
    problem = square_with([[0.0], [1.0]])
    w, b, v = neuron
    network = rs.Network([[w, 0.0]], [b], [v], 0.5)
    verdict = rs.classify(problem, network, at_zero="ge")
    assert verdict.kind == kind
    assert verdict.risk == pytest.approx(1 / 12, rel=1e-14)
    if kind != LOCAL:
        assert falls(problem, network, verdict)
    if neuron == (0.0, 0.0, 1.0):
        assert rs.classify(problem, network, at_zero="gt").kind == SADDLE


def test_the_saddle_of_an_affine_target():
    """S2-1: risk 1/972, a negative direction of the Hessian."""
    problem = square_with([[0.0], [1.0]])
    network = rs.Network([[1, 0], [-1, 0]], [-1 / 3, 2 / 3], [2 / 3, -2 / 3], 1 / 2)
    verdict = rs.classify(problem, network)
    assert verdict.kind == SADDLE
    assert verdict.risk == pytest.approx(1 / 972, rel=1e-13)
    assert "negative direction" in verdict.reasons[0]
    assert falls(problem, network, verdict)


def test_the_parabola_of_one_variable():
    """S3-2 on a square, x^2 with the kink at 1/3: a minimum in two dimensions, too.

    Turning its line costs more than it gains: with y' = y - 1/2 the form is
    `2 v^2 int_{x > 1/3} y'^2 + 2 v e(1/3) int y'^2`, and v = 4/3, e(1/3) = -2/27.
    """
    problem = square_with([[0.0], [0.0], [1.0]])
    network = rs.Network([[1.0, 0.0]], [-1 / 3], [4 / 3], 1 / 27)
    verdict = rs.classify(problem, network)
    assert verdict.kind == LOCAL
    assert verdict.risk == pytest.approx(4 / 3645, rel=1e-13)
    turn = 2 * (16 / 9) * (2 / 3) / 12 + 2 * (4 / 3) * (-2 / 27) / 12
    direction = np.array([0.0, 1.0, -0.5, 0.0, 0.0])
    assert direction @ problem.hessian(network) @ direction == pytest.approx(turn, rel=1e-12)


@pytest.mark.parametrize("target", [[0, 0, 1], [0, -1, 0, 1], [0.25, -1, 1, 0.5]])
def test_points_of_one_input_on_a_square(target):
    """A saddle stays one with more directions, and a minimum was one with fewer."""
    problem = square_with(np.array([target]).T)
    for point in rs.critical_points(rs.Interval(rs.polynomial(target), 0, 1)):
        net = point.network
        wide = rs.Network(
            np.column_stack([net.weights, 0 * net.weights]), net.biases, net.outputs, net.offset
        )
        verdict = rs.classify(problem, wide)
        assert verdict.risk == pytest.approx(point.risk, rel=1e-10)
        if point.kind == SADDLE:
            assert verdict.kind in (SADDLE, "undecided")
        if verdict.kind == LOCAL:
            assert point.kind in (LOCAL, GLOBAL)


@pytest.mark.parametrize("k", range(3))
def test_data_on_a_line_get_the_verdict_of_one_input(k):
    """The same data and networks along (x, 0), (x, 3) and (x, x), which the exact judges know."""
    wide = {
        0: lambda x: np.column_stack([x, 0 * x]),
        1: lambda x: np.column_stack([x, 0 * x + 3.0]),
        2: lambda x: np.column_stack([x, x]),
    }[k]
    along = np.array([0.5, 0.5] if k == 2 else [1.0, 0.0])
    wrong = []
    for i, case in enumerate(data_cases(150, 51)):
        x, y = ([float(t) for t in part] for part in (case.rows.x, case.rows.y))
        net = case.net
        one = rs.Network(list(net.w), list(net.b), list(net.v), net.c, skip=net.u)
        skip = None if net.u is None else float(net.u) * along
        two = rs.Network(np.outer(net.w, along), list(net.b), list(net.v), net.c, skip)
        expected = rs.classify(rs.Samples(x, y), one)
        found = rs.classify(rs.Samples(wide(np.array(x)), y), two)
        if found.kind != expected.kind or (found.escape is None) != (expected.escape is None):
            wrong.append((i, case.sort, expected.kind, found.kind))
    assert not wrong


# ---------------------------------------------------------------------------------- corner cases


@pytest.mark.parametrize(("v", "kind"), [(2.0, LOCAL), (-2.0, SADDLE), (0.0, SADDLE)])
@pytest.mark.parametrize("activation", ["relu", rs.leaky(0.5)])
def test_a_line_through_a_corner(v, kind, activation):
    """Target x, best constant 1/2: at the corner (0, 0) the error is 1/2.

    A dead neuron whose line meets only this corner pays with v < 0; with a leak it is a slope as
    well, for which the error is no error at all.
    """
    problem = square_with([[0.0], [1.0]])
    network = rs.Network([[-1.0, -1.0]], [0.0], [v], 0.5, activation=activation)
    verdict = rs.classify(problem, network)
    if activation != "relu":
        kind = NOT
    assert verdict.kind == kind
    if kind != LOCAL:
        assert falls(problem, network, verdict)


def test_an_active_line_through_a_corner():
    """x y on the square: its best plane is short of it at (0, 0) and (1, 1) by 1/4."""
    problem = square_with([[0.0, 0.0], [0.0, 1.0]])
    plane = rs.polish(problem, rs.Network(np.empty((0, 2)), [], [], 0.0, [0.0, 0.0])).network
    assert float(plane([[0.0, 0.0]])[0]) == pytest.approx(-0.25)
    for v, kind in ((-1.0, LOCAL), (1.0, SADDLE)):
        network = rs.Network(
            [[1.0, 1.0]], [0.0], [v], plane.offset, plane.skip - v * np.array([1.0, 1.0])
        )
        verdict = rs.classify(problem, network)
        assert verdict.kind == kind
        if kind == SADDLE:
            assert "corner" in verdict.reasons[0]
            assert falls(problem, network, verdict)


def test_an_edge_where_the_error_changes_its_sign():
    """x (y - 1/2): the constant 0 is best, and on the edge x = 1 the error changes its sign."""
    problem = square_with([[0.0, 0.0], [-0.5, 1.0]])
    network = rs.Network([[1.0, 0.0]], [-1.0], [1.0], 0.0)
    verdict = rs.classify(problem, network)
    assert verdict.kind == SADDLE
    assert "edge" in verdict.reasons[0]
    assert falls(problem, network, verdict)


def test_lines_along_jumps_are_noticed():
    from reluscape.landscape.densities import look_at_density
    from reluscape.landscape.seams import on_seam

    jump = rs.piecewise_polynomial2d([[2, 0, -1]], [([0], [[0, 1]]), ([1], [[1.0, 1.0]])])
    fold = rs.piecewise_polynomial2d([[2, 0, -1]], [([1], [[-1.0], [2.0]])])
    network = rs.Network(
        [[1.0, 0.0], [-3.0, 0.0], [1.0, 0.0], [1.0, 1e-3]], [-0.5, 1.5, -0.4, -0.5], np.ones(4)
    )
    for target, expected in ((jump, [True, True, False, False]), (fold, [False] * 4)):
        problem = rs.Polygon(target, SQUARE)
        view = look_at_density(problem, network, 1e-9)
        assert [on_seam(view, problem, j) for j in range(4)] == expected
    other = rs.Polygon(
        rs.polynomial2d([[0.0]]),
        SQUARE,
        rs.piecewise_polynomial2d([[2, 0, -1]], [([0], [[1]]), ([-1], [[1]])]),
    )
    assert on_seam(look_at_density(other, network, 1e-9), other, 0)


def test_rows_that_depend_on_each_other():
    """Four rows of a lattice on one line, the kink of one of them concave: edges of cones decide.

    By hand: along a move whose heights on the rows s = 0, 1, 2, 3 are alpha + beta s, the
    derivative is the sum of jumps times positive heights.
    """
    from reluscape.landscape.ties import _rays

    x = np.array([[0.0, 1.0, 2.0, 3.0], [1.0, 1.0, 1.0, 1.0]])
    moves, complete = _rays(x)
    assert complete
    heights = moves @ x
    assert sorted(np.flatnonzero(np.abs(row) < 1e-12).tolist() for row in heights) == [
        [0],
        [1],
        [2],
        [3],
    ]
    wide, complete = _rays(np.random.default_rng(0).normal(size=(6, 40)))
    assert not complete
    assert wide.shape[1] == 6
