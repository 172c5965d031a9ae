"""What each jump of a response promises to gain, and what stands in the way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reluscape.landscape.brackets import bracket, lopsidedness
from reluscape.networks.responses import GeneralizedResponse
from reluscape.problems.gaussian import Gaussian
from reluscape.problems.interval import Interval
from reluscape.problems.polygon import Polygon
from reluscape.problems.seams import Seam, seams_of

Obstacle = Literal[
    "no jump",
    "outside",
    "data",
    "discontinuous target",
    "no density",
    "discontinuous density",
    "rounding",
]

# A target that jumps by less than this share of the response's jump, or of its own size, is
# continuous there: its pieces have rounded coefficients.
CONTINUOUS, ROUNDED = 1e-9, 1e-12


@dataclass(frozen=True)
class JumpGain:
    """What replacing one jump by a ramp of steepness k promises.

    Attributes
    ----------
    term : int
        Of the response.
    side : int
        0 if the boundary meets the inside of the domain; else 1 or -1, where the domain is inside
        or outside of the half-space.
    constant : float
        k times the gain tends to it, by the formula of the first order.
    height : float
        The largest size of the jump along the boundary, or a typical one under a Gaussian.
    obstacle : str or None
        The hypothesis that fails: "discontinuous target", "no density" or "discontinuous density".
    """

    term: int
    side: int
    constant: float
    height: float
    obstacle: Obstacle | None


def jump_gains(
    problem: Interval | Polygon | Gaussian, response: GeneralizedResponse, power: float
) -> list[JumpGain]:
    """Return what each jump of a response promises, in the order of its terms.

    Parameters
    ----------
    problem : Interval, Polygon or Gaussian
    response : GeneralizedResponse
    power : float
        Of the loss `|error|^power`; 2 for Gaussian inputs.

    Returns
    -------
    list of JumpGain

    Notes
    -----
    For the squared loss `integral of |J|^3 h / 6` along the boundary, h the density; under a
    Gaussian J is normal there, and its third absolute moment has a closed form.

    Examples
    --------
    >>> from reluscape import polynomial
    >>> step = GeneralizedResponse([1.0], [0.5], [0.0], [3.0])
    >>> jump_gains(Interval(polynomial([1.0]), 0, 1), step, 2.0)[0].constant
    4.5
    """
    if isinstance(problem, Gaussian):
        terms = np.flatnonzero(response.multiplicities == 2).tolist()
        return [_under_a_gaussian(response, term) for term in terms]
    return [
        JumpGain(term, seam, 0.0, 0.0, None) if isinstance(seam, int) else _along(seam, term, power)
        for term, seam in seams_of(problem, response).items()
    ]


def _along(seam: Seam, term: int, power: float) -> JumpGain:
    heights, outer, inner = seam.heights, seam.outer, seam.inner
    size = float(np.abs(heights).max())
    dense = (outer > 0.0) | (inner > 0.0)
    off = np.abs(seam.after - seam.before - heights)[dense].max(initial=0.0)
    middle = bracket(seam.before, heights, power)
    gains = (outer + inner) / 2.0 * middle
    uneven = outer != inner
    tilt = lopsidedness(seam.before[uneven], heights[uneven], power)
    gains[uneven] += (inner - outer)[uneven] / 2.0 * tilt
    constant = float(seam.weights @ (np.abs(heights) * gains))
    obstacle: Obstacle | None = None
    if off > CONTINUOUS * size + ROUNDED * seam.size:
        obstacle = "discontinuous target"
    elif not (dense & (heights != 0.0)).any():
        obstacle = "no density"
    elif constant <= 0.0 and uneven.any():
        obstacle = "discontinuous density"
    return JumpGain(term, 0, constant, size, obstacle)


def _under_a_gaussian(response: GeneralizedResponse, term: int) -> JumpGain:
    normal, delta = response.normals[term], response.deltas[term]
    tau = float(response.thresholds[term])
    along = float(delta @ normal)
    mean = along * tau + float(response.betas[term])
    spread = float(np.linalg.norm(delta - along * normal))
    density = math.exp(-tau * tau / 2.0) / math.sqrt(2.0 * math.pi)
    constant = density * third_moment(mean, spread) / 6.0
    obstacle: Obstacle | None = None if density > 0.0 else "no density"
    return JumpGain(term, 0, constant, math.hypot(mean, spread), obstacle)


def third_moment(mean: float, spread: float) -> float:
    """Return `E |X|^3` for a normal X.

    Examples
    --------
    >>> third_moment(-2.0, 0.0)
    8.0
    """
    if spread == 0.0:
        return abs(mean) ** 3
    z = mean / spread
    body = (z**3 + 3.0 * z) * math.erf(z / math.sqrt(2.0))
    tail = (z * z + 2.0) * math.sqrt(2.0 / math.pi) * math.exp(-z * z / 2.0)
    return spread**3 * (body + tail)
