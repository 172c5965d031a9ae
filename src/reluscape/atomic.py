"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any


@contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "wb") -> Generator[IO[Any]]:
    """Write a file that appears only when the block ends well.

    The text or bytes go to a temporary file in the same folder, which replaces `path` in one
    step. When the block raises (an interrupt included) the temporary file is removed and
    whatever stood at `path` before stands there still.

    Parameters
    ----------
    path : str or path-like
        The file to write; a symbolic link is followed.
    mode : {"wb", "w"}
        Bytes, or text in UTF-8.

    Yields
    ------
    file object
        Open for writing.

    Raises
    ------
    OSError
        When the folder is missing or not writable, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder) / "note.txt"
    ...     with atomic_write(target, "w") as handle:
    ...         _ = handle.write("done")
    ...     target.read_text()
    'done'
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    text = "b" not in mode
    try:
        # "x" instead of "w": the file is ours alone, and the user's umask decides who reads it.
        with temporary.open(
            mode.replace("w", "x"),
            encoding="utf-8" if text else None,
            newline="\n" if text else None,
        ) as handle:
            yield handle
        with suppress(FileNotFoundError):
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
