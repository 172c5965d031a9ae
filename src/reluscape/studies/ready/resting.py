"""Where runs on an affine target ended, and whether they rest there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.verdict import classify
from reluscape.networks.activations import Activation
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.studies.plateaus import levels_at, levels_of
from reluscape.studies.ready.sheets import floats
from reluscape.studies.study import Study
from reluscape.training.ensemble import run_ensemble

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FATES = ("success", "highest level", "lower level", "on the way", "diverged")
SUCCESS, HIGHEST, LOWER, WAY, DIVERGED = range(len(FATES))
VERDICTS = ("local minimum", "saddle", "not critical", "undecided", "global minimum")
# Runs of each activation on the way that go on, and how many times their steps they go on for.
# Those near a level are all judged.
LOOKED_AT, LONGER = 500, 9
# A neuron that is active on less than this share of the interval is on its way out and all but
# there; its breakpoint stops at the end only in the limit.
LEAVING = 1e-5


def fates_of(cell: xr.Dataset) -> Integers:
    """Return into FATES how each run ended.

    Parameters
    ----------
    cell : xarray.Dataset
        With `level` and `outcome`.

    Returns
    -------
    ndarray of int

    Examples
    --------
    >>> import xarray as xr
    >>> runs = {"level": ("start", [0, 1, 2, -1, -1]), "outcome": ("start", [0, 0, 0, 0, 1])}
    >>> [FATES[code] for code in fates_of(xr.Dataset(runs))]
    ['success', 'highest level', 'lower level', 'on the way', 'diverged']
    """
    return _fates(floats(cell, "level"), floats(cell, "outcome") == 1)


def _fates(level: Floats, diverged: NDArray[np.bool_]) -> Integers:
    fates = np.full(level.shape, WAY, np.int64)
    fates[level == 0] = SUCCESS
    fates[level == 1] = HIGHEST
    fates[level > 1] = LOWER
    fates[diverged] = DIVERGED
    return fates


def look_closer(study: Study, cell: xr.Dataset, fates: Integers) -> xr.Dataset:
    """Judge runs that are near a level above 0, and let those go on that need not stay there.

    Parameters
    ----------
    study : Study
    cell : xarray.Dataset
        Its results, by activation, width, initialisation, step_size and start.
    fates : ndarray
        What `fates_of` says.

    Returns
    -------
    xarray.Dataset
        By activation: `resting`, runs near a level above 0; `verdict_count`, what `classify` says
        of them; `after`, how those end that are no local minima, and those on the way, when they go
        on; how many of these are then near a level and, by `classify`, `at_saddle`, `at_minimum` or
        `undecided`.
    """
    import xarray as xr

    bends = study.bends
    verdicts = np.zeros((len(bends), len(VERDICTS)), np.int64)
    after = np.zeros((len(bends), len(FATES)), np.int64)
    at_saddle, at_minimum, undecided, resting = np.zeros((4, len(bends)), np.int64)
    made = 0
    for a, activation in enumerate(bends):
        ends_of = floats(cell.isel(activation=a), "parameters")
        near = _places(np.argwhere((fates[a] == HIGHEST) | (fates[a] == LOWER)))
        resting[a] = len(near)
        loose: list[tuple[int, ...]] = []
        for place in near:
            kind = _kind(study, _theta(study, ends_of, place), activation)
            verdicts[a, VERDICTS.index(kind)] += 1
            if kind != "local minimum":
                loose.append(place)
        loose += _some(_places(np.argwhere(fates[a] == WAY)))
        ends = _go_on(study, ends_of, activation, loose)
        made += len(ends) * LONGER * study.steps
        for fate, kind in ends:
            after[a, fate] += 1
            at_saddle[a] += kind == "saddle"
            at_minimum[a] += kind == "local minimum"
            undecided[a] += kind in ("undecided", "not critical")
    return xr.Dataset(
        {
            "verdict_count": (("activation", "verdict"), verdicts),
            "after": (("activation", "fate"), after),
            "at_saddle": ("activation", at_saddle),
            "at_minimum": ("activation", at_minimum),
            "undecided": ("activation", undecided),
            "resting": ("activation", resting),
        },
        {"verdict": list(VERDICTS)},
        {"network_steps": made},
    )


def _places(indices: NDArray[np.intp]) -> list[tuple[int, ...]]:
    return [tuple(int(i) for i in place) for place in indices]


def _some(places: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return some of many at equal distances: all cells have their share."""
    if len(places) <= LOOKED_AT:
        return places
    return [places[int(i)] for i in np.linspace(0, len(places) - 1, LOOKED_AT).round()]


def _theta(study: Study, ends_of: Floats, place: tuple[int, ...]) -> Floats:
    """Return the final parameters of one run, by width, initialisation, step size and start."""
    return ends_of[place][: 3 * study.widths[place[0]] + 1].copy()


def _kind(study: Study, theta: Floats, activation: Activation) -> str:
    problem = next(iter(study.built.values()))
    if isinstance(problem, Interval) and not activation.slope:
        theta = without_leaving(theta, problem.a, problem.b)
    network = Network.from_vector(theta, activation=activation)
    return classify(problem, network, at_zero=study.at_zero).kind


def without_leaving(theta: Floats, a: float, b: float) -> Floats:
    """Put the breakpoints of neurons that are about to become inactive on the end they go to.

    Parameters
    ----------
    theta : ndarray, shape (3 width + 1,)
        A ReLU network.
    a, b : float
        The interval.

    Returns
    -------
    ndarray
        Neurons that were active on less than `LEAVING` of it are active at that end alone.

    Notes
    -----
    Such limits are in the classification of S2: at the highest level they are local minima if the
    outer weight pushes the neuron out, and saddles if it pulls it in.

    Examples
    --------
    >>> without_leaving(np.array([2.0, -1.9999999, 1.0, 0.0]), 0.0, 1.0).tolist()
    [2.0, -2.0, 1.0, 0.0]
    """
    width = len(theta) // 3
    w, biases = theta[:width], theta[width : 2 * width]
    moved = theta.copy()
    for j in range(width):
        end = b if w[j] > 0.0 else a
        reach = w[j] * end + biases[j]
        if 0.0 < reach < LEAVING * (b - a) * abs(w[j]):
            moved[width + j] = -w[j] * end
    return moved


def _go_on(
    study: Study, ends_of: Floats, activation: Activation, places: Sequence[tuple[int, ...]]
) -> list[tuple[int, str]]:
    """Let runs go on; return for each how it ends then and, if near a level, what it is."""
    problem = next(iter(study.built.values()))
    found: list[tuple[int, str]] = []
    for h, width in enumerate(study.widths):
        for g, step_size in enumerate(study.step_sizes):
            group = [place for place in places if place[0] == h and place[2] == g]
            if not group:
                continue
            done = run_ensemble(
                problem,
                np.array([_theta(study, ends_of, place) for place in group]),
                step_size=step_size,
                steps=LONGER * study.steps,
                activation=activation,
                at_zero=study.at_zero,
                threads=None,
            )
            levels = levels_of(problem, width, activation.slope)
            bar = study.success_of(next(iter(study.problems)))
            fates = _fates(levels_at(done.risks, levels, bar).astype(np.float64), done.diverged)
            for fate, theta in zip(fates.tolist(), done.parameters, strict=True):
                near = fate in (HIGHEST, LOWER)
                found.append((fate, _kind(study, theta, activation) if near else ""))
    return found
