"""The constructive classifier: class means, a projector, and a network without descent."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from reluscape.construction.exact import exact_values
from reluscape.construction.frame import Frame, Metric, make_frame
from reluscape.construction.hypotheses import (
    ILL_CONDITIONED,
    IllConditionedWarning,
    remarks_on,
    require_classes,
    require_independence,
)
from reluscape.construction.labels import order
from reluscape.construction.noise import Noise, bounded_noise, measured_noise
from reluscape.construction.reference import reference_outputs
from reluscape.construction.result import Construction, bias_of, readout_of
from reluscape.construction.sources import Source, open_rows
from reluscape.construction.summary import ClassSummary, read
from reluscape.errors import InputError
from reluscape.networks.arrays import Floats


def construct(
    X: object,
    labels: object = None,
    *,
    Y: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    metric: Metric = "euclidean",
    lift: bool = False,
) -> Construction:
    """Write down a network that classifies, from the class means: no descent.

    The rows are read twice at most: once for the means, which are all that the network needs, and
    once to measure its noise and its cost. Memory does not depend on the number of rows.

    Parameters
    ----------
    X : array_like of shape (n, inputs)
        Or a memory-mapped array, a SciPy sparse matrix, the path of a Parquet file, a
        `ClassSummary`; or, without `labels`, chunks `(X, labels)` or `(X, labels, weights)`: a
        list of them, a function that returns an iterator, or an iterator, which is read once only.
    labels : sequence of hashable, shape (n,)
        The class of each row; the name of a column of the Parquet file.
    Y : None, "means" or array_like of shape (Q, Q)
        Reference outputs, one column for each class in the order of `Construction.classes`;
        invertible. None is the identity. "means" are the class means in coordinates of their
        subspace: the metric is then the distance of projections, and a row is of the class with
        the nearest mean; this also works for class means that depend on each other.
    weights : array_like of shape (n,), optional
        0 or more; a weight of 2 counts a row twice. The name of a column of the Parquet file.
    metric : {"euclidean", "within"}
        "within" measures inputs in units of the pooled noise within classes, a linear map of the
        inputs under which S4 holds as it is; with Y="means" and lift=True it classifies as linear
        discriminant analysis with equal priors does.
    lift : bool, default False
        Whether to centre the inputs and append a constant one, so that it is enough that the class
        means are affinely independent.

    Returns
    -------
    Construction

    Raises
    ------
    InputError
        If class means are linearly dependent (the message says what works still), there are fewer
        than two classes, or a value, label, weight or Y is wrong.

    Warns
    -----
    IllConditionedWarning
        If the class means nearly depend on each other; with the condition number.

    Notes
    -----
    Chen and Muñoz Ewald, arXiv 2309.10370: the upper bound on the least cost, its network, the
    exact value for as many inputs as classes, and the metric. The constant 1 in front of
    `|Y| delta_P` was derived again.

    Examples
    --------
    >>> X = [[1.1, 0.0], [0.9, 0.0], [0.1, 1.0], [-0.1, 1.0]]
    >>> made = construct(X, ["a", "a", "b", "b"])
    >>> round(made.cost, 12), round(made.bound, 12)
    (0.1, 0.1)
    >>> made.classify([[0.8, 0.3]])
    array(['a'], dtype='<U1')
    >>> made.network([[1.0, 0.0]]).round(12)
    array([[1., 0.]])
    """
    _check_metric(metric)
    if isinstance(X, ClassSummary):
        if labels is not None or weights is not None:
            raise InputError("a ClassSummary has labels and weights already; leave them out.")
        return construct_from(X, None, Y=Y, metric=metric, lift=lift)
    source = open_rows(X, labels, weights)
    once = not source.repeatable
    summary = read(source, ClassSummary(scatter=once or metric == "within"))
    return construct_from(summary, None if once else source, Y=Y, metric=metric, lift=lift)


def construct_from(
    summary: ClassSummary,
    source: Source | None,
    *,
    Y: ArrayLike | None = None,
    metric: Metric = "euclidean",
    lift: bool = False,
) -> Construction:
    """Construct from what the first pass has found; see `construct`.

    Parameters
    ----------
    summary : ClassSummary
    source : Source or None
        The rows that it is of, for a second pass.
    Y, metric, lift
        See `construct`.

    Returns
    -------
    Construction
    """
    _check_metric(metric)
    require_classes(summary)
    summary = summary.only(order(summary.classes))
    frame = make_frame(summary, metric=metric, lift=lift)
    if not isinstance(Y, str):
        require_independence(summary, frame, metric)
    outputs = reference_outputs(Y, summary.classes, frame)
    if frame.condition > ILL_CONDITIONED:
        warnings.warn(
            f"the class means are ill-conditioned (condition number {frame.condition:.3g}): the "
            "network loses that many digits; give lift=True or other inputs.",
            IllConditionedWarning,
            stacklevel=3,
        )
    if source is None:
        noise = bounded_noise(summary, frame)
    else:
        readout, bias = readout_of(frame, outputs), bias_of(frame)
        offset = -readout.sum(axis=1) * bias
        noise = measured_noise(source, summary, frame, readout, offset, outputs, bias)
    return _result(summary, frame, outputs, noise, metric)


def _check_metric(metric: str) -> None:
    if metric not in ("euclidean", "within"):
        raise InputError(f'metric is {metric!r}; give "euclidean" or "within".')


def _result(
    summary: ClassSummary, frame: Frame, outputs: Floats, noise: Noise, metric: Metric
) -> Construction:
    """Put together what is known."""
    mixing, q = frame.mixing, len(summary.classes)
    scaled = outputs @ mixing
    pooled = noise.squares.sum(axis=0) / summary.weights.sum()
    each = (noise.squares / summary.weights[:, np.newaxis, np.newaxis]).sum(axis=0)
    closed = float(np.sqrt(max(np.einsum("tp,pq,tq->", scaled, pooled, scaled), 0.0)))
    counted = float(np.sqrt(max(np.einsum("tp,pq,tq->", scaled, each, scaled), 0.0)))
    exact = None
    if frame.rank == frame.dimensions == q:
        exact = exact_values(mixing @ each @ mixing.T, outputs)
    delta_p = float(noise.relative.max())
    return Construction(
        classes=summary.classes,
        rows=summary.rows,
        weights=summary.weights,
        means=summary.means,
        Y=outputs,
        cost=closed if noise.measured is None else float(np.sqrt(noise.measured)),
        closed_form_cost=closed,
        class_weighted_cost=counted,
        bound=float(np.linalg.norm(outputs, 2)) * delta_p,
        delta_P=delta_p,
        delta=float(noise.absolute.max()),
        class_delta_P=noise.relative,
        covariance=mixing @ pooled @ mixing.T,
        condition=frame.condition,
        exact=exact,
        metric=metric,
        lifted=bool(frame.lift),
        passes=1 if noise.measured is None else 2,
        remarks=remarks_on(summary, frame, metric),
        frame=frame,
    )
