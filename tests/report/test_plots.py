"""The figure of a fit."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reluscape.errors import InputError
from reluscape.report.plots import plot_fit, save_figure
from reluscape.report.proof_plot import plot_bounds

SIGNATURES = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("suffix", SIGNATURES)
def test_every_kind_is_written(
    hat_fit: Any, hat_inference: Any, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"figure{suffix}"
    save_figure(plot_fit(hat_fit, hat_inference), path)
    content = path.read_bytes()
    assert content.startswith(SIGNATURES[suffix])
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SIGNATURES)
def test_the_same_fit_gives_the_same_bytes(hat_fit: Any, tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        save_figure(plot_fit(hat_fit), tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_pyplot_stays_out(hat_fit: Any) -> None:
    plot_fit(hat_fit)
    assert "matplotlib.pyplot" not in sys.modules


def test_line_and_breakpoints_are_where_the_fit_says(hat_fit: Any, hat_inference: Any) -> None:
    upper, lower = plot_fit(hat_fit, hat_inference, x_name="time", y_name="dose").axes
    lines = [line.get_xydata() for line in upper.get_lines()]
    knots = max(lines, key=len)
    np.testing.assert_allclose(knots[:, 1], hat_fit.predict(knots[:, 0].copy()))
    assert 5.0 in knots[:, 0]
    (band,) = [patch for patch in upper.patches if patch.get_width() < 1]
    assert band.get_x() == pytest.approx(4.8)
    assert band.get_width() == pytest.approx(0.4)
    assert (lower.get_xlabel(), upper.get_ylabel()) == ("time", "dose")


def test_an_interval_that_is_not_known_is_not_drawn(hat_fit: Any, hat_inference: Any) -> None:
    from dataclasses import replace

    nan = float("nan")
    (known,) = hat_inference.breakpoints
    unknown = replace(hat_inference, breakpoints=(replace(known, low=nan, high=nan),))
    upper, _ = plot_fit(hat_fit, unknown).axes
    assert not upper.patches


def test_pinned_intervals_are_bars_under_the_data(
    hat_fit: Any, hat_inference: Any, pinned: Any, tmp_path: Path
) -> None:
    figure = plot_fit(hat_fit, hat_inference, pinned=pinned)
    _, strip, lower = figure.axes
    (bars,) = strip.collections
    np.testing.assert_allclose(bars.get_segments(), [[[4.5, 1], [5.75, 1]]])
    assert strip.get_ylabel() == "within\n1 %"
    assert strip.get_xlim() == lower.get_xlim()
    save_figure(figure, tmp_path / "a.png")


def test_no_breakpoints_make_no_strip(fit_with: Any, pinned: Any) -> None:
    none = type(pinned)(np.empty((0, 2)))
    assert len(plot_fit(fit_with(np.arange(9.0), np.ones(9), []), pinned=none).axes) == 2


def test_bounds_over_time(proved_fit: Any, tmp_path: Path) -> None:
    figure = plot_bounds(proved_fit)
    upper, lower = figure.axes
    risk, bound = (line.get_xydata() for line in upper.get_lines())
    np.testing.assert_allclose(risk[:, 1], proved_fit.risk)
    np.testing.assert_allclose(bound[:, 1], proved_fit.bounds[:, 1])
    gaps = lower.get_lines()[0].get_xydata()[:, 1]
    np.testing.assert_allclose(gaps, [1.0, 0.4, 0.25])
    assert lower.get_yscale() == "log"
    save_figure(figure, tmp_path / "a.svg")


@pytest.mark.parametrize("risk", [0.0, 1e-300])
def test_bounds_without_a_gap(proved_fit: Any, tmp_path: Path, risk: float) -> None:
    object.__setattr__(proved_fit, "bounds", np.array([[0.1, risk, risk], [0.1, risk, risk]]))
    save_figure(plot_bounds(proved_fit), tmp_path / "a.png")


def test_without_bounds_there_is_nothing_to_draw(hat_fit: Any) -> None:
    with pytest.raises(InputError, match="certify=True"):
        plot_bounds(hat_fit)


@pytest.mark.parametrize("name", ["$x_$", "a & <b>", "100 % \\frac", "{}", "温度", ""])
def test_any_column_name_is_a_label(hat_fit: Any, tmp_path: Path, name: str) -> None:
    save_figure(plot_fit(hat_fit, x_name=name, y_name=name), tmp_path / "a.svg")


def test_a_million_rows_are_drawn_at_once(million_fit: Any, tmp_path: Path) -> None:
    plot_fit(million_fit)
    seconds: list[float] = []
    for _ in range(3):
        # Time of this process, the best of a few: other tests share the machine.
        start = time.process_time()
        save_figure(plot_fit(million_fit), tmp_path / "a.png")
        seconds.append(time.process_time() - start)
    assert min(seconds) < 1.5


def test_a_million_rows_make_a_small_file(million_fit: Any, tmp_path: Path) -> None:
    save_figure(plot_fit(million_fit), tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size < 500_000


def test_data_that_fill_no_plane(fit_with: Any, tmp_path: Path) -> None:
    constant = fit_with(np.full(6000, 3.0) + np.arange(6000) % 2, np.ones(6000), [])
    save_figure(plot_fit(constant), tmp_path / "a.png")
    save_figure(plot_fit(fit_with(np.zeros(3), np.ones(3), [])), tmp_path / "b.png")


def test_weights_and_several_inputs(fit_with: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    save_figure(plot_fit(fit_with(x[:, 0], y, [0.0], np.arange(30.0))), tmp_path / "a.png")
    _, lower = plot_fit(fit_with(x, y, [0.0]), x_name="a, b").axes
    assert lower.get_xlabel() == "fitted value"


def test_weighted_density(fit_with: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 6000))
    save_figure(plot_fit(fit_with(x, y, [0.0], np.arange(6000) % 3)), tmp_path / "a.png")


def test_a_failed_write_leaves_the_old_file(hat_fit: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    class Broken:
        def savefig(self, handle: Any, **options: Any) -> None:
            handle.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save_figure(Broken(), path)  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]
