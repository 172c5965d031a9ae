"""Intervals by resampling: no assumption on the noise beyond independent, centred errors."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from reluscape.fits.constrained import with_bounds
from reluscape.fits.constraints import Constraints
from reluscape.fits.inference import Inference, package, rows_of, values_of
from reluscape.fits.polyline import Polyline, network_of
from reluscape.fits.search import Progress, with_values
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]


def bootstrap(
    problem: Samples,
    line: Polyline,
    constraints: Constraints,
    *,
    level: float,
    replicates: int,
    seed: int,
    progress: Progress,
) -> Inference:
    """Refit with resampled errors, each time from the breakpoints of the fit; take percentiles.

    The wild bootstrap (Wu 1986, Jackknife, bootstrap and other resampling methods in regression
    analysis): inputs stay, each row's residual gets a random sign, so that noise may differ from
    row to row. Residuals are first blown up for the degrees of freedom that the fit has used.
    """
    seeds = np.random.SeedSequence(seed).spawn(replicates)
    values = values_of(line, problem.moments)
    x, y = problem.x.reshape(-1), problem.y
    order = np.argsort(x)
    x, y = x[order], y[order]
    weights = None if problem.given_weights is None else problem.given_weights[order]
    fitted = network_of(line, problem.moments)(x)
    rows = rows_of(problem)
    dof = max(rows - (2 * len(values.breakpoints) + 2), 0)
    residuals = (y - fitted) * np.sqrt(rows / max(dof, 1))

    def replicate(child: np.random.SeedSequence) -> Floats:
        rng = np.random.default_rng(child)
        signs = rng.integers(0, 2, len(x)) * 2.0 - 1.0
        resampled = Samples(x, fitted + signs * residuals, weights)
        again = refit(resampled, line, constraints, problem)
        return values_of(again, resampled.moments).flat

    drawn = np.empty((replicates, len(values.flat)))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for i, row in enumerate(pool.map(replicate, seeds)):
            drawn[i] = row
            progress("bootstrap", (i + 1) / replicates)
    errors = np.std(drawn, axis=0, ddof=1)
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    scale = problem.moments.y_axis.scale**2
    total = line.squares * scale * problem.moments.mass * (1.0 if problem.weighted else rows)
    noise = float(np.sqrt(total / dof)) if dof else float("nan")
    note = f"{replicates} resamples (wild bootstrap); percentile intervals."
    return package(values, errors, low, high, noise, dof, level, note, "bootstrap")


def refit(
    resampled: Samples, line: Polyline, constraints: Constraints, original: Samples
) -> Polyline:
    """Descend from the breakpoints of a fit on other data."""
    from reluscape.kernels import bounded, gaps, spline

    moments = resampled.moments
    inner = moments.x_axis.reduce(original.moments.x_axis.restore(line.tau[1:-1]))
    low, high = moments.support
    tau = np.concatenate([[low], inner, [high]])
    if constraints.active:
        unit = moments.y_axis.scale / moments.x_axis.scale
        bounds = np.array(constraints.slopes) / unit
        distance = constraints.min_distance / moments.x_axis.scale
        bounded.sweep(moments.table, tau, bounds, distance, constraints.min_points, np.empty(0))
        return with_bounds(moments, tau, bounds)
    tied = line.left_active is not None and not line.free_slope
    skips = np.where(line.left_active, -1.0, 0.0) if line.left_active is not None else np.zeros(1)
    spline.newton(moments.table, tau, tied, skips, spline.MOST_STEPS)
    gaps.settle(moments.table, tau, tied, skips, np.inf)
    return with_values(moments, tau, line.left_active, line.free_slope)
