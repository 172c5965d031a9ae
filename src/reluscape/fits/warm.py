"""Compile the kernels of a fit ahead of need: `python -m reluscape.fits.warm`.

The first `reluscape fit` on a machine starts this beside itself. It goes through the kernels in
the reverse of the order in which a fit comes to them, so that two processors share the work and
meet in the middle; what one has compiled the other loads from Numba's cache.
"""

from __future__ import annotations

import gc

import numpy as np

from reluscape.networks.network import Network
from reluscape.problems.samples import Samples


def warm() -> None:
    """Call every kernel of a fit once, on a dozen rows."""
    from reluscape.kernels import gaps, proposals, segments, spikes, spline

    x = np.linspace(0.0, 1.0, 12)
    problem = Samples(x, x * x)
    table = problem.moments.table
    low, high = problem.moments.support
    tau, none = np.array([low, 0.3, 0.6, high]), np.zeros(2)
    grid = x.copy()
    problem.risk(Network([1.0], [-0.5], [1.0], skip=[0.0]))
    spikes.find_spikes(table, tau, np.zeros((1, 4)))
    sheet = segments.new_sheet(4)
    segments.lay(table, tau, sheet)
    spline.assess(tau, sheet, False, none)
    gaps.settle(table, tau, False, none, np.inf)
    points = proposals.read_grid(table, grid)
    proposals.insertions(table, tau, False, none, 0.0, grid[:, np.newaxis], points, np.empty(12))
    spline.newton(table, tau, False, none, 1)
    proposals.propose(table, grid, 2, 0.0, 0, 1)


if __name__ == "__main__":
    gc.disable()  # a compiler makes many objects and little garbage: looking for it costs a sixth
    warm()
