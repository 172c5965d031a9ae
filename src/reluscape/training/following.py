"""Integration of gradient flow through its cells, each crossing located and stopped at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reluscape.training.cells import MEETING, PUSH_ROUNDING, ROUNDING, Cell, FlowEvent

Floats = NDArray[np.float64]
Outcome = Literal["finished", "stationary", "diverged", "stalled"]
Which = Literal["guard", "push", "meeting"]
Watch = Callable[[float, Floats, Floats], Outcome | None]

# Where in a step a guard is looked at for the first time it fails, as shares of the step; dense
# at the start, where a breakpoint has just left a place.
SHARES = (1e-9, 1e-6, 1e-4, 1e-2, 0.0625, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
# Cubic interpolation of the linear guards inside a step: values and slopes at both ends. Only a
# step that it shows near a crossing pays for the dense output of the integrator.
INSIDE = np.array([0.25, 0.5, 0.75])
HERMITE = np.stack(
    [
        (1 + 2 * INSIDE) * (1 - INSIDE) ** 2,
        INSIDE * (1 - INSIDE) ** 2,
        INSIDE**2 * (3 - 2 * INSIDE),
        INSIDE**2 * (INSIDE - 1),
    ]
)
# Crossings in a row without progress in time after which the run is given up, per neuron: all
# breakpoints may meet places at one moment, and each may meet a few.
PATIENCE = 20
# Time that passed is progress if it is more than this share of the time before.
PROGRESS = 1e-14
# So many steps in a row, each a share of the time so small that the run would take years.
HOPELESS_STEPS, HOPELESS = 1000, 1e-9
# As in the descent: fourth powers of such parameters still fit into a double.
DIVERGED = 1e60


@dataclass(eq=False)
class Path:
    """What `follow` saw: recorded times and states, events, and how it ended."""

    times: list[float]
    states: list[Floats]
    events: list[FlowEvent] = field(default_factory=list[FlowEvent])
    drift: float = 0.0
    speed: float = 0.0
    outcome: Outcome = "finished"


@dataclass(frozen=True, eq=False)
class _Exit:
    """The first guard that fails in a step: which, of which neuron, and when."""

    time: float
    which: Which
    neuron: int
    side: int


def follow(
    cell: Cell,
    theta: Floats,
    times: Floats,
    tolerance: float,
    sizes: Floats,
    watch: Watch,
) -> Path:
    """Follow the flow from `theta` at `times[0] = 0` to the last of the times.

    Parameters
    ----------
    cell : Cell
    theta : ndarray, shape (parameters,)
    times : ndarray
        Increasing, from 0; states are recorded there.
    tolerance : float
        Relative error of a step, and absolute in units of `sizes`.
    sizes : ndarray, shape (parameters,)
    watch : callable (time, state, velocity)
        Called at recorded times; an outcome other than None ends the run.

    Returns
    -------
    Path
    """
    from scipy.integrate import DOP853

    end = float(times[-1])
    theta = cell.enter(theta)
    path = Path([0.0], [theta])
    balance = _Balance(cell.width, theta)
    t, first_step, waiting, short = 0.0, None, 0, 0
    speed = cell.velocity(theta)
    path.outcome = watch(t, theta, speed) or "finished"
    following = 1
    while t < end and path.outcome == "finished":
        # SciPy's types do not know that the absolute error may differ from number to number.
        absolute: Any = tolerance * sizes
        solver = DOP853(
            lambda _, y: cell.velocity(y),
            t,
            theta,
            end,
            first_step=first_step,
            rtol=tolerance,
            atol=absolute,
        )
        speed = cell.velocity(theta)
        leaving = None
        start = t
        while leaving is None and t < end and path.outcome == "finished":
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                solver.step()
            short = short + 1 if solver.step_size and solver.step_size < HOPELESS * end else 0
            if solver.status == "failed" or short > HOPELESS_STEPS:
                path.outcome = "stalled"
                break
            before, theta = theta, cell.stay(solver.y.copy())
            if not np.all(np.abs(theta) < DIVERGED):
                path.outcome, theta = "diverged", before
                break
            old, old_speed, speed = t, speed, cell.velocity(theta)
            leaving = _leaving(cell, solver, old, before, old_speed, theta, speed)
            t = float(solver.t)
            if leaving is not None:
                t = leaving.time
                theta = before if t == old else cell.stay(_at(solver, t))
            while following < len(times) and times[following] <= t and path.outcome == "finished":
                at = float(times[following])
                state = theta if at == t else cell.stay(_at(solver, at))
                path.times.append(at)
                path.states.append(state)
                path.outcome = watch(at, state, cell.velocity(state)) or "finished"
                following += 1
                if path.outcome != "finished":
                    t, theta, leaving = at, state, None
            balance.look(theta)
            first_step = solver.step_size
        if leaving is not None:
            theta = _pass(cell, theta, leaving, path)
            waiting = 0 if t - start > PROGRESS * t else waiting + 1
            if waiting > PATIENCE * (cell.width + 1):
                path.outcome = "stalled"
            first_step = min(first_step, end - t) if first_step and end > t else None
    if path.times[-1] < t:
        path.times.append(t)
        path.states.append(theta)
    path.drift = balance.drift
    path.speed = float(np.linalg.norm(cell.velocity(theta)))
    return path


class _Balance:
    """How far `w^2 + b^2 - v^2`, which the flow conserves, has drifted."""

    def __init__(self, width: int, theta: Floats) -> None:
        self.width, self.drift = width, 0.0
        self.start, self.size = self._of(theta)

    def _of(self, theta: Floats) -> tuple[Floats, Floats]:
        w, b, v = theta[: 3 * self.width].reshape(3, self.width) ** 2
        return w + b - v, w + b + v

    def look(self, theta: Floats) -> None:
        if not self.width:
            return
        now, size = self._of(theta)
        self.size = np.maximum(self.size, size)
        share = np.abs(now - self.start) / np.where(self.size > 0.0, self.size, 1.0)
        self.drift = max(self.drift, float(share.max()))


def _at(solver: Any, time: float) -> Floats:  # noqa: ANN401
    return np.array(solver.dense_output()(time), dtype=np.float64)


def _pass(cell: Cell, theta: Floats, leaving: _Exit, path: Path) -> Floats:
    """Go over into the next cell."""
    if leaving.which == "meeting":
        cell.swap(leaving.neuron)
        return theta
    if leaving.which == "guard":
        theta, event = cell.cross(theta, leaving.time, leaving.neuron, leaving.side)
    else:
        theta, event = cell.release(theta, leaving.time, leaving.neuron, leaving.side == 1)
    path.events.append(event)
    return theta


def _leaving(
    cell: Cell,
    solver: Any,  # noqa: ANN401
    old: float,
    before: Floats,
    old_speed: Floats,
    theta: Floats,
    speed: Floats,
) -> _Exit | None:
    """Return the first guard that fails in the step just made, if one does."""
    from scipy.optimize import brentq

    width = cell.width
    ww, bb = slice(width), slice(width, 2 * width)
    step = float(solver.t) - old
    slack = ROUNDING * (cell.reach * np.abs(theta[ww]) + np.abs(cell.by_b * theta[bb]))
    last = cell.guards(theta[ww], theta[bb])
    inside = np.tensordot(
        HERMITE,
        np.stack(
            [
                cell.guards(before[ww], before[bb]),
                cell.guards(old_speed[ww], old_speed[bb]) * step,
                last,
                cell.guards(speed[ww], speed[bb]) * step,
            ]
        ),
        axes=(0, 0),
    )
    failing = (last < -slack) | (inside < -slack).any(axis=0)
    found: list[tuple[Which, int, int]] = [
        ("guard", int(j), int(side)) for side, j in np.argwhere(failing)
    ]
    for j in np.flatnonzero(cell.datum >= 0):
        # `push` is that of the last velocity computed, the one at the end of the step.
        for side in (0, 1):
            if _slides_off(cell, int(j), side):
                found.append(("push", int(j), side))
    if not cell.atomic and len(cell.order) > 1:
        t = cell.breakpoints(theta)
        close = MEETING * (cell.places[-1] - cell.places[0])
        found.extend(("meeting", int(i), 0) for i in np.flatnonzero(np.diff(t) < -close))
    if not found:
        return None
    dense = solver.dense_output()
    times = np.array([old, *(old + share * step for share in SHARES)])
    states = np.column_stack([before, dense(times[1:])])

    def value(time: float, which: Which, j: int, side: int) -> float:
        return float(_guard(cell, which, j, side, np.asarray(dense(time))[:, np.newaxis])[0][0])

    exits: list[_Exit] = []
    for which, j, side in found:
        values, slack = _guard(cell, which, j, side, states)
        bad = np.flatnonzero(values < -slack)
        if not len(bad):
            continue
        good = np.flatnonzero(values[: bad[0]] > 0.0)
        time = old
        if len(good):
            bracket = float(times[good[-1]]), float(times[bad[0]])
            time = float(brentq(value, *bracket, (which, j, side), xtol=1e-300, rtol=1e-14))
        exits.append(_Exit(time, which, j, side))
    return min(exits, key=lambda found: found.time) if exits else None


def _slides_off(cell: Cell, j: int, side: int) -> bool:
    push = cell.push[j]
    toward = push[0] if side == 0 else -push[1]
    return bool(toward < -PUSH_ROUNDING * (abs(push[0]) + abs(push[1])))


def _guard(cell: Cell, which: Which, j: int, side: int, states: Floats) -> tuple[Floats, Floats]:
    """Return one guard at states (parameters, m), and how far below zero it may be by rounding."""
    if which == "guard":
        by_w = cell.by_w[side, j] * states[j]
        by_b = cell.by_b[side, j] * states[cell.width + j]
        return by_w + by_b, ROUNDING * (cell.reach * np.abs(states[j]) + np.abs(by_b))
    if which == "meeting":
        first, second = cell.order[[j, j + 1]]
        gap = states[cell.width + first] / states[first]
        gap -= states[cell.width + second] / states[second]
        return gap, np.full_like(gap, MEETING * (cell.places[-1] - cell.places[0]))
    pushes = np.empty((2, states.shape[1]))
    for i in range(states.shape[1]):
        cell.velocity(states[:, i])
        pushes[:, i] = cell.push[j]
    size = PUSH_ROUNDING * np.abs(pushes).sum(axis=0)
    return pushes[0] if side == 0 else -pushes[1], size
