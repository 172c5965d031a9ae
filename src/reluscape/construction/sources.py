"""Rows with labels, from memory, from disk or from a stream, a block at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.construction.labels import Labels
from reluscape.errors import InputError
from reluscape.networks.arrays import Floats, as_floats

Matrix: TypeAlias = NDArray[np.float32] | Floats
Chunks: TypeAlias = Iterable[Sequence[object]]


class Sparse(Protocol):
    """What is asked of a SciPy sparse matrix."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        ...

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The kind of its values."""
        ...

    def tocsr(self) -> Sparse:
        """Return it in the form whose rows can be sliced."""
        ...

    def toarray(self) -> NDArray[np.generic]:
        """Return it as an array."""
        ...

    def __getitem__(self, rows: slice) -> Sparse:
        """Return some rows."""
        ...


# Numbers in a block that has to be copied: 32 MiB as float64, little beside a chunk of any size.
COPIED = 1 << 22
_TAKEN = (np.dtype(np.float32).str, np.dtype(np.float64).str)
# Numbers in a block that is only looked at.
VIEWED = 1 << 25


@dataclass(frozen=True, eq=False)
class Block:
    """A few rows: `x` (n, m), C-contiguous float32 or float64, labels, weights or None.

    `start` is the number of the first row.
    """

    x: Matrix
    labels: Labels
    weights: Floats | None
    start: int


@dataclass(frozen=True, eq=False)
class Source:
    """Rows that can be gone through; more than once if `repeatable`."""

    blocks: Callable[[], Iterator[Block]]
    repeatable: bool


def open_rows(x: object, labels: object, weights: ArrayLike | None) -> Source:
    """Find out what the rows are and how they are read.

    Parameters
    ----------
    x : object
        See `reluscape.construct`.
    labels : object
    weights : array_like or None

    Returns
    -------
    Source

    Raises
    ------
    InputError
        If it is nothing that can be read as rows.
    """
    if isinstance(x, (str, os.PathLike)):
        from reluscape.construction.parquet import parquet_source

        return parquet_source(cast("str | os.PathLike[str]", x), labels, weights)
    if labels is None:
        if weights is not None:
            raise InputError("give the weights of chunks inside them, as (X, labels, weights).")
        return _chunked(x)
    return Source(lambda: _blocks_of(x, labels, weights, 0), repeatable=True)


def _chunked(x: object) -> Source:
    if callable(x):
        return Source(lambda: _walk(cast("Chunks", x())), repeatable=True)
    if isinstance(x, np.ndarray) or not isinstance(x, Iterable):
        raise InputError(
            f"X is a {type(cast('object', x)).__name__} without labels; give "
            "construct(X, labels), or chunks (X, labels)."
        )
    chunks = cast("Chunks", x)
    return Source(lambda: _walk(chunks), repeatable=iter(chunks) is not chunks)


def _walk(chunks: Chunks) -> Iterator[Block]:
    start = 0
    for chunk in chunks:
        if not isinstance(chunk, (tuple, list)) or len(chunk) not in (2, 3):
            raise InputError(
                f"the chunk from row {start} on is no pair; give every chunk as (X, labels) or "
                "(X, labels, weights)."
            )
        weights = cast("ArrayLike | None", chunk[2]) if len(chunk) == 3 else None
        yield from _blocks_of(chunk[0], chunk[1], weights, start)
        start += _length(chunk[0], start)
        # Chunks that are made one by one are then in memory one at a time; `enumerate` would
        # keep the last.
        del chunk, weights


def _length(x: object, start: int) -> int:
    shape = cast("tuple[int, ...] | None", getattr(x, "shape", None))
    if shape:
        return shape[0]
    if isinstance(x, Sized):
        return len(x)
    raise InputError(f"X is a {type(x).__name__} from row {start} on; give (rows, inputs).")


def _blocks_of(x: object, labels: object, weights: ArrayLike | None, start: int) -> Iterator[Block]:
    n = _length(x, start)
    names = as_labels(labels, n, start)
    heavy = None if weights is None else as_weights(weights, n, start)
    for block, low in blocks_of(x, start):
        part = slice(low, low + len(block))
        some = None if heavy is None else heavy[part]
        yield Block(block, names[part], some, start + low)


def blocks_of(x: object, start: int = 0, viewed: int = VIEWED) -> Iterator[tuple[Matrix, int]]:
    """Cut rows into blocks that the kernels take.

    Parameters
    ----------
    x : array_like or sparse matrix of shape (n, inputs)
    start : int
        The number of the first row, for messages.
    viewed : int
        Numbers in a block that need not be copied.

    Yields
    ------
    (ndarray of shape (some, inputs), int)
        C-contiguous, float32 or float64, not writeable, and the place of its first row in x.

    Raises
    ------
    InputError
        If x is no matrix of real numbers.
    """
    rows = _as_rows(x, start)
    n, width = cast("tuple[int, int]", rows.shape)
    if isinstance(rows, np.ndarray) and _ready(rows):
        step = max(viewed // max(width, 1), 1)
    else:
        step = max(COPIED // max(width, 1), 1)
    for low in range(0, n, step):
        piece = rows[low : low + step]
        block = _floating(piece if isinstance(piece, np.ndarray) else piece.toarray())
        # Kernels are compiled for one kind of array only: one that they do not write to.
        block.flags.writeable = False
        yield block, low


def _ready(rows: NDArray[np.generic]) -> bool:
    """Tell whether kernels take the rows as they lie in memory."""
    return rows.dtype.str in _TAKEN and rows.flags.c_contiguous and rows.flags.aligned


def _floating(rows: NDArray[np.generic]) -> Matrix:
    """Return rows as kernels take them: a view where that is possible."""
    if not _ready(rows):
        kind = np.float32 if rows.dtype.kind == "f" and rows.dtype.itemsize == 4 else np.float64
        rows = np.ascontiguousarray(rows, dtype=kind)
    return cast("Matrix", rows).view(np.ndarray)


def _as_rows(x: object, start: int) -> NDArray[np.generic] | Sparse:
    """Return something with rows: an array, or a sparse matrix that can be sliced."""
    if hasattr(x, "tocsr"):
        sparse = cast("Sparse", x).tocsr()
        if sparse.dtype.kind not in "fiub":
            raise InputError(f"X holds {sparse.dtype.name} values; give real numbers.")
        return sparse
    where = f"the chunk from row {start} on" if start else "X"
    if isinstance(x, np.ndarray) or hasattr(x, "to_numpy"):
        rows = cast("NDArray[np.generic]", np.asarray(x))
    else:
        rows = cast("NDArray[np.generic]", as_floats(where, cast("ArrayLike", x)))
    if rows.ndim != 2:
        raise InputError(f"{where} has shape {rows.shape}; give (rows, inputs).")
    if rows.dtype.kind not in "fiub":
        rows = cast("NDArray[np.generic]", as_floats(where, rows))
    return rows


def as_labels(labels: object, rows: int, start: int) -> Labels:
    """Return labels as an array or list of so many.

    Raises
    ------
    InputError
        If they are too many, too few, or not one a row.
    """
    found: Labels
    if isinstance(labels, np.ndarray):
        found = cast("NDArray[np.generic]", labels)
    elif hasattr(labels, "to_numpy"):
        found = cast("NDArray[np.generic]", np.asarray(labels))
    elif isinstance(labels, str) or not isinstance(labels, Iterable):
        raise InputError(f"labels are a {type(labels).__name__}; give one label for each row of X.")
    else:
        found = list(cast("Iterable[Hashable]", labels))
    if isinstance(found, np.ndarray) and found.ndim != 1:
        raise InputError(f"labels have shape {found.shape}; give ({rows},).")
    if len(found) != rows:
        where = f" in the chunk from row {start} on" if start else ""
        raise InputError(f"there are {len(found)} labels for {rows} rows{where}; give one each.")
    return found


def as_weights(weights: ArrayLike, rows: int, start: int) -> Floats:
    """Return weights as numbers, 0 or more.

    Raises
    ------
    InputError
        If they are too many, too few, negative or not finite.
    """
    found = as_floats("weights", weights)
    if found.shape != (rows,):
        raise InputError(f"weights have shape {found.shape}; give ({rows},), one for each row.")
    wrong = ~(np.isfinite(found) & (found >= 0.0))
    if wrong.any():
        i = int(np.argmax(wrong))
        raise InputError(
            f"the weight in row {start + i} is {found[i]}; weights must be finite and 0 or more."
        )
    return found
