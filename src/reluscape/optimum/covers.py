"""Covers of all placements of breakpoints, as the checker builds them for itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# Columns of a cover: first breakpoint, kind, gaps a .. b, end of the first and begin of the second
# cell of a pair, and the gaps u .. v that others keep off.
LAYER, KIND, A, B, C, D, U, V = range(8)
# Kinds: single with sign 1, -1; single at the right end; pair; pairs with signs; links of chains.
AT_END, PAIR, SIGNED, FIRST, SECOND, LATER = 2, 3, 4, 8, 9, 10
SIGNS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
# Two inputs pin down a line.
LINE = 2
# Cells of the first cover, and parts of a wide cell; both are part of the file's format.
CELLS, PARTS = 64, 4


def last(cover: Integers) -> Integers:
    """Return the last breakpoint of each node."""
    return cover[:, LAYER] + paired(cover)


def paired(cover: Integers) -> Booleans:
    """Return which nodes hold two breakpoints."""
    return (cover[:, KIND] >= PAIR) & (cover[:, KIND] < FIRST)


def whole(m: int, k: int) -> Integers:
    """Cover all placements: about `CELLS` cells of gaps for each breakpoint.

    Neighbouring breakpoints are near if their cells have fewer than two inputs between them.
    Grouping near neighbours splits a placement into single breakpoints, pairs and longer chains,
    each a node (chains: one per link), so that lines between nodes see two inputs. A breakpoint
    near to an end of the data counts as near to it: a chain at the left end, kind 2 or any pair or
    chain at the right end; the line beyond costs nothing then.
    """
    cuts = np.unique(np.linspace(1, m, min(CELLS, m - 1) + 1).astype(np.int64))
    a, b = cuts[:-1], cuts[1:] - 1
    cells = [np.stack([a, b, a, b, a], axis=1)] * k
    every = [np.ones((len(c), 3), np.bool_) for c in cells]
    return _nodes(cells, every, [None] * (k - 1), m, k)


def _nodes(
    cells: list[Integers], flags: list[Booleans], wanted: list[Integers | None], m: int, k: int
) -> Integers:
    """List the nodes of cells (a, b, u, v, start of the old cell) per breakpoint.

    Flags say whether a cell may hold a single convex or concave breakpoint, or a link; `wanted`
    lists the pairs of old cells that pairs come from, None for all near ones.
    """
    parts: list[Integers] = []
    for j in range(k):
        a, b, u, v, _ = cells[j].T
        convex, concave, chained = flags[j].T
        start, end = (a < LINE) & (j == 0), (m - b < LINE) & (j == k - 1)
        inner = 1 <= j <= k - 2
        for kind, some in (
            (0, convex & ~start & ~end),
            (1, concave & ~start & ~end),
            (AT_END, (convex | concave) & ~start & end),
            (FIRST, chained & ~start & (j <= k - 3)),
            (SECOND, chained & inner),
            (LATER, chained & (start | (j >= 1))),
        ):
            clear = (u, v) if kind < AT_END else (a, b)
            parts.append(_stack(j, kind, a, b, b, a, *clear)[some])
    for j in range(k - 1):
        one, two = cells[j], cells[j + 1]
        low = np.searchsorted(two[:, 1], one[:, 0])
        high = np.maximum(np.searchsorted(two[:, 0], one[:, 1] + LINE), low)
        i = np.repeat(np.arange(len(one)), high - low)
        reach = high - low
        n = np.arange(int(reach.sum())) - np.repeat(np.cumsum(reach) - reach, reach)
        n += np.repeat(low, reach)
        pick = wanted[j]
        if pick is not None:
            both = flags[j][i, 2] & flags[j + 1][n, 2]
            both |= np.isin(one[i, 4] * (m + 1) + two[n, 4], pick)
            i, n = i[both], n[both]
        a1, b1, a2, b2 = one[i, 0], one[i, 1], two[n, 0], two[n, 1]
        fits = (a1 >= LINE) | (j > 0)
        signed = fits & (a1 == b1) & (a2 == b2) & (a2 == a1 + 1)
        signed &= (m - b2 >= LINE) | (j + 1 < k - 1)
        low, high = np.minimum(a1, a2), np.maximum(b1, b2)
        for kind in range(PAIR, FIRST):
            some = fits & ~signed if kind == PAIR else signed
            parts.append(_stack(j, kind, low, high, b1, a2, low, high)[some])
    return np.concatenate(parts)


def _stack(j: int, kind: int, *columns: Integers) -> Integers:
    return np.stack([np.full_like(columns[0], j), np.full_like(columns[0], kind), *columns], axis=1)


def halved(left: Integers, m: int, k: int) -> Integers:
    """Cover what is left after halving all wide cells.

    Singles stay single with their sign: cells shrink, so that what was not near stays so. Members
    of pairs and chains may come apart and become any kind, unless both cells of a pair are single
    gaps. Where a cell held nothing but singles, all pairs and chains it was in are deleted, so
    that cells near to the *old* cell still make no line with it: it keeps `u .. v` clear.
    """
    settled = paired(left) & (left[:, A] == left[:, C]) & (left[:, D] == left[:, B])
    loose = (left[:, KIND] >= PAIR) & ~settled | (left[:, KIND] == AT_END)
    cells: list[Integers] = []
    flags: list[Booleans] = []
    wanted: list[Integers | None] = []
    for j in range(k):
        here = left[:, LAYER] == j
        second = paired(left) & (left[:, LAYER] == j - 1)
        a = np.concatenate([left[here, A], left[second, D]])
        end = np.concatenate([left[here, C], left[second, B]])
        kind = np.concatenate([left[here, KIND], left[second, KIND]])
        free = np.concatenate([loose[here], loose[second]])
        clear = np.concatenate([left[here][:, [U, V]], left[second][:, [U, V]]])
        starts, first, index = np.unique(a, return_index=True, return_inverse=True)
        old = np.zeros((len(starts), 4), np.bool_)
        for column, some in enumerate(
            (free | (kind == 0), free | (kind == 1), kind >= FIRST, kind >= AT_END)
        ):
            old[index[some], column] = True
        ends = end[first]
        mixed = old[:, 3]
        middle = (starts + ends) // 2
        wide = ends > starts
        halves = [
            np.stack([low, high, u, v, start], axis=1)
            for low, high, u, v, start in (
                (starts, np.where(wide, middle, ends), *clear[first].T, starts),
                (middle[wide] + 1, ends[wide], *clear[first][wide].T, starts[wide]),
            )
        ]
        both, mix = np.concatenate(halves), np.concatenate([mixed, mixed[wide]])
        both[mix, 2:4] = both[mix, :2]
        order = np.argsort(both[:, 0])
        cells.append(both[order])
        flags.append(np.concatenate([old, old[wide]])[order][:, :3])
        if j:
            some = paired(left) & (left[:, LAYER] == j - 1)
            wanted.append(np.unique(left[some, A] * (m + 1) + left[some, D]))
    return _nodes(cells, flags, wanted, m, k)
