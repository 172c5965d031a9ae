"""Turning what a user passes into arrays of finite floats, with errors that say what to mend."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.errors import InputError

Floats: TypeAlias = NDArray[np.float64]


def as_floats(name: str, values: ArrayLike) -> Floats:
    """Return an array of real numbers as float64, or say what it is instead.

    Parameters
    ----------
    name : str
        What the error calls it.
    values : array_like

    Returns
    -------
    ndarray

    Raises
    ------
    InputError
        If it is ragged, complex, or holds something that is no number.

    Examples
    --------
    >>> as_floats("x", [1, 2])
    array([1., 2.])
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"{name} has rows of unequal length; give a full array.") from None
    if array.dtype.kind not in "fiub":
        try:
            if array.dtype.kind not in "O":
                raise TypeError
            return array.astype(np.float64)
        except (TypeError, ValueError, OverflowError):
            raise InputError(
                f"{name} holds {array.dtype.name} values; give real numbers."
            ) from None
    return array.astype(np.float64, copy=False)


def check_finite(name: str, array: Floats) -> None:
    """Raise an error that counts the NaN and infinite values and says where the first is.

    Parameters
    ----------
    name : str
        What the error calls the array.
    array : ndarray

    Raises
    ------
    InputError
        If any value is not finite.

    Examples
    --------
    >>> check_finite("x", np.array([1.0, 2.0]))
    """
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.argwhere(~finite)
        where = tuple(int(index) for index in bad[0])
        at = f" at row {where[0]}" if where else ""
        raise InputError(
            f"{name} holds {len(bad)} NaN or infinite value(s), the first{at}; "
            "remove or replace them."
        )


def is_number(value: object) -> bool:
    """Tell whether a value is one real number (a bool is none).

    Examples
    --------
    >>> is_number(1.5), is_number("1.5"), is_number(True)
    (True, False, False)
    """
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Tell whether a value is a whole number.

    Examples
    --------
    >>> is_whole(3), is_whole(3.0), is_whole(2.5)
    (True, False, False)
    """
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
