"""Second order on a polygon and for normal inputs: curvature in coordinates of the function.

A neuron with v != 0 is, near the network, the function `act(A.(x, 1))` of `A = |v| (w, b)`, with
the sign of v: in the coordinates A, offset and skip connection rescaling is gone. What may be left
without curvature is what moves no value at all: shares of neurons that bend on one hyperplane, and
of neurons that are affine on the whole polygon. Along these the risk is constant, so that a network
with positive curvature in all other directions is a local minimum (Morse and Bott).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.curvature import FLAT, SAME
from reluscape.landscape.densities import INTEGRAL, Density
from reluscape.landscape.sight import CARRIER, EPS, KINK
from reluscape.problems.gaussian import Gaussian

Floats = NDArray[np.float64]

# Eigenvalues of the Gram matrix of functions of norm one that are zero: such functions depend on
# each other, up to rounding.
DEPENDENT = 1e-11
# Beyond so many coordinates only the sign of the least eigenvalue is sure, and its value a guess.
MANY = 1500
# How far a guess of it looks.
GUESSES = 300


@dataclass(frozen=True, eq=False)
class Bends:
    """The quadratic form of the risk in coordinates of the function.

    Attributes
    ----------
    least : float
        Its least eigenvalue where the squares of N alone have eigenvalue 1 for each neuron, away
        from the directions that change no value.
    direction : ndarray or None
        A direction of negative curvature, in the order of `Network.to_vector`, if there is one.
    doubt : str or None
        Why `least > 0` would not prove a minimum.
    flat : float
        Curvatures of at most this size are zero: rounding of the integrals makes them.
    """

    least: float
    direction: Floats | None
    doubt: str | None
    flat: float


def bends(view: Density) -> Bends:
    """Return the curvature at a critical network."""
    tilted = view.reduced.skip is not None
    found = _form(view, tilted)
    flat_carriers = (view.role == CARRIER) & view.flat
    if found.direction is not None or tilted or not flat_carriers.any():
        return found
    # A neuron with v = 0 that is affine everywhere makes slope at second order only: not enough to
    # say where the risk falls, but a minimum must stand it.
    free = _form(view, True)
    least, flat = min(found.least, free.least), max(found.flat, free.flat)
    return Bends(least, None, found.doubt or free.doubt, flat)


@dataclass(frozen=True, eq=False)
class _Coordinates:
    """Blocks of coordinates: of each firm neuron, and of the affine part.

    `rows` are places among the spread network's parameters, `roots` take white coordinates there.
    """

    neurons: list[int]
    rows: list[NDArray[np.int64]]
    roots: list[Floats]

    @property
    def starts(self) -> list[int]:
        return np.cumsum([0, *(root.shape[1] for root in self.roots)]).tolist()

    def white(self, hessian: Floats) -> Floats:
        """Return half the Hessian in white coordinates."""
        starts = self.starts
        out = np.empty((starts[-1], starts[-1]))
        for i, (rows, root) in enumerate(zip(self.rows, self.roots, strict=True)):
            wide = root.T @ hessian[rows] / 2.0
            for k, (others, other) in enumerate(zip(self.rows, self.roots, strict=True)):
                out[starts[i] : starts[i + 1], starts[k] : starts[k + 1]] = wide[:, others] @ other
        return 0.5 * (out + out.T)


def _form(view: Density, tilted: bool) -> Bends:
    firm = int(np.sum(view.alive & ~view.flat))
    neurons = view.order[:firm].tolist()
    affine = view.affine_places if tilted else view.affine_places[-1:]
    moments = view.moments if tilted else view.moments[-1:, -1:]
    values, axes = np.linalg.eigh(moments)
    coordinates = _Coordinates(
        neurons,
        [*(view.places(k) for k in range(firm)), affine],
        [*(view.neurons[j].root for j in neurons), axes / np.sqrt(values)],
    )
    matrix = coordinates.white(view.hessian)
    still, doubt = _still(view, coordinates, matrix, tilted)
    if still.shape[1]:
        # Nothing changes along these: give them curvature one, and look at the others.
        matrix = matrix - still @ (still.T @ matrix)
        matrix = matrix - (matrix @ still) @ still.T + still @ still.T
    least, vector = _lowest(matrix)
    # The shorter A, the more a fold bends: rounding of the integral of the error along it, too.
    lengths = np.abs(view.reduced.outputs[neurons]) * view.sizes[neurons]
    error = view.terms if view.own.closed else view.error
    flat = FLAT + INTEGRAL * EPS * error / float(lengths.min(initial=np.inf))
    direction = _to_parameters(view, coordinates, vector, tilted) if least < -flat else None
    return Bends(least, direction, doubt, flat)


def _still(
    view: Density, coordinates: _Coordinates, matrix: Floats, tilted: bool
) -> tuple[Floats, str | None]:
    """Return an orthonormal basis of the moves, in white coordinates, that change no value.

    N is linear in the lengths of all A, in all of A for neurons without a bend, and in the affine
    part: there a move without norm in L2 changes nothing, however far it goes.
    """
    starts = coordinates.starts
    columns: list[Floats] = []
    for i, j in enumerate(coordinates.neurons):
        root, part = coordinates.roots[i], slice(starts[i], starts[i + 1])
        if _affine(view, j):
            block = np.zeros((len(matrix), root.shape[1]))
            block[part] = np.eye(root.shape[1])
        else:
            block = np.zeros((len(matrix), 1))
            length = np.asarray(np.linalg.lstsq(root, view.planes[j])[0], dtype=np.float64)
            block[part, 0] = length / float(np.linalg.norm(length))
        columns.append(block)
    block = np.zeros((len(matrix), starts[-1] - starts[-2]))
    block[starts[-2] :] = np.eye(block.shape[1])
    linear = np.hstack([*columns, block])
    values, axes = np.linalg.eigh(linear.T @ matrix @ linear)
    none = values <= DEPENDENT
    expected = linear.shape[1] - _independent(view, coordinates.neurons, tilted)
    doubt = None
    if int(none.sum()) != expected:
        doubt = "hyperplanes so close to each other that rounding hides whether they are one"
    return np.linalg.qr(linear @ axes[:, none])[0], doubt


def _affine(view: Density, j: int) -> bool:
    """Tell whether a neuron is affine, and stays so when its weights change a little.

    Under the normal law there is none: far out each one bends.
    """
    return int(view.role[j]) == CARRIER and not isinstance(view.problem, Gaussian)


def _independent(view: Density, neurons: list[int], tilted: bool) -> int:
    """Return how many of the functions that N is linear in are independent of each other.

    Bends on different hyperplanes are independent of each other and of affine functions. Two that
    bend on one hyperplane to opposite sides make an affine function.
    """
    planes = view.planes / np.where(view.sizes > 0.0, view.sizes, 1.0)[:, np.newaxis]
    kinks = [j for j in neurons if int(view.role[j]) == KINK]
    groups: list[list[int]] = []
    for j in kinks:
        for group in groups:
            first = planes[group[0]]
            if min(np.abs(planes[j] - first).max(), np.abs(planes[j] + first).max()) <= SAME:
                group.append(j)
                break
        else:
            groups.append([j])
    lines: list[Floats] = [np.append(np.zeros(planes.shape[1] - 1), 1.0)]
    if tilted or any(_affine(view, j) for j in neurons):
        lines.extend(np.eye(planes.shape[1]))
    lines.extend(planes[j] for j in neurons if int(view.role[j]) == CARRIER)
    for group in groups:
        first = planes[group[0]]
        if any(float(planes[j] @ first) < 0.0 for j in group):
            lines.append(first)
    rank = int(np.linalg.matrix_rank(np.array(lines), tol=1e-9))
    return len(groups) + rank


def _lowest(matrix: Floats) -> tuple[float, Floats]:
    """Return the least eigenvalue and its vector."""
    from scipy.linalg import LinAlgError, cholesky, eigh

    if len(matrix) <= MANY:
        values, vectors = eigh(matrix, subset_by_index=[0, 0])
        return float(values[0]), np.asarray(vectors[:, 0], np.float64)
    from scipy.sparse.linalg import ArpackNoConvergence, eigsh

    start = np.cos(np.arange(len(matrix), dtype=np.float64))
    try:
        values, vectors = eigsh(matrix, 1, which="SA", v0=start, tol=1e-3, maxiter=GUESSES)
        least, vector = float(values[0]), np.asarray(vectors[:, 0], np.float64)
    except ArpackNoConvergence:
        least, vector = 2.0 * FLAT, start
    if least > FLAT:
        try:
            cholesky(matrix - FLAT * np.eye(len(matrix)), overwrite_a=True, check_finite=False)
        except LinAlgError:
            # Between the guess and the proof: neither sign is sure.
            return 0.0, vector
    return least, vector


def _to_parameters(
    view: Density, coordinates: _Coordinates, vector: Floats, tilted: bool
) -> Floats:
    """Return a direction in white coordinates as one of the user's parameters."""
    starts = coordinates.starts
    planes = np.zeros_like(view.planes)
    for i, j in enumerate(coordinates.neurons):
        # A = |v| (w, b), at the network's own v.
        move = coordinates.roots[i] @ vector[starts[i] : starts[i + 1]]
        planes[j] = move / abs(float(view.reduced.outputs[j]))
    affine = np.zeros(planes.shape[1])
    move = coordinates.roots[-1] @ vector[starts[-2] :]
    if tilted:
        affine = move
    else:
        affine[-1] = float(move[0])
    return view.change(planes, np.zeros(len(planes)), affine)
