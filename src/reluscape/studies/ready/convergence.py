"""S1 measured: how often descent finds the global minimum, and how fast."""

# xarray types its methods in part.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.problems.interval import Interval
from reluscape.studies.proportions import wilson
from reluscape.studies.ready import chances
from reluscape.studies.ready.rates import local_rates
from reluscape.studies.ready.sheets import floats
from reluscape.studies.study import Study

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

# Two, three and four pieces: S1 asks for one neuron a piece at least.
TARGETS = {
    "tent": {"kind": "piecewise linear", "x": [0.0, 0.5, 1.0], "y": [0.5, 0.0, 0.5]},
    "ramp": {"kind": "piecewise linear", "x": [0.0, 0.3, 0.7, 1.0], "y": [0.0, 0.0, 0.6, 0.6]},
    "zigzag": {
        "kind": "piecewise linear",
        "x": [0.0, 0.25, 0.5, 0.75, 1.0],
        "y": [0.0, 0.5, 0.0, 0.5, 0.0],
    },
}
WIDTHS = (2, 4, 8, 16)
STEP_SIZE = 0.05
STARTS, STEPS = 5_000, 20_000
# As in reference case S1-5; the best constants have risks above 0.02.
SUCCESS = 1e-4
RECORDS = 40
# Runs of each cell whose rates are looked at, and how many times their steps they go on for.
LOOKED_AT, LONGER = 64, 9
# Only runs whose risk is this share of the best constant's are close enough to their limit.
CLOSE = 1e-3


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
    1200
    """
    return Study(
        problems=TARGETS,
        widths=WIDTHS,
        starts=starts,
        step_sizes=[STEP_SIZE],
        steps=steps,
        records=RECORDS,
        success=SUCCESS,
        keep_networks=True,
        seed=seed,
        name="convergence",
    )


def summarise(study: Study, dataset: xr.Dataset) -> xr.Dataset:
    """Return chances of success with intervals, best risks, and rates of convergence.

    Parameters
    ----------
    study : Study
    dataset : xarray.Dataset
        Its results; of axes other than problem and width the first value counts.

    Returns
    -------
    xarray.Dataset
        By problem and width: `share` of runs that succeed with its 95 % interval, also by `record`
        (the share that is below the bar after so many steps); by `count` of runs the chance of
        the best, `predicted` as `1 - (1 - share)^count` and `seen` in disjoint groups of runs, and
        the median risk of the best; for single runs, along `run`, rates.
    """
    import xarray as xr

    cell = _one_cell(dataset)
    risks, on_the_way = floats(cell, "risk"), floats(cell, "record_risk")
    bars = floats(dataset, "success")[:, np.newaxis]
    success = risks <= bars[..., np.newaxis]
    counts = chances.counts_up_to(risks.shape[-1])
    share, low, high = _shares(success)
    reached, reached_low, reached_high = _shares(
        np.moveaxis(on_the_way <= bars[..., np.newaxis, np.newaxis], 2, 3)
    )
    predicted = [_once(part, counts) for part in (share, low, high)]
    groups = np.array(
        [
            [chances.grouped(row, int(k)) for k in counts]
            for row in success.reshape(-1, risks.shape[-1])
        ]
    ).reshape(*share.shape, len(counts), 2)
    seen_low, seen_high = _intervals(groups[..., 0], groups[..., 1])
    best = np.array(
        [
            [chances.best_of(row, int(k), [0.5])[0] for k in counts]
            for row in risks.reshape(-1, risks.shape[-1])
        ]
    ).reshape(*share.shape, len(counts))
    cells, by_count = ("problem", "width"), ("problem", "width", "count")
    by_record = ("problem", "width", "record")
    summary = xr.Dataset(
        {
            "successes": (cells, success.sum(axis=-1)),
            "share": (cells, share),
            "share_low": (cells, low),
            "share_high": (cells, high),
            "median_risk": (cells, np.median(risks, axis=-1)),
            "reached": (by_record, reached),
            "reached_low": (by_record, reached_low),
            "reached_high": (by_record, reached_high),
            "predicted": (by_count, predicted[0]),
            "predicted_low": (by_count, predicted[1]),
            "predicted_high": (by_count, predicted[2]),
            "seen": (by_count, groups[..., 0] / groups[..., 1]),
            "seen_low": (by_count, seen_low),
            "seen_high": (by_count, seen_high),
            "groups": (by_count, groups[..., 1]),
            "best_risk": (by_count, best),
        },
        {
            "problem": dataset["problem"].to_numpy(),
            "width": dataset["width"].to_numpy(),
            "record": dataset["record"].to_numpy(),
            "count": counts,
            "pieces": ("problem", _pieces(study)),
            "bar": ("problem", floats(dataset, "success")),
        },
        {"runs": risks.shape[-1], "step_size": float(dataset["step_size"][0])},
    )
    rates = _rates(study, cell)
    return summary.merge(rates).assign_attrs(summary.attrs | rates.attrs)


def _one_cell(dataset: xr.Dataset) -> xr.Dataset:
    return dataset.isel(activation=0, initialisation=0, optimiser=0, step_size=0)


def _shares(success: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Return the share of the last axis that is true, and the ends of its interval."""
    runs = success.shape[-1]
    counts = np.asarray(success.sum(axis=-1), np.int64)
    low, high = _intervals(counts, np.full(counts.shape, runs, np.int64))
    return counts / runs, low, high


