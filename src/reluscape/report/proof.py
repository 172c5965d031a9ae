"""How sure a fit is to be the best of its width: the section of a report, and its sentences."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np

from reluscape.report import html
from reluscape.report.numbers import number, position
from reluscape.report.protocol import FitLike, PinnedLike

_ENDINGS = {
    "closed": "gap closed after {} s",
    "time limit": "gap open: time was up after {} s",
    "interrupted": "gap open: interrupted after {} s",
    "open": "gap open: no way found in {} s",
}


def proof(
    fit: FitLike,
    pinned: PinnedLike | None,
    figure: str,
    command: Sequence[str] | None,
    check: Sequence[str] | None,
) -> str:
    """Write the section on the lower bound; without `certify` there is none.

    Parameters
    ----------
    fit : Fit
    pinned : Pinned or None
    figure : str
        HTML: the bounds over time.
    command, check : sequence of str or None
        The commands that made the fit, and that checks its certificate.

    Returns
    -------
    str
    """
    if not fit.ended:
        return ""
    digits = digits_apart(fit)
    return html.section(
        "How sure is this?",
        html.facts(
            [
                ("risk of this fit", number(fit.risk, digits)),
                ("lower bound", number(fit.lower_bound, digits)),
                ("relative gap", f"{fit.gap:.1e}"),
                ("search", _ENDINGS[fit.ended].format(number(fit.seconds, 3))),
            ]
        ),
        html.paragraph(_verdict(fit)),
        figure,
        *_pins(fit, pinned),
        *_how_to_check(command, check),
    )


def digits_apart(fit: FitLike) -> int:
    """Return how many digits tell the risk from the lower bound."""
    gap = fit.gap
    return int(np.clip(2.0 - np.log10(gap), 5, 15)) if gap > 0.0 else 10


def rows_of_pins(fit: FitLike, pinned: PinnedLike) -> list[list[str]]:
    """Return a row for each breakpoint: its number, where the fit has it, its interval.

    Parameters
    ----------
    fit : Fit
    pinned : Pinned

    Returns
    -------
    list of list of str
    """
    span = float(np.ptp(fit.problem.x))
    places = np.column_stack([fit.breakpoints, pinned.intervals]).tolist()
    return [[f"{i}", *(position(v, span) for v in row)] for i, row in enumerate(places, 1)]


def on_pins(fit: FitLike, pinned: PinnedLike) -> str:
    """Say what the intervals mean.

    Parameters
    ----------
    fit : Fit
    pinned : Pinned

    Returns
    -------
    str
    """
    most = number(fit.risk * (1.0 + pinned.share), 6)
    said = (
        f"No {_such_network(fit)} whose jth breakpoint, counted from the left, lies outside the "
        f"jth interval has a risk within {100 * pinned.share:g} % of this one's ({most} or less)."
    )
    if not pinned.fine:
        said += " Time for them was short: they may be wider than need be."
    return said


def _such_network(fit: FitLike) -> str:
    """Name the networks that a bound is about."""
    name = f"network of width {fit.width} with{'' if fit.skip else 'out'} a skip connection"
    return f"{name} that keeps to the constraints" if fit.constraints.active else name


def _verdict(fit: FitLike) -> str:
    everyone = f"No {_such_network(fit)} has a risk below this bound"
    if fit.ended == "closed":
        return f"{everyone}. This fit is the best there is, or within {fit.gap:.1e} of it."
    return (
        f"{everyone}. A better fit than this one may exist, but none whose risk is lower by more "
        f"than {100 * fit.gap:.2g} %. More time may narrow the gap."
    )


def _pins(fit: FitLike, pinned: PinnedLike | None) -> list[str]:
    if pinned is None or not fit.width:
        return []
    headings = ["breakpoint", "x", f"within {100 * pinned.share:g} % from", "to"]
    note = (
        "The intervals come from the bounds of the search, in floating point; the certificate "
        "proves the lower bound. They end on inputs. Breakpoints beyond the data do not count. "
        "Where one is wide, fits with that breakpoint elsewhere may be about as good; it is no "
        "confidence interval."
    )
    return [
        "<h3>Where all good fits have their breakpoints</h3>",
        html.paragraph(on_pins(fit, pinned)),
        html.table(headings, rows_of_pins(fit, pinned), text=(0,)),
        html.paragraph(note, "note"),
    ]


def _how_to_check(command: Sequence[str] | None, check: Sequence[str] | None) -> list[str]:
    heading = "<h3>Check it yourself</h3>"
    if check:
        text = (
            "The certificate proves the bound from the data alone. This command goes through the "
            "proof in exact arithmetic, with code that shares nothing with the search:"
        )
        return [heading, html.paragraph(text), f"<pre>{html.escape(shlex.join(check))}</pre>"]
    if command:
        text = (
            "Add --certificate FILE to the command below to keep the certificate; after that, "
            "reluscape check FILE DATA goes through the proof again, in exact arithmetic."
        )
    else:
        text = (
            "reluscape.check(fit.certificate, data) goes through the proof again, in exact "
            "arithmetic, with code that shares nothing with the search."
        )
    return [heading, html.paragraph(text)]
