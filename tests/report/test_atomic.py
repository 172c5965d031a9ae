"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from reluscape.atomic import atomic_write


@pytest.mark.parametrize(("mode", "content"), [("w", "é\n"), ("wb", b"\0\xff")])
def test_it_writes(tmp_path: Path, mode: str, content: str | bytes) -> None:
    path = tmp_path / "a"
    with atomic_write(path, mode) as handle:
        handle.write(content)
        assert not path.exists()
    expected = content.encode() if isinstance(content, str) else content
    assert path.read_bytes() == expected
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_an_interrupted_block_changes_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def write_half() -> None:
        with atomic_write(path, "w") as handle:
            handle.write("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with atomic_write(tmp_path / "a"):
        pass
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_permissions_of_an_old_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    path.chmod(0o640)
    with atomic_write(path):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "a"
    link = tmp_path / "link"
    link.symlink_to(target)
    with atomic_write(link, "w") as handle:
        handle.write("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "none" / "a"):
        pass


def test_a_path_may_be_text(tmp_path: Path) -> None:
    with atomic_write(os.fspath(tmp_path / "a"), "w") as handle:
        handle.write("x")
    assert (tmp_path / "a").read_text() == "x"


def test_a_durable_file_is_forced_to_the_disk_before_and_after_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    forced: list[tuple[str, bool, bytes]] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        fsync(descriptor)
        where = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        size = os.fstat(descriptor).st_size
        forced.append((where, path.exists(), b"" if Path(where).is_dir() else bytes(size)))

    monkeypatch.setattr("os.fsync", watch)
    with atomic_write(path, durable=True) as handle:
        handle.write(b"1234")
    (file, named_before, content), (folder, named_after, _) = forced
    assert file.startswith(str(tmp_path / ".a."))
    assert not named_before
    assert len(content) == 4
    assert folder == str(tmp_path)
    assert named_after


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_came_first_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:

        def refuse(self: Path, target: Path) -> None:
            raise PermissionError(1, "no links on this file system")

        monkeypatch.setattr(Path, "hardlink_to", refuse)
    path = tmp_path / "a"

    def write_too_late():
        with atomic_write(path, "w", replace=False) as handle:
            handle.write("second")
            path.write_text("first")

    with pytest.raises(FileExistsError):
        write_too_late()
    assert path.read_text() == "first"
    path.unlink()
    with atomic_write(path, "w", replace=False) as handle:
        handle.write("alone")
    assert path.read_text() == "alone"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
