"""What is said about infima, and that explicit networks bear it out."""

from __future__ import annotations

from itertools import pairwise
from math import erf, exp, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reluscape as rs
from reluscape.landscape.continuity import continuous_in_the_plane, positive_on_lines

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
LEAKY = rs.leaky(0.25)


def on(text: str, a: float = 0.0, b: float = 1.0, density: str | None = None) -> rs.Interval:
    weight = None if density is None else rs.expression(density)
    return rs.Interval(rs.expression(text), a, b, weight)


def decided(problem, width: int, activation="relu", skip: bool = True) -> rs.Attainment:
    """The answer without a search, checked against the explicit networks that it names."""
    answer = rs.attainment(problem, width, activation=activation, skip=skip, bounds=())
    assert answer.evidence is None
    if answer.minimiser is not None:
        assert answer.attained is True
        fits(answer.minimiser, problem, width, activation, skip)
        best = problem.risk(answer.minimiser)
        assert best == pytest.approx(answer.infimum, rel=1e-11, abs=1e-24)
    if answer.sequence is not None:
        assert answer.attained is False
        networks = [answer.sequence(value) for value in answer.sequence.values]
        for network in networks:
            fits(network, problem, width, activation, skip)
        excess = [problem.risk(network) - answer.infimum for network in networks]
        assert all(later < 0.6 * earlier for earlier, later in pairwise(excess))
        assert excess[-1] > -1e-15
        # Some parameter has no limit.
        sizes = [np.abs(network.to_vector()) for network in networks]
        grows = [later > 1.2 * earlier for earlier, later in pairwise(sizes)]
        assert np.logical_and.reduce(grows).any()
    assert (answer.attained is False) == (answer.sequence is not None)
    return answer


def fits(network: rs.Network, problem, width: int, activation, skip: bool) -> None:
    assert network.width == width
    assert network.inputs == problem.inputs
    assert (network.skip is not None) == skip
    wanted = activation if isinstance(activation, str) else activation.name
    assert network.activation.name == wanted


@pytest.mark.parametrize(
    ("problem", "width", "skip"),
    [
        (on("x^2"), 1, True),
        (on("x^2"), 3, False),
        (on("abs(x - 1/3) * x"), 2, False),
        (on("x^3 - x", -1, 1, "1 + x"), 2, True),
        # The density is zero at a point inside, and on one side of the kink.
        (on("x^3", -1, 1, "x^2"), 2, False),
        (on("x^3 + abs(x)", -1, 1, "step(x)"), 2, False),
        # A jump that no input sees.
        (on("x^2 + step(x - 1/2)", 0, 1, "piecewise(1, x < 1/4, 0, x < 3/4, 1)"), 3, True),
        # One neuron makes no jump.
        (on("step(x - 1/2)"), 1, False),
        (on("x^2 - step(x - 1/3)"), 1, True),
        (rs.trap(0, 1, 1.0).problem, 2, False),
    ],
)
@pytest.mark.parametrize("activation", ["relu", LEAKY])
def test_continuous_targets_are_attained_by_relu(problem, width, skip, activation) -> None:
    assert decided(problem, width, activation, skip).attained is True


@pytest.mark.parametrize(
    ("text", "width", "skip"),
    [
        ("2 * x - 1", 1, True),
        ("3", 1, False),
        ("2 * x - 1", 1, False),
        ("abs(x - 1/3)", 1, True),
        ("abs(x - 1/3)", 2, False),
        # Kinks whose neurons turn left make the first slope.
        ("max(1/2 - x, 0)", 1, False),
        ("max(1/4 - x, 0) + max(x - 1/2, 0)", 2, False),
        ("max(1/4 - x, 0) - 3 * max(x - 1/2, 0) + max(3/4 - x, 0)", 3, False),
        ("abs(x - 1/4) - abs(x - 3/4) + x", 3, False),
    ],
)
def test_broken_lines_are_networks(text: str, width: int, skip: bool) -> None:
    answer = decided(on(text), width, "relu", skip)
    assert answer.infimum == 0.0
    assert answer.minimiser is not None


