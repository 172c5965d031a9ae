"""The search for a lower risk along a straight line of parameters."""

from __future__ import annotations

import numpy as np

from reluscape.kernels.compiled import compiled
from reluscape.kernels.exact import risk
from reluscape.kernels.table import Table
from reluscape.kernels.typing import Floats


@compiled
def lowest_along(
    start: Floats,
    direction: Floats,
    skip: bool,
    leak: float,
    table: Table,
    lowest: float,
    step: float,
    coarse: float,
    tries: int,
) -> tuple[float, float]:
    """Return a step along `direction` with a risk below `lowest`, and that risk; 0 if none.

    `start` (parameters,) is a network of one input as in `Network.to_vector`. Steps shrink from
    `step` by `coarse` until the risk is lower, then by two for as long as it helps.
    """
    width = (start.shape[0] - (2 if skip else 1)) // 3
    affine = np.zeros(2)
    best = 0.0
    for _ in range(tries):
        theta = start + step * direction
        affine[0] = theta[3 * width]
        if skip:
            affine[1] = theta[3 * width + 1]
        w, b, v = theta[:width], theta[width : 2 * width], theta[2 * width : 3 * width]
        value = risk(w, b, v, affine, leak, table)
        if value < lowest:
            lowest, best = value, step
        elif best > 0.0:
            break
        step /= 2.0 if best > 0.0 else coarse
    return best, lowest
