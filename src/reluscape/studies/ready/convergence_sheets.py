"""The tables of how often and how fast descent finds a global minimum."""

# xarray types its methods in part.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.report.numbers import number
from reluscape.studies.ready import chances
from reluscape.studies.ready.rates import STATES
from reluscape.studies.ready.sheets import Sheet, floats, span_text, whole_text

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

# The count of runs whose best is in the tables.
TEN = 10


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
    return (
        _success_sheet(summary),
        _best_sheet(summary),
        _steps_sheet(summary),
        _rate_sheet(summary),
    )


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
        (
            "target",
            "pieces",
            "width",
            "succeeded",
            "share",
            "95 %",
            "median risk",
            "runs for 99 %",
            "95 %",
        ),
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
        (
            "target",
            "width",
            "predicted",
            "95 %",
            "seen",
            "95 %",
            f"median risk, best of {count}",
            f"of {int(counts[-1])}",
        ),
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
        "A network with fewer neurons than the target has breakpoints cannot succeed.",
        "Rates: the first runs of each kind that come close, "
        f"{int(summary.attrs['longer'])} times as many steps on. "
        '"manifold": the limit is reached, and the minima around it form a manifold as in S1; "no '
        'manifold": they do not, as where a breakpoint arrives at an end of the interval; "on the '
        'way": not reached, and the risk falls like a power of the number of steps.',
    )
