"""Gradient descent with a fixed step: the textbook iterates, fast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.arrays import is_number, is_whole
from reluscape.networks.limits import LimitResponse
from reluscape.networks.network import Network
from reluscape.networks.tracks import balanced_norms
from reluscape.problems.interval import Interval
from reluscape.problems.levels import certain_limit, is_below
from reluscape.problems.line import require_rows_or_interval, zero_is_active
from reluscape.problems.samples import Samples
from reluscape.training.blow_up import limit_of_run
from reluscape.training.trail import Integers, chosen, like, networks_of

Floats = NDArray[np.float64]
Outcome = Literal["finished", "diverged", "blowing up"]

# As in the compiled loop: fourth powers of such parameters still fit into a double.
DIVERGED = 1e60
# Steps between two reports of progress.
CHUNK = 100_000
# Risks recorded by default: an exact risk costs as much as forty steps.
RECORDS = 1_000


@dataclass(frozen=True, eq=False)
class Descent:
    """The result of `descend`.

    Attributes
    ----------
    network : Network
        After the last step made.
    risks : ndarray, shape (m,)
        Exact risks on the way; the first is that of the start, the last that of `network`.
    recorded : ndarray of int, shape (m,)
        Steps made before each of them.
    steps : int
        Steps made.
    outcome : {"finished", "diverged", "blowing up"}
        "diverged" if a step would have left the range of floating point; it was not made.
        "blowing up" if there is strong evidence, of the kind that `limit` says, that the parameters
        grow without bound while the risk falls; only for an `Interval` whose target jumps.
    norms : ndarray, shape (m,)
        Norm of all (w, b, v) after rescaling each neuron to `|w|² + b² = |v|²`, where `risks` are.
    trail : ndarray, shape (s, parameters)
        The `snapshots`, in the order of `Network.to_vector`.
    snapshot_steps : ndarray, shape (s,)
        Steps made before each of them; their distances grow by a factor.
    limit : LimitResponse or None
        Where the outcome is "blowing up": what the networks approach.
    threshold : float or None
        For an `Interval` with an affine target and constant density, ReLU and no skip connection:
        the risk below which no local minimum is other than global, `alpha^2 (b - a)^3 / 12` times
        the density for the target `alpha x + beta`; infinite if it is constant. Else None.
    guaranteed_from : int or None
        The first recorded step from which on all recorded risks are below `threshold`; None if
        there is none. For almost every step size and almost every start: if descent then goes on
        and converges, its limit is a global minimum (Cheridito, Jentzen, Rossmannek, arXiv
        2208.02083; stated for `at_zero="ge"`, which differs where w = b = 0 exactly).
    """

    network: Network
    risks: Floats
    recorded: NDArray[np.int64]
    steps: int
    outcome: Outcome
    norms: Floats
    trail: Floats
    snapshot_steps: Floats
    limit: LimitResponse | None = None
    threshold: float | None = None
    guaranteed_from: int | None = None

    @property
    def snapshots(self) -> tuple[Network, ...]:
        """Up to 33 networks along the way, the last of them `network`; empty without steps.

        On data, `limit_response(run.snapshots, steps=run.snapshot_steps, domain=…)` looks for what
        `limit` holds.
        """
        return networks_of(self.network, self.trail)


def descend(
    problem: Samples | Interval,
    network: Network,
    *,
    step_size: float,
    steps: int,
    at_zero: Literal["gt", "ge"] = "gt",
    record_every: int | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Descent:
    """Run full-batch gradient descent `theta - step_size * gradient` for a number of steps.

    In one dimension the loop is compiled and runs on the cumulative moments: a step costs
    O(width), whatever the number of data. The iterates are those of the textbook up to rounding.

    Parameters
    ----------
    problem : Samples or Interval
    network : Network
        The start.
    step_size : float
        Positive.
    steps : int
    at_zero : {"gt", "ge"}
        Derivative of ReLU at zero, 0 or 1; see `Samples.gradient`.
    record_every : int, optional
        Steps between two of the `risks`; by default there are about a thousand. A risk costs as
        much as some forty steps, so that 1 makes a long run slow.
    progress : callable (message, fraction), optional

    Returns
    -------
    Descent

    Raises
    ------
    InputError
        If the network does not fit the problem or is not piecewise linear, or a number is out of
        range.

    Examples
    --------
    >>> from reluscape import Interval, Network, affine
    >>> problem = Interval(affine(1, 0), 0, 1)
    >>> run = descend(problem, Network([1.0], [0.1], [0.5]), step_size=0.1, steps=2000)
    >>> run.outcome, bool(run.risks[-1] < 1e-12), len(run.risks), int(run.recorded[-1])
    ('finished', True, 1001, 2000)
    """
    require_rows_or_interval(problem, "descend")
    require_piecewise_linear(network.activation, "descend")
    check_run(step_size, steps)
    if record_every is None:
        record_every = max(-(-steps // RECORDS), 1)
    elif not is_whole(record_every) or record_every < 1:
        raise InputError(f"record_every is {record_every!r}; give a whole number >= 1.")
    active = zero_is_active(at_zero)
    if isinstance(problem, Samples) and not (problem.on_a_line and network.scalar):
        return _descend_rows(problem, network, step_size, steps, at_zero, record_every, progress)
    from reluscape.kernels import descent

    problem.risk(network)  # says what is wrong if the network does not fit the problem
    w, b, v, affine = parameters(network)
    risks: list[Floats] = []
    norms: list[Floats] = []
    rows: list[Floats] = []
    kept = chosen(steps // record_every)
    made = 0
    # Whole rasters a chunk, so that the chunks' records join without a seam.
    chunk = max(CHUNK // record_every, 1) * record_every
    while True:
        todo = min(chunk, steps - made)
        last = made + todo == steps
        recorded = np.full(todo // record_every + (1 if last else 0), np.nan)
        if not last:
            recorded = recorded[: todo // record_every]
        sizes = np.full_like(recorded, np.nan)
        before = made // record_every
        here = kept[(kept >= before) & (kept < before + len(recorded))] - before
        trail = np.empty((len(here), 3 * network.width + 2))
        done = descent.descend(
            w,
            b,
            v,
            affine,
            network.skip is not None,
            network.activation.slope,
            active,
            problem.moments.table,
            step_size,
            todo,
            record_every,
            recorded,
            sizes,
            here,
            trail,
        )
        made += done
        risks.append(recorded[: done // record_every + 1])
        norms.append(sizes[: done // record_every + 1])
        rows.append(trail[here <= done // record_every])
        if progress is not None:
            progress("descent", made / max(steps, 1))
        if done < todo or last:
            break
    outcome: Outcome = "finished" if made == steps else "diverged"
    final = rebuild(network, w, b, v, affine)
    theta = np.concatenate(rows)
    if network.skip is None:
        theta = theta[:, :-1]
    records = np.concatenate(risks), np.concatenate(norms), theta, kept[: len(theta)]
    return _result(problem, final, records, record_every, made, outcome)


_Records: TypeAlias = tuple[Floats, Floats, Floats, Integers]
"""Risks and norms on the raster; parameters of snapshots, and at which records they are."""


def _result(
    problem: Samples | Interval,
    network: Network,
    records: _Records,
    record_every: int,
    steps: int,
    outcome: Outcome,
) -> Descent:
    """Add the end if it is not on the raster; say what is blowing up, or where success is sure."""
    risks, norms, theta, kept = records
    recorded = np.arange(len(risks), dtype=np.int64) * record_every
    if recorded[-1] != steps:
        risks, recorded = np.append(risks, problem.risk(network)), np.append(recorded, steps)
        norms = np.append(norms, float(np.linalg.norm(balanced_norms(network))))
    at = (kept * record_every).astype(np.float64)
    if steps and (not len(at) or at[-1] != steps):
        theta, at = np.vstack([theta, network.to_vector()]), np.append(at, float(steps))
    blow_up = None
    if outcome == "finished":
        falling = risks[np.isin(recorded, at)]
        blow_up = limit_of_run(problem, network, theta, at, falling)
    limit = certain_limit(problem, network)
    above = np.flatnonzero([not is_below(float(risk), limit) for risk in risks])
    first = int(above[-1]) + 1 if len(above) else 0
    certain = int(recorded[first]) if first < len(recorded) else None
    return Descent(
        network,
        risks,
        recorded,
        steps,
        outcome if blow_up is None else "blowing up",
        norms,
        theta,
        at,
        blow_up,
        limit,
        certain,
    )


def check_run(step_size: float, steps: int) -> None:
    """Raise an error unless the step size is positive and the number of steps is not negative."""
    if not is_number(step_size) or not 0.0 < step_size < np.inf:
        raise InputError(f"step_size is {step_size!r}; give a finite number above 0.")
    if not is_whole(steps) or steps < 0:
        raise InputError(f"steps is {steps!r}; give a whole number >= 0.")


def parameters(network: Network) -> tuple[Floats, Floats, Floats, Floats]:
    """Return writable copies of w, b, v and (c, u) of a network with one input."""
    slope = 0.0 if network.skip is None else float(network.skip[0])
    affine = np.array([float(network.offset), slope])
    return network.weights[:, 0].copy(), network.biases.copy(), network.outputs.copy(), affine


def rebuild(network: Network, w: Floats, b: Floats, v: Floats, affine: Floats) -> Network:
    """Return a network like another with new parameters."""
    skip = None if network.skip is None else affine[1:]
    return Network(w, b, v, affine[0], skip, network.activation)


def _descend_rows(
    problem: Samples,
    network: Network,
    step_size: float,
    steps: int,
    at_zero: Literal["gt", "ge"],
    record_every: int,
    progress: Callable[[str, float], None] | None,
) -> Descent:
    """Descend by matrix products over the rows: several inputs or targets."""
    theta = network.to_vector()
    risks: list[float] = []
    norms: list[float] = []
    rows: list[Floats] = []
    kept = chosen(steps // record_every)
    made = 0
    outcome: Outcome = "finished"
    current = network
    for step in range(steps + 1):
        if step % record_every == 0:
            risks.append(problem.risk(current))
            norms.append(float(np.linalg.norm(balanced_norms(current))))
            if len(rows) < len(kept) and kept[len(rows)] == step // record_every:
                rows.append(theta)
        if step == steps:
            break
        following = theta - step_size * problem.gradient(current, at_zero)
        if not np.all(np.abs(following) < DIVERGED):
            outcome = "diverged"
            break
        theta = following
        current = like(network, theta)
        made += 1
        if progress is not None and made % 1000 == 0:
            progress("descent", made / steps)
    trail = np.array(rows).reshape(-1, theta.size)
    records = np.array(risks), np.array(norms), trail, kept[: len(rows)]
    return _result(problem, current, records, record_every, made, outcome)
