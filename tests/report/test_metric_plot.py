"""The metric picture: regions are those of the nearest class."""

from __future__ import annotations

import io

import numpy as np
import pytest

import reluscape as rs
from construction_oracle import clusters
from reluscape.report.metric_plot import plane_of, plot_construction
from reluscape.report.plots import render


@pytest.mark.parametrize("classes", [2, 3])
def test_the_plane_decides_the_class(classes):
    rng = np.random.default_rng(classes)
    x, labels = clusters(rng, 5, classes, 0.5, rows=80)
    made = rs.construct(x, labels, Y=rng.normal(size=(classes, classes)))
    plane = plane_of(made)
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-14)
    points = (made.outputs(x) - plane.origin) @ plane.axes.T
    centres = (made.Y.T - plane.origin) @ plane.axes.T
    away = np.linalg.norm(points[:, np.newaxis] - centres, axis=2)
    np.testing.assert_array_equal(away.argmin(axis=1), made.classify(x))


def shaded(figure):
    """Class and place of every tenth pixel of the shaded regions."""
    image = figure.axes[0].images[0]
    nearest = np.asarray(image.get_array())
    left, right, bottom, top = image.get_extent()
    rows, columns = nearest.shape
    for i in range(0, rows, 10):
        for j in range(0, columns, 10):
            place = (
                left + (right - left) * j / (columns - 1),
                bottom + (top - bottom) * i / (rows - 1),
            )
            yield int(nearest[i, j]), place


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_regions(classes):
    rng = np.random.default_rng(classes)
    x, labels = clusters(rng, 7, classes, 0.3, rows=60)
    names = [f"$_{j}" for j in labels]
    made = rs.construct(x, names)
    figure = plot_construction(made, x, names)
    plane = plane_of(made)
    for nearest, place in shaded(figure):
        away = np.linalg.norm(plane.origin + np.array(place) @ plane.axes - made.Y.T, axis=1)
        assert away[nearest] <= away.min() + 1e-9
    assert sum(len(c.get_offsets()) for c in figure.axes[0].collections[-classes - 1 : -1]) == len(
        x
    )
    for kind in ("png", "svg", "pdf"):
        stream = io.BytesIO()
        render(figure, stream, kind)
        assert stream.tell() > 5_000


def test_two_classes_on_a_line():
    x, labels = clusters(np.random.default_rng(0), 3, 2, 0.3, rows=100)
    made = rs.construct(x, labels, lift=True)
    figure = plot_construction(made, x, labels)
    heights = [p.get_height() for p in figure.axes[0].patches[:120]]
    assert sum(heights) == len(x)
