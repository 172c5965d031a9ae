"""One row of an atlas: a critical point as tables and pictures show it."""

from __future__ import annotations

from dataclasses import dataclass

from reluscape.networks.network import Network


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
