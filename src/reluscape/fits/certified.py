"""A fit and its lower bound: the search for a proof, going on from better networks it meets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reluscape.fits.better import better_line
from reluscape.fits.polyline import Polyline
from reluscape.fits.result import Ending, Fit, Problem, Progress
from reluscape.fits.trace import Trace
from reluscape.optimum.certificate import Certificate

Floats = NDArray[np.float64]

CLOSED = (
    "By its search, no network of width {width}{which} has a risk below {bound:.10g}: this one is "
    "within {gap:.1e} of the global minimum. The certificate lets anyone prove it again (check)."
)
NOT_CLOSED = (
    "By its search, no network of width {width}{which} has a risk below {bound:.10g}, which leaves "
    "a relative gap of {gap:.1e} to this one's; {why}. The certificate lets anyone prove it "
    "(check)."
)
WHY: dict[Ending, str] = {
    "interrupted": "the search was interrupted before the gap was closed",
    "time limit": "time was up before the gap was closed",
    "open": "the search found no way to close it",
}


def certified(
    problem: Problem,
    found: Fit,
    rebuilt: Callable[[Polyline], Fit],
    gap: float,
    time_limit: float | None,
    report: Progress,
    begun: float,
) -> Fit:
    """Add a lower bound; go on from a better network if the search for it meets one.

    Parameters
    ----------
    problem : Samples or Interval
    found : Fit
    rebuilt : callable (line) -> Fit
        Makes the same fit from other breakpoints and values.
    gap : float
        Relative.
    time_limit : float or None
        Seconds since `begun`.
    report : callable (message, fraction)
    begun : float
        `time.perf_counter` when the call began.

    Returns
    -------
    Fit
        With what is proved when the gap is closed, the time is up, or on Ctrl-C.
    """
    from reluscape.optimum.certify import certify

    trace, proved = Trace(begun), None

    def note(bound: float) -> None:
        trace.note(bound, found.risk)

    line: Polyline | None = None

    def better(knots: Floats, sides: int) -> bool:
        nonlocal line
        if found.line is not None:
            line = better_line(
                problem.moments,
                found.line,
                knots,
                sides,
                skip=found.skip,
                constraints=found.constraints,
            )
        return line is not None

    while True:
        line = None
        left = None if time_limit is None else max(begun + time_limit - time.perf_counter(), 0.0)
        certificate, proof = certify(
            problem,
            found.network,
            found.risk,
            found.width,
            found.rules,
            gap=gap,
            time_limit=left,
            progress=report,
            note=note,
            better=better,
        )
        # What was proved on the way to a better network holds for that one, too.
        if proved is None or certificate.lower_bound > proved.lower_bound:
            proved = certificate
        if line is not None:
            found = rebuilt(line)
        late = time_limit is not None and time.perf_counter() - begun >= time_limit
        if line is None or proof.interrupted or late:
            break
    ended: Ending = "open"
    if proof.closed and line is None:
        ended = "closed"
    elif proof.interrupted:
        ended = "interrupted"
    elif late:
        ended = "time limit"
    return _with_proof(found, proved, ended, trace)


def _with_proof(found: Fit, proved: Certificate, ended: Ending, trace: Trace) -> Fit:
    bound = min(proved.lower_bound, found.risk)
    result = replace(
        found,
        lower_bound=bound,
        certificate=replace(proved, network=found.network, risk=found.risk, lower_bound=bound),
        bounds=trace.until(bound, found.risk),
        ended=ended,
        seconds=time.perf_counter() - trace.begun,
    )
    claim = CLOSED if ended == "closed" else NOT_CLOSED
    which = "" if found.skip else " without a skip connection"
    if found.constraints.active:
        which += " within these constraints"
    words = {
        "width": found.width,
        "which": which,
        "bound": bound,
        "gap": result.gap,
        "why": WHY.get(ended, ""),
    }
    return replace(result, claim=claim.format(**words))
