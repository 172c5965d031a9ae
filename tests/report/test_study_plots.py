"""Figures of the ready studies: what they show is what the summaries hold."""

from __future__ import annotations

import io

import numpy as np
import pytest

from reluscape.report.plots import render
from reluscape.report.series import COLORS
from reluscape.report.study_plots import PLOTS
from reluscape.studies.ready import launch


@pytest.fixture(scope="module")
def found():
    """All four studies, far too short to mean anything."""
    return {name: launch.ready_study(name, starts=20, steps=60, engine="inline") for name in PLOTS}


@pytest.fixture(scope="module")
def figures(found):
    return {name: study.figure() for name, study in found.items()}


@pytest.mark.parametrize("name", list(PLOTS))
def test_figure_of_a_study_is_a_picture_of_lines(figures, name):
    handle = io.BytesIO()
    render(figures[name], handle, "pdf")
    assert handle.getvalue().startswith(b"%PDF")
    # Vectors: no image is embedded.
    assert b"/Subtype /Image" not in handle.getvalue()


@pytest.mark.parametrize("name", list(PLOTS))
def test_every_panel_is_labelled(figures, name):
    panels = figures[name].axes
    assert len(panels) == (2 if name == "widths" else 4)
    assert all(axes.get_xlabel() for axes in panels)
    assert all(axes.get_ylabel() for axes in panels[:1])
    assert [axes.get_title(loc="left")[:1] for axes in panels] == list("abcd")[: len(panels)]


def test_chances_over_width_are_those_of_the_summary(found, figures):
    summary = found["convergence"].summary
    axes = figures["convergence"].axes[0]
    assert axes.get_xscale() == "log"
    for i, name in enumerate(summary["problem"].to_numpy()):
        line = axes.get_lines()[i]
        assert line.get_color() == COLORS[i]
        assert np.asarray(line.get_ydata()) == pytest.approx(
            summary["share"].sel(problem=name).to_numpy()
        )


def test_rates_lie_where_the_summary_says(found):
    summary = found["convergence"].summary.copy()
    made = summary.drop_dims("run").assign(
        rate_problem=("run", ["tent", "ramp"]),
        rate_seen=("run", [2e-3, 1e-3]),
        rate_expected=("run", [2.1e-3, np.nan]),
    )
    axes = PLOTS["convergence"](made).axes[3]
    dots = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert len(dots) == 1
    assert np.asarray(dots[0].get_xdata()) == pytest.approx([2.1])
    assert np.asarray(dots[0].get_ydata()) == pytest.approx([2.0])
    # Without any, the panel says so.
    none = made.assign(rate_expected=("run", [np.nan, np.nan]))
    texts = [text.get_text() for text in PLOTS["convergence"](none).axes[3].texts]
    assert texts == ["no run has come to its limit"]


def test_bars_of_fates_fill_the_whole(found, figures):
    summary = found["saddles"].summary
    axes = figures["saddles"].axes[0]
    cells = summary.sizes["scale"] * summary.sizes["step_size"]
    heights = np.array([bar.get_height() for bar in axes.patches]).reshape(-1, cells)
    assert heights.shape[0] == summary.sizes["fate"]
    assert heights.sum(axis=0) == pytest.approx(np.ones(cells))
    counts = summary["fate_count"].isel(activation=0, width=-1).to_numpy().reshape(cells, -1)
    assert heights == pytest.approx((counts / 20).T)


def test_distribution_of_risks_ends_at_one(figures):
    for name, panel in (("saddles", 2), ("traps", 1)):
        line = figures[name].axes[panel].get_lines()[0]
        heights = np.asarray(line.get_ydata())
        assert (np.diff(heights) >= 0).all()
        assert heights[-1] == pytest.approx(1.0)
        assert (np.diff(np.asarray(line.get_xdata())) >= 0).all()


def test_excess_over_the_bound_is_that_of_the_summary(found, figures):
    summary = found["widths"].summary
    figure = figures["widths"]
    for axes, name in zip(figure.axes, summary["problem"].to_numpy(), strict=True):
        assert axes.get_yscale() == "log"
        for line, width in zip(axes.get_lines(), summary["width"].to_numpy(), strict=False):
            cell = summary.sel(problem=name, width=width)
            excess = cell["best_risk"].sel(chance=0.5).to_numpy() / float(cell["bound"]) - 1
            assert np.asarray(line.get_ydata()) == pytest.approx(excess)
            low, high = axes.get_ylim()
            assert low < excess.min()
            assert excess.max() < high


@pytest.mark.parametrize("name", list(PLOTS))
def test_study_says_what_it_found_and_cost(found, name):
    said = str(found[name])
    runs = found[name].result.study.plan.runs
    assert f"{runs:,} runs; " in said
    assert "network-steps in" in said
    assert "inline on cpu" in said
    page = found[name]._repr_html_()
    assert page.count("<table>") == len(found[name].sheets)
    for sheet in found[name].sheets:
        assert sheet.title in said
        assert all(len(row) == len(sheet.headings) for row in sheet.rows)
