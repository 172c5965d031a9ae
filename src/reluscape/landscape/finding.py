"""What was found out about a network, before it is put into words and numbers for users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Kind: TypeAlias = Literal["not critical", "global minimum", "local minimum", "saddle", "undecided"]


@dataclass(frozen=True, eq=False)
class Finding:
    """A kind, why, and where the risk may fall.

    Attributes
    ----------
    kind : str
    reasons : list of str
    directions : list of ndarray
        In the order of `Network.to_vector`; the first that lowers the risk counts.
    """

    kind: Kind
    reasons: list[str]
    directions: list[Floats]
