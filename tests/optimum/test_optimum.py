"""``fit(certify=True)`` and ``check``: bounds hold, options are obeyed, units do not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluscape as rs
from optimum_instances import instance
from optimum_oracle import least_risk, network_risk

GAP = 1e-6 + 1e-15  # 1 - bound / risk is rounded to a multiple of 1.1e-16
PATIENCE = 20.0


@pytest.fixture(scope="module", autouse=True)
def compiled():
    rs.fit(rs.Samples(*noisy_sine(20)), 2, certify=True)


@pytest.mark.parametrize("seed", [5, 21])
def test_the_search_ends_by_itself_where_nothing_is_left_to_explain(seed):
    x, y, k, _ = instance("flat", seed)
    found = rs.fit(rs.Samples(x, y), k, certify=True, time_limit=PATIENCE)
    assert found.risk < 1e-25
    assert found.seconds < PATIENCE


@pytest.fixture(scope="module")
def certified():
    problems = [instance(kind, 151) for kind in ("noise", "mixed", "outliers", "jump")]
    return [
        (p, rs.fit(rs.Samples(p[0], p[1], p[3]), p[2], certify=True).lower_bound) for p in problems
    ]


share = st.floats(-0.2, 1.2, allow_nan=False)


@settings(max_examples=150)
@given(st.integers(0, 3), st.lists(share, min_size=5, max_size=5), st.integers(0, 2**32 - 1))
def test_no_network_falls_below_the_bound(certified, which, shares, seed):
    (x, y, k, weights), bound = certified[which]
    draw = np.random.default_rng(seed)
    at = np.unique(x[0] + (x.max() - x.min()) * np.sort(shares[: k + 2]))
    if len(at) < 2:
        at = np.array([x.min(), x.max()])
    order = np.argsort(x)
    values = np.interp(at, x[order], y[order]) + draw.choice([0, 0.1, 1]) * draw.normal(
        size=len(at)
    )
    assert network_risk(x, y, at, values, weights) >= bound
    # ... nor does the best one with these breakpoints
    root = np.sqrt(np.full(len(x), 1 / len(x)) if weights is None else weights)
    table = np.column_stack(
        [
            np.ones_like(x),
            x,
            *(np.maximum(x - x.min() - (x.max() - x.min()) * t, 0) for t in shares[:k]),
        ]
    )
    best = np.linalg.lstsq(table * root[:, None], y * root, rcond=None)[0]
    assert np.sum((root * (table @ best - y)) ** 2) >= bound


def noisy_sine(n, seed=0, noise=0.3):
    draw = np.random.default_rng(seed)
    x = np.sort(draw.uniform(0, 1, n))
    return x, np.sin(6 * x) + noise * draw.normal(size=n)


@pytest.mark.parametrize("kind", ["noise", "ties", "clumped", "tiny weights"])
def test_same_risk_from_every_seed(kind):
    x, y, k, weights = instance(kind, 95)
    data = rs.Samples(x, y, weights)
    fits = [rs.fit(data, k, certify=True, seed=seed) for seed in range(4)]
    risks = [found.risk for found in fits]
    assert max(risks) <= min(risks) * (1 + 1e-6)
    assert max(found.lower_bound for found in fits) <= min(risks)


@pytest.mark.parametrize("n", [9, 80])
@pytest.mark.parametrize("k", [1, 3])
def test_no_time_still_gives_a_valid_bound(n, k):
    x, y = noisy_sine(n, seed=n)
    data = rs.Samples(x, y)
    found = rs.fit(data, k, certify=True, time_limit=0.0)
    assert 0 <= found.lower_bound <= found.risk
    assert rs.check(found.certificate, data).holds
    if n < 10:
        assert found.lower_bound <= least_risk(x, y, k) * (1 + 1e-9)


@pytest.mark.parametrize("gap", [0.5, 1e-2])
def test_a_wide_gap_is_enough_where_it_is_asked_for(gap):
    x, y = noisy_sine(40, seed=4)
    data = rs.Samples(x, y)
    found = rs.fit(data, 2, certify=True, gap=gap)
    assert found.gap <= gap + 1e-15
    verdict = rs.check(found.certificate, data)
    assert verdict.holds
    assert verdict.lower_bound <= rs.fit(data, 2, certify=True).risk


def test_three_hundred_rows():
    x, y = noisy_sine(300)
    data = rs.Samples(x, y)
    found = rs.fit(data, 3, certify=True)
    assert found.gap <= GAP
    assert rs.check(found.certificate, data).holds


@pytest.mark.parametrize(
    ("times", "plus", "high", "up"),
    [
        (1.0, 0.0, 1.0, 0.0),
        (1e3, 1.7e9, 1e-3, 5.0),
        (1e-6, 0.0, 1e6, 0.0),
        (1e6, -3e6, 1e-6, -1.0),
        (-1.0, 0.0, -1.0, 0.0),
        (1.0, 1e4, 1.0, 1e4),
        (1e-100, 0.0, 1e100, 0.0),
        (1e100, 0.0, 1e-100, 0.0),
    ],
)
def test_units_do_not_matter(times, plus, high, up):
    x, y = noisy_sine(50, seed=2)
    x, y = x * times + plus, y * high + up
    data = rs.Samples(x, y)
    found = rs.fit(data, 2, certify=True)
    assert found.gap <= GAP
    verdict = rs.check(found.certificate, data)
    assert verdict.holds, verdict.reason
    plain = rs.fit(rs.Samples(*noisy_sine(50, seed=2)), 2)
    # 1.7e9 leaves x some ten digits
    assert found.risk / high**2 == pytest.approx(plain.risk, rel=1e-5)


@pytest.mark.parametrize("k", [0, 1, 4])
def test_other_widths(k):
    x, y = noisy_sine(30, seed=5)
    data = rs.Samples(x, y)
    found = rs.fit(data, k, certify=True)
    assert found.gap <= GAP
    assert rs.check(found.certificate, data).holds


def test_as_many_breakpoints_as_rows_allow():
    x, y = np.arange(5.0), np.array([0.0, 3.0, 1.0, 2.0, -1.0])
    data = rs.Samples(x, y)
    found = rs.fit(data, 3, certify=True, time_limit=PATIENCE)
    assert found.risk < 1e-25
    assert 0 <= found.lower_bound <= found.risk
    assert rs.check(found.certificate, data).holds


def test_all_inputs_equal():
    data = rs.Samples([1.0, 1.0, 1.0], [0.0, 1.0, 5.0])
    found = rs.fit(data, 0, certify=True)
    assert 0 <= found.lower_bound <= 14 / 3 * (1 + 1e-12)
    assert found.gap <= GAP
    assert rs.check(found.certificate, data).holds


def test_rows_without_weight_do_not_count():
    x, y = noisy_sine(20, seed=6)
    weights = np.full(20, 0.05)
    plain = rs.fit(rs.Samples(x, y, weights), 2, certify=True)
    data = rs.Samples(np.append(x, 0.5), np.append(y, 1e6), np.append(weights, 0.0))
    found = rs.fit(data, 2, certify=True)
    assert found.risk == pytest.approx(plain.risk, rel=1e-6)
    assert found.gap <= GAP
    assert rs.check(found.certificate, data).holds


@pytest.mark.parametrize(
    "options",
    [
        {"gap": 0},
        {"gap": 2},
        {"gap": float("nan")},
        {"time_limit": -1},
        {"time_limit": float("nan")},
        {"certify": "yes"},
    ],
    ids=str,
)
def test_refused(options):
    x, y = noisy_sine(20)
    with pytest.raises(rs.InputError):
        rs.fit(rs.Samples(x, y), 2, **{"certify": True, **options})


def test_refused_problems():
    x, y = noisy_sine(20)
    with pytest.raises(rs.InputError):
        rs.fit(rs.Samples(np.column_stack([x, x**2]), y), 2, certify=True)
    with pytest.raises(rs.InputError):
        rs.fit(rs.Samples(x, np.column_stack([y, y])), 2, certify=True)


def test_without_certify_nothing_is_claimed():
    found = rs.fit(rs.Samples(*noisy_sine(20)), 2)
    assert found.lower_bound == 0
    assert found.certificate is None
