"""The one place where Numba is set up for the kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a kernel: cached on disk, outside the interpreter lock, IEEE arithmetic.

    Fast-math stays off: the error-free transformations of `twofold` and the claim that a descent
    follows the textbook iterates both rest on every operation being rounded as written.
    """
    return _decorator(no_cfunc_wrapper=True)(function)


def inner(function: Function) -> Function:
    """Compile a part of kernels that Python itself never calls: half the time to compile."""
    return _decorator(no_cfunc_wrapper=True, no_cpython_wrapper=True)(function)


def inlined(function: Function) -> Function:
    """Compile a part of a kernel that must vanish into it: its arguments stay in registers."""
    return _decorator(no_cfunc_wrapper=True, no_cpython_wrapper=True, forceinline=True)(function)


def _decorator(**wrappers: bool) -> Callable[[Function], Function]:
    # Numba's types do not know of the options that leave wrappers out.
    untyped: Any = numba.njit
    return cast(
        Callable[[Function], Function],
        untyped(nogil=True, cache=True, error_model="numpy", **wrappers),
    )


def _fused(typing_context: Any, a: Any, b: Any, c: Any) -> Any:  # noqa: ANN401, ARG001
    """Emit LLVM's fused multiply-add: the hardware instruction, or the C library's function."""
    double = numba.types.float64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401, ARG001
        return builder.fma(*arguments)

    return double(double, double, double), generate


# `fused(a, b, c)` is `a * b + c` with one rounding; callable from compiled code only.
fused = cast(Callable[[float, float, float], float], intrinsic(_fused))
