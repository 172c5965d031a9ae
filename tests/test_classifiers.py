"""The constructive classifier: scikit-learn's contract, probabilities, updates, warm starts."""

from __future__ import annotations

import importlib.util
import pickle

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize_scalar
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import reluscape as rs
from construction_oracle import clusters
from reluscape.construction.temperature import calibrate, folds_of, probabilities


@parametrize_with_checks(
    [rs.ConstructiveClassifier(), rs.ConstructiveClassifier(metric="euclidean", lift=False)]
)
def test_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def rows():
    return clusters(np.random.default_rng(0), 5, 3, 0.7, rows=400)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
def test_accuracy_beside_scikit_learn(load):
    x, y = load(return_X_y=True)
    pixels = load is load_digits  # constant pixels make scikit-learn's nearest centroid warn

    def accuracy(model):
        return cross_val_score(model, x, y, cv=5).mean()

    ours = accuracy(rs.ConstructiveClassifier())
    assert ours >= accuracy(LinearDiscriminantAnalysis()) - 0.02
    plain = accuracy(rs.ConstructiveClassifier(metric="euclidean"))
    if not pixels:
        # Nearest class means are what it is, and nothing else.
        assert plain == accuracy(NearestCentroid())
    assert ours >= plain


def test_equal_priors_discriminant_analysis(rows):
    x, y = rows
    peer = LinearDiscriminantAnalysis(priors=[1 / 3] * 3).fit(x, y)
    model = rs.ConstructiveClassifier().fit(x, y)
    np.testing.assert_array_equal(model.predict(x), peer.predict(x))


def test_attributes(rows):
    x, y = rows
    names = np.array(["a", "b", "c"])[y]
    model = rs.ConstructiveClassifier().fit(x, names)
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.network_ == model.construction_.network
    assert model.calibration_ == "held out"
    out = model.network_(x)
    away = np.linalg.norm(out[:, np.newaxis] - model.construction_.Y.T, axis=2)
    np.testing.assert_array_equal(model.predict(x), model.classes_[away.argmin(axis=1)])
    shares = model.predict_proba(x)
    wanted = np.exp(-(away**2) / model.temperature_)
    np.testing.assert_allclose(shares, wanted / wanted.sum(axis=1, keepdims=True), atol=1e-9)
    scores = model.decision_function(x)
    np.testing.assert_allclose(np.exp(scores - scores[:, :1]), shares / shares[:, :1], rtol=1e-9)
    revived = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(revived.predict_proba(x), shares)


def test_two_classes_have_one_score(rows):
    x, y = rows
    model = rs.ConstructiveClassifier().fit(x[y < 2], y[y < 2])
    scores, shares = model.decision_function(x), model.predict_proba(x)
    assert scores.shape == (len(x),)
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), shares[:, 1], atol=1e-12)


def test_the_temperature_is_the_most_likely_one():
    rng = np.random.default_rng(4)
    squares = rng.uniform(0, 5, (80, 3))
    codes = np.where(rng.random(80) < 0.7, squares.argmin(axis=1), rng.integers(0, 3, 80))
    weights = rng.uniform(0.5, 2, 80)
    ordered = np.sort(squares, axis=1)
    gap = weights @ (ordered[:, 1] - ordered[:, 0]) / weights.sum()

    def loss(log_beta):
        beta = np.exp(log_beta)
        logs = -squares * beta
        logs -= np.log(np.exp(logs).sum(axis=1))[:, np.newaxis]
        return np.log1p(np.exp(beta * gap)) - weights @ logs[np.arange(80), codes]

    best = minimize_scalar(loss, bounds=(-8, 5), options={"xatol": 1e-10})
    assert calibrate(squares, codes, weights) == pytest.approx(np.exp(-best.x), rel=1e-5)


def test_temperatures_at_the_ends():
    squares = np.tile([0.0, 1.0], (50, 1))
    right = calibrate(squares, np.zeros(50, int), np.ones(50))
    # 50 rows right and one, added, wrong: the shares are 50 : 1.
    shares = probabilities(squares[:1], right)[0]
    assert shares[0] / shares[1] == pytest.approx(50, rel=1e-9)
    wrong = calibrate(squares, np.ones(50, int), np.ones(50))
    np.testing.assert_allclose(probabilities(squares[:1], wrong), 0.5, atol=1e-8)
    assert calibrate(np.zeros((5, 2)), np.zeros(5, int), np.ones(5)) == 1.0


