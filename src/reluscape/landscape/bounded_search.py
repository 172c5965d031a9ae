"""The lowest risk of networks whose parameters are bounded: descents from given starts.

Piecewise linear activations go down by L-BFGS on all parameters and end with Newton's method. For
curved ones the best networks lie in valleys, along which outer weights grow and inner ones shrink
or neurons become alike: there the outer weights are solved for, and only the inner ones descend.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

import numpy as np

from reluscape.errors import InputError
from reluscape.landscape.standard_units import Problem, Shape, Units
from reluscape.networks import curved
from reluscape.networks.arrays import Floats
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples

# Rows that a search sees of large data, and nodes of Gauss rules in each of so many parts of an
# interval: on a part of half-width 1 / bound the nearest poles of tanh are so far away, in units of
# it, that 12 nodes leave an error of 3.4^-24.
MOST_ROWS, NODES = 4_000, 12
# L-BFGS measures its gain against 1: where the risk has become small it is begun again, with the
# risk in units of itself, as long as that lowers it by this factor; and how long it goes on for
# inner weights in the end.
ROUNDS, WORTH_A_ROUND, FINAL_ITERATIONS = 4, 3.0, 120
# Newton steps in the end, for so many parameters at most, and when they stop: at a relative gain
# below this three times in a row, or when damping has grown so far.
NEWTON_STEPS, NEWTON_SIZE, LEAST_GAIN, MOST_DAMPING = 60, 150, 1e-11, 1e12


class Search(Protocol):
    """Descents inside a box, in standard units; risks are those of the user over `Units.risk`."""

    def value(self, theta: Floats) -> float:
        """Return the risk of parameters."""
        ...

    def descend(self, theta: Floats, iterations: int) -> tuple[float, Floats]:
        """Go down, and return the risk and the parameters at the end."""
        ...

    def finish(self, theta: Floats) -> tuple[float, Floats]:
        """Go on from where a descent ended, to the bottom."""
        ...


def search_for(
    problem: Problem, shape: Shape, units: Units, bound: float, rng: np.random.Generator
) -> Search:
    """Return the search that fits an activation.

    Parameters
    ----------
    problem : Interval, Samples, Polygon or Gaussian
    shape : Shape
    units : Units
    bound : float
        Of every parameter, in standard units.
    rng : numpy.random.Generator
        Draws a part of the rows of large data.
    """
    if isinstance(problem, Samples):
        problem = _some_rows(problem, shape, rng)
    if shape.activation.piecewise_linear:
        return _AllParameters(problem, shape, units, bound)
    if isinstance(problem, Interval):
        problem = _nodes(problem, bound)
    if not isinstance(problem, Samples):
        raise InputError(
            f"{shape.activation.name} is for intervals and data; use a piecewise linear activation."
        )
    return _InnerParameters(problem, shape, units, bound)


def random_start(shape: Shape, bound: float, rng: np.random.Generator) -> Floats:
    """Draw parameters: hyperplanes through the inputs, of all steepnesses that are allowed."""
    w: Floats = rng.standard_normal((shape.width, shape.inputs))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    steepness: Floats = 0.5 * np.exp(np.log(bound) * rng.uniform(0.0, 1.0, shape.width))
    w = w * steepness[:, np.newaxis]
    b: Floats = -(w * rng.uniform(-1.0, 1.0, w.shape)).sum(axis=1)
    v = rng.uniform(-1.0, 1.0, shape.width)
    rest = np.zeros(shape.size - w.size - b.size - v.size)
    return np.clip(np.concatenate([w.ravel(), b, v, rest]), -bound, bound)


class _AllParameters:
    """By exact risk, gradient and Hessian of the problem."""

    def __init__(self, problem: Problem, shape: Shape, units: Units, bound: float) -> None:
        self.problem, self.shape, self.units, self.bound = problem, shape, units, bound

    def value(self, theta: Floats) -> float:
        return self.problem.risk(self.units.network(self.shape, theta)) / self.units.risk

    def descend(self, theta: Floats, iterations: int) -> tuple[float, Floats]:
        return _within(self._value_and_gradient, theta, self.bound, iterations, ROUNDS)

    def finish(self, theta: Floats) -> tuple[float, Floats]:
        """Newton's method on what is not at its bound, damped, with curvatures made positive."""
        value, gradient = self._value_and_gradient(theta)
        if len(theta) > NEWTON_SIZE:
            return value, theta
        damping, idle, fresh = 1e-6, 0, True
        free = np.ones(len(theta), dtype=np.bool_)
        values, vectors = np.ones(len(theta)), np.eye(len(theta))
        for _ in range(NEWTON_STEPS):
            if fresh:
                free = (theta < self.bound) | (gradient > 0.0)
                free &= (theta > -self.bound) | (gradient < 0.0)
                if not free.any():
                    break
                values, vectors = np.linalg.eigh(self._hessian(theta)[np.ix_(free, free)])
                values = np.abs(values)
            least = damping * max(float(values.max()), np.finfo(np.float64).tiny)
            step = vectors @ ((vectors.T @ gradient[free]) / (values + least))
            trial = theta.copy()
            trial[free] = np.clip(theta[free] - step, -self.bound, self.bound)
            lower, following = self._value_and_gradient(trial)
            fresh = lower < value
            if fresh:
                idle = idle + 1 if value - lower <= LEAST_GAIN * value else 0
                theta, value, gradient = trial, lower, following
            damping = max(damping / 10.0, 1e-15) if fresh else damping * 10.0
            if idle == 3 or damping > MOST_DAMPING:
                break
        return value, theta

    def _value_and_gradient(self, theta: Floats) -> tuple[float, Floats]:
        network = self.units.network(self.shape, theta)
        gradient = self.units.pulled_back(self.shape, self.problem.gradient(network))
        return self.problem.risk(network) / self.units.risk, gradient / self.units.risk

    def _hessian(self, theta: Floats) -> Floats:
        rows = self.problem.hessian(self.units.network(self.shape, theta)) / self.units.risk
        return self.units.pulled_back(self.shape, self.units.pulled_back(self.shape, rows).T)


