"""The critical levels of the risk for affine targets, and from where success is certain.

For the target `alpha x + beta` on an interval of length L, without skip connection, every critical
point of the risk is known (Cheridito, Jentzen, Rossmannek, arXiv 2103.10922), and with it every
level of the risk at which gradient methods can come to rest. The levels for ReLU are theirs; those
for leaky ReLU were derived anew, along the same lines, and checked numerically.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reluscape.errors import InputError
from reluscape.networks.arrays import is_number, is_whole
from reluscape.problems.interval import Interval

if TYPE_CHECKING:
    from reluscape.networks.network import Network
    from reluscape.problems.samples import Samples

# A risk counts as below a level if it is by more than this share, its rounding error with room to
# spare: the risk of a saddle itself may be rounded down.
MARGIN = 1e-12


def affine_target(problem: Interval | Samples) -> tuple[float, float] | None:
    """Return `(alpha, beta)` if a problem is that of an affine target under a constant density.

    Parameters
    ----------
    problem : Interval or Samples

    Returns
    -------
    tuple of float, or None
        None for data, for a density that is not constant on the interval, and for a target that is
        not the same polynomial `alpha x + beta` on all its pieces there.

    Examples
    --------
    >>> from reluscape import affine, polynomial
    >>> affine_target(Interval(affine(2, 1), 0, 1))
    (2.0, 1.0)
    >>> affine_target(Interval(polynomial([0, 0, 1]), 0, 1)) is None
    True
    """
    if not isinstance(problem, Interval) or _constant_density(problem) is None:
        return None
    line = _one_polynomial(problem.target.on(problem.a, problem.b, "target")[1])
    if line is None or len(line) > 2:
        return None
    beta, alpha = (*line, 0.0, 0.0)[:2]
    return alpha, beta


def threshold(alpha: float, length: float) -> float:
    """Return `alpha^2 length^3 / 12`, the risk of the best constant.

    Every local minimum that is not global has this risk, for ReLU and Lebesgue measure.

    Examples
    --------
    >>> threshold(2.0, 2.5)
    5.208333333333333
    """
    _check_numbers(alpha, length)
    return alpha * alpha * length**3 / 12.0


def levels(alpha: float, length: float, width: int, slope: float = 0.0) -> list[float]:
    """Return the risks of all critical points for the target `alpha x + beta`, increasing.

    Parameters
    ----------
    alpha : float
        Slope of the target.
    length : float
        Of the interval, positive; under Lebesgue measure. For a constant density p the levels are
        p times these.
    width : int
        Number of neurons; there is no skip connection.
    slope : float, default 0.0
        Of the activation below zero: 0 for ReLU, in (0, 1) for leaky ReLU.

    Returns
    -------
    list of float
        For ReLU 0 and `alpha^2 length^3 / (12 (n + 1)^4)` for even `n <= width`. For leaky ReLU
        `alpha^2 length^3 (1 - slope)^2 / (12 D^4)` with D as in the notes, for `1 <= n <= width`.

    Raises
    ------
    InputError
        If a number is out of range.

    Notes
    -----
    n is the number of distinct breakpoints inside the interval. For leaky ReLU with slope g,
    `D = (n - 1) sqrt(1 + g) + d`: for odd n, `d = 1 + sqrt(g)`; for even n, `d = 2` if the first
    breakpoint is active to the right and `d = 2 sqrt(g)` if it is active to the left.

    Examples
    --------
    >>> [round(12 / level, 9) for level in levels(12, 1, 3)[1:]]
    [81.0, 1.0]
    """
    _check_numbers(alpha, length)
    if not is_whole(width) or width < 0:
        raise InputError(f"width is {width!r}; give a whole number >= 0.")
    if not is_number(slope) or not 0.0 <= slope < 1.0:
        raise InputError(f"slope is {slope!r}; give 0 for ReLU, or a number in (0, 1).")
    found = {level for _, level in _named(alpha, length, width, slope)}
    return sorted(found | {0.0} if width or not found else found)


def named_levels(
    problem: Interval | Samples, width: int, slope: float = 0.0, *, skip: bool = False
) -> list[tuple[str, float]] | None:
    """Return the positive critical levels of a problem with their names, the highest first.

    Parameters
    ----------
    problem : Interval or Samples
    width : int
    slope : float, default 0.0
        Of the activation below zero.
    skip : bool

    Returns
    -------
    list of (str, float), or None
        "n = 2" for n breakpoints inside the interval; for leaky ReLU "n = 2A" and "n = 2B" tell the
        two families apart. The k-th is the same for every width that has one. None where the levels
        are not known: see `affine_target`, and with a skip connection.

    Examples
    --------
    >>> from reluscape import affine
    >>> [(name, round(1 / level)) for name, level in named_levels(Interval(affine(1, 0), 0, 1), 3)]
    [('n = 0', 12), ('n = 2', 972)]
    """
    line = affine_target(problem)
    if line is None or not isinstance(problem, Interval) or skip:
        return None
    density = _constant_density(problem)
    if density is None:
        return None
    length = problem.b - problem.a
    return [(name, density * level) for name, level in _named(line[0], length, width, slope)]


def _named(alpha: float, length: float, width: int, slope: float) -> list[tuple[str, float]]:
    """Return the positive levels, the highest first, under Lebesgue measure."""
    highest = threshold(alpha, length)
    if highest == 0.0:
        return []
    if slope == 0.0:
        return [(f"n = {n}", highest / (n + 1) ** 4) for n in range(0, width + 1, 2)]
    root = math.sqrt(slope)
    found = [("n = 0", highest)]
    for n in range(1, width + 1):
        odd = [("", 1.0 + root)]
        for family, ends in odd if n % 2 else [("B", 2.0 * root), ("A", 2.0)]:
            extent = (n - 1) * math.sqrt(1.0 + slope) + ends
            found.append((f"n = {n}{family}", highest * (1.0 - slope) ** 2 / extent**4))
    return found


def certain_limit(problem: Interval | Samples, network: Network) -> float | None:
    """Return the risk below which the limit of gradient descent is a global minimum.

    Parameters
    ----------
    problem : Interval or Samples
    network : Network
        Its width, activation and skip connection count.

    Returns
    -------
    float or None
        `threshold` times the density. For constant targets infinite: all critical points have
        risk 0. None where nothing of the kind is known: see `affine_target`; also for leaky ReLU
        and for networks with a skip connection.

    Notes
    -----
    Cheridito, Jentzen, Rossmannek (arXiv 2208.02083): for almost every step size and almost every
    start, if gradient descent converges and the risk of the limit is below `threshold`, then the
    limit is a global minimum. For constant targets beta: at every `(w, b, v, c)` the generalized
    gradient times `(0, 0, v, c - beta)` is twice the risk.

    Examples
    --------
    >>> from reluscape import Network, affine
    >>> certain_limit(Interval(affine(1, 0), 0, 1), Network([1.0], [0.0], [1.0])) == 1 / 12
    True
    """
    found = _scene(problem, network)
    if found is None or network.activation.slope != 0.0:
        return None
    alpha, length, density = found
    return density * threshold(alpha, length) if alpha != 0.0 else math.inf


def lowest_level(problem: Interval | Samples, network: Network) -> float | None:
    """Return the lowest positive critical level of the risk for networks like this one.

    Parameters
    ----------
    problem : Interval or Samples
    network : Network

    Returns
    -------
    float or None
        Infinite if there is none, for constant targets; None where the levels are not known: see
        `affine_target`, and with a skip connection.

    Examples
    --------
    >>> from reluscape import Network, affine
    >>> pair = Network([1.0, 1.0], [0.0, 0.0], [1.0, 1.0])
    >>> round(1 / lowest_level(Interval(affine(1, 0), 0, 1), pair), 9)
    972.0
    """
    found = _scene(problem, network)
    if found is None:
        return None
    alpha, length, density = found
    positive = [t for t in levels(alpha, length, network.width, network.activation.slope) if t > 0]
    return density * min(positive, default=math.inf)


def is_below(risk: float, level: float | None) -> bool:
    """Tell whether a risk is below a level beyond rounding; never if there is none.

    Examples
    --------
    >>> is_below(0.9, 1.0), is_below(1.0, 1.0), is_below(0.0, None)
    (True, False, False)
    """
    return level is not None and risk < level * (1.0 - MARGIN)


def _scene(problem: Interval | Samples, network: Network) -> tuple[float, float, float] | None:
    """Return slope of the target, length of the interval and density where the theory applies."""
    line = affine_target(problem)
    if line is None or not isinstance(problem, Interval) or network.skip is not None:
        return None
    density = _constant_density(problem)
    return None if density is None else (line[0], problem.b - problem.a, density)


def _constant_density(problem: Interval) -> float | None:
    level = _one_polynomial(problem.density.on(problem.a, problem.b, "density")[1])
    return level[0] if level is not None and len(level) == 1 else None


def _one_polynomial(pieces: list[list[float]]) -> list[float] | None:
    """Return the coefficients that all pieces share, without zeros at the end; None if none."""
    short: list[list[float]] = []
    for piece in pieces:
        row = list(piece)
        while row and row[-1] == 0.0:
            row.pop()
        short.append(row)
    return short[0] if all(row == short[0] for row in short) else None


def _check_numbers(alpha: float, length: float) -> None:
    if not is_number(alpha) or not math.isfinite(alpha):
        raise InputError(f"alpha is {alpha!r}; give the finite slope of the target.")
    if not is_number(length) or not 0.0 < length < math.inf:
        raise InputError(f"length is {length!r}; give a finite length above 0.")
