"""In which settings two descriptions of studies differ, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import cast

_SHOWN = 3
_LONGEST = 60
# Settings that change no result, and no digest.
_NAMES = ("name",)


def differences(there: Mapping[str, object], here: Mapping[str, object]) -> str:
    """Name the settings in which two descriptions differ.

    Parameters
    ----------
    there, here : dict
        What JSON can hold.

    Returns
    -------
    str

    Examples
    --------
    >>> differences({"seed": 0, "steps": 10}, {"seed": 0, "steps": 20})
    'steps is 10 there and 20 here'
    >>> differences({"problems": {"tent": {"kind": "affine"}}}, {"problems": {}})
    'problems.tent is {"kind": "affine"} there and missing here'
    """
    # Through JSON, so that tuples are lists and keys are texts on both sides.
    mine = cast("object", json.loads(json.dumps(here)))
    theirs = cast("object", json.loads(json.dumps(there)))
    found = [
        f"{where} is {first} there and {second} here"
        for where, first, second in _walk("", theirs, mine)
        if where not in _NAMES
    ]
    if not found:
        return "its digest is another one, though no setting differs"
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def _walk(where: str, there: object, here: object) -> Iterator[tuple[str, str, str]]:
    if isinstance(there, dict) and isinstance(here, dict):
        theirs, mine = cast("dict[str, object]", there), cast("dict[str, object]", here)
        for key in [*theirs, *(key for key in mine if key not in theirs)]:
            inner = f"{where}.{key}" if where else key
            if key in theirs and key in mine:
                yield from _walk(inner, theirs[key], mine[key])
            else:
                yield inner, _show(theirs, key), _show(mine, key)
    elif there != here:
        yield where, _cut(json.dumps(there)), _cut(json.dumps(here))


def _show(settings: Mapping[str, object], key: str) -> str:
    return _cut(json.dumps(settings[key])) if key in settings else "missing"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
