"""Sequences of networks whose limits are known: ramps in the place of jumps, ever steeper.

A jump `1[n.x > tau] J(x)` is the limit of `(k z + J/2)_+ - (k z - J/2)_+` with `z = n.x - tau`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import reluscape as rs
from records import Array


@dataclass(frozen=True)
class Jump:
    normal: Array
    threshold: float
    slope: Array
    constant: float

    def __call__(self, x: Array) -> Array:
        return np.where(x @ self.normal > self.threshold, x @ self.slope + self.constant, 0.0)


@dataclass(frozen=True)
class Limit:
    """A piecewise affine function: jumps, kinks `bend (n.x - tau)_+`, and an affine part."""

    jumps: tuple[Jump, ...]
    kinks: tuple[tuple[Array, float, float], ...]
    slope: Array
    constant: float

    def __call__(self, x: Array) -> Array:
        total = self.constant + x @ self.slope + sum(jump(x) for jump in self.jumps)
        for normal, threshold, bend in self.kinks:
            total = total + bend * np.maximum(x @ normal - threshold, 0.0)
        return total


def random_limit(rng: np.random.Generator, inputs: int, jumps: int, kinks: int) -> Limit:
    """Draw boundaries through [-1, 1]^inputs, apart from each other in one dimension."""
    spots = rng.permutation(np.linspace(-0.8, 0.8, jumps + kinks)) if inputs == 1 else None
    planes = []
    for i in range(jumps + kinks):
        normal = rng.normal(size=inputs)
        normal /= np.linalg.norm(normal)
        if inputs == 1:
            normal = np.ones(1)
            planes.append((normal, float(spots[i])))
        else:
            planes.append((normal, float(rng.uniform(-0.3, 0.3))))
    made = []
    for normal, threshold in planes[:jumps]:
        slope = rng.uniform(-0.5, 0.5, size=inputs)
        height = rng.choice([-1.0, 1.0]) * rng.uniform(1.0, 2.0)
        made.append(Jump(normal, threshold, slope, height - threshold * float(slope @ normal)))
    bends = tuple((n, tau, float(rng.uniform(0.5, 2.0))) for n, tau in planes[jumps:])
    return Limit(tuple(made), bends, rng.normal(size=inputs), float(rng.normal()))


def approach(
    limit: Limit, steepness: float, rng: np.random.Generator | None = None, slope: float = 0.0
) -> rs.Network:
    """Give the network with a ramp for each jump: neurons 2i and 2i + 1, then one for each kink.

    With `rng`, neurons are rescaled and some turned around, the skip connection making up for it.
    """
    rows, skip, offset = [], limit.slope.copy(), limit.constant
    for jump in limit.jumps:
        for side in (1.0, -1.0):
            w = steepness * jump.normal + side * jump.slope / 2
            b = -steepness * jump.threshold + side * jump.constant / 2
            rows.append((w, b, side))
    rows += [(n, -tau, bend) for n, tau, bend in limit.kinks]
    made = []
    for w, b, v in rows:
        # leaky(z) = (1 - slope) z_+ + slope z
        v = v / (1.0 - slope)
        skip, offset = skip - slope * v * w, offset - slope * v * b
        if rng is not None and rng.random() < 0.5:  # z_+ = (-z)_+ + z, also for leaky ReLU
            skip, offset = skip + (1 + slope) * v * w, offset + (1 + slope) * v * b
            w, b = -w, -b
        scale = 1.0 if rng is None else 10.0 ** rng.uniform(-2, 2)
        made.append((w * scale, b * scale, v / scale))
    weights, biases, outputs = (np.array(part) for part in zip(*made, strict=True))
    activation = rs.leaky(slope) if slope else "relu"
    return rs.Network(weights, biases, outputs, offset, skip, activation)


def permuted(network: rs.Network, order: Array) -> rs.Network:
    return rs.Network(
        network.weights[order],
        network.biases[order],
        network.outputs[order],
        network.offset,
        network.skip,
        network.activation,
    )
