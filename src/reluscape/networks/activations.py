"""The activations `max(y, slope * y)`: ReLU (slope 0) and leaky ReLU (0 < slope < 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reluscape.errors import InputError


@dataclass(frozen=True)
class Activation:
    """An activation `max(y, slope * y)`.

    Parameters
    ----------
    name : {"relu", "leaky"}
        Which family; the slope follows the name.
    slope : float, default 0.0
        Slope for negative pre-activations: 0 for ``"relu"``, in (0, 1) for ``"leaky"``.

    Raises
    ------
    InputError
        If the name is unknown or the slope does not fit it.

    Examples
    --------
    >>> Activation("leaky", 0.1)
    Activation(name='leaky', slope=0.1)
    """

    name: str
    slope: float = 0.0

    def __post_init__(self) -> None:
        """Check that name and slope belong together."""
        if self.name not in ("relu", "leaky"):
            raise InputError(
                f'the activation {self.name!r} is not known; use "relu" or leaky(slope).'
            )
        try:
            slope = float(self.slope)
        except (TypeError, ValueError):
            raise InputError(
                f"the slope {self.slope!r} of the activation is not a number; give a float."
            ) from None
        object.__setattr__(self, "slope", slope)
        if self.name == "relu" and slope != 0.0:
            raise InputError(
                f"ReLU has slope 0, not {slope!r}; use leaky({slope!r}) for another slope."
            )
        if self.name == "leaky" and not (math.isfinite(slope) and 0.0 < slope < 1.0):
            raise InputError(
                f"the slope of a leaky ReLU lies strictly between 0 and 1, not {slope!r}; "
                'use "relu" for slope 0.'
            )


def relu() -> Activation:
    """Return the activation `max(y, 0)`.

    Returns
    -------
    Activation

    Examples
    --------
    >>> relu()
    Activation(name='relu', slope=0.0)
    """
    return Activation("relu", 0.0)


def leaky(slope: float) -> Activation:
    """Return the activation `max(y, slope * y)`.

    Parameters
    ----------
    slope : float
        In (0, 1).

    Returns
    -------
    Activation

    Raises
    ------
    InputError
        If the slope is not in (0, 1).

    Examples
    --------
    >>> leaky(0.01).slope
    0.01
    """
    return Activation("leaky", slope)


def parse(activation: str | Activation) -> Activation:
    """Turn what a user may write for an activation into an `Activation`.

    Parameters
    ----------
    activation : str or Activation
        ``"relu"``, or the value of `relu` or `leaky`.

    Returns
    -------
    Activation

    Raises
    ------
    InputError
        If it is neither; ``"leaky"`` alone lacks its slope.

    Examples
    --------
    >>> parse("relu")
    Activation(name='relu', slope=0.0)
    """
    if isinstance(activation, Activation):
        return activation
    if activation == "relu":
        return relu()
    if activation == "leaky":
        raise InputError('"leaky" does not say its slope; use leaky(slope), e.g. leaky(0.01).')
    raise InputError(f'the activation {activation!r} is not known; use "relu" or leaky(slope).')
