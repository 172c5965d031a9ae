"""A certificate: what proves a lower bound on the risk of every network of a width."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reluscape.atomic import atomic_write
from reluscape.errors import InputError
from reluscape.networks.network import Network
from reluscape.optimum.rules import Rules
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# More than all kinds of nodes with their reaches, and than all widths that can be bounded.
PLAIN_KINDS, KINDS, SIZES = 8, 72, 32
# In place of a breakpoint to split by: copy nodes by how near the one before, or after, is.
COPY_BEFORE, COPY_AFTER = -2, -3
# How near the neighbour of a node must be; fewer places than `CLOSE` in between are near.
ANY_REACH, NEAR, FAR = 0, 1, 2
CLOSE = 8
# Pairs of nodes of neighbouring breakpoints, about, from which a cover is too large to be swept.
MOST_PAIRS = 5e8


@dataclass(frozen=True, eq=False)
class Sweep:
    """One pass over all breakpoints: its direction, and the multipliers of nodes that have any.

    Attributes
    ----------
    backward : bool
    keys : ndarray of int, shape (n,)
        Nodes, see `key_of`.
    multipliers : ndarray of float, shape (n, 4)
    """

    backward: bool
    keys: Integers
    multipliers: Floats


@dataclass(frozen=True, eq=False)
class Leaf:
    """One placement with signs: multipliers of both ends of every gap, and the pull."""

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
        If `layer` is `COPY_BEFORE` or `COPY_AFTER`, nodes are copied by how near their neighbours
        on that side are. If it is a breakpoint, not -1: nodes that hold this breakpoint are kept
        only if their `place_of` is at least `split` (`upper`) or below it.
    sweeps : tuple of Sweep
    leaves : tuple of Leaf
    sides : int
        For plain networks: which neurons are active to the left of their breakpoints, one bit for
        each breakpoint from the left; -1 for any.
    pull : float
        Multiplier of the condition on the slopes of a plain network.
    """

    parent: int
    halved: bool
    layer: int
    split: int
    upper: bool
    sweeps: tuple[Sweep, ...]
    leaves: tuple[Leaf, ...] = ()
    sides: int = -1
    pull: float = 0.0


def too_large(nodes: int, width: int) -> bool:
    """Return whether a cover has too many nodes, for the search and the check alike."""
    return nodes * nodes > MOST_PAIRS * width


def kind_of(kind: Integers, before: Integers, after: Integers) -> Integers:
    """Return one number for the kind of a node and how near its neighbours must be."""
    return kind + PLAIN_KINDS * (3 * before + after)


def key_of(
    layer: Integers, size: Integers, kind: Integers, a: Integers, d: Integers, places: int
) -> Integers:
    """Return one number per node that tells it from all others of its cover.

    `kind` is that of `kind_of`.
    """
    what = (layer * SIZES + size) * KINDS + kind
    return (what * (places + 1) + a) * (places + 1) + d


def place_of(
    layer: Integers,
    size: Integers,
    kind: Integers,
    a: Integers,
    d: Integers,
    j: int,
    places: int,
) -> Integers:
    """Return the order of nodes that hold breakpoint j: no two have the same number.

    `kind` is that of `kind_of`.
    """
    what = (size * KINDS + kind) * SIZES + (j - layer)
    return (a * (places + 1) + d) * (SIZES * SIZES * KINDS) + what


@dataclass(frozen=True, eq=False)
class Certificate:
    """A proof that no network of a width has a lower risk than `lower_bound` on some data.

    Attributes
    ----------
    width : int
        Neurons, of networks with one input.
    rows : int
        Rows of the data; 0 for an interval.
    digest : str
        SHA-256 of the data, in any order of the rows, or of the interval with its target.
    network : Network
        The best network found.
    risk : float
        Its risk.
    lower_bound : float
    unit : float
        Of the multipliers, in units of weight times y; a power of two.
    steps : tuple of Step
    rules : Rules
        What the networks in question obey.

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
    rules: Rules = field(default_factory=Rules)

    @cached_property
    def _children(self) -> dict[int, Step]:
        return {step.parent: step for step in reversed(self.steps)}

    def follow(self, number: int) -> Step | None:
        """Return the first step that takes up what step `number` left."""
        return self._children.get(number)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file; `load_certificate` reads it back bit for bit."""
        from reluscape.optimum.certificate_file import to_json

        text = json.dumps(to_json(self), indent=1)
        with atomic_write(path) as stream:
            stream.write(text.encode())


def digest_of(problem: Samples | Interval) -> str:
    """Return the SHA-256 of a problem.

    Of data: the rows in order of x, y and weight, with their number. Of an interval: its ends and
    the pieces of target and density inside.
    """
    if isinstance(problem, Interval):
        total = hashlib.sha256(b"interval")
        for function, name in ((problem.target, "target"), (problem.density, "density")):
            borders, pieces = function.on(problem.a, problem.b, name)
            for values in (borders, *pieces):
                total.update(f"{name} {len(values)}".encode())
                total.update((np.array(values) + 0.0).astype("<f8").tobytes())
        return total.hexdigest()
    weights = problem.weights if problem.weighted else np.zeros(0)
    columns = [problem.x.reshape(-1) + 0.0, problem.y + 0.0]
    if problem.weighted:
        columns.append(weights + 0.0)
    order = np.lexsort(columns[::-1])
    total = hashlib.sha256(f"{problem.size} rows, {len(columns)} columns".encode())
    for column in columns:
        total.update(column[order].astype("<f8").tobytes())
    return total.hexdigest()


def check_data(problem: Samples | Interval, certificate: Certificate) -> None:
    """Raise unless this is the problem of the certificate."""
    if isinstance(problem, Interval):
        if certificate.rows:
            raise InputError("the certificate is about data, not about an interval.")
        if digest_of(problem) != certificate.digest:
            raise InputError(
                "this is not the interval of the certificate: the digests of its ends, target "
                "and density differ."
            )
        return
    if not hasattr(problem, "on_a_line") or not problem.on_a_line:
        raise InputError("a certificate is about a problem with one input and y of shape (n,).")
    if not certificate.rows:
        raise InputError(
            "the certificate is about an interval, not about data; check it in Python, with the "
            "Interval that it was made from."
        )
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
