"""The Hessian of a Gaussian risk, for ReLU networks with a skip connection.

Neuron j is `(w_j.x + b_j)_+`, active where `1_j = 1`, and D is the error. The Hessian is twice

    E[grad N grad N^T]                                  what the parameters have in common
    + E[D 1_j (x, 1)] between (w_j, b_j) and v_j
    + v_j / |w_j| E[D (x, 1)(x, 1)^T on the edge of j]   the moving edge of the neuron
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.problems.orthants import Pairs
from reluscape.problems.relu_form import Layout

if TYPE_CHECKING:
    from reluscape.problems.gaussian import Error

Floats = NDArray[np.float64]


def form_hessian(error: Error) -> Floats:
    """Return the Hessian by `(w, b, v, c, u)`; exactly symmetric.

    Parameters
    ----------
    error : Error

    Returns
    -------
    ndarray of shape (parameters, parameters)

    Notes
    -----
    Second moments over pairs of half-spaces come from Stein's identity applied twice,
    `E x x^T F = I E F + E Hess F`. What Hess F has on the edges of a pair is written with the part
    of the second direction orthogonal to the first, which shrinks with the sine of their angle:
    nothing is large where weights are nearly parallel.
    """
    width, inputs = error.planes.weights.shape
    layout = Layout(width, inputs)
    half = np.zeros((layout.size, layout.size))
    _affine_rows(error, layout, half)
    _neuron_rows(error, layout, half)
    for j in range(width):
        _common(error, layout, j, half)
        _edge(error, layout, j, half)
    _mirror(layout, half)
    half *= 2.0
    return half


def _mirror(layout: Layout, half: Floats) -> None:
    """Fill what lies below the diagonal from what lies above."""
    rest = slice(layout.w.stop, layout.size)
    half[rest, rest] = np.triu(half[rest, rest]) + np.triu(half[rest, rest], 1).T
    for j in range(layout.width):
        rows = layout.neuron(j)
        half[rows.stop :, rows] = half[rows, rows.stop :].T
        half[rows, rows] = 0.5 * (half[rows, rows] + half[rows, rows].T)


def _affine_rows(error: Error, layout: Layout, half: Floats) -> None:
    """Fill what neurons share with the offset and the skip connection."""
    planes, v = error.planes, error.outputs
    c, u = layout.c, layout.u
    half[c, c] = 1.0
    half[u, u] = np.eye(layout.inputs)
    half[layout.w, c] = ((v * planes.density)[:, np.newaxis] * planes.directions).ravel()
    half[layout.b, c] = v * planes.mass
    half[layout.v, c] = planes.means
    half[layout.b, u] = (v * planes.density)[:, np.newaxis] * planes.directions
    half[layout.v, u] = planes.mass[:, np.newaxis] * planes.weights
    for j in range(layout.width):
        direction = planes.directions[j]
        inertia = -planes.levels[j] * planes.density[j] * np.outer(direction, direction)
        inertia[np.diag_indices(layout.inputs)] += planes.mass[j]
        half[layout.neuron(j), u] = v[j] * inertia


def _neuron_rows(error: Error, layout: Layout, half: Floats) -> None:
    """Fill the blocks between biases and outputs of all neurons."""
    own, v, planes = error.own, error.outputs, error.planes
    half[layout.b, layout.b] = np.outer(v, v) * own.both
    values = own.both * planes.biases + own.edge_sums * planes.lengths
    half[layout.b, layout.v] = v[:, np.newaxis] * values + np.diag(error.active[0])
    half[layout.v, layout.v] = own.products


def _common(error: Error, layout: Layout, j: int, half: Floats) -> None:
    """Fill what the weights of neuron j share with its followers' weights and all b and v."""
    own, v, planes = error.own, error.outputs, error.planes
    rows, direction = layout.neuron(j), planes.directions[j]
    later = slice(j, layout.width)
    rho, sine, corner = own.correlation[j, later], own.sine[j, later], own.corner[j, later]
    row, column = own.row_edge[j], own.column_edge[j]
    others = planes.directions[later]
    across = others - np.outer(rho, direction)
    slanted = corner * _inverse(sine) * rho
    turned = (corner * sine)[:, np.newaxis]
    # Three dyads for each neuron: from the own direction, the part across, the other direction.
    own_right = (corner * sine * rho - planes.levels[j] * row[later])[:, np.newaxis] * direction
    own_right += turned * across
    across_right = turned * direction - slanted[:, np.newaxis] * across
    other_right = -(planes.levels * column)[later, np.newaxis] * others
    left = np.stack([np.broadcast_to(direction, others.shape), across, others], axis=2)
    right = np.stack([own_right, across_right, other_right], axis=1)
    right *= (v[j] * v[later])[:, np.newaxis, np.newaxis]
    blocks = left @ right
    diagonal = np.arange(layout.inputs)
    blocks[:, diagonal, diagonal] += (v[j] * v * own.both[j])[later, np.newaxis]
    half[rows, rows.start : layout.w.stop] = blocks.transpose(1, 0, 2).reshape(layout.inputs, -1)
    half[rows, layout.b] = v[j] * (np.outer(direction, v * row) + v * column * planes.directions.T)
    values = own.both[j] * planes.weights.T + np.outer(direction, own.edge_values[j])
    half[rows, layout.v] = v[j] * values
    half[rows, layout.v.start + j] += error.active[1][j]


def _edge(error: Error, layout: Layout, j: int, half: Floats) -> None:
    """Add the moments of the error on the edge of neuron j, where it switches."""
    planes = error.planes
    length, level, density = planes.lengths[j], planes.levels[j], planes.density[j]
    if density == 0.0:
        return
    direction = planes.directions[j]
    along = float(direction @ error.slope)
    mean = density * (error.offset - level * along)
    tilt = density * (error.slope - along * direction)
    bend = np.zeros((layout.inputs, layout.inputs))
    for part, outputs in ((error.own, error.outputs), (error.shared, error.target_outputs)):
        steep = outputs * part.columns.lengths
        across = _across(part, j)
        mean += float(outputs @ part.edge_values[j])
        tilt += (steep * part.row_edge[j]) @ across
        folded = steep * part.corner[j] * _inverse(part.sine[j])
        bend += (across.T * folded) @ across
    # x = -level direction + what is orthogonal to it.
    outer = np.outer(direction, tilt)
    bend += (level * level - 1.0) * mean * np.outer(direction, direction)
    bend -= level * (outer + outer.T)
    bend[np.diag_indices(layout.inputs)] += mean
    factor = error.outputs[j] / length
    rows, bias = layout.neuron(j), layout.b.start + j
    half[rows, rows] += factor * bend
    half[rows, bias] += factor * (tilt - level * mean * direction)
    half[bias, bias] += factor * mean


def _across(part: Pairs, j: int) -> Floats:
    """Return the parts of the columns' directions orthogonal to that of row j."""
    return part.columns.directions - np.outer(part.correlation[j], part.rows.directions[j])


def _inverse(sine: Floats) -> Floats:
    """Return 1 / sine, and 0 for parallel pairs: what it multiplies is zero twice over."""
    return np.divide(1.0, sine, out=np.zeros_like(sine), where=sine > 0.0)
