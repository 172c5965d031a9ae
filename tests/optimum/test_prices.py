"""The checker's quick prices, and covers whose nodes are copied by their neighbours."""

from dataclasses import replace

import numpy as np
import pytest

import reluscape as rs
from reluscape.optimum import checker
from reluscape.optimum.arithmetic import Ball, exact_rows, exactly
from reluscape.optimum.certificate import ANY_REACH, COPY_AFTER, COPY_BEFORE, FAR, NEAR
from reluscape.optimum.covers import AFTER, BEFORE, LAYER, copied, joined, last, whole
from reluscape.optimum.prices import bridge_of, margins, plainly, price

WIDTH = 5


def noise(n, seed=0):
    rng = np.random.default_rng(seed)
    return rs.Samples(np.sort(rng.uniform(0.0, 1.0, n)), rng.standard_normal(n))


def balls(rng, n, size):
    mid = size * rng.standard_normal(n)
    return Ball(mid, 1e-13 * np.abs(mid) * rng.uniform(0.0, 1.0, n))


@pytest.mark.parametrize("size", [0.0, 1e-3, 1.0, 1e4, 1e150, 1e300])
@pytest.mark.parametrize("pull", [0.0, 0.7])
def test_quick_prices_less_their_margin_are_below_those_in_balls(size, pull):
    rng = np.random.default_rng(3)
    rows = exact_rows(noise(60))
    nodes = whole(rows.count, 2).nodes
    bridge = bridge_of(rows, nodes, 1, 2, (-np.inf, np.inf), pull)
    leave = balls(rng, len(bridge.left), size), balls(rng, len(bridge.left), 0.1 * size)
    enter = balls(rng, len(bridge.right), size), balls(rng, len(bridge.right), 0.1 * size)
    i, j = np.nonzero(bridge.index >= 0)
    at = bridge.index[i, j]
    with np.errstate(all="ignore"):
        margin = margins(bridge, leave, enter)
        squares = np.nextafter(bridge.lines.squares - margin, -np.inf)
        quick = plainly(bridge, bridge.index, squares, leave, enter)[i, j]
        one, two = tuple(ball[i] for ball in leave), tuple(ball[j] for ball in enter)
        none = np.zeros(len(i), np.bool_)
        exact = price(bridge, bridge.left[i], bridge.right[j], one, two, none)
        # Every true price is at least the ball's lower end, and at most its upper end.
        upper = (
            2.0 * plainly(bridge, bridge.index, bridge.lines.squares, leave, enter)[i, j] - exact
        )
    sound = np.isnan(quick) | (quick <= upper) | np.isneginf(exact)
    assert sound.all()
    tight = size <= 1.0
    assert not tight or (margin[at] < 1e-6 * (1.0 + np.abs(exact))).all()


def test_quick_prices_against_fractions():
    from fractions import Fraction

    rng = np.random.default_rng(4)
    rows = exact_rows(noise(40, seed=5))
    nodes = whole(rows.count, 2).nodes
    bridge = bridge_of(rows, nodes, 1, 2, (-np.inf, np.inf), 0.0)
    n, m = len(bridge.left), len(bridge.right)
    leave = exactly(rng.standard_normal(n)), exactly(0.1 * rng.standard_normal(n))
    enter = exactly(rng.standard_normal(m)), exactly(0.1 * rng.standard_normal(m))
    margin = margins(bridge, leave, enter)
    squares = np.nextafter(bridge.lines.squares - margin, -np.inf)
    quick = plainly(bridge, bridge.index, squares, leave, enter)
    x = [Fraction(v, rows.scales[0]) for v in rows.x]
    for i, j in np.argwhere(bridge.index >= 0)[::7].tolist():
        p, q = int(bridge.left[i]), int(bridge.right[j])
        mass, sx, sxx, sy, sxy, syy = rows.exact(p, q)
        # Minimise squares + l0 L(x_p) + l1 slope + e0 L(x_(q-1)) + e1 slope over lines.
        l0, l1, e0, e1 = (
            Fraction(float(b.mid[k])) for b, k in zip((*leave, *enter), (i, i, j, j), strict=True)
        )
        mean = sx / mass
        force = l0 + e0
        turn = l1 + e1 + e0 * (x[q - 1] - mean) + l0 * (x[p] - mean)
        spread, both = sxx - sx * mean, sxy - sy * mean
        least = syy - sy * sy / mass - both * both / spread
        least += force * (sy / mass - force / (4 * mass))
        least += turn * (both / spread - turn / (4 * spread))
        assert Fraction(float(quick[i, j])) <= least
        assert float(least) - quick[i, j] < 1e-9 * (1.0 + abs(float(least)))


