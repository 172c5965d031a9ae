"""The result of a fit: the network, its numbers, how sure they are, and a summary."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.errors import InputError
from reluscape.fits.constraints import Constraints
from reluscape.fits.inference import Inference, asymptotic, package, rows_of, values_of
from reluscape.fits.polyline import Polyline
from reluscape.fits.widths import WidthRow
from reluscape.networks.arrays import is_number, is_whole
from reluscape.networks.network import Network
from reluscape.optimum.certificate import Certificate
from reluscape.optimum.rules import Rules
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

if TYPE_CHECKING:
    from reluscape.optimum.pinned import Pinned

Floats = NDArray[np.float64]
Problem = Samples | Interval
Progress = Callable[[str, float], None]
Ending = Literal["", "closed", "time limit", "interrupted", "open"]


def silent(message: str, fraction: float) -> None:
    """Report progress to nobody."""
    del message, fraction


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
    lower_bound : float
        No network of this width has a lower risk; 0 without `certify=True`.
    certificate : Certificate or None
        What proves the lower bound, see `check`.
    bounds : ndarray, shape (t, 3)
        What was known when: seconds since the call, lower bound, risk; one row for each change
        that could be seen in a plot. Empty without `certify=True`.
    ended : {"", "closed", "time limit", "interrupted", "open"}
        How the search for the bound ended: with the gap closed, or why not ("open": it found no
        way to close it); "" without `certify=True`.
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
    lower_bound: float = 0.0
    certificate: Certificate | None = field(repr=False, default=None)
    bounds: Floats = field(repr=False, default_factory=lambda: np.empty((0, 3)))
    ended: Ending = ""

    @property
    def gap(self) -> float:
        """How far the lower bound is below the risk, relative to the risk."""
        return max(1.0 - self.lower_bound / self.risk, 0.0) if self.risk > 0.0 else 0.0

    @property
    def rules(self) -> Rules:
        """What networks obey that the lower bound is about."""
        low, high = self.constraints.slopes
        points = int(self.constraints.min_points) if isinstance(self.problem, Samples) else 0
        return Rules(self.skip, low, high, float(self.constraints.min_distance), points)

    def pinned(self, share: float = 0.01) -> Floats:
        """Return where the breakpoints of every good fit are.

        No network of this width (that obeys the constraints of this fit) comes within `share` of
        this fit's risk unless each of its breakpoints lies in its interval.

        Parameters
        ----------
        share : float, default 0.01
            How much more risk still counts as good, relative to the risk.

        Returns
        -------
        ndarray, shape (k, 2)
            One interval per breakpoint, in units of x, ending on inputs (for data); from the bounds
            of the search, in floating point.

        Raises
        ------
        InputError
            For several inputs, or a share that is not above 0.

        Examples
        --------
        >>> import numpy as np
        >>> from reluscape import Samples, fit
        >>> x = np.linspace(0, 1, 101)
        >>> y = abs(x - 0.4) + 0.01 * np.cos(99 * x)
        >>> fit(Samples(x, y), 1).pinned(0.05).round(2)
        array([[0.39, 0.41]])
        """
        return self.pins(share).intervals

    def pins(
        self, share: float = 0.01, *, patience: float = 20.0, progress: Progress | None = None
    ) -> Pinned:
        """Return what `pinned` does, and whether there was time to make it as narrow as can be.

        Parameters
        ----------
        share : float, default 0.01
            How much more risk still counts as good, relative to the risk.
        patience : float, default 20.0
            Seconds, about, after which the intervals are returned as wide as they are. Ctrl-C
            does the same.
        progress : callable (message, fraction), optional

        Returns
        -------
        Pinned

        Raises
        ------
        InputError
            As for `pinned`, or if `patience` is not a number from 0 up.

        Examples
        --------
        >>> import numpy as np
        >>> from reluscape import Samples, fit
        >>> x = np.linspace(0, 1, 101)
        >>> fit(Samples(x, abs(x - 0.4) + 0.01 * np.cos(99 * x)), 1).pins(0.05).fine
        True
        """
        if not is_number(share) or not 0.0 < share < math.inf:
            raise InputError(f"share is {share!r}; give a number above 0, for instance 0.01.")
        if not is_number(patience) or not patience >= 0.0:
            raise InputError(f"patience is {patience!r}; give seconds, 0 or more.")
        if isinstance(self.problem, Samples) and not self.problem.on_a_line:
            raise InputError("breakpoints are pinned for one input and y of shape (n,).")
        from reluscape.optimum.pinned import pinned

        return pinned(
            self.problem,
            self.rules,
            self.risk,
            self.width,
            share,
            patience=patience,
            progress=progress or silent,
        )

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
            or by resampling errors (wild bootstrap, which allows noise that differs from row to
            row). Asymptotic intervals take the number of breakpoints as known; with few or noisy
            rows they are somewhat short: at 200 rows, 92 to 94 of 100 nominal 95 % intervals held.
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
        if not is_number(level) or not 0.0 < level < 1.0:
            raise InputError(f"level is {level!r}; it must lie between 0 and 1, for instance 0.95.")
        if not isinstance(self.problem, Samples) or self.line is None:
            raise InputError(
                "standard errors need data with one input; an Interval has no noise, and for "
                "several inputs they are not available."
            )
        if method == "bootstrap":
            from reluscape.fits.bootstrap import bootstrap

            if not is_whole(replicates) or replicates < 2:
                raise InputError(f"replicates is {replicates!r}; a bootstrap needs at least 2.")
            if not is_whole(seed) or seed < 0:
                raise InputError(f"seed is {seed!r}; give a whole number >= 0.")
            return bootstrap(
                self.problem,
                self.line,
                self.constraints,
                level=level,
                replicates=replicates,
                seed=seed,
                progress=progress or silent,
            )
        if method != "asymptotic":
            raise InputError(f'method is {method!r}; use "asymptotic" or "bootstrap".')
        if self.constraints.active:
            values = values_of(self.line, self.problem.moments)
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
        if self.certificate is not None:
            facts.insert(1, ("lower bound", f"{number(self.lower_bound, 10)} (gap {self.gap:.1e})"))
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
