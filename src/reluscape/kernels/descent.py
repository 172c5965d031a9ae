"""Textbook full-batch gradient descent on cumulative moments.

One step needs the moments at the breakpoints only: O(width) work plus the look-up of each
breakpoint, whatever the number of data. Neurons are kept sorted by breakpoint between steps, so
that sorting is nearly free.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.exact import risk
from reluscape.kernels.table import Table
from reluscape.kernels.typing import Floats, Integers

# Beyond this size of a parameter a run is called diverged: fourth powers, which the risk is made
# of, still fit into a double.
DIVERGED = 1e60


@compiled
def descend(
    w: Floats,
    b: Floats,
    v: Floats,
    affine: Floats,
    has_skip: bool,
    leak: float,
    at_zero_active: bool,
    table: Table,
    step_size: float,
    steps: int,
    record_every: int,
    risks: Floats,
    norms: Floats,
    kept: Integers,
    trail: Floats,
) -> int:
    """Run gradient descent in place on one network; return the number of steps made.

    `w`, `b`, `v` are (width,), `affine` is `(c, u)`. `risks[i]` receives the risk before step
    `i * record_every`, as long as there is room, and so does `norms[i]` the balanced norm.
    `trail[k]`, of (rows, 3 width + 2), receives the parameters (w, b, v, c, u) at record `kept[k]`;
    `kept` increases. A step that leaves the range of floating point is not made: the parameters are
    then those before it and fewer steps than asked are returned.
    """
    width = w.shape[0]
    edges, buckets = table.edges, table.buckets
    centres, high = table.centres, table.high
    x_centre, x_scale, y_centre = table.x_centre, table.x_scale, table.y_centre
    last = high.shape[0] - 1
    degree = high.shape[1] - 1
    per_y = 1.0 / table.y_scale
    gain = 2.0 * table.mass * table.y_scale
    order = np.empty(width, np.int64)
    for j in range(width):
        order[j] = j
    piece = np.zeros(width, np.int64)
    t = np.empty(width)
    wt = np.empty(width)
    bt = np.empty(width)
    left0 = np.empty(width)
    left1 = np.empty(width)
    old = np.empty((3, width))
    total0, total1, total2 = high[last, 0, 0], high[last, 0, 1], high[last, 0, 2]
    total3, total4 = high[last, 0, 3], high[last, 0, 4]
    first = edges[0]
    final = edges[edges.shape[0] - 1]
    count = buckets.shape[0] - 1
    extent = final - first
    made = 0
    row = 0
    for step in range(steps + 1):
        for j in range(width):
            wt[j] = w[j] * x_scale
            bt[j] = b[j] + w[j] * x_centre
            t[j] = -bt[j] / wt[j]
        for j in range(width):
            if wt[j] == 0.0:
                active = bt[j] > 0.0 or (bt[j] == 0.0 and at_zero_active)
                t[j] = -np.inf if active else np.inf
        for j in range(1, width):
            if t[j] < t[j - 1]:
                sort_in(j, t, w, b, v, wt, bt, piece, order)
        recording = record_every > 0 and step % record_every == 0
        recording = recording and step // record_every < risks.shape[0]
        if recording:
            at = step // record_every
            risks[at] = risk(w, b, v, affine, leak, table)
            if at < norms.shape[0]:
                norms[at] = balanced_norm(w, b, v)
            if row < kept.shape[0] and kept[row] == at:
                write(trail[row], order, w, b, v, affine)
                row += 1
        if step == steps:
            break
        for j in range(width):
            inclusive = (wt[j] >= 0.0) != at_zero_active
            # `count_below`, written out: a call with arrays costs three times the look-up itself.
            if t[j] < first or (t[j] == first and not inclusive):
                piece[j] = 0
            elif t[j] > final or (t[j] == final and inclusive):
                piece[j] = last
            else:
                bucket = min(count - 1, int((t[j] - first) / extent * count))
                low = buckets[bucket]
                high_end = buckets[bucket + 1]
                while low < high_end:
                    middle = (low + high_end) >> 1
                    below = edges[middle] <= t[j] if inclusive else edges[middle] < t[j]
                    if below:
                        low = middle + 1
                    else:
                        high_end = middle
                piece[j] = low
        # The line at the left end of the support. Neurons with their breakpoint outside never
        # change: adding and taking away a large inactive one would cost digits.
        slope = affine[1] * x_scale
        constant = affine[0] + affine[1] * x_centre - y_centre
        for j in range(width):
            active = (wt[j] >= 0.0) == (piece[j] == 0)
            share = v[j] if active else leak * v[j]
            slope += share * wt[j]
            constant += share * bt[j]
        slope *= per_y
        constant *= per_y
        turn = (1.0 - leak) * per_y
        error0 = 0.0
        error1 = 0.0
        p0 = p1 = p2 = q0 = q1 = 0.0
        for j in range(width + 1):
            if j < width:
                p = np.uint64(piece[j])
                m0 = high[p, degree, 0]
                m1 = high[p, degree, 1]
                m2 = high[p, degree, 2]
                f0 = high[p, degree, 3]
                f1 = high[p, degree, 4]
                if degree > 0:
                    z = min(max(t[j], first), final) - centres[p]
                    for d in range(degree - 1, -1, -1):
                        m0 = m0 * z + high[p, d, 0]
                        m1 = m1 * z + high[p, d, 1]
                        m2 = m2 * z + high[p, d, 2]
                        f0 = f0 * z + high[p, d, 3]
                        f1 = f1 * z + high[p, d, 4]
            else:
                m0, m1, m2, f0, f1 = total0, total1, total2, total3, total4
            e0 = slope * (m1 - p1) + constant * (m0 - p0) - (f0 - q0)
            e1 = slope * (m2 - p2) + constant * (m1 - p1) - (f1 - q1)
            error0 += e0
            error1 += e1
            p0, p1, p2, q0, q1 = m0, m1, m2, f0, f1
            if j < width:
                left0[j] = error0
                left1[j] = error1
                if piece[j] > 0:
                    change = v[j] * turn
                    if wt[j] < 0.0:
                        change = -change
                    slope += change * wt[j]
                    constant += change * bt[j]
        # The update: all gradients are taken at the old parameters.
        size = 0.0
        rate = step_size * gain
        all0 = leak * error0
        all1 = leak * error1
        for j in range(width):
            old[0, j] = w[j]
            old[1, j] = b[j]
            old[2, j] = v[j]
            on0 = error0 - left0[j] if wt[j] >= 0.0 else left0[j]
            on1 = error1 - left1[j] if wt[j] >= 0.0 else left1[j]
            g0 = (1.0 - leak) * on0 + all0
            g1 = (1.0 - leak) * on1 + all1
            pull = rate * v[j]
            v[j] -= rate * (wt[j] * g1 + bt[j] * g0)
            w[j] -= pull * (x_scale * g1 + x_centre * g0)
            b[j] -= pull * g0
            size += abs(w[j]) + abs(b[j]) + abs(v[j])
        c = affine[0] - rate * error0
        u = affine[1]
        if has_skip:
            u -= rate * (x_scale * error1 + x_centre * error0)
        size += abs(c) + abs(u)
        if not size < DIVERGED:
            for j in range(width):
                w[j] = old[0, j]
                b[j] = old[1, j]
                v[j] = old[2, j]
            break
        affine[0] = c
        affine[1] = u
        made = step + 1
    restore(order, w, b, v)
    return made


@inner
def sort_in(
    j: int,
    t: Floats,
    w: Floats,
    b: Floats,
    v: Floats,
    wt: Floats,
    bt: Floats,
    piece: Integers,
    order: Integers,
) -> None:
    """Move neuron j down to its place among the sorted neurons 0 … j - 1."""
    tj, wj, bj, vj = t[j], w[j], b[j], v[j]
    wtj, btj, pj, oj = wt[j], bt[j], piece[j], order[j]
    i = j
    while i > 0 and t[i - 1] > tj:
        t[i], w[i], b[i], v[i] = t[i - 1], w[i - 1], b[i - 1], v[i - 1]
        wt[i], bt[i], piece[i], order[i] = wt[i - 1], bt[i - 1], piece[i - 1], order[i - 1]
        i -= 1
    t[i], w[i], b[i], v[i] = tj, wj, bj, vj
    wt[i], bt[i], piece[i], order[i] = wtj, btj, pj, oj


@inner
def restore(order: Integers, w: Floats, b: Floats, v: Floats) -> None:
    """Undo the sorting: neuron `order[j]` of the caller is neuron j of the run."""
    sorted_w, sorted_b, sorted_v = w.copy(), b.copy(), v.copy()
    for j in range(order.shape[0]):
        w[order[j]] = sorted_w[j]
        b[order[j]] = sorted_b[j]
        v[order[j]] = sorted_v[j]


@inner
def balanced_norm(w: Floats, b: Floats, v: Floats) -> float:
    """Return the norm of (w, b, v) where each neuron is rescaled to `w^2 + b^2 = v^2`."""
    squares = 0.0
    for j in range(w.shape[0]):
        squares += 2.0 * abs(v[j]) * np.sqrt(w[j] * w[j] + b[j] * b[j])
    return np.sqrt(squares)


@inner
def write(row: Floats, order: Integers, w: Floats, b: Floats, v: Floats, affine: Floats) -> None:
    """Write (w, b, v, c, u) with the neurons in the order of the caller."""
    width = w.shape[0]
    for j in range(width):
        row[order[j]] = w[j]
        row[width + order[j]] = b[j]
        row[2 * width + order[j]] = v[j]
    row[3 * width] = affine[0]
    row[3 * width + 1] = affine[1]
