"""Every critical point of a network with one neuron, by exact root isolation (S3, Theorem 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from flint import acb, arb, ctx, fmpq, fmpq_poly

from reluscape.errors import InputError
from reluscape.landscape.rational import (
    Cumulative,
    Pieces,
    ball,
    cumulative,
    pieces_of,
)
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval

Kind = Literal["global minimum", "local minimum", "saddle", "undecided"]
Family = Literal["constant", "affine", "right-active", "left-active"]

# Bits of the first enclosures, and of the last: risks that agree to the last count as equal.
BITS, MOST_BITS = 256, 4096
# Bits that an enclosure must have right to be rounded to a float.
ENOUGH = 64


@dataclass(frozen=True, eq=False)
class CriticalPoint:
    """One critical point of the risk, up to rescaling of neurons.

    Attributes
    ----------
    kind : {"global minimum", "local minimum", "saddle", "undecided"}
    risk : float
    network : Network
        Parameters rounded to floats.
    breakpoint : (float, float) or None
        An interval that contains the breakpoint, without rounding; None if the network is affine.
    family : {"constant", "affine", "right-active", "left-active"}
        What the realization is; for several neurons the families of all, joined by "+".
    risk_bounds : (float, float)
        An interval that contains the risk.
    breakpoints : tuple of float
        All breakpoints, rounded.
    certified : bool
        Whether existence, breakpoint and kind are proved by exact arithmetic.
    """

    kind: Kind
    risk: float
    network: Network
    breakpoint: tuple[float, float] | None
    family: str
    risk_bounds: tuple[float, float]
    breakpoints: tuple[float, ...]
    certified: bool


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A critical realization before rounding: level, bend and risk are balls."""

    family: Family
    kind: Kind
    place: arb | None
    level: arb
    slope: arb
    risk: arb


def one_neuron_points(problem: Interval) -> list[CriticalPoint]:
    """List all critical realizations of width one; see `critical_points`."""
    bits = BITS
    while True:
        with ctx.workprec(bits):
            found = _candidates(pieces_of(problem))
            if bits >= MOST_BITS or all(_sharp(c) for c in found):
                return _points(problem, found)
        bits *= 2


def _sharp(c: _Candidate) -> bool:
    return all(
        value.rel_accuracy_bits() >= ENOUGH or value.is_exact() or float(value.abs_upper()) < 1e-60
        for value in (c.level, c.slope, c.risk)
    )


def _candidates(pieces: Pieces) -> list[_Candidate]:
    parts = cumulative(pieces)
    mass, first, second, f, xf = parts[0].total
    squares = parts[0].squares
    mean = f / mass
    found = [
        _Candidate("constant", "local minimum", None, arb(mean), arb(0), arb(squares - mean * f))
    ]
    slope = (xf - first * mean) / (second - first * first / mass)
    if slope != 0:
        level = (f - slope * first) / mass
        risk = squares - level * f - slope * xf
        found.append(_Candidate("affine", "local minimum", None, arb(level), arb(slope), arb(risk)))
    for family, side in (("right-active", pieces), ("left-active", pieces.reflected())):
        total = arb(pieces.borders[0] + pieces.borders[-1])
        for c in _right_active(side):
            if family == "left-active":
                assert c.place is not None  # noqa: S101
                c = _Candidate("left-active", c.kind, total - c.place, c.level, c.slope, c.risk)
            found.append(c)
    return found


@dataclass(frozen=True, eq=False)
class _Conditions:
    """Polynomials in the breakpoint t of c + p max(x - t, 0) on one piece.

    With c and p optimal for t, `stationary` is minus the integral of the error right of t times
    `scale`, and `bend` is p times `scale`, which is positive.
    """

    stationary: fmpq_poly
    bend: fmpq_poly
    level: fmpq_poly
    scale: fmpq_poly
    above: fmpq_poly


def _conditions(part: Cumulative) -> _Conditions:
    x = fmpq_poly([0, 1])
    left = part.partial
    mass, _, _, f, _ = part.total
    m0, s1, s2, f0, sf = (total - p for total, p in zip(part.total, left, strict=True))
    m1 = s1 - x * m0
    m2 = s2 - 2 * x * s1 + x * x * m0
    f1 = sf - x * f0
    # The normal equations  c mass + p m1 = f,  c m1 + p m2 = f1  have this determinant.
    scale = mass * m2 - m1 * m1
    bend = mass * f1 - m1 * f
    level = f * m2 - m1 * f1
    stationary = (left[3] * m1 - f1 * left[0]) * m1 + (f0 * left[0] - left[3] * m0) * m2
    return _Conditions(stationary, bend, level, scale, f1)


