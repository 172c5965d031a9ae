"""Gradient descent in JAX: ``jit``, ``grad`` and ``vmap`` as taught, and tuned by hand.

JAX sees the two cores as two devices, each with its share of the networks, or of the rows when
there is one network; this file must be imported before anything else imports JAX.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.data import Array
from benchmarks.descent_peers import ALL, WIDTH, Block, Descend, Variant

H = WIDTH

jax.config.update("jax_enable_x64", True)

Sums = Callable[[Any, Any, Any], Any]


def _split(row: Any) -> tuple[Any, Any, Any, Any]:
    return row[:H], row[H : 2 * H], row[2 * H : 3 * H], row[3 * H]


def risk_sum(row: Any, x: Any, y: Any) -> Any:
    """Return the sum of squares, to be differentiated."""
    w, b, v, c = _split(row)
    error = v @ jax.nn.relu(w[:, None] * x + b[:, None]) + c - y
    return jnp.sum(error * error)


def products(row: Any, x: Any, y: Any) -> Any:
    """Return the gradient of ``risk_sum``, every sum a matrix product."""
    w, b, v, c = _split(row)
    before = w[:, None] * x + b[:, None]
    hidden = jnp.maximum(before, 0.0)
    error = v @ hidden + c - y
    sums = jnp.where(before > 0.0, 1.0, 0.0) @ jnp.stack([error * x, error], 1)
    parts = (v * sums[:, 0], v * sums[:, 1], hidden @ error, error.sum()[None])
    return 2.0 * jnp.concatenate(parts)


def unrolled(row: Any, x: Any, y: Any) -> Any:
    """Return the gradient of ``risk_sum``, written out unit by unit so that XLA can fuse it."""
    w, b, v, c = _split(row)
    error = c - y
    for j in range(H):
        error = error + v[j] * jnp.maximum(w[j] * x + b[j], 0.0)
    sums_x, sums_1 = [], []
    for j in range(H):
        active = jnp.where(w[j] * x + b[j] > 0.0, error, 0.0)
        sums_x.append((active * x).sum())
        sums_1.append(active.sum())
    first, zeroth = jnp.stack(sums_x), jnp.stack(sums_1)
    parts = (v * first, v * zeroth, w * first + b * zeroth, error.sum()[None])
    return 2.0 * jnp.concatenate(parts)


def _in_blocks(sums: Sums, long: int) -> Sums:
    """Take ``long`` rows at a time, so that what is in between stays in the cache."""

    def total(row: Any, x: Any, y: Any) -> Any:
        n = x.shape[0]
        if long >= n:
            return sums(row, x, y)
        whole = n // long * long
        blocks = (x[:whole].reshape(-1, long), y[:whole].reshape(-1, long))
        add = lambda carry, block: (carry + sums(row, *block), None)  # noqa: E731
        done, _ = lax.scan(add, jnp.zeros_like(row), blocks)
        return done + sums(row, x[whole:], y[whole:]) if whole < n else done

    return total


def _networks(sums: Sums, block: Block) -> Callable[..., Any]:
    """Descend from all rows of ``theta``: ``block[0]`` networks at a time, one after another."""
    total = _in_blocks(sums, block[1])

    def run(theta: Any, x: Any, y: Any, scale: Any, steps: Any) -> Any:
        if block[0] == 1:
            step = lambda row: row - scale * total(row, x, y)  # noqa: E731
            return lax.map(lambda row: lax.fori_loop(0, steps, lambda _, r: step(r), row), theta)
        together = jax.vmap(total, (0, None, None))
        step = lambda part: part - scale * together(part, x, y)  # noqa: E731
        parts = theta.reshape(-1, min(block[0], theta.shape[0]), theta.shape[1])
        done = lax.map(lambda part: lax.fori_loop(0, steps, lambda _, p: step(p), part), parts)
        return done.reshape(theta.shape)

    return run


@cache
def _single(sums: Sums, block: Block) -> Callable[..., Any]:
    return jax.jit(_networks(sums, block))


@cache
def _paired(sums: Sums, block: Block) -> Callable[..., Any]:
    return jax.pmap(_networks(sums, block), in_axes=(0, None, None, None, None))


@cache
def _halved(sums: Sums, block: Block) -> Callable[..., Any]:
    """One network, half of the rows on each core."""
    total = _in_blocks(sums, block[1])

    def run(row: Any, x: Any, y: Any, scale: Any, steps: Any) -> Any:
        step = lambda r: r - scale * lax.psum(total(r, x, y), "rows")  # noqa: E731
        return lax.fori_loop(0, steps, lambda _, r: step(r), row)

    return jax.pmap(run, axis_name="rows", in_axes=(None, 0, 0, None, None))


def _one_device(sums: Sums) -> Descend:
    def descend(
        theta: Array, x: Array, y: Array, step_size: float, steps: int, block: Block
    ) -> Array:
        scale = step_size / x.size
        return np.asarray(_single(sums, _even(block, len(theta)))(theta, x, y, scale, steps))

    return descend


def _two_devices(sums: Sums) -> Descend:
    def descend(
        theta: Array, x: Array, y: Array, step_size: float, steps: int, block: Block
    ) -> Array:
        scale = step_size / x.size
        if len(theta) == 1:
            halves = (x.reshape(2, -1), y.reshape(2, -1))
            row = _halved(sums, block)(theta[0], *halves, scale, steps)
            return np.asarray(row)[:1]
        shares = theta.reshape(2, -1, theta.shape[1])
        run = _paired(sums, _even(block, shares.shape[1]))
        return np.asarray(run(shares, x, y, scale, steps)).reshape(theta.shape)

    return descend


def _even(block: Block, networks: int) -> Block:
    """Return the block with the largest number of networks that divides them evenly."""
    many = min(block[0], networks)
    while networks % many:
        many -= 1
    return many, block[1]


def _whole(networks: int, n: int) -> Iterable[Block]:  # noqa: ARG001
    yield (networks, ALL)


def _blocks(networks: int, n: int) -> Iterable[Block]:
    if networks > 1 and n <= 10_000:
        yield from ((many, n) for many in (1, 4, 20, 100))
    elif n <= 10_000:
        yield from ((1, n), (1, n // 2))
    else:
        yield from ((1, long) for long in (1_000, 2_000, 4_000, 20_000))


GRADIENT: Sums = jax.grad(risk_sum)

VARIANTS = [
    Variant("jax", "jit, vmap(grad), fori_loop", "documented", _one_device(GRADIENT), _whole),
    Variant("jax", "grad, blocks", "tuned", _one_device(GRADIENT), _blocks),
    Variant("jax", "grad, blocks, two devices", "tuned", _two_devices(GRADIENT), _blocks),
    Variant("jax", "products, blocks", "tuned", _one_device(products), _blocks),
    Variant("jax", "products, blocks, two devices", "tuned", _two_devices(products), _blocks),
    Variant("jax", "unrolled, blocks", "tuned", _one_device(unrolled), _blocks),
    Variant("jax", "unrolled, blocks, two devices", "tuned", _two_devices(unrolled), _blocks),
]
