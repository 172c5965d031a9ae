"""Runs of toy tasks on an engine, and what must come out."""

from __future__ import annotations

import toy_tasks
from reluscape.studies.engine import run_chunks


def bits(table) -> list[bytes]:
    """Return the bytes of every column."""
    columns = [table.column(name).combine_chunks() for name in table.column_names]
    return [(c.flatten() if c.type.num_fields else c).to_numpy().tobytes() for c in columns]


def run(engine: str, description, task, indices=range(6), **options) -> dict[int, list[bytes]]:
    """Return what an engine delivers, each chunk once."""
    found: dict[int, list[bytes]] = {}

    def deliver(index: int, table) -> None:
        assert index not in found
        found[index] = bits(table)

    run_chunks(engine, description, indices, deliver, task=task, **options)
    return found


def expected(description, indices=range(6)) -> dict[int, list[bytes]]:
    """Return what the task computes here."""
    return {index: bits(toy_tasks.rows(description, index)) for index in indices}
