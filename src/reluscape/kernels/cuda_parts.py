"""Parts of the kernel for graphics processors: what it is made for, and looking up moments.

Numba's CUDA target is needed: import this module inside functions only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import cuda as untyped

from reluscape.kernels.typing import Counts, Floats

Function = TypeVar("Function", bound=Callable[..., Any])

# Numba's types do not know of the options that are used here.
cuda: Any = untyped

# Threads of a block, and blocks that are to fit on a processor at a time. The latter bounds the
# registers of a thread: 168 hold a network of width 16 in single precision, 255 are all there are.
# Left to itself the assembler gives large kernels 32.
THREADS = 128
BLOCKS_LIGHT, BLOCKS_HEAVY = 3, 2
LIGHT_WIDTH = 16
# Beyond this size of a parameter a run has diverged; fourth powers still fit into a number.
DIVERGED = {"float64": 1e60, "float32": 1e9}
# Breakpoints are kept this side of infinity.
FAR = {"float64": 1e300, "float32": 1e30}
# At most so many pieces are found by comparing with each edge, and are held in shared memory.
FEW = 16
# Numbers in a row of a table with many pieces: five moments, both edges, the centre.
ROW = 8


class Form(NamedTuple):
    """What a kernel is compiled for.

    `inside` is the number of pieces between the first and the last edge where they are few, else 0.
    """

    width: int
    degree: int
    inside: int
    has_skip: bool
    at_zero_active: bool
    rule: int
    precision: str


class Scales(NamedTuple):
    """Numbers that all threads share, in the working precision.

    `inner` and `outer` turn integrals of the error into displacements of weights and of outputs
    (Adam: into gradients); `beta1`, `rest1 = 1 - beta1`, … and `rate` are what the rule needs.
    """

    first: float
    final: float
    leak: float
    x_centre: float
    x_scale: float
    per_x: float
    y_scale: float
    per_y: float
    inner: float
    outer: float
    beta1: float
    beta2: float
    rest1: float
    rest2: float
    epsilon: float
    rate: float
    diverged: float
    far: float


def row_length(degree: int) -> int:
    """Return the length of a row of a table of few pieces: centre, left edge, five polynomials.

    It is odd, so that the threads of a warp which read different pieces meet in no memory bank.
    """
    return (2 + 5 * (degree + 1)) | 1


def inlined(function: Function) -> Function:
    """Compile a part of the kernel that must vanish into it: arrays can then be registers."""
    options: dict[str, bool] = {"device": True}
    if not simulated():
        options["forceinline"] = True
    return cast(Function, cuda.jit(**options)(function))


def simulated() -> bool:
    """Return whether Numba simulates a device in Python, for tests."""
    from numba.core import config

    settings: Any = config
    return bool(settings.ENABLE_CUDASIM)


@inlined
def find(
    rows: Floats, buckets: Counts, hint: int, t: float, first: float, final: float, on: bool
) -> int:
    """Return the piece of `t` among many: the hint, a neighbour, or what the buckets say.

    `on` says whether an edge at `t` lies below it.
    """
    piece = int(hint)
    for _ in range(3):
        low, high = rows[piece, 0, 5], rows[piece, 0, 6]
        if not (low < t or (on and low == t)):
            piece -= 1
        elif high < t or (on and high == t):
            piece += 1
        else:
            return piece
    last = rows.shape[0] - 1
    # The buckets are those of the edges in double precision: here they are no more than a guess.
    count = buckets.shape[0] - 1
    share = (min(max(t, first), final) - first) / (final - first)
    bucket = min(count - 1, int(share * count))
    begin = max(int(buckets[bucket]) - 1, 0)
    end = min(int(buckets[bucket + 1]) + 1, last)
    low, high = rows[begin, 0, 5], rows[end, 0, 6]
    if not (low < t or (on and low == t)):
        begin = 0
    if high < t or (on and high == t):
        end = last
    while begin < end:
        middle = (begin + end) >> 1
        high = rows[middle, 0, 6]
        if high < t or (on and high == t):
            begin = middle + 1
        else:
            end = middle
    return begin


@inlined
def moments_of_many(
    rows: Floats, piece: int, degree: int, t: float, first: float, final: float
) -> tuple[float, float, float, float, float]:
    """Return five cumulative moments at `t` on a piece."""
    m0, m1, m2 = rows[piece, degree, 0], rows[piece, degree, 1], rows[piece, degree, 2]
    f0, f1 = rows[piece, degree, 3], rows[piece, degree, 4]
    if degree > 0:
        z = min(max(t, first), final) - rows[piece, 0, 7]
        for d in range(degree - 1, -1, -1):
            m0 = m0 * z + rows[piece, d, 0]
            m1 = m1 * z + rows[piece, d, 1]
            m2 = m2 * z + rows[piece, d, 2]
            f0 = f0 * z + rows[piece, d, 3]
            f1 = f1 * z + rows[piece, d, 4]
    return m0, m1, m2, f0, f1


@inlined
def moments_of_few(
    table: Floats, inside: int, degree: int, t: float, first: float, final: float
) -> tuple[float, float, float, float, float]:
    """Return five cumulative moments at `t` from a table of few pieces."""
    kept = min(max(t, first), final)
    # Short and without a sign: no instructions for negative indices.
    piece = np.uint32(0)
    for p in range(1, inside):
        if table[p, 1] <= kept:
            piece = np.uint32(p)
    z = kept - table[piece, 0]
    at = 2 + 5 * degree
    m0, m1, m2 = table[piece, at], table[piece, at + 1], table[piece, at + 2]
    f0, f1 = table[piece, at + 3], table[piece, at + 4]
    for _ in range(degree):
        at -= 5
        m0 = m0 * z + table[piece, at]
        m1 = m1 * z + table[piece, at + 1]
        m2 = m2 * z + table[piece, at + 2]
        f0 = f0 * z + table[piece, at + 3]
        f1 = f1 * z + table[piece, at + 4]
    return m0, m1, m2, f0, f1
