"""Gradient descent in NumPy: as one writes it first, and as an expert tunes it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.data import Array
from benchmarks.descent_peers import ALL, WIDTH, Block, Descend, Variant

H = WIDTH


def broadcast(
    theta: Array, x: Array, y: Array, step_size: float, steps: int, block: Block
) -> Array:
    """Whole arrays of shape (networks, width, rows), no buffers: the usual first version."""
    out = theta.copy()
    scale = 2.0 / x.size
    for first in range(0, len(out), block[0]):
        part = out[first : first + block[0]]
        w, b, v, c = part[:, :H], part[:, H : 2 * H], part[:, 2 * H : 3 * H], part[:, 3 * H]
        for _ in range(steps):
            before = w[:, :, None] * x + b[:, :, None]
            hidden = np.maximum(before, 0.0)
            error = np.matmul(v[:, None, :], hidden)[:, 0] + c[:, None] - y
            active = (before > 0.0) * error[:, None, :]
            grad_w = v * (active @ x)
            grad_b = v * active.sum(axis=2)
            grad_v = np.matmul(hidden, error[:, :, None])[:, :, 0]
            grad_c = error.sum(axis=1)
            part -= step_size * scale * np.concatenate([grad_w, grad_b, grad_v, grad_c[:, None]], 1)
    return out


def _relu_products(
    out: Array, rows: Array, y: Array, step_size: float, steps: int, block: Block
) -> None:
    """Advance ``out`` in place: cache-sized blocks, buffers kept, every sum a matrix product."""
    n = y.size
    many, long = min(block[0], len(out)), min(block[1], n)
    before = np.empty((many, H, long))
    active = np.empty((many, H, long))
    flags = np.empty((many, H, long), dtype=bool)
    error = np.empty((many, 1, long))
    moments = np.empty((many, 2, long))
    for first in range(0, len(out), many):
        part = out[first : first + many]
        k = len(part)
        w, b, v, c = part[:, :H], part[:, H : 2 * H], part[:, 2 * H : 3 * H], part[:, 3 * H]
        for _ in range(steps):
            inner = np.stack([w, b], axis=2)
            outer = np.ascontiguousarray(v[:, None, :])
            sums, sum_v, sum_c = np.zeros((k, H, 2)), np.zeros((k, H)), np.zeros(k)
            for at in range(0, n, long):
                r = rows[:, at : at + long]
                m = r.shape[1]
                p, a, e, q = (
                    before[:k, :, :m],
                    active[:k, :, :m],
                    error[:k, :, :m],
                    moments[:k, :, :m],
                )
                if m == long:
                    np.matmul(inner.reshape(-1, 2), r, out=p.reshape(-1, m))
                else:
                    np.matmul(inner, r, out=p)
                np.greater(p, 0.0, out=flags[:k, :, :m])
                a[...] = flags[:k, :, :m]
                np.maximum(p, 0.0, out=p)
                np.matmul(outer, p, out=e)
                e += c[:, None, None]
                e -= y[at : at + long]
                np.multiply(e, r, out=q)
                sums += a @ q.transpose(0, 2, 1)
                sum_v += (p @ e.transpose(0, 2, 1))[:, :, 0]
                sum_c += q[:, 1].sum(axis=1)
            scale = step_size * 2.0 / n
            grad_w, grad_b = v * sums[:, :, 0], v * sums[:, :, 1]
            w -= scale * grad_w
            b -= scale * grad_b
            v -= scale * sum_v
            c -= scale * sum_c


def _threshold_products(
    out: Array, rows: Array, y: Array, step_size: float, steps: int, block: Block
) -> None:
    """Advance ``out`` in place with 0/1 matrices only.

    In one dimension a unit is active on one side of -b/w, and every sum over rows is a product
    with the matrix of who is active. No pre-activation is ever formed. (w = 0 does not occur in
    the runs that are measured.)
    """
    n = y.size
    many, long = min(block[0], len(out)), min(block[1], n)
    active = np.empty((many, H, long))
    flags = np.empty((many, H, long), dtype=bool)
    moments = np.empty((many, 2, long))
    error = np.empty((many, 1, long))
    for first in range(0, len(out), many):
        part = out[first : first + many]
        k = len(part)
        w, b, v, c = part[:, :H], part[:, H : 2 * H], part[:, 2 * H : 3 * H], part[:, 3 * H]
        for _ in range(steps):
            lines = np.stack([v * w, v * b], axis=1)
            kinks, leftward = -b / w, w < 0.0
            sums, sum_c = np.zeros((k, H, 2)), np.zeros(k)
            for at in range(0, n, long):
                r = rows[:, at : at + long]
                m = r.shape[1]
                a, f, q, e = (
                    active[:k, :, :m],
                    flags[:k, :, :m],
                    moments[:k, :, :m],
                    error[:k, :, :m],
                )
                np.greater(r[0], kinks[:, :, None], out=f)
                np.not_equal(f, leftward[:, :, None], out=f)
                a[...] = f
                np.matmul(lines, a, out=q)
                np.multiply(q[:, :1], r[0], out=e)
                e += q[:, 1:]
                e += c[:, None, None]
                e -= y[at : at + long]
                np.multiply(e, r, out=q)
                sums += a @ q.transpose(0, 2, 1)
                sum_c += q[:, 1].sum(axis=1)
            scale = step_size * 2.0 / n
            grad_w, grad_b = v * sums[:, :, 0], v * sums[:, :, 1]
            grad_v = w * sums[:, :, 0] + b * sums[:, :, 1]
            w -= scale * grad_w
            b -= scale * grad_b
            v -= scale * grad_v
            c -= scale * sum_c


def _one_thread(advance: object) -> Descend:
    def descend(
        theta: Array, x: Array, y: Array, step_size: float, steps: int, block: Block
    ) -> Array:
        out = theta.copy()
        advance(out, np.stack([x, np.ones_like(x)]), y, step_size, steps, block)  # type: ignore[operator]
        return out

    return descend


def _two_threads(advance: object) -> Descend:
    """Half of the networks on each core: NumPy lets go of the interpreter lock in its loops."""

    def descend(
        theta: Array, x: Array, y: Array, step_size: float, steps: int, block: Block
    ) -> Array:
        out = theta.copy()
        rows = np.stack([x, np.ones_like(x)])
        halves = np.array_split(out, 2)
        with ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(advance, half, rows, y, step_size, steps, block)  # type: ignore[arg-type]
                for half in halves
                if len(half)
            ]
            for job in jobs:
                job.result()
        return out

    return descend


def _whole(networks: int, n: int) -> Iterable[Block]:  # noqa: ARG001
    yield from ((many, ALL) for many in (1, 5, 20) if many <= networks)


def _blocks(networks: int, n: int) -> Iterable[Block]:
    if networks > 1 and n <= 10_000:
        yield from ((many, n) for many in (1, 2, 4, 8, 20, 40))
    else:
        yield from ((1, min(long, n)) for long in (1_000, 2_048, 4_096, 8_192, 16_384))


VARIANTS = [
    Variant("numpy", "broadcast", "documented", broadcast, _whole),
    Variant("numpy", "blocks", "tuned", _one_thread(_relu_products), _blocks),
    Variant("numpy", "blocks, two threads", "tuned", _two_threads(_relu_products), _blocks),
    Variant("numpy", "0/1 products", "tuned", _one_thread(_threshold_products), _blocks),
    Variant(
        "numpy", "0/1 products, two threads", "tuned", _two_threads(_threshold_products), _blocks
    ),
]
