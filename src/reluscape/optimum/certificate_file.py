"""The file of a certificate: JSON with packed arrays."""

from __future__ import annotations

import base64
import binascii
import json
import os
import zlib
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import FileError, InputError
from reluscape.networks.network import Network
from reluscape.optimum.certificate import Certificate, Leaf, Step, Sweep
from reluscape.optimum.rules import Rules

FORMAT = "reluscape-certificate"
VERSION = 2
# More than all numbers of points that data in memory could have.
MOST_POINTS = 1 << 40


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


def to_json(certificate: Certificate) -> dict[str, Any]:
    """Return what is written."""
    steps = certificate.steps
    sweeps = [sweep for step in steps for sweep in step.sweeps]
    leaves = [leaf for step in steps for leaf in step.leaves]
    k, network, rules = certificate.width, certificate.network, certificate.rules
    table = [
        (
            s.parent,
            s.halved,
            s.layer,
            s.split,
            s.upper,
            s.sides,
            len(s.sweeps),
            len(s.leaves),
        )
        for s in steps
    ]
    empty = np.zeros((0, 4))
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
        "rules": {
            "skip": rules.skip,
            "low": float(rules.low).hex(),
            "high": float(rules.high).hex(),
            "min_distance": float(rules.min_distance).hex(),
            "min_points": rules.min_points,
        },
        "steps": _pack(np.array(table, np.int64).reshape(-1, 8), "<i8"),
        "pulls": _pack(np.array([s.pull for s in steps], np.float64), "<f8"),
        "sweeps": _pack(
            np.array([(s.backward, len(s.keys)) for s in sweeps]).reshape(-1, 2), "<i8"
        ),
        "keys": _pack(np.concatenate([s.keys for s in sweeps] or [np.zeros(0)]), "<i8"),
        "multipliers": _pack(np.concatenate([s.multipliers for s in sweeps] or [empty]), "<f4"),
        "gaps": _pack(np.array([leaf.gaps for leaf in leaves]).reshape(-1, k), "<i8"),
        "signs": _pack(np.array([leaf.signs for leaf in leaves]).reshape(-1, k), "<i8"),
        "ends": _pack(
            np.array([leaf.multipliers for leaf in leaves]).reshape(-1, 2 * k + 1), "<f8"
        ),
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
    table = _unpack(content["steps"], "<i8", 8)
    pulls = _unpack(content["pulls"], "<f8", None)
    counts = _unpack(content["sweeps"], "<i8", 2)
    keys = _unpack(content["keys"], "<i8", None)
    multipliers = _unpack(content["multipliers"], "<f4", 4).astype(np.float64)
    gaps, signs = _unpack(content["gaps"], "<i8", k), _unpack(content["signs"], "<i8", k)
    ends = _unpack(content["ends"], "<f8", 2 * k + 1)
    if (
        (counts[:, 1] < 0).any()
        or (table[:, 6:] < 0).any()
        or counts[:, 1].sum() != len(keys)
        or len(keys) != len(multipliers)
        or table[:, 6].sum() != len(counts)
        or table[:, 7].sum() != len(gaps)
        or not len(gaps) == len(signs) == len(ends)
        or pulls.shape != (len(table),)
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
    for row, pull in zip(table.tolist(), pulls.tolist(), strict=True):
        parent, halved, layer, split, upper, sides, many, solved = row
        steps.append(
            Step(
                parent,
                bool(halved),
                layer,
                split,
                bool(upper),
                tuple(sweeps[at : at + many]),
                tuple(leaves[leaf : leaf + solved]),
                sides,
                pull,
            )
        )
        at, leaf = at + many, leaf + solved
    net = content["network"]
    weights, biases, outputs = (
        np.array([float.fromhex(v) for v in net[name]]) for name in ("weights", "biases", "outputs")
    )
    network = Network(
        weights,
        biases,
        outputs,
        float.fromhex(net["offset"]),
        [float.fromhex(net["skip"])] if content["rules"]["skip"] else None,
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
        _rules_from(content["rules"]),
    )


def _rules_from(content: dict[str, Any]) -> Rules:
    skip, points = content["skip"], content["min_points"]
    numbers = [float.fromhex(content[name]) for name in ("low", "high", "min_distance")]
    low, high, distance = numbers
    whole = isinstance(points, int) and not isinstance(points, bool)
    if not (isinstance(skip, bool) and whole and 0 <= points < MOST_POINTS):
        raise ValueError("rules")
    if not (low <= high and 0.0 <= distance < np.inf):
        raise ValueError("rules")
    return Rules(skip, low, high, distance, points)
