"""The judges of the landscape against each other: no line of the package runs here."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from random import Random

import numpy as np
import pytest

from landscape_cases import critical_cases, near_misses
from landscape_data import FOUR_ROWS, FOUR_ROWS_VERDICTS, data_cases
from landscape_oracle import (
    GLOBAL,
    LOCAL,
    NOT,
    SADDLE,
    Line,
    affine_errors,
    affine_gradient,
    affine_risk,
    affine_risks,
    leaky_shape,
    plain,
    quadratic_gradient,
    quadratic_verdict,
    relu_level,
    root,
    state,
    survives,
    verdict,
)
from landscape_rays import (
    Rows,
    descent,
    falls,
    moved,
    random_directions,
    ray,
    risk,
    steepest,
    unit,
)
from landscape_scan import best_kink, critical_points, kinks, scan, totals
from landscape_targets import random_targets
from oracles import data_exact, hessian_array, interval_exact
from problems import CUBIC, LEAKY_TABLE, SQUARE, TENT, affine_level, leaky_level
from records import Plain, value

Q = Fraction
UNIT = Line(Q(1), Q(0), Q(0), Q(1))
HALF = Q(1, 2)
CASES = critical_cases(1200, 11)
MISSES = near_misses(300, 12)
TARGETS = random_targets(18, 13)
ROUNDED_ROOTS = Q(1, 10**50)  # gradients of leaky saddles with roots within 1e-60


# ------------------------------------------------------------------------------ the affine theorem


def test_builders_and_theorem_agree():
    assert [c.sort for c in CASES + MISSES if c.exactly() != c.kind] == []


def test_every_kind_and_sort_is_drawn():
    sorts = {c.sort for c in CASES}
    assert {"level 2", "level 4", "level 6", "dead", "flat semi-active", "flat at an end"} <= sorts
    assert {"wrong sign at an end", "flat degenerate", "leaky 0A", "leaky 3B", "leaky 4A"} <= sorts
    assert {"fits: line", "fits: two sides", "fits: stacked", "fits: line and hat"} <= sorts
    kinds = [c.kind for c in CASES]
    assert min(kinds.count(kind) for kind in (GLOBAL, LOCAL, SADDLE)) > 100
    assert 0.4 < np.mean([c.dyadic for c in CASES]) < 0.9
    found = {state(w, b, c.line) for c in CASES for w, b, _ in c.neurons}
    assert len(found) == 7


def test_dyadic_cases_are_floats():
    for case in CASES:
        if case.dyadic:
            exact = case.exact_plain()
            parts = [*exact.w, *exact.b, *exact.v, exact.c]
            assert [Q(t) for t in case.floats.theta().tolist()] == parts, case.sort


def test_what_touches_an_end_does_so_as_floats():
    for case in CASES:
        net = case.floats
        for (w, b, _), v, t in zip(case.neurons, net.w, net.b, strict=True):
            kind = state(w, b, case.line)
            if kind in ("left", "right"):
                assert state(Q(v), Q(t), case.line) == kind


@pytest.mark.parametrize("case", CASES[:150] + MISSES[:60], ids=lambda c: c.sort)
def test_theorem_and_gradient_agree(case):
    gradient = affine_gradient(case.line, case.neurons, case.c, case.slope)
    size = max(map(abs, gradient))
    if case.kind == NOT:
        assert size > Q(1, 10**6)
    else:
        assert size <= (ROUNDED_ROOTS if case.slope else 0)


GRID = [
    (w, b, v)
    for w, b, v in product(
        (Q(-1), Q(0), Q(1)), [Q(i, 3) for i in range(-3, 4)], (Q(-2, 3), Q(0), Q(2, 3))
    )
]


@pytest.mark.parametrize("at_zero", ["ge", "gt"])
def test_networks_of_a_grid_are_critical_or_not(at_zero):
    rng = Random(3)
    several = [[one] for one in GRID] + [rng.choices(GRID, k=2) for _ in range(250)]
    for neurons in several:
        c = HALF - sum(v * max(w * HALF + b, 0) for w, b, v in neurons)
        gradient = affine_gradient(UNIT, neurons, c, at_zero=at_zero)
        kind = verdict(UNIT, neurons, c, at_zero=at_zero)
        assert (kind != NOT) == (not any(gradient)), neurons


def test_conventions_differ_for_one_neuron_only():
    degenerate = [(Q(0), Q(0), Q(1))]
    assert verdict(UNIT, degenerate, HALF, at_zero="ge") == NOT
    assert verdict(UNIT, degenerate, HALF, at_zero="gt") == SADDLE
    # a ray on which the risk falls at once: (x - 1/2)_+ meets e = 1/2 - x only where e < 0
    assert affine_risk(UNIT, [(Q(1, 8), Q(-1, 16), Q(1))], HALF) < Q(1, 12)


def test_risks_agree():
    for case in CASES[:60]:
        exact = interval_exact(case.exact_plain(), case.line.pieces(), case.line.a, case.line.b)
        mine = affine_risk(case.line, case.neurons, case.c, case.slope)
        assert mine == exact.risk
        theta = np.array([case.floats.theta()])
        fast = affine_risks(case.line, theta, case.floats.slope)[0]
        assert fast == pytest.approx(float(mine), rel=1e-12, abs=1e-14)


def test_levels():
    for case in CASES:
        if case.sort.startswith("level"):
            found = affine_risk(case.line, case.neurons, case.c)
            assert found == relu_level(case.line, int(case.sort[-1]))
    assert relu_level(UNIT, 2) == Q(1, 972)
    line = Line(Q(2), Q(-1), HALF, Q(3))
    assert float(relu_level(line, 4)) == pytest.approx(affine_level(4, 2, 0.5, 3), rel=1e-15)
    assert relu_level(line, 4) == Q(1, 120)


def test_error_of_a_level_alternates():
    """On segment i the error is -(-1)^i alpha / (n + 1) (x - m_i)."""
    for case in CASES[:300]:
        if case.sort.startswith("level"):
            n = int(case.sort[-1])
            # in the order of the segments, so that only true breakpoints count
            for i, ((s, p), (t, q)) in enumerate(
                pairwise(affine_errors(case.line, case.neurons, case.c))
            ):
                assert (q - p) / (t - s) == -((-1) ** i) * case.line.alpha / (n + 1)
                assert p + q == 0


def test_leaky_levels():
    for n, family, g, digits in LEAKY_TABLE:
        level = leaky_shape(UNIT, n, family, Q(g).limit_denominator(100)).level
        assert float(level) == pytest.approx(digits, abs=6e-11)
        assert float(level) == pytest.approx(leaky_level(n, family, g, 1, 0, 1), rel=1e-13)
    for case in CASES:
        if case.sort.startswith("leaky") and case.sort[6] != "0":
            n, family = int(case.sort[6]), case.sort[7]
            gap = affine_risk(case.line, case.neurons, case.c, case.slope)
            gap -= leaky_shape(case.line, n, family, case.slope).level
            assert abs(gap) <= ROUNDED_ROOTS


def test_leaky_levels_approach_those_of_relu():
    g = Q(1, 10**16)
    for n, family, limit in ((2, "A", 2), (4, "A", 4), (3, "A", 2), (3, "B", 2), (4, "B", 2)):
        level = leaky_shape(UNIT, n, family, g).level
        assert float(level) == pytest.approx(float(relu_level(UNIT, limit)), rel=1e-6)


def test_roots():
    assert root(Q(9, 16)) == Q(3, 4)
    assert root(Q(25, 16)) == Q(5, 4)
    assert abs(root(Q(1, 2)) ** 2 - HALF) < Q(1, 10**59)


def test_quadratic_activation():
    numbers = (Q(-1), -HALF, Q(0), HALF, Q(1))
    seen = set()
    for w, b, v, c in product(numbers, numbers, (Q(-1), Q(0), Q(1)), (Q(0), HALF)):
        kind = quadratic_verdict(UNIT, [(w, b, v)], c)
        assert (kind != NOT) == (not any(quadratic_gradient(UNIT, [(w, b, v)], c)))
        seen.add(kind)
    assert seen == {NOT, SADDLE}
    # (x + 1/2)^2 / 2 - (x - 1/2)^2 / 2 = x
    fit = [(Q(1), HALF, HALF), (Q(1), -HALF, -HALF)]
    assert quadratic_verdict(UNIT, fit, Q(0)) == GLOBAL
    assert not any(quadratic_gradient(UNIT, fit, Q(0)))


def test_hessians_are_differences_of_gradients():
    """In rationals: what is left is of the order of the step, where breakpoints are shared."""
    step, checked = Q(1, 10**9), 0
    for case in CASES:
        types = {state(w, b, case.line) for w, b, _ in case.neurons}
        if types != {"type-2"} or len(case.neurons) > 4:
            continue
        net, pieces = case.exact_plain(), case.line.pieces()
        size, checked = 3 * net.width + 1, checked + 1
        table = interval_exact(net, pieces, case.line.a, case.line.b, hessian=True).hessian
        for i in range(size):
            unit_vector = [int(j == i) for j in range(size)]
            ahead, behind = (
                interval_exact(there, pieces, case.line.a, case.line.b).gradient
                for there in (moved(net, unit_vector, s) for s in (step, -step))
            )
            for found, p, q in zip(table[i], ahead, behind, strict=True):
                assert abs((p - q) / (2 * step) - found) < Q(1, 10**5)
        if checked == 4:
            break
    assert checked == 4


def test_minima_survive_and_wrong_signs_do_not():
    rng = np.random.default_rng(0)
    for case in CASES:
        if case.kind == LOCAL:
            assert survives(case.line, case.floats, rng, 300)
        if case.sort == "wrong sign at an end":
            assert not survives(case.line, case.floats, rng)


def test_levels_are_strict_saddles():
    checked = 0
    for case in CASES:
        if checked >= 12 or any(state(w, b, case.line) != "type-2" for w, b, _ in case.neurons):
            continue
        if case.kind != SADDLE or len(case.neurons) > 6:
            continue
        checked += 1
        line, net = case.line, case.exact_plain()
        exact = interval_exact(net, line.pieces(), line.a, line.b, hessian=True)
        values, vectors = np.linalg.eigh(hessian_array(exact))
        assert values[0] < 0
        direction = [Q(t) for t in vectors[:, 0].tolist()]
        before = affine_risk(line, case.neurons, case.c, case.slope)
        for sign in (1, -1):
            away = moved(net, direction, sign * Q(1, 10**6))
            neurons = list(zip(away.w, away.b, away.v, strict=True))
            assert affine_risk(line, neurons, away.c, case.slope) < before
    assert checked == 12


# ---------------------------------------------------------------------------------- rays over data


def test_rays_are_what_the_network_does():
    rng = np.random.default_rng(4)
    for case in data_cases(40, 5):
        for direction in random_directions(case.net, rng, 5):
            coefficients = ray(case.rows, case.net, direction)
            step = Q(1, 4096)  # whole numbers: no row changes sides so early
            there = moved(case.net, direction, step)
            assert value(tuple(map(Q, coefficients)), step) == risk(case.rows, there)


def test_rays_agree_with_derivatives_where_the_risk_is_smooth():
    rng = np.random.default_rng(6)
    x, y = (-2, -1, 0, 1, 3), (1, 0, 2, -1, 1)
    rows = Rows(x, y, (Q(1, 5),) * 5)
    net = Plain((2, -2, 0), (-1, 3, 1), (1, -2, 1), 1)  # type: ignore[arg-type]
    exact = data_exact(x, y, net, hessian=True)
    hessian = [[Q(t) for t in row] for row in exact.hessian]
    assert risk(rows, net) == exact.risk
    for direction in random_directions(net, rng, 60):
        found = ray(rows, net, direction)
        assert found[1] == sum(g * d for g, d in zip(exact.gradient, direction, strict=True))
        size = len(direction)
        bend = sum(
            hessian[i][j] * direction[i] * direction[j] for i in range(size) for j in range(size)
        )
        assert 2 * found[2] == bend


def test_published_neurons_on_a_datum():
    """Three rows, errors (-1, 0, 0): what Wu, Simsek and Ged say of a second neuron."""
    rows = Rows((-1, 0, 1), (1, 0, 1), (HALF,) * 3)

    def net(w, b, v):
        return Plain((1, w), (0, b), (1, v), 0)

    assert risk(rows, net(0, -1, 0)) == HALF
    # the example has no offset c, at which our networks are not critical: only (w, b) here
    for w, b, v, expected in ((0, -1, 0, 0), (-1, -1, 0, 0), (-1, -1, -1, 0), (-1, -1, 1, -1)):
        own = [unit(net(w, b, v), w1=p, b1=q) for p, q in ((-1, 0), (0, 1), (1, 0), (0, -1))]
        assert min(ray(rows, net(w, b, v), d)[1] for d in own) == min(expected, 0)
    waking = unit(net(-1, -1, 0), w1=-64, v1=1)
    assert falls(rows, net(-1, -1, 0), waking)
    assert steepest(rows, net(-1, -1, -1))[0] == -1  # c does not fit: e does not add up to 0


def test_published_neurons_with_an_offset():
    """A fourth row, where neither neuron is active, makes c critical: the verdicts come back."""
    rng = np.random.default_rng(8)
    for (w, b, v), critical, minimum in FOUR_ROWS_VERDICTS:
        net = Plain((1, w), (0, b), (1, v), 0)
        assert (steepest(FOUR_ROWS, net)[0] >= 0) == critical
        assert (descent(FOUR_ROWS, net, rng, 2000) is None) == minimum


def test_data_cases_cover_every_kind():
    cases = data_cases(250, 8)
    kinds = [c.found[0] for c in cases]
    assert min(kinds.count(kind) for kind in (GLOBAL, LOCAL, SADDLE, NOT)) >= 8
    for case in cases:
        kind, direction = case.found
        if direction is not None:
            coefficients = ray(case.rows, case.net, direction)
            assert (coefficients[1] < 0) == (kind == NOT)
            # beyond the first-order test the risk must still be seen to fall
            lower = (risk(case.rows, moved(case.net, direction, Q(1, 2**k))) for k in range(60))
            assert any(r < coefficients[0] for r in lower)


# -------------------------------------------------------------------------------------- one neuron


@pytest.mark.parametrize("one", TARGETS, ids=lambda t: t.sort)
def test_scan_and_isolation_agree(one):
    found = kinks(one.f, one.a, one.b, one.density)
    brackets = scan(one.f, one.a, one.b, one.density)
    for point in found:
        # a double root in between is all that a scan cannot see
        assert any(s <= point.high and point.low <= t for s, t in brackets) or not point.simple
    for s, t in brackets:
        assert any(s <= point.high and point.low <= t for point in found)


@pytest.mark.parametrize("one", TARGETS[:12], ids=lambda t: t.sort)
def test_kinks_are_critical_and_of_their_kind(one):
    f, a, b, rho = one.f, one.a, one.b, one.density
    for point in kinks(f, a, b, rho):
        t = (point.low + point.high) / 2
        c, p, level = best_kink(f, a, b, rho, t)
        net = Plain((Q(1),), (-t,), (p,), c)
        exact = interval_exact(net, f, a, b, density=rho, hessian=True)
        assert max(map(abs, exact.gradient)) < Q(1, 10**25)
        assert exact.risk == level == point.risk
        values = np.linalg.eigvalsh(hessian_array(exact))
        if point.simple:  # one zero eigenvalue, from rescaling
            assert (values[0] < -1e-9) == (not point.minimum)
        else:
            assert abs(values[1]) < 1e-9 * values[-1]


@pytest.mark.parametrize(("f", "a"), [(SQUARE, 0), (TENT, 0), (CUBIC, -1)])
def test_published_enumerations(f, a):
    found = critical_points(f, Q(a), Q(1))
    rights = [p for p in found if p.family == "right-active"]
    assert len(rights) == 1
    whole = totals(f, Q(a), Q(1))
    assert found[0].risk == interval_exact(Plain((), (), (), whole.f / whole.mass), f, a, 1).risk
    expected = {SQUARE: Q(4, 45), TENT: Q(1, 48), CUBIC: Q(16, 105)}[f]
    assert found[0].risk == expected
    affine = {SQUARE: [Q(1, 180)], TENT: [], CUBIC: [Q(8, 175)]}[f]
    assert [p.risk for p in found if p.family == "affine"] == affine
    if f is SQUARE:
        assert (rights[0].low, rights[0].risk) == (Q(1, 3), Q(4, 3645)) or (
            abs(rights[0].low - Q(1, 3)) < Q(1, 2**100)
        )
        assert abs(rights[0].risk - Q(4, 3645)) < Q(1, 10**30)
        assert len(found) == 3


def test_networks_of_floats_keep_their_shape():
    """The record that the judges see and the network that the package sees are the same."""
    neurons = [(Q(1), Q(-1, 2), Q(2)), (Q(0), Q(1), Q(0))]
    assert plain(neurons, HALF).theta().tolist() == [1, 0, -0.5, 1, 2, 0, 0.5]
