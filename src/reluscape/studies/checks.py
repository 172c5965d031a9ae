"""What is wrong with a value in the description of a study, and what to write instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeVar, cast

import numpy as np

from reluscape.errors import InputError
from reluscape.networks.arrays import is_number, is_whole

Value = TypeVar("Value", bound=Hashable)

# Names shown in a message.
_SHOWN = 12


def nearest(wanted: str, known: Iterable[str]) -> str:
    """Say which known name may have been meant, or all of them.

    Parameters
    ----------
    wanted : str
    known : iterable of str

    Returns
    -------
    str
        The end of a sentence.

    Examples
    --------
    >>> nearest("step_size", ["step_sizes", "steps"])
    "did you mean 'step_sizes'?"
    >>> nearest("colour", ["steps", "starts"])
    'use one of steps, starts.'
    """
    names = list(known)
    close = get_close_matches(wanted.casefold(), [name.casefold() for name in names], n=1)
    if close:
        meant = next(name for name in names if name.casefold() == close[0])
        return f"did you mean {meant!r}?"
    more = ", ..." if len(names) > _SHOWN else ""
    return f"use one of {', '.join(names[:_SHOWN])}{more}."


def as_table(where: str, value: object) -> Mapping[str, object]:
    """Return a table with names for keys.

    Parameters
    ----------
    where : str
        What messages call it.
    value : object

    Returns
    -------
    mapping of str

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{where} is {value!r}; give a table of names and values.")
    table = cast("Mapping[object, object]", value)
    for key in table:
        if not isinstance(key, str):
            raise InputError(f"{where} has the key {key!r}; keys are texts.")
    return cast("Mapping[str, object]", value)


def check_keys(
    where: str, table: Mapping[str, object], needed: Sequence[str], optional: Sequence[str] = ()
) -> None:
    """Refuse a table with unknown keys, or without one that it needs.

    Parameters
    ----------
    where : str
        What messages call the table.
    table : mapping
    needed, optional : sequence of str
        The keys that there are.

    Raises
    ------
    InputError
        With the nearest known key.

    Examples
    --------
    >>> check_keys("the study", {"widht": 1}, ["width"])
    Traceback (most recent call last):
        ...
    reluscape.errors.InputError: the study has an unknown key 'widht'; did you mean 'width'?
    """
    known = [*needed, *optional]
    for key in table:
        if key not in known:
            raise InputError(f"{where} has an unknown key {key!r}; {nearest(key, known)}")
    for key in needed:
        if key not in table:
            raise InputError(f"{where} has no {key!r}; add it.")


def choice(name: str, value: object, known: Sequence[str]) -> str:
    """Return one of some words.

    Parameters
    ----------
    name : str
        What messages call the value.
    value : object
    known : sequence of str

    Returns
    -------
    str

    Raises
    ------
    InputError
    """
    if not isinstance(value, str):
        raise InputError(f"{name} is {value!r}; use one of {', '.join(known)}.")
    if value not in known:
        raise InputError(f"{name} is {value!r}; {nearest(value, known)}")
    return value


def flag(name: str, value: object) -> bool:
    """Return a truth value.

    Raises
    ------
    InputError
    """
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name} is {value!r}; use true or false.")
    return bool(cast("bool", value))


def whole(name: str, value: object, least: int) -> int:
    """Return a whole number of at least `least`.

    Raises
    ------
    InputError
    """
    if not is_whole(value) or (number := int(cast("int", value))) < least:
        raise InputError(f"{name} is {value!r}; give a whole number >= {least}.")
    return number


def finite(name: str, value: object) -> float:
    """Return a finite number.

    Raises
    ------
    InputError
    """
    if not is_number(value) or not math.isfinite(number := float(cast("float", value))):
        raise InputError(f"{name} is {value!r}; give a finite number.")
    return number


def positive(name: str, value: object) -> float:
    """Return a finite number above 0.

    Raises
    ------
    InputError
    """
    if not is_number(value) or not 0.0 < (number := float(cast("float", value))) < math.inf:
        raise InputError(f"{name} is {value!r}; give a finite number above 0.")
    return number


def text(name: str, value: object) -> str:
    """Return a text.

    Raises
    ------
    InputError
    """
    if not isinstance(value, str):
        raise InputError(f"{name} is {value!r}; give a text.")
    return value


def items(name: str, value: object) -> list[object]:
    """Return the entries of a list, a tuple or a row of an array.

    Raises
    ------
    InputError
        If it is no list, or empty.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence | range):
        raise InputError(f"{name} is {value!r}; give a list.")
    found = list(cast("Sequence[object]", value))
    if not found:
        raise InputError(f"{name} is empty; give at least one entry.")
    return found


def each(name: str, value: object, read: Callable[[str, object], Value]) -> tuple[Value, ...]:
    """Return the entries of a list, read one by one, of which no two are the same.

    Parameters
    ----------
    name : str
        What messages call the list.
    value : object
    read : callable (name, entry)

    Returns
    -------
    tuple

    Raises
    ------
    InputError
        If it is no list, or empty, or an entry is wrong or there twice.

    Examples
    --------
    >>> each("step_sizes", [0.1, 1], positive)
    (0.1, 1.0)
    """
    found = [read(f"an entry of {name}", entry) for entry in items(name, value)]
    seen: set[Value] = set()
    for entry in found:
        if entry in seen:
            raise InputError(f"{name} holds {entry!r} twice; leave one of them out.")
        seen.add(entry)
    return tuple(found)
