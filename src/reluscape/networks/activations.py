"""The activations: ReLU and leaky ReLU, `max(y, slope * y)`; `y^2`, tanh and softplus."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reluscape.errors import InputError
from reluscape.networks.curved import CURVED

_KNOWN = '"relu", leaky(slope), "square", "tanh" or "softplus"'


@dataclass(frozen=True)
class Activation:
    """An activation: `max(y, slope * y)`, `y^2`, `tanh(y)` or `log(1 + e^y)`.

    Parameters
    ----------
    name : {"relu", "leaky", "square", "tanh", "softplus"}
        Which family; the slope follows the name.
    slope : float, default 0.0
        Slope for negative pre-activations: 0 for ``"relu"``, in (0, 1) for ``"leaky"``. The others
        have none; it is 0 there.

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
        if self.name not in ("relu", "leaky", *CURVED):
            raise InputError(f"the activation {self.name!r} is not known; use {_KNOWN}.")
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
        if self.name in CURVED and slope != 0.0:
            raise InputError(f"the activation {self.name!r} has no slope; leave {slope!r} out.")

    @property
    def piecewise_linear(self) -> bool:
        """Whether it is `max(y, slope * y)`; the others are curved."""
        return self.name not in CURVED


def require_piecewise_linear(activation: Activation, what: str) -> None:
    """Refuse curved activations where only piecewise linear ones make sense.

    Parameters
    ----------
    activation : Activation
    what : str
        What needs it, the subject of the message.

    Raises
    ------
    InputError
        If the activation is not `max(y, slope * y)`.

    Examples
    --------
    >>> require_piecewise_linear(relu(), "polish")
    """
    if not activation.piecewise_linear:
        raise InputError(
            f"{what} needs a piecewise linear activation, which {activation.name!r} is not; use "
            '"relu" or leaky(slope).'
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
        ``"relu"``, ``"square"``, ``"tanh"``, ``"softplus"``, or the value of `relu` or `leaky`.

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
    if activation in ("relu", *CURVED):
        return Activation(activation)
    if activation == "leaky":
        raise InputError('"leaky" does not say its slope; use leaky(slope), e.g. leaky(0.01).')
    raise InputError(f"the activation {activation!r} is not known; use {_KNOWN}.")
