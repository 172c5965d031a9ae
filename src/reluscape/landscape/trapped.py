"""Recognise the local minima that the target of `trap` was made for (S3, Theorem 1)."""

from __future__ import annotations

from reluscape.landscape.sight import IDLE, KINK, Sight
from reluscape.landscape.trap_target import TrapTarget
from reluscape.problems.interval import Interval

TRAPPED = (
    "S3, Theorem 1: one neuron is bent, the others are inactive; the risk of such networks is the "
    "same for every breakpoint in the left half, and positive curvature holds them in all other "
    "directions that change the function"
)


def is_member(sight: Sight) -> bool:
    """Return whether a critical network is in the continuum of the target that it is fitted to."""
    problem = sight.problem
    if not (isinstance(problem, Interval) and isinstance(problem.target, TrapTarget)):
        return False
    target, network = problem.target, sight.network
    whole = (problem.a, problem.b) == (target.a, target.b) and problem.uniform
    bent = sight.role == KINK
    idle = (sight.role == IDLE) & (sight.point < 0)
    if not whole or network.skip is not None or bent.sum() != 1 or not (bent | idle).all():
        return False
    j = int(bent.argmax())
    w, b, v = network.weights[j, 0], network.biases[j], network.outputs[j]
    # Up to its ends: there other directions open.
    middle = target.a + (target.b - target.a) / 2.0
    return bool(w > 0.0 and v != 0.0 and target.a < -b / w < middle)
