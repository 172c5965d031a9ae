"""The best of many descents beside the certified optimum."""

# xarray types its methods in part.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples
from reluscape.problems.targets import polynomial
from reluscape.report.numbers import number
from reluscape.studies.proportions import wilson
from reluscape.studies.ready import chances
from reluscape.studies.ready.sheets import Sheet, floats, span_text, whole_text
from reluscape.studies.study import Study

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

WIDTHS = (1, 2, 3, 4)
STEP_SIZE = 0.05
STARTS, STEPS = 5_000, 20_000
# Rows of the data, their noise, and the seed of it.
ROWS, NOISE, NOISE_SEED = 50, 0.03, 1
# A run has found the optimum if its risk is at most so much above it, in parts of it.
CLOSE = 0.01
# Seconds that the proof of one optimum may take; the bound so far counts.
PATIENCE = 10.0
CHANCES = (0.05, 0.5, 0.95)
TEN = 10


def problems() -> dict[str, Samples | Interval]:
    """Return what networks are fitted to: rows around a line with two bends, and a parabola.

    Returns
    -------
    dict

    Examples
    --------
    >>> list(problems())
    ['data', 'x^2']
    """
    x = np.linspace(0.0, 1.0, ROWS)
    # Named, and not the default generator, which NumPy may change one day.
    rng = np.random.Generator(np.random.PCG64(NOISE_SEED))
    y = np.abs(x - 0.4) - 3.0 * np.maximum(x - 0.75, 0.0) + NOISE * rng.standard_normal(ROWS)
    return {"data": Samples(x, y), "x^2": Interval(polynomial([0.0, 0.0, 1.0]), 0.0, 1.0)}


def declare(starts: int = STARTS, steps: int = STEPS, seed: int = 0) -> Study:
    """Return the study whose results `summarise` reads.

    Parameters
    ----------
    starts, steps, seed : int

    Returns
    -------
    Study

    Examples
    --------
    >>> declare(100).plan.runs
    800
    """
    return Study(
        problems=problems(),
        widths=WIDTHS,
        starts=starts,
        step_sizes=[STEP_SIZE],
        steps=steps,
        skip=True,
        seed=seed,
        name="widths",
    )


def optima(
    study: Study, progress: Callable[[str, float], object] | None = None
) -> tuple[Floats, Floats]:
    """Return the least risks that are known, and certified bounds that no network is below.

    Parameters
    ----------
    study : Study
    progress : callable (message, fraction), optional

    Returns
    -------
    ndarray, shape (problems, widths)
        Of the best network found by `fit`.
    ndarray, shape (problems, widths)
        0 where nothing was proved in time.
    """
    from reluscape.fitting import fit

    # The first proof of each kind compiles, which must not count against its patience.
    for small in problems().values():
        fit(small, 1, skip=study.skip, certify=True, gap=0.5)
    risks, bounds = np.zeros((2, len(study.built), len(study.widths)))
    for p, (name, problem) in enumerate(study.built.items()):
        for h, width in enumerate(study.widths):
            if progress is not None:
                done = (p * len(study.widths) + h) / risks.size
                progress(f"proving the optimum of {name}, width {width}", done)
            best = fit(
                problem,
                width,
                skip=study.skip,
                certify=True,
                time_limit=PATIENCE,
                seed=study.seed,
            )
            risks[p, h] = best.risk
            bounds[p, h] = best.lower_bound or 0.0
    return risks, bounds