def test_too_few_neurons_are_not_said_to_be_enough() -> None:
    for text, width, skip in (
        ("abs(x - 1/3)", 1, False),
        ("abs(x - 1/4) + abs(x - 3/4)", 1, True),
        ("abs(x - 1/4) - abs(x - 3/4) + x", 2, False),
    ):
        answer = decided(on(text), width, "relu", skip)
        assert (answer.attained, answer.infimum, answer.minimiser) == (True, None, None)
    for text, width in (("step(x - 1/2) + abs(x - 1/4)", 2), ("step(x - 1/4) + step(x - 3/4)", 3)):
        answer = decided(on(text), width)
        assert (answer.attained, answer.infimum) == (None, None)


@pytest.mark.parametrize("activation", ["relu", LEAKY])
@pytest.mark.parametrize(
    ("text", "width", "skip"),
    [
        ("step(x - 1/2)", 2, True),
        ("step(x - 1/2)", 2, False),
        ("step(x - 1/2)", 5, False),
        ("x - 3 * step(x - 1/2)", 2, True),
        ("x - 3 * step(x - 1/2)", 3, False),
        ("piecewise(x, x < 1/4, 2 - x, x < 1/2, 3x, x < 3/4, 1)", 6, True),
        # Two ramps that face each other make any first slope.
        ("step(x - 1/4) - 3 * step(x - 3/4) + x", 4, False),
        ("2x + step(x - 1/4) + step(x - 1/2) - step(x - 3/4)", 6, False),
        ("abs(x - 7/8) - 2x + step(x - 1/4) + step(x - 1/2)", 5, False),
    ],
)
def test_jumps_are_approached_and_not_attained_by_relu(text, width, skip, activation) -> None:
    answer = decided(on(text), width, activation, skip)
    assert (answer.attained, answer.infimum) == (False, 0.0)


def test_ramps_have_the_risk_of_their_widths() -> None:
    # On a ramp of width e the error runs from 0 to half of the jump and back: jump^2 e / 12.
    problem = on("2 * step(x - 1/4) - 3 * step(x - 3/4)", 0, 1, "2")
    answer = decided(problem, 4)
    assert problem.risk(answer.sequence(0.01)) == pytest.approx(2 * (4 + 9) * 0.01 / 12, rel=1e-12)


@pytest.mark.parametrize("density", ["1", "x^2", "abs(x)", "x^2 * step(x) + 3 * x^4", "step(x)"])
def test_a_rise_on_the_side_of_the_larger_error_beats_a_jump(density: str) -> None:
    # The step of the proof that needs no density at the jump.
    rng = np.random.default_rng(0)
    problem = on("x^3 + abs(x)", -1, 1, density)
    for _ in range(20):
        left, right = rng.normal(size=2), rng.normal(size=2)
        left[0] += np.copysign(0.5, left[0] - right[0])
        jump = rs.GeneralizedResponse(
            [1.0], [0.0], [right[1] - left[1]], [right[0] - left[0]], left[0], [left[1]]
        )
        h = 0.02
        if abs(left[0]) <= abs(right[0]):
            ends = (left[0], right[0] + h * right[1])
            places = (0.0, h)
        else:
            ends = (left[0] - h * left[1], right[0])
            places = (-h, 0.0)
        rise = (ends[1] - ends[0]) / h
        ramp = rs.Network(
            [1.0, 1.0],
            [-places[0], -places[1]],
            [rise - left[1], right[1] - rise],
            left[0],
            [left[1]],
        )
        if density == "step(x)" and places[0] < 0.0:
            assert problem.risk(ramp) == pytest.approx(problem.risk(jump), rel=1e-12)
        else:
            assert problem.risk(ramp) < problem.risk(jump)


def test_without_the_neurons_for_the_first_slope_nothing_is_said() -> None:
    # One jump and no neuron left: the slope on the left would have to be zero.
    assert decided(on("x + step(x - 1/2)"), 2, "relu", skip=False).attained is None
    assert decided(on("x + step(x - 1/2)"), 3, "relu", skip=False).attained is False
    # Where it is zero on the right, both neurons are active to the left.
    assert decided(on("(x - 2) * step(1/2 - x)"), 2, "relu", skip=False).attained is False


numbers = st.integers(-192, 192).map(lambda i: i / 48)


