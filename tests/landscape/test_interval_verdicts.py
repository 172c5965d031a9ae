"""Verdicts for curved targets: every expected kind is worked by hand, and tried exactly here.

At the end of an interval the risk is once differentiable in a breakpoint, not twice. Let a neuron
with outer weight v become active, or stop being so, on a short stretch d beside the end, where the
error is e: the risk moves by e v d^2 times a positive constant. So the sign of e v decides:

* a semi-inactive neuron sleeps for good if e v > 0 at its end, and wakes if e v <= 0, e != 0;
* the best line, by a neuron with its breakpoint at an end, is a local minimum if e v > 0 there.
  If e v < 0 it is a saddle: the breakpoint moves in. (Beyond the end it is a minimum always.)
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import reluscape as rs
from landscape_oracle import GLOBAL, LOCAL, NOT, SADDLE
from landscape_rays import moved, rational
from landscape_scan import critical_points
from landscape_targets import random_targets
from oracles import interval_exact
from problems import CUBIC, SQUARE, TENT
from records import Pieces, Plain, plain_of

Q = Fraction
OPEN = "undecided"
THIRD = Q(1, 3)
STEPS = (Q(1, 64), Q(1, 1024), Q(1, 2**16))
TRIES = 40

# target, its interval, the network (w, b, v, c), its kind
CASES = [
    # x^2 on [0, 1], the best constant 1/3: e = 1/3 at 0, -2/3 at 1
    (SQUARE, 0, (-1, -1, 5, THIRD), LOCAL),  # dead
    (SQUARE, 0, (-1, 0, 1, THIRD), LOCAL),
    (SQUARE, 0, (-1, 0, -1, THIRD), SADDLE),
    (SQUARE, 0, (-1, 0, 0, THIRD), SADDLE),
    (SQUARE, 0, (1, -1, -1, THIRD), LOCAL),
    (SQUARE, 0, (1, -1, 1, THIRD), SADDLE),
    (SQUARE, 0, (1, -1, 0, THIRD), SADDLE),
    (SQUARE, 0, (0, 1, 0, THIRD), SADDLE),  # the line is better
    (SQUARE, 0, (0, 1, 1, THIRD - 1), NOT),
    (SQUARE, 0, (0, 0, 0, THIRD), SADDLE),
    (SQUARE, 0, (0, 0, 1, THIRD), NOT),
    (SQUARE, 0, (0, -1, 1, THIRD), LOCAL),
    # its best line x - 1/6: e = -1/6 at both ends
    (SQUARE, 0, (1, 1, 1, Q(-7, 6)), LOCAL),
    (SQUARE, 0, (-1, 2, -1, Q(11, 6)), LOCAL),
    (SQUARE, 0, (1, 0, 1, Q(-1, 6)), SADDLE),  # breakpoint at 0, e v < 0
    (SQUARE, 0, (-1, 1, -1, Q(5, 6)), LOCAL),  # breakpoint at 1, e v > 0
    # its best kink
    (SQUARE, 0, (1, -THIRD, Q(4, 3), Q(1, 27)), LOCAL),
    (SQUARE, 0, (2, Q(-2, 3), Q(2, 3), Q(1, 27)), LOCAL),
    # |x - 1/2| on [0, 1]: the best line is the constant 1/4, e = -1/4 at both ends
    (TENT, 0, (-1, -1, 5, Q(1, 4)), LOCAL),
    (TENT, 0, (-1, 0, 1, Q(1, 4)), SADDLE),
    (TENT, 0, (-1, 0, -1, Q(1, 4)), LOCAL),
    (TENT, 0, (1, -1, -1, Q(1, 4)), LOCAL),
    (TENT, 0, (1, -1, 1, Q(1, 4)), SADDLE),
    (TENT, 0, (0, 1, 1, Q(-3, 4)), LOCAL),  # any line near it is worse
    (TENT, 0, (0, 1, 0, Q(1, 4)), LOCAL),
    (TENT, 0, (1, 1, 0, Q(1, 4)), LOCAL),
    (TENT, 0, (1, 0, 0, Q(1, 4)), SADDLE),  # a flat line with its breakpoint at 0 bends
    (TENT, 0, (0, 0, 0, Q(1, 4)), SADDLE),
    # x^3 - x on [-1, 1]: best constant 0 with e = 0 at both ends, best line -2 x / 5
    (CUBIC, -1, (1, -2, 1, 0), LOCAL),
    (CUBIC, -1, (0, 1, 0, 0), SADDLE),
    (CUBIC, -1, (1, 2, Q(-2, 5), Q(4, 5)), LOCAL),
    (CUBIC, -1, (1, 1, Q(-2, 5), Q(2, 5)), SADDLE),  # e = 2/5 at -1, v < 0
    (CUBIC, -1, (-1, 1, Q(2, 5), Q(-2, 5)), SADDLE),  # e = -2/5 at 1, v > 0
]
NAMES = {id(SQUARE): "square", id(TENT): "tent", id(CUBIC): "cubic"}


def name(value: object) -> str | None:
    return NAMES.get(id(value))


def plain(network) -> Plain:
    w, b, v, c = (Q(t) for t in network)
    return Plain((w,), (b,), (v,), c)  # type: ignore[arg-type]


def exact(target: Pieces, a: int, net: Plain, at_zero: str = "ge"):
    return interval_exact(net, target, a, 1, at_zero=at_zero)


def falls(target: Pieces, a: int, net: Plain) -> bool:
    """Whether some small move lowers the exact risk: structured ones, then random ones."""
    before = exact(target, a, net).risk
    w = net.w[0]
    rng = np.random.default_rng(0)
    directions = [[int(t) for t in rng.integers(-3, 4, 4)] for _ in range(TRIES)]
    directions += [[p, q, s, 0] for p in (-8, 0, 8) for q in (-8, -4, 0, 8) for s in (-1, 0, 1)]
    # a breakpoint that moves to the right or left while the line beside it stays
    directions += [[0, -w * s, 0, w * net.v[0] * s] for s in (1, -1)]
    return any(
        exact(target, a, moved(net, direction, step)).risk < before
        for direction in directions
        for step in STEPS
    )


@pytest.mark.parametrize(("target", "a", "network", "kind"), CASES, ids=name)
def test_expected_kinds_are_right(target, a, network, kind):
    """No line of the package: gradients and small moves in rationals."""
    net = plain(network)
    assert any(exact(target, a, net).gradient) == (kind == NOT)
    assert falls(target, a, net) == (kind in (SADDLE, NOT))


@pytest.mark.parametrize(("target", "a", "network", "kind"), CASES, ids=name)
def test_verdicts(target, a, network, kind, interval_of):
    net = rs.Network(*([float(t)] for t in network[:3]), float(network[3]))
    found = rs.classify(interval_of(target, a, 1), net)
    # zero eigenvalues beside those of rescaling may stay open; a wrong kind may not
    allowed = {kind} | ({OPEN} if kind not in (NOT,) and is_soft(target, a, network) else set())
    if kind == LOCAL:
        allowed |= {GLOBAL} if network[1] in (-THIRD, Q(-2, 3)) else set()
    assert found.kind in allowed, found.reasons
    if found.kind == SADDLE:
        lower = exact(target, a, rational(plain_of(found.escape.network))).risk
        here = exact(target, a, rational(plain_of(net))).risk
        assert lower < here
        drop = float(here - lower)
        assert found.escape.drop == pytest.approx(drop, rel=1e-6, abs=1e-15)


def is_soft(target: Pieces, a: int, network) -> bool:
    """Whether a neuron of weight 0 or 1 is active everywhere: more is flat there than rescaling."""
    w, b, v, _ = network
    everywhere = min(w * a, w) + b >= 0 and (w, b) != (0, 0)
    return bool(everywhere and (v == 0 or w == 0 or target is TENT or min(w * a, w) + b == 0))


def test_line_with_its_breakpoint_at_an_end_is_no_minimum():
    """x - 1/6 for x^2: the breakpoint moves in by d and the risk falls by d^2 / 6 + O(d^3)."""
    for d in (Q(1, 100), Q(1, 10_000)):
        bent = Plain((Q(1),), (-d,), (Q(1),), d - Q(1, 6))  # type: ignore[arg-type]
        drop = Q(1, 180) - exact(SQUARE, 0, bent).risk
        assert abs(drop / d**2 - Q(1, 6)) < d


@pytest.mark.parametrize("one", random_targets(24, 61), ids=lambda t: t.sort)
def test_verdicts_of_the_enumerated_points(one, interval_of):
    """Both functions of the package say the same of one network; the kinds are known exactly."""
    problem = interval_of(one.f, one.a, one.b, one.density)
    found = rs.critical_points(problem)
    known = critical_points(one.f, one.a, one.b, one.density)
    simple = {
        (point.family, p)
        for point in known
        for p, q in enumerate(found)
        if point.simple
        and q.family == point.family
        and (point.low is None or Q(q.breakpoint[0]) <= point.high <= Q(q.breakpoint[1]))
    }
    same = {LOCAL, GLOBAL}
    for i, p in enumerate(found):
        verdict = rs.classify(problem, p.network)
        agrees = verdict.kind == p.kind or {verdict.kind, p.kind} <= same
        assert agrees or OPEN in (verdict.kind, p.kind), (p, verdict.kind, verdict.reasons)
        if (p.family, i) in simple:
            assert verdict.kind != OPEN, (p, verdict.reasons)
