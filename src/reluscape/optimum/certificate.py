"""A certificate: what proves a lower bound on the risk of every network, and its file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from reluscape.atomic import atomic_write
from reluscape.errors import FileError, InputError
from reluscape.networks.network import Network
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FORMAT = "reluscape-certificate"
VERSION = 1


@dataclass(frozen=True, eq=False)
class Sweep:
    """One pass over all breakpoints: its direction, and the multipliers of nodes that have any.

    Attributes
    ----------
    backward : bool
    keys : ndarray of int, shape (n,)
        Nodes, see `key_of`.
    multipliers : ndarray of float, shape (n, 3)
    """

    backward: bool
    keys: Integers
    multipliers: Floats


@dataclass(frozen=True, eq=False)
class Leaf:
    """One placement with signs, and multipliers of both ends of every breakpoint's gap."""

    gaps: tuple[int, ...]
    signs: tuple[int, ...]
    multipliers: Floats


@dataclass(frozen=True, eq=False)
class Step:
    """What is done with one cover: swept, and for single placements solved.

    Attributes
    ----------
    parent : int
        The step whose survivors it covers; -1 for the first.
    halved : bool
        Whether wide cells of the survivors are halved first.
    layer, split, upper : int, int, bool
        Unless `layer` is -1: nodes that hold this breakpoint are kept only if their `place_of` is
        at least `split` (`upper`) or below it.
    sweeps : tuple of Sweep
    leaves : tuple of Leaf
    """

    parent: int
    halved: bool
    layer: int
    split: int
    upper: bool
    sweeps: tuple[Sweep, ...]
    leaves: tuple[Leaf, ...] = ()


def key_of(layer: Integers, kind: Integers, a: Integers, d: Integers, inputs: int) -> Integers:
    """Return one number per node that tells it from all others of its cover."""
    return ((layer * 16 + kind) * (inputs + 1) + a) * (inputs + 1) + d


def place_of(
    layer: Integers, kind: Integers, a: Integers, d: Integers, j: int, inputs: int
) -> Integers:
    """Return the order of nodes that hold breakpoint j: no two have the same number."""
    return ((a * 16 + kind) * (inputs + 1) + d) * 2 + (layer == j)


