"""Both sides of a jump: what a response and its problem are like along a boundary."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.cellwise import Errors, errors_of
from reluscape.problems.interval import Interval
from reluscape.problems.moments import value
from reluscape.problems.polygon import Polygon
from reluscape.problems.power_plane import Polynomials
from reluscape.problems.power_rule import smooth_rule

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# In the frame, which reaches to 1: edges closer to a boundary are on it, and cells that are wholly
# closer are slivers between nearly equal lines, not a side of it.
NEAR = 1e-9


@dataclass(frozen=True, eq=False)
class Seam:
    """A boundary inside the domain, as the nodes of a rule for integrals along it.

    Attributes
    ----------
    weights : ndarray of shape (n,)
        Lengths; 1 for the only node on a line.
    heights : ndarray of shape (n,)
        The jump J: inside the half-space minus outside.
    before, after : ndarray of shape (n,)
        Errors R - f outside and inside of the half-space.
    outer, inner : ndarray of shape (n,)
        Densities there.
    size : float
        Of the target there, for what counts as rounding.
    """

    weights: Floats
    heights: Floats
    before: Floats
    after: Floats
    outer: Floats
    inner: Floats
    size: float


def seams_of(problem: Interval | Polygon, response: GeneralizedResponse) -> dict[int, Seam | int]:
    """Return what each jump of a response is like inside the domain.

    Parameters
    ----------
    problem : Interval or Polygon
    response : GeneralizedResponse

    Returns
    -------
    dict of int to Seam or int
        For each term of multiplicity 2 its seam; or, if its boundary does not meet the inside of
        the domain, 1 if the domain is inside the half-space and -1 if it is outside.

    Examples
    --------
    >>> from reluscape import affine
    >>> step = GeneralizedResponse([1.0], [0.5], [0.0], [1.0])
    >>> seam = seams_of(Interval(affine(1, 0), 0, 1), step)[0]
    >>> seam.before, seam.after
    (array([-0.5]), array([0.5]))
    """
    terms = np.flatnonzero(response.multiplicities == 2).tolist()
    if isinstance(problem, Interval):
        return {term: _on_interval(problem, response, term) for term in terms}
    if not terms:
        return {}
    errors = errors_of(problem.ground, response)
    return {term: _on_polygon(problem, response, errors, term) for term in terms}


def _on_interval(problem: Interval, response: GeneralizedResponse, term: int) -> Seam | int:
    normal = int(response.normals[term, 0])
    at = normal * float(response.thresholds[term])
    if not problem.a < at < problem.b:
        return 1 if (problem.a >= at) == (normal > 0) else -1
    pieces, x = problem.pieces, Fraction(at)
    right = int(np.searchsorted(pieces.cuts, at, side="right")) - 1
    left = right - 1 if pieces.cuts[right] == at else right
    outside, inside = (left, right) if normal > 0 else (right, left)
    base = Fraction(response.offset) + Fraction(float(response.slope[0])) * x
    jump = Fraction(0)
    for k, count in enumerate(response.multiplicities.tolist()):
        sign = Fraction(float(response.normals[k, 0]))
        place = sign * Fraction(float(response.thresholds[k]))
        delta, beta = Fraction(float(response.deltas[k, 0])), Fraction(float(response.betas[k]))
        if count == 1:
            beta = -delta * place
        if k == term:
            jump = delta * x + beta
        elif sign * (x - place) > 0:
            base += delta * x + beta

    def side(piece: int, error: Fraction) -> tuple[float, float]:
        target = [Fraction(c) for c in pieces.target[piece]]
        density = [Fraction(c) for c in pieces.density[piece]]
        return float(error - value(target, x)), max(float(value(density, x)), 0.0)

    before, outer = side(outside, base)
    after, inner = side(inside, base + jump)
    size = max(
        sum(abs(c) * abs(at) ** i for i, c in enumerate(pieces.target[p])) for p in (left, right)
    )
    numbers = np.array([[1.0], [float(jump)], [before], [after], [outer], [inner]])
    weights, heights, errors, others, outside_density, inside_density = numbers
    return Seam(weights, heights, errors, others, outside_density, inside_density, size)


def _on_polygon(
    problem: Polygon, response: GeneralizedResponse, errors: Errors, term: int
) -> Seam | int:
    ground, cells = problem.ground, errors.cells
    centre, unit = np.asarray(ground.frame.centre), ground.frame.unit
    normal = response.normals[term]
    tau = (float(response.thresholds[term]) - float(normal @ centre)) / unit
    sides = cells.sides[:, term]
    corners = cells.points[:, [0, 2]] + cells.points[:, [1, 3]]
    edges = {
        side: _edges_along(cells.starts, corners, sides == side, normal, tau) for side in (-1, 1)
    }
    if not (len(edges[-1][0]) and len(edges[1][0])):
        depth = corners @ normal - tau
        return 1 if depth.max() > -depth.min() else -1
    cuts = np.unique(np.concatenate([edges[-1][1].ravel(), edges[1][1].ravel()]))
    middles, lengths = (cuts[1:] + cuts[:-1]) / 2.0, np.diff(cuts)
    owners = np.stack([_owner(edges[side], middles) for side in (-1, 1)])
    real = (owners >= 0).all(axis=0) & (lengths > NEAR)
    outside, inside = owners[:, real]
    tangent = np.array([-normal[1], normal[0]])
    start = tau * normal + np.outer(cuts[:-1][real], tangent)
    end = tau * normal + np.outer(cuts[1:][real], tangent)
    gap = Polynomials(errors.coefficients.sum(axis=2), errors.degree)
    before, after = gap.along(outside, start, end), gap.along(inside, start, end)
    density = Polynomials(
        ground.density.coefficients[cells.parents].sum(axis=2), ground.density.degree
    )
    target = Polynomials(np.abs(ground.target.coefficients.sum(axis=2)), ground.target.degree)
    delta = response.deltas[term] * unit
    level = float(response.deltas[term] @ centre) + float(response.betas[term])
    jumps = np.stack([start @ delta + level, end @ delta + level])
    height = np.stack([jumps.mean(axis=0), (jumps[1] - jumps[0]) / 2.0], axis=1)
    rows, z, weights = smooth_rule(before, after, height)
    scale = 2.0**ground.target.exponent
    mass = 2.0**ground.density.exponent
    powers = np.vander(z, max(errors.degree, density.degree, 1) + 1, increasing=True)

    def at(polynomials: Floats) -> Floats:
        some = polynomials[rows]
        return (some * powers[:, : some.shape[1]]).sum(axis=1)

    return Seam(
        weights * np.hypot(*(end - start).T)[rows] / 2.0 * unit,
        at(height),
        at(before) * scale,
        at(after) * scale,
        np.maximum(at(density.along(outside, start, end)), 0.0) * mass,
        np.maximum(at(density.along(inside, start, end)), 0.0) * mass,
        float(target.coefficients.sum(axis=1).max()) * scale,
    )


def _edges_along(
    starts: Integers, corners: Floats, wanted: NDArray[np.bool_], normal: Floats, tau: float
) -> tuple[Integers, Floats]:
    """Return the cells of one side that have an edge on a line, and from where to where it runs."""
    depth = np.abs(corners @ normal - tau)
    along = corners @ np.array([-normal[1], normal[0]])
    numbers: list[int] = []
    ranges: list[list[float]] = []
    for cell in np.flatnonzero(wanted).tolist():
        part = slice(int(starts[cell]), int(starts[cell + 1]))
        on = depth[part] <= NEAR
        if on.sum() < 2 or depth[part].max() <= NEAR:
            continue
        places = along[part][on]
        if float(np.ptp(places)) > NEAR:
            numbers.append(cell)
            ranges.append([float(places.min()), float(places.max())])
    return np.asarray(numbers, dtype=np.int64), np.reshape(
        np.asarray(ranges, dtype=np.float64), (-1, 2)
    )


def _owner(edges: tuple[Integers, Floats], places: Floats) -> Integers:
    """Return the cell whose edge holds each place, or -1."""
    numbers, ranges = edges
    inside = (ranges[:, :1] < places) & (places < ranges[:, 1:])
    return np.where(inside.any(axis=0), numbers[np.argmax(inside, axis=0)], -1)
