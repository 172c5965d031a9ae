"""A folder of results: whole chunks or none, refusals, damage, full disks, several writers."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from reluscape.errors import FileError
from reluscape.studies.store import STALE, Store
from toy_tasks import rows

SPEC = {"name": "toy", "seed": 1, "problems": {"tent": {"kind": "data"}}, "steps": [0.1, 0.2]}
CHUNKS = 4


def made(folder: Path, **changes: object) -> Store:
    return Store.create_or_open(folder, SPEC | changes, "abc", CHUNKS)


def bits(table) -> dict[str, bytes]:
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    return {
        name: (column.flatten() if name == "records" else column).to_numpy().tobytes()
        for name, column in columns.items()
    }


def test_what_was_written_is_read_bit_for_bit(tmp_path: Path) -> None:
    store = made(tmp_path / "deep" / "store")
    table = rows({}, 2)
    store.write(2, table)
    found = Store.open(tmp_path / "deep" / "store").read(2)
    assert bits(found) == bits(table)
    assert found.schema.names == table.schema.names
    assert np.isnan(found["risk"][0].as_py())
    assert store.present() == [2]
    assert store.missing() == [0, 1, 3]
    assert store.has(2)
    assert not store.has(3)


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    contents = set()
    for name in "ab":
        store = made(tmp_path / name)
        store.write(0, rows({}, 0))
        contents.add((tmp_path / name / "chunks" / "000000.parquet").read_bytes())
    assert len(contents) == 1


def test_there_is_nothing_but_the_study_and_its_chunks(tmp_path: Path) -> None:
    store = made(tmp_path / "store")
    for index in range(CHUNKS):
        store.write(index, rows({}, index))
    found = sorted(str(path.relative_to(store.path)) for path in store.path.rglob("*"))
    chunks = [f"chunks/{index:06d}.parquet" for index in range(CHUNKS)]
    assert found == ["chunks", *chunks, "study.json"]
    assert store.missing() == []


def test_opening_again_keeps_everything(tmp_path: Path) -> None:
    first = made(tmp_path / "store")
    first.write(1, rows({}, 1))
    second = made(tmp_path / "store")
    assert second.missing() == [0, 2, 3]
    assert second.description == SPEC
    assert not first.joined
    assert second.joined


def test_a_queue_holds_what_is_missing(tmp_path: Path) -> None:
    first = made(tmp_path / "store")
    first.write(1, rows({}, 1))
    assert first.queue() == [0, 2, 3]
    orders = {tuple(made(tmp_path / "store").queue()) for _ in range(50)}
    # Whoever joins begins anywhere.
    assert orders == {(0, 2, 3), (2, 3, 0), (3, 0, 2)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 2}, "seed is 1 there and 2 here"),
        ({"steps": (0.1,)}, r"steps is \[0\.1, 0\.2\] there and \[0\.1\] here"),
        ({"skip": True}, "skip is missing there and true here"),
        (
            {"problems": {"tent": {"kind": "affine"}}, "name": "other"},
            'holds another study: problems.tent.kind is "data" there and "affine" here;',
        ),
        ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}, "and 2 more"),
        ({"name": "other"}, "digest is another one, though no setting differs"),
    ],
)
def test_another_study_is_refused_by_its_settings(tmp_path: Path, changes, message: str) -> None:
    made(tmp_path / "store")
    with pytest.raises(FileError, match=message):
        Store.create_or_open(tmp_path / "store", SPEC | changes, "other", CHUNKS)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", 99, "format 99, and this version reads format 1; use reluscape 0"),
        ("reluscape", "9.9.9", "results of reluscape 9.9.9 in 4 chunks"),
        ("chunks", 5, "in 5 chunks, this is .* with 4"),
    ],
)
def test_other_versions_are_refused(tmp_path: Path, key: str, value, message: str) -> None:
    made(tmp_path / "store")
    path = tmp_path / "store" / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(FileError, match=message):
        made(tmp_path / "store")


def test_results_of_another_version_can_be_read(tmp_path: Path) -> None:
    store = made(tmp_path / "store")
    store.write(0, rows({}, 0))
    path = tmp_path / "store" / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"reluscape": "9.9.9"}))
    assert bits(Store.open(tmp_path / "store").read(0)) == bits(rows({}, 0))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', "\0" * 80])
def test_a_damaged_study_file_is_refused(tmp_path: Path, text: str) -> None:
    made(tmp_path / "store")
    (tmp_path / "store" / "study.json").write_text(text)
    with pytest.raises(FileError, match="damaged"):
        Store.open(tmp_path / "store")


def test_what_is_no_store_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FileError, match="not empty and holds no study"):
        made(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(FileError, match="is a file"):
        made(tmp_path / "thesis.tex")
    with pytest.raises(FileError, match="lies in a file"):
        made(tmp_path / "thesis.tex" / "store")
    with pytest.raises(FileError, match="holds no study"):
        Store.open(tmp_path)


def damage_nothing_left(content: bytes) -> bytes:
    return b""


def damage_truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def damage_without_end(content: bytes) -> bytes:
    return content[:-1]


def damage_zeros(content: bytes) -> bytes:
    # The length came to the disk, the bytes did not.
    return bytes(len(content))


@pytest.mark.parametrize(
    "damage", [damage_nothing_left, damage_truncated, damage_without_end, damage_zeros]
)
def test_a_damaged_chunk_is_put_aside_and_missing(tmp_path: Path, damage) -> None:
    store = made(tmp_path / "store")
    for index in range(CHUNKS):
        store.write(index, rows({}, index))
    path = store.path / "chunks" / "000002.parquet"
    sound = path.read_bytes()
    path.write_bytes(damage(sound))
    assert store.status().damaged == 1
    assert store.status().finished == 3
    assert path.exists()
    assert store.missing() == [2]
    aside = list((store.path / "damaged").iterdir())
    assert [entry.read_bytes() for entry in aside] == [damage(sound)]
    store.write(2, rows({}, 2))
    assert path.read_bytes() == sound
    assert store.missing() == []


def test_a_bit_that_flips_is_seen_when_it_is_read(tmp_path: Path) -> None:
    store = made(tmp_path / "store")
    store.write(0, rows({"rows": 200}, 0))
    path = store.path / "chunks" / "000000.parquet"
    sound = path.read_bytes()
    # Inside the pages of numbers, which are most of the file.
    spoilt = bytearray(sound)
    spoilt[len(sound) // 3] ^= 1
    path.write_bytes(spoilt)
    with pytest.raises(FileError, match=r"chunk 0 .* damaged .* put aside"):
        store.read(0)
    assert store.missing() == [0, 1, 2, 3]


@pytest.mark.parametrize("what", ["study", "chunk"])
def test_a_chunk_in_the_wrong_place_is_recognised(tmp_path: Path, what: str) -> None:
    store = made(tmp_path / "store")
    other = Store.create_or_open(tmp_path / "other", SPEC, "other", CHUNKS)
    source = other if what == "study" else store
    source.write(1, rows({}, 1))
    moved = source.path / "chunks" / "000001.parquet"
    moved.rename(
        store.path / "chunks" / ("000001.parquet" if what == "study" else "000003.parquet")
    )
    assert store.missing() == [0, 1, 2, 3]


def test_a_chunk_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"chunk 3 .* is not there; run the study again"):
        made(tmp_path / "store").read(3)


def test_a_chunk_of_another_study_is_not_written(tmp_path: Path) -> None:
    table = rows({}, 0).replace_schema_metadata({b"digest": b"other"})
    with pytest.raises(FileError, match="another study"):
        made(tmp_path / "store").write(0, table)


def test_the_status_counts(tmp_path: Path) -> None:
    store = made(tmp_path / "store")
    assert store.status().latest is None
    store.write(0, rows({}, 0))
    store.write(3, rows({}, 3))
    found = store.status()
    sizes = sum(path.stat().st_size for path in (store.path / "chunks").iterdir())
    assert (found.name, found.chunks, found.finished, found.missing) == ("toy", 4, 2, 2)
    assert (found.damaged, found.bytes, found.complete) == (0, sizes, False)
    assert found.latest is not None
    assert abs(found.latest - time.time()) < 60.0


def test_leftovers_of_killed_writers_go_when_they_are_old(tmp_path: Path) -> None:
    store = made(tmp_path / "store")
    old, new = (store.path / "chunks" / f".000001.parquet.{name}.part" for name in ("a", "b"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0.0, time.time() - STALE - 1.0))
    made(tmp_path / "store")
    assert not old.exists()
    assert new.exists()
    assert store.present() == []


def test_a_full_disk_is_said_and_the_store_goes_on(tmp_path: Path) -> None:
    """A limit of the system on the size of files makes the write itself fail, as a disk does."""
    store = made(tmp_path / "store")
    store.write(0, rows({}, 0))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(FileError, match=r"disk of .* is full .* needs \d+ kB, .* make room"):
            store.write(1, rows({"rows": 500}, 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.name for path in (store.path / "chunks").iterdir()] == ["000000.parquet"]
    store.write(1, rows({"rows": 500}, 1))
    assert store.missing() == [2, 3]


@pytest.fixture
def small_disk(tmp_path: Path):
    """Mount a disk of 64 kB, where this process may."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if mount is None or subprocess.run([mount, *options], capture_output=True).returncode:
        # The test with a limit on the size of files says the same.
        yield None
        return
    yield folder
    subprocess.run([str(umount), "-l", str(folder)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path | None) -> None:
    if small_disk is None:
        return
    store = made(small_disk / "store")
    written = []

    def fill() -> None:
        for index in range(CHUNKS):
            store.write(index, rows({"rows": 500}, index))
            written.append(index)

    with pytest.raises(FileError, match="is full"):
        fill()
    assert 0 < len(written) < CHUNKS
    assert store.present() == written
    for index in written:
        assert bits(store.read(index)) == bits(rows({"rows": 500}, index))


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch) -> None:
    store = made(tmp_path / "store")

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileError, match=r"cannot write to .* what is finished is kept"):
        store.write(0, rows({}, 0))


