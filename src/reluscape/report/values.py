"""A fit as plain values that any program can read: the content of `--json`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from reluscape.report.protocol import EstimateLike, FitLike, InferenceLike, NetworkLike, PinnedLike


def fit_values(
    fit: FitLike, inference: InferenceLike | None = None, pinned: PinnedLike | None = None
) -> dict[str, Any]:
    """Return a fit as nested dicts, lists, strings and numbers.

    Parameters
    ----------
    fit : Fit
        To data.
    inference : Inference, optional
        Its uncertainties.
    pinned : Pinned, optional
        Where all good fits have their breakpoints.

    Returns
    -------
    dict
        Numbers are finite; what is not known is None.
    """
    network = fit.network
    one_input = fit.problem.x.ndim == 1
    slopes = inference.slopes if inference else [_bare(value) for value in fit.slopes]
    breakpoints = inference.breakpoints if inference else [_bare(b) for b in fit.breakpoints]
    intercept = inference.intercept if inference else _bare(fit.intercept)
    return plain(
        {
            "rows": fit.problem.size,
            "distinct": fit.problem.distinct if one_input else None,
            "width": fit.width,
            "skip": fit.skip,
            "seed": fit.seed,
            "constraints": _fields(fit.constraints),
            "risk": fit.risk,
            "sum_of_squares": fit.sum_of_squares,
            "r_squared": fit.r_squared,
            "breakpoints": [_estimate(e) for e in breakpoints] if one_input else None,
            "slopes": [_estimate(e) for e in slopes] if one_input else None,
            "intercept": _estimate(intercept) if one_input else None,
            "inference": None
            if inference is None
            else {
                "method": inference.method,
                "level": inference.level,
                "noise": inference.noise,
                "degrees_of_freedom": inference.degrees_of_freedom,
                "note": inference.note,
            },
            "network": network_values(network),
            "widths": [_fields(row) for row in fit.widths],
            "proof": _proof(fit, pinned),
            "claim": fit.claim,
            "seconds": fit.seconds,
        }
    )


def network_values(network: NetworkLike) -> dict[str, Any]:
    """Return the parameters of a network as plain values.

    Parameters
    ----------
    network : Network

    Returns
    -------
    dict
        With the names that the constructor of `Network` has.
    """
    arrays = {
        "weights": network.weights,
        "biases": network.biases,
        "outputs": network.outputs,
        "offset": network.offset,
        "skip": network.skip,
    }
    return plain(arrays) | {"activation": _fields(network.activation)}


def plain(value: Any) -> Any:  # noqa: ANN401
    """Turn arrays and NumPy numbers into lists and numbers, and what is not finite into None.

    Parameters
    ----------
    value : object

    Returns
    -------
    object
        Fit for ``json.dumps(..., allow_nan=False)``.

    Examples
    --------
    >>> plain({"a": np.array([1.0, np.nan]), "b": (np.int64(2), "text")})
    {'a': [1.0, None], 'b': [2, 'text']}
    """
    if isinstance(value, Mapping):
        items = cast("Mapping[object, Any]", value).items()
        return {str(key): plain(item) for key, item in items}
    if isinstance(value, np.ndarray | np.generic):
        return plain(cast("Any", value).tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in cast("Sequence[Any]", value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _proof(fit: FitLike, pinned: PinnedLike | None) -> dict[str, Any] | None:
    if not fit.ended:
        return None
    return {
        "lower_bound": fit.lower_bound,
        "gap": fit.gap,
        "ended": fit.ended,
        "bounds": [
            {"seconds": seconds, "lower_bound": low, "risk": risk}
            for seconds, low, risk in fit.bounds.tolist()
        ],
        "pinned": None
        if pinned is None
        else {"share": pinned.share, "fine": pinned.fine, "intervals": pinned.intervals},
    }


def _bare(value: float) -> dict[str, float]:
    return {"value": float(value)}


def _estimate(estimate: EstimateLike | dict[str, float]) -> dict[str, float | None]:
    keys = ("value", "standard_error", "low", "high")
    if isinstance(estimate, dict):
        return {key: estimate.get(key) for key in keys}
    return {key: getattr(estimate, key) for key in keys}


def _fields(value: object) -> dict[str, Any]:
    """Return the fields of a dataclass."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return {}
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
