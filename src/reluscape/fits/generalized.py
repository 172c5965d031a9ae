"""The best generalized responses, with jumps and without: what a jump costs, as a table."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.fits.jump_descent import refined
from reluscape.fits.jump_proposals import Places, line_of, propose
from reluscape.fits.jumps_on_data import (
    between_jumps,
    grid_on_data,
    with_jumps_as_pairs,
    with_pairs_as_jumps,
)
from reluscape.fits.plain import constant
from reluscape.fits.polyline import Polyline
from reluscape.fits.search import THOROUGH, free_search, grid_of, with_values
from reluscape.networks.arrays import is_whole
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.interval import Interval
from reluscape.problems.moments import Moments
from reluscape.problems.samples import Samples

Floats = NDArray[np.float64]

# Points of the grid (twice as many on data), and proposals of each kind that are followed down.
GRID, FOLLOWED = 64, 6
# Places below this share of the range are shown as 0: searches do not find them more closely.
ZERO = 1e-7
# Borders of a target's pieces that join the grid, if there are not more.
MOST_BORDERS = 200


@dataclass(frozen=True, eq=False)
class ResponseRow:
    """The best response found with some numbers of jumps and kinks.

    Attributes
    ----------
    jumps, kinks : int
    risk : float
    jump_places, kink_places : ndarray
        Where they are, increasing. On data jumps are in the middle between neighbouring inputs.
    response : GeneralizedResponse
    """

    jumps: int
    kinks: int
    risk: float
    jump_places: Floats
    kink_places: Floats
    response: GeneralizedResponse = field(repr=False)

    @property
    def dimension(self) -> int:
        """Neurons that it takes: two for each jump, one for each kink."""
        return 2 * self.jumps + self.kinks


@dataclass(frozen=True, eq=False)
class BestGeneralized:
    """The best responses of each kind up to a width, from `best_generalized`.

    Attributes
    ----------
    problem : Interval or Samples
    width : int
    rows : tuple of ResponseRow
        One for each number of jumps and kinks, few jumps first.
    """

    problem: Interval | Samples = field(repr=False)
    width: int
    rows: tuple[ResponseRow, ...]

    @property
    def continuous(self) -> ResponseRow:
        """The row without jumps that has the lowest risk: a network."""
        return min((row for row in self.rows if not row.jumps), key=lambda row: row.risk)

    @property
    def strict(self) -> ResponseRow | None:
        """The row with jumps that has the lowest risk; None below width 2."""
        some = [row for row in self.rows if row.jumps]
        return min(some, key=lambda row: row.risk) if some else None

    def table(self) -> str:
        """Return the rows as text: jumps, kinks, risk, and where they are."""
        lines = [f"{'jumps':>5} {'kinks':>5}  {'risk':<17}  places"]
        for row in self.rows:
            at = [f"{self._shown(t)} (jump)" for t in row.jump_places.tolist()]
            at += [self._shown(t) for t in row.kink_places.tolist()]
            lines.append(f"{row.jumps:>5} {row.kinks:>5}  {row.risk:<17.10g}  {', '.join(at)}")
        return "\n".join(line.rstrip() for line in lines)

    def __str__(self) -> str:
        """Tabulate the rows, and say how the best with jumps compares."""
        return f"{self.table()}\n{self._remark()}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def _shown(self, place: float) -> str:
        """Write a place without the rounding that is left of a zero."""
        low, high = self.problem.moments.x_axis.restore(np.array(self.problem.moments.support))
        return f"{0.0 if abs(place) < ZERO * float(high - low) else place:.6g}"

    def _remark(self) -> str:
        strict = self.strict
        if strict is None:
            return "no room for a jump, which takes two neurons"
        gap = strict.risk - self.continuous.risk
        if gap > 0.0:
            return f"found by search: the best response with jumps is worse by {gap:.6g}"
        if gap < 0.0:
            return f"found by search: the best response with jumps is better by {-gap:.6g}"
        return "found by search: the best response with jumps is as good as the best without"


def best_generalized(problem: Interval | Samples, width: int, *, seed: int = 0) -> BestGeneralized:
    """Search for the best response with each number of jumps and kinks up to a width.

    A jump takes two neurons, a kink one: rows have `2 jumps + kinks <= width`. For a continuous
    target under a continuous density that has no gaps, theory says that the best response of all is
    continuous, so that a network attains it; here one sees by how much.

    Parameters
    ----------
    problem : Interval or Samples
        With one input and a scalar target.
    width : int
        Not negative.
    seed : int, default 0
        Of the search for continuous functions, as in `fit`.

    Returns
    -------
    BestGeneralized
        Risks are exact, places are found by search: nobody proves that no other ones are better.
        On data, rows for which there are too few distinct inputs are left out.

    Raises
    ------
    InputError
        If the problem is another one, or the width or the seed is no whole number >= 0.

    Notes
    -----
    After Dereich, Jentzen and Kassing (arXiv 2302.14690). For given places the coefficients are
    those of linear least squares; places are proposed by dynamic programming over a grid and moved
    downhill. On data a jump costs nothing, but two kinks in the same gap can do what it does: rows
    with jumps are not better than the best without of the same dimension.

    Examples
    --------
    >>> from reluscape import Interval, best_generalized, polynomial
    >>> best = best_generalized(Interval(polynomial([0, 0, 1]), 0, 1), 2)
    >>> print(best)
    jumps kinks  risk               places
        0     0  0.005555555556
        0     1  0.0003472222222    0.5
        0     2  6.858710562e-05    0.333333, 0.666667
        1     0  0.0003472222222    0.5 (jump)
    found by search: the best response with jumps is worse by 0.000278635
    """
    _check(problem, width, seed)
    moments = problem.moments
    low, high = moments.support
    if low == high:
        value = float(moments.y_axis.restore(constant(moments).phi)[0])
        mean = GeneralizedResponse([], [], [], [], value)
        return BestGeneralized(problem, width, (_row(problem, mean),))
    most = min(width, len(moments.table.edges) - 2) if moments.atomic else width
    widths = list(range(most + 1))
    lines = free_search(moments, widths[1:], seed, THOROUGH, _silent) if most else {}
    lines[0] = with_values(moments, np.array([low, high]), None)
    strict: dict[tuple[int, int], Polyline] = {}
    if width >= 2:
        for (jumps, kinks), some in _proposals(moments, width, lines).items():
            if jumps and (not moments.atomic or jumps + kinks < len(moments.table.edges)):
                places, strict[jumps, kinks] = _best_of(problem, some, seed)
                k = 2 * jumps + kinks
                if k in lines and moments.atomic:
                    other = with_jumps_as_pairs(moments, places)
                    lines[k] = min(lines[k], other, key=lambda line: line.squares)
    found = [lines[k] for k in widths] + [strict[kind] for kind in sorted(strict)]
    rows = tuple(_row(problem, _response(moments, line)) for line in found)
    return BestGeneralized(problem, width, rows)


def _check(problem: object, width: object, seed: object) -> None:
    if not isinstance(problem, Interval | Samples):
        raise InputError(
            f"the problem is a {type(problem).__name__}; give an Interval, or Samples on a line."
        )
    if isinstance(problem, Samples) and not problem.on_a_line:
        raise InputError("x must have one column and y shape (n,); choose one column of each.")
    for name, number in (("width", width), ("seed", seed)):
        if not is_whole(number) or int(str(number)) < 0:
            raise InputError(f"{name} is {number!r}; give a whole number >= 0.")


def _silent(_message: str, _fraction: float) -> None:
    """Report nothing."""


def _proposals(
    moments: Moments, width: int, lines: dict[int, Polyline]
) -> dict[tuple[int, int], list[Places]]:
    if not moments.atomic:
        grid, edges = grid_of(moments, GRID, 0.5), moments.table.edges
        # A jump of the target is at a border of its pieces.
        grid = np.union1d(grid, edges) if len(edges) <= MOST_BORDERS else grid
        return propose(moments, grid, width, FOLLOWED)
    found = propose(moments, grid_on_data(moments, 2 * GRID), width, FOLLOWED)
    for line in lines.values():
        for places in with_pairs_as_jumps(moments, line):
            jumps = int(places.jumps.sum())
            found.setdefault((jumps, len(places.at) - jumps), []).append(places)
    return found


def _best_of(
    problem: Interval | Samples, proposals: list[Places], seed: int
) -> tuple[Places, Polyline]:
    moments = problem.moments
    ends = [refined(moments, places) for places in proposals]
    if isinstance(problem, Samples):
        # One question for all with the same jumps and as many kinks between them.
        some = {
            (*places.at[places.jumps].tolist(), *places.jumps.tolist()): places
            for places in [*proposals, *ends]
            if not places.jumps.all()
        }
        ends += [between_jumps(problem, places, seed) for places in some.values()]
    lines = [line_of(moments, places) for places in ends]
    best = min(range(len(lines)), key=lambda i: lines[i].squares)
    return ends[best], lines[best]


def _row(problem: Interval | Samples, response: GeneralizedResponse) -> ResponseRow:
    jumps = response.multiplicities == 2
    return ResponseRow(
        int(jumps.sum()),
        int((~jumps).sum()),
        problem.risk(response),
        response.thresholds[jumps],
        response.thresholds[~jumps],
        response,
    )


def _response(moments: Moments, line: Polyline) -> GeneralizedResponse:
    """Return a polyline with jumps, vertices that stand twice, in the user's units."""
    x_axis, y_axis = moments.x_axis, moments.y_axis
    tau, phi = x_axis.restore(line.tau), y_axis.restore(line.phi)
    lengths = np.diff(line.tau)
    real = lengths > 0.0
    steps = np.divide(np.diff(line.phi), lengths, out=np.zeros_like(lengths), where=real)
    slopes = steps[real] * (y_axis.scale / x_axis.scale)
    # The vertices between neighbouring intervals: one, or two at a jump.
    ends = np.flatnonzero(real)
    last, first = ends[:-1] + 1, ends[1:]
    jumps = last != first
    at = tau[last].copy()
    heights = np.diff(line.phi)[last[jumps]] * y_axis.scale
    turns = np.diff(slopes)
    betas = -turns * at
    betas[jumps] += heights
    if moments.atomic:
        at = x_axis.restore(_in_gaps(moments.table.edges, line.tau[last], jumps))
    offset = float(phi[0]) - float(slopes[0]) * float(tau[0])
    return GeneralizedResponse(
        np.ones(len(at)), at, turns, betas, offset, [float(slopes[0])], np.where(jumps, 2, 1)
    )


def _in_gaps(edges: Floats, places: Floats, jumps: NDArray[np.bool_]) -> Floats:
    """Return the places with jumps in the gaps below them: data on a jump belong to its right.

    In the middle, or between the other places in the gap and its upper end.
    """
    result = places.copy()
    for i in np.flatnonzero(jumps).tolist():
        above = int(np.searchsorted(edges, float(places[i])))
        low = float(edges[above - 1])
        if i:
            low = max(low, float(result[i - 1]))
        result[i] = low + (float(edges[above]) - low) / 2.0
    return result
