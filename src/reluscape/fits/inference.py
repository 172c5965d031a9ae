"""How sure a fit's breakpoints and slopes are: standard errors and intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.fits.polyline import Polyline, slopes_of
from reluscape.problems.moments import Moments
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]

# A parameter whose direction has more than this share in the null space of the information
# matrix is not estimable: the breakpoint of a neuron that bends nothing, for instance.
NOT_ESTIMABLE = 1e-6
# Eigenvalues of the scaled information matrix below this share of the largest count as zero.
RANK_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Estimate:
    """One estimated number.

    Attributes
    ----------
    name : str
        "breakpoint 1", "slope 0", "intercept".
    value : float
    standard_error : float
        NaN where the data do not determine it.
    low, high : float
        Ends of the interval; NaN likewise.
    """

    name: str
    value: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True)
class Inference:
    """Standard errors and intervals of a fit.

    Attributes
    ----------
    breakpoints : tuple of Estimate, one per breakpoint, in units of x
    slopes : tuple of Estimate, one per piece, in units of y per unit of x
    intercept : Estimate
        Value of the leftmost line at x = 0.
    noise : float
        Residual standard deviation, of a row of weight 1 if there are weights.
    degrees_of_freedom : int
    level : float
        Coverage of the intervals.
    method : str
        "asymptotic" or "bootstrap".
    note : str
        What to mind, or why there are no standard errors; empty if nothing.
    """

    breakpoints: tuple[Estimate, ...]
    slopes: tuple[Estimate, ...]
    intercept: Estimate
    noise: float
    degrees_of_freedom: int
    level: float
    method: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class Values:
    """The numbers that inference is about, in the user's units."""

    intercept: float
    slopes: Floats
    breakpoints: Floats

    @property
    def flat(self) -> Floats:
        """Intercept, slopes, breakpoints in one row."""
        return np.concatenate([[self.intercept], self.slopes, self.breakpoints])

    @property
    def names(self) -> list[str]:
        """A name for each entry of `flat`."""
        slopes = [f"slope {i}" for i in range(len(self.slopes))]
        breakpoints = [f"breakpoint {i + 1}" for i in range(len(self.breakpoints))]
        return ["intercept", *slopes, *breakpoints]


def values_of(line: Polyline, moments: Moments) -> Values:
    """Read intercept, slopes and breakpoints off a polyline."""
    x_axis, y_axis = moments.x_axis, moments.y_axis
    slopes = slopes_of(line) * (y_axis.scale / x_axis.scale)
    start = float(x_axis.restore(line.tau[:1])[0])
    value = float(y_axis.restore(line.phi[:1])[0])
    return Values(value - slopes[0] * start, slopes, x_axis.restore(line.tau[1:-1]))


def asymptotic(problem: Samples, line: Polyline, level: float) -> Inference:
    """Return standard errors from the information matrix of the least-squares problem.

    The columns of the Jacobian are 1, x, the hinges (x - t_j)+, and -d_j 1{x > t_j} for the
    breakpoints themselves (Muggeo 2003, Estimating regression models with unknown break-points).
    Errors are taken as independent with variance proportional to 1 / weight.
    """
    from scipy.special import stdtrit

    values = values_of(line, problem.moments)
    k = len(values.breakpoints)
    rows = rows_of(problem)
    bound = line.left_active is not None and not line.free_slope
    free = 2 * k + 2 - (1 if bound else 0)
    dof = rows - free
    total = line.squares * problem.moments.y_axis.scale**2
    total *= problem.moments.mass * (1.0 if problem.weighted else rows)
    flat = values.flat
    if dof <= 0:
        missing = np.full(len(flat), math.nan)
        note = f"{rows} rows leave no degrees of freedom for {free} parameters."
        return package(values, missing, flat, flat, math.nan, max(dof, 0), level, note)
    noise = math.sqrt(total / dof)
    errors = noise * _unit_errors(problem, line, values, tied=bound)
    reach = float(stdtrit(dof, 0.5 + level / 2)) * errors
    return package(values, errors, flat - reach, flat + reach, noise, dof, level, "")


def rows_of(problem: Samples) -> int:
    """Return the number of rows with positive weight."""
    if problem.given_weights is None:
        return problem.size
    return int(np.count_nonzero(problem.given_weights))


