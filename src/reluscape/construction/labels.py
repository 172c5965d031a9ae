"""Labels of any hashable kind as class numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError

Codes: TypeAlias = NDArray[np.int64]
Labels: TypeAlias = NDArray[np.generic] | Sequence[Hashable]

# Kinds of arrays whose values compare and sort as a whole.
_PLAIN = "biufUS"


class Coder:
    """Turns labels into class numbers, in the order in which classes appear.

    Parameters
    ----------
    classes : sequence of hashable
        The classes that are known.
    closed : bool, default False
        Whether no other may appear.

    Examples
    --------
    >>> coder = Coder()
    >>> coder.encode(["b", "a", "b"], 0), coder.encode(["c"], 3), coder.classes
    (array([0, 1, 0]), array([2]), ['b', 'a', 'c'])
    """

    def __init__(self, classes: Sequence[Hashable] = (), *, closed: bool = False) -> None:
        self.classes: list[Hashable] = []
        self.closed = False
        self._numbers: dict[Hashable, int] = {}
        self._sorted: NDArray[np.generic] | None = None
        self._order = np.empty(0, np.int64)
        for label in classes:
            self._number(label, 0)
        self.closed = closed

    def encode(self, labels: Labels, start: int) -> Codes:
        """Return the class number of each label.

        Parameters
        ----------
        labels : ndarray of shape (n,), or sequence of hashable
        start : int
            The row of the first, for messages.

        Returns
        -------
        ndarray of int, shape (n,)

        Raises
        ------
        InputError
            If a label is missing (NaN), not hashable, or of a class that may not appear.
        """
        if isinstance(labels, np.ndarray) and labels.dtype.kind in _PLAIN:
            return self._encode_array(labels, start)
        items = (
            cast("list[Hashable]", labels.tolist()) if isinstance(labels, np.ndarray) else labels
        )
        return np.fromiter(
            (self._number(label, start + i) for i, label in enumerate(items)), np.int64, len(items)
        )

    def _encode_array(self, labels: NDArray[np.generic], start: int) -> Codes:
        known = self._sorted
        if known is None or known.dtype != labels.dtype or len(known) != len(self.classes):
            known = self._sort_in(labels, start)
        places = np.searchsorted(known, labels)
        places[places == len(known)] = 0
        if (known[places] != labels).any():
            known = self._sort_in(labels, start)
            places = np.searchsorted(known, labels)
        return self._order[places]

    def _sort_in(self, labels: NDArray[np.generic], start: int) -> NDArray[np.generic]:
        """Learn the classes among the labels; return those that the labels can be looked up in."""
        values, first = np.unique(labels, return_index=True)
        for i in np.sort(first):
            self._number(cast("Hashable", labels[i].item()), start + int(i))
        numbers = [self._numbers[cast("Hashable", value)] for value in values.tolist()]
        # Between chunks of one kind the classes so far stay; of another kind they are learnt anew.
        if self._sorted is not None and self._sorted.dtype == labels.dtype:
            values, keep = np.unique(np.concatenate([self._sorted, values]), return_index=True)
            numbers = np.concatenate([self._order, numbers])[keep].tolist()
        self._sorted = values
        self._order = np.array(numbers, np.int64)
        return values

    def _number(self, label: Hashable, row: int) -> int:
        if isinstance(label, np.generic):
            label = cast("Hashable", label.item())
        try:
            found = self._numbers.get(label)
        except TypeError:
            raise InputError(
                f"the label in row {row} is a {type(label).__name__}, which cannot be hashed; "
                "give labels such as numbers, strings or tuples."
            ) from None
        if found is not None:
            return found
        if isinstance(label, float) and label != label:
            raise InputError(f"the label in row {row} is NaN; remove the row or give it a class.")
        if self.closed:
            raise InputError(
                f"class {label!r} appears in row {row}, but the classes were given as "
                f"{shown(self.classes)}; add it there, or remove its rows."
            )
        self._numbers[label] = len(self.classes)
        self.classes.append(label)
        return self._numbers[label]


def order(classes: Sequence[Hashable]) -> list[int]:
    """Return the order in which classes are listed: sorted, or as they are where that fails.

    Examples
    --------
    >>> order(["b", "a"]), order(["b", 1])
    ([1, 0], [0, 1])
    """
    places = range(len(classes))
    try:
        return sorted(places, key=lambda i: cast("str", classes[i]))
    except TypeError:
        return list(places)


def as_array(classes: Sequence[Hashable]) -> NDArray[np.generic]:
    """Return classes as an array, of objects where they are not of one plain kind.

    Examples
    --------
    >>> as_array([2, 1]), as_array([1, "a"]), as_array([(1, 2), (3, 4)]).shape
    (array([2, 1]), array([1, 'a'], dtype=object), (2,))
    """
    kinds = {type(label) for label in classes}
    if len(kinds) == 1 and issubclass(next(iter(kinds)), (bool, int, float, str, np.generic)):
        array = np.asarray(classes)
        if array.dtype.kind in _PLAIN:
            return array
    objects = np.empty(len(classes), dtype=object)
    for i, label in enumerate(classes):
        objects[i] = label
    return cast("NDArray[np.generic]", objects)


def shown(classes: Sequence[Hashable], most: int = 8) -> str:
    """Return classes as messages show them.

    Examples
    --------
    >>> shown(["a", "b", 3], most=2)
    "'a', 'b' and 1 more"
    """
    listed = ", ".join(repr(label) for label in classes[:most])
    return listed if len(classes) <= most else f"{listed} and {len(classes) - most} more"
