"""The noise of the rows about their class means, seen from the subspace of the means."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from reluscape.construction.frame import Frame
from reluscape.construction.labels import Coder, Codes
from reluscape.construction.sources import Block, Source
from reluscape.construction.summary import ClassSummary, counted, parts_of
from reluscape.errors import InputError
from reluscape.networks.arrays import Floats

# OpenBLAS multiplies up to this many numbers in the thread that asks for it. More would start its
# own threads under each of ours, which made a pass four times slower.
SERIAL = 250_000
FEWEST, MOST = 8, 64


@dataclass(frozen=True, eq=False)
class Noise:
    """What the rows are, relative to the means.

    With `e = diag(1 / s) U^T (x' - mean')`, whose norm is that of the relative noise d = V e:

    Attributes
    ----------
    squares : ndarray, shape (classes, rank, rank)
        Weighted sum of `e e^T` over the rows of each class.
    relative : ndarray, shape (classes,)
        Largest norm of d in each class; an upper bound of it if `measured` is None.
    absolute : ndarray, shape (classes,)
        Largest norm of `x - mean` in each class; an upper bound of it if `measured` is None.
    measured : float or None
        Weighted mean of the squared errors of the network's outputs, where it was run on the rows.
    """

    squares: Floats
    relative: Floats
    absolute: Floats
    measured: float | None


def bounded_noise(summary: ClassSummary, frame: Frame) -> Noise:
    """Return what the scatter of the classes says, without the rows.

    `w d d^T` of one row is at most the sum over the rows, so that the largest eigenvalue over the
    least weight bounds the largest norm; the trace does so too, and the triangle inequality.
    """
    if summary.scatter is None:
        raise InputError(
            "these rows can be read only once, and the summary has no scatter; make it with "
            "ClassSummary(scatter=True)."
        )
    weights, _ = frame.rows_of(frame.basis.T / frame.singular[:, np.newaxis])
    squares = np.einsum("pi,jik,qk->jpq", weights, summary.scatter, weights, optimize=True)
    light = summary.least_weights
    relative = np.sqrt(np.linalg.eigvalsh(squares)[:, -1].clip(min=0.0) / light)
    about = np.sqrt(np.trace(summary.scatter, axis1=1, axis2=2).clip(min=0.0) / light)
    away = summary.reach + np.linalg.norm(summary.means - summary.first, axis=1)
    absolute = np.minimum(about, away)
    return Noise(squares, relative, absolute, None)


def measured_noise(
    source: Source,
    summary: ClassSummary,
    frame: Frame,
    readout: Floats,
    offset: Floats,
    outputs: Floats,
    bias: float,
) -> Noise:
    """Go through the rows once more, and run the network on every one.

    Parameters
    ----------
    source : Source
        The rows that the summary is of.
    summary : ClassSummary
    frame : Frame
    readout : ndarray, shape (targets, rank)
        Outer weights of the units that are active.
    offset : ndarray, shape (targets,)
        Outer bias.
    outputs : ndarray, shape (targets, classes)
        Reference outputs.
    bias : float
        Inner bias of these units.

    Returns
    -------
    Noise

    Raises
    ------
    InputError
        If the rows are not those of the first pass.
    """
    weights, _ = frame.rows_of(frame.basis.T / frame.singular[:, np.newaxis])
    coordinates = np.ascontiguousarray(weights.T)
    levels = np.ascontiguousarray(frame.coordinates.T) + bias
    goals = np.ascontiguousarray((outputs - offset[:, np.newaxis]).T)
    readout = np.ascontiguousarray(readout)
    q, r = frame.mixing.shape
    m = summary.inputs
    block_rows = min(SERIAL // (m * r), MOST)
    alone = block_rows < FEWEST
    squares, extremes = np.zeros((q, r, r)), np.zeros((q, 4))
    rows = np.zeros(q, np.int64)
    coder = Coder(summary.classes, closed=True)

    def run(piece: tuple[Block, Codes, Floats]) -> tuple[Floats, Floats]:
        from reluscape.kernels import clusters

        block, codes, heavy = piece
        some, far = np.zeros((q, r, r)), np.zeros((q, 4))
        clusters.spread(
            block.x,
            codes,
            heavy,
            summary.means,
            coordinates,
            frame.singular,
            levels,
            readout,
            goals,
            some,
            far,
            MOST if alone else block_rows,
        )
        return some, far

    def take(block: Block, pool: ThreadPoolExecutor) -> None:
        x, codes, heavy = counted(block, coder)
        if len(x) and x.shape[1] != m:
            raise _changed()
        rows[:] += np.bincount(codes, minlength=q)
        pieces = [
            (Block(x[part], block.labels, None, block.start), codes[part], heavy[part])
            for part in parts_of(len(x))
        ]
        for some, far in pool.map(run, pieces):
            squares[:] += some
            np.maximum(extremes[:, :2], far[:, :2], out=extremes[:, :2])
            extremes[:, 2:] += far[:, 2:]

    with ThreadPoolExecutor(1 if alone else os.cpu_count() or 1) as pool:
        for block in source.blocks():
            take(block, pool)
            del block  # before the next chunk is made
    if not np.array_equal(rows, summary.rows):
        raise _changed()
    if extremes[:, 3].any():
        raise InputError(
            "the rows of the second pass are not those of the first: some lie farther out; give "
            "chunks that are the same every time, or an iterator, which is read once."
        )
    lower = np.tril(squares)
    full = lower + np.swapaxes(np.tril(squares, -1), 1, 2)
    cost = float(extremes[:, 2].sum() / summary.weights.sum())
    return Noise(full, np.sqrt(extremes[:, 0]), np.sqrt(extremes[:, 1]), cost)


def _changed() -> InputError:
    return InputError(
        "the chunks of the second pass are not those of the first; give chunks that are the same "
        "every time, or an iterator, which is read once."
    )
