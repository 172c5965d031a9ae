"""Where the bytes of a table come from: a file or standard input."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from reluscape.errors import FileError
from reluscape.tables.arrow import open_stream

HEAD_BYTES = 1 << 18


@dataclass(frozen=True)
class Source:
    """Bytes that can be opened more than once.

    Attributes
    ----------
    name : str
        What messages call it.
    path : Path or None
        The file, when the bytes are in a regular one.
    content : bytes or None
        The bytes themselves, when they came through a pipe.
    """

    name: str
    path: Path | None
    content: bytes | None

    def open(self) -> IO[bytes]:
        """Open at the start; files that end in .gz, .bz2 or .zst are unpacked on the way."""
        return open_stream(self.path, self.content)

    def head(self) -> bytes:
        """Return the first bytes, `HEAD_BYTES` at most."""
        try:
            with self.open() as stream:
                return stream.read(HEAD_BYTES)
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else None
            raise FileError(
                f"cannot read {self.name} ({reason or problem}); "
                "check the file and its permissions."
            ) from problem


def open_source(data: str) -> Source:
    """Find the bytes that a DATA argument stands for.

    Parameters
    ----------
    data : str
        A path, or ``-`` for standard input.

    Returns
    -------
    Source

    Raises
    ------
    FileError
        When there is no such file, or it is a directory or unreadable.
    """
    if data == "-":
        return Source("standard input", None, sys.stdin.buffer.read())
    path = Path(data)
    if path.is_dir():
        raise FileError(
            f"{data} is a directory; give the path of a CSV, TSV or Parquet file in it."
        )
    try:
        if path.is_file():
            return Source(data, path, None)
        # A named pipe or /dev/stdin can be read only once.
        return Source(data, None, path.read_bytes())
    except FileNotFoundError as problem:
        raise FileError(f"there is no file {data}; {_hint(path)}") from problem
    except OSError as problem:
        raise FileError(
            f"cannot read {data} ({problem.strerror}); check the file and its permissions."
        ) from problem


def _hint(path: Path) -> str:
    """Suggest what the user may have meant."""
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return f"there is not even a folder {path.parent}, check the path."
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        names = []
    close = get_close_matches(path.name, names, n=1)
    return f"did you mean {path.parent / close[0]}?" if close else "check the path."
