"""The best steepness of the ramps that replace jumps: a search in one variable."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reluscape.errors import InputError
from reluscape.landscape.jump_gains import JumpGain
from reluscape.networks.network import Network
from reluscape.networks.ramps import ramped
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.polygon import Polygon
from reluscape.problems.power_risk import power_risk

EPS = float(np.finfo(np.float64).eps)

# The first ramps are so many times as wide as the domain.
WIDEST = 16.0
# A neuron turns over where the steepness is half of the bend of its jump; the search keeps off.
UPRIGHT = 0.75
# Steepness grows by this factor until the gain falls as theory says it does at last, or so often.
FACTOR, TRIES = 4.0, 40
# There k times the gain is this close to its limit.
NEAR = 0.1
# Steps of the search between neighbours, and how finely it tells steepnesses apart.
STEPS, FINE = 12, 0.02
# A gain below this share of the risk may be rounding: of the exact risks, and of quadrature.
VISIBLE, VISIBLE_BY_QUADRATURE = 64.0 * EPS, 1e-10


@dataclass(frozen=True)
class Steepness:
    """A steepness, the network with these ramps, and its risk: below that of the response."""

    steepness: float
    network: Network
    risk: float


def best_steepness(
    problem: Interval | Polygon | Gaussian,
    response: GeneralizedResponse,
    power: float,
    before: float,
    constant: float,
    gains: list[JumpGain],
) -> Steepness | None:
    """Return the steepness whose ramps gain most, or None if no gain is larger than rounding.

    From ramps wider than the domain on, in factors of four, then between the neighbours of the
    best; a better one elsewhere is not excluded.

    Parameters
    ----------
    problem : Interval, Polygon or Gaussian
    response : GeneralizedResponse
        All of its jumps meet the inside of the domain.
    power : float
    before : float
        Risk of the response.
    constant : float
        What the steepness times the gain tends to, > 0.
    gains : list of JumpGain

    Returns
    -------
    Steepness or None
    """

    def gain_at(log: float) -> float:
        try:
            return before - power_risk(problem, ramped(response, math.exp(log)), power)
        except InputError:  # too narrow for doubles
            return 0.0

    height = max(gain.height for gain in gains)
    turning = float(np.abs(response.bends).max())
    log = math.log(max(height / (WIDEST * _extent(problem)), UPRIGHT * turning))
    step = math.log(FACTOR)
    found: list[tuple[float, float]] = []
    for _ in range(TRIES):
        gain = gain_at(log)
        found.append((gain, log))
        falling = len(found) > 1 and found[-2][0] > gain > 0.0
        settled = falling and abs(math.exp(log) * gain / constant - 1.0) < NEAR
        hidden = constant * math.exp(-log) < VISIBLE * before
        if settled or hidden:
            break
        log += step
    best, log = max(found)
    if not best > 0.0:
        return None
    from scipy.optimize import minimize_scalar

    result = minimize_scalar(
        lambda at: -gain_at(float(at)),
        bounds=(max(log - step, found[0][1]), log + step),
        method="bounded",
        options={"maxiter": STEPS, "xatol": FINE},
    )
    if -float(result.fun) > best:
        log = float(result.x)
    network = ramped(response, math.exp(log))
    risk = power_risk(problem, network, power)
    seen = before - risk > _visible(problem, network, power, before)
    return Steepness(math.exp(log), network, risk) if seen else None


def _visible(
    problem: Interval | Polygon | Gaussian, network: Network, power: float, before: float
) -> float:
    """Return the gain from which on it cannot be rounding of the risks."""
    if power != 2.0:
        return VISIBLE_BY_QUADRATURE * before
    if not isinstance(problem, Gaussian):
        return VISIBLE * before
    # The closed form is a sum of products of neurons; its rounding is that of the largest.
    sizes = np.abs(network.outputs) * np.hypot(
        np.linalg.norm(network.weights, axis=1), network.biases
    )
    teacher = math.sqrt(problem.risk(Network(np.zeros((0, problem.inputs)), [], [])))
    total = float(sizes.sum()) + teacher + abs(float(network.offset))
    return VISIBLE * (total * total + before)


def _extent(problem: Interval | Polygon | Gaussian) -> float:
    """Return the length of the domain; a standard deviation to both sides for a Gaussian."""
    if isinstance(problem, Interval):
        return problem.b - problem.a
    if isinstance(problem, Polygon):
        return float(np.hypot(*np.ptp(problem.vertices, axis=0)))
    return 2.0
