"""Shared settings: where the oracles live, how hypothesis behaves, how problems are built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from records import Pieces, Plain

# no deadline: the first call compiles; derandomised: the same examples for everybody
settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def network_of() -> Any:
    """Build the package's network from a plain record."""
    import reluscape as rs

    def build(net: Plain) -> Any:
        return rs.Network(
            np.array(net.w),
            np.array(net.b),
            np.array(net.v),
            net.c,
            skip=None if net.u is None else np.array([net.u]),
            activation=rs.leaky(net.slope) if net.slope else "relu",
        )

    return build


@pytest.fixture(scope="session")
def interval_of() -> Any:
    """Build the package's interval problem from exact pieces."""
    import reluscape as rs
    from records import ONE

    def build(target: Pieces, a: float, b: float, density: Pieces = ONE) -> Any:
        def polynomial(pieces: Pieces) -> Any:
            breaks, table = pieces.floats()
            if len(table) == 1:
                return rs.polynomial(table[0])
            return rs.piecewise_polynomial(breaks, table)

        mass = None if density is ONE else polynomial(density)
        return rs.Interval(polynomial(target), float(a), float(b), density=mass)

    return build
