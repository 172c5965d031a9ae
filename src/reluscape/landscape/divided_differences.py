"""Polynomials as limits of networks of tanh or softplus, whose neurons become flat and alike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

import numpy as np
from flint import fmpq, fmpq_poly

from reluscape.landscape.approach import MinimisingSequence, with_best_outputs
from reluscape.landscape.broken_lines import padded
from reluscape.landscape.seen import Piece, rounded
from reluscape.networks.activations import Activation
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval

# Where tanh has the value 1/2 and the logistic function 1/3: no derivative that is asked for
# vanishes there, which is checked.
HALF_OF_TANH = (math.atanh(0.5), fmpq(1, 2))
THIRD_OF_LOGISTIC = (-math.log(2.0), fmpq(1, 3))


def divided_differences(
    problem: Interval,
    target: fmpq_poly,
    pieces: list[Piece],
    width: int,
    skip: bool,
    activation: Activation,
) -> MinimisingSequence | None:
    """Return networks of tanh or softplus that come close to a polynomial, None if none is known.

    Neurons `act(b + eps l_j (x - z))` with distinct l_j > 0 have the powers of x - z whose
    derivatives of the activation at b are not zero. With h of them the outer weights can be chosen
    so that the first h of these powers, beside those that offset and skip connection take up, have
    any coefficients (the generalized Vandermonde matrix is regular); what is left over is of a
    higher order in eps than the outer weights are large. At b = 0 tanh has the odd powers only and
    softplus the first and the even ones, which reaches further where z is chosen so that the target
    has the same; elsewhere all powers come in turn.

    Parameters
    ----------
    problem : Interval
    target : fmpq_poly
        Of degree 1 or more; without skip connection or of degree 2 or more with one.
    pieces : list of Piece
        Where it counts.
    width : int
    skip : bool
    activation : Activation
        Tanh or softplus.

    Returns
    -------
    MinimisingSequence or None
        Its outer weights are the best ones for the inner ones.
    """
    degree = target.degree()
    left, right = pieces[0].left, pieces[-1].right
    middle = (left + right) / 2
    turn = -target[degree - 1] / (degree * target[degree]) if degree > 1 else middle
    generic = HALF_OF_TANH if activation.name == "tanh" else THIRD_OF_LOGISTIC
    for centre, base, powers in (
        (turn, 0.0, _powers_at_zero(activation.name)),
        (middle, generic[0], _all_powers(activation.name, generic[1])),
    ):
        shifted = target(fmpq_poly([centre, 1]))
        free = {0, 1} if skip else {0}
        wanted = {k for k in range(degree + 1) if shifted[k]} - free
        at_hand = list(islice((k for k in powers if k not in free), width))
        if wanted <= set(at_hand):
            used = 1 + max(at_hand.index(k) for k in wanted)
            return _flattened(problem, centre, base, used, width, skip, activation)
    return None


def _flattened(
    problem: Interval,
    centre: fmpq,
    base: float,
    used: int,
    width: int,
    skip: bool,
    activation: Activation,
) -> MinimisingSequence:
    place = rounded(centre)
    scale = max(abs(problem.a - place), abs(problem.b - place))

    def build(eps: float) -> Network:
        rates = eps * np.arange(1, used + 1) / (used * scale)
        inner = Network(
            rates, base - rates * place, np.zeros(used), 0.0, [0.0] if skip else None, activation
        )
        return padded(with_best_outputs(problem, inner), width)

    many = "neuron" if used == 1 else "neurons"
    shifted = "x" if place == 0.0 else f"(x {'-' if place > 0.0 else '+'} {abs(place):g})"
    if scale != 1.0:
        shifted += f" / {scale:g}"
    return MinimisingSequence(
        "eps",
        f"{used} {many} act(b + eps l {shifted}) with b = {base:g} and 0 < l <= 1, ever flatter, "
        "and the best outer weights",
        (0.4, 0.2, 0.1),
        build,
    )


def _powers_at_zero(name: str) -> Iterator[int]:
    """Yield the powers in the Taylor series at zero, but for the constant."""
    if name == "softplus":
        yield 1
    k = 1 if name == "tanh" else 2
    while True:
        yield k
        k += 2


def _all_powers(name: str, value: fmpq) -> Iterator[int]:
    """Yield k where the k-th derivative is not zero; they are polynomials in tanh or the logistic.

    Those follow from `t' = 1 - t^2` and `s' = s (1 - s)`.
    """
    by_itself = fmpq_poly([1, 0, -1]) if name == "tanh" else fmpq_poly([0, 1, -1])
    derivative = by_itself if name == "tanh" else fmpq_poly([0, 1])
    k = 1
    while True:
        if derivative(value):
            yield k
        derivative = derivative.derivative() * by_itself
        k += 1
