"""What a user sees on standard error while waiting."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numba.core.event import Event
    from rich.progress import Progress, TaskID

_PATIENCE = 0.5


def tell(message: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


class Waiting:
    """A progress bar on standard error, for who looks at a terminal and has waited half a second.

    Call it with a message and a fraction between 0 and 1, as `reluscape.fit` does.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Waiting:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, message: str, fraction: float) -> None:
        """Show how far the work is."""
        if not sys.stderr.isatty() or time.monotonic() - self._began < _PATIENCE:
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("")
            self._bar.start()
        if self._task is not None:
            self._bar.update(self._task, description=message, completed=100 * fraction)


@contextmanager
def announcing_compilation(*, fitting: bool = True) -> Generator[None]:
    """Say so, once, when Numba compiles: the first run on a machine waits for it.

    Kernels that come ready from Numba's cache on the disk do not count. For fits, which need all
    kernels, a second process then compiles from the other end, see `reluscape.fits.warm`.
    """
    import subprocess

    from numba.core import event

    helpers: list[subprocess.Popen[bytes]] = []

    class Listener(event.Listener):
        """Tells of the first compilation and falls silent."""

        told = False

        def on_start(self, event: Event) -> None:
            """Tell, unless told."""
            del event
            if not self.told:
                self.told = True
                tell("reluscape: compiling for this machine, once; this takes some twenty seconds.")
                if not fitting:
                    return
                helpers.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "reluscape.fits.warm"],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                    )
                )

        def on_end(self, event: Event) -> None:
            """Do nothing."""
            del event

    untyped: Any = event
    try:
        with untyped.install_listener("numba:compile", Listener()):
            yield
    finally:
        for helper in helpers:
            helper.terminate()
            helper.wait()
