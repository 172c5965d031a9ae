"""google/pwlfit, which is on no package registry: measured earlier by the authors, quoted here.

Another machine (two cores of an AMD EPYC), other random numbers of the same two functions, its
default of 100 candidates. Per cell: median seconds of three runs, and by how many per cent its
sum of squares exceeded the least that anyone found on those data.
"""

from __future__ import annotations

# (case, rows): {kinks: (seconds, per cent above the best known)}
PWLFIT: dict[tuple[str, int], dict[int, tuple[float, float]]] = {
    ("motorcycle", 133): {
        1: (0.00615, 0.0),
        2: (0.0355, 0.72),
        3: (0.0914, 0.54),
        5: (0.129, 1.3),
        8: (0.294, 15.0),
    },
    ("sine", 1_000): {
        1: (0.0064, 0.045),
        2: (0.0473, 0.14),
        3: (0.0615, 0.4),
        5: (0.244, 3.1),
        8: (0.324, 0.39),
    },
    ("sine", 100_000): {
        1: (0.0143, 0.051),
        2: (0.0608, 0.85),
        3: (0.0495, 0.31),
        5: (0.235, 0.096),
        8: (0.67, 0.17),
    },
    ("pwl", 1_000): {
        1: (0.023, 0.0055),
        2: (0.0495, 0.098),
        3: (0.156, 0.18),
        5: (0.366, 0.58),
        8: (0.447, 0.63),
    },
    ("pwl", 100_000): {
        1: (0.0175, 0.015),
        2: (0.0637, 0.3),
        3: (0.0731, 0.21),
        5: (0.269, 0.42),
        8: (0.394, 0.078),
    },
}
MISSES = "more than 0.1 % above the best known in 93 of 108 runs with two or more kinks"
