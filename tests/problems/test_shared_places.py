"""Neurons that bend on the same datum to opposite sides: the datum counts for neither of them."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs

X = np.array([-6.0, -4.0, 1.0, 2.5])
Y = np.array([5.0, -15.0, -26.0, 3.0])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("at", X)
def test_hessian_is_that_of_the_rows(order, at):
    w = np.array([2.0, -1.0])[list(order)]
    v = np.array([-2.0, 0.5])[list(order)]
    network = rs.Network(w, -w * at, v, 0.25)
    pre = np.outer(X, w) - w * at
    on = (pre > 0.0).astype(float)
    gradients = np.hstack([on * v * X[:, None], on * v, on * pre, np.ones((4, 1))])
    error = (on * pre) @ v + 0.25 - Y
    expected = 2.0 * gradients.T @ gradients / 4.0
    for j in range(2):
        for block, factor in ((0, X), (2, np.ones(4))):
            mixed = 2.0 * float(np.sum(on[:, j] * factor * error)) / 4.0
            expected[block + j, 4 + j] += mixed
            expected[4 + j, block + j] += mixed
    assert rs.Samples(X, Y).hessian(network) == pytest.approx(expected, abs=1e-12)