def package(
    values: Values,
    errors: Floats,
    low: Floats,
    high: Floats,
    noise: float,
    dof: int,
    level: float,
    note: str,
    method: str = "asymptotic",
) -> Inference:
    """Sort rows of numbers into an `Inference`."""
    missing = np.isnan(errors)
    low, high = np.where(missing, math.nan, low), np.where(missing, math.nan, high)
    rows = [
        Estimate(name, float(value), float(error), float(lower), float(upper))
        for name, value, error, lower, upper in zip(
            values.names, values.flat, errors, low, high, strict=True
        )
    ]
    cut = 1 + len(values.slopes)
    return Inference(
        tuple(rows[cut:]), tuple(rows[1:cut]), rows[0], noise, dof, level, method, note
    )


def _unit_errors(problem: Samples, line: Polyline, values: Values, *, tied: bool) -> Floats:
    """Return errors for unit noise in the order of `Values.flat`; NaN if not estimable."""
    moments = problem.moments
    parts = _segments(problem, line)
    k = len(values.breakpoints)
    tau, scale = line.tau, moments.x_axis.scale
    turns = np.diff(slopes_of(line))
    mass, mean, spread = parts[:, 0], parts[:, 1], parts[:, 2]
    x = tau[:-1] + mean * np.diff(tau)
    right = x[:, np.newaxis] > tau[np.newaxis, 1:-1]
    # Columns: level and slope at the left end, changes of slope, breakpoints (reduced units).
    level = np.column_stack(
        [
            np.ones(k + 1),
            x - tau[0],
            right * (x[:, np.newaxis] - tau[1:-1]),
            -1.0 * right * turns,
        ]
    )
    tilt = np.column_stack([np.zeros(k + 1), np.ones(k + 1), right, np.zeros((k + 1, k))])
    tilt = tilt * np.diff(tau)[:, np.newaxis]
    information = (level * mass[:, np.newaxis]).T @ level
    information += (tilt * spread[:, np.newaxis]).T @ tilt
    information *= moments.mass if problem.weighted else 1.0
    # Targets in the user's units: intercept, slopes and breakpoints as functions of the columns.
    y_scale = moments.y_axis.scale
    start = float(moments.x_axis.restore(tau[:1])[0])
    cumulative = np.tril(np.ones((k + 1, k)), -1)
    to_slopes = np.hstack([np.zeros((k + 1, 1)), np.ones((k + 1, 1)), cumulative])
    to_slopes = np.hstack([to_slopes, np.zeros((k + 1, k))]) / scale
    to_intercept = -start * to_slopes[:1]
    to_intercept[0, 0] += 1.0
    to_breakpoints = np.hstack([np.zeros((k, 2 + k)), np.eye(k)]) * scale / y_scale
    wanted = np.vstack([to_intercept, to_slopes, to_breakpoints])
    basis = np.eye(2 * k + 2)
    if tied and line.left_active is not None:
        condition = np.concatenate([[0.0, 1.0], line.left_active * 1.0, np.zeros(k)])
        basis = np.linalg.svd(condition[np.newaxis, :])[2][1:].T
    return _errors(information, wanted, basis)


def _errors(information: Floats, wanted: Floats, basis: Floats) -> Floats:
    reduced = basis.T @ information @ basis
    size = np.sqrt(np.diag(reduced))
    size = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(reduced / size / size[:, np.newaxis])
    known = values > RANK_TOLERANCE * values[-1]
    rows = (wanted @ basis) / size
    inside = rows @ vectors[:, known]
    outside = rows @ vectors[:, ~known]
    errors = np.sqrt(np.sum(inside**2 / values[known], axis=1))
    lost = np.sum(outside**2, axis=1) > NOT_ESTIMABLE**2 * np.sum(rows**2, axis=1)
    return np.where(lost, math.nan, errors)


def _segments(problem: Samples, line: Polyline) -> Floats:
    from reluscape.kernels import segments

    sheet = segments.new_sheet(len(line.tau))
    segments.lay(problem.moments.table, line.tau, sheet)
    return sheet[:-1, : segments.RESIDUAL + 1]
