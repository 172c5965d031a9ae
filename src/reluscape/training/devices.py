"""Where descents run: on the processors, or on a graphics processor."""

from __future__ import annotations

import importlib.util
import os

from reluscape.errors import InputError

DEVICES = ("cpu", "cuda")
PRECISIONS = ("float64", "float32")


def available() -> list[str]:
    """Return the devices that this machine has, "cpu" first.

    Returns
    -------
    list of str
        Of "cpu" and "cuda". A GPU simulated by Numba (``NUMBA_ENABLE_CUDASIM=1``) counts.

    Examples
    --------
    >>> available()[0]
    'cpu'
    """
    return ["cpu"] if _why_not_cuda() else ["cpu", "cuda"]


def require(device: str, precision: str = "float64") -> None:
    """Refuse a device that is not there, or a precision that it does not have.

    Parameters
    ----------
    device : {"cpu", "cuda"}
    precision : {"float64", "float32"}
        Single precision is for "cuda" only.

    Raises
    ------
    InputError
        That says what is missing, and what to do.

    Examples
    --------
    >>> require("cpu")
    """
    if device not in DEVICES:
        raise InputError(f'device is {device!r}; use "cpu" or "cuda".')
    if precision not in PRECISIONS:
        raise InputError(f'precision is {precision!r}; use "float64" or "float32".')
    if device == "cpu":
        if precision != "float64":
            raise InputError('single precision needs device="cuda"; on processors use "float64".')
        return
    reason = _why_not_cuda()
    if reason:
        raise InputError(f'device="cuda" is asked for, but {reason}, or use device="cpu".')


def describe(device: str = "cpu", precision: str = "float64", threads: int | None = None) -> str:
    """Return which engine runs descents on a device, in words.

    Parameters
    ----------
    device : {"cpu", "cuda"}
    precision : {"float64", "float32"}
    threads : int, optional
        Of processors; default: all.

    Returns
    -------
    str
        Such as "CUDA: NVIDIA H200, float32" or "2 processors, float64".

    Raises
    ------
    InputError
        If the device is not there, see `require`.

    Examples
    --------
    >>> describe("cpu", threads=2)
    '2 processors, float64'
    """
    require(device, precision)
    if device == "cpu":
        count = threads or os.cpu_count() or 1
        return f"{count} processor{'s' if count > 1 else ''}, {precision}"
    return f"CUDA: {_name()}, {precision}"


def _why_not_cuda() -> str:
    """Return what keeps CUDA from being used and what to do about it, or nothing."""
    # Older versions of Numba bring a CUDA target of their own, which lacks options used here; what
    # simulates is good in both.
    missing = 'numba-cuda is not installed; install it with pip install "reluscape[cuda]"'
    if importlib.util.find_spec("numba.cuda") is None:
        return missing
    from numba import cuda

    from reluscape.kernels.cuda_parts import simulated

    if simulated():
        return ""
    if importlib.util.find_spec("numba_cuda") is None:
        return missing
    if cuda.is_available():
        return ""
    return (
        "Numba finds no NVIDIA GPU, driver or CUDA toolkit here (python -m numba -s says which); "
        "run it where there is one"
    )


def _name() -> str:
    """Return the name of the GPU in use."""
    from reluscape.kernels.cuda_parts import cuda, simulated

    if simulated():
        return "simulated by Numba"
    name: object = cuda.get_current_device().name
    return name.decode() if isinstance(name, bytes) else str(name)
