"""The chunks of a study on a graphics processor: as many of a cell at once as keep it busy."""

# PyArrow ships no types.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from reluscape.studies.plan import Plan
from reluscape.studies.progress import Pace
from reluscape.studies.tasks import run_together
from reluscape.studies.work import Deliver, Wanted

# A thread of the device takes a network: this many hide the time that memory takes.
RUNS = 131_072


def run_on_gpu(
    plan: Plan,
    indices: Sequence[int],
    deliver: Deliver,
    pace: Pace,
    wanted: Wanted,
) -> float:
    """Compute chunks on the device, from this process.

    Parameters
    ----------
    plan : Plan
    indices : sequence of int
    deliver, wanted : callable
        See `reluscape.studies.engine.run_chunks`.
    pace : Pace

    Returns
    -------
    float
        Seconds of processor.
    """
    begun = time.process_time()
    description = plan.study.describe()
    for group in groups(plan, indices):
        left = [index for index in group if wanted(index)]
        for index in set(group) - set(left):
            pace.skipped(index)
        if not left:
            continue
        for index, table in zip(left, run_together(description, left, device="cuda"), strict=True):
            deliver(index, table)
            pace.done(index)
    return time.process_time() - begun


def groups(plan: Plan, indices: Sequence[int]) -> Iterator[list[int]]:
    """Yield chunks of one cell together, up to `RUNS` runs.

    Parameters
    ----------
    plan : Plan
    indices : sequence of int

    Yields
    ------
    list of int

    Examples
    --------
    >>> from reluscape import Interval, Study, affine
    >>> study = Study({"x": Interval(affine(1, 0), 0, 1)}, [2, 4], 5000, [0.1], 20_000)
    >>> list(groups(study.plan, range(study.plan.chunks)))
    [[0, 1], [2, 3]]
    """
    group: list[int] = []
    cell, runs = -1, 0
    for index in sorted(indices):
        chunk = plan.chunk(index)
        if group and (chunk.cell != cell or runs + chunk.count > RUNS):
            yield group
            group, runs = [], 0
        group.append(index)
        cell, runs = chunk.cell, runs + chunk.count
    if group:
        yield group
