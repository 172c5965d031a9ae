"""The values of a study, read one by one into one plain form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from reluscape.errors import InputError
from reluscape.networks.arrays import is_whole
from reluscape.studies.axes import parse_activation, parse_initialisation, parse_optimiser
from reluscape.studies.checks import (
    as_table,
    choice,
    each,
    flag,
    nearest,
    positive,
    text,
    whole,
)
from reluscape.studies.subjects import Problem, described

if TYPE_CHECKING:
    from reluscape.studies.study import Study

Table: TypeAlias = Mapping[str, object]


def plain(study: Study) -> dict[str, object]:
    """Return the values of a study in one plain form, and its problems as `built`.

    Parameters
    ----------
    study : Study
        As a user wrote it.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If a value is wrong.
    FileError
        If a file of data cannot be read, or has changed.
    """
    tables, built = read_problems(study.problems)
    steps = whole("steps", study.steps, 1)
    return {
        "problems": tables,
        "built": built,
        "widths": each("widths", study.widths, lambda name, entry: whole(name, entry, 1)),
        "starts": whole("starts", study.starts, 1),
        "step_sizes": each("step_sizes", study.step_sizes, positive),
        "steps": steps,
        "initialisations": each(
            "initialisations", study.initialisations, lambda _, entry: parse_initialisation(entry)
        ),
        "activations": each(
            "activations", study.activations, lambda _, entry: parse_activation(entry)
        ),
        "optimisers": each("optimisers", study.optimisers, lambda _, entry: parse_optimiser(entry)),
        "skip": flag("skip", study.skip),
        "at_zero": choice("at_zero", study.at_zero, ("gt", "ge")),
        "records": read_records(study.records, steps),
        "thresholds": read_thresholds(study.thresholds, list(tables)),
        "monitor_every": whole("monitor_every", study.monitor_every, 1),
        "success": read_success(study.success, list(tables)),
        "verdicts": choice("verdicts", study.verdicts, ("none", "final", "polished")),
        "keep_networks": flag("keep_networks", study.keep_networks),
        "precision": choice("precision", study.precision, ("float64", "float32")),
        "seed": whole("seed", study.seed, 0),
        "name": text("name", study.name) and printable("name", study.name),
    }


def read_problems(value: object) -> tuple[dict[str, Table], dict[str, Problem]]:
    """Read the problems of a study.

    Parameters
    ----------
    value : mapping
        From names to problems or their descriptions.

    Returns
    -------
    dict
        From names to plain descriptions.
    dict
        From names to problems.

    Raises
    ------
    InputError
    FileError
    """
    table = as_table("problems", value)
    if not table:
        raise InputError("there are no problems; give at least one, by name.")
    both = {
        printable("the name of a problem", name): described(name, entry)
        for name, entry in table.items()
    }
    plain = {name: pair[0] for name, pair in both.items()}
    return plain, {name: pair[1] for name, pair in both.items()}


def printable(name: str, value: object) -> str:
    """Return a text that files and terminals can show.

    Raises
    ------
    InputError
    """
    found = text(name, value)
    if not found.strip() or not found.isprintable():
        raise InputError(f"{name} is {value!r}; give a text that can be printed.")
    return found


def read_records(value: object, steps: int) -> tuple[int, ...]:
    """Read the steps at which risks are kept.

    Parameters
    ----------
    value : None, int or sequence of int
        None for the first and the last; a number R for about R of them at growing distances.
    steps : int
        Steps of a run.

    Returns
    -------
    tuple of int
        Increasing.

    Raises
    ------
    InputError
        If one is negative, given twice, or beyond the last step.

    Examples
    --------
    >>> read_records(5, 1000)
    (0, 1, 10, 100, 1000)
    """
    if value is None:
        return (0, steps)
    if is_whole(value):
        count = whole("records", value, 2)
        rising = np.rint(np.geomspace(1, steps, count - 1)) if count > 2 else np.array([steps])
        return (0, *(int(step) for step in np.unique(rising)))
    found = each("records", value, lambda name, entry: whole(name, entry, 0))
    if max(found) > steps:
        raise InputError(
            f"records holds step {max(found):,}, but a run has {steps:,}; leave it out or run on."
        )
    return tuple(sorted(found))


def read_thresholds(value: object, problems: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Read the risks that are waited for.

    Parameters
    ----------
    value : sequence of float, or mapping from problems to such
    problems : sequence of str

    Returns
    -------
    dict
        One row a problem, decreasing.

    Raises
    ------
    InputError
        If a problem is unknown, or a risk is not above 0 or given twice.

    Examples
    --------
    >>> read_thresholds([1e-6, 1e-4], ["tent"])
    {'tent': (0.0001, 1e-06)}
    """
    if not isinstance(value, Mapping):
        row = _thresholds("thresholds", value)
        return dict.fromkeys(problems, row)
    table = as_table("thresholds", value)  # pyright: ignore[reportUnknownArgumentType]
    _check_known("thresholds", table, problems)
    return {name: _thresholds(f"thresholds of {name!r}", table.get(name, ())) for name in problems}


def read_success(value: object, problems: Sequence[str]) -> dict[str, float]:
    """Read the risks up to which a run has succeeded.

    Parameters
    ----------
    value : float, or mapping from problems to such
    problems : sequence of str

    Returns
    -------
    dict
        One risk a problem.

    Raises
    ------
    InputError
        If a problem is unknown or left out, or a risk is not above 0.
    """
    if not isinstance(value, Mapping):
        return dict.fromkeys(problems, positive("success", value))
    table = as_table("success", value)  # pyright: ignore[reportUnknownArgumentType]
    _check_known("success", table, problems)
    for name in problems:
        if name not in table:
            raise InputError(f"success says nothing of the problem {name!r}; add its risk.")
    return {name: positive(f"success of {name!r}", table[name]) for name in problems}


def _thresholds(name: str, value: object) -> tuple[float, ...]:
    if value in ((), []):
        return ()
    return tuple(sorted(each(name, value, positive), reverse=True))


def _check_known(setting: str, table: Iterable[str], problems: Sequence[str]) -> None:
    for name in table:
        if name not in problems:
            raise InputError(
                f"{setting} names the problem {name!r}, which there is not; "
                f"{nearest(name, problems)}"
            )
