"""The motorcycle data: 133 readings at 94 distinct times, on which local searches get stuck."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import reluscape as rs

DATA = Path(__file__).parents[2] / "examples" / "motorcycle.csv"

# Least sums of squares found by a separate search: random starts on sites and gap centres, one
# knot after the other exchanged for the best place until none moves, then Nelder-Mead from the
# best twelve. Upper bounds on the optimum, so a fit may well be lower. Widths 1 to 3 agree with
# what pwlf finds.
YARDSTICK = {
    1: 200185.5705232,
    2: 97100.5043873,
    3: 67688.6244926,
    4: 63348.0729713,
    5: 60710.9603972,
    6: 58514.3026117,
    8: 49882.1168473,
}


@pytest.fixture(scope="module")
def readings():
    return np.loadtxt(DATA, delimiter=",", skiprows=1).T


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("k", sorted(YARDSTICK))
def test_at_least_as_good_as_a_separate_search(readings, k, seed):
    x, y = readings
    fit = rs.fit(rs.Samples(x, y), k, seed=seed)
    assert fit.sum_of_squares <= YARDSTICK[k] * (1 + 1e-6)
    e = fit.network(x) - y
    assert fit.sum_of_squares == pytest.approx(float(e @ e), rel=1e-8)


def test_repeated_times_leave_what_no_function_can_fit(readings):
    x, y = readings
    problem = rs.Samples(x, y)
    sites, which = np.unique(x, return_inverse=True)
    means = np.bincount(which, y) / np.bincount(which)
    assert problem.distinct == len(sites) == 94
    assert problem.pure_error == pytest.approx(np.mean((y - means[which]) ** 2), rel=1e-12)
