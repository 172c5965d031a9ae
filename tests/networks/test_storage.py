"""Networks in files: every bit back, and a sentence for every way a file can be wrong."""

from __future__ import annotations

import json
import os
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reluscape.errors import FileError, InputError
from reluscape.networks.activations import leaky
from reluscape.networks.network import Network
from reluscape.networks.storage import load_network, save_network

anything = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("suffix", [".json", ".npz", ".JSON"])
@given(st.data())
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
def test_every_bit_comes_back(tmp_path, suffix, data):
    width, inputs = data.draw(st.integers(0, 3)), data.draw(st.integers(1, 3))
    tail = data.draw(st.sampled_from([(), (1,), (2,)]))

    def array(*shape):
        return data.draw(arrays(np.float64, shape, elements=anything))

    network = Network(
        array(width, inputs),
        array(width),
        array(width, *tail),
        array(*tail),
        array(inputs, *tail) if data.draw(st.booleans()) else None,
        data.draw(st.sampled_from(["relu", leaky(0.1)])),
    )
    path = tmp_path / f"net{suffix}"
    network.save(path)
    assert load_network(path) == network
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.fixture
def saved(tmp_path):
    network = Network([1.0, 2.0], [0.1, -0.0], [3.0, 5e-324], 1.0, [2.0])
    for suffix in (".json", ".npz"):
        save_network(network, tmp_path / f"net{suffix}")
    return tmp_path


def refused(path, message):
    with pytest.raises(FileError, match=message) as caught:
        load_network(path)
    text = str(caught.value)
    assert str(path) in text
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_file_that_is_not_there_or_a_directory(tmp_path, suffix):
    refused(tmp_path / f"none{suffix}", "does not exist")
    (tmp_path / f"folder{suffix}").mkdir()
    refused(tmp_path / f"folder{suffix}", "is a directory")
    (tmp_path / f"empty{suffix}").touch()
    refused(tmp_path / f"empty{suffix}", "truncated")


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_truncated_or_altered_file(saved, suffix):
    path = saved / f"net{suffix}"
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 7):
        path.write_bytes(whole[:length])
        refused(path, "truncated")
    original = Network([1.0, 2.0], [0.1, -0.0], [3.0, 5e-324], 1.0, [2.0])
    rng = np.random.default_rng(0)
    for _ in range(300):
        altered = bytearray(whole)
        altered[rng.integers(len(whole))] ^= int(rng.integers(1, 256))
        path.write_bytes(altered)
        # A changed digit is a valid file of another network; everything else is a FileError.
        try:
            load_network(path)
        except FileError:
            continue
    path.write_bytes(whole)
    assert load_network(path) == original


def change_json(path, **changes):
    document = json.loads(path.read_text())
    document.update(changes)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "version 2 .* reads version 1"),
        ({"version": None}, "version None"),
        ({"format": "other"}, "not a network"),
        ({"biases": [1.0]}, "damaged .*biases have shape"),
        ({"biases": [1.0, float("nan")]}, "damaged .*NaN"),
        ({"biases": [1.0, None]}, "damaged .*does not hold numbers"),
        ({"biases": [1.0, [2.0]]}, "damaged"),
        ({"biases": [1.0, 10**400]}, "damaged .*does not hold numbers"),
        ({"biases": None}, "damaged"),
        ({"weights": "text"}, "damaged"),
        ({"shape": {"weights": [2, 2]}}, "damaged"),
        ({"shape": {"other": [2, 2]}}, "damaged"),
        ({"shape": [1]}, "damaged"),
        ({"activation": {"name": "sine", "slope": 0}}, "damaged .*sine"),
        ({"activation": {"name": "leaky", "slope": 1.5}}, "damaged .*slope"),
        ({"activation": {}}, "damaged"),
        ({"activation": 3}, "damaged"),
    ],
)
def test_json_of_another_kind(saved, changes, message):
    path = saved / "net.json"
    change_json(path, **changes)
    refused(path, message)


def test_json_without_a_part(saved):
    path = saved / "net.json"
    document = json.loads(path.read_text())
    for name in ("weights", "biases", "outputs", "offset", "activation"):
        path.write_text(json.dumps({key: document[key] for key in document if key != name}))
        refused(path, f"damaged .*{name} is missing|damaged")


@pytest.mark.parametrize("text", ["[1, 2]", "3", '"reluscape-network"', "null", "{}"])
def test_json_that_is_not_ours(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    refused(path, "not a network")


def test_json_that_is_no_text(tmp_path):
    path = tmp_path / "other.json"
    path.write_bytes(b"\xff\xfe\x00{")
    refused(path, "not JSON")
    path.write_text("[" * 100_000)
    refused(path, "not JSON")


def test_npz_that_is_not_ours(tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, x=np.arange(3))
    refused(path, "not a network")
    with path.open("wb") as stream:
        np.save(stream, np.arange(3))
    refused(path, "not a network")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "hello")
    refused(path, "not a network|truncated")
    # A pickle inside is never opened.
    np.savez(path, format=np.array([{"a": 1}], dtype=object))
    refused(path, "truncated or is not")


@pytest.mark.parametrize(("offset", "value"), [(8, 1), (10, 99)], ids=["encrypted", "unknown pack"])
def test_npz_that_cannot_be_unpacked(saved, offset, value):
    path = saved / "net.npz"
    content = bytearray(path.read_bytes())
    directory, at = content.index(b"PK\1\2"), offset
    content[directory + at] = value
    content[at - 2] = value
    path.write_bytes(content)
    refused(path, "truncated or is not")


def test_npz_of_another_version(saved):
    path = saved / "net.npz"
    with np.load(path) as archive:
        content = dict(archive)
    np.savez(path, **(content | {"version": np.array(7)}))
    refused(path, "version 7")
    np.savez(path, **(content | {"biases": np.array([1.0, np.inf])}))
    refused(path, "damaged")
    np.savez(path, **(content | {"biases": np.array(["a", "b"])}))
    refused(path, "damaged")


@pytest.mark.parametrize("name", ["net", "net.pkl", "net.txt"])
def test_the_suffix_decides(tmp_path, name):
    network = Network([1.0], [0.0], [1.0])
    with pytest.raises(InputError, match=r"\.json or \.npz"):
        network.save(tmp_path / name)
    with pytest.raises(InputError, match=r"\.json or \.npz"):
        load_network(tmp_path / name)


def test_a_place_that_cannot_be_written(tmp_path):
    network = Network([1.0], [0.0], [1.0])
    with pytest.raises(FileError, match="cannot be written"):
        network.save(tmp_path / "missing" / "net.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(FileError, match="cannot be written"):
        network.save(tmp_path / "folder.json")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.json"]


def test_an_interrupted_save_leaves_the_old_file(saved, monkeypatch):
    path = saved / "net.json"
    before = path.read_bytes()

    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Network([9.0], [0.0], [1.0]).save(path)
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in saved.iterdir()) == ["net.json", "net.npz"]
