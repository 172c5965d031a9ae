"""Covers of all ways to place breakpoints: clusters of neighbouring breakpoints as nodes.

Gap g, for 0 < g < m, lies between the inputs x[g - 1] and x[g] of m distinct ones; each of the k
breakpoints, in order, lies in some gap. Layers are breakpoints, cells are ranges of gaps. Two
breakpoints are near if fewer than two inputs lie between their cells. A node stands for

* a single breakpoint that is near to no other, convex (kind 0) or concave (1);
* a single one too near to the right end to have a line there (2);
* a pair of breakpoints, near to each other and to no other: in any cells (3), or with exactly one
  input between them, one kind for each choice of the two signs (4 to 7);
* the first (8), the second (9) or a later (10) link of a chain of three and more, or of a chain
  that begins too near to the left end to have a line there (10).

Every placement is a path: single breakpoints, pairs and chains joined by lines that see at least
two inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

CONVEX, CONCAVE, AT_END, PAIR, SIGNED_PAIR, FIRST, SECOND, LATER = 0, 1, 2, 3, 4, 8, 9, 10
SIGNS = ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0))
# Inputs that pin down a line.
LINE = 2


@dataclass(frozen=True, eq=False)
class Nodes:
    """A cover: one entry per node.

    Attributes
    ----------
    layer, kind : ndarray of int
        First breakpoint and kind. Pairs also hold the breakpoint `layer + 1`.
    a, b : ndarray of int
        First and last gap; data x[a : b] are inside.
    c, d : ndarray of int
        End of the first and begin of the second breakpoint's cell, for pairs; else b and a.
    u, v : ndarray of int
        The gaps that the node keeps clear of others: cells near to these make no line with it.
        They are wider than a .. b where all pairs and chains of wider cells are gone already.
    """

    layer: Integers
    kind: Integers
    a: Integers
    b: Integers
    c: Integers
    d: Integers
    u: Integers
    v: Integers

    def __len__(self) -> int:
        """Count the nodes."""
        return len(self.layer)

    def take(self, chosen: Integers | Booleans) -> Nodes:
        """Return some of the nodes."""
        return Nodes(*(column[chosen] for column in self.columns))

    @property
    def columns(self) -> tuple[Integers, ...]:
        """All columns."""
        return (self.layer, self.kind, self.a, self.b, self.c, self.d, self.u, self.v)

    @property
    def paired(self) -> Booleans:
        """Which nodes hold two breakpoints."""
        return (self.kind >= PAIR) & (self.kind < FIRST)

    @property
    def last(self) -> Integers:
        """The last breakpoint of each node."""
        return self.layer + self.paired

    @property
    def widest(self) -> int:
        """Gaps of the widest cell."""
        if not len(self):
            return 0
        return int(np.maximum(self.c - self.a, self.b - self.d).max()) + 1


def join(parts: list[Nodes]) -> Nodes:
    """Concatenate covers."""
    columns = zip(*(part.columns for part in parts), strict=True)
    return Nodes(*(np.concatenate(column) for column in columns))


def _nodes(layer: int, kind: int, a: Integers, b: Integers, u: Integers, v: Integers) -> Nodes:
    return Nodes(np.full_like(a, layer), np.full_like(a, kind), a, b, b, a, u, v)


def whole(inputs: int, width: int, cells: int) -> Nodes:
    """Return the coarsest cover: all gaps in about `cells` cells, for every breakpoint."""
    cuts = np.unique(np.linspace(1, inputs, min(cells, inputs - 1) + 1).astype(np.int64))
    a, b = cuts[:-1], cuts[1:] - 1
    layers = [(a, b)] * width
    everything = np.ones(len(a), np.bool_)
    parts = [links(j, width, a, b, everything) for j in range(width)]
    parts += [singles(j, width, inputs, (a, b, a, b), everything, everything) for j in range(width)]
    for j in range(width - 1):
        first, second = near_pairs(*layers[j], *layers[j + 1])
        parts.append(pairs(j, width, inputs, a[first], b[first], a[second], b[second]))
    return join(parts)


def singles(
    j: int,
    width: int,
    inputs: int,
    cells: tuple[Integers, Integers, Integers, Integers],
    convex: Booleans,
    concave: Booleans,
) -> Nodes:
    """Return single breakpoints j in the given cells (a, b) that keep (u, v) clear."""
    a, b, _, _ = cells
    apart = (a >= LINE) | (j > 0)
    at_end = (inputs - b < LINE) & (j == width - 1)
    parts = [
        _nodes(j, kind, *(column[some] for column in cells))
        for kind, some in (
            (CONVEX, convex & apart & ~at_end),
            (CONCAVE, concave & apart & ~at_end),
            (AT_END, (convex | concave) & apart & at_end),
        )
    ]
    return join(parts)


def links(j: int, width: int, a: Integers, b: Integers, some: Booleans) -> Nodes:
    """Return breakpoint j as a link of chains in the given cells."""
    at_start = (a < LINE) & (j == 0)
    never = np.zeros(len(a), np.bool_)
    parts = [
        _nodes(j, kind, *(column[chosen] for column in (a, b, a, b)))
        for kind, chosen in (
            (FIRST, some & ~at_start if j <= width - 3 else never),
            (SECOND, some if 1 <= j <= width - 2 else never),
            (LATER, some if j >= 1 else some & at_start),
        )
    ]
    return join(parts)


def near_pairs(a1: Integers, b1: Integers, a2: Integers, b2: Integers) -> tuple[Integers, Integers]:
    """Return the index pairs of cells that are near and in order; cells are sorted."""
    low = np.searchsorted(b2, a1)  # first with b2 >= a1
    high = np.searchsorted(a2, b1 + LINE)  # first with a2 - b1 >= 2
    counts = np.maximum(high - low, 0)
    first = np.repeat(np.arange(len(a1)), counts)
    starts = np.cumsum(counts) - counts
    second = np.arange(int(counts.sum())) - np.repeat(starts, counts)
    second += np.repeat(low, counts)
    return first, second


def pairs(
    j: int, width: int, inputs: int, a1: Integers, b1: Integers, a2: Integers, b2: Integers
) -> Nodes:
    """Return pairs of the breakpoints j and j + 1 in the given near cells."""
    fits = (a1 >= LINE) | (j > 0)
    signed = fits & (a1 == b1) & (a2 == b2) & (a2 == a1 + 1)
    signed &= (inputs - b2 >= LINE) | (j + 1 < width - 1)
    layer = np.full_like(a1, j)
    low, high = np.minimum(a1, a2), np.maximum(b1, b2)
    columns = (low, high, b1, a2, low, high)
    parts: list[Nodes] = []
    for kind in (PAIR, *range(SIGNED_PAIR, FIRST)):
        some = fits & ~signed if kind == PAIR else signed
        kinds = np.full(int(some.sum()), kind, np.int64)
        parts.append(Nodes(layer[some], kinds, *(column[some] for column in columns)))
    return join(parts)


def bisect(nodes: Nodes, width: int, inputs: int) -> Nodes:
    """Halve all wide cells of the nodes left of a cover; return a cover of the same placements.

    A single breakpoint stays single. Members of pairs and chains may come apart, so that they are
    covered by every kind of node that their new cells may make of them, unless both cells of a
    pair are single gaps.
    """
    parts: list[Nodes] = []
    cells: list[tuple[Integers, Integers, Booleans]] = []
    settled = nodes.paired & (nodes.a == nodes.c) & (nodes.d == nodes.b)
    loose = (nodes.kind >= PAIR) & ~settled | (nodes.kind == AT_END)
    alone = nodes.kind <= CONCAVE
    for j in range(width):
        here, second = nodes.layer == j, nodes.paired & (nodes.layer == j - 1)
        a = np.concatenate([nodes.a[here], nodes.d[second]])
        b = np.concatenate([nodes.c[here], nodes.b[second]])
        free = np.concatenate([loose[here], loose[second]])
        kind = np.concatenate([nodes.kind[here], nodes.kind[second]])
        a, index = np.unique(a, return_inverse=True)
        end = np.zeros_like(a)
        end[index] = b
        flags = np.zeros((4, len(a)), np.bool_)
        for row, some in enumerate(
            (free | (kind == CONVEX), free | (kind == CONCAVE), kind >= FIRST, kind > CONCAVE)
        ):
            flags[row, index[some]] = True
        clear = np.stack([a, end])
        kept = here & alone
        kept &= ~flags[3, np.searchsorted(a, np.where(kept, nodes.a, a[0]))]
        clear[:, np.searchsorted(a, nodes.a[kept])] = nodes.u[kept], nodes.v[kept]
        wide = end > a
        middle = (a + end) // 2
        low = np.concatenate([a, middle[wide] + 1])
        order = np.argsort(low)
        low = low[order]
        high = np.concatenate([np.where(wide, middle, end), end[wide]])[order]
        convex, concave, chained, mixed = (
            np.concatenate([flag, flag[wide]])[order] for flag in flags
        )
        u, v = (np.concatenate([bound, bound[wide]])[order] for bound in clear)
        cover = (low, high, np.where(mixed, low, u), np.where(mixed, high, v))
        parts.append(singles(j, width, inputs, cover, convex, concave))
        parts.append(links(j, width, low, high, chained))
        cells.append((low, high, chained))
    for j in range(width - 1):
        (a1, b1, chained1), (a2, b2, chained2) = cells[j], cells[j + 1]
        first, second = near_pairs(a1, b1, a2, b2)
        wanted = chained1[first] & chained2[second]
        old = nodes.paired & (nodes.layer == j)
        if old.any():
            known = np.unique(nodes.a[old] * (inputs + 1) + nodes.d[old])
            # Starts of the old cells that the new ones lie in.
            starts1, starts2 = _starts(nodes, j), _starts(nodes, j + 1)
            of1 = starts1[np.searchsorted(starts1, a1, "right") - 1][first]
            of2 = starts2[np.searchsorted(starts2, a2, "right") - 1][second]
            wanted |= np.isin(of1 * (inputs + 1) + of2, known)
        first, second = first[wanted], second[wanted]
        parts.append(pairs(j, width, inputs, a1[first], b1[first], a2[second], b2[second]))
    return join(parts)


def _starts(nodes: Nodes, j: int) -> Integers:
    """Return the starts of the cells of breakpoint j."""
    here, second = nodes.layer == j, nodes.paired & (nodes.layer == j - 1)
    return np.unique(np.concatenate([nodes.a[here], nodes.d[second]]))
