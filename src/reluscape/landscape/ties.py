"""One-sided derivatives on data with several inputs, and what flat neurons there could do."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from reluscape.landscape.finding import Floats
from reluscape.landscape.flats import RATIOS, SHARES, Leads, note
from reluscape.landscape.rows import Rows
from reluscape.landscape.slopes import Slopes, affine_root, affine_step
from reluscape.landscape.view import Neuron

# Edges of cones that are looked at one by one.
RAYS = 4000
# Singular values of rows through one hyperplane below this share of the largest: they depend on
# each other.
DEPENDENT = 1e-9


@dataclass(frozen=True, eq=False)
class Side:
    """The one-sided derivatives in the plane of one neuron.

    Attributes
    ----------
    least : float
        The least that was found, as a cosine; not positive.
    move : ndarray, shape (inputs + 1,)
        The change of (w, b) that has it.
    sure : bool
        Whether none is lower beyond rounding.
    """

    least: float
    move: Floats
    sure: bool


def row_slopes(view: Rows) -> Slopes:
    """Test all first derivatives but those of neurons with w = b = 0, to both sides of kinks."""
    own = affine_root(view.moments)
    norm = view.error or 1.0
    tilt = float(np.linalg.norm(own.T @ view.affine)) / norm
    level = abs(float(view.affine[-1])) / norm
    worst = tilt if view.reduced.skip is not None else level
    smooth, sides, doubts = worst <= view.floor, True, list[int]()
    planes, outputs = np.zeros_like(view.planes), np.zeros(len(view.planes))
    for j in np.flatnonzero(view.alive).tolist():
        v = float(view.reduced.outputs[j])
        neuron = view.neuron(j)
        cosine = abs(view.output(j))
        limit = view.floor + neuron.rounding
        if v == 0.0:
            outputs[j] = _step_of_output(view, j, neuron)
        else:
            side = _side(view, j, neuron, float(np.sign(v)))
            planes[j] = side.move / abs(v)
            if view.tied[j].any():
                sides = sides and -side.least <= limit
            else:
                cosine = max(cosine, -side.least)
            worst = max(worst, -side.least)
            if not side.sure:
                doubts.append(j)
        worst = max(worst, cosine)
        smooth = smooth and cosine <= limit
    affine = affine_step(view.reduced, view.affine, view.moments)
    direction = view.change(planes, outputs, affine)
    return Slopes(smooth, sides, worst, direction, tilt > view.floor, doubts)


def _step_of_output(view: Rows, j: int, neuron: Neuron) -> float:
    size = float(view.sizes[j])
    return -float(view.planes[j] @ neuron.pull) / (size * size) if size > 0.0 else 0.0


def _side(view: Rows, j: int, neuron: Neuron, sign: float) -> Side:
    """Return the least one-sided derivative over moves of norm one in L2.

    Along a move d of A it is `2 sign (pull.d + sum over tied rows of jump (d.x)_+)`. Where all
    jumps have the sign of v this is convex, and least along minus its smallest subgradient; where
    one has not, that row's kink is concave: both sides of it cannot lead up.
    """
    rows, jumps = view.kinks(j)
    limit = (view.floor + neuron.rounding) * view.error
    return _least(neuron, sign, view.data.x[:, rows], jumps, limit, view.error or 1.0)


def zero_side(view: Rows, v: float) -> Side:
    """Return the least one-sided derivative at a neuron with w = b = 0: all rows are on it."""
    neuron = Neuron(view.leak * view.affine, affine_root(view.moments), 0.0)
    jumps = (1.0 - view.leak) * view.pulled
    limit = view.floor * view.error
    return _least(neuron, float(np.sign(v)), view.data.x, jumps, limit, view.error or 1.0)


def _least(
    neuron: Neuron, sign: float, x: Floats, jumps: Floats, limit: float, norm: float
) -> Side:
    root = neuron.root
    white = root.T @ x
    sizes = np.linalg.norm(white, axis=0)
    jumps = sign * jumps
    jumps = np.where((jumps < 0.0) & (np.abs(jumps) * sizes <= limit), 0.0, jumps)
    pull = sign * (root.T @ neuron.pull)

    def slope(move: Floats) -> float:
        return float(pull @ move + jumps @ np.maximum(move @ white, 0.0))

    if (jumps >= 0.0).all():
        smallest = _smallest(pull, white, jumps, sizes)
        length = float(np.linalg.norm(smallest))
        return Side(-length / norm, -(root @ smallest), True)
    moves, complete = _rays(white)
    off = pull - white @ np.asarray(np.linalg.lstsq(white, pull, DEPENDENT)[0], dtype=np.float64)
    best, least = np.zeros(len(pull)), 0.0
    for move in (*moves, *-moves, -off):
        length = float(np.linalg.norm(move))
        value = slope(move / length) if length > 0.0 else 0.0
        if value < least:
            best, least = move / length, value
    sure = complete or -least > limit
    return Side(least / norm, root @ (-least * best), sure)


def _smallest(pull: Floats, white: Floats, jumps: Floats, sizes: Floats) -> Floats:
    """Return the smallest of `pull + sum t_k jump_k x_k` over all t between 0 and 1."""
    from scipy.optimize import lsq_linear

    kept = (jumps > 0.0) & (sizes > 0.0)
    if not kept.any():
        return pull
    most = jumps[kept] * sizes[kept]
    columns = white[:, kept] / sizes[kept]
    found = lsq_linear(columns, -pull, (0.0, most), "bvls", 1e-14, max_iter=1000)
    return pull + columns @ np.clip(np.asarray(found.x, dtype=np.float64), 0.0, most)


def _rays(white: Floats) -> tuple[Floats, bool]:
    """Return moves on which a function that kinks along rows is least, and whether it is all.

    In the span of the rows the hyperplanes `move.x = 0` cut out cones, and on each of them the
    function is linear: it is nowhere negative if it is not on the edges of the cones, where all
    hyperplanes but one dimension's worth meet (Yun, Sra and Jadbabaie 2018).

    Parameters
    ----------
    white : ndarray, shape (rank, m)
        The rows, as columns.

    Returns
    -------
    ndarray, shape (rays, rank)
        One of each pair of opposite moves.
    bool
    """
    basis, values, _ = np.linalg.svd(white, full_matrices=False)
    basis = basis[:, values > DEPENDENT * values[0]]
    inside = basis.T @ white
    rank, many = int(inside.shape[0]), int(inside.shape[1])
    if rank == 1:
        return np.asarray(basis.T, dtype=np.float64), True
    if comb(many, rank - 1) > RAYS:
        inverse = np.asarray(np.linalg.pinv(white, rcond=DEPENDENT), dtype=np.float64)
        return np.vstack([inverse, white.T]), False
    subsets = np.array(list(combinations(range(many), rank - 1)), dtype=np.int64)
    chosen = inside.T[subsets]
    sizes = np.linalg.norm(chosen, axis=2, keepdims=True)
    _, spans, axes = np.linalg.svd(chosen / np.where(sizes > 0.0, sizes, 1.0))
    # Rows that depend on each other leave more than a line: other subsets have its edges.
    good = spans.min(axis=1, initial=1.0) > DEPENDENT
    return np.asarray(axes[good, -1] @ basis.T, dtype=np.float64), True


def row_leads(view: Rows) -> Leads:
    """Look at each flat neuron of a network without descent direction at first order."""
    found = Leads({}, [], {})
    for j in np.flatnonzero(view.alive & view.flat).tolist():
        neuron = view.neuron(j)
        limit = (view.floor + neuron.rounding) * view.error
        rows, jumps = view.kinks(j)
        white = neuron.root.T @ view.data.x[:, rows]
        sharp = np.abs(jumps) * np.linalg.norm(white, axis=0)
        pull = neuron.root.T @ neuron.pull
        if float(np.linalg.norm(pull)) <= limit and not (sharp > limit).any():
            continue
        note(
            found.reasons,
            j,
            "flat (v = 0) and able to turn towards the error, so that its weights and v together "
            "lower the risk at second order (an escape neuron)",
        )
        found.directions.extend(_escapes(view, j, neuron, pull, white, jumps))
    return found


def _escapes(
    view: Rows, j: int, neuron: Neuron, pull: Floats, white: Floats, jumps: Floats
) -> list[Floats]:
    """Return directions that turn a flat neuron towards the error while v follows."""
    moves = [pull, *np.linalg.pinv(white, rcond=DEPENDENT), *white.T]
    best, most = pull, 0.0
    for move in moves:
        length = float(np.linalg.norm(move))
        for way in (1.0, -1.0):
            unit = move * (way / length) if length > 0.0 else move
            inner = float(pull @ unit + jumps @ np.maximum(unit @ white, 0.0))
            if abs(inner) > abs(most):
                best, most = unit, inner
    move = neuron.root @ best
    values = np.maximum(view.heights[j], view.leak * view.heights[j])
    square = float(view.data.weights @ np.square(values))
    directions: list[Floats] = []
    if square > 0.0:
        # Along (move, dv) the risk changes by `2 dv D + dv^2 square`.
        directions += [view.one(j, move, -share * most / square) for share in SHARES]
    size = float(view.sizes[j])
    sign = -float(np.sign(most))
    directions += [view.one(j, move * size, sign * ratio / size) for ratio in RATIOS]
    return directions
