"""Gradient flow: the path that descent with ever smaller steps follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.errors import InputError
from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.arrays import as_floats, check_finite, is_number, is_whole
from reluscape.networks.limits import LimitResponse
from reluscape.networks.network import Network
from reluscape.networks.tracks import balanced_norms
from reluscape.problems.interval import Interval
from reluscape.problems.levels import is_below, lowest_level
from reluscape.problems.line import require_rows_or_interval, zero_is_active
from reluscape.problems.samples import Samples
from reluscape.training.blow_up import limit_of_run
from reluscape.training.cells import Cell, FlowEvent
from reluscape.training.descent import parameters, rebuild
from reluscape.training.following import DIVERGED, Path, follow
from reluscape.training.following import Outcome as Ending
from reluscape.training.rest import at_rest
from reluscape.training.trail import chosen, like, networks_of

Floats = NDArray[np.float64]
Outcome = Ending | Literal["blowing up"]

# Times recorded by default.
RECORDS = 200
# Relative error of a step by default: conserved quantities then hold to about 1e-9 over long runs.
TOLERANCE = 1e-11
# Below a few hundred units of rounding an integrator cannot tell its error from it.
FINEST, COARSEST = 1e-13, 1e-2


@dataclass(frozen=True, eq=False)
class Flow:
    """The result of `flow`.

    Attributes
    ----------
    network : Network
        At the last of the times.
    times, risks : ndarray, shape (m,)
        When the risk was recorded, from 0, and the exact risks then.
    events : tuple of FlowEvent
        Breakpoints that met an end of the interval, a border between pieces, or an input of the
        data, in the order of time.
    drift : float
        The largest change of `w_j^2 + b_j^2 - v_j^2`, which gradient flow conserves, relative to
        `w_j^2 + b_j^2 + v_j^2`: a check of the errors of the integration.
    gradient_norm : float
        Euclidean norm of the velocity at the end; where a breakpoint slides on an input of the
        data, of the velocity with which it does.
    outcome : {"finished", "stationary", "diverged", "stalled", "blowing up"}
        "finished": the whole time passed. "stationary": before that, at a recorded time, the flow
        had come to rest, to the accuracy of the integration.
        "diverged": parameters grew beyond 1e60. "stalled": the steps became too short to go on.
        "blowing up": either of these, or the whole time passed, and there is strong evidence, of
        the kind that `limit` says, that the parameters grow without bound while the risk falls;
        only for an `Interval` whose target jumps.
    norms : ndarray, shape (m,)
        Norm of all (w, b, v) after rescaling each neuron to `|w|² + b² = |v|²`, where `risks` are.
    trail : ndarray, shape (s, parameters)
        The `snapshots`, in the order of `Network.to_vector`.
    snapshot_times : ndarray, shape (s,)
        When they were; their distances grow by a factor.
    limit : LimitResponse or None
        Where the outcome is "blowing up": what the networks approach.
    guaranteed_from : float or None
        For an `Interval` with an affine target and constant density, and no skip connection: the
        first recorded time at which the risk is below every positive critical level of networks of
        this width. The exact flow from the network of that time, if it stays bounded, converges
        to risk 0, for every such network, not just almost every one (Jentzen and Riekert, arXiv
        2107.04479, for ReLU; for leaky ReLU the levels were derived anew, see
        `reluscape.problems.levels`). Else None.
    """

    network: Network
    times: Floats
    risks: Floats
    events: tuple[FlowEvent, ...]
    drift: float
    gradient_norm: float
    outcome: Outcome
    norms: Floats
    trail: Floats
    snapshot_times: Floats
    limit: LimitResponse | None = None
    guaranteed_from: float | None = None

    @property
    def snapshots(self) -> tuple[Network, ...]:
        """Up to 32 networks along the way, the last of them `network`.

        On data, `limit_response(run.snapshots, steps=run.snapshot_times, domain=…)` looks for what
        `limit` holds.
        """
        return networks_of(self.network, self.trail)

    def __repr__(self) -> str:
        """Say how long the flow went, from which risk to which, and how it ended."""
        return (
            f"<Flow to time {self.times[-1]:g}, {self.outcome}: risk {self.risks[0]:.6g} to "
            f"{self.risks[-1]:.6g}, {len(self.events)} event(s), drift {self.drift:.1e}>"
        )


def flow(
    problem: Samples | Interval,
    network: Network,
    *,
    time: float,
    at_zero: Literal["gt", "ge"] = "gt",
    record: int | ArrayLike = RECORDS,
    tolerance: float = TOLERANCE,
    progress: Callable[[str, float], None] | None = None,
) -> Flow:
    """Follow gradient flow, `d theta / dt = -gradient(theta)`, for a time.

    The integrator (Dormand and Prince, order 8) stops where a breakpoint meets an end of the
    interval, a border between pieces of target or density, or an input of the data, and starts
    anew, so that the jumps of the derivatives there cost no accuracy. On data the gradient itself
    jumps: where it pushes a breakpoint to an input from both sides, the breakpoint stays on the
    input until one side lets go (the solution in the sense of Filippov). Each stop costs about a
    millisecond: with many thousands of rows, `descend` with a small step is quicker.

    Parameters
    ----------
    problem : Samples or Interval
        With one input and scalar targets.
    network : Network
        The start; ReLU or leaky ReLU, with or without a skip connection.
    time : float
        How long, positive. The flow descends a direction of curvature h as `exp(-h time)`; runs
        take longer the larger the curvature: inputs of the order of 1 are best.
    at_zero : {"gt", "ge"}
        Derivative of ReLU at zero, 0 or 1: whether a neuron with w = b = 0 stays there, and whether
        an input counts that a breakpoint starts on. Elsewhere it makes no difference.
    record : int or array_like
        How many equally spaced times to record the risk at, or the times themselves, increasing,
        in [0, time]. The start and the end are always recorded.
    tolerance : float
        Relative error allowed in a step of the integrator, 1e-13 to 1e-2.
    progress : callable (message, fraction), optional
        Called at each recorded time.

    Returns
    -------
    Flow

    Raises
    ------
    InputError
        If the problem has several inputs or targets, the network does not fit the problem or is not
        piecewise linear, or a number is out of range.

    Examples
    --------
    >>> from reluscape import Interval, Network, affine
    >>> problem = Interval(affine(1, 0), 0, 1)
    >>> run = flow(problem, Network([1.0], [-0.05], [0.5]), time=20)
    >>> run.outcome, bool(run.risks[-1] < 1e-3 * run.risks[0]), bool(run.drift < 1e-9)
    ('finished', True, True)
    >>> [(event.kind, event.place, event.what) for event in run.events]
    [('end', 0.0, 'left'), ('end', 0.0, 'entered')]
    """
    require_rows_or_interval(problem, "flow")
    require_piecewise_linear(network.activation, "flow")
    right = zero_is_active(at_zero)
    times = _times(time, record)
    if not is_number(tolerance) or not FINEST <= tolerance <= COARSEST:
        raise InputError(
            f"tolerance is {tolerance!r}; give a number between {FINEST:g} and {COARSEST:g}."
        )
    if isinstance(problem, Samples) and not problem.on_a_line:
        raise InputError(
            "flow needs one input and y of shape (n,); for several use descend with a small step."
        )
    problem.risk(network)  # says what is wrong if the network does not fit the problem
    theta = network.to_vector()
    if not (np.abs(theta) < DIVERGED).all():
        raise InputError(f"the network has a parameter beyond {DIVERGED:g}; scale it down.")

    def watch(at: float, state: Floats, velocity: Floats) -> Ending | None:
        if progress is not None:
            progress("flow", at / float(times[-1]))
        if at == times[-1]:
            return None
        here = like(network, state)
        rests = at_rest(problem, here, velocity, float(times[-1]) - at, float(tolerance))
        return "stationary" if rests else None

    cell = Cell(problem.moments, network.width, network.activation.slope, right)
    path = follow(cell, theta, times, tolerance, _sizes(problem, network), watch)
    return _result(problem, network, path)


def _times(time: float, record: int | ArrayLike) -> Floats:
    """Return the times to record, from 0 to the end."""
    if not is_number(time) or not 0.0 < time < np.inf:
        raise InputError(f"time is {time!r}; give a finite number above 0.")
    times = as_floats("record", record)
    if times.ndim == 0:
        if not is_whole(record) or times < 1:
            raise InputError(f"record is {record!r}; give a whole number >= 1, or times.")
        return np.linspace(0.0, float(time), int(times) + 1)
    check_finite("record", times)
    if times.ndim != 1 or (np.diff(times) <= 0).any() or (times < 0).any() or (times > time).any():
        raise InputError(
            f"record must be one row of increasing times between 0 and {time:g}, or a whole number."
        )
    return np.unique(np.concatenate([[0.0], times, [float(time)]]))


def _sizes(problem: Samples | Interval, network: Network) -> Floats:
    """Return the typical size of each parameter, which absolute errors are measured in."""
    table = problem.moments.table
    blocks = [
        np.full(network.width, float(np.abs(block).max(initial=0.0)) or 1.0)
        for block in parameters(network)[:3]
    ]
    affine = [table.y_scale, table.y_scale / table.x_scale]
    return np.concatenate([*blocks, affine[: 1 if network.skip is None else 2]])


def _result(problem: Samples | Interval, network: Network, path: Path) -> Flow:
    from reluscape.kernels.exact import risk

    risks: list[float] = []
    norms: list[float] = []
    for state in path.states:
        here = like(network, state)
        w, b, v, affine = parameters(here)
        risks.append(risk(w, b, v, affine, network.activation.slope, problem.moments.table))
        norms.append(float(np.linalg.norm(balanced_norms(here))))
    w, b, v, affine = parameters(like(network, path.states[-1]))
    final = rebuild(network, w, b, v, affine)
    kept = chosen(len(path.times) - 1)
    times, trail = np.array(path.times), np.array(path.states)[kept]
    limit = None
    if path.outcome != "stationary":
        limit = limit_of_run(problem, final, trail, times[kept], np.array(risks)[kept])
    lowest = lowest_level(problem, network)
    sure = (t for t, now in zip(path.times, risks, strict=True) if is_below(now, lowest))
    return Flow(
        final,
        times,
        np.array(risks),
        tuple(path.events),
        path.drift,
        path.speed,
        path.outcome if limit is None else "blowing up",
        np.array(norms),
        trail,
        times[kept],
        limit,
        next(sure, None),
    )