@given(st.lists(numbers, min_size=2, max_size=6, unique=True), st.data())
def test_lines_through_points_are_continuous_whatever_the_rounding(x, data) -> None:
    places = sorted(x)
    heights = [data.draw(numbers) for _ in places]
    problem = rs.Interval(rs.piecewise_linear(places, heights), places[0], places[-1])
    kinks = len(places) - 2
    assert decided(problem, max(kinks, 1)).infimum == 0.0
    assert decided(problem, kinks + 1, "relu", skip=False).infimum == 0.0
    assert decided(problem, kinks + 2, LEAKY, skip=False).attained is True


@given(st.integers(1, 3), st.integers(1, 2), st.booleans(), st.integers(0, 2**32 - 1))
def test_kinks_and_jumps_are_counted(jumps, kinks, skip, seed) -> None:
    rng = np.random.default_rng(seed)
    places = rng.permutation(np.arange(1, 8))[: jumps + kinks] / 8
    text = "2"
    for place in places[:jumps]:
        text += f" + {rng.integers(1, 4)} * step(x - {place}) * (x - {rng.integers(2, 4)})"
    for place in places[jumps:]:
        text += f" - {rng.integers(1, 4)} * max(x - {place}, 0)"
    enough = 2 * jumps + kinks
    # The first slope is zero, so that a skip connection is not needed.
    assert decided(on(text), enough, "relu", skip).attained is False
    if enough > 2:
        assert decided(on(text), enough - 1, "relu", skip).attained is None


@pytest.mark.parametrize(
    ("text", "a", "b", "width", "skip", "attained"),
    [
        ("1/3", 0, 1, 1, False, True),
        ("x", 0, 1, 1, False, False),
        ("x", 0, 1, 2, False, True),
        ("x", 0, 1, 1, True, True),
        ("x^2 + x", 0, 1, 1, False, True),
        ("x^3 - x", -1, 1, 1, False, False),
        ("x^3 - x", 0, 1, 1, False, True),
        ("x^2 * step(x)", -1, 1, 1, False, True),
        ("step(x) + x^5", -1, 1, 3, True, True),
        ("x^4 - 6/7 x^2", -1, 1, 1, False, None),
    ],
)
def test_parabolas(text, a, b, width, skip, attained) -> None:
    problem = on(text, a, b)
    answer = decided(problem, width, "square", skip)
    assert answer.attained is attained
    # The least risk of a parabola, by orthogonal polynomials on [a, b] and fine Gauss rules.
    half, rule = (b - a) / 2, np.polynomial.legendre.leggauss(40)
    cuts = [a, *(t for t in problem.target.breaks if a < t < b), b]
    x = np.concatenate([(p + q) / 2 + (q - p) / 2 * rule[0] for p, q in pairwise(cuts)])
    w = np.concatenate([(q - p) / 2 * rule[1] for p, q in pairwise(cuts)])
    z, f = (x - (a + b) / 2) / half, problem.target(x)
    least = w @ f**2
    for k in range(3):
        basis = np.polynomial.legendre.Legendre.basis(k)(z) * sqrt((2 * k + 1) / (2 * half))
        least -= (w @ (f * basis)) ** 2
    assert answer.infimum == pytest.approx(least, rel=1e-10, abs=1e-14)


def test_parabolas_on_data() -> None:
    x = np.arange(-3.0, 4.0)
    line = rs.Samples(x, 2 * x - 1)
    assert decided(line, 1, "square", skip=False).attained is False
    assert decided(line, 2, "square", skip=False).attained is True
    bent = rs.Samples(x, np.abs(x), np.arange(1.0, 8.0))
    answer = decided(bent, 1, "square", skip=False)
    best = np.polyfit(x, np.abs(x), 2, w=np.sqrt(bent.weights))
    errors = np.polyval(best, x) - np.abs(x)
    assert answer.attained is True
    assert answer.infimum == pytest.approx(bent.weights @ errors**2, rel=1e-12)
    assert decided(rs.Samples([0.0, 1.0], [1.0, 2.0]), 1, "square", skip=False).attained is True
    # Thirds are rounded: whether the points are on one line is not for doubles to say.
    thirds = rs.Samples(x + 3, (x + 3) / 3)
    assert decided(thirds, 1, "square", skip=False).attained is None


