"""Covers of all placements of breakpoints, as the checker builds them for itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.certificate import ANY_REACH, CLOSE, FAR, NEAR, kind_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# Columns of a cover: first breakpoint, number of breakpoints, kind, gaps a .. b, end of the first
# and begin of the last breakpoint's cell, the gaps u .. v that others keep off, and how near the
# nodes before and after must be.
LAYER, SIZE, KIND, A, B, C, D, U, V, BEFORE, AFTER = range(11)
# Kinds: single with sign 1, -1; anything; pair with signs.
ANY, SIGNED = 2, 4
SIGNS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
# Two places pin down a line.
LINE = 2
# Cells of the first cover, and parts of a wide cell; both are part of the file's format.
CELLS, PARTS = 64, 4


@dataclass(frozen=True, eq=False)
class Cover:
    """Nodes (n, 11), and the cells (c, 2) that their breakpoints may be in, in order."""

    nodes: Integers
    cells: Integers

    def take(self, some: Booleans) -> Cover:
        """Return some of the nodes."""
        return Cover(self.nodes[some], self.cells)


def last(nodes: Integers) -> Integers:
    """Return the last breakpoint of each node."""
    return nodes[:, LAYER] + nodes[:, SIZE] - 1


def what(nodes: Integers) -> Integers:
    """Return kinds with reaches."""
    return kind_of(nodes[:, KIND], nodes[:, BEFORE], nodes[:, AFTER])


def holds(nodes: Integers, j: int) -> Booleans:
    """Return which nodes hold breakpoint j."""
    return (nodes[:, LAYER] <= j) & (last(nodes) >= j)


def whole(m: int, k: int) -> Cover:
    """Cover all placements: about `CELLS` cells of gaps, the same for each breakpoint.

    Neighbouring breakpoints are near if their cells have fewer than two places between them.
    Grouping near neighbours splits a placement into single breakpoints and clusters, each a node,
    so that lines between nodes see two places. Of a cluster only the first and the last cell count.
    """
    cuts = np.unique(np.linspace(1, m, min(CELLS, m - 1) + 1).astype(np.int64))
    cells = np.stack([cuts[:-1], cuts[1:] - 1], axis=1)
    every = np.ones(len(cells), np.bool_)
    parts = [_singles(j, m, k, cells, cells, every, every) for j in range(k)]
    for size in range(2, k + 1):
        one, two = _near(cells, size)
        parts += [_clusters(j, size, m, k, cells[one], cells[two]) for j in range(k - size + 1)]
    return Cover(np.concatenate(parts), cells)


def _near(cells: Integers, size: int) -> tuple[Integers, Integers]:
    """Return all pairs of cells in order that may hold the ends of a cluster.

    From cell to cell gaps go on by 1 at most, and by a cell's own width inside it.
    """
    widest = int((cells[:, 1] - cells[:, 0]).max(initial=0))
    most = cells[:, 1] + (size - 1) + (size - 2) * widest
    reach = np.searchsorted(cells[:, 0], most, "right") - np.arange(len(cells))
    one = np.repeat(np.arange(len(cells)), reach)
    return one, one + np.arange(len(one)) - np.repeat(np.cumsum(reach) - reach, reach)


def _singles(
    j: int, m: int, k: int, cells: Integers, clear: Integers, convex: Booleans, concave: Booleans
) -> Integers:
    """List single breakpoints; of kind `ANY` where there may be no line beyond."""
    a, b = cells.T
    outer = ((a < LINE) & (j == 0)) | ((m - b < LINE) & (j == k - 1))
    some = ((0, convex & ~outer), (1, concave & ~outer), (ANY, (convex | concave) & outer))
    return np.concatenate([_stack(j, 1, kind, a, b, b, a, *clear.T)[which] for kind, which in some])


def _clusters(j: int, size: int, m: int, k: int, one: Integers, two: Integers) -> Integers:
    """List clusters with the given first and last cells; pairs around one place by signs."""
    (a1, b1), (a2, b2) = one.T, two.T
    signed = (size == 2) & (a1 == b1) & (a2 == b2) & (a2 == a1 + 1)
    signed &= ((a1 >= LINE) | (j > 0)) & ((m - b2 >= LINE) | (j + size < k))
    parts = [_stack(j, size, ANY, a1, b2, b1, a2, a1, b2)[~signed]]
    for kind in range(SIGNED, SIGNED + len(SIGNS)):
        parts.append(_stack(j, size, kind, a1, b2, b1, a2, a1, b2)[signed])
    return np.concatenate(parts)


def _stack(j: int, size: int, kind: int, *columns: Integers) -> Integers:
    head = [np.full_like(columns[0], value) for value in (j, size, kind)]
    reach = np.full_like(columns[0], ANY_REACH)
    return np.stack([*head, *columns, reach, reach], axis=1)


def copied(left: Cover, k: int, column: int) -> Cover:
    """Copy nodes by how near the node before (or after, whichever the column is for) may be.

    On a path, a node and its neighbour are near or far, which both of them tell (`joined`). A node
    that may have any neighbour is replaced by one that must have a near one and one that must have
    a far one: a path through it goes through one of these two, and no path is lost. Nodes that
    have no neighbour on that side, or have been copied, stay as they are.
    """
    nodes = left.nodes
    inner = last(nodes) < k - 1 if column == AFTER else nodes[:, LAYER] > 0
    some = inner & (nodes[:, column] == ANY_REACH)
    near, far = nodes[some].copy(), nodes[some].copy()
    near[:, column], far[:, column] = NEAR, FAR
    return Cover(np.concatenate([nodes[~some], near, far]), left.cells)


def joined(nodes: Integers, one: Integers, two: Integers) -> Booleans:
    """Return whether nodes may follow others, by how near their neighbours must be."""
    near = nodes[two, A] - nodes[one, B] < CLOSE
    reach = np.where(near, NEAR, FAR)
    wanted = nodes[one, AFTER], nodes[two, BEFORE]
    good = [(side == ANY_REACH) | (side == reach) for side in wanted]
    return good[0] & good[1]


def halved(left: Cover, m: int, k: int) -> Cover:
    """Cover what is left after halving all wide cells.

    Singles stay single with their sign: cells shrink, so that what was not near stays so. Members
    of a cluster may come apart into singles and smaller clusters, unless all its cells are single
    gaps. Any neighbours are allowed again. Where a cell was in no cluster, all clusters it was in
    are deleted, so that cells near to the *old* cell still make no line with it: it keeps `u .. v`
    clear.
    """
    nodes, cells = left.nodes, left.cells
    first = np.searchsorted(cells[:, 0], nodes[:, A])
    end = np.searchsorted(cells[:, 1], nodes[:, B])
    used = np.zeros(len(cells), np.bool_)
    for i, n in np.unique(np.stack([first, end], axis=1), axis=0).tolist():
        used[i : n + 1] = True
    wide = cells[:, 1] > cells[:, 0]
    before = np.concatenate([[0], np.cumsum(wide)])
    loose = nodes[before[end + 1] > before[first]]
    starts = np.stack([cells[:, 0], cells[:, 1] + 1], axis=1)
    middle = cells.sum(axis=1) // 2
    halves: list[tuple[int, int, int]] = []
    for n in np.flatnonzero(used).tolist():
        cuts = [starts[n, 0], *([middle[n] + 1] if wide[n] else []), starts[n, 1]]
        halves += [(int(p), int(q) - 1, n) for p, q in pairwise(cuts)]
    table = np.array(halves, np.int64).reshape(-1, 3)
    fine, old = table[:, :2], table[:, 2]
    parts: list[Integers] = []
    for j in range(k):
        alone = (nodes[:, LAYER] == j) & (nodes[:, SIZE] == 1)
        apart, mixed = (_inside(some, j, 1, cells) for some in (loose, nodes))
        signs: list[Booleans] = []
        for kind in (0, 1):
            flag = apart.copy()
            flag[first[alone & ((nodes[:, KIND] == kind) | (nodes[:, KIND] == ANY))]] = True
            signs.append(flag[old])
        clear = cells.copy()
        clear[first[alone]] = nodes[alone][:, [U, V]]
        kept = np.where(mixed[old][:, np.newaxis], fine, clear[old])
        parts.append(_singles(j, m, k, fine, kept, *signs))
    for size in range(2, k + 1):
        one, two = _near(fine, size)
        ends = np.stack([fine[one, 0], fine[two, 1]], axis=1)
        parents = cells[old[one], 0] * (m + 1) + cells[old[two], 0]
        for j in range(k - size + 1):
            same = nodes[(nodes[:, LAYER] == j) & (nodes[:, SIZE] == size)]
            wanted = _inside(loose, j, size, ends)
            wanted |= np.isin(parents, same[:, A] * (m + 1) + same[:, D])
            parts.append(_clusters(j, size, m, k, fine[one[wanted]], fine[two[wanted]]))
    return Cover(np.concatenate(parts), fine)


def _inside(nodes: Integers, j: int, size: int, ranges: Integers) -> Booleans:
    """Return which ranges of gaps lie in a larger cluster with breakpoints j .. j + size - 1."""
    some = (nodes[:, SIZE] > size) & (nodes[:, LAYER] <= j) & (last(nodes) >= j + size - 1)
    spans = nodes[some][:, [A, B]]
    if not len(spans):
        return np.zeros(len(ranges), np.bool_)
    spans = spans[np.argsort(spans[:, 0], kind="stable")]
    furthest = np.maximum.accumulate(spans[:, 1])
    at = np.searchsorted(spans[:, 0], ranges[:, 0], "right") - 1
    return (at >= 0) & (furthest[np.maximum(at, 0)] >= ranges[:, 1])
