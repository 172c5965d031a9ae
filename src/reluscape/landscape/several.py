"""Where a network with several inputs stands, from first and second derivatives."""

from __future__ import annotations

import numpy as np

from reluscape.landscape.densities import Density, look_at_density
from reluscape.landscape.finding import Finding, Floats
from reluscape.landscape.flats import RATIOS, Leads, note, sentences
from reluscape.landscape.ridges import Ridges, ridges
from reluscape.landscape.rows import Rows, look_at_rows
from reluscape.landscape.sight import BLIND, DEGENERATE
from reluscape.landscape.slopes import Slopes, density_leads, idle, slopes
from reluscape.landscape.ties import row_leads, row_slopes, zero_side
from reluscape.networks.network import Network
from reluscape.problems.samples import Samples
from reluscape.problems.units import SeveralInputs


def judge(
    problem: SeveralInputs,
    network: Network,
    tolerance: float,
    at_zero: str,
    lower_bound: float | None,
) -> Finding:
    """Say where a network with several inputs stands.

    Parameters
    ----------
    problem : Polygon, Gaussian or Samples
        With scalar targets.
    network : Network
        Piecewise linear.
    tolerance, at_zero, lower_bound
        As for `classify`.

    Returns
    -------
    Finding
    """
    if isinstance(problem, Samples):
        view = look_at_rows(problem, network, tolerance)
        first = row_slopes(view)
    else:
        view = look_at_density(problem, network, tolerance)
        first = slopes(view)
    # A risk in closed form is known up to rounding of its terms: the gradient may still see more.
    if view.nothing and first.smooth:
        return Finding("global minimum", [_nothing(view)], [])
    risk = problem.risk(network)
    if lower_bound is not None and risk <= lower_bound * (1.0 + tolerance):
        reason = f"the risk equals the lower bound given ({lower_bound:.10g})"
        return Finding("global minimum", [reason], [])
    if not (first.smooth and first.sides):
        return Finding("not critical", [_not_critical(view, first)], [first.direction])
    if view.floor - view.tolerance > BLIND:
        return Finding("undecided", [_hidden(view)], [])
    return _critical(view, first, at_zero)


def _critical(view: Rows | Density, first: Slopes, at_zero: str) -> Finding:
    """Judge a network all of whose derivatives to both sides are zero."""
    zero = np.flatnonzero(view.role == DEGENERATE).tolist()
    seen = ridges(view.respond, view.moments, _planes(view)) if zero else None
    new = Leads({}, [], {})
    for j in zero:
        if seen is None or view.flat[j]:
            continue
        v = float(view.reduced.outputs[j])
        if isinstance(view, Rows):
            side = zero_side(view, v)
            if -side.least > view.floor:
                return _downhill_from_zero(view, j, side.move, first.tilted, at_zero)
            if side.sure:
                continue
        plane, value = seen.steepest(v)
        if -np.sign(v) * value > view.floor * view.error:
            return _downhill_from_zero(view, j, plane * abs(value), first.tilted, at_zero)
        note(
            new.doubts,
            j,
            "w = b = 0, and no descent direction at first order was found; second order is not "
            "known there",
        )
    for j in zero:
        if seen is not None and view.flat[j]:
            _new_neuron(view, j, seen, new)
    for j in first.doubts:
        note(
            new.doubts,
            j,
            "its hyperplane passes through rows that depend on each other, with a concave kink "
            "among them: no descent direction was found, and there may be one",
        )
    if isinstance(view, Rows):
        found, minimum = row_leads(view), _convex(view)
    else:
        found, least = density_leads(view)
        minimum = _curved(view, least)
    reasons = [*sentences(found.reasons), *sentences(new.reasons)]
    if reasons:
        return Finding("saddle", reasons, [*found.directions, *new.directions])
    doubts = [*sentences(found.doubts), *sentences(new.doubts)]
    return Finding("undecided", doubts, []) if doubts else Finding("local minimum", minimum, [])


def _planes(view: Rows | Density) -> Floats:
    """Return the hyperplanes of the network, those of norm zero left out."""
    return view.planes[view.sizes > 0.0]


def _new_neuron(view: Rows | Density, j: int, seen: Ridges, found: Leads) -> None:
    """Look at a neuron with w = b = v = 0, which can become any."""
    plane, value = seen.largest()
    if abs(value) <= view.floor * view.error:
        note(found.doubts, j, "zero (w = b = v = 0), and no new bend lowers the risk visibly")
        return
    note(found.reasons, j, "zero (w = b = v = 0), and a bend that lowers the risk can grow from it")
    for ratio in RATIOS:
        found.directions.append(view.one(j, plane, -float(np.sign(value)) * ratio))


def _downhill_from_zero(
    view: Rows | Density,
    j: int,
    move: Floats,
    tilted: bool,
    at_zero: str,
) -> Finding:
    reason = (
        f"neuron {j} has w = b = 0 and v not 0: the risk has a one-sided derivative that is "
        "negative there"
    )
    critical = at_zero == "gt" and not (tilted and view.leak > 0.0)
    if critical:
        reason += '; its generalized gradient vanishes in the convention "gt"'
    return Finding("saddle" if critical else "not critical", [reason], [view.one(j, move, 0.0)])


def _nothing(view: Rows | Density) -> str:
    if isinstance(view, Rows) and view.data.pure > 0.0:
        return "the risk is that of the means of equal inputs, to rounding: no function is better"
    return "the risk is zero to rounding"


def _hidden(view: Rows | Density) -> str:
    return (
        "the error is so small that rounding of the parameters hides its derivatives: cosines up "
        f"to {view.floor:.1g} mean nothing"
    )


def _not_critical(view: Rows | Density, first: Slopes) -> str:
    if first.smooth:
        return (
            "a hyperplane passes through data, and moving it to one side lowers the risk at first "
            f"order (cosine {first.worst:.2g})"
        )
    return (
        "the gradient is not zero: the error and a derivative of the network have the cosine "
        f"{first.worst:.2g}, with {view.floor:.1g} allowed"
    )


def _curved(view: Density, least: float) -> list[str]:
    reasons = [
        "the Hessian is positive in all directions that change the function (least curvature "
        f"{least:.3g} of about 1 for each neuron); the others, rescalings among them, change "
        "nothing at all"
    ]
    still = idle(view)
    if still:
        text = "inactive on the whole polygon, and still so after any small move"
        reasons.extend(sentences({text: still}))
    return reasons


def _convex(view: Rows) -> list[str]:
    # Those of neurons with v = 0 do not bend anything.
    corners = int(view.tied[~view.flat].sum())
    text = "no direction lowers the risk at first order and no neuron is an escape neuron"
    if corners:
        text += f", with {corners} pair(s) of a hyperplane and a row on it"
    return [text]
