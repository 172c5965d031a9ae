"""Newton's method in a trust region, with exact Hessians: monotonically down, past saddles.

Where the Hessian is not positive the step of least model value in a ball goes along its negative
directions too, so that the method does not stop at saddles unless it starts on one (Conn, Gould and
Toint 2000, chapter 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from reluscape.networks.arrays import Floats
    from reluscape.training.chart import Moves

EPS = float(np.finfo(np.float64).eps)
# A gradient of that many units in the last place of the terms is rounding error.
STILL = 4.0 * EPS
# A step that keeps less than this share of what the model promised is not made, or shrinks the
# ball; one that keeps more than the other lets it grow.
POOR, FAIR, GOOD = 1e-4, 0.25, 0.75
# Where heights cannot tell, a step is made if the gradient is less than this share of what it was.
FALLS = 0.95
# The first ball, as a share of the size of the parameters.
FIRST = 0.1
# Balls below this share of the size of the parameters are no more than rounding.
SMALLEST = 1e-14
# The same, as a share of the last ball, where the gradient may be no more than rounding.
FEW = 1e-2
# Eigenvalues below this share of the largest are no curvature: a step along them is rounding.
FLAT = 1e-14
# Beyond so many moves the model is minimised by conjugate gradients, and products with the Hessian
# come from differences of gradients over this share of the size of the parameters: there it costs
# less to take many of them than to decompose the Hessian once.
MANY, DIFFERENCE = 1200, 1e-5
# Of these products for one step.
MOST_PRODUCTS = 500
# Conjugate gradients stop at this share of the gradient, or its root where that is smaller.
FORCING = 0.1


class Surface(Protocol):
    """What the method moves on."""

    def value(self, theta: Floats, /) -> float:
        """Return the height."""
        ...

    def gradient(self, theta: Floats, /) -> Floats:
        """Return the gradient."""
        ...

    def hessian(self, theta: Floats, /) -> Floats:
        """Return the Hessian."""
        ...

    def size(self, theta: Floats, /) -> float:
        """Return the size of the terms whose squares the height is made of."""
        ...

    def blur(self, theta: Floats, height: float, /) -> float:
        """Return by how much heights near a point may differ by rounding."""
        ...

    def balanced(self, theta: Floats, /) -> Floats:
        """Return the point among those of the same function that moves start from."""
        ...

    def moves(self, theta: Floats, /) -> Moves:
        """Return the moves that change the function."""
        ...


@dataclass(frozen=True, eq=False)
class Rest:
    """Where the method ended.

    Parameters
    ----------
    theta : ndarray of shape (parameters,)
    iterations : int
        Hessians computed.
    """

    theta: Floats
    iterations: int


def newton(surface: Surface, theta: Floats, most: int) -> Rest:
    """Go down until the gradient is rounding error or no step helps.

    Parameters
    ----------
    surface : Surface
    theta : ndarray of shape (parameters,)
    most : int
        At most so many Hessians.

    Returns
    -------
    Rest
        Its height is not above that at the start by more than rounding.
    """
    theta = surface.balanced(theta)
    height, gradient = surface.value(theta), surface.gradient(theta)
    radius = FIRST * max(float(np.linalg.norm(theta)), 1.0)
    for done in range(most):
        blur = surface.blur(theta, height)
        steepness = float(np.linalg.norm(gradient))
        if steepness == 0.0:
            return Rest(theta, done)
        moves = surface.moves(theta)
        pull = moves.reduce(gradient)
        model = _model(surface, theta, moves, pull)
        least = SMALLEST * max(float(np.linalg.norm(theta)), EPS)
        if steepness <= STILL * surface.size(theta):
            # The gradient may be rounding: a step may help, but no search for one.
            least = max(least, radius * FEW)
        while True:
            move, promised = model.step(radius)
            length = float(np.linalg.norm(move))
            trial = theta + moves.expand(move, len(theta))
            gained = height - surface.value(trial)
            if promised <= blur:
                # The height cannot tell: the gradient must fall, and the height not visibly rise.
                steep = float(np.linalg.norm(surface.gradient(trial)))
                if steep < FALLS * steepness and gained >= -blur:
                    break
            elif gained > POOR * promised:
                if gained > GOOD * promised and length > 0.9 * radius:
                    radius *= 2.0
                elif gained < FAIR * promised:
                    radius = length / 4.0
                break
            radius = length / 4.0
            if radius <= least:
                return Rest(theta, done + 1)
        theta = surface.balanced(trial)
        height = surface.value(theta)
        gradient = surface.gradient(theta)
    return Rest(theta, most)


class _Model(Protocol):
    def step(self, radius: float) -> tuple[Floats, float]:
        """Return the step to the least value in a ball, and how much lower that is."""
        ...


def _model(surface: Surface, theta: Floats, moves: Moves, pull: Floats) -> _Model:
    if len(pull) <= MANY:
        return _Whole(moves.reduce(moves.reduce(surface.hessian(theta)).T), pull)
    step = DIFFERENCE * max(float(np.linalg.norm(theta)), 1.0)

    def product(move: Floats) -> Floats:
        length = float(np.linalg.norm(move))
        way = moves.expand(move, len(theta)) * (step / length)
        change = surface.gradient(theta + way) - surface.gradient(theta - way)
        return moves.reduce(change) * (length / (2.0 * step))

    return _Krylov(product, pull)


class _Whole:
    """The quadratic model in its eigenvectors: the exact step (More and Sorensen 1983)."""

    def __init__(self, hessian: Floats, gradient: Floats) -> None:
        values, self._vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
        self._pull = self._vectors.T @ gradient
        largest = float(np.abs(values).max(initial=0.0))
        self._values = np.where(np.abs(values) <= FLAT * largest, 0.0, values)

    def step(self, radius: float) -> tuple[Floats, float]:
        values, pull = self._values, self._pull
        move = self._at(self._shift(radius))
        length = float(np.linalg.norm(move))
        if values[0] < 0.0 and length < radius:
            # The hard case: the gradient has no part along the lowest eigenvector.
            move[0] += (1.0 if pull[0] <= 0.0 else -1.0) * float(np.sqrt(radius**2 - length**2))
        promised = -float(pull @ move + 0.5 * values @ np.square(move))
        return self._vectors @ move, promised

    def _at(self, shift: float) -> Floats:
        """Return the minimiser of the model with a shifted Hessian."""
        curved = self._values + shift
        usable = curved > 0.0
        return np.where(usable, -self._pull / np.where(usable, curved, 1.0), 0.0)

    def _shift(self, radius: float) -> float:
        """Return the least shift that makes the Hessian positive and the step fit in."""
        low = max(0.0, -float(self._values[0]))
        if float(np.linalg.norm(self._at(low))) <= radius and not self._steep(low):
            return low
        high = low + float(np.linalg.norm(self._pull)) / radius
        # The inverse of the length is nearly linear in the shift; bisection keeps it safe.
        shift = high
        for _ in range(60):
            move = self._at(shift)
            length = float(np.linalg.norm(move))
            if abs(length - radius) <= 1e-3 * radius:
                break
            if length > radius:
                low = shift
            else:
                high = shift
            curved = self._values + shift
            drop = float(np.sum(np.square(move) / np.where(curved > 0.0, curved, 1.0)))
            following = shift + (length / radius - 1.0) * length**2 / drop if drop > 0.0 else low
            shift = following if low < following < high else 0.5 * (low + high)
        return shift

    def _steep(self, shift: float) -> bool:
        """Tell whether the gradient has a part where the shifted Hessian has no curvature."""
        flat = self._values + shift <= 0.0
        most = float(np.abs(self._pull).max(initial=0.0))
        return bool((np.abs(self._pull[flat]) > FLAT * most).any())


class _Krylov:
    """The quadratic model by conjugate gradients, to the border of the ball (Steihaug 1983)."""

    def __init__(self, product: Callable[[Floats], Floats], gradient: Floats) -> None:
        self._product, self._pull = product, gradient
        norm = float(np.linalg.norm(gradient))
        self._enough = min(FORCING, norm**0.5) * norm

    def step(self, radius: float) -> tuple[Floats, float]:
        move = np.zeros_like(self._pull)
        rest = self._pull.copy()
        along = -rest
        square = float(rest @ rest)
        for _ in range(MOST_PRODUCTS):
            bent = self._product(along)
            curvature = float(along @ bent)
            if curvature <= FLAT * float(along @ along):
                move = move + self._to_border(move, along, radius) * along
                break
            length = square / curvature
            following = move + length * along
            if float(np.linalg.norm(following)) >= radius:
                move = move + self._to_border(move, along, radius) * along
                break
            move, rest = following, rest + length * bent
            before, square = square, float(rest @ rest)
            if square**0.5 <= self._enough:
                break
            along = square / before * along - rest
        return move, -float(self._pull @ move + 0.5 * move @ self._product(move))

    @staticmethod
    def _to_border(move: Floats, along: Floats, radius: float) -> float:
        a, b = float(along @ along), float(move @ along)
        c = float(move @ move) - radius * radius
        root = float(np.sqrt(max(b * b - a * c, 0.0)))
        return -c / (b + root) if b > 0.0 else (root - b) / a
