"""Thresholds: honest costs, and noise that is deleted where it can be."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs
from construction_oracle import clusters, cost
from reluscape.construction import truncation


def affine(x, labels, outputs, weights=None):
    """Least C of affine outputs, by brute force."""
    weights = np.ones(len(x)) if weights is None else weights
    root = np.sqrt(weights)[:, np.newaxis]
    goals = outputs[:, labels].T
    design = np.column_stack([x, np.ones(len(x))])
    found = np.linalg.lstsq(design * root, goals * root)[0]
    return np.sqrt(np.sum(weights[:, np.newaxis] * (design @ found - goals) ** 2) / weights.sum())


@pytest.mark.parametrize("inputs", [3, 6])
def test_costs_are_what_they_say(inputs):
    x, labels = clusters(np.random.default_rng(inputs), inputs, 3, 0.15, rows=300)
    weights = np.random.default_rng(0).integers(0, 3, len(x)).astype(float)
    made = rs.construct(x, labels, weights=weights)
    cut = made.truncated(x, labels, weights=weights)
    assert cost(cut.network, x, labels, made.Y, weights) == pytest.approx(cut.cost, rel=1e-10)
    # Within the span of the means: the projections are what the units see.
    seen = x @ np.linalg.pinv(made.means.T).T
    assert cut.linear_cost == pytest.approx(affine(seen, labels, made.Y, weights), rel=1e-11)
    assert cut.constructed_cost == made.cost >= cut.linear_cost
    assert cut.improves
    assert cut.cost < cut.linear_cost
    assert "lowers the cost" in str(cut)


def test_noise_in_one_coordinate_is_deleted():
    """Class "b" has noise in the coordinate of "a" only, below it: cutting there leaves none."""
    x = np.array([[1.0, 0.0], [1.0, 0.0], [0.2, 1.0], [-0.2, 1.0], [0.0, 1.0], [0.0, 0.0], [0, 0]])
    labels = np.array([0, 0, 1, 1, 1, 2, 2])
    x = np.column_stack([x, [0, 0, 0, 0, 0, 1.0, 1.0]])
    x[2:5, 2] = [0.1, 0.1, -0.2]
    made = rs.construct(x, labels)
    cut = made.truncated(x, labels)
    assert cut.linear_cost < made.cost
    assert cut.cost < 1e-12


def test_nothing_is_claimed_without_an_improvement():
    x = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    labels = np.array([0, 0, 1, 1])
    made = rs.construct(x, labels)
    cut = made.truncated(x, labels)
    assert not cut.improves
    assert cut.cost == cut.linear_cost == pytest.approx(0.0, abs=1e-14)
    assert np.isnan(cut.thresholds).all()
    assert "no thresholds were found" in str(cut)
    np.testing.assert_allclose(cut.network(x), np.eye(2)[labels], atol=1e-13)


def test_thresholds_are_at_least_as_good_as_any_single_one():
    """Against every threshold of one unit at a time, tried one by one."""
    x, labels = clusters(np.random.default_rng(8), 2, 2, 0.25, rows=60)
    made = rs.construct(x, labels)
    cut = made.truncated(x, labels)
    seen = x @ np.linalg.pinv(made.means.T).T
    best = cut.linear_cost
    for k in range(2):
        for t in seen[:, k]:
            for sign in (1, -1):
                trial = seen.copy()
                trial[:, k] = np.maximum(sign * (seen[:, k] - t), 0.0)
                best = min(best, affine(trial, labels, made.Y))
    assert best < cut.linear_cost
    # The search tries quantiles, not all data.
    assert cut.cost <= best * 1.01


def test_chunks_and_samples(monkeypatch):
    x, labels = clusters(np.random.default_rng(2), 4, 3, 0.2, rows=600)
    made = rs.construct(x, labels)
    whole = made.truncated(x, labels)
    parts = made.truncated([(x[:100], labels[:100]), (x[100:], labels[100:])])
    assert parts.cost == pytest.approx(whole.cost, rel=1e-12)
    monkeypatch.setattr(truncation, "SEARCHED", 200)
    fewer = made.truncated(x, labels)
    assert cost(fewer.network, x, labels, made.Y) == pytest.approx(fewer.cost, rel=1e-10)
    with pytest.raises(rs.InputError, match="reads the rows twice"):
        made.truncated(iter([(x, labels)]))
