"""The figures of landscapes: atlas, trap and verdict."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reluscape as rs
from reluscape.report.atlas import MOST_FUNCTIONS, plot_atlas, ranges, spread
from reluscape.report.entries import Entry, bends
from reluscape.report.functions import KINDS
from reluscape.report.plots import save_figure
from reluscape.report.trap_plot import plot_trap
from reluscape.report.verdict_plot import plot_verdict

SIGNATURES = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def saddle(n: int) -> rs.Network:
    """The saddle of the affine landscape of x on [0, 1] with n kinks, from the papers."""
    i = np.arange(1, n + 1)
    w = np.where(i % 2 == 1, 1.0, -1.0)
    net = rs.Network(w, -w * i / (n + 1), 2 / (n + 1) * w)
    return rs.Network(net.weights, net.biases, net.outputs, 0.5 - float(net(0.5)))


def entries_of(problem: Any, networks: list[tuple[str, rs.Network]]) -> list[Entry]:
    rows = sorted(networks, key=lambda row: problem.risk(row[1]))
    return [
        Entry(i, kind, problem.risk(net), net, "", bends(net, problem.a, problem.b))
        for i, (kind, net) in enumerate(rows, 1)
    ]


def affine_case(width: int) -> tuple[Any, list[Entry]]:
    problem = rs.Interval(rs.affine(1, 0), 0, 1)
    networks = [("saddle", saddle(n)) for n in range(0, width + 1, 2)]
    networks.append(("local minimum", rs.Network([-1.0], [-1.0], [1.0], 0.5)))
    entries = entries_of(problem, networks)
    best = Entry(0, "global minimum", 0.0, rs.Network([1.0], [0.0], [1.0]), "", ())
    return problem, [Entry(e.number + 1, *list(vars(e).values())[1:]) for e in [best, *entries]]


def jump_case() -> tuple[Any, list[Entry]]:
    problem = rs.Interval(rs.step(0.5), 0, 1)
    networks = [
        ("local minimum", rs.Network([1.0], [-0.25], [16 / 9], 0.0)),
        ("local minimum", rs.Network([-1.0], [0.75], [-16 / 9], 1.0)),
        ("undecided", rs.Network([1.0], [1.0], [1.5], -1.75)),
        ("saddle", rs.Network([-1.0], [-1.0], [1.0], 0.5)),
    ]
    return problem, entries_of(problem, networks)


CASES = {"affine": affine_case(4), "many": affine_case(40), "jump": jump_case()}


@pytest.fixture
def trap() -> Any:
    """Not a trap, but of its shape."""
    problem = rs.Interval(rs.expression("x^2"), 0, 1)

    def member(t: float, width: int = 2) -> rs.Network:
        rest = width - 1
        return rs.Network([1.0] * width, [-t] + [-2.0] * rest, [1.0] + [0.0] * rest, 0.1)

    better = rs.Network([1.0, 1.0], [0.0, -0.5], [0.5, 1.0], -0.04)
    return SimpleNamespace(
        problem=problem,
        risk=0.05,
        gap=0.04,
        requested=0.03,
        better=better,
        range=(0.1, 0.6),
        member=member,
    )


def texts_of(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts if text.get_text()]


@pytest.mark.parametrize(
    ("name", "suffix"), [("affine", ".png"), ("many", ".pdf"), ("jump", ".svg")]
)
def test_every_kind_is_written_the_same_each_time(tmp_path: Path, name: str, suffix: str) -> None:
    for copy in "ab":
        save_figure(plot_atlas(*CASES[name]), tmp_path / f"{copy}{suffix}")
    content = (tmp_path / f"a{suffix}").read_bytes()
    assert content.startswith(SIGNATURES[suffix])
    assert content == (tmp_path / f"b{suffix}").read_bytes()
    assert "matplotlib.pyplot" not in sys.modules


def test_functions_are_those_of_the_networks() -> None:
    problem, entries = CASES["affine"]
    left, _ = plot_atlas(problem, entries, x_name="time").axes
    drawn = [line.get_xydata() for line in left.get_lines() if len(line.get_xydata()) >= 2]
    for entry in entries:
        knots = np.array([0.0, *entry.breakpoints, 1.0])
        wanted = np.column_stack([knots, entry.network(knots)])
        assert any(d.shape == wanted.shape and np.allclose(d, wanted) for d in drawn)
    assert left.get_xlabel() == "time"
    assert texts_of(left) == [str(e.number) for e in entries]


def test_levels_rise_with_risk_and_zero_is_at_the_bottom() -> None:
    problem, entries = CASES["affine"]
    _, right = plot_atlas(problem, entries).axes
    heights = {
        tuple(np.round(bars.get_color()[0][:3], 6)): [s[0, 1] for s in bars.get_segments()]
        for bars in right.collections
    }
    assert len(heights) == 3
    every = sorted(s[0, 1] for bars in right.collections for s in bars.get_segments())
    assert every[0] == 0.0
    assert every[-1] == pytest.approx(1.0)
    ticks = [label.get_text() for label in right.get_yticklabels()]
    assert ticks[0] == "0"
    # Logarithmic above zero: equal ratios have equal distances.
    levels = [1 / 7500, 1 / 972, 1 / 12]
    ratio = np.log(levels[1] / levels[0]) / np.log(levels[2] / levels[0])
    low, middle, high = sorted(set(np.round(every[1:], 9)))
    assert (middle - low) / (high - low) == pytest.approx(ratio)


def test_a_jump_is_not_drawn_as_a_line() -> None:
    problem, entries = CASES["jump"]
    left, right = plot_atlas(problem, entries).axes
    flat = [line.get_ydata() for line in left.get_lines() if len(line.get_ydata()) > 100]
    assert [set(y.tolist()) for y in flat] == [{0.0}, {1.0}]
    assert right.get_yticklabels()[0].get_text() == "0.00"


@pytest.mark.parametrize("name", CASES)
def test_no_text_covers_another(name: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = plot_atlas(*CASES[name])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = []
    for axes in figure.axes:
        boxes += [text.get_window_extent(renderer) for text in axes.texts if text.get_text()]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [t for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
            boxes += [tick.label1.get_window_extent(renderer) for tick in ticks]
        boxes += [axis.label.get_window_extent(renderer) for axis in (axes.xaxis, axes.yaxis)]
    boxes += [t.get_window_extent(renderer) for t in figure.legends[0].get_texts()]
    whole = figure.bbox
    for box in boxes:
        assert whole.x0 <= box.x0 <= box.x1 <= whole.x1
        assert whole.y0 <= box.y0 <= box.y1 <= whole.y1
    for one, other in itertools.combinations(boxes, 2):
        # Fonts leave room above and below their letters.
        assert not one.padded(-2).overlaps(other.padded(-2))


def test_too_many_functions_are_thinned_out_and_said_so() -> None:
    problem, entries = CASES["many"]
    figure = plot_atlas(problem, entries)
    assert len(texts_of(figure.axes[0])) == MOST_FUNCTIONS
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert f"({MOST_FUNCTIONS} of {len(entries)} drawn on the left)" in said
    assert said[:4] == ["target", "global minimum", "local minimum", "saddle"]


def test_one_point_of_risk_zero_has_a_figure(tmp_path: Path) -> None:
    problem = rs.Interval(rs.affine(0, 2), -1, 1)
    net = rs.Network([0.0], [-1.0], [0.0], 2.0)
    figure = plot_atlas(problem, [Entry(1, "global minimum", 0.0, net, "", ())])
    save_figure(figure, tmp_path / "a.png")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_spread_keeps_order_and_room(heights: list[float]) -> None:
    placed = spread(heights, 0.1)
    assert all(-1e-9 <= p <= 1 + 1e-9 for p in placed)
    order = sorted(range(len(heights)), key=lambda i: (heights[i], i))
    for i, j in itertools.pairwise(order):
        assert placed[j] - placed[i] >= 0.1 - 1e-9
    if all(heights[j] - heights[i] >= 0.1 for i, j in itertools.pairwise(order)):
        assert placed == pytest.approx(heights, abs=1e-9)


def test_ranges() -> None:
    assert ranges([4]) == "4"
    assert ranges([5, 4]) == "4, 5"
    assert ranges([9, 1, 2, 3]) == "1–3, 9"


def test_a_trap_shows_its_members_and_the_better_network(trap: Any, tmp_path: Path) -> None:
    figure = plot_trap(trap, [0.2, 0.4], width=3)
    save_figure(figure, tmp_path / "trap.pdf")
    left, right = figure.axes
    drawn = [line.get_xydata() for line in left.get_lines()]
    for net in (trap.member(0.2), trap.member(0.4), trap.better):
        knots = np.array([0.0, *bends(net, 0, 1), 1.0])
        wanted = np.column_stack([knots, net(knots)])
        assert any(d.shape == wanted.shape and np.allclose(d, wanted) for d in drawn)
    assert "gap ≥ 0.04000" in texts_of(right)


KINDS_SHOWN = ["saddle", "local minimum", "undecided", "not critical", "global minimum"]


@pytest.mark.parametrize("kind", KINDS_SHOWN)
def test_a_verdict_on_an_interval(kind: str, tmp_path: Path) -> None:
    problem = rs.Interval(rs.step(0.5), 0, 1)
    net = rs.Network([1.0], [-0.25], [16 / 9])
    better = rs.Network([1.0], [-0.3], [16 / 9])
    escape = SimpleNamespace(network=better, risk=problem.risk(better))
    verdict = SimpleNamespace(kind=kind, risk=problem.risk(net), escape=escape)
    figure = plot_verdict(problem, net, verdict)
    save_figure(figure, tmp_path / "a.svg")
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert said[0] == "target"
    assert said[1].startswith(f"{kind}, risk 0.05555")
    assert said[2].startswith("a way down, risk")
    assert kind in KINDS
    error = max((line.get_xydata() for line in figure.axes[1].get_lines()), key=len)
    assert error[0, 1] == pytest.approx(0.0)
    assert error[-1, 1] == pytest.approx(1 / 3)


def test_a_verdict_on_data_and_what_has_no_figure() -> None:
    data = rs.Samples([0.0, 1.0, 2.0], [0.0, 1.0, 1.0], [1.0, 2.0, 3.0])
    net = rs.Network([1.0], [0.0], [1.0], skip=[0.5])
    verdict = SimpleNamespace(kind="not critical", risk=data.risk(net), escape=None)
    figure = plot_verdict(data, net, verdict, x_name="dose", y_name="$effect$")
    assert figure.axes[1].get_xlabel() == "dose"
    assert figure.axes[0].get_ylabel() == "$effect$"
    space = rs.Samples([[0.0, 1.0, 2.0], [1.0, 0.0, 2.0]], [1.0, 2.0])
    wide = rs.Network([[1.0, 1.0, 1.0]], [0.0], [1.0])
    with pytest.raises(rs.InputError, match="no figure for more than two inputs"):
        plot_verdict(space, wide, verdict)
