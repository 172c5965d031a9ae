"""Many gradient descents at once, from random starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.activations import Activation, parse, require_piecewise_linear
from reluscape.networks.arrays import is_whole
from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.line import zero_is_active
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples
from reluscape.problems.units import SeveralInputs
from reluscape.problems.verbs import require_problem
from reluscape.training.descent import Descent, check_run, descend
from reluscape.training.ensemble import run_ensemble
from reluscape.training.initialise import breakpoint_spread, standard_normal

Floats = NDArray[np.float64]


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
    parameters : ndarray, shape (starts, parameters)
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
            Network.from_vector(theta, self.best.inputs, self.skip, self.best.activation)
            for theta in self.parameters
        ]


def multistart(
    problem: Samples | Interval | Polygon | Gaussian,
    width: int,
    *,
    starts: int,
    step_size: float,
    steps: int,
    seed: int = 0,
    skip: bool = False,
    activation: str | Activation = "relu",
    at_zero: Literal["gt", "ge"] = "gt",
    initialise: Literal["normal", "spread"] | None = None,
    threads: int | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> MultiStart:
    """Run gradient descent from many random networks.

    In one dimension the runs are compiled, eight to a processor at a time.

    Parameters
    ----------
    problem : Samples, Interval, Polygon or Gaussian
        With scalar targets.
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
    initialise : {"normal", "spread"}, optional
        `standard_normal` (S1) or `breakpoint_spread`; the default is "normal" with one input and
        "spread" with several, where normal hyperplanes may miss the inputs altogether.
    threads : int, optional
        Default: all processors. With several inputs there is one.
    progress : callable (message, fraction), optional

    Returns
    -------
    MultiStart

    Raises
    ------
    InputError
        If a number is out of range, the problem has several targets, or the activation is not
        piecewise linear.

    Examples
    --------
    >>> from reluscape import Interval, affine
    >>> runs = multistart(Interval(affine(1, 0), 0, 1), 4, starts=20, step_size=0.05, steps=5000)
    >>> bool(runs.risks.min() < 1e-6)
    True
    """
    require_problem(problem, "multistart")
    act = parse(activation)
    require_piecewise_linear(act, "multistart")
    check_run(step_size, steps)
    for name, value, least in (("starts", starts, 1), ("width", width, 0), ("seed", seed, 0)):
        if not is_whole(value) or value < least:
            raise InputError(f"{name} is {value!r}; give a whole number >= {least}.")
    if initialise not in ("normal", "spread", None):
        raise InputError(f'initialise is {initialise!r}; use "normal" or "spread".')
    if isinstance(problem, Samples) and problem.y.ndim != 1:
        raise InputError(
            f"multistart needs y of shape (n,), not {problem.y.shape}; use fit for several targets."
        )
    zero_is_active(at_zero)
    if isinstance(problem, Polygon | Gaussian) or (
        isinstance(problem, Samples) and not problem.on_a_line
    ):
        rng = np.random.default_rng(seed)
        begun = [
            standard_normal(width, rng, inputs=problem.inputs, skip=skip, activation=act)
            if initialise == "normal"
            else breakpoint_spread(problem, width, rng, skip=skip, activation=act)
            for _ in range(starts)
        ]
        return _one_by_one(problem, begun, step_size, steps, at_zero, progress)
    run = run_ensemble(
        problem,
        _draw(problem, width, starts, seed, skip, act, initialise or "normal"),
        step_size=step_size,
        steps=steps,
        skip=skip,
        activation=act,
        at_zero=at_zero,
        threads=threads,
        progress=progress,
    )
    best = Network.from_vector(run.parameters[int(np.argmin(run.risks))], skip=skip, activation=act)
    return MultiStart(run.risks, run.initial_risks, run.diverged, run.parameters, best, skip)


def _one_by_one(
    problem: SeveralInputs,
    begun: list[Network],
    step_size: float,
    steps: int,
    at_zero: Literal["gt", "ge"],
    progress: Callable[[str, float], None] | None,
) -> MultiStart:
    """Descend from each network in turn."""
    runs: list[Descent] = []
    for network in begun:
        # Only the first and the last risk are asked for.
        runs.append(
            descend(
                problem,
                network,
                step_size=step_size,
                steps=steps,
                at_zero=at_zero,
                record_every=max(steps, 1),
            )
        )
        if progress is not None:
            progress("descents", len(runs) / len(begun))
    final = np.array([run.risks[-1] for run in runs])
    return MultiStart(
        final,
        np.array([run.risks[0] for run in runs]),
        np.array([run.outcome == "diverged" for run in runs]),
        np.array([run.network.to_vector() for run in runs]),
        runs[int(np.argmin(final))].network,
        begun[0].skip is not None,
    )


def _draw(
    problem: Samples | Interval,
    width: int,
    starts: int,
    seed: int,
    skip: bool,
    activation: Activation,
    initialise: str,
) -> Floats:
    """Return the parameters of the starts, one row each."""
    rng = np.random.default_rng(seed)
    if initialise == "normal":
        # The same numbers as from `standard_normal`, one network after the other.
        return rng.standard_normal((starts, 3 * width + 1 + skip))
    return np.array(
        [
            breakpoint_spread(problem, width, rng, skip=skip, activation=activation).to_vector()
            for _ in range(starts)
        ]
    )
