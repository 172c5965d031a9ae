"""Numbers as a person reads them: as many digits as they deserve."""

from __future__ import annotations

import math

_MOST_DIGITS = 15


def number(value: float, digits: int = 5) -> str:
    """Format with so many significant digits, without an exponent where that is readable.

    Parameters
    ----------
    value : float
    digits : int, default 5

    Returns
    -------
    str
        A dash where the value is not finite.

    Examples
    --------
    >>> number(1234567.8), number(0.00012345678), number(-1e-12), number(float("nan"))
    ('1234568', '0.00012346', '-1.0000e-12', '–')
    """
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if not -5 <= exponent < max(9, digits):
        return f"{value:.{digits - 1}e}"
    return f"{value:.{max(0, digits - 1 - exponent)}f}"


def position(value: float, span: float) -> str:
    """Format a place on an axis finely enough to tell places within a span apart.

    Parameters
    ----------
    value : float
    span : float
        The length of the axis.

    Returns
    -------
    str

    Examples
    --------
    >>> position(1.7e9 + 12.3456, span=100.0)
    '1700000012.35'
    """
    return number(value, _digits_to(value, span, 5))


def with_error(value: float, error: float) -> str:
    """Format a value to the digits that its standard error leaves.

    Parameters
    ----------
    value, error : float

    Returns
    -------
    str

    Examples
    --------
    >>> with_error(12.345678, 0.0123), with_error(12.345678, float("nan"))
    ('12.3457', '12.346')
    """
    return number(value, _digits_to(value, error, 3) if math.isfinite(error) and error else 5)


def _digits_to(value: float, scale: float, digits: int) -> int:
    """Significant digits of `value` that reach `digits` significant digits of `scale`."""
    if not (math.isfinite(value) and value and math.isfinite(scale) and scale > 0):
        return digits
    above = math.floor(math.log10(abs(value))) - math.floor(math.log10(scale))
    return min(max(above + digits, 3), _MOST_DIGITS)
