"""Fits to look at, made without the search for them: breakpoints are given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from reluscape.networks.network import Network
from reluscape.problems.samples import Samples


@dataclass(frozen=True)
class Estimate:
    name: str
    value: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True)
class Inference:
    breakpoints: tuple[Estimate, ...]
    slopes: tuple[Estimate, ...]
    intercept: Estimate
    noise: float
    degrees_of_freedom: int
    level: float = 0.95
    method: str = "asymptotic"
    note: str = ""


@dataclass(frozen=True)
class Pinned:
    intervals: Any
    share: float = 0.01
    fine: bool = True


@dataclass(frozen=True)
class WidthRow:
    width: int
    risk: float
    sum_of_squares: float
    bic: float
    cv_error: float
    cv_standard_error: float
    chosen: bool


@dataclass(frozen=True)
class Constraints:
    monotone: str | None = None
    slope_bounds: tuple[float, float] | None = None
    min_distance: float = 0.0
    min_points: int = 0

    @property
    def active(self) -> bool:
        return self != Constraints()


@dataclass(frozen=True)
class GivenFit:
    """Least squares with known breakpoints."""

    problem: Samples
    breakpoints: Any
    widths: tuple[WidthRow, ...] = ()
    skip: bool = True
    claim: str = "The breakpoints are given; no claim is made."
    seconds: float = 0.25
    seed: int = 0
    constraints: Constraints = field(default_factory=Constraints)
    lower_bound: float = 0.0
    bounds: Any = field(default_factory=lambda: np.empty((0, 3)))
    ended: str = ""

    @cached_property
    def network(self) -> Network:
        x = self.problem.x.reshape(self.problem.size, -1)
        hinges = [np.maximum(x[:, 0] - b, 0) for b in self.breakpoints]
        root = np.sqrt(self.problem.weights)
        design = np.column_stack([np.ones(len(x)), x, *hinges]) * root[:, None]
        c = np.linalg.lstsq(design, self.problem.y * root, rcond=None)[0]
        inputs = x.shape[1]
        inner = np.zeros((self.width, inputs))
        inner[:, 0] = 1.0
        return Network(inner, -self.breakpoints, c[1 + inputs :], c[0], c[1 : 1 + inputs])

    def predict(self, x: Any) -> Any:
        return self.network(x)

    @property
    def gap(self) -> float:
        return 1 - self.lower_bound / self.risk

    @property
    def width(self) -> int:
        return len(self.breakpoints)

    @property
    def slopes(self) -> Any:
        assert self.network.skip is not None
        return np.cumsum([self.network.skip[0], *self.network.outputs])

    @property
    def intercept(self) -> float:
        return float(self.network.offset)

    @property
    def risk(self) -> float:
        return self.problem.risk(self.network)

    @property
    def sum_of_squares(self) -> float:
        return float(np.sum((self.problem.y - self.predict(self.problem.x)) ** 2))

    @property
    def r_squared(self) -> float:
        return 1 - self.sum_of_squares / float(
            np.sum((self.problem.y - self.problem.y.mean()) ** 2)
        )


def infer(fit: GivenFit) -> Inference:
    """Make uncertainties up: a standard error of a tenth each."""

    def estimate(name: str, value: float) -> Estimate:
        return Estimate(name, float(value), 0.1, float(value) - 0.2, float(value) + 0.2)

    return Inference(
        tuple(estimate(f"breakpoint {i}", b) for i, b in enumerate(fit.breakpoints, start=1)),
        tuple(estimate(f"slope {i}", s) for i, s in enumerate(fit.slopes)),
        estimate("intercept", fit.intercept),
        noise=1.5,
        degrees_of_freedom=40,
    )


def _hat(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(7)
    x = rng.uniform(0, 10, n)
    return x, np.minimum(x, 10 - x) + 0.1 * rng.normal(size=n)


@pytest.fixture
def hat_fit() -> GivenFit:
    """One breakpoint at 5, 60 rows."""
    return GivenFit(Samples(*_hat(60)), np.array([5.0]))


@pytest.fixture
def hat_inference(hat_fit: GivenFit) -> Inference:
    return infer(hat_fit)


@pytest.fixture
def proved_fit(hat_fit: GivenFit) -> GivenFit:
    """The same, with bounds whose gap is not closed."""
    risk = hat_fit.risk
    bounds = np.array([[0.5, 0.0, risk], [1.0, 0.6 * risk, risk], [3.0, 0.75 * risk, risk]])
    return replace(hat_fit, lower_bound=0.75 * risk, bounds=bounds, ended="time limit")


@pytest.fixture
def pinned() -> Pinned:
    """For one breakpoint."""
    return Pinned(np.array([[4.5, 5.75]]))


@pytest.fixture(scope="session")
def million_fit() -> GivenFit:
    """One breakpoint at 5, a million rows."""
    return GivenFit(Samples(*_hat(1_000_000)), np.array([5.0]))


@pytest.fixture
def fit_with() -> Any:
    """Make a fit to given data."""

    def build(x: Any, y: Any, breakpoints: Any, weights: Any = None, **more: Any) -> GivenFit:
        return GivenFit(Samples(x, y, weights), np.asarray(breakpoints, dtype=float), **more)

    return build


@pytest.fixture
def width_rows() -> tuple[WidthRow, ...]:
    return tuple(WidthRow(k, 1 / (k + 1), 60 / (k + 1), -k, 0.5, 0.1, k == 2) for k in range(4))


@pytest.fixture
def infer_for() -> Any:
    return infer
