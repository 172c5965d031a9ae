"""The best responses of each kind: theory, brute force, and data."""

from __future__ import annotations

from functools import cache
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from scipy.optimize import minimize

import reluscape as rs
from tabulated import steep_tanh


def kinds(best):
    return {(row.jumps, row.kinks): row for row in best.rows}


@cache
def nodes():
    """A fine midpoint-free rule on [-1, 2]: Gauss on many pieces."""
    x, w = np.polynomial.legendre.leggauss(4)
    cuts = np.linspace(-1, 2, 151)
    half, middle = np.diff(cuts) / 2, (cuts[1:] + cuts[:-1]) / 2
    return (middle[:, None] + half[:, None] * x).ravel(), (half[:, None] * w).ravel()


def least_squares(x, y, w, jumps, kinks):
    """The least risk for given places, by a general solver."""
    columns = [np.ones_like(x), x]
    columns += [np.maximum(x - t, 0.0) for t in kinks]
    columns += [c for t in jumps for c in (x > t, (x > t) * (x - t))]
    design = np.stack(columns, axis=1).astype(float)
    root = np.sqrt(w)
    solution = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
    return float(w @ (design @ solution - y) ** 2)


# ------------------------------------------------------------------------------ the theory


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (-1.0, 2.0)])
def test_s0_1_parabolas(a, b):
    best = rs.best_generalized(rs.Interval(rs.polynomial([0, 0, 1]), a, b), 5)
    rows = kinds(best)
    for d in range(6):
        row = rows[0, d]
        assert row.risk == pytest.approx((b - a) ** 5 / (180 * (d + 1) ** 4), rel=1e-13)
        places = a + (b - a) * np.arange(1, d + 1) / (d + 1)
        np.testing.assert_allclose(row.kink_places, places, atol=1e-7 * (b - a))
        np.testing.assert_allclose(row.response.bends, 2 * (b - a) / (d + 1), rtol=1e-6)
    assert best.continuous is rows[0, 5]
    # each jump is worth no more than the kink it takes the place of
    for (jumps, kinks_), row in rows.items():
        assert row.risk == pytest.approx(rows[0, jumps + kinks_].risk, rel=1e-9)
    assert best.strict.risk > best.continuous.risk


def test_s0_2_tanh():
    rows = kinds(rs.best_generalized(rs.Interval(steep_tanh(), -1, 1), 2))
    assert rows[1, 0].risk == pytest.approx(0.029850144941, abs=5e-13)
    np.testing.assert_allclose(rows[1, 0].jump_places, 0.0, atol=1e-7)
    assert rows[0, 2].risk == pytest.approx(0.000881623580, abs=5e-13)
    np.testing.assert_allclose(rows[0, 2].kink_places, [-0.06327951, 0.06327951], atol=5e-9)


def test_s0_2_a_steep_ramp():
    target = rs.piecewise_linear([-1, -0.02, 0.02, 1], [-1, -1, 1, 1])
    best = rs.best_generalized(rs.Interval(target, -1, 1), 2)
    rows = kinds(best)
    assert rows[1, 0].risk == pytest.approx(0.012549226667, abs=5e-13)
    np.testing.assert_allclose(rows[1, 0].jump_places, 0.0, atol=1e-7)
    assert rows[0, 2].risk < 1e-25
    np.testing.assert_allclose(rows[0, 2].kink_places, [-0.02, 0.02], atol=1e-12)
    assert best.strict is rows[1, 0]
    assert "worse by 0.0125492" in str(best)


def test_a_jump_of_the_target_is_worth_its_two_neurons():
    """Not continuous: no network attains what the response does."""
    best = rs.best_generalized(rs.Interval(rs.step(0.37), 0, 1), 3)
    assert best.strict.risk < 1e-30
    assert kinds(best)[1, 0].jump_places == pytest.approx([0.37], abs=1e-15)
    assert best.continuous.risk > 1e-12
    assert "better by" in str(best)


def test_jumps_never_win_for_continuous_targets():
    """S0: a response with jumps is worse than the best network of the same dimension."""
    rng = np.random.default_rng(4)
    for _ in range(3):
        knots = np.concatenate([[-1], np.sort(rng.uniform(-1, 2, 6)), [2]])
        problem = rs.Interval(rs.piecewise_linear(knots, rng.normal(size=8)), -1, 2)
        best = rs.best_generalized(problem, 4)
        rows = kinds(best)
        assert set(rows) == {(0, k) for k in range(5)} | {(1, 0), (1, 1), (1, 2), (2, 0)}
        for row in best.rows:
            assert row.dimension == 2 * row.jumps + row.kinks
            assert row.response.strict == (row.jumps > 0)
            if row.jumps:
                assert row.risk > rows[0, row.dimension].risk
        assert best.strict.risk > best.continuous.risk


