"""All critical points of one neuron on an interval, from the conditions of optimality, exactly.

Let N = c + p (x - t)_+ with a kink t inside (a, b), rho the density. The error is orthogonal to 1
on [a, t], and to 1 and x - t on [t, b]. With

    M0, F0 = integrals of rho, f rho over [a, t]
    Rk, mk = integrals of (x - t)^k rho, (x - t)^k f rho over [t, b]

these read c M0 = F0, c R0 + p R1 = m0, c R1 + p R2 = m1. Without p and c:

    Q(t) = F0 (R0 R2 - R1^2) - M0 (m0 R2 - m1 R1) = 0,    p ~ P(t) = m1 R0 - m0 R1.

For constant densities Q is l^2 / 12 times the Q of the literature. Where p = 0 the network is
constant. The risk after the best c and p for a given t has the derivative -2 p Q / D with
D = M R2 - R1^2 > 0 and p = (M m1 - R1 F) / D, totals M and F: the kink is a local minimum if
p Q goes from positive to negative, and a saddle if not, for multiple roots of Q too.

Q is a polynomial on each piece. Its real roots are isolated by Sturm's chains in rationals; as a
second opinion ``scan`` evaluates Q on a dense grid, in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm

import numpy as np

from oracles import interval_exact
from records import ONE, Pieces, Plain, Polynomial, add, times, value

Q = Fraction
FINE = Fraction(1, 2**110)
GRID = 2048


# ------------------------------------------------------------------------------------ polynomials


def trim(p: Polynomial) -> Polynomial:
    while p and p[-1] == 0:
        p = p[:-1]
    return p


def primitive(p: Polynomial) -> Polynomial:
    """Give the polynomial with whole coefficients and the same signs."""
    p = trim(p)
    if not p:
        return p
    bottom = lcm(*(t.denominator for t in p))
    whole = [t.numerator * (bottom // t.denominator) for t in p]
    top = gcd(*whole)
    return tuple(Q(t // top) for t in whole)


def divide(p: Polynomial, q: Polynomial) -> tuple[Polynomial, Polynomial]:
    """Quotient and remainder."""
    p, q = trim(p), trim(q)
    rest, quotient = list(p), [Q(0)] * max(len(p) - len(q) + 1, 0)
    for i in reversed(range(len(quotient))):
        quotient[i] = rest[i + len(q) - 1] / q[-1]
        for j, t in enumerate(q):
            rest[i + j] -= quotient[i] * t
    return tuple(quotient), trim(tuple(rest[: len(q) - 1]))


def common(p: Polynomial, q: Polynomial) -> Polynomial:
    """Greatest common divisor."""
    p, q = primitive(p), primitive(q)
    while q:
        p, q = q, primitive(divide(p, q)[1])
    return p


def derivative(p: Polynomial) -> Polynomial:
    return tuple(i * t for i, t in enumerate(p))[1:]


def square_free(p: Polynomial) -> Polynomial:
    return primitive(divide(p, common(p, derivative(p)))[0])


def sturm(p: Polynomial) -> list[Polynomial]:
    chain = [primitive(p), primitive(derivative(p))]
    while chain[-1]:
        chain.append(tuple(-t for t in primitive(divide(chain[-2], chain[-1])[1])))
    return chain[:-1]


def changes(chain: list[Polynomial], x: Fraction) -> int:
    signs = [t > 0 for t in (value(p, x) for p in chain) if t != 0]
    return sum(s != t for s, t in pairwise(signs))


def sign(t: Fraction) -> int:
    return (t > 0) - (t < 0)


def roots(p: Polynomial, left: Fraction, right: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Isolate the roots of a square-free polynomial in (left, right]: brackets (low, high]."""
    if len(trim(p)) < 2:
        return []
    chain = sturm(p)
    waiting, found = [(left, right, changes(chain, left), changes(chain, right))], []
    while waiting:
        low, high, before, after = waiting.pop()
        if before - after == 1:
            found.append((low, high))
        elif before > after:
            middle = (low + high) / 2
            between = changes(chain, middle)
            waiting += [(low, middle, before, between), (middle, high, between, after)]
    return sorted(found)


