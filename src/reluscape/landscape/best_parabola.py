"""The best parabola for a target or for data with one input, in exact arithmetic.

Networks with the activation `y^2` are parabolas, so that this decides all about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from reluscape.problems.interval import Interval
from reluscape.problems.moments import product
from reluscape.problems.samples import Samples
from reluscape.problems.smooth import integral

# A leading coefficient is rounding if this share of the size of the target explains it, over the
# whole range of x: some units in the last place of each coefficient or datum.
ROUNDING = Fraction(1, 10**13)


@dataclass(frozen=True, eq=False)
class BestParabola:
    """The parabola of least risk, exactly.

    Attributes
    ----------
    coefficients : tuple of three Fractions
        Lowest degree first, in x itself.
    risk : Fraction
        The least risk.
    low, high : Fraction
        The range of x.
    size : Fraction
        How large the terms of the target get there.
    """

    coefficients: tuple[Fraction, Fraction, Fraction]
    risk: Fraction
    low: Fraction
    high: Fraction
    size: Fraction

    @property
    def nearly_straight(self) -> bool:
        """Whether it is curved so little that rounding of the target explains it."""
        half = (self.high - self.low) / 2
        return abs(self.coefficients[2]) * half * half <= ROUNDING * self.size

    @property
    def nearly_level(self) -> bool:
        """Whether it slopes so little around its middle that rounding of the target explains it."""
        half = (self.high - self.low) / 2
        slope = self.coefficients[1] + self.coefficients[2] * (self.low + self.high)
        return abs(slope) * half <= ROUNDING * self.size


def best_parabola(problem: Interval | Samples) -> BestParabola | None:
    """Return the best parabola, None if x has fewer than three values and there are many.

    Parameters
    ----------
    problem : Interval or Samples
        With one input and a scalar target.

    Returns
    -------
    BestParabola or None

    Examples
    --------
    On [-1, 1] the best parabola for `x^3 - x` is the line `-2 x / 5`.

    >>> from reluscape import expression
    >>> best = best_parabola(Interval(expression("x^3 - x"), -1, 1))
    >>> best.coefficients, best.risk
    ((Fraction(0, 1), Fraction(-2, 5), Fraction(0, 1)), Fraction(8, 175))
    """
    of = _of_interval(problem) if isinstance(problem, Interval) else _of_data(problem)
    rows = [[*of.powers[i : i + 3], of.mixed[i]] for i in range(3)]
    for i in range(3):
        if not rows[i][i]:
            # Gram matrices are positive semidefinite: a pivot of zero is a row of zeros.
            return None
        for k in range(3):
            if k != i and rows[k][i]:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    solved = (rows[0][3] / rows[0][0], rows[1][3] / rows[1][1], rows[2][3] / rows[2][2])
    risk = of.squares - sum((q * r for q, r in zip(solved, of.mixed, strict=True)), Fraction(0))
    return BestParabola(solved, risk, of.low, of.high, of.size)


@dataclass(frozen=True, eq=False)
class _Moments:
    """Means of x^k for k up to 4, of x^k f for k up to 2, and of f^2, not normalised."""

    powers: list[Fraction]
    mixed: list[Fraction]
    squares: Fraction
    low: Fraction
    high: Fraction
    size: Fraction


def _of_interval(problem: Interval) -> _Moments:
    parts = problem.pieces
    powers, mixed = [Fraction(0)] * 5, [Fraction(0)] * 3
    squares = size = Fraction(0)
    reach = Fraction(max(abs(problem.a), abs(problem.b)))
    seen: list[Fraction] = []
    for (left, right), f, p in zip(pairwise(parts.cuts), parts.target, parts.density, strict=True):
        if not any(p):
            continue
        low, high = Fraction(left), Fraction(right)
        target, density = [Fraction(c) for c in f], [Fraction(c) for c in p]
        seen += [low, high]
        size = max(size, sum((abs(c) * reach**k for k, c in enumerate(target)), Fraction(0)))
        weighted = product(target, density)
        for k in range(5):
            powers[k] += integral([*[Fraction(0)] * k, *density], low, high)
        for k in range(3):
            mixed[k] += integral([*[Fraction(0)] * k, *weighted], low, high)
        squares += integral(product(target, weighted), low, high)
    return _Moments(powers, mixed, squares, min(seen), max(seen), size)


def _of_data(problem: Samples) -> _Moments:
    kept = problem.weights > 0.0
    x, x_unit = _whole(problem.x.reshape(-1)[kept].tolist())
    y, y_unit = _whole(problem.y.reshape(-1)[kept].tolist())
    w, w_unit = _whole(problem.weights[kept].tolist())
    # Whole numbers: fractions would look for common factors in every step.
    powers, mixed, squares = [0] * 5, [0] * 3, 0
    for s, t, mass in zip(x, y, w, strict=True):
        term = mass
        for k in range(5):
            powers[k] += term
            if k < 3:
                mixed[k] += term * t
            term *= s
        squares += mass * t * t
    return _Moments(
        [m * w_unit * x_unit**k for k, m in enumerate(powers)],
        [m * w_unit * y_unit * x_unit**k for k, m in enumerate(mixed)],
        squares * w_unit * y_unit * y_unit,
        min(x) * x_unit,
        max(x) * x_unit,
        max(abs(t) for t in y) * y_unit,
    )


def _whole(numbers: list[float]) -> tuple[list[int], Fraction]:
    """Return floats as whole numbers of a common unit, a power of two."""
    ratios = [number.as_integer_ratio() for number in numbers]
    bottom = max(q for _, q in ratios)
    return [p * (bottom // q) for p, q in ratios], Fraction(1, bottom)
