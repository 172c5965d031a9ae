"""Risk and generalized gradient of one network in twofold arithmetic.

The parameters arrive in the frame of the table, exactly: biases and offset as pairs. Everything
is accumulated in about 32 digits and rounded once, so that the result is that of exact arithmetic
to the last bits unless the true value cancels by more than sixteen digits.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inner
from reluscape.kernels.table import Table, count_below, densities, read
from reluscape.kernels.twofold import add, multiply, scale, subtract, two_product, two_sum
from reluscape.kernels.typing import Booleans, Floats, Integers, number

# Where `evaluate` keeps its reading.
NOW = number(0)
# The integrals of a line's error against 1 and x.
OF_ERROR, OF_X_ERROR = number(0), number(1)


@inner
def preactivation(w: float, bias_high: float, bias_low: float, x: float) -> float:
    """Return `w x + b` with a correct sign, zero only when it is zero."""
    p, e = two_product(w, x)
    s, r = two_sum(p, bias_high)
    return s + (r + (e + bias_low))


@inner
def locate(table: Table, w: float, bh: float, bl: float, t: float, inclusive: bool) -> int:
    """Count the edges below (or at, if inclusive) the breakpoint, by the sign of `w x + b`."""
    edges = table.edges
    k = count_below(edges, table.buckets, t, inclusive)
    if table.high.shape[1] > 1:
        return k
    sign = 1.0 if w > 0.0 else -1.0
    while k > 0:
        side = sign * preactivation(w, bh, bl, edges[k - 1])
        if side < 0.0 or (inclusive and side == 0.0):
            break
        k -= 1
    while k < edges.shape[0]:
        side = sign * preactivation(w, bh, bl, edges[k])
        if side > 0.0 or (side == 0.0 and not inclusive):
            break
        k += 1
    return k


@inner
def place(
    w: Floats, bias: Floats, at_zero_active: bool, table: Table, t: Floats, piece: Integers
) -> Integers:
    """Write each neuron's breakpoint and piece; return the neurons in order of breakpoint.

    A neuron with w = 0 has its breakpoint at minus infinity if it is active, else at infinity.
    """
    for j in range(w.shape[0]):
        if w[j] == 0.0:
            active = bias[j, 0] > 0.0 or (bias[j, 0] == 0.0 and at_zero_active)
            t[j] = -np.inf if active else np.inf
            piece[j] = 0 if active else table.edges.shape[0]
        else:
            t[j] = -bias[j, 0] / w[j] - bias[j, 1] / w[j]
            inclusive = (w[j] > 0.0) != at_zero_active
            piece[j] = locate(table, w[j], bias[j, 0], bias[j, 1], t[j], inclusive)
    order = np.empty(w.shape[0], np.int64)
    for j in range(w.shape[0]):
        i = j
        # Pieces first: they are exact, and differ at one place by whether a datum there counts.
        while i > 0 and (
            piece[order[i - 1]] > piece[j]
            or (piece[order[i - 1]] == piece[j] and t[order[i - 1]] > t[j])
        ):
            order[i] = order[i - 1]
            i -= 1
        order[i] = j
    return order


@compiled
def evaluate(
    w: Floats,
    bias: Floats,
    v: Floats,
    offset: Floats,
    skip: float,
    leak: float,
    at_zero_active: bool,
    table: Table,
    integrals: Floats,
    kinks: Floats,
    segments: Floats,
) -> tuple[float, float, float]:
    """Return the sum of squares and the integrals of e and x e, in the frame of the table.

    Parameters are `w` (width,), `bias` (width, 2), `v` (width,), `offset` (2,). Written are, per
    neuron, `integrals` (width, 3): those of `s' e`, `s' x e` and `s(w x + b) e`; `kinks` (width,):
    `e p` at the breakpoint (zero for data); and, per interval between breakpoints, `segments`
    (width + 1, 3): mass, mean of x, and the sum of squares of x about that mean.
    """
    width = w.shape[0]
    t = np.empty(width)
    piece = np.empty(width, np.int64)
    order = place(w, bias, at_zero_active, table, t, piece)
    last = table.high.shape[0] - 1
    # The line of the leftmost interval, slope and constant as pairs.
    sh, sl = skip, 0.0
    ch, cl = offset[0], offset[1]
    for j in range(width):
        share = v[j] if w[j] < 0.0 else leak * v[j]
        ph, pl = two_product(share, w[j])
        sh, sl = add(sh, sl, ph, pl)
        ph, pl = scale(bias[j, 0], bias[j, 1], share)
        ch, cl = add(ch, cl, ph, pl)
    now = np.empty((1, 12))
    before, delta = np.empty((6, 2)), np.empty((6, 2))
    for k in range(6):
        before[k, 0] = before[k, 1] = 0.0
    left = np.empty((width, 4))
    e0h = e0l = e1h = e1l = rh = rl = 0.0
    for i in range(width + 1):
        j = order[i] if i < width else -1
        if j >= 0:
            read(table, piece[j], t[j], now, NOW, NOW)
        else:
            read(table, last, np.inf, now, NOW, NOW)
        for k in range(6):
            high, low = now[0, 2 * k], now[0, 2 * k + 1]
            delta[k, 0], delta[k, 1] = subtract(high, low, before[k, 0], before[k, 1])
            before[k, 0] = high
            before[k, 1] = low
        mass = delta[0, 0]
        segments[i, 0] = mass
        segments[i, 1] = 0.0
        segments[i, 2] = 0.0
        if mass > 0.0:
            segments[i, 1] = delta[1, 0] / mass
            ph, pl = scale(delta[1, 0], delta[1, 1], segments[i, 1])
            segments[i, 2] = max(subtract(delta[2, 0], delta[2, 1], ph, pl)[0], 0.0)
        d0h, d0l = line_integral(sh, sl, ch, cl, delta, OF_ERROR)
        d1h, d1l = line_integral(sh, sl, ch, cl, delta, OF_X_ERROR)
        e0h, e0l = add(e0h, e0l, d0h, d0l)
        e1h, e1l = add(e1h, e1l, d1h, d1l)
        ph, pl = subtract(d1h, d1l, delta[4, 0], delta[4, 1])
        ph, pl = multiply(ph, pl, sh, sl)
        rh, rl = add(rh, rl, ph, pl)
        ph, pl = subtract(d0h, d0l, delta[3, 0], delta[3, 1])
        ph, pl = multiply(ph, pl, ch, cl)
        rh, rl = add(rh, rl, ph, pl)
        rh, rl = add(rh, rl, delta[5, 0], delta[5, 1])
        if j < 0:
            break
        left[j, 0], left[j, 1], left[j, 2], left[j, 3] = e0h, e0l, e1h, e1l
        if table.high.shape[1] > 1 and w[j] != 0.0:
            p, fp = densities(table, piece[j], t[j])
            kinks[j] = (sh * t[j] + ch) * p - fp
        turn = -v[j] if w[j] < 0.0 else v[j]
        turn -= leak * turn
        ph, pl = two_product(turn, w[j])
        sh, sl = add(sh, sl, ph, pl)
        ph, pl = scale(bias[j, 0], bias[j, 1], turn)
        ch, cl = add(ch, cl, ph, pl)
    for j in range(width):
        ah, al, bh, bl = left[j, 0], left[j, 1], left[j, 2], left[j, 3]
        if w[j] >= 0.0:
            ah, al = subtract(e0h, e0l, ah, al)
            bh, bl = subtract(e1h, e1l, bh, bl)
        ah, al = blend(ah, al, e0h, e0l, leak)
        bh, bl = blend(bh, bl, e1h, e1l, leak)
        integrals[j, 0] = ah
        integrals[j, 1] = bh
        ph, pl = scale(bh, bl, w[j])
        qh, ql = multiply(ah, al, bias[j, 0], bias[j, 1])
        integrals[j, 2] = add(ph, pl, qh, ql)[0]
    return (0.0 if rh < 0.0 else rh), e0h, e1h


@compiled
def shifted_biases(w: Floats, b: Floats, centre: float) -> Floats:
    """Return `b + w centre` as pairs, (width, 2)."""
    bias = np.empty((w.shape[0], 2))
    for j in range(w.shape[0]):
        high, low = two_product(w[j], centre)
        bias[j, 0], bias[j, 1] = add(high, low, b[j], 0.0)
    return bias


@compiled
def risk(
    w: Floats,
    b: Floats,
    v: Floats,
    affine: Floats,
    leak: float,
    table: Table,
) -> float:
    """Return the risk of a network given in the user's units, `affine` = (c, u)."""
    width = w.shape[0]
    bias = shifted_biases(w, b, table.x_centre)
    offset = np.empty(2)
    kinks = np.zeros_like(w)
    high, low = two_product(affine[1], table.x_centre)
    ch, cl = two_sum(affine[0], -table.y_centre)
    high, low = add(high, low, ch, cl)
    offset[0], offset[1] = high / table.y_scale, low / table.y_scale
    squares, _, _ = evaluate(
        w * table.x_scale,
        bias,
        v / table.y_scale,
        offset,
        affine[1] * table.x_scale / table.y_scale,
        leak,
        False,
        table,
        np.empty((width, 3)),
        kinks,
        np.empty((width + 1, 3)),
    )
    result = squares * table.mass * table.y_scale * table.y_scale
    # Infinity minus infinity is no number; the risk it stands for is beyond all.
    return result if result < np.inf else np.inf