def summarise(study: Study, dataset: xr.Dataset, risks: Floats, bounds: Floats) -> xr.Dataset:
    """Return how far the best of several runs is above the optimum.

    Parameters
    ----------
    study : Study
    dataset : xarray.Dataset
        Its results.
    risks, bounds : ndarray, shape (problems, widths)
        As from `optima`.

    Returns
    -------
    xarray.Dataset
        By problem and width: the `optimum`, its `bound`, the `share` of runs within CLOSE of the
        bound with its 95 % interval, the least risk of all runs; by `count` of runs and `chance`
        quantiles of the risk of the best, `best_risk`.
    """
    import xarray as xr

    cell = dataset.isel(activation=0, initialisation=0, optimiser=0, step_size=0)
    final = floats(cell, "risk")
    runs = final.shape[-1]
    batch = chances.counts_up_to(runs)
    best = np.array(
        [[[chances.best_of(row, int(k), CHANCES) for k in batch] for row in part] for part in final]
    )
    # Against the bound: what counts as close is close to the optimum for sure.
    found = (final <= (1.0 + CLOSE) * bounds[..., np.newaxis]).sum(axis=-1)
    ends = np.array([[wilson(int(n), runs, chances.CONFIDENCE) for n in row] for row in found])
    cells = ("problem", "width")
    return xr.Dataset(
        {
            "optimum": (cells, risks),
            "bound": (cells, bounds),
            "found": (cells, found),
            "share": (cells, found / runs),
            "share_low": (cells, ends[..., 0]),
            "share_high": (cells, ends[..., 1]),
            "median_risk": (cells, np.median(final, axis=-1)),
            "least_risk": (cells, final.min(axis=-1)),
            "best_risk": ((*cells, "count", "chance"), best),
        },
        {
            "problem": dataset["problem"].to_numpy(),
            "width": dataset["width"].to_numpy(),
            "count": batch,
            "chance": list(CHANCES),
        },
        {
            "runs": runs,
            "steps": study.steps,
            "step_size": study.step_sizes[0],
        },
    )


def sheets(summary: xr.Dataset) -> tuple[Sheet, ...]:
    """Return the tables of the study.

    Parameters
    ----------
    summary : xarray.Dataset
        What `summarise` returned.

    Returns
    -------
    tuple of Sheet
    """
    certified: list[list[str]] = []
    best: list[list[str]] = []
    runs = int(summary.attrs["runs"])
    counts = [k for k in (1, TEN, 100, 500) if k in summary["count"].to_numpy()]
    for problem in summary["problem"].to_numpy():
        for width in summary["width"].to_numpy():
            cell = summary.sel(problem=problem, width=width)
            names = [str(problem), f"{int(width)}"]
            bound, share = float(cell["bound"]), float(cell["share"])
            low, high = float(cell["share_low"]), float(cell["share_high"])
            certified.append(
                [
                    *names,
                    number(bound, 7),
                    number(float(cell["optimum"]), 7),
                    number(float(cell["least_risk"]), 7),
                    _above(float(cell["least_risk"]), bound),
                    f"{int(cell['found']):,} of {runs:,}",
                    span_text(low, high),
                    whole_text(chances.needed(share)),
                    span_text(chances.needed(high), chances.needed(low), whole=True),
                ]
            )
            best.append(
                [*names]
                + [
                    _above(float(cell["best_risk"].sel(count=k, chance=chance)), bound)
                    for k in counts
                    for chance in (0.5, 0.95)
                ]
            )
    close = f"within {100 * CLOSE:g} %"
    return (
        Sheet(
            "The certified optimum, and the best of all runs",
            (
                "problem",
                "width",
                "no risk is below",
                "best known",
                "best run",
                "above",
                close,
                "95 %",
                "runs for 99 %",
                "95 %",
            ),
            certified,
        ),
        Sheet(
            "How far the best of K runs is above the bound: median, and 95 % quantile",
            (
                "problem",
                "width",
                *(f"K = {k}{at}" for k in counts for at in (", median", ", 95 %")),
            ),
            best,
        ),
    )


def _above(risk: float, bound: float) -> str:
    """Say by how much a risk is above a bound, in percent of it."""
    if bound <= 0.0:
        return "–"
    share = 100.0 * (risk / bound - 1.0)
    return f"{share:,.0f} %" if share >= 100.0 else f"{share:.2g} %"


def remarks(summary: xr.Dataset) -> tuple[str, ...]:
    """Return what to know about the tables.

    Parameters
    ----------
    summary : xarray.Dataset

    Returns
    -------
    tuple of str
    """
    attrs = summary.attrs
    return (
        "No network of its width, with skip connection, has a risk below the bound: fit with a "
        "certificate has proved it.",
        f"Each run: {int(attrs['steps']):,} steps of size {float(attrs['step_size']):g} from a "
        "standard normal start.",
    )
