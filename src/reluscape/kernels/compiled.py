"""The one place where Numba is set up for the kernels."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
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
    options = {"nogil": True, "cache": True, "error_model": "numpy"} | wrappers

    def compile_later(function: Function) -> Function:
        dispatcher = untyped(**options)(function)
        _depend_on_all(dispatcher)
        return cast(Function, dispatcher)

    return compile_later


def _depend_on_all(dispatcher: Any) -> None:  # noqa: ANN401
    """Let what is compiled on disk be of use only while no source of a kernel has changed.

    Numba looks at the file of a function alone, and not at those that it calls: after an update a
    kernel would go on with the parts of the version before, and give wrong numbers.
    """
    kept = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if hasattr(kept, "_source_stamp"):
        cast(Any, kept)._source_stamp = (cast(Any, kept)._source_stamp, _sources())


@cache
def _sources() -> tuple[tuple[str, int, int], ...]:
    """Return name, time and size of all sources of the kernels."""
    found = [(path.name, path.stat()) for path in sorted(Path(__file__).parent.glob("*.py"))]
    return tuple((name, about.st_mtime_ns, about.st_size) for name, about in found)


def _fused(typing_context: Any, a: Any, b: Any, c: Any) -> Any:  # noqa: ANN401, ARG001
    """Emit LLVM's fused multiply-add: the hardware instruction, or the C library's function."""
    double = numba.types.float64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401, ARG001
        return builder.fma(*arguments)

    return double(double, double, double), generate


# `fused(a, b, c)` is `a * b + c` with one rounding; callable from compiled code only.
fused = cast(Callable[[float, float, float], float], intrinsic(_fused))
