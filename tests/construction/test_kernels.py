"""The compiled passes against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from reluscape.kernels import clusters


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("inputs", [1, 31, 32, 75])
def test_sums(kind, inputs):
    rng = np.random.default_rng(inputs)
    x = rng.normal(size=(40, inputs)).astype(kind)
    codes, weights = rng.integers(0, 3, 40), rng.uniform(0.5, 2.0, 40)
    centres, anchor = rng.normal(size=(3, inputs)), rng.normal(size=inputs)
    sums, totals, extremes = np.zeros((3, inputs)), np.zeros((3, 3)), np.zeros(2)
    totals[:, 2] = np.inf
    clusters.accumulate(x, codes, weights, centres, anchor, sums, totals, extremes)
    wide = x.astype(np.float64)
    for j in range(3):
        mine = codes == j
        np.testing.assert_allclose(
            sums[j], weights[mine] @ (wide[mine] - centres[j]), rtol=0, atol=1e-13
        )
        np.testing.assert_allclose(
            totals[j], [weights[mine].sum(), mine.sum(), weights[mine].min()], rtol=1e-14
        )
    assert extremes[0] == pytest.approx(np.square(wide - anchor).sum(axis=1).max(), rel=1e-14)
    assert extremes[1] == 0
    x[[3, 5], 0] = np.nan, np.inf
    clusters.accumulate(x, codes, weights, centres, anchor, sums, totals, extremes)
    assert extremes[1] == 2


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(("inputs", "rank", "block"), [(1, 1, 8), (33, 4, 64), (64, 5, 7)])
def test_spread(kind, inputs, rank, block):
    rng = np.random.default_rng(inputs)
    x = rng.normal(size=(50, inputs)).astype(kind)
    codes, weights = rng.integers(0, 3, 50), rng.uniform(0.5, 2.0, 50)
    means, coordinates = rng.normal(size=(3, inputs)), rng.normal(size=(inputs, rank))
    scales, levels = rng.normal(size=rank), rng.normal(size=(3, rank))
    readout, goals = rng.normal(size=(2, rank)), rng.normal(size=(3, 2))
    squares, extremes = np.zeros((3, rank, rank)), np.zeros((3, 4))
    clusters.spread(
        x, codes, weights, means, coordinates, scales, levels, readout, goals, squares, extremes,
        block,
    )  # fmt: skip
    away = x.astype(np.float64) - means[codes]
    e = away @ coordinates
    before = scales * e + levels[codes]
    error = np.maximum(before, 0.0) @ readout.T - goals[codes]
    for j in range(3):
        mine = codes == j
        wanted = np.tril((e[mine].T * weights[mine]) @ e[mine])
        np.testing.assert_allclose(squares[j], wanted, rtol=1e-12, atol=1e-11)
        expected = [
            np.square(e[mine]).sum(axis=1).max(),
            np.square(away[mine]).sum(axis=1).max(),
            weights[mine] @ np.square(error[mine]).sum(axis=1),
            np.count_nonzero(before[mine] <= 0.0),
        ]
        np.testing.assert_allclose(extremes[j], expected, rtol=1e-12)
