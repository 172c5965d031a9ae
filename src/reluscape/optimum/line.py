"""A problem on a line as the search sees it: places, cumulative moments, and what is allowed.

For data, places are the distinct inputs. For an interval they are the points of a fine grid, and
the mass is between them: breakpoints are in cells of the grid as they are in gaps between inputs,
but there is something inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluscape.optimum.rules import Rules
from reluscape.problems.moments import Moments

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# An interval is cut into 2^GRID cells at most.
GRID = 22
# Share by which distances may be missed here, for rounding: the checker then allows no more.
SHORTER = 1e-9


@dataclass(frozen=True, eq=False)
class Line:
    """Places in order, moments of what lies left of them, and the rules.

    Attributes
    ----------
    moments : Moments
    count : int
        Number of places m; gap g, for 0 < g < m, is between places g - 1 and g.
    rules : Rules
    ranges : ndarray, shape (2,)
        Least and greatest slope, in the reduced frame.
    distance : float
        Least distance of breakpoints, in the reduced frame.
    pure : float
        What no function of x can remove.
    pures : ndarray, shape (m + 1,) or (1,)
        The part of it before each place (data).
    """

    moments: Moments
    count: int
    rules: Rules
    ranges: Floats
    distance: float
    pure: float
    pures: Floats

    @property
    def atomic(self) -> bool:
        """Whether the mass sits on the places (data), not between them."""
        return self.moments.atomic

    def position(self, places: Integers) -> Floats:
        """Return where places are, in the reduced frame."""
        if self.atomic:
            return self.moments.table.edges[places]
        low, high = self.moments.support
        return low + (high - low) * (places / (self.count - 1))

    def rows_before(self, places: Integers) -> Floats:
        """Return the moments (n, 12) of what lies left of gaps that begin at these places.

        That is: of the first `places` inputs, or left of the grid point before.
        """
        return self._rows(places if self.atomic else np.maximum(places - 1, 0))

    def rows_after(self, places: Integers) -> Floats:
        """Return the moments (n, 12) of all but what lies right of gaps that end at places."""
        return self._rows(places)

    def _rows(self, index: Integers) -> Floats:
        """Return cumulative moments as pairs: six high parts, six low parts.

        The last of the six, the integral of f squared, is without what is `pure`.
        """
        table = self.moments.table
        if not self.atomic:
            from reluscape.kernels.table import read_all

            rows = np.empty((index.size, 12))
            read_all(table, self.position(index.reshape(-1)), rows)
            return rows.reshape(*index.shape, 12)
        high, low = table.high[index, 0, :], table.low[index, 0, :]
        rows = np.concatenate([high, low], axis=-1)
        rows[..., 11] -= self.pures[index]
        return rows


def line_of(moments: Moments, rules: Rules) -> Line:
    """Look at a problem under some rules."""
    table = moments.table
    pures = np.zeros(1)
    if moments.atomic:
        high, low = table.high[:, 0, :], table.low[:, 0, :]
        each = np.diff(high, axis=0) + np.diff(low, axis=0)
        spread = each[:, 5] - each[:, 3] * each[:, 3] / each[:, 0]
        # Rounding leaves crumbs where an input occurs once.
        spread = np.where(spread > 1e-14 * each[:, 5], spread, 0.0)
        pures = np.concatenate([[0.0], np.cumsum(spread)])
    unit = moments.y_axis.scale / moments.x_axis.scale
    return Line(
        moments,
        len(table.edges) if moments.atomic else (1 << GRID) + 1,
        rules,
        np.array([rules.low, rules.high]) / unit,
        rules.min_distance / moments.x_axis.scale * (1.0 - SHORTER),
        float(pures[-1]),
        pures,
    )


def least_squares(both: Floats) -> Floats:
    """Return the least squares of one line, elementwise, from differences of rows (..., 12)."""
    mass, x, xx, y, xy, yy = (both[..., :6] + both[..., 6:]).transpose(-1, *range(both.ndim - 1))
    with np.errstate(all="ignore"):
        spread = xx - x * x / mass
        turn = xy - x * y / mass
        left = yy - y * y / mass - turn * turn / spread
    return np.where(left > 0.0, left, 0.0)


def line_shares(sides: int, width: int) -> list[int]:
    """Return what multiplies each line's slope in the condition on a plain network.

    With s_0 .. s_k the slopes and `sides` a bit mask of the breakpoints whose neurons are active to
    their left, s_0 + sum over those j of (s_j - s_{j-1}) = 0 (breakpoints counted from 1): the
    leftmost slope is made by those neurons alone.

    Examples
    --------
    Both neurons right-active: the leftmost slope is 0.

    >>> line_shares(0b00, 2)
    [1, 0, 0]

    The second one left-active: s_0 - s_1 + s_2 = 0.

    >>> line_shares(0b10, 2)
    [1, -1, 1]
    """
    left = [sides >> j & 1 for j in range(width)]
    after = [*left, 0]
    before = [1, *left]
    return [b - a for a, b in zip(after, before, strict=True)]


def conditions(line: Line, width: int, sides: int, pull: float) -> tuple[Floats, Floats]:
    """Return each line's range of slopes (k + 1, 2) and the term on its slope (k + 1,).

    `sides` is -1 where nothing is known of which neurons are left-active. A condition on a single
    line makes it flat, one on several is joined with the multiplier `pull`.
    """
    ranges, pulls = np.tile(line.ranges, (width + 1, 1)), np.zeros(width + 1)
    if sides >= 0:
        shares = np.array(line_shares(sides, width), np.float64)
        if np.count_nonzero(shares) == 1:
            ranges[shares != 0.0] = 0.0
        else:
            pulls = pull * shares
    return ranges, pulls
