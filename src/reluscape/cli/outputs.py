"""The files that a command was asked to write, checked before any work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from reluscape.errors import FileError, InputError

SUFFIXES = {
    "--save": (".json", ".npz"),
    "--report": (".html", ".htm"),
    "--plot": (".png", ".svg", ".pdf"),
    "--certificate": (".json",),
}


@dataclass(frozen=True)
class Outputs:
    """Where to write what.

    Attributes
    ----------
    save, report, plot, certificate : Path or None
        The network, the HTML report, the figure and the certificate, where they are asked for.
    """

    save: Path | None
    report: Path | None
    plot: Path | None
    certificate: Path | None

    @property
    def paths(self) -> dict[str, Path]:
        """The files to write, by what they hold."""
        named = {
            "save": self.save,
            "report": self.report,
            "plot": self.plot,
            "certificate": self.certificate,
        }
        return {name: path for name, path in named.items() if path is not None}


def check_outputs(
    data: str,
    *,
    save: Path | None = None,
    report: Path | None = None,
    plot: Path | None = None,
    certificate: Path | None = None,
) -> Outputs:
    """Make sure that every file can be written.

    Parameters
    ----------
    data : str
        The table that is read, which must not be overwritten.
    save, report, plot, certificate : Path or None
        The files to write.

    Returns
    -------
    Outputs

    Raises
    ------
    InputError
        When a folder is missing or not writable, a path is a directory or the table itself, or a
        suffix is not one that can be written.

    Examples
    --------
    >>> check_outputs("data.csv", plot=Path("a.gif"))
    Traceback (most recent call last):
        ...
    reluscape.errors.InputError: --plot cannot write a.gif; end its name in .png, .svg or .pdf.
    """
    for option, path in (
        ("--save", save),
        ("--report", report),
        ("--plot", plot),
        ("--certificate", certificate),
    ):
        if path is not None:
            _check(option, path, data)
    return Outputs(save, report, plot, certificate)


def _check(option: str, path: Path, data: str) -> None:
    if path.is_dir():
        raise FileError(f"{option} {path} is a directory; give the path of a file.")
    known = SUFFIXES[option]
    if path.suffix.lower() not in known:
        names = " or ".join(part for part in (", ".join(known[:-1]), known[-1]) if part)
        raise InputError(f"{option} cannot write {path}; end its name in {names}.")
    if not path.parent.is_dir():
        raise FileError(f"{option}: there is no folder {path.parent}; make it first.")
    if path.exists() and data != "-" and Path(data).exists() and path.samefile(data):
        raise FileError(f"{option} {path} would overwrite the data; give another path.")
    # Files are written beside their place and then moved there, so the folder counts as well.
    place = Path(os.path.realpath(path))
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise FileError(f"{option}: cannot write in the folder {place.parent}; give another path.")
    if place.exists() and not os.access(place, os.W_OK):
        raise FileError(f"{option}: {path} is write-protected; give another path.")
