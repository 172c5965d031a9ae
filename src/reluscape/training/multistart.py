"""Many gradient descents at once, from random starts."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.activations import Activation, parse, require_piecewise_linear
from reluscape.networks.arrays import is_whole
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.line import require_rows_or_interval, zero_is_active
from reluscape.problems.samples import Samples
from reluscape.training.descent import check_run, parameters
from reluscape.training.initialise import breakpoint_spread

Floats = NDArray[np.float64]

# Runs handed to a thread at a time: enough to hide the hand-over, few enough to share evenly.
BATCH = 32


@dataclass(frozen=True, eq=False)
class MultiStart:
    """The result of `multistart`.

    Attributes
    ----------
    risks : ndarray, shape (starts,)
        Final risks, exact.
    initial_risks : ndarray, shape (starts,)
    diverged : ndarray of bool, shape (starts,)
        Runs stopped before a step that would have left the range of floating point.
    parameters : ndarray, shape (starts, 3 width + 1 or + 2)
        Final parameters in the order of `Network.to_vector`.
    best : Network
        The one with the lowest final risk.
    """

    risks: Floats
    initial_risks: Floats
    diverged: NDArray[np.bool_]
    parameters: Floats
    best: Network
    skip: bool = field(repr=False, default=False)

    @property
    def networks(self) -> list[Network]:
        """All final networks, made when asked for."""
        return [
            Network.from_vector(theta, skip=self.skip, activation=self.best.activation)
            for theta in self.parameters
        ]


def multistart(
    problem: Samples | Interval,
    width: int,
    *,
    starts: int,
    step_size: float,
    steps: int,
    seed: int = 0,
    skip: bool = False,
    activation: str | Activation = "relu",
    at_zero: Literal["gt", "ge"] = "gt",
    initialise: Literal["normal", "spread"] = "normal",
    threads: int | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> MultiStart:
    """Run gradient descent from many random networks, in parallel.

    Parameters
    ----------
    problem : Samples or Interval
        With one input and scalar targets.
    width : int
    starts : int
        Number of runs.
    step_size : float
    steps : int
        Steps of each run.
    seed : int
        The same seed gives the same results, whatever the number of threads.
    skip : bool
    activation : str or Activation
    at_zero : {"gt", "ge"}
    initialise : {"normal", "spread"}
        `standard_normal` (S1) or `breakpoint_spread`.
    threads : int, optional
        Default: all processors.
    progress : callable (message, fraction), optional

    Returns
    -------
    MultiStart

    Raises
    ------
    InputError
        If a number is out of range, the problem has several inputs or targets, or the activation is
        not piecewise linear.

    Examples
    --------
    >>> from reluscape import Interval, affine
    >>> runs = multistart(Interval(affine(1, 0), 0, 1), 4, starts=20, step_size=0.05, steps=5000)
    >>> bool(runs.risks.min() < 1e-6)
    True
    """
    require_rows_or_interval(problem, "multistart")
    act = parse(activation)
    require_piecewise_linear(act, "multistart")
    check_run(step_size, steps)
    for name, value, least in (("starts", starts, 1), ("width", width, 0), ("seed", seed, 0)):
        if not is_whole(value) or value < least:
            raise InputError(f"{name} is {value!r}; give a whole number >= {least}.")
    if isinstance(problem, Samples) and not problem.on_a_line:
        raise InputError("multistart needs one input and y of shape (n,); use fit for several.")
    from reluscape.kernels import descent

    active = zero_is_active(at_zero)
    w, b, v, affine = _draw(problem, width, starts, seed, skip, act, initialise)
    risks = np.full((starts, 2), np.nan)
    made = np.zeros(starts, np.int64)
    table = problem.moments.table
    batches = [slice(i, min(i + BATCH, starts)) for i in range(0, starts, BATCH)]

    def run(part: slice) -> None:
        descent.descend_many(
            w[part],
            b[part],
            v[part],
            affine[part],
            skip,
            act.slope,
            active,
            table,
            step_size,
            steps,
            risks[part],
            made[part],
        )

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for done, _ in enumerate(pool.map(run, batches)):
            if progress is not None:
                progress("descents", (done + 1) / len(batches))
    diverged = made < steps
    final = risks[:, 1] if steps else risks[:, 0]
    theta = np.hstack([w, b, v, affine if skip else affine[:, :1]])
    for i in np.flatnonzero(diverged):
        network = Network.from_vector(theta[i], skip=skip, activation=act)
        final[i] = problem.risk(network)
    best = Network.from_vector(theta[int(np.argmin(final))], skip=skip, activation=act)
    return MultiStart(final.copy(), risks[:, 0].copy(), diverged, theta, best, skip)


def _draw(
    problem: Samples | Interval,
    width: int,
    starts: int,
    seed: int,
    skip: bool,
    activation: Activation,
    initialise: str,
) -> tuple[Floats, Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    w, b, v = (np.empty((starts, width)) for _ in range(3))
    affine = np.zeros((starts, 2))
    if initialise not in ("normal", "spread"):
        raise InputError(f'initialise is {initialise!r}; use "normal" or "spread".')
    if initialise == "normal":
        # The same numbers as from `standard_normal`, one network after the other.
        theta = rng.standard_normal((starts, 3 * width + 1 + skip))
        w[:], b[:], v[:] = np.split(theta[:, : 3 * width], 3, axis=1)
        affine[:, : 1 + skip] = theta[:, 3 * width :]
        return w, b, v, affine
    for i in range(starts):
        network = breakpoint_spread(problem, width, rng, skip=skip, activation=activation)
        w[i], b[i], v[i], affine[i] = parameters(network)
    return w, b, v, affine
