"""``reluscape atlas``: list the critical points of a target on an interval, and draw them."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reluscape._version import __version__
from reluscape.cli.folders import check_folder, save_networks
from reluscape.cli.listing import Atlas, list_critical_points
from reluscape.cli.outputs import check_outputs
from reluscape.cli.printing import Table, print_document, print_tables
from reluscape.cli.progress import announcing_compilation, tell
from reluscape.cli.subjects import Wanted, interval_subject, read_interval
from reluscape.errors import FileError, InputError
from reluscape.report.numbers import number, position

if TYPE_CHECKING:
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
    outputs = check_outputs("-", plot=request.plot)
    check_folder(request.save_dir)
    problem = read_interval(
        request.wanted.target or "", request.wanted.interval, request.wanted.density
    )
    with announcing_compilation(fitting=False):
        atlas = list_critical_points(problem, request.width, activation)
    files, lost = _write(request, problem, atlas)
    if request.as_json:
        print_document(_values(request, problem, activation, atlas, files))
    else:
        print_tables(*_shown(request, problem, activation, atlas))
    if lost is not None:
        raise lost
    for path in outputs.paths.values():
        tell(f"reluscape: wrote {path}")
    if request.save_dir:
        tell(f"reluscape: wrote {len(atlas.entries)} networks into {request.save_dir}")
    return 0


def read_activation(text: str) -> Activation:
    """Read an activation.

    Raises
    ------
    InputError
        When it is none.

    Examples
    --------
    >>> read_activation("leaky:0.1")
    Activation(name='leaky', slope=0.1)
    """
    from reluscape.networks.activations import leaky, relu

    if text == "relu":
        return relu()
    match = re.fullmatch(r"leaky:([0-9.eE+-]+)", text)
    try:
        slope = float(match.group(1)) if match else math.nan
    except ValueError:
        slope = math.nan
    if not 0 < slope < 1:
        raise InputError(
            f"--activation is {text!r}; give relu, or leaky:S with a slope S between 0 and 1."
        )
    return leaky(slope)


def _write(
    request: Request, problem: Interval, atlas: Atlas
) -> tuple[dict[str, object], FileError | None]:
    """Write the files; return their names, and what went wrong instead of raising it."""
    files: dict[str, object] = {}
    try:
        if request.plot:
            from reluscape.report.atlas import plot_atlas
            from reluscape.report.plots import save_figure

            save_figure(plot_atlas(problem, atlas.entries), request.plot)
            files["plot"] = str(request.plot)
        if request.save_dir:
            named = [
                (f"{entry.number:02d}-{entry.kind.replace(' ', '-')}", entry.network)
                for entry in atlas.entries
            ]
            files["networks"] = [str(p) for p in save_networks(request.save_dir, named)]
    except FileError as lost:
        return files, lost
    except OSError as error:
        return files, FileError(
            f"cannot write {error.filename} ({error.strerror}); make room for it."
        )
    return files, None


def _shown(
    request: Request, problem: Interval, activation: Activation, atlas: Atlas
) -> tuple[list[str], list[Table], list[str]]:
    subject = interval_subject(problem, request.wanted)
    neurons = f"{request.width} neuron{'s' * (request.width != 1)}"
    kind = f"leaky ReLU of slope {activation.slope:g}" if activation.slope else "ReLU"
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
    files: dict[str, object],
) -> dict[str, object]:
    from reluscape.report.values import network_values, plain

    return plain(
        {
            "reluscape": __version__,
            "command": shlex.join(request.words),
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
            "files": files,
        }
    )