def _right_active(pieces: Pieces) -> list[_Candidate]:
    """Return the critical realizations c + p max(x - t, 0) with a < t < b and p not 0.

    With c and p optimal the risk is a function R of t alone, R' has the sign of
    `stationary * bend`, and the network is a local minimum where R is: where this product changes
    from negative to positive. The theorem that there are finitely many says that it does not
    vanish on a piece unless p does.
    """
    parts = cumulative(pieces)
    conditions = [_conditions(part) for part in parts]
    found: list[_Candidate] = []
    for i, (part, here) in enumerate(zip(parts, conditions, strict=True)):
        if i and not here.stationary(part.low) and here.bend(part.low):
            before = _sign_beside(conditions[i - 1], part.low, -1)
            after = _sign_beside(here, part.low, 1)
            found.append(_candidate(here, part, arb(part.low), before, after))
        reduced = _without_common_roots(here.stationary, here.bend)
        for border in (part.low, part.high):
            factor = fmpq_poly([-border, 1])
            while reduced and not reduced(border):
                reduced //= factor
        if reduced.degree() < 1:
            continue
        for root, multiplicity in _real_roots(reduced, part.low, part.high):
            before, after = _signs_at(here, reduced, root, multiplicity)
            found.append(_candidate(here, part, root, before, after))
    return found


def _without_common_roots(stationary: fmpq_poly, bend: fmpq_poly) -> fmpq_poly:
    """Divide by all factors that `bend` has, too: there p = 0, and the network is constant."""
    if not stationary or not bend:
        return fmpq_poly([])
    common = stationary.gcd(bend)
    while common.degree() > 0:
        stationary //= common
        common = stationary.gcd(common)
    return stationary


def _real_roots(polynomial: fmpq_poly, low: fmpq, high: fmpq) -> list[tuple[arb, int]]:
    """Return the real roots strictly between, isolated, with multiplicities.

    The ends are no roots, so that enough bits tell on which side of them each root is.
    """
    bits = ctx.prec
    while True:
        with ctx.workprec(bits):
            # The stubs of python-flint type the pairs as single roots.
            pairs = cast(
                "list[tuple[acb, int]]",
                polynomial.complex_roots(),  # pyright: ignore[reportUnknownMemberType]
            )
            roots = [(root.real, m) for root, m in pairs if root.imag == 0]
            ends = arb(low), arb(high)
            if not any(root.overlaps(end) for root, _ in roots for end in ends):
                return [(r, m) for r, m in roots if r > ends[0] and r < ends[1]]
        bits *= 2


def _signs_at(
    here: _Conditions, reduced: fmpq_poly, root: arb, multiplicity: int
) -> tuple[int, int]:
    """Return the signs of `stationary * bend` just left and just right of a root of `reduced`."""
    derivative = reduced
    for _ in range(multiplicity):
        derivative = derivative.derivative()
    rest = here.stationary // reduced
    sign = _sign(ball(derivative, root) * ball(rest, root) * ball(here.bend, root))
    return (sign if multiplicity % 2 == 0 else -sign), sign


def _sign(value: arb) -> int:
    if value > 0:
        return 1
    return -1 if value < 0 else 0


def _sign_beside(here: _Conditions, t: fmpq, side: int) -> int:
    """Return the sign of `stationary * bend` just right (1) or left (-1) of a rational point."""
    polynomial, order = here.stationary * here.bend, 0
    while polynomial:
        value = polynomial(t)
        if value != 0:
            sign = 1 if value > 0 else -1
            return sign if side > 0 or order % 2 == 0 else -sign
        polynomial, order = polynomial.derivative(), order + 1
    return 0


def _candidate(here: _Conditions, part: Cumulative, t: arb, before: int, after: int) -> _Candidate:
    scale = ball(here.scale, t)
    level, bend = ball(here.level, t) / scale, ball(here.bend, t) / scale
    risk = arb(part.squares) - level * arb(part.total[3]) - bend * ball(here.above, t)
    if before == 0 or after == 0:
        kind: Kind = "undecided"
    else:
        kind = "local minimum" if before < 0 < after else "saddle"
    return _Candidate("right-active", kind, t, level, bend, risk)


