"""Networks written into a folder, one file each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reluscape.errors import FileError

if TYPE_CHECKING:
    from reluscape.networks.network import Network


def check_folder(path: Path | None) -> None:
    """Make sure that networks can be written into a folder, which is made where there is none.

    Parameters
    ----------
    path : Path or None
        Nothing is checked without one.

    Raises
    ------
    FileError
        When it is a file, its parent is missing, or one cannot write there.

    Examples
    --------
    >>> check_folder(Path("no/such/place"))
    Traceback (most recent call last):
        ...
    reluscape.errors.FileError: --save-dir: there is no folder no/such; make it first.
    """
    if path is None:
        return
    if path.exists() and not path.is_dir():
        raise FileError(f"--save-dir {path} is a file; give the path of a folder.")
    if not path.parent.is_dir():
        raise FileError(f"--save-dir: there is no folder {path.parent}; make it first.")
    place = path if path.exists() else path.parent
    if not os.access(place, os.W_OK | os.X_OK):
        raise FileError(f"--save-dir: cannot write in the folder {place}; give another path.")


def save_networks(folder: Path, networks: Sequence[tuple[str, Network]]) -> list[Path]:
    """Write networks as JSON.

    Parameters
    ----------
    folder : Path
        Made where there is none.
    networks : sequence of (str, Network)
        Names without suffix, and networks.

    Returns
    -------
    list of Path

    Raises
    ------
    OSError, FileError
        When a file cannot be written.
    """
    folder.mkdir(exist_ok=True)
    paths: list[Path] = []
    for name, network in networks:
        paths.append(folder / f"{name}.json")
        network.save(paths[-1])
    return paths
