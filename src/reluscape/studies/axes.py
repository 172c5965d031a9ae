"""What runs differ by: activations, ways to start and rules of descent, and how they are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from reluscape.errors import InputError
from reluscape.networks.activations import Activation, leaky, relu
from reluscape.networks.arrays import is_number
from reluscape.studies.checks import as_table, check_keys, choice, nearest, positive, whole
from reluscape.training.optimisers import (
    Adam,
    GradientDescent,
    HeavyBall,
    Optimiser,
    StochasticGradientDescent,
)

OPTIMISERS = ("gd", "sgd", "heavy ball", "adam")
INITIALISATIONS = ("normal", "spread")

Table: TypeAlias = Mapping[str, object]

_LEAKY = re.compile(r"leaky\((?P<slope>[^()]+)\)")
_SCALED = re.compile(r"normal\*(?P<scale>.+)")


@dataclass(frozen=True)
class Initialisation:
    """A way to draw a network to start from.

    Attributes
    ----------
    kind : {"normal", "spread"}
        `standard_normal` or `breakpoint_spread`.
    scale : float
        Factor of all parameters; 1 for "spread".
    """

    kind: str = "normal"
    scale: float = 1.0

    @property
    def name(self) -> str:
        """What the axis calls it.

        Examples
        --------
        >>> Initialisation("normal", 0.1).name
        'normal*0.1'
        """
        return self.kind if self.scale == 1.0 else f"{self.kind}*{self.scale!r}"

    def describe(self) -> Table:
        """Return the table that `parse_initialisation` reads."""
        return {"kind": self.kind} | ({} if self.scale == 1.0 else {"scale": self.scale})


def parse_initialisation(value: object) -> Initialisation:
    """Read a way to start.

    Parameters
    ----------
    value : str, mapping or Initialisation
        ``"normal"``, ``"normal*0.1"``, ``"spread"``, or a table of `kind` and `scale`.

    Returns
    -------
    Initialisation

    Raises
    ------
    InputError
        If it is none.

    Examples
    --------
    >>> parse_initialisation({"kind": "normal", "scale": 0.1})
    Initialisation(kind='normal', scale=0.1)
    """
    if isinstance(value, Initialisation):
        value = value.describe()
    if isinstance(value, str):
        scaled = _SCALED.fullmatch(value)
        if scaled is None:
            return Initialisation(choice("an initialisation", value, INITIALISATIONS))
        value = {"kind": "normal", "scale": _number("the scale", scaled["scale"])}
    table = as_table("an initialisation", value)
    check_keys("an initialisation", table, ["kind"], ["scale"])
    kind = choice("the kind of an initialisation", table["kind"], INITIALISATIONS)
    if kind == "spread" and "scale" in table:
        raise InputError(
            'the initialisation "spread" takes its scale from the problem; leave scale out.'
        )
    return Initialisation(kind, positive("the scale of an initialisation", table.get("scale", 1.0)))


def parse_activation(value: object) -> Activation:
    """Read a piecewise linear activation.

    Parameters
    ----------
    value : str, float or Activation
        ``"relu"``, ``"leaky(0.1)"``, or the slope of a leaky ReLU alone.

    Returns
    -------
    Activation

    Raises
    ------
    InputError
        If it is none, or a curved one.

    Examples
    --------
    >>> activation_name(parse_activation(0.1))
    'leaky(0.1)'
    """
    if isinstance(value, Activation):
        if not value.piecewise_linear:
            raise InputError(
                f"the activation {value.name!r} is curved, and studies need a piecewise linear "
                'one; use "relu" or leaky(slope).'
            )
        return value
    if is_number(value):
        return leaky(float(cast("float", value)))
    if value == "relu":
        return relu()
    if isinstance(value, str) and (found := _LEAKY.fullmatch(value)) is not None:
        return leaky(_number("the slope", found["slope"]))
    if isinstance(value, str):
        raise InputError(
            f"the activation {value!r} is not one that can be studied; "
            f"{nearest(value, ['relu', 'leaky(0.1)'])}"
        )
    raise InputError(f'the activation {value!r} is none; use "relu" or the slope of a leaky ReLU.')


def activation_name(activation: Activation) -> str:
    """Return what the axis calls an activation.

    Parameters
    ----------
    activation : Activation

    Returns
    -------
    str
    """
    return "relu" if activation.slope == 0.0 else f"leaky({activation.slope!r})"


def parse_optimiser(value: object) -> Optimiser:
    """Read a rule of descent.

    Parameters
    ----------
    value : str, mapping or one of `training.optimisers`
        ``"gd"``, ``"heavy ball"``, ``"adam"``, or a table of `kind` and its numbers.

    Returns
    -------
    Optimiser

    Raises
    ------
    InputError
        If it is none, or a number is out of range.

    Examples
    --------
    >>> parse_optimiser({"kind": "sgd", "batch": 32})
    StochasticGradientDescent(batch=32)
    """
    if isinstance(value, Optimiser):
        return value
    if isinstance(value, str):
        value = {"kind": value}
    table = as_table("an optimiser", value)
    if "kind" not in table:
        raise InputError(f"an optimiser has no kind; add one of {', '.join(OPTIMISERS)}.")
    kind = choice("an optimiser", table["kind"], OPTIMISERS)
    where = f"the optimiser {kind!r}"
    if kind == "gd":
        check_keys(where, table, ["kind"])
        return GradientDescent()
    if kind == "sgd":
        check_keys(where, table, ["kind", "batch"])
        return StochasticGradientDescent(whole("batch", table["batch"], 1))
    if kind == "heavy ball":
        check_keys(where, table, ["kind"], ["momentum"])
        return HeavyBall(cast("float", table.get("momentum", HeavyBall.momentum)))
    check_keys(where, table, ["kind"], ["beta1", "beta2", "epsilon"])
    return Adam(
        cast("float", table.get("beta1", Adam.beta1)),
        cast("float", table.get("beta2", Adam.beta2)),
        cast("float", table.get("epsilon", Adam.epsilon)),
    )


def optimiser_name(optimiser: Optimiser) -> str:
    """Return what the axis calls a rule.

    Parameters
    ----------
    optimiser : Optimiser

    Returns
    -------
    str

    Examples
    --------
    >>> optimiser_name(HeavyBall(0.9)), optimiser_name(Adam())
    ('heavy ball(0.9)', 'adam')
    """
    if isinstance(optimiser, StochasticGradientDescent):
        return f"sgd({optimiser.batch})"
    if isinstance(optimiser, HeavyBall):
        return f"heavy ball({float(optimiser.momentum)!r})"
    if isinstance(optimiser, Adam):
        if optimiser == Adam():
            return "adam"
        numbers = optimiser.beta1, optimiser.beta2, optimiser.epsilon
        return f"adam({', '.join(repr(float(number)) for number in numbers)})"
    return "gd"


def describe_optimiser(optimiser: Optimiser) -> Table:
    """Return the table that `parse_optimiser` reads.

    Parameters
    ----------
    optimiser : Optimiser

    Returns
    -------
    mapping
    """
    if isinstance(optimiser, StochasticGradientDescent):
        return {"kind": "sgd", "batch": int(optimiser.batch)}
    if isinstance(optimiser, HeavyBall):
        return {"kind": "heavy ball", "momentum": float(optimiser.momentum)}
    if isinstance(optimiser, Adam):
        names = ("beta1", "beta2", "epsilon")
        return {"kind": "adam"} | {name: float(getattr(optimiser, name)) for name in names}
    return {"kind": "gd"}


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{name} {text!r} is no number; give one, like 0.1.") from None