@pytest.mark.parametrize(
    ("text", "width", "activation", "skip", "attained"),
    [
        ("2", 1, "tanh", False, True),
        ("x", 1, "tanh", True, True),
        ("x", 1, "softplus", True, True),
        ("x", 2, "softplus", False, True),
        ("x", 1, "softplus", False, False),
        ("x", 3, "tanh", False, False),
        ("x^2", 2, "tanh", False, False),
        ("x^2", 1, "tanh", True, False),
        ("x^2", 1, "tanh", False, None),
        # Every cubic is odd about a point, but for a constant.
        ("x^3 + x^2 - 2", 2, "tanh", False, False),
        ("x^3 + x^2 - 2", 1, "tanh", True, False),
        ("x^3 + x^2 - 2", 1, "tanh", False, None),
        ("x^5 - x", 3, "tanh", False, False),
        ("x^5 + x^4", 3, "tanh", False, None),
        ("x^2 - x", 1, "softplus", True, False),
        ("x^4 - x^2 + x", 2, "softplus", True, False),
        ("x^4 - x^2 + x", 3, "softplus", False, False),
        ("x^3 - x^2 + x", 3, "softplus", False, False),
        ("x^4 - x^3 + x^2", 1, "softplus", True, None),
        ("abs(x)", 1, "softplus", True, False),
        ("abs(x)", 2, "softplus", False, False),
        ("abs(x)", 1, "softplus", False, None),
        ("step(x)", 2, "softplus", False, False),
        ("x + step(x)", 2, "softplus", True, False),
        ("step(x)", 1, "tanh", False, False),
        ("x - step(x) + 3 * step(x - 1/2)", 2, "tanh", True, False),
        ("x - step(x)", 2, "tanh", False, None),
        ("abs(x)", 3, "tanh", True, None),
        ("x^2 + abs(x)", 3, "softplus", True, None),
    ],
)
def test_analytic_networks(text, width, activation, skip, attained) -> None:
    answer = decided(on(text, -1, 1), width, activation, skip)
    assert answer.attained is attained
    assert answer.infimum == (None if attained is None else 0.0)


def test_analytic_networks_and_gaps() -> None:
    gap = "piecewise(1, x < 1/4, 0, x < 3/4, 1)"
    # On both sides of the gap the same line: the skip connection. Another line: no network.
    assert decided(on("x + step(x - 1/3) - step(x - 2/3)", 0, 1, gap), 1, "softplus").attained
    assert decided(on("x + step(x - 1/2)", 0, 1, gap), 2, "softplus").attained is False


def test_flat_neurons_gain_the_fourth_power() -> None:
    problem = on("x^3 + x^2", -1, 1)
    sequence = decided(problem, 2, "tanh", skip=False).sequence
    risks = [problem.risk(sequence(eps)) for eps in (0.2, 0.1)]
    # Left over are powers five and more, eps^2 times the third: eps^4 in the risk.
    assert risks[0] / risks[1] == pytest.approx(16, rel=0.05)


def test_decisions_do_not_depend_on_units() -> None:
    cases = (("x", "tanh", 1, False), ("abs(x)", "softplus", 1, True), ("x^3", "square", 1, False))
    for text, activation, width, skip in cases:
        for scale, shift in ((1, 0), (0.0009765625, 0), (1024, 0), (1, 16)):
            moved = text.replace("x", f"((x - {shift}) / {scale})")
            problem = on(moved, shift - scale, shift + scale)
            assert decided(problem, width, activation, skip).attained is False


def test_data_are_attained_by_relu() -> None:
    rng = np.random.default_rng(0)
    for inputs, skip in ((1, False), (3, True), (2, False)):
        problem = rs.Samples(rng.normal(size=(20, inputs)), rng.normal(size=20))
        assert decided(problem, 2, LEAKY, skip).attained is True
        assert decided(problem, 2, LEAKY, skip).infimum is None


@pytest.mark.parametrize("inputs", [1, 2])
@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus"])
def test_enough_neurons_fit_all_rows(inputs: int, activation: str) -> None:
    rng = np.random.default_rng(1)
    x = np.vstack([rng.normal(size=(4, inputs)), np.ones((2, inputs))])
    y = np.array([1.0, -1.0, 2.0, 0.0, 3.0, 5.0])
    problem = rs.Samples(x[:, 0] if inputs == 1 else x, y, [1.0, 1.0, 1.0, 1.0, 1.0, 3.0])
    for width, skip in ((4, False), (3, True)):
        answer = decided(problem, width, activation, skip)
        assert answer.attained is True
        # Rows 5 and 6 are one: the mean is 4.5, and 1.5^2 + 3 * 0.5^2 is left.
        assert answer.infimum == pytest.approx(3.0, rel=1e-14)
        fewer = decided(problem, width - 1, activation, skip)
        assert fewer.infimum is None
        assert fewer.attained is (True if activation == "relu" else None)
    found = rs.attainment(problem, 4, activation=activation, skip=False, bounds=(32.0,)).evidence
    assert found.risks[0] == pytest.approx(3.0, rel=1e-9)


