"""Thresholds that let ReLU delete noise: S4's remark beyond its theorem, as a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.construction.labels import Coder, Codes
from reluscape.construction.sources import Source, open_rows
from reluscape.construction.summary import counted, parts_of
from reluscape.errors import InputError
from reluscape.networks.arrays import Floats
from reluscape.networks.network import Network

if TYPE_CHECKING:
    from reluscape.construction.result import Construction

# Rows that the search looks at; costs are measured on all.
SEARCHED = 4_000
# Thresholds tried in a direction: quantiles, and the ends of the classes.
QUANTILES = 33
SWEEPS = 12
# A relative gain below this is rounding, not an improvement.
GAIN = 1e-9


@dataclass(frozen=True, eq=False)
class Truncation:
    """The result of `Construction.truncated`.

    Attributes
    ----------
    network : Network
        One hidden unit for each class: linear on the rows, or cut at a threshold. Outer weights
        and bias are the least-squares solution.
    cost : float
        C of `network`, on all rows.
    linear_cost : float
        The least C of networks of the same hidden units without a cut, outer weights and bias
        free: what cutting has to beat.
    constructed_cost : float
        C of the network that was written down from the means.
    thresholds : ndarray, shape (Q,)
        Where each unit is cut, in the barycentric coordinate of its class (1 at the mean of the
        class, 0 at all others); nan where it is linear.
    signs : ndarray, shape (Q,)
        1 where a unit keeps what is above its threshold, -1 where it keeps what is below.
    improves : bool
        Whether `cost` is below `linear_cost`. Nothing is claimed about other thresholds.
    """

    network: Network
    cost: float
    linear_cost: float
    constructed_cost: float
    thresholds: Floats
    signs: NDArray[np.int64]
    improves: bool

    def __str__(self) -> str:
        cut = int(np.count_nonzero(~np.isnan(self.thresholds)))
        verdict = (
            f"cutting {cut} of {len(self.thresholds)} units lowers the cost below the linear regime"
            if self.improves
            else "no thresholds were found that lower the cost below the linear regime"
        )
        return (
            f"Truncation: {verdict}\n"
            f"cost                     {self.cost:.10g}\n"
            f"least, linear regime     {self.linear_cost:.10g}\n"
            f"as constructed           {self.constructed_cost:.10g}"
        )


def truncate(
    made: Construction, X: object, labels: object = None, *, weights: ArrayLike | None = None
) -> Truncation:
    """Search for thresholds b1 that lower the cost below the linear regime.

    Parameters
    ----------
    made : Construction
    X, labels, weights
        Its rows, as `reluscape.construct` takes them; they are read twice.

    Returns
    -------
    Truncation

    Raises
    ------
    InputError
        If the rows can be read only once, or a label is of no class of the construction.

    Examples
    --------
    Noise along the first input alone, in both classes:

    >>> from reluscape import construct
    >>> X = [[1.1, 0.0], [0.9, 0.0], [0.1, 0.0], [-0.1, 0.0], [0.0, 1.0]]
    >>> made = construct(X, ["a", "a", "b", "b", "b"], lift=True)
    >>> cut = made.truncated(X, ["a", "a", "b", "b", "b"])
    >>> cut.improves, cut.cost < cut.linear_cost
    (True, True)
    """
    source = open_rows(X, labels, weights)
    if not source.repeatable:
        raise InputError(
            "a search for thresholds reads the rows twice; give a list of chunks, or a function "
            "that returns an iterator."
        )
    directions, constants = _functionals(made)
    coder = Coder(made.classes, closed=True)
    total = int(made.rows.sum())
    sample = _sample(source, coder, directions, constants, max(-(-total // SEARCHED), 1))
    thresholds, signs = _search(*sample, made.Y)

    def hidden(values: Floats) -> Floats:
        return _cut(values, thresholds, signs)

    def linear(values: Floats) -> Floats:
        return values

    both = [_Regression(made, hidden), _Regression(made, linear)]
    for values, codes, heavy in _rows(source, coder, directions, constants):
        for regression in both:
            regression.add(values, codes, heavy)
    (cut_weights, shift, cost), (plain_weights, plain_shift, least) = (r.solve() for r in both)
    improves = cost < least * (1.0 - GAIN)
    if not improves:
        thresholds = np.full(len(thresholds), np.nan)
        cut_weights, shift, cost = plain_weights, plain_shift, least
    # A unit without a threshold gets a bias with which it is active on every row.
    active = np.isnan(thresholds)
    room = 2.0 * np.linalg.norm(1.0 / made.frame.singular) * made.frame.reach
    biases = np.where(active, room, -signs * thresholds)
    shift = shift - (biases * active) @ cut_weights
    network = Network(
        signs[:, np.newaxis] * directions, signs * constants + biases, cut_weights, shift
    )
    return Truncation(network, cost, least, made.cost, thresholds, signs, improves)


class _Regression:
    """Least squares of reference outputs on hidden values and a constant, by QR, row by row."""

    def __init__(self, made: Construction, hidden: Callable[[Floats], Floats]) -> None:
        self.hidden = hidden
        self.outputs = made.Y
        self.weight = float(made.weights.sum())
        self.triangle: Floats = np.zeros((0, made.frame.classes + 1 + len(made.Y)))

    def add(self, values: Floats, codes: Codes, weights: Floats) -> None:
        """Take more rows into account."""
        design = np.column_stack(
            [self.hidden(values), np.ones(len(values)), self.outputs[:, codes].T]
        )
        rows = np.vstack([self.triangle, design * np.sqrt(weights)[:, np.newaxis]])
        self.triangle = cast("Floats", np.linalg.qr(rows, mode="r"))

    def solve(self) -> tuple[Floats, Floats, float]:
        """Return weights (units, targets), constants (targets,) and the root mean squared error."""
        units = self.triangle.shape[1] - len(self.outputs)
        left, right = self.triangle[:, :units], self.triangle[:, units:]
        found = cast("Floats", np.linalg.lstsq(left, right)[0])
        rest = float(np.linalg.norm(left @ found - right))
        return found[:-1], found[-1], rest / float(np.sqrt(self.weight))


def _functionals(made: Construction) -> tuple[Floats, Floats]:
    """Return the barycentric coordinates as functionals of the inputs, one a class."""
    frame = made.frame
    return frame.rows_of((frame.mixing / frame.singular) @ frame.basis.T)


def _rows(
    source: Source, coder: Coder, directions: Floats, constants: Floats
) -> Iterator[tuple[Floats, Codes, Floats]]:
    for block in source.blocks():
        x, codes, weights = counted(block, coder)
        for part in parts_of(len(x)):
            yield x[part] @ directions.T + constants, codes[part], weights[part]


def _sample(
    source: Source, coder: Coder, directions: Floats, constants: Floats, step: int
) -> tuple[Floats, Codes, Floats]:
    """Return about every `step`-th row."""
    some = [
        (values[::step], codes[::step], weights[::step])
        for values, codes, weights in _rows(source, coder, directions, constants)
    ]
    values, codes, weights = zip(*some, strict=True)
    return np.concatenate(values), np.concatenate(codes), np.concatenate(weights)


def _cut(values: Floats, thresholds: Floats, signs: NDArray[np.int64]) -> Floats:
    """Return hidden values: what is beyond the threshold, or all where there is none."""
    linear = np.isnan(thresholds)
    beyond = np.maximum(signs * (values - np.where(linear, 0.0, thresholds)), 0.0)
    return np.where(linear, values, beyond)


def _search(
    values: Floats, codes: Codes, weights: Floats, outputs: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    """Choose the threshold of one unit after the other, the others held, until none changes."""
    q = values.shape[1]
    root = np.sqrt(weights)[:, np.newaxis]
    goals = outputs[:, codes].T * root
    thresholds, signs = np.full(q, np.nan), np.ones(q, np.int64)
    candidates = [_candidates(values[:, k], codes) for k in range(q)]
    for _ in range(SWEEPS):
        changed = False
        for k in range(q):
            others = np.delete(_cut(values, thresholds, signs), k, axis=1)
            basis, _ = np.linalg.qr(np.column_stack([others, np.ones(len(values))]) * root)
            rest = goals - basis @ (basis.T @ goals)
            tried = candidates[k]
            column = values[:, k][:, np.newaxis]
            trials = np.column_stack(
                [column, np.maximum(column - tried, 0.0), np.maximum(tried - column, 0.0)]
            )
            gains = _gains(trials * root, basis, rest)
            # What is now: kept unless something is clearly better.
            now = _gains(_cut(values, thresholds, signs)[:, [k]] * root, basis, rest)[0]
            best = int(np.argmax(gains))
            left = float(np.square(rest).sum()) - now
            if gains[best] > now + GAIN * max(left, 0.0):
                changed = True
                thresholds[k] = np.nan if best == 0 else tried[(best - 1) % len(tried)]
                signs[k] = -1 if best > len(tried) else 1
        if not changed:
            break
    return thresholds, signs


def _gains(trials: Floats, basis: Floats, rest: Floats) -> Floats:
    """Return by how much each trial lowers the sum of squares when it joins the basis."""
    left = trials - basis @ (basis.T @ trials)
    sizes = np.square(left).sum(axis=0)
    # What lies in the basis up to rounding adds nothing.
    real = sizes > GAIN * GAIN * np.square(trials).sum(axis=0)
    along = np.square(left.T @ rest).sum(axis=1)
    return np.where(real, along / np.where(real, sizes, 1.0), 0.0)


def _candidates(values: Floats, codes: Codes) -> Floats:
    """Return thresholds to try: quantiles, and the least and the greatest value of each class."""
    ends = [f(values[codes == j]) for j in np.unique(codes) for f in (np.min, np.max)]
    return np.unique(np.append(np.quantile(values, np.linspace(0, 1, QUANTILES)[1:-1]), ends))
