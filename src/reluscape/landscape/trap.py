"""Targets with a continuum of bad local minima for every width above one (S3, Theorem 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from reluscape.errors import InputError
from reluscape.landscape.trap_target import QUADRATIC_FIFTHS, TrapTarget, trap_target
from reluscape.networks.arrays import is_number, is_whole
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval

# The risk of all members on [0, 1] with height 1 (S3, reference value S3-1).
RISK = 9.0 * math.log(5.0) / 4.0 - 1287.0 / 625.0
# Two neurons on [0, 1] that beat them, found by a search and rounded: (w, b, v) and c.
BETTER = (
    ((-1.0, 0.46677214754, 10.46253115764), (1.0, -0.68665503349, -31.08253441183)),
    0.38615191518,
)
# Share by which the height is raised, so that rounding cannot bring the gap below what was asked.
SAFETY = 1e-12


@dataclass(frozen=True, eq=False)
class Trap:
    """A target on [a, b] with a continuum of local minima that are not global.

    Attributes
    ----------
    problem : Interval
        Its target is Lipschitz; it is tabulated to 19 digits.
    risk : float
        The risk of all members, `height^2 (b - a) (9 ln(5)/4 - 1287/625)`.
    gap : float
        A certified lower bound, for every width above one, of `risk` minus the infimum: how much
        lower the network `better` is, rounded down.
    requested : float
        The gap that was asked for.
    better : Network
        Two neurons with a lower risk.
    range : (float, float)
        Breakpoints t of members lie strictly between: the left half of [a, b].
    lipschitz : float
        The Lipschitz constant of the target.
    """

    problem: Interval = field(repr=False)
    risk: float
    gap: float
    requested: float
    better: Network = field(repr=False)
    range: tuple[float, float]
    lipschitz: float

    def member(self, t: float, width: int = 2) -> Network:
        """Return the local minimum with breakpoint t.

        Parameters
        ----------
        t : float
            Strictly inside `range`.
        width : int, default 2
            All neurons but the first are inactive on [a, b]. For every width above one this is a
            local minimum that is not global.

        Returns
        -------
        Network

        Raises
        ------
        InputError
            If t is outside the range or the width is below one.
        """
        low, high = self.range
        if not (is_number(t) and low < t < high):
            raise InputError(f"t is {t!r}; members have their breakpoint in ({low:g}, {high:g}).")
        if not is_whole(width) or width < 1:
            raise InputError(f"width is {width!r}; give a whole number >= 1.")
        a, b = self.problem.a, self.problem.b
        level, bend = member_values(t, a, b)
        target = self.problem.target
        height = target.height if isinstance(target, TrapTarget) else 1.0
        idle = width - 1
        return Network(
            [1.0] + [-1.0] * idle,
            [-t] + [a - (b - a)] * idle,
            [height * bend / (b - a)] + [0.0] * idle,
            height * level,
        )

    def __str__(self) -> str:
        """Say what it is in a few lines."""
        low, high = self.range
        return (
            f"trap on [{self.problem.a:g}, {self.problem.b:g}]: for every t in ({low:g}, {high:g}) "
            f"a local minimum of risk {self.risk:.10g}\nwhose risk is at least {self.gap:.10g} "
            f"above the infimum, for every width above one"
        )


def member_values(t: float, a: float, b: float) -> tuple[float, float]:
    """Return the level and the bend of a member on [0, 1] with height 1.

    The distances to the ends are taken before they are divided: they may be small.
    """
    from_left, to_right = (t - a) / (b - a), (b - t) / (b - a)
    rise = 1.0 + 3.0 * from_left
    return 6.0 * math.sqrt(to_right / rise), -12.0 / (to_right * math.sqrt(to_right * rise))


def trap(a: float, b: float, gap: float) -> Trap:
    """Build a target with a continuum of local minima that are at least `gap` above the infimum.

    Parameters
    ----------
    a, b : float
        The interval, a < b.
    gap : float
        Positive, in units of the risk (S3: the integral over [a, b], not divided by b - a).

    Returns
    -------
    Trap

    Raises
    ------
    InputError
        If a >= b or gap is not positive.

    Notes
    -----
    S3 (arXiv 2202.11481), Theorem 1: for all a < b and gap > 0 there is a Lipschitz target such
    that for every width above one uncountably many functions are realized by local minima that are
    at least `gap` above the infimum. The target here is our own construction: the optimal risk of
    one neuron with breakpoint t does not depend on t.

    Examples
    --------
    >>> found = trap(0, 1, 2.0)
    >>> found.gap >= 2.0
    True
    >>> risks = [found.problem.risk(found.member(t)) for t in (0.1, 0.25, 0.4)]
    >>> bool(max(abs(r / found.risk - 1) for r in risks) < 1e-12)
    True
    """
    if not (is_number(a) and is_number(b) and a < b):
        raise InputError(f"the interval [{a}, {b}] is not one; give finite a < b.")
    if not (is_number(gap) and gap > 0.0):
        raise InputError(f"gap is {gap!r}; give a positive number, in units of the risk.")
    a, b = float(a), float(b)
    unit = certified_gap()
    height = math.sqrt(gap / (unit * (b - a))) * (1.0 + SAFETY)
    scale = height * height * (b - a)
    if not (math.isfinite(scale * RISK) and height > 0.0 and scale > 0.0):
        raise InputError(f"a gap of {gap:g} on [{a:g}, {b:g}] over- or underflows; rescale it.")
    problem = Interval(trap_target(a, b, height), a, b)
    w, s, v = (np.array(column) for column in zip(*BETTER[0], strict=True))
    length = b - a
    better = Network(w / length, s - w * a / length, height * v, height * BETTER[1])
    return Trap(
        problem,
        scale * RISK,
        math.nextafter(scale * unit * (1.0 - SAFETY / 2.0), 0.0),
        float(gap),
        better,
        (a, a + length / 2.0),
        height / length * 528.0 * math.sqrt(5.0) / 25.0,
    )


@lru_cache(maxsize=1)
def certified_gap() -> float:
    """Return a lower bound of the gap on [0, 1] with height 1, proved in ball arithmetic.

    The risk of `BETTER` is the integral of f^2 - 2 N f + N^2, and all three have closed forms: the
    integral of (x - t)_+ f is u(t) on the first half.
    """
    from flint import arb, ctx, fmpq

    with ctx.workprec(200):
        five = arb(5).sqrt()
        quadratic = [five * k / 25 for k in QUADRATIC_FIFTHS]

        def bends_f(t: arb) -> arb:
            """Return the integral of (x - t)_+ f."""
            if t <= arb(fmpq(1, 2)):
                return -((1 - t) ** 3 * (1 + 3 * t)).sqrt()
            # With y = x - 1/2 from s to 1/2:  (y - s)(A + B y + C y^2).
            s, end = t - arb(fmpq(1, 2)), arb(fmpq(1, 2))
            total = arb(0)
            for k, c in enumerate(quadratic):
                for power, factor in ((k + 2, arb(1)), (k + 1, -s)):
                    total += c * factor * (end**power - s**power) / power
            return total

        # f is orthogonal to 1, so that left bends differ from right ones by the integral of x f.
        neurons = [tuple(arb(float(q)) for q in neuron) for neuron in BETTER[0]]
        level = arb(BETTER[1])
        with_f = arb(0)
        kinks: list[tuple[arb, arb]] = []
        slope0, level0 = arb(0), level
        for w, s, v in neurons:
            t = -s / w
            size = v * (w if w > 0 else -w)
            if w > 0:
                with_f += size * bends_f(t)
            else:
                with_f += size * (bends_f(t) - bends_f(arb(0)))
                slope0 -= size
                level0 += size * t
            kinks.append((t, size))
        # N on [0, 1] is a polyline: integrate its square piece by piece.
        kinks.sort(key=lambda kink: float(kink[0].mid()))
        squares, x, value, slope = arb(0), arb(0), level0, slope0
        for t, size in [*kinks, (arb(1), arb(0))]:
            step = t - x
            after = value + slope * step
            squares += step * (value * value + value * after + after * after) / 3
            x, value, slope = t, after, slope + size
        # The integral of f^2 is the risk of the members plus 12.
        members = arb(9) * arb(5).log() / 4 - fmpq(1287, 625)
        better = members + 12 - 2 * with_f + squares
        gap = (members - better).lower()
        return math.nextafter(float(gap), 0.0)
