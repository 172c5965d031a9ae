"""What a search that is stopped leaves: both bounds so far, proved; and what was known when."""

from __future__ import annotations

import signal
import threading
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import reluscape as rs
from reluscape.fits.certified import certified
from reluscape.fits.polyline import network_of
from reluscape.fits.search import with_values
from reluscape.fits.trace import MOST, Trace

MOTORCYCLE = Path(__file__).parents[2] / "examples" / "motorcycle.csv"


def motorcycle():
    return rs.Samples(*np.loadtxt(MOTORCYCLE, delimiter=",", skiprows=1, unpack=True))


def noisy_sine(n, seed=0):
    draw = np.random.default_rng(seed)
    x = np.sort(draw.uniform(0, 1, n))
    return rs.Samples(x, np.sin(6 * x) + 0.3 * draw.normal(size=n))


def check_bounds(found):
    seconds, low, high = found.bounds.T
    assert (np.diff(seconds) >= 0).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) <= 0).all()
    assert (low <= high).all()
    assert low[0] == 0
    assert seconds[0] > 0
    assert (low[-1], high[-1]) == (found.lower_bound, found.risk)
    assert seconds[-1] <= found.seconds
    assert 2 <= len(seconds) <= MOST + 2


@pytest.fixture(scope="module", autouse=True)
def compiled():
    rs.fit(noisy_sine(20), 2, certify=True)


class Stop:
    """A progress report that presses Ctrl-C when it is told of the bounds for the nth time."""

    def __init__(self, after):
        self.left = after

    def __call__(self, message, fraction):
        self.left -= "at least" in message
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [0, 1, 2, 4])
def test_what_is_proved_when_interrupted_between_boxes(after):
    data = motorcycle()
    found = rs.fit(data, 8, certify=True, progress=Stop(after))
    assert found.ended == "interrupted"
    assert "interrupted" in found.claim
    assert (found.lower_bound > 0) == (after > 0)
    assert found.risk == rs.fit(data, 8).risk
    check_bounds(found)
    verdict = rs.check(found.certificate, data)
    assert verdict.holds, verdict.reason
    assert verdict.lower_bound == found.lower_bound


def alarm(number, frame):
    raise KeyboardInterrupt


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
@pytest.mark.parametrize("delay", [0.003, 0.02, 0.07, 0.2, 0.6])
def test_what_is_proved_when_interrupted_at_any_time(delay):
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread only")
    data, begun = motorcycle(), []

    def start(message, fraction):
        if "at least" in message and not begun:
            begun.append(True)
            signal.setitimer(signal.ITIMER_REAL, delay)

    # An alarm and not an interrupt: jobs in the background may have to ignore interrupts.
    before = signal.signal(signal.SIGALRM, alarm)
    try:
        found = rs.fit(data, 8, certify=True, progress=start)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    # A fast machine may be done before the last of the alarms.
    assert found.ended == "interrupted" or (found.ended == "closed" and delay > 0.1)
    check_bounds(found)
    verdict = rs.check(found.certificate, data)
    assert verdict.holds, verdict.reason


def test_interrupted_while_it_compiles(monkeypatch):
    def warm():
        raise KeyboardInterrupt

    monkeypatch.setattr("reluscape.optimum.certify.warm", warm)
    data = noisy_sine(30)
    found = rs.fit(data, 2, certify=True)
    assert (found.ended, found.lower_bound) == ("interrupted", 0)
    assert rs.check(found.certificate, data).holds


