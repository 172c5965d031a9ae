"""Functions of the plane: values, and what their constructors refuse."""

from __future__ import annotations

import numpy as np
import pytest

import reluscape as rs


def test_values_of_a_polynomial():
    rng = np.random.default_rng(0)
    c, x = rng.normal(size=(3, 4)), rng.normal(size=(50, 2))
    expected = sum(c[i, j] * x[:, 0] ** i * x[:, 1] ** j for i in range(3) for j in range(4))
    np.testing.assert_allclose(rs.polynomial2d(c)(x), expected, rtol=1e-12)


def test_pieces_add_up_and_lines_belong_to_their_positive_side():
    f = rs.piecewise_polynomial2d(
        [[1, 0, 0], [0, 1, 0]], [([1, 0], [[1]]), ([1, 1], [[10]]), ([-1, -1], [[100, 1]])]
    )
    points = [[1, 1], [1, -1], [-1, 1], [-1, -1], [0, 0]]
    np.testing.assert_array_equal(f(points), [11, 1, 0, 99, 11])


@pytest.mark.parametrize(
    ("lines", "pieces", "message"),
    [
        ([[1, 0]], [], r"rows \(a, b, c\)"),
        ([[0, 0, 1]], [], "no line"),
        ([[1, np.nan, 1]], [], "finite"),
        ([[1, 0, 0]], [([], [[1]])], "-1, 0 or 1 for each of the 1 lines"),
        ([[1, 0, 0]], [([2], [[1]])], "-1, 0 or 1"),
        ([[1, 0, 0]], [(["left"], [[1]])], "real numbers"),
        ([[1, 0, 0]], [[1]], "not a pair"),
        ([[1, 0, 0]], [1], "not a pair"),
        ([[1, 0, 0]], [([1], [1, 2])], "give a matrix"),
        ([[1, 0, 0]], [([1], [[np.inf]])], "finite"),
    ],
)
def test_bad_functions(lines, pieces, message):
    with pytest.raises(rs.InputError, match=message):
        rs.piecewise_polynomial2d(lines, pieces)


def test_bad_points():
    for bad in ([1.0, 2.0], [[1.0]], [[np.nan, 0.0]]):
        with pytest.raises(rs.InputError):
            rs.polynomial2d([[1]])(bad)
