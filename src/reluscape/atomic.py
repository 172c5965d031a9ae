"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any


@contextmanager
def atomic_write(
    path: str | os.PathLike[str],
    mode: str = "wb",
    *,
    durable: bool = False,
    replace: bool = True,
) -> Generator[IO[Any]]:
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
    durable : bool
        Whether the file survives a loss of power once the block has ended: its bytes, and then the
        entry of its folder, are forced to the disk, which costs some milliseconds.
    replace : bool
        False leaves a file alone that stands at `path` already, also one that another process has
        written in the meantime.

    Yields
    ------
    file object
        Open for writing.

    Raises
    ------
    OSError
        When the folder is missing or not writable, or the disk is full; `FileExistsError` when the
        file stands there already and is not to be replaced.

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
            if durable:
                handle.flush()
                os.fsync(handle.fileno())
        if replace:
            with suppress(FileNotFoundError):
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            temporary.replace(target)
        else:
            _settle(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        _force(target.parent)


def _settle(temporary: Path, target: Path) -> None:
    """Give a file its name unless another one has it."""
    try:
        # A second name is refused where one exists, in one step; a renaming would overwrite.
        target.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # The file system knows no second names; what remains is to look before.
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        temporary.replace(target)
    else:
        temporary.unlink()


def _force(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folders, and writes names through by itself
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot; the name is then as safe as they make it.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF):
            raise
    finally:
        os.close(descriptor)
