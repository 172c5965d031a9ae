"""What reports need to know of a landscape, so that the two do not import each other."""

# ruff: noqa: D102 (each member is documented where it is implemented)

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.networks.network import Network
from reluscape.networks.neurons import NeuronState

Floats = NDArray[np.float64]


class IntervalLike(Protocol):
    """A target on an interval; see `reluscape.Interval`."""

    @property
    def a(self) -> float: ...
    @property
    def b(self) -> float: ...
    @property
    def target(self) -> Callable[[ArrayLike], Floats]: ...
    def risk(self, network: Network, /) -> float: ...


class EscapeLike(Protocol):
    """A way down from a point that is no local minimum."""

    @property
    def direction(self) -> Floats: ...
    @property
    def step(self) -> float: ...
    @property
    def network(self) -> Network: ...
    @property
    def risk(self) -> float: ...
    @property
    def drop(self) -> float: ...


class VerdictLike(Protocol):
    """What kind of a point a network is."""

    @property
    def kind(self) -> str: ...
    @property
    def risk(self) -> float: ...
    @property
    def gradient_norm(self) -> float: ...
    @property
    def gradient(self) -> Floats: ...
    @property
    def reasons(self) -> Sequence[str]: ...
    @property
    def neuron_states(self) -> Sequence[NeuronState]: ...
    @property
    def escape(self) -> EscapeLike | None: ...


class CriticalPointLike(Protocol):
    """A critical point of a small network."""

    @property
    def kind(self) -> str: ...
    @property
    def risk(self) -> float: ...
    @property
    def network(self) -> Network: ...
    @property
    def family(self) -> str: ...


class AffineLandscapeLike(Protocol):
    """The critical points for an affine target."""

    @property
    def levels(self) -> Sequence[float]: ...
    @property
    def threshold(self) -> float: ...
    def saddle(
        self, n: int, split: Sequence[int] | None = None, family: str | None = None
    ) -> Network: ...
    def dead_minimum(self) -> Network: ...
    def global_minimum(self) -> Network: ...


class TrapLike(Protocol):
    """A target with a continuum of local minima that are not global."""

    @property
    def problem(self) -> IntervalLike: ...
    @property
    def risk(self) -> float: ...
    @property
    def gap(self) -> float: ...
    @property
    def requested(self) -> float: ...
    @property
    def better(self) -> Network: ...
    @property
    def range(self) -> tuple[float, float]: ...
    def member(self, t: float, width: int = 2) -> Network: ...


@dataclass(frozen=True)
class Entry:
    """A critical point in an atlas.

    Attributes
    ----------
    number : int
        From 1, by rising risk.
    kind : str
        "global minimum", "local minimum", "saddle" or "undecided".
    risk : float
    network : Network
    family : str
        Which of its kind it is.
    breakpoints : tuple of float
        Where its function bends inside the interval.
    enclosure : tuple of tuple of float
        Intervals that hold the exact breakpoints, where they are known.
    """

    number: int
    kind: str
    risk: float
    network: Network
    family: str
    breakpoints: tuple[float, ...]
    enclosure: tuple[tuple[float, float], ...] = ()


def bends(network: Network, a: float, b: float) -> tuple[float, ...]:
    """Return where the function of a network may bend strictly between a and b.

    Examples
    --------
    >>> bends(Network([1.0, 1.0, 1.0], [-0.5, 2.0, -0.5], [1.0, 1.0, 1.0]), 0.0, 1.0)
    (0.5,)
    """
    states = network.neuron_states(a, b)
    inside = {s.breakpoint for s in states if s.kind == "type-2-active" and not s.flat}
    return tuple(sorted(t for t in inside if t is not None))
