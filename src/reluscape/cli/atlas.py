"""``reluscape atlas``: list the critical points of a target on an interval, and draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reluscape.cli.activations import described, read_activation
from reluscape.cli.delivery import File, deliver, figure_file, network_files
from reluscape.cli.folders import check_folder
from reluscape.cli.listing import Atlas, list_critical_points
from reluscape.cli.outputs import check_outputs
from reluscape.cli.printing import Table
from reluscape.cli.progress import announcing_compilation
from reluscape.cli.subjects import Wanted, interval_subject, read_interval
from reluscape.errors import InputError
from reluscape.report.numbers import number, position

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from reluscape.networks.activations import Activation
    from reluscape.problems.interval import Interval

MOST_NEURONS = 1_000
# Longer lists of breakpoints are not for people.
MOST_PLACES = 8


@dataclass(frozen=True)
class Request:
    """What was asked for, one field an option; `words` is the command itself."""

    words: Sequence[str]
    wanted: Wanted
    width: int
    activation: str
    plot: Path | None
    save_dir: Path | None
    as_json: bool


def run(request: Request) -> int:
    """List critical points.

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
        When the call or an output path is wrong, or no list is known for such a problem.
    """
    activation = read_activation(request.activation)
    if not 1 <= request.width <= MOST_NEURONS:
        raise InputError(f"--width is {request.width}; give 1 to {MOST_NEURONS} neurons.")
    check_outputs("-", plot=request.plot)
    check_folder(request.save_dir)
    problem = read_interval(
        request.wanted.target or "", request.wanted.interval, request.wanted.density
    )
    with announcing_compilation(fitting=False):
        atlas = list_critical_points(problem, request.width, activation)
    deliver(
        request.words,
        request.as_json,
        _files(request, problem, atlas),
        lambda: _shown(request, problem, activation, atlas),
        lambda: _values(request, problem, activation, atlas),
    )
    return 0


def _files(request: Request, problem: Interval, atlas: Atlas) -> list[File]:
    def draw() -> Figure:
        from reluscape.report.atlas import plot_atlas

        return plot_atlas(problem, atlas.entries)

    named = [
        (f"{entry.number:02d}-{entry.kind.replace(' ', '-')}", entry.network)
        for entry in atlas.entries
    ]
    return figure_file(request.plot, draw) + network_files(request.save_dir, named)


def _shown(
    request: Request, problem: Interval, activation: Activation, atlas: Atlas
) -> tuple[list[str], list[Table], list[str]]:
    subject = interval_subject(problem, request.wanted)
    neurons = f"{request.width} neuron{'s' * (request.width != 1)}"
    kind = described(activation)
    rows = [
        [
            f"{e.number}",
            e.kind,
            e.family,
            number(e.risk, 7),
            _places(e.breakpoints, problem.b - problem.a),
        ]
        for e in atlas.entries
    ]
    table = Table(["", "kind", "family", "risk", "breakpoints"], rows, words=3)
    return [f"Critical points of {neurons} ({kind}) for {subject.title}"], [table], atlas.remarks


def _places(breakpoints: Sequence[float], span: float) -> str:
    """List breakpoints, finely where they are few."""
    if len(breakpoints) > MOST_PLACES:
        return f"{len(breakpoints)}, in --json"
    fine = span * (1e-3 if len(breakpoints) <= 2 else 1.0)
    return ", ".join(position(t, fine) for t in breakpoints)


def _values(
    request: Request,
    problem: Interval,
    activation: Activation,
    atlas: Atlas,
) -> dict[str, object]:
    from reluscape.report.values import network_values

    return {
        "problem": interval_subject(problem, request.wanted).values,
        "width": request.width,
        "activation": {"name": activation.name, "slope": activation.slope},
        "complete": atlas.complete,
        "remarks": atlas.remarks,
        "threshold": atlas.threshold,
        "critical_points": [
            {
                "number": entry.number,
                "kind": entry.kind,
                "family": entry.family,
                "risk": entry.risk,
                "breakpoints": entry.breakpoints,
                "enclosures": entry.enclosure,
                "network": network_values(entry.network),
            }
            for entry in atlas.entries
        ],
    }
