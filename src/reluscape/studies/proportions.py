"""How sure a share of successes is."""

from __future__ import annotations

import math

from reluscape.errors import InputError


def wilson(successes: int, runs: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval for the probability of success.

    Parameters
    ----------
    successes, runs : int
        0 <= successes <= runs.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    (float, float)
        All probabilities p that a test at this level would not reject; (0, 1) without runs.

    Raises
    ------
    InputError
        If a number is out of range.

    Notes
    -----
    E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212.

    Examples
    --------
    >>> low, high = wilson(41, 100)
    >>> round(low, 4), round(high, 4)
    (0.3187, 0.508)
    """
    from scipy.special import ndtri

    if not 0 <= successes <= runs:
        raise InputError(f"{successes} of {runs} is no share; give 0 <= successes <= runs.")
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence is {confidence!r}; give a number between 0 and 1.")
    if not runs:
        return 0.0, 1.0
    z = float(ndtri(0.5 + confidence / 2.0))
    share = successes / runs
    extent = 1.0 + z * z / runs
    centre = share + z * z / (2.0 * runs)
    spread = z * math.sqrt(share * (1.0 - share) / runs + (z / (2.0 * runs)) ** 2)
    # At the ends of the range the interval ends there too, up to rounding.
    low = 0.0 if successes == 0 else max((centre - spread) / extent, 0.0)
    high = 1.0 if successes == runs else min((centre + spread) / extent, 1.0)
    return low, high
