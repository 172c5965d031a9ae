"""Problems, rules and starts for many descents at once, and how well they must agree."""

from __future__ import annotations

import numpy as np

import reluscape as rs
from reluscape.training.optimisers import (
    Adam,
    GradientDescent,
    HeavyBall,
    StochasticGradientDescent,
)

# A step rounds each parameter and its gradient to about 1e-16; some sixty steps, and the growth
# of an error along directions of negative curvature, leave three digits to spare.
AGREE = 1e-11
# Adam divides each partial derivative by its own size: one of 1e-4 keeps four digits less.
AGREE_ADAM = 1e-9
# No neuron of these starts is dead: Adam divides what is left of a gradient of zero by epsilon.
SEED = 15
# Risks are sums of squares of errors of about one, rounded once.
RISK = 1e-12
STEPS = 60
RULES = [GradientDescent(), HeavyBall(0.8), Adam(0.8, 0.95, 1e-6)]
EVERY_RULE = [*RULES, StochasticGradientDescent(3)]


def name_of(value):
    return type(value).__name__ if type(value).__module__.startswith("reluscape") else None


def starts(runs, width, *, skip=False, seed=0, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal((runs, 3 * width + 1 + skip))


def zigzag(pieces):
    x = np.linspace(-1, 2, pieces + 1)
    return rs.piecewise_linear(x, np.sin(3 * x) + (-1.0) ** np.arange(pieces + 1) / 4)


def data(rows, *, weighted=False, ties=False, seed=7):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    if ties:
        x = x[rng.integers(0, max(rows // 3, 1), rows)]
    y = np.abs(x - 0.3) + rng.normal(size=rows) / 5
    return rs.Samples(x, y, 3 * rng.random(rows) / rows if weighted else None)


INTERVALS = {
    "affine": rs.Interval(rs.affine(1, -0.25), 0, 1),
    "cubic": rs.Interval(rs.polynomial([0.5, -1, 0, 1]), -1, 1.5, rs.polynomial([1, 0.25, 0.5])),
    "jump": rs.Interval(rs.piecewise_polynomial([0, 0.4, 1], [[0, 1, 2], [1, -1]]), 0, 1),
    "constant": rs.Interval(rs.polynomial([0.75]), -2, -1),
    **{f"{n} pieces": rs.Interval(zigzag(n), -1, 2) for n in (4, 7, 8, 9, 10, 12, 30)},
}
SAMPLES = {
    "small": data(9),
    "ties": data(30, ties=True),
    "weighted": data(25, weighted=True),
    "thousand": data(1000, ties=True, weighted=True),
    "one row": rs.Samples([0.7], [1.5]),
    "two rows": rs.Samples([0.7, -0.2], [1.5, 1.0]),
    "one place": rs.Samples([0.7, 0.7, 0.7], [1.5, 0.5, 1.0], [1.0, 2.0, 0.5]),
    "idle rows": rs.Samples([-9.0, 0.1, 0.8, 9.0], [7.0, 0.5, 0.25, -7.0], [0, 1.0, 2.0, 0]),
    "column": rs.Samples(np.linspace(-1, 1, 6)[:, None], np.linspace(-1, 1, 6) ** 2),
}
PROBLEMS = INTERVALS | SAMPLES
