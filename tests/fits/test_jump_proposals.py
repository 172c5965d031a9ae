"""Dynamic programming over a grid, against all placements on it."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

import reluscape as rs
from reluscape.fits.jump_proposals import Places, line_of, propose


def interval(rng):
    return rs.Interval(rs.polynomial(rng.normal(size=6) * [1, 2, 4, 4, 4, 4]), -1, 1).moments


def data(rng):
    x = np.sort(rng.uniform(-1, 1, 30))
    return rs.Samples(x, np.sign(x - 0.2) + rng.normal(size=30)).moments


@pytest.mark.parametrize("make", [interval, data])
def test_the_first_proposal_is_the_best_on_the_grid(make):
    """Nearly always: a beam forgets what may still win. It is never far off."""
    shares = []
    rng = np.random.default_rng(0)
    for _ in range(6):
        moments = make(rng)
        low, high = moments.support
        grid = np.linspace(low, high, 10)
        found = propose(moments, grid, 4, 3)
        assert set(found) == {(j, k) for j in range(3) for k in range(5 - 2 * j)}
        for (jumps, kinks), places in found.items():
            count = jumps + kinks
            best = np.inf
            for at in combinations(grid[1:-1], count):
                for which in product([False, True], repeat=count):
                    if sum(which) == jumps:
                        trial = Places(np.array(at), np.array(which, dtype=bool))
                        best = min(best, line_of(moments, trial).squares)
            first = places[0]
            assert (int(first.jumps.sum()), len(first.at)) == (jumps, count)
            shares.append(line_of(moments, first).squares / best)
            lasts = [some.at[-1] for some in places if count]
            assert len(set(lasts)) == len(lasts)
    assert np.min(shares) > 1.0 - 1e-9
    assert np.mean(np.array(shares) < 1.0 + 1e-9) > 0.95
    assert np.max(shares) < 1.02


def test_a_jump_leaves_both_sides_alone():
    """With a jump the sum of squares is that of two separate lines."""
    problem = rs.Interval(rs.polynomial([0.5, -1.0, 2.0, 3.0]), -1, 1)
    moments = problem.moments
    low, high = moments.support
    middle = low + 0.4 * (high - low)
    line = line_of(moments, Places(np.array([middle]), np.array([True])))
    at = float(moments.x_axis.restore(np.array([middle]))[0])
    parts = [rs.fit(rs.Interval(problem.target, *ends), 0).risk for ends in ((-1.0, at), (at, 1.0))]
    unit = moments.mass * moments.y_axis.scale**2
    assert line.squares * unit == pytest.approx(sum(parts), rel=1e-12)
