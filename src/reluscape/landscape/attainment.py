"""The question of existence: is the infimum of the risk over all networks of a width attained."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from reluscape.errors import InputError
from reluscape.landscape.approach import MinimisingSequence
from reluscape.landscape.attained_in_space import for_gaussian_inputs, on_a_polygon, on_data
from reluscape.landscape.attained_on_a_line import on_an_interval
from reluscape.landscape.attainment_evidence import BOUNDS, AttainmentEvidence, gather
from reluscape.landscape.decision import Decision
from reluscape.networks.activations import Activation, parse, require_piecewise_linear
from reluscape.networks.arrays import is_number, is_whole
from reluscape.networks.network import Network
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.polygon import Polygon
from reluscape.problems.samples import Samples


@dataclass(frozen=True, eq=False)
class Attainment:
    """Whether the infimum of the risk over all networks of a width is attained.

    Attributes
    ----------
    attained : bool or None
        None where neither is proved.
    reason : str
        The theorem or the explicit networks that decide; for None, what is missing.
    infimum : float or None
        Where it is known.
    sequence : MinimisingSequence or None
        Where it is not attained: explicit networks along a parameter whose risk tends to it.
    minimiser : Network or None
        Where one is known: an explicit network that attains it, up to rounding of its parameters.
    evidence : AttainmentEvidence or None
        The best networks found within growing bounds on the parameters; None if no bounds were
        given. It proves nothing.
    """

    attained: bool | None
    reason: str
    infimum: float | None
    sequence: MinimisingSequence | None
    minimiser: Network | None = field(repr=False)
    evidence: AttainmentEvidence | None

    def __str__(self) -> str:
        """Say all of it in a few lines."""
        words = {True: "attained", False: "not attained", None: "undecided"}
        head = words[self.attained]
        if self.infimum is not None:
            head += f", infimum {self.infimum:.10g}"
        lines = [head, f"- {self.reason}"]
        if self.sequence is not None:
            lines.append(f"- {self.sequence}")
        if self.evidence is not None:
            lines.append(f"- {self.evidence}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head, *rest = str(self).split("\n")
        items = "".join(f"<li>{html.escape(line[2:])}</li>" for line in rest)
        return f"<b>{html.escape(head)}</b><ul>{items}</ul>"


def attainment(
    problem: Interval | Samples | Polygon | Gaussian,
    width: int,
    *,
    activation: str | Activation = "relu",
    skip: bool = True,
    bounds: Sequence[float] = BOUNDS,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> Attainment:
    """Say whether some network has the least risk of all networks of a width, and why.

    If none has, descents that go on for ever need parameters that grow without bound.

    Parameters
    ----------
    problem : Interval, Samples, Polygon or Gaussian
        With one target.
    width : int
        Number of neurons, one or more.
    activation : str or Activation, default "relu"
        Polygons and Gaussian inputs: piecewise linear.
    skip : bool, default True
        Whether the networks have a skip connection.
    bounds : sequence of float, default (1, 2, 4, .., 64)
        Increasing bounds on the parameters, in standard units (see `AttainmentEvidence`), within
        which the best network is looked for. Empty: no search, only what is proved.
    seed : int, default 0
        Of the search; it decides nothing.
    progress : callable (message, fraction), optional

    Returns
    -------
    Attainment

    Raises
    ------
    InputError
        If the problem has several targets or is of another kind, the activation does not fit it,
        or a number is out of range.

    Notes
    -----
    Proved, with the arguments in `attained_on_a_line` and `attained_in_space`:

    * ReLU and leaky ReLU, continuous target: attained on intervals, with a skip connection on
      polygons whose density is zero along no line, and for Gaussian inputs (Dereich, Jentzen and
      Kassing, arXiv 2302.14690; on a line, for all densities and without skip connection, by their
      argument). On data always.
    * ReLU and leaky ReLU, a piecewise affine target whose J jumps and K kinks take 2 J + K neurons:
      not attained if J > 0, the infimum is 0.
    * tanh and softplus: not attained for polynomials and kinks that explicit networks come close
      to, but are not; attained on few distinct rows.
    * y^2 with one input: decided, by the best parabola in exact arithmetic.

    What rounding of coefficients and borders to doubles explains (16 units in the last place) is no
    jump and no kink.

    Examples
    --------
    >>> from reluscape import Interval, affine, step
    >>> answer = attainment(Interval(affine(1, 0), -1, 1), 1, activation="tanh", skip=False)
    >>> answer.attained, answer.infimum, round(answer.evidence.rate)
    (False, 0.0, 4)
    >>> jump = Interval(step(0.5), 0, 1)
    >>> answer = attainment(jump, 2, bounds=())
    >>> print(answer)
    not attained, infimum 0
    - the target jumps at x = 0.5, which no network does, and ramps come as close to it as one likes
    - a ramp of width eps, centred, in the place of each jump, eps -> 0
    >>> round(1 / jump.risk(answer.sequence(0.01)), 6)
    1200.0
    """
    act = _checked(problem, width, activation, bounds, seed)
    found = _decided(problem, width, act, skip)
    evidence = None
    if len(bounds):
        limits = [float(bound) for bound in bounds]
        evidence = gather(problem, width, act, skip, limits, found, seed, progress)
    return Attainment(
        found.attained, found.reason, found.infimum, found.sequence, found.minimiser, evidence
    )


def _decided(
    problem: Interval | Samples | Polygon | Gaussian, width: int, act: Activation, skip: bool
) -> Decision:
    if isinstance(problem, Samples):
        return on_data(problem, width, act, skip)
    if isinstance(problem, Interval):
        return on_an_interval(problem, width, act, skip)
    if isinstance(problem, Polygon):
        return on_a_polygon(problem, width, act, skip)
    return for_gaussian_inputs(problem, width, act, skip)


def _checked(
    problem: Interval | Samples | Polygon | Gaussian,
    width: int,
    activation: str | Activation,
    bounds: Sequence[float],
    seed: int,
) -> Activation:
    kinds = (Interval, Samples, Polygon, Gaussian)
    if not isinstance(problem, kinds):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(
            f"the problem is of type {type(problem).__name__}; give an Interval, Samples, a "
            "Polygon or a Gaussian."
        )
    if problem.targets != 1:
        raise InputError(
            f"the data have {problem.targets} targets, and attainment knows one; give one column "
            "of y."
        )
    for name, value, least in (("width", width, 1), ("seed", seed, 0)):
        if not is_whole(value) or value < least:
            raise InputError(f"{name} is {value!r}; give a whole number >= {least}.")
    if not all(is_number(b) and 0.0 < b < math.inf for b in bounds):
        raise InputError(f"bounds are {bounds!r}; give positive numbers like (1, 2, 4, 8).")
    if any(b <= a for a, b in pairwise(bounds)):
        raise InputError(f"bounds are {bounds!r}; give them in increasing order.")
    act = parse(activation)
    if isinstance(problem, (Polygon, Gaussian)):
        require_piecewise_linear(act, f"attainment for a {type(problem).__name__}")
    return act
