"""Lines that only touch a polygon: what happens when they are moved into it.

Such a line meets the polygon in a corner or in an edge, its face. Moved inside, its neuron adds a
small bend there: `(1 - leak) v` times a function that is not negative and lives near the face. To
leading order the risk then changes with the sign of `v e` on the face, e being the error, whatever
else moves a little: if `v e` is positive on all of it, the bend never pays; if it is negative at
one end, the bend that begins there does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.curvature import FLAT
from reluscape.landscape.densities import Density
from reluscape.landscape.flats import RATIOS, Leads, note
from reluscape.landscape.sight import CARRIER
from reluscape.problems.cellwise import Integrals, integrate
from reluscape.problems.polygon import Polygon

Floats = NDArray[np.float64]

# How near: shares of the edges that meet there.
SHARES = (1.0, 0.1, 0.01)
# Corners this near to a face, in units of the problem, are on it.
NEAR = 1e-12


@dataclass(frozen=True, eq=False)
class Face:
    """The part of a polygon that a line touches, in units of the problem.

    Attributes
    ----------
    ends : ndarray, shape (1 or 2, 2)
    at_ends : list of ndarray
        The error at each end, once for each cell that meets there.
    bounds : ndarray, shape (m,)
        The error lies between the least and the largest of these on the whole face.
    """

    ends: Floats
    at_ends: list[Floats]
    bounds: Floats


def at_border(view: Density, problem: Polygon, j: int, found: Leads) -> None:
    """Look at a neuron whose line touches the polygon."""
    face = face_of(view, problem, view.touched[j])
    margin = FLAT * view.error / float(np.sqrt(view.moments[-1, -1]))
    v = float(view.reduced.outputs[j])
    where = "corner" if len(face.ends) == 1 else "edge"
    if v == 0.0:
        seen = [e for e in face.at_ends if np.abs(e).min() > margin and np.ptp(np.sign(e)) == 0.0]
        if not seen:
            note(found.doubts, j, f"flat, its line on a {where}: the error there decides nothing")
            return
        note(
            found.reasons,
            j,
            f"flat, with its line on a {where}: moved inside, with v of one sign, it lowers the "
            "risk",
        )
        for end, e in zip(face.ends, face.at_ends, strict=True):
            sign = -float(np.sign(e[0]))
            for move in _inwards(view, problem, j, end, True):
                found.directions.extend(
                    view.one(j, move, sign * ratio / float(view.sizes[j])) for ratio in RATIOS
                )
        return
    if float((v * face.bounds).min()) > margin * abs(v):
        return
    down = [k for k, e in enumerate(face.at_ends) if float((v * e).max()) < -margin * abs(v)]
    # An active neuron that turns is a slope elsewhere, which only a skip connection takes back.
    free = int(view.role[j]) != CARRIER or view.reduced.skip is not None
    if not (down and (free or len(face.ends) == 1)):
        note(
            found.doubts,
            j,
            f"its line touches the polygon in a{'n' * (where == 'edge')} {where} where the error "
            "is zero or changes its sign, and what moving it inside does is not known",
        )
        return
    note(
        found.reasons,
        j,
        f"its line touches the polygon in a{'n' * (where == 'edge')} {where}: moved inside, it "
        "lowers the risk",
    )
    for k in down:
        for move in _inwards(view, problem, j, face.ends[k], free):
            planes = np.zeros_like(view.planes)
            planes[j] = move
            affine = -v * move if int(view.role[j]) == CARRIER else np.zeros(len(move))
            found.directions.append(view.change(planes, np.zeros(len(planes)), affine))


def _inwards(view: Density, problem: Polygon, j: int, end: Floats, free: bool) -> Iterator[Floats]:
    """Yield changes of (w, b) that move the line into the polygon, near one end of its face."""
    # An active neuron begins to bend where it sinks below zero, others where they rise above it.
    way = -1.0 if int(view.role[j]) == CARRIER else 1.0
    way *= float(view.sizes[j])
    if free:
        corners = (problem.vertices - view.units.centre) / view.units.scale
        k = int(np.argmin(np.abs(corners - end).max(axis=1)))
        beside = corners[[k - 1, (k + 1) % len(corners)]] - end
        for share in SHARES:
            # The affine function that is 1 at this corner of the polygon, and 0 near it.
            rows = np.column_stack([np.vstack([end, end + share * beside]), np.ones(3)])
            plane = np.linalg.solve(rows, np.array([1.0, 0.0, 0.0]))
            yield way * np.asarray(plane, dtype=np.float64)
    yield np.array([0.0, 0.0, way])


def face_of(view: Density, problem: Polygon, touched: NDArray[np.bool_]) -> Face:
    """Return the corner or edge that a line touches, with the error there."""
    ends = (problem.vertices[touched] - view.units.centre) / view.units.scale
    integrals = integrate(problem.ground, view.network, False)
    at_ends = [_at_corner(integrals, end) for end in ends]
    if len(ends) == 1:
        return Face(ends, at_ends, at_ends[0])
    return Face(ends, at_ends, np.concatenate(list(_along(integrals, ends))))


def _cells(integrals: Integrals) -> Iterator[tuple[Floats, Floats]]:
    """Yield the corners of each cell, and the coefficients of the error there."""
    points, starts = integrals.cells.points, integrals.cells.starts
    for k in range(len(starts) - 1):
        own = points[starts[k] : starts[k + 1]]
        yield own[:, ::2] + own[:, 1::2], integrals.errors[k].sum(axis=1)


def _at_corner(integrals: Integrals, place: Floats) -> Floats:
    """Return the error at a corner of the polygon, from each cell that has it."""
    return np.array(
        [
            _value(integrals, c, place[np.newaxis])[0]
            for corners, c in _cells(integrals)
            if float(np.abs(corners - place).max(axis=1).min()) <= NEAR
        ]
    )


def _along(integrals: Integrals, ends: Floats) -> Iterator[Floats]:
    """Yield the Bernstein coefficients of the error on each part of an edge.

    A polynomial lies between the least and the largest of them.
    """
    normal = np.array([ends[0, 1] - ends[1, 1], ends[1, 0] - ends[0, 0]])
    normal /= float(np.linalg.norm(normal))
    degree = max(integrals.ground.target.degree, 1)
    nodes = 0.5 - 0.5 * np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    basis = _bernstein(degree, nodes)
    for corners, c in _cells(integrals):
        on = np.abs((corners - ends[0]) @ normal) <= NEAR
        for i in range(len(corners)):
            after = (i + 1) % len(corners)
            if on[i] and on[after]:
                places = corners[i] + np.multiply.outer(nodes, corners[after] - corners[i])
                yield np.asarray(
                    np.linalg.solve(basis, _value(integrals, c, places)), dtype=np.float64
                )


def _bernstein(degree: int, nodes: Floats) -> Floats:
    from scipy.special import comb

    k = np.arange(degree + 1)
    t = nodes[:, np.newaxis]
    return np.asarray(comb(degree, k)) * t**k * (1.0 - t) ** (degree - k)


def _value(integrals: Integrals, coefficients: Floats, places: Floats) -> Floats:
    degree = integrals.ground.target.degree
    matrix = np.zeros((degree + 1, degree + 1))
    rows, columns = np.nonzero(np.add.outer(np.arange(degree + 1), np.arange(degree + 1)) <= degree)
    matrix[rows, columns] = coefficients
    return np.asarray(
        np.polynomial.polynomial.polyval2d(places[:, 0], places[:, 1], matrix), dtype=np.float64
    )
