"""The figure of a run that blows up."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import reluscape as rs
from reluscape.report.plots import save_figure

RAMP = rs.Network([2.0, 2.0], [-0.8, -1.2], [2.5, -2.5])
STEP = rs.Interval(rs.step(0.5), 0, 1)


@pytest.fixture(scope="module")
def run():
    return rs.descend(STEP, RAMP, step_size=0.01, steps=100_000)


def lines(axes):
    return [np.asarray(line.get_xydata()) for line in axes.lines]


def test_risk_and_norm_are_those_of_the_run(run):
    norms, risks, _ = rs.plot_blow_up(STEP, run).axes
    for axes, values, name in ((risks, run.risks, "risk"), (norms, run.norms, "norm")):
        (drawn,) = lines(axes)
        np.testing.assert_array_equal(drawn, np.column_stack([run.recorded, values])[1:])
        assert (axes.get_xscale(), axes.get_yscale(), axes.get_ylabel()) == ("log", "log", name)
        low, high = axes.get_ylim()
        ticks = [t for t in axes.get_yticks() if low <= t <= high]
        assert len(ticks) >= 3
    assert norms.get_xlabel() == "step"


def test_the_limit_has_a_gap_and_the_network_none(run):
    assert run.outcome == "blowing up"
    functions = rs.plot_blow_up(STEP, run).axes[2]
    drawn = lines(functions)
    dashed = [
        line for line in functions.lines if line.get_linestyle() == "--" and len(line.get_xdata())
    ]
    ends = sorted((float(line.get_xdata()[0]), float(line.get_xdata()[-1])) for line in dashed)
    assert ends == [(0.0, 0.5), (0.5, 1.0)]
    for line in dashed:  # no part of it crosses the jump
        assert np.ptp(line.get_ydata()) < 0.05
    network = [xy for xy in drawn if len(xy) == 4 and xy[0, 0] == 0.0 and xy[-1, 0] == 1.0]
    np.testing.assert_allclose(network[0][:, 1], run.network(network[0][:, 0]))
    # A dot below, where the boundary itself counts, and a ring above.
    marks = [
        (float(line.get_ydata()[0]), line.get_markerfacecolor())
        for line in functions.lines
        if line.get_marker() == "o" and len(line.get_xdata()) == 1
    ]
    below, above = sorted(marks)
    assert below[0] == pytest.approx(0.0, abs=0.01)
    assert above[0] == pytest.approx(1.0, abs=0.01)
    assert (below[1], above[1]) == ("#d55e00", "white")


def test_legend_says_the_risks(run):
    (legend,) = rs.plot_blow_up(STEP, run).legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[0] == "target"
    assert f"{run.risks[-1]:.5g}" in texts[1]
    assert "approaches" in texts[2]


def test_flows_data_and_runs_without_a_limit(tmp_path):
    flown = rs.flow(STEP, RAMP, time=3.0)
    assert flown.limit is None
    figure = rs.plot_blow_up(STEP, flown, x_name="$a$", y_name="b_1")
    assert figure.axes[0].get_xlabel() == "time"
    assert figure.axes[2].get_xlabel() == "$a$"
    assert len(figure.legends[0].get_texts()) == 2
    x = np.linspace(0, 1, 200)
    data = rs.Samples(x, np.where(x > 0.5, 1.0, 0.0))
    run = rs.descend(data, RAMP, step_size=0.01, steps=200_000)
    limit = rs.limit_response(run.snapshots, steps=run.snapshot_steps, domain=(0, 1), close=0.1)
    figure = rs.plot_blow_up(data, run, limit=limit)
    assert "approaches" in figure.legends[0].get_texts()[-1].get_text()
    for suffix in (".png", ".svg", ".pdf"):
        save_figure(figure, tmp_path / f"a{suffix}")
    still = rs.descend(STEP, rs.Network([1.0], [-2.0], [0.0]), step_size=0.1, steps=10)
    save_figure(rs.plot_blow_up(STEP, still), tmp_path / "still.png")
    assert "matplotlib.pyplot" not in sys.modules


def test_refusals(run):
    plane = rs.Samples(np.eye(2), [0.0, 1.0])
    with pytest.raises(rs.InputError, match="no figure for several"):
        rs.plot_blow_up(plane, run)
    with pytest.raises(rs.InputError, match="made no step"):
        rs.plot_blow_up(STEP, rs.descend(STEP, RAMP, step_size=0.1, steps=0))
