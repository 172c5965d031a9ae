"""Rate and time left, and where they are shown."""

from __future__ import annotations

import io
import sys
import types

import pytest

from reluscape.studies.progress import LOG_EVERY, WINDOW, Bar, Pace, showing


class Clock:
    """Tells the time that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def paced(chunks: int, **options) -> tuple[Pace, Clock, list[tuple[str, float]]]:
    clock, told = Clock(), []
    pace = Pace(
        range(chunks), progress=lambda text, part: told.append((text, part)), clock=clock, **options
    )
    return pace, clock, told


def test_rate_and_time_left_follow_the_work() -> None:
    pace, clock, told = paced(10, network_steps=[3e6] * 10)
    clock.now = 2.0
    pace.done(0)
    clock.now = 4.0
    pace.done(1)
    assert told == [
        ("1 of 10 chunks, 1.5 million network-steps/s, 18 s left", 0.1),
        ("2 of 10 chunks, 1.5 million network-steps/s, 16 s left", 0.2),
    ]


def test_chunks_count_by_their_weight() -> None:
    pace, clock, told = paced(3, weights=[1.0, 1.0, 8.0])
    clock.now = 1.0
    pace.done(0)
    clock.now = 2.0
    pace.done(1)
    assert told[-1] == ("2 of 3 chunks, 8 s left", 0.2)


def test_what_others_have_done_says_nothing_of_our_speed() -> None:
    pace, clock, told = paced(4, network_steps=[100.0] * 4)
    clock.now = 1.0
    pace.skipped(0)
    clock.now = 2.0
    pace.skipped(1)
    assert told[-1] == ("2 of 4 chunks", 0.5)
    clock.now = 10.0
    pace.done(2)
    assert told[-1] == ("3 of 4 chunks, 10 network-steps/s, 10 s left", 0.75)


def test_the_last_chunk_ends_at_one() -> None:
    pace, clock, told = paced(3, weights=[0.1, 0.2, 0.3])
    for index in range(3):
        clock.now += 1.0
        pace.done(index)
    assert told[-1] == ("3 of 3 chunks", 1.0)


def test_rates_are_those_of_late() -> None:
    pace, clock, told = paced(1000, network_steps=[60.0] * 1000)
    for index in range(10):
        clock.now += 60.0
        pace.done(index)
    assert "1 network-steps/s" in told[-1][0]
    for index in range(10, 400):
        clock.now += 1.0
        pace.done(index)
    # The slow beginning is further back than the window.
    assert WINDOW + 60.0 < 390.0
    assert "60 network-steps/s, 10 min left" in told[-1][0]


def test_a_fast_study_is_not_drawn_without_end() -> None:
    pace, clock, told = paced(1000)
    for index in range(1000):
        clock.now += 0.001
        pace.done(index)
    assert len(told) <= 12
    assert told[-1] == ("1,000 of 1,000 chunks", 1.0)


def test_nobody_listens() -> None:
    pace = Pace(range(2))
    pace.note("hello")
    pace.done(0)
    assert pace.fraction == 0.5


def test_notes_go_to_a_callable_as_messages_and_stay_on_a_bar() -> None:
    told: list[tuple[str, float]] = []
    Pace(range(2), progress=lambda text, part: told.append((text, part))).note("dashboard: x")
    assert told == [("dashboard: x", 0.0)]
    log = io.StringIO()
    Pace(range(2), progress=Bar(log)).note("dashboard: x")
    assert log.getvalue() == "dashboard: x\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_bar_and_notes_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    with Bar(screen) as bar:
        bar("1 of 4 chunks", 0.25)
        bar.note("dashboard: http://127.0.0.1:1/[status]")
        bar("2 of 4 chunks [/b]", 0.5)
    shown = screen.getvalue()
    assert "2 of 4 chunks [/b]" in shown
    assert " 50%" in shown
    assert "dashboard: http://127.0.0.1:1/[status]\n" in shown


def test_a_log_has_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    log = io.StringIO()
    with Bar(log) as bar:
        for second in range(2 * int(LOG_EVERY) + 1):
            clock.now = float(second)
            bar(f"{second} s", second / 100)
        bar("done", 1.0)
    assert log.getvalue().splitlines() == [
        "  0 %  0 s",
        " 30 %  30 s",
        " 60 %  60 s",
        "100 %  done",
    ]


@pytest.mark.parametrize("shell", ["ZMQInteractiveShell", "TerminalInteractiveShell"])
def test_a_notebook_has_one_line_that_changes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    """IPython is no dependency: its three functions that are used are written here."""
    shown: list[object] = []

    class Handle:
        def update(self, bundle, raw):
            shown.append(("update", bundle, raw))

    def display(bundle, raw, display_id):
        shown.append(("display", bundle, raw, display_id))
        return Handle()

    module, inner = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    vars(module)["get_ipython"] = type(shell, (), {})
    vars(inner)["display"] = display
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", inner)
    with showing(True) as progress:
        assert progress is not None
        progress("1 of 2 chunks", 0.5)
        progress("2 of 2 chunks", 1.0)
    if shell == "TerminalInteractiveShell":
        assert shown == []
        assert "2 of 2 chunks" in capsys.readouterr().err
        return
    assert shown == [
        ("display", {"text/plain": " 50 %  1 of 2 chunks"}, True, True),
        ("update", {"text/plain": "100 %  2 of 2 chunks"}, True),
    ]


def test_silence_and_callables() -> None:
    for quiet in (None, False):
        with showing(quiet) as progress:
            assert progress is None
    with showing(print) as progress:
        assert progress is print
