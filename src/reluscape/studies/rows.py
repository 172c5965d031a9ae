"""Data in the description of a study: by value, or by the name of a file and a hash."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import FileError, InputError
from reluscape.problems.samples import Samples
from reluscape.studies.checks import text

Floats = NDArray[np.float64]
Table: TypeAlias = Mapping[str, object]

# Bytes of an array that travel inside a description; larger data belong in a file.
MOST_INSIDE = 64_000_000
_KEYS = ("file", "x", "y", "weights", "sha256")
# Eight bytes a number, the lowest first, on every machine.
_FLOAT = np.dtype("<f8")


def describe(samples: Samples) -> Table:
    """Describe data by value.

    Parameters
    ----------
    samples : Samples
        With one input and y of shape (n,).

    Returns
    -------
    mapping
        Arrays as base64 of little-endian float64.

    Raises
    ------
    InputError
        If there are too many rows for that.

    Examples
    --------
    >>> describe(Samples([0.0, 1.0], [0.0, 2.0]))["y"]
    'AAAAAAAAAAAAAAAAAAAAQA=='
    """
    if samples.size * _FLOAT.itemsize > MOST_INSIDE:
        raise InputError(
            f"{samples.size:,} rows are too many to travel with each task of a study; write them "
            'to a Parquet file and give {"kind": "data", "file": ..., "x": ..., "y": ...}.'
        )
    table = {"kind": "samples", "x": _packed(samples.x.reshape(-1)), "y": _packed(samples.y)}
    if samples.given_weights is not None:
        table["weights"] = _packed(samples.given_weights)
    return table


def build(table: Table) -> Samples:
    """Return data that are described by value.

    Parameters
    ----------
    table : mapping

    Returns
    -------
    Samples

    Raises
    ------
    InputError
        If the text is damaged.
    """
    weights = _unpacked("weights", table["weights"]) if "weights" in table else None
    return Samples(_unpacked("x", table["x"]), _unpacked("y", table["y"]), weights)


def from_file(where: str, table: Table) -> tuple[dict[str, object], Samples]:
    """Read data from the file that describes them.

    Parameters
    ----------
    where : str
        What messages call the problem.
    table : mapping
        With `file`, `x`, `y`, and maybe `weights` and `sha256`.

    Returns
    -------
    dict
        The plain description, with the hash of the data.
    Samples

    Raises
    ------
    InputError
        If a value is no text, or a column does not exist.
    FileError
        If the file cannot be read, or its data have another hash than `table` says.
    """
    found: dict[str, object] = {
        key: text(f"{key} of {where}", table[key]) for key in ("kind", *_KEYS) if key in table
    }
    found["file"] = str(Path(cast("str", found["file"])).absolute())
    x, y, weights = _columns(found)
    sha256 = _hash(x, y, weights)
    if found.setdefault("sha256", sha256) != sha256:
        raise FileError(
            f"the data in {found['file']} have changed since the study {where} belongs to was "
            "described; put the file back as it was, or leave out sha256 to begin a new study."
        )
    return found, Samples(x, y, weights)


def _columns(table: Table) -> tuple[Floats, Floats, Floats | None]:
    from reluscape.tables.reading import read_columns

    weights = cast("str | None", table.get("weights"))
    columns = read_columns(
        cast("str", table["file"]),
        x=[cast("str", table["x"])],
        y=cast("str", table["y"]),
        weights=weights,
    )
    return columns.x, columns.y, columns.weights


def _hash(x: Floats, y: Floats, weights: Floats | None) -> str:
    digest = hashlib.sha256()
    for array in (x, y, weights):
        # The length keeps two short columns apart from one long one.
        size = 0 if array is None else len(array)
        digest.update(size.to_bytes(8, "little"))
        if array is not None:
            digest.update(np.ascontiguousarray(array, _FLOAT).tobytes())
    return digest.hexdigest()


def _packed(array: Floats) -> str:
    return base64.b64encode(np.ascontiguousarray(array, _FLOAT).tobytes()).decode("ascii")


def _unpacked(name: str, value: object) -> Floats:
    try:
        content = base64.b64decode(cast("str", value), validate=True)
        return np.frombuffer(content, _FLOAT).astype(np.float64)
    except (binascii.Error, ValueError):
        raise InputError(
            f"{name} is not base64 of 8-byte floats; it is meant to be written by reluscape alone."
        ) from None
