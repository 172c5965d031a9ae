"""Standard errors and intervals against a simulation study and the bootstrap."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

import reluscape as rs

KNOTS, SLOPES, NOISE = np.array([0.3, 0.7]), np.array([1.0, -3.0, 2.0]), 0.05
ROWS, SETS = 400, 300

# The spread of 300 fits is itself known to 1 / sqrt(600) = 4 %: three of those and a little.
# (With noise 0.1 and 200 rows first-order asymptotics are 8 % short: too little to be clear.)
SPREAD = 0.15
# 300 intervals at 95 %: binomial standard deviation 1.3 %
LOWEST, HIGHEST = 0.91, 0.98
SETS_RESAMPLED, REPLICATES = 5, 100
BOOTSTRAP = 0.25  # 500 replicates: 3 % by chance; resampled rows: 15 % for each of 5 data sets

X = (np.arange(ROWS) + 0.5) / ROWS


def truth(x: np.ndarray) -> np.ndarray:
    jumps = np.diff(SLOPES)
    return 0.5 + SLOPES[0] * x + np.maximum.outer(x, KNOTS) @ jumps - KNOTS @ jumps


def sample(seed: int) -> np.ndarray:
    return truth(X) + NOISE * np.random.default_rng(1000 + seed).normal(size=ROWS)


@lru_cache(maxsize=1)
def study() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    values, errors, lows, highs, noise = [], [], [], [], []
    for seed in range(SETS):
        report = rs.fit(rs.Samples(X, sample(seed)), 2).inference()
        rows = [*report.breakpoints, *report.slopes, report.intercept]
        values.append([row.value for row in rows])
        errors.append([row.standard_error for row in rows])
        lows.append([row.low for row in rows])
        highs.append([row.high for row in rows])
        noise.append(report.noise)
    return tuple(np.array(t) for t in (values, errors, lows, highs, noise))


EXPECTED = np.array([*KNOTS, *SLOPES, 0.5])


def test_truth_is_the_function():
    np.testing.assert_allclose(truth(np.array([0.0, 0.3, 0.7, 1.0])), [0.5, 0.8, -0.4, 0.2])


def test_estimates_are_unbiased():
    values, *_ = study()
    slack = 4 * values.std(axis=0) / np.sqrt(SETS) + 0.02 * values.std(axis=0) * 5
    assert np.all(np.abs(values.mean(axis=0) - EXPECTED) <= slack)


def test_standard_errors_match_the_spread():
    values, errors, *_ = study()
    claimed = np.sqrt(np.mean(errors**2, axis=0))
    np.testing.assert_allclose(claimed, values.std(axis=0, ddof=1), rtol=SPREAD)


def test_intervals_cover():
    _, _, lows, highs, _ = study()
    covered = np.mean((lows <= EXPECTED) & (highs >= EXPECTED), axis=0)
    assert np.all(covered >= LOWEST), covered
    assert np.all(covered <= HIGHEST), covered


def test_noise_is_estimated():
    # six parameters out of 200 rows; the mean of 300 estimates is good to 0.3 %
    assert np.sqrt(np.mean(study()[4] ** 2)) == pytest.approx(NOISE, rel=0.02)


def test_names_levels_and_degrees_of_freedom():
    fit = rs.fit(rs.Samples(X, sample(1)), 2)
    report = fit.inference()
    assert [row.name for row in report.breakpoints] == ["breakpoint 1", "breakpoint 2"]
    assert [row.name for row in report.slopes] == ["slope 0", "slope 1", "slope 2"]
    assert report.intercept.name == "intercept"
    assert report.degrees_of_freedom == ROWS - 6
    np.testing.assert_allclose([r.value for r in report.breakpoints], fit.breakpoints, rtol=1e-12)
    np.testing.assert_allclose([r.value for r in report.slopes], fit.slopes, rtol=1e-12)
    wide, narrow = fit.inference(level=0.99), fit.inference(level=0.8)
    for a, b, c in zip(wide.slopes, report.slopes, narrow.slopes, strict=True):
        assert a.low < b.low < c.low < c.value < c.high < b.high < a.high
    assert report.noise == pytest.approx(np.sqrt(fit.sum_of_squares / (ROWS - 6)), rel=1e-9)


def test_line_is_the_textbook():
    rng = np.random.default_rng(6)
    x = rng.uniform(0, 3, 50)
    y = 2 - x + rng.normal(size=50)
    report = rs.fit(rs.Samples(x, y), 0).inference()
    design = np.column_stack([np.ones(50), x])
    beta, rss, *_ = np.linalg.lstsq(design, y, rcond=None)
    covariance = rss[0] / 48 * np.linalg.inv(design.T @ design)
    assert report.intercept.standard_error == pytest.approx(covariance[0, 0] ** 0.5, rel=1e-9)
    assert report.slopes[0].standard_error == pytest.approx(covariance[1, 1] ** 0.5, rel=1e-9)
    from scipy.stats import t

    half = t.ppf(0.975, 48) * covariance[1, 1] ** 0.5
    # Student or normal: 2.5 % apart at 48 degrees of freedom
    assert report.slopes[0].high - beta[1] == pytest.approx(half, rel=0.03)


def test_bootstrap_agrees():
    # resampled rows follow the residuals that one data set happens to have near its kinks, so
    # one set may be off by a third; the root mean square over sets must agree
    plain, booted = [], []
    for seed in range(SETS_RESAMPLED):
        fit = rs.fit(rs.Samples(X, sample(seed)), 2)
        report = fit.inference(method="bootstrap", replicates=REPLICATES, seed=seed)
        assert report.method == "bootstrap"
        rows = [*report.breakpoints, *report.slopes, report.intercept]
        booted.append([row.standard_error for row in rows])
        assert all(row.low < row.value < row.high for row in rows)
        other = fit.inference()
        rows = [*other.breakpoints, *other.slopes, other.intercept]
        plain.append([row.standard_error for row in rows])
    ratio = np.sqrt(np.mean(np.square(booted), axis=0) / np.mean(np.square(plain), axis=0))
    np.testing.assert_allclose(ratio, 1, rtol=BOOTSTRAP)


def test_scales_carry_over():
    base = rs.fit(rs.Samples(X, sample(2)), 2).inference()
    moved = rs.fit(rs.Samples(1.7e9 + 100 * X, 1e6 + 8 * sample(2)), 2).inference()
    for one, other in zip(base.breakpoints, moved.breakpoints, strict=True):
        assert other.standard_error == pytest.approx(100 * one.standard_error, rel=1e-4)
    for one, other in zip(base.slopes, moved.slopes, strict=True):
        assert other.standard_error == pytest.approx(0.08 * one.standard_error, rel=1e-4)


def test_integer_weights_scale_like_precision():
    # weights describe relative precision: doubling all of them changes no standard error
    one = rs.fit(rs.Samples(X, sample(3), weights=np.full(ROWS, 1.0)), 2).inference()
    two = rs.fit(rs.Samples(X, sample(3), weights=np.full(ROWS, 2.0)), 2).inference()
    for a, b in zip(one.breakpoints, two.breakpoints, strict=True):
        assert a.standard_error == pytest.approx(b.standard_error, rel=1e-6)


def test_unknowable_errors_are_nan_not_wrong():
    # four points, one knot: four parameters, no degrees of freedom
    report = rs.fit(rs.Samples([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 0.0, 2.0]), 1).inference()
    rows = [*report.breakpoints, *report.slopes, report.intercept]
    assert all(np.isnan(row.standard_error) for row in rows)


def test_summary_shows_the_table():
    text = rs.fit(rs.Samples(X, sample(4)), 2).summary()
    for word in ("breakpoint 1", "slope 2", "intercept", "95"):
        assert word in text.lower()
    assert "nan" not in text.lower()
