"""What a command about a landscape leaves behind: files, then tables or one JSON document."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from reluscape._version import __version__
from reluscape.cli.folders import save_networks
from reluscape.cli.printing import Table, print_document, print_tables
from reluscape.cli.progress import tell
from reluscape.errors import FileError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from reluscape.networks.network import Network

Shown: TypeAlias = tuple[Sequence[str], Sequence[Table], Sequence[str]]


@dataclass(frozen=True)
class File:
    """Something that a command writes.

    Attributes
    ----------
    name : str
        What it is called under "files" in ``--json``.
    said : str
        How it is named to people.
    write : callable
        Writes it; returns what ``--json`` has under its name.
    """

    name: str
    said: str
    write: Callable[[], object]


def figure_file(path: Path | None, draw: Callable[[], Figure]) -> list[File]:
    """Return the figure that ``--plot`` asks for, none without a path.

    Parameters
    ----------
    path : Path or None
    draw : callable
        Makes the figure.
    """
    if path is None:
        return []

    def write() -> str:
        from reluscape.report.plots import save_figure

        save_figure(draw(), path)
        return str(path)

    return [File("plot", str(path), write)]


def network_files(folder: Path | None, named: Sequence[tuple[str, Network]]) -> list[File]:
    """Return the networks that ``--save-dir`` asks for, none without a folder.

    Parameters
    ----------
    folder : Path or None
    named : sequence of (str, Network)
    """
    if folder is None:
        return []

    def write() -> list[str]:
        return [str(path) for path in save_networks(folder, named)]

    return [File("networks", f"{len(named)} networks into {folder}", write)]


def deliver(
    words: Sequence[str],
    as_json: bool,
    files: Sequence[File],
    shown: Callable[[], Shown],
    values: Callable[[], Mapping[str, object]],
) -> None:
    """Write files, print the result, and say what was written.

    The result is printed even where a file is lost: it may have taken long.

    Parameters
    ----------
    words : sequence of str
        The command.
    as_json : bool
    files : sequence of File
    shown : callable
        Returns a heading, tables and remarks.
    values : callable
        Returns the result as plain values; version, command and files are added.

    Raises
    ------
    FileError
        When a file cannot be written, after the result was printed.
    """
    written: dict[str, object] = {}
    lost = _write(files, written)
    if as_json:
        from reluscape.report.values import plain

        head = {"reluscape": __version__, "command": shlex.join(words)}
        print_document(plain({**head, **values(), "files": written}))
    else:
        print_tables(*shown())
    if lost is not None:
        raise lost
    for file in files:
        tell(f"reluscape: wrote {file.said}")


def _write(files: Sequence[File], written: dict[str, object]) -> FileError | None:
    """Write files until one is lost; return what went wrong instead of raising it."""
    for file in files:
        try:
            written[file.name] = file.write()
        except FileError as lost:
            return lost
        except OSError as error:
            return FileError(f"cannot write {error.filename} ({error.strerror}); make room for it.")
    return None
