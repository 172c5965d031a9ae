"""``fit(certify=True)`` on intervals: known minima, an oracle, units, and what a check refuses.

The oracle places the breakpoints by hand, from a grid and from there by Nelder and Mead, and solves
for the rest at the nodes of a quadrature that is exact. It finds a network, so that no lower bound
may be above its risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, product
from math import comb, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

import reluscape as rs
from reluscape.cli.app import main

Floats = NDArray[np.float64]

GAP = 1e-6 + 1e-15  # 1 - bound / risk is rounded to a multiple of 1.1e-16
# Of the oracle, which works in float64, and of what is known in closed form.
ROUNDING = 1e-9
EXACT = 1e-12
# The fit stops at what is within the gap of its bound; the oracle may be as far from the minimum.
SAME = 1e-6 + 1e-9
PATIENCE = 20.0
# Exact to degree 15: squares of cubics under a quadratic density are of degree 8.
NODES, SHARES = np.polynomial.legendre.leggauss(8)
GRID = {1: 40, 2: 16, 3: 9}
STARTS = 2
FIRST = 2


@dataclass(frozen=True)
class Shape:
    """A piecewise polynomial on an interval, with coefficients in x itself, and a density."""

    breaks: tuple[float, ...]
    pieces: tuple[tuple[float, ...], ...]
    density: tuple[float, ...] = (1.0,)

    @property
    def problem(self) -> rs.Interval:
        target = rs.piecewise_polynomial(self.breaks, list(self.pieces))
        return rs.Interval(target, self.breaks[0], self.breaks[-1], rs.polynomial(self.density))


def moved(coefficients: Sequence[float | Fraction], by: float | Fraction, times: float | Fraction):
    """Coefficients of f(by + times x), exactly."""
    by, times = Fraction(by), Fraction(times)
    exact = [Fraction(c) for c in coefficients]
    return [
        times**i * sum(comb(n, i) * c * by ** (n - i) for n, c in enumerate(exact) if n >= i)
        for i in range(len(exact))
    ]


def shape_of(
    a: float, b: float, cuts: Sequence[float], local: Sequence[Sequence[float]], high: float = 1.0
) -> Shape:
    """A shape from pieces given on [0, 1], in units of `high`."""
    wide = Fraction(b) - Fraction(a)
    rows = [moved(c, -Fraction(a) / wide, 1 / wide) for c in local]
    pieces = tuple(tuple(float(t * Fraction(high)) for t in row) for row in rows)
    return Shape((a, *(a + (b - a) * t for t in cuts), b), pieces)


class Oracle:
    """The least risk of networks with given breakpoints, and a search for the best of these."""

    def __init__(self, shape: Shape, skip: bool) -> None:
        self.skip = skip
        a, self.wide = Fraction(shape.breaks[0]), Fraction(shape.breaks[-1] - shape.breaks[0])
        self.breaks = np.array([float((Fraction(t) - a) / self.wide) for t in shape.breaks])
        local = [[float(t) for t in moved(c, a, self.wide)] for c in shape.pieces]
        self.pieces = [np.polynomial.Polynomial(c) for c in local]
        self.density = np.polynomial.Polynomial(
            [float(t) for t in moved(shape.density, a, self.wide)]
        )

    def risk(self, knots: Floats, left: Sequence[bool]) -> float:
        """Risk of the best network with these breakpoints in [0, 1]."""
        knots = np.clip(knots, 0.0, 1.0)
        cuts = np.sort(np.concatenate([self.breaks, knots]))
        half = np.diff(cuts) / 2
        x = (cuts[:-1] + half)[:, None] + half[:, None] * NODES
        weight = half[:, None] * SHARES * self.density(x)
        piece = np.searchsorted(self.breaks, x[:, 0], side="right") - 1
        piece = np.clip(piece, 0, len(self.pieces) - 1)
        y = np.concatenate([self.pieces[j](t) for j, t in zip(piece, x, strict=True)])
        x, root = x.reshape(-1), np.sqrt(np.maximum(weight, 0.0)).reshape(-1)
        columns = [np.ones_like(x), *([x] if self.skip else [])]
        for t, side in zip(knots, left, strict=True):
            columns.append(np.maximum(t - x if side else x - t, 0.0))
        table = np.column_stack(columns) * root[:, None]
        found = np.linalg.lstsq(table, y * root, rcond=None)[0]
        return float(np.sum((table @ found - y * root) ** 2)) * float(self.wide)

    def least(self, k: int) -> float:
        """Risk of the best network found."""
        grid = np.linspace(0.0, 1.0, GRID[k])
        sides = [(False,) * k] if self.skip else list(product((False, True), repeat=k))
        starts = [(self.risk(np.array(t), s), t, s) for t in combinations(grid, k) for s in sides]
        options = {"xatol": 1e-11, "fatol": 0.0, "maxiter": 1000}
        best = np.inf
        for _, knots, left in sorted(starts)[:STARTS]:
            found = minimize(
                self.risk, np.array(knots), args=(left,), method="Nelder-Mead", options=options
            )
            best = min(best, float(found.fun))
        return best


def certified(problem: rs.Interval, k: int, skip: bool = True) -> rs.Fit:
    """A fit that has to close the gap, with a certificate that has to hold."""
    found = rs.fit(problem, k, skip=skip, certify=True, time_limit=PATIENCE)
    assert found.certificate is not None
    assert found.lower_bound <= found.risk
    assert found.gap <= GAP
    assert found.ended == "closed"
    assert found.risk == pytest.approx(problem.risk(found.network), rel=EXACT)
    verdict = rs.check(found.certificate, problem)
    assert verdict.holds, verdict.reason
    assert verdict.lower_bound == found.lower_bound
    assert verdict.risk == pytest.approx(found.risk, rel=ROUNDING)
    return found


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    rs.fit(rs.Interval(rs.polynomial([0.0, 0.0, 1.0]), 0.0, 1.0), 1, certify=True)


SQUARE = Shape((0.0, 1.0), ((0.0, 0.0, 1.0),))


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4])
def test_square_with_a_skip_connection(k: int) -> None:
    least = 1 / (180 * (k + 1) ** 4)
    found = certified(SQUARE.problem, k)
    assert found.lower_bound <= least * (1 + EXACT)
    assert least <= found.risk * (1 + EXACT)
    assert np.allclose(found.breakpoints, np.arange(1, k + 1) / (k + 1), atol=1e-4)


BEND = Shape((0.0, 0.5, 1.0), ((0.5, -1.0), (-0.5, 1.0)))
CUBIC = Shape((-1.0, 1.0), ((0.0, -1.0, 0.0, 1.0),))


# S3-2 to S3-4: the lowest of all critical points of plain networks with one neuron.
@pytest.mark.parametrize(
    ("shape", "least", "tolerance"),
    [
        (SQUARE, 4 / 3645, EXACT),
        (BEND, (3 - 2 * sqrt(2)) / 12, EXACT),
        (CUBIC, 0.0362271056400670, 1e-11),  # 12 digits are known
    ],
    ids=["square", "bend", "cubic"],
)
def test_one_neuron_without_a_skip_connection(shape: Shape, least: float, tolerance: float) -> None:
    found = certified(shape.problem, 1, skip=False)
    assert found.lower_bound <= least * (1 + tolerance)
    assert least <= found.risk * (1 + tolerance)


def compare(shape: Shape, k: int, skip: bool = True) -> rs.Fit:
    found = certified(shape.problem, k, skip)
    least = Oracle(shape, skip).least(k)
    assert found.lower_bound <= least * (1 + ROUNDING)
    assert found.risk <= least * (1 + SAME)
    return found


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("shape", [SQUARE, CUBIC], ids=["square", "cubic"])
def test_more_neurons_without_a_skip_connection(shape: Shape, k: int) -> None:
    plain = compare(shape, k, skip=False)
    # ... of which those with a skip connection are at least as good
    assert rs.fit(shape.problem, k, certify=True).lower_bound <= plain.risk


# 3 x^2 is zero at the left end of [0, 1], (x - 1/2)^2 inside.
DENSITIES = [(1.0, 1.0), (0.0, 0.0, 3.0), (0.25, -1.0, 1.0), (1e-6, 1.0)]


@pytest.mark.parametrize("skip", [True, False], ids=["skip", "plain"])
@pytest.mark.parametrize("density", DENSITIES, ids=str)
def test_densities(density: tuple[float, ...], skip: bool) -> None:
    shape = Shape((0.0, 0.4, 1.0), ((0.0, 1.0, -3.0), (-0.408, 0.5, 0.0, 2.0)), density)
    compare(shape, 2, skip)


FRAMES = [
    (0.0, 1.0, 1.0),
    (-3.0, 5.0, 1.0),
    (0.1, 0.3, 1e8),
    (1e6, 1e6 + 1, 1.0),
    (1e6, 1e6 + 1, 1e-8),
    (-1e-7, 2e-7, 1e8),
    (2e9, 7e9, 1e-8),
]


@pytest.mark.parametrize("skip", [True, False], ids=["skip", "plain"])
@pytest.mark.parametrize("seed", range(7))
def test_random_targets(seed: int, skip: bool) -> None:
    draw = np.random.default_rng(seed)
    count, k = int(draw.integers(1, 4)), 1 + seed % 2
    count = count if k == 1 else 1  # with jumps where pieces meet
    cuts = np.sort(draw.uniform(0.1, 0.9, count - 1)).tolist()
    local = [draw.normal(size=int(draw.integers(2, 5))).tolist() for _ in range(count)]
    local[0] = [*local[0][:2], 1.0 + local[0][-1] ** 2]  # never a single line
    compare(shape_of(*FRAMES[seed % 7][:2], cuts, local, FRAMES[seed % 7][2]), k, skip)


@pytest.mark.parametrize("at", [0.5, 0.01, 0.3])
def test_a_jump(at: float) -> None:
    compare(Shape((0.0, at, 1.0), ((0.0, 1.0, 1.0), (3.0, 0.0, -1.0))), 1)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_target_that_is_a_network(k: int) -> None:
    problem = rs.Interval(rs.piecewise_linear([0.0, 0.3, 1.0], [1.0, -1.0, 2.0]), 0.0, 1.0)
    found = rs.fit(problem, k, certify=True, time_limit=PATIENCE)
    assert found.risk < 1e-25
    assert 0 <= found.lower_bound <= found.risk
    assert found.certificate is not None
    assert rs.check(found.certificate, problem).holds


@pytest.mark.parametrize("skip", [True, False], ids=["skip", "plain"])
def test_no_network_falls_below_the_bound(skip: bool) -> None:
    draw = np.random.default_rng(3)
    for k in (1, 2):
        problem = replace(CUBIC, density=(1.0, 0.5)).problem
        found = certified(problem, k, skip)
        best = found.network.to_vector()
        for trial in range(300):
            far = 10.0 ** draw.uniform(-6, 1)
            vector = (best if trial % 3 else 0.0) + far * draw.normal(size=len(best))
            weights, biases, outputs = vector[: 3 * k].reshape(3, k)
            affine = [vector[-1]] if skip else None
            network = rs.Network(weights, biases, outputs, vector[3 * k], affine)
            assert problem.risk(network) >= found.lower_bound


@pytest.mark.parametrize("skip", [True, False], ids=["skip", "plain"])
@pytest.mark.parametrize(
    ("times", "plus", "high", "up"),
    [
        (2.0, 0.0, 1.0, 0.0),
        (-1.0, 0.0, -1.0, 0.0),
        (0.3, -7.0, 5.0, 11.0),
        (-1e-3, 1.0, 1e6, 0.0),
        (1e5, 1e5, 1e-5, -1e-5),
    ],
)
def test_units_do_not_matter(times: float, plus: float, high: float, up: float, skip: bool) -> None:
    whole = Shape((-1.0, 0.25, 2.0), ((1.0, 0.0, -1.0), (0.0, 1.0, 0.0, 0.5)))
    exact = [moved(c, -Fraction(plus) / Fraction(times), 1 / Fraction(times)) for c in whole.pieces]
    pieces = [[t * Fraction(high) for t in c] for c in exact]
    rows = [tuple(float(t + Fraction(up) * (not i)) for i, t in enumerate(c)) for c in pieces]
    breaks = [times * t + plus for t in whole.breaks]
    if times < 0:
        breaks, rows = breaks[::-1], rows[::-1]
    here = certified(whole.problem, 2, skip)
    there = certified(Shape(tuple(breaks), tuple(rows)).problem, 2, skip)
    unit = abs(times) * high**2
    assert there.risk / unit == pytest.approx(here.risk, rel=1e-8)
    assert there.lower_bound / unit <= here.risk * (1 + 1e-8)
    assert here.lower_bound <= there.risk / unit * (1 + 1e-8)


@pytest.fixture(scope="module")
def plain() -> rs.Certificate:
    found = certified(SQUARE.problem, 2, skip=False).certificate
    assert found is not None
    return found


@pytest.fixture(scope="module")
def skipping() -> rs.Certificate:
    found = certified(SQUARE.problem, 2).certificate
    assert found is not None
    return found


def test_another_problem_is_refused(skipping: rs.Certificate) -> None:
    square = rs.polynomial([0.0, 0.0, 1.0])
    above = float(np.nextafter(1.0, 2.0))
    for other in (
        rs.Interval(square, 0.0, above),
        rs.Interval(square, -1e-300, 1.0),
        rs.Interval(rs.polynomial([0.0, 1e-300, 1.0]), 0.0, 1.0),
        rs.Interval(rs.polynomial([0.0, 0.0, above]), 0.0, 1.0),
        rs.Interval(square, 0.0, 1.0, rs.polynomial([above])),
        rs.Interval(square, 0.0, 1.0, rs.polynomial([1.0, 1.0])),
    ):
        with pytest.raises(rs.InputError, match="not the interval"):
            rs.check(skipping, other)
    with pytest.raises(rs.InputError, match="about an interval, not about data"):
        rs.check(skipping, rs.Samples(np.arange(9.0), np.arange(9.0) ** 2))
    x = np.linspace(0, 1, 30)
    about_data = rs.fit(rs.Samples(x, x**2), 1, certify=True).certificate
    assert about_data is not None
    with pytest.raises(rs.InputError, match="about data, not about an interval"):
        rs.check(about_data, SQUARE.problem)


def false(certificate: rs.Certificate, times: float) -> rs.Certificate:
    """The same proof of what is not true, with a network that does not give it away."""
    network = rs.Network([], [], [], 0.4)
    risk = SQUARE.problem.risk(network)
    # Of a false bound the covers only grow: the first steps are enough.
    steps = certificate.steps[:FIRST]
    bound = certificate.risk * times
    return replace(certificate, network=network, risk=risk, lower_bound=bound, steps=steps)


def changed(certificate: rs.Certificate, **what: object) -> rs.Certificate:
    steps = tuple(
        replace(step, **{name: change(step) for name, change in what.items() if callable(change)})
        for step in certificate.steps
    )
    return replace(certificate, steps=steps)


@pytest.mark.parametrize("which", ["plain", "skipping"])
@pytest.mark.parametrize("times", [1 + 1e-9, 1.01, 2.0])
def test_a_bound_above_the_minimum(
    which: str, times: float, request: pytest.FixtureRequest
) -> None:
    certificate = request.getfixturevalue(which)
    assert rs.check(certificate, SQUARE.problem).holds
    lie = false(certificate, times)
    several = [
        lie,
        replace(lie, steps=()),
        replace(lie, steps=lie.steps[:1]),
        replace(lie, network=certificate.network, risk=certificate.risk),
        changed(lie, pull=lambda step: -step.pull),
        changed(lie, pull=lambda step: 1e3 * step.pull),
        *(changed(lie, sides=lambda _, side=side: side) for side in range(-1, 5)),
        changed(lie, sides=lambda step: 3 - step.sides),
        *(replace(lie, unit=lie.unit * size) for size in (-1.0, 2.0, 1e30)),
        *(replace(lie, rules=replace(lie.rules, skip=skip)) for skip in (True, False)),
    ]
    for number, other in enumerate(several):
        assert not refuses_or_not(other), number


def refuses_or_not(certificate: rs.Certificate) -> bool:
    """Whether a certificate about the square is taken to hold."""
    try:
        return rs.check(certificate, SQUARE.problem).holds
    except rs.InputError:
        return False


def test_rules_that_make_the_bound_false(plain: rs.Certificate) -> None:
    # 1/14580 with a skip connection is below what plain networks can reach.
    other = replace(plain, rules=replace(plain.rules, skip=True), steps=plain.steps[:FIRST])
    assert other.lower_bound > 1 / 14580 * 2
    assert not refuses_or_not(other)
    for side in range(-1, 4):
        assert not refuses_or_not(changed(other, sides=lambda _, side=side: side))


def test_missing_parts(plain: rs.Certificate, skipping: rs.Certificate) -> None:
    for certificate in (plain, skipping):
        for number in range(len(certificate.steps)):
            steps = certificate.steps[:number] + certificate.steps[number + 1 :]
            assert not refuses_or_not(replace(certificate, steps=steps)), number


def test_kept_in_a_file(tmp_path, plain: rs.Certificate, capsys) -> None:
    path, again = tmp_path / "square.json", tmp_path / "again.json"
    plain.save(path)
    loaded = rs.load_certificate(path)
    assert (loaded.rules, loaded.rows, loaded.digest) == (plain.rules, 0, plain.digest)
    assert rs.check(loaded, SQUARE.problem) == rs.check(plain, SQUARE.problem)
    loaded.save(again)
    assert again.read_bytes() == path.read_bytes()
    rows = tmp_path / "rows.csv"
    rows.write_text("x,y\n" + "".join(f"{t},{t * t}\n" for t in range(9)))
    assert main(["check", str(path), str(rows)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "interval" in shown.err
    assert len(shown.err.splitlines()) == 1
