"""Chances of the best of several runs, against fractions, enumeration and simulation."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from reluscape.errors import InputError
from reluscape.studies.ready import chances


def binomial_tail(successes, runs, p):
    """The chance of at most so many successes, in exact arithmetic."""
    q = Fraction(p)
    return sum(math.comb(runs, k) * q**k * (1 - q) ** (runs - k) for k in range(successes + 1))


@pytest.mark.parametrize(("successes", "runs"), [(0, 10), (0, 1000), (1, 30), (7, 40), (29, 30)])
def test_bound_is_the_probability_at_which_so_few_are_a_chance_of_five_percent(successes, runs):
    bound = chances.at_most(successes, runs)
    assert float(binomial_tail(successes, runs, bound)) == pytest.approx(0.05, rel=1e-9)


def test_bound_without_successes_is_the_rule_of_three():
    assert chances.at_most(0, 10_000) == pytest.approx(3 / 10_000, rel=2e-3)
    assert chances.at_most(0, 0) == chances.at_most(5, 5) == 1.0


def test_share_of_nonsense_is_refused():
    with pytest.raises(InputError, match="is no share"):
        chances.at_most(3, 2)


def test_once_in_is_exact_for_small_chances():
    # 1 - (1 - p)^K loses all digits in floating point if written that way.
    p = Fraction(1, 10**15)
    assert chances.once_in(1e-15, 1000) == pytest.approx(float(1 - (1 - p) ** 1000), rel=1e-12)
    assert chances.once_in(0.0, 3) == 0.0
    assert chances.once_in(1.0, 3) == 1.0


@pytest.mark.parametrize("p", [0.41, 0.05, 0.999, 1e-4])
def test_needed_is_the_first_count_that_is_enough(p):
    count = int(chances.needed(p))
    assert 1 - (1 - Fraction(p)) ** count >= Fraction(99, 100)
    assert count == 1 or 1 - (1 - Fraction(p)) ** (count - 1) < Fraction(99, 100)


def test_drawn_is_what_enumeration_says():
    for runs, successes, count in [(6, 2, 3), (7, 0, 2), (7, 7, 2), (8, 5, 4), (8, 1, 8)]:
        draws = list(combinations([True] * successes + [False] * (runs - successes), count))
        share = Fraction(sum(any(draw) for draw in draws), len(draws))
        assert chances.drawn(successes, runs, count) == pytest.approx(float(share), abs=1e-14)


def test_drawn_does_not_overflow():
    assert chances.drawn(2_000, 5_000, 500) == 1.0
    with pytest.raises(InputError, match="cannot be drawn"):
        chances.drawn(1, 5, 6)


def test_quantiles_of_the_best_are_what_enumeration_says():
    risks = np.random.default_rng(0).permutation(np.arange(9.0))
    for count in (1, 2, 4, 9):
        least = sorted(min(draw) for draw in combinations(risks.tolist(), count))
        for chance in (0.05, 0.3, 0.5, 0.95, 1.0):
            # The least value that at least this share of all draws is at or below.
            place = math.ceil(Fraction(chance).limit_denominator(100) * len(least)) - 1
            assert chances.best_of(risks, count, [chance])[0] == least[max(place, 0)]


def test_run_that_diverged_is_the_worst():
    risks = np.array([np.nan, 3.0, 1.0])
    assert chances.best_of(risks, 1, [0.3, 0.6]).tolist() == [1.0, 3.0]
    assert np.isnan(chances.best_of(risks, 1, [1.0])[0])


def test_groups_are_independent_draws_of_the_best():
    flags = np.random.default_rng(1).random(100_000) < 0.2
    held, groups = chances.grouped(flags, 5)
    assert groups == 20_000
    p = 1 - 0.8**5
    assert held / groups == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / groups))


def test_counts_leave_enough_groups():
    assert chances.counts_up_to(5_000).tolist() == [1, 2, 5, 10, 20, 50, 100, 200, 500]
    assert chances.counts_up_to(3).tolist() == [1]
