"""A network given in the user's units: its parameters in the frame of the table, evaluated."""

from __future__ import annotations

import math

import numpy as np

from reluscape.kernels import exact
from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.table import Table
from reluscape.kernels.twofold import add, two_product, two_sum
from reluscape.kernels.typing import Floats


@inner
def reduce(
    w: Floats, b: Floats, v: Floats, c: float, u: float, table: Table
) -> tuple[Floats, Floats, Floats, Floats, float, Floats]:
    """Return weights, biases (width, 2), outputs, offset (2,), skip and powers, without rounding.

    Biases and offset are unevaluated pairs. Neurons are divided by powers of two, and their outputs
    multiplied, so that extreme units cannot overflow the products.
    """
    width = w.shape[0]
    bias = exact.shifted_biases(w, b, table.x_centre)
    weights, outputs, power = np.empty(width), np.empty(width), np.empty(width)
    for j in range(width):
        size = max(abs(w[j] * table.x_scale), abs(bias[j, 0]))
        power[j] = math.ldexp(1.0, math.frexp(size)[1] - 1) if 0.0 < size < np.inf else 1.0
        weights[j] = w[j] * table.x_scale / power[j]
        bias[j, 0] /= power[j]
        bias[j, 1] /= power[j]
        outputs[j] = v[j] * power[j] / table.y_scale
    offset = np.empty(2)
    high, low = two_sum(c, -table.y_centre)
    ph, pl = two_product(u, table.x_centre)
    high, low = add(high, low, ph, pl)
    offset[0], offset[1] = high / table.y_scale, low / table.y_scale
    return weights, bias, outputs, offset, u * table.x_scale / table.y_scale, power


@compiled
def evaluate(
    w: Floats,
    b: Floats,
    v: Floats,
    c: float,
    u: float,
    leak: float,
    at_zero_active: bool,
    table: Table,
) -> tuple[
    tuple[Floats, Floats, Floats, Floats, float, Floats],
    tuple[float, Floats, Floats, Floats, float, float],
]:
    """Return the parameters of `reduce`, and all that `exact.evaluate` says of them."""
    width = w.shape[0]
    reduced = reduce(w, b, v, c, u, table)
    weights, bias, outputs, offset, skip, _ = reduced
    integrals = np.zeros((width, 3))
    kinks, segments = np.zeros(width), np.zeros((width + 1, 3))
    squares, error, error_x = exact.evaluate(
        weights,
        bias,
        outputs,
        offset,
        skip,
        leak,
        at_zero_active,
        table,
        integrals,
        kinks,
        segments,
    )
    return reduced, (squares, integrals, kinks, segments, error, error_x)
