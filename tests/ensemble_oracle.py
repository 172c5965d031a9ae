"""Descents of many networks as everybody writes them: one network, one step at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import reluscape as rs
from oracles import data_exact, weighted_sums
from records import Array, Plain
from reluscape.training.optimisers import Adam, GradientDescent, HeavyBall, Optimiser

Gradient = Callable[[Array], Array]


def network(theta: Array, *, skip: bool = False, slope: float = 0.0) -> rs.Network:
    """Read a row."""
    return rs.Network.from_vector(theta, skip=skip, activation=rs.leaky(slope) if slope else "relu")


def by_problem(
    problem: rs.Interval | rs.Samples,
    *,
    skip: bool = False,
    slope: float = 0.0,
    at_zero: str = "gt",
) -> Gradient:
    """Return the gradient of a problem."""

    def gradient(theta: Array) -> Array:
        return problem.gradient(network(theta, skip=skip, slope=slope), at_zero)

    return gradient


def by_rows(
    problem: rs.Samples, *, skip: bool = False, slope: float = 0.0, at_zero: str = "gt"
) -> Gradient:
    """Return the gradient as textbook sums over the rows."""

    def gradient(theta: Array) -> Array:
        net = Plain.of(theta, skip=skip, slope=slope)
        return weighted_sums(problem.x, problem.y, problem.weights, net, at_zero=at_zero)[1]

    return gradient


def by_fractions(problem: rs.Samples, *, skip: bool = False, slope: float = 0.0) -> Gradient:
    """Return the gradient in rational arithmetic, rounded once."""
    weights = problem.weights if problem.weighted else None

    def gradient(theta: Array) -> Array:
        net = Plain.of(theta, skip=skip, slope=slope)
        return data_exact(problem.x, problem.y, net, weights=weights).floats()[1]

    return gradient


# What the sequential descent takes for the end, see training/descent.py.
BEYOND = 1e60


def path(gradient: Gradient, start: Array, rule: Optimiser, step_size: float, steps: int) -> Array:
    """Return all iterates, shape (steps + 1, parameters); fewer if the last is out of range."""
    theta = np.array(start)
    thetas = [theta]
    first, second = np.zeros_like(theta), np.zeros_like(theta)
    for t in range(1, steps + 1):
        g = gradient(theta)
        match rule:
            case GradientDescent():
                theta = theta - step_size * g
            case HeavyBall(momentum):
                first = momentum * first - step_size * g
                theta = theta + first
            case Adam(beta1, beta2, epsilon):
                first = beta1 * first + (1 - beta1) * g
                second = beta2 * second + (1 - beta2) * g**2
                m, v = first / (1 - beta1**t), second / (1 - beta2**t)
                theta = theta - step_size * m / (np.sqrt(v) + epsilon)
            case _:
                raise NotImplementedError(rule)
        thetas.append(theta)
        if not (np.abs(theta) < BEYOND).all():
            break
    return np.array(thetas)


def first_passages(risks: Array, thresholds: list[float], every: int, steps: int) -> list[int]:
    """Return the first monitored step at or below each threshold, -1 if none; one risk a step."""
    looks = [*range(0, steps, every), steps]
    return [next((t for t in looks if risks[t] <= bar), -1) for bar in thresholds]
