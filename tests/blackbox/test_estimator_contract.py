"""The scikit-learn face: the whole common contract, and the same fit underneath."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator

import reluscape as rs


@pytest.mark.parametrize(
    ("estimator", "check"),
    list(estimator_checks_generator(rs.ShallowReLURegressor())),
    ids=lambda part: getattr(getattr(part, "func", part), "__name__", "estimator"),
)
def test_common_contract(estimator, check):
    check(estimator)


def data():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 200)
    return x, np.abs(x) + 0.05 * rng.normal(size=200)


def test_it_is_the_same_fit():
    x, y = data()
    model = rs.ShallowReLURegressor(width=1).fit(x[:, None], y)
    fit = rs.fit(rs.Samples(x, y), 1)
    np.testing.assert_allclose(model.predict(x[:, None]), fit.network(x), atol=1e-10)
    assert model.n_features_in_ == 1
    assert model.score(x[:, None], y) > 0.9


def test_weights_are_repeated_rows():
    x, y = data()
    mass = np.random.default_rng(1).integers(0, 4, 200)
    weighted = rs.ShallowReLURegressor(width=1).fit(x[:, None], y, sample_weight=mass)
    rows = np.repeat(np.arange(200), mass)
    repeated = rs.ShallowReLURegressor(width=1).fit(x[rows, None], y[rows])
    grid = np.linspace(-1, 1, 50)[:, None]
    np.testing.assert_allclose(weighted.predict(grid), repeated.predict(grid), atol=1e-8)


def test_it_works_in_the_machinery():
    x, y = data()
    model = clone(rs.ShallowReLURegressor(width=1))
    scores = cross_val_score(model, x[:, None], y, cv=3)
    assert np.all(scores > 0.9)
