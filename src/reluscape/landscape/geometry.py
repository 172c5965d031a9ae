"""The landscape around one global minimum: curvature, and the set of minima there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reluscape.errors import InputError
from reluscape.landscape.sight import CARRIER, DEGENERATE, KINK, look
from reluscape.networks.arrays import is_number
from reluscape.networks.network import Network
from reluscape.problems.interval import Interval

Floats = NDArray[np.float64]

# Eigenvalues of the Hessian with its diagonal scaled to one that are zero.
ZERO_EIGENVALUE = 1e-11
# Breakpoints closer than this share of [a, b] are at the same place.
SAME = 1e-9
# Cosines that count as zero, beside what rounding explains.
TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Geometry:
    """The landscape around one global minimum.

    Attributes
    ----------
    eigenvalues : ndarray, shape (parameters,)
        Of the Hessian, increasing.
    hessian_rank : int
    codimension : int or None
        That of the set of global minima at this point; None where it is no manifold.
    morse_bott : bool
        Whether the Hessian has exactly this rank: only then does the risk grow quadratically away
        from the minima, and descent converge exponentially.
    reason : str
    """

    eigenvalues: Floats = field(repr=False)
    hessian_rank: int
    codimension: int | None
    morse_bott: bool
    reason: str

    @property
    def max_step(self) -> float:
        """Step sizes below it, 2 over the largest eigenvalue, do not leave the minimum."""
        return 2.0 / float(self.eigenvalues[-1])

    def rate(self, step_size: float) -> float:
        """Return the factor by which a small risk shrinks with each step of gradient descent.

        Parameters
        ----------
        step_size : float
            Positive.

        Returns
        -------
        float
            The largest `(1 - step_size * eigenvalue)^2` over the non-zero eigenvalues; 1 or more
            means that descent leaves, or that there is no exponential rate.
        """
        if not (is_number(step_size) and step_size > 0.0):
            raise InputError(f"step_size is {step_size!r}; give a positive number.")
        if not self.morse_bott:
            return max(1.0, (1.0 - step_size * float(self.eigenvalues[-1])) ** 2)
        positive = self.eigenvalues[-self.hessian_rank :]
        return float(((1.0 - step_size * positive) ** 2).max())


def geometry(problem: Interval, network: Network) -> Geometry:
    """Look at a network of risk zero; see `MinimaManifold.examine`."""
    sight = look(problem, network, TOLERANCE)
    if sight.excess > sight.rounding:
        raise InputError(
            f"the network has risk {sight.risk:.3g}, which is not zero to rounding; it is no "
            "global minimum."
        )
    hessian = problem.hessian(network)
    values: Floats = np.asarray(np.linalg.eigvalsh(hessian), np.float64)
    # The rank does not depend on units: with diagonal one it can be told from rounding.
    size = np.sqrt(np.diag(hessian).clip(0.0))
    scale = np.where(size > 0.0, 1.0 / np.where(size > 0.0, size, 1.0), 0.0)
    rank = int(np.sum(np.linalg.eigvalsh(hessian * scale * scale[:, None]) > ZERO_EIGENVALUE))
    if (sight.role == DEGENERATE).any() or (sight.point >= 0).any():
        reason = (
            "a neuron has w = b = 0 or its breakpoint on an end of the interval: the risk is not "
            "twice differentiable there"
        )
        return Geometry(values, rank, None, False, reason)
    codimension, reason = _zero_set(problem, network, sight.role, sight.t)
    good = codimension is not None and codimension == rank
    return Geometry(values, rank, codimension, good, reason)


def _zero_set(
    problem: Interval, network: Network, role: NDArray[np.int64], t: Floats
) -> tuple[int | None, str]:
    """Return the codimension of the networks with the same function, and what it is made of.

    Near a network without flat neurons at bends, these are the ones with the same bends at the
    same places: each breakpoint of a neuron that is not flat is fixed, and each sum of bends.
    """
    bent = role == KINK
    flat = network.outputs == 0.0
    low, high = problem.moments.support
    extent = high - low
    places = np.sort(t[bent & ~flat])
    distinct = places[np.append(True, np.diff(places) > SAME * extent)[: len(places)]]
    for j in np.flatnonzero(bent & flat):
        if (np.abs(distinct - t[j]) <= SAME * extent).any():
            return None, (
                f"neuron {j} is flat and bends where another one does: either its place or its v "
                "may change, and the minima form no manifold there"
            )
    carriers = np.flatnonzero(role == CARRIER)
    w = network.weights[:, 0]
    turning = bool(np.any((w[carriers] != 0.0) | (network.outputs[carriers] != 0.0)))
    right, left = w[bent & ~flat] > 0.0, w[bent & ~flat] < 0.0
    where = np.searchsorted(distinct + SAME * extent, t[bent & ~flat])
    both = set(where[right].tolist()) & set(where[left].tolist())
    tilted = network.skip is not None or turning or bool(both)
    if not tilted and len(carriers):
        return None, "the only neurons that could carry a slope have w = v = 0"
    codimension = len(places) + len(distinct) + int(np.sum(bent & flat)) + 1 + int(tilted)
    if len(places) > len(distinct):
        return codimension, (
            f"{len(places)} neurons share {len(distinct)} breakpoint(s): moving them apart raises "
            "the risk with the third power of the distance only, in null directions of the Hessian"
        )
    return codimension, "every breakpoint belongs to one neuron"
