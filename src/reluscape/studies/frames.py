"""Messages between a study and its workers: a line of JSON, and perhaps a table of Arrow.

Nothing is pickled, so nothing but numbers and text can come out of a message.
"""

# PyArrow ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, cast

from reluscape.studies.work import Table

if TYPE_CHECKING:
    import pyarrow as pa

_SIZE = "bytes"


def send(stream: IO[bytes], message: Mapping[str, object], table: Table | None = None) -> None:
    r"""Write a message.

    Parameters
    ----------
    stream : binary file
    message : dict
        What JSON can hold; floats keep every bit.
    table : pyarrow.Table, optional

    Raises
    ------
    OSError
        If nobody listens any more.

    Examples
    --------
    >>> import io
    >>> send(pipe := io.BytesIO(), {"do": 3})
    >>> pipe.getvalue()
    b'{"do": 3, "bytes": 0}\n'
    """
    payload = b"" if table is None else _pack(table)
    stream.write(json.dumps({**message, _SIZE: len(payload)}).encode() + b"\n")
    stream.write(payload)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, object], Table | None] | None:
    r"""Read a message.

    Parameters
    ----------
    stream : binary file

    Returns
    -------
    message : dict
    table : pyarrow.Table or None
        Or None alone where the stream ends, in the middle of a message too.

    Examples
    --------
    >>> import io
    >>> receive(io.BytesIO(b'{"do": 3, "bytes": 0}\n'))
    ({'do': 3}, None)
    >>> receive(io.BytesIO(b'{"do": 3, "by')) is None
    True
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    message = cast("dict[str, object]", json.loads(line))
    size = cast("int", message.pop(_SIZE))
    payload = stream.read(size)
    if len(payload) < size:
        return None
    return message, _unpack(payload) if size else None


def _pack(table: Table) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    known = cast("pa.Table", table)
    with pa.ipc.new_stream(sink, known.schema) as writer:
        writer.write_table(known)
    return cast("bytes", sink.getvalue().to_pybytes())


def _unpack(payload: bytes) -> Table:
    import pyarrow as pa

    with pa.ipc.open_stream(payload) as reader:
        return reader.read_all()
