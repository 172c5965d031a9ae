"""What the residuals of a fit say, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reluscape.report.facts import Piece, Residuals, rows_on_pieces
from reluscape.report.numbers import number, position
from reluscape.report.protocol import FitLike

_UNEVEN = 2.0
_ENOUGH_ROWS = 5
_FEWEST_ROWS = 3


def remarks(fit: FitLike, errors: Residuals, found: Sequence[Piece]) -> list[str]:
    """Say in words what the residuals show.

    Parameters
    ----------
    fit : Fit
    errors : Residuals
    found : sequence of Piece
        Empty with several inputs.

    Returns
    -------
    list of str
    """
    said = [_on_neighbours(errors.autocorrelation, fit), _on_spread(fit, found)]
    return [remark for remark in said if remark]


def on_thin_pieces(fit: FitLike) -> str:
    """Warn of pieces that rest on next to no data: jumps rather than bends.

    Parameters
    ----------
    fit : Fit
        With one input.

    Returns
    -------
    str
        Empty where there are none.
    """
    rows = rows_on_pieces(fit)
    inner = range(1, len(rows) - 1)
    thin = [index for index in inner if rows[index] < _FEWEST_ROWS]
    if not thin:
        return ""
    first = thin[0]
    span = float(np.ptp(fit.problem.x))
    left, right = (position(float(b), span) for b in fit.breakpoints[first - 1 : first + 1])
    many = f"{len(thin)} pieces rest" if len(thin) > 1 else "One piece rests"
    return (
        f"{many} on fewer than {_FEWEST_ROWS} rows{', the first' if len(thin) > 1 else ''} between "
        f"{left} and {right}: rather jumps than bends. A least number of points or a least "
        "distance rules them out."
    )


def _on_neighbours(correlation: float, fit: FitLike) -> str:
    if not math.isfinite(correlation):
        return ""
    if abs(correlation) <= 2 / math.sqrt(fit.problem.size):
        meaning = "no more than chance."
    elif correlation > 0:
        meaning = (
            "more than chance. Either the noise is not independent or the curve has more bends "
            "than the fit; intervals are then too narrow."
        )
    else:
        meaning = "more than chance, they alternate."
    order = "" if fit.problem.x.size == fit.problem.size else " (in the order of the fitted values)"
    return f"Neighbouring residuals{order} have a correlation of {correlation:.2f}: {meaning}"


def _on_spread(fit: FitLike, found: Sequence[Piece]) -> str:
    counted = [piece for piece in found if piece.rows >= _ENOUGH_ROWS]
    if len(counted) < 2:
        return ""
    span = float(np.ptp(fit.problem.x))
    ordered = sorted(counted, key=lambda piece: piece.spread)
    least, most = ordered[0], ordered[-1]
    if most.spread <= _UNEVEN * least.spread:
        return "The residuals spread about equally on all pieces."
    return (
        f"The residuals spread {number(most.spread, 3)} (root mean square) between "
        f"{position(most.start, span)} and {position(most.end, span)}, but "
        f"{number(least.spread, 3)} between {position(least.start, span)} and "
        f"{position(least.end, span)}. This is not noise of one size: take asymptotic intervals "
        "with care, prefer the bootstrap, or give weights."
    )