class _InnerParameters:
    """On rows, with the best outer weights inside the box for the inner ones."""

    def __init__(self, rows: Samples, shape: Shape, units: Units, bound: float) -> None:
        self.shape, self.bound = shape, bound
        self.z = (rows.x.reshape(rows.size, -1) - units.centre) / units.half
        self.y = (rows.y.reshape(-1) - units.level - self.z @ units.tilt) / units.spread
        self.root = np.sqrt(rows.weights / units.mass)
        self.inner = shape.width * (shape.inputs + 1)
        rest = [np.ones((rows.size, 1)), *([self.z] if shape.skip else [])]
        self.rest = np.hstack(rest)

    def value(self, theta: Floats) -> float:
        design, _ = self._design(theta[: self.inner])
        error = (design @ theta[self.inner :] - self.y) * self.root
        return float(error @ error)

    def descend(self, theta: Floats, iterations: int) -> tuple[float, Floats]:
        return self._descended(theta, iterations, 1)

    def finish(self, theta: Floats) -> tuple[float, Floats]:
        return self._descended(theta, FINAL_ITERATIONS, ROUNDS)

    def _descended(self, theta: Floats, iterations: int, rounds: int) -> tuple[float, Floats]:
        inner = theta[: self.inner]
        value, inner = _within(self._value_and_gradient, inner, self.bound, iterations, rounds)
        return value, np.concatenate([inner, self._outer(self._design(inner)[0])])

    def _design(self, inner: Floats) -> tuple[Floats, Floats]:
        """Return the functions that outer weights belong to on the rows, and pre-activations."""
        h, d = self.shape.width, self.shape.inputs
        before = self.z @ inner[: h * d].reshape(h, d).T + inner[h * d :]
        active = curved.apply(self.shape.activation.name, before.copy())
        return np.hstack([active, self.rest]), before

    def _outer(self, design: Floats) -> Floats:
        """Return the best weights inside the box: least squares of a triangular matrix."""
        from scipy.optimize import lsq_linear

        q, r = np.linalg.qr(design * self.root[:, np.newaxis])
        sides = q.T @ (self.y * self.root)
        if np.diag(r).all():
            free: Floats = np.asarray(np.linalg.solve(r, sides), dtype=np.float64)
            if np.abs(free).max() <= self.bound:
                return free
        result = lsq_linear(r, sides, (-self.bound, self.bound), "bvls", tol=1e-14)
        return np.clip(np.asarray(result.x, dtype=np.float64), -self.bound, self.bound)

    def _value_and_gradient(self, inner: Floats) -> tuple[float, Floats]:
        design, before = self._design(inner)
        outer = self._outer(design)
        h = self.shape.width
        error = (design @ outer - self.y) * self.root
        # By the outer weights the risk does not change to first order, or they may not move.
        pull = (2.0 * error * self.root)[:, np.newaxis] * outer[:h]
        pull *= curved.derivative(self.shape.activation.name, before)
        return float(error @ error), np.concatenate([(pull.T @ self.z).ravel(), pull.sum(axis=0)])


