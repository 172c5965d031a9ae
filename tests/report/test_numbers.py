"""Numbers as a person reads them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluscape.report.numbers import number, position, with_error


# Near the largest float the rounded number may have no float of its own.
@given(st.floats(-1e307, 1e307), st.integers(1, 12))
def test_number_keeps_its_digits(value: float, digits: int) -> None:
    assert float(number(value, digits)) == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_a_dash(value: float) -> None:
    assert number(value) == position(value, 1.0) == with_error(value, 1.0) == "–"


@pytest.mark.parametrize("error", [0.0, math.nan, math.inf])
def test_without_an_error_a_value_has_five_digits(error: float) -> None:
    assert with_error(math.pi, error) == "3.1416"


def test_positions_are_told_apart_far_from_zero() -> None:
    start = 1.7e9
    texts = {position(start + step / 1000, span=1.0) for step in range(1000)}
    assert len(texts) == 1000


@pytest.mark.parametrize(("x", "span"), [(0.0, 1.0), (5.0, 0.0), (5.0, math.nan)])
def test_a_position_without_a_scale_is_a_number(x: float, span: float) -> None:
    assert float(position(x, span)) == x
