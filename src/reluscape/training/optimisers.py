"""The rules by which a descent moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from reluscape.errors import InputError
from reluscape.networks.arrays import is_number, is_whole


@dataclass(frozen=True)
class GradientDescent:
    """Plain gradient descent: `theta - step_size * gradient`."""


@dataclass(frozen=True)
class StochasticGradientDescent:
    """Gradient descent on batches of data.

    Parameters
    ----------
    batch : int
        Data a step, drawn with replacement in proportion to their weights: the step is unbiased.

    Raises
    ------
    InputError
        If the batch is not a whole number above 0.

    Examples
    --------
    >>> StochasticGradientDescent(32)
    StochasticGradientDescent(batch=32)
    """

    batch: int

    def __post_init__(self) -> None:
        if not is_whole(self.batch) or self.batch < 1:
            raise InputError(f"batch is {self.batch!r}; give a whole number >= 1.")


@dataclass(frozen=True)
class HeavyBall:
    """Gradient descent with momentum (Polyak, 1964).

    `velocity <- momentum * velocity - step_size * gradient; theta <- theta + velocity`, from rest.

    Parameters
    ----------
    momentum : float
        At least 0, below 1.

    Raises
    ------
    InputError
        If the momentum is out of range.

    Examples
    --------
    >>> HeavyBall()
    HeavyBall(momentum=0.9)
    """

    momentum: float = 0.9

    def __post_init__(self) -> None:
        _check_share("momentum", self.momentum)


@dataclass(frozen=True)
class Adam:
    """Adam with bias correction (Kingma and Ba, arXiv 1412.6980).

    Parameters
    ----------
    beta1, beta2 : float
        Decay of the averages of gradients and of their squares; at least 0, below 1.
    epsilon : float
        Added to the root of the averaged squares; above 0.

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    >>> Adam()
    Adam(beta1=0.9, beta2=0.999, epsilon=1e-08)
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _check_share("beta1", self.beta1)
        _check_share("beta2", self.beta2)
        if not is_number(self.epsilon) or not 0.0 < self.epsilon < float("inf"):
            raise InputError(f"epsilon is {self.epsilon!r}; give a finite number above 0.")


Optimiser: TypeAlias = GradientDescent | StochasticGradientDescent | HeavyBall | Adam


def _check_share(name: str, value: float) -> None:
    if not is_number(value) or not 0.0 <= value < 1.0:
        raise InputError(f"{name} is {value!r}; give a number of at least 0 and below 1.")
