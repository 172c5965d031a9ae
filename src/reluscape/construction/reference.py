"""Reference outputs: what the network is to answer for each class."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from reluscape.construction.frame import EPS, ROUNDING, Frame
from reluscape.construction.labels import shown
from reluscape.errors import InputError
from reluscape.networks.arrays import Floats, as_floats, check_finite


def reference_outputs(given: ArrayLike | None, classes: Sequence[Hashable], frame: Frame) -> Floats:
    """Return Y, one column a class.

    Parameters
    ----------
    given : None, "means" or array_like of shape (Q, Q)
        None is the identity. "means" are the class means on the basis of their subspace, for which
        the metric is the distance of the projections.
    classes : sequence of hashable
    frame : Frame

    Returns
    -------
    ndarray, shape (Q, Q), or (rank, Q) for "means"

    Raises
    ------
    InputError
        If Y has another shape, is not finite, or not invertible.
    """
    q = len(classes)
    if given is None:
        return np.eye(q)
    if isinstance(given, str):
        if given != "means":
            raise InputError(f'Y is {given!r}; give "means", a matrix, or nothing.')
        return frame.coordinates
    outputs = as_floats("Y", given)
    if outputs.shape != (q, q):
        raise InputError(
            f"Y has shape {outputs.shape}; the {q} classes {shown(classes)} need ({q}, {q}): one "
            "column each."
        )
    check_finite("Y", outputs)
    values = np.linalg.svd(outputs, compute_uv=False)
    if values[-1] <= ROUNDING * EPS * q * values[0]:
        raise InputError(
            f"Y is not invertible: the reference output of class {_dependent(outputs, classes)!r} "
            "depends on those of the others; give independent columns, one for each class."
        )
    return outputs


def _dependent(columns: Floats, classes: Sequence[Hashable]) -> Hashable:
    """Return the class whose column is nearest to the span of the others."""
    _, values, vt = np.linalg.svd(columns)
    null = vt[-1] if len(values) else vt[0]
    return classes[int(np.argmax(np.abs(null)))]
