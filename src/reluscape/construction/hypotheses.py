"""What S4 asks of the data: what does not hold, and what works still."""

from __future__ import annotations

import numpy as np

from reluscape.construction.frame import Frame, Metric, make_frame
from reluscape.construction.labels import shown
from reluscape.construction.summary import ClassSummary
from reluscape.errors import InputError

# From here on half of the digits of a float64 are lost.
ILL_CONDITIONED = 1e8


class IllConditionedWarning(UserWarning):
    """The class means nearly depend on each other: digits of the outputs are lost."""


def require_classes(summary: ClassSummary) -> None:
    """Make sure that there are two classes or more, with rows.

    Raises
    ------
    InputError
        Otherwise.
    """
    if not summary.rows.any():
        raise InputError("there are no rows with a positive weight; give some for every class.")
    for label, rows in zip(summary.classes, summary.rows.tolist(), strict=True):
        if not rows:
            raise InputError(
                f"class {label!r} has no row with a positive weight; give some, or leave it out."
            )
    if len(summary.classes) == 1:
        raise InputError(
            f"there is one class only, {summary.classes[0]!r}, from row 0 to the last; give rows "
            "of two classes or more."
        )


def require_independence(summary: ClassSummary, frame: Frame, metric: Metric) -> None:
    """Make sure that the class means are linearly independent.

    Raises
    ------
    InputError
        Otherwise; the message says what works still.
    """
    q = len(summary.classes)
    if frame.rank == q:
        return
    if q > frame.dimensions:
        what = f"there are {q} classes and {frame.dimensions} input{'s' * (frame.dimensions > 1)}"
        if frame.lift:
            what += " with the constant one"
        what += ", so that class means depend on each other"
    else:
        null = _null(summary, frame)
        named = [summary.classes[i] for i in np.flatnonzero(np.abs(null) > 1e-6)]
        kind = "affinely" if frame.lift else "linearly"
        what = f"the means of the classes {shown(named)} depend {kind} on each other"
    cure = (
        'Y="means" (--outputs means) works still: the network then answers with the projection '
        f"on the subspace of the means, of dimension {frame.rank}"
    )
    if not frame.lift and make_frame(summary, metric=metric, lift=True).rank == q:
        cure = (
            "lift=True (--lift) works still: with inputs centred and a constant one appended it is "
            "enough that they are affinely independent"
        )
    raise InputError(f"{what}; {cure}.")


def remarks_on(summary: ClassSummary, frame: Frame, metric: Metric) -> tuple[str, ...]:
    """Say what a reader should know about the hypotheses of the theorem.

    Parameters
    ----------
    summary : ClassSummary
    frame : Frame
    metric : {"euclidean", "within"}

    Returns
    -------
    tuple of str
        Sentences.
    """
    q, seen = len(summary.classes), frame.dimensions
    found: list[str] = []
    if metric == "within":
        found.append(
            "Inputs are measured in units of the pooled noise within classes: S4 holds for them."
        )
    if frame.lift:
        found.append(
            "Inputs are lifted: centred, and a constant one appended; S4 holds for what they "
            "become."
        )
    if frame.rank < q:
        found.append(
            f"The {q} class means span {frame.rank} dimensions only: S4 does not apply. Outputs "
            "are coordinates of the projection, and cost, bound and distances are theirs."
        )
    if frame.condition > ILL_CONDITIONED:
        found.append(
            f"The class means are ill-conditioned (condition number {frame.condition:.3g}): about "
            f"{np.log10(frame.condition):.0f} of 16 digits are lost."
        )
    single = [c for c, n in zip(summary.classes, summary.rows.tolist(), strict=True) if n == 1]
    if single:
        found.append(f"One row only, so no noise is seen: {shown(single)}.")
    if summary.constant.size:
        columns = shown([int(i) for i in summary.constant])
        found.append(f"Inputs that are constant tell nothing: column {columns}.")
    if int(summary.rows.sum()) <= q * seen:
        found.append(
            f"S4 is stated for more rows ({int(summary.rows.sum())}) than classes times inputs "
            f"({q * seen}); its formulas hold here all the same."
        )
    return tuple(found)


def _null(summary: ClassSummary, frame: Frame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return coefficients of the classes that combine the means to zero, the largest 1."""
    q = len(summary.classes)
    rest = np.eye(q) - frame.mixing @ frame.mixing.T
    column = rest[:, int(np.argmax(np.diag(rest)))]
    return column / np.abs(column).max()
