"""Chances of the best of several runs, from runs that were made once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Of every interval and bound in the tables.
CONFIDENCE = 0.95


def at_most(successes: int, runs: int, confidence: float = CONFIDENCE) -> float:
    """Return an upper bound of a probability that holds with this confidence.

    Parameters
    ----------
    successes, runs : int
        0 <= successes <= runs.
    confidence : float

    Returns
    -------
    float
        1 without runs. Without successes it is close to 3 / runs, the rule of three.

    Raises
    ------
    InputError
        If there are more successes than runs.

    Notes
    -----
    The one-sided bound of Clopper and Pearson, Biometrika 26 (1934): it never claims too much.

    Examples
    --------
    >>> round(at_most(0, 1000) * 1000, 3)
    2.991
    """
    from scipy.special import betaincinv

    if not 0 <= successes <= runs:
        raise InputError(f"{successes} of {runs} is no share; give 0 <= successes <= runs.")
    if successes == runs:
        return 1.0
    return float(betaincinv(successes + 1, runs - successes, confidence))


def once_in(probability: float, count: int) -> float:
    """Return the probability that one of several independent runs succeeds, 1 - (1 - p)^count.

    Parameters
    ----------
    probability : float
        Of one run, between 0 and 1.
    count : int
        At least 1.

    Returns
    -------
    float

    Examples
    --------
    >>> round(once_in(0.41, 10), 4)
    0.9949
    """
    if probability >= 1.0:
        return 1.0
    return -math.expm1(count * math.log1p(-probability))


def needed(probability: float, chance: float = 0.99) -> float:
    """Return how many runs it takes until one has succeeded with this chance.

    Parameters
    ----------
    probability : float
        Of one run.
    chance : float
        Below 1.

    Returns
    -------
    float
        A whole number, infinite where no run succeeds.

    Examples
    --------
    >>> needed(0.41), needed(1.0), needed(0.0)
    (9.0, 1.0, inf)
    """
    if probability <= 0.0:
        return math.inf
    if probability >= 1.0:
        return 1.0
    return float(math.ceil(math.log1p(-chance) / math.log1p(-probability)))


def drawn(successes: int, runs: int, count: int) -> float:
    """Return the chance that some of these runs, drawn without replacement, hold a success.

    Parameters
    ----------
    successes, runs : int
        What was seen.
    count : int
        Runs drawn, at most `runs`.

    Returns
    -------
    float
        `1 - C(runs - successes, count) / C(runs, count)`: the estimate without bias of the chance
        that the best of `count` fresh runs succeeds.

    Raises
    ------
    InputError
        If more are to be drawn than there are.

    Examples
    --------
    >>> drawn(1, 4, 2)
    0.5
    """
    if not 1 <= count <= runs:
        raise InputError(f"{count} of {runs} runs cannot be drawn; give 1 to {runs}.")
    failures = runs - successes
    if failures < count:
        return 1.0
    # A product of ratios below one: binomials of thousands overflow.
    ratios = (failures - np.arange(count)) / (runs - np.arange(count))
    return 1.0 - float(np.prod(ratios))


def grouped(succeeded: NDArray[np.bool_], count: int) -> tuple[int, int]:
    """Count the groups of consecutive runs that hold a success: independent draws of the best.

    Parameters
    ----------
    succeeded : ndarray of bool, shape (runs,)
    count : int
        Runs in a group; those left over at the end are not used.

    Returns
    -------
    (int, int)
        Groups with a success, and groups.

    Examples
    --------
    >>> grouped(np.array([True, False, False, False, False, True, True]), 2)
    (2, 3)
    """
    groups = len(succeeded) // count
    held = succeeded[: groups * count].reshape(groups, count).any(axis=1)
    return int(held.sum()), groups


def best_of(risks: Floats, count: int, chances: Sequence[float]) -> Floats:
    """Return quantiles of the least risk of some runs, drawn without replacement.

    Parameters
    ----------
    risks : ndarray, shape (runs,)
        NaN counts as the highest risk of all.
    count : int
        Runs drawn, at most all of them.
    chances : sequence of float
        Between 0 and 1.

    Returns
    -------
    ndarray, shape (chances,)
        The least of the risks that the best is at or below with each chance: exact, as if every
        choice of `count` runs had been looked at. NaN where that is no number.

    Raises
    ------
    InputError
        If more are to be drawn than there are.

    Examples
    --------
    >>> best_of(np.array([4.0, 1.0, 3.0, 2.0]), 2, [0.5, 0.9]).tolist()
    [1.0, 3.0]
    """
    runs = len(risks)
    if not 1 <= count <= runs:
        raise InputError(f"{count} of {runs} runs cannot be drawn; give 1 to {runs}.")
    ordered = np.sort(risks)
    # The best is above the i-th risk if all are drawn from the runs - i others.
    others = np.arange(runs - 1, -1, -1.0)
    above = np.ones(runs)
    for drawn_before in range(count):
        above *= np.maximum(others - drawn_before, 0.0) / (runs - drawn_before)
    # Exact chances may be missed by rounding of the product.
    reached = 1.0 - above + 1e-12
    return np.array([ordered[int(np.argmax(reached >= chance))] for chance in chances])


def counts_up_to(runs: int, most: int = 1000) -> Integers:
    """Return the numbers of runs whose best is looked at: 1, 2, 5, 10, ..

    Parameters
    ----------
    runs : int
        What there is: the best of more than a tenth of it is hardly seen often enough.
    most : int

    Returns
    -------
    ndarray of int

    Examples
    --------
    >>> counts_up_to(300).tolist()
    [1, 2, 5, 10, 20]
    """
    steps = [m * 10**e for e in range(9) for m in (1, 2, 5)]
    return np.array([n for n in steps if n == 1 or n <= min(most, runs // 10)], np.int64)
