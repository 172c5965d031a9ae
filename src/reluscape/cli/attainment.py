"""``reluscape attainment``: say whether the least risk is attained, with evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reluscape.cli.activations import described, read_activation
from reluscape.cli.delivery import Shown, deliver, figure_file
from reluscape.cli.outputs import check_outputs
from reluscape.cli.printing import Table
from reluscape.cli.progress import Waiting, announcing_compilation
from reluscape.cli.subjects import Wanted, interval_subject, read_interval
from reluscape.errors import InputError
from reluscape.report.numbers import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from reluscape.landscape.attainment import Attainment
    from reluscape.networks.activations import Activation
    from reluscape.networks.network import Network
    from reluscape.problems.interval import Interval

MOST_NEURONS = 100


@dataclass(frozen=True)
class Request:
    """What was asked for, one field an option; `words` is the command itself."""

    words: Sequence[str]
    wanted: Wanted
    width: int
    activation: str
    skip: bool
    seed: int
    plot: Path | None
    as_json: bool


def run(request: Request) -> int:
    """Say whether the infimum is attained.

    Parameters
    ----------
    request : Request

    Returns
    -------
    int
        The exit status: 1 if it is proved that no network attains it, else 0.

    Raises
    ------
    InputError
        When the call or an output path is wrong.
    """
    activation = read_activation(request.activation, curved=True)
    if not 1 <= request.width <= MOST_NEURONS:
        raise InputError(f"--width is {request.width}; give 1 to {MOST_NEURONS} neurons.")
    check_outputs("-", plot=request.plot)
    problem = read_interval(
        request.wanted.target or "", request.wanted.interval, request.wanted.density
    )
    with announcing_compilation(fitting=False), Waiting() as progress:
        answer = _answer(request, problem, activation, progress)

    def draw() -> Figure:
        from reluscape.report.attainment_plot import plot_attainment

        return plot_attainment(problem, answer)

    deliver(
        request.words,
        request.as_json,
        figure_file(request.plot, draw),
        lambda: _shown(request, problem, activation, answer),
        lambda: _values(request, problem, activation, answer),
    )
    return 1 if answer.attained is False else 0


def _answer(
    request: Request, problem: Interval, activation: Activation, progress: Waiting
) -> Attainment:
    import reluscape

    return reluscape.attainment(
        problem,
        request.width,
        activation=activation,
        skip=request.skip,
        seed=request.seed,
        progress=progress,
    )


def _shown(
    request: Request, problem: Interval, activation: Activation, answer: Attainment
) -> Shown:
    neurons = f"{request.width} neuron{'s' * (request.width != 1)}"
    kind = f"{described(activation)}, {'with a' if request.skip else 'no'} skip connection"
    verdict = {True: "attained", False: "not attained", None: "undecided"}[answer.attained]
    known = "" if answer.infimum is None else f", infimum {number(answer.infimum, 7)}"
    title = interval_subject(problem, request.wanted).title
    heading = [
        f"The least risk of {neurons} ({kind}) for {title}",
        f"{verdict}{known}",
        f"- {answer.reason}",
    ]
    tables: list[Table] = []
    if answer.sequence is not None:
        heading.append(f"- {answer.sequence}")
        members = [(f"{v:g}", problem.risk(net), _largest(net)) for v, net in _members(answer)]
        headings = (answer.sequence.parameter, "risk", "largest parameter")
        tables.append(_table(headings, members, answer.infimum))
    evidence = answer.evidence
    if evidence is None:
        return heading, tables, []
    best = zip(
        [f"{bound:g}" for bound in evidence.bounds.tolist()],
        evidence.risks.tolist(),
        evidence.sizes.tolist(),
        strict=True,
    )
    headings = ("parameters up to", "best risk found", "largest used")
    tables.append(_table(headings, list(best), answer.infimum))
    said = str(evidence)
    remarks = [
        f"{said[:1].upper()}{said[1:]}.",
        "There parameters are measured with x from -1 to 1 and a target of mean square 1.",
    ]
    return heading, tables, remarks


def _table(
    headings: tuple[str, str, str],
    rows: Sequence[tuple[str, float, float]],
    infimum: float | None,
) -> Table:
    """Return a table of risks, with what they are above an infimum that is not zero."""
    first, risk, size = headings
    if not infimum:
        cells = [[name, number(r), f"{s:.4g}"] for name, r, s in rows]
        return Table([first, risk, size], cells, words=0)
    cells = [[name, number(r, 7), number(r - infimum, 4), f"{s:.4g}"] for name, r, s in rows]
    return Table([first, risk, "above the infimum", size], cells, words=0)


def _members(answer: Attainment) -> list[tuple[float, Network]]:
    """Return a few networks of the sequence, with the value of the parameter of each."""
    if answer.sequence is None:
        return []
    return [(value, answer.sequence(value)) for value in answer.sequence.values]


def _largest(network: Network) -> float:
    return float(np.abs(network.to_vector()).max())


def _values(
    request: Request, problem: Interval, activation: Activation, answer: Attainment
) -> dict[str, object]:
    from reluscape.report.values import network_values

    evidence, sequence = answer.evidence, answer.sequence
    minimiser = answer.minimiser
    return {
        "problem": interval_subject(problem, request.wanted).values,
        "width": request.width,
        "activation": {"name": activation.name, "slope": activation.slope},
        "skip": request.skip,
        "seed": request.seed,
        "attained": answer.attained,
        "infimum": answer.infimum,
        "reason": answer.reason,
        "minimiser": None if minimiser is None else network_values(minimiser),
        "sequence": None
        if sequence is None
        else {
            "parameter": sequence.parameter,
            "formula": sequence.formula,
            "members": [
                {"value": value, "risk": problem.risk(net), "network": network_values(net)}
                for value, net in _members(answer)
            ],
        },
        "evidence": None
        if evidence is None
        else {
            "rate": evidence.rate,
            "enough": evidence.enough,
            "best": [
                {"bound": bound, "risk": risk, "size": size, "network": network_values(net)}
                for bound, risk, size, net in zip(
                    evidence.bounds.tolist(),
                    evidence.risks.tolist(),
                    evidence.sizes.tolist(),
                    evidence.networks,
                    strict=True,
                )
            ],
        },
    }
