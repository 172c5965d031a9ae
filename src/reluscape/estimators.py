"""The face that scikit-learn users know: `fit`, `predict`, `score`."""

# scikit-learn ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false

from __future__ import annotations

from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from reluscape.fitting import fit
from reluscape.problems.samples import Samples


class ShallowReLURegressor(RegressorMixin, BaseEstimator):
    """Least-squares regression by a shallow ReLU network, as a scikit-learn estimator.

    With one feature and a skip connection it is the free-knot linear spline with `width` knots.

    Parameters
    ----------
    width : int or "auto", default 4
        Number of neurons; "auto" takes the lowest BIC (one feature and one target only).
    skip : bool, default True
        Whether the network has a skip connection: False fits the plain network.
    starts : int, default 20
        Descents from random starts, for several features or targets only.
    random_state : int, RandomState instance or None, default None
        Seed of the proposals. None is the seed 0, so that fits are reproducible.
    monotone : {"increasing", "decreasing"} or None, default None
        Direction of the whole function (one feature and one target only, as all that follow).
    slope_bounds : (float, float) or None, default None
        Least and greatest slope.
    min_distance : float, default 0.0
        Least distance between neighbouring breakpoints.
    min_points : int, default 0
        Least number of distinct inputs in every piece.

    Attributes
    ----------
    network_ : Network
        The fitted network.
    fit_ : Fit
        All that is known about the fit: `print(model.fit_.summary())`.
    risk_ : float
        Mean squared error; with sample weights their sum of weighted squared errors.
    breakpoints_ : ndarray of shape (k,)
        Where the slope changes, sorted; one feature and one target only.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if `X` has feature names that are strings.

    See Also
    --------
    reluscape.fit : The same without scikit-learn.

    Examples
    --------
    >>> X = np.linspace(0.0, 4.0, 21).reshape(-1, 1)
    >>> model = ShallowReLURegressor(width=1).fit(X, np.abs(X[:, 0] - 1.0))
    >>> model.breakpoints_.round(6)
    array([1.])
    >>> model.predict([[3.0]]).round(6)
    array([2.])
    """

    width: int | Literal["auto"]
    monotone: Literal["increasing", "decreasing"] | None

    def __init__(
        self,
        width: int | Literal["auto"] = 4,
        *,
        skip: bool = True,
        starts: int = 20,
        random_state: int | np.random.RandomState | None = None,
        monotone: Literal["increasing", "decreasing"] | None = None,
        slope_bounds: tuple[float, float] | None = None,
        min_distance: float = 0.0,
        min_points: int = 0,
    ) -> None:
        self.width = width
        self.skip = skip
        self.starts = starts
        self.random_state = random_state
        self.monotone = monotone
        self.slope_bounds = slope_bounds
        self.min_distance = min_distance
        self.min_points = min_points

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> ShallowReLURegressor:
        """Fit the network.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
        y : array_like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array_like of shape (n_samples,) or None, default None
            Not negative; a weight of 2 counts a row twice.

        Returns
        -------
        ShallowReLURegressor
            The estimator itself.

        Raises
        ------
        InputError
            A `ValueError`: if parameters are not sensible, or one feature has fewer distinct values
            than the width needs.
        """
        x, goal = validate_data(
            self,
            X,  # pyright: ignore[reportArgumentType]
            y,  # pyright: ignore[reportArgumentType]
            dtype=np.float64,
            multi_output=True,
            y_numeric=True,
        )
        values = np.asarray(goal, dtype=np.float64)
        self._one_column = values.ndim == 2 and values.shape[1] == 1
        problem = Samples(x, values[:, 0] if self._one_column else values, sample_weight)
        seed = self.random_state
        if seed is None:
            seed = 0
        elif not isinstance(seed, Integral):
            seed = check_random_state(seed).randint(np.iinfo(np.int32).max)
        self.fit_ = fit(
            problem,
            self.width,
            skip=self.skip,
            seed=int(seed),
            monotone=self.monotone,
            slope_bounds=self.slope_bounds,
            min_distance=self.min_distance,
            min_points=self.min_points,
            starts=self.starts,
        )
        self.network_ = self.fit_.network
        self.risk_ = self.fit_.risk
        if problem.on_a_line:
            self.breakpoints_ = self.fit_.breakpoints
        elif hasattr(self, "breakpoints_"):
            del self.breakpoints_
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Evaluate the fitted network.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            As `y` was in `fit`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        x = validate_data(
            self,
            X,  # pyright: ignore[reportArgumentType]
            dtype=np.float64,
            reset=False,
        )
        values = self.network_(np.asarray(x))
        return values[:, np.newaxis] if self._one_column else values

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - scikit-learn ships no types
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
