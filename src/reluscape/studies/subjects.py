"""Problems as a study describes them: plain tables, from files and objects and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

from numpy.typing import ArrayLike

from reluscape.errors import InputError
from reluscape.networks.arrays import as_floats
from reluscape.problems.expression import expression
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples
from reluscape.problems.targets import (
    PiecewisePolynomial,
    affine,
    piecewise_linear,
    piecewise_polynomial,
    polynomial,
)
from reluscape.studies import rows
from reluscape.studies.checks import as_table, check_keys, choice, finite, items, positive, text

Problem: TypeAlias = Interval | Samples
Table: TypeAlias = Mapping[str, object]

# What each kind of problem needs, and may have besides.
KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "piecewise linear": (("x", "y"), ("density",)),
    "expression": (("target", "interval"), ("density",)),
    "affine": (("alpha", "beta", "interval"), ("density",)),
    "pieces": (("interval", "breaks", "target"), ("density_breaks", "density")),
    "trap": (("interval",), ("gap", "height")),
    "data": (("file", "x", "y"), ("weights", "sha256")),
    "samples": (("x", "y"), ("weights",)),
}


def described(name: str, value: object) -> tuple[Table, Problem]:
    """Return the plain table that describes a problem, checked, and the problem itself.

    Parameters
    ----------
    name : str
        What messages call the problem.
    value : Interval, Samples or mapping
        An object, or a table with a `kind` and what belongs to it.

    Returns
    -------
    mapping
        Of texts, floats and lists of floats only; equal problems have equal tables.
    Interval or Samples

    Raises
    ------
    InputError
        If it describes no problem with one input and scalar targets.
    FileError
        If a file of data is missing or no longer holds the same data.

    Examples
    --------
    >>> described("x", {"kind": "affine", "alpha": 1, "beta": 0, "interval": [0, 1]})[0]
    {'kind': 'affine', 'interval': [0.0, 1.0], 'alpha': 1.0, 'beta': 0.0}
    """
    where = f"the problem {name!r}"
    if isinstance(value, Samples):
        _require_line(where, value)
        return rows.describe(value), value
    if isinstance(value, Interval):
        return _describe_interval(where, value), value
    if not isinstance(value, Mapping):
        raise InputError(
            f"{where} is a {type(value).__name__}; give an Interval, Samples with one input, or a "
            "table with a kind: studies have no other problems."
        )
    table = as_table(where, cast("object", value))
    if "kind" not in table:
        raise InputError(f"{where} has no kind; add one of {', '.join(KINDS)}.")
    kind = choice(f"the kind of {where}", table["kind"], list(KINDS))
    check_keys(where, table, ["kind", *KINDS[kind][0]], KINDS[kind][1])
    try:
        if kind == "data":
            return rows.from_file(where, table)
        plain = {"kind": kind, **_plain(where, kind, table)}
        return plain, _build(plain)
    except InputError as wrong:
        prefix = "" if where in str(wrong) else f"{where}: "
        raise type(wrong)(f"{prefix}{wrong}") from None


def located(table: object, base: Path) -> object:
    """Return a description in which the path of a file starts from a folder.

    Parameters
    ----------
    table : object
        Not checked yet; what is no table with a file stays as it is.
    base : Path

    Returns
    -------
    object
    """
    if not isinstance(table, Mapping):
        return table
    found = dict(cast("Table", table))
    if isinstance(file := found.get("file"), str):
        found["file"] = str(base / file)
    return found


def _build(table: Table) -> Problem:
    """Return the problem that a plain table describes."""
    kind = table["kind"]
    if kind == "samples":
        return rows.build(table)
    if kind == "piecewise linear":
        x = cast("list[float]", table["x"])
        target = piecewise_linear(x, cast("list[float]", table["y"]))
        return Interval(target, x[0], x[-1], _density(table))
    a, b = cast("list[float]", table["interval"])
    if kind == "trap":
        return _build_trap(table, a, b)
    if kind == "affine":
        target = affine(cast("float", table["alpha"]), cast("float", table["beta"]))
    elif kind == "expression":
        target = expression(cast("str", table["target"]))
    else:
        target = _pieces(table, "breaks", "target")
    return Interval(target, a, b, _density(table))


def _density(table: Table) -> PiecewisePolynomial | None:
    if "density" not in table:
        return None
    if table["kind"] == "pieces":
        return _pieces(table, "density_breaks", "density")
    return expression(cast("str", table["density"]))


def _pieces(table: Table, breaks: str, coefficients: str) -> PiecewisePolynomial:
    parts = cast("list[ArrayLike]", table[coefficients])
    return piecewise_polynomial(cast("list[float]", table[breaks]), parts)


def _build_trap(table: Table, a: float, b: float) -> Interval:
    from reluscape.landscape.trap import trap
    from reluscape.landscape.trap_target import trap_target

    if "gap" in table:
        return trap(a, b, cast("float", table["gap"])).problem
    if not a < b:
        raise InputError(f"the interval [{a}, {b}] is not one; give finite a < b.")
    return Interval(trap_target(a, b, cast("float", table["height"])), a, b)


def _plain(where: str, kind: str, table: Table) -> dict[str, object]:
    """Return the values of a table as floats, texts and lists of floats."""
    if kind == "samples":
        return {key: text(f"{key} of {where}", table[key]) for key in table if key != "kind"}
    found: dict[str, object] = {}
    if "interval" in table:
        ends = _floats(f"interval of {where}", table["interval"])
        if len(ends) != 2:
            raise InputError(f"interval of {where} has {len(ends)} numbers; give its two ends.")
        found["interval"] = ends
    for key in ("alpha", "beta"):
        if key in table:
            found[key] = finite(f"{key} of {where}", table[key])
    if kind == "trap":
        if ("gap" in table) == ("height" in table):
            raise InputError(f"{where} needs either a gap or a height; give one of them.")
        key = "gap" if "gap" in table else "height"
        found[key] = positive(f"{key} of {where}", table[key])
    elif kind == "piecewise linear":
        found |= {key: _floats(f"{key} of {where}", table[key]) for key in ("x", "y")}
    elif kind == "pieces":
        if ("density" in table) != ("density_breaks" in table):
            raise InputError(f"{where} has one of density and density_breaks; give both.")
        for key in ("breaks", "density_breaks"):
            if key in table:
                found[key] = _floats(f"{key} of {where}", table[key])
        for key in ("target", "density"):
            if key in table:
                name = f"{key} of {where}"
                found[key] = [_floats(f"a row of {name}", row) for row in items(name, table[key])]
        return found
    elif kind == "expression":
        found["target"] = text(f"target of {where}", table["target"])
    if "density" in table:
        found["density"] = text(f"density of {where}", table["density"])
    return found


def _floats(name: str, value: object) -> list[float]:
    return [finite(f"an entry of {name}", entry) for entry in items(name, value)]


def _require_line(where: str, problem: Samples) -> None:
    if not problem.on_a_line:
        raise InputError(
            f"{where} has {problem.inputs} input(s) and y of shape {problem.y.shape}; studies need "
            "one input and y of shape (n,)."
        )


def _describe_interval(where: str, problem: Interval) -> Table:
    from reluscape.landscape.trap_target import TrapTarget

    ends = [problem.a, problem.b]
    target = problem.target
    if isinstance(target, TrapTarget):
        same = (problem.a, problem.b) == (target.a, target.b)
        if not same or problem.density != polynomial([1.0]):
            raise InputError(
                f"{where} has the target of a trap on another interval or under another density; "
                "study the problem that trap returns."
            )
        return {"kind": "trap", "interval": ends, "height": target.height}
    found: dict[str, object] = {"kind": "pieces", "interval": ends}
    found |= _clipped(where, target, ends, "breaks", "target")
    if problem.density != polynomial([1.0]):
        found |= _clipped(where, problem.density, ends, "density_breaks", "density")
    return found


def _clipped(
    where: str, function: PiecewisePolynomial, ends: list[float], breaks: str, coefficients: str
) -> dict[str, object]:
    """Describe a function on an interval: outside nobody sees it, and borders may be infinite."""
    borders, parts = function.on(ends[0], ends[1], coefficients)
    for row in parts:
        if any(isinstance(c, Fraction) for c in row) or not all(map(math.isfinite, row)):
            raise InputError(f"{where} has coefficients that are no floats; give finite floats.")
    return {
        breaks: [float(t) for t in borders],
        coefficients: [as_floats("coefficients", row).tolist() for row in parts],
    }
