"""Choosing the width: a table of risks, BIC and cross-validated errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reluscape.fits.inference import rows_of
from reluscape.fits.polyline import Polyline, network_of
from reluscape.fits.search import Progress
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

FOLDS = 5
# A residual variance below this share of the variance of y is an exact fit up to rounding: no
# further breakpoint can be told from none.
EXACT_FIT = 1e-24

Search = Callable[[Samples | Interval, Sequence[int], Progress], dict[int, Polyline]]


@dataclass(frozen=True)
class WidthRow:
    """One width that was tried.

    Attributes
    ----------
    width : int
    risk : float
    sum_of_squares : float
    bic : float
        `n log(sum_of_squares / n) + p log n`, p = 2 width + 3 parameters (the noise included; one
        less without skip connection).
    cv_error : float
        Mean of the risks on the left-out folds; NaN if there are too few rows.
    cv_standard_error : float
    chosen : bool
        Whether this width has the lowest BIC.
    """

    width: int
    risk: float
    sum_of_squares: float
    bic: float
    cv_error: float
    cv_standard_error: float
    chosen: bool


def bic(sum_of_squares: float, total: float, rows: int, parameters: int) -> float:
    """Return the Bayesian information criterion up to a constant."""
    floor = EXACT_FIT * total
    if max(sum_of_squares, floor) <= 0.0:
        return parameters * math.log(rows)
    variance = max(sum_of_squares, floor) / rows
    return rows * math.log(variance) + parameters * math.log(rows)


def table_of_widths(
    problem: Samples,
    lines: dict[int, Polyline],
    search: Search,
    *,
    skip: bool,
    seed: int,
    progress: Progress,
) -> tuple[WidthRow, ...]:
    """Tabulate all widths, narrowest first; the chosen one has the lowest BIC."""
    rows = rows_of(problem)
    moments = problem.moments
    unit = moments.y_axis.scale**2 * moments.mass
    back = 1.0 if problem.weighted else float(problem.size)
    total = spread_of(problem) * back
    errors = cross_validate(problem, sorted(lines), search, seed, progress)
    result: list[WidthRow] = []
    for k in sorted(lines):
        risk = lines[k].squares * unit
        parameters = 2 * k + (3 if skip else 2)
        score = bic(risk * back, total, rows, parameters)
        mean, spread = errors.get(k, (math.nan, math.nan))
        result.append(WidthRow(k, risk, risk * back, score, mean, spread, False))
    best = min(range(len(result)), key=lambda i: result[i].bic)
    result[best] = replace(result[best], chosen=True)
    return tuple(result)


def spread_of(problem: Samples | Interval) -> float:
    """Return the risk of the best constant."""
    from reluscape.kernels import segments
    from reluscape.kernels.table import pure_error

    moments = problem.moments
    unit = moments.mass * moments.y_axis.scale**2
    low, high = moments.support
    if low == high:
        return pure_error(moments.table.high, moments.table.low) * unit
    sheet = segments.new_sheet(2)
    segments.lay(moments.table, np.array([low, high]), sheet)
    part = sheet[0]
    squares = part[segments.RESIDUAL] + part[segments.SPREAD] * part[segments.SLOPE] ** 2
    return float(squares) * unit


def cross_validate(
    problem: Samples, widths: Sequence[int], search: Search, seed: int, progress: Progress
) -> dict[int, tuple[float, float]]:
    """Return mean and standard error of the left-out risk for each width that all folds allow."""
    rng = np.random.default_rng(seed)
    if problem.size < 2 * FOLDS:
        return {}
    fold = rng.permutation(np.arange(problem.size) % FOLDS)
    x, y, w = problem.x.reshape(-1), problem.y, problem.given_weights
    scores: dict[int, list[float]] = {k: [] for k in widths}
    for i in range(FOLDS):
        out = fold == i
        train_weights = None if w is None else w[~out]
        test_weights = None if w is None else w[out]
        if w is not None and not (w[~out].any() and w[out].any()):
            return {}
        train = Samples(x[~out], y[~out], train_weights)
        test = Samples(x[out], y[out], test_weights)
        able = [k for k in widths if k <= max(train.distinct - 2, 0)]
        lines = search(train, able, lambda _message, _fraction: None)
        mass = 1.0 if w is None else float(w[out].sum())
        for k, line in lines.items():
            scores[k].append(test.risk(network_of(line, train.moments)) / mass)
        progress("cross-validation", (i + 1) / FOLDS)
    return {
        k: (float(np.mean(s)), float(np.std(s, ddof=1) / math.sqrt(FOLDS)))
        for k, s in scores.items()
        if len(s) == FOLDS
    }
