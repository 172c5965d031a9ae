"""Problems with several inputs, and networks on them, for tests of what moves and judges them."""

from __future__ import annotations

import numpy as np

import reluscape as rs

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
KITE = [[-1.0, -1.0], [1.0, -1.0], [1.5, 0.5], [0.0, 1.0]]


def curved():
    """A square with the target 2 x^2 + x y + y^2."""
    return rs.Polygon(rs.polynomial2d([[0, 0, 1], [0, 1, 0], [2, 0, 0]]), SQUARE)


def taught(seed, vertices=KITE, width=3):
    """A polygon with a teacher."""
    rng = np.random.default_rng(seed)
    teacher = rs.Network(
        rng.normal(size=(width, 2)), 0.3 * rng.normal(size=width), rng.normal(size=width)
    )
    return rs.Polygon(teacher, vertices)


def normal(seed, inputs=4, width=3):
    """Normal inputs and a teacher with biases and a skip connection."""
    rng = np.random.default_rng(seed)
    teacher = rs.Network(
        rng.normal(size=(width, inputs)),
        0.3 * rng.normal(size=width),
        rng.normal(size=width),
        0.5,
        rng.normal(size=inputs),
    )
    return rs.Gaussian(teacher)


def rows(seed, inputs=3, count=60, whole=False):
    """Noisy data; `whole`: inputs on a coarse lattice, many on one hyperplane."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, inputs))
    if whole:
        x = rng.integers(-2, 3, size=(count, inputs)).astype(float)
    y = np.abs(x[:, 0]) - np.maximum(x[:, 1], 0.3) + 0.3 * rng.normal(size=count)
    return rs.Samples(x, y)


def all_problems():
    """One of each sort."""
    return [curved(), taught(0, width=5), normal(0), rows(0), rows(1, 2, 40, whole=True)]


def perturbed(network, rng, count, size):
    """Yield networks around one, by steps of lengths up to `size` of all parameters or of a few."""
    theta = network.to_vector()
    scale = np.abs(theta) + 0.1 * np.abs(theta).max()
    for _ in range(count):
        some = rng.random(theta.size) < rng.choice([0.15, 0.5, 1.0])
        step = size * 10.0 ** rng.uniform(-4.0, 0.0) * rng.normal(size=theta.size) * some
        yield like(network, theta + step * scale)


def like(network, theta):
    """Return a network with other parameters."""
    return rs.Network.from_vector(
        theta, network.inputs, network.skip is not None, network.activation
    )


def rescaled(network, factors):
    """Return the same function with other lengths of neurons."""
    f = np.asarray(factors)
    return rs.Network(
        network.weights * f[:, np.newaxis],
        network.biases * f,
        network.outputs / f,
        network.offset,
        network.skip,
        network.activation,
    )


def permuted(network, order):
    """Return the same function with its neurons in another order."""
    return rs.Network(
        network.weights[order],
        network.biases[order],
        network.outputs[order],
        network.offset,
        network.skip,
        network.activation,
    )


def widened(network, weights, bias, output):
    """Return a network with one more neuron."""
    return rs.Network(
        np.vstack([network.weights, [weights]]),
        np.append(network.biases, bias),
        np.append(network.outputs, output),
        network.offset,
        network.skip,
        network.activation,
    )


def start(problem, width=3, seed=0, skip=True, activation="relu"):
    """Return a random network whose hyperplanes meet the inputs."""
    rng = np.random.default_rng(seed)
    return rs.breakpoint_spread(problem, width, rng, skip=skip, activation=activation)


def polished(problem, width=3, seed=0, skip=True, activation="relu"):
    """Return where such a network ends."""
    return rs.polish(problem, start(problem, width, seed, skip, activation)).network


def falls(problem, network, verdict):
    """Tell whether the escape of a verdict is lower; it must be what it says it is."""
    escape = verdict.escape
    there = like(network, network.to_vector() + escape.step * escape.direction)
    np.testing.assert_allclose(np.linalg.norm(escape.direction), 1.0)
    np.testing.assert_allclose(problem.risk(escape.network), escape.risk, rtol=1e-12)
    return escape.network == there and verdict.risk - escape.risk == escape.drop > 0.0
