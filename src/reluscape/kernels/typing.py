"""Types of the kernels: arrays, and constants that are arguments."""

from __future__ import annotations

from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Booleans: TypeAlias = NDArray[np.bool_]
Counts: TypeAlias = NDArray[np.int32]
Keys: TypeAlias = NDArray[np.uint64]
Sides: TypeAlias = NDArray[np.int8]


def number(value: int) -> int:
    """Make a constant that kernels pass on: of Python's own, Numba compiles one version each."""
    return cast(int, np.int64(value))


def flag(value: bool) -> bool:
    """Make a truth value that kernels pass on, see `number`."""
    return cast(bool, np.bool_(value))
