"""Every critical level of networks fitted to an affine target, and networks at them (S2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from reluscape.errors import InputError
from reluscape.networks.activations import Activation, parse
from reluscape.networks.arrays import is_number, is_whole
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval
from reluscape.problems.levels import levels, threshold
from reluscape.problems.targets import affine

Split = Sequence[int] | Sequence[Sequence[float]]

# Shares of a bend must sum to one up to this.
SHARES = 1e-12


@dataclass(frozen=True, eq=False)
class AffineLandscape:
    """The landscape of `integral from a to b of (N(x) - alpha x - beta)^2 dx`, completely.

    Attributes
    ----------
    alpha, beta, a, b : float
    width : int
    activation : Activation
    problem : Interval
    levels : tuple of float
        All risks of critical points, increasing; 0 is among them where it is attained.
    threshold : float
        For almost all starts and step sizes, gradient descent that converges to a limit with a risk
        below it has reached a global minimum: `alpha^2 (b - a)^3 / 12`.
    """

    alpha: float
    beta: float
    a: float
    b: float
    width: int
    activation: Activation
    problem: Interval = field(repr=False)
    levels: tuple[float, ...]
    threshold: float

    @property
    def length(self) -> float:
        """B - a."""
        return self.b - self.a

    @property
    def middle(self) -> float:
        """Value of the target in the middle of the interval."""
        return self.alpha * (self.a + self.length / 2.0) + self.beta

    def breakpoints(self, n: int, family: str = "A") -> tuple[float, ...]:
        """Return the n breakpoints of a saddle.

        Parameters
        ----------
        n : int
        family : {"A", "B"}
            For leaky ReLU: whether the first breakpoint is right-active ("A") or left-active.

        Returns
        -------
        tuple of float
            For ReLU they cut the interval into equal parts.
        """
        return tuple(t for t, _, _ in self._bends(n, family))

    def saddle(self, n: int, *, split: Split | None = None, family: str = "A") -> Network:
        """Build a saddle with n breakpoints.

        Parameters
        ----------
        n : int
            ReLU: even, 0 <= n <= width. Leaky ReLU: 0 <= n <= width. Quadratic activation: 0.
        split : sequence, optional
            How neurons share each bend: either the number of neurons at each of the n breakpoints,
            from left to right, or for each breakpoint a row of shares that sum to 1 (zeros and
            negative shares are admissible). Default: one neuron each. Neurons that are left over
            are inactive (leaky ReLU: flat and constant).
        family : {"A", "B"}
            For leaky ReLU and n >= 1, see `breakpoints`.

        Returns
        -------
        Network

        Raises
        ------
        InputError
            If there is no such saddle.
        """
        bends = self._bends(n, family)
        shares = _shares(split, n, self.width)
        w: list[float] = []
        b: list[float] = []
        v: list[float] = []
        for (t, side, jump), row in zip(bends, shares, strict=True):
            for share in row:
                w.append(side)
                b.append(-side * t)
                v.append(share * jump * side)
        idle = self.width - len(w)
        if n == 0 and not idle:
            raise InputError("a network of width 0 has no saddles; give width >= 1.")
        w, b, v = w + [0.0] * idle, b + [0.0] * idle, v + [0.0] * idle
        for j in range(self.width - idle, self.width):
            # For n = 0 a flat semi-active neuron makes the point a saddle; else it is in the way
            # of nothing, and for ReLU an inactive one is simplest.
            w[j], b[j] = self._spare(saddle=n == 0)
        return self._centred(w, b, v)

    def dead_minimum(self) -> Network:
        """Return a local minimum that is not global: all neurons inactive, constant and centred.

        Raises
        ------
        InputError
            If the activation is not ReLU: others have no such minima.
        """
        if self.activation.name != "relu":
            raise InputError(
                f"{_name(self.activation)} networks have no local minima but the global ones; "
                'dead_minimum needs activation="relu".'
            )
        w, b = self._spare(saddle=False)
        return Network([w] * self.width, [b] * self.width, [0.0] * self.width, self.middle)

    def global_minimum(self) -> Network:
        """Return a network that equals the target on the interval.

        Raises
        ------
        InputError
            If there is none: one neuron with the quadratic activation.
        """
        if self.activation.name == "square":
            if self.width < 2:
                raise InputError(
                    "one neuron with the quadratic activation comes arbitrarily close to the "
                    "target, but no parameters attain risk 0; give width >= 2."
                )
            # (x - m + 1)^2 - (x - m - 1)^2 = 4 (x - m).
            m = self.a + self.length / 2.0
            idle = [0.0] * (self.width - 2)
            return Network(
                [1.0, 1.0, *idle],
                [1.0 - m, -1.0 - m, *idle],
                [self.alpha / 4.0, -self.alpha / 4.0, *idle],
                self.middle,
                activation=self.activation,
            )
        # One neuron that is positive on [a, b], 1 at its left end after scaling by its length.
        idle = self.width - 1
        w, b = self._spare(saddle=False)
        slope = 1.0 / self.length
        bias = 1.0 - self.a * slope
        v = self.alpha * self.length
        return Network(
            [slope] + [w] * idle,
            [bias] + [b] * idle,
            [v] + [0.0] * idle,
            self.alpha * self.a + self.beta - v,
            activation=self.activation,
        )

    def _bends(self, n: int, family: str) -> list[tuple[float, float, float]]:
        """Return breakpoint, side (1: right-active) and slope jump v w of each bend."""
        if not is_whole(n) or not 0 <= n <= self.width:
            raise InputError(
                f"n is {n!r}; a saddle of width {self.width} has between 0 and {self.width} "
                "breakpoints."
            )
        if family not in ("A", "B"):
            raise InputError(f'family is {family!r}; use "A" or "B".')
        if n == 0:
            return []
        if self.activation.name == "square":
            raise InputError("saddles of the quadratic activation are constant; give n = 0.")
        if self.activation.name == "relu":
            if n % 2:
                raise InputError(
                    f"n is {n}, which is odd; saddles of ReLU networks have an even number of "
                    "breakpoints."
                )
            if family == "B":
                raise InputError('ReLU has one family of saddles; leave family at "A".')
            jump = 2.0 * self.alpha / (n + 1)
            return [
                (self.a + self.length * i / (n + 1), 1.0 if i % 2 else -1.0, jump)
                for i in range(1, n + 1)
            ]
        return self._leaky_bends(n, family)

    def _leaky_bends(self, n: int, family: str) -> list[tuple[float, float, float]]:
        g = self.activation.slope
        first = 1.0 if family == "A" else -1.0
        sides = [first * (1.0 if i % 2 else -1.0) for i in range(1, n + 1)]
        ratios = [math.sqrt(1.0 + g)] * (n + 1)
        ratios[0] = 1.0 if family == "A" else math.sqrt(g)
        ratios[n] = math.sqrt(g) if sides[-1] > 0.0 else 1.0
        total = math.fsum(ratios)
        kappa = self.alpha * self.length * (1.0 - g) / total**2
        h = [self.length * r / total for r in ratios]
        return [
            (
                self.a + math.fsum(h[:i]),
                sides[i - 1],
                kappa / (1.0 - g) * (1.0 / h[i] + 1.0 / h[i - 1]),
            )
            for i in range(1, n + 1)
        ]

    def _spare(self, saddle: bool) -> tuple[float, float]:
        """Return w and b of a neuron that is left over."""
        if saddle or self.activation.name != "relu":
            # Flat, and 1 everywhere; the quadratic activation asks for w = 0 as well.
            return 0.0, 1.0
        return -1.0 / self.length, self.a / self.length - 1.0

    def _centred(self, w: list[float], b: list[float], v: list[float]) -> Network:
        """Choose the offset so that the error has mean zero."""
        network = Network(w, b, v, self.middle, activation=self.activation)
        if not any(v):
            return network
        # The last entry of the gradient is twice the integral of the error.
        excess = float(self.problem.gradient(network)[-1]) / (2.0 * self.length)
        return Network(w, b, v, self.middle - excess, activation=self.activation)

    def __str__(self) -> str:
        """Say what it is in a few lines."""
        rows = [
            f"target {self.alpha:g} x + {self.beta:g} on [{self.a:g}, {self.b:g}], width "
            f"{self.width}, {_name(self.activation)}",
            "critical levels: " + ", ".join(f"{level:.10g}" for level in self.levels),
            f"a limit of descent below {self.threshold:.10g} is a global minimum",
        ]
        return "\n".join(rows)


def affine_landscape(
    alpha: float,
    beta: float,
    a: float,
    b: float,
    width: int,
    *,
    activation: str | Activation = "relu",
) -> AffineLandscape:
    """Describe the landscape of the risk for the target `alpha x + beta` on [a, b].

    Parameters
    ----------
    alpha, beta : float
        The target; alpha is not 0 (for constant targets every critical point is a global minimum).
    a, b : float
        The interval, a < b, with Lebesgue measure: risks are not divided by b - a.
    width : int
        At least 1.
    activation : str or Activation, default "relu"
        ``"relu"``, ``leaky(slope)`` or ``"square"``.

    Returns
    -------
    AffineLandscape

    Raises
    ------
    InputError
        If alpha is 0, a >= b, or the width is below 1.

    Notes
    -----
    Cheridito, Jentzen and Rossmannek (S2, 2103.10922): for ReLU the critical levels are 0 and
    `alpha^2 (b - a)^3 / (12 (n + 1)^4)` for even n up to the width. For leaky ReLU with slope g
    they are 0 and `alpha^2 (b - a)^3 (1 - g)^2 / (12 D^4)`, in two families for every n; this
    closed form was derived for this package and agrees with root searches.

    Examples
    --------
    >>> landscape = affine_landscape(1, 0, 0, 1, 3)
    >>> [round(1 / level) for level in landscape.levels[1:]]
    [972, 12]
    >>> from reluscape import classify
    >>> classify(landscape.problem, landscape.saddle(2, split=(1, 2))).kind
    'saddle'
    >>> classify(landscape.problem, landscape.dead_minimum()).kind
    'local minimum'
    """
    for name, value in (("alpha", alpha), ("beta", beta), ("a", a), ("b", b)):
        if not (is_number(value) and math.isfinite(value)):
            raise InputError(f"{name} is {value!r}; give a finite number.")
    if alpha == 0.0:
        raise InputError(
            "alpha is 0: for a constant target every critical point is a global minimum, and there "
            "is nothing to list; give a slope that is not 0."
        )
    if not a < b:
        raise InputError(f"the interval [{a}, {b}] is not one; give finite a < b.")
    if not is_whole(width) or width < 1:
        raise InputError(f"width is {width!r}; give a whole number >= 1.")
    act = parse(activation)
    alpha, beta, a, b = float(alpha), float(beta), float(a), float(b)
    problem = Interval(affine(alpha, beta), a, b)
    top = threshold(alpha, b - a)
    if act.name == "square":
        listed = (0.0, top) if width > 1 else (top,)
    else:
        listed = tuple(levels(alpha, b - a, int(width), act.slope))
    return AffineLandscape(alpha, beta, a, b, int(width), act, problem, listed, top)


def _shares(split: Split | None, n: int, width: int) -> list[list[float]]:
    """Return the share of each neuron at each of the n bends."""
    rows: list[list[float]] = []
    for part in [1] * n if split is None else split:
        if isinstance(part, (int, np.integer)):
            rows.append([1.0 / int(part)] * int(part) if part > 0 else [])
        else:
            rows.append([float(share) for share in part])  # pyright: ignore[reportGeneralTypeIssues]
    if len(rows) != n:
        raise InputError(f"split has {len(rows)} entries; n = {n} breakpoints need {n}.")
    for i, row in enumerate(rows):
        if not row or not abs(math.fsum(row) - 1.0) <= SHARES * max(1.0, max(map(abs, row))):
            raise InputError(
                f"split says {row} for breakpoint {i + 1}; give one neuron or more, with shares "
                "that sum to 1."
            )
    needed = sum(map(len, rows))
    if needed > width:
        raise InputError(f"split needs {needed} neurons, but the width is {width}.")
    return rows


def _name(activation: Activation) -> str:
    if activation.name == "leaky":
        return f"leaky ReLU with slope {activation.slope:g}"
    return "quadratic activation" if activation.name == "square" else "ReLU"
