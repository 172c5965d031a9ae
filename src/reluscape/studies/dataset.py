"""From tables of chunks to one labelled Dataset, complete or not."""

# PyArrow ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from reluscape._version import __version__
from reluscape.studies.axes import activation_name, optimiser_name
from reluscape.studies.description import FORMAT
from reluscape.studies.plateaus import levels_of
from reluscape.studies.study import Study
from reluscape.studies.tasks import OUTCOMES, VERDICTS

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

CELL = ("problem", "activation", "width", "initialisation", "optimiser", "step_size")
# The column of a chunk, the variable of the Dataset, the axis that it has besides, and its type.
_COLUMNS = (
    ("risk", "risk", None, np.float64),
    ("initial_risk", "initial_risk", None, np.float64),
    ("norm", "norm", None, np.float64),
    ("gradient_norm", "gradient_norm", None, np.float64),
    ("steps", "steps", None, np.int64),
    ("outcome", "outcome", None, np.int8),
    ("level", "level", None, np.int16),
    ("records", "record_risk", "record", np.float64),
    ("times", "time", "threshold", np.int64),
    ("entered", "entered", "plateau", np.int64),
    ("left", "left", "plateau", np.int64),
    ("verdict", "verdict", None, np.int8),
    ("polished_risk", "polished_risk", None, np.float64),
    ("parameters", "parameters", "parameter", np.float64),
)
_TEXTS = {
    "risk": "exact risk after the last step",
    "initial_risk": "exact risk before the first step",
    "norm": "norm of (w, b, v), each neuron rescaled to w^2 + b^2 = v^2",
    "gradient_norm": "norm of the generalized gradient after the last step",
    "steps": "steps made; -1: not run yet",
    "outcome": "how the run ended; -1: not run yet",
    "level": "0: success, k: at level_risk[k], -1: at none",
    "record_risk": "exact risk at the recorded steps",
    "time": "first monitored step with a risk at or below the threshold; -1: never",
    "entered": "first monitored step at or below 1.02 times the level; -1: never",
    "left": "first monitored step at or below 0.98 times the level; -1: never",
    "verdict": "what classify says of the last network, or of the polished one; -1: nothing",
    "polished_risk": "risk of the polished network",
    "parameters": "final parameters in the order of Network.to_vector; NaN beyond",
}
_MEANINGS = {"outcome": OUTCOMES, "verdict": VERDICTS}


