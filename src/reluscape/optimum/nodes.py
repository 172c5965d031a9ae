"""Covers of all ways to place breakpoints: clusters of neighbouring breakpoints as nodes.

Gap g, for 0 < g < m, lies between places g - 1 and g of m; each of the k breakpoints, in order,
lies in some gap. Cells are ranges of gaps, the same for all breakpoints. Two neighbouring
breakpoints are near if fewer than two places lie between their cells, and near neighbours form
clusters. A node stands for

* a single breakpoint that is near to no other, convex (kind 0) or concave (1);
* a cluster of any size of which nothing is known but its first and its last cell, or a single
  breakpoint so near to an end that there is no line beyond (2);
* two breakpoints in neighbouring gaps, one kind for each choice of the two signs (4 to 7).

Every placement is one path of nodes, joined by lines that see at least two places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.certificate import ANY_REACH, FAR, NEAR, kind_of

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

CONVEX, CONCAVE, LOOSE, SIGNED_PAIR = 0, 1, 2, 4
SIGNS = ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0))
# Places that pin down a line.
LINE = 2


@dataclass(frozen=True, eq=False)
class Nodes:
    """A cover: one entry per node.

    Attributes
    ----------
    layer, size, kind : ndarray of int
        First breakpoint, number of breakpoints, and kind.
    a, b : ndarray of int
        First and last gap.
    c, d : ndarray of int
        End of the first breakpoint's cell, begin of the last one's.
    u, v : ndarray of int
        The gaps that the node keeps clear of others: cells near to these make no line with it.
        They are wider than a .. b where all clusters of wider cells are gone already.
    before, after : ndarray of int
        How near the node before it, and the one after it, must be: `ANY_REACH`, `NEAR` or `FAR`.
    cells : (ndarray of int, ndarray of int)
        First and last gap of all cells that breakpoints of the nodes may be in, in order.
    """

    layer: Integers
    size: Integers
    kind: Integers
    a: Integers
    b: Integers
    c: Integers
    d: Integers
    u: Integers
    v: Integers
    before: Integers
    after: Integers
    cells: tuple[Integers, Integers]

    def __len__(self) -> int:
        """Count the nodes."""
        return len(self.layer)

    def take(self, chosen: Integers | Booleans) -> Nodes:
        """Return some of the nodes."""
        return nodes_of([column[chosen] for column in self.columns], self.cells)

    @property
    def columns(self) -> tuple[Integers, ...]:
        """All columns."""
        return (
            self.layer,
            self.size,
            self.kind,
            self.a,
            self.b,
            self.c,
            self.d,
            self.u,
            self.v,
            self.before,
            self.after,
        )

    @property
    def last(self) -> Integers:
        """The last breakpoint of each node."""
        return self.layer + self.size - 1

    @property
    def widest(self) -> int:
        """Gaps of the widest cell."""
        if not len(self):
            return 0
        return int(np.maximum(self.c - self.a, self.b - self.d).max()) + 1

    @property
    def what(self) -> Integers:
        """Kinds with their reaches."""
        return kind_of(self.kind, self.before, self.after)

    def holding(self, j: int) -> Booleans:
        """Return which nodes hold breakpoint j."""
        return (self.layer <= j) & (self.last >= j)


def whole(places: int, width: int, cells: int) -> Nodes:
    """Return the coarsest cover: all gaps in about `cells` cells, for every breakpoint."""
    cuts = np.unique(np.linspace(1, places, min(cells, places - 1) + 1).astype(np.int64))
    a, b = cuts[:-1], cuts[1:] - 1
    every = np.ones(len(a), np.bool_)
    parts = [singles(j, width, places, (a, b, a, b), every, every) for j in range(width)]
    for size in range(2, width + 1):
        first, last = close(a, b, size)
        parts += [
            clusters(j, size, width, places, a[first], b[first], a[last], b[last])
            for j in range(width - size + 1)
        ]
    return _join(parts, (a, b))


def _join(parts: list[tuple[Integers, ...]], cells: tuple[Integers, Integers]) -> Nodes:
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return nodes_of(columns, cells)


def nodes_of(columns: list[Integers], cells: tuple[Integers, Integers]) -> Nodes:
    """Return nodes from their columns."""
    layer, size, kind, a, b, c, d, u, v, before, after = columns
    return Nodes(layer, size, kind, a, b, c, d, u, v, before, after, cells)


def singles(
    j: int,
    width: int,
    places: int,
    cells: tuple[Integers, Integers, Integers, Integers],
    convex: Booleans,
    concave: Booleans,
) -> tuple[Integers, ...]:
    """Return single breakpoints j in the given cells (a, b) that keep (u, v) clear."""
    a, b, _, _ = cells
    at_end = ((a < LINE) & (j == 0)) | ((places - b < LINE) & (j == width - 1))
    parts: list[tuple[Integers, ...]] = []
    for kind, some in (
        (CONVEX, convex & ~at_end),
        (CONCAVE, concave & ~at_end),
        (LOOSE, (convex | concave) & at_end),
    ):
        low, high, u, v = (column[some] for column in cells)
        head = (np.full_like(low, value) for value in (j, 1, kind))
        every = np.full_like(low, ANY_REACH)
        parts.append((*head, low, high, high, low, u, v, every, every))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def close(a: Integers, b: Integers, size: int) -> tuple[Integers, Integers]:
    """Return all pairs of cells that may be the first and the last of a cluster.

    Neighbours in a cluster have at most one place between their cells.
    """
    widest = int((b - a).max(initial=0))
    reach = b + (size - 1) + (size - 2) * widest
    last = np.searchsorted(a, reach, "right")
    counts = last - np.arange(len(a))
    first = np.repeat(np.arange(len(a)), counts)
    return first, np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts) + first


def clusters(
    j: int,
    size: int,
    width: int,
    places: int,
    a1: Integers,
    b1: Integers,
    a2: Integers,
    b2: Integers,
) -> tuple[Integers, ...]:
    """Return clusters of `size` breakpoints from j on, with the given first and last cells."""
    signed = (a1 == b1) & (a2 == b2) & (a2 == a1 + 1) & (size == 2)
    signed &= (a1 >= LINE) | (j > 0)
    signed &= (places - b2 >= LINE) | (j + size < width)
    parts: list[tuple[Integers, ...]] = []
    for kind in (LOOSE, *range(SIGNED_PAIR, SIGNED_PAIR + len(SIGNS))):
        some = ~signed if kind == LOOSE else signed
        low, high, first, last = a1[some], b2[some], b1[some], a2[some]
        head = (np.full_like(low, value) for value in (j, size, kind))
        every = np.full_like(low, ANY_REACH)
        parts.append((*head, low, high, first, last, low, high, every, every))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def bisect(nodes: Nodes, width: int, places: int) -> Nodes:
    """Halve all wide cells of the nodes left of a cover; return a cover of the same placements.

    A single breakpoint stays single. Members of a cluster may come apart into single ones and
    smaller clusters, unless all its cells are single gaps. Where a cell was in no cluster, all of
    its clusters are gone, so that cells near to the *old* cell still make no line with it.
    """
    a, b = nodes.cells
    # Nodes begin and end with cells, so that what lies between is known by prefix sums.
    ahead = np.zeros(len(a) + 1, np.int64)
    first, end = np.searchsorted(a, nodes.a), np.searchsorted(b, nodes.b) + 1
    np.add.at(ahead, first, 1)
    np.add.at(ahead, end, -1)
    kept = np.cumsum(ahead)[:-1] > 0
    wide = b > a
    some_wide = np.concatenate([[0], np.cumsum(wide)])
    splits = (nodes.size > 1) & (some_wide[end] > some_wide[first])
    old = np.flatnonzero(kept)
    middle = (a + b) // 2
    more = old[wide[old]]
    low = np.concatenate([a[old], middle[more] + 1])
    order = np.argsort(low)
    high = np.concatenate([np.where(wide, middle, b)[old], b[more]])[order]
    low, parent = low[order], np.concatenate([old, more])[order]
    parts: list[tuple[Integers, ...]] = []
    for j in range(width):
        alone = (nodes.layer == j) & (nodes.size == 1)
        flags = [np.zeros(len(a), np.bool_) for _ in range(2)]
        clear = a.copy(), b.copy()
        for row, sign in enumerate((CONVEX, CONCAVE)):
            # One without a line beyond may be of either sign once its cell is halved.
            some = first[alone & ((nodes.kind == sign) | (nodes.kind == LOOSE))]
            flags[row][some] = True
        clear[0][first[alone]], clear[1][first[alone]] = nodes.u[alone], nodes.v[alone]
        loose = _held(nodes.take(splits), j, 1, a, b)
        mixed = _held(nodes, j, 1, a, b)
        clear[0][mixed], clear[1][mixed] = a[mixed], b[mixed]
        convex, concave = ((flag | loose)[parent] for flag in flags)
        u, v = np.where(mixed[parent], low, clear[0][parent]), clear[1][parent]
        v = np.where(mixed[parent], high, v)
        parts.append(singles(j, width, places, (low, high, u, v), convex, concave))
    for size in range(2, width + 1):
        one, two = close(low, high, size)
        for j in range(width - size + 1):
            same = (nodes.layer == j) & (nodes.size == size)
            wanted = _held(nodes.take(splits), j, size, low[one], high[two])
            if same.any():
                known = np.unique(nodes.a[same] * (places + 1) + nodes.d[same])
                key = a[parent[one]] * (places + 1) + a[parent[two]]
                wanted |= np.isin(key, known)
            begin, stop = one[wanted], two[wanted]
            ends = low[begin], high[begin], low[stop], high[stop]
            parts.append(clusters(j, size, width, places, *ends))
    return _join(parts, (low, high))


def _held(nodes: Nodes, j: int, size: int, a: Integers, b: Integers) -> Booleans:
    """Return which ranges of gaps lie in a larger cluster with breakpoints j .. j + size - 1."""
    some = (nodes.size > size) & (nodes.layer <= j) & (nodes.last >= j + size - 1)
    begin, end = nodes.a[some], nodes.b[some]
    if not len(begin):
        return np.zeros(len(a), np.bool_)
    order = np.argsort(begin, kind="stable")
    reach = np.maximum.accumulate(end[order])
    at = np.searchsorted(begin[order], a, "right") - 1
    return (at >= 0) & (reach[np.maximum(at, 0)] >= b)


def copied(nodes: Nodes, width: int, after: bool) -> tuple[Nodes, Integers]:
    """Copy nodes by how near the node before (or after) is; return the original of each copy.

    A path takes the copy that fits its own neighbours, so that no placement is lost. Copies have
    multipliers of their own: a short steep line between two neighbours costs little and could be
    anywhere at its ends, and its paths would otherwise hold down those of the long lines.
    """
    reach = nodes.after if after else nodes.before
    inner = nodes.last < width - 1 if after else nodes.layer > 0
    origin = np.repeat(np.arange(len(nodes)), 1 + (inner & (reach == ANY_REACH)))
    second = np.diff(origin, prepend=-1) == 0
    columns = [column[origin] for column in nodes.columns]
    new = columns[-1 if after else -2]
    new[(inner & (reach == ANY_REACH))[origin]] = NEAR
    new[second] = FAR
    return nodes_of(columns, nodes.cells), origin
