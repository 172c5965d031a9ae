"""Probabilities from distances: a softmax whose temperature rows that were held out decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluscape.construction.sources import COPIED, blocks_of
from reluscape.networks.arrays import Floats

# One in so many rows is held out at a time.
FOLDS = 5
# Newton and bisection steps on a convex function of one variable; some ten are needed.
STEPS = 200
# A coldness below this, in units of the gap between distances, says that nothing is known.
COLDEST = 1e-9
_MIXER = 0x9E3779B97F4A7C15


def folds_of(x: object) -> NDArray[np.int64]:
    """Return a number from 0 to `FOLDS - 1` for each row, by what is in it.

    Equal rows go together, so that neither the order of rows nor writing a row twice instead of
    weighting it changes what is held out, and nothing is random.

    Parameters
    ----------
    x : array_like or sparse matrix of shape (n, inputs)

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> rows = np.arange(60.0).reshape(30, 2)
    >>> folds = folds_of(rows)
    >>> bool((folds_of(rows[::-1]) == folds[::-1]).all()), sorted(set(folds.tolist()))
    (True, [0, 1, 2, 3, 4])
    """
    parts: list[NDArray[np.int64]] = []
    for block, _ in blocks_of(x, viewed=COPIED):
        # Adding zero makes -0.0 what it equals.
        bits = np.ascontiguousarray(block.astype(np.float64) + 0.0).view(np.uint64)
        keys = np.random.default_rng(_MIXER).bytes(8 * bits.shape[1])
        odd = np.frombuffer(keys, np.uint64) | np.uint64(1)
        mixed = np.multiply(bits ^ (bits >> np.uint64(32)), odd).sum(axis=1, dtype=np.uint64)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(_MIXER)
        parts.append(((mixed >> np.uint64(33)) % np.uint64(FOLDS)).astype(np.int64))
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def calibrate(squares: Floats, codes: NDArray[np.int64], weights: Floats) -> float:
    """Return the temperature T that makes `softmax(-squares / T)` most likely.

    The mean of the negative log-likelihood is convex in 1 / T. One row is added that is nearest to
    a wrong class by the usual gap, so that rows that are all right do not make T zero.

    Parameters
    ----------
    squares : ndarray, shape (n, classes)
        Squared distances.
    codes : ndarray of int, shape (n,)
        The right class of each row.
    weights : ndarray, shape (n,)

    Returns
    -------
    float

    Examples
    --------
    >>> squares = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> round(calibrate(squares, np.array([1, 0, 0]), np.ones(3)), 6)
    0.910239
    """
    away = squares - squares[np.arange(len(codes)), codes][:, np.newaxis]
    ordered = np.partition(squares, 1, axis=1)
    gap = float(weights @ (ordered[:, 1] - ordered[:, 0]) / weights.sum())
    if not gap > 0.0:
        return 1.0
    # In units of the gap: rows (away), and the one that is wrong by one.
    scaled = away / gap

    def slope(beta: float) -> float:
        powers = -beta * scaled
        powers -= powers.max(axis=1, keepdims=True)
        shares = np.exp(powers)
        shares /= shares.sum(axis=1, keepdims=True)
        pull = -np.einsum("ij,ij->i", shares, scaled)
        return float(weights @ pull) + 1.0 / (1.0 + float(np.exp(-beta)))

    low, high = 0.0, 1.0
    if slope(COLDEST) >= 0.0:
        return gap / COLDEST
    while slope(high) < 0.0:
        low, high = high, 2.0 * high
    for _ in range(STEPS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if slope(middle) < 0.0:
            low = middle
        else:
            high = middle
    return gap / high


def probabilities(squares: Floats, temperature: float) -> Floats:
    """Return `softmax(-squares / temperature)`, row by row.

    Examples
    --------
    >>> probabilities(np.array([[0.0, 0.0], [0.0, np.log(3.0)]]), 1.0)
    array([[0.5 , 0.5 ],
           [0.75, 0.25]])
    """
    powers = -squares / temperature
    shares = np.exp(powers - powers.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)
