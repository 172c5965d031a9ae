"""The kernel of final norms against the gradients of problems, one network at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reluscape as rs
from records import Plain
from reluscape.kernels import ends
from reluscape.networks.tracks import balanced_norms
from reluscape.problems.line import zero_is_active
from strategies import networks, rows

# A handful of products and sums of squares, each rounded once.
ROUNDING = 1e-13


def of(problem: rs.Interval | rs.Samples, net: rs.Network, at_zero: str) -> tuple[float, float]:
    theta = net.to_vector()
    row = np.append(theta, [] if net.skip is not None else [0.0])
    balanced, slopes = np.empty(1), np.empty(1)
    ends.norms(
        row[np.newaxis],
        net.skip is not None,
        net.activation.slope,
        zero_is_active(at_zero),
        problem.moments.table,
        balanced,
        slopes,
    )
    return float(balanced[0]), float(slopes[0])


def network_of(plain: Plain) -> rs.Network:
    activation = rs.leaky(plain.slope) if plain.slope else "relu"
    skip = None if plain.u is None else [plain.u]
    return rs.Network(plain.w, plain.b, plain.v, plain.c, skip, activation)


@given(networks(), rows(), st.sampled_from(["gt", "ge"]))
def test_norms_on_data(plain: Plain, data: tuple, at_zero: str) -> None:
    net = network_of(plain)
    problem = rs.Samples(*data)
    balanced, slope = of(problem, net, at_zero)
    assert balanced == pytest.approx(np.linalg.norm(balanced_norms(net)), rel=ROUNDING)
    expected = np.linalg.norm(problem.gradient(net, at_zero))
    assert slope == pytest.approx(expected, rel=ROUNDING, abs=1e-300)


@given(networks())
def test_norms_on_an_interval_far_from_the_origin(plain: Plain) -> None:
    net = network_of(plain)
    problem = rs.Interval(rs.polynomial([1e3, 2.0, -1e-3]), 1e4, 1e4 + 3.0, rs.polynomial([0.5]))
    _, slope = of(problem, net, "gt")
    assert slope == pytest.approx(np.linalg.norm(problem.gradient(net)), rel=ROUNDING)
