"""What a ready study found: tables, remarks, a figure, and what it cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.report.numbers import number

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from reluscape.studies.result import StudyResult

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sheet:
    """A table of texts.

    Attributes
    ----------
    title : str
    headings : sequence of str
    rows : sequence of sequence of str
    words : int
        So many columns on the left are words; the others are numbers.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1


@dataclass(frozen=True, eq=False)
class ReadyStudy:
    """The result of a ready study.

    Attributes
    ----------
    name : str
        "convergence", "saddles", "traps" or "widths".
    title : str
    sheets : tuple of Sheet
        What it prints.
    remarks : tuple of str
    summary : xarray.Dataset
        The numbers in tables and figure.
    result : StudyResult
        The runs, and what they cost.
    seconds : float
        From beginning to end, with all that comes after the runs.
    extra_steps : int
        Network-steps that were made besides those of the study.
    """

    name: str
    title: str
    sheets: tuple[Sheet, ...]
    remarks: tuple[str, ...]
    summary: xr.Dataset = field(repr=False)
    result: StudyResult = field(repr=False)
    seconds: float = 0.0
    extra_steps: int = 0

    @property
    def cost(self) -> str:
        """Say what it took in a line."""
        runs = int(self.result.dataset.attrs["runs_total"])
        parts = [f"{runs:,} runs"]
        if self.result.cost is not None:
            parts.append(str(self.result.cost))
        if self.extra_steps:
            parts.append(f"{self.extra_steps:,} network-steps more to look closer")
        return "; ".join([*parts, f"{number(self.seconds, 3)} s in all"])

    def figure(self) -> Figure:
        """Draw the figure of the study.

        Returns
        -------
        matplotlib.figure.Figure
            Not known to pyplot: nothing to close, no window.
        """
        from reluscape.report import study_plots

        return study_plots.PLOTS[self.name](self.summary)

    def __str__(self) -> str:
        """Say all of it."""
        lines = [self.title, self.cost]
        for sheet in self.sheets:
            lines += ["", sheet.title, *_aligned(sheet)]
        return "\n".join([*lines, "", *self.remarks])

    def _repr_html_(self) -> str:
        from reluscape.report.html import paragraph, section, table

        parts = [
            section(sheet.title, table(sheet.headings, sheet.rows, text=range(sheet.words)))
            for sheet in self.sheets
        ]
        head = [paragraph(self.title), paragraph(self.cost)]
        return "\n".join([*head, *parts, *(paragraph(line, "note") for line in self.remarks)])


def floats(dataset: xr.Dataset, name: str) -> Floats:
    """Return a variable of a Dataset as an array of floats.

    Parameters
    ----------
    dataset : xarray.Dataset
    name : str

    Returns
    -------
    ndarray
    """
    return np.asarray(dataset[name].to_numpy(), np.float64)


def span_text(low: float, high: float, *, whole: bool = False) -> str:
    """Say an interval.

    Parameters
    ----------
    low, high : float
    whole : bool
        Whether its ends are whole numbers.

    Returns
    -------
    str

    Examples
    --------
    >>> span_text(0.31871, 0.508), span_text(3, math.inf, whole=True)
    ('0.319 to 0.508', '3 to –')
    """
    if whole:
        return f"{whole_text(low)} to {whole_text(high)}"
    return f"{low:.3f} to {high:.3f}"


def whole_text(value: float) -> str:
    """Say a whole number, a dash if it is infinite.

    Examples
    --------
    >>> whole_text(1234.0), whole_text(math.inf)
    ('1,234', '–')
    """
    return f"{value:,.0f}" if math.isfinite(value) else "–"


def _aligned(sheet: Sheet) -> list[str]:
    sizes = [max(map(len, column)) for column in zip(sheet.headings, *sheet.rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(size) if i < sheet.words else cell.rjust(size)
            for i, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in [sheet.headings, *sheet.rows]
    ]
