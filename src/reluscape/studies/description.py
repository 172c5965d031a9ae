"""A study in plain values, and the hash of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

from reluscape.errors import InputError
from reluscape.studies.axes import activation_name, describe_optimiser

if TYPE_CHECKING:
    from reluscape.studies.study import Study

Table: TypeAlias = Mapping[str, object]

# Of descriptions, tables of results and the partition into chunks; a store of another one is
# refused. Raise it whenever one of them changes, the costs in plan.py included.
FORMAT = 1


def describe(study: Study) -> dict[str, object]:
    """Return all of a study in plain values; see `Study.describe`.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict
    """
    return {
        "format": FORMAT,
        "name": study.name,
        "problems": {name: dict(cast("Table", t)) for name, t in study.problems.items()},
        "widths": list(study.widths),
        "starts": study.starts,
        "step_sizes": list(study.step_sizes),
        "steps": study.steps,
        "initialisations": [entry.name for entry in study.starts_by],
        "activations": [activation_name(entry) for entry in study.bends],
        "optimisers": [describe_optimiser(entry) for entry in study.rules],
        "skip": study.skip,
        "at_zero": study.at_zero,
        "records": list(study.recorded),
        "thresholds": {
            name: list(row)
            for name, row in cast("Mapping[str, Sequence[float]]", study.thresholds).items()
        },
        "monitor_every": study.monitor_every,
        "success": dict(cast("Mapping[str, float]", study.success)),
        "verdicts": study.verdicts,
        "keep_networks": study.keep_networks,
        "precision": study.precision,
        "seed": study.seed,
    }


def checked(description: Table) -> dict[str, object]:
    """Return the parameters that a description holds.

    Parameters
    ----------
    description : mapping

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If it is of another format.
    """
    if description.get("format") != FORMAT:
        raise InputError(
            f"the description has format {description.get('format')!r}, and this version of "
            f"reluscape reads format {FORMAT}; use the version that wrote it."
        )
    return {key: value for key, value in description.items() if key != "format"}


def digest(study: Study) -> str:
    """Return the SHA-256 of all that has a say in the numbers; see `Study.digest`.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str
        In hexadecimal.
    """
    description = describe(study)
    del description["name"]
    # A list: the order of problems is that of chunks, and JSON need not keep that of keys.
    description["problems"] = [
        [name, {key: v for key, v in cast("Table", table).items() if key != "file"}]
        for name, table in study.problems.items()
    ]
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
