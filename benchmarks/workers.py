"""Run a function in a process of its own that can be stopped when its time is up."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import traceback
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.machine import thread_environment, two_cores

START_LIMIT = 300.0


class TimedOut(Exception):
    """A call took longer than its limit, and its process was stopped."""


class Failed(Exception):
    """A call raised; the message is the last line of its traceback."""


def _serve(pipe: Connection) -> None:
    two_cores()
    pipe.send("ready")
    while True:
        request = pipe.recv()
        if request is None:
            return
        module, function, arguments = request
        try:
            answer = getattr(importlib.import_module(module), function)(**arguments)
            pipe.send((True, answer))
        except Exception:  # noqa: BLE001 (whatever a peer raises is a result)
            pipe.send((False, traceback.format_exc().strip().splitlines()[-1]))


class Worker:
    """A process on two cores; ``call`` runs a function of a module in it."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        self.environment = thread_environment() | (environment or {})
        self.process: multiprocessing.process.BaseProcess | None = None
        self.pipe: Any = None

    def start(self) -> None:
        """Start the process, unless it runs."""
        if self.process is not None and self.process.is_alive():
            return
        before = {name: os.environ.get(name) for name in self.environment}
        os.environ.update(self.environment)
        try:
            context = multiprocessing.get_context("spawn")
            self.pipe, theirs = context.Pipe()
            self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self.process.start()
            theirs.close()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        if not self.pipe.poll(START_LIMIT):
            self.stop()
            raise TimedOut("the worker did not start")
        self.pipe.recv()

    def call(self, module: str, function: str, limit: float, **arguments: Any) -> Any:
        """Return what the function returns; raise ``TimedOut`` or ``Failed`` instead."""
        self.start()
        self.pipe.send((module, function, arguments))
        try:
            if not self.pipe.poll(limit):
                self.stop()
                raise TimedOut(f"over {limit:g} s")
            good, answer = self.pipe.recv()
        except (EOFError, ConnectionError) as error:
            self.stop()
            raise Failed("the process died, out of memory perhaps") from error
        if not good:
            raise Failed(answer)
        return answer

    def stop(self) -> None:
        """Stop the process, whatever it does."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.pipe.close()
            self.process = None

    def __enter__(self) -> Worker:
        """Return the worker itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the process."""
        self.stop()
