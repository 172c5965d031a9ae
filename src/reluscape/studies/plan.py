"""The work of a study: cells, blocks of starts, and chunks of about five seconds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from reluscape.errors import InputError
from reluscape.networks.activations import Activation
from reluscape.studies.axes import Initialisation
from reluscape.studies.begin import BLOCK
from reluscape.studies.memory import bytes_of_run
from reluscape.training.optimisers import Adam, HeavyBall, Optimiser, StochasticGradientDescent

if TYPE_CHECKING:
    from reluscape.studies.study import Study

# All constants here shape the partition into chunks: with another one of them a store that was
# begun would not fit any more, so that FORMAT in study.py goes up whenever one changes.
# Seconds that a chunk is meant to take on one processor: worth the hand-over, and little to lose.
AIM = 5.0
# Steps of gradient descent a second of a network of width 16 on one processor, and how that falls
# with the width: some work a step does not depend on it.
STEPS_PER_SECOND, WIDTH, EXTRA = 5e6, 16, 4
# How much dearer a step of these is.
HEAVY_BALL, ADAM = 1.1, 1.6
# Data that a processor puts through a neuron in a second, there and back.
NEURONS_PER_SECOND = 3e8
# A graphics processor wants tens of thousands of networks at once.
CUDA_STEPS_PER_SECOND = 1e9
# Seconds a run besides its steps: start, exact risk and gradient; `classify`; `polish`.
RUN, CLASSIFY, POLISH = 1e-4, 2e-3, 1e-2
# Bytes of the table of one chunk.
MOST_BYTES = 64_000_000
MOST_CELLS = 10_000_000


@dataclass(frozen=True)
class Chunk:
    """A part of the work: consecutive starts of one cell.

    Attributes
    ----------
    index : int
    cell : int
        Number of the cell, in the order of the axes.
    place : tuple of int
        Of the cell on the six axes.
    problem : str
    activation : Activation
    width : int
    initialisation : Initialisation
    optimiser : Optimiser
    step_size : float
    first, count : int
        Starts from `first` on; `first` is a multiple of BLOCK.
    """

    index: int
    cell: int
    place: tuple[int, ...]
    problem: str
    activation: Activation
    width: int
    initialisation: Initialisation
    optimiser: Optimiser
    step_size: float
    first: int
    count: int

    @property
    def blocks(self) -> range:
        """The blocks of starts in it, the last of them maybe in part."""
        return range(self.first // BLOCK, -(-(self.first + self.count) // BLOCK))


class Plan:
    """How a study is cut into chunks: a function of the study alone.

    Parameters
    ----------
    study : Study

    Raises
    ------
    InputError
        If there are too many cells to number.

    Examples
    --------
    >>> from reluscape import Interval, Study, affine
    >>> study = Study({"x": Interval(affine(1, 0), 0, 1)}, [2, 4], 5000, [0.1], 20_000)
    >>> plan = study.plan
    >>> plan.runs, plan.chunks, plan.chunk(1).width, plan.chunk(1).first, plan.chunk(1).count
    (10000, 4, 2, 3840, 1160)
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.shape = (
            len(study.problems),
            len(study.bends),
            len(study.widths),
            len(study.starts_by),
            len(study.rules),
            len(study.step_sizes),
        )
        self.cells = 1
        for size in self.shape:
            self.cells *= size
        if self.cells > MOST_CELLS:
            raise InputError(
                f"the study has {self.cells:,} combinations of its axes; give fewer values, or "
                f"several studies: {MOST_CELLS:,} are the most."
            )

    @property
    def runs(self) -> int:
        """Number of runs."""
        return self.cells * self.study.starts

    @property
    def network_steps(self) -> int:
        """Steps of all runs together, if none diverges."""
        return self.runs * self.study.steps

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return int(self._ends[-1])

    @property
    def seconds(self) -> float:
        """Estimated time on one processor."""
        costs = np.broadcast_to(self._by_cell(self._costs), self.shape)
        return float(costs.sum()) * self.study.starts

    def seconds_of(self, index: int) -> float:
        """Return the estimated time of one chunk on one processor.

        Parameters
        ----------
        index : int

        Returns
        -------
        float
        """
        chunk = self.chunk(index)
        return chunk.count * self._costs[chunk.place[2], chunk.place[4]]

    def chunk(self, index: int) -> Chunk:
        """Return one chunk.

        Parameters
        ----------
        index : int
            From 0 to `chunks - 1`.

        Returns
        -------
        Chunk

        Raises
        ------
        InputError
            If there is no such chunk.
        """
        if not 0 <= index < self.chunks:
            raise InputError(f"there is no chunk {index}; there are {self.chunks}, from 0 on.")
        cell = int(np.searchsorted(self._ends, index, side="right"))
        before = int(self._ends[cell - 1]) if cell else 0
        place = tuple(int(i) for i in np.unravel_index(cell, self.shape))
        problem, activation, width, start, rule, size = place
        study = self.study
        runs = int(self._blocks[width, rule]) * BLOCK
        first = (index - before) * runs
        return Chunk(
            index,
            cell,
            place,
            list(study.problems)[problem],
            study.bends[activation],
            study.widths[width],
            study.starts_by[start],
            study.rules[rule],
            study.step_sizes[size],
            first,
            min(runs, study.starts - first),
        )

    @cached_property
    def _costs(self) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Seconds a run by width and rule."""
        study = self.study
        costs = [seconds_of_run(study, h, rule) for h, rule in product(study.widths, study.rules)]
        return np.array(costs).reshape(len(study.widths), len(study.rules))

    @cached_property
    def _blocks(self) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        """Blocks a chunk by width and rule."""
        study = self.study
        sizes = np.array([[bytes_of_run(study, h)] for h in study.widths], np.float64)
        fitting = np.minimum(AIM / self._costs, MOST_BYTES / sizes) / BLOCK
        every = -(-study.starts // BLOCK)
        return np.clip(np.floor(fitting), 1, every).astype(np.int64)

    @cached_property
    def _ends(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Number of chunks up to the end of each cell."""
        chunks = -(-self.study.starts // (self._blocks * BLOCK))
        return np.cumsum(np.broadcast_to(self._by_cell(chunks), self.shape).reshape(-1))

    def _by_cell(self, table: np.ndarray[tuple[int, int]]) -> np.ndarray[tuple[int, ...]]:
        """Lay a table by width and rule along the axes."""
        return table[np.newaxis, np.newaxis, :, np.newaxis, :, np.newaxis]


def seconds_of_run(study: Study, width: int, optimiser: Optimiser) -> float:
    """Return the estimated time of one run on one processor.

    Parameters
    ----------
    study : Study
    width : int
    optimiser : Optimiser

    Returns
    -------
    float
    """
    step = (width + EXTRA) / (WIDTH + EXTRA) / STEPS_PER_SECOND
    if isinstance(optimiser, StochasticGradientDescent):
        step = optimiser.batch * (width + EXTRA) / NEURONS_PER_SECOND
    elif isinstance(optimiser, HeavyBall):
        step *= HEAVY_BALL
    elif isinstance(optimiser, Adam):
        step *= ADAM
    if study.precision == "float32":
        step *= STEPS_PER_SECOND / CUDA_STEPS_PER_SECOND
    extra = {"none": 0.0, "final": CLASSIFY, "polished": CLASSIFY + POLISH}[study.verdicts]
    return study.steps * step + RUN + extra
