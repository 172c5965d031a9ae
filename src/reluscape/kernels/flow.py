"""The velocity of gradient flow inside one cell of the parameter space, where it is analytic.

In a cell every breakpoint stays in its piece of the table, and breakpoints keep their order. The
formulas are those of the descent, with pieces and order given instead of looked up: an integrator
may step over the border of the cell and back without meeting the kink in the velocity there.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.table import Table
from reluscape.kernels.typing import Floats, Integers, number

# What a neuron does on the support: nothing, active everywhere, active on one side of its
# breakpoint, or kept at w = b = 0.
OFF, ON, RIGHT, LEFT, STILL = number(0), number(1), number(2), number(3), number(4)
# The mark of a neuron that is on no datum.
FREE = number(-1)


@compiled
def velocity(
    theta: Floats,
    width: int,
    leak: float,
    kind: Integers,
    piece: Integers,
    order: Integers,
    datum: Integers,
    table: Table,
    out: Floats,
    push: Floats,
) -> None:
    """Write `-gradient` at `theta = (w, b, v, c[, u])` into `out`, for the cell given.

    `kind`, `piece` and `datum` are (width,); `order` (k,) lists the neurons with a breakpoint in
    the support from left to right. A neuron with `datum[j] = k >= 0` slides on the k-th datum: its
    breakpoint stays there. `push` (width, 2) receives how fast its pre-activation at the datum
    would change without and with the datum counted as active.
    """
    skip = 3 * width + 2 == theta.shape[0]
    high, centres = table.high, table.centres
    x_centre, x_scale = table.x_centre, table.x_scale
    per_y = 1.0 / table.y_scale
    gain = 2.0 * table.mass * table.y_scale
    degree = high.shape[1] - 1
    last = high.shape[0] - 1
    c = theta[3 * width]
    u = theta[3 * width + 1] if skip else 0.0
    # The line at the left end of the support.
    slope, constant = u * x_scale, c + u * x_centre - table.y_centre
    for j in range(width):
        w, b, v = theta[j], theta[width + j], theta[2 * width + j]
        share = v if kind[j] == ON or kind[j] == LEFT else leak * v
        slope += share * w * x_scale
        constant += share * (b + w * x_centre)
    slope *= per_y
    constant *= per_y
    turn = (1.0 - leak) * per_y
    left = np.zeros((width, 2))
    error0 = error1 = 0.0
    before = np.zeros(5)
    now = np.empty(5)
    inside = order.shape[0]
    for i in range(inside + 1):
        j = order[i] if i < inside else -1
        row, z, rise, level = last, 0.0, 0.0, 0.0
        if j >= 0:
            row = piece[j]
            rise, level = theta[j] * x_scale, theta[width + j] + theta[j] * x_centre
            if degree > 0:
                z = -level / rise - centres[row]
        for k in range(5):
            now[k] = high[row, degree, k]
        for d in range(degree - 1, -1, -1):
            for k in range(5):
                now[k] = now[k] * z + high[row, d, k]
        m0, m1, m2 = now[0] - before[0], now[1] - before[1], now[2] - before[2]
        error0 += slope * m1 + constant * m0 - (now[3] - before[3])
        error1 += slope * m2 + constant * m1 - (now[4] - before[4])
        for k in range(5):
            before[k] = now[k]
        if j >= 0:
            left[j, 0], left[j, 1] = error0, error1
            v = theta[2 * width + j]
            change = -v * turn if kind[j] == LEFT else v * turn
            slope += change * rise
            constant += change * level
    for j in range(width):
        w, b, v = theta[j], theta[width + j], theta[2 * width + j]
        on0 = on1 = 0.0
        if kind[j] == ON:
            on0, on1 = error0, error1
        elif kind[j] == RIGHT:
            on0, on1 = error0 - left[j, 0], error1 - left[j, 1]
        elif kind[j] == LEFT:
            on0, on1 = left[j, 0], left[j, 1]
        g0 = gain * ((1.0 - leak) * on0 + leak * error0)
        g1 = gain * ((1.0 - leak) * on1 + leak * error1)
        gx = x_scale * g1 + x_centre * g0
        dw, db = -v * gx, -v * g0
        out[2 * width + j] = -(w * x_scale * g1 + (b + w * x_centre) * g0)
        if kind[j] == STILL:
            dw = db = out[2 * width + j] = 0.0
        if datum[j] >= 0:
            x = x_centre + x_scale * table.edges[datum[j]]
            pull = gain * (1.0 - leak) * error_at(theta, width, leak, kind, piece, datum[j], table)
            push[j, 0] = x * dw + db
            push[j, 1] = push[j, 0] - v * pull * (x * x + 1.0)
            # The mixture of the two that keeps w x + b = 0 is their common part along that line.
            dw = (dw - x * db) / (1.0 + x * x)
            db = -x * dw
        out[j], out[width + j] = dw, db
    out[3 * width] = -gain * error0
    if skip:
        out[3 * width + 1] = -gain * (x_scale * error1 + x_centre * error0)


@inner
def error_at(
    theta: Floats,
    width: int,
    leak: float,
    kind: Integers,
    piece: Integers,
    k: int,
    table: Table,
) -> float:
    """Return weight times error at the k-th datum, in the frame of the table."""
    high, low = table.high, table.low
    x = table.x_centre + table.x_scale * table.edges[k]
    value = theta[3 * width] - table.y_centre
    if theta.shape[0] == 3 * width + 2:
        value += theta[3 * width + 1] * x
    for j in range(width):
        active = kind[j] == ON
        active = active or (kind[j] == RIGHT and piece[j] <= k)
        active = active or (kind[j] == LEFT and piece[j] > k)
        share = theta[2 * width + j] * (1.0 if active else leak)
        value += share * (theta[j] * x + theta[width + j])
    # Sums over all data less sums over all data but one: the low parts count.
    weight = (high[k + 1, 0, 0] - high[k, 0, 0]) + (low[k + 1, 0, 0] - low[k, 0, 0])
    target = (high[k + 1, 0, 3] - high[k, 0, 3]) + (low[k + 1, 0, 3] - low[k, 0, 3])
    return weight * value / table.y_scale - target
