"""The activations with a curvature, `y^2`, tanh and softplus, and their derivatives."""

from __future__ import annotations

import numpy as np

from reluscape.networks.arrays import Floats

CURVED = ("square", "tanh", "softplus")


def apply(name: str, y: Floats) -> Floats:
    """Apply an activation to pre-activations, in place.

    Parameters
    ----------
    name : {"square", "tanh", "softplus"}
    y : ndarray

    Returns
    -------
    ndarray
        The array given.

    Examples
    --------
    >>> apply("softplus", np.array([0.0, 1.0])).round(6)
    array([0.693147, 1.313262])
    """
    if name == "square":
        return np.square(y, out=y)
    if name == "tanh":
        return np.tanh(y, out=y)
    return np.logaddexp(0.0, y, out=y)


def derivative(name: str, y: Floats) -> Floats:
    """Return the first derivative of an activation.

    Examples
    --------
    >>> derivative("tanh", np.array([0.0, 1.0])).round(6)
    array([1.      , 0.419974])
    """
    if name == "square":
        return 2.0 * y
    if name == "tanh":
        return _sech_squared(y)
    return _logistic(y)


def second_derivative(name: str, y: Floats) -> Floats:
    """Return the second derivative of an activation.

    Examples
    --------
    >>> second_derivative("softplus", np.array([0.0]))
    array([0.25])
    """
    if name == "square":
        return np.full_like(y, 2.0)
    if name == "tanh":
        return -2.0 * np.tanh(y) * _sech_squared(y)
    return _logistic(y) * _logistic(-y)


def _sech_squared(y: Floats) -> Floats:
    # 1 - tanh^2 would cancel far from zero.
    decay = np.exp(-2.0 * np.abs(y))
    return 4.0 * decay / np.square(1.0 + decay)


def _logistic(y: Floats) -> Floats:
    decay = np.exp(-np.abs(y))
    return np.where(y >= 0.0, 1.0, decay) / (1.0 + decay)
