"""Fit time and sum of squares: every method, case, size, number of kinks, ten seeds each."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.cells import Cell, Cells, say
from benchmarks.data import CASES, KNOTS, sizes
from benchmarks.fit_peers import PEERS
from benchmarks.workers import Failed, TimedOut, Worker

OURS = "reluscape"
WARM_LIMIT = 300.0
FEW_ROWS = 10_000


@dataclass(frozen=True)
class Plan:
    """What to run, and how long to wait for it.

    ``run_limit`` stops one fit; no new seed starts once a cell has used ``budget`` seconds,
    or ``thorough_budget`` up to ``thorough_rows`` rows. The page says how many seeds were run.
    """

    methods: tuple[str, ...] = (OURS, *PEERS)
    cases: tuple[str, ...] = CASES
    knots: tuple[int, ...] = KNOTS
    largest: int = 1_000_000
    seeds: int = 10
    run_limit: float = 20.0
    budget: float = 8.0
    thorough_budget: float = 40.0
    thorough_rows: int = 1_000


QUICK = Plan(knots=(1, 3), largest=1_000, seeds=2, run_limit=20.0, budget=10.0, thorough_rows=0)


def key(method: str, name: str, n: int, knots: int) -> str:
    """Return the name of a cell."""
    return f"{method} | {name} | {n} | {knots}"


def measure(cells: Cells, plan: Plan) -> None:
    """Run every cell of the plan that is not stored yet."""
    for method in plan.methods:
        for name in plan.cases:
            for some in (True, False):
                rows = [n for n in sizes(name) if n <= plan.largest and (n <= FEW_ROWS) == some]
                with Worker(_environment(method, few=some)) as worker:
                    _measure(cells, plan, worker, method, name, rows)


def _environment(method: str, *, few: bool) -> dict[str, str]:
    """Hold a peer's BLAS to one thread where its matrices are too small to gain from two."""
    single = few and method != OURS
    return {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"} if single else {}


def _measure(
    cells: Cells, plan: Plan, worker: Worker, method: str, name: str, rows: list[int]
) -> None:
    warm = False
    for n in rows:
        for knots in plan.knots:
            where = key(method, name, n, knots)
            if cells.get(where) is not None:
                continue
            if _implied(cells, plan, method, name, n, knots):
                cells.put(where, _empty(timed_out=True, implied=True))
                continue
            if not warm:
                worker.call("benchmarks.fit_peers", "warm_up", WARM_LIMIT, method=method)
            cell = _cell(worker, plan, method, name, n, knots)
            # A run that was stopped took its process along; the next one starts cold.
            warm = not cell["timed_out"]
            cells.put(where, cell)
            say(f"fit: {where}: {summary(cell)}")


def _cell(worker: Worker, plan: Plan, method: str, name: str, n: int, knots: int) -> Cell:
    cell = _empty()
    used = 0.0
    for seed in range(plan.seeds):
        if used >= (plan.thorough_budget if n <= plan.thorough_rows else plan.budget):
            break
        arguments = {"method": method, "name": name, "n": n, "knots": knots, "seed": seed}
        try:
            found = worker.call("benchmarks.fit_peers", "run", plan.run_limit, **arguments)
        except TimedOut:
            cell["timed_out"] = True
            break
        except Failed as error:
            cell["failures"].append(f"seed {seed}: {error}")
            continue
        used += found["seconds"]
        cell["seconds"].append(found["seconds"])
        if found["sse"] is None:
            cell["failures"].append(f"seed {seed}: returned no estimate")
        else:
            cell["sse"].append(found["sse"])
            cell["kinks"].append(found["kinks"])
    return cell


def _empty(*, timed_out: bool = False, implied: bool = False) -> Cell:
    return {
        "seconds": [],
        "sse": [],
        "kinks": [],
        "failures": [],
        "timed_out": timed_out,
        "implied": implied,
    }


def _implied(cells: Cells, plan: Plan, method: str, name: str, n: int, knots: int) -> bool:
    """Return whether fewer rows, or fewer kinks, took too long already."""
    for rows in sizes(name):
        for fewer in plan.knots:
            if rows > n or fewer > knots or (rows, fewer) == (n, knots):
                continue
            cell = cells.get(key(method, name, rows, fewer))
            if cell is not None and cell["timed_out"] and not cell["seconds"]:
                return True
    return False


def summary(cell: Cell) -> str:
    """Return a cell in a few words, for the progress lines."""
    if not cell["seconds"]:
        return "out of time" if cell["timed_out"] else "failed"
    least = f"least sum of squares {min(cell['sse']):.8g}" if cell["sse"] else "no estimate"
    late = ", then out of time" if cell["timed_out"] else ""
    failed = f", {len(cell['failures'])} failed" if cell["failures"] else ""
    seconds = sorted(cell["seconds"])[len(cell["seconds"]) // 2]
    return f"{len(cell['seconds'])} runs, median {seconds:.3g} s, {least}{failed}{late}"
