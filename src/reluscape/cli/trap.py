"""``reluscape trap``: make a target with a continuum of bad local minima, and show it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reluscape._version import __version__
from reluscape.cli.folders import check_folder, save_networks
from reluscape.cli.outputs import check_outputs
from reluscape.cli.printing import Table, print_document, print_tables
from reluscape.cli.progress import announcing_compilation, tell
from reluscape.cli.subjects import read_ends
from reluscape.errors import FileError, InputError
from reluscape.report.numbers import number, position

if TYPE_CHECKING:
    from reluscape.landscape.trap import Trap
    from reluscape.networks.network import Network

MOST_MEMBERS = 1_000
MOST_NEURONS = 1_000


@dataclass(frozen=True)
class Request:
    """What was asked for, one field an option; `words` is the command itself."""

    words: Sequence[str]
    interval: tuple[str, str]
    gap: float
    width: int
    members: int
    plot: Path | None
    save_dir: Path | None
    as_json: bool


@dataclass(frozen=True)
class Result:
    """A trap and members of its family, with the t of each."""

    trap: Trap
    places: Sequence[float]
    members: Sequence[Network]


def run(request: Request) -> int:
    """Make a trap and show it.

    Parameters
    ----------
    request : Request

    Returns
    -------
    int
        The exit status: 0.

    Raises
    ------
    InputError
        When the call or an output path is wrong.
    """
    a, b = read_ends(request.interval)
    _check_options(request)
    outputs = check_outputs("-", plot=request.plot)
    check_folder(request.save_dir)
    with announcing_compilation(fitting=False):
        result = _make(request, a, b)
    files, lost = _write(request, result)
    if request.as_json:
        print_document(_values(request, result, files))
    else:
        print_tables(*_shown(request, result))
    if lost is not None:
        raise lost
    for path in outputs.paths.values():
        tell(f"reluscape: wrote {path}")
    if request.save_dir:
        tell(f"reluscape: wrote {len(result.members) + 1} networks into {request.save_dir}")
    return 0


def _check_options(request: Request) -> None:
    """Refuse what can be refused before any work."""
    if not 0 < request.gap < math.inf:
        raise InputError(f"--gap is {request.gap:g}; give a finite number above 0, like 1.")
    if not 2 <= request.width <= MOST_NEURONS:
        raise InputError(
            f"--width is {request.width}; give 2 to {MOST_NEURONS}: one neuron is not trapped."
        )
    if not 1 <= request.members <= MOST_MEMBERS:
        raise InputError(f"--members is {request.members}; give 1 to {MOST_MEMBERS}.")


def _make(request: Request, a: float, b: float) -> Result:
    import reluscape

    trap = reluscape.trap(a, b, request.gap)
    low, high = trap.range
    # Strictly between the ends, which do not belong to the family.
    places = [low + (high - low) * i / (request.members + 1) for i in range(1, request.members + 1)]
    return Result(trap, places, [trap.member(t, request.width) for t in places])


def _write(request: Request, result: Result) -> tuple[dict[str, object], FileError | None]:
    """Write the files; return their names, and what went wrong instead of raising it."""
    files: dict[str, object] = {}
    try:
        if request.plot:
            from reluscape.report.plots import save_figure
            from reluscape.report.trap_plot import plot_trap

            figure = plot_trap(result.trap, result.places, width=request.width)
            save_figure(figure, request.plot)
            files["plot"] = str(request.plot)
        if request.save_dir:
            named = [(f"member-{i:02d}", net) for i, net in enumerate(result.members, 1)]
            named.append(("better", result.trap.better))
            files["networks"] = [str(p) for p in save_networks(request.save_dir, named)]
    except FileError as lost:
        return files, lost
    except OSError as error:
        return files, FileError(
            f"cannot write {error.filename} ({error.strerror}); make room for it."
        )
    return files, None


def _shown(request: Request, result: Result) -> tuple[list[str], list[Table], list[str]]:
    trap, problem = result.trap, result.trap.problem
    low, high = trap.range
    span = problem.b - problem.a
    heading = [
        f"A target on [{problem.a:g}, {problem.b:g}] with local minima that form a continuum: one "
        f"for each t between {position(low, span)} and {position(high, span)}",
        f"risk {number(trap.risk, 7)} each, at least {number(trap.gap, 5)} above the least risk "
        f"of networks of any width from {trap.better.width} on (asked for: "
        f"{number(trap.requested, 5)})",
    ]
    rows = [
        [f"member {i}", position(t, span), number(problem.risk(net), 10)]
        for i, (t, net) in enumerate(zip(result.places, result.members, strict=True), 1)
    ]
    better = trap.better
    rows.append([f"better, {better.width} neurons", "", number(problem.risk(better), 10)])
    remark = f"Members have {request.width} neurons: one bends at t, the others are inactive."
    return heading, [Table(["network", "t", "risk"], rows)], [remark]


def _values(request: Request, result: Result, files: Mapping[str, object]) -> dict[str, object]:
    from reluscape.landscape.trap_target import TrapTarget
    from reluscape.report.values import network_values, plain

    trap, problem = result.trap, result.trap.problem
    target = problem.target
    formula = target.formula() if isinstance(target, TrapTarget) else None
    return plain(
        {
            "reluscape": __version__,
            "command": shlex.join(request.words),
            "interval": [problem.a, problem.b],
            "target": formula,
            "width": request.width,
            "risk": trap.risk,
            "gap": trap.gap,
            "requested": trap.requested,
            "range": list(trap.range),
            "members": [
                {"t": t, "risk": problem.risk(net), "network": network_values(net)}
                for t, net in zip(result.places, result.members, strict=True)
            ],
            "better": {"risk": problem.risk(trap.better), "network": network_values(trap.better)},
            "files": dict(files),
        }
    )
