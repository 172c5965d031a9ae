"""``reluscape classify``: say what kind of a point of the landscape a network is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reluscape.cli.delivery import File, deliver, figure_file
from reluscape.cli.outputs import Outputs, check_outputs
from reluscape.cli.printing import Table
from reluscape.cli.progress import announcing_compilation, tell
from reluscape.cli.subjects import Subject, Wanted, read_subject
from reluscape.errors import InputError
from reluscape.report.numbers import number, position

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from reluscape.landscape.verdict import Verdict
    from reluscape.networks.network import Network
    from reluscape.networks.neurons import NeuronState

# Neurons beyond these are counted, not listed.
_ROWS = 60


@dataclass(frozen=True)
class Request:
    """What was asked for, one field an option; `words` is the command itself."""

    words: Sequence[str]
    network: Path
    wanted: Wanted
    at_zero: Literal["gt", "ge"]
    tolerance: float
    lower_bound: float | None
    certificate: Path | None
    save: Path | None
    plot: Path | None
    as_json: bool


def run(request: Request) -> int:
    """Classify a network and show the verdict.

    Parameters
    ----------
    request : Request

    Returns
    -------
    int
        The exit status: 0, whatever the verdict.

    Raises
    ------
    InputError
        When the call, a file or an output path is wrong.
    """
    _check_options(request)
    outputs = _outputs(request)
    from reluscape.networks.storage import load_network

    network = load_network(request.network)
    subject = read_subject(request.wanted)
    for note in subject.notes:
        tell(f"reluscape: {note}.")
    if network.inputs != subject.problem.inputs:
        raise InputError(
            f"{request.network} has {network.inputs} input(s) and the problem "
            f"{subject.problem.inputs}; give the columns that it was fitted to."
        )
    if request.plot and (network.inputs > 2 or network.targets > 1):
        raise InputError("--plot needs one or two inputs and one target; leave it out.")
    bound = request.lower_bound
    if request.certificate is not None:
        bound = _certified(request.certificate, network, subject)
    with announcing_compilation(fitting=False):
        verdict = _classify(request, subject, network, bound)
    if outputs.save and verdict.escape is None:
        tell(f"reluscape: no better network is known, so {outputs.save} was not written.")
    deliver(
        request.words,
        request.as_json,
        _files(outputs, subject, network, verdict),
        lambda: _shown(request, subject, network, verdict),
        lambda: _values(request, subject, network, verdict, bound),
    )
    return 0


def _check_options(request: Request) -> None:
    """Refuse what can be refused before any work."""
    if not 0 < request.tolerance < 1:
        raise InputError(
            f"--tolerance is {request.tolerance:g}; give a number between 0 and 1, like 1e-9."
        )
    if request.lower_bound is not None and request.certificate is not None:
        raise InputError("--lower-bound and --certificate say the same; leave one of them out.")
    if request.lower_bound is not None and not math.isfinite(request.lower_bound):
        raise InputError(f"--lower-bound is {request.lower_bound:g}; give a finite number.")


def _outputs(request: Request) -> Outputs:
    # Neither the data nor the network itself may be overwritten.
    check_outputs(str(request.network), save=request.save, plot=request.plot)
    return check_outputs(request.wanted.data or "-", save=request.save, plot=request.plot)


def _certified(path: Path, network: Network, subject: Subject) -> float:
    """Return the bound of a certificate that holds and is about such networks."""
    from reluscape.optimum.certificate_file import load_certificate
    from reluscape.optimum.checker import check
    from reluscape.optimum.rules import Rules

    certificate = load_certificate(path)
    rules = certificate.rules
    if rules not in (Rules(), Rules(skip=False)):
        raise InputError(
            f"{path} is about networks {rules.describe()}, not about all; give a certificate of a "
            "fit without constraints."
        )
    if network.width > certificate.width:
        raise InputError(
            f"{path} is about networks of width {certificate.width} and this one has width "
            f"{network.width}; give a certificate of that width."
        )
    if not rules.skip and network.skip is not None and network.skip.any():
        raise InputError(
            f"{path} is about networks {rules.describe()} and this one has one; give a "
            "certificate of a fit with it."
        )
    verdict = check(certificate, subject.problem)
    if not verdict.holds:
        raise InputError(f"{path} does not hold: {verdict.reason}; make it again.")
    return verdict.lower_bound


def _classify(request: Request, subject: Subject, network: Network, bound: float | None) -> Verdict:
    import reluscape

    return reluscape.classify(
        subject.problem,
        network,
        tolerance=request.tolerance,
        at_zero=request.at_zero,
        lower_bound=bound,
    )


def _files(outputs: Outputs, subject: Subject, network: Network, verdict: Verdict) -> list[File]:
    files: list[File] = []
    path, escape = outputs.save, verdict.escape
    if path is not None and escape is not None:

        def save() -> str:
            escape.network.save(path)
            return str(path)

        files.append(File("save", str(path), save))

    def draw() -> Figure:
        from reluscape.report.verdict_plot import plot_verdict

        return plot_verdict(
            subject.problem,
            network,
            verdict,
            x_name=subject.x_name,
            y_name=subject.y_name,
            x_names=subject.x_names,
        )

    return files + figure_file(outputs.plot, draw)


def _shown(
    request: Request, subject: Subject, network: Network, verdict: Verdict
) -> tuple[list[str], list[Table], list[str]]:
    """Return a verdict as lines, a table of neurons, and remarks."""
    neurons = f"{network.width} neuron{'s' * (network.width != 1)}"
    leaky = network.activation.slope
    if leaky:
        neurons += f" (leaky ReLU of slope {leaky:g})"
    heading = [
        f"{request.network}, {neurons}, on {subject.title}",
        f"{verdict.kind}, risk {number(verdict.risk, 7)}, "
        f"norm of the gradient {number(verdict.gradient_norm, 3)}",
        *(f"- {reason}" for reason in verdict.reasons),
    ]
    remarks: list[str] = []
    escape = verdict.escape
    if escape is not None:
        remarks.append(
            f"A step of {number(escape.step, 3)} along the direction of escape lowers the risk by "
            f"{number(escape.drop, 3)}, to {number(escape.risk, 7)}."
        )
    states = verdict.neuron_states
    if len(states) > _ROWS:
        remarks.insert(0, f"The other {len(states) - _ROWS} neurons are in --json.")
    return heading, [_neurons(states[:_ROWS])] if states else [], remarks


def _neurons(states: Sequence[NeuronState]) -> Table:
    places = [s.breakpoint for s in states if s.breakpoint is not None]
    finite = [t for t in places if math.isfinite(t)]
    width = max(finite, default=1.0) - min(finite, default=0.0)
    rows = [
        [
            f"{i}",
            state.kind + (f" ({state.boundary})" if state.boundary else ""),
            "flat" if state.flat else "",
            "" if state.breakpoint is None else position(state.breakpoint, width or 1.0),
        ]
        for i, state in enumerate(states, 1)
    ]
    return Table(["neuron", "state", "", "breakpoint"], rows, words=3)


def _values(
    request: Request,
    subject: Subject,
    network: Network,
    verdict: Verdict,
    bound: float | None,
) -> dict[str, object]:
    from reluscape.report.values import network_values

    escape = verdict.escape
    return {
        "problem": subject.values,
        "file": str(request.network),
        "network": network_values(network),
        "tolerance": request.tolerance,
        "at_zero": request.at_zero,
        "lower_bound": bound,
        "kind": verdict.kind,
        "risk": verdict.risk,
        "gradient_norm": verdict.gradient_norm,
        "gradient": verdict.gradient,
        "reasons": list(verdict.reasons),
        "neurons": [
            {
                "kind": state.kind,
                "flat": state.flat,
                "breakpoint": state.breakpoint,
                "boundary": state.boundary,
            }
            for state in verdict.neuron_states
        ],
        "escape": None
        if escape is None
        else {
            "direction": escape.direction,
            "step": escape.step,
            "risk": escape.risk,
            "drop": escape.drop,
            "network": network_values(escape.network),
        },
    }
