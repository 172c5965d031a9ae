"""``reluscape trap``: make a target with a continuum of bad local minima, and show it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reluscape.cli.delivery import File, deliver, figure_file, network_files
from reluscape.cli.folders import check_folder
from reluscape.cli.outputs import check_outputs
from reluscape.cli.printing import Table
from reluscape.cli.progress import announcing_compilation
from reluscape.cli.subjects import read_ends
from reluscape.errors import InputError
from reluscape.report.numbers import number, position

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    check_outputs("-", plot=request.plot)
    check_folder(request.save_dir)
    with announcing_compilation(fitting=False):
        result = _make(request, a, b)
    deliver(
        request.words,
        request.as_json,
        _files(request, result),
        lambda: _shown(request, result),
        lambda: _values(request, result),
    )
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


def _files(request: Request, result: Result) -> list[File]:
    def draw() -> Figure:
        from reluscape.report.trap_plot import plot_trap

        return plot_trap(result.trap, result.places, width=request.width)

    named = [(f"member-{i:02d}", net) for i, net in enumerate(result.members, 1)]
    named.append(("better", result.trap.better))
    return figure_file(request.plot, draw) + network_files(request.save_dir, named)


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


def _values(request: Request, result: Result) -> dict[str, object]:
    from reluscape.landscape.trap_target import TrapTarget
    from reluscape.report.values import network_values

    trap, problem = result.trap, result.trap.problem
    target = problem.target
    formula = target.formula() if isinstance(target, TrapTarget) else None
    return {
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
    }
