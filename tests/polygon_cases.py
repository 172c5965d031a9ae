"""Random problems on polygons with degenerate lines; every number is a float and exact."""

from __future__ import annotations

import numpy as np

import reluscape as rs

POLYGONS = [
    [[0, 0], [1, 0], [1, 1], [0, 1]],
    [[-1, -0.5], [2, -1], [1.5, 1.25]],
    [[0, 0], [2, -0.5], [3, 1], [2.5, 2], [0.5, 1.75]],
    [[-2, 0], [-1, -1.5], [1, -1.5], [2, 0], [1, 1.5], [-1, 1.5]],
    [[0, 0], [4, 0.0625], [4, 0.125], [0, 0.0625]],
]


def polygon(rng):
    """Return vertices, sometimes far away, tiny or clockwise."""
    corners = np.array(POLYGONS[rng.integers(len(POLYGONS))], dtype=float)
    kind = rng.integers(6)
    if kind == 1:
        corners = corners * 2.0**-12
    elif kind == 2:
        corners = corners + np.array([1024.0, -4096.0])
    elif kind == 3:
        corners = corners * 2.0**10
    return corners[::-1] if kind == 4 else corners


def line(rng, corners, others):
    """Return (a, b, c): degenerate more often than not."""
    size = float(np.ptp(corners, axis=0).max())
    a, b = rng.integers(-8, 9, 2) / 4.0
    middle = corners.mean(axis=0).round(6)
    i, j = rng.choice(len(corners), 2, replace=False)
    kind = rng.integers(11)
    point = corners[i]
    if kind == 0:  # along an edge
        j = (i + 1) % len(corners)
    if kind in (0, 1):  # through two corners
        a, b = corners[i, 1] - corners[j, 1], corners[j, 0] - corners[i, 0]
    elif kind == 2 and others:  # parallel to another
        a, b, _ = others[rng.integers(len(others))]
        point = np.round(64 * (point + corners[j]) / 2 / size) / 64 * size
    elif kind in (3, 4) and others:  # the same as another, either way round, or nearly
        a, b, c = others[rng.integers(len(others))]
        factor = rng.choice([-2.0, -1.0, 1.0, 3.0])
        nearly = size * 2.0**-40 * (abs(a) + abs(b)) if kind == 4 else 0.0
        return factor * a, factor * b, factor * c + nearly
    elif kind == 5:  # one point in the middle for all
        point = np.round(16 * middle / size) / 16 * size
    elif kind == 6:  # far away
        return a, b, float(rng.choice([-1e7, 1e7]))
    elif kind == 7:  # no line at all
        return 0.0, 0.0, float(rng.integers(-1, 2))
    elif kind > 7:
        point = np.round(64 * (corners[i] + rng.random() * (corners[j] - corners[i]))) / 64
    return a, b, -(a * point[0] + b * point[1])


def network(rng, corners, width):
    """Return a network, its neurons rescaled at random."""
    lines = []
    for _ in range(width):
        lines.append(line(rng, corners, lines))
    rows = np.array(lines).reshape(width, 3)
    rows *= 2.0 ** rng.integers(-3, 4, (width, 1))
    size = float(np.ptp(corners, axis=0).max())
    v = rng.integers(-16, 17, width) / 8.0 / size
    skip = rng.integers(-8, 9, 2) / 4.0 / size if rng.random() < 0.5 else None
    kind = rs.leaky(float(rng.choice([0.125, 0.1]))) if rng.random() < 0.3 else "relu"
    return rs.Network(rows[:, :2], rows[:, 2], v, rng.integers(-8, 9) / 4.0, skip, kind)


def matrix(rng, degree):
    """Return random coefficients of a total degree."""
    c = rng.integers(-8, 9, (degree + 1, degree + 1)) / 4.0
    i, j = np.indices(c.shape)
    c[i + j > degree] = 0.0
    return c


def target(rng, corners):
    """Return a polynomial, a teacher, or polynomials cut by lines, with jumps."""
    kind = rng.integers(3)
    if kind == 0:
        return rs.polynomial2d(matrix(rng, rng.integers(0, 4)))
    if kind == 1:
        return network(rng, corners, int(rng.integers(1, 4)))
    lines = []
    while len(lines) < 2:
        drawn = line(rng, corners, lines)
        if any(drawn[:2]):
            lines.append(drawn)
    pieces = [([0, 0], matrix(rng, 1)), ([1, 0], matrix(rng, 1)), ([-1, 1], matrix(rng, 2))]
    return rs.piecewise_polynomial2d(lines, pieces)


def density(rng, corners):
    """Return None, or a polynomial that is not negative on the polygon."""
    kind = rng.integers(4)
    if kind < 2:
        return None
    low = corners.min(axis=0)
    if kind == 2:
        return rs.polynomial2d([[1 - low[0] - low[1], 1.0], [1.0, 0.0]])
    x = float(corners[0, 0])  # (x - x0)^2 touches zero inside or on the border
    return rs.polynomial2d([[x * x], [-2 * x], [1.0]])


def draw(rng, width):
    """Return vertices, target, density and a network."""
    corners = polygon(rng)
    return corners, target(rng, corners), density(rng, corners), network(rng, corners, width)
