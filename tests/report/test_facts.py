"""Pieces and residuals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from reluscape.report.facts import pieces, residuals
from reluscape.report.remarks import on_thin_pieces, remarks


def test_pieces_are_the_fit(hat_fit: Any, hat_inference: Any) -> None:
    found = pieces(hat_fit, hat_inference)
    assert len(found) == 2
    assert found[0].start == hat_fit.problem.x.min()
    assert found[1].end == hat_fit.problem.x.max()
    assert found[0].end == found[1].start == 5.0
    for piece in found:
        middle = (piece.start + piece.end) / 2
        here = piece.height + piece.slope * (middle - piece.start)
        assert here == pytest.approx(float(hat_fit.predict(np.array([middle]))[0]), rel=1e-12)
    assert sum(piece.rows for piece in found) == 60
    assert [piece.standard_error for piece in found] == [0.1, 0.1]


def test_piece_spread_is_the_root_mean_square_on_the_piece(hat_fit: Any) -> None:
    x, y = hat_fit.problem.x, hat_fit.problem.y
    error = y - hat_fit.predict(x)
    left, right = pieces(hat_fit)
    assert left.spread == pytest.approx(math.sqrt(np.mean(error[x < 5] ** 2)))
    assert right.spread == pytest.approx(math.sqrt(np.mean(error[x >= 5] ** 2)))
    assert math.isnan(left.standard_error)


def test_a_piece_without_rows_has_no_spread(fit_with: Any) -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0, 9.0, 10.0])
    found = pieces(fit_with(x, x**2, [4.0, 5.0]))
    assert [piece.rows for piece in found] == [4, 0, 2]
    assert math.isnan(found[1].spread)


def test_residuals_against_their_definitions(hat_fit: Any) -> None:
    found = residuals(hat_fit)
    x, y = hat_fit.problem.x, hat_fit.problem.y
    error = y - hat_fit.predict(x)
    np.testing.assert_array_equal(found.values, error)
    assert found.spread == pytest.approx(math.sqrt(np.mean(error**2)))
    assert list(found.largest) == list(np.argsort(-np.abs(error))[:5])
    assert found.quartiles[2] == pytest.approx(np.median(error))
    ordered = error[np.argsort(x)]
    expected = (ordered[1:] @ ordered[:-1]) / (ordered @ ordered)
    assert found.autocorrelation == pytest.approx(expected)


def test_weighted_residuals_are_scaled(fit_with: Any) -> None:
    rng = np.random.default_rng(0)
    x, y, w = np.arange(20.0), rng.normal(size=20), rng.uniform(0, 2, 20)
    fit = fit_with(x, y, [10.0], w)
    expected = (y - fit.predict(x)) * np.sqrt(w / w.mean())
    np.testing.assert_allclose(residuals(fit).values, expected, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-160, 1.0, 1e150])
def test_residuals_of_any_size(fit_with: Any, scale: float) -> None:
    x = np.arange(10.0)
    y = scale * (-1.0) ** x
    found = residuals(fit_with(x, y, []))
    assert found.spread == pytest.approx(scale, rel=0.2)
    assert found.autocorrelation < -0.5


def test_a_perfect_fit_has_no_autocorrelation(fit_with: Any) -> None:
    x = np.arange(10.0)
    fit = fit_with(x, 2 * x, [])
    found = residuals(fit)
    assert math.isnan(found.autocorrelation)
    assert not any("correlation" in remark for remark in remarks(fit, found, pieces(fit)))


def test_fewer_rows_than_are_listed(fit_with: Any) -> None:
    found = residuals(fit_with(np.array([0.0, 1.0]), np.array([0.0, 1.0]), []))
    assert sorted(found.largest) == [0, 1]


def test_a_bend_that_is_missed_is_remarked(fit_with: Any) -> None:
    x = np.linspace(-1, 1, 200)
    fit = fit_with(x, x**2, [])
    said = " ".join(remarks(fit, residuals(fit), pieces(fit)))
    assert "more bends" in said


def test_uneven_noise_is_remarked(fit_with: Any) -> None:
    rng = np.random.default_rng(1)
    x = np.linspace(-1, 1, 200)
    y = rng.normal(size=200) * np.where(x < 0, 0.1, 1.0)
    fit = fit_with(x, y, [0.0])
    said = " ".join(remarks(fit, residuals(fit), pieces(fit)))
    assert "not noise of one size" in said
    assert "no more than chance" in said


def test_even_noise_is_remarked(hat_fit: Any) -> None:
    said = " ".join(remarks(hat_fit, residuals(hat_fit), pieces(hat_fit)))
    assert "about equally" in said


def test_a_piece_on_no_rows_is_remarked(fit_with: Any) -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0, 9.0, 10.0, 11.0])
    said = on_thin_pieces(fit_with(x, x**2, [4.0, 5.0]))
    assert said.startswith("One piece rests on fewer than 3 distinct inputs between 4.000 and 5.00")
    assert "jumps" in said
    both = on_thin_pieces(fit_with(x, x**2, [4.0, 4.5, 4.7]))
    assert both.startswith("2 pieces rest on fewer than 3 distinct inputs, the first between 4.0")
    assert on_thin_pieces(fit_with(x, x**2, [5.0])) == ""
    assert on_thin_pieces(fit_with(x, x**2, [])) == ""


def test_a_thin_piece_at_an_end_is_remarked(fit_with: Any) -> None:
    x = np.arange(8.0)
    assert "inputs before 1.5" in on_thin_pieces(fit_with(x, x**2, [1.5]))
    assert "inputs after 5.5" in on_thin_pieces(fit_with(x, x**2, [5.5]))
    assert "jumps" not in on_thin_pieces(fit_with(x, x**2, [5.5]))
    assert ", one between 1.5" in on_thin_pieces(fit_with(x, x**2, [1.5, 3.2, 3.4]))
    assert on_thin_pieces(fit_with(x[:2], x[:2], [])) == ""


def test_repeated_inputs_and_rows_without_weight_hold_no_line(fit_with: Any) -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 4.0, 5.0, 6.0])
    assert "between 2.5" in on_thin_pieces(fit_with(x, x**2, [2.5, 3.5]))
    x, weights = np.arange(10.0), np.ones(10)
    assert on_thin_pieces(fit_with(x, x**2, [2.5, 5.5], weights)) == ""
    weights[4] = 0.0
    assert "between 2.5" in on_thin_pieces(fit_with(x, x**2, [2.5, 5.5], weights))
