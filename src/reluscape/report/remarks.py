"""What the residuals of a fit say, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reluscape.report.facts import Piece, Residuals, inputs_on_pieces
from reluscape.report.numbers import number, position
from reluscape.report.protocol import FitLike

_UNEVEN = 2.0
_ENOUGH_ROWS = 5
_FEWEST_INPUTS = 3


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
    counts = inputs_on_pieces(fit)
    thin = np.flatnonzero(counts < _FEWEST_INPUTS).tolist()
    if not thin or len(counts) == 1:
        return ""
    # Inside, a line through next to no data is a jump; at the ends it follows the outermost rows.
    inner = [index for index in thin if 0 < index < len(counts) - 1]
    first = (inner or thin)[0]
    span = float(np.ptp(fit.problem.x))
    ends = [position(float(b), span) for b in fit.breakpoints]
    if first == 0:
        place = f"before {ends[0]}"
    elif first == len(ends):
        place = f"after {ends[-1]}"
    else:
        place = f"between {ends[first - 1]} and {ends[first]}"
    many = f"{len(thin)} pieces rest" if len(thin) > 1 else "One piece rests"
    what = "rather jumps than bends" if inner else "it may follow nothing but noise"
    return (
        f"{many} on fewer than {_FEWEST_INPUTS} distinct inputs{_among(thin, inner)} {place}: "
        f"{what}. A least number of points or a least distance rules them out."
    )


def _among(thin: Sequence[int], inner: Sequence[int]) -> str:
    if len(thin) == 1:
        return ""
    return ", the first" if len(inner) in (0, len(thin)) else ", one"


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