def refine(p: Polynomial, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    """Shrink the bracket (low, high] of a simple root; low = high where it is met exactly."""
    if value(p, high) == 0:
        return high, high
    rising = value(p, high) > 0
    while high - low > FINE:
        middle = (low + high) / 2
        at = value(p, middle)
        if at == 0:
            return middle, middle
        low, high = (low, middle) if (at > 0) == rising else (middle, high)
    return low, high


# ------------------------------------------------------------------------------ the polynomials Q


@dataclass(frozen=True)
class Part:
    """One piece of the interval, with the polynomials of a right-active kink on it."""

    left: Fraction
    right: Fraction
    q: Polynomial
    p: Polynomial  # zero where the kink is none
    best: Polynomial  # has the sign of the best slope for a given t
    raw: Polynomial  # Q before division by its zeros at a and b: linear in the target


@dataclass(frozen=True)
class Ends:
    """Integrals over the whole interval."""

    mass: Fraction
    first: Fraction
    second: Fraction
    f: Fraction
    xf: Fraction


def _antiderivative(p: Polynomial) -> Polynomial:
    return (Q(0), *(t / (i + 1) for i, t in enumerate(p)))


def _powers(p: Polynomial, k: int) -> Polynomial:
    return (Q(0),) * k + tuple(p)


def _less(p: Polynomial, q: Polynomial) -> Polynomial:
    return add(p, tuple(-t for t in q))


def cells(f: Pieces, a: Fraction, b: Fraction, density: Pieces) -> list[tuple[Fraction, Fraction]]:
    inner = {t for t in (*f.breaks, *density.breaks) if a < t < b}
    return list(pairwise(sorted({a, b, *inner})))


def _integrands(f: Pieces, density: Pieces, middle: Fraction) -> list[Polynomial]:
    rho = density.piece(middle)
    fr = times(f.piece(middle), rho)
    return [rho, _powers(rho, 1), _powers(rho, 2), fr, _powers(fr, 1)]


def totals(f: Pieces, a: Fraction, b: Fraction, density: Pieces = ONE) -> Ends:
    sums = [Q(0)] * 5
    for left, right in cells(f, a, b, density):
        for i, integrand in enumerate(_integrands(f, density, (left + right) / 2)):
            anti = _antiderivative(integrand)
            sums[i] += value(anti, right) - value(anti, left)
    return Ends(*sums)


def parts(f: Pieces, a: Fraction, b: Fraction, density: Pieces = ONE) -> Iterator[Part]:
    """Q and P of right-active kinks, piece by piece."""
    whole = totals(f, a, b, density)
    sums = [whole.mass, whole.first, whole.second, whole.f, whole.xf]
    done = [Q(0)] * 5
    x: Polynomial = (Q(0), Q(1))
    for left, right in cells(f, a, b, density):
        before: list[Polynomial] = []
        for i, integrand in enumerate(_integrands(f, density, (left + right) / 2)):
            anti = _antiderivative(integrand)
            before.append(add((done[i] - value(anti, left),), anti))
            done[i] = value(before[i], right)
        after = [_less((s,), p) for s, p in zip(sums, before, strict=True)]
        m0f, f0 = before[0], before[3]
        r0, m0 = after[0], after[3]
        r1 = _less(after[1], times(x, after[0]))
        r2 = add(
            _less(after[2], times((Q(0), Q(2)), after[1])), times((Q(0), Q(0), Q(1)), after[0])
        )
        m1 = _less(after[4], times(x, after[3]))
        q = _less(
            times(f0, _less(times(r0, r2), times(r1, r1))),
            times(m0f, _less(times(m0, r2), times(m1, r1))),
        )
        p = _less(times(m1, r0), times(m0, r1))
        best = _less(times((whole.mass,), m1), times((whole.f,), r1))
        raw = q
        # Q vanishes at both ends whatever the target; dividing by x - a and b - x keeps signs
        for line in ((-a, Q(1)), (b, Q(-1))):
            q, p, best = (_without(t, line) for t in (q, p, best))
        yield Part(left, right, q, p, best, raw)


def _without(p: Polynomial, line: Polynomial) -> Polynomial:
    """Divide by a linear factor as often as possible."""
    p = trim(p)
    while p and value(p, -line[0] / line[1]) == 0:
        p = divide(p, line)[0]
    return p


# ------------------------------------------------------------------------------- critical points


@dataclass(frozen=True)
class Point:
    """A critical point of one neuron; ``low`` and ``high`` bracket the kink."""

    family: str
    low: Fraction | None
    high: Fraction | None
    risk: Fraction  # within 1e-30
    minimum: bool  # local minimum, else saddle
    simple: bool = True  # a simple root of Q inside a piece: the Hessian decides


def kinks(f: Pieces, a: Fraction, b: Fraction, density: Pieces = ONE) -> list[Point]:
    """Right-active kinks inside (a, b)."""
    found = []
    pieces = list(parts(f, a, b, density))
    for i, part in enumerate(pieces):
        if not part.q:
            continue  # the network is constant there (P = 0 with Q)
        free = square_free(part.q)
        flat = common(free, part.p)
        true = divide(free, flat)[0] if len(flat) > 1 else free
        for low, high in roots(primitive(true), part.left, part.right):
            low, high = refine(true, low, high)
            if high >= b:
                continue
            after = pieces[i + 1] if high == part.right else part
            if low == high:
                left, right = _sign(part, low - 4 * FINE), _sign(after, low + 4 * FINE)
            else:
                left, right = _sign(part, low), _sign(part, high)
            found.append(
                Point(
                    "right-active",
                    low,
                    high,
                    best_kink(f, a, b, density, (low + high) / 2)[2],
                    left > 0 > right,
                    _once(part.q, low, high) and _once(after.q, low, high),
                )
            )
    return found


def _sign(part: Part, t: Fraction) -> int:
    return sign(value(part.best, t)) * sign(value(part.q, t))


def _once(q: Polynomial, low: Fraction, high: Fraction) -> bool:
    """Whether the derivative of q does not vanish in the bracket, where q does."""
    shared = common(q, derivative(q))
    if len(shared) < 2:
        return True
    if low == high:
        return value(shared, low) != 0
    return not roots(square_free(shared), low, high)


def best_kink(
    f: Pieces, a: Fraction, b: Fraction, density: Pieces, t: Fraction
) -> tuple[Fraction, Fraction, Fraction]:
    """Offset c, slope p and risk of the critical network with a right-active kink at t."""
    left, right = totals(f, a, t, density), totals(f, t, b, density)
    c = left.f / left.mass
    r1, m1 = right.first - t * right.mass, right.xf - t * right.f
    r2 = right.second - 2 * t * right.first + t * t * right.mass
    p = (m1 * right.mass - right.f * r1) / (right.mass * r2 - r1 * r1)
    return c, p, network_risk(f, a, b, density, Plain((1,), (-t,), (p,), c))


def network_risk(f: Pieces, a: Fraction, b: Fraction, density: Pieces, net: Plain) -> Fraction:
    return interval_exact(net, f, a, b, density=density).risk


def mirrored(f: Pieces, a: Fraction, b: Fraction) -> Pieces:
    """Give x -> f(a + b - x)."""
    rows = []
    for row in f.coefficients:
        p: Polynomial = ()
        for t in reversed(row):
            p = add(times(p, (a + b, Q(-1))) if p else (), (t,))
        rows.append(p)
    return Pieces(tuple(a + b - t for t in reversed(f.breaks)), tuple(reversed(rows)))


def critical_points(f: Pieces, a: Fraction, b: Fraction, density: Pieces = ONE) -> list[Point]:
    """All of them: constant, affine unless it is constant, kinks of both orientations."""
    whole = totals(f, a, b, density)
    mean = whole.f / whole.mass
    spread = whole.second * whole.mass - whole.first**2
    slope = (whole.xf * whole.mass - whole.first * whole.f) / spread
    found = [
        Point("constant", None, None, network_risk(f, a, b, density, Plain((), (), (), mean)), True)
    ]
    if slope:
        level = mean - slope * whole.first / whole.mass
        net = Plain((Q(1),), (-a,), (slope,), level + slope * a)
        found.append(Point("affine", None, None, network_risk(f, a, b, density, net), True))
    found += kinks(f, a, b, density)
    rho = density if density is ONE else mirrored(density, a, b)
    for one in kinks(mirrored(f, a, b), a, b, rho):
        found.append(replace(one, family="left-active", low=a + b - one.high, high=a + b - one.low))
    return found


# --------------------------------------------------------------------------------- second opinion


def scan(
    f: Pieces, a: Fraction, b: Fraction, density: Pieces = ONE, points: int = GRID
) -> list[tuple[Fraction, Fraction]]:
    """Brackets of all sign changes of Q for right-active kinks on a dense grid, without rounding.

    Roots that the grid meets are brackets of length 0. Where Q vanishes with P, the network is
    constant: such roots, and pieces, are left out.
    """
    brackets: set[tuple[Fraction, Fraction]] = set()
    for part in parts(f, a, b, density):
        if not part.q:
            continue
        q, flat = part.q, common(part.q, part.p)
        while len(flat) > 1:
            q = divide(q, flat)[0]
            flat = common(q, flat)
        step = (part.right - part.left) / points
        # whole coefficients in i, where t = left + i step
        p: Polynomial = ()
        for t in reversed(q):
            p = add(times(p, (part.left, step)) if p else (), (t,))
        at, total = np.arange(points + 1).astype(object), np.zeros(points + 1, dtype=object)
        for t in reversed(primitive(p)):
            total = total * at + int(t)
        xs = [part.left + i * step for i in range(points + 1)]
        signs = [sign(t) for t in total]
        brackets |= {(t, t) for t, s in zip(xs, signs, strict=True) if s == 0 and a < t < b}
        both = pairwise(zip(xs, signs, strict=True))
        brackets |= {(s, t) for (s, m), (t, n) in both if m * n < 0}
    return sorted(brackets)
