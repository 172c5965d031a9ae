"""The rules of descent, for eight networks at once."""

from __future__ import annotations

from reluscape.kernels.compiled import inlined
from reluscape.kernels.lanes import Address, Eight, load, root, spread, spread_at, store

PLAIN, HEAVY_BALL, ADAM, BATCHES = 0, 1, 2, 3
# Rows of numbers that a rule remembers, for each one that it moves.
MEMORIES = (0, 1, 2, 0)
# What the rules need: Adam's last two are worked out anew for each step.
STEP_SIZE, BETA1, BETA2, EPSILON, UNBIASED1, UNBIASED2 = 0, 1, 2, 3, 4, 5
CONSTANTS = 6


@inlined
def moved(
    rule: int,
    constants: Address,
    state: Address,
    old: int,
    new: int,
    memory: int,
    value: Eight,
    slope: Eight,
) -> Eight:
    """Return a parameter after one step of a rule; its memories are `memory` apart."""
    rate = spread_at(constants, STEP_SIZE)
    result = value
    if rule == PLAIN:
        result = value - rate * slope
    elif rule == HEAVY_BALL:
        velocity = load(state, old + memory) * spread_at(constants, BETA1) - rate * slope
        store(state, new + memory, velocity)
        result = value + velocity
    else:
        beta1, beta2 = spread_at(constants, BETA1), spread_at(constants, BETA2)
        one = spread(1.0)
        mean = load(state, old + memory) * beta1 + slope * (one - beta1)
        square = load(state, old + 2 * memory) * beta2 + slope * slope * (one - beta2)
        store(state, new + memory, mean)
        store(state, new + 2 * memory, square)
        size = root(square * spread_at(constants, UNBIASED2)) + spread_at(constants, EPSILON)
        result = value - rate * (mean * spread_at(constants, UNBIASED1)) / size
    return result