@inner
def line_integral(
    sh: float, sl: float, ch: float, cl: float, delta: Floats, k: int
) -> tuple[float, float]:
    """Return the integral of `x^k (s x + c - f) p` over an interval with moments `delta`."""
    ah, al = multiply(delta[k + 1, 0], delta[k + 1, 1], sh, sl)
    bh, bl = multiply(delta[k, 0], delta[k, 1], ch, cl)
    ah, al = add(ah, al, bh, bl)
    return subtract(ah, al, delta[k + 3, 0], delta[k + 3, 1])


@inner
def blend(
    on_high: float, on_low: float, all_high: float, all_low: float, leak: float
) -> tuple[float, float]:
    """Return `(1 - leak) on + leak all`: an integral against the slope of the activation."""
    if leak == 0.0:
        return on_high, on_low
    dh, dl = subtract(all_high, all_low, on_high, on_low)
    dh, dl = scale(dh, dl, leak)
    return add(on_high, on_low, dh, dl)


@compiled
def activity(
    w: Floats, bias: Floats, leak: float, at_zero_active: bool, table: Table, active: Floats
) -> Booleans:
    """Write the slope of each activation on each interval: `active` (width + 1, width).

    Return which neurons have their breakpoint inside the support, shape (width,).
    """
    width = w.shape[0]
    t = np.empty(width)
    piece = np.empty(width, np.int64)
    order = place(w, bias, at_zero_active, table, t, piece)
    for i in range(width + 1):
        for r in range(width):
            j = order[r]
            on = (r < i) == (w[j] >= 0.0)
            active[i, j] = 1.0 if on else leak
    return (t > table.edges[0]) & (t < table.edges[table.edges.shape[0] - 1])
