"""Verdicts for the quadratic activation, where the risk is a polynomial in the parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.landscape.curvature import FLAT
from reluscape.landscape.sight import EPS, PARAMETER_ROUNDING
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.levels import affine_target

Floats = NDArray[np.float64]

# Nodes of the quadrature for the norms of derivatives, which only scale.
NODES = 32


@dataclass(frozen=True, eq=False)
class Parabola:
    """What was found, as for other activations: a kind, reasons and directions to try."""

    kind: str
    reasons: list[str]
    directions: list[Floats]
    risk: float
    gradient: Floats


def look_at_parabola(problem: Interval, network: Network, tolerance: float) -> Parabola:
    """Classify a network with the activation `y^2`."""
    risk, gradient = problem.risk(network), problem.gradient(network)
    derivatives, size, mass = _derivatives(problem, network)
    norm = np.sqrt(risk)
    rounding = PARAMETER_ROUNDING * EPS * size * np.sqrt(mass)
    if norm <= rounding:
        reason = "the risk is zero to rounding"
        return Parabola("global minimum", [reason], [], risk, gradient)
    norms = np.sqrt(derivatives)
    usable = norms > 0.0
    cosines = np.abs(gradient[usable]) / (2.0 * norm * norms[usable])
    worst = float(cosines.max(initial=0.0))
    floor = tolerance + rounding / norm
    if worst > floor:
        reason = (
            "the gradient is not zero: the error and a derivative of the network have the cosine "
            f"{worst:.2g}, with {floor:.1g} allowed"
        )
        return Parabola("not critical", [reason], [-gradient], risk, gradient)
    least, direction = _curvature(problem, network, norms)
    directions = [direction, -direction, *_new_parabolas(problem, network)]
    target = affine_target(problem)
    if target is not None and network.skip is None:
        # A constant target has no critical point of positive risk.
        reason = "S2 for the quadratic activation: all critical points of positive risk are saddles"
        return Parabola("saddle", [reason], directions, risk, gradient)
    if least < -FLAT:
        reason = f"the Hessian has a negative direction (curvature {least:.3g})"
        return Parabola("saddle", [reason], directions[:2], risk, gradient)
    if least > FLAT:
        reason = "the Hessian is positive but for rescalings of neurons"
        return Parabola("local minimum", [reason], [], risk, gradient)
    reason = f"the Hessian has a zero eigenvalue that no symmetry explains (curvature {least:.1e})"
    return Parabola("undecided", [reason], [], risk, gradient)


def _derivatives(problem: Interval, network: Network) -> tuple[Floats, float, float]:
    """Return squares of the norms of the derivatives of N, the size of its terms, and the mass."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = (problem.b - problem.a) / 2.0
    x = problem.a + half * (1.0 + nodes)
    p = weights * half * problem.density(x)
    pre = np.outer(x, network.weights[:, 0]) + network.biases
    v = network.outputs
    blocks = [2.0 * v * x[:, None] * pre, 2.0 * v * pre, pre**2, np.ones((NODES, 1))]
    if network.skip is not None:
        blocks.append(x[:, None])
    columns = np.hstack(blocks)
    terms = np.abs(pre**2 * v).sum(axis=1) + abs(float(network.offset)) + np.abs(problem.target(x))
    return p @ columns**2, float(terms.max()), float(p.sum())


def _curvature(problem: Interval, network: Network, norms: Floats) -> tuple[float, Floats]:
    """Return the least eigenvalue of the scaled Hessian without rescalings, and its direction."""
    width = network.width
    scale = 1.0 / np.where(norms > 0.0, norms, 1.0)
    hessian = problem.hessian(network) * scale * scale[:, None]
    nulls: list[Floats] = []
    for j in range(width):
        null = np.zeros(len(norms))
        null[[j, width + j, 2 * width + j]] = [
            network.weights[j, 0],
            network.biases[j],
            -2.0 * network.outputs[j],
        ]
        if null.any():
            nulls.append(null / scale)
    if nulls:
        basis, _ = np.linalg.qr(np.column_stack(nulls))
        full, _ = np.linalg.qr(np.hstack([basis, np.eye(len(norms))]))
        rest = full[:, len(nulls) : len(norms)]
        values, vectors = np.linalg.eigh(rest.T @ hessian @ rest)
        return float(values[0]), scale * (rest @ vectors[:, 0])
    values, vectors = np.linalg.eigh(hessian)
    return float(values[0]), scale * vectors[:, 0]


def _new_parabolas(problem: Interval, network: Network) -> list[Floats]:
    """Return directions in which the first neuron becomes a steep or a flat parabola."""
    width = network.width
    middle, length = (problem.a + problem.b) / 2.0, problem.b - problem.a
    size = max(float(np.abs(problem.target([problem.a, problem.b])).max()), EPS)
    found: list[Floats] = []
    for side in (-1.0, 1.0):
        for sign in (-1.0, 1.0):
            change = np.zeros(3 * width + (1 if network.skip is None else 2))
            change[[0, width, 2 * width]] = [
                1.0 / length,
                side - middle / length,
                sign * size / 4.0,
            ]
            found.append(change)
    return found
