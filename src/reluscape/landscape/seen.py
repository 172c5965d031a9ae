"""What the risk on an interval sees of its target: exact pieces, and how they meet.

Where the density is zero on a whole piece the target does not count: there is a gap, which any
function may cross as it likes. Everything is rational; what rounding of the coefficients and of the
borders to doubles explains is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from flint import fmpq, fmpq_poly

from reluscape.problems.interval import Interval

# Differences of two pieces that this many units in the last place of their terms explain are
# rounding: one for a coefficient, one for the border, and a few for the arithmetic of who wrote
# them down, such as `piecewise_linear`.
ROUNDING = fmpq(16, 1 << 52)


@dataclass(frozen=True, eq=False)
class Piece:
    """A polynomial target on an interval whose density is not zero but at single points.

    Attributes
    ----------
    left, right : fmpq
    target : fmpq_poly
        In x itself.
    """

    left: fmpq
    right: fmpq
    target: fmpq_poly


@dataclass(frozen=True, eq=False)
class Joint:
    """Where a broken line jumps or bends.

    Attributes
    ----------
    at : fmpq
    jump : fmpq
        The value on the right less that on the left; exactly 0 where rounding explains it.
    before, after : fmpq
        The slopes on the left and on the right.
    """

    at: fmpq
    jump: fmpq
    before: fmpq
    after: fmpq

    @property
    def bend(self) -> fmpq:
        """The change of slope."""
        return self.after - self.before


@dataclass(frozen=True, eq=False)
class BrokenLine:
    """A piecewise affine function on an interval, continuous or not.

    Attributes
    ----------
    left, right : fmpq
        The ends.
    value, slope : fmpq
        At the left end.
    joints : tuple of Joint
        From left to right, strictly inside.
    """

    left: fmpq
    right: fmpq
    value: fmpq
    slope: fmpq
    joints: tuple[Joint, ...]

    @property
    def knots(self) -> int:
        """Bends of a network that comes as close as one likes: one a kink, two a jump."""
        return sum(2 if joint.jump else 1 for joint in self.joints)

    @property
    def jumps(self) -> tuple[Joint, ...]:
        """The joints where it is not continuous."""
        return tuple(joint for joint in self.joints if joint.jump)


def exactly(value: float | Fraction) -> fmpq:
    """Return a number as the rational that it is.

    Examples
    --------
    >>> exactly(0.75)
    3/4
    """
    return fmpq(*value.as_integer_ratio())


def rounded(value: fmpq) -> float:
    """Return the nearest float."""
    return int(value.p) / int(value.q)


def seen_pieces(problem: Interval) -> list[Piece]:
    """Return the pieces of the target that count, joined where they are the same polynomial.

    Parameters
    ----------
    problem : Interval

    Returns
    -------
    list of Piece
        From left to right; between two that do not touch the density is zero.

    Examples
    --------
    >>> from reluscape import expression
    >>> [str(p.target) for p in seen_pieces(Interval(expression("abs(x)"), -1, 1))]
    ['(-1)*x', 'x']
    """
    parts = problem.pieces
    found: list[Piece] = []
    for (low, high), f, p in zip(pairwise(parts.cuts), parts.target, parts.density, strict=True):
        if not any(p):
            continue
        left, right = exactly(low), exactly(high)
        target = fmpq_poly([exactly(c) for c in f])
        if found and found[-1].right == left and agree(found[-1].target, target, left):
            found[-1] = Piece(found[-1].left, right, found[-1].target)
        else:
            found.append(Piece(left, right, target))
    return found


def agree(one: fmpq_poly, other: fmpq_poly, at: fmpq) -> bool:
    """Whether two polynomials near a point are the same, but for rounding.

    Examples
    --------
    >>> agree(fmpq_poly([0, 1]), fmpq_poly([0, 1 + fmpq(1, 10**17)]), fmpq(1))
    True
    >>> agree(fmpq_poly([0, 1]), fmpq_poly([0, 1, 1]), fmpq(0))
    False
    """
    difference, allowed = _compared(one, other, at)
    degree = max(one.degree(), other.degree())
    return all(abs(difference[k]) <= allowed[k] for k in range(degree + 1))


def jump_at(one: fmpq_poly, other: fmpq_poly, at: fmpq) -> fmpq:
    """Return how far the second polynomial is above the first at a point, 0 if by rounding."""
    difference, allowed = _compared(one, other, at)
    return fmpq(0) if abs(difference[0]) <= allowed[0] else difference[0]


def first_jump(pieces: list[Piece]) -> fmpq | None:
    """Return where the target jumps first, None if it is continuous where it counts."""
    for before, after in pairwise(pieces):
        if before.right == after.left and jump_at(before.target, after.target, after.left):
            return after.left
    return None


def one_polynomial(pieces: list[Piece]) -> fmpq_poly | None:
    """Return the polynomial that all pieces are, None if there is none."""
    first = pieces[0].target
    if all(agree(first, piece.target, piece.left) for piece in pieces[1:]):
        return first
    return None


def broken_line(pieces: list[Piece]) -> BrokenLine | None:
    """Return a piecewise affine target with its gaps crossed, None if it is not piecewise affine.

    Gaps are crossed with as few bends as there can be, and without jumps.

    Examples
    --------
    >>> from reluscape import step
    >>> line = broken_line(seen_pieces(Interval(step(0.5), 0, 1)))
    >>> line.joints[0].at, line.joints[0].jump, line.knots
    (1/2, 1, 2)
    """
    if any(piece.target.degree() > 1 for piece in pieces):
        return None
    joints: list[Joint] = []
    for before, after in pairwise(pieces):
        f, g = before.target, after.target
        if agree(f, g, after.left):
            continue
        if before.right == after.left:
            joints.append(Joint(after.left, jump_at(f, g, after.left), f[1], g[1]))
        else:
            joints += _crossing(before, after)
    first = pieces[0]
    return BrokenLine(
        first.left, pieces[-1].right, first.target(first.left), first.target[1], tuple(joints)
    )


def _crossing(before: Piece, after: Piece) -> list[Joint]:
    """Return the kinks that lead from one line to another over the gap between them."""
    f, g = before.target, after.target
    low, high = before.right, after.left
    at_low, at_high = f(low) - g(low), f(high) - g(high)
    if at_low * at_high <= 0:
        # They meet in the gap. They are not the same line, so that their slopes differ.
        at = low + (high - low) * at_low / (at_low - at_high)
        return [Joint(at, fmpq(0), f[1], g[1])]
    slope = (g(high) - f(low)) / (high - low)
    return [Joint(low, fmpq(0), f[1], slope), Joint(high, fmpq(0), slope, g[1])]


def _compared(one: fmpq_poly, other: fmpq_poly, at: fmpq) -> tuple[fmpq_poly, fmpq_poly]:
    """Return the Taylor coefficients of the difference at a point, and what rounding explains."""
    difference = (other - one)(fmpq_poly([at, 1]))
    around = fmpq_poly([abs(at), 1])
    sizes = _sizes(one)(around) + _sizes(other)(around)
    # The border is rounded too: that moves by the next coefficient.
    moved = fmpq_poly([0, 1]) * sizes.derivative()
    shifted = fmpq_poly([abs(at) * c for c in sizes.derivative().coeffs()])
    return difference, ROUNDING * (sizes + moved + shifted)


def _sizes(polynomial: fmpq_poly) -> fmpq_poly:
    return fmpq_poly([abs(c) for c in polynomial.coeffs()])
