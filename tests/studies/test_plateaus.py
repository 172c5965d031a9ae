"""Levels against the reference values of theory, and runs at them."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from reluscape.studies.plateaus import AT, NEAR, Level, levels_at, levels_of

# Reference values are given to eight digits.
GIVEN = 1e-8


def levels(problem: rs.Interval | rs.Samples, width: int, slope: float = 0.0, **options: bool):
    return {level.name: level.risk for level in levels_of(problem, width, slope, **options)}


def test_affine_targets() -> None:
    # S2-2 of the reference cases.
    problem = rs.Interval(rs.affine(2.0, -1.0), 0.5, 3.0)
    expected = {
        "n = 0": 5.208333333333,
        "n = 2": 0.0643004115226337,
        "n = 4": 0.00833333333333333,
        "n = 6": 0.00216923504095516,
    }
    assert levels(problem, 7) == pytest.approx(expected, rel=1e-12)
    assert list(levels(problem, 5)) == ["n = 0", "n = 2", "n = 4"]


@pytest.mark.parametrize(
    ("slope", "expected"),
    [
        (
            0.1,
            {
                "n = 1": 0.0224894886,
                "n = 2B": 0.0084481132,
                "n = 2A": 0.0007812373,
                "n = 3": 0.0004969679,
                "n = 4B": 0.0003310171,
                "n = 4A": 0.0000962234,
            },
        ),
        (
            0.5,
            {
                "n = 1": 0.0024531043,
                "n = 2B": 0.0004295647,
                "n = 2A": 0.0001926537,
                "n = 3": 0.0000697923,
            },
        ),
    ],
)
def test_leaky_networks(slope: float, expected: dict[str, float]) -> None:
    # S2-4 of the reference cases.
    problem = rs.Interval(rs.affine(1.0, 0.0), 0.0, 1.0)
    found = levels(problem, len(expected) - 2 if slope == 0.1 else 3, slope)
    assert found.pop("n = 0") == pytest.approx(1 / 12)
    assert list(found) == list(expected)
    # All digits that are given.
    assert found == pytest.approx(expected, abs=6e-11)


@pytest.mark.parametrize("slope", [0.0, 0.01, 0.3, 0.9])
def test_the_place_of_a_level_does_not_depend_on_the_width(slope: float) -> None:
    problem = rs.Interval(rs.affine(-3.0, 1.0), -1.0, 0.5)
    widest = levels_of(problem, 20, slope)
    assert list(widest) == sorted(widest, key=lambda level: -level.risk)
    for width in range(1, 20):
        here = levels_of(problem, width, slope)
        assert here == widest[: len(here)]


def test_a_constant_density_is_a_factor() -> None:
    line = rs.Interval(rs.affine(1.0, 0.0), 0.0, 1.0, rs.polynomial([3.0]))
    assert levels(line, 2) == pytest.approx({"n = 0": 0.25, "n = 2": 3 / 972})


@pytest.mark.parametrize(
    ("problem", "skip", "expected"),
    [
        # Constants: nothing but success.
        (rs.Interval(rs.affine(0.0, 2.0), 0.0, 1.0), False, {}),
        # A skip connection fits a line, whatever the density.
        (rs.Interval(rs.affine(1.0, 0.0), 0.0, 1.0), True, {}),
        (rs.Interval(rs.affine(1.0, 0.0), 0.0, 1.0, rs.polynomial([1.0, 1.0])), True, {}),
        # Under p = 2x the variance of x is 1/2 - 4/9.
        (
            rs.Interval(rs.affine(1.0, 0.0), 0.0, 1.0, rs.polynomial([0.0, 2.0])),
            False,
            {"constant fit": 1 / 18},
        ),
        # |x - 1/2|: the best line is constant.
        (rs.Interval(rs.expression("|x - 1/2|"), 0.0, 1.0), False, {"constant fit": 1 / 48}),
        (rs.Interval(rs.expression("|x - 1/2|"), 0.0, 1.0), True, {"affine fit": 1 / 48}),
        # x^2: variance 4/45, and 1/180 after the line.
        (
            rs.Interval(rs.polynomial([0.0, 0.0, 1.0]), 0.0, 1.0),
            False,
            {"constant fit": 4 / 45, "affine fit": 1 / 180},
        ),
        # Variance 2/3 of (1, 2, 3); nothing is left by the line.
        (rs.Samples([0.0, 1.0, 2.0], [1.0, 2.0, 3.0]), False, {"constant fit": 2 / 3}),
        (
            rs.Samples([0.0, 1.0, 2.0], [0.0, 0.0, 3.0]),
            False,
            {"constant fit": 2.0, "affine fit": 0.5},
        ),
        # One place: the best line is the best constant.
        (rs.Samples([1.0, 1.0], [0.0, 2.0]), False, {"constant fit": 1.0}),
    ],
)
def test_simple_fits(
    problem: rs.Interval | rs.Samples, skip: bool, expected: dict[str, float]
) -> None:
    assert levels(problem, 3, skip=skip) == pytest.approx(expected, rel=1e-10)


def test_far_from_the_origin() -> None:
    x = 1.7e9 + np.arange(5.0)
    found = levels(rs.Samples(x, [0.0, 1.0, 2.0, 3.0, 5.0]), 2)
    # By hand, from deviations -2.2, -1.2, -0.2, 0.8, 2.8 and a slope of 1.2.
    assert found == pytest.approx({"constant fit": 2.96, "affine fit": 0.08}, rel=1e-9)


def test_the_trap_is_a_level() -> None:
    trap = rs.trap(-1.0, 2.0, 0.5)
    found = levels(trap.problem, 4)
    assert found["trap"] == pytest.approx(trap.risk)
    assert trap.problem.risk(trap.member(-0.5)) == pytest.approx(found["trap"])
    assert list(found) == ["constant fit", "trap"]
    # The best line is the member whose breakpoint is at the end of the interval.
    line = rs.polish(trap.problem, rs.Network([], [], [], 0.0, [0.0]))
    assert line.risk == pytest.approx(found["trap"])


def test_runs_at_levels() -> None:
    ladder = (Level("high", 1.0), Level("low", 0.985), Level("small", 1e-3))
    risks = np.array([1.011, 1.009, 0.993, 0.99, 0.976, 0.974, 1.005e-3, 1.02e-3, 1e-4, 0.0, 9.0])
    expected = [-1, 1, 1, 2, 2, -1, 3, -1, 0, 0, -1]
    assert levels_at(risks, ladder, 1e-4).tolist() == expected
    # Success comes first.
    assert levels_at(np.array([1e-3]), ladder, 1e-3).tolist() == [0]
    assert levels_at(np.array([np.nan, np.inf]), ladder, 1e-3).tolist() == [-1, -1]
    assert levels_at(np.array([0.5]), (), 1e-3).tolist() == [-1]


def test_arrival_is_noticed_before_a_run_counts_as_there() -> None:
    assert AT < NEAR
