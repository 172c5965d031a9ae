"""Networks in files: JSON for people and programs, .npz for large networks; never pickle."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from reluscape.atomic import atomic_write
from reluscape.errors import FileError, InputError
from reluscape.networks.activations import Activation
from reluscape.networks.network import Network

if TYPE_CHECKING:
    from reluscape.networks.arrays import Floats

FORMAT = "reluscape-network"
VERSION = 1
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    # What zipfile raises where a member is encrypted, or packed in a way it does not know.
    RuntimeError,
    SyntaxError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
_ARRAYS = ("weights", "biases", "outputs", "offset", "skip")


def save_network(network: Network, path: str | Path) -> None:
    """Write a network to a file, at once or not at all.

    JSON numbers are written with the fewest digits that read back to the same float (`repr`), so
    both formats return every bit.

    Parameters
    ----------
    network : Network
    path : str or Path
        Ends in ``.json`` or ``.npz``. An existing file is replaced.

    Raises
    ------
    InputError
        If the suffix is another.
    FileError
        If the file cannot be written.
    """
    target = Path(path)
    suffix = _suffix(target)
    content = {name: getattr(network, name) for name in _ARRAYS}
    activation = network.activation
    if suffix == ".json":
        document = {
            "format": FORMAT,
            "version": VERSION,
            "activation": {"name": activation.name, "slope": activation.slope},
            "shape": {"weights": network.weights.shape, "outputs": network.outputs.shape},
        } | {name: None if array is None else array.tolist() for name, array in content.items()}
        data = (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()
    else:
        arrays = {name: array for name, array in content.items() if array is not None}
        buffer = io.BytesIO()
        np.savez(
            buffer,
            allow_pickle=False,
            format=np.array(FORMAT),
            version=np.array(VERSION),
            activation=np.array(activation.name),
            slope=np.array(activation.slope),
            **arrays,
        )
        data = buffer.getvalue()
    try:
        with atomic_write(target) as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise FileError(
            f"{target} cannot be written ({error.strerror}); choose another place."
        ) from None


def load_network(path: str | Path) -> Network:
    """Read a network that `save_network` or `Network.save` wrote.

    Parameters
    ----------
    path : str or Path
        Ends in ``.json`` or ``.npz``.

    Returns
    -------
    Network

    Raises
    ------
    InputError
        If the suffix is another.
    FileError
        If the file is missing, unreadable, damaged, of another version, or not a network.

    Examples
    --------
    >>> import tempfile
    >>> network = Network([1.0], [0.1], [3.0], skip=[1e-300])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     network.save(folder + "/net.json")
    ...     load_network(folder + "/net.json") == network
    True
    """
    source = Path(path)
    suffix = _suffix(source)
    try:
        data = source.read_bytes()
    except FileNotFoundError:
        raise FileError(f"{source} does not exist; check the path.") from None
    except IsADirectoryError:
        raise FileError(f"{source} is a directory; give the file of a network in it.") from None
    except OSError as error:
        raise FileError(
            f"{source} cannot be read ({error.strerror}); check its permissions."
        ) from None
    content = _from_json(source, data) if suffix == ".json" else _from_npz(source, data)
    if content.get("format") != FORMAT:
        raise FileError(
            f"{source} is not a network saved by reluscape; save one with Network.save."
        )
    if content.get("version") != VERSION:
        raise FileError(
            f"{source} has version {content.get('version')!r} of the network format and this "
            f"reluscape reads version {VERSION}; load it with the reluscape that wrote it."
        )
    try:
        return _network(content)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise FileError(
            f"{source} is damaged ({reason.rstrip('.')}); save the network again."
        ) from None


def _network(content: dict[str, Any]) -> Network:
    arrays = {name: _floats(name, content[name]) for name in _ARRAYS if name != "skip"}
    skip = content.get("skip")
    shape = content.get("shape", {})
    # Nested lists forget the number of inputs or targets of a network without neurons.
    for name, extents in shape.items():
        arrays[name] = arrays[name].reshape(extents)
    return Network(
        **arrays,
        skip=None if skip is None else _floats("skip", skip),
        activation=Activation(content["activation"], content["slope"]),
    )


def _floats(name: str, values: object) -> Floats:
    array: Floats = np.asarray(values)
    if array.size == 0:
        array = array.astype(np.float64)
    if array.dtype.kind not in "fi":
        raise InputError(f"{name} does not hold numbers")
    return array


def _from_json(source: Path, data: bytes) -> dict[str, Any]:
    try:
        content: object = json.loads(data)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise FileError(f"{source} is truncated or is not JSON; save the network again.") from None
    if not isinstance(content, dict):
        return {}
    document = cast("dict[str, Any]", content)
    activation: object = document.get("activation")
    if isinstance(activation, dict):
        document |= cast("dict[str, Any]", activation)
        document["activation"] = document.get("name")
    return document


def _from_npz(source: Path, data: bytes) -> dict[str, Any]:
    try:
        archive = np.load(io.BytesIO(data), allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            return {}
        content: dict[str, Any] = {name: archive[name] for name in archive.files}
    except _UNREADABLE:
        raise FileError(
            f"{source} is truncated or is not an .npz file; save the network again."
        ) from None
    for name in ("format", "version", "activation", "slope"):
        if name in content and content[name].ndim == 0:
            content[name] = content[name].item()
    return content


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".json", ".npz"):
        raise InputError(f"{path} does not end in .json or .npz; give it one of these suffixes.")
    return suffix
