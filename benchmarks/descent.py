"""Gradient-descent network-steps per second, one network and 1,000, ours and every variant."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from benchmarks.cells import Cells, say
from benchmarks.data import case
from benchmarks.descent_peers import CHECK_STEPS, STEP_SIZE, WIDTH, plain, starts
from benchmarks.workers import Failed, TimedOut, Worker

LIBRARIES = ("numpy", "torch", "jax")
OURS = "reluscape"
REPEATS = 5


@dataclass(frozen=True)
class Plan:
    """What to run: each timing lasts about ``seconds``, no call longer than ``longest``."""

    libraries: tuple[str, ...] = (OURS, *LIBRARIES)
    networks: tuple[int, ...] = (1, 1_000)
    rows: tuple[int, ...] = (1_000, 100_000, 1_000_000)
    seconds: float = 1.0
    longest: float = 12.0
    limit: float = 900.0


QUICK = Plan(networks=(1, 100), rows=(1_000,), seconds=0.2, longest=2.0)


def key(library: str, name: str, networks: int, n: int) -> str:
    """Return the name of a cell."""
    return f"{library} | {name} | {networks} | {n}"


def measure(cells: Cells, plan: Plan) -> None:
    """Run every cell of the plan that is not stored yet."""
    for library in plan.libraries:
        with Worker() as worker:
            for n in plan.rows:
                for networks in plan.networks:
                    for name in _names(worker, library, networks, n, plan.limit):
                        where = key(library, name, networks, n)
                        if cells.get(where) is None:
                            cell = cells.put(where, _cell(worker, plan, library, name, networks, n))
                            say(f"descent: {where}: {_summary(cell)}")


def _names(worker: Worker, library: str, networks: int, n: int, limit: float) -> list[str]:
    if library == OURS:
        return ["moments"]
    size = {"library": library, "networks": networks, "n": n}
    try:
        return list(worker.call("benchmarks.descent_peers", "names", limit, **size))
    except (Failed, TimedOut) as error:
        say(f"descent: {library} left out: {error}")
        return []


def _cell(
    worker: Worker, plan: Plan, library: str, name: str, networks: int, n: int
) -> dict[str, Any]:
    size = {"networks": networks, "n": n, "seconds": plan.seconds}
    try:
        if library == OURS:
            return worker.call("benchmarks.descent", "ours", plan.limit, **size)
        arguments = size | {"library": library, "name": name, "longest": plan.longest}
        return worker.call("benchmarks.descent_peers", "measure", plan.limit, **arguments)
    except (Failed, TimedOut) as error:
        return {"rate": None, "failure": str(error)}


def _summary(cell: dict[str, Any]) -> str:
    if cell["rate"] is None:
        return cell["failure"]
    return f"{cell['rate']:.4g} network-steps/s, off by {cell['disagreement']:.1e}"


@lru_cache(maxsize=1)
def _problem(n: int) -> Any:
    import reluscape as rs

    return rs.Samples(*case("sine", n))


def ours(networks: int, n: int, seconds: float) -> dict[str, Any]:
    """Return network-steps per second of reluscape, the median of some warm repeats.

    Everything that the call does counts: drawing the starts, the final risks, the ``Network``
    objects. Building ``Samples`` does not, as the peers' arrays are not counted either.
    """
    _run_ours(networks, n, 2, 0)
    steps = 10
    while (took := _run_ours(networks, n, steps, 0)) < 0.3 * seconds:
        steps = max(steps + 1, min(20 * steps, int(steps * seconds / took)))
    steps = max(1, round(steps * seconds / took))
    times = sorted(_run_ours(networks, n, steps, seed) for seed in range(REPEATS))
    return {
        "kind": "moments",
        "rate": networks * steps / times[len(times) // 2],
        "slowest_rate": networks * steps / times[-1],
        "block": [networks, n],
        "networks_run": networks,
        "steps": steps,
        "disagreement": _disagreement(networks, n),
    }


def _run_ours(networks: int, n: int, steps: int, seed: int) -> float:
    import reluscape as rs

    problem = _problem(n)
    if networks == 1:
        net = rs.Network.from_vector(starts(1 + seed)[-1])
        begin = time.perf_counter()
        rs.descend(problem, net, step_size=STEP_SIZE, steps=steps)
    else:
        begin = time.perf_counter()
        rs.multistart(problem, WIDTH, starts=networks, step_size=STEP_SIZE, steps=steps, seed=seed)
    return time.perf_counter() - begin


def _disagreement(networks: int, n: int) -> float:
    """Return the largest relative distance from the plain loop after a few steps."""
    import reluscape as rs

    problem, (x, y) = _problem(n), case("sine", n)
    worst = 0.0
    for row in starts(networks)[: min(networks, max(2, 5_000_000 // n))]:
        expected = plain(row[None], x, y, STEP_SIZE, CHECK_STEPS)[0]
        net = rs.Network.from_vector(row)
        run = rs.descend(problem, net, step_size=STEP_SIZE, steps=CHECK_STEPS)
        distance = np.abs(run.network.to_vector() - expected).max() / np.abs(expected).max()
        worst = max(worst, float(distance))
    if networks > 1:
        worst = max(worst, _multistart_disagreement(networks, n))
    return worst


def _multistart_disagreement(networks: int, n: int) -> float:
    """Return how far ``multistart`` is from the plain loop run from the starts that it drew."""
    import reluscape as rs

    problem, (x, y) = _problem(n), case("sine", n)
    options = {"starts": networks, "step_size": STEP_SIZE, "seed": 0}
    drawn = rs.multistart(problem, WIDTH, steps=0, **options).networks
    moved = rs.multistart(problem, WIDTH, steps=CHECK_STEPS, **options).networks
    worst = 0.0
    for which in range(min(networks, max(2, 5_000_000 // n))):
        row = drawn[which].to_vector()
        expected = plain(row[None], x, y, STEP_SIZE, CHECK_STEPS)[0]
        got = moved[which].to_vector()
        worst = max(worst, float(np.abs(got - expected).max() / np.abs(expected).max()))
    return worst
