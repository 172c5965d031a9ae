"""Examples of the documentation run, and print what the page says."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from fault_runs import free_port
from transcripts import blocks, commands, play, shape

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("page", ["cluster.md", "several_inputs.md", "studies.md"])
def test_examples_of_a_page(page: str) -> None:
    result = doctest.testfile(str(DOCS / page), module_relative=False, verbose=False)
    assert result.attempted > 10
    assert result.failed == 0


@pytest.mark.slow
def test_the_transcript_with_two_workers_is_what_happens(tmp_path: Path) -> None:
    """The same commands, on another port and with fewer steps, say the same but for numbers."""
    page = DOCS / "cluster.md"
    spec = blocks(page, "toml")[0].replace("200_000", "2_000")
    (tmp_path / "study.toml").write_text(spec)
    shown = blocks(page, "console")[0]
    port = str(free_port())
    typed = [command.replace("8786", port) for command in commands(shown)]
    assert len(typed) == 7
    assert shape(play(typed, tmp_path)) == shape(shown)
    with (tmp_path / "runs.csv").open() as stream:
        assert len(stream.readlines()) == 1 + 12 * 256
