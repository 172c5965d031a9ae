"""Networks to start from, on standardised data with any number of inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reluscape.training.standardised import Parts, Standardised

if TYPE_CHECKING:
    from reluscape.networks.arrays import Floats

_CANDIDATES = 20
_RIDGE = 1e-3


def propose(data: Standardised, kind: int, rng: np.random.Generator) -> Parts:
    """Draw a network whose hyperplanes pass through rows of the data.

    Parameters
    ----------
    data : Standardised
    kind : int
        Even numbers choose neurons one after another, each the best of some draws for what the
        others leave unexplained; odd ones draw them all at once. Directions are Gaussian for
        ``kind % 4 == 1``, mixed with nearly sparse ones for all others.
    rng : numpy.random.Generator

    Returns
    -------
    Parts
        Outputs and affine part fit the data by ridge regression.
    """
    if kind % 2 == 0:
        return _with_outputs(data, _pursue(data, rng))
    return _with_outputs(data, _draw(data, data.width, rng, sparse=kind % 4 != 1))


def best_affine(data: Standardised) -> Parts:
    """Return the best affine function, or constant without a skip connection; all neurons are 0.

    Parameters
    ----------
    data : Standardised

    Returns
    -------
    Parts
    """
    w, v = np.zeros((data.width, data.columns)), np.zeros((data.width, data.targets))
    return Parts(w, v, _regress(data, data.affine))


def _draw(data: Standardised, count: int, rng: np.random.Generator, sparse: bool) -> Floats:
    directions = rng.normal(size=(count, data.columns - 1))
    if sparse:
        directions *= np.exp(2.0 * rng.normal(size=directions.shape))
    directions[:, data.x_scale == 0.0] = 0.0
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    through = data.x[:-1, rng.integers(data.rows, size=count)].T
    return np.column_stack([directions, -(directions * through).sum(axis=1)])


def _pursue(data: Standardised, rng: np.random.Generator) -> Floats:
    """Choose neurons greedily, as orthogonal matching pursuit does."""
    root = np.sqrt(data.weights)
    basis = np.linalg.qr((data.affine * root).T)[0]
    rest = (data.y * root).T
    rest = rest - basis @ (basis.T @ rest)
    chosen: list[Floats] = []
    for _ in range(data.width):
        half = _CANDIDATES // 2
        w = np.vstack([_draw(data, half, rng, False), _draw(data, half, rng, True)])
        if not data.skip:
            w = np.vstack([w, _whole_lines(data)])
        columns = (_activations(data, w) * root).T
        columns = columns - basis @ (basis.T @ columns)
        sizes = np.linalg.norm(columns, axis=0)
        usable = sizes > 1e-8
        columns /= np.where(usable, sizes, 1.0)
        gains = np.where(usable, np.linalg.norm(columns.T @ rest, axis=1), -1.0)
        best = int(np.argmax(gains))
        chosen.append(w[best])
        if usable[best]:
            basis = np.column_stack([basis, columns[:, best]])
            rest = rest - np.outer(columns[:, best], columns[:, best] @ rest)
    return np.array(chosen)


def _whole_lines(data: Standardised) -> Floats:
    """Return neurons that are active on all rows along the linear trend of each target."""
    slopes = _regress(data, data.x)[:-1].T
    lengths = np.linalg.norm(slopes, axis=1, keepdims=True)
    directions = slopes / np.where(lengths > 0.0, lengths, 1.0)
    return np.column_stack([directions, 1.0 - (directions @ data.x[:-1]).min(axis=1)])


def _with_outputs(data: Standardised, w: Floats) -> Parts:
    regressors = np.vstack([_activations(data, w), data.affine])
    weighted = regressors * data.weights
    gram = weighted @ regressors.T + _RIDGE * np.eye(len(regressors))
    outputs = np.asarray(np.linalg.solve(gram, weighted @ data.y.T), dtype=np.float64)
    v, a = outputs[: data.width], outputs[data.width :]
    # Balanced, but no neuron so small that its hyperplane cannot move.
    lengths = np.linalg.norm(w, axis=1, keepdims=True)
    factor = np.maximum(np.sqrt(np.linalg.norm(v, axis=1, keepdims=True) / lengths), 0.1)
    return Parts(w * factor, v / factor, a)


def _activations(data: Standardised, w: Floats) -> Floats:
    heights = w @ data.x
    return np.maximum(heights, data.activation.slope * heights)


def _regress(data: Standardised, regressors: Floats) -> Floats:
    root = np.sqrt(data.weights)
    solution = np.linalg.lstsq((regressors * root).T, (data.y * root).T, rcond=None)[0]
    return np.asarray(solution, dtype=np.float64)