def _within(
    value_and_gradient: _Objective, theta: Floats, bound: float, iterations: int, rounds: int
) -> tuple[float, Floats]:
    """Go down by L-BFGS inside a box, in units of the risk that is left."""
    from scipy.optimize import minimize

    value = value_and_gradient(theta)[0]
    for _ in range(rounds):
        unit = value or 1.0

        def scaled(point: Floats, unit: float = unit) -> tuple[float, Floats]:
            height, gradient = value_and_gradient(point)
            return height / unit, gradient / unit

        result = minimize(
            scaled,
            theta,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-bound, bound)] * len(theta),
            options={"maxiter": iterations, "maxfun": 2 * iterations, "ftol": 1e-13, "gtol": 1e-12},
        )
        before, value = value, float(result.fun) * unit
        theta = np.asarray(result.x, dtype=np.float64)
        if not 0.0 < WORTH_A_ROUND * value < before:
            break
    return value, theta


class _Objective(Protocol):
    """A function with its gradient."""

    def __call__(self, theta: Floats, /) -> tuple[float, Floats]: ...


def _some_rows(problem: Samples, shape: Shape, rng: np.random.Generator) -> Samples:
    """Return a part of large data, unless their number does not count."""
    by_moments = problem.on_a_line and shape.activation.piecewise_linear
    if by_moments or problem.size <= MOST_ROWS:
        return problem
    kept = np.sort(rng.choice(problem.size, MOST_ROWS, replace=False))
    weights = problem.weights[kept]
    return Samples(
        problem.x[kept], problem.y[kept], weights * (problem.weights.sum() / weights.sum())
    )


def _nodes(problem: Interval, bound: float) -> Samples:
    """Return nodes of Gauss rules that are fine enough for all networks within a bound."""
    cuts = np.asarray(problem.pieces.cuts)
    many = max(4, int(np.ceil(bound)))
    grid = np.unique(np.concatenate([cuts, np.linspace(problem.a, problem.b, many + 1)]))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    x: list[Floats] = []
    y: list[Floats] = []
    mass: list[Floats] = []
    for low, high in pairwise(grid.tolist()):
        at: Floats = (low + high) / 2.0 + (high - low) / 2.0 * np.asarray(nodes)
        x.append(at)
        y.append(problem.target(at))
        # A density may be below zero by rounding.
        mass.append(np.maximum(problem.density(at), 0.0) * weights * (high - low) / 2.0)
    return Samples(np.concatenate(x), np.concatenate(y), np.concatenate(mass))
