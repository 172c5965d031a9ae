"""Levels at which descents come to rest: critical ones where they are known, and simple fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.levels import named_levels
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]

# A risk is at a level if it is within this share of it: far more than what is left after a usual
# number of steps, far less than what lies between neighbouring levels of theory.
AT = 0.01
# A run comes to a plateau, and leaves it, this far above and below its level: beyond AT.
NEAR = 0.02
# Plateaus of which arrival and departure are kept: the highest ones. The others are left at once.
MOST_WATCHED = 8
# Risks of simple fits closer than this share are one; rounding of the fits is far below it.
SAME = 1e-9


@dataclass(frozen=True)
class Level:
    """A level of the risk.

    Attributes
    ----------
    name : str
    risk : float
    """

    name: str
    risk: float


def levels_of(
    problem: Interval | Samples, width: int, slope: float = 0.0, *, skip: bool = False
) -> tuple[Level, ...]:
    """Return the levels above success at which runs may end, the highest first.

    Parameters
    ----------
    problem : Interval or Samples
    width : int
    slope : float, default 0.0
        Of the activation below zero.
    skip : bool

    Returns
    -------
    tuple of Level
        For an affine target under a constant density all positive critical levels (S2); else the
        risks of the best constant and of the best line, at which networks rest whose neurons do not
        bend; for the target of `trap` the latter is that of its local minima. The k-th is the same
        for every width that has one.

    Examples
    --------
    >>> from reluscape import expression
    >>> levels_of(Interval(expression("abs(x - 1/2)"), 0, 1), 4)
    (Level(name='constant fit', risk=0.02083333333333...),)
    """
    known = named_levels(problem, width, slope, skip=skip)
    if known is not None:
        return tuple(Level(name, risk) for name, risk in known)
    found = [] if skip else [Level("constant fit", _fitted(problem, None))]
    found.append(_trapped(problem) or Level("affine fit", _fitted(problem, [0.0])))
    scale = found[0].risk
    # A rest of rounding is no level.
    found = [level for level in found if level.risk > SAME * scale]
    found.sort(key=lambda level: -level.risk)
    kept: list[Level] = []
    for level in found:
        if not kept or level.risk < (1.0 - SAME) * kept[-1].risk:
            kept.append(level)
    return tuple(kept)


def levels_at(risks: Floats, levels: tuple[Level, ...], success: float) -> NDArray[np.int16]:
    """Say at which level each risk is.

    Parameters
    ----------
    risks : ndarray, shape (runs,)
    levels : tuple of Level
    success : float
        Risks up to here are at level 0.

    Returns
    -------
    ndarray of int16, shape (runs,)
        0 for success, k for the k-th of the levels, -1 for none.

    Examples
    --------
    >>> levels_at(np.array([1e-9, 0.0834, 0.05]), (Level("n = 0", 1 / 12),), 1e-6)
    array([ 0,  1, -1], dtype=int16)
    """
    found = np.full(len(risks), -1, np.int16)
    if levels:
        heights = np.array([level.risk for level in levels])
        away = np.abs(risks[:, np.newaxis] - heights) / heights
        nearest = np.argmin(away, axis=1)
        close = away[np.arange(len(risks)), nearest] <= AT
        found[close] = 1 + nearest[close]
    found[risks <= success] = 0
    return found


def _fitted(problem: Interval | Samples, skip: list[float] | None) -> float:
    """Return the risk of the best constant, or of the best line."""
    from reluscape.training.polish import polish

    return polish(problem, Network([], [], [], 0.0, skip)).risk


def _trapped(problem: Interval | Samples) -> Level | None:
    """Return the level of the members of a trap: also that of the best line, their limit."""
    from reluscape.landscape.trap import RISK
    from reluscape.landscape.trap_target import TrapTarget

    if not isinstance(problem, Interval) or not isinstance(problem.target, TrapTarget):
        return None
    target = problem.target
    return Level("trap", RISK * target.height**2 * (target.b - target.a))