def _intervals(successes: NDArray[np.int64], runs: NDArray[np.int64]) -> tuple[Floats, Floats]:
    ends = [
        wilson(int(s), int(n), chances.CONFIDENCE)
        for s, n in zip(successes.ravel(), runs.ravel(), strict=True)
    ]
    both = np.array(ends).reshape(*successes.shape, 2)
    return both[..., 0], both[..., 1]


def _once(shares: Floats, counts: NDArray[np.int64]) -> Floats:
    return np.array(
        [[chances.once_in(float(p), int(k)) for k in counts] for p in shares.ravel()]
    ).reshape(*shares.shape, len(counts))


def _pieces(study: Study) -> list[int]:
    found: list[int] = []
    for problem in study.built.values():
        pieces = problem.target.coefficients if isinstance(problem, Interval) else ()
        found.append(len(pieces))
    return found


def _rates(study: Study, cell: xr.Dataset) -> xr.Dataset:
    """Look at runs that come close to a global minimum, the first ones of each cell."""
    import xarray as xr

    columns: dict[str, list[object]] = {
        name: [] for name in ("rate_problem", "rate_width", "rate_seen", "rate_expected")
    }
    columns |= {"rate_power": [], "rate_state": []}
    more, made = LONGER * study.steps, 0
    for p, (name, problem) in enumerate(study.built.items()):
        if not isinstance(problem, Interval):
            continue
        scale = float(floats(cell, "level_risk")[p, 0, 1])
        for h, width in enumerate(study.widths):
            here = cell.isel(problem=p, width=h)
            chosen = np.flatnonzero(floats(here, "risk") <= CLOSE * scale)[:LOOKED_AT]
            if not len(chosen):
                continue
            found = local_rates(
                problem,
                floats(here, "parameters")[chosen, : 3 * width + 1].copy(),
                floats(here, "record_risk")[chosen],
                study.recorded,
                step_size=study.step_sizes[0],
                more=more,
                scale=scale,
            )
            made += more * len(chosen)
            columns["rate_problem"] += [name] * len(chosen)
            columns["rate_width"] += [width] * len(chosen)
            columns["rate_seen"] += found.seen.tolist()
            columns["rate_expected"] += found.expected.tolist()
            columns["rate_power"] += found.power.tolist()
            columns["rate_state"] += found.state.tolist()
    kinds = (str, np.int64, np.float64, np.float64, np.float64, np.int64)
    return xr.Dataset(
        {
            name: ("run", np.array(values, kind))
            for (name, values), kind in zip(columns.items(), kinds, strict=True)
        },
        attrs={"network_steps": made, "longer": LONGER},
    )
