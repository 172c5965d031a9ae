"""What the numbers were measured on: the machine and the versions."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = (
    "reluscape",
    "numpy",
    "scipy",
    "numba",
    "torch",
    "jax",
    "pwlf",
    "piecewise-regression",
)
THREADS = 2


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                wide = " ".join(
                    feature
                    for feature in ("avx2", "avx512f")
                    if f" {feature} " in info.read_text(encoding="utf-8")
                )
                return f"{name} ({wide})" if wide else name
    return platform.processor() or platform.machine()


def _memory_gib() -> int:
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError):
        return 0
    return round(pages * size / 2**30)


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"


@cache
def describe() -> dict[str, str]:
    """Return processor, cores, memory, system and the version of every library."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "threads used": str(THREADS),
        "memory": f"{_memory_gib()} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    } | {library: _version(library) for library in LIBRARIES}


def two_cores() -> None:
    """Keep this process on two cores, where the system allows it.

    Must run before a library starts its threads; the environment variables say the same to
    BLAS, OpenMP and Numba.
    """
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))[:THREADS]
        os.sched_setaffinity(0, cores)


def thread_environment() -> dict[str, str]:
    """Return the environment that holds every library to two threads."""
    return {
        "OMP_NUM_THREADS": str(THREADS),
        "OPENBLAS_NUM_THREADS": str(THREADS),
        "MKL_NUM_THREADS": str(THREADS),
        "NUMBA_NUM_THREADS": str(THREADS),
    }