# ------------------------------------------------------------------------------ brute force


@pytest.mark.parametrize(("jumps", "kinks_"), [(1, 0), (1, 1), (2, 0), (1, 2)])
def test_nothing_better_is_found_by_brute_force(jumps, kinks_):
    """All placements on a coarse grid, the best of them followed by Nelder and Mead."""
    target = rs.polynomial([0.3, -1.0, 0.5, 1.5, -0.75])
    x, w = nodes()
    y = target(x)

    def risk(t):
        inside = (np.min(t) > -1) and (np.max(t) < 2)
        return least_squares(x, y, w, t[:jumps], t[jumps:]) if inside else np.inf

    grid = np.linspace(-0.9, 1.9, 15 if jumps + kinks_ < 3 else 8)
    starts = sorted(
        ((risk(np.array(t)), t) for t in product(grid, repeat=jumps + kinks_)), key=lambda s: s[0]
    )[:3]
    ends = [
        minimize(
            risk, t, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-9, "maxiter": 100}
        ).fun
        for _, t in starts
    ]
    row = kinds(rs.best_generalized(rs.Interval(target, -1, 2), 4))[jumps, kinks_]
    # jumps fall between the nodes of the rule
    assert row.risk <= min(ends) * (1.0 + 1e-3)
    at = np.concatenate([row.jump_places, row.kink_places])
    assert row.risk == pytest.approx(risk(at), rel=2e-3)


def test_the_risk_is_stationary_in_every_place():
    """Moving a jump or a kink either way costs, with all coefficients solved for again."""
    target = rs.polynomial([0.3, -1.0, 0.5, 1.5, -0.75])
    best = rs.best_generalized(rs.Interval(target, -1, 2), 5)

    def risk(jumps, kinks_):  # on the intervals between jumps, by fits with given places
        ends = [-1.0, *jumps, 2.0]
        total = 0.0
        for left, right in pairwise(ends):
            inner = [t for t in kinks_ if left < t < right]
            z, w = np.polynomial.legendre.leggauss(12)
            cuts = np.array([left, *inner, right])
            half, middle = np.diff(cuts) / 2, (cuts[1:] + cuts[:-1]) / 2
            x = (middle[:, None] + half[:, None] * z).ravel()
            total += least_squares(x, target(x), (half[:, None] * w).ravel(), [], inner)
        return total

    for row in best.rows:
        at = np.sort(row.jump_places), np.sort(row.kink_places)
        here = risk(*at)
        assert row.risk == pytest.approx(here, rel=1e-10)
        for which, places in enumerate(at):
            for i, move in product(range(len(places)), (-1e-3, 1e-3)):
                moved = [part.copy() for part in at]
                moved[which][i] += move
                assert risk(*moved) > here


# ------------------------------------------------------------------------------ data


@pytest.mark.parametrize("weighted", [False, True])
def test_all_ways_to_cut_data(weighted):
    rng = np.random.default_rng(9)
    x = np.sort(rng.choice(np.arange(40) / 8.0, 24, replace=True))
    y = np.where(x > 2, 3.0, 0.0) - np.where(x > 3.5, 2.0, 0.0) + x + 0.3 * rng.normal(size=24)
    w = rng.uniform(0.5, 2.0, 24) if weighted else np.full(24, 1 / 24)
    problem = rs.Samples(x, y, w if weighted else None)
    rows = kinds(rs.best_generalized(problem, 4))
    levels = np.unique(x)
    gaps = (levels[1:] + levels[:-1]) / 2
    for jumps in (1, 2):
        exact = min(least_squares(x, y, w, t, []) for t in combinations(gaps, jumps))
        assert rows[jumps, 0].risk == pytest.approx(exact, rel=1e-9)
        assert set(rows[jumps, 0].jump_places) <= set(gaps)
    # with a kink, on a fine grid: none of its places is better
    places = np.linspace(levels[0], levels[-1], 161)[1:-1]
    exact = min(least_squares(x, y, w, [t], [s]) for t in gaps for s in places)
    assert rows[1, 1].risk <= exact * (1 + 1e-9)
    for row in rows.values():
        jumps, kinks_ = row.jump_places, row.kink_places
        assert row.risk == pytest.approx(w @ (row.response(x) - y) ** 2, rel=1e-9)
        assert row.risk == pytest.approx(least_squares(x, y, w, jumps, kinks_), rel=1e-9)


