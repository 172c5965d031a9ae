"""Where runs begin: seeded by what they are, not by when or where they run."""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from reluscape.networks.activations import Activation
from reluscape.problems.interval import Interval
from reluscape.problems.samples import Samples
from reluscape.studies.axes import Initialisation
from reluscape.training.initialise import breakpoint_spread

Floats = NDArray[np.float64]

# Runs that share one seed.
BLOCK = 64
# First entries of the spawn keys: one for parameters, one for batches.
_PARAMETERS, _BATCHES = 0, 1


def parameters_of(
    seed: int,
    name: str,
    problem: Interval | Samples,
    width: int,
    initialisation: Initialisation,
    activation: Activation,
    skip: bool,
    block: int,
) -> Floats:
    """Draw the starts of one block.

    Parameters
    ----------
    seed : int
        Of the study.
    name : str
        Of the problem.
    problem : Interval or Samples
        Both count for "spread" alone.
    width : int
    initialisation : Initialisation
    activation : Activation
        Changes nothing: leaky ReLU starts where ReLU does.
    skip : bool
    block : int

    Returns
    -------
    ndarray, shape (BLOCK, 3 width + 1) or (BLOCK, 3 width + 2) with a skip connection
        In the order of `Network.to_vector`.

    Examples
    --------
    >>> from reluscape import Interval, affine, leaky
    >>> line, normal = Interval(affine(1, 0), 0, 1), Initialisation()
    >>> parameters_of(0, "line", line, 2, normal, leaky(0.1), False, 0).shape
    (64, 7)
    """
    key = [_PARAMETERS, width, crc32(initialisation.name.encode()), block]
    if initialisation.kind == "spread":
        key.append(crc32(name.encode()))
    rng = _generator(seed, key)
    if initialisation.kind == "spread":
        starts = [
            breakpoint_spread(problem, width, rng, skip=skip, activation=activation).to_vector()
            for _ in range(BLOCK)
        ]
        return np.array(starts)
    return initialisation.scale * rng.standard_normal((BLOCK, 3 * width + 1 + skip))


def keys_of(
    seed: int, width: int, initialisation: Initialisation, block: int
) -> NDArray[np.uint64]:
    """Draw the keys from which the batches of one block come.

    Parameters
    ----------
    seed : int
    width : int
    initialisation : Initialisation
    block : int

    Returns
    -------
    ndarray of uint64, shape (BLOCK,)
    """
    key = [_BATCHES, width, crc32(initialisation.name.encode()), block]
    state = np.random.SeedSequence(seed, spawn_key=key).generate_state(BLOCK, np.uint64)
    return state.astype(np.uint64)


def _generator(seed: int, key: list[int]) -> np.random.Generator:
    # Named, and not the default generator, which NumPy may change one day.
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
