"""The table that a notebook shows for a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsFloat

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reluscape.networks.network import Network

_ROWS = 20


def html_table(network: Network) -> str:
    """Return a small HTML table of the parameters.

    Parameters
    ----------
    network : Network

    Returns
    -------
    str

    Examples
    --------
    >>> from reluscape.networks.network import Network
    >>> html_table(Network([2.0], [-1.0], [3.0])).count("<tr>")
    2
    """
    place = "breakpoint" if network.activation.piecewise_linear else "vertex"
    names = ["neuron", "weight", "bias", "output"] + [place] * (network.inputs == 1)
    rows = [_row("th", names)]
    for j in range(min(network.width, _ROWS)):
        cells = [str(j), _text(network.weights[j]), _number(network.biases[j])]
        cells.append(_text(np.atleast_1d(network.outputs[j])))
        if network.inputs == 1:
            weight = network.weights[j, 0]
            with np.errstate(over="ignore", under="ignore"):
                cells.append(_number(-network.biases[j] / weight + 0.0) if weight else "none")
        rows.append(_row("td", cells))
    if network.width > _ROWS:
        rows.append(_row("td", [f"… {network.width - _ROWS} more"]))
    foot = f"offset {_text(np.atleast_1d(network.offset))}"
    if network.skip is not None:
        foot += f", skip {_text(network.skip.ravel())}"
    slope = network.activation.slope
    names = {"relu": "ReLU", "leaky": f"leaky ReLU with slope {_number(slope)}"}
    foot += f", {names.get(network.activation.name, network.activation.name)}"
    return f"<table><caption>{foot}</caption>{''.join(rows)}</table>"


def _row(tag: str, cells: list[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"


def _number(value: SupportsFloat) -> str:
    return f"{float(value):.6g}"


def _text(values: NDArray[np.float64]) -> str:
    shown = ", ".join(_number(value) for value in values[:6])
    return shown if len(values) <= 6 else f"{shown}, …"
