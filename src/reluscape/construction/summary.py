"""What one pass over labelled rows leaves: weights, means and, if asked for, scatter of classes."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from reluscape.construction.labels import Coder, Codes
from reluscape.construction.sources import COPIED, Block, Matrix, Source, open_rows
from reluscape.errors import InputError
from reluscape.networks.arrays import Floats

# Rows that one thread takes at a time; fixed, so that results do not depend on the machine.
PART = 4096


@dataclass(frozen=True, eq=False)
class ClassSummary:
    """Sufficient statistics of labelled rows, which can be updated with more of them.

    Its size does not depend on the number of rows. Means are updated by the mean deviation of new
    rows from the old mean, so that far-away origins and the order of chunks cost no accuracy.
    Rows of weight 0 do not count.

    Parameters
    ----------
    scatter : bool, default True
        Whether to keep the second moments of every class: they take `classes * inputs^2` numbers,
        and allow the cost of a network to be known without reading the rows again.
    classes : sequence of hashable, optional
        The classes, if no other may appear.

    Attributes
    ----------
    classes : tuple of hashable
        In the order in which they appeared.
    rows : ndarray of int, shape (classes,)
        Rows with a positive weight.
    weights : ndarray, shape (classes,)
        Sum of the weights.
    least_weights : ndarray, shape (classes,)
        The least positive weight.
    means : ndarray, shape (classes, inputs)
    scatter : ndarray, shape (classes, inputs, inputs), or None
        Sum of weighted outer products of deviations from the mean.
    first : ndarray, shape (inputs,)
        The first row.
    reach : float
        Largest distance of a row from `first`.
    constant : ndarray of int
        The inputs that have the same value in all rows.

    Examples
    --------
    >>> summary = ClassSummary().updated([[0.0, 1.0], [2.0, 1.0]], ["a", "a"])
    >>> summary = summary.updated([[5.0, 3.0]], ["b"])
    >>> summary.means
    array([[1., 1.],
           [5., 3.]])
    """

    classes: tuple[Hashable, ...]
    rows: Codes
    weights: Floats
    least_weights: Floats
    means: Floats
    scatter: Floats | None
    first: Floats
    reach: float
    constant: Codes
    closed: bool

    def __init__(self, *, scatter: bool = True, classes: Sequence[Hashable] | None = None) -> None:
        known = Coder(classes or ()).classes
        q = len(known)
        start = {
            "classes": tuple(known),
            "rows": np.zeros(q, np.int64),
            "weights": np.zeros(q),
            "least_weights": np.full(q, np.inf),
            "means": np.zeros((q, 0)),
            "scatter": np.zeros((q, 0, 0)) if scatter else None,
            "first": np.empty(0),
            "reach": 0.0,
            "constant": np.empty(0, np.int64),
            "closed": classes is not None,
        }
        for name, value in start.items():
            object.__setattr__(self, name, value)

    @property
    def inputs(self) -> int:
        """Number of inputs; 0 before the first row."""
        return int(self.means.shape[1])

    def updated(
        self, X: object, labels: object = None, *, weights: ArrayLike | None = None
    ) -> ClassSummary:
        """Return the summary of these rows and more.

        Parameters
        ----------
        X, labels, weights
            As `reluscape.construct` takes them.

        Returns
        -------
        ClassSummary

        Raises
        ------
        InputError
            If a value or label is missing, or the number of inputs changes; the message says in
            which row, counted in this call.
        """
        return read(open_rows(X, labels, weights), self)

    def only(self, places: Sequence[int]) -> ClassSummary:
        """Return the summary of some classes, or of all in another order.

        Parameters
        ----------
        places : sequence of int
            Positions in `classes`.

        Returns
        -------
        ClassSummary
            `reach` and `constant` stay those of all rows.
        """
        made = copy(self)
        where = list(places)
        object.__setattr__(made, "classes", tuple(self.classes[i] for i in where))
        for name in ("rows", "weights", "least_weights", "means", "scatter"):
            array = cast("Floats | None", getattr(self, name))
            object.__setattr__(made, name, None if array is None else array[where])
        return made


def read(source: Source, summary: ClassSummary) -> ClassSummary:
    """Go through the rows once.

    Parameters
    ----------
    source : Source
    summary : ClassSummary
        What is known before.

    Returns
    -------
    ClassSummary
    """
    running = _Running(summary, Coder(summary.classes, closed=summary.closed))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for block in source.blocks():
            running.add(block, pool)
            del block  # before the next chunk is made
    return running.finished(summary)


class _Running:
    """The statistics while they change; nobody else sees them."""

    def __init__(self, before: ClassSummary, coder: Coder) -> None:
        self.coder = coder
        self.rows = before.rows
        self.weights = before.weights
        self.least = before.least_weights
        self.means = before.means
        self.scatter = before.scatter
        self.first = before.first
        self.reach = before.reach
        self.constant: Codes = before.constant

    def add(self, block: Block, pool: ThreadPoolExecutor) -> None:
        x, codes, weights = counted(block, self.coder)
        if not len(x):
            return
        self._make_room(x, block.start)
        centres = self._centres(x, codes)
        q, m = centres.shape
        first = self.first

        def run(part: slice) -> tuple[Floats, Floats, Floats]:
            from reluscape.kernels import clusters

            sums, totals, extremes = np.zeros((q, m)), np.zeros((q, 3)), np.zeros(2)
            totals[:, 2] = np.inf
            clusters.accumulate(
                x[part], codes[part], weights[part], centres, first, sums, totals, extremes
            )
            return sums, totals, extremes

        sums, totals, far = np.zeros((q, m)), np.zeros((q, 2)), 0.0
        for some, total, extremes in pool.map(run, parts_of(len(x))):
            if extremes[1]:
                raise _not_finite(block, self.coder)
            sums += some
            totals += total[:, :2]
            far = max(far, float(extremes[0]))
            np.minimum(self.least, total[:, 2], out=self.least)
        self.rows += totals[:, 1].astype(np.int64)
        self.weights += totals[:, 0]
        with np.errstate(invalid="ignore"):
            moves = np.where(self.weights[:, np.newaxis] > 0, sums / self.weights[:, np.newaxis], 0)
        if self.scatter is not None:
            _scatter(self.scatter, x, codes, weights, centres)
            self.scatter -= (moves * self.weights[:, np.newaxis])[:, :, np.newaxis] * moves[
                :, np.newaxis
            ]
        self.means = centres + moves
        self.reach = max(self.reach, float(np.sqrt(far)))
        for low in range(0, len(x), PART):
            if self.constant.size:
                same = x[low : low + PART, self.constant] == first[self.constant]
                self.constant = self.constant[same.all(axis=0)]

    def finished(self, summary: ClassSummary) -> ClassSummary:
        """Return a summary with these statistics."""
        made = ClassSummary(scatter=summary.scatter is not None)
        object.__setattr__(made, "classes", tuple(self.coder.classes))
        object.__setattr__(made, "closed", summary.closed)
        fields = {
            "rows": self.rows,
            "weights": self.weights,
            "least_weights": self.least,
            "means": self.means,
            "scatter": self.scatter,
            "first": self.first,
            "constant": self.constant,
        }
        for name, array in fields.items():
            if array is not None:
                array.flags.writeable = False
            object.__setattr__(made, name, array)
        object.__setattr__(made, "reach", self.reach)
        return made

    def _make_room(self, x: Matrix, start: int) -> None:
        """Grow to the number of inputs, at the first row, and to the classes that there are."""
        m = x.shape[1]
        if not self.first.size:
            if not m:
                raise InputError("X has no columns; give at least one input.")
            self.first = x[0].astype(np.float64)
            self.constant = np.arange(m)
        elif m != len(self.first):
            raise InputError(
                f"the chunk from row {start} on has {m} inputs, those before {len(self.first)}; "
                "give every chunk the same columns."
            )
        known = len(self.rows)
        new = len(self.coder.classes) - known
        self.rows = np.append(self.rows, np.zeros(new, np.int64))
        self.weights = np.append(self.weights, np.zeros(new))
        self.least = np.append(self.least, np.full(new, np.inf))
        means = np.zeros((known + new, m))
        means[:known] = self.means if self.means.shape[1] else 0.0
        self.means = means
        if self.scatter is not None:
            scatter = np.zeros((known + new, m, m))
            scatter[:known] = self.scatter if self.scatter.shape[1] else 0.0
            self.scatter = scatter

    def _centres(self, x: Matrix, codes: Codes) -> Floats:
        """Return the means so far; of a class that is new its first row."""
        centres = self.means.copy()
        for j in np.flatnonzero(self.rows == 0):
            here = np.flatnonzero(codes == j)
            if here.size:
                centres[j] = x[here[0]]
        return centres


def parts_of(rows: int) -> list[slice]:
    """Return the parts of a block that threads take."""
    return [slice(low, min(low + PART, rows)) for low in range(0, rows, PART)]


def counted(block: Block, coder: Coder) -> tuple[Matrix, Codes, Floats]:
    """Return the rows of a block that count, the numbers of their classes, and their weights."""
    x, labels, weights = block.x, block.labels, block.weights
    if weights is None:
        return x, coder.encode(labels, block.start), np.ones(len(x))
    if weights.all():
        return x, coder.encode(labels, block.start), weights
    keep = np.flatnonzero(weights)
    if isinstance(labels, np.ndarray):
        codes = coder.encode(labels[keep], block.start)
    else:
        codes = coder.encode([labels[i] for i in keep.tolist()], block.start)
    rows = x[keep]
    rows.flags.writeable = False
    return rows, codes, weights[keep]


def _scatter(into: Floats, x: Matrix, codes: Codes, weights: Floats, centres: Floats) -> None:
    """Add the weighted outer products of the deviations from the centres."""
    step = max(COPIED // x.shape[1], 1)
    for j in range(len(centres)):
        rows = np.flatnonzero(codes == j)
        for low in range(0, len(rows), step):
            some = rows[low : low + step]
            away = x[some] - centres[j]
            away *= np.sqrt(weights[some])[:, np.newaxis]
            into[j] += away.T @ away


def _not_finite(block: Block, coder: Coder) -> InputError:
    """Say where the first value is that cannot be used."""
    finite = np.isfinite(block.x)
    if block.weights is not None:
        finite |= (block.weights == 0.0)[:, np.newaxis]
    if finite.all():
        return InputError(
            "X holds values beyond 1e150, whose squares are no floats; divide the inputs by a "
            "constant."
        )
    row, column = (int(i) for i in np.argwhere(~finite)[0])
    label = coder.classes[int(coder.encode([block.labels[row]], block.start + row)[0])]
    what = "NaN" if np.isnan(block.x[row, column]) else "infinite"
    return InputError(
        f"X is {what} in row {block.start + row}, column {column} (class {label!r}); "
        "remove the row or complete it."
    )
