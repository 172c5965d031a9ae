"""Which problems a verb knows: asked first, so that others are refused with a sentence."""

from __future__ import annotations

from reluscape.errors import InputError
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.polygon import Polygon


def require_rows_or_interval(problem: object, what: str) -> None:
    """Refuse problems that are neither data nor an interval, where only these are known.

    Raises
    ------
    InputError
    """
    # Asked of the class: the moments themselves are computed, or refused, where they are read.
    if not hasattr(type(problem), "moments"):
        raise InputError(
            f"{what} knows Samples and Interval, not {type(problem).__name__}; use its risk, "
            "gradient and hessian with an optimiser of your own."
        )


def require_problem(problem: object, what: str) -> None:
    """Refuse what is no problem, where all are known.

    Raises
    ------
    InputError

    Examples
    --------
    >>> require_problem("x^2", "polish")
    Traceback (most recent call last):
        ...
    reluscape.errors.InputError: polish knows Samples, Interval, Polygon and Gaussian, not a str; \
make one of these.
    """
    if not isinstance(problem, Polygon | Gaussian) and not hasattr(type(problem), "moments"):
        raise InputError(
            f"{what} knows Samples, Interval, Polygon and Gaussian, not a "
            f"{type(problem).__name__}; make one of these."
        )