def test_squares_of_several_inputs() -> None:
    problem = rs.Samples(np.random.default_rng(0).normal(size=(9, 2)), np.arange(9.0))
    said = [decided(problem, 2, "square", skip=s).attained for s in (True, False)]
    assert said == [True, None]
    assert decided(problem, 3, "square", skip=False).attained is True


TEACHER = rs.Network([[1.0, 2.0], [-1.0, 0.5]], [0.5, 0.0], [2.0, -1.0], 0.25)


@pytest.mark.parametrize(
    ("teacher", "width", "activation", "skip", "attained", "known"),
    [
        (TEACHER, 2, "relu", True, True, True),
        (TEACHER, 2, "relu", False, True, True),
        (TEACHER, 4, LEAKY, False, True, True),
        (TEACHER, 2, LEAKY, True, True, True),
        (TEACHER, 3, LEAKY, False, None, False),
        (TEACHER, 1, "relu", True, True, False),
        (TEACHER, 1, "relu", False, None, False),
        (rs.Network([1.0], [0.5], [1.0], skip=[2.0]), 2, "relu", False, True, False),
        (rs.Network([1.0], [0.5], [1.0], skip=[2.0]), 3, "relu", False, True, True),
        (rs.Network([1.0], [0.5], [1.0], skip=[2.0]), 1, "relu", False, None, False),
        (rs.Network([[0.0, 0.0]], [0.5], [1.0], skip=[2.0, 1.0]), 1, LEAKY, False, False, True),
        (rs.Network([[0.0, 0.0]], [0.5], [1.0], skip=[2.0, 1.0]), 2, LEAKY, False, True, True),
        (rs.Network([[0.0, 0.0]], [0.5], [1.0], skip=[0.0, 0.0]), 1, LEAKY, False, True, True),
    ],
)
def test_gaussian_inputs(teacher, width, activation, skip, attained, known) -> None:
    answer = decided(rs.Gaussian(teacher), width, activation, skip)
    assert answer.attained is attained
    assert (answer.infimum == 0.0) is known


def test_a_kink_far_away_costs_a_normal_tail() -> None:
    problem = rs.Gaussian(rs.Network([0.0], [0.0], [0.0], 5.0, [-3.0]))
    sequence = decided(problem, 1, "relu", skip=False).sequence
    for m in (0.5, 1.0, 2.0):
        # E max(-x - m, 0)^2 for a normal x, times the square of the slope.
        tail = (1 - erf(m / sqrt(2))) / 2
        wanted = 9 * ((1 + m * m) * tail - m * exp(-m * m / 2) / sqrt(2 * pi))
        assert problem.risk(sequence(m)) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(
    ("target", "width", "skip", "attained", "known"),
    [
        (rs.polynomial2d([[0, 0], [0, 1]]), 2, True, True, False),
        (rs.polynomial2d([[0, 0], [0, 1]]), 2, False, None, False),
        (rs.polynomial2d([[0, 0], [0, 1]]), 1, False, True, False),
        (rs.polynomial2d([[1, 2], [3, 0]]), 1, False, True, True),
        (rs.polynomial2d([[1, 2], [3, 0]]), 1, True, True, True),
        (rs.piecewise_polynomial2d([[1, 0, -0.5]], [([1], [[-0.5], [1]])]), 2, True, True, False),
        (rs.piecewise_polynomial2d([[1, 0, -0.5]], [([1], [[1]])]), 2, True, None, False),
        (rs.piecewise_polynomial2d([[1, 0, -0.5]], [([1], [[1]])]), 1, False, True, False),
        (TEACHER, 2, True, True, True),
        (TEACHER, 2, False, True, True),
        (TEACHER, 1, True, True, False),
    ],
)
def test_polygons(target, width, skip, attained, known) -> None:
    answer = decided(rs.Polygon(target, SQUARE), width, "relu", skip)
    assert answer.attained is attained
    assert (answer.infimum == 0.0) is known


