"""One chunk as a Parquet file: what it says of itself, and how damage is seen."""

# PyArrow ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from reluscape.errors import FileError
from reluscape.studies.work import Table

if TYPE_CHECKING:
    import pyarrow as pa


def encode(table: Table, digest: str, index: int) -> bytes:
    """Return a chunk as the bytes of a file: the same bytes for the same rows.

    Parameters
    ----------
    table : pyarrow.Table
        Its metadata are kept; digest, chunk and number of rows are added.
    digest : str
        Of the study.
    index : int
        Of the chunk.

    Returns
    -------
    bytes

    Raises
    ------
    FileError
        If the table says that it belongs to another study.

    Examples
    --------
    >>> import pyarrow as pa
    >>> content = encode(pa.table({"risk": [0.5, 0.25]}), "d41d", 3)
    >>> decode(content, "d41d", 3).num_rows, decode(content, "d41d", 4)
    (2, 'it is another chunk')
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = cast("pa.Table", table)
    known = cast("dict[bytes, bytes]", rows.schema.metadata or {})
    if known.get(b"digest", digest.encode()) != digest.encode():
        raise FileError(
            f"a worker computed chunk {index} of another study; let all workers run the same "
            "version of reluscape."
        )
    stamp = {
        b"digest": digest.encode(),
        b"chunk": str(index).encode(),
        b"rows": str(rows.num_rows).encode(),
    }
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows.replace_schema_metadata({**known, **stamp}),
        sink,
        compression="zstd",
        write_page_checksum=True,
    )
    return cast("bytes", sink.getvalue().to_pybytes())


def decode(content: bytes, digest: str, index: int) -> Table | str:
    """Read a file back, every page against its checksum.

    Parameters
    ----------
    content : bytes
    digest : str
    index : int

    Returns
    -------
    pyarrow.Table or str
        What is wrong with the file, if anything is.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True) as file:
            table = file.read()
            said = file.metadata.metadata
    except (pa.ArrowException, OSError) as problem:
        return str(problem)
    return _mismatch(said, table.num_rows, digest, index) or table


def fault_of(path: Path, digest: str, index: int) -> str | None:
    """Say what is wrong with a file by its footer, which comes last.

    Parameters
    ----------
    path : Path
    digest : str
    index : int

    Returns
    -------
    str or None
        None if nothing is.

    Raises
    ------
    FileError
        If the system cannot read it, which says nothing of the file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as stream:
            about = pq.read_metadata(stream)
    except FileNotFoundError:
        return "it is gone"
    except (pa.ArrowException, OSError) as problem:
        # Arrow's own errors carry no number; those of the system do.
        if isinstance(problem, OSError) and problem.errno is not None:
            raise FileError(f"cannot read {path} ({problem.strerror}).") from problem
        return str(problem)
    return _mismatch(about.metadata, about.num_rows, digest, index)


def _mismatch(said: Mapping[bytes, bytes] | None, rows: int, digest: str, index: int) -> str | None:
    about = said or {}
    if about.get(b"digest") != digest.encode():
        return "it belongs to another study"
    if about.get(b"chunk") != str(index).encode():
        return "it is another chunk"
    return None if about.get(b"rows") == str(rows).encode() else "rows are missing"
