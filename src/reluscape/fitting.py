"""`fit`: the best network of a given width for a problem, and all there is to say about it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Literal

import numpy as np

from reluscape.errors import InputError
from reluscape.fits.constrained import constrained_search
from reluscape.fits.constraints import Constraints
from reluscape.fits.inference import values_of
from reluscape.fits.plain import constant, plain_search
from reluscape.fits.polyline import Polyline, network_of
from reluscape.fits.result import Fit, Problem, Progress, silent
from reluscape.fits.search import QUICK, THOROUGH, Effort, free_search, with_values
from reluscape.fits.widths import WidthRow, spread_of, table_of_widths
from reluscape.networks.arrays import is_number, is_whole
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

# Multiplications in a pass over the data from which matrix products gain from several threads.
THREADED = 3_000_000

ONE_DIMENSIONAL = (
    "Lowest risk among many polished proposals; a critical point, not proved to be the global "
    "minimum."
)
SEVERAL_INPUTS = (
    "Lowest risk among quasi-Newton descents from {starts} random start(s); {what} (scaled "
    "gradient {norm:.1e}), not claimed to be the global minimum."
)


def fit(
    problem: Problem,
    width: int | Literal["auto"],
    *,
    skip: bool = True,
    certify: bool = False,
    gap: float = 1e-6,
    time_limit: float | None = None,
    seed: int = 0,
    max_width: int = 10,
    monotone: Literal["increasing", "decreasing"] | None = None,
    slope_bounds: tuple[float, float] | None = None,
    min_distance: float = 0.0,
    min_points: int = 0,
    starts: int = 20,
    progress: Progress | None = None,
) -> Fit:
    """Fit a shallow ReLU network of a given width.

    With one input and a skip connection this is exactly the least-squares free-knot linear spline
    with `width` knots: the best continuous piecewise-linear function with that many breakpoints.

    Parameters
    ----------
    problem : Samples or Interval
    width : int or "auto"
        Number of neurons: of breakpoints, in one dimension. "auto" tries 0 to `max_width` and
        takes the lowest BIC (data with one input only).
    skip : bool, default True
        False fits the papers' plain network, whose leftmost slope is made by its neurons.
    certify : bool, default False
        Also search for a lower bound on the risk of *every* network of this width, and for a
        certificate that proves it. With one input; constraints and `skip` count for the networks
        in question too.
    gap : float, default 1e-6
        How far the bound may stay below the risk, relative to it.
    time_limit : float, optional
        Seconds after which the bound found so far is returned. Ctrl-C (KeyboardInterrupt) in the
        search for the bound does the same.
    seed : int, default 0
        Seed of the proposals and of the folds.
    max_width : int, default 10
        Largest width that "auto" tries.
    monotone : {"increasing", "decreasing"}, optional
    slope_bounds : (float, float), optional
        Least and greatest slope, in units of y per unit of x.
    min_distance : float
        Least distance between neighbouring breakpoints, in units of x.
    min_points : int
        Least number of distinct inputs in every piece.
    starts : int
        Descents from random starts, for several inputs only.
    progress : callable (message, fraction), optional

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If the width is negative or not whole, there are fewer distinct inputs than it needs
        (width + 2), or the constraints cannot be met.

    Notes
    -----
    In one dimension breakpoints are proposed by dynamic programming over the moments, moved by
    Newton steps with the values solved exactly, and exchanged one, two and three at a time until
    nothing gains. In several dimensions L-BFGS descends from random starts.

    Examples
    --------
    >>> import numpy as np
    >>> from reluscape import Samples, fit
    >>> x = np.linspace(0, 4, 41)
    >>> result = fit(Samples(x, abs(x - 1) - abs(x - 3)), 2)
    >>> result.breakpoints.round(6)
    array([1., 3.])
    """
    begun = time.perf_counter()
    _check_call(problem, seed, starts)
    _check_certify(certify, gap, time_limit)
    constraints = Constraints(monotone, slope_bounds, min_distance, min_points)
    report = progress or silent
    if certify and isinstance(problem, Samples) and not problem.on_a_line:
        raise InputError("certify=True needs one input and y of shape (n,); leave it out.")
    if isinstance(problem, Samples) and not problem.on_a_line:
        return _fit_several_inputs(problem, width, skip, seed, starts, constraints, report, begun)
    if constraints.active and not skip:
        raise InputError("constraints are for fits with a skip connection; leave skip=True.")
    widths = _widths(problem, width, max_width)

    def search(
        some: Problem, which: Sequence[int], tell: Progress, effort: Effort = THOROUGH
    ) -> dict[int, Polyline]:
        return _search(some, which, skip, constraints, seed, effort, tell)

    def quick(some: Problem, which: Sequence[int], tell: Progress) -> dict[int, Polyline]:
        return search(some, which, tell, QUICK)

    lines = search(problem, widths, report)
    table: tuple[WidthRow, ...] = ()
    if width == "auto" and isinstance(problem, Samples):
        table = table_of_widths(problem, lines, quick, skip=skip, seed=seed, progress=report)
        chosen = next(row.width for row in table if row.chosen)
    else:
        chosen = widths[0]
    found = _one_dimensional(problem, chosen, lines[chosen], skip, seed, constraints, table, begun)
    if not certify:
        return found
    from reluscape.fits.certified import certified

    def rebuilt(line: Polyline) -> Fit:
        return _one_dimensional(problem, chosen, line, skip, seed, constraints, table, begun)

    return certified(problem, found, rebuilt, gap, time_limit, report, begun)


def _check_width(width: object, name: str = "width") -> int:
    if not is_whole(width) or int(str(width)) < 0:
        raise InputError(f'{name} is {width!r}; give a whole number >= 0, or "auto" for width.')
    return int(str(width))


def _check_call(problem: object, seed: object, starts: object) -> None:
    if not isinstance(problem, Samples | Interval):
        raise InputError(
            f"the problem is {type(problem).__name__}; build one with Samples(x, y) or Interval."
        )
    for name, value, least in (("seed", seed, 0), ("starts", starts, 1)):
        if not is_whole(value) or int(str(value)) < least:
            raise InputError(f"{name} is {value!r}; give a whole number >= {least}.")


def _check_certify(certify: object, gap: object, time_limit: object) -> None:
    if not isinstance(certify, bool):
        raise InputError(f"certify is {certify!r}; give True or False.")
    if not is_number(gap) or not 0.0 < float(str(gap)) < 1.0:
        raise InputError(f"gap is {gap!r}; give a number between 0 and 1, like 1e-6.")
    bad = time_limit is not None and not (is_number(time_limit) and float(str(time_limit)) >= 0.0)
    if bad:
        raise InputError(f"time_limit is {time_limit!r}; give seconds, 0 or more, or None.")


def _widths(problem: Problem, width: int | Literal["auto"], max_width: int) -> list[int]:
    """Return the widths to search: one, or all that "auto" tries."""
    able = max(problem.distinct - 2, 0) if isinstance(problem, Samples) else None
    if width == "auto":
        if able is None:
            raise InputError('width="auto" needs data; give a whole number for an Interval.')
        return list(range(min(_check_width(max_width, "max_width"), able) + 1))
    k = _check_width(width)
    if able is not None and k > able:
        distinct = able + 2 if able else "at most 2"
        raise InputError(
            f"width {k} needs at least {k + 2} distinct values of x, and there are {distinct}; "
            f'lower the width to {able} or use width="auto".'
        )
    return [k]


def _search(
    problem: Problem,
    widths: Sequence[int],
    skip: bool,
    constraints: Constraints,
    seed: int,
    effort: Effort,
    progress: Progress,
) -> dict[int, Polyline]:
    moments = problem.moments
    low, high = moments.support
    if low == high:
        return {0: constant(moments)}
    if constraints.active:
        return constrained_search(moments, widths, constraints, seed, progress)
    if not skip:
        return plain_search(moments, widths, seed, effort, progress)
    if list(widths) == [0]:
        return {0: with_values(moments, np.array([low, high]), None)}
    return free_search(moments, widths, seed, effort, progress)


def _one_dimensional(
    problem: Problem,
    width: int,
    line: Polyline,
    skip: bool,
    seed: int,
    constraints: Constraints,
    table: tuple[WidthRow, ...],
    begun: float,
) -> Fit:
    network = network_of(line, problem.moments)
    if skip and network.skip is None:
        # All inputs equal: a constant, written with the connection that was asked for.
        network = Network([], [], [], network.offset, [0.0])
    risk = problem.risk(network)
    values = values_of(line, problem.moments)
    rows = 1 if isinstance(problem, Interval) or problem.weighted else problem.size
    return Fit(
        problem,
        network,
        width,
        skip,
        risk,
        risk * rows,
        values.breakpoints,
        values.slopes,
        values.intercept,
        _r_squared(problem, risk),
        table,
        ONE_DIMENSIONAL if width else "The exact least-squares solution.",
        constraints,
        time.perf_counter() - begun,
        seed,
        line,
    )


def _r_squared(problem: Problem, risk: float) -> float:
    total = spread_of(problem)
    return 1.0 - risk / total if total > 0 else 1.0


def _fit_several_inputs(
    problem: Samples,
    width: int | Literal["auto"],
    skip: bool,
    seed: int,
    starts: int,
    constraints: Constraints,
    progress: Progress,
    begun: float,
) -> Fit:
    from threadpoolctl import threadpool_limits

    from reluscape.training.quasi_newton import minimise

    if width == "auto":
        raise InputError('width="auto" needs one input and y of shape (n,); give a whole number.')
    if constraints.active:
        raise InputError("constraints need one input and y of shape (n,); leave them out.")
    k = _check_width(width)
    # On small matrices BLAS threads cost several times what they save.
    small = problem.size * problem.inputs * max(k, 1) < THREADED
    with threadpool_limits(1 if small else None):
        found = minimise(
            problem.x,
            problem.y,
            problem.weights,
            k,
            skip=skip,
            starts=starts,
            seed=seed,
            progress=progress,
        )
    rows = 1 if problem.weighted else problem.size
    mean = np.average(problem.y, axis=0, weights=problem.weights)
    squares = ((problem.y - mean) ** 2).reshape(problem.size, -1).sum(axis=1)
    total = float(problem.weights @ squares)
    return Fit(
        problem,
        found.network,
        k,
        skip,
        found.risk,
        found.risk * rows,
        np.empty(0),
        np.empty(0),
        math.nan,
        1.0 - found.risk / total if total > 0 else 1.0,
        (),
        SEVERAL_INPUTS.format(
            starts=found.starts,
            what="a critical point" if found.critical else "not yet a critical point",
            norm=found.gradient_norm,
        ),
        constraints,
        time.perf_counter() - begun,
        seed,
    )
