"""What a study found."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from reluscape.report.html import table as html_table
from reluscape.report.numbers import number
from reluscape.studies.axes import activation_name, optimiser_name
from reluscape.studies.proportions import wilson
from reluscape.studies.study import Study

if TYPE_CHECKING:
    import xarray as xr

# Rows that a notebook or a terminal shows; the others are in `table()`.
_SHOWN = 40


@dataclass(frozen=True)
class Cost:
    """What a run of a study took.

    Attributes
    ----------
    seconds : float
        From beginning to end.
    processor_seconds : float or None
        Over all workers; None where it is not known.
    network_steps : int
        Steps of networks made in this run; what a store held already is not counted.
    engine, device : str
    """

    seconds: float
    processor_seconds: float | None
    network_steps: int
    engine: str
    device: str

    @property
    def rate(self) -> float:
        """Network-steps a second, from beginning to end."""
        return self.network_steps / self.seconds if self.seconds > 0.0 else 0.0

    def __str__(self) -> str:
        """Say it in a line."""
        worked = (
            ""
            if self.processor_seconds is None
            else f" ({number(self.processor_seconds, 3)} s of processor)"
        )
        return (
            f"{self.network_steps:,} network-steps in {number(self.seconds, 3)} s{worked}, "
            f"{number(self.rate / 1e6, 3)} million a second, {self.engine} on {self.device}"
        )


@dataclass(frozen=True)
class StudyRow:
    """One combination of the axes, all its starts together.

    Attributes
    ----------
    problem, activation : str
    width : int
    initialisation, optimiser : str
    step_size : float
    runs : int
        Done so far.
    successes : int
        Runs with a final risk of at most `success` of the study.
    success : float
        Their share; NaN without runs.
    low, high : float
        Wilson's 95 % interval for the probability of success.
    best_risk, median_risk : float
        NaN without runs.
    diverged : int
    median_times : tuple of (float, float or None)
        For each threshold of the problem the median, over all runs, of the first monitored step at
        or below it; None where fewer than half of the runs get there.
    """

    problem: str
    activation: str
    width: int
    initialisation: str
    optimiser: str
    step_size: float
    runs: int
    successes: int
    success: float
    low: float
    high: float
    best_risk: float
    median_risk: float
    diverged: int
    median_times: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, eq=False)
class StudyResult:
    """The result of `Study.run`.

    Attributes
    ----------
    study : Study
    dataset : xarray.Dataset
        All runs, by problem, activation, width, initialisation, optimiser, step_size and start:
        risk, initial_risk, norm, gradient_norm, steps, outcome, level, record_risk, time, entered
        and left; verdict, polished_risk and parameters if asked for. NaN or -1 where a run is not
        done.
    store : Path or None
        Where the results are kept.
    cost : Cost or None
        Of this run; None for results that were opened.
    """

    study: Study
    dataset: xr.Dataset = field(repr=False)
    store: Path | None = None
    cost: Cost | None = None

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> StudyResult:
        """Open the results that a store holds, complete or not, without running anything.

        Parameters
        ----------
        path : str or path-like
            A directory that `Study.run` filled.

        Returns
        -------
        StudyResult

        Raises
        ------
        FileError
            If there is no store, or it is damaged or of another version.
        InputError
            If its results need more memory than there is.
        """
        from reluscape.studies.running import open_study

        return open_study(path)

    @property
    def complete(self) -> bool:
        """Whether all runs are done."""
        return bool(self.dataset.attrs["complete"])

    def table(self) -> tuple[StudyRow, ...]:
        """Return a row for each combination of the axes.

        Returns
        -------
        tuple of StudyRow
        """
        return self._rows

    @cached_property
    def _rows(self) -> tuple[StudyRow, ...]:
        return tuple(_rows(self.study, self.dataset))

    def __str__(self) -> str:
        """Say all of it in a few lines."""
        headings, rows = self.cells()
        widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(size) for cell, size in zip(row, widths, strict=True))
            for row in [headings, *rows[:_SHOWN]]
        ]
        if len(rows) > _SHOWN:
            lines.append(f"... and {len(rows) - _SHOWN:,} more rows")
        return "\n".join([*self._head(), *lines])

    def _repr_html_(self) -> str:
        headings, rows = self.cells()
        head = "<br>".join(escape(line) for line in self._head())
        more = len(rows) - _SHOWN
        note = f"<p>… and {more:,} more rows: see table()</p>" if more > 0 else ""
        return f"<p>{head}</p>{html_table(headings, rows[:_SHOWN])}{note}"

    def _head(self) -> list[str]:
        lines = [str(self.study)]
        if not self.complete:
            attributes = self.dataset.attrs
            lines.append(
                f"{attributes['runs_done']:,} of {attributes['runs_total']:,} runs are done"
            )
        if self.cost is not None:
            lines.append(str(self.cost))
        return lines

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """Return the table as texts; axes with a single value are left out.

        Returns
        -------
        list of str
            Headings.
        list of lists of str
            Rows.
        """
        study, rows = self.study, self.table()
        axes = [
            ("problem", len(study.problems)),
            ("activation", len(study.activations)),
            ("width", len(study.widths)),
            ("initialisation", len(study.initialisations)),
            ("optimiser", len(study.optimisers)),
            ("step_size", len(study.step_sizes)),
        ]
        shown = [name for name, size in axes if size > 1 or name in ("problem", "width")]
        thresholds = study.waited_for
        headings = [
            *(name.replace("_", " ") for name in shown),
            "runs",
            "success",
            "95 %",
            "best risk",
            "median risk",
            *(f"steps to {risk:g}" for risk in thresholds),
        ]
        return headings, [
            [
                *(_text(getattr(row, name)) for name in shown),
                f"{row.runs:,}",
                number(row.success, 3),
                f"{row.low:.3f} to {row.high:.3f}",
                number(row.best_risk, 4),
                number(row.median_risk, 4),
                *(_step(dict(row.median_times).get(risk)) for risk in thresholds),
            ]
            for row in rows
        ]


def _rows(study: Study, dataset: xr.Dataset) -> Iterator[StudyRow]:
    risks = cast("NDArray[np.float64]", dataset["risk"].to_numpy())
    outcomes = cast("NDArray[np.int8]", dataset["outcome"].to_numpy())
    times: NDArray[np.int64] | None = None
    if "time" in dataset:
        times = cast("NDArray[np.int64]", dataset["time"].to_numpy())
    waited_for = list(study.waited_for)
    for place in product(*map(range, study.plan.shape)):
        p, a, h, i, o, g = place
        problem = list(study.problems)[p]
        done = outcomes[place] >= 0
        final, runs = risks[place][done], int(done.sum())
        successes = int((final <= study.success_of(problem)).sum())
        low, high = wilson(successes, runs)
        medians: list[tuple[float, float | None]] = []
        for risk in cast("dict[str, tuple[float, ...]]", study.thresholds)[problem]:
            if times is not None:
                column = times[place][done][:, waited_for.index(risk)]
                medians.append((risk, median_time(column)))
        yield StudyRow(
            problem,
            activation_name(study.bends[a]),
            study.widths[h],
            study.starts_by[i].name,
            optimiser_name(study.rules[o]),
            study.step_sizes[g],
            runs,
            successes,
            successes / runs if runs else float("nan"),
            low,
            high,
            float(final.min()) if runs else float("nan"),
            float(np.median(final)) if runs else float("nan"),
            int((outcomes[place] == 1).sum()),
            tuple(medians),
        )


def median_time(times: NDArray[np.int64]) -> float | None:
    """Return the median of times of which -1 means never.

    Parameters
    ----------
    times : ndarray of int

    Returns
    -------
    float or None
        None without times, or where the median is among those that never come.

    Examples
    --------
    >>> median_time(np.array([300, -1, 100])), median_time(np.array([-1, 200, -1]))
    (300.0, None)
    """
    if not len(times):
        return None
    found = float(np.median(np.where(times < 0, np.inf, times)))
    return found if np.isfinite(found) else None


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _step(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
