"""Networks to go on training from: scikit-learn and PyTorch, with the construction inside."""

# scikit-learn ships no types, and PyTorch need not be there.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingImports=false

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reluscape.construction.result import Construction
from reluscape.errors import InputError
from reluscape.networks.arrays import Floats

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

# Room beyond the noise within which units stay active.
ROOM = 1.1


class Layers(NamedTuple):
    """Weights of two layers; logits are `relu(x W1 + b1) W2 + b2`."""

    W1: Floats
    b1: Floats
    W2: Floats
    b2: Floats


def layers_of(
    made: Construction, temperature: float, *, width: int | None = None, seed: int = 0
) -> Layers:
    """Return a network whose softmax is that of the negative squared distances.

    `-|out - y_j|^2 / T` is linear in out up to a term that all classes share, so that an ordinary
    classifier with a softmax starts just where the construction is.

    Parameters
    ----------
    made : Construction
    temperature : float
    width : int, optional
        Hidden units; those beyond the Q of the construction have random inner weights and outer
        weights 0, so that they change nothing before training.
    seed : int
        For those.

    Returns
    -------
    Layers

    Raises
    ------
    InputError
        If the width is too small.
    """
    frame = made.frame
    rank, inputs = frame.rank, made.means.shape[1]
    wide = rank if width is None else width
    if wide < rank:
        raise InputError(f"width is {width}; the construction alone needs {rank} hidden units.")
    weights, constants = frame.rows_of(frame.basis.T)
    # As little bias as keeps the units active on the rows: what is large is slow to train.
    bias = ROOM * frame.singular * made.delta_P - frame.coordinates.min(axis=1)
    inner, outer = weights, 2.0 / temperature * (made.Y.T @ made.readout)
    logits = -np.square(made.Y).sum(axis=0) / temperature - outer @ bias
    bias = constants + bias
    # max(k x, 0) = k max(x, 0): units get inner and outer weights of one size.
    sizes = np.linalg.norm(outer, axis=0) / np.sqrt(np.square(inner).sum(axis=1) + np.square(bias))
    scale = np.sqrt(np.where(sizes > 0.0, sizes, 1.0))
    rng = np.random.default_rng(seed)
    reach = np.sqrt(6.0 / (inputs + wide))
    W1 = rng.uniform(-reach, reach, (inputs, wide))
    b1 = rng.uniform(-reach, reach, wide)
    W2 = np.zeros((wide, len(made.classes)))
    W1[:, :rank], b1[:rank] = (inner * scale[:, np.newaxis]).T, bias * scale
    W2[:rank] = (outer / scale).T
    return Layers(W1, b1, W2, logits)


def to_mlp(layers: Layers, classes: NDArray[np.generic], random_state: int | None) -> MLPClassifier:
    """Return a scikit-learn classifier that predicts like the layers and can be trained on.

    Parameters
    ----------
    layers : Layers
    classes : ndarray of shape (Q,)
    random_state : int or None

    Returns
    -------
    MLPClassifier
        With ``warm_start=True``: `fit` goes on from here.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    inputs, width = layers.W1.shape
    model = MLPClassifier((width,), warm_start=True, max_iter=1, random_state=random_state)
    with warnings.catch_warnings():
        # One step on nothing makes everything that a fitted model has; then come our weights.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(np.zeros((len(classes), inputs)), classes)
    two = len(classes) == 2
    outer = layers.W2[:, 1:] - layers.W2[:, :1] if two else layers.W2
    shift = layers.b2[1:] - layers.b2[:1] if two else layers.b2
    model.coefs_ = [layers.W1.copy(), outer.copy()]
    model.intercepts_ = [layers.b1.copy(), shift.copy()]
    model.set_params(max_iter=200)
    # What one step has left behind would count: its momentum, and its learning rate.
    delattr(model, "_optimizer")
    model.loss_curve_, model.n_iter_, model.t_ = [], 0, 0
    return model


def to_torch(layers: Layers) -> Any:  # noqa: ANN401 - PyTorch need not be there
    """Return a PyTorch module of two linear layers and a ReLU that gives the logits.

    Parameters
    ----------
    layers : Layers

    Returns
    -------
    torch.nn.Sequential
        In PyTorch's default type of floats.

    Raises
    ------
    InputError
        If PyTorch is not installed.
    """
    try:
        import torch
    except ImportError:
        raise InputError(
            'PyTorch is not installed; install it, or give kind="sklearn" for an MLPClassifier.'
        ) from None
    (inputs, width), classes = layers.W1.shape, layers.W2.shape[1]
    first, second = torch.nn.Linear(inputs, width), torch.nn.Linear(width, classes)
    with torch.no_grad():
        for layer, weights, bias in (
            (first, layers.W1, layers.b1),
            (second, layers.W2, layers.b2),
        ):
            layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(weights.T)))
            layer.bias.copy_(torch.from_numpy(np.ascontiguousarray(bias)))
    return torch.nn.Sequential(first, torch.nn.ReLU(), second)
