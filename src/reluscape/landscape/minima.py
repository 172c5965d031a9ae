"""The manifold of global minima of a piecewise affine target, and descent near it (S1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.landscape.geometry import SAME, TOLERANCE, Geometry, geometry
from reluscape.landscape.sight import CARRIER, IDLE, KINK, look
from reluscape.networks.arrays import is_whole
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval

Floats = NDArray[np.float64]

# Slopes of neighbouring pieces that agree to this share of the largest are one piece, and a target
# that jumps by less than this share of its size is continuous: its coefficients are rounded.
ROUNDED = 1e-12


@dataclass(frozen=True, eq=False)
class MinimaManifold:
    """Global minima of a piecewise affine target that form a manifold; from `global_minima`.

    Attributes
    ----------
    problem : Interval
    width : int
    pieces : int
        N, of the target.
    dimension, codimension : int
        Of the manifold among the 3 width + 1 parameters: the codimension is 2 N.
    hessian_rank : int
        2 N at every point: the largest that is possible (Morse-Bott).
    network : Network
        A point of it: w = 1 for all neurons, the first is 1 at a.
    borders, slopes, start
        The target: borders of its pieces, ends included, their slopes, and its value at a.
    """

    problem: Interval = field(repr=False)
    width: int
    pieces: int
    dimension: int
    codimension: int
    hessian_rank: int
    network: Network = field(repr=False)
    borders: tuple[float, ...] = field(repr=False)
    slopes: tuple[float, ...] = field(repr=False)
    start: float = field(repr=False)

    @cached_property
    def geometry(self) -> Geometry:
        """The landscape around `network`."""
        return self.examine(self.network)

    @property
    def max_step(self) -> float:
        """Largest step size of gradient descent that stays near `network`: 2 / lambda_max."""
        return self.geometry.max_step

    def rate(self, step_size: float) -> float:
        """Return the factor by which the risk shrinks with each step near `network`.

        See `Geometry.rate`; for another point, `examine` it.
        """
        return self.geometry.rate(step_size)

    def sample(self, rng: np.random.Generator) -> Network:
        """Return a random point of the manifold.

        Parameters
        ----------
        rng : numpy.random.Generator

        Returns
        -------
        Network
            Weights and pre-activations are log-normal; neurons that are not needed are inactive.
        """
        a, b = self.problem.a, self.problem.b
        n, length = self.pieces, b - a
        size = np.exp(rng.normal(size=self.width))
        w, biases, v = np.zeros(self.width), np.zeros(self.width), np.zeros(self.width)
        # The first neuron is positive on all of [a, b]; its slope may have any sign.
        sign = 1.0 if rng.random() < 0.5 else -1.0
        room = length * float(np.exp(rng.normal()))
        w[0] = sign * size[0] / length
        biases[0] = -w[0] * (a - room if sign > 0.0 else b + room)
        v[0] = self.slopes[0] / w[0]
        for i in range(1, n):
            w[i] = size[i] / length
            biases[i] = -w[i] * self.borders[i]
            v[i] = (self.slopes[i] - self.slopes[i - 1]) / w[i]
        for i in range(n, self.width):
            sign = 1.0 if rng.random() < 0.5 else -1.0
            room = length * float(np.exp(rng.normal()))
            w[i] = sign * size[i] / length
            biases[i] = -w[i] * (b + room if sign > 0.0 else a - room)
            v[i] = rng.normal()
        offset = self.start - v[0] * (w[0] * a + biases[0])
        return Network(w, biases, v, offset)

    def tangent(self, network: Network) -> Floats:
        """Return an orthonormal basis of the tangent space at a point.

        Parameters
        ----------
        network : Network
            On the manifold.

        Returns
        -------
        ndarray, shape (dimension, parameters)
            Directions that keep, to first order, all products v w and all breakpoints, and f(a).
        """
        rows = self._equations(network)
        _, _, right = np.linalg.svd(rows, full_matrices=True)
        return right[self.codimension :]

    def contains(self, network: Network) -> bool:
        """Return whether a network is on the manifold, up to rounding and up to its order.

        Neurons may be permuted; the manifold of S1 has those of the target first.
        """
        return _in_order(self, network) is not None

    def examine(self, network: Network) -> Geometry:
        """Look at the landscape around a global minimum, on this manifold or not.

        Parameters
        ----------
        network : Network
            With risk zero.

        Returns
        -------
        Geometry

        Raises
        ------
        InputError
            If the risk is not zero to rounding.
        """
        return geometry(self.problem, network)

    def _equations(self, network: Network) -> Floats:
        """Return the gradients of the 2 N equations of the manifold, in its order."""
        order = _in_order(self, network)
        if order is None:
            raise InputError("the network is not on the manifold; see contains.")
        width, n = self.width, self.pieces
        w, b, v = network.weights[:, 0], network.biases, network.outputs
        rows = np.zeros((2 * n, 3 * width + 1))
        for i, j in enumerate(order):
            rows[i, j], rows[i, 2 * width + j] = v[j], w[j]
            if i:
                rows[n + i, j], rows[n + i, width + j] = b[j] / w[j] ** 2, -1.0 / w[j]
        a, first = self.problem.a, order[0]
        rows[n, [first, width + first, 2 * width + first, 3 * width]] = [
            v[first] * a,
            v[first],
            w[first] * a + b[first],
            1.0,
        ]
        return rows

    def __str__(self) -> str:
        """Say what it is in a few lines."""
        return (
            f"global minima of a target of {self.pieces} pieces, width {self.width}: a manifold of "
            f"dimension {self.dimension} (codimension {self.codimension} = rank of the Hessian)\n"
            f"around its standard point: step sizes below {self.max_step:.6g}; the smallest "
            f"non-zero eigenvalue is {self.geometry.eigenvalues[-self.hessian_rank]:.6g}"
        )


def global_minima(problem: object, width: int) -> MinimaManifold:
    """Describe the manifold of global minima of a continuous piecewise affine target.

    Parameters
    ----------
    problem : Interval
        Its target is continuous and piecewise affine, its density positive.
    width : int
        At least the number N of pieces.

    Returns
    -------
    MinimaManifold

    Raises
    ------
    InputError
        If the target is not continuous and piecewise affine, or the width is below N.

    Notes
    -----
    Jentzen and Riekert (S1, JMLR 23, 2022): one neuron that is active on all of [a, b] carries the
    first slope, one for each later piece bends to the right at its border, the others are
    inactive. These parameters form a manifold of codimension 2 N on which the Hessian has rank
    2 N; gradient descent that starts close to it with steps below `max_step` converges
    exponentially. There are global minima of other kinds; `examine` tells what happens there.

    Examples
    --------
    >>> from reluscape import Interval, piecewise_linear
    >>> minima = global_minima(Interval(piecewise_linear([0, 0.5, 1], [0.5, 0, 0.5]), 0, 1), 5)
    >>> minima.dimension, minima.hessian_rank, round(minima.max_step, 6)
    (12, 4, 0.144084)
    """
    if not isinstance(problem, Interval):
        raise InputError(
            f"global_minima needs an Interval with a piecewise affine target, not "
            f"{type(problem).__name__}."
        )
    borders, slopes, start = _polyline(problem)
    n = len(slopes)
    if not is_whole(width) or width < n:
        raise InputError(
            f"width is {width!r}, but the target has {n} pieces; the manifold of S1 needs one "
            "neuron for each."
        )
    a = problem.a
    idle = width - n
    w = [1.0] * n + [-1.0] * idle
    b = [1.0 - a, *(-t for t in borders[1:-1])] + [a - (problem.b - a)] * idle
    v = [slopes[0], *np.diff(slopes).tolist()] + [0.0] * idle
    network = Network(w, b, v, start - slopes[0])
    return MinimaManifold(
        problem,
        int(width),
        n,
        3 * int(width) + 1 - 2 * n,
        2 * n,
        2 * n,
        network,
        tuple(borders),
        tuple(slopes),
        start,
    )


def _polyline(problem: Interval) -> tuple[list[float], list[float], float]:
    """Return borders and slopes of the fewest pieces, and the value at a."""
    borders, pieces = problem.target.on(problem.a, problem.b, "target")
    if any(any(c[2:]) for c in pieces):
        raise InputError(
            "the target is not piecewise affine: a piece has a power of x above the first."
        )
    lines = [(float(c[1]) if len(c) > 1 else 0.0, float(c[0])) for c in pieces]
    values = [abs(s * t + c) for (s, c), t in zip(lines, borders, strict=False)]
    size = max([*values, *(abs(s) * (problem.b - problem.a) for s, _ in lines)])
    steepest = max(abs(s) for s, _ in lines)
    kept, slopes = [problem.a], [lines[0][0]]
    for (s0, c0), (s1, c1), t in zip(lines[:-1], lines[1:], borders[1:-1], strict=True):
        # Lines through borders far from 0 have large constants: they round with them.
        jump = abs((s1 - s0) * t + (c1 - c0))
        if jump > ROUNDED * (size + abs(s1 * t) + abs(c1)):
            raise InputError(
                f"the target jumps by {jump:.3g} at x = {t:g}; S1 needs a continuous target."
            )
        if abs(s1 - s0) > ROUNDED * steepest:
            kept.append(t)
            slopes.append(s1)
    return [*kept, problem.b], slopes, lines[0][0] * problem.a + lines[0][1]


def _in_order(minima: MinimaManifold, network: Network) -> list[int] | None:
    """Return which neuron makes each piece of the target, or None if that is not so."""
    if network.width != minima.width or network.skip is not None or network.activation.slope:
        return None
    sight = look(minima.problem, network, TOLERANCE)
    a, b = minima.problem.a, minima.problem.b
    carriers = np.flatnonzero((sight.role == CARRIER) & (sight.point < 0))
    bent = np.flatnonzero(sight.role == KINK)
    idle = int(np.sum((sight.role == IDLE) & (sight.point < 0)))
    n = minima.pieces
    if len(carriers) != 1 or len(bent) != n - 1 or idle != minima.width - n:
        return None
    if sight.excess > sight.rounding or not network.weights[carriers[0], 0]:
        return None
    w = network.weights[bent, 0]
    places = -network.biases[bent] / w
    order = np.argsort(places)
    borders = np.array(minima.borders[1:-1])
    if (w <= 0.0).any() or (np.abs(places[order] - borders) > SAME * (b - a)).any():
        return None
    return [int(carriers[0]), *(int(j) for j in bent[order])]