def test_every_path_takes_one_copy_of_each_node():
    rows = exact_rows(noise(40))
    cover = whole(rows.count, WIDTH)
    both = copied(copied(cover, WIDTH, BEFORE), WIDTH, AFTER)
    again = copied(copied(both, WIDTH, BEFORE), WIDTH, AFTER)
    assert len(again.nodes) == len(both.nodes)
    rng = np.random.default_rng(1)
    plain = cover.nodes
    for _ in range(200):
        # Any nodes of neighbouring breakpoints, near or far: their order is not what is tested.
        path, j = [], 0
        while j < WIDTH:
            path.append(int(rng.choice(np.flatnonzero(plain[:, LAYER] == j))))
            j = int(last(plain[path[-1] : path[-1] + 1])[0]) + 1
        ways = [(None, 1)]
        for i in path:
            same = np.flatnonzero((both.nodes[:, :BEFORE] == plain[i, :BEFORE]).all(axis=1))
            ways = [
                (copy, count)
                for copy in same.tolist()
                for old, count in ways
                if old is None or joined(both.nodes, np.array([old]), np.array([copy]))[0]
            ]
        assert len(ways) == 1


def test_ends_are_not_copied():
    cover = whole(40, 3)
    nodes = copied(copied(cover, 3, BEFORE), 3, AFTER).nodes
    first, final = nodes[:, LAYER] == 0, last(nodes) == 2
    assert (nodes[first, BEFORE] == ANY_REACH).all()
    assert (nodes[final, AFTER] == ANY_REACH).all()
    assert set(nodes[~first, BEFORE].tolist()) == {NEAR, FAR}
    assert set(nodes[~final, AFTER].tolist()) == {NEAR, FAR}


@pytest.fixture(scope="module")
def copies():
    problem = noise(150, seed=2)
    certificate = rs.fit(problem, 4, certify=True).certificate
    assert {COPY_BEFORE, COPY_AFTER} <= {step.layer for step in certificate.steps}
    return problem, certificate


def test_copies_hold(copies):
    problem, certificate = copies
    assert rs.check(certificate, problem).holds
    for times in (1.0 + 1e-5, 1.01, 1.1):
        raised = replace(certificate, lower_bound=certificate.lower_bound * times)
        assert not rs.check(raised, problem).holds
        # Nor where the risk is raised with it.
        risen = replace(raised, risk=raised.lower_bound)
        assert not rs.check(risen, problem).holds


@pytest.mark.parametrize("layer", [-1, -2, -3, -4, -(2**40), 2, 3, 4, 5, 2**40])
def test_other_kinds_of_copies_prove_nothing_more(copies, layer):
    problem, certificate = copies
    above = 1.0005 * certificate.lower_bound
    for halved in (False, True):
        steps = tuple(
            replace(step, layer=layer, halved=halved) if step.layer < -1 else step
            for step in certificate.steps
        )
        rs.check(replace(certificate, steps=steps), problem)
        assert not rs.check(replace(certificate, steps=steps, lower_bound=above), problem).holds


def test_tolerance_proves_nothing_more(copies, monkeypatch):
    problem, certificate = copies
    raised = replace(certificate, lower_bound=1.0001 * certificate.lower_bound)
    for tolerance in (0.0, np.inf):
        monkeypatch.setattr(checker, "TOLERANCE", tolerance)
        assert not rs.check(raised, problem).holds
    monkeypatch.setattr(checker, "TOLERANCE", 0.0)
    assert rs.check(certificate, problem).holds