def test_densities_on_polygons() -> None:
    target = rs.polynomial2d([[0, 0], [0, 1]])
    centred = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]
    halves = rs.piecewise_polynomial2d([[1, 0, 0]], [([1], [[1]]), ([-1], [[2]])])
    for density, known in (
        (rs.polynomial2d([[1], [1]]), True),
        (rs.polynomial2d([[0, 0, 1], [0, 0, 0], [1, 0, 0]]), True),
        (rs.polynomial2d([[0], [0], [1]]), False),
        (rs.polynomial2d([[0, 0, 1], [0, 2, 0], [1, 0, 0]]), False),
        (halves, False),
    ):
        answer = decided(rs.Polygon(target, centred, density), 2)
        assert answer.attained is (True if known else None)
        assert positive_on_lines(density, np.array(centred)) is known


def test_continuity_in_the_plane() -> None:
    corners = np.array(SQUARE)
    # abs(x - 1/3) + abs(y + x / 7 - 2/5): the coefficients are rounded.
    a, b = np.array([1.0, 0.0, -1 / 3]), np.array([1 / 7, 1.0, -2 / 5])

    def bent(line, side):
        x, y, c = side * line
        return [[c, y], [x, 0.0]]

    pieces = [([s, 0], bent(a, s)) for s in (1, -1)] + [([0, s], bent(b, s)) for s in (1, -1)]
    target = rs.piecewise_polynomial2d([a, b], pieces)
    assert continuous_in_the_plane(target, corners)
    moved = rs.piecewise_polynomial2d([a, b], [*pieces, ([0, 1], [[1e-9]])])
    assert not continuous_in_the_plane(moved, corners)
    # A jump outside of the polygon.
    outside = rs.piecewise_polynomial2d([[1.0, 1.0, -3.0]], [([1], [[1.0]])])
    assert continuous_in_the_plane(outside, corners)


def test_it_reads_well() -> None:
    answer = rs.attainment(on("step(x - 1/2)"), 2, skip=False, bounds=(1.0, 2.0, 4.0))
    head, *rest = str(answer).split("\n")
    assert head == "not attained, infimum 0"
    assert [line[:2] for line in rest] == ["- "] * 3
    assert "x = 0.5" in rest[0]
    assert "eps -> 0" in rest[1]
    page = answer._repr_html_()
    assert page.startswith("<b>not attained, infimum 0</b><ul><li>")
    assert "eps -&gt; 0" in page
    assert "attained=False" in repr(answer)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rs.attainment("x", 1), "of type str; give an Interval"),
        (lambda: rs.attainment(on("x"), 0), "width is 0; give a whole number >= 1"),
        (lambda: rs.attainment(on("x"), 1.5), "width is 1.5"),
        (lambda: rs.attainment(on("x"), 1, seed=-1), "seed is -1"),
        (lambda: rs.attainment(on("x"), 1, bounds=(1.0, 0.0)), "give positive numbers"),
        (lambda: rs.attainment(on("x"), 1, bounds=(2.0, 1.0)), "increasing order"),
        (lambda: rs.attainment(on("x"), 1, bounds=("2",)), "give positive numbers"),
        (lambda: rs.attainment(on("x"), 1, activation="sin"), "not known"),
        (lambda: rs.attainment(rs.Samples([1.0], [[1.0, 2.0]]), 1), "2 targets"),
        (lambda: rs.attainment(rs.Gaussian(TEACHER), 1, activation="tanh"), "piecewise linear"),
        (
            lambda: rs.attainment(
                rs.Polygon(rs.polynomial2d([[1]]), SQUARE), 1, activation="square"
            ),
            "piecewise linear",
        ),
        (lambda: decided(on("step(x - 1/2)"), 2).sequence(2.0), "up to 1"),
        (lambda: decided(on("step(x - 1/2)"), 2).sequence(-1.0), "finite number above 0"),
        (lambda: decided(on("step(x - 1/2)"), 2).sequence(1e-18), "too narrow"),
        (lambda: decided(on("x^2", -1, 1), 2, "tanh", False).sequence(1e-12), "too much alike"),
    ],
)
def test_refusals(call, message: str) -> None:
    with pytest.raises(rs.InputError, match=message):
        call()
