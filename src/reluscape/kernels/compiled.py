"""The one place where Numba is set up for the kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a kernel: cached on disk, outside the interpreter lock, IEEE arithmetic.

    Fast-math stays off: the error-free transformations of `twofold` and the claim that a descent
    follows the textbook iterates both rest on every operation being rounded as written.
    """
    decorate = cast(
        Callable[[Function], Function],
        numba.njit(nogil=True, cache=True, error_model="numpy"),
    )
    return decorate(function)
