"""`fit`: the best network of a given width for a problem, and all there is to say about it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.errors import InputError
from reluscape.fits.constrained import constrained_search
from reluscape.fits.constraints import Constraints
from reluscape.fits.inference import Inference, asymptotic, package, rows_of, values_of
from reluscape.fits.plain import constant, plain_search
from reluscape.fits.polyline import Polyline, network_of
from reluscape.fits.search import QUICK, THOROUGH, Effort, free_search, with_values
from reluscape.fits.widths import WidthRow, spread_of, table_of_widths
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]
Problem = Samples | Interval
Progress = Callable[[str, float], None]

ONE_DIMENSIONAL = (
    "Lowest risk among many polished proposals; a critical point, not proved to be the global "
    "minimum."
)
SEVERAL_INPUTS = (
    "Lowest risk among quasi-Newton descents from {starts} random start(s); a critical point "
    "(scaled gradient {norm:.1e}), not claimed to be the global minimum."
)


@dataclass(frozen=True, eq=False)
class Fit:
    """The result of `fit`.

    Attributes
    ----------
    problem : Samples or Interval
    network : Network
    width : int
    skip : bool
        Whether the network has a skip connection.
    risk : float
        Risk of `network`, exact.
    sum_of_squares : float
        Sum of squared errors over the rows (times the weights, if given); for an `Interval` the
        risk.
    breakpoints : ndarray, shape (k,)
        Sorted, in units of x; empty for several inputs.
    slopes : ndarray, shape (k + 1,)
        Slope of each piece, in units of y per unit of x.
    intercept : float
        Value of the leftmost line at x = 0.
    r_squared : float
        Share of the spread of y that the fit explains; 1 if there is none.
    widths : tuple of WidthRow
        The table of widths if `width="auto"`, else empty.
    claim : str
        What is claimed for the result, and what is not.
    constraints : Constraints
    seconds : float
        Wall time of the fit.
    seed : int
    """

    problem: Problem
    network: Network
    width: int
    skip: bool
    risk: float
    sum_of_squares: float
    breakpoints: Floats
    slopes: Floats
    intercept: float
    r_squared: float
    widths: tuple[WidthRow, ...]
    claim: str
    constraints: Constraints
    seconds: float
    seed: int
    line: Polyline | None = field(repr=False, default=None)

    def predict(self, x: ArrayLike) -> Floats:
        """Evaluate the fitted network at `x`, shape (n,) or (n, inputs)."""
        return self.network(x)

    def inference(
        self,
        *,
        method: Literal["asymptotic", "bootstrap"] = "asymptotic",
        level: float = 0.95,
        replicates: int = 200,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Inference:
        """Return standard errors and intervals for breakpoints and slopes.

        Parameters
        ----------
        method : {"asymptotic", "bootstrap"}
            From the information matrix (independent errors, variance proportional to 1 / weight),
            or by resampling rows.
        level : float
            Coverage of the intervals, in (0, 1).
        replicates : int
            Number of resamples, at least 2.
        seed : int
            Seed of the resampling.
        progress : callable (message, fraction), optional

        Returns
        -------
        Inference

        Raises
        ------
        InputError
            For several inputs, for an `Interval`, or for a level outside (0, 1).

        Examples
        --------
        >>> import numpy as np
        >>> from reluscape import Samples, fit
        >>> x = np.linspace(0, 1, 50)
        >>> y = abs(x - 0.4) + 0.01 * np.cos(40 * x)
        >>> low, high = [(e.low, e.high) for e in fit(Samples(x, y), 1).inference().breakpoints][0]
        >>> low < 0.4 < high
        True
        """
        if not 0.0 < level < 1.0:
            raise InputError(f"level is {level}; it must lie between 0 and 1, for instance 0.95.")
        if not isinstance(self.problem, Samples) or self.line is None:
            raise InputError(
                "standard errors need data with one input; an Interval has no noise, and for "
                "several inputs they are not available."
            )
        if method == "bootstrap":
            from reluscape.fits.bootstrap import bootstrap

            if replicates < 2:
                raise InputError(f"replicates is {replicates}; a bootstrap needs at least 2.")
            return bootstrap(
                self.problem,
                self.line,
                self.constraints,
                level=level,
                replicates=replicates,
                seed=seed,
                progress=progress or _silent,
            )
        if method != "asymptotic":
            raise InputError(f'method is {method!r}; use "asymptotic" or "bootstrap".')
        if self.constraints.active:
            values = values_of(self.line, self.problem)
            missing = np.full(len(values.flat), math.nan)
            dof = max(rows_of(self.problem) - 2 * len(self.breakpoints) - 2, 0)
            noise = math.sqrt(self.sum_of_squares / dof) if dof else math.nan
            note = "A constrained fit has no asymptotic standard errors; use the bootstrap."
            return package(values, missing, missing, missing, noise, dof, level, note)
        return asymptotic(self.problem, self.line, level)

    def summary(self, level: float = 0.95) -> str:
        """Return a text table: the fit, its estimates with intervals, the widths tried."""
        from reluscape.fits.summary import estimates, number, widths_table

        kind = "free-knot linear spline" if self.skip else "plain network"
        title = f"Continuous piecewise-linear fit ({kind}, width {self.width})"
        if self.line is None:
            title = f"Shallow network of width {self.width}"
        facts = [("risk", number(self.risk, 10)), ("R squared", number(self.r_squared))]
        if isinstance(self.problem, Samples):
            facts.insert(0, ("rows", str(self.problem.size)))
            facts.insert(2, ("sum of squares", number(self.sum_of_squares, 10)))
        lines = [title, "=" * len(title)]
        tail: list[str] = []
        if isinstance(self.problem, Samples) and self.line is not None:
            inference = self.inference(level=level)
            facts.insert(1, ("distinct x", str(self.problem.distinct)))
            facts.append(("residual std. dev.", number(inference.noise)))
            facts.append(("degrees of freedom", str(inference.degrees_of_freedom)))
            tail = ["", *estimates(inference)]
            if inference.note:
                tail += ["", inference.note]
        lines += [f"{name:<20}{value}" for name, value in facts]
        lines += tail
        if self.widths:
            lines += ["", *widths_table(self.widths)]
        return "\n".join([*lines, "", self.claim])

    def _repr_html_(self) -> str:
        """Show the summary in a notebook."""
        return f"<pre>{escape(self.summary())}</pre>"


def fit(
    problem: Problem,
    width: int | Literal["auto"],
    *,
    skip: bool = True,
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
    seed : int, default 0
        Seed of the proposals and of the folds.
    max_width : int, default 10
        Largest width that "auto" tries.
    monotone : {"increasing", "decreasing"}, optional
    slope_bounds : (float, float), optional
        Least and greatest slope, in units of y per unit of x.
    min_distance : float
        Least length of every piece, in units of x.
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
    constraints = Constraints(monotone, slope_bounds, float(min_distance), min_points)
    report = progress or _silent
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
    return _one_dimensional(
        problem, chosen, lines[chosen], skip, seed, constraints, table, begun
    )


def _silent(message: str, fraction: float) -> None:
    del message, fraction


def _check_width(width: object, name: str = "width") -> int:
    whole = isinstance(width, (int, np.integer)) and not isinstance(width, bool)
    if not whole or int(width) < 0:  # type: ignore[call-overload]
        raise InputError(f'{name} is {width!r}; give a whole number >= 0, or "auto" for width.')
    return int(width)  # type: ignore[call-overload]


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
    values = values_of(line, problem)
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
    from reluscape.training.quasi_newton import minimise

    if width == "auto":
        raise InputError('width="auto" needs one input and y of shape (n,); give a whole number.')
    if constraints.active:
        raise InputError("constraints need one input and y of shape (n,); leave them out.")
    k = _check_width(width)
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
        SEVERAL_INPUTS.format(starts=found.starts, norm=found.gradient_norm),
        constraints,
        time.perf_counter() - begun,
        seed,
    )
