"""Half-spaces and the terms that live on them, checked: the parts of a generalized response."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluscape.errors import InputError
from reluscape.networks.arrays import Floats, as_floats, check_finite

Integers: TypeAlias = NDArray[np.int_]

_ROUNDING = 8.0 * float(np.finfo(np.float64).eps)
"""Jumps below this share of their terms are those of a neuron `v (w.x + b)` that was rounded."""

_DECLARED = 1e-9
"""The same where the caller says that there is no jump: what a computation may have left over."""

_SMALL = 1e-12
"""Components of a unit normal below this do not decide its orientation: they may be rounding."""


def finite(name: str, values: ArrayLike) -> Floats:
    """Return a copy of what a user passed as an array of finite floats."""
    array = as_floats(name, values).copy()
    check_finite(name, array)
    return array


def checked_terms(
    normals: ArrayLike,
    thresholds: ArrayLike,
    deltas: ArrayLike,
    betas: ArrayLike,
    slope: ArrayLike | None,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return normals, thresholds, deltas, betas and slope as arrays that fit together."""
    n, delta = finite("normals", normals), finite("deltas", deltas)
    tau, beta = finite("thresholds", thresholds), finite("betas", betas)
    if n.ndim == 1:
        n = n[:, np.newaxis]
    if delta.ndim == 1:
        delta = delta[:, np.newaxis]
    if n.ndim != 2 or n.shape[1] == 0:
        raise InputError(f"normals have shape {n.shape}; give (K, inputs), or (K,) for one input.")
    terms, inputs = n.shape
    for name, array, shape in (
        ("thresholds", tau, (terms,)),
        ("deltas", delta, (terms, inputs)),
        ("betas", beta, (terms,)),
    ):
        if array.shape != shape:
            raise InputError(
                f"{name} have shape {array.shape}; {terms} half-space(s) in {inputs} input(s) "
                f"need {shape}."
            )
    u = np.zeros(inputs) if slope is None else np.atleast_1d(finite("slope", slope))
    if u.shape != (inputs,):
        raise InputError(f"slope has shape {u.shape}; {inputs} input(s) need ({inputs},).")
    return n, tau, delta, beta, u


def unit(normals: Floats, thresholds: Floats) -> tuple[Floats, Floats]:
    """Bring normals to length 1, and thresholds with them."""
    lengths = np.hypot.reduce(normals, axis=1)
    if not lengths.all():
        raise InputError(
            f"normal {int(np.argmin(lengths))} is zero; a half-space needs a direction."
        )
    with np.errstate(over="ignore"):
        n, tau = normals / lengths[:, np.newaxis], thresholds / lengths + 0.0
    check_finite("thresholds, over the lengths of the normals,", tau)
    return n, tau


def oriented(normals: Floats) -> tuple[Floats, Floats]:
    """Turn normals so that the first component that counts is positive; return the signs too."""
    leading = np.argmax(np.abs(normals) > _SMALL, axis=1)
    sign = np.where(normals[np.arange(len(normals)), leading] < 0.0, -1.0, 1.0)
    return normals * sign[:, np.newaxis] + 0.0, sign


def refuse_equal(normals: Floats, thresholds: Floats) -> None:
    """Raise an error that names two half-spaces with the same boundary, bit for bit."""
    n, sign = oriented(normals)
    planes = np.column_stack([n, thresholds * sign + 0.0])
    _, firsts, groups = np.unique(planes, axis=0, return_index=True, return_inverse=True)
    if len(firsts) < len(planes):
        first = firsts[groups.ravel()]
        second = int(np.flatnonzero(first != np.arange(len(planes)))[0])
        raise InputError(
            f"half-spaces {first[second]} and {second} have the same boundary; make one term of "
            "the two."
        )


def multiplicities_of(
    normals: Floats,
    thresholds: Floats,
    deltas: Floats,
    betas: Floats,
    given: ArrayLike | None,
) -> Integers:
    """Return the given multiplicities, checked, or those that the terms have by themselves."""
    bends = (deltas * normals).sum(axis=1)
    # On the boundary, `delta.x + beta` is its value at `tau n` and what delta has along it.
    level = np.abs(bends * thresholds + betas)
    level_size = np.abs(bends * thresholds) + np.abs(betas)
    tilt = np.hypot.reduce(deltas - bends[:, np.newaxis] * normals, axis=1)
    tilt_size = np.hypot.reduce(deltas, axis=1)

    def vanishing(share: float) -> NDArray[np.bool_]:
        return (level <= share * level_size) & (tilt <= share * tilt_size)

    if given is None:
        return np.where(vanishing(_ROUNDING), 1, 2)
    counts = as_floats("multiplicities", given)
    if counts.shape != betas.shape or not np.isin(counts, (1.0, 2.0)).all():
        raise InputError(
            f"multiplicities must be 1 or 2 for each of the {betas.size} half-space(s)."
        )
    wrong = np.flatnonzero((counts == 1.0) & ~vanishing(_DECLARED))
    if wrong.size:
        raise InputError(
            f"term {wrong[0]} is declared continuous and does not vanish on its boundary; give it "
            "multiplicity 2, or a term that does."
        )
    return counts.astype(int)
