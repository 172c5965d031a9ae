"""Output paths are refused before any work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from reluscape.cli.outputs import check_outputs
from reluscape.errors import InputError


@pytest.fixture
def data(tmp_path: Path) -> str:
    path = tmp_path / "data.json"
    path.write_text("x,y\n1,2\n")
    (tmp_path / "folder.html").mkdir()
    return str(path)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"save": "net.pkl"}, "--save cannot write .*; end its name in .json or .npz."),
        ({"plot": "plot"}, ".png, .svg or .pdf"),
        ({"report": "out.pdf"}, ".html or .htm"),
        ({"report": "none/out.html"}, "there is no folder"),
        ({"report": "folder.html"}, "is a directory"),
        ({"save": "data.json"}, "would overwrite the data"),
        ({"save": "./folder.html/../data.json"}, "would overwrite the data"),
        ({"plot": "data.json/a.png"}, "there is no folder"),
    ],
)
def test_refused(tmp_path: Path, data: str, outputs: dict[str, str], message: str) -> None:
    paths: dict[str, Any] = {key: tmp_path / path for key, path in outputs.items()}
    with pytest.raises(InputError, match=message):
        check_outputs(data, **paths)


def test_accepted(tmp_path: Path, data: str) -> None:
    (tmp_path / "old.html").touch()
    found = check_outputs(
        data, save=tmp_path / "a.NPZ", report=tmp_path / "old.html", plot=tmp_path / "a.Pdf"
    )
    assert list(found.paths) == ["save", "report", "plot"]
    assert check_outputs("-").paths == {}


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_protected(tmp_path: Path, data: str) -> None:
    (tmp_path / "old.html").touch(0o444)
    with pytest.raises(InputError, match="write-protected"):
        check_outputs(data, report=tmp_path / "old.html")
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(InputError, match="cannot write in the folder"):
            check_outputs(data, report=tmp_path / "new.html")
    finally:
        tmp_path.chmod(0o755)
