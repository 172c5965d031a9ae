"""What is compiled on disk does not outlive the sources that it was made from."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "reluscape"
PROGRAM = """
import numpy as np
from reluscape.kernels.table import pure_error
high = np.zeros((2, 1, 6))
high[1, 0] = 1.0, 0.0, 0.0, 2.0, 0.0, 7.0
print(pure_error(high, np.zeros_like(high)))
"""


def test_a_kernel_is_compiled_anew_when_one_that_it_calls_has_changed(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "reluscape", ignore=shutil.ignore_patterns("__pycache__"))

    def said() -> float:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
        )
        return float(done.stdout)

    # One input, 7 - 2^2 / 1.
    assert said() == 3.0
    assert said() == 3.0
    twofold = tmp_path / "reluscape" / "kernels" / "twofold.py"
    source = twofold.read_text(encoding="utf-8")
    assert source.count("def divide(") == 1
    twofold.write_text(source.replace("def divide(", "def _divide(") + CHANGED, encoding="utf-8")
    assert said() == 7.0


CHANGED = '''

@inner
def divide(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Return nothing."""
    return 0.0 * (ah + al + bh + bl), 0.0
'''
