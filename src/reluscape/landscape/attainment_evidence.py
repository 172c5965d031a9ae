"""Evidence on infima: the best networks found whose parameters stay below growing bounds.

Where the infimum is attained, parameters beyond some size bring nothing. Where it is not, the best
network uses the largest that it may, and the risk falls with a power of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from reluscape.errors import InputError
from reluscape.landscape.approach import MinimisingSequence
from reluscape.landscape.bounded_search import random_start, search_for
from reluscape.landscape.decision import Decision
from reluscape.landscape.standard_units import Problem, Shape, Units, size_of, units_of
from reluscape.networks.activations import Activation
from reluscape.networks.arrays import Floats
from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.polygon import Polygon

Progress: TypeAlias = Callable[[str, float], None]

BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
# The best networks within a bound start under the next one too: so many of them.
KEPT = 2
# The best network is at its bound if its size is above this share of it.
AT_BOUND = 0.8
# Excess risks this close to the last, relative to it, are as good.
AS_WELL = 1e-3
# A rate is fitted to so many bounds at least, over which the risk falls by this factor or more each
# time the parameters double; risks below the last number, of that of the best constant, are noise.
FEWEST, STEEP, NOISE = 3, 1.3, 1e-22


@dataclass(frozen=True)
class _Effort:
    """Random starts under the first bound and the others, and iterations of L-BFGS from each."""

    first: int
    later: int
    iterations: int


# An evaluation takes some 0.1 ms for piecewise linear activations on a line, 0.5 ms for curved ones
# and milliseconds on polygons and for Gaussian inputs; altogether it is to be a few seconds.
FAST, CURVED, SLOW = _Effort(12, 4, 150), _Effort(6, 2, 100), _Effort(3, 1, 40)
# Members of an explicit sequence that are looked through for one within a bound: each halves or
# doubles the parameter.
MEMBERS = 24


@dataclass(frozen=True, eq=False)
class AttainmentEvidence:
    """The best networks found within growing bounds on their parameters.

    Parameters are measured in units in which the inputs run from -1 to 1 (normal inputs: as they
    are) and the target has mean 0 and mean square 1. Neurons of piecewise linear activations are
    rescaled to `max(|w|, |b|) = |v|` before they are measured.

    Attributes
    ----------
    bounds : ndarray, shape (m,)
        Increasing: no parameter is larger in size.
    risks : ndarray, shape (m,)
        The lowest risks found, in the user's units. They are upper bounds on the least ones.
    sizes : ndarray, shape (m,)
        The largest parameter of each network.
    rate : float or None
        p in `risk ~ size^-p`, fitted to the last bounds, with the risk above the infimum where that
        is known. None where the networks do not exhaust their bounds, or it is no power.
    enough : float or None
        The least bound within which the risk is as low as within the last one, up to a thousandth;
        None if only the last is enough.
    networks : tuple of Network
        One for each bound.
    """

    bounds: Floats
    risks: Floats
    sizes: Floats
    rate: float | None
    enough: float | None
    networks: tuple[Network, ...] = field(repr=False)

    def __str__(self) -> str:
        """Say in one line what the bounds show."""
        found = (
            f"the best network found with parameters up to {self.bounds[-1]:g} has risk "
            f"{self.risks[-1]:.4g}"
        )
        if self.rate is not None:
            return f"{found}, and uses them: the risk falls like size^-{self.rate:.2f}"
        if self.enough is not None:
            return f"{found}; parameters up to {self.enough:g} do as well"
        return f"{found}, and smaller parameters do worse"


def gather(
    problem: Problem,
    width: int,
    activation: Activation,
    skip: bool,
    bounds: Sequence[float],
    decision: Decision,
    seed: int,
    progress: Progress | None,
) -> AttainmentEvidence:
    """Search for the best networks within each bound.

    Parameters
    ----------
    problem : Interval, Samples, Polygon or Gaussian
        With one target.
    width : int
    activation : Activation
    skip : bool
    bounds : sequence of float
        Increasing, one or more.
    decision : Decision
        Where the infimum is known, the rate is that of the risk above it; where there is an
        explicit sequence, its networks are among the starts.
    seed : int
    progress : callable (message, fraction) or None

    Returns
    -------
    AttainmentEvidence
    """
    from threadpoolctl import threadpool_limits

    shape = Shape(width, problem.inputs, activation, skip)
    units = units_of(problem, skip)
    # On small matrices BLAS threads cost several times what they save.
    with threadpool_limits(1):
        known = _members(decision.sequence, shape, units)
        best = _best(problem, shape, units, bounds, known, seed, progress)
    networks = tuple(units.network(shape, theta) for theta in best)
    risks = np.array([problem.risk(network) for network in networks])
    sizes = np.array([size_of(shape, theta) for theta in best])
    excess = (risks - (decision.infimum or 0.0)) / units.risk
    as_well = excess <= (1.0 + AS_WELL) * excess[-1] + NOISE
    enough = float(bounds[int(np.argmax(as_well))])
    return AttainmentEvidence(
        np.asarray(bounds),
        risks,
        sizes,
        _rate(np.asarray(bounds), excess, sizes),
        enough if enough < bounds[-1] else None,
        networks,
    )


def _best(
    problem: Problem,
    shape: Shape,
    units: Units,
    bounds: Sequence[float],
    known: list[Floats],
    seed: int,
    progress: Progress | None,
) -> list[Floats]:
    """Return the best parameters found within each bound."""
    rng = np.random.default_rng(seed)
    effort = SLOW if isinstance(problem, Polygon | Gaussian) else FAST
    if not shape.activation.piecewise_linear:
        effort = CURVED
    pool: list[Floats] = []
    best: list[Floats] = []
    for place, bound in enumerate(bounds):
        search = search_for(problem, shape, units, bound, rng)
        fitting = [theta for theta in known if np.abs(theta).max() <= bound]
        starts = [*pool, *_onward(best, bound), *fitting[-1:]]
        fresh = effort.later if place else effort.first
        starts += [random_start(shape, bound, rng) for _ in range(fresh)]
        ends: list[tuple[float, Floats]] = []
        for start in starts:
            if progress is not None:
                done = (place + len(ends) / len(starts)) / len(bounds)
                progress(f"parameters up to {bound:g}", done)
            ends.append(search.descend(start, effort.iterations))
        ends.sort(key=lambda end: end[0])
        ends[:KEPT] = [search.finish(theta) for _, theta in ends[:KEPT]]
        ends += [(search.value(theta), theta) for theta in best[-1:]]
        ends.sort(key=lambda end: end[0])
        pool = [theta for _, theta in ends[:KEPT]]
        best.append(pool[0])
    if progress is not None:
        progress("done", 1.0)
    return best


def _members(sequence: MinimisingSequence | None, shape: Shape, units: Units) -> list[Floats]:
    """Return networks of a sequence, ever closer to its limit, as long as doubles hold them."""
    found: list[Floats] = []
    if sequence is None:
        return found
    value, factor = sequence.values[0], 0.5 if sequence.parameter == "eps" else 2.0
    for _ in range(MEMBERS):
        try:
            found.append(units.parameters(shape, sequence(value)))
        except InputError:
            break
        value *= factor
    return found


def _onward(best: list[Floats], bound: float) -> list[Floats]:
    """Return where the last two lead: where there is no minimum, parameters follow powers."""
    if len(best) < 2:
        return []
    before, last = best[-2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = last / before
    steady = np.isfinite(ratio) & (ratio > 0.0)
    return [np.clip(np.where(steady, last * ratio, last), -bound, bound)]


def _rate(bounds: Floats, excess: Floats, sizes: Floats) -> float | None:
    """Fit a power to the last networks, if they are at their bounds and it is one."""
    if len(bounds) < FEWEST:
        return None
    used = (sizes >= AT_BOUND * bounds) & (excess > NOISE)
    if not used[-FEWEST:].all():
        return None
    x, y = np.log(sizes[-FEWEST:]), np.log(excess[-FEWEST:])
    if (np.diff(x) <= 0.0).any() or (np.diff(y) > -np.log2(STEEP) * np.diff(x)).any():
        return None
    return float(-np.polyfit(x, y, 1)[0])
