"""Polygon against exact rationals, its symmetries, and what it refuses."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from flint import fmpq

import polygon_cases as cases
import polygon_oracle as oracle
import reluscape as rs

SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1]]
PENTAGON = [[0, 0], [2, -0.5], [3, 1], [2.5, 2], [0.5, 1.75]]


def rounded(number):
    """A rational as the nearest float: division of Python integers rounds once."""
    return int(number.p) / int(number.q)


def exact(corners, target, density, net, at_zero="gt"):
    function = oracle.teacher_of if isinstance(target, rs.Network) else oracle.function_of
    weight = rs.polynomial2d([[1.0]]) if density is None else density
    risk, gradient = oracle.risk_and_gradient(
        corners, function(target), oracle.function_of(weight), oracle.plain_of(net), at_zero
    )
    return rounded(risk), np.array([rounded(g) for g in gradient])


def drawn(seed, width=None):
    rng = np.random.default_rng(seed)
    return cases.draw(rng, int(rng.integers(1, 13)) if width is None else width)


def plain_network(seed, width=5, skip=True, slope=0.0, size=1.0):
    rng = np.random.default_rng(seed)
    return rs.Network(
        rng.normal(size=(width, 2)),
        rng.normal(size=width) * size,
        rng.normal(size=width),
        rng.normal(),
        rng.normal(size=2) if skip else None,
        rs.leaky(slope) if slope else "relu",
    )


@cache
def pentagon():
    return rs.Polygon(rs.polynomial2d([[0, 1, 2], [0.5, -1, 0], [1, 0, 0]]), PENTAGON)


# ---------------------------------------------------------------- values


@pytest.mark.parametrize("block", range(10))
def test_risk_and_gradient_are_those_of_exact_rationals(block):
    for seed in range(50 * block, 50 * block + 50):
        corners, target, density, net = drawn(seed)
        problem = rs.Polygon(target, corners, density)
        at_zero = "ge" if seed % 3 == 0 else "gt"
        risk, gradient = exact(corners, target, density, net, at_zero)
        assert problem.risk(net) == pytest.approx(risk, rel=1e-15, abs=0), seed
        # Entry by entry, down to the 30th digit of the largest: 32 digits are computed with.
        rest = 1e-30 * np.abs(gradient).max()
        np.testing.assert_allclose(
            problem.gradient(net, at_zero), gradient, rtol=1e-14, atol=rest, err_msg=str(seed)
        )


def test_numbers_without_short_binary_fractions():
    for seed in range(8):
        net = plain_network(seed, width=8, skip=bool(seed % 2), slope=0.3 * (seed % 3 == 0))
        target, corners = pentagon().target, pentagon().vertices
        risk, gradient = exact(corners, target, None, net)
        assert pentagon().risk(net) == pytest.approx(risk, rel=1e-15)
        np.testing.assert_allclose(pentagon().gradient(net), gradient, rtol=1e-14)


def test_far_and_tiny_polygons_are_as_accurate():
    rng = np.random.default_rng(3)
    for centre, size in (([1e9, -1e9], 1.0), ([1e5, 3e4], 1e-6), ([0, 0], 1e-100)):
        corners = np.array(centre) + size * np.array(PENTAGON)
        w = rng.normal(size=(6, 2)) / size
        inside = corners.mean(axis=0) + size * 0.5 * rng.normal(size=(6, 2))
        net = rs.Network(w, -(w * inside).sum(axis=1), rng.normal(size=6), 0.5)
        teacher = rs.Network(w[:3], net.biases[:3], rng.normal(size=3))
        problem = rs.Polygon(teacher, corners)
        risk, gradient = exact(corners, teacher, None, net)
        assert problem.risk(net) == pytest.approx(risk, rel=1e-15, abs=0)
        np.testing.assert_allclose(problem.gradient(net), gradient, rtol=1e-14)


def test_thin_polygons_lose_no_sliver():
    corners = [[0, 0], [1, 1], [1, 1 + 2.0**-40], [0, 2.0**-40]]
    for seed in range(5):
        net = plain_network(seed, width=4)
        cut = rs.Network([*net.weights, [1, -1]], [*net.biases, 2.0**-42], [*net.outputs, 1e9])
        target = pentagon().target
        risk, gradient = exact(corners, target, None, cut)
        problem = rs.Polygon(target, corners)
        assert problem.risk(cut) == pytest.approx(risk, rel=1e-15, abs=0)
        np.testing.assert_allclose(problem.gradient(cut), gradient, rtol=1e-14)


def test_a_network_without_neurons():
    net = rs.Network(np.zeros((0, 2)), [], [], 0.5, [1.0, 2.0])
    risk, gradient = exact(PENTAGON, pentagon().target, None, net)
    assert pentagon().risk(net) == pytest.approx(risk, rel=1e-15)
    np.testing.assert_allclose(pentagon().gradient(net), gradient, rtol=1e-15)
    assert pentagon().hessian(net)[0, 0] == pytest.approx(2 * 5.1875, rel=1e-14)


def test_neurons_that_nearly_cancel_keep_their_digits():
    # A jump of height 1 + y as two neurons of slope 1e12.
    k = 1e12
    net = rs.Network([[k, 0.5], [k, -0.5]], [-k / 2 + 0.5, -k / 2 - 0.5], [1.0, -1.0])
    target = rs.polynomial2d([[0.5, 0.5]])
    problem = rs.Polygon(target, SQUARE)
    risk, gradient = exact(SQUARE, target, None, net)
    assert problem.risk(net) == pytest.approx(risk, rel=1e-15)
    np.testing.assert_allclose(problem.gradient(net), gradient, rtol=1e-13)


def test_a_jump_improves_at_the_rate_of_the_theorem():
    # S0, the unit square: k times the gain of the ramp tends to (1/6) integral (1 + s)^3 = 5/8.
    problem = rs.Polygon(rs.polynomial2d([[0.5, 0.5]]), SQUARE)
    jump = rs.piecewise_polynomial2d([[1, 0, -0.5]], [([1], [[1, 1]])])
    before = problem.risk_of(jump)
    assert before == pytest.approx(7 / 12, rel=1e-15)
    for k in (10, 100, 1000):
        ramp = rs.Network([[k, 0.5], [k, -0.5]], [-k / 2 + 0.5, -k / 2 - 0.5], [1.0, -1.0])
        assert k * (before - problem.risk(ramp)) == pytest.approx(0.625, rel=1e-10)


def test_risk_of_a_function_is_that_of_the_network_it_is():
    for seed in range(20):
        corners, target, density, net = drawn(seed, width=3)
        if not net.weights.any(axis=1).all():
            continue
        slope = net.activation.slope
        pieces = [([0, 0, 0], [[net.offset, 0], [0, 0]])]
        if net.skip is not None:
            pieces.append(([0, 0, 0], [[0, net.skip[1]], [net.skip[0], 0]]))
        for j, (w, b, v) in enumerate(zip(net.weights, net.biases, net.outputs, strict=True)):
            for side, factor in ((1, 1.0), (-1, slope)):
                sides = [side if i == j else 0 for i in range(3)]
                pieces.append((sides, factor * v * np.array([[b, w[1]], [w[0], 0]])))
        function = rs.piecewise_polynomial2d(np.column_stack([net.weights, net.biases]), pieces)
        problem = rs.Polygon(target, corners, density)
        size = problem.risk(net) + problem.risk(rs.Network([[1.0, 0.0]], [0.0], [0.0]))
        assert problem.risk_of(function) == pytest.approx(
            problem.risk(net), rel=1e-12, abs=1e-13 * size
        )


def test_a_teacher_has_no_risk_and_no_gradient():
    for seed in range(10):
        teacher = plain_network(seed, width=6, slope=0.2 * (seed % 2))
        problem = rs.Polygon(teacher, PENTAGON)
        order = np.random.default_rng(seed).permutation(6)
        same = rs.Network(
            2 * teacher.weights[order],
            2 * teacher.biases[order],
            teacher.outputs[order] / 2,
            teacher.offset,
            teacher.skip,
            teacher.activation,
        )
        # Errors of values are some 1e-31.
        assert 0 <= problem.risk(same) < 1e-58
        assert np.abs(problem.gradient(same)).max() < 1e-28


# ---------------------------------------------------------------- the Hessian


def differences(corners, target, density, net):
    """The Hessian by central differences of the exact gradient: no digit cancels."""
    function = oracle.function_of(target)
    weight = oracle.function_of(rs.polynomial2d([[1.0]]) if density is None else density)
    theta = [oracle.q(t) for t in net.to_vector()]
    h = fmpq(1, 2**50)
    width, skip = net.width, net.skip is not None
    slope = oracle.q(net.activation.slope)

    def gradient(shifted):
        w = [tuple(shifted[2 * j : 2 * j + 2]) for j in range(width)]
        b, v = shifted[2 * width : 3 * width], shifted[3 * width : 4 * width]
        u = shifted[4 * width + 1 :] if skip else None
        plain = oracle.Plain(w, b, v, shifted[4 * width], u, slope)
        return oracle.risk_and_gradient(corners, function, weight, plain)[1]

    rows = []
    for i in range(len(theta)):
        up, down = (
            gradient([t + s * h if k == i else t for k, t in enumerate(theta)]) for s in (1, -1)
        )
        rows.append([rounded((a - b) / (2 * h)) for a, b in zip(up, down, strict=True)])
    return np.array(rows)


@pytest.mark.parametrize("seed", range(6))
def test_hessian_is_that_of_differences_of_exact_gradients(seed):
    net = plain_network(seed, width=3, skip=bool(seed % 2), slope=0.25 * (seed > 3))
    target = rs.polynomial2d([[0, 1, 2], [0.5, -1, 0], [1, 0, 0]])
    density = rs.polynomial2d([[1.0, 0.25], [0.5, 0.0]]) if seed % 3 else None
    hessian = rs.Polygon(target, PENTAGON, density).hessian(net)
    expected = differences(PENTAGON, target, density, net)
    assert (hessian == hessian.T).all()
    np.testing.assert_allclose(hessian, expected, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 1, -1], [2, 2, -2], [-1, -1, 1]],  # one line, three times
        [[1, 0, -0.5], [0, 1, -0.5], [1, 1, -1]],  # three through one point
        [[1, 1, -1], [0, 1, 3], [0, 0, 2]],  # through two corners; outside; no line
        [[1, 1, -1.5], [1, 1, -0.5], [0, 0, -1]],  # parallel; no line, inactive
    ],
)
def test_hessian_with_degenerate_lines(rows):
    rows = np.array(rows, dtype=float)
    net = rs.Network(rows[:, :2], rows[:, 2], [1.0, -0.75, 0.5], 0.25, [0.5, -1.0])
    # The target bends at the first line's place, too.
    target = rs.piecewise_polynomial2d(
        [[1, 1, -1]], [([0], [[0.5, 1], [0, 0]]), ([1], [[-1, 1], [1, 0]])]
    )
    hessian = rs.Polygon(target, SQUARE).hessian(net)
    expected = differences(SQUARE, target, None, net)
    if rows[0].tolist() == [1, 1, -1] and not rows[2, 0]:
        # Through two corners: the Hessian is continuous there, as it is everywhere here.
        assert hessian[0, 0] != 0
    np.testing.assert_allclose(hessian, expected, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_along_a_jump_the_active_side_counts(side):
    jump = rs.piecewise_polynomial2d([[1, 0.5, -0.75]], [([1], [[1, 2]]), ([-1], [[-1, 1]])])
    problem = rs.Polygon(jump, SQUARE)

    def hessian(inwards):
        bias = side * -0.75 - inwards
        return problem.hessian(rs.Network([[side, 0.5 * side]], [bias], [2.0], 0.5))

    np.testing.assert_allclose(hessian(0.0), hessian(2.0**-50), atol=1e-13)
    assert np.abs(hessian(0.0) - hessian(-(2.0**-50))).max() > 0.1


def test_a_line_along_an_edge_counts_as_outside():
    target = rs.polynomial2d([[1.0]])
    problem = rs.Polygon(target, SQUARE)
    for side in (1.0, -1.0):
        along = problem.hessian(rs.Network([[side, 0.0]], [0.0], [2.0], 0.5))
        outside = problem.hessian(rs.Network([[side, 0.0]], [side * 2.0**-80], [2.0], 0.5))
        np.testing.assert_allclose(along, outside, atol=1e-14)


# ---------------------------------------------------------------- symmetries


@pytest.fixture
def net():
    return plain_network(11, width=7, slope=0.1)


def changed(net, matrix, shift):
    """The network of x -> net(matrix^-1 (x - shift)), for a matrix with exact inverse."""
    inverse = np.linalg.inv(matrix)
    weights = net.weights @ inverse
    skip = net.skip @ inverse
    return rs.Network(
        weights,
        net.biases - weights @ shift,
        net.outputs,
        net.offset - skip @ shift,
        skip,
        net.activation,
    )


@pytest.mark.parametrize(
    ("matrix", "shift"),
    [
        ([[0, -1], [1, 0]], [0, 0]),
        ([[1, 0], [0, 1]], [4, -2]),
        ([[0.125, 0], [0, 0.125]], [0, 0]),
        ([[-1, 0], [0, 1]], [0, 0]),
        ([[2, 1], [0, 1]], [1, 1]),
    ],
    ids=["rotation", "shift", "scaling", "reflection", "shear"],
)
def test_affine_changes_of_the_plane(net, matrix, shift):
    matrix, shift = np.array(matrix, dtype=float), np.array(shift, dtype=float)
    other = plain_network(5, width=4)
    problem = rs.Polygon(other, PENTAGON)
    moved = rs.Polygon(changed(other, matrix, shift), np.array(PENTAGON) @ matrix.T + shift)
    assert moved.risk(changed(net, matrix, shift)) == pytest.approx(
        abs(np.linalg.det(matrix)) * problem.risk(net), rel=1e-13
    )


def test_permutation_and_rescaling_of_neurons(net):
    order = np.random.default_rng(0).permutation(net.width)
    factor = 2.0 ** np.arange(-3, 4)
    same = rs.Network(
        (factor[:, None] * net.weights)[order],
        (factor * net.biases)[order],
        (net.outputs / factor)[order],
        net.offset,
        net.skip,
        net.activation,
    )
    problem = pentagon()
    assert problem.risk(same) == pytest.approx(problem.risk(net), rel=1e-15)
    gradient, other = problem.gradient(net), problem.gradient(same)
    n = net.width
    np.testing.assert_allclose(
        other[2 * n : 3 * n], (gradient[2 * n : 3 * n] / factor)[order], rtol=1e-14
    )
    np.testing.assert_allclose(other[4 * n :], gradient[4 * n :], rtol=1e-14)


def test_euler_balance(net):
    n = net.width
    gradient = pentagon().gradient(net)
    by_w, by_b, by_v = gradient[: 2 * n].reshape(n, 2), gradient[2 * n : 3 * n], gradient[3 * n :]
    inner = (net.weights * by_w).sum(axis=1) + net.biases * by_b
    np.testing.assert_allclose(inner, net.outputs * by_v[:n], rtol=1e-12)


def test_rescaling_is_a_null_direction_at_a_teacher():
    teacher = plain_network(2, width=4)
    hessian = rs.Polygon(teacher, PENTAGON).hessian(teacher)
    n = teacher.width
    for j in range(n):
        direction = np.zeros(len(hessian))
        direction[2 * j : 2 * j + 2] = teacher.weights[j]
        direction[2 * n + j], direction[3 * n + j] = teacher.biases[j], -teacher.outputs[j]
        assert np.abs(hessian @ direction).max() < 1e-13 * np.abs(hessian).max()
    assert np.linalg.eigvalsh(hessian)[0] > -1e-13 * np.abs(hessian).max()


def test_a_polygon_cut_in_two_adds_up(net):
    target = pentagon().target
    left = [PENTAGON[0], PENTAGON[1], PENTAGON[3], PENTAGON[4]]
    right = [PENTAGON[1], PENTAGON[2], PENTAGON[3]]
    parts = [rs.Polygon(target, corners) for corners in (left, right)]
    assert sum(p.risk(net) for p in parts) == pytest.approx(pentagon().risk(net), rel=1e-15)
    np.testing.assert_allclose(
        sum(p.gradient(net) for p in parts), pentagon().gradient(net), rtol=1e-13
    )
    # No line of the network runs along the cut.
    np.testing.assert_allclose(
        sum(p.hessian(net) for p in parts),
        pentagon().hessian(net),
        atol=1e-13 * np.abs(pentagon().hessian(net)).max(),
    )


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_one_coordinate_is_the_interval(slope):
    rng = np.random.default_rng(8)
    w, b, v = rng.normal(size=(3, 6))
    kind = rs.leaky(slope) if slope else "relu"
    line = rs.Network(w, b, v, 0.5, [0.25], kind)
    flat = rs.Network(np.column_stack([w, 0 * w]), b, v, 0.5, [0.25, 0.0], kind)
    interval = rs.Interval(rs.polynomial([0, 1, 2]), -1, 2, rs.polynomial([2, 1]))
    polygon = rs.Polygon(
        rs.polynomial2d([[0], [1], [2]]),
        [[-1, 0], [2, 0], [2, 0.5], [-1, 0.5]],
        rs.polynomial2d([[2], [1]]),
    )
    assert 2 * polygon.risk(flat) == pytest.approx(interval.risk(line), rel=1e-14)
    n = 6
    keep = [*range(0, 2 * n, 2), *range(2 * n, 4 * n + 2)]
    np.testing.assert_allclose(
        2 * polygon.gradient(flat)[keep], interval.gradient(line), rtol=1e-12
    )
    np.testing.assert_allclose(
        2 * polygon.hessian(flat)[np.ix_(keep, keep)],
        interval.hessian(line),
        atol=1e-12 * np.abs(interval.hessian(line)).max(),
    )


@pytest.mark.parametrize("at_zero", ["gt", "ge"])
@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_degenerate_neurons_follow_the_convention(at_zero, slope):
    kind = rs.leaky(slope) if slope else "relu"
    net = rs.Network([[0, 0], [0, 0], [0, 0]], [0, 1, -1], [1.0, 1.0, 1.0], 0.0, None, kind)
    problem = rs.Polygon(rs.polynomial2d([[0.0, 3.0], [1.0, 0.0]]), SQUARE)
    risk, gradient = exact(SQUARE, problem.target, None, net, at_zero)
    assert problem.risk(net) == pytest.approx(risk, rel=1e-15)
    np.testing.assert_allclose(problem.gradient(net, at_zero), gradient, rtol=1e-15, atol=1e-30)
    assert (gradient[0] != 0) == (at_zero == "ge" or slope > 0)


# ---------------------------------------------------------------- the cells


def cells_of(rows, corners=SQUARE):
    rows = np.array(rows, dtype=float)
    return (
        rs.Polygon(rs.polynomial2d([[0]]), corners)
        ._integrate(rs.Network(rows[:, :2], rows[:, 2], np.ones(len(rows))))
        .cells
    )


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([[1, 0, -0.5]], 2),
        ([[1, 0, -0.5], [3, 0, -1.5], [-2, 0, 1]], 2),
        ([[1, 0, -0.5], [1, 0, -0.5 - 2.0**-53]], 3),
        ([[1, 0, -0.25], [1, 0, -0.5], [1, 0, -0.75]], 4),
        ([[1, 0, -0.5], [0, 1, -0.5], [1, 1, -1], [1, -1, 0]], 8),
        ([[1, 0, 0], [0, 1, -1], [1, 1, 0], [1, 1, -2], [1, 1, -1e9]], 1),
        ([[1, 1, -1]], 2),
        ([[1, 2, -1], [2, 1, -1], [1, -1, 0]], 6),
        ([[3, 1, -1], [1, 3, -1], [1, 1, -0.5]], 6),
    ],
)
def test_number_of_cells(rows, count):
    cells = cells_of(rows)
    assert len(cells.parents) == count
    assert len({tuple(s) for s in cells.sides.tolist()}) == count


def test_cells_cover_the_polygon_once():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        corners = cases.polygon(rng)
        net = cases.network(rng, corners, 12)
        problem = rs.Polygon(rs.polynomial2d([[1.0]]), corners)
        # N = 0 against 1: the risk is the area, whatever lines cut it.
        silent = rs.Network(net.weights, net.biases, 0 * net.outputs)
        area = abs(oracle.twice_area([(oracle.q(x), oracle.q(y)) for x, y in corners])) / 2
        assert problem.risk(silent) == rounded(area)


# ---------------------------------------------------------------- input


def test_vertices_either_way_round_and_on_edges():
    extra = [[0, 0], [0.5, 0], [1, 0], [1, 1], [0, 1], [0, 0.25]]
    assert rs.Polygon(pentagon().target, extra).vertices.tolist() == SQUARE[0:4]
    clockwise = rs.Polygon(pentagon().target, SQUARE[::-1])
    assert clockwise.risk(plain_network(0)) == pytest.approx(
        rs.Polygon(pentagon().target, SQUARE).risk(plain_network(0)), rel=1e-15
    )


@pytest.mark.parametrize(
    ("vertices", "message"),
    [
        ([[0, 0], [1, 0]], "three or more"),
        ([0, 1, 2], r"shape \(m, 2\)"),
        ([[0, 0], [1, 0], [np.nan, 1]], "finite"),
        ([[0, 0], [1, 0], [np.inf, 1]], "finite"),
        ([[0, 0], [1, 0], [1, 1], [1, 0]], "vertices 1 and 3 are the same"),
        ([[0, 0], [1, 0], [0, 1], [0, 0]], "vertices 0 and 3 are the same"),
        ([[0, 0], [1, 1], [2, 2], [3, 3]], "one line"),
        ([[0, 0], [2, 0], [2, 2], [1, 0.5]], "not convex at vertex 3"),
        ([[0, 0], [1, 1], [1, 0], [0, 1]], "not convex"),
        ([[0, 3], [-2, -3], [3, 1], [-3, 1], [2, -3]], "out of order"),
        ([[0, 0], [1e200, 0], [0, 1e200]], "rescale"),
        ([[0, 0], [1e-200, 0], [0, 1e-200]], "rescale"),
    ],
)
def test_bad_polygons(vertices, message):
    with pytest.raises(rs.InputError, match=message):
        rs.Polygon(rs.polynomial2d([[0]]), vertices)


@pytest.mark.parametrize(
    "coefficients",
    [
        [[-1.0]],
        [[0.25, -1.0]],
        [[1, 0, 0], [0, -3, 0], [0, 0, 0]],
        # (x - 0.3 y - 0.1)^2 - 1e-6, a trough along a line.
        [[0.01 - 1e-6, 0.06, 0.09], [-0.2, -0.6, 0], [1.0, 0, 0]],
        # A dip of 1e-3 below zero around (0.3, 0.6).
        [[0.45 - 1e-3, -1.2, 1.0], [-0.6, 0, 0], [1.0, 0, 0]],
    ],
)
def test_negative_densities_are_refused(coefficients):
    with pytest.raises(rs.InputError, match="negative near"):
        rs.Polygon(pentagon().target, SQUARE, rs.polynomial2d(coefficients))


@pytest.mark.parametrize(
    "coefficients",
    [
        [[0.0, 1.0]],  # zero on an edge
        [[0, 0, 1], [0, -2, 0], [1, 0, 0]],  # (x - y)^2
        [[0.45, -1.2, 1.0], [-0.6, 0, 0], [1.0, 0, 0]],  # touches zero at (0.3, 0.6)
        [[0.01, 0.06, 0.09], [-0.2, -0.6, 0], [1.0, 0, 0]],  # (x - 0.3 y - 0.1)^2
        [[1.25, -1.0], [-1.0, 0.0]],  # negative beyond the lower left half
    ],
)
def test_densities_that_touch_zero_are_accepted(coefficients):
    corners = SQUARE if coefficients[0][0] != 1.25 else [[0, 0], [1, 0], [0, 1]]
    problem = rs.Polygon(pentagon().target, corners, rs.polynomial2d(coefficients))
    assert not problem.uniform
    assert problem.risk(plain_network(0)) > 0


def test_piecewise_densities():
    half = rs.piecewise_polynomial2d([[1, 0, -0.5]], [([1], [[2.0]])])
    problem = rs.Polygon(rs.polynomial2d([[1.0]]), SQUARE, half)
    nothing = rs.Network([[1.0, 2.0]], [0.0], [0.0])
    assert problem.risk(nothing) == 1.0
    wrong = rs.piecewise_polynomial2d([[1, 0, -0.5]], [([1], [[2.0]]), ([-1], [[-0.5]])])
    with pytest.raises(rs.InputError, match="negative near"):
        rs.Polygon(rs.polynomial2d([[1.0]]), SQUARE, wrong)
    with pytest.raises(rs.InputError, match="zero everywhere"):
        rs.Polygon(rs.polynomial2d([[1.0]]), SQUARE, rs.polynomial2d([[0.0]]))


def test_uniform():
    assert pentagon().uniform
    assert not rs.Polygon(pentagon().target, SQUARE, rs.polynomial2d([[1, 0.5]])).uniform


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (rs.Network([1.0], [0.0], [1.0]), r"1 input\(s\)"),
        (rs.Network([[1.0, 1.0, 1.0]], [0.0], [1.0]), r"3 input\(s\)"),
        (rs.Network([[1.0, 1.0]], [0.0], [[1.0, 2.0]]), r"2 target\(s\)"),
        (rs.Network([[1.0, 1.0]], [0.0], [1.0], activation="square"), "piecewise linear"),
    ],
)
def test_networks_that_do_not_fit(net, message):
    for ask in (pentagon().risk, pentagon().gradient, pentagon().hessian):
        with pytest.raises(rs.InputError, match=message):
            ask(net)
    with pytest.raises(rs.InputError, match=message):
        rs.Polygon(net, SQUARE)


def test_other_bad_input():
    with pytest.raises(rs.InputError, match="at_zero"):
        pentagon().gradient(plain_network(0), "eq")
    with pytest.raises(rs.InputError, match="target is a PiecewisePolynomial;"):
        rs.Polygon(rs.polynomial([1.0]), SQUARE)
    with pytest.raises(rs.InputError, match="density is a float"):
        rs.Polygon(pentagon().target, SQUARE, 1.0)
    with pytest.raises(rs.InputError, match="beyond the largest float"):
        pentagon().risk(rs.Network([[1e200, 0.0]], [0.0], [1.0]))
    with pytest.raises(rs.InputError, match="beyond the largest float"):
        pentagon().gradient(rs.Network([[1e250, 0.0]], [0.0], [1e250]))


def test_extreme_units_are_no_problem():
    for factor in (1e-120, 1e120):
        net = plain_network(4)
        scaled = rs.Network(
            net.weights * factor, net.biases * factor, net.outputs / factor, net.offset, net.skip
        )
        assert pentagon().risk(scaled) == pytest.approx(pentagon().risk(net), rel=1e-13)


def test_repr():
    assert repr(pentagon()) == "Polygon(5 vertices, target on 1 cell(s))"
    assert repr(rs.Polygon(plain_network(0), SQUARE)) == "Polygon(4 vertices, teacher of width 5)"
