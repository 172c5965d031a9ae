"""What a worker is told: one function, one description, and from then on numbers of chunks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from reluscape.errors import InputError

Description = Mapping[str, object]


class Table(Protocol):
    """What the engines need to know of a `pyarrow.Table`, which ships no types."""

    @property
    def num_rows(self) -> int:
        """How many rows it has."""
        ...


# Takes a finished chunk: its index and its table.
Deliver = Callable[[int, Table], object]
# Tells whether a chunk is still to be computed.
Wanted = Callable[[int], bool]


class Task(Protocol):
    """A function that computes a chunk: at the top of a module, its result a function of these."""

    def __call__(self, description: Description, index: int, *, device: str) -> Table:
        """Return the rows of a chunk."""
        ...


class WarmUp(Protocol):
    """A function that readies a process for the chunks: compiles, or loads what is compiled."""

    def __call__(self, description: Description, *, device: str) -> object:
        """Compile; the result is not looked at."""
        ...


@dataclass(frozen=True)
class Work:
    """A function by its name, and what it is called with: plain text and numbers.

    Attributes
    ----------
    description : dict
        What JSON can hold.
    task : str
        `module:function`, called as `function(description, index, device=device)`.
    warm_up : str
        The same for `function(description, device=device)`, or nothing.
    device : str
        "cpu" or "cuda".

    Examples
    --------
    >>> Work({}, "math:sqrt").task
    'math:sqrt'
    """

    description: Description
    task: str
    warm_up: str = ""
    device: str = "cpu"


@dataclass(frozen=True)
class Done:
    """A chunk that is computed.

    Attributes
    ----------
    index : int
    table : pyarrow.Table
    seconds : float
        Of processor that it took.
    """

    index: int
    table: Table
    seconds: float


def reference(function: Callable[..., object]) -> str:
    """Return the name under which another process finds a function.

    Parameters
    ----------
    function : callable
        At the top of a module that others can import.

    Returns
    -------
    str
        `module:function`.

    Raises
    ------
    InputError
        If the function is a lambda, lives in another function, or in the script that runs.

    Examples
    --------
    >>> from math import sqrt
    >>> reference(sqrt)
    'math:sqrt'
    """
    module, name = function.__module__, function.__qualname__
    if module == "__main__" or not name.isidentifier():
        raise InputError(
            f"other processes cannot import {name} of {module}; "
            "put it at the top of a module of its own."
        )
    return f"{module}:{name}"


def find(name: str) -> Callable[..., object]:
    """Return the function of a name that `reference` made.

    Parameters
    ----------
    name : str
        `module:function`.

    Returns
    -------
    callable

    Raises
    ------
    ImportError, AttributeError
        If there is no such function here.

    Examples
    --------
    >>> find("math:sqrt")(4.0)
    2.0
    """
    module, _, function = name.partition(":")
    return cast("Callable[..., object]", getattr(import_module(module), function))


def perform(work: Work, index: int) -> Done:
    """Compute a chunk in this process.

    Parameters
    ----------
    work : Work
    index : int
        Of the chunk.

    Returns
    -------
    Done
    """
    begun = time.process_time()
    table = cast("Task", find(work.task))(work.description, index, device=work.device)
    return Done(index, table, time.process_time() - begun)
