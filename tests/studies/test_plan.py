"""The partition: every run in exactly one chunk, chunks of about the same cost."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluscape.errors import InputError
from reluscape.studies.begin import BLOCK
from reluscape.studies.plan import AIM, MOST_BYTES
from study_cases import LINE, TENT, small


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=3, unique=True),
    st.integers(1, 5000),
    st.integers(1, 10**7),
    st.lists(st.sampled_from(["gd", "adam", "heavy ball"]), min_size=1, unique=True),
    st.booleans(),
)
def test_every_run_is_in_one_chunk(
    widths: list[int], starts: int, steps: int, rules: list[str], keep: bool
) -> None:
    study = small(
        problems={"tent": TENT, "line": LINE},
        widths=widths,
        starts=starts,
        steps=steps,
        optimisers=rules,
        keep_networks=keep,
    )
    plan = study.plan
    cells = list(product(range(2), range(1), range(len(widths)), range(1), range(len(rules)), [0]))
    assert plan.runs == starts * len(cells)
    assert plan.network_steps == plan.runs * steps
    # All chunks of short studies, both ends of long ones.
    looked_at = range(plan.chunks) if plan.chunks < 300 else [0, 1, plan.chunks - 1]
    reached: dict[tuple[int, ...], int] = {}
    for index in looked_at:
        chunk = plan.chunk(index)
        assert chunk.index == index
        assert cells[chunk.cell] == chunk.place
        assert chunk.problem == ["tent", "line"][chunk.place[0]]
        assert chunk.width == widths[chunk.place[2]]
        assert chunk.first % BLOCK == 0
        assert chunk.count >= 1
        assert chunk.count % BLOCK == 0 or chunk.first + chunk.count == starts
        assert len(chunk.blocks) == 1 or plan.seconds_of(index) <= AIM
        assert len(chunk.blocks) * BLOCK >= chunk.count > (len(chunk.blocks) - 1) * BLOCK
        if plan.chunks < 300:
            assert chunk.first == reached.get(chunk.place, 0)
            reached[chunk.place] = chunk.first + chunk.count
    if plan.chunks < 300:
        assert reached == dict.fromkeys(cells, starts)
        total = sum(plan.seconds_of(index) for index in looked_at)
        assert plan.seconds == pytest.approx(total)


def test_the_cost_is_that_of_the_model() -> None:
    # 5 million steps a second of width 16, and a tenth of a millisecond a run.
    study = small(widths=[16], steps=1_000_000, starts=1000)
    assert study.plan.seconds == pytest.approx(1000 * (0.2 + 1e-4))
    assert study.plan.chunks == -(-1000 // BLOCK)
    quick = small(widths=[16], steps=1000, starts=10_000)
    # 5 s / 0.3 ms are 16,666 runs: all of them.
    assert quick.plan.chunks == 1


def test_tables_of_chunks_stay_small() -> None:
    study = small(steps=10_000, starts=100_000, records=range(10_000))
    chunk = study.plan.chunk(0)
    assert chunk.count * 10_000 * 8 <= MOST_BYTES
    assert chunk.count > 4 * BLOCK


def test_a_graphics_processor_gets_whole_cells() -> None:
    study = small(widths=[16], steps=20_000, starts=5_000, precision="float32")
    assert study.plan.chunks == 1


@pytest.mark.parametrize("index", [-1, 1, 10**9])
def test_chunks_that_there_are_not(index: int) -> None:
    with pytest.raises(InputError, match="there is no chunk"):
        small().plan.chunk(index)


def test_too_many_cells_are_refused_at_once() -> None:
    study = small(widths=range(1, 10_001), step_sizes=[0.1 + i for i in range(10_000)])
    with pytest.raises(InputError, match="100,000,000 combinations"):
        _ = study.plan