def test_an_interrupt_before_the_search_for_the_bound_is_raised():
    def stop(message, fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rs.fit(noisy_sine(100), 5, certify=True, progress=stop)


def test_how_a_search_ended():
    data = noisy_sine(100)
    closed = rs.fit(data, 3, certify=True)
    assert closed.ended == "closed"
    check_bounds(closed)
    late = rs.fit(data, 3, certify=True, time_limit=0.0)
    assert late.ended == "time limit"
    assert "time was up" in late.claim
    check_bounds(late)
    for width in (0, 1):
        check_bounds(rs.fit(data, width, certify=True))
    without = rs.fit(data, 3)
    assert (without.bounds.shape, without.ended) == ((0, 3), "")


def poor(data, places):
    """A fit with breakpoints where they do not belong, and what makes a fit of other ones."""
    found = rs.fit(data, len(places))

    def rebuilt(line):
        network = network_of(line, data.moments)
        return replace(found, network=network, risk=data.risk(network), line=line)

    low, high = data.moments.support
    reduced = data.moments.x_axis.reduce(np.asarray(places))
    return rebuilt(with_values(data.moments, np.array([low, *reduced, high]), None)), rebuilt


def test_a_better_network_on_the_way_is_taken():
    data = noisy_sine(60)
    start, rebuilt = poor(data, [0.1, 0.15])
    found = certified(data, start, rebuilt, 1e-6, None, lambda *told: None, 0.0)
    assert found.ended == "closed"
    assert found.risk == pytest.approx(rs.fit(data, 2).risk, rel=1e-6)
    check_bounds(found)
    assert found.bounds[0, 2] == start.risk > found.risk
    assert rs.check(found.certificate, data).holds


def test_a_better_network_at_the_last_moment_keeps_what_is_proved(monkeypatch):
    from reluscape.optimum import certify as module

    real, calls = module.certify, []

    def slow(*args, **options):
        calls.append(options["time_limit"])
        made = real(*args, **{**options, "time_limit": None})
        clock[0] = 100.0
        return made

    clock = [0.0]
    monkeypatch.setattr(module, "certify", slow)
    monkeypatch.setattr("reluscape.fits.certified.time.perf_counter", lambda: clock[0])
    data = noisy_sine(60)
    start, rebuilt = poor(data, [0.1, 0.15])
    found = certified(data, start, rebuilt, 0.3, 10.0, lambda *told: None, 0.0)
    assert len(calls) == 1
    assert start.risk > found.risk >= found.lower_bound > 0
    assert found.ended == "time limit"
    assert rs.check(found.certificate, data).holds


def test_a_trace_stays_short():
    trace = Trace(0.0)
    for bound in 1.0 - np.geomspace(1.0, 1e-300, 50_000):
        trace.note(float(bound), 1.0)
    for risk in np.linspace(1.0, 0.5, 5_000):
        trace.note(0.1, float(risk))
    rows = trace.until(0.5, 0.5)
    assert 100 < len(rows) <= MOST + 2
    assert (np.diff(rows, axis=0)[:, :2] >= 0).all()
    assert rows[0, 1] == 0


@pytest.mark.parametrize("share", [1e-12, 0.01, 0.3])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_good_fit_has_a_breakpoint_outside(share, seed):
    draw = np.random.default_rng(seed)
    x, y = np.sort(draw.uniform(0, 1, 12)), draw.normal(size=12)
    found = rs.fit(rs.Samples(x, y), 2, certify=True)
    pins = found.pins(share)
    assert pins.fine
    low, high = pins.intervals.T
    assert (low <= found.breakpoints).all()
    assert (found.breakpoints <= high).all()
    assert np.isin(pins.intervals.round(12), x.round(12)).all()
    grid = np.unique(np.concatenate([np.linspace(x[0], x[-1], 60), found.breakpoints]))[1:-1]
    good = 0
    for places in combinations(grid, 2):
        table = np.column_stack([np.ones(12), x, *(np.maximum(x - t, 0) for t in places)])
        best = np.linalg.lstsq(table, y, rcond=None)[0]
        if np.mean((table @ best - y) ** 2) <= found.risk * (1 + share):
            good += 1
            assert (low <= places).all()
            assert (places <= high).all()
    assert good or share < 0.01


def test_pins_of_a_fit_without_error():
    x = np.linspace(0, 4, 41)
    pins = rs.fit(rs.Samples(x, abs(x - 1) - abs(x - 3)), 2).pins(0.01)
    np.testing.assert_allclose(pins.intervals, [[0.9, 1.1], [2.9, 3.1]])
    few = rs.fit(rs.Samples([0.0, 1.0, 2.0, 4.0], [0.0, 1.0, 0.0, 2.0]), 2).pins()
    assert few.intervals.tolist() == [[0, 4], [0, 4]]
    assert rs.fit(rs.Samples(x, x), 0).pins().intervals.shape == (0, 2)


def test_pins_in_a_hurry_hold_the_narrow_ones():
    found = rs.fit(noisy_sine(300), 3)
    narrow, told = found.pins(0.02), []
    wide = found.pins(0.02, patience=0.0, progress=lambda *message: told.append(message))
    assert narrow.fine
    assert not wide.fine
    assert told
    assert (wide.intervals[:, 0] <= narrow.intervals[:, 0]).all()
    assert (wide.intervals[:, 1] >= narrow.intervals[:, 1]).all()
    assert not np.array_equal(wide.intervals, narrow.intervals)
    np.testing.assert_array_equal(found.pinned(0.02), narrow.intervals)

    def stop(message, fraction):
        if fraction > 0:
            raise KeyboardInterrupt

    stopped = found.pins(0.02, progress=stop)
    assert not stopped.fine
    np.testing.assert_array_equal(stopped.intervals, wide.intervals)


def test_pins_refuse():
    data = noisy_sine(30)
    found = rs.fit(data, 2)
    for options in ({"share": 0}, {"share": np.nan}, {"patience": -1}, {"patience": "long"}):
        with pytest.raises(rs.InputError):
            found.pins(**options)
    several = rs.fit(rs.Samples(np.column_stack([data.x, data.x**2]), data.y), 1)
    with pytest.raises(rs.InputError):
        several.pins()
