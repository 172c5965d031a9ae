"""The page about constructions: what it shows runs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_python_in_the_page_runs(capsys):
    text = (ROOT / "docs" / "construct.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, names)  # noqa: S102 - our own text, as a reader would paste it
    assert "Construction: 3 classes, 4 inputs, 150 rows" in capsys.readouterr().out
    assert (
        abs(names["again"].cost - names["rs"].construct(names["X"], names["species"]).cost) < 1e-12
    )
