"""``fit(certify=True)`` against the least of all placements, on a thousand small problems."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

import reluscape as rs
from fit_oracles import exact_best_spline
from optimum_instances import KINDS, Floats, instance
from optimum_oracle import least_risk

EPS = float(np.finfo(float).eps)
GAP = 1e-9
# 1 - bound / risk is rounded to a multiple of 1.1e-16.
STATED_GAP = GAP + 1e-15
# A residual y - f(x) is a difference of rounded numbers as large as y, however small it is itself.
ROUNDING = 4 * EPS
# What a network adds up to get f(x) is as large as a line of it at the other end of the axes. Lines
# are as steep as from one row to the next, and beside a jump may rise 1e5 times the range of y.
STEEP = 1e5
# Squares, relative to those of the range of y, that are too few for the arithmetic of the search:
# its bound may stay that far below the risk, whatever gap is asked for.
UNPROVED = 1e-14
PATIENCE = 20.0
EACH = 80
HALVES = [range(EACH // 2), range(EACH // 2, EACH)]


def steepest(x: Floats, y: Floats) -> float:
    """Return the greatest slope from one input to the next."""
    order = np.argsort(x)
    dx, dy = np.diff(x[order]), np.diff(y[order])
    return float(np.max(np.abs(dy[dx > 0] / dx[dx > 0])))


def compare(
    x: Floats, y: Floats, k: int, weights: Floats | None
) -> tuple[list[str], rs.Fit, float]:
    """Return what is wrong with a certified fit, its risk, its bound and the true minimum."""
    found = rs.fit(rs.Samples(x, y, weights), k, certify=True, gap=GAP, time_limit=PATIENCE)
    least = least_risk(x, y, k, weights)
    total = 1.0 if weights is None else float(weights.sum())
    span, high = float(np.ptp(y)), float(np.max(np.abs(y)))
    rounding = ROUNDING * high * sqrt(total)
    nothing = (EPS * max(steepest(x, y) * float(np.max(np.abs(x))), STEEP * span)) ** 2 * total
    slack = rounding * (2 * sqrt(least) + rounding) + (nothing if least <= nothing else GAP * least)
    wrong: list[str] = []
    if found.lower_bound > least:
        wrong.append("bound above the minimum")
    if found.risk < found.lower_bound:
        wrong.append("bound above the risk")
    if abs(found.risk - least) > slack:
        wrong.append("another risk")
    if found.risk - found.lower_bound > max(STATED_GAP * found.risk, UNPROVED * total * span**2):
        wrong.append("gap not closed")
    return wrong, found, least


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    x = np.arange(12.0)
    rs.fit(rs.Samples(x, np.sin(x)), 2, certify=True)


@pytest.mark.parametrize("seeds", HALVES, ids=["first", "second"])
@pytest.mark.parametrize("kind", KINDS)
def test_small_problems(kind: str, seeds: range) -> None:
    failures: list[str] = []
    for seed in seeds:
        x, y, k, weights = instance(kind, seed)
        wrong, found, least = compare(x, y, k, weights)
        if wrong:
            numbers = f"risk {found.risk!r}, bound {found.lower_bound!r}, least {least!r}"
            failures.append(f"{kind} {seed}, width {k}: {', '.join(wrong)}; {numbers}")
        if seed % 2 == 0:
            assert found.certificate is not None
            verdict = rs.check(found.certificate, rs.Samples(x, y, weights))
            if not verdict.holds or verdict.lower_bound != found.lower_bound:
                failures.append(f"{kind} {seed}, width {k}: check says {verdict}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("kind", KINDS)
def test_two_oracles_agree(kind: str) -> None:
    for seed in (1000, 1001, 1002):
        x, y, k, weights = instance(kind, seed)
        x, y, weights = x[:8], y[:8], None if weights is None else weights[:8]
        mass = None if weights is None else weights.tolist()
        k = min(k, len(np.unique(x)) - 2)
        exact = float(exact_best_spline(x.tolist(), y.tolist(), k, weights=mass).sum_of_squares)
        share = 1 / len(x) if weights is None else 1.0
        # the oracle stops at what is within the rounding of the data
        nothing = 1e-31 * float(np.max(np.abs(y))) ** 2
        assert least_risk(x, y, k, weights) == pytest.approx(exact * share, rel=1e-14, abs=nothing)


def test_the_oracle_knows_jumps_and_steep_ends() -> None:
    x = np.arange(6.0)
    assert least_risk(x, [0, 0, 0, 5, 5, 5], 2) == 0
    assert least_risk(x, [0, 0, 0, 5, 5, 5], 1) == pytest.approx(least_risk(x, -x // 3 * 5, 1))
    assert least_risk(x, [9, 0, 0, 0, 0, 9], 2) == 0
    assert least_risk([0, 0, 1, 2], [0, 2, 7, 7], 1) == 0.5
    assert least_risk([3, 3], [1, 2], 2) == 0.25
    assert least_risk(x, [0, 1, 0, 1, 0, 1], 0, [1, 0, 1, 0, 1, 0]) == 0
