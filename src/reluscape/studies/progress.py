"""How far a study is: rate and time left, on a terminal, in a notebook, in a log."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO, cast

if TYPE_CHECKING:
    import rich.progress

Progress = Callable[[str, float], object]

# Rate and time left speak of this many seconds back: a machine may be busier than before.
WINDOW = 120.0
# Drawing more often than this costs more than anyone sees.
_BETWEEN = 0.1
# In a log: a line every so many seconds.
LOG_EVERY = 30.0


class Pace:
    """Counts chunks, and tells a callable how many are done, how fast, and the time left.

    Parameters
    ----------
    indices : sequence of int
        Of the chunks to do.
    weights : sequence of float, optional
        Expected seconds of each; all the same by default.
    network_steps : sequence of float, optional
        Of each; without them no rate is told.
    progress : callable, optional
        Called as `progress(message, fraction)`; notes go to its method `note` if it is a `Bar`.
    clock : callable
        Seconds that only grow.

    Examples
    --------
    >>> times = iter([0.0, 2.0, 4.0])
    >>> pace = Pace([7, 8, 9], None, [1e6] * 3, lambda *told: print(*told), lambda: next(times))
    >>> pace.done(8)
    1 of 3 chunks, 500 thousand network-steps/s, 4 s left 0.333...
    """

    def __init__(
        self,
        indices: Sequence[int],
        weights: Sequence[float] | None = None,
        network_steps: Sequence[float] | None = None,
        progress: Progress | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._weights = dict(zip(indices, weights or [1.0] * len(indices), strict=True))
        self._steps = dict(zip(indices, network_steps or [0.0] * len(indices), strict=True))
        self._total = max(sum(self._weights.values()), sys.float_info.min)
        self._chunks = len(indices)
        self._progress, self._clock = progress, clock
        self._count, self._gone, self._worked, self._made = 0, 0.0, 0.0, 0.0
        # Moment, weight done by work and network-steps done, of the last chunks.
        self._last = deque([(clock(), 0.0, 0.0)])
        self._told = -_BETWEEN

    @property
    def fraction(self) -> float:
        """Share of the work that is done."""
        return min(self._gone / self._total, 1.0)

    def done(self, index: int) -> None:
        """Count a chunk that was computed."""
        self._worked += self._weights[index]
        self._made += self._steps[index]
        self._count_out(index, self._clock())

    def skipped(self, index: int) -> None:
        """Count a chunk that somebody else has computed: it tells nothing of our speed."""
        self._count_out(index, self._clock())

    def note(self, text: str) -> None:
        """Tell what a user should see once."""
        if isinstance(self._progress, Bar):
            self._progress.note(text)
        elif self._progress is not None:
            self._progress(text, self.fraction)

    def _count_out(self, index: int, now: float) -> None:
        self._count += 1
        self._gone += self._weights[index]
        self._last.append((now, self._worked, self._made))
        while len(self._last) > 2 and now - self._last[1][0] >= WINDOW:
            self._last.popleft()
        last = self._count == self._chunks
        if self._progress is not None and (last or now - self._told >= _BETWEEN):
            self._told = now
            self._progress(self._message(now), 1.0 if last else self.fraction)

    def _message(self, now: float) -> str:
        begun, worked, made = self._last[0]
        seconds = now - begun
        parts = [f"{self._count:,} of {self._chunks:,} chunks"]
        if seconds > 0.0 and self._made > made:
            parts.append(f"{say_number((self._made - made) / seconds)} network-steps/s")
        if self._worked > worked and self._count < self._chunks:
            left = (self._total - self._gone) * seconds / (self._worked - worked)
            parts.append(f"{say_duration(left)} left")
        return ", ".join(parts)


def say_number(value: float) -> str:
    """Return a number as one reads it aloud, with three digits.

    Examples
    --------
    >>> say_number(12_345_678.0), say_number(999.6)
    ('12.3 million', '1,000')
    """
    for size, word in ((1e9, " billion"), (1e6, " million"), (1e4, " thousand")):
        if value >= size:
            unit = 1e3 if size == 1e4 else size
            return f"{value / unit:.3g}{word}"
    return f"{value:,.0f}"


def say_duration(seconds: float) -> str:
    """Return a time in the unit that one would use.

    Examples
    --------
    >>> say_duration(42.4), say_duration(400.0), say_duration(9000.0), say_duration(2e5)
    ('42 s', '7 min', '2.5 h', '2.3 days')
    """
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


class Bar:
    """Shows progress where the user looks: a bar on a terminal, one line in a notebook or a log.

    Call it as `bar(message, fraction)`; `bar.note(text)` leaves a line that stays.

    Parameters
    ----------
    stream : text file, optional
        Instead of standard error.

    Examples
    --------
    >>> import io
    >>> with Bar(log := io.StringIO()) as bar:
    ...     bar.note("dashboard: http://127.0.0.1:8787/status")
    ...     bar("1 of 3 chunks", 0.33)
    >>> print(log.getvalue(), end="")
    dashboard: http://127.0.0.1:8787/status
     33 %  1 of 3 chunks
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._line = None if stream is not None else _notebook_line()
        self._bar: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None
        self._logged = -LOG_EVERY

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def __call__(self, message: str, fraction: float) -> None:
        """Show how far the work is."""
        text = f"{100 * fraction:3.0f} %  {message}"
        if self._line is not None:
            self._line(text)
        elif self._stream.isatty():
            self._draw(message, fraction)
        elif time.monotonic() - self._logged >= LOG_EVERY or fraction >= 1.0:
            self._logged = time.monotonic()
            self._write(text)

    def note(self, text: str) -> None:
        """Leave a line that stays."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            self._write(text)

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def _draw(self, message: str, fraction: float) -> None:
        if self._bar is None:
            from rich import progress
            from rich.console import Console

            self._bar = progress.Progress(
                progress.BarColumn(),
                progress.TaskProgressColumn(),
                # Names of chunks and addresses are no markup.
                progress.TextColumn("{task.description}", markup=False),
                console=Console(file=self._stream),
                transient=True,
            )
            self._task = self._bar.add_task("", total=1.0)
            self._bar.start()
        if self._task is not None:
            self._bar.update(self._task, description=message, completed=fraction)


@contextmanager
def showing(progress: Progress | bool | None) -> Generator[Progress | None]:
    """Make the callable that a user's `progress` asks for.

    Parameters
    ----------
    progress : callable, bool or None
        True for a `Bar`, which ends with the block; None for one where somebody looks, on a
        terminal or in a notebook; False for silence.

    Yields
    ------
    callable or None

    Examples
    --------
    >>> with showing(None) as progress:
    ...     progress is None
    True
    """
    if progress is True or (progress is None and _watched()):
        with Bar() as bar:
            yield bar
    elif isinstance(progress, bool):
        yield None
    else:
        yield progress


def _watched() -> bool:
    return sys.stderr.isatty() or _notebook_line() is not None


class _Shown(Protocol):
    def update(self, text: object, *, raw: bool) -> None:
        """Show other text in the same place."""
        ...


def _notebook_line() -> Callable[[str], None] | None:
    """Return what shows a line in the notebook that runs us, or None outside of notebooks."""
    if "IPython" not in sys.modules:
        return None
    module = import_module("IPython")
    shell = cast("Callable[[], object]", vars(module)["get_ipython"])()
    # A terminal's shell draws bars as any terminal does.
    if shell is None or type(shell).__name__ == "TerminalInteractiveShell":
        return None
    display = cast("Callable[..., _Shown]", vars(import_module("IPython.display"))["display"])
    shown: list[_Shown] = []

    def line(text: str) -> None:
        bundle = {"text/plain": text}
        if shown:
            shown[0].update(bundle, raw=True)
        else:
            shown.append(display(bundle, raw=True, display_id=True))

    return line
