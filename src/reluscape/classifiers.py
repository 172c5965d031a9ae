"""The constructive classifier as scikit-learn users know it: `fit`, `predict`, `predict_proba`."""

# scikit-learn ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from reluscape.construction.clusters import construct_from
from reluscape.construction.hypotheses import IllConditionedWarning
from reluscape.construction.result import Construction
from reluscape.construction.sources import Source, as_weights, open_rows
from reluscape.construction.summary import ClassSummary, read
from reluscape.construction.temperature import FOLDS, calibrate, folds_of, probabilities
from reluscape.construction.warm import layers_of, to_mlp, to_torch
from reluscape.errors import InputError
from reluscape.networks.network import Network

if TYPE_CHECKING:
    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

# Multiplications up to which every row is held out once; of more rows, one fold is enough.
CROSSED = 1e10
# Multiplications up to which second moments are kept although the metric does not need them: so
# that `partial_fit` can go on after `fit`.
CHEAP = 1e11


class ConstructiveClassifier(ClassifierMixin, BaseEstimator):
    """Classification by a ReLU network that is written down from class means, without descent.

    A row is of the class whose mean is nearest in the metric that the network is. With the default
    metric, which measures inputs in units of the noise within classes, this is linear discriminant
    analysis with equal priors; with ``metric="euclidean"`` it is the nearest class mean.

    Parameters
    ----------
    metric : {"within", "euclidean"}, default "within"
        What distances are measured in; "euclidean" where no class has any noise.
    outputs : {"means", "classes"}, default "means"
        Reference outputs: class means in coordinates of their subspace, or unit vectors, for which
        class means must be independent.
    lift : bool, default True
        Whether inputs are centred and a constant one appended, so that the origin does not matter.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    construction_ : Construction
        Network, cost, bound and metric; its labels are positions in `classes_`.
    network_ : Network
        The network itself.
    temperature_ : float
        `predict_proba` is the softmax of the negative squared distances divided by it.
    calibration_ : {"held out", "training"}
        Which rows the temperature was calibrated on: rows that a construction of the others had
        not seen, in five folds by their content (one of them, where there are many); or those of
        training, where there are too few.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if `X` has feature names that are strings.

    Examples
    --------
    >>> X = np.array([[0.0, 0.1], [0.0, -0.1], [1.0, 0.1], [1.1, -0.1], [2.0, 0.1], [2.1, 0.0]])
    >>> model = ConstructiveClassifier().fit(X, ["a", "a", "b", "b", "c", "c"])
    >>> model.predict([[0.1, 0.0], [1.9, 0.0]])
    array(['a', 'c'], dtype='<U1')
    """

    metric: Literal["within", "euclidean"]
    outputs: Literal["means", "classes"]

    def __init__(
        self,
        *,
        metric: Literal["within", "euclidean"] = "within",
        outputs: Literal["means", "classes"] = "means",
        lift: bool = True,
    ) -> None:
        self.metric = metric
        self.outputs = outputs
        self.lift = lift

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> ConstructiveClassifier:
        """Construct the network, and calibrate the temperature.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)
        y : array_like of shape (n_samples,)
        sample_weight : array_like of shape (n_samples,) or None, default None
            Not negative; a weight of 2 counts a row twice.

        Returns
        -------
        ConstructiveClassifier
            The estimator itself.

        Raises
        ------
        InputError
            A `ValueError`: if a parameter is unknown, there is one class only, or class means are
            dependent for ``outputs="classes"``.
        """
        x, labels = self._validated(X, y, reset=True)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        weights = np.ones(len(codes))
        if sample_weight is not None:
            weights = as_weights(sample_weight, len(codes), 0)
            if not weights.any():
                raise InputError("all sample weights are zero; give some rows a positive weight.")
            x, codes, weights = x[weights > 0], codes[weights > 0], weights[weights > 0]
        if len(np.unique(codes)) < 2:
            raise InputError(
                f"there is one class only, {self.classes_[codes[0]].item()!r}, with rows that "
                "count; give rows of two classes or more."
            )
        self._forget()
        source, summary = self._read(x, codes, weights)
        if summary.scatter is not None:
            self.summary_ = summary
        self.construction_ = self._construct(summary, source)
        self._calibrate(x, codes, weights)
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> ConstructiveClassifier:
        """Take more rows into account; network and cost are then those of all rows together.

        The temperature is calibrated on the newest rows, which the network before them has not
        seen.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)
        y : array_like of shape (n_samples,)
        classes : array_like of shape (n_classes,), or None
            All classes that will ever appear; needed in the first call.
        sample_weight : array_like of shape (n_samples,) or None, default None

        Returns
        -------
        ConstructiveClassifier
            The estimator itself; it predicts as soon as two classes have appeared.

        Raises
        ------
        InputError
            A `ValueError`: if `classes` are missing, or a label is not one of them.
        """
        first = not hasattr(self, "summary_")
        if first and hasattr(self, "construction_"):
            raise InputError(
                "fit has kept no second moments of so many rows; call partial_fit from the start."
            )
        x, labels = self._validated(X, y, reset=first)
        if first:
            if classes is None:
                raise InputError("the first call of partial_fit needs classes; give all of them.")
            self.classes_ = unique_labels(classes)
            self._forget()
            self.summary_ = ClassSummary(classes=range(len(self.classes_)))
        codes = self._coded(labels)
        weights = np.ones(len(codes))
        if sample_weight is not None:
            weights = as_weights(sample_weight, len(codes), 0)
        before = getattr(self, "construction_", None)
        self.summary_ = self.summary_.updated(x, codes, weights=weights)
        if np.count_nonzero(self.summary_.rows) > 1:
            seen = np.flatnonzero(self.summary_.rows).tolist()
            self.construction_ = self._construct(self.summary_.only(seen), None)
            made = self.construction_ if before is None else before
            known = np.isin(codes, np.array(made.classes)) & (weights > 0)
            if known.any():
                squares, places = self._seen(made, x[known], codes[known])
                self.temperature_ = calibrate(squares, places, weights[known])
                self.calibration_ = "training" if before is None else "held out"
            elif before is None:
                self.temperature_, self.calibration_ = 1.0, "training"
        return self

    @property
    def network_(self) -> Network:
        """The network, built when it is asked for."""
        return self.construction_.network

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return the logarithms of the probabilities, up to a constant in each row.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            For two classes, what the second has more than the first.
        """
        scores = -self._squares(X) / self.temperature_
        if len(self.classes_) == 2:
            return scores[:, 1] - scores[:, 0]
        return scores

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:
        """Return the nearest class of each row.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        squares = self._squares(X)
        return self.classes_[np.argmin(squares, axis=1)]

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the softmax of the negative squared distances, at the calibrated temperature.

        Parameters
        ----------
        X : array_like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return probabilities(self._squares(X), self.temperature_)

    def warm_start_network(
        self,
        kind: Literal["sklearn", "torch"] = "sklearn",
        *,
        width: int | None = None,
        random_state: int = 0,
    ) -> Any:  # noqa: ANN401 - scikit-learn ships no types, PyTorch need not be there
        """Return a network to go on training from, whose probabilities are those of this model.

        Parameters
        ----------
        kind : {"sklearn", "torch"}
            An `MLPClassifier` with ``warm_start=True``, or a `torch.nn.Sequential` that gives
            logits.
        width : int, optional
            Hidden units; by default as few as the construction needs. Others start at random,
            with outer weights 0.
        random_state : int, default 0
            Seed of those.

        Returns
        -------
        MLPClassifier or torch.nn.Sequential

        Raises
        ------
        InputError
            If the width is too small, the kind is unknown, or PyTorch is not installed.
        NotFittedError
            Before `fit`.
        """
        check_is_fitted(self, "construction_")
        if len(self.construction_.classes) < len(self.classes_):
            raise InputError("not all classes have appeared yet; fit rows of every class first.")
        layers = layers_of(self.construction_, self.temperature_, width=width, seed=random_state)
        if kind == "torch":
            return to_torch(layers)
        if kind != "sklearn":
            raise InputError(f'kind is {kind!r}; give "sklearn" or "torch".')
        return to_mlp(layers, self.classes_, random_state)

    def _validated(self, X: ArrayLike, y: ArrayLike, *, reset: bool) -> tuple[Any, Any]:
        if self.metric not in ("within", "euclidean"):
            raise InputError(f'metric is {self.metric!r}; give "within" or "euclidean".')
        if self.outputs not in ("means", "classes"):
            raise InputError(f'outputs is {self.outputs!r}; give "means" or "classes".')
        x, labels = validate_data(
            self,
            X,  # pyright: ignore[reportArgumentType]
            y,  # pyright: ignore[reportArgumentType]
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            reset=reset,
        )
        check_classification_targets(labels)
        return x, labels

    def _coded(self, labels: NDArray[np.generic]) -> Codes:
        codes = np.searchsorted(self.classes_, labels).clip(max=len(self.classes_) - 1)
        wrong = self.classes_[codes] != labels
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"class {labels.tolist()[row]!r} appears in row {row}, but classes are "
                f"{self.classes_.tolist()}; give all of them in the first call."
            )
        return codes

    def _forget(self) -> None:
        for name in ("summary_", "construction_"):
            if hasattr(self, name):
                delattr(self, name)

    def _read(self, x: Any, codes: Codes, weights: Floats) -> tuple[Source, ClassSummary]:  # noqa: ANN401
        """Go through the rows once."""
        source = open_rows(x, codes, weights)
        keep = self.metric == "within" or _work(x) <= CHEAP
        summary = read(source, ClassSummary(scatter=keep, classes=range(len(self.classes_))))
        return source, summary.only(np.flatnonzero(summary.rows).tolist())

    def _construct(self, summary: ClassSummary, source: Source | None) -> Construction:
        """Construct; in plain distances where no class has any noise."""
        metric = self.metric
        if summary.scatter is not None and not summary.scatter.any():
            metric = "euclidean"
        return construct_from(
            summary,
            source,
            Y="means" if self.outputs == "means" else None,
            metric=metric,
            lift=self.lift,
        )

    def _calibrate(self, x: Any, codes: Codes, weights: Floats) -> None:  # noqa: ANN401
        """Find the temperature on rows that a construction of the others has not seen."""
        folds = folds_of(x)
        found: list[tuple[Floats, Codes, Floats]] = []
        for fold in range(FOLDS if _work(x) <= CROSSED else 1):
            out = folds == fold
            if not out.any() or not set(codes[out]) <= set(codes[~out]):
                continue
            source, summary = self._read(x[~out], codes[~out], weights[~out])
            with warnings.catch_warnings():
                # The construction of all rows has warned, if it had to.
                warnings.simplefilter("ignore", IllConditionedWarning)
                try:
                    made = self._construct(summary, source if summary.scatter is None else None)
                except InputError:
                    # Without these rows the class means depend on each other.
                    continue
            found.append((*self._seen(made, x[out], codes[out]), weights[out]))
        self.calibration_ = "held out" if found else "training"
        if not found:
            found.append((*self._seen(self.construction_, x, codes), weights))
        squares, places, heavy = (np.concatenate(parts) for parts in zip(*found, strict=True))
        self.temperature_ = calibrate(squares, places, heavy)

    @staticmethod
    def _seen(made: Construction, x: Any, codes: Codes) -> tuple[Floats, Codes]:  # noqa: ANN401
        """Return squared distances, and the right class of each row as a column of them."""
        places = np.searchsorted(np.array(made.classes, np.int64), codes)
        return np.square(made.distances(x)), places

    def _squares(self, X: ArrayLike) -> Floats:
        check_is_fitted(self, "construction_")
        x: Any = validate_data(
            self,
            X,  # pyright: ignore[reportArgumentType]
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            reset=False,
        )
        found = np.full((x.shape[0], len(self.classes_)), np.inf)
        seen = np.array(self.construction_.classes, np.int64)
        found[:, seen] = np.square(self.construction_.distances(x))
        return found

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - scikit-learn ships no types
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _work(x: Any) -> float:  # noqa: ANN401
    """Return how many multiplications second moments take."""
    rows, inputs = x.shape
    return float(rows) * inputs**2
