"""Which critical points of a target on an interval can be listed, and what the list is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reluscape.errors import InputError
from reluscape.report.numbers import number

if TYPE_CHECKING:
    from reluscape.landscape.one_neuron import CriticalPoint
    from reluscape.networks.activations import Activation
    from reluscape.networks.network import Network
    from reluscape.problems.interval import Interval
    from reluscape.report.entries import Entry

# Computed risks this close to a level, relative to the highest, are that level.
SAME_LEVEL = 1e-9

Enclosures = tuple[tuple[float, float], ...]
Row = tuple[str, float, "Network", str, Enclosures]


@dataclass(frozen=True)
class Atlas:
    """The critical points that were found, and what is known of the list.

    Attributes
    ----------
    entries : list of Entry
    complete : bool
        Whether every critical point has one of these risks.
    remarks : list of str
    threshold : float or None
        Descent that ends below this risk ends at a global minimum.
    """

    entries: list[Entry]
    complete: bool
    remarks: list[str]
    threshold: float | None = None


def list_critical_points(problem: Interval, width: int, activation: Activation) -> Atlas:
    """List all critical points that can be listed for a problem.

    Parameters
    ----------
    problem : Interval
    width : int
        Neurons, 1 or more.
    activation : Activation

    Returns
    -------
    Atlas

    Raises
    ------
    InputError
        When no list is known for such a problem.

    Examples
    --------
    >>> from reluscape import Interval, affine
    >>> from reluscape.networks.activations import relu
    >>> atlas = list_critical_points(Interval(affine(0, 5), 0, 1), 3, relu())
    >>> [entry.kind for entry in atlas.entries]
    ['global minimum']
    """
    line = _affine(problem)
    if line is not None and line[0] == 0.0:
        return _constant(problem, line[1], width, activation)
    if line is not None and _lebesgue(problem):
        return _of_affine(problem, *line, width, activation)
    if activation.slope:
        raise InputError(
            "leaky ReLU needs a target that is affine on the interval, without --density; use "
            "--activation relu."
        )
    if width > 2:
        raise InputError(
            f"--width is {width}, and critical points of more than 2 neurons are known for affine "
            "targets without --density only; give 1 or 2."
        )
    return _enumerated(problem, width)


def _affine(problem: Interval) -> tuple[float, float] | None:
    """Return slope and intercept of a target that is affine on the interval."""
    _, pieces = problem.target.on(problem.a, problem.b, "target")
    if len(pieces) > 1 or any(pieces[0][2:]):
        return None
    intercept, slope, *_ = [*pieces[0], 0.0]
    return slope, intercept


def _lebesgue(problem: Interval) -> bool:
    _, pieces = problem.density.on(problem.a, problem.b, "density")
    return len(pieces) == 1 and pieces[0][0] == 1.0 and not any(pieces[0][1:])


def _constant(problem: Interval, value: float, width: int, activation: Activation) -> Atlas:
    """Return the only level for a constant target.

    The gradient along (v, c - value) is twice the risk, so that only networks of risk 0 are
    critical.
    """
    from reluscape.networks.network import Network

    dead = Network([0.0] * width, [-1.0] * width, [0.0] * width, value, activation=activation)
    rows: list[Row] = [("global minimum", 0.0, dead, "constant", ())]
    remark = "The target is constant: every critical point is a global minimum, of risk 0."
    return Atlas(_entries(problem, rows), True, [remark])


def _of_affine(
    problem: Interval, slope: float, intercept: float, width: int, activation: Activation
) -> Atlas:
    """Return one network for each kind of critical point that an affine target has."""
    import reluscape

    landscape = reluscape.affine_landscape(
        slope, intercept, problem.a, problem.b, width, activation=activation
    )
    found = [("global minimum", landscape.global_minimum(), "")]
    if activation.slope:
        found.append(("saddle", landscape.saddle(0), "n = 0"))
        for n in range(1, width + 1):
            for family in ("A", "B"):
                found.append(("saddle", landscape.saddle(n, family=family), f"n = {n}, {family}"))
    else:
        found.append(("local minimum", landscape.dead_minimum(), "inactive"))
        found += [("saddle", landscape.saddle(n), f"n = {n}") for n in range(0, width + 1, 2)]
    levels = list(landscape.levels)

    def level(network: Network) -> float:
        risk = problem.risk(network)
        nearest = min(levels, key=lambda value: abs(value - risk))
        return nearest if abs(nearest - risk) <= SAME_LEVEL * max(levels) else risk

    rows: list[Row] = [
        (kind, level(network), network, family, ()) for kind, network, family in found
    ]
    remarks = ["Every critical point has one of these risks, and the function of its row."]
    if not activation.slope:
        remarks.append(
            f"Gradient descent that converges to a risk below {number(landscape.threshold, 7)} has "
            "found a global minimum, for almost every start and step size."
        )
    return Atlas(_entries(problem, rows), True, remarks, landscape.threshold)


def _enumerated(problem: Interval, width: int) -> Atlas:
    """Return the critical points of one neuron, or those found of two."""
    import reluscape

    points = reluscape.critical_points(problem, width)
    rows: list[Row] = [(p.kind, p.risk, p.network, p.family, _enclosure(p)) for p in points]
    if not rows:
        raise InputError("no critical point was found; give another width or target.")
    remark = (
        "Every critical point of one neuron has one of these functions."
        if width == 1
        else "Found by a numerical search that is not exhaustive: there may be others."
    )
    return Atlas(_entries(problem, rows), width == 1, [remark])


def _enclosure(point: CriticalPoint) -> Enclosures:
    """Return the interval that holds the breakpoint, where there is one that is proved."""
    return () if point.breakpoint is None else (point.breakpoint,)


def _entries(problem: Interval, rows: Sequence[Row]) -> list[Entry]:
    from reluscape.report.entries import Entry, bends

    ordered = sorted(rows, key=lambda row: row[1])
    return [
        Entry(i, kind, risk, network, family, bends(network, problem.a, problem.b), enclosure)
        for i, (kind, risk, network, family, enclosure) in enumerate(ordered, 1)
    ]
