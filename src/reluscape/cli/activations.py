"""Activations as they are typed: relu, leaky:0.1, tanh."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from reluscape.errors import InputError

if TYPE_CHECKING:
    from reluscape.networks.activations import Activation


def read_activation(text: str, *, curved: bool = False) -> Activation:
    """Read an activation.

    Parameters
    ----------
    text : str
    curved : bool, default False
        Whether it may be tanh, softplus or square.

    Raises
    ------
    InputError
        When it is none.

    Examples
    --------
    >>> read_activation("leaky:0.1")
    Activation(name='leaky', slope=0.1)
    """
    from reluscape.networks.activations import Activation, leaky
    from reluscape.networks.curved import CURVED

    if text == "relu" or (curved and text in CURVED):
        return Activation(text)
    match = re.fullmatch(r"leaky:([0-9.eE+-]+)", text)
    try:
        slope = float(match.group(1)) if match else math.nan
    except ValueError:
        slope = math.nan
    if not 0 < slope < 1:
        others = ", ".join(["relu", *(CURVED if curved else ())])
        raise InputError(
            f"--activation is {text!r}; give {others}, or leaky:S with a slope S between 0 and 1."
        )
    return leaky(slope)


def described(activation: Activation) -> str:
    """Name an activation in a sentence.

    Examples
    --------
    >>> described(read_activation("leaky:0.1")), described(read_activation("relu"))
    ('leaky ReLU of slope 0.1', 'ReLU')
    """
    if activation.slope:
        return f"leaky ReLU of slope {activation.slope:g}"
    names = {"relu": "ReLU", "square": "y^2"}
    return names.get(activation.name, activation.name)
