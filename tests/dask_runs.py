"""A Dask scheduler and workers in processes of their own, as `docs/cluster.md` starts them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil

from fault_runs import environment, free_port


@contextmanager
def scheduler_with(workers: int, folder: Path) -> Generator[str]:
    """Start a scheduler and workers; yield the address."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m"]
    here, quiet = ["--host", "127.0.0.1"], ["--no-dashboard"]
    commands = [
        [*dask, "distributed.cli.dask_scheduler", *here, "--port", str(port), *quiet],
        *[[*dask, "distributed.cli.dask_worker", address, "--nthreads", "1", *quiet]] * workers,
    ]
    log = (folder / "dask.log").open("ab")
    running = [
        subprocess.Popen(command, env=environment(), cwd=folder, stdout=log, stderr=log)
        for command in commands
    ]
    try:
        wait_for(address, workers)
        yield address
    finally:
        for process in running:
            # A nanny's worker goes with it.
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.wait()
        log.close()


def wait_for(address: str, workers: int) -> None:
    """Return when so many workers are there."""
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        if workers:
            client.wait_for_workers(workers, timeout=60)


FAKE_SBATCH = """#!/bin/sh
# Slurm keeps a copy of the script: dask-jobqueue deletes it.
cp "$1" "$FAKE_SLURM/job.$$"
setsid sh "$FAKE_SLURM/job.$$" > "$FAKE_SLURM/log.$$" 2>&1 < /dev/null &
echo $! > "$FAKE_SLURM/pid.$$"
echo "Submitted batch job $$"
"""
FAKE_SCANCEL = """#!/bin/sh
for job in "$@"; do
    kill -9 -- "-$(cat "$FAKE_SLURM/pid.$job")"
    touch "$FAKE_SLURM/ended.$job"
done
"""


def fake_slurm(folder: Path) -> dict[str, str]:
    """Write commands that do what `sbatch` and `scancel` do, on this machine.

    Returns
    -------
    dict
        The environment in which they are found.
    """
    for name, text in (("sbatch", FAKE_SBATCH), ("scancel", FAKE_SCANCEL)):
        path = folder / name
        path.write_text(text)
        path.chmod(0o755)
    where = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return environment() | {"PATH": where, "FAKE_SLURM": str(folder)}


def wait_until(happened, seconds: float = 30.0) -> bool:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if happened():
            return True
        time.sleep(0.05)
    return False