def _points(problem: Interval, found: list[_Candidate]) -> list[CriticalPoint]:
    # The infimum is attained, and a minimum is critical: one neuron makes no jump, so that whatever
    # its breakpoint and slope run to, the risk in the limit is no less than that of a network
    # (Dereich and Kassing 2023 for continuous targets; with one neuron for any).
    least = min((c.risk for c in found), key=lambda risk: float(risk.mid()))
    points = [_point(problem, c, c.risk.overlaps(least)) for c in found]
    return sorted(points, key=lambda p: (p.risk, p.breakpoints))


def _point(problem: Interval, c: _Candidate, lowest: bool) -> CriticalPoint:
    level, slope = float(c.level.mid()), float(c.slope.mid())
    a, b = problem.a, problem.b
    if c.family == "constant":
        # A neuron that is inactive on [a, b], with room to both sides.
        network = Network([-1.0], [a - (b - a)], [0.0], level)
    elif c.family == "affine":
        network = Network([1.0], [(b - a) - a], [slope], level - slope * (b - a) + slope * a)
    else:
        assert c.place is not None  # noqa: S101
        t = float(c.place.mid())
        sign = 1.0 if c.family == "right-active" else -1.0
        network = Network([sign], [-sign * t], [slope], level)
    place = None if c.place is None else _enclosure(c.place)
    return CriticalPoint(
        "global minimum" if lowest and c.kind != "saddle" else c.kind,
        float(c.risk.mid()),
        network,
        place,
        c.family,
        _enclosure(c.risk),
        () if c.place is None else (float(c.place.mid()),),
        True,
    )


def _enclosure(value: arb) -> tuple[float, float]:
    """Return floats around a ball."""
    import math

    low, high = float(value.lower()), float(value.upper())
    exact_low, exact_high = arb(low), arb(high)
    return (
        low if exact_low <= value.lower() else math.nextafter(low, -math.inf),
        high if exact_high >= value.upper() else math.nextafter(high, math.inf),
    )


def critical_points(problem: object, width: int = 1) -> list[CriticalPoint]:
    """List the critical points of the risk of a plain network on an interval.

    Parameters
    ----------
    problem : Interval
        With a piecewise polynomial target, which may jump, and a density that is positive between
        isolated zeros.
    width : {1, 2}
        For one neuron the list is complete, up to rescaling of the neuron and up to neurons that
        add nothing (S3, Theorem 2: finitely many). For two it holds what a search from many starts
        has found, beside those of one neuron: it may be incomplete.

    Returns
    -------
    list of CriticalPoint
        In order of risk.

    Raises
    ------
    InputError
        If the problem is no `Interval`, the density is zero on a whole piece, or the width is
        neither 1 nor 2.

    Notes
    -----
    A critical realization `c + p max(x - t, 0)` has an error that is orthogonal to 1 left of t, and
    to 1 and x right of it. Eliminating c and p leaves, on each piece, one polynomial in t with
    rational coefficients, whose real roots are isolated with certainty. With c and p optimal the
    risk is a function of t whose derivative changes sign there from - to + (local minimum), from
    + to - or not at all (saddle): the kinds are proved, too. Risks that agree to some 70 digits or
    more count as equal. All of this needs the integrals of the target only, not its continuity.
    With two neurons the infimum over a target that jumps need not be attained: the point of least
    risk in the list need not be a global minimum.

    Source: Ibragimov, Jentzen, Kroeger and Riekert (S3, arXiv 2202.11481), Theorem 2; the
    polynomial for general densities and the order of roots are our own.

    Examples
    --------
    >>> from reluscape import Interval, polynomial
    >>> for point in critical_points(Interval(polynomial([0, 0, 1]), 0, 1)):
    ...     print(f"{point.kind:14} {point.family:12} {point.risk:.6f}")
    global minimum right-active 0.001097
    local minimum  affine       0.005556
    local minimum  constant     0.088889
    """
    if not isinstance(problem, Interval):
        raise InputError(
            f"critical points are listed for an Interval, not {type(problem).__name__}; for data "
            "fit finds the best network, and classify says where a network stands."
        )
    if width == 1:
        return one_neuron_points(problem)
    if width == 2:
        from reluscape.landscape.two_neurons import two_neuron_points

        return two_neuron_points(problem)
    raise InputError(
        f"width is {width!r}; critical points are listed for 1 (all of them) and 2 (a search). For "
        "affine targets, affine_landscape knows those of any width."
    )
