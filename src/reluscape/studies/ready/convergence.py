"""S1 measured: how often descent finds the global minimum, and how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.problems.interval import Interval
from reluscape.report.numbers import number
from reluscape.studies.proportions import wilson
from reluscape.studies.ready import chances
from reluscape.studies.ready.finding import Sheet, floats, span_text, whole_text
from reluscape.studies.ready.rates import STATES, local_rates
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
# The count of runs whose best is in the tables.
TEN = 10
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
        [[chances.grouped(row, int(k)) for k in counts] for row in success.reshape(-1, risks.shape[-1])]
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
    return summary.merge(_rates(study, cell))


def _one_cell(dataset: xr.Dataset) -> xr.Dataset:
    return dataset.isel(activation=0, initialisation=0, optimiser=0, step_size=0)


def _shares(success: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Return the share of the last axis that is true, and the ends of its interval."""
    counts, runs = success.sum(axis=-1), success.shape[-1]
    low, high = _intervals(counts, np.full(counts.shape, runs))
    return counts / runs, low, high


def _intervals(
    successes: NDArray[np.int64], runs: NDArray[np.int64]
) -> tuple[Floats, Floats]:
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
        attrs={"network_steps": made},
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
    return _success_sheet(summary), _best_sheet(summary), _steps_sheet(summary), _rate_sheet(summary)


def _cells(summary: xr.Dataset) -> list[tuple[list[str], xr.Dataset]]:
    return [
        ([str(problem), f"{int(width)}"], summary.sel(problem=problem, width=width))
        for problem in summary["problem"].to_numpy()
        for width in summary["width"].to_numpy()
    ]


def _success_sheet(summary: xr.Dataset) -> Sheet:
    rows: list[list[str]] = []
    runs = int(summary.attrs["runs"])
    for names, cell in _cells(summary):
        share, low, high = (float(cell[name]) for name in ("share", "share_low", "share_high"))
        rows.append(
            [
                names[0],
                f"{int(cell['pieces'])}",
                names[1],
                f"{int(cell['successes']):,} of {runs:,}",
                number(share, 3),
                span_text(low, high),
                number(float(cell["median_risk"]), 3),
                whole_text(chances.needed(share)),
                span_text(chances.needed(high), chances.needed(low), whole=True),
            ]
        )
    return Sheet(
        "How often one run finds a global minimum",
        ("target", "pieces", "width", "succeeded", "share", "95 %", "median risk",
         "runs for 99 %", "95 %"),
        rows,
    )


def _best_sheet(summary: xr.Dataset) -> Sheet:
    counts = summary["count"].to_numpy()
    count = int(counts[counts <= TEN][-1])
    rows: list[list[str]] = []
    for names, whole in _cells(summary):
        cell = whole.sel(count=count)
        rows.append(
            [
                *names,
                number(float(cell["predicted"]), 3),
                span_text(float(cell["predicted_low"]), float(cell["predicted_high"])),
                f"{number(float(cell['seen']), 3)} of {int(cell['groups']):,} groups",
                span_text(float(cell["seen_low"]), float(cell["seen_high"])),
                number(float(cell["best_risk"]), 3),
                number(float(whole["best_risk"].isel(count=-1)), 3),
            ]
        )
    return Sheet(
        f"How often the best of {count} runs does: 1 - (1 - p)^{count}, and seen",
        ("target", "width", "predicted", "95 %", "seen", "95 %", f"median risk, best of {count}",
         f"of {int(counts[-1])}"),
        rows,
    )


def _steps_sheet(summary: xr.Dataset) -> Sheet:
    steps = floats(summary, "record")
    wanted = [steps[-1] / part for part in (100, 30, 10, 3, 1)]
    chosen = sorted({int(np.argmin(np.abs(steps - step))) for step in wanted})
    rows = [
        [*names, *(number(float(cell["reached"][i]), 3) for i in chosen)]
        for names, cell in _cells(summary)
    ]
    return Sheet(
        "Share of runs below the bar after so many steps",
        ("target", "width", *(f"{steps[i]:,.0f}" for i in chosen)),
        rows,
    )


def _rate_sheet(summary: xr.Dataset) -> Sheet:
    rows: list[list[str]] = []
    targets, widths = summary["rate_problem"].to_numpy(), floats(summary, "rate_width")
    for names, _ in _cells(summary):
        here = summary.isel(run=np.flatnonzero((targets == names[0]) & (widths == int(names[1]))))
        state = floats(here, "rate_state")
        if not len(state):
            continue
        seen, expected = floats(here, "rate_seen"), floats(here, "rate_expected")
        both = np.isfinite(seen) & np.isfinite(expected)
        off = np.abs(seen[both] / expected[both] - 1.0)
        power = floats(here, "rate_power")
        power = power[np.isfinite(power)]
        rows.append(
            [
                *names,
                f"{len(state)}",
                *(f"{int((state == code).sum())}" for code in range(len(STATES))),
                _median(seen[both], 4),
                _median(expected[both], 4),
                _percent(float(np.max(off))) if len(off) else "–",
                _median(power, 3),
            ]
        )
    return Sheet(
        "How fast: -ln of the factor a step, at the end of runs and by the Hessian at their limits",
        ("target", "width", "runs", *STATES, "seen", "Hessian", "most apart", "power of steps"),
        rows,
        words=1,
    )


def _median(values: Floats, digits: int) -> str:
    return number(float(np.median(values)), digits) if len(values) else "–"


def _percent(share: float) -> str:
    return f"{number(100.0 * share, 2)} %"


def remarks(summary: xr.Dataset) -> tuple[str, ...]:
    """Return what to know about the tables.

    Parameters
    ----------
    summary : xarray.Dataset

    Returns
    -------
    tuple of str
    """
    bars = sorted({f"{bar:g}" for bar in floats(summary, "bar")})
    steps = int(summary["record"][-1])
    return (
        f"A run succeeds if its risk is at most {' or '.join(bars)} after {steps:,} steps of size "
        f"{summary.attrs['step_size']:g} from a standard normal start.",
        "Fewer neurons than the pieces of a target have inside breakpoints cannot succeed.",
        f"Rates: the first runs of each kind that come close, {LONGER} times as many steps on. "
        '"manifold": the limit is reached, and the minima around it form a manifold as in S1; "no '
        'manifold": they do not, as where a breakpoint arrives at an end of the interval; "on the '
        'way": not reached, and the risk falls like a power of the number of steps.',
    )
