"""Newton's method on data with several inputs, where minima sit on kinks of the risk.

On data the risk has a kink wherever a neuron's hyperplane meets a row, and most local minima sit on
many of them at once: there quasi-Newton methods stall. Here a row that a hyperplane has met is tied
to it, the risk being smooth along the ties; ties go when the risk falls on one of their sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reluscape.training.ray import Ray, Stop
from reluscape.training.standardised import Parts, Standardised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reluscape.networks.arrays import Floats

CRITICAL = 1e-9
"""Norm of a generalized gradient that counts as zero, in standardised units."""
_STALLS = 50
"""Steps of no length in a row after which the method gives up."""
_MET = 1e-13
"""Relative height, in float arithmetic, of a row that is on a hyperplane."""
_ELEMENTS = 1 << 20
"""Numbers in a block of the Jacobian: 8 MiB."""


@dataclass(frozen=True)
class Settled:
    """Where the method ended.

    Parameters
    ----------
    parts : Parts
        The network, in standardised units.
    risk : float
        In standardised units.
    gradient_norm : float
        Norm of the smallest generalized gradient, in standardised units, of the balanced network.
        If it is 0, no direction leads down to first order.
    ties : int
        Pairs of a row and a hyperplane through it.
    iterations : int
        Newton steps taken.
    """

    parts: Parts
    risk: float
    gradient_norm: float
    ties: int
    iterations: int


def settle(data: Standardised, parts: Parts, iterations: int, goal: float = CRITICAL) -> Settled:
    """Go down until no direction leads down to first order.

    Parameters
    ----------
    data : Standardised
    parts : Parts
        The network to start from.
    iterations : int
        At most so many Newton steps, each with a Hessian over all rows.
    goal : float, default CRITICAL
        Norm of a generalized gradient to stop at.

    Returns
    -------
    Settled
    """
    tied = np.zeros((data.width, data.rows), dtype=bool)
    stalls = done = 0
    ridge = np.inf
    while True:
        point = _Point(data, parts, tied, {})
        free = 2.0 * float(np.linalg.norm(point.free_gradient()))
        last = done == iterations or stalls > _STALLS
        steepest, norm = point.smallest_gradient(exact=False)
        if norm > max(free, CRITICAL) or last:
            steepest, norm = point.smallest_gradient(exact=True)
        ridges = point.ridges()
        settled = norm <= goal and (not ridges.any() or point.risk >= 0.999999999 * ridge)
        if last or settled:
            return Settled(point.parts, point.risk, norm, int(point.tied.sum()), done)
        if norm <= CRITICAL:
            ridge = point.risk
        if norm > free or norm <= CRITICAL:
            # What keeps the norm up is the pull on ties: let those go that the descent moves off.
            tied, sides = point.released(steepest, ridges)
            point = _Point(data, point.parts, tied, sides)
        parts, stop = point.step(point.newton_direction())
        if stop.length == 0.0:
            parts, stop = point.step(point.expanded(-point.free_gradient()))
        stalls = stalls + 1 if stop.length < 1e-14 else 0
        tied = point.tied
        tied[stop.neurons, stop.rows] = True
        done += 1


class _Point:
    """A network with its ties, and all that one Newton step needs to know there."""

    def __init__(
        self,
        data: Standardised,
        parts: Parts,
        tied: NDArray[np.bool_],
        sides: dict[tuple[int, int], bool],
    ) -> None:
        self.data = data
        self.tied: NDArray[np.bool_] = tied.copy()
        w, v, a = parts.balanced()
        lengths = np.linalg.norm(data.x, axis=0)
        while True:
            spans = [_span(data.x[:, row]) for row in self.tied]
            for j, basis in enumerate(spans):
                w[j] -= basis @ (basis.T @ w[j])  # rounding drifts off the ties
            self.heights = w @ data.x
            # Rows that ties bring along, as collinear ones are, have no side of their own.
            size = np.linalg.norm(w, axis=1)[:, np.newaxis]
            close = np.abs(self.heights) <= _MET * size * lengths
            met: NDArray[np.bool_] = close & ~self.tied & (size > 0.0)
            for pair in sides:
                met[pair] = False
            if not met.any():
                break
            self.tied = self.tied | met
        self.parts = Parts(w, v, a)
        # Where each row of w may move: along its ties, and not in length.
        self.planes = [_complement(basis, row) for basis, row in zip(spans, w, strict=True)]
        self.owner = np.repeat(np.arange(data.width), [plane.shape[1] for plane in self.planes])
        self.heights[self.tied] = 0.0
        active = self.heights > 0.0
        for pair, side in sides.items():
            self.heights[pair], active[pair] = 0.0, side
        slope = data.activation.slope
        self.derivatives = np.where(active, 1.0, slope)
        self.activations = self.heights * self.derivatives
        errors = v.T @ self.activations + a.T @ data.affine - data.y
        self.pull = 2.0 * data.weights * errors
        self.risk = float(np.sum(np.square(errors) @ data.weights))
        self.through = v @ self.pull
        self.by_w = (self.derivatives * self.through) @ data.x.T
        self.by_v = self.activations @ self.pull.T
        self.by_a = data.affine @ self.pull.T

    def free_gradient(self) -> Floats:
        """Return the gradient along the ties, in the coordinates of `expanded`."""
        moves = [plane.T @ g for plane, g in zip(self.planes, self.by_w, strict=True)]
        return np.concatenate([*moves, self.by_v.ravel(), self.by_a.ravel()])

    def expanded(self, move: Floats) -> Parts:
        """Return the direction in (W, V, A) of a move in the free coordinates."""
        data = self.data
        w_end, v_size = self.owner.size, data.width * data.targets
        w = np.zeros((data.width, data.columns))
        for j, plane in enumerate(self.planes):
            w[j] = plane @ move[:w_end][self.owner == j]
        v = move[w_end : w_end + v_size].reshape(data.width, data.targets)
        return Parts(w, v, move[w_end + v_size :].reshape(-1, data.targets))

    def smallest_gradient(self, exact: bool) -> tuple[Floats, float]:
        """Return the part by w of the smallest generalized gradient, and its whole norm.

        Each tied row may take any derivative between those of the two sides; where the kink is
        concave, both sides lead down and no derivative between them counts. What is not exact comes
        from multipliers that are cut off at their bounds, and is an upper bound.
        """
        from scipy.optimize import lsq_linear

        by_w = self.by_w.copy()
        for j in range(self.data.width):
            rows = np.flatnonzero(self.tied[j])
            kinks = self._kinks(rows, j)
            rows, kinks = rows[kinks > 0.0], kinks[kinks > 0.0]
            if not rows.size:
                continue
            x = self.data.x[:, rows]
            size = np.linalg.norm(x, axis=0)
            most = kinks * size
            share = _least_squares(x / size, -by_w[j])
            if exact and ((share < 0.0) | (share > most)).any():
                found = lsq_linear(x / size, -by_w[j], (0.0, most), "bvls", 1e-14, max_iter=1000)
                share = np.asarray(found.x, dtype=np.float64)
            by_w[j] += x @ (np.clip(share, 0.0, most) / size)
        squares = [float(np.square(part).sum()) for part in (by_w, self.by_v, self.by_a)]
        return by_w, float(np.sqrt(sum(squares)))

    def ridges(self) -> NDArray[np.bool_]:
        """Return the tied pairs from which both sides lead down: there the kink is concave."""
        return self.tied & (self.through < 0.0)

    def released(
        self, by_w: Floats, ridges: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], dict[tuple[int, int], bool]]:
        """Untie ridges and what the steepest descent `-by_w` moves off; say to which side."""
        tied, sides = self.tied & ~ridges, dict[tuple[int, int], bool]()
        for j in range(self.data.width):
            rows = np.flatnonzero(self.tied[j])
            x = self.data.x[:, rows]
            moves = -(by_w[j] @ x)
            length = float(np.linalg.norm(by_w[j]))
            off = np.abs(moves) > 1e-6 * length * np.linalg.norm(x, axis=0)
            off &= length > CRITICAL
            tied[j, rows[off]] = False
            for i, move, moving in zip(rows, moves, off, strict=True):
                if not tied[j, i]:
                    sides[j, int(i)] = bool(move > 0.0) if moving else True
        return tied, sides

    def _kinks(self, rows: NDArray[np.intp], j: int) -> Floats:
        """Return how much the derivative of the risk jumps where rows cross the hyperplane j."""
        return (1.0 - self.data.activation.slope) * self.through[j, rows]

    def newton_direction(self) -> Parts:
        """Return the Newton step, with the Hessian shifted until it is positive definite."""
        from scipy.linalg import LinAlgError, cho_factor, cho_solve

        hessian = self._hessian()
        unit = float(np.abs(np.diag(hessian)).mean()) or 1.0
        shift = 1e-12
        while True:
            try:
                factor = cho_factor(hessian + shift * unit * np.eye(len(hessian)))
                break
            except LinAlgError:
                shift = max(10.0 * shift, 1e-8)
        return self.expanded(-cho_solve(factor, self.free_gradient()))

    def _hessian(self) -> Floats:
        data, owner = self.data, self.owner
        w_end = owner.size
        v_end = w_end + data.width * data.targets
        size = v_end + self.parts.a.size
        total = np.zeros((size, size))
        along = np.arange(w_end)
        rows = max(64, _ELEMENTS // size)
        for start in range(0, data.rows, rows):
            part = slice(start, start + rows)
            x = data.x[:, part]
            moved = np.vstack([np.empty((0, x.shape[1])), *(plane.T @ x for plane in self.planes)])
            moved *= self.derivatives[owner, part]
            root = np.sqrt(2.0 * data.weights[part])
            for k in range(data.targets):
                jacobian = np.zeros((size, x.shape[1]))
                jacobian[:w_end] = moved * self.parts.v[owner, k : k + 1]
                jacobian[w_end + k : v_end : data.targets] = self.activations[:, part]
                jacobian[v_end + k :: data.targets] = data.affine[:, part]
                jacobian *= root
                total += jacobian @ jacobian.T
                mixed = moved @ self.pull[k, part]
                total[along, w_end + owner * data.targets + k] += mixed
                total[w_end + owner * data.targets + k, along] += mixed
        return total

    def step(self, direction: Parts) -> tuple[Parts, Stop]:
        """Go along a direction to a minimum of the risk, or nowhere if it does not lead down."""
        lengths = np.linalg.norm(self.parts.w, axis=1)
        moves = np.linalg.norm(direction.w, axis=1)
        # A hyperplane that turns around and around meets every row and learns nothing.
        most = float(np.max(moves / np.where(lengths > 0.0, lengths, np.inf), initial=1.0))
        direction = Parts(*(part / most for part in direction))
        stop = Ray(self.data, self.parts, direction, self.heights, self.tied).descend()
        moved = (part + stop.length * by for part, by in zip(self.parts, direction, strict=True))
        return Parts(*moved), stop


def _least_squares(columns: Floats, goal: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(columns, goal, rcond=1e-10)[0], dtype=np.float64)


def _span(columns: Floats) -> Floats:
    """Return an orthonormal basis of what some columns span."""
    if not columns.size:
        return np.empty((columns.shape[0], 0))
    basis, sizes, _ = np.linalg.svd(columns / np.linalg.norm(columns, axis=0), full_matrices=False)
    return basis[:, sizes > 1e-10 * sizes[0]]


def _complement(basis: Floats, vector: Floats) -> Floats:
    """Return an orthonormal basis of what is orthogonal to a basis and to a vector."""
    length = float(np.linalg.norm(vector))
    columns = np.column_stack([basis, vector / length]) if length > 0.0 else basis
    full = np.linalg.qr(columns, mode="complete")[0]
    return full[:, columns.shape[1] :]