def test_on_data_two_kinks_in_a_gap_do_what_a_jump_does():
    """So a row with jumps is never better than the one without of the same dimension."""
    rng = np.random.default_rng(10)
    for n in (8, 25):
        x = np.sort(rng.uniform(size=n))
        y = np.where(x > 0.4, 1.0, 0.0) + 0.2 * rng.normal(size=n)
        best = rs.best_generalized(rs.Samples(x, y), 4)
        rows = kinds(best)
        for row in best.rows:
            if row.dimension in [other.kinks for other in best.rows if not other.jumps]:
                assert rows[0, row.dimension].risk <= row.risk * (1 + 1e-9) + 1e-28
        assert best.continuous.risk <= best.strict.risk * (1 + 1e-9) + 1e-28


def test_pairs_of_kinks_that_a_jump_replaces():
    """The best continuous function has two pairs, each in one gap: jumps are as good."""
    x = np.arange(12.0)
    y = np.where(x > 3, 2.0, 0.0) - np.where(x > 7, 1.5, 0.0) + 0.1 * x
    rows = kinds(rs.best_generalized(rs.Samples(x, y), 4))
    for kind in ((0, 4), (1, 2), (2, 0)):
        assert rows[kind].risk < 1e-25
    np.testing.assert_allclose(rows[2, 0].jump_places, [3.5, 7.5])


def test_timestamps():
    rng = np.random.default_rng(11)
    x = np.arange(50.0)
    y = np.where(x > 20, 5.0, 0.0) + 0.1 * x + 0.1 * rng.normal(size=50)
    here = kinds(rs.best_generalized(rs.Samples(x, y), 3))
    there = kinds(rs.best_generalized(rs.Samples(x + 1.7e9, y), 3))
    for kind, row in here.items():
        assert there[kind].risk == pytest.approx(row.risk, rel=1e-6)
        np.testing.assert_allclose(there[kind].jump_places - 1.7e9, row.jump_places, atol=1e-5)


def test_few_data():
    rows = kinds(rs.best_generalized(rs.Samples([0.0, 1.0, 2.0], [0.0, 1.0, 0.0]), 6))
    assert set(rows) == {(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)}
    assert rows[1, 0].risk < 1e-30
    one = rs.best_generalized(rs.Samples([1.0, 1.0], [0.0, 2.0]), 3)
    assert [(row.jumps, row.kinks, row.risk) for row in one.rows] == [(0, 0, 1.0)]
    assert one.strict is None
    two = kinds(rs.best_generalized(rs.Samples([0.0, 1.0], [0.0, 2.0]), 2))
    assert two[0, 0].risk < 1e-30


# ------------------------------------------------------------------------------ what it says


def test_the_table():
    best = rs.best_generalized(rs.Interval(rs.polynomial([0, 0, 1]), 0, 1), 1)
    assert best.table().splitlines() == [
        "jumps kinks  risk               places",
        "    0     0  0.005555555556",
        "    0     1  0.0003472222222    0.5",
    ]
    assert str(best).endswith("no room for a jump, which takes two neurons")
    assert best._repr_html_().startswith("<pre>jumps")


def test_seeds_and_refusals():
    problem = rs.Interval(rs.polynomial([0, 0, 1]), 0, 1)
    first, second = (rs.best_generalized(problem, 3, seed=3) for _ in range(2))
    assert [row.response for row in first.rows] == [row.response for row in second.rows]
    for width in (-1, 1.5, True, "2"):
        with pytest.raises(rs.InputError, match="width is"):
            rs.best_generalized(problem, width)
    with pytest.raises(rs.InputError, match="seed is"):
        rs.best_generalized(problem, 1, seed=-1)
    with pytest.raises(rs.InputError, match="Interval, or Samples on a line"):
        rs.best_generalized(rs.Gaussian(rs.Network([1.0], [0.0], [1.0])), 1)
    with pytest.raises(rs.InputError, match="one column"):
        rs.best_generalized(rs.Samples(np.zeros((3, 2)), np.zeros(3)), 1)