def test_probabilities_are_calibrated():
    rng = np.random.default_rng(1)
    x, y = clusters(rng, 4, 3, 1.2, rows=6000)
    model = rs.ConstructiveClassifier().fit(x[:3000], y[:3000])
    shares, right = model.predict_proba(x[3000:]), model.predict(x[3000:]) == y[3000:]
    sure = shares.max(axis=1)
    for low, high in ((0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
        some = (sure > low) & (sure <= high)
        assert right[some].mean() == pytest.approx(sure[some].mean(), abs=0.06)


def test_folds_depend_on_the_content_alone():
    rng = np.random.default_rng(0)
    x = rng.integers(-2, 3, size=(3000, 6)).astype(float)
    folds = folds_of(x)
    order = rng.permutation(3000)
    np.testing.assert_array_equal(folds_of(x[order]), folds[order])
    np.testing.assert_array_equal(folds_of(np.where(x == 0, -0.0, x)), folds)
    np.testing.assert_array_equal(folds_of(sparse.csr_matrix(x)), folds)
    np.testing.assert_allclose(np.bincount(folds) / 3000, 0.2, atol=0.05)


@pytest.mark.parametrize("metric", ["within", "euclidean"])
def test_partial_fit_equals_fit(rows, metric):
    x, y = rows
    whole = rs.ConstructiveClassifier(metric=metric).fit(x, y)
    model = rs.ConstructiveClassifier(metric=metric)
    for i in range(0, len(x), 70):
        model.partial_fit(x[i : i + 70], y[i : i + 70], classes=[0, 1, 2])
    np.testing.assert_allclose(
        model.decision_function(x) * model.temperature_,
        whole.decision_function(x) * whole.temperature_,
        atol=1e-9,
    )
    one, two = model.network_.to_vector(), whole.network_.to_vector()
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-9 * np.abs(two).max())
    assert model.construction_.cost == pytest.approx(whole.construction_.cost, rel=1e-11)
    assert model.calibration_ == "held out"
    more = rs.ConstructiveClassifier(metric=metric).fit(x[:100], y[:100])
    more.partial_fit(x[100:], y[100:])
    np.testing.assert_allclose(more.network_.to_vector(), two, atol=1e-9 * np.abs(two).max())


def test_partial_fit_with_late_classes(rows):
    x, y = rows
    model = rs.ConstructiveClassifier()
    model.partial_fit(x[y == 1], y[y == 1], classes=[0, 1, 2])
    with pytest.raises(NotFittedError):
        model.predict(x)
    model.partial_fit(x[y == 2], y[y == 2])
    assert set(model.predict(x)) == {1, 2}
    assert (model.predict_proba(x)[:, 0] == 0).all()
    with pytest.raises(ValueError, match="not all classes have appeared"):
        model.warm_start_network()
    model.partial_fit(x[y == 0], y[y == 0])
    assert set(model.predict(x)) == {0, 1, 2}
    with pytest.raises(ValueError, match="class 7 appears in row 1"):
        model.partial_fit(x[:2], [0, 7])
    with pytest.raises(ValueError, match="needs classes"):
        rs.ConstructiveClassifier().partial_fit(x, y)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("width", [None, 12])
def test_warm_start_in_scikit_learn(rows, classes, width):
    x, y = rows
    x, y = x[y < classes], y[y < classes]
    model = rs.ConstructiveClassifier().fit(x, y)
    warm = model.warm_start_network(width=width)
    np.testing.assert_allclose(warm.predict_proba(x), model.predict_proba(x), atol=1e-9)
    still = model.warm_start_network(width=width).set_params(learning_rate_init=1e-12)
    np.testing.assert_allclose(still.partial_fit(x, y).coefs_[0], warm.coefs_[0], atol=1e-9)
    before = warm.predict_proba(x)
    loss = -np.log(before[np.arange(len(y)), y]).mean()
    warm.set_params(max_iter=60, learning_rate_init=1e-3, alpha=0.0, tol=0.0, n_iter_no_change=99)
    with pytest.warns(match="Maximum iterations"):
        warm.fit(x, y)
    after = -np.log(warm.predict_proba(x)[np.arange(len(y)), y]).mean()
    assert after < loss
    with pytest.raises(ValueError, match="the construction alone needs"):
        model.warm_start_network(width=1)
    with pytest.raises(ValueError, match=r'give "sklearn" or "torch"'):
        model.warm_start_network("jax")


def test_warm_start_in_pytorch(rows):
    x, y = rows
    model = rs.ConstructiveClassifier().fit(x, y)
    if importlib.util.find_spec("torch") is None:
        with pytest.raises(ValueError, match="PyTorch is not installed"):
            model.warm_start_network("torch")
        return
    import torch

    module = model.warm_start_network("torch", width=9)
    values = module(torch.from_numpy(x).float()).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(values, model.predict_proba(x), atol=1e-4)
    assert module[0].out_features == 9


def test_inside_other_estimators(rows):
    x, y = rows
    search = GridSearchCV(
        make_pipeline(StandardScaler(), rs.ConstructiveClassifier()),
        {
            "constructiveclassifier__metric": ["within", "euclidean"],
            "constructiveclassifier__outputs": ["means", "classes"],
        },
        cv=3,
        scoring="neg_log_loss",
    ).fit(x, y)
    assert search.best_params_["constructiveclassifier__metric"] == "within"
    assert search.score(x, y) > np.log(1 / 3)


def test_more_classes_than_inputs_and_no_noise():
    rng = np.random.default_rng(0)
    x, y = clusters(rng, 2, 7, 0.02, rows=200)
    assert rs.ConstructiveClassifier().fit(x, y).score(x, y) > 0.95
    with pytest.raises(ValueError, match="classes and 3 inputs"):
        rs.ConstructiveClassifier(outputs="classes").fit(x, y)
    single = rs.ConstructiveClassifier().fit(np.eye(3), [0, 1, 2])
    assert single.predict(np.eye(3)).tolist() == [0, 1, 2]
    assert single.calibration_ == "training"


def test_sparse_and_weights(rows):
    x, y = rows
    model = rs.ConstructiveClassifier().fit(x, y)
    thin = rs.ConstructiveClassifier().fit(sparse.csr_matrix(x), y)
    np.testing.assert_array_equal(thin.predict_proba(sparse.csr_matrix(x)), thin.predict_proba(x))
    np.testing.assert_allclose(thin.predict_proba(x), model.predict_proba(x), atol=1e-12)
    times = np.random.default_rng(0).integers(0, 3, len(x))
    weighted = clone(model).fit(x, y, sample_weight=times)
    repeated = clone(model).fit(np.repeat(x, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.predict_proba(x), repeated.predict_proba(x), atol=1e-9)


@pytest.mark.parametrize("parameters", [{"metric": "cosine"}, {"outputs": "labels"}])
def test_wrong_parameters_are_value_errors(parameters, rows):
    with pytest.raises(ValueError, match="give"):
        rs.ConstructiveClassifier(**parameters).fit(*rows)
