"""Leaving a jump: from a response that no network attains to a network with a lower risk."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field

from reluscape.errors import InputError
from reluscape.landscape.jump_gains import JumpGain, Obstacle, jump_gains
from reluscape.landscape.ramps_inside import absorbed, on_rows, ramps_between_rows, settled
from reluscape.landscape.steepness import best_steepness
from reluscape.networks.arrays import is_number
from reluscape.networks.network import Network
from reluscape.networks.ramps import ramped
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.polygon import Polygon
from reluscape.problems.power_risk import AnyProblem, power_risk
from reluscape.problems.response_risk import check_inputs
from reluscape.problems.samples import Samples


@dataclass(frozen=True, eq=False)
class Improvement:
    """What `improve` found for a generalized response.

    Attributes
    ----------
    smaller : bool
        Whether `network` has a risk that is strictly smaller, measured and beyond rounding.
    network : Network or None
        With a skip connection and at most `response.dimension` neurons (fewer where a jump is
        outside of the domain). If not `smaller`, the response itself as a network, where one
        exists; None where a hypothesis fails and there is nothing to offer.
    risk : float
        Of the network; NaN without one.
    before : float
        Of the response.
    gain : float
        `before - risk`; 0 without a network.
    steepness : float or None
        Of the ramps that replace the jumps, k; on data the largest of them.
    constant : float or None
        What k times the gain tends to as k grows, predicted; None on data.
    by_jump : tuple of float
        Its part from each jump inside the domain, in order.
    power : float
        Of the loss `|error|^power`.
    obstacle : str or None
        The hypothesis that fails: "no jump" (the response is a network already), "outside" (its
        jumps are not inside the domain), "data" (there is no density), "discontinuous target" or
        "discontinuous density" (across a jump), "no density" (none along all jumps), "rounding"
        (the gain is too small to be seen). None if `smaller`.
    reasons : tuple of str
        The same in sentences.
    response : GeneralizedResponse
        As given.
    inside : GeneralizedResponse
        The same on the domain, its jumps outside of it as part of the affine function.
    """

    smaller: bool
    network: Network | None = field(repr=False)
    risk: float
    before: float
    gain: float
    steepness: float | None
    constant: float | None
    by_jump: tuple[float, ...] = field(repr=False)
    power: float
    obstacle: Obstacle | None
    reasons: tuple[str, ...]
    response: GeneralizedResponse = field(repr=False)
    inside: GeneralizedResponse = field(repr=False)

    def network_at(self, steepness: float) -> Network:
        """Return the response with all jumps replaced by ramps of another steepness.

        Parameters
        ----------
        steepness : float

        Returns
        -------
        Network
            As `network`, but its risk is not looked at. As the steepness grows, it times the gain
            tends to `constant`.

        Raises
        ------
        InputError
            If the steepness is at most half of the bend of a jump, or beyond what doubles resolve.
        """
        return ramped(self.inside, steepness)

    def __str__(self) -> str:
        """Say all of it in a few lines."""
        if self.smaller:
            head = f"risk {self.risk:.10g} instead of {self.before:.10g}, a network"
        elif self.network is not None:
            head = f"risk {self.before:.10g}, a network does not get below it this way"
        else:
            head = f"risk {self.before:.10g}, no network offered"
        return "\n".join([head, *(f"- {reason}" for reason in self.reasons)])

    def _repr_html_(self) -> str:
        head, *rest = str(self).split("\n")
        items = "".join(f"<li>{html.escape(line[2:])}</li>" for line in rest)
        return f"<b>{html.escape(head)}</b><ul>{items}</ul>"


def improve(
    problem: AnyProblem, response: GeneralizedResponse, *, power: float = 2.0
) -> Improvement:
    """Replace the jumps of a generalized response by steep ramps that lower its risk.

    For a continuous target, and a density that is positive somewhere along each hyperplane, no
    response with a jump is optimal: each of its jumps is the limit of two neurons, and these two do
    better before the limit. The ramps' steepness is the best one of a search, and the gain is
    measured, not assumed.

    Parameters
    ----------
    problem : Interval, Polygon, Gaussian or Samples
        With scalar targets.
    response : GeneralizedResponse
        With the same number of inputs.
    power : float, default 2.0
        Of the loss `|error|^power`, above 1: it must be strictly convex. For Gaussian inputs only
        2.

    Returns
    -------
    Improvement
        A network with a strictly smaller risk wherever the hypotheses hold and the gain is larger
        than rounding; otherwise which of them fails.

    Raises
    ------
    InputError
        If the power is not above 1 (for `|error|` a jump between errors of equal sign costs
        nothing), the number of inputs differs, or there are several targets.

    Notes
    -----
    After Dereich, Jentzen and Kassing (arXiv 2302.14690), who show that minimisers exist; the ramp
    and its constant are derived anew. A jump `J(x) = delta.x + beta` across `n.x = tau` becomes
    `(k (n.x - tau) + J / 2)_+ - (k (n.x - tau) - J / 2)_+`. With phi the loss, h the density and
    e, e + J the errors on both sides,

        k (risk(R) - risk(R_k)) -> integral of h |J| [(phi(e) + phi(e + J)) / 2
                                   - integral of phi(e + s J) over s in [0, 1]] along the jump,

    which is `integral of |J|^3 h / 6` for the squared loss. It is positive if phi is strictly
    convex, the target continuous across the jump, and h positive somewhere on it. Where h differs
    on the two sides, its two halves are weighted accordingly. All jumps get the same k.

    On data a jump costs nothing: a ramp between the two neighbouring data is the same function on
    all of them, so that the network offered has the same risk.

    Examples
    --------
    >>> from reluscape import GeneralizedResponse, Interval, improve, polynomial
    >>> problem = Interval(polynomial([0.5]), 0, 1)
    >>> found = improve(problem, GeneralizedResponse([1.0], [0.5], [0.0], [1.0]))
    >>> found.smaller, round(found.constant, 12), found.network.width
    (True, 0.166666666667, 2)
    >>> print(improve(problem, GeneralizedResponse([1.0], [2.0], [0.0], [1.0])))
    risk 0.25, a network does not get below it this way
    - no jump is inside the domain: there the network offered is the response
    """
    _check(problem, response, power)
    power = float(power)
    before = power_risk(problem, response, power)
    inside = settled(response)
    if not inside.strict:
        reason = (
            "all jumps have height zero: the network offered is the response"
            if response.strict
            else "the response has no jump: the network offered is the response"
        )
        return _same(problem, response, inside, power, before, "no jump", reason)
    if isinstance(problem, Samples):
        return _on_data(problem, response, inside, power, before)
    gains = jump_gains(problem, inside, power)
    inside = absorbed(inside, {gain.term: gain.side for gain in gains})
    gains = [gain for gain in gains if not gain.side]
    if not gains:
        reason = "no jump is inside the domain: there the network offered is the response"
        return _same(problem, response, inside, power, before, "outside", reason)
    by_jump = tuple(gain.constant for gain in gains)
    constant = math.fsum(by_jump)

    def refused(obstacle: Obstacle, reason: str) -> Improvement:
        return Improvement(
            False,
            None,
            math.nan,
            before,
            0.0,
            None,
            constant,
            by_jump,
            power,
            obstacle,
            (reason,),
            response,
            inside,
        )

    failing = _failing(gains, constant)
    if failing is not None:
        return refused(*failing)
    found = best_steepness(problem, inside, power, before, constant, gains)
    if found is None:
        return refused(
            "rounding",
            f"the predicted gain, {constant:.3g} over the steepness, is never larger than the "
            "rounding of the risks: no network was seen to be better",
        )
    gain = before - found.risk
    reasons = (
        f"{len(gains)} jump(s) replaced by ramps of steepness {found.steepness:.6g}",
        f"the risk falls by {gain:.6g}",
        f"steepness times gain is {found.steepness * gain:.6g} there, and tends to "
        f"{constant:.10g} as the ramps grow steeper",
    )
    return Improvement(
        True,
        found.network,
        found.risk,
        before,
        gain,
        found.steepness,
        constant,
        by_jump,
        power,
        None,
        reasons,
        response,
        inside,
    )


def _check(problem: object, response: object, power: object) -> None:
    if not isinstance(problem, Interval | Polygon | Gaussian | Samples):
        raise InputError(
            f"the problem is a {type(problem).__name__}; give an Interval, a Polygon, a Gaussian "
            "or Samples."
        )
    if not isinstance(response, GeneralizedResponse):
        raise InputError(
            f"the response is a {type(response).__name__}; give a GeneralizedResponse, for a "
            "network GeneralizedResponse.from_network(network)."
        )
    if not is_number(power) or not 1.0 < float(str(power)) < math.inf:
        raise InputError(
            f"power is {power!r}; give a finite number above 1: up to 1 the loss is not strictly "
            "convex, and leaving a jump need not gain."
        )
    if problem.targets != 1:
        raise InputError(f"the problem has {problem.targets} targets; choose one of them.")
    check_inputs(response, problem.inputs)
    if isinstance(problem, Gaussian) and power != 2.0:
        raise InputError(
            f"for Gaussian inputs only the squared loss is known, not |error|^{power}; leave "
            "power=2."
        )


def _failing(gains: list[JumpGain], constant: float) -> tuple[Obstacle, str] | None:
    """Return the hypothesis that fails, and the sentence that says so."""
    for gain in gains:
        if gain.obstacle == "discontinuous target":
            return gain.obstacle, (
                f"the target is discontinuous across the jump of term {gain.term}: the errors on "
                "its two sides do not differ by the jump alone"
            )
    if constant > 0.0:
        return None
    for gain in gains:
        if gain.obstacle == "discontinuous density":
            return gain.obstacle, (
                f"the density is discontinuous across the jump of term {gain.term}, and a ramp in "
                "the middle does not gain at first order"
            )
    return "no density", "the density is zero along all jumps inside the domain: nothing is gained"


def _same(
    problem: AnyProblem,
    response: GeneralizedResponse,
    inside: GeneralizedResponse,
    power: float,
    before: float,
    obstacle: Obstacle,
    reason: str,
) -> Improvement:
    """Offer the response itself as a network."""
    network = inside.to_network()
    risk = power_risk(problem, network, power)
    return Improvement(
        False,
        network,
        risk,
        before,
        before - risk,
        None,
        None,
        (),
        power,
        obstacle,
        (reason,),
        response,
        inside,
    )


def _on_data(
    problem: Samples,
    response: GeneralizedResponse,
    inside: GeneralizedResponse,
    power: float,
    before: float,
) -> Improvement:
    """Offer ramps between neighbouring data: the same function on all of them."""
    inside = on_rows(problem, inside)
    if not inside.strict:
        reason = "no jump has data on both sides: on the data the network offered is the response"
        return _same(problem, response, inside, power, before, "outside", reason)
    costless = "data have no density: a jump between two of them costs nothing"
    try:
        network, steepness = ramps_between_rows(problem, inside)
    except InputError:
        reasons = (costless, "two data are too close together for a ramp in doubles")
        return Improvement(
            False,
            None,
            math.nan,
            before,
            0.0,
            None,
            None,
            (),
            power,
            "data",
            reasons,
            response,
            inside,
        )
    risk = power_risk(problem, network, power)
    reasons = (
        costless,
        "the network offered has a ramp in each gap, and the same values on all data to rounding",
    )
    return Improvement(
        False,
        network,
        risk,
        before,
        before - risk,
        steepness,
        None,
        (),
        power,
        "data",
        reasons,
        response,
        inside,
    )
