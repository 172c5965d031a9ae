"""The report: one file, complete, safe."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reluscape.report.document import write_report

VOID = {"meta", "br", "img", "link", "hr", "input"}


class Strict(HTMLParser):
    """Checks that elements nest, and collects elements, addresses and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "xlink:href", "action"}:
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def parse(path: Path) -> Strict:
    parser = Strict()
    parser.feed(path.read_text(encoding="utf-8"))
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture
def page(hat_fit: Any, hat_inference: Any, tmp_path: Path) -> Strict:
    write_report(
        hat_fit,
        tmp_path / "r.html",
        command=["reluscape", "fit", "my data.csv", "--width", "1"],
        x_name="time",
        y_name="dose",
        inference=hat_inference,
        source="my data.csv",
    )
    return parse(tmp_path / "r.html")


def test_it_loads_and_runs_nothing(page: Strict) -> None:
    assert not {"script", "link", "iframe", "object", "embed", "img"} & set(page.elements)
    assert page.handlers == []
    assert all(address.startswith(("#", "data:")) for address in page.addresses)


def test_it_says_what_was_fitted(page: Strict) -> None:
    text = " ".join(page.text)
    for part in ("dose against time", "my data.csv", "60", "5.0000", "1 breakpoint", "no claim"):
        assert part in text
    assert page.elements.count("svg") == 1
    for heading in ("Breakpoints", "Slopes", "Formula", "Residuals", "Make this report again"):
        assert heading in text
    assert "Widths" not in text


def test_the_command_can_be_pasted(page: Strict) -> None:
    line = next(text for text in page.text if text.startswith("reluscape fit"))
    assert shlex.split(line) == ["reluscape", "fit", "my data.csv", "--width", "1"]


def test_versions_are_named(page: Strict) -> None:
    assert re.search(r"reluscape \S+, NumPy \S+, Python 3\.\d+", " ".join(page.text))


def test_colours_follow_the_page(page: Strict, tmp_path: Path) -> None:
    svg = (tmp_path / "r.html").read_text(encoding="utf-8")
    svg = svg[svg.index("<svg") : svg.index("</svg>")]
    assert "currentColor" in svg
    assert "#222222" not in svg


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a&b", "'quoted'", "é$_{"],
)
def test_names_are_text(hat_fit: Any, hat_inference: Any, tmp_path: Path, name: str) -> None:
    write_report(
        hat_fit,
        tmp_path / "r.html",
        command=["reluscape", "fit", name],
        x_name=name,
        y_name=name,
        weights_name=name,
        inference=hat_inference,
        source=name,
    )
    page = parse(tmp_path / "r.html")
    assert not {"script", "img"} & set(page.elements)
    assert page.handlers == []
    assert sum(name in text for text in page.text) >= 4


def test_widths_are_shown(fit_with: Any, width_rows: Any, tmp_path: Path) -> None:
    x = np.arange(20.0)
    write_report(fit_with(x, np.abs(x - 9), [9.0], widths=width_rows), tmp_path / "r.html")
    text = " ".join(parse(tmp_path / "r.html").text)
    assert "BIC" in text
    assert text.count("chosen") == 2  # the row, and the note under the table


def test_a_million_rows_make_a_small_report(
    million_fit: Any, infer_for: Any, tmp_path: Path
) -> None:
    path = tmp_path / "r.html"
    write_report(million_fit, path, inference=infer_for(million_fit))
    assert path.stat().st_size < 1_000_000
    assert "1,000,000" in path.read_text(encoding="utf-8")


def test_a_straight_line_through_two_rows(fit_with: Any, tmp_path: Path) -> None:
    fit = fit_with(np.array([0.0, 1.0]), np.array([0.0, 2.0]), [])
    write_report(fit, tmp_path / "r.html")
    text = " ".join(parse(tmp_path / "r.html").text)
    assert "straight line" in text
    assert "Breakpoints" not in text


def test_several_inputs_and_weights(fit_with: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    write_report(fit_with(x, y, [0.0], np.arange(30.0)), tmp_path / "r.html", x_name="a, b")
    text = " ".join(parse(tmp_path / "r.html").text)
    assert "square root of weight" in text
    assert "Formula" not in text


def test_formulas_keep_their_digits_far_from_zero(fit_with: Any, tmp_path: Path) -> None:
    x = 1.7e9 + np.arange(100.0)
    fit = fit_with(x - 1.7e9, 1e6 + 1e-3 * x, [])
    object.__setattr__(fit, "breakpoints", np.empty(0))
    write_report(fit, tmp_path / "r.html")
    assert "2700000" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_how_sure_it_is(proved_fit: Any, pinned: Any, tmp_path: Path) -> None:
    write_report(
        proved_fit,
        tmp_path / "r.html",
        pinned=pinned,
        command=["reluscape", "fit", "a.csv"],
        check=["reluscape", "check", "a <b>.json", "a.csv"],
    )
    page = parse(tmp_path / "r.html")
    text = " ".join(page.text)
    for part in (
        "How sure is this?",
        "2.5e-01",
        "gap open: time was up after 0.250 s",
        "lower by more than 25 %",
        "No network of width 1 with a skip connection whose jth breakpoint",
        "within 1 % of this one's",
        "4.5000",
        "5.7500",
        "the green bars",
    ):
        assert part in text
    assert "need be" not in text
    commands = [shlex.split(line) for line in page.text if line.startswith("reluscape check")]
    assert commands == [["reluscape", "check", "a <b>.json", "a.csv"]]
    assert page.elements.count("svg") == 2


def test_parts_of_the_figures_are_not_mixed_up(proved_fit: Any, tmp_path: Path) -> None:
    write_report(proved_fit, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    names = re.findall(r' id="([^"]+)"', page)
    assert len(names) == len(set(names))
    used = re.findall(r'(?:href="#|url\(#)([^")]+)', page)
    assert used
    assert set(used) <= set(names)


def test_a_closed_gap_wide_pins_and_no_certificate_file(
    proved_fit: Any, pinned: Any, tmp_path: Path
) -> None:
    closed = replace(proved_fit, ended="closed", lower_bound=proved_fit.risk * (1 - 1e-6))
    held = replace(proved_fit.constraints, monotone="increasing")
    closed = replace(closed, constraints=held)
    wide = replace(pinned, fine=False, share=0.05)
    write_report(closed, tmp_path / "r.html", pinned=wide, command=["reluscape", "fit", "a.csv"])
    text = " ".join(parse(tmp_path / "r.html").text)
    assert "gap closed" in text
    assert text.count("that keeps to the constraints") == 2
    assert "within 1.0e-06 of it" in text
    assert "within 5 %" in text
    assert "they may be wider than need be" in text
    assert "Add --certificate FILE" in text
    write_report(closed, tmp_path / "r.html")
    text = " ".join(parse(tmp_path / "r.html").text)
    assert "reluscape.check(fit.certificate, data)" in text
    assert "Where all good fits" not in text


def test_without_a_bound_nothing_is_said_of_it(page: Strict) -> None:
    assert "How sure" not in " ".join(page.text)
