"""The classification of all critical points for an affine target, written down exactly.

Nothing here imports the package. A network is a list of neurons (w, b, v) and an offset c, all
rationals; the target is alpha x + beta on [a, b], the measure Lebesgue's. Square roots, which only
the leaky case needs, are rationals too: exact where they can be, else within 1e-60.

====================  ==========================================================================
judge                 how
====================  ==========================================================================
``verdict``           the theorem of Cheridito, Jentzen and Rossmannek, ReLU and leaky ReLU
``quadratic_verdict``  the same for the activation y^2
``affine_risk``       the error is a straight line between neighbouring nodes: three terms each
``affine_gradient``   polynomials integrated piece by piece (``oracles.interval_exact``)
``survives``          random perturbations of several sizes, none of which may lower the risk
====================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import isqrt

import numpy as np

from oracles import interval_exact
from records import Array, Pieces, Plain

Q = Fraction
Neuron = tuple[Fraction, Fraction, Fraction]  # w, b, v

ZERO = Q(0)
GLOBAL, LOCAL, SADDLE, NOT = "global minimum", "local minimum", "saddle", "not critical"
ROOT_PLACES = 60
TOLERANCE = Fraction(1, 10**40)  # for slopes without rational roots; else comparisons are exact


@dataclass(frozen=True)
class Line:
    """The target alpha x + beta on [a, b]."""

    alpha: Fraction
    beta: Fraction
    a: Fraction
    b: Fraction

    @property
    def length(self) -> Fraction:
        return self.b - self.a

    @property
    def centre(self) -> Fraction:
        """Value of the best constant."""
        return self.alpha * (self.a + self.b) / 2 + self.beta

    def __call__(self, x: Fraction) -> Fraction:
        return self.alpha * x + self.beta

    def pieces(self) -> Pieces:
        return Pieces.of((self.a, self.b), ((self.beta, self.alpha),))


def act(z: Fraction, slope: Fraction) -> Fraction:
    """Evaluate max(z, slope z)."""
    return z if z > 0 else slope * z


def realize(neurons: Sequence[Neuron], c: Fraction, x: Fraction, slope: Fraction) -> Fraction:
    """Evaluate the network."""
    return c + sum((v * act(w * x + b, slope) for w, b, v in neurons), ZERO)


def state(w: Fraction, b: Fraction, line: Line) -> str:
    """Name the type of a neuron; ``left`` and ``right`` are the ends of semi-inactive ones."""
    if w == 0:
        return "degenerate" if b == 0 else "semi-active" if b > 0 else "inactive"
    low, high = w * line.a + b, w * line.b + b
    if low >= 0 and high >= 0:
        return "type-1"
    if low < 0 and high < 0:
        return "inactive"
    if low == 0:
        return "left"
    return "right" if high == 0 else "type-2"


def nodes(line: Line, neurons: Sequence[Neuron]) -> list[Fraction]:
    """Both ends and every breakpoint between them."""
    kinks = {-b / w for w, b, _ in neurons if w != 0}
    return sorted({line.a, line.b, *(t for t in kinks if line.a < t < line.b)})


def affine_errors(
    line: Line, neurons: Sequence[Neuron], c: Fraction, slope: Fraction = ZERO
) -> list[tuple[Fraction, Fraction]]:
    """Nodes and the error N - f there; between them the error is a straight line."""
    return [(x, realize(neurons, c, x, slope) - line(x)) for x in nodes(line, neurons)]


def affine_risk(
    line: Line, neurons: Sequence[Neuron], c: Fraction, slope: Fraction = ZERO
) -> Fraction:
    """Integrate the squared error."""
    corners = affine_errors(line, neurons, c, slope)
    return sum(
        ((t - s) * (p * p + p * q + q * q) / 3 for (s, p), (t, q) in pairwise(corners)), ZERO
    )


def plain(neurons: Sequence[Neuron], c: Fraction, slope: Fraction = ZERO) -> Plain:
    """Give the same network as a record; its numbers stay rational."""
    w, b, v = (tuple(column) for column in zip(*neurons, strict=True)) if neurons else ((), (), ())
    return Plain(w, b, v, c, None, slope)  # type: ignore[arg-type]


def affine_gradient(
    line: Line,
    neurons: Sequence[Neuron],
    c: Fraction,
    slope: Fraction = ZERO,
    at_zero: str = "ge",
) -> tuple[Fraction, ...]:
    """Generalized gradient in the order (w, b, v, c)."""
    net = plain(neurons, c, slope)
    return interval_exact(net, line.pieces(), line.a, line.b, at_zero=at_zero).gradient


# ----------------------------------------------------------------------------- the theorem, ReLU


def relu_kinks(line: Line, n: int) -> list[Fraction]:
    """Where the breakpoints of a saddle of level n are."""
    return [line.a + i * line.length / (n + 1) for i in range(1, n + 1)]


def verdict(
    line: Line,
    neurons: Sequence[Neuron],
    c: Fraction,
    slope: Fraction = ZERO,
    at_zero: str = "ge",
    tolerance: Fraction | int = 0,
) -> str:
    """Decide what the network is; with ``at_zero="gt"`` saddles have no derivative sometimes.

    A neuron with w = b = 0 and v != 0 has no generalized gradient under "gt" although the risk
    falls at a positive rate along some ray from there: called a saddle.
    """
    if all(abs(e) <= tolerance for _, e in affine_errors(line, neurons, c, slope)):
        return GLOBAL
    if line.alpha == 0:
        return NOT  # <G, (0, 0, v, c - beta)> = 2 L
    if slope:
        return _leaky(line, neurons, c, slope, tolerance)
    return _relu(line, neurons, c, at_zero)


def _relu(line: Line, neurons: Sequence[Neuron], c: Fraction, at_zero: str) -> str:
    middle = (line.a + line.b) / 2
    if realize(neurons, c, middle, ZERO) != line(middle):
        return NOT
    kinds = [state(w, b, line) for w, b, _ in neurons]
    one_sided = False
    for kind, (_, _, v) in zip(kinds, neurons, strict=True):
        if kind == "type-1" or (kind == "semi-active" and v != 0):
            return NOT
        if kind == "degenerate" and v != 0:
            if at_zero == "ge":
                return NOT
            one_sided = True
    moving = [neuron for kind, neuron in zip(kinds, neurons, strict=True) if kind == "type-2"]
    if moving:
        return SADDLE if _is_level(line, moving) else NOT
    return SADDLE if one_sided or _can_wake(line, neurons, kinds) else LOCAL


def _is_level(line: Line, moving: Sequence[Neuron]) -> bool:
    sums: dict[Fraction, Fraction] = {}
    for w, b, v in moving:
        sums[-b / w] = sums.get(-b / w, ZERO) + v * w
    n = len(sums)
    kinks = relu_kinks(line, n)
    if n % 2 or sorted(sums) != kinks:
        return False
    if any(total != 2 * line.alpha / (n + 1) for total in sums.values()):
        return False
    # breakpoints 1, 3, .. look to the right, 2, 4, .. to the left
    return all((w > 0) == (kinks.index(-b / w) % 2 == 0) for w, b, _ in moving)


def _can_wake(line: Line, neurons: Sequence[Neuron], kinds: Sequence[str]) -> bool:
    for kind, (_, _, v) in zip(kinds, neurons, strict=True):
        if kind in ("semi-active", "degenerate"):
            return True
        if kind == "left" and line.alpha * v <= 0:
            return True
        if kind == "right" and line.alpha * v >= 0:
            return True
    return False


def relu_level(line: Line, n: int) -> Fraction:
    """Risk of the critical points with n breakpoints."""
    return line.alpha**2 * line.length**3 / (12 * (n + 1) ** 4)


# ---------------------------------------------------------------------------- the theorem, leaky


def root(x: Fraction) -> Fraction:
    """Square root: exact if it is rational, else within 1e-60."""
    top, bottom = isqrt(x.numerator), isqrt(x.denominator)
    if top * top == x.numerator and bottom * bottom == x.denominator:
        return Q(top, bottom)
    scale = 10**ROOT_PLACES
    return Q(isqrt(x.numerator * scale * scale // x.denominator), scale)


@dataclass(frozen=True)
class LeakyShape:
    """What all leaky saddles with n breakpoints of one family share."""

    kinks: list[Fraction]
    rightward: list[bool]
    sums: list[Fraction]
    offset: Fraction  # value of the network at the left end
    level: Fraction


def leaky_shape(line: Line, n: int, family: str, g: Fraction) -> LeakyShape:
    """Breakpoints, orientations, sums of v w, and the risk."""
    rightward = [(i % 2 == 1) == (family == "A") for i in range(1, n + 1)]
    r = [root(1 + g)] * (n + 1)
    r[0] = Q(1) if family == "A" else root(g)
    r[n] = root(g) if rightward[-1] else Q(1)
    total = sum(r, ZERO)
    h = [line.length * t / total for t in r]
    kinks = [line.a + sum(h[: i + 1], ZERO) for i in range(n)]
    sign = -1 if family == "A" else 1
    kappa = sign * line.alpha * line.length * (1 - g) / total**2
    sums = [sign * kappa / (1 - g) * (1 / h[i + 1] + 1 / h[i]) for i in range(n)]
    # on the first segment the error rises by kappa and has mean 0
    offset = line(line.a) - kappa / 2
    level = line.alpha**2 * line.length**3 * (1 - g) ** 2 / (12 * total**4)
    return LeakyShape(kinks, rightward, sums, offset, level)


def _leaky(
    line: Line, neurons: Sequence[Neuron], c: Fraction, g: Fraction, tolerance: Fraction | int
) -> str:
    moving = []
    for w, b, v in neurons:
        if w == 0 and v == 0:
            continue
        if state(w, b, line) != "type-2":
            return NOT
        moving.append((w, b, v))
    if not moving:
        return SADDLE if abs(c - line.centre) <= tolerance else NOT
    for n in range(1, len(moving) + 1):
        for family in "AB":
            shape = leaky_shape(line, n, family, g)
            if _has_shape(line, moving, c, g, shape, tolerance):
                return SADDLE
    return NOT


def _has_shape(
    line: Line,
    moving: Sequence[Neuron],
    c: Fraction,
    g: Fraction,
    shape: LeakyShape,
    tolerance: Fraction | int,
) -> bool:
    sums = [ZERO] * len(shape.kinks)
    seen = set()
    for w, b, v in moving:
        gaps = [abs(-b / w - q) for q in shape.kinks]
        i = gaps.index(min(gaps))
        if gaps[i] > tolerance or (w > 0) != shape.rightward[i]:
            return False
        seen.add(i)
        sums[i] += v * w
    close = all(abs(p - q) <= tolerance for p, q in zip(sums, shape.sums, strict=True))
    start = realize(moving, c, line.a, g) - shape.offset
    return close and len(seen) == len(shape.kinks) and abs(start) <= tolerance


# --------------------------------------------------------------------- the theorem, activation y^2


def quadratic_errors(
    line: Line, neurons: Sequence[Neuron], c: Fraction
) -> tuple[Fraction, Fraction, Fraction]:
    """Coefficients of the error: 1, x, x^2."""
    e0 = c + sum((v * b * b for _, b, v in neurons), ZERO) - line.beta
    e1 = sum((2 * v * w * b for w, b, v in neurons), ZERO) - line.alpha
    return e0, e1, sum((v * w * w for w, _, v in neurons), ZERO)


def quadratic_verdict(line: Line, neurons: Sequence[Neuron], c: Fraction) -> str:
    """Decide what a network of activation y^2 is."""
    e0, e1, e2 = quadratic_errors(line, neurons, c)
    if (e0, e1, e2) == (0, 0, 0):
        return GLOBAL
    constant = e2 == 0 and e1 == -line.alpha and e0 + line.beta == line.centre
    middle = (line.a + line.b) / 2
    fits = all(
        (w == 0 or b == -w * middle) if v == 0 else (w == 0 and b == 0) for w, b, v in neurons
    )
    return SADDLE if line.alpha != 0 and constant and fits else NOT


def quadratic_gradient(line: Line, neurons: Sequence[Neuron], c: Fraction) -> list[Fraction]:
    """Gradient for the activation y^2, in the order (w, b, v, c)."""
    e = quadratic_errors(line, neurons, c)

    def moment(k: int) -> Fraction:
        return sum(
            (t * (line.b ** (i + k + 1) - line.a ** (i + k + 1)) / (i + k + 1))
            for i, t in enumerate(e)
        )

    m0, m1, m2 = moment(0), moment(1), moment(2)
    gw = [4 * v * (w * m2 + b * m1) for w, b, v in neurons]
    gb = [4 * v * (w * m1 + b * m0) for w, b, v in neurons]
    gv = [2 * (w * w * m2 + 2 * w * b * m1 + b * b * m0) for w, b, v in neurons]
    return [*gw, *gb, *gv, 2 * m0]


# ---------------------------------------------------------------------------- random perturbations


def affine_risks(line: Line, theta: Array, slope: float = 0.0) -> Array:
    """Risks of many networks at once: theta has a row (w, b, v, c) for each."""
    width = (theta.shape[1] - 1) // 3
    w, b, v = (theta[:, i * width : (i + 1) * width] for i in range(3))
    a, end = float(line.a), float(line.b)
    with np.errstate(divide="ignore", invalid="ignore"):
        kinks = np.where(w != 0, -b / np.where(w != 0, w, 1.0), a)
    ends = np.tile([a, end], (len(theta), 1))
    x = np.sort(np.hstack([ends, np.clip(kinks, a, end)]), axis=1)
    e = theta[:, -1:] - float(line.alpha) * x - float(line.beta)
    for j in range(width):
        z = w[:, j : j + 1] * x + b[:, j : j + 1]
        e = e + v[:, j : j + 1] * np.where(z > 0, z, slope * z)
    p, q = e[:, :-1], e[:, 1:]
    return np.sum(np.diff(x, axis=1) * (p * p + p * q + q * q), axis=1) / 3


def room(line: Line, net: Plain) -> Array:
    """How far each parameter of a dead network may move before its type or sign may change."""
    reach = 1 + max(abs(float(line.a)), abs(float(line.b)))
    inner, outer = [], []
    for w, b, v in zip(net.w, net.b, net.v, strict=True):
        # of the two ends at least one is strictly on the inactive side
        depth = max(abs(w * float(line.a) + b), abs(w * float(line.b) + b))
        near = min(abs(w * float(line.a) + b), abs(w * float(line.b) + b))
        inner.append((near or depth) / (4 * reach))
        outer.append(abs(v) / 4 or 1.0)
    return np.array([*inner, *inner, *outer, abs(float(line.alpha * line.length)) / 8])


def survives(line: Line, net: Plain, rng: np.random.Generator, count: int = 1000) -> bool:
    """Whether none of many perturbations lowers the risk by more than rounding."""
    theta = net.theta()
    sizes = 10.0 ** rng.uniform(-6, 0, (count, 1))
    moves = rng.uniform(-1, 1, (count, len(theta)))
    moves *= rng.random(moves.shape) < rng.uniform(0.1, 1, (count, 1))  # some move few at a time
    risks = affine_risks(line, np.vstack([theta, theta + sizes * moves * room(line, net)]))
    return bool(np.min(risks[1:]) >= risks[0] * (1 - 1e-13))
