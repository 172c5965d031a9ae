"""Solved problems: targets and networks whose risks, gradients and curvatures are known.

Every number comes from the literature's closed forms (the comments name the paper, or the
formula); where the form is a root or a square root the float nearest to it is used.

============  ==================================================================================
collection    what
============  ==================================================================================
``CRITICAL``  networks on intervals at which the gradient vanishes, with their exact risk
``CURVED``    the same with Hessian eigenvalues
``SADDLES``   leaky ReLU saddles for an affine target, built from their closed form
============  ==================================================================================
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from fractions import Fraction
from math import log, sqrt

import numpy as np

from records import ONE, Array, Pieces, Plain

# --------------------------------------------------------------------------------------- targets

HALF = Fraction(1, 2)
IDENTITY = Pieces.of((0, 1), ((0, 1),))
SQUARE = Pieces.of((0, 1), ((0, 0, 1),))
CUBIC = Pieces.of((-1, 1), ((0, -1, 0, 1),))  # x^3 - x
TENT = Pieces.of((0, HALF, 1), ((HALF, -1), (-HALF, 1)))  # |x - 1/2|
STEP = Pieces.of((0, HALF, 1), ((0,), (1,)))  # 1 for x > 1/2
TILTED = Pieces.of((0, 1), ((1, 1),))  # the density 1 + x


def chebyshev_pieces(function: object, breaks: list[Fraction], degree: int) -> Pieces:
    """Interpolate a smooth function on each piece; coefficients in x itself, exactly expanded."""
    rows = []
    for left, right in itertools.pairwise(breaks):
        nodes = [
            (left + right) / 2
            + (right - left) / 2 * Fraction(float(np.cos(np.pi * (i + 0.5) / (degree + 1))))
            for i in range(degree + 1)
        ]
        values = [Fraction(float(function(float(t)))) for t in nodes]  # type: ignore[operator]
        # Newton's divided differences, then Horner outwards: all rational
        table = list(values)
        for level in range(1, degree + 1):
            for i in range(degree, level - 1, -1):
                table[i] = (table[i] - table[i - 1]) / (nodes[i] - nodes[i - level])
        row = [table[degree]]
        for i in range(degree - 1, -1, -1):
            shifted = [Fraction(0), *row]
            for j, coefficient in enumerate(row):
                shifted[j] -= nodes[i] * coefficient
            shifted[0] += table[i]
            row = shifted
        rows.append([Fraction(float(t)) for t in row])  # what a user can hand over: floats
    return Pieces.of(breaks, rows)


def family_function(x: float) -> float:
    """The S3 target 6 (1 - 3x^2) (1 - x)^(-1/2) (1 + 3x)^(-3/2) on [0, 1/2], quadratic beyond."""
    if x <= 0.5:
        return 6 * (1 - 3 * x * x) / ((1 - x) ** 0.5 * (1 + 3 * x) ** 1.5)
    y, root = x - 0.5, sqrt(5) / 25
    return root * (6 + 48 * y - 576 * y * y)


def family_target() -> Pieces:
    """Write that target as piecewise polynomials, within 1e-12 of it everywhere."""
    breaks = [Fraction(i, 128) for i in range(65)]
    near = chebyshev_pieces(family_function, breaks, 6)
    far = chebyshev_pieces(family_function, [HALF, Fraction(1)], 2)
    return Pieces(near.breaks[:-1] + far.breaks, near.coefficients + far.coefficients)


def family_network(t: float) -> Plain:
    """Give the member of the continuum of local minima with its kink at t in (0, 1/2)."""
    c = 6 * sqrt((1 - t) / (1 + 3 * t))
    p = -12 * (1 - t) ** -1.5 * (1 + 3 * t) ** -0.5
    return Plain((1.0,), (-t,), (p,), c)


FAMILY_RISK = 9 / 4 * log(5) - 1287 / 625


# ------------------------------------------------------------------------------ solved problems


@dataclass(frozen=True)
class Solved:
    """A network on [a, b] whose risk is known and at which the gradient vanishes."""

    name: str
    target: Pieces
    a: float
    b: float
    net: Plain
    risk: float
    density: Pieces = ONE
    eigenvalues: tuple[float, ...] = ()
    digits: float = 1e-14  # absolute accuracy to which ``risk`` is known
    gradient: float = 1e-13  # largest entry a double-precision network may leave


def _s2_1() -> Solved:
    net = Plain((1.0, -1.0), (-1 / 3, 2 / 3), (2 / 3, -2 / 3), 0.5)
    curvature = (-0.0266867339, -0.00568834219, 0, 0, 0.0576147824, 0.524436298, 3.21438435)
    return Solved("S2-1 saddle", IDENTITY, 0, 1, net, 1 / 972, eigenvalues=curvature)


def affine_saddle(n: int, alpha: float, beta: float, a: float, b: float) -> Plain:
    """Give the ReLU saddle of level n (even): kinks equally spaced, alternating orientation."""
    length = b - a
    kinks = [a + i * length / (n + 1) for i in range(1, n + 1)]
    signs = [1.0 if i % 2 == 1 else -1.0 for i in range(1, n + 1)]
    w = tuple(signs)
    bias = tuple(-s * t for s, t in zip(signs, kinks, strict=True))
    v = tuple(2 * alpha / (n + 1) * s for s in signs)  # v w = 2 alpha / (n + 1)
    centre = alpha * (a + b) / 2 + beta
    rough = Plain(w, bias, v, 0.0)
    return replace(rough, c=centre - float(rough(np.array([(a + b) / 2]))[0]))


def affine_level(n: int, alpha: float, a: float, b: float) -> float:
    """Risk of that saddle; n = 0 is the best constant."""
    return alpha**2 * (b - a) ** 3 / (12 * (n + 1) ** 4)


def leaky_saddle(
    n: int, family: str, g: float, alpha: float, beta: float, a: float, b: float
) -> Plain:
    """Give the leaky saddle with n kinks of family A (kink 1 right-active) or B (left-active)."""
    length = b - a
    right = [(i % 2 == 1) == (family == "A") for i in range(1, n + 1)]
    r = [sqrt(1 + g)] * (n + 1)
    r[0] = 1.0 if family == "A" else sqrt(g)
    r[n] = sqrt(g) if right[-1] else 1.0
    total = sum(r)
    h = [length * t / total for t in r]
    kinks = [a + sum(h[: i + 1]) for i in range(n)]
    sign = -1.0 if family == "A" else 1.0
    kappa = sign * alpha * length * (1 - g) / total**2
    # s_i h_i = (-1)^i kappa and jump (1-g) v w (right) or -(1-g) v w (left) between segments
    product = sign * kappa / (1 - g)
    w = tuple(1.0 if lit else -1.0 for lit in right)
    bias = tuple(-wi * t for wi, t in zip(w, kinks, strict=True))
    v = tuple(product * (1 / h[i + 1] + 1 / h[i]) * w[i] for i in range(n))
    rough = Plain(w, bias, v, 0.0, slope=g)
    points = np.array([a, *kinks, b])
    values = rough(points)
    mean = float(np.sum(np.diff(points) * (values[1:] + values[:-1]) / 2) / length)
    return replace(rough, c=alpha * (a + b) / 2 + beta - mean)


def leaky_level(n: int, family: str, g: float, alpha: float, a: float, b: float) -> float:
    """Closed form of its risk."""
    ends = 1 + sqrt(g) if n % 2 == 1 else 2.0 if family == "A" else 2 * sqrt(g)
    total = (n - 1) * sqrt(1 + g) + ends
    return alpha**2 * (b - a) ** 3 * (1 - g) ** 2 / (12 * total**4)


# (n, family, g, the published eight digits)
LEAKY_TABLE = (
    (1, "A", 0.1, 0.0224894886),
    (1, "B", 0.1, 0.0224894886),
    (2, "A", 0.1, 0.0007812373),
    (2, "B", 0.1, 0.0084481132),
    (3, "A", 0.1, 0.0004969679),
    (3, "B", 0.1, 0.0004969679),
    (4, "A", 0.1, 0.0000962234),
    (4, "B", 0.1, 0.0003310171),
    (1, "A", 0.5, 0.0024531043),
    (2, "A", 0.5, 0.0001926537),
    (2, "B", 0.5, 0.0004295647),
    (3, "A", 0.5, 0.0000697923),
)


def _s1_1(density: Pieces, dead: int, curvature: tuple[float, ...]) -> Solved:
    net = Plain(
        (1.0, 1.0, *[1.0] * dead),
        (1.0, -0.5, *[-2.0] * dead),
        (-1.0, 2.0, *[0.5] * dead),
        1.5,
    )
    kernel = (0.0,) * (3 * (2 + dead) - 3)
    name = f"S1-1 H={2 + dead} {'uniform' if density is ONE else '1+x'}"
    return Solved(name, TENT, 0, 1, net, 0.0, density, tuple(sorted(kernel + curvature)))


# the second is published as 0.0900173; the further digits are those of exact integration
UNIFORM_CURVATURE = (0.0207416393, 0.0900173187, 1.7584196, 13.8808215)
TILTED_CURVATURE = (0.02591061, 0.15072031, 2.32572264, 23.52889643)

S1_4 = Solved(
    "S1-4 not Morse-Bott",
    TENT,
    0,
    1,
    Plain((-1.0, 1.0), (0.5, -0.5), (1.0, 1.0), 0.0),
    0.0,
    eigenvalues=(0, 0, 0, 0.0318184393, 0.0416666667, 1.35022445, 3.40962378),
)


def heaviside_point() -> Solved:
    """Lowest critical point found for the step target and two neurons (theory 4.6)."""
    d = float(next(t.real for t in np.roots([24, 12, 6, -1]) if abs(t.imag) < 1e-12))
    p = 2 / (6 * d + 1)
    net = Plain((1.0, -1.0), (d - 0.5, 0.5 + d), (p, -p), 0.5)
    return Solved("4.6 step", STEP, 0, 1, net, 0.04506579420086, digits=1e-13)


def _kink(
    name: str, target: Pieces, t: float, c: float, p: float, risk: float, **more: object
) -> Solved:
    return Solved(name, target, more.pop("a", 0), 1, Plain((1.0,), (-t,), (p,), c), risk, **more)  # type: ignore[arg-type]


CRITICAL = (
    _s2_1(),
    *(
        Solved(
            f"S2-2 n={n}",
            Pieces.of((0, 1), ((-1, 2),)),
            0.5,
            3,
            affine_saddle(n, 2, -1, 0.5, 3),
            risk,
        )
        for n, risk in ((2, 0.0643004115226337), (4, 0.00833333333333333), (6, 0.00216923504095516))
    ),
    _kink("S3-2 kink", SQUARE, 1 / 3, 1 / 27, 4 / 3, 4 / 3645),
    Solved("S3-2 constant", SQUARE, 0, 1, Plain((1.0,), (-2.0,), (1.0,), 1 / 3), 4 / 45),
    Solved("S3-2 affine", SQUARE, 0, 1, Plain((1.0,), (0.0,), (1.0,), -1 / 6), 1 / 180),
    _kink("S3-3 right", TENT, 1 / sqrt(2), (sqrt(2) - 1) / 2, 1.0, (3 - 2 * sqrt(2)) / 12),
    Solved(
        "S3-3 left",
        TENT,
        0,
        1,
        Plain((-1.0,), (1 - 1 / sqrt(2),), (1.0,), (sqrt(2) - 1) / 2),
        (3 - 2 * sqrt(2)) / 12,
    ),
    # published to twelve digits: the kink is only that exact, hence the looser gradient
    _kink(
        "S3-4 right",
        CUBIC,
        -0.519493853295916,
        0.277355544092975,
        -0.480506146704084,
        0.0362271056400670,
        a=-1,
        gradient=1e-12,
    ),
    Solved("S3-4 constant", CUBIC, -1, 1, Plain((1.0,), (-2.0,), (1.0,), 0.0), 16 / 105),
    Solved("S3-4 affine", CUBIC, -1, 1, Plain((1.0,), (1.0,), (-0.4,), 0.4), 8 / 175),
    _s1_1(ONE, 0, UNIFORM_CURVATURE),
    _s1_1(TILTED, 0, TILTED_CURVATURE),
    S1_4,
    heaviside_point(),
    Solved("4.6 affine", STEP, 0, 1, Plain((1.0,), (0.0,), (1.5,), -0.25), 1 / 16),
    Solved("4.6 constant", STEP, 0, 1, Plain((1.0,), (-3.0,), (1.5,), 0.5), 1 / 4),
    # one kink at 1/4: the error is orthogonal to 1 on the left and to {1, x} on the right
    Solved("4.6 kink", STEP, 0, 1, Plain((1.0,), (-0.25,), (16 / 9,), 0.0), 1 / 18),
)

CURVED = (
    _s2_1(),
    *(_s1_1(ONE, dead, UNIFORM_CURVATURE) for dead in (0, 1, 3)),
    *(_s1_1(TILTED, dead, TILTED_CURVATURE) for dead in (0, 2)),
    S1_4,
)


# x^2 on [a, b] with a skip connection: (b-a)^5 / (180 (d+1)^4), kinks equally spaced
def square_best(d: int, a: float, b: float) -> tuple[float, Array]:
    """Least risk of d neurons and the kinks that reach it."""
    return (b - a) ** 5 / (180 * (d + 1) ** 4), a + (b - a) * np.arange(1, d + 1) / (d + 1)
