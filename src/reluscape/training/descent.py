"""Gradient descent with a fixed step: the textbook iterates, fast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.arrays import is_number, is_whole
from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.levels import certain_limit, is_below
from reluscape.problems.line import zero_is_active
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples
from reluscape.problems.verbs import require_problem

Floats = NDArray[np.float64]
Outcome = Literal["finished", "diverged"]

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
    outcome : {"finished", "diverged"}
        "diverged" if a step would have left the range of floating point; it was not made.
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
    threshold: float | None = None
    guaranteed_from: int | None = None


def descend(
    problem: Samples | Interval | Polygon | Gaussian,
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
    O(width), whatever the number of data. Elsewhere each step takes the problem's own gradient,
    exact on a `Polygon` and for `Gaussian` inputs. The iterates are those of the textbook up to
    rounding.

    Parameters
    ----------
    problem : Samples, Interval, Polygon or Gaussian
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
    require_problem(problem, "descend")
    require_piecewise_linear(network.activation, "descend")
    check_run(step_size, steps)
    if record_every is None:
        record_every = max(-(-steps // RECORDS), 1)
    elif not is_whole(record_every) or record_every < 1:
        raise InputError(f"record_every is {record_every!r}; give a whole number >= 1.")
    active = zero_is_active(at_zero)
    if isinstance(problem, Polygon | Gaussian) or (
        isinstance(problem, Samples) and not (problem.on_a_line and network.scalar)
    ):
        return _descend_by_gradients(
            problem, network, step_size, steps, at_zero, record_every, progress
        )
    from reluscape.kernels import descent

    problem.risk(network)  # says what is wrong if the network does not fit the problem
    w, b, v, affine = parameters(network)
    risks: list[Floats] = []
    made = 0
    # Whole rasters a chunk, so that the chunks' records join without a seam.
    chunk = max(CHUNK // record_every, 1) * record_every
    while True:
        todo = min(chunk, steps - made)
        last = made + todo == steps
        recorded = np.full(todo // record_every + (1 if last else 0), np.nan)
        if not last:
            recorded = recorded[: todo // record_every]
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
        )
        made += done
        risks.append(recorded[: done // record_every + 1])
        if progress is not None:
            progress("descent", made / max(steps, 1))
        if done < todo or last:
            break
    outcome: Outcome = "finished" if made == steps else "diverged"
    final = rebuild(network, w, b, v, affine)
    return _result(problem, final, np.concatenate(risks), record_every, made, outcome)


def _result(
    problem: Samples | Interval | Polygon | Gaussian,
    network: Network,
    risks: Floats,
    record_every: int,
    steps: int,
    outcome: Outcome,
) -> Descent:
    """Add the last risk if it is not on the raster, and say from where success is certain."""
    recorded = np.arange(len(risks), dtype=np.int64) * record_every
    if recorded[-1] != steps:
        risks, recorded = np.append(risks, problem.risk(network)), np.append(recorded, steps)
    limit = None
    if isinstance(problem, Samples | Interval):
        limit = certain_limit(problem, network)
    above = np.flatnonzero([not is_below(float(risk), limit) for risk in risks])
    first = int(above[-1]) + 1 if len(above) else 0
    certain = int(recorded[first]) if first < len(recorded) else None
    return Descent(network, risks, recorded, steps, outcome, limit, certain)


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


def _descend_by_gradients(
    problem: Samples | Polygon | Gaussian,
    network: Network,
    step_size: float,
    steps: int,
    at_zero: Literal["gt", "ge"],
    record_every: int,
    progress: Callable[[str, float], None] | None,
) -> Descent:
    """Descend by the problem's gradients, one for each step: several inputs or targets."""
    theta = network.to_vector()
    risks: list[float] = []
    made = 0
    outcome: Outcome = "finished"
    current = network
    for step in range(steps + 1):
        if step % record_every == 0:
            risks.append(problem.risk(current))
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
    return _result(problem, current, np.array(risks), record_every, made, outcome)


# As in the compiled loop: fourth powers of such parameters still fit into a double.
DIVERGED = 1e60


def like(network: Network, theta: Floats) -> Network:
    """Return a network with the shapes of another and the parameters `theta`."""
    parts: list[Floats] = []
    at = 0
    arrays = [network.weights, network.biases, network.outputs, network.offset]
    if network.skip is not None:
        arrays.append(network.skip)
    for array in arrays:
        parts.append(theta[at : at + array.size].reshape(array.shape))
        at += array.size
    skip = parts[4] if network.skip is not None else None
    return Network(parts[0], parts[1], parts[2], parts[3], skip, network.activation)
