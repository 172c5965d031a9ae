"""The figures of the ready studies, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from reluscape.report.convergence_plot import plot_convergence
from reluscape.report.saddles_plot import plot_saddles
from reluscape.report.traps_plot import plot_traps
from reluscape.report.widths_plot import plot_widths

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

PLOTS: Mapping[str, Callable[[xr.Dataset], Figure]] = {
    "convergence": plot_convergence,
    "saddles": plot_saddles,
    "traps": plot_traps,
    "widths": plot_widths,
}
