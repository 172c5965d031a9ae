"""Where a network stands: not critical, a minimum, a saddle, or undecided; and why."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.landscape.affine_theorem import listed
from reluscape.landscape.curvature import FLAT, curvature
from reluscape.landscape.escape import Escape, descend_along
from reluscape.landscape.finding import Finding, Kind
from reluscape.landscape.flats import leads, sentences
from reluscape.landscape.parabolas import look_at_parabola
from reluscape.landscape.sight import BLIND, DEGENERATE, EDGE, Sight, look
from reluscape.landscape.stationary import Stationarity, stationarity, steepest_descent
from reluscape.landscape.trapped import TRAPPED, is_member
from reluscape.networks.activations import require_piecewise_linear
from reluscape.networks.arrays import is_number
from reluscape.networks.network import Network
from reluscape.networks.neurons import NeuronState, neuron_states
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.line import gradient_of, zero_is_active
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples
from reluscape.problems.units import SeveralInputs

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Verdict:
    """Where a network stands; what `classify` returns.

    Attributes
    ----------
    kind : {"not critical", "global minimum", "local minimum", "saddle", "undecided"}
    risk : float
    gradient : ndarray, shape (parameters,)
        The generalized gradient, in the order of `Network.to_vector`.
    gradient_norm : float
        Its Euclidean norm.
    escape : Escape or None
        A network with a lower risk on a straight line from this one, for "not critical" and
        "saddle"; None where no step lowers the risk visibly in floating point.
    reasons : tuple of str
        What decided, the source of the argument first; for "undecided", what is missing.
    network : Network
        What was classified.
    ends : (float, float) or None
        The interval, or the first and the last datum; None with several inputs.
    neuron_states : tuple of NeuronState
        One for each neuron, between these ends; none with several inputs.
    """

    kind: Kind
    risk: float
    gradient: Floats = field(repr=False)
    gradient_norm: float
    escape: Escape | None = field(repr=False)
    reasons: tuple[str, ...]
    network: Network = field(repr=False)
    ends: tuple[float, float] | None = field(repr=False)

    @cached_property
    def neuron_states(self) -> tuple[NeuronState, ...]:
        """Where each neuron is active; none with several inputs, or all data at one place."""
        if self.ends is None or not self.ends[0] < self.ends[1]:
            return ()
        return neuron_states(self.network, *self.ends)

    def __str__(self) -> str:
        """Say all of it in a few lines."""
        lines = [f"{self.kind}, risk {self.risk:.10g}, gradient {self.gradient_norm:.3g}"]
        lines += [f"- {reason}" for reason in self.reasons]
        if self.escape is not None:
            lines.append(
                f"- a step of {self.escape.step:.3g} lowers the risk by {self.escape.drop:.3g}, "
                f"to {self.escape.risk:.10g}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head, *rest = str(self).split("\n")
        items = "".join(f"<li>{html.escape(line[2:])}</li>" for line in rest)
        return f"<b>{html.escape(head)}</b><ul>{items}</ul>"


def classify(
    problem: Samples | Interval | Polygon | Gaussian,
    network: Network,
    *,
    tolerance: float = 1e-9,
    at_zero: Literal["gt", "ge"] = "ge",
    lower_bound: float | None = None,
) -> Verdict:
    """Say where a network stands in the landscape of its risk, and why.

    Parameters
    ----------
    problem : Samples, Interval, Polygon or Gaussian
        With scalar targets.
    network : Network
    tolerance : float, default 1e-9
        A derivative is zero if the error and that derivative of N have a cosine of at most this
        size in L2 (plus what rounding of the parameters explains). Free of units: rescaling
        neurons, x or y changes no verdict.
    at_zero : {"ge", "gt"}
        What counts as critical at neurons with w = b = 0, see `Interval.gradient`. With "ge", the
        convention of S2, points with a descent direction at first order are not critical; with
        "gt" they are saddles where the generalized gradient vanishes.
    lower_bound : float, optional
        A certified lower bound of the risk (`Fit.lower_bound` of a checked certificate): a network
        that reaches it up to `tolerance` is a global minimum.

    Returns
    -------
    Verdict

    Raises
    ------
    InputError
        If the problem has several targets, the network does not fit it, or a number is out of
        range.

    Notes
    -----
    Sources, in this order: risk zero or equal to the bound; the complete list of critical points
    for affine targets (Cheridito, Jentzen and Rossmannek: S2); on intervals, the curvature in
    coordinates that know no symmetry, and escapes at neurons that are flat or bend on an end; on
    data, first derivatives to both sides of every datum, which decide alone: in the coordinates
    (v w, v b) the risk is convex between data, so that a network without descent direction and
    without escape neuron is a local minimum (Yun, Sra and Jadbabaie 2018; Wu, Simsek and Ged 2024).
    Breakpoints within a few units in the last place of a datum or an end are on it.

    With several inputs the same is done in the coordinates |v| (w, b). On a `Polygon` and for
    `Gaussian` inputs a positive Hessian proves a local minimum once directions that change no value
    are taken out, and a negative direction a saddle. On data one-sided derivatives decide alone;
    they are known exactly, except at neurons with w = b = 0 and where rows on one hyperplane depend
    on each other: there a search may find a way down, and if it finds none nothing is claimed.

    Examples
    --------
    >>> from reluscape import Interval, Network, affine
    >>> problem = Interval(affine(1, 0), 0, 1)
    >>> verdict = classify(problem, Network([1, -1], [-1/3, 2/3], [2/3, -2/3], 1/2))
    >>> verdict.kind, verdict.escape.risk < verdict.risk
    ('saddle', True)
    >>> classify(problem, Network([-1.0], [-1.0], [5.0], 0.5)).kind
    'local minimum'
    """
    _check(problem, network, tolerance, lower_bound)
    zero_is_active(at_zero)
    if isinstance(problem, Polygon | Gaussian) or (
        isinstance(problem, Samples) and not problem.on_a_line
    ):
        return _several(problem, network, tolerance, at_zero, lower_bound)
    if not network.activation.piecewise_linear:
        return _parabola(problem, network, tolerance)
    sight = look(problem, network, tolerance)
    special = (sight.role == DEGENERATE) | (sight.role == EDGE)
    # The convention only matters where w x + b is zero on a set of positive mass.
    gradient = (
        problem.gradient(network, at_zero)
        if special.any()
        else gradient_of(sight.moments, network, sight.evaluation)
    )
    found = _find(sight, at_zero, lower_bound)
    escape = descend_along(problem, network, sight.risk, found.directions)
    return Verdict(
        found.kind,
        sight.risk,
        gradient,
        float(np.linalg.norm(gradient)),
        escape,
        tuple(found.reasons),
        network,
        _ends(problem),
    )


def _several(
    problem: SeveralInputs,
    network: Network,
    tolerance: float,
    at_zero: Literal["gt", "ge"],
    lower_bound: float | None,
) -> Verdict:
    from reluscape.landscape.several import judge

    require_piecewise_linear(network.activation, "classify with several inputs")
    gradient, risk = problem.gradient(network, at_zero), problem.risk(network)
    found = judge(problem, network, tolerance, at_zero, lower_bound)
    escape = descend_along(problem, network, risk, found.directions)
    norm = float(np.linalg.norm(gradient))
    return Verdict(found.kind, risk, gradient, norm, escape, tuple(found.reasons), network, None)


def _parabola(problem: Samples | Interval, network: Network, tolerance: float) -> Verdict:
    if not isinstance(problem, Interval) or network.activation.name != "square":
        where = "on an interval" if isinstance(problem, Interval) else "on data"
        raise InputError(
            f"classify {where} does not know the activation {network.activation.name!r}; use "
            '"relu" or leaky(slope), on an interval also "square".'
        )
    seen = look_at_parabola(problem, network, tolerance)
    return Verdict(
        cast("Kind", seen.kind),
        seen.risk,
        seen.gradient,
        float(np.linalg.norm(seen.gradient)),
        descend_along(problem, network, seen.risk, seen.directions),
        tuple(seen.reasons),
        network,
        (problem.a, problem.b),
    )


def _find(sight: Sight, at_zero: str, lower_bound: float | None) -> Finding:
    lowest = _lowest(sight, lower_bound)
    if lowest is not None:
        return Finding("global minimum", [lowest], [])
    first = stationarity(sight)
    if not (first.smooth and first.sides):
        return Finding("not critical", [_not_critical(sight, first)], [steepest_descent(sight)])
    if sight.floor - sight.tolerance > BLIND:
        return Finding("undecided", [_hidden(sight)], [])
    if first.at_zero is False:
        return _downhill_from_zero(sight, at_zero)
    if is_member(sight):
        return Finding("local minimum", [TRAPPED], [])
    theorem = listed(sight)
    local = leads(sight, first.probes)
    if theorem is not None and theorem.kind is None:
        return Finding("undecided", [theorem.reason], [])
    bends = None if sight.atomic else curvature(sight)
    directions = list(local.directions)
    reasons = sentences(local.reasons)
    if bends is not None and bends.direction is not None:
        directions = [bends.direction, -bends.direction, *directions]
        reasons.insert(0, f"the Hessian has a negative direction (curvature {bends.least:.3g})")
    if theorem is not None:
        below = theorem.kind == "saddle"
        return Finding(
            "saddle" if below else "local minimum",
            [theorem.reason, *reasons] if below else [theorem.reason],
            directions if below else [],
        )
    if reasons:
        return Finding("saddle", reasons, directions)
    doubts = sentences(local.doubts)
    if bends is not None:
        if bends.least < FLAT:
            doubts.append(
                f"the Hessian has a zero eigenvalue that no symmetry explains "
                f"(curvature {bends.least:.1e})"
            )
        if ((sight.role == DEGENERATE) & (sight.network.outputs != 0.0)).any():
            doubts.append(
                "neurons with w = b = 0 have no visible descent direction at first order, and "
                "second order is not known there"
            )
        return (
            Finding("undecided", doubts, [])
            if doubts
            else Finding("local minimum", [_curved(bends.least)], [])
        )
    if doubts:
        return Finding("undecided", doubts, [])
    return Finding("local minimum", [_convex(sight)], [])


def _lowest(sight: Sight, lower_bound: float | None) -> str | None:
    """Say why no network at all has a lower risk, if so."""
    if sight.excess <= sight.rounding:
        if isinstance(sight.problem, Samples) and sight.problem.pure_error > 0.0:
            return (
                "the risk is that of the means of equal inputs, to rounding: no function is better"
            )
        return "the risk is zero to rounding"
    if lower_bound is not None and sight.risk <= lower_bound * (1.0 + sight.tolerance):
        return f"the risk equals the lower bound given ({lower_bound:.10g})"
    return None


def _hidden(sight: Sight) -> str:
    return (
        "the error is so small that rounding of the parameters hides its derivatives: cosines up "
        f"to {sight.floor:.1g} mean nothing"
    )


def _not_critical(sight: Sight, first: Stationarity) -> str:
    if first.smooth:
        return (
            "a breakpoint sits on a datum, and moving it to one side lowers the risk at first "
            f"order (cosine {first.worst:.2g})"
        )
    return (
        f"the gradient is not zero: the error and a derivative of the network have the cosine "
        f"{first.worst:.2g}, with {sight.floor:.1g} allowed"
    )


def _downhill_from_zero(sight: Sight, at_zero: str) -> Finding:
    neuron = int(np.flatnonzero((sight.role == DEGENERATE) & (sight.network.outputs != 0.0))[0])
    reason = (
        f"neuron {neuron} has w = b = 0 and v not 0: the risk has a one-sided derivative that is "
        "negative there"
    )
    tilted = max(abs(sight.tangents.level), abs(sight.tangents.tilt)) > sight.floor
    critical = at_zero == "gt" and not (tilted and sight.leak > 0.0)
    if critical:
        reason += '; its generalized gradient vanishes in the convention "gt"'
    return Finding("saddle" if critical else "not critical", [reason], [steepest_descent(sight)])


def _curved(least: float) -> str:
    return (
        "the Hessian is positive in all directions that change the function (least curvature "
        f"{least:.3g} of at most 1 per coordinate); its null directions are rescalings"
    )


def _convex(sight: Sight) -> str:
    on_data = int(np.sum(sight.point >= 0))
    corners = (
        f", with {on_data} breakpoint(s) on data where the risk grows to both sides"
        if on_data
        else ""
    )
    return "no direction lowers the risk at first order and no neuron is an escape neuron" + corners


def _ends(problem: Samples | Interval) -> tuple[float, float]:
    if isinstance(problem, Interval):
        return problem.a, problem.b
    low, high = problem.moments.x_axis.restore(np.array(problem.moments.support))
    return float(low), float(high)


def _check(problem: object, network: object, tolerance: float, lower_bound: float | None) -> None:
    if not isinstance(problem, Samples | Interval | Polygon | Gaussian):
        raise InputError(
            f"the problem is of type {type(problem).__name__}; give Samples, an Interval, a "
            "Polygon or Gaussian inputs."
        )
    if not isinstance(network, Network):
        raise InputError(f"the network is of type {type(network).__name__}; give a Network.")
    if isinstance(problem, Samples) and problem.y.ndim != 1:
        raise InputError(
            f"classify needs y of shape (n,), not {problem.y.shape}; choose one column."
        )
    if not (is_number(tolerance) and 0.0 < tolerance < 1.0):
        raise InputError(f"tolerance is {tolerance!r}; give a number between 0 and 1.")
    if lower_bound is not None and not (is_number(lower_bound) and lower_bound >= 0.0):
        raise InputError(f"lower_bound is {lower_bound!r}; give a number >= 0, or None.")
