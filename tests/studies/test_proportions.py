"""Wilson's interval against its definition and published values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluscape.errors import InputError
from reluscape.studies.proportions import wilson


@given(st.integers(1, 10**6), st.floats(0.0, 1.0), st.floats(0.5, 0.999))
def test_it_ends_where_the_test_rejects(runs: int, share: float, confidence: float) -> None:
    from scipy.stats import norm

    successes = round(share * runs)
    z = norm.isf((1.0 - confidence) / 2.0)
    low, high = wilson(successes, runs, confidence)
    assert 0.0 <= low <= successes / runs <= high <= 1.0
    for end, inside in ((low, successes > 0), (high, successes < runs)):
        if inside:
            # The score of the observed share, if the end were the truth.
            score = abs(successes / runs - end) / math.sqrt(end * (1.0 - end) / runs)
            assert score == pytest.approx(z, rel=1e-6)


@pytest.mark.parametrize(
    ("successes", "runs", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_values(successes: int, runs: int, low: float, high: float) -> None:
    assert wilson(successes, runs) == pytest.approx((low, high), abs=5e-5)


def test_ends_of_the_range() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0


@pytest.mark.parametrize(("successes", "runs"), [(-1, 3), (4, 3)])
def test_shares_that_are_none(successes: int, runs: int) -> None:
    with pytest.raises(InputError, match="is no share"):
        wilson(successes, runs)


def test_confidence_that_is_none() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        wilson(1, 2, 1.0)
