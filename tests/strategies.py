"""What the property tests draw: networks, data and intervals of moderate size.

Values are multiples of 1/64, so that hypothesis shrinks them to readable cases and exact ties
between breakpoints and data do happen.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from records import Pieces, Plain

numbers = st.integers(-192, 192).map(lambda i: i / 64)
away_from_zero = st.one_of(st.integers(16, 192), st.integers(-192, -16)).map(lambda i: i / 64)


@st.composite
def networks(draw, *, max_width=5, skip=None, slope=None, regular=False):
    """Draw a plain network; ``regular``: no weight near zero, so that risk is differentiable."""
    width = draw(st.integers(1, max_width))
    kind = away_from_zero if regular else numbers
    has_skip = draw(st.booleans()) if skip is None else skip
    leak = draw(st.sampled_from([0.0, 0.0, 0.125, 0.5])) if slope is None else slope
    parts = [[draw(k) for _ in range(width)] for k in (kind, numbers, numbers)]
    tail = draw(numbers), draw(numbers) if has_skip else None
    return Plain(*(tuple(p) for p in parts), tail[0], tail[1], leak)


@st.composite
def rows(draw, *, min_size=4, max_size=30):
    """Draw data with repeats and, sometimes, weights."""
    n = draw(st.integers(min_size, max_size))
    x = np.array([draw(numbers) for _ in range(n)])
    y = np.array([draw(numbers) for _ in range(n)])
    if draw(st.booleans()):
        return x, y, None
    return x, y, np.array([draw(st.integers(1, 8)) / 16 for _ in range(n)])


@st.composite
def targets(draw):
    """Draw a piecewise polynomial on [-1, 2], jumps allowed, and a positive density."""
    inner = sorted(set(draw(st.lists(st.integers(-63, 127), max_size=3))))
    breaks = [Fraction(-1), *(Fraction(i, 64) for i in inner), Fraction(2)]
    table = [[draw(numbers) for _ in range(draw(st.integers(1, 4)))] for _ in breaks[1:]]
    tilt = draw(st.integers(-16, 32)) / 64
    return Pieces.of(breaks, table), Pieces.of((-1, 2), ((1.0, tilt),))
