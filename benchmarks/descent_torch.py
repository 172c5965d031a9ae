"""Gradient descent in PyTorch: a module and an optimiser, vmap, by hand, and compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from benchmarks.data import Array
from benchmarks.descent_peers import ALL, WIDTH, Block, Variant
from benchmarks.machine import THREADS

H = WIDTH

torch.set_num_threads(THREADS)


def _tensors(*arrays: Array) -> list[Any]:
    return [torch.tensor(array, dtype=torch.float64) for array in arrays]


def module(
    theta: Array,
    x: Array,
    y: Array,
    step_size: float,
    steps: int,
    block: Block,  # noqa: ARG001
) -> Array:
    """``torch.nn`` and ``torch.optim.SGD``, one network after another."""
    out, xs, ys = _tensors(theta, x, y)
    column, wanted = xs[:, None], ys[:, None]
    for row in out:
        hidden, outer = torch.nn.Linear(1, H), torch.nn.Linear(H, 1)
        net = torch.nn.Sequential(hidden, torch.nn.ReLU(), outer).double()
        with torch.no_grad():
            hidden.weight.copy_(row[:H, None])
            hidden.bias.copy_(row[H : 2 * H])
            outer.weight.copy_(row[None, 2 * H : 3 * H])
            outer.bias.copy_(row[3 * H :])
        optimiser = torch.optim.SGD(net.parameters(), lr=step_size)
        for _ in range(steps):
            optimiser.zero_grad()
            torch.nn.functional.mse_loss(net(column), wanted).backward()
            optimiser.step()
        with torch.no_grad():
            parts = (hidden.weight[:, 0], hidden.bias, outer.weight[0], outer.bias)
            row.copy_(torch.cat(parts))
    return out.numpy()


def vmapped(theta: Array, x: Array, y: Array, step_size: float, steps: int, block: Block) -> Array:
    """``torch.func.vmap(grad(risk))``, as the tutorial on model ensembling teaches."""
    out, xs, ys = _tensors(theta, x, y)

    def risk(row: Any) -> Any:
        hidden = torch.relu(torch.outer(row[:H], xs) + row[H : 2 * H, None])
        error = row[2 * H : 3 * H] @ hidden + row[3 * H] - ys
        return (error * error).mean()

    gradient = torch.func.vmap(torch.func.grad(risk))
    with torch.no_grad():
        for first in range(0, len(out), block[0]):
            part = out[first : first + block[0]]
            for _ in range(steps):
                part -= step_size * gradient(part)
    return out.numpy()


def by_hand(theta: Array, x: Array, y: Array, step_size: float, steps: int, block: Block) -> Array:
    """Cache-sized blocks, buffers kept, every sum a batched matrix product, no autograd."""
    with torch.inference_mode():
        out, xs, ys = _tensors(theta, x, y)
        rows = torch.stack([xs, torch.ones_like(xs)])
        n = ys.numel()
        many, long = min(block[0], len(out)), min(block[1], n)
        scale = step_size * 2.0 / n
        for first in range(0, len(out), many):
            part = out[first : first + many]
            k = len(part)
            w, b, v, c = part[:, :H], part[:, H : 2 * H], part[:, 2 * H : 3 * H], part[:, 3 * H]
            before, active = torch.empty(k, H, long).double(), torch.empty(k, H, long).double()
            error, moments = torch.empty(k, 1, long).double(), torch.empty(k, 2, long).double()
            for _ in range(steps):
                inner = torch.stack([w, b], 2)
                outer = v[:, None, :].contiguous()
                sums = torch.zeros(k, H, 2).double()
                sum_v, sum_c = torch.zeros(k, H, 1).double(), torch.zeros(k).double()
                for at in range(0, n, long):
                    r = rows[:, at : at + long]
                    m = r.shape[1]
                    p, a = before[:, :, :m], active[:, :, :m]
                    e, q = error[:, :, :m], moments[:, :, :m]
                    if m == long:
                        torch.mm(inner.view(-1, 2), r, out=p.view(-1, m))
                    else:
                        p.copy_(torch.matmul(inner, r))
                    torch.gt(p, 0.0, out=a)
                    torch.clamp_min(p, 0.0, out=p)
                    if m == long:
                        torch.bmm(outer, p, out=e)
                    else:
                        e.copy_(torch.bmm(outer, p))
                    e += c[:, None, None]
                    e -= ys[at : at + long]
                    torch.mul(e, r, out=q)
                    sums += torch.bmm(a, q.transpose(1, 2))
                    sum_v += torch.bmm(p, e.transpose(1, 2))
                    sum_c += q[:, 1].sum(1)
                grad_w, grad_b = v * sums[:, :, 0], v * sums[:, :, 1]
                w -= scale * grad_w
                b -= scale * grad_b
                v -= scale * sum_v[:, :, 0]
                c -= scale * sum_c
        return out.numpy()


def _sums(w: Any, b: Any, v: Any, c: Any, x: Any, y: Any) -> tuple[Any, ...]:
    before = w[:, :, None] * x + b[:, :, None]
    hidden = torch.relu(before)
    error = (v[:, :, None] * hidden).sum(1) + c[:, None] - y
    active = (before > 0).to(x.dtype)
    sums = torch.bmm(active, torch.stack([error * x, error], 2))
    return sums[:, :, 0], sums[:, :, 1], torch.bmm(hidden, error[:, :, None])[:, :, 0], error.sum(1)


def _fused_sums(w: Any, b: Any, v: Any, c: Any, x: Any, y: Any) -> tuple[Any, ...]:
    before = w[:, :, None] * x + b[:, :, None]
    hidden = torch.relu(before)
    error = (v[:, :, None] * hidden).sum(1) + c[:, None] - y
    active = torch.where(before > 0, error[:, None, :], 0.0)
    return (active * x).sum(2), active.sum(2), (hidden * error[:, None, :]).sum(2), error.sum(1)


def _compiled(function: Callable[..., Any]) -> Callable[..., Array]:
    """``torch.compile`` of the sums by hand; blocks of rows that divide the rows evenly."""
    compiled = torch.compile(function, dynamic=False)

    def descend(
        theta: Array, x: Array, y: Array, step_size: float, steps: int, block: Block
    ) -> Array:
        with torch.no_grad():
            out, xs, ys = _tensors(theta, x, y)
            n = ys.numel()
            long = min(block[1], n)
            scale = step_size * 2.0 / n
            for first in range(0, len(out), block[0]):
                part = out[first : first + block[0]]
                w, b, v = (part[:, j * H : (j + 1) * H].contiguous() for j in range(3))
                c = part[:, 3 * H].contiguous()
                for _ in range(steps):
                    total: list[Any] = [0.0, 0.0, 0.0, 0.0]
                    for at in range(0, n, long):
                        some = compiled(w, b, v, c, xs[at : at + long], ys[at : at + long])
                        total = [a + s for a, s in zip(total, some, strict=True)]
                    grad_w, grad_b = v * total[0], v * total[1]
                    w -= scale * grad_w
                    b -= scale * grad_b
                    v -= scale * total[2]
                    c -= scale * total[3]
                part.copy_(torch.cat([w, b, v, c[:, None]], 1))
            return out.numpy()

    return descend


def _one(networks: int, n: int) -> Iterable[Block]:  # noqa: ARG001
    if networks == 1:
        yield (1, ALL)


def _many(networks: int, n: int) -> Iterable[Block]:  # noqa: ARG001
    yield from ((many, ALL) for many in (1, 20, 100, 1_000) if many <= networks)


def _blocks(networks: int, n: int) -> Iterable[Block]:
    if networks > 1 and n <= 10_000:
        yield from ((many, n) for many in (10, 20, 50, 100))
    else:
        yield from ((1, min(long, n)) for long in (4_096, 10_000, 20_000, 40_000))


def _few_blocks(networks: int, n: int) -> Iterable[Block]:
    if networks > 1 and n <= 10_000:
        yield from ((many, n) for many in (10, 20, 50))
    else:
        yield from ((1, min(long, n)) for long in (20_000, 100_000))


VARIANTS = [
    Variant("torch", "nn and SGD", "documented", module, _one),
    Variant("torch", "func.vmap(grad)", "documented", vmapped, _many),
    Variant("torch", "by hand, blocks", "tuned", by_hand, _blocks),
    Variant("torch", "compile, products", "tuned", _compiled(_sums), _few_blocks),
    Variant("torch", "compile, fused sums", "tuned", _compiled(_fused_sums), _few_blocks),
]
