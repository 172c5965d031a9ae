"""Exact risk and derivatives on an interval for the activation `y^2`: networks are parabolas.

A network with this activation is `q0 + q1 x + q2 x^2`, so that everything follows from a few
integrals of polynomials, which are computed in rationals and rounded once.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.network import Network
from reluscape.problems.moments import Polynomial, antiderivative, product, value

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pieces:
    """Target and density on their common pieces.

    Attributes
    ----------
    cuts : list of m + 1 floats
        Increasing, from one end of the interval to the other.
    target, density : list of m lists of floats
        Coefficients on each piece, lowest degree first, in x itself.
    """

    cuts: list[float]
    target: list[list[float]]
    density: list[list[float]]


def risk(pieces: Pieces, network: Network) -> float:
    """Return `integral (N - f)^2 p`, rounded once.

    Examples
    --------
    The parabola 2 x^2 against the target x^2 on [0, 1].

    >>> net = Network([1.0], [0.0], [2.0], activation="square")
    >>> risk(Pieces([0.0, 1.0], [[0.0, 0.0, 1.0]], [[1.0]]), net)
    0.2
    """
    total = Fraction(0)
    for left, right, e, p in _errors(pieces, network):
        total += integral(product(product(e, e), p), left, right)
    return float(_rounded([total])[0])


def gradient(pieces: Pieces, network: Network) -> Floats:
    """Return the gradient in the order of `Network.to_vector`, each entry rounded once."""
    e = _error_moments(pieces, network)
    w, b, v = _neurons(network)
    by_w = [4 * t * (s * e[2] + r * e[1]) for s, r, t in zip(w, b, v, strict=True)]
    by_b = [4 * t * (s * e[1] + r * e[0]) for s, r, t in zip(w, b, v, strict=True)]
    by_v = [2 * (s * s * e[2] + 2 * s * r * e[1] + r * r * e[0]) for s, r in zip(w, b, strict=True)]
    tail = [2 * e[0]] if network.skip is None else [2 * e[0], 2 * e[1]]
    return _rounded([*by_w, *by_b, *by_v, *tail])


def hessian(pieces: Pieces, network: Network) -> Floats:
    """Return the Hessian in the order of `Network.to_vector`; exactly symmetric."""
    left, right = Fraction(pieces.cuts[0]), Fraction(pieces.cuts[-1])
    # Products of gradients in the variable z of x = middle + half z: there the powers of z have
    # the same size and nothing cancels, so that floats do.
    middle, half = (left + right) / 2, (right - left) / 2
    powers = [Fraction(0)] * 5
    for start, end, p in zip(pieces.cuts[:-1], pieces.cuts[1:], pieces.density, strict=True):
        density = [Fraction(c) for c in p]
        for k in range(5):
            factor = [Fraction(1)]
            for _ in range(k):
                factor = product(factor, [-middle / half, 1 / half])
            powers[k] += integral(product(factor, density), Fraction(start), Fraction(end))
    gram = np.array([_rounded(powers[i : i + 3]) for i in range(3)])
    w, b, v = _neurons(network)
    rows: list[list[Fraction]] = []
    for s, r, t in zip(w, b, v, strict=True):
        rows.append([Fraction(0), 2 * t * r, 2 * t * s])
    for s, r, t in zip(w, b, v, strict=True):
        rows.append([2 * t * r, 2 * t * s, Fraction(0)])
    for s, r in zip(w, b, strict=True):
        rows.append([r * r, 2 * s * r, s * s])
    rows.append([Fraction(1), Fraction(0), Fraction(0)])
    if network.skip is not None:
        rows.append([Fraction(0), Fraction(1), Fraction(0)])
    centred = np.array(
        [
            _rounded(
                [
                    q[0] + q[1] * middle + q[2] * middle * middle,
                    (q[1] + 2 * q[2] * middle) * half,
                    q[2] * half * half,
                ]
            )
            for q in rows
        ]
    )
    total = 2.0 * centred @ gram @ centred.T
    e = _error_moments(pieces, network)
    width = network.width
    for j in range(width):
        s, r, t = w[j], b[j], v[j]
        ww, wb, bb = _rounded([4 * t * e[2], 4 * t * e[1], 4 * t * e[0]])
        wv, bv = _rounded([4 * (s * e[2] + r * e[1]), 4 * (s * e[1] + r * e[0])])
        block = np.array([[ww, wb, wv], [wb, bb, bv], [wv, bv, 0.0]])
        at = [j, width + j, 2 * width + j]
        total[np.ix_(at, at)] += block
    return 0.5 * (total + total.T)


def _neurons(network: Network) -> tuple[list[Fraction], list[Fraction], list[Fraction]]:
    """Return w, b, v as rationals."""
    if network.inputs != 1 or not network.scalar:
        raise InputError(
            f"the network has {network.inputs} input(s) and {network.targets} target(s), the "
            "problem one of each with scalar outputs; give outputs of shape (width,)."
        )
    w, b, v = (
        [Fraction(float(t)) for t in part]
        for part in (network.weights[:, 0], network.biases, network.outputs)
    )
    return w, b, v


def _errors(
    pieces: Pieces, network: Network
) -> list[tuple[Fraction, Fraction, Polynomial, Polynomial]]:
    """Return the ends of each piece, the error N - f there, and the density."""
    w, b, v = _neurons(network)
    slope = Fraction(0) if network.skip is None else Fraction(float(network.skip[0]))
    parabola = [Fraction(float(network.offset)), slope, Fraction(0)]
    for s, r, t in zip(w, b, v, strict=True):
        parabola[0] += t * r * r
        parabola[1] += 2 * t * s * r
        parabola[2] += t * s * s
    result: list[tuple[Fraction, Fraction, Polynomial, Polynomial]] = []
    for (left, right), f, p in zip(
        pairwise(pieces.cuts), pieces.target, pieces.density, strict=True
    ):
        e = [*parabola, *[Fraction(0)] * (len(f) - 3)]
        for i, c in enumerate(f):
            e[i] -= Fraction(c)
        result.append((Fraction(left), Fraction(right), e, [Fraction(c) for c in p]))
    return result


def _error_moments(pieces: Pieces, network: Network) -> list[Fraction]:
    """Return the integrals of `x^k (N - f) p` for k = 0, 1, 2."""
    result = [Fraction(0)] * 3
    for left, right, e, p in _errors(pieces, network):
        ep = product(e, p)
        for k in range(3):
            result[k] += integral([*[Fraction(0)] * k, *ep], left, right)
    return result


def integral(a: Polynomial, left: Fraction, right: Fraction) -> Fraction:
    """Return the integral of a polynomial between two numbers.

    Examples
    --------
    >>> integral([Fraction(0), Fraction(2)], Fraction(0), Fraction(3))
    Fraction(9, 1)
    """
    whole = antiderivative(a)
    return value(whole, right) - value(whole, left)


def _rounded(numbers: list[Fraction]) -> Floats:
    try:
        return np.array([float(t) for t in numbers])
    except OverflowError:
        raise InputError(
            "the risk or its derivatives are beyond the largest float; scale target and "
            "parameters down."
        ) from None
