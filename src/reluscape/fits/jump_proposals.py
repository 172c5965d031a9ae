"""Good breakpoints for piecewise-linear functions with jumps, by dynamic programming.

A jump is a breakpoint that stands twice among the vertices: the interval between the two is empty,
so that the values on both sides are free. Breakpoints are proposed by dynamic programming over a
grid, as for continuous functions: as a function of the value at the last breakpoint the best cost
so far is a minimum of parabolas, of which a beam is kept; across a jump it is a constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.fits.polyline import Polyline
from reluscape.fits.search import with_values
from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Places:
    """Breakpoints in the reduced frame, increasing, and which of them are jumps.

    Attributes
    ----------
    at : ndarray, shape (m,)
    jumps : ndarray of bool, shape (m,)
    """

    at: Floats
    jumps: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _State:
    """What is known of functions that end with a breakpoint at a grid point, row by row."""

    parabolas: Floats  # (n, 3), highest degree first, in the value to the right of it
    before: Integers  # (n, 3): whether it is a jump, grid point and row of the breakpoint before
    here: Integers  # (n, 2): its own grid point and row


def propose(
    moments: Moments, grid: Floats, width: int, wanted: int
) -> dict[tuple[int, int], list[Places]]:
    """Return the most promising breakpoints on a grid for all numbers of jumps and kinks.

    Parameters
    ----------
    moments : Moments
    grid : ndarray, shape (g,)
        Increasing, the ends of the support included.
    width : int
        Twice the jumps and the kinks are at most so many.
    wanted : int
        Proposals of each kind, each with another last breakpoint.

    Returns
    -------
    dict
        From (jumps, kinks) to places, the best first; kinds without any are left out.
    """
    from reluscape.kernels import proposals

    costs = proposals.line_costs(moments.table, grid)
    kinds = [(j, k) for j in range(width // 2 + 1) for k in range(width - 2 * j + 1)]
    last = len(grid) - 1
    states: dict[tuple[int, int, int], _State] = {}
    states[0, 0, 0] = _State(np.zeros((1, 3)), np.full((1, 3), -1), np.zeros((1, 2), np.int64))
    found: dict[tuple[int, int], list[Places]] = {}
    for s in range(1, last + 1):
        arriving: dict[tuple[int, int], list[tuple[Floats, Integers]]] = {}
        for kind in kinds:
            carried, origin = _carried(states, kind, s, costs)
            if not len(carried):
                continue
            if s == last:
                found[kind] = _traced(states, kind, carried, origin, grid, wanted)
                continue
            j, k = kind
            kink = np.column_stack([np.zeros(len(origin), np.int64), origin])
            arriving.setdefault((j, k + 1), []).append((carried, kink))
            low = _lowest(carried)
            best = int(np.argmin(low))
            level = np.array([[0.0, 0.0, low[best]]])
            arriving.setdefault((j + 1, k), []).append((level, np.array([[1, *origin[best]]])))
        for kind, parts in arriving.items():
            if kind in kinds:
                parabolas = np.concatenate([part[0] for part in parts])
                before = np.concatenate([part[1] for part in parts])
                mass = costs[0, s, :3].sum()
                states[*kind, s] = _kept(parabolas, before, float(mass), s)
    return found


def _carried(
    states: dict[tuple[int, int, int], _State], kind: tuple[int, int], s: int, costs: Floats
) -> tuple[Floats, Integers]:
    """Add the line that ends at grid point s to all states of a kind before it."""
    some = [states[*kind, r] for r in range(s) if (*kind, r) in states]
    if not some:
        return np.zeros((0, 3)), np.zeros((0, 2), np.int64)
    parabolas = np.concatenate([state.parabolas for state in some])
    origin = np.concatenate([state.here for state in some])
    c = costs[origin[:, 0], s]
    a, b = parabolas[:, 0] + c[:, 0], parabolas[:, 1] + c[:, 3]
    half = np.divide(0.5, a, out=np.zeros_like(a), where=a > 0.0)
    two = np.maximum(c[:, 1] - 0.5 * c[:, 2] ** 2 * half, 0.0)
    one = c[:, 4] - c[:, 2] * b * half
    none = parabolas[:, 2] + c[:, 5] - 0.5 * b * b * half
    return np.column_stack([two, one, none]), origin


def _lowest(parabolas: Floats) -> Floats:
    two, one, none = parabolas.T
    return none - 0.25 * np.divide(one * one, two, out=np.zeros_like(two), where=two > 0.0)


def _kept(parabolas: Floats, before: Integers, mass: float, s: int) -> _State:
    """Keep the parabolas that are lowest at some of the probes."""
    from reluscape.kernels import proposals

    low = _lowest(parabolas)
    best = int(np.argmin(low))
    two, one, _ = parabolas[best]
    centre = -one / (2.0 * two) if two > 0.0 else 0.0
    sigma = np.sqrt(max(low[best], 0.0) / mass) if mass > 0.0 else 0.0
    at = centre + proposals.PROBES * sigma
    values = np.outer(parabolas[:, 0], at * at) + np.outer(parabolas[:, 1], at)
    chosen = np.unique(np.argmin(values + parabolas[:, 2:], axis=0))
    here = np.column_stack([np.full(len(chosen), s), np.arange(len(chosen))])
    return _State(parabolas[chosen], before[chosen], here)


def _traced(
    states: dict[tuple[int, int, int], _State],
    kind: tuple[int, int],
    carried: Floats,
    origin: Integers,
    grid: Floats,
    wanted: int,
) -> list[Places]:
    """Follow the best ends back to the start, one for each last breakpoint."""
    result: list[Places] = []
    seen: set[int] = set()
    for i in np.argsort(_lowest(carried)).tolist():
        r, row = (int(number) for number in origin[i])
        if r in seen:
            continue
        seen.add(r)
        at: list[float] = []
        is_jump: list[bool] = []
        j, k = kind
        while r > 0:
            jump, before, next_row = (int(number) for number in states[j, k, r].before[row])
            at.append(float(grid[r]))
            is_jump.append(bool(jump))
            j, k = (j - 1, k) if jump else (j, k - 1)
            r, row = before, next_row
        result.append(Places(np.array(at[::-1]), np.array(is_jump[::-1], dtype=np.bool_)))
        if len(result) == wanted:
            break
    return result


def line_of(moments: Moments, places: Places) -> Polyline:
    """Solve for the values: jumps stand twice among the vertices."""
    low, high = moments.support
    inner = np.repeat(places.at, np.where(places.jumps, 2, 1))
    return with_values(moments, np.concatenate([[low], inner, [high]]), None)
