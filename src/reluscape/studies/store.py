"""The results of a study on disk: one folder, one Parquet file a chunk, whole or not there.

Why Parquet and not Zarr: a chunk is a table of runs, and one file that is renamed into place is the
only thing a file system does in one step. A Zarr array spreads over shared files (metadata, and
chunks that are written in part), so that two writers, or a kill between two writes, need locks or
repairs. PyArrow is a dependency already, Parquet files carry checksums of their pages, and any tool
reads them without us.

    study.json             the description, its digest, the version that made it
    chunks/000012.parquet  the rows of chunk 12; metadata: digest, chunk, number of rows
    damaged/               files that were found damaged, put aside: to be looked at or deleted
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from reluscape._version import __version__
from reluscape.atomic import atomic_write
from reluscape.errors import FileError
from reluscape.studies.chunk_files import decode, encode, fault_of
from reluscape.studies.differences import differences
from reluscape.studies.status import StoreStatus
from reluscape.studies.work import Table

FORMAT = 1
_STUDY, _CHUNKS, _DAMAGED = "study.json", "chunks", "damaged"
_NAME = re.compile(r"(\d{6,})\.parquet")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# A file is written in a moment; one this old was left behind by a writer that was killed.
STALE = 3600.0


@dataclass(frozen=True)
class Store:
    """A folder of results; make it with `Store.create_or_open` or `Store.open`.

    Any number of processes may work on one store: chunks are functions of the description alone,
    so that two writers of a chunk write the same bytes, and the last one's file takes the name.

    Attributes
    ----------
    path : Path
    description : dict
        Of the study, as JSON holds it.
    digest : str
        Of the description: what results belong to.
    chunks : int
        How many chunks the study has.
    version : str
        Of the reluscape that computes the results.
    joined : bool
        Whether the folder was there before: somebody else may be at work on it.

    Examples
    --------
    >>> import pyarrow as pa, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store.create_or_open(folder, {"seed": 1}, "d41d", 3)
    ...     store.write(1, pa.table({"risk": [0.5, 0.25]}))
    ...     store.missing(), store.read(1).num_rows, Store.open(folder).description
    ([0, 2], 2, {'seed': 1})
    """

    path: Path
    description: Mapping[str, object]
    digest: str
    chunks: int
    version: str = __version__
    joined: bool = True

    @classmethod
    def create_or_open(
        cls,
        path: str | os.PathLike[str],
        description: Mapping[str, object],
        digest: str,
        chunks: int,
    ) -> Store:
        """Make a store for a study, or go on with the one that is there.

        Parameters
        ----------
        path : str or path-like
            A folder: a store of this study, an empty one, or one to be made.
        description : dict
            What JSON can hold.
        digest : str
            Hash of what matters in the description.
        chunks : int
            Number of chunks.

        Returns
        -------
        Store

        Raises
        ------
        FileError
            If the folder holds something else, another study, or results of another version or
            format; if it cannot be written, or the disk is full.
        """
        folder = Path(path)
        joined = (folder / _STUDY).exists() or not _create(folder, description, digest, chunks)
        found = cls.open(folder)
        if found.digest != digest:
            raise FileError(
                f"{folder} holds another study: {differences(found.description, description)}; "
                "choose another folder, or the settings that it was made with."
            )
        if found.version != __version__ or found.chunks != chunks:
            raise FileError(
                f"{folder} holds results of reluscape {found.version} in {found.chunks} chunks, "
                f"this is {__version__} with {chunks}; results of two versions are not mixed: go "
                f"on with version {found.version}, or choose another folder."
            )
        found._sweep()
        return Store(folder, found.description, digest, chunks, found.version, joined)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Store:
        """Open a store to read from it.

        Parameters
        ----------
        path : str or path-like
            A folder that `create_or_open` made.

        Returns
        -------
        Store

        Raises
        ------
        FileError
            If there is none, it is damaged, or of a format that this version does not know.
        """
        folder = Path(path)
        try:
            text = (folder / _STUDY).read_bytes()
        except FileNotFoundError:
            raise FileError(
                f"{folder} holds no study (there is no {_STUDY}); name the folder that a study was "
                "told to keep its results in."
            ) from None
        except OSError as problem:
            raise FileError(f"cannot read {folder / _STUDY} ({problem.strerror}).") from problem
        try:
            said = cast("dict[str, object]", json.loads(text))
            format_ = said["format"]
            if format_ != FORMAT:
                raise FileError(
                    f"{folder} is a store of format {format_}, and this version reads format "
                    f"{FORMAT}; use reluscape {said['reluscape']}."
                )
            return cls(
                folder,
                cast("dict[str, object]", said["description"]),
                str(said["digest"]),
                int(cast("int", said["chunks"])),
                str(said["reluscape"]),
            )
        except (ValueError, KeyError, TypeError) as problem:
            if isinstance(problem, FileError):
                raise
            raise FileError(
                f"{folder / _STUDY} is damaged; copy it from a backup, or choose another folder."
            ) from problem

    def present(self) -> list[int]:
        """Return which chunks have a file, in order; whether they are damaged is not looked at."""
        try:
            names = [entry.name for entry in (self.path / _CHUNKS).iterdir()]
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise FileError(f"cannot read {self.path} ({problem.strerror}).") from problem
        found = (match for name in names if (match := _NAME.fullmatch(name)) is not None)
        return sorted(i for match in found if (i := int(match.group(1))) < self.chunks)

    def has(self, index: int) -> bool:
        """Tell whether a chunk has a file by now."""
        return self._file(index).exists()

    def missing(self) -> list[int]:
        """Return which chunks are to be computed, in order; damaged ones are put aside.

        The footer of every file is read; pages are checked when they are read.
        """
        sound = set(self.present())
        for index in sorted(sound):
            if fault_of(self._file(index), self.digest, index) is not None:
                self._put_aside(index)
                sound.discard(index)
        return [index for index in range(self.chunks) if index not in sound]

    def queue(self) -> list[int]:
        """Return the missing chunks in the order in which this process should take them.

        In a store that was there before somebody else may be at work, from its beginning: we begin
        anywhere. As everyone looks again before a chunk, two processes share the work this way.
        """
        left = self.missing()
        if not self.joined or not left:
            return left
        begin = secrets.randbelow(len(left))
        return left[begin:] + left[:begin]

    def read(self, index: int) -> Table:
        """Return a chunk, every bit as it was written.

        Parameters
        ----------
        index : int

        Returns
        -------
        pyarrow.Table

        Raises
        ------
        FileError
            If it is not there; if it is damaged: it is then put aside, and missing.
        """
        path = self._file(index)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise FileError(
                f"chunk {index} of {self.path} is not there; run the study again to compute it."
            ) from None
        except OSError as problem:
            raise FileError(f"cannot read {path} ({problem.strerror}).") from problem
        found = decode(content, self.digest, index)
        if not isinstance(found, str):
            return found
        self._put_aside(index)
        raise FileError(
            f"chunk {index} of {self.path} is damaged ({found}) and was put aside; "
            "run the study again to compute it anew."
        )

    def write(self, index: int, table: Table) -> None:
        """Keep a chunk: once this returns, it survives a kill and a loss of power.

        Parameters
        ----------
        index : int
        table : pyarrow.Table
            Its metadata are kept; digest, chunk and number of rows are added.

        Raises
        ------
        FileError
            If the disk is full, the folder cannot be written, or the table says that it belongs to
            another study; other chunks are not touched.
        """
        content = encode(table, self.digest, index)
        try:
            with atomic_write(self._file(index), durable=True) as handle:
                handle.write(content)
        except OSError as problem:
            raise _refusal(self.path, problem, len(content)) from problem

    def status(self) -> StoreStatus:
        """Return how far the study is; nothing is changed.

        Returns
        -------
        StoreStatus
        """
        present = self.present()
        faults = (fault_of(self._file(index), self.digest, index) for index in present)
        damaged = sum(fault is not None for fault in faults)
        sizes: list[int] = []
        latest: float | None = None
        for index in present:
            with suppress(FileNotFoundError):
                about = self._file(index).stat()
                sizes.append(about.st_size)
                latest = about.st_mtime if latest is None else max(latest, about.st_mtime)
        name = self.description.get("name", "")
        return StoreStatus(
            path=self.path,
            name=name if isinstance(name, str) else "",
            digest=self.digest,
            version=self.version,
            chunks=self.chunks,
            finished=len(present) - damaged,
            damaged=damaged,
            bytes=sum(sizes),
            latest=latest,
        )

    def _file(self, index: int) -> Path:
        return self.path / _CHUNKS / f"{index:06d}.parquet"

    def _put_aside(self, index: int) -> None:
        aside = self.path / _DAMAGED
        try:
            aside.mkdir(exist_ok=True)
            self._file(index).replace(aside / f"{index:06d}.{secrets.token_hex(4)}.parquet")
        except FileNotFoundError:
            return
        except OSError as problem:
            raise FileError(
                f"chunk {index} of {self.path} is damaged and cannot be put aside "
                f"({problem.strerror}); make the folder writable."
            ) from problem

    def _sweep(self) -> None:
        """Delete what writers that were killed have left behind."""
        with suppress(OSError):
            for folder in (self.path, self.path / _CHUNKS):
                for part in folder.glob(".*.part"):
                    if time.time() - part.stat().st_mtime > STALE:
                        part.unlink(missing_ok=True)


def _create(folder: Path, description: Mapping[str, object], digest: str, chunks: int) -> bool:
    """Make the folder, and last the file with which the store exists; False if another is first."""
    said = {
        "format": FORMAT,
        "reluscape": __version__,
        "digest": digest,
        "chunks": chunks,
        "description": dict(description),
    }
    text = json.dumps(said, indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Another process may be creating the same store.
        strangers = [
            entry.name
            for entry in folder.iterdir()
            if entry.name not in (_STUDY, _CHUNKS) and not entry.name.startswith(f".{_STUDY}.")
        ]
        if strangers:
            raise FileError(
                f"{folder} is not empty and holds no study ({strangers[0]} is there); "
                "choose another folder."
            )
        (folder / _CHUNKS).mkdir(exist_ok=True)
        try:
            with atomic_write(folder / _STUDY, "w", durable=True, replace=False) as handle:
                handle.write(text)
        except FileExistsError:
            return False
    except FileExistsError:
        raise FileError(f"{folder} is a file; choose a folder.") from None
    except NotADirectoryError:
        raise FileError(f"{folder} lies in a file; choose a folder.") from None
    except OSError as problem:
        raise _refusal(folder, problem, len(text)) from problem
    return True


def _refusal(folder: Path, problem: OSError, size: int) -> FileError:
    if problem.errno not in _FULL:
        return FileError(
            f"cannot write to {folder} ({problem.strerror}); what is finished is kept: make it "
            "writable and run the study again."
        )
    try:
        room = f"{shutil.disk_usage(folder).free / 1e6:.3g} MB are free"
    except OSError:
        room = "no room is left"
    return FileError(
        f"the disk of {folder} is full ({problem.strerror}): a chunk needs "
        f"{math.ceil(size / 1e3)} kB, {room}. What is finished is kept: make room, and run the "
        "study again."
    )
