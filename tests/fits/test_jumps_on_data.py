"""Jumps among data against the pairs of kinks that do the same."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from reluscape.fits.jump_proposals import Places, line_of
from reluscape.fits.jumps_on_data import (
    between_jumps,
    grid_on_data,
    with_jumps_as_pairs,
    with_pairs_as_jumps,
)
from reluscape.fits.search import with_values


def problem_of(seed, n=20):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0, 10, n))
    return rs.Samples(x, np.where(x > 4, 2.0, 0.0) + 0.5 * rng.normal(size=n)), rng


@pytest.mark.parametrize("seed", range(10))
def test_pairs_do_what_jumps_do(seed):
    """Two kinks on the ends of each gap are as good, wherever else something bends."""
    problem, rng = problem_of(seed)
    moments = problem.moments
    edges = moments.table.edges
    gaps = rng.choice(len(edges) - 1, 2, replace=False)
    jumps = edges[gaps] + 0.5 * (edges[gaps + 1] - edges[gaps])
    # a kink in the same gap as a jump, and one elsewhere
    beside = edges[gaps[0]] + rng.choice([0.25, 0.75]) * (edges[gaps[0] + 1] - edges[gaps[0]])
    at = np.array([*jumps, beside, rng.uniform(edges[3], edges[-4])])
    order = np.argsort(at)
    places = Places(at[order], np.array([True, True, False, False])[order])
    pairs = with_jumps_as_pairs(moments, places)
    assert len(pairs.tau) == 2 + 6
    assert (np.diff(pairs.tau) > 0).all()
    assert pairs.squares <= line_of(moments, places).squares * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_jumps_do_what_pairs_do(seed):
    problem, rng = problem_of(seed)
    moments = problem.moments
    edges = moments.table.edges
    i = int(rng.integers(1, 8))
    # two in one gap, its ends included; one alone; another pair
    shares = [0.0, 0.6] if seed % 2 else [0.3, 1.0]
    first = edges[i] + np.array(shares) * (edges[i + 1] - edges[i])
    second = edges[15] + np.array([0.2, 0.7]) * (edges[16] - edges[15])
    alone = edges[11] + 0.5 * (edges[12] - edges[11])
    tau = np.array([edges[0], *first, alone, *second, edges[-1]])
    line = with_values(moments, tau, None)
    found = with_pairs_as_jumps(moments, line)
    assert sorted((int(p.jumps.sum()), int((~p.jumps).sum())) for p in found) == [
        (1, 3),
        (1, 3),
        (2, 1),
    ]
    for places in found:
        assert line_of(moments, places).squares <= line.squares * (1 + 1e-9)


def test_kinks_between_jumps_are_fitted_anew():
    x = np.arange(30.0)
    y = np.where(x > 14, 10.0, 0.0) + np.abs(x - 7.3) + np.maximum(x - 22.6, 0.0)
    problem = rs.Samples(x, y)
    reduce = problem.moments.x_axis.reduce
    places = Places(reduce(np.array([5.0, 14.5, 20.0])), np.array([False, True, False]))
    found = between_jumps(problem, places, 0)
    np.testing.assert_allclose(
        problem.moments.x_axis.restore(found.at), [7.3, 14.5, 22.6], atol=1e-9
    )
    assert found.jumps.tolist() == [False, True, False]


def test_grids_hold_all_inputs_where_they_are_few():
    few, _ = problem_of(0, 12)
    grid = grid_on_data(few.moments, 100)
    assert set(few.moments.table.edges) <= set(grid)
    assert len(grid) > 50
    many, _ = problem_of(0, 500)
    grid = grid_on_data(many.moments, 100)
    assert (grid[0], grid[-1]) == many.moments.support
    assert len(grid) < 200
    assert (np.diff(grid) > 0).all()
