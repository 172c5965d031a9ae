"""The figure of a network with two inputs: folds where neurons switch, colours of values."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import reluscape as rs
from reluscape.report.plots import save_figure
from reluscape.report.surface_plot import plot_surface
from reluscape.report.surface_scene import scene_of, segments, values_shown
from reluscape.report.verdict_plot import plot_verdict
from several_cases import KITE, curved, normal, taught

PAIR = rs.Network([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], [-0.25, -1.0, 3.0], [2.0, -1.0, 1.0], 0.5)


def test_folds_end_on_the_border():
    found = segments(scene_of(curved(), PAIR), PAIR)
    assert [j for j, _ in found] == [0, 1]
    ends = {j: sorted(part.tolist()) for j, part in found}
    np.testing.assert_allclose(ends[0], [[0.25, 0.0], [0.25, 1.0]])
    np.testing.assert_allclose(ends[1], [[0.0, 1.0], [1.0, 0.0]])


def test_values_and_errors_are_those_of_the_functions():
    problem = taught(0)
    scene = scene_of(problem, PAIR)
    x, y = np.linspace(*scene.box[:2], 241), np.linspace(*scene.box[2:], 241)
    at = np.array([[x[120], y[60]]])
    assert scene.values[60, 120] == PAIR(at)[0]
    assert scene.target[60, 120] == problem.target(at)[0]
    assert scene.errors[60, 120] == PAIR(at)[0] - problem.target(at)[0]
    # Nothing is drawn outside the polygon, nor does it stretch the colours.
    assert np.isnan(scene.values[-1, 0])
    low, high = values_shown(scene)
    corners = np.concatenate([PAIR(np.array(KITE)), problem.target(np.array(KITE))])
    assert low <= corners.min() + 0.2
    assert high >= corners.max() - 0.2


@pytest.mark.parametrize("kind", ["local minimum", "saddle", "not critical", "undecided"])
def test_panels_and_labels(kind, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2)) * [30.0, 1.0]
    data = rs.Samples(x, x[:, 1], rng.random(40))
    escape = SimpleNamespace(network=PAIR, risk=0.125, drop=0.5)
    verdict = SimpleNamespace(kind=kind, risk=0.625, escape=escape if kind == "saddle" else None)
    figure = plot_verdict(data, PAIR, verdict, x_names=("dose $x$", "time"), y_name="$effect$")
    network, middle, error = figure.axes[:3]
    assert [a.get_title() for a in (network, middle, error)] == [
        "network",
        "data: $effect$",
        "error (network − data)",
    ]
    assert network.get_xlabel() == "dose $x$"
    assert network.get_ylabel() == "time"
    # Dots are where the rows are, the error's in the colours of N - y.
    dots = middle.collections[0]
    assert sorted(map(tuple, dots.get_offsets().tolist())) == sorted(map(tuple, x.tolist()))
    shown = error.collections[0]
    expected = PAIR(x) - x[:, 1]
    np.testing.assert_allclose(np.sort(shown.get_array()), np.sort(expected))
    assert shown.get_clim() == (-np.abs(expected).max(), np.abs(expected).max())
    texts = [t.get_text() for t in figure.legends[0].get_texts()]
    assert texts[0] == f"{kind}, risk 0.62500"
    assert ("a way down, risk 0.12500" in texts) == (kind == "saddle")
    # Neuron numbers, counted from 0 as in the reasons of a verdict.
    numbers = {t.get_text() for t in network.texts} - {""}
    assert numbers <= {"0", "1", "2"}
    assert numbers
    save_figure(figure, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_styles_say_the_sign_of_v():
    net = rs.Network(np.eye(2), [0.1, -0.1], [1.0, 0.0])
    figure = plot_surface(normal(0, 2), net)
    texts = [t.get_text() for t in figure.legends[0].get_texts()]
    assert texts == ["fold, v > 0", "fold, v = 0"]
    dark = [line for line in figure.axes[0].get_lines() if line.get_color() == "#222222"]
    assert [line.is_dashed() for line in dark] == [False, True]


def test_flat_networks_and_none_have_figures():
    constant = rs.Network(np.empty((0, 2)), [], [], 1.0)
    plot_surface(rs.Polygon(rs.polynomial2d([[1.0]]), KITE), constant)
    plot_surface(rs.Samples([[0.0, 0.0], [0.0, 1.0]], [1.0, 1.0]), constant)


def test_other_numbers_of_inputs_are_refused():
    verdict = SimpleNamespace(kind="saddle", risk=1.0, escape=None)
    three = rs.Samples(np.eye(3), [1.0, 2.0, 3.0])
    net = rs.Network([[1.0, 1.0, 1.0]], [0.0], [1.0])
    with pytest.raises(rs.InputError, match="two inputs"):
        plot_verdict(three, net, verdict)
    with pytest.raises(rs.InputError, match="two inputs"):
        plot_surface(normal(0), net)
