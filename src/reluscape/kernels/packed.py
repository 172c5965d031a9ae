"""The table of cumulative moments as eight networks read it.

A continuous problem with few pieces has its coefficients laid out so that a register holds one of
them for all pieces. Other tables are read row by row: all that a step needs of a piece of data fits
into one line of the cache.
"""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled, inlined, inner
from reluscape.kernels.lanes import (
    LANES,
    Address,
    Eight,
    Places,
    Truths,
    any_of,
    at_most,
    both,
    columns,
    counted,
    differ,
    either,
    equal,
    floors,
    fma,
    gather_counts,
    less,
    load,
    no_places,
    picked,
    scaled,
    shifted,
    spread,
    spread_at,
    stepped,
    where,
)
from reluscape.kernels.table import Table, count_below
from reluscape.kernels.typing import Floats, Integers

# Pieces that a breakpoint is followed over, from where its bucket begins, before it is looked up.
PATIENCE = 8


@compiled
def pack(table: Table, packed: Floats) -> None:
    """Write what a step reads of each piece into as many rows of eight, (pieces, degree + 1, 8).

    Coefficients of five moments, lowest degree first; then, in the first row, the edges of the
    piece, infinite at the ends, and its centre. For data, a piece is one line of the cache.
    """
    edges = table.edges
    for p in range(packed.shape[0]):
        for d in range(packed.shape[1]):
            for i in range(5):
                packed[p, d, i] = table.high[p, d, i]
            for i in range(5, LANES):
                packed[p, d, i] = 0.0
        packed[p, 0, 5] = edges[p - 1] if p > 0 else -np.inf
        packed[p, 0, 6] = edges[p] if p < edges.shape[0] else np.inf
        packed[p, 0, 7] = table.centres[p] if packed.shape[1] > 1 else 0.0


@compiled
def pack_few(table: Table, packed: Floats) -> None:
    """Write what a step reads of at most eight pieces, (degree + 1, 8, 8), pieces last.

    Coefficients of five moments, lowest degree first; then, in the first row, the centres. The
    pieces beyond the ends count, so that a neuron that sees nothing finds exactly nothing.
    """
    packed[:] = 0.0
    for p in range(table.high.shape[0]):
        for d in range(packed.shape[0]):
            for i in range(5):
                packed[d, i, p] = table.high[p, d, i]
        packed[0, 5, p] = table.centres[p]


@inlined
def picked_moments(
    packed: Address, edges: Address, inside: int, degree: int, t: Eight
) -> tuple[Eight, Eight, Eight, Eight, Eight]:
    """Return five cumulative moments where at most eight pieces are packed for `picked`."""
    piece = counted(no_places(0.0), less(spread_at(edges, 0), t))
    for p in range(1, inside + 1):
        piece = counted(piece, at_most(spread_at(edges, p), t))
    z = t - picked(load(packed, 5 * LANES), piece)
    at = degree * LANES * LANES
    m0 = picked(load(packed, at), piece)
    m1 = picked(load(packed, at + LANES), piece)
    m2 = picked(load(packed, at + 2 * LANES), piece)
    f0 = picked(load(packed, at + 3 * LANES), piece)
    f1 = picked(load(packed, at + 4 * LANES), piece)
    for _ in range(degree):
        at -= LANES * LANES
        m0 = fma(m0, z, picked(load(packed, at), piece))
        m1 = fma(m1, z, picked(load(packed, at + LANES), piece))
        m2 = fma(m2, z, picked(load(packed, at + 2 * LANES), piece))
        f0 = fma(f0, z, picked(load(packed, at + 3 * LANES), piece))
        f1 = fma(f1, z, picked(load(packed, at + 4 * LANES), piece))
    return m0, m1, m2, f0, f1


@inner
def look_again(
    table: Table, pieces: Integers, t: Floats, w: Floats, at: int, here: int, active: bool
) -> None:
    """Find the pieces of one neuron of every lane anew."""
    for lane in range(at, at + LANES):
        inclusive = (w[here + lane] * table.x_scale >= 0.0) != active
        pieces[lane] = count_below(table.edges, table.buckets, t[lane], inclusive)


@inlined
def follow(
    edges: Address,
    inside: int,
    buckets: Address,
    count: int,
    packed: Address,
    degree: int,
    piece: Places,
    t: Eight,
    towards_left: Truths,
    active: bool,
) -> tuple[Places, bool, Eight, Eight, Eight, Eight, Eight]:
    """Return the pieces of breakpoints, whether they are right, and five cumulative moments.

    Most breakpoints are in the piece of a step ago or next to it; those that are not are looked
    for in the buckets, whose first piece is seldom far off either.
    """
    row = LANES * (degree + 1)
    first, final = spread_at(edges, 0), spread_at(edges, inside)
    kept = where(less(t, first), first, t)
    kept = where(less(final, kept), final, kept)
    always = less(spread(0.0), spread(1.0))
    # A datum on the breakpoint is active or not, as the convention has it.
    back_at = differ(towards_left, always) if active else towards_left
    on_at = differ(back_at, always)
    m0, m1, m2, f0, f1, low, high, centre = columns(packed, scaled(piece, row))
    right = False
    for attempt in range(PATIENCE):
        back = either(less(t, low), both(equal(low, t), back_at))
        on = either(less(high, t), both(equal(high, t), on_at))
        if not any_of(either(back, on)):
            right = True
            break
        if attempt == 0:
            share = (kept - first) / (final - first) * float(count)
            most = spread(float(count - 1))
            piece = gather_counts(buckets, floors(where(less(share, most), share, most)))
        else:
            piece = stepped(piece, on, back)
        m0, m1, m2, f0, f1, low, high, centre = columns(packed, scaled(piece, row))
    if degree > 0:
        z = kept - centre
        power = z
        for d in range(1, degree + 1):
            place = shifted(scaled(piece, row), LANES * d)
            a0, a1, a2, a3, a4, _, _, _ = columns(packed, place)
            m0, m1, m2 = fma(a0, power, m0), fma(a1, power, m1), fma(a2, power, m2)
            f0, f1 = fma(a3, power, f0), fma(a4, power, f1)
            power = power * z
    return piece, right, m0, m1, m2, f0, f1
