"""The chunks of a study one after the other, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from reluscape.studies.progress import Pace
from reluscape.studies.work import Deliver, Wanted, Work, perform


def run_inline(
    work: Work,
    indices: Sequence[int],
    deliver: Deliver,
    pace: Pace,
    wanted: Wanted,
) -> float:
    """Compute chunks in this process; nothing to warm up, the first chunk compiles.

    Parameters
    ----------
    work : Work
    indices : sequence of int
    deliver, wanted : callable
        See `reluscape.studies.engine.run_chunks`.
    pace : Pace

    Returns
    -------
    float
        Seconds of processor.
    """
    from threadpoolctl import threadpool_limits

    # It brings its own BLAS, and only what is loaded can be held to one thread.
    import_module("scipy.linalg")
    seconds = 0.0
    # As in the other engines, so that sums are cut in the same places.
    with threadpool_limits(limits=1):
        for index in indices:
            if not wanted(index):
                pace.skipped(index)
                continue
            done = perform(work, index)
            seconds += done.seconds
            deliver(index, done.table)
            pace.done(index)
    return seconds
