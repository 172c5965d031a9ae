"""The scikit-learn estimator: its whole contract, and that it is a thin face over `fit`."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from reluscape.errors import InputError
from reluscape.estimators import ShallowReLURegressor
from reluscape.fitting import fit
from reluscape.problems.samples import Samples


@parametrize_with_checks(
    [
        ShallowReLURegressor(starts=3),
        ShallowReLURegressor(width=2, skip=False, starts=3),
    ]
)
def test_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def line():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 10, size=(120, 1)), axis=0)
    y = np.abs(x[:, 0] - 3) - np.maximum(x[:, 0] - 7, 0) + 0.1 * rng.normal(size=120)
    return x, y


@pytest.fixture
def space():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 3))
    return x, np.abs(x[:, 0]) - x[:, 1] + 0.1 * rng.normal(size=150)


def test_one_feature_is_the_spline(line):
    x, y = line
    model = ShallowReLURegressor(width=2).fit(x, y)
    expected = fit(Samples(x[:, 0], y), 2)
    assert model.network_ == expected.network
    assert model.risk_ == expected.risk == pytest.approx(np.mean((model.predict(x) - y) ** 2))
    np.testing.assert_array_equal(model.breakpoints_, expected.breakpoints)
    np.testing.assert_allclose(model.breakpoints_, [3, 7], atol=0.3)
    assert model.fit_.width == 2
    assert model.score(x, y) > 0.98


def test_several_features(space):
    x, y = space
    model = ShallowReLURegressor(width=2, starts=5).fit(x, y)
    assert model.network_.inputs == 3
    assert not hasattr(model, "breakpoints_")
    assert hasattr(model.fit(x[:, :1], y), "breakpoints_")
    assert not hasattr(model.fit(x, y), "breakpoints_")
    assert model.score(x, y) > 0.95


@pytest.mark.parametrize("features", [1, 3])
def test_the_shape_of_predictions_is_that_of_y(features, space):
    x, y = space
    x = x[:, :features]
    flat = ShallowReLURegressor(width=1, starts=2).fit(x, y).predict(x)
    column = ShallowReLURegressor(width=1, starts=2).fit(x, y[:, np.newaxis]).predict(x)
    both = ShallowReLURegressor(width=1, starts=2).fit(x, np.column_stack([y, -y])).predict(x)
    assert (flat.shape, column.shape, both.shape) == ((150,), (150, 1), (150, 2))
    np.testing.assert_array_equal(flat, column[:, 0])
    np.testing.assert_allclose(both[:, 0], -both[:, 1], atol=1e-7)


@pytest.mark.parametrize("features", [1, 3])
def test_weights_count_rows(features, space):
    x, y = space
    x = x[:, :features]
    times = np.random.default_rng(1).integers(0, 4, size=150)
    weighted = ShallowReLURegressor(width=2, starts=4).fit(x, y, sample_weight=times)
    repeated = ShallowReLURegressor(width=2, starts=4).fit(
        np.repeat(x, times, axis=0), np.repeat(y, times)
    )
    assert weighted.risk_ / times.sum() == pytest.approx(repeated.risk_, rel=1e-6)


def test_order_of_rows_and_names_of_columns(space):
    x, y = space
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    model = ShallowReLURegressor(width=2, starts=3).fit(frame, pd.Series(y))
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    np.testing.assert_array_equal(model.predict(frame), clone(model).fit(x, y).predict(x))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["c", "b", "a"]])
    order = np.random.default_rng(2).permutation(150)
    shuffled = clone(model).fit(x[order], y[order])
    assert shuffled.risk_ == pytest.approx(model.risk_, rel=1e-6)


def test_pickle_and_clone(line):
    x, y = line
    model = ShallowReLURegressor(width=2, random_state=3).fit(x, y)
    revived = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(revived.predict(x), model.predict(x))
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        fresh.predict(x)


@pytest.mark.parametrize("random_state", [None, 0, np.int64(0), 5, np.random.RandomState(0)])
def test_random_states(random_state, space):
    x, y = space
    model = ShallowReLURegressor(width=2, starts=2, random_state=random_state).fit(x, y)
    if random_state in (None, 0):
        expected = fit(Samples(x, y), 2, starts=2, seed=0)
        assert model.network_ == expected.network


def test_constraints_reach_the_fit(line):
    x, y = line
    model = ShallowReLURegressor(width=2, monotone="increasing").fit(x, y)
    assert (np.diff(model.predict(np.linspace(0, 10, 200)[:, np.newaxis])) > -1e-9).all()
    far = ShallowReLURegressor(width=2, min_distance=5.0).fit(x, y)
    assert np.diff(far.breakpoints_) >= 5.0 - 1e-9
    with pytest.raises(InputError):
        ShallowReLURegressor(width=2, monotone="increasing").fit(np.column_stack([x, x**2]), y)


def test_automatic_width(line):
    x, y = line
    model = ShallowReLURegressor(width="auto").fit(x, y)
    assert len(model.breakpoints_) == 2
    assert len(model.fit_.widths) > 2


@pytest.mark.parametrize(
    "parameters", [{"width": -1}, {"width": 1.5}, {"starts": 0}, {"monotone": "up"}]
)
def test_wrong_parameters_are_value_errors(parameters, line):
    with pytest.raises(ValueError, match=r"\w"):
        ShallowReLURegressor(**parameters).fit(*line)


def test_inside_other_estimators(line, space):
    x, y = line
    search = GridSearchCV(ShallowReLURegressor(), {"width": [0, 1, 2]}, cv=4).fit(x, y)
    assert search.best_params_ == {"width": 2}
    x, y = space
    pipeline = make_pipeline(StandardScaler(), ShallowReLURegressor(width=2, starts=3))
    assert cross_val_score(pipeline, x, y, cv=3).min() > 0.8
    both = MultiOutputRegressor(ShallowReLURegressor(width=1, starts=2))
    assert both.fit(x, np.column_stack([y, y])).predict(x).shape == (150, 2)
