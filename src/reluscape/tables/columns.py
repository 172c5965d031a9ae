"""Which columns of a table are meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reluscape.errors import InputError

_POSITION = re.compile(r"[+-]?\d+")
_SHOWN = 20


@dataclass(frozen=True)
class Choice:
    """The columns of a fit, as 0-based positions.

    Attributes
    ----------
    x : tuple of int
    y : int
    weights : int or None
    """

    x: tuple[int, ...]
    y: int
    weights: int | None


def choose(
    names: Sequence[str],
    numeric: Sequence[bool],
    *,
    x: Sequence[str],
    y: str | None,
    weights: str | None,
    source: str,
) -> Choice:
    """Find the columns that a call means; those not named must be the only ones left.

    Parameters
    ----------
    names : sequence of str
        The columns that there are.
    numeric : sequence of bool
        Which of them hold numbers.
    x, y, weights : sequence of str, str or None, str or None
        Names, or positions counted from 1 (from -1 at the end); empty or None where not given.
    source : str
        What messages call the table.

    Returns
    -------
    Choice

    Raises
    ------
    InputError
        When a column does not exist, is meant twice, or cannot be guessed.

    Examples
    --------
    >>> choose(["time", "dose"], [True, True], x=[], y=None, weights=None, source="a.csv")
    Choice(x=(0,), y=1, weights=None)
    >>> choose(["a", "b", "c"], [True] * 3, x=["c"], y="-3", weights=None, source="a.csv")
    Choice(x=(2,), y=0, weights=None)
    """
    weight_column = None if weights is None else find(names, weights, "--weights", source)
    x_columns = tuple(find(names, wanted, "--x", source) for wanted in x)
    y_column = None if y is None else find(names, y, "--y", source)
    taken = {*x_columns, y_column, weight_column}
    # In a table of two columns there is no doubt which are meant, numbers or not.
    sure = len(names) == 2
    left = [i for i in range(len(names)) if (numeric[i] or sure) and i not in taken]
    missing = (not x_columns) + (y_column is None)
    if missing and len(left) != missing:
        options = " and ".join(["--x"] * (not x_columns) + ["--y"] * (y_column is None))
        held = f"{source} has {_columns(names)}"
        if len(left) < missing:
            raise InputError(f"{held}, too few of them numbers to fit y on x; give {options}.")
        raise InputError(f"{held}; say with {options} which to fit.")
    if not x_columns:
        x_columns = (left.pop(0),)
    if y_column is None:
        y_column = left.pop(0)
    used = [*x_columns, y_column, *([] if weight_column is None else [weight_column])]
    twice = next((column for column in used if used.count(column) > 1), None)
    if twice is not None:
        raise InputError(f"column {names[twice]!r} is given twice; give different columns.")
    return Choice(x_columns, y_column, weight_column)


def find(names: Sequence[str], wanted: str, option: str, source: str) -> int:
    """Find one column by name or else by position.

    Parameters
    ----------
    names : sequence of str
    wanted : str
        A name, or a position counted from 1 (from -1 at the end) when no column is called so.
    option, source : str
        What messages call the option and the table.

    Returns
    -------
    int
        The position, counted from 0.

    Raises
    ------
    InputError
        When there is no such column, or several.

    Examples
    --------
    >>> find(["time", "dose"], "dose", "--x", "a.csv")
    1
    """
    same = [i for i, name in enumerate(names) if name == wanted.strip()]
    if len(same) == 1:
        return same[0]
    if same:
        positions = ", ".join(str(i + 1) for i in same)
        raise InputError(
            f"{source} has several columns called {wanted!r}; give {option} as a position "
            f"({positions}) instead."
        )
    if _POSITION.fullmatch(wanted):
        position = int(wanted)
        if 1 <= position <= len(names):
            return position - 1
        if -len(names) <= position <= -1:
            return len(names) + position
        raise InputError(
            f"{source} has no column {wanted}; positions go from 1 to {len(names)}, "
            f"or from -1 to -{len(names)} counted from the end."
        )
    raise InputError(
        f"{source} has no column {wanted!r}, it has {_columns(names)}; "
        f"{_hint(names, wanted, option)}"
    )


def _hint(names: Sequence[str], wanted: str, option: str) -> str:
    from difflib import get_close_matches

    folded = {name.casefold(): name for name in names}
    close = get_close_matches(wanted.casefold(), list(folded), n=1)
    return f"did you mean {folded[close[0]]!r}?" if close else f"give {option} one of those."


def _columns(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name) for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"the column{'s' if len(names) > 1 else ''} {listed}{more}"
