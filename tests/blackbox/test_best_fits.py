"""``fit`` against the true global optimum of small problems, found by exact enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import reluscape as rs
from fit_oracles import (
    best_plain_sse,
    bounded_best_sse,
    exact_best_spline,
    least_squares_line,
    sse_of,
)
from records import plain_of

TRUTH = 1e-9  # how far above the exact optimum a fit may stay, relative
FLOOR = 1e-13  # ... and absolutely, times the total sum of squares: rounding of perfect fits
KINKS = 1e-6  # a factor that is no power of two rounds y; a minimum is flat: half the digits
GRID = 1e-6  # the constrained judge refines its grid only so far


def consistent(fit, x, y, weights=None) -> float:
    """Check that what the fit says about itself is what its network does; give the exact SSE."""
    net = plain_of(fit.network)
    mass = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
    exact = float(sse_of(net, np.asarray(x, float), np.asarray(y, float), mass))
    size = float(np.sum(mass * np.square(y)))
    assert fit.sum_of_squares == pytest.approx(exact, rel=1e-9, abs=FLOOR * size)
    share = exact / len(x) if weights is None else exact
    assert fit.risk == pytest.approx(share, rel=1e-9, abs=FLOOR * size)
    knots = np.asarray(fit.breakpoints)
    assert np.all(np.diff(knots) >= 0)
    assert len(knots) <= fit.width
    assert len(fit.slopes) == len(knots) + 1
    # slopes and intercept describe the same function
    scale = np.max(np.abs(y)) + 1e-300
    edges = np.array([np.min(x) - 1, *knots, np.max(x) + 1])
    middles = (edges[:-1] + edges[1:]) / 2
    line = fit.intercept + fit.slopes[0] * middles[0]
    np.testing.assert_allclose(line, net(middles[:1])[0], atol=1e-8 * scale)
    values = net(edges)
    for i, slope in enumerate(fit.slopes):
        if edges[i + 1] > edges[i]:
            rise = values[i + 1] - values[i]
            run = edges[i + 1] - edges[i]
            assert rise == pytest.approx(slope * run, rel=1e-6, abs=1e-8 * scale)
    assert np.all(np.isfinite(fit.network.to_vector()))
    # what a user computes from the network in doubles is what the fit says
    rounded = np.sum(mass * (net(np.asarray(x, float)) - y) ** 2)
    assert rounded == pytest.approx(exact, rel=1e-6, abs=1e-10 * size)
    assert fit.claim
    return exact


def small(seed: int, n: int, *, repeats: bool = False):
    rng = np.random.default_rng(seed)
    if repeats:
        x = rng.integers(0, n - 3, n + 4) / 2
    else:
        x = np.sort(rng.choice(np.arange(64), n, replace=False)) / 8
    y = np.round(rng.normal(size=len(x)) * 64) / 64
    return x, y


@pytest.mark.parametrize("k", [0, 1, 2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_global_optimum(seed, k):
    x, y = small(seed, 9)
    best = float(exact_best_spline(x, y, k).sum_of_squares)
    fit = rs.fit(rs.Samples(x, y), k)
    found = consistent(fit, x, y)
    assert found <= best * (1 + TRUTH) + FLOOR * np.sum(y**2)
    assert found >= best * (1 - TRUTH) - FLOOR * np.sum(y**2)


# small rows of noise on which local searches ended too high, found by trying hundreds
TRAPS = [
    (2, [0.5, 0.625, 2.375, 3.25, 4.375, 6.0], [13, -26, -14, 17, 2, 35]),
    (2, [1.125, 1.25, 5.125, 5.875, 6.0, 6.5, 6.625], [-57, 130, 68, 118, -27, 13, 68]),
    (2, [0.875, 3.5, 3.625, 5.75, 6.0, 6.125, 6.875], [162, 85, -82, -76, -92, 56, -15]),
    (
        2,
        [0.25, 1.125, 1.5, 4.125, 4.75, 5.625, 5.75, 6.625, 6.75],
        [-30, -58, 72, -7, 85, -82, -37, -65, -55],
    ),
    (
        3,
        [1.5, 2.25, 3.25, 3.375, 3.625, 4.25, 4.75, 5.5, 5.875],
        [96, 96, 4, -47, -49, 43, -69, 56, -46],
    ),
]


@pytest.mark.parametrize(("k", "x", "y"), TRAPS)
def test_global_optimum_where_local_searches_stop(k, x, y):
    best = float(exact_best_spline(x, y, k).sum_of_squares)
    found = consistent(rs.fit(rs.Samples(x, y), k), x, y)
    assert best * (1 - TRUTH) <= found <= best * (1 + TRUTH)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_global_optimum_of_longer_data(seed, k):
    x, y = small(seed + 100, 14)
    best = float(exact_best_spline(x, y, k).sum_of_squares)
    found = consistent(rs.fit(rs.Samples(x, y), k), x, y)
    assert best * (1 - TRUTH) <= found <= best * (1 + TRUTH)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_repeated_x(seed, k):
    x, y = small(seed + 200, 10, repeats=True)
    assert len(np.unique(x)) < len(x)
    best = float(exact_best_spline(x, y, k).sum_of_squares)
    found = consistent(rs.fit(rs.Samples(x, y), k), x, y)
    assert best * (1 - TRUTH) <= found <= best * (1 + TRUTH)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_weights(seed, k):
    x, y = small(seed + 300, 9)
    weights = np.random.default_rng(seed).integers(1, 5, 9).astype(float)
    best = float(exact_best_spline(x, y, k, weights=weights).sum_of_squares)
    weighted = rs.fit(rs.Samples(x, y, weights=weights), k)
    found = consistent(weighted, x, y, weights)
    assert best * (1 - TRUTH) <= found <= best * (1 + TRUTH)
    rows = np.repeat(np.arange(9), weights.astype(int))
    repeated = rs.fit(rs.Samples(x[rows], y[rows]), k)
    assert repeated.sum_of_squares == pytest.approx(weighted.sum_of_squares, rel=1e-9)


def test_zero_weights_are_absent_rows():
    x, y = small(7, 10)
    weights = np.ones(10)
    weights[[2, 5]] = 0
    fit = rs.fit(rs.Samples(x, y, weights=weights), 1)
    kept = weights > 0
    best = float(exact_best_spline(x[kept], y[kept], 1).sum_of_squares)
    assert fit.sum_of_squares == pytest.approx(best, rel=TRUTH)


def test_order_of_rows_does_not_matter():
    x, y = small(8, 12)
    order = np.random.default_rng(0).permutation(12)
    one, other = rs.fit(rs.Samples(x, y), 2), rs.fit(rs.Samples(x[order], y[order]), 2)
    assert one.sum_of_squares == pytest.approx(other.sum_of_squares, rel=1e-12)


def test_same_seed_same_bits():
    x, y = small(9, 40)
    one, other = (rs.fit(rs.Samples(x, y), 4, seed=3) for _ in range(2))
    assert one.network == other.network


# ---------------------------------------------------------------------- no skip connection


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("seed", range(8))
def test_plain_network(seed, width):
    x, y = small(seed + 400, 8)
    fit = rs.fit(rs.Samples(x, y), width, skip=False)
    assert fit.network.skip is None
    assert not fit.skip
    assert fit.network.width <= width
    found = float(sse_of(plain_of(fit.network), x, y))
    assert fit.sum_of_squares == pytest.approx(found, rel=1e-9, abs=FLOOR * np.sum(y**2))
    best = best_plain_sse(x, y, width)
    assert found <= best * (1 + TRUTH) + FLOOR * np.sum(y**2)


# two neurons in one gap make any step there: the best pair is a choice, and a tame one exists
STEPS_IN_A_GAP = [
    (
        [0.0, 3.375, 3.625, 5.125, 6.625, 6.75],
        [0.796875, -1.5625, -2.5625, 1.078125, -0.46875, -0.390625],
    ),
    (
        [0.75, 1.5, 3.0, 3.25, 3.625, 3.875, 5.25],
        [0.671875, -1.078125, 1.09375, 0.703125, -0.109375, 0.4375, -0.4375],
    ),
    (
        [0.25, 0.625, 2.375, 2.5, 2.75, 3.375, 6.625, 7.125],
        [-0.15625, -2.75, 0.96875, -0.265625, -1.671875, 0.03125, -0.28125, -0.34375],
    ),
    ([0.75, 0.875, 2.0, 4.625, 7.25], [-2.265625, 1.421875, 1.59375, 0.296875, -0.765625]),
    ([3.625, 4.625, 4.875, 7.625, 7.875], [0.984375, 1.546875, 0.0625, 0.140625, -0.609375]),
]


@pytest.mark.parametrize(("x", "y"), STEPS_IN_A_GAP)
def test_steps_by_two_plain_neurons(x, y):
    x, y = np.array(x), np.array(y)
    fit = rs.fit(rs.Samples(x, y), 2, skip=False)
    assert fit.sum_of_squares <= best_plain_sse(x, y, 2) * (1 + TRUTH) + FLOOR * np.sum(y**2)
    # breakpoints an ulp apart with outputs of 1e14 would be the same function only on paper
    assert np.max(np.abs(fit.network.to_vector())) < 1e6
    rounded = np.sum((fit.network(x) - y) ** 2)
    assert rounded == pytest.approx(fit.sum_of_squares, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("width", [3, 5])
def test_plain_network_between_two_splines(width):
    rng = np.random.default_rng(5)
    x = np.linspace(0, 1, 60)
    y = np.sin(7 * x) + 0.1 * rng.normal(size=60)
    problem = rs.Samples(x, y)
    plain = rs.fit(problem, width, skip=False).sum_of_squares
    same, fewer = (rs.fit(problem, k).sum_of_squares for k in (width, width - 1))
    # a plain network is a spline; with one neuron active everywhere it is any spline of one less
    assert same * (1 - TRUTH) <= plain <= fewer * (1 + TRUTH)


def test_plain_network_of_width_zero_is_the_mean():
    x, y = small(3, 9)
    fit = rs.fit(rs.Samples(x, y), 0, skip=False)
    assert fit.sum_of_squares == pytest.approx(float(np.sum((y - y.mean()) ** 2)), rel=1e-12)


def test_a_sloping_line_needs_one_plain_neuron():
    x = np.arange(10.0)
    fit = rs.fit(rs.Samples(x, 3 - 2 * x), 1, skip=False)
    assert fit.sum_of_squares == pytest.approx(0, abs=1e-18 * 1e3)
    np.testing.assert_allclose(fit.network(x), 3 - 2 * x, atol=1e-12)


# ------------------------------------------------------------------------------- plain cases


def test_width_zero_is_least_squares():
    x, y = small(1, 12)
    intercept, slope, rss = least_squares_line(x, y)
    fit = rs.fit(rs.Samples(x, y), 0)
    assert fit.sum_of_squares == pytest.approx(float(rss), rel=1e-12)
    assert fit.intercept == pytest.approx(float(intercept), rel=1e-10)
    np.testing.assert_allclose(fit.slopes, [float(slope)], rtol=1e-10)
    assert len(fit.breakpoints) == 0


@pytest.mark.parametrize("width", [0, "auto"])
def test_all_x_equal(width):
    fit = rs.fit(rs.Samples([2.0] * 5, [1.0, 2.0, 3.0, 4.0, 10.0]), width)
    assert fit.sum_of_squares == pytest.approx(50.0, rel=1e-14)
    assert fit.network(np.array([2.0]))[0] == pytest.approx(4.0, rel=1e-14)


@pytest.mark.parametrize("width", [0, 1, 2, "auto"])
@pytest.mark.parametrize("level", [0.0, 3.5, -1e6, 0.1])
def test_constant_y(width, level):
    x = np.arange(12.0)
    fit = rs.fit(rs.Samples(x, np.full(12, level)), width)
    assert fit.sum_of_squares <= (1e-14 * abs(level)) ** 2 * 12
    np.testing.assert_allclose(fit.network(x), level, rtol=1e-14)
    if width == "auto":
        assert len(fit.breakpoints) == 0


@pytest.mark.parametrize("width", [0, 1, 3, "auto"])
def test_linear_y(width):
    x = np.linspace(-3, 8, 25)
    y = 0.3 * x - 7.1
    fit = rs.fit(rs.Samples(x, y), width)
    assert fit.sum_of_squares <= 25 * (1e-14 * 10) ** 2
    np.testing.assert_allclose(fit.network(x), y, atol=1e-13 * 10)
    if width == "auto":
        assert len(fit.breakpoints) == 0


@pytest.mark.parametrize("width", [0, "auto"])
def test_two_rows(width):
    fit = rs.fit(rs.Samples([1.0, 3.0], [2.0, -2.0]), width)
    assert fit.sum_of_squares == pytest.approx(0, abs=1e-28)
    np.testing.assert_allclose(fit.slopes, [-2.0], rtol=1e-14)
    assert fit.intercept == pytest.approx(4.0, rel=1e-14)


def test_one_row():
    fit = rs.fit(rs.Samples([1.0], [2.0]), 0)
    assert fit.network(np.array([1.0]))[0] == pytest.approx(2.0, rel=1e-15)


def test_perfect_piecewise_linear_data_are_found():
    x = np.linspace(0, 10, 201)
    y = np.interp(x, [0, 2, 5, 7, 10], [0, 4, -1, 3, 3])
    fit = rs.fit(rs.Samples(x, y), 3)
    np.testing.assert_allclose(fit.breakpoints, [2, 5, 7], atol=1e-7)
    np.testing.assert_allclose(fit.slopes, [2, -5 / 3, 2, 0], atol=1e-7)
    assert fit.sum_of_squares < 1e-12


# -------------------------------------------------------------------------------- magnitudes


def fit_or_refusal(x, y, width, **arguments):
    """Give the fit, or None after a clear refusal."""
    try:
        return rs.fit(rs.Samples(x, y), width, **arguments)
    except rs.InputError as refusal:
        text = str(refusal)
    assert text.endswith(".")
    return None


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize(
    ("p", "q"),
    [(498, 0), (-498, 0), (0, 498), (0, -498), (498, 498), (-498, -498), (-498, 498), (498, -498)],
)
def test_powers_of_two_change_nothing(p, q, skip):
    rng = np.random.default_rng(13)
    x = np.sort(rng.uniform(-1, 1, 30))
    y = np.abs(x) + 0.1 * rng.normal(size=30)
    base = rs.fit(rs.Samples(x, y), 2, skip=skip)
    moved = fit_or_refusal(np.ldexp(x, p), np.ldexp(y, q), 2, skip=skip)
    if moved is None:
        return
    np.testing.assert_array_equal(np.ldexp(moved.breakpoints, -p), base.breakpoints)
    assert moved.sum_of_squares == np.ldexp(base.sum_of_squares, 2 * q)
    fitted = np.ldexp(moved.network(np.ldexp(x, p)), -q)
    np.testing.assert_allclose(fitted, base.network(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("power", [100, -100])
def test_moderate_powers_of_two_are_never_refused(power):
    x = np.arange(20.0)
    y = np.abs(x - 9.5) + np.cos(x)
    base = rs.fit(rs.Samples(x, y), 1)
    moved = rs.fit(rs.Samples(np.ldexp(x, power), np.ldexp(y, -power)), 1)
    np.testing.assert_array_equal(np.ldexp(moved.breakpoints, -power), base.breakpoints)
    assert moved.sum_of_squares == np.ldexp(base.sum_of_squares, -2 * power)


@pytest.mark.parametrize("size", [1e-150, 1e-80, 1e80, 1e150])
@pytest.mark.parametrize("side", ["x", "y"])
def test_magnitudes_are_right_or_refused(size, side):
    x = np.arange(20.0)
    y = np.abs(x - 9.5) + np.cos(x)
    base = rs.fit(rs.Samples(x, y), 1)
    if side == "x":
        moved = fit_or_refusal(x * size, y, 1)
        if moved is not None:
            assert moved.sum_of_squares == pytest.approx(base.sum_of_squares, rel=1e-9)
            np.testing.assert_allclose(moved.breakpoints / size, base.breakpoints, rtol=KINKS)
    else:
        moved = fit_or_refusal(x, y * size, 1)
        if moved is not None:
            expected = base.sum_of_squares
            found = np.sum((moved.network(x) / size - y) ** 2)
            assert found == pytest.approx(expected, rel=1e-9)
            np.testing.assert_allclose(moved.breakpoints, base.breakpoints, rtol=KINKS)


# ------------------------------------------------------------------------------- constraints


def curve(seed: int, n: int = 24):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0, 4, n))
    return x, np.sin(2 * x) + 0.3 * x + 0.2 * rng.normal(size=n)


@pytest.mark.parametrize("k", [0, 1, 2])
@pytest.mark.parametrize(
    ("arguments", "low", "high"),
    [
        ({"monotone": "increasing"}, 0.0, np.inf),
        ({"monotone": "decreasing"}, -np.inf, 0.0),
        ({"slope_bounds": (-0.4, 0.9)}, -0.4, 0.9),
        ({"slope_bounds": (0.5, 1.5)}, 0.5, 1.5),
    ],
)
def test_slopes_within_bounds(arguments, low, high, k):
    x, y = curve(3)
    fit = rs.fit(rs.Samples(x, y), k, **arguments)
    found = consistent(fit, x, y)
    assert np.all(fit.slopes >= low - 1e-9)
    assert np.all(fit.slopes <= high + 1e-9)
    assert found <= bounded_best_sse(x, y, k, low, high, per_gap=1) * (1 + GRID)


def test_idle_constraints_change_nothing():
    x, y = curve(4)
    free = rs.fit(rs.Samples(x, y), 2)
    bound = rs.fit(rs.Samples(x, y), 2, slope_bounds=(-50.0, 50.0), min_distance=1e-3)
    if np.all(np.abs(free.slopes) < 50) and np.min(np.diff(free.breakpoints)) > 1e-3:
        assert bound.sum_of_squares == pytest.approx(free.sum_of_squares, rel=TRUTH)
    else:
        assert bound.sum_of_squares >= free.sum_of_squares * (1 - TRUTH)


@pytest.mark.parametrize("distance", [0.5, 1.0])
def test_minimum_distance(distance):
    x, y = curve(5)
    fit = rs.fit(rs.Samples(x, y), 2, min_distance=distance)
    assert np.min(np.diff(fit.breakpoints)) >= distance * (1 - 1e-12)
    free = bounded_best_sse(x, y, 2, -1e6, 1e6, per_gap=1, min_distance=distance)
    assert consistent(fit, x, y) <= free * (1 + GRID)


@pytest.mark.parametrize("points", [3, 6])
def test_minimum_number_of_points(points):
    x, y = curve(6)
    fit = rs.fit(rs.Samples(x, y), 3, min_points=points)
    knots = fit.breakpoints
    for left, right in itertools.pairwise(knots):
        assert np.sum((x >= left) & (x <= right)) >= points
    free = rs.fit(rs.Samples(x, y), 3)
    assert consistent(fit, x, y) >= free.sum_of_squares * (1 - TRUTH)


def test_constraints_together():
    x, y = curve(7, 60)
    fit = rs.fit(rs.Samples(x, y), 3, monotone="increasing", min_distance=0.4, min_points=4)
    assert np.all(fit.slopes >= -1e-12)
    assert np.min(np.diff(fit.breakpoints)) >= 0.4 * (1 - 1e-12)
    for left, right in zip(fit.breakpoints[:-1], fit.breakpoints[1:], strict=True):
        assert np.sum((x >= left) & (x <= right)) >= 4


# ------------------------------------------------------------------------ choosing the width


def test_auto_width_finds_the_clear_answer():
    rng = np.random.default_rng(21)
    x = np.sort(rng.uniform(0, 1, 400))
    y = np.interp(x, [0, 0.3, 0.7, 1], [0, 1.2, -0.4, 0.4]) + 0.05 * rng.normal(size=400)
    fit = rs.fit(rs.Samples(x, y), "auto")
    assert fit.width == 2
    rows = {row.width: row for row in fit.widths}
    assert rows[2].chosen
    assert sum(row.chosen for row in fit.widths) == 1
    assert 0 in rows
    # BIC: n log(SSE / n) + parameters log n, up to a constant: 2 k + 3 or 2 k + 2 parameters
    n = 400
    for k in (1, 2):
        expected = n * np.log(rows[k].sum_of_squares / rows[0].sum_of_squares) + 2 * k * np.log(n)
        assert rows[k].bic - rows[0].bic == pytest.approx(expected, rel=1e-9)
    assert rows[2].bic == min(row.bic for row in fit.widths)
    # cross-validated error near the noise (0.0025) for the truth, well above for a line
    assert rows[2].cv_error == pytest.approx(0.0025, rel=0.2)
    assert rows[0].cv_error > 10 * rows[2].cv_error
    assert "2" in fit.summary()


@pytest.mark.parametrize("k", range(4))
def test_more_neurons_are_never_worse(k):
    x, y = curve(9, 80)
    problem = rs.Samples(x, y)
    assert rs.fit(problem, k + 1).risk <= rs.fit(problem, k).risk * (1 + TRUTH)


# ------------------------------------------------------------------------- several inputs


def test_several_inputs_reach_a_critical_point():
    rng = np.random.default_rng(2)
    x = rng.uniform(-1, 1, (300, 2))
    y = np.maximum(x[:, 0] + 0.5 * x[:, 1], 0) - x[:, 1]
    problem = rs.Samples(x, y)
    fit = rs.fit(problem, 1)
    assert fit.risk < 1e-8  # the truth has width one
    assert fit.risk == pytest.approx(problem.risk(fit.network), rel=1e-12)
    assert "critical" in fit.claim.lower()


def test_one_dimension_names_the_spline():
    x, y = curve(10)
    text = (rs.fit(rs.Samples(x, y), 2).claim + rs.fit(rs.Samples(x, y), 2).summary()).lower()
    assert "spline" in text
