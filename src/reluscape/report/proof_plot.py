"""The figure of a proof: the two bounds on the least risk, and their gap, over time."""

# Matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reluscape.errors import InputError
from reluscape.report.plots import BLUE, INK, ORANGE, dress, settle
from reluscape.report.protocol import FitLike

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A gap that is not above rounding is drawn here.
_LEAST = 1e-16


def plot_bounds(fit: FitLike) -> Figure:
    """Draw the risk of the fit and the lower bound of every network's, and the gap between them.

    Parameters
    ----------
    fit : Fit
        Made with `certify=True`.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: nothing to close, no window.

    Raises
    ------
    InputError
        If the fit has no bounds.
    """
    from matplotlib.figure import Figure

    if not len(fit.bounds):
        raise InputError("the fit has no bounds to draw; fit with certify=True.")
    seconds, low, high = fit.bounds.T
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"hspace": 0.06})
    upper.fill_between(seconds, low, high, step="post", color=BLUE, alpha=0.12, linewidth=0)
    upper.step(seconds, high, where="post", color=ORANGE, linewidth=2, label="risk of the fit")
    upper.step(seconds, low, where="post", color=BLUE, linewidth=2, label="no network is below")
    upper.set_ylabel("risk", color=INK)
    upper.legend(loc="lower right", frameon=False, labelcolor=INK, fontsize=9)
    gap = np.divide(high - low, high, out=np.zeros_like(high), where=high > 0.0)
    lower.step(seconds, np.maximum(gap, _LEAST), where="post", color=BLUE, linewidth=2)
    lower.plot(seconds[-1:], np.maximum(gap[-1:], _LEAST), "o", color=BLUE, markersize=5)
    lower.set_yscale("log")
    lower.set_ylabel("relative gap", color=INK)
    lower.set_xlabel("seconds", color=INK)
    for axes in (upper, lower):
        dress(axes)
    upper.tick_params(bottom=False)
    upper.spines["bottom"].set_visible(False)
    figure.align_ylabels()
    settle(figure)
    return figure
