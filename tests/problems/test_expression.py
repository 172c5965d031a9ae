"""Expressions: compared with a tiny evaluator of their trees, and refused where they are none."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import reluscape as rs
from reluscape.problems.real_roots import real_roots

F = Fraction


@dataclass(frozen=True)
class Tree:
    """An expression as text, and what it means: a function of a fraction."""

    text: str
    value: Any


def _number(n: int, d: int) -> Tree:
    return Tree(f"{n}/{d}" if d > 1 else f"{n}", lambda x: F(n, d))


def _grow(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    def both(shape: str, meaning: Any) -> st.SearchStrategy[Tree]:
        return st.tuples(trees, trees).map(
            lambda t: Tree(
                shape.format(t[0].text, t[1].text),
                lambda x: meaning(t[0].value(x), t[1].value(x)),
            )
        )

    def one(shape: str, meaning: Any) -> st.SearchStrategy[Tree]:
        return trees.map(lambda t: Tree(shape.format(t.text), lambda x: meaning(t.value(x))))

    return st.one_of(
        both("{} + ({})", lambda f, g: f + g),
        both("{} - ({})", lambda f, g: f - g),
        both("({})*({})", lambda f, g: f * g),
        both("({})({})", lambda f, g: f * g),
        both("max({}, {})", max),
        both("min({}, {})", min),
        both("max({}, {}, 1/2)", lambda f, g: max(f, g, F(1, 2))),
        both("piecewise({}, x < 1/3, {})", lambda f, g: (f, g)),
        both("piecewise(-1, {} <= {}, 2)", lambda f, g: F(-1) if f <= g else F(2)),
        one("-({})", lambda f: -f),
        one("({})^2", lambda f: f**2),
        one("({})**3", lambda f: f**3),
        one("({})/-4", lambda f: -f / 4),
        one("3({})", lambda f: 3 * f),
        one("abs({})", abs),
        one("|{}|", abs),
        one("relu({})", lambda f: max(f, F(0))),
        one("step({})", lambda f: F(f >= 0)),
        one("sign({})", lambda f: F((f > 0) - (f < 0))),
    ).map(_resolved)


def _resolved(tree: Tree) -> Tree:
    """Let `piecewise` choose by x, which the shapes above do not see."""

    def value(x: Fraction) -> Fraction:
        found = tree.value(x)
        return found[x >= F(1, 3)] if isinstance(found, tuple) else found

    return Tree(tree.text, value)


LEAVES = st.one_of(
    st.just(Tree("x", lambda x: x)),
    st.builds(_number, st.integers(0, 9), st.integers(1, 5)),
    st.builds(lambda n: Tree(f"{n / 8}", lambda x: F(n, 8)), st.integers(0, 40)),
)
TREES = st.recursive(LEAVES, _grow, max_leaves=6)
# Off the places where such expressions vanish: what they are at single points is free.
OFF = F(1, 10**9 + 7)
POINTS = st.lists(st.fractions(-4, 4, max_denominator=97).map(lambda x: x + OFF), min_size=3)


def read(text: str) -> Any:
    """Parse what may have too high a degree, and is then no example."""
    try:
        return rs.expression(text)
    except rs.InputError as problem:
        assume("degree" not in str(problem))
        raise


def at(function: Any, x: Fraction) -> tuple[Fraction, Fraction]:
    """The exact value of a function with rounded coefficients, and how far off rounding puts it."""
    piece = int(np.searchsorted(function.breaks[1:-1], float(x), side="right"))
    terms = [F(c) * x**k for k, c in enumerate(function.coefficients[piece])]
    return sum(terms, F(0)), sum(map(abs, terms), F(0)) / 2**52


@given(TREES, POINTS)
def test_values_are_those_of_the_tree(tree: Tree, points: list[Fraction]) -> None:
    function = read(tree.text)
    breaks = np.array(function.breaks[1:-1])
    for x in points:
        if np.any(np.abs(breaks - float(x)) < 1e-9):
            continue  # borders are rounded, and values on them are free
        value, error = at(function, x)
        assert abs(value - tree.value(x)) <= error


@given(TREES)
def test_neighbouring_pieces_differ(tree: Tree) -> None:
    function = read(tree.text)
    assert function.breaks[0] == -math.inf
    assert function.breaks[-1] == math.inf
    assert np.all(np.diff(function.breaks) > 0)
    rows = function.coefficients
    assert all(p != q for p, q in pairwise(rows))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2x^2 - 3x + 1", lambda x: 2 * x**2 - 3 * x + 1),
        ("-x^2", lambda x: -(x**2)),
        ("2^3^2 x", lambda x: 512 * x),
        ("1/2x", lambda x: x / 2),
        ("x/2/4", lambda x: x / 8),
        ("1 - 2 - x", lambda x: -1 - x),
        ("(x - 1)(x + 1)x", lambda x: x**3 - x),
        ("2|x - 1||x|", lambda x: 2 * abs(x - 1) * abs(x)),
        ("|x - |x - 1||", lambda x: abs(x - abs(x - 1))),
        ("|(2|x|)|", lambda x: 2 * abs(x)),
        ("1e-3x + .5", lambda x: 1e-3 * x + 0.5),
        ("pi x + e", lambda x: math.pi * x + math.e),
        ("2e", lambda x: 2 * math.e + 0 * x),
        ("relu(2x - 1) - relu(x - 1)", lambda x: np.maximum(2 * x - 1, 0) - np.maximum(x - 1, 0)),
        ("piecewise(1, 0 <= x < 1, 0)", lambda x: 1.0 * ((x >= 0) & (x < 1))),
        ("piecewise(1, x > 1, 2, x > 0, 3)", lambda x: np.where(x > 1, 1, np.where(x > 0, 2, 3))),
        ("piecewise(5, x < x, 6)", lambda x: 6 + 0 * x),
        ("piecewise(5, x <= x, 6)", lambda x: 5 + 0 * x),
        ("max(x)", lambda x: x),
        ("−x · 2", lambda x: -2 * x),
        ("piecewise(1, x ≤ 1, 2)", lambda x: np.where(x <= 1, 1, 2)),
        ("0^0", lambda x: 1 + 0 * x),
        ("x^2.0", lambda x: x**2),
        ("  x\n +\t1", lambda x: x + 1),
    ],
)
def test_what_texts_mean(text: str, value: Any) -> None:
    x = np.array([-2.3, -0.7, 0.21, 0.77, 1.4, 3.9])
    np.testing.assert_allclose(rs.expression(text)(x), value(x), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(
    ("text", "breaks"),
    [
        ("abs(x - 1/3)", [1 / 3]),
        ("abs(x^2 - 2)", [-math.sqrt(2), math.sqrt(2)]),
        ("abs(abs(x^2 - 2))", [-math.sqrt(2), math.sqrt(2)]),
        ("abs((x - 1/2)^2)", []),
        ("abs((x - 1/2)^2 (x - 1/7)^3)", [1 / 7]),
        ("abs((x^2 - 2)^2)", []),
        ("max(x^3, x)", [-1, 0, 1]),
        ("abs(x - 1e-30)", [1e-30]),
        ("step(x - 0.1) + step(0.1 - x)", []),
        ("relu(x^2 - 2) * relu(2 - x^2)", []),
        ("abs(x^3 - 2)", [1.2599210498948732]),
        ("x - x + |x| - |x|", []),
    ],
)
def test_borders(text: str, breaks: list[float]) -> None:
    assert rs.expression(text).breaks[1:-1] == tuple(breaks)


@given(
    st.lists(st.fractions(-50, 50, max_denominator=1000), min_size=1, max_size=8),
    st.lists(st.integers(1, 3), min_size=8, max_size=8),
)
def test_rational_roots_are_exact_however_often_they_count(
    roots: list[Fraction], multiplicities: list[int]
) -> None:
    p = [F(1)]
    for root, many in zip(roots, multiplicities, strict=False):
        for _ in range(many):
            p = [a - root * b for a, b in zip([F(0), *p], [*p, F(0)], strict=True)]
    assert real_roots(tuple(p)) == tuple(sorted(set(roots)))


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=9))
def test_roots_lie_where_the_sign_changes_and_numpy_finds_no_others(c: list[int]) -> None:
    assume(c[-1])
    roots = real_roots(tuple(map(F, c)))
    for root in roots:
        step = max(abs(root), F(1, 2**40)) / 2**60
        ends = [sum(F(a) * x**i for i, a in enumerate(c)) for x in (root - step, root + step)]
        low, high = min(ends), max(ends)
        slope = max(abs(sum(i * F(a) * root ** (i - 1) for i, a in enumerate(c) if i)), F(1))
        # A root of even multiplicity has no change, but values that are small enough.
        assert low <= 0 <= high or max(abs(low), abs(high)) <= slope * step * 2
    found = np.roots(c[::-1])
    clear = found[np.abs(found.imag) < 1e-12 * np.maximum(1, np.abs(found))].real
    for value in clear:
        assert min((abs(float(r) - value) for r in roots), default=1.0) < 1e-3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("y+1", r'in "y\+1", column 1: there is no y; write numbers, x, .* pi or e'),
        ("__import__('os')", 'column 12: "\'" has no meaning here'),
        ("__import__(x)", "column 1: there is no __import__"),
        ("x.real", r"column 2: '\.' has no meaning here"),
        ("x.__class__", "column 2"),
        ("lambda x: x", "column 9"),
        ("x[0]", r"'\['"),
        ("1/x", "column 2: .*divide by constants only"),
        ("1/(x - x)", "divides by zero"),
        ("x^0.5", "column 2: this power is not a whole number"),
        ("x^-1", "not a whole number"),
        ("x^x", "not a whole number"),
        ("x^61", "degrees up to 60"),
        ("(x^10)^10", "degrees up to 60"),
        ("x^40 * x^40", "this has degree 80; at most 60"),
        ("9^9^9", "power is too high"),
        ("2^(10^100)", "power is too high"),
        ("sin(x)", "there is no sin"),
        ("abs x", r"abs needs parentheses, as in abs\(x\)"),
        ("abs(x, 1)", "takes one argument, not 2"),
        ("max()", r"column 5: '\)' cannot stand here"),
        ("(x", r"column 1: this \( is not closed; add a \)"),
        ("|x", r"this \| is not closed"),
        ("x)", r"column 2: '\)' cannot stand here"),
        ("(x|)|", "cannot stand here|not closed|too early"),
        ("x +", "column 4: the expression ends too early"),
        ("x 2", "a number follows here; put an operator before it"),
        ("(x)2", "a number follows here"),
        ("x = 1", "'=' has no meaning"),
        ("x < 1", "comparisons belong in piecewise"),
        ("piecewise(1, x < 0)", "ends with the value where no condition holds"),
        ("piecewise(1, x, 2)", "a condition is needed here"),
        ("1e999", "number is too long"),
        ("1e99999999", "number is too long"),
        ("7" * 401, "number is too long"),
        ("1e300 * 1e300 * x", "beyond the largest double"),
        ("(" * 51 + "x" + ")" * 51, "column 51: this is nested deeper than 50 levels"),
        ("x^" * 100 + "1", "nested deeper"),
        ("|" * 200, "nested deeper"),
        ("(" * 1_000_000, "1,000,000 characters; at most 10,000"),
        ("+".join(f"|x-{i}|" for i in range(600)), "pieces; at most 500"),
        ("x\x00", "no meaning"),
        ("x²", "no meaning"),
        ("１", "no meaning"),
    ],
)
def test_refused(text: str, message: str) -> None:
    began = time.perf_counter()
    with pytest.raises(rs.InputError, match=message) as caught:
        rs.expression(text)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert time.perf_counter() - began < 10


@given(st.text(alphabet="x12.e+-*/^()|,<>= abspimn", max_size=30))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        function = rs.expression(text)
    except rs.InputError:
        return
    assert np.isfinite(function([0.0, 0.5])).all()


@pytest.mark.parametrize(
    "text",
    [
        "*".join(["|x^2-2|"] * 3000),
        "+".join(f"|(x+{i})^60-1|" for i in range(500)),
        "-" * 9_999 + "x",
        "(" * 49 + "x" + "+1/3)(x-1)" * 49,
        "abs(" * 50 + "x^2" + ")-1/3" * 50,
        "max(" + ",".join(f"x^2-{i}x" for i in range(800)) + ")",
        "((x+1/3)^30+pi^9)^2" * 300,
        "+".join(f"1/{p}" for p in range(1, 1500)),
    ],
)
def test_hard_texts_do_not_take_long(text: str) -> None:
    began = time.perf_counter()
    with suppress(rs.InputError):
        rs.expression(text)
    # Seconds on a busy machine; hours without a bound on the work.
    assert time.perf_counter() - began < 30


def test_common_texts_are_read_at_once() -> None:
    rs.expression("x")
    began = time.perf_counter()
    for _ in range(20):
        rs.expression("piecewise(0, x < 0, x^2, x <= 1, 2x - 1) + |x - 1/2|")
    assert time.perf_counter() - began < 2