@dataclass(frozen=True, eq=False)
class Certificate:
    """A proof that no network of a width has a lower risk than `lower_bound` on some data.

    Attributes
    ----------
    width : int
        Breakpoints; networks have a skip connection and one input.
    rows : int
        Rows of the data.
    digest : str
        SHA-256 of the data, in any order of the rows.
    network : Network
        The best network found.
    risk : float
        Its risk.
    lower_bound : float
    unit : float
        Of the multipliers, in units of weight times y; a power of two.
    steps : tuple of Step

    Examples
    --------
    >>> import numpy as np
    >>> from reluscape import Samples, fit
    >>> x = np.linspace(0, 1, 20)
    >>> fit(Samples(x, x * x), 1, certify=True).certificate.width
    1
    """

    width: int
    rows: int
    digest: str
    network: Network
    risk: float
    lower_bound: float
    unit: float
    steps: tuple[Step, ...] = field(repr=False)

    @cached_property
    def _children(self) -> dict[int, Step]:
        return {step.parent: step for step in reversed(self.steps)}

    def follow(self, number: int) -> Step | None:
        """Return the first step that takes up what step `number` left."""
        return self._children.get(number)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file; `load_certificate` reads it back bit for bit."""
        text = json.dumps(_to_json(self), indent=1)
        with atomic_write(path) as stream:
            stream.write(text.encode())


def digest_of(problem: Samples) -> str:
    """Return the SHA-256 of the rows in order of x, y and weight, with their number."""
    weights = problem.weights if problem.weighted else np.zeros(0)
    columns = [problem.x.reshape(-1) + 0.0, problem.y + 0.0]
    if problem.weighted:
        columns.append(weights + 0.0)
    order = np.lexsort(columns[::-1])
    total = hashlib.sha256(f"{problem.size} rows, {len(columns)} columns".encode())
    for column in columns:
        total.update(column[order].astype("<f8").tobytes())
    return total.hexdigest()


def check_data(problem: Samples, certificate: Certificate) -> None:
    """Raise unless these are the data of the certificate."""
    if not hasattr(problem, "on_a_line") or not problem.on_a_line:
        raise InputError("a certificate is about data with one input and y of shape (n,).")
    if problem.size != certificate.rows:
        raise InputError(
            f"the data have {problem.size} rows and those of the certificate {certificate.rows}; "
            "check it against the file and columns that it was made from."
        )
    if digest_of(problem) != certificate.digest:
        raise InputError(
            "these are not the data of the certificate: their digests differ; check it against "
            "the file and columns that it was made from."
        )


def _pack(array: NDArray[Any], kind: str) -> dict[str, Any]:
    data = np.ascontiguousarray(array, kind)
    # Bytes of equal weight side by side compress better.
    planes = data.view(np.uint8).reshape(-1, data.itemsize).T.copy()
    text = base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode()
    return {"type": kind, "shape": list(data.shape), "data": text}


def _unpack(entry: dict[str, Any], kind: str, columns: int | None) -> NDArray[Any]:
    if entry["type"] != kind:
        raise ValueError("type")
    shape = [int(n) for n in entry["shape"]]
    size = int(np.prod(shape)) if shape else 1
    width = np.dtype(kind).itemsize
    limit = size * width
    packed = base64.b64decode(entry["data"], validate=True)
    inflate = zlib.decompressobj()
    raw = inflate.decompress(packed, limit + 1)
    if len(raw) != limit or min(shape) < 0:
        raise ValueError("size")
    planes = np.frombuffer(raw, np.uint8).reshape(width, size)
    array = np.ascontiguousarray(planes.T).view(kind).reshape(shape)
    if columns is not None and (array.ndim != 2 or array.shape[1] != columns):
        raise ValueError("shape")
    return array


def _to_json(certificate: Certificate) -> dict[str, Any]:
    steps = certificate.steps
    sweeps = [sweep for step in steps for sweep in step.sweeps]
    leaves = [leaf for step in steps for leaf in step.leaves]
    k, network = certificate.width, certificate.network
    table = [
        (s.parent, s.halved, s.layer, s.split, s.upper, len(s.sweeps), len(s.leaves)) for s in steps
    ]
    empty = np.zeros((0, 3))
    return {
        "format": FORMAT,
        "version": VERSION,
        "width": k,
        "rows": certificate.rows,
        "digest": certificate.digest,
        "risk": certificate.risk.hex(),
        "lower_bound": certificate.lower_bound.hex(),
        "unit": certificate.unit.hex(),
        "network": {
            "weights": [float(w).hex() for w in network.weights[:, 0]],
            "biases": [float(b).hex() for b in network.biases],
            "outputs": [float(v).hex() for v in network.outputs],
            "offset": float(network.offset).hex(),
            "skip": (0.0).hex() if network.skip is None else float(network.skip[0]).hex(),
        },
        "steps": _pack(np.array(table, np.int64).reshape(-1, 7), "<i8"),
        "sweeps": _pack(
            np.array([(s.backward, len(s.keys)) for s in sweeps]).reshape(-1, 2), "<i8"
        ),
        "keys": _pack(np.concatenate([s.keys for s in sweeps] or [np.zeros(0)]), "<i8"),
        "multipliers": _pack(np.concatenate([s.multipliers for s in sweeps] or [empty]), "<f4"),
        "gaps": _pack(np.array([leaf.gaps for leaf in leaves]).reshape(-1, k), "<i8"),
        "signs": _pack(np.array([leaf.signs for leaf in leaves]).reshape(-1, k), "<i8"),
        "ends": _pack(np.array([leaf.multipliers for leaf in leaves]).reshape(-1, 2 * k), "<f8"),
    }


def load_certificate(path: str | os.PathLike[str]) -> Certificate:
    """Read a certificate.

    Raises
    ------
    FileError
        If the file is not a certificate, is damaged, or is of a later version.
    """
    source = Path(path)
    try:
        content: Any = json.loads(source.read_bytes())
    except FileNotFoundError:
        raise FileError(f"{source} does not exist; check the path.") from None
    except IsADirectoryError:
        raise FileError(f"{source} is a directory; give the certificate's file.") from None
    except (OSError, ValueError, RecursionError):
        raise FileError(f"{source} is not JSON, or truncated; it is not a certificate.") from None
    fields = cast(dict[str, Any], content if isinstance(content, dict) else {})
    if fields.get("format") != FORMAT:
        raise FileError(f"{source} is not a certificate (no format {FORMAT!r}).")
    if fields.get("version") != VERSION:
        raise FileError(
            f"{source} is a certificate of version {fields.get('version')!r}, and this release "
            f"reads version {VERSION}; update reluscape."
        )
    try:
        return _from_json(fields)
    except (
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
        AttributeError,
        zlib.error,
        binascii.Error,
        InputError,
    ):
        raise FileError(f"{source} is a damaged certificate; write it again.") from None


def _from_json(content: dict[str, Any]) -> Certificate:
    k = int(content["width"])
    table = _unpack(content["steps"], "<i8", 7)
    counts = _unpack(content["sweeps"], "<i8", 2)
    keys = _unpack(content["keys"], "<i8", None)
    multipliers = _unpack(content["multipliers"], "<f4", 3).astype(np.float64)
    gaps, signs = _unpack(content["gaps"], "<i8", k), _unpack(content["signs"], "<i8", k)
    ends = _unpack(content["ends"], "<f8", 2 * k)
    if (
        (counts[:, 1] < 0).any()
        or (table[:, 5:] < 0).any()
        or counts[:, 1].sum() != len(keys)
        or len(keys) != len(multipliers)
        or table[:, 5].sum() != len(counts)
        or table[:, 6].sum() != len(gaps)
        or not len(gaps) == len(signs) == len(ends)
    ):
        raise ValueError("lengths")
    cuts = np.cumsum(counts[:, 1])[:-1]
    parts = zip(counts[:, 0], np.split(keys, cuts), np.split(multipliers, cuts), strict=True)
    sweeps = [Sweep(bool(way), some, values) for way, some, values in parts] if len(counts) else []
    leaves = [
        Leaf(tuple(g), tuple(s), values)
        for g, s, values in zip(gaps.tolist(), signs.tolist(), ends, strict=True)
    ]
    steps: list[Step] = []
    at, leaf = 0, 0
    for parent, halved, layer, split, upper, many, solved in table.tolist():
        steps.append(
            Step(
                parent,
                bool(halved),
                layer,
                split,
                bool(upper),
                tuple(sweeps[at : at + many]),
                tuple(leaves[leaf : leaf + solved]),
            )
        )
        at, leaf = at + many, leaf + solved
    net = content["network"]
    weights, biases, outputs = (
        np.array([float.fromhex(v) for v in net[name]]) for name in ("weights", "biases", "outputs")
    )
    network = Network(
        weights, biases, outputs, float.fromhex(net["offset"]), [float.fromhex(net["skip"])]
    )
    return Certificate(
        k,
        int(content["rows"]),
        str(content["digest"]),
        network,
        float.fromhex(content["risk"]),
        float.fromhex(content["lower_bound"]),
        float.fromhex(content["unit"]),
        tuple(steps),
    )
