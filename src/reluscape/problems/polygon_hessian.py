"""The Hessian of the risk on a polygon, from the integrals over its cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluscape.problems.cellwise import Integrals, finite
from reluscape.problems.plane import gauss

Floats = NDArray[np.float64]


def hessian(integrals: Integrals) -> Floats:
    """Return the Hessian in the order of `Network.to_vector`; exactly symmetric.

    Three parts: the gradients of N against each other, the pull on pairs of inner and outer
    weights of a neuron, and the moving lines (theory: S2, in two dimensions).

    Parameters
    ----------
    integrals : Integrals

    Returns
    -------
    ndarray, shape (parameters, parameters)
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        total = _gram(integrals)
        width = integrals.network.width
        by_x, by_one, _ = integrals.pulls
        rows = np.arange(width)
        for at, pull in (
            (2 * rows, by_x[:, 0]),
            (2 * rows + 1, by_x[:, 1]),
            (2 * width + rows, by_one),
        ):
            total[at, 3 * width + rows] += pull
            total[3 * width + rows, at] += pull
        for j, block in zip(*_moving_lines(integrals), strict=True):
            at = [2 * j, 2 * j + 1, 2 * width + j]
            total[np.ix_(at, at)] += block
    return finite(0.5 * (total + total.T))


def _extended(integrals: Integrals) -> Floats:
    """Return T with `(x, 1) = T (z, 1)`: the user's point from the frame's."""
    frame = integrals.ground.frame
    change = np.diag([frame.unit, frame.unit, 1.0])
    change[:2, 2] = frame.centre
    return change


def _gram(integrals: Integrals) -> Floats:
    """Return twice the integral of `grad N grad N^T p`."""
    from reluscape.kernels.polygons import masses

    ground, network, cells = integrals.ground, integrals.network, integrals.cells
    p = ground.density
    mass = masses(cells, p.coefficients[cells.parents], p.degree, gauss(p.degree + 3))
    mass = np.ldexp(mass, ground.measure + 1)
    width = network.width
    change, v = _extended(integrals), network.outputs
    weights, biases, powers = ground.frame.affine(network.weights, network.biases)
    inner = np.column_stack([weights, biases.sum(axis=1)])
    inner = np.ldexp(inner, powers[:, np.newaxis])
    # On a cell the derivative of N by a parameter is that neuron's factor times an affine function
    # that is the same on all cells; the affine part of the network is a neuron of factor 1.
    affine = change[[2]] if network.skip is None else change[[2, 0, 1]]
    rows = np.vstack(
        [
            (v[:, np.newaxis, np.newaxis] * change[:2]).reshape(-1, 3),
            v[:, np.newaxis] * change[2],
            inner,
            affine,
        ]
    )
    neurons = np.arange(width)
    owner = np.concatenate(
        [np.repeat(neurons, 2), neurons, neurons, np.full(len(affine), width, dtype=np.int64)]
    )
    factors = np.column_stack([integrals.factors, np.ones(len(mass))])
    total = np.zeros((len(rows), len(rows)))
    for i in range(3):
        for j in range(3):
            pairs = factors.T @ (mass[:, i, j, np.newaxis] * factors)
            total += rows[:, [i]] * rows[:, j] * pairs[np.ix_(owner, owner)]
    return total


def _moving_lines(integrals: Integrals) -> tuple[list[int], Floats]:
    """Return neurons, and for each `2 v / |w|` times the integral of `e p (x, 1) (x, 1)^T`."""
    from reluscape.kernels.polygons import folds

    ground, network, cells = integrals.ground, integrals.network, integrals.cells
    p, degree = ground.density, ground.target.degree
    along = folds(
        cells,
        integrals.lines,
        integrals.errors,
        degree,
        p.coefficients[cells.parents],
        p.degree,
        gauss(degree + p.degree + 2),
    )
    # Of the area's two lengths, one is that along the line.
    along = np.ldexp(along, ground.target.exponent + ground.measure - ground.frame.exponent + 1)
    change = _extended(integrals)
    neurons = np.flatnonzero(network.weights.any(axis=1))
    gain = network.outputs[neurons] / np.hypot(*network.weights[neurons].T)
    gain *= 1.0 - network.activation.slope
    return neurons.tolist(), gain[:, np.newaxis, np.newaxis] * (change @ along @ change.T)
