"""The TOML of a study: read with the standard library, written by hand."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

from reluscape.errors import FileError

Table: TypeAlias = Mapping[str, object]

# Longest line of an array before it is broken.
_LINE = 100


def read_toml(path: str | os.PathLike[str]) -> Table:
    """Read a TOML file.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    mapping

    Raises
    ------
    FileError
        If it cannot be read, or is not TOML; the message gives line and column.
    """
    try:
        content = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise FileError(f"cannot read {os.fspath(path)} ({reason}); check the path.") from problem
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as problem:
        raise FileError(f"{os.fspath(path)} is not TOML ({problem}); correct it there.") from None


def toml_text(table: Table) -> str:
    """Write a table of plain values as TOML.

    Parameters
    ----------
    table : mapping
        Of texts, numbers, truth values, lists and tables. Floats come back bit for bit.

    Returns
    -------
    str

    Examples
    --------
    >>> print(toml_text({"steps": 10, "problems": {"x": {"kind": "affine", "alpha": 0.1}}}), end="")
    steps = 10
    <BLANKLINE>
    [problems.x]
    kind = "affine"
    alpha = 0.1
    """
    lines = [f"{_key(key)} = {_value(v)}" for key, v in table.items() if not isinstance(v, Mapping)]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += _section(_key(key), cast("Table", value))
    return "\n".join(lines) + "\n"


def _section(name: str, table: Table) -> list[str]:
    plain = [(key, v) for key, v in table.items() if not isinstance(v, Mapping)]
    lines = ["", f"[{name}]", *(f"{_key(k)} = {_value(v)}" for k, v in plain)] if plain else []
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += _section(f"{name}.{_key(key)}", cast("Table", value))
    return lines


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else _text(name)


def _text(value: str) -> str:
    # The escapes of JSON are those of TOML, but for one character that JSON does not escape.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        entries = cast("Table", value).items()
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in entries) + " }"
    rows = [_value(entry) for entry in cast("Sequence[object]", value)]
    line = "[" + ", ".join(rows) + "]"
    if len(line) <= _LINE:
        return line
    return "[\n" + "".join(f"    {row},\n" for row in rows) + "]"
