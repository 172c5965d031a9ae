"""S2 measured: where descent on an affine target ends, and how long it stays at plateaus."""

# xarray types its methods in part.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.report.numbers import number
from reluscape.studies.plateaus import AT
from reluscape.studies.ready import chances
from reluscape.studies.ready.resting import (
    DIVERGED,
    FATES,
    HIGHEST,
    LONGER,
    LOWER,
    SUCCESS,
    VERDICTS,
    WAY,
    fates_of,
    look_closer,
)
from reluscape.studies.ready.sheets import Sheet, floats
from reluscape.studies.study import Study

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# The target x on [0, 1], for which theory.md has the levels.
TARGET = {"kind": "affine", "alpha": 1.0, "beta": 0.0, "interval": [0.0, 1.0]}
WIDTHS = (2, 4)
SLOPE = 0.1
SCALES = (0.001, 0.01, 0.1, 1.0)
STEP_SIZES = (0.02, 0.05, 0.2)
STARTS, STEPS = 1_000, 20_000
BAR = 1e-6
# Escape times are known up to so many steps.
MONITOR = 5


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
    4800
    """
    return Study(
        problems={"x": TARGET},
        widths=WIDTHS,
        starts=starts,
        step_sizes=STEP_SIZES,
        steps=steps,
        initialisations=[{"kind": "normal", "scale": scale} for scale in SCALES],
        activations=["relu", SLOPE],
        monitor_every=MONITOR,
        success=BAR,
        keep_networks=True,
        seed=seed,
        name="saddles",
    )


def growth() -> float:
    """Return how fast small neurons grow at the highest plateau, in the time of the flow.

    Returns
    -------
    float
        The largest `2 * integral from 0 to 1 of (w x + b)_+ (x - 1/2)` over unit vectors (w, b).

    Notes
    -----
    Where all neurons are small, the network is the best constant, 1/2, and the error 1/2 - x. There
    the flow of one neuron is `(w, b)' = v g, v' = (w, b).g` with a g that depends on the direction
    of (w, b) alone; the balanced solution in the best direction grows like exp(rate t). For a
    breakpoint t in [0, 1] the integral is `(1 - t)^2 (1 + 2 t) / 12 / sqrt(1 + t^2)`, which falls;
    for one to the left it is `1 / 12 / sqrt(1 + t^2)`. So the best one is 0, and the rate 1/6. For
    leaky ReLU the best direction is the same. From parameters a tenth of the size the escape takes
    `ln(10) / rate` longer, whatever the rest. Where all neurons are drawn to the other side, active
    to the left of 0.92, the rate is 0.1204.

    Examples
    --------
    >>> round(1 / growth(), 9)
    6.0
    """
    t = np.linspace(0.0, 1.0, 1001)
    return float(np.max(2.0 * (1.0 - t) ** 2 * (1.0 + 2.0 * t) / 12.0 / np.sqrt(1.0 + t * t)))


def summarise(study: Study, dataset: xr.Dataset) -> xr.Dataset:
    """Return where runs ended, what rests there, and how long they stayed at the highest plateau.

    Parameters
    ----------
    study : Study
    dataset : xarray.Dataset
        Its results.

    Returns
    -------
    xarray.Dataset
        By activation, width, scale and step_size: counts of `fate`; quartiles of the `escape` time
        in units of the gradient flow, `escaped` and `entered`. By activation: what a closer look
        finds at runs that did not reach 0, see `look_closer`; how runs ended that were `below` the
        highest level at last, and how many had been there and came `back`; final risks in order.
    """
    import xarray as xr

    cell = dataset.isel(problem=0, optimiser=0)
    fates = fates_of(cell)
    entered = np.asarray(cell["entered"].isel(plateau=0).to_numpy(), np.int64)
    left = np.asarray(cell["left"].isel(plateau=0).to_numpy(), np.int64)
    stay, escaped = _escapes(entered, left, study)
    axes = ("activation", "width", "scale", "step_size")
    counted = np.stack([fates == code for code in range(len(FATES))], axis=-1)
    level = floats(cell, "level_risk")[:, :, 1][:, :, *([np.newaxis] * 3)]
    low = floats(cell, "risk") < (1.0 - AT) * level
    # A large step may lead back up.
    back = (left >= 0) & ~low & (fates != DIVERGED)
    summary = xr.Dataset(
        {
            "fate_count": ((*axes, "fate"), counted.sum(axis=-2)),
            "escape": ((*axes, "quartile"), stay),
            "escaped": (axes, escaped),
            "entered": (axes, (entered >= 0).sum(axis=-1)),
            "below": (("activation", "fate"), (low[..., np.newaxis] & counted).sum((1, 2, 3, 4))),
            "back": ("activation", back.sum(axis=(1, 2, 3, 4))),
        },
        {
            "activation": dataset["activation"].to_numpy(),
            "width": dataset["width"].to_numpy(),
            "scale": [entry.scale for entry in study.starts_by],
            "step_size": dataset["step_size"].to_numpy(),
            "fate": list(FATES),
            "quartile": [0.25, 0.5, 0.75],
        },
        {"runs": fates.shape[-1], "growth": growth(), "steps": study.steps},
    )
    closer = look_closer(study, cell, fates)
    merged = summary.merge(closer).merge(_risks(cell))
    return merged.assign_attrs(summary.attrs | closer.attrs)


def _escapes(entered: Integers, left: Integers, study: Study) -> tuple[Floats, Integers]:
    """Return quartiles of the time at a plateau, and how many runs left it."""
    both = (entered >= 0) & (left >= 0)
    stay = np.full((*entered.shape[:-1], 3), np.nan)
    for place in np.ndindex(*entered.shape[:-1]):
        steps = (left[place] - entered[place])[both[place]]
        if len(steps):
            stay[place] = np.quantile(steps, [0.25, 0.5, 0.75]) * study.step_sizes[place[-1]]
    return stay, both.sum(axis=-1)


def _risks(cell: xr.Dataset) -> xr.Dataset:
    """Return the final risks, sorted, for the figure, and the levels of the widest networks."""
    import xarray as xr

    risks = floats(cell, "risk")
    flat = np.sort(risks.reshape(risks.shape[0], -1), axis=1)
    levels = floats(cell, "level_risk")
    return xr.Dataset(
        {
            "final_risk": (("activation", "rank"), flat),
            "level_risk": (("activation", "slot"), levels[:, -1]),
        }
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
    return _fate_sheet(summary), _escape_sheet(summary), _resting_sheet(summary)


def _fate_sheet(summary: xr.Dataset) -> Sheet:
    rows: list[list[str]] = []
    for activation, width, scale in _keys(summary):
        for step_size in summary["step_size"].to_numpy():
            cell = summary.sel(activation=activation, width=width, scale=scale, step_size=step_size)
            counts = floats(cell, "fate_count")
            rows.append(
                [
                    activation,
                    f"{width}",
                    f"{scale:g}",
                    f"{step_size:g}",
                    *(number(count / counts.sum(), 3) for count in counts),
                ]
            )
    levels = ("at 0", "at the highest", "at lower ones", "on the way", "diverged")
    return Sheet(
        f"Share of {int(summary.attrs['runs']):,} runs each that end at the critical levels",
        ("activation", "width", "scale", "step size", *levels),
        rows,
    )


def _escape_sheet(summary: xr.Dataset) -> Sheet:
    rows: list[list[str]] = []
    middle = summary.sel(step_size=summary["step_size"][0])
    scales = floats(summary, "scale")
    before, last = math.nan, math.nan
    for activation, width, scale in _keys(summary):
        cell = middle.sel(activation=activation, width=width, scale=scale)
        low, median, high = floats(cell, "escape")
        first = scale == scales[0]
        # How much shorter the stay is than from the next smaller scale, per factor of ten.
        saved = math.nan if first else (before - median) / math.log10(scale / last)
        rows.append(
            [
                activation,
                f"{width}",
                f"{scale:g}",
                f"{int(cell['escaped']):,} of {int(cell['entered']):,}",
                number(median, 3),
                f"{number(low, 3)} to {number(high, 3)}",
                number(saved, 3),
            ]
        )
        before, last = median, scale
    return Sheet(
        "Time at the highest plateau, in steps times step size, which is "
        f"{float(middle['step_size']):g}",
        ("activation", "width", "scale", "left it", "median", "quartiles", "less per factor 10"),
        rows,
    )


def _resting_sheet(summary: xr.Dataset) -> Sheet:
    rows: list[list[str]] = []
    for name in summary["activation"].to_numpy():
        cell = summary.sel(activation=name)
        verdicts = dict(zip(VERDICTS, floats(cell, "verdict_count"), strict=True))
        after = floats(cell, "after")
        total = int(floats(cell, "fate_count").sum())
        rows.append(
            [
                str(name),
                f"{total:,}",
                f"{int(cell['resting']):,}",
                f"{int(verdicts['local minimum']):,}",
                f"{int(after.sum()):,}",
                f"{int(after[SUCCESS]):,}",
                f"{int(after[WAY]):,}",
                *(f"{int(cell[kind]):,}" for kind in ("at_minimum", "at_saddle", "undecided")),
            ]
        )
    return Sheet(
        "A closer look at runs that did not reach 0",
        (
            "activation",
            "runs",
            "near a level",
            "local minima",
            f"others, {LONGER} times longer",
            "then at 0",
            "on the way",
            "at a minimum",
            "at a saddle",
            "undecided",
        ),
        rows,
    )


def _keys(summary: xr.Dataset) -> list[tuple[str, int, float]]:
    return [
        (str(activation), int(width), float(scale))
        for activation in summary["activation"].to_numpy()
        for width in summary["width"].to_numpy()
        for scale in summary["scale"].to_numpy()
    ]


def remarks(summary: xr.Dataset) -> tuple[str, ...]:
    """Return what to know about the tables.

    Parameters
    ----------
    summary : xarray.Dataset

    Returns
    -------
    tuple of str
    """
    lines = [
        "Target x on [0, 1]. Levels: 0; the highest, 1/12, the risk of the best constant; lower "
        "ones, which only saddles have (S2). Near one: within 1 % of it.",
    ]
    for name in summary["activation"].to_numpy():
        cell = summary.sel(activation=name)
        total = int(floats(cell, "fate_count").sum())
        ended, open_ = int(cell["at_saddle"]), int(cell["undecided"])
        bound = chances.at_most(ended + open_, total)
        lines.append(
            f"{name}: {ended} of {total:,} runs ended at a saddle"
            + (f", {open_} are undecided" if open_ else "")
            + f"; with 95 % confidence fewer than {number(1e6 * bound, 2)} in a million do."
        )
    relu = summary.sel(activation="relu")
    below, back = floats(relu, "below"), int(relu["back"])
    others = int(below[HIGHEST] + below[LOWER])
    bound = chances.at_most(others, int(below.sum()))
    lines.append(
        f"The threshold of S2: the final risk of {int(below.sum()):,} runs of ReLU networks is "
        f"below 1/12. {int(below[SUCCESS]):,} of them ended at 0, {int(below[WAY]):,} are on the "
        f"way after {int(summary.attrs['steps']):,} steps, {others} ended elsewhere; with 95 % "
        f"confidence fewer than {number(1e6 * bound, 2)} in a million do."
    )
    if back:
        lines.append(
            f"{back} more had been below 1/12 and came back to it: with a large step the risk need "
            "not fall, and the theorem speaks of the limit."
        )
    lines.append(
        "Near the plateau a neuron grows like exp(t / 6): from a tenth of the size the escape "
        f"should take {number(math.log(10.0) / float(summary.attrs['growth']), 3)} longer, and "
        "19.1 where all neurons are drawn to the other side, where the best one grows more slowly."
    )
    return tuple(lines)
