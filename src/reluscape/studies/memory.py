"""How much memory the results of a study take, and how much there is."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reluscape.errors import InputError
from reluscape.studies.plateaus import MOST_WATCHED

if TYPE_CHECKING:
    from reluscape.studies.study import Study

# Bytes of what each run has: five numbers of eight bytes, outcome, level and verdict.
_ALWAYS = 5 * 8 + 1 + 2 + 1
_NUMBER = 8
# What a process needs besides its results: compiled code, libraries, a chunk under way.
_BESIDES = 500_000_000


def bytes_of_run(study: Study, width: int) -> int:
    """Return what the results of one run take.

    Parameters
    ----------
    study : Study
    width : int
        To which parameters are padded.

    Returns
    -------
    int
    """
    numbers = len(study.recorded) + len(study.waited_for) + 2 * MOST_WATCHED
    if study.verdicts == "polished":
        numbers += 1
    if study.keep_networks:
        numbers += 3 * width + 1 + study.skip
    return _ALWAYS + _NUMBER * numbers


def bytes_of_study(study: Study) -> int:
    """Return what all results of a study take in memory.

    Parameters
    ----------
    study : Study

    Returns
    -------
    int
        Of the arrays of the Dataset; the largest that there can be.

    Examples
    --------
    >>> from reluscape import Interval, Study, affine
    >>> readable(bytes_of_study(Study({"x": Interval(affine(1, 0), 0, 1)}, [2], 10**6, [0.1], 9)))
    '188 MB'
    """
    return study.plan.runs * bytes_of_run(study, max(study.widths))


def require_memory(study: Study) -> None:
    """Refuse a study whose results do not fit into memory.

    Parameters
    ----------
    study : Study

    Raises
    ------
    InputError
        With what it needs and what there is.
    """
    needed, there = bytes_of_study(study) + _BESIDES, available()
    if there is not None and needed > there:
        raise InputError(
            f"the results of {study.plan.runs:,} runs need {readable(needed)} of memory, and "
            f"{readable(there)} are free; take fewer starts or records, leave out keep_networks, "
            "or split the study by seed."
        )


def available() -> int | None:
    """Return the memory that is free for this process, None if the system does not say.

    Returns
    -------
    int or None
        Bytes: what Linux calls available, within the limit of the process's control group.
    """
    found: list[int] = []
    with suppress(OSError, ValueError, StopIteration, IndexError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        found.append(int(line.split()[1]) * 1024)
    group = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
        # Files that the system has read ahead count as used, and make way when asked to.
        counts = (group / "memory.stat").read_text(encoding="ascii").split()
        used -= int(counts[counts.index("inactive_file") + 1])
        found.append(limit - used)
    if not found:
        # Not what is free, but what is built in: better than nothing.
        with suppress(OSError, ValueError, AttributeError):
            found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return max(min(found), 0) if found else None


def readable(size: int) -> str:
    """Write a number of bytes for people.

    Parameters
    ----------
    size : int

    Returns
    -------
    str

    Examples
    --------
    >>> readable(999), readable(1_234_567), readable(20 * 10**12)
    ('999 B', '1.23 MB', '20 TB')
    """
    value = float(size)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000.0:
            return f"{value:.3g} {unit}"
        value /= 1000.0
    return f"{value:.3g} PB"
