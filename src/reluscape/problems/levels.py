"""temporary; replaced by the merge of the other branch."""

from __future__ import annotations

from reluscape.problems.interval import Interval


def affine_target(problem: Interval) -> tuple[float, float] | None:
    """Return alpha and beta."""
    _, pieces = problem.target.on(problem.a, problem.b, "target")
    _, densities = problem.density.on(problem.a, problem.b, "density")
    rows = {tuple(c) for c in pieces}
    if len(rows) != 1 or len({tuple(c) for c in densities}) != 1 or any(densities[0][1:]):
        return None
    c = [*pieces[0], 0.0, 0.0]
    if any(c[2:]):
        return None
    return c[1], c[0]


def threshold(alpha: float, length: float) -> float:
    """Top."""
    return alpha**2 * length**3 / 12.0


def levels(alpha: float, length: float, width: int, slope: float) -> list[float]:
    """All."""
    top = threshold(alpha, length)
    if not slope:
        return sorted([0.0] + [top / (n + 1) ** 4 for n in range(0, width + 1, 2)])
    found = {0.0, top}
    for n in range(1, width + 1):
        inner = (n - 1) * (1 + slope) ** 0.5
        ends = (2.0, 2 * slope**0.5) if n % 2 == 0 else (1 + slope**0.5,)
        found |= {top * (1 - slope) ** 2 / (inner + end) ** 4 for end in ends}
    return sorted(found)
