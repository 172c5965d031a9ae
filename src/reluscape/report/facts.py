"""What there is to say about a fit in one dimension: its pieces and its residuals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.report.protocol import FitLike, Floats, InferenceLike

_NAN = float("nan")


@dataclass(frozen=True)
class Piece:
    """One straight piece of a fit, `y = height + slope (x - start)`.

    Attributes
    ----------
    start, end : float
        Where it begins and ends; the outer pieces end with the data.
    height : float
        The fit at `start`.
    slope, standard_error, low, high : float
        The slope and its uncertainty, nan where unknown.
    rows : int
        Rows of data on the piece.
    spread : float
        Root mean square of the residuals on it, nan without rows.
    """

    start: float
    end: float
    height: float
    slope: float
    standard_error: float
    low: float
    high: float
    rows: int
    spread: float


@dataclass(frozen=True)
class Residuals:
    """What the residuals `y - N(x)` of a fit look like.

    Weighted data have residuals times the square root of weight over mean weight.

    Attributes
    ----------
    values : ndarray of shape (n,)
        In the order of the data.
    quartiles : tuple of float
        Smallest, quarter, median, three quarters, largest.
    spread : float
        Root mean square.
    autocorrelation : float
        Between neighbours in the order of x; nan when all residuals are zero.
    largest : tuple of int
        The rows with the largest residuals, the largest first, counted from 0.
    """

    values: Floats
    quartiles: tuple[float, ...]
    spread: float
    autocorrelation: float
    largest: tuple[int, ...]


def residuals(fit: FitLike) -> Residuals:
    """Describe the residuals of a fit.

    Parameters
    ----------
    fit : Fit
        To data with one target.

    Returns
    -------
    Residuals
    """
    problem = fit.problem
    values = _residual_values(fit)
    count = min(5, values.size)
    largest = np.argpartition(-np.abs(values), count - 1)[:count]
    largest = largest[np.argsort(-np.abs(values[largest]), kind="stable")]
    along = problem.x.reshape(-1) if problem.x.size == problem.size else fit.predict(problem.x)
    return Residuals(
        values=values,
        quartiles=tuple(float(q) for q in np.quantile(values, [0, 0.25, 0.5, 0.75, 1])),
        spread=_root_mean_square(values),
        autocorrelation=_autocorrelation(along, values, _rounding(fit)),
        largest=tuple(int(row) for row in largest),
    )


def pieces(fit: FitLike, inference: InferenceLike | None = None) -> tuple[Piece, ...]:
    """List the straight pieces of a fit, from left to right.

    Parameters
    ----------
    fit : Fit
        With one input.
    inference : Inference, optional
        For the uncertainty of the slopes.

    Returns
    -------
    tuple of Piece
    """
    x = fit.problem.x.reshape(-1)
    breakpoints = np.asarray(fit.breakpoints, dtype=np.float64)
    first, last = float(x.min()), float(x.max())
    edges = np.concatenate([[first], breakpoints, [last]])
    heights = fit.predict(edges)
    where = _piece_of(fit)
    rows = rows_on_pieces(fit)
    squares = np.bincount(where, _residual_values(fit) ** 2, minlength=breakpoints.size + 1)
    found: list[Piece] = []
    for index, slope in enumerate(np.asarray(fit.slopes, dtype=np.float64)):
        estimate = None if inference is None else inference.slopes[index]
        found.append(
            Piece(
                start=float(edges[index]),
                end=float(edges[index + 1]),
                height=float(heights[index]),
                slope=float(slope),
                standard_error=_NAN if estimate is None else estimate.standard_error,
                low=_NAN if estimate is None else estimate.low,
                high=_NAN if estimate is None else estimate.high,
                rows=int(rows[index]),
                spread=math.sqrt(squares[index] / rows[index]) if rows[index] else _NAN,
            )
        )
    return tuple(found)


def rows_on_pieces(fit: FitLike) -> NDArray[np.int64]:
    """Count the rows on each piece of a fit; a row on a breakpoint counts to the right.

    Parameters
    ----------
    fit : Fit
        With one input.

    Returns
    -------
    ndarray of shape (k + 1,)
    """
    return np.bincount(_piece_of(fit), minlength=len(fit.breakpoints) + 1).astype(np.int64)


def inputs_on_pieces(fit: FitLike) -> NDArray[np.int64]:
    """Count the distinct inputs on each piece of a fit, those of rows that weigh something.

    Parameters
    ----------
    fit : Fit
        With one input.

    Returns
    -------
    ndarray of shape (k + 1,)
    """
    inputs = np.unique(fit.problem.x.reshape(-1)[fit.problem.weights > 0.0])
    where = np.searchsorted(fit.breakpoints, inputs, side="right")
    return np.bincount(where, minlength=len(fit.breakpoints) + 1).astype(np.int64)


def _piece_of(fit: FitLike) -> NDArray[np.intp]:
    return np.searchsorted(fit.breakpoints, fit.problem.x.reshape(-1), side="right")


def _residual_values(fit: FitLike) -> Floats:
    problem = fit.problem
    values = problem.y - fit.predict(problem.x)
    if problem.weighted:
        weights = problem.weights
        values = values * np.sqrt(weights / weights.mean())
    return values


def _rounding(fit: FitLike) -> float:
    """Return the size of residuals that are nothing but rounding."""
    return 1e-12 * float(np.abs(fit.problem.y).max())


def _root_mean_square(values: Floats) -> float:
    largest = float(np.abs(values).max())
    # Scaled, because squares of 1e-160 and 1e160 leave the range of floats.
    return largest * math.sqrt(float(np.mean((values / largest) ** 2))) if largest else 0.0


def _autocorrelation(along: Floats, values: Floats, rounding: float) -> float:
    """Correlate neighbours; nan where there are none, or residuals are nothing but rounding."""
    largest = float(np.abs(values).max())
    if values.size < 3 or largest <= rounding or not np.ptp(along):
        return _NAN
    scaled = values[np.argsort(along)] / largest
    return float(scaled[1:] @ scaled[:-1] / (scaled @ scaled))
