"""The figure of an attainment: what is drawn where."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import reluscape as rs
from reluscape.report.attainment_plot import plot_attainment
from reluscape.report.functions import draw_network
from reluscape.report.plots import save_figure

BOUNDS = np.array([1.0, 2.0, 4.0, 8.0])
JUMP = rs.Interval(rs.step(0.5), 0, 1)


def answer_of(
    risks: list[float], rate: float | None, attained: bool | None, infimum: float | None
) -> rs.Attainment:
    """An answer with evidence of our own: ramps, ever steeper."""
    networks = tuple(
        rs.Network([b, b], [0.5 - 0.5 * b, -0.5 - 0.5 * b], [1.0, -1.0]) for b in BOUNDS
    )
    evidence = rs.AttainmentEvidence(BOUNDS, np.array(risks), BOUNDS, rate, None, networks)
    return rs.Attainment(attained, "", infimum, None, None, evidence)


def points_of(axes) -> np.ndarray:
    """The risks as they are drawn: on the line through all of them."""
    return next(line.get_xydata() for line in axes.get_lines() if len(line.get_xydata()) == 4)


def words_of(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_risks_and_their_rate() -> None:
    risks = [1.0, 0.25, 0.0625, 0.015625]
    left, right = plot_attainment(JUMP, answer_of(risks, 2.0, False, 0.0)).axes
    assert points_of(right) == pytest.approx(np.column_stack([BOUNDS, risks]))
    assert (right.get_xscale(), right.get_yscale()) == ("log", "log")
    (dashed,) = [line for line in right.get_lines() if len(line.get_xydata()) == 2]
    ends = dashed.get_xydata()
    slope = np.diff(np.log(ends[:, 1])) / np.diff(np.log(ends[:, 0]))
    assert slope == pytest.approx(-2.0)
    assert words_of(right) == ["size$^{-2.00}$"]
    assert right.get_ylabel() == "risk"
    # The ramps, whose kinks are at 1/2 -+ 1/(2 b), over the target.
    drawn = [line.get_xydata() for line in left.get_lines() if len(line.get_xydata()) == 4]
    for bound in BOUNDS[1:]:
        knots = [0.0, 0.5 - 0.5 / bound, 0.5 + 0.5 / bound, 1.0]
        wanted = np.column_stack([knots, [0.0, 0.0, 1.0, 1.0]])
        assert any(np.allclose(d, wanted) for d in drawn)


def test_an_infimum_is_taken_off_where_it_is_not_attained() -> None:
    risks = [1.5, 0.75, 0.5625, 0.515625]
    _, right = plot_attainment(JUMP, answer_of(risks, 2.0, False, 0.5)).axes
    assert points_of(right)[:, 1] == pytest.approx(np.array(risks) - 0.5)
    assert right.get_ylabel() == "risk above the infimum 0.5000"
    _, right = plot_attainment(JUMP, answer_of(risks, None, True, 0.5)).axes
    assert points_of(right)[:, 1] == pytest.approx(risks)
    assert words_of(right) == ["infimum"]


@pytest.mark.parametrize("risks", [[1.0, 0.0, 0.0, 0.0], [1.0, 1e-19, 1e-30, 0.0]])
def test_what_is_zero_is_hollow_below_the_rest(risks: list[float]) -> None:
    _, right = plot_attainment(JUMP, answer_of(risks, None, True, 0.0)).axes
    assert points_of(right)[:, 1] == pytest.approx([1.0, 0.01, 0.01, 0.01])
    hollow = [line for line in right.get_lines() if line.get_markerfacecolor() == "white"]
    assert [len(line.get_xydata()) for line in hollow] == [3]
    assert words_of(right) == ["0 to rounding"]


def test_all_zero() -> None:
    _, right = plot_attainment(JUMP, answer_of([0.0] * 4, None, True, 0.0)).axes
    assert len(right.get_yticks()) == 0


def test_curved_networks_are_drawn_finely_where_they_bend() -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    steep = rs.Network([1e4, 0.0], [-5e3, 1.0], [1.0, 2.0], activation="tanh")
    draw_network(axes, steep, (0.0, 1.0), "black")
    (line,) = axes.get_lines()
    x, y = line.get_xydata().T
    assert np.array_equal(y, steep(x))
    assert (x[0], x[-1]) == (0.0, 1.0)
    # It rises by 2, in steps of an eighth of that at most.
    assert np.abs(np.diff(y)).max() <= 0.25


def test_files_are_the_same_each_time(tmp_path: Path) -> None:
    answer = rs.attainment(JUMP, 2, bounds=(1.0, 2.0))
    for name in ("a.png", "b.png"):
        save_figure(plot_attainment(JUMP, answer), tmp_path / name)
    content = (tmp_path / "a.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert content == (tmp_path / "b.png").read_bytes()
    assert "matplotlib.pyplot" not in sys.modules


def test_without_evidence_there_is_nothing_to_draw() -> None:
    with pytest.raises(rs.InputError, match="give bounds"):
        plot_attainment(JUMP, rs.attainment(JUMP, 2, bounds=()))
