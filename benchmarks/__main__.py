"""Run the benchmarks and write ``docs/benchmarks.md``; see ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import sys

from benchmarks import (
    accuracy,
    certificates,
    construct,
    derivatives,
    descent,
    ensemble,
    fit,
    gpu,
    growth,
    landscape,
    memory,
    page,
    studies,
)
from benchmarks.cells import Cells, say

NEEDED = {
    "fit": ("pwlf", "piecewise_regression"),
    "descent": ("torch", "jax"),
}


def main() -> int:
    """Run the sections asked for, storing every cell as it finishes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        default=",".join(page.SECTIONS),
        metavar="SECTIONS",
        help=f"a comma-separated part of {','.join(page.SECTIONS)}; what is stored is kept",
    )
    parser.add_argument("--quick", action="store_true", help="a few small cells, to try it out")
    parser.add_argument("--methods", help="fit: only these methods, comma-separated")
    parser.add_argument("--libraries", help="descent: only these libraries, comma-separated")
    parser.add_argument("--page", action="store_true", help="only write the page again")
    options = parser.parse_args()
    sections = options.only.split(",")
    unknown = [name for name in sections if name not in page.SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]!r}; choose from {', '.join(page.SECTIONS)}")
    missing = [
        module
        for name in sections
        for module in NEEDED.get(name, ())
        if importlib.util.find_spec(module) is None
    ]
    if missing and not options.page:
        parser.error(
            f"{', '.join(missing)} not installed: pip install -r benchmarks/requirements.txt"
        )
    if not options.page:
        _run(sections, options)
    say(f"wrote {page.write(quick=options.quick)}")
    return 0


def _run(sections: list[str], options: argparse.Namespace) -> None:
    quick = options.quick
    if "memory" in sections:
        memory.measure(Cells("memory", quick=quick), memory.QUICK_ROWS if quick else memory.ROWS)
    if "accuracy" in sections:
        accuracy.measure(
            Cells("accuracy", quick=quick), accuracy.QUICK_SIZES if quick else accuracy.SIZES
        )
    if "growth" in sections:
        growth.measure(Cells("growth", quick=quick), growth.QUICK_ROWS if quick else growth.ROWS)
    if "certificates" in sections:
        certificates.measure(
            Cells("certificates", quick=quick), certificates.QUICK if quick else certificates.CASES
        )
    if "landscape" in sections:
        landscape.measure(Cells("landscape", quick=quick))
    if "derivatives" in sections:
        derivatives.measure(Cells("derivatives", quick=quick))
    if "construct" in sections:
        construct.measure(Cells("construct", quick=quick), quick=quick)
    if "ensemble" in sections:
        ensemble.measure(Cells("ensemble", quick=quick), quick=quick)
    if "gpu" in sections:
        gpu.measure(Cells("gpu", quick=quick), quick=quick)
    if "studies" in sections:
        studies.measure(Cells("studies", quick=quick), quick=quick)
    if "descent" in sections:
        plan = descent.QUICK if quick else descent.Plan()
        if options.libraries:
            plan = dataclasses.replace(plan, libraries=tuple(options.libraries.split(",")))
        descent.measure(Cells("descent", quick=quick), plan)
    if "fit" in sections:
        plan_fit = fit.QUICK if quick else fit.Plan()
        if options.methods:
            plan_fit = dataclasses.replace(plan_fit, methods=tuple(options.methods.split(",")))
        fit.measure(Cells("fit", quick=quick), plan_fit)


if __name__ == "__main__":
    sys.exit(main())
