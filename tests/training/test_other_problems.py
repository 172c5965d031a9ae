"""Verbs that know data and intervals only refuse other problems with a sentence."""

from __future__ import annotations

import pytest

import reluscape as rs

PLANE = rs.Polygon(rs.polynomial2d([[1.0]]), [(0, 0), (1, 0), (0, 1)])
NORMAL = rs.Gaussian(rs.Network([[1.0, 0.0]], [0.0], [1.0]))
NETWORK = rs.Network([[0.0, 1.0]], [0.0], [1.0])


@pytest.mark.parametrize("problem", [PLANE, NORMAL])
@pytest.mark.parametrize(
    "verb",
    [
        lambda p: rs.flow(p, NETWORK, time=1.0),
        lambda p: rs.fit(p, 1),
    ],
)
def test_refused_with_a_sentence(problem, verb):
    with pytest.raises(rs.InputError, match=type(problem).__name__):
        verb(problem)
