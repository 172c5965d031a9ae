"""Where many descents have ended: norms of parameters and gradients, one row a network."""

from __future__ import annotations

import math

from reluscape.kernels import framed
from reluscape.kernels.compiled import compiled
from reluscape.kernels.table import Table
from reluscape.kernels.typing import Floats


@compiled
def norms(
    theta: Floats,
    has_skip: bool,
    leak: float,
    at_zero_active: bool,
    table: Table,
    balanced: Floats,
    slopes: Floats,
) -> None:
    """Write the norms of the networks (w, b, v, c, u) in the rows of `theta` (runs, 3 width + 2).

    `balanced` (runs,) receives the norm of (w, b, v) after rescaling each neuron to
    `w^2 + b^2 = v^2`, `slopes` (runs,) that of the generalized gradient: by u too with a skip
    connection. Both are in the user's units.
    """
    width = (theta.shape[1] - 2) // 3
    gain = 2.0 * table.mass * table.y_scale
    for row in range(theta.shape[0]):
        w, b = theta[row, :width], theta[row, width : 2 * width]
        v, c, u = (
            theta[row, 2 * width : 3 * width],
            theta[row, 3 * width],
            theta[row, 3 * width + 1],
        )
        reduced, seen = framed.evaluate(w, b, v, c, u, leak, at_zero_active, table)
        power, integrals, error, error_x = reduced[5], seen[1], seen[4], seen[5]
        size, square = 0.0, error * error
        if has_skip:
            by_skip = table.x_scale * error_x + table.x_centre * error
            square += by_skip * by_skip
        for j in range(width):
            size += 2.0 * abs(v[j]) * math.hypot(w[j], b[j])
            on, on_x, output = integrals[j, 0], integrals[j, 1], integrals[j, 2] * power[j]
            by_w = v[j] * (table.x_scale * on_x + table.x_centre * on)
            square += by_w * by_w + v[j] * on * v[j] * on + output * output
        balanced[row] = math.sqrt(size)
        slopes[row] = gain * math.sqrt(square)