class StudyArrays:
    """The results of a study as they come in.

    Parameters
    ----------
    study : Study

    Examples
    --------
    >>> from reluscape import Interval, affine
    >>> from reluscape.studies.tasks import run_chunk
    >>> study = Study({"x": Interval(affine(1, 0), 0, 1)}, [1, 2], 2, [0.1], 5)
    >>> arrays = StudyArrays(study)
    >>> arrays.add(1, run_chunk(study.describe(), 1))
    >>> arrays.dataset()["steps"].sel(problem="x", width=2).to_numpy().ravel()
    array([5, 5])
    >>> arrays.dataset().attrs["runs_done"]
    2
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._added: set[int] = set()
        self._devices: set[str] = set()
        self._arrays: dict[str, NDArray[np.generic]] = {}
        lengths = {
            "record": len(study.recorded),
            "threshold": len(study.waited_for),
            "plateau": study.plateaus,
            "parameter": 3 * max(study.widths) + 1 + study.skip,
        }
        wanted = {
            "verdict": study.verdicts != "none",
            "polished_risk": study.verdicts == "polished",
        }
        wanted["parameters"] = study.keep_networks
        for _, name, axis, kind in _COLUMNS:
            if not wanted.get(name, True) or (axis is not None and not lengths[axis]):
                continue
            shape = (*study.plan.shape, study.starts, *([] if axis is None else [lengths[axis]]))
            missing = np.nan if kind is np.float64 else -1
            self._arrays[name] = np.full(shape, missing, kind)

    def add(self, index: int, table: pa.Table) -> None:
        """Take the table of one chunk; the same chunk again changes nothing.

        Parameters
        ----------
        index : int
        table : pyarrow.Table
            What `run_chunk` returned.
        """
        chunk = self.study.plan.chunk(index)
        rows = slice(chunk.first, chunk.first + chunk.count)
        for column, name, axis, _ in _COLUMNS:
            if name not in self._arrays:
                continue
            array = self._arrays[name][chunk.place]
            values = table.column(column).combine_chunks()
            if axis is None:
                array[rows] = values.to_numpy(zero_copy_only=False)
            else:
                flat = values.flatten().to_numpy(zero_copy_only=False).reshape(chunk.count, -1)
                array[rows, : flat.shape[1]] = flat
        self._added.add(index)
        self._devices.add(cast("dict[bytes, bytes]", table.schema.metadata)[b"device"].decode())

    @property
    def runs_done(self) -> int:
        """Number of runs whose results are here."""
        return sum(self.study.plan.chunk(index).count for index in self._added)

    def __contains__(self, index: int) -> bool:
        """Tell whether a chunk is here."""
        return index in self._added

    def network_steps_of(self, index: int) -> int:
        """Return the steps that the runs of one chunk have made, 0 if it is not here."""
        if index not in self:
            return 0
        chunk = self.study.plan.chunk(index)
        steps = self._arrays["steps"][chunk.place][chunk.first : chunk.first + chunk.count]
        return int(cast("NDArray[np.int64]", steps).sum())

    def dataset(self) -> xr.Dataset:
        """Return all results so far, labelled.

        Returns
        -------
        xarray.Dataset
            Runs that are not there yet have NaN, and -1 where numbers are whole. The arrays are
            not copied: what is added later shows up.
        """
        import xarray as xr

        variables: dict[str, xr.Variable] = {}
        for _, name, axis, _ in _COLUMNS:
            if name in self._arrays:
                dims = (*CELL, "start", *([] if axis is None else [axis]))
                variables[name] = xr.Variable(dims, self._arrays[name], _attributes(name))
        dataset = xr.Dataset(variables, self._labels(), self._about())
        return dataset

    def _labels(self) -> dict[str, object]:
        study = self.study
        labels: dict[str, object] = {
            "problem": list(study.problems),
            "activation": [activation_name(entry) for entry in study.bends],
            "width": np.array(study.widths, np.int64),
            "initialisation": [entry.name for entry in study.starts_by],
            "optimiser": [optimiser_name(entry) for entry in study.rules],
            "step_size": np.array(study.step_sizes, np.float64),
            "start": np.arange(study.starts),
            "record": np.array(study.recorded, np.int64),
            "success": ("problem", np.array([study.success_of(name) for name in study.problems])),
        }
        if study.waited_for:
            labels["threshold"] = np.array(study.waited_for)
        if "entered" in self._arrays:
            labels["plateau"] = 1 + np.arange(self._arrays["entered"].shape[-1])
        return labels | self._levels()

    def _levels(self) -> dict[str, object]:
        """Names and risks of the levels, the first of them success."""
        study = self.study
        shape = study.plan.shape[:3]
        found = {
            (p, a, h): levels_of(problem, width, activation.slope, skip=study.skip)
            for p, problem in enumerate(study.built.values())
            for a, activation in enumerate(study.bends)
            for h, width in enumerate(study.widths)
        }
        most = 1 + max(map(len, found.values()))
        risks = np.full((*shape, most), np.nan)
        risks[..., 0] = 0.0
        names = np.full((*shape[:2], most), "", dtype=object)
        names[..., 0] = "success"
        for (p, a, h), levels in found.items():
            for k, level in enumerate(levels, start=1):
                risks[p, a, h, k] = level.risk
                names[p, a, k] = level.name
        return {
            "level_risk": (("problem", "activation", "width", "slot"), risks),
            "level_name": (("problem", "activation", "slot"), names.astype(str)),
        }

    def _about(self) -> dict[str, object]:
        runs, done = self.study.plan.runs, self.runs_done
        return {
            "name": self.study.name,
            "digest": self.study.digest,
            "format": FORMAT,
            "reluscape": __version__,
            # Processors of two kinds agree to rounding only.
            "device": " and ".join(sorted(self._devices)),
            "runs_total": runs,
            "runs_done": done,
            # Files know no truth values.
            "complete": int(done == runs),
        }


def _attributes(name: str) -> dict[str, object]:
    found: dict[str, object] = {"long_name": _TEXTS[name]}
    if name in _MEANINGS:
        # As in the conventions for climate and forecast data, so that others can read it.
        meanings = _MEANINGS[name]
        found["flag_values"] = list(range(len(meanings)))
        found["flag_meanings"] = " ".join(meaning.replace(" ", "_") for meaning in meanings)
    return found
