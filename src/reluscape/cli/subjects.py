"""The problems that commands are about: a table of data, or a target on an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reluscape.errors import InputError

if TYPE_CHECKING:
    from reluscape.problems.interval import Interval
    from reluscape.problems.samples import Samples
    from reluscape.problems.targets import PiecewisePolynomial


@dataclass(frozen=True)
class Wanted:
    """What was asked for, one field an option."""

    data: str | None = None
    x: Sequence[str] = ()
    y: str | None = None
    weights: str | None = None
    target: str | None = None
    interval: tuple[str, str] | None = None
    density: str | None = None


@dataclass(frozen=True)
class Subject:
    """A problem, and how it is called.

    Attributes
    ----------
    problem : Samples or Interval
    title : str
        For people.
    values : mapping
        For programs.
    x_name, y_name : str
        Labels of axes.
    notes : tuple of str
        What a user should know about how a file was understood.
    x_names : tuple of str
        Each input by itself.
    """

    problem: Samples | Interval
    title: str
    values: Mapping[str, object]
    x_name: str = "x"
    y_name: str = "y"
    notes: tuple[str, ...] = ()
    x_names: tuple[str, ...] = ("x",)


def read_subject(wanted: Wanted) -> Subject:
    """Read the problem that options describe.

    Parameters
    ----------
    wanted : Wanted

    Returns
    -------
    Subject

    Raises
    ------
    InputError
        When there is no problem or more than one, or it cannot be read.
    """
    if (wanted.data is None) == (wanted.target is None):
        raise InputError(
            "give either --data DATA, or --target EXPR with --interval A B: what the network is "
            "judged on."
        )
    if wanted.data is None:
        for option, value in (("--x", wanted.x), ("--y", wanted.y), ("--weights", wanted.weights)):
            if value:
                raise InputError(f"{option} goes with --data only; leave it out.")
        interval = read_interval(wanted.target or "", wanted.interval, wanted.density)
        return interval_subject(interval, wanted)
    for option, value in (("--interval", wanted.interval), ("--density", wanted.density)):
        if value is not None:
            raise InputError(f"{option} goes with --target only; leave it out.")
    return _data_subject(wanted.data, wanted)


def read_interval(
    target: str, interval: tuple[str, str] | None, density: str | None = None
) -> Interval:
    """Read a target on an interval.

    Parameters
    ----------
    target : str
        An expression, see `reluscape.expression`.
    interval : (str, str) or None
        Its ends, expressions without x.
    density : str or None
        An expression.

    Returns
    -------
    Interval

    Raises
    ------
    InputError
        When one of them is wrong or missing; the message names the option.

    Examples
    --------
    >>> read_interval("abs(x)", ("-1", "1/2"))
    Interval([-1, 0.5], target of 2 piece(s))
    """
    from reluscape.problems.interval import Interval

    a, b = read_ends(interval)
    function = _expression("--target", target)
    weight = None if density is None else _expression("--density", density)
    return Interval(function, a, b, weight)


def read_ends(interval: tuple[str, str] | None) -> tuple[float, float]:
    """Read the ends of an interval.

    Raises
    ------
    InputError
        When they are missing, are no numbers, or not in order.

    Examples
    --------
    >>> read_ends(("0", "1/4"))
    (0.0, 0.25)
    """
    if interval is None:
        raise InputError("--interval is missing; give its two ends, like --interval 0 1.")
    ends: list[float] = []
    for text in interval:
        function = _expression("--interval", text)
        rows = function.coefficients
        if len(rows) != 1 or any(len(row) > 1 for row in rows):
            raise InputError(f"--interval: {text} is no number; give two ends like 0 and 1/2.")
        ends.append(float(function(0.0)))
    if not ends[0] < ends[1]:
        raise InputError(
            f"--interval {interval[0]} {interval[1]} is none; give the lower end first."
        )
    return ends[0], ends[1]


def interval_subject(problem: Interval, wanted: Wanted) -> Subject:
    """Return an interval as a subject.

    Parameters
    ----------
    problem : Interval
    wanted : Wanted
        The options that it was read from.

    Returns
    -------
    Subject
    """
    title = f"{wanted.target} on [{problem.a:g}, {problem.b:g}]"
    if wanted.density is not None:
        title += f", density {wanted.density}"
    values = {
        "target": wanted.target,
        "interval": [problem.a, problem.b],
        "density": wanted.density,
    }
    return Subject(problem, title, values)


def _data_subject(data: str, wanted: Wanted) -> Subject:
    from reluscape.problems.samples import Samples
    from reluscape.tables.reading import read_columns

    columns = read_columns(data, x=wanted.x, y=wanted.y, weights=wanted.weights)
    names = ", ".join(columns.x_names)
    title = f"{columns.y_name} against {names}, {len(columns.y):,} rows of {columns.source}"
    if columns.weights_name is not None:
        title += f", weighted by {columns.weights_name}"
    values = {
        "source": columns.source,
        "x": list(columns.x_names),
        "y": columns.y_name,
        "weights": columns.weights_name,
        "rows": len(columns.y),
    }
    problem = Samples(columns.x, columns.y, columns.weights)
    return Subject(
        problem, title, values, names, columns.y_name, columns.notes, tuple(columns.x_names)
    )


def _expression(option: str, text: str) -> PiecewisePolynomial:
    from reluscape.problems.expression import expression

    try:
        return expression(text)
    except InputError as problem:
        raise InputError(f"{option}: {problem}") from None
