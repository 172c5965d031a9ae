"""The entry point: runs a command and turns whatever happens into an exit status.

0 is done, 1 is "no", 2 is a wrong call or wrong input; an interrupt is 130, as shells have it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

DEBUG = "RELUSCAPE_DEBUG"
_RARELY = 100_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``reluscape``; by default those of this process.

    Returns
    -------
    int
        The exit status.

    Examples
    --------
    >>> main(["--version"])
    reluscape 0.1.0
    0
    """
    signals = _Signals()
    thresholds = gc.get_threshold()
    try:
        # Imports make many objects and no garbage: looking for it less often saves a tenth.
        gc.set_threshold(_RARELY)
        with signals:
            status = _run(list(sys.argv[1:] if argv is None else argv) or ["--help"])
            sys.stdout.flush()
        # Typer may turn an interrupt into a status of its own.
        return signals.status or status
    except BaseException as error:  # noqa: BLE001
        # An interrupt in the middle of an import may surface as any exception, so ask it first.
        return signals.status or _explain(error)
    finally:
        gc.set_threshold(*thresholds)


def _run(argv: list[str]) -> int:
    from reluscape.cli.commands import dispatch
    from reluscape.errors import InputError

    try:
        with warnings.catch_warnings():
            if not os.environ.get(DEBUG):
                warnings.simplefilter("ignore")
            return dispatch(argv)
    except InputError as error:
        return _fail(str(error))
    except Exception as error:
        # Typer has its own copy of Click or not, depending on its version: ask, do not name.
        if not hasattr(error, "format_message"):
            raise
        return _fail(_usage(error))


def _usage(error: Any) -> str:  # noqa: ANN401
    """Say in one sentence what Click found wrong with a call."""
    command = error.ctx.command_path if getattr(error, "ctx", None) else "reluscape"
    message = str(error.format_message()).rstrip(".").replace("Value error, ", "")
    return f"{message[:1].lower()}{message[1:]}; '{command} --help' tells more."


def _explain(error: BaseException) -> int:
    """Say in one sentence what went wrong, and return the exit status."""
    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
        # Whoever read our output has seen enough, and Python must not flush the rest at exit.
        _silence()
        return 0
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 2
    if os.environ.get(DEBUG):
        raise error
    if isinstance(error, MemoryError):
        return _fail("there is not enough memory for these data; give fewer rows or columns.")
    if isinstance(error, OSError):
        _silence()
        place = error.filename or "the result"
        return _fail(
            f"cannot read or write {place} ({error.strerror or error}); make that possible."
        )
    return _fail(
        f"something unforeseen went wrong ({type(error).__name__}: {error}); please report it, "
        f"with what {DEBUG}=1 in the environment makes it print."
    )


def _fail(message: str) -> int:
    sys.stderr.write(f"reluscape: {message}\n")
    return 2


def _silence() -> None:
    """Drop what is still to be written to standard output."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Signals:
    """Ctrl-C and termination, as exceptions that let unfinished files be removed."""

    def __init__(self) -> None:
        self.status = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            # Whoever started us in the background may want a signal ignored; threads have none.
            if signal.getsignal(number) is not signal.SIG_IGN:
                with suppress(ValueError):
                    self._before[number] = signal.signal(number, self._raise)

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.status = 128 + number
        raise KeyboardInterrupt
