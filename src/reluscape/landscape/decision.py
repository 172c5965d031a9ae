"""What is known about an infimum: whether it is attained, by which argument, and its value."""

from __future__ import annotations

from dataclasses import dataclass

from reluscape.landscape.approach import MinimisingSequence
from reluscape.networks.network import Network


@dataclass(frozen=True, eq=False)
class Decision:
    """Whether the infimum of the risk is attained.

    Attributes
    ----------
    attained : bool or None
        None where neither is proved.
    reason : str
        The argument, or what is missing.
    infimum : float or None
        Where it is known.
    sequence : MinimisingSequence or None
        Explicit networks that come close, where it is not attained.
    minimiser : Network or None
        An explicit network that attains it, up to rounding of its parameters, where one is known.
    """

    attained: bool | None
    reason: str
    infimum: float | None = None
    sequence: MinimisingSequence | None = None
    minimiser: Network | None = None
