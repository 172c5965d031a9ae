"""S3 measured: how often descent ends in a continuum of local minima that are not global."""

# xarray types its methods in part.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.trap import Trap, trap
from reluscape.landscape.verdict import classify
from reluscape.networks.network import Network
from reluscape.report.numbers import number
from reluscape.studies.plateaus import AT
from reluscape.studies.proportions import wilson
from reluscape.studies.ready import chances
from reluscape.studies.ready.resting import without_leaving
from reluscape.studies.ready.sheets import Sheet, floats, span_text, whole_text
from reluscape.studies.study import Study

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# On [0, 1], with local minima that are at least 1 above the infimum for every width above one.
ENDS, GAP = (0.0, 1.0), 1.0
WIDTHS = (2, 4, 8, 16, 32)
STEP_SIZE = 0.01
# The target is tabulated in many pieces, so that steps take longer than elsewhere.
STARTS, STEPS = 640, 20_000
FATES = ("below the trap", "in the trap", "elsewhere above")
BELOW, TRAPPED, ELSEWHERE = range(len(FATES))
# Runs of each width with a breakpoint in the continuum that are judged.
LOOKED_AT = 200
# Functions that bend closer to the left end than this share of the interval are straight.
STRAIGHT = 1e-2
TEN = 10


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
    500
    """
    return Study(
        problems={"trap": {"kind": "trap", "interval": list(ENDS), "gap": GAP}},
        widths=WIDTHS,
        starts=starts,
        step_sizes=[STEP_SIZE],
        steps=steps,
        keep_networks=True,
        seed=seed,
        name="traps",
    )


def summarise(study: Study, dataset: xr.Dataset) -> xr.Dataset:
    """Return how many runs are trapped, where in the continuum, and how good the others are.

    Parameters
    ----------
    study : Study
    dataset : xarray.Dataset
        Its results.

    Returns
    -------
    xarray.Dataset
        By width: counts of `fate`, the `share` in the trap with its 95 % interval, how many of
        those with a bend `classify` proves to be local minima, quartiles of the risk; by `count` of
        runs, the chance that none of them is below the trap and the median risk of the best. For
        trapped runs, along `member`, the breakpoint; for all, along `rank`, final risks in order.
    """
    import xarray as xr

    made = trap(*ENDS, GAP)
    cell = dataset.isel(problem=0, activation=0, initialisation=0, optimiser=0, step_size=0)
    risks = floats(cell, "risk")
    fates = fates_of(risks, made.risk)
    runs = risks.shape[-1]
    counts = np.stack([(fates == code).sum(axis=-1) for code in range(len(FATES))], axis=-1)
    ends = np.array([wilson(int(n), runs, chances.CONFIDENCE) for n in counts[:, TRAPPED]])
    batch = chances.counts_up_to(runs)
    none = [[1.0 - chances.drawn(int(row[BELOW]), runs, int(k)) for k in batch] for row in counts]
    best = [[chances.best_of(row, int(k), [0.5])[0] for k in batch] for row in risks]
    widths, places, judged, proved = _members(study, cell, fates, made)
    bent = [int(np.sum((widths == width) & (places > 0.0))) for width in study.widths]
    by_count = ("width", "count")
    return xr.Dataset(
        {
            "fate_count": (("width", "fate"), counts),
            "share": ("width", counts[:, TRAPPED] / runs),
            "share_low": ("width", ends[:, 0]),
            "share_high": ("width", ends[:, 1]),
            "quartile_risk": (
                ("width", "quartile"),
                np.quantile(risks, [0.25, 0.5, 0.75], axis=-1).T,
            ),
            "least_risk": ("width", risks.min(axis=-1)),
            "none_below": (by_count, np.array(none)),
            "best_risk": (by_count, np.array(best)),
            "bent": ("width", bent),
            "judged": ("width", judged),
            "proved": ("width", proved),
            "member_width": ("member", widths),
            "member_place": ("member", places),
            "final_risk": (("width", "rank"), np.sort(risks, axis=-1)),
        },
        {
            "width": dataset["width"].to_numpy(),
            "fate": list(FATES),
            "count": batch,
            "quartile": [0.25, 0.5, 0.75],
        },
        {
            "runs": runs,
            "trap_risk": made.risk,
            "gap": made.gap,
            "low": made.range[0],
            "high": made.range[1],
            "a": made.problem.a,
            "b": made.problem.b,
            "step_size": study.step_sizes[0],
            "steps": study.steps,
        },
    )


def fates_of(risks: Floats, trap_risk: float) -> Integers:
    """Return into FATES how each run ended.

    Parameters
    ----------
    risks : ndarray
    trap_risk : float

    Returns
    -------
    ndarray of int

    Examples
    --------
    >>> fates_of(np.array([0.1, 1.001, 3.0]), 1.0).tolist()
    [0, 1, 2]
    """
    found = np.full(risks.shape, ELSEWHERE, np.int64)
    found[risks < (1.0 - AT) * trap_risk] = BELOW
    found[np.abs(risks - trap_risk) <= AT * trap_risk] = TRAPPED
    return found


def _members(
    study: Study, cell: xr.Dataset, fates: Integers, made: Trap
) -> tuple[Integers, Floats, Integers, Integers]:
    """Return widths and bends of trapped runs, and how many were judged and are minima."""
    a, b = made.problem.a, made.problem.b
    widths: list[int] = []
    places: list[float] = []
    judged, proved = np.zeros((2, len(study.widths)), np.int64)
    parameters = floats(cell, "parameters")
    for h, width in enumerate(study.widths):
        for i in np.flatnonzero(fates[h] == TRAPPED):
            theta = parameters[h, i, : 3 * width + 1].copy()
            place = bend_of(Network.from_vector(theta), a, b)
            widths.append(width)
            places.append(place)
            if place > 0.0 and judged[h] < LOOKED_AT:
                judged[h] += 1
                network = Network.from_vector(without_leaving(theta, a, b))
                kind = classify(made.problem, network, at_zero=study.at_zero).kind
                proved[h] += kind == "local minimum"
    return np.array(widths, np.int64), np.array(places), judged, proved


def bend_of(network: Network, a: float, b: float) -> float:
    """Return where a function that is constant and then straight bends, in the left half.

    Parameters
    ----------
    network : Network
        All functions with the risk of the trap are of this kind, or straight.
    a, b : float

    Returns
    -------
    float
        From the values at both ends and in the middle; a if the function is straight.

    Examples
    --------
    >>> round(bend_of(Network([1.0, -1.0], [-0.25, -1.0], [2.0, 1.0], 5.0), 0.0, 1.0), 12)
    0.25
    >>> bend_of(Network([1.0], [0.5], [2.0]), 0.0, 1.0)
    0.0
    """
    middle = a + (b - a) / 2.0
    first, half, last = (float(value) for value in network(np.array([a, middle, b])))
    slope = (last - half) / (b - middle)
    if slope == 0.0:
        return a
    place = middle - (half - first) / slope
    return a if place <= a + STRAIGHT * (b - a) else place


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
    rows: list[list[str]] = []
    better: list[list[str]] = []
    counts = summary["count"].to_numpy()
    ten = int(counts[counts <= TEN][-1])
    for width in summary["width"].to_numpy():
        cell = summary.sel(width=width)
        fate = floats(cell, "fate_count")
        low, high = float(cell["share_low"]), float(cell["share_high"])
        places = floats(summary, "member_place")[floats(summary, "member_width") == width]
        places = places[places > summary.attrs["low"]]
        rows.append(
            [
                f"{int(width)}",
                f"{int(fate[TRAPPED]):,} of {int(fate.sum()):,}",
                number(float(cell["share"]), 3),
                span_text(low, high),
                f"{int(cell['bent']):,}",
                f"{places.min():.3f} to {places.max():.3f}" if len(places) else "–",
                f"{int(cell['proved'])} of {int(cell['judged'])}",
                f"{int(fate[BELOW]):,}",
                f"{int(fate[ELSEWHERE]):,}",
            ]
        )
        share = fate[BELOW] / fate.sum()
        better.append(
            [
                f"{int(width)}",
                *(number(float(risk), 4) for risk in floats(cell, "quartile_risk")),
                number(float(cell["least_risk"]), 4),
                number(float(summary.attrs["trap_risk"]) - float(cell["least_risk"]), 4),
                number(float(cell["none_below"].sel(count=ten)), 3),
                number(float(cell["best_risk"].sel(count=ten)), 4),
                whole_text(chances.needed(float(share))),
            ]
        )
    return (
        Sheet(
            "How often a run ends in the trap",
            (
                "width",
                "in the trap",
                "share",
                "95 %",
                "with a bend",
                "at",
                "proved local minima",
                "below",
                "above",
            ),
            rows,
            words=0,
        ),
        Sheet(
            "What the others reach",
            (
                "width",
                "risk: lower quartile",
                "median",
                "upper",
                "least",
                "below the trap by",
                f"none of {ten} below",
                f"median best of {ten}",
                "runs for 99 %",
            ),
            better,
            words=0,
        ),
    )


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
        f"The target of trap({attrs['a']:g}, {attrs['b']:g}, {GAP:g}): for every width above one "
        f"its local minima with a breakpoint in ({attrs['low']:g}, {attrs['high']:g}) have the "
        f"risk {number(float(attrs['trap_risk']), 6)}, which is at least "
        f"{number(float(attrs['gap']), 6)} above the infimum (S3).",
        f"In the trap: a final risk within 1 % of that, after {int(attrs['steps']):,} steps of "
        f"size {float(attrs['step_size']):g} from a standard normal start. With a bend: the "
        "function is one of the continuum; without one it is its end, the best straight line, "
        "which has the same risk. Above: constants, most of them.",
    )
