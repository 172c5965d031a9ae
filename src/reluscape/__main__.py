"""``python -m reluscape`` is the command ``reluscape``."""

from __future__ import annotations

import sys

from reluscape.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