def test_many_writers_at_once_do_no_harm(tmp_path: Path) -> None:
    """Processes and threads create one store and write all its chunks at the same time."""
    code = (
        "import sys, toy_tasks\n"
        "from reluscape.studies.store import Store\n"
        "store = Store.create_or_open(sys.argv[1], {'seed': 1}, 'abc', 6)\n"
        "for _ in range(20):\n"
        "    for index in range(6):\n"
        "        store.write(index, toy_tasks.rows({}, index))\n"
    )
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", code, str(tmp_path / "store")]
    writers = [subprocess.Popen(command, env=paths) for _ in range(2)]
    broken: list[object] = []

    def look() -> None:
        while any(writer.poll() is None for writer in writers):
            for path in (tmp_path / "store" / "chunks").glob("0*.parquet"):
                content = path.read_bytes()
                if content[:4] != b"PAR1" or content[-4:] != b"PAR1":
                    broken.append(path)

    reader = threading.Thread(target=look)
    reader.start()
    assert [writer.wait() for writer in writers] == [0, 0]
    reader.join()
    assert broken == []
    store = Store.open(tmp_path / "store")
    assert store.missing() == []
    alone = Store.create_or_open(tmp_path / "alone", {"seed": 1}, "abc", 6)
    for index in range(6):
        alone.write(index, rows({}, index))
        name = f"chunks/{index:06d}.parquet"
        assert (store.path / name).read_bytes() == (alone.path / name).read_bytes()
