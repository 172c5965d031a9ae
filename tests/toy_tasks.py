"""Small tasks for the engines: their rows depend on description and index, and on nothing else."""

from __future__ import annotations

import errno
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa


def rows(description, index, *, device="cpu"):
    """Return a few random rows, after the time that the description asks for."""
    time.sleep(description.get("sleep", 0.0))
    rng = np.random.default_rng((description.get("seed", 0), index))
    many = description.get("rows", 5)
    values = rng.normal(size=many)
    values[0] = np.nan
    lists = pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=3 * many)), 3)
    return pa.table(
        {"start": pa.array(np.arange(many)), "risk": pa.array(values), "records": lists},
        metadata={b"chunk": str(index).encode()},
    )


def busy(description, index, *, device="cpu"):
    """Use the processor for a while instead of sleeping, in another thread, as kernels do."""

    def work() -> None:
        until = time.thread_time() + description["seconds"]
        while time.thread_time() < until:
            np.sqrt(np.arange(2000.0)).sum()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
    return rows({**description, "sleep": 0.0}, index, device=device)


def deadly(description, index, *, device="cpu"):
    """End the process in one chunk: always, or only the first time when a folder is given."""
    if index == description["deadly"]:
        once = description.get("once")
        if once is None or not Path(once).exists():
            if once is not None:
                Path(once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return rows(description, index, device=device)


def noisy(description, index, *, device="cpu"):
    """Print in the middle of the work."""
    os.write(1, b"a library says hello\n")
    return rows(description, index, device=device)


def wrong(description, index, *, device="cpu"):
    """Fail as a bug does, or as bad input does, or for want of memory."""
    if index == 2:
        if description["kind"] == "input":
            from reluscape.errors import InputError

            raise InputError("the width is odd; give an even one.")
        if description["kind"] == "memory":
            raise MemoryError
        if description["kind"] == "disk":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise ZeroDivisionError("a bug")
    return rows(description, index, device=device)


def warm(description, *, device="cpu"):
    """Leave a file that tells who warmed up, and that nobody had begun before."""
    time.sleep(0.3)
    Path(description["folder"], f"warm-{os.getpid()}").touch()


def after_warmth(description, index, *, device="cpu"):
    """Refuse to run before the warm-up."""
    if not list(Path(description["folder"]).glob("warm-*")):
        raise ValueError("begun before the warm-up")
    return rows(description, index, device=device)
