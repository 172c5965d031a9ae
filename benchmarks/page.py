"""Write ``docs/benchmarks.md`` from the stored cells; every number on it comes from them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

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
    studies,
)
from benchmarks.cells import RESULTS, Cell, load
from benchmarks.data import CASES, KNOTS, ROOT, SEED, sizes
from benchmarks.descent_peers import WIDTH
from benchmarks.fit_peers import PEERS
from benchmarks.quoted import MISSES, PWLFIT

PAGE = ROOT / "docs" / "benchmarks.md"
SECTIONS = (
    "fit",
    "certificates",
    "landscape",
    "derivatives",
    "construct",
    "descent",
    "ensemble",
    "gpu",
    "growth",
    "accuracy",
    "memory",
    "studies",
)
NONE = "–"

INTRODUCTION = """\
# Benchmarks

`make bench` measured every number on this page, unless it says "quoted", and wrote the page.
Peers and reluscape ran in the same run on the same two cores; each method ran in a process of its
own, held to two threads (BLAS to one where a peer's matrices are too small to gain from two). The
stored cells are in `benchmarks/results/`.
"""

FIT_TEXT = f"""\
## Fit: time and sum of squares

Continuous piecewise-linear least squares with k interior kinks. Data: the 133 motorcycle
readings; `sine`, sin(3πx) + 0.2 noise; `pwl`, five true kinks + 0.15 noise; x uniform on [0, 1],
rows in random order, NumPy seed ({SEED}, case, n).

Times are medians over the seeds that finished, data in memory, libraries loaded and compiled;
for reluscape they include building `Samples` (sorting). A peer's sum of squares is solved again
from its kinks with a well-conditioned basis, in its favour; reluscape's is that of the network as
returned. The last column is the *worst* of reluscape's seeds against the *best* sum of squares
that any peer found with any seed: negative means that the worst run of reluscape beat them all.
A peer's entry is its median time, the number of runs if below {{seeds}}, and in brackets how far
its median run is above the least sum of squares in the row. "T/O": a run took over {{limit:g}} s;
"(T/O)": not run, because fewer rows or kinks took too long. "n failed": runs that raised, or
returned no estimate.
"""

QUOTED_TEXT = f"""\
### google/pwlfit (quoted)

It is on no package registry, so it did not run here. Measured earlier by the authors on two
cores of an AMD EPYC, other random numbers of the same functions, default settings: {MISSES}.
Median seconds, and the excess of its sum of squares over the best known on those data.
"""

CERTIFICATES_TEXT = f"""\
## Certificates: time to prove a fit, and to check the proof

`fit(..., certify=True, gap={certificates.GAP:g}, time_limit={certificates.TIME_LIMIT:g})`, the
data of the section above, and `Interval` problems whose minimum is known; one run each, after a
warm-up. A search is the whole call of `fit` and building the problem (sorting) before it; a check
is building the problem, reading the file and `check`. Gap: relative to the risk. Everywhere the
certificate must hold, and checking may take {certificates.CHECK_RATIO:g} times as long as the
search and at most {certificates.CHECK_LIMIT:g} s. "encloses": the known minimum lies between the
bound and the risk. "plain": without a skip connection.
"""

DESCENT_TEXT = f"""\
## Gradient descent: network-steps a second

Full-batch gradient descent on the mean squared error, one input, width {WIDTH}, float64, the noisy
sine. Every variant does the iterates of the same plain loop; "off by" is the largest relative
distance from that loop after ten steps. A network-step is one step of one network. Each variant
ran with several block sizes and keeps its fastest, best of three; reluscape's number is the
median of five runs, and counts drawing the starts and the final risks. "documented": as the
library's tutorials teach; "tuned": what an expert makes of it by hand (cache blocks, preallocated
buffers, matrix products, both cores). Where one step of all networks takes too long, fewer
networks ran: the rate is per network.
"""

GROWTH_TEXT = f"""\
## Growth with the number of rows

Noisy sine, reluscape only. A step: width {WIDTH}, {growth.STARTS:,} networks, per network, from
the difference of a long and a short run. A fit: k = {growth.KNOTS}, building
`Samples` (sorting) included. Medians of {growth.REPEATS}.
"""

GPU_TEXT = f"""\
## Descents on a graphics processor

Width {gpu.WIDTH}, a target of four pieces on an interval, {gpu.RUNS:,} networks, plain gradient
descent; network-steps a second from the difference of runs of {gpu.LONG:,} and {gpu.SHORT:,} steps,
median of {gpu.REPEATS}. Bar: {gpu.BAR / 1e9:g} billion in single precision. "of peak": operations,
{gpu.OPERATIONS:,} a step as counted in the machine code, over what the clock allows. "deviation":
the largest of a parameter and of a risk from the processor's after {gpu.CHECKED_STEPS} steps,
{gpu.CHECKED:,} networks. No GPU at hand: the row is empty.
"""

ACCURACY_TEXT = f"""\
## Accuracy of the moments

Largest relative error of the risk, and of the gradient, over {accuracy.NETWORKS} networks of width
{accuracy.WIDTH}, against exact rational arithmetic. "direct sums": NumPy over all rows in float64;
"prefix sums": float64 cumulative sums of the raw numbers. The gradient's error is the largest over
its four parts (w, b, v, c), each relative to its norm.
"""

MEMORY_TEXT = """\
## Memory

Rise of the process's peak over what it held before the fit (imports, compiled kernels, the user's
x and y), in a fresh process.
"""

LANDSCAPE_TEXT = f"""\
## Landscape: verdicts and critical points

`classify` at width {landscape.WIDTH}, escape and reasons included, and `critical_points` of one
neuron; medians of {landscape.REPEATS} calls in one process (9 for the slow ones).
"""

DERIVATIVES_TEXT = f"""\
## Exact gradients for several inputs

Networks with a skip connection; medians of {derivatives.REPEATS} calls in one process.
"""

CONSTRUCT_TEXT = f"""\
## Construction: a classifier without descent

Accuracy: mean over {construct.FOLDS} stratified folds, the same for all; scikit-learn's defaults,
logistic regression on standardised inputs. "euclidean": `metric="euclidean"`. "after descent":
the same network, trained on with Adam for at most 200 epochs on standardised inputs. Bar: at least
nearest centroid's, and within {100 * construct.BEHIND_LDA:g} points of LDA's.
"""

TIME_TEXT = f"""\
Time: {construct.CLASSES} clusters, {construct.INPUTS} inputs, float32, in memory. "multiply" is
NumPy's `X.T @ onehot`, with making `onehot`; "read" is `X.sum()`. `construct` reads the rows twice
and measures cost and noise on every row in the second pass; the network itself is known after the
first ("first pass"). Bar: at most {construct.SLOWER:g} times both of NumPy's together. Medians of
{construct.REPEATS}; peers ran once, on fewer rows, and must take {construct.FASTER:g} times as
long as `construct` on the same rows. Memory: rise of the peak over what the process held before,
the rows read from a file in chunks of {construct.CHUNK:,}; bar: {construct.CHUNKS:g} chunks.
"""

START_TEXT = f"""\
As a start: scikit-learn's `MLPClassifier`, {construct.WIDTH} hidden units, Adam with its defaults,
all digits. Epochs until the mean log-loss is reached, from `warm_start_network` and from the
standard start: medians, and the range over {len(construct.SEEDS)} seeds; "–": not in
{construct.EPOCHS} epochs.
"""


ENSEMBLE_TEXT = f"""\
## Many descents at once, on two cores

Plain gradient descent, width {ensemble.WIDTH}, {ensemble.NETWORKS} networks from standard normal
starts, double precision, {ensemble.SECONDS:g} s a run, median of {ensemble.REPEATS}. "Peak": fused
multiply-adds on independent registers, both cores, between the same runs. Operations of a step:
{ensemble.PER_NEURON} a neuron and {ensemble.PER_NETWORK} a network, additions, multiplications and
divisions as the source has them, a fused multiply-add counted as two. Bars: below each rate, and
{ensemble.SHARE:.0%} of the peak.
"""

STUDIES_TEXT = f"""\
## Studies: workers and engines

A study of {studies.CHUNKS} chunks of {studies.STARTS} networks of width {studies.WIDTH}, an
`Interval` target with 4 pieces, {studies.STEPS:,} steps; kernels compiled, results kept in a store
on disk. All ways take turns, {studies.REPEATS} times; ratios are those within a turn, and their
medians. The plain loop calls `run_chunk` in one process and keeps nothing. "Machine": what two such
loops at once gain over one, which no engine can beat. The workers of Dask run before the clock
starts, those of "processes" start within it. Overhead: what a run with one worker takes beside the
time in which that worker is at chunks, over that time, within the same run; beside the plain loop,
a run of its own, it drowns in what this machine does from one minute to the next. Bars: two workers
{studies.FASTER:g} times as fast as one, overhead at most {studies.OVERHEAD:.0%}, both on Dask.
"""


def write(*, quick: bool = False) -> Path:
    """Write the page from whatever sections are stored, and return where."""
    found = {name: load(name, quick=quick) for name in SECTIONS}
    stored = {name: document for name, document in found.items() if document is not None}
    text = [INTRODUCTION, _machine(stored)]
    parts = (
        _fit,
        _certificates,
        _landscape,
        _derivatives,
        _construct,
        _descent,
        _ensemble,
        _gpu,
        _growth,
        _accuracy,
        _memory,
        _studies,
    )
    for name, part in zip(SECTIONS, parts, strict=True):
        if name in stored:
            text.append(part(stored[name]["cells"]))
    page = RESULTS / "quick" / "benchmarks.md" if quick else PAGE
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(text), encoding="utf-8")
    return page


def _ensemble(cells: dict[str, Cell]) -> str:
    rows: list[list[str]] = []
    for name, bar in ensemble.BARS.items():
        cell = cells.get(name, {})
        if "rate" not in cell:
            rows.append([name, cell.get("failure", NONE), f"{bar:g}", NONE, NONE])
            continue
        rate = cell["rate"] / 1e6
        share = NONE if cell["share"] is None else f"{cell['share']:.0%}"
        missed = " (missed)" if rate < bar else ""
        peak = f"{cell['peak'] / 1e9:.0f}"
        rows.append([name, f"{rate:.1f}{missed}", f"{bar:g}", peak, share])
    head = ["problem", "million network-steps/s", "bar", "peak, billion operations/s", "of peak"]
    return "\n".join([ENSEMBLE_TEXT, _table(head, rows)])


def _studies(cells: dict[str, Cell]) -> str:
    rows: list[list[str]] = []
    found = cells.get("engines", {})
    if "failure" in found:
        rows.append(["engines", f"failed: {found['failure']}", NONE, NONE])
    elif found:
        ratios = studies.summary({k: v for k, v in found.items() if k != "finished"})
        rows.append(["machine, two loops at once", f"{ratios['machine']:.2f} times", NONE, NONE])
        for engine in studies.ENGINES:
            speed, extra = ratios[f"{engine}, speed-up"], ratios[f"{engine}, overhead"]
            loop = ratios[f"{engine}, over the loop"]
            bars = (speed >= studies.FASTER, extra <= studies.OVERHEAD)
            met = (
                ["met" if bar else "**missed**" for bar in bars] if engine == "dask" else [NONE] * 2
            )
            share = f"{100 * speed / ratios['machine']:.0f} % of the machine's"
            rows += [
                [f"{engine}, two workers over one", f"{speed:.2f} times", share, met[0]],
                [f"{engine}, overhead", f"{100 * extra:.1f} %", NONE, met[1]],
                [f"{engine}, one worker over the loop", f"{100 * loop:+.1f} %", NONE, NONE],
            ]
    empty = cells.get("empty", {})
    for engine in studies.ENGINES:
        if engine in empty:
            rows.append([f"{engine}, an empty chunk", f"{empty[engine]:.2g} ms", NONE, NONE])
    text = [STUDIES_TEXT, _table(["what", "measured", "of", "bar"], rows)]
    found = cells.get("statistics_of_theory", {})
    if "shares" in found:
        within = all(abs(share - theory) <= margin for share, theory, margin in found["shares"])
        shares = ", ".join(f"{share:.3f} ({theory:g})" for share, theory, _ in found["shares"])
        yes = "yes" if within else "**no**"
        text.append(
            f"""
Shares of {studies.RUNS:,} runs of {studies.RUN_STEPS:,} steps that find the minimum, and in
parentheses theory's from some hundred: {shares}, for S2-6 (widths 1, 2, 4) and S1-5 (2, 4, 8, 16).
All within the stated margins: {yes}. {found["seconds"]:.0f} s in all, kernels compiled (bar:
{studies.STATISTICS_BAR:g} s).
"""
        )
    return "\n".join(text)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _machine(stored: dict[str, Any]) -> str:
    if not stored:
        return "Nothing was measured yet.\n"
    dates = sorted(c["finished"][:10] for d in stored.values() for c in d["cells"].values())
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    machine = next(iter(stored.values()))["machine"]
    # A section without peers says nothing about the versions of those that are not installed.
    others = [
        name
        for name, d in stored.items()
        if any(machine.get(k) != v for k, v in d["machine"].items() if v != "not installed")
    ]
    note = f"\nMeasured with other versions: {', '.join(others)}.\n" if others else ""
    return f"Date: {when}.\n\n" + _table(("what", "value"), machine.items()) + note


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value >= 1e-3 else f"{value * 1e6:.3g} µs"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _per_cent(excess: float) -> str:
    return "0 %" if abs(excess) < 5e-7 else f"{100 * excess:+.2g} %"


def _peer_entry(cell: Cell | None, least: float, seeds: int) -> str:
    if cell is None:
        return NONE
    if not cell["seconds"]:
        failed = f"{len(cell['failures'])} failed" if cell["failures"] else "failed"
        return ("(T/O)" if cell["implied"] else "T/O") if cell["timed_out"] else failed
    entry = _seconds(statistics.median(cell["seconds"]))
    if len(cell["seconds"]) < seeds:
        entry += f" /{len(cell['seconds'])}"
    if cell["sse"]:
        entry += f" ({_per_cent(statistics.median(cell['sse']) / least - 1.0)})"
    if cell["failures"]:
        entry += f" {len(cell['failures'])} failed"
    return entry + (" T/O" if cell["timed_out"] else "")


def _fit(cells: dict[str, Cell]) -> str:
    seeds = max((len(c["sse"]) for k, c in cells.items() if k.startswith(fit.OURS)), default=0)
    rows: list[list[str]] = []
    worse: list[str] = []
    compared = 0
    times: dict[int, float] = {}
    quickest: list[float] = []
    for name in CASES:
        for n in sizes(name):
            for knots in KNOTS:
                ours = cells.get(fit.key(fit.OURS, name, n, knots))
                if ours is None or not ours["sse"]:
                    continue
                peers = [cells.get(fit.key(peer, name, n, knots)) for peer in PEERS]
                theirs = [value for cell in peers if cell for value in cell["sse"]]
                least = min([*ours["sse"], *theirs])
                own = statistics.median(ours["seconds"])
                times[n] = max(times.get(n, 0.0), max(ours["seconds"]))
                row = [name, f"{n:,}", str(knots), f"{least:.8g}"]
                row += [_peer_entry(cell, least, seeds) for cell in peers]
                row.append(_seconds(own))
                medians = [statistics.median(c["seconds"]) for c in peers if c and c["seconds"]]
                if medians:
                    quickest.append(min(medians) / own)
                    row.append(f"{min(medians) / own:.3g}")
                else:
                    row.append(NONE)
                if theirs:
                    excess = max(ours["sse"]) / min(theirs) - 1.0
                    compared += 1
                    if excess > 1e-6:
                        worse.append(f"{name}, n = {n:,}, k = {knots}: {excess:+.2g}")
                    row.append(f"{excess:+.1e}")
                else:
                    row.append(NONE)
                rows.append(row)
    head = ["data", "n", "k", "least sum of squares", *PEERS, "reluscape"]
    head += ["fastest peer / reluscape", "worst of reluscape / best of peers − 1"]
    verdict = (
        f"In {compared - len(worse)} of {compared} cells with a peer to compare with, the worst of "
        "reluscape's seeds is at most the best that any peer found, to 1e-6."
    )
    if worse:
        verdict += " Not so: " + "; ".join(worse) + "."
    slowest = "; ".join(f"n = {n:,}: {_seconds(value)}" for n, value in sorted(times.items()))
    verdict += f" Slowest single fit of reluscape, any case, k and seed: {slowest}."
    if quickest:
        verdict += (
            f" The fastest peer takes {min(quickest):.3g} to {max(quickest):.3g} times as long "
            f"(median {statistics.median(quickest):.3g})."
        )
    text = FIT_TEXT.format(seeds=seeds, limit=fit.Plan().run_limit)
    quoted = [
        [name, f"{n:,}", *(f"{_seconds(s)} ({p:+g} %)" for s, p in entry.values())]
        for (name, n), entry in PWLFIT.items()
    ]
    quoted_table = _table(["data", "n", *(f"k = {k}" for k in KNOTS)], quoted)
    return "\n".join([text, verdict + "\n", _table(head, rows), QUOTED_TEXT, quoted_table])


def _certificates(cells: dict[str, Cell]) -> str:
    rows: list[list[str]] = []
    short: list[str] = []
    for case in dict.fromkeys((*certificates.CASES, *certificates.QUICK)):
        cell = cells.get(case.key)
        if cell is None:
            continue
        wrong = certificates.missed(case, cell)
        what = case.data if case.skip else f"{case.data}, plain"
        if wrong:
            size = f", n = {case.n:,}" if case.n else ""
            short.append(f"{what}{size}, k = {case.width}: {', '.join(wrong)}")
        row = [what, f"{case.n:,}" if case.n else NONE, str(case.width), _bar(case)]
        if "failure" in cell:
            row += [NONE] * 7
        else:
            checked = cell["check_seconds"]
            row += [_seconds(cell["seconds"]), f"{cell['gap']:.2g}", f"{cell['steps']:,}"]
            row += [
                f"{cell['bytes'] / 1e3:,.0f} kB",
                NONE if checked is None else _seconds(checked),
            ]
            row += [NONE if checked is None else f"{checked / cell['seconds']:.2g}"]
            row += ["holds" if cell["holds"] else cell["reason"]]
        rows.append([*row, f"**missed**: {', '.join(wrong)}" if wrong else "met"])
    verdict = f"Met in {len(rows) - len(short)} of {len(rows)} cases."
    if short:
        verdict += f" Missed: {'; '.join(short)}."
    head = ["problem", "n", "k", "bar", "search", "gap", "steps", "file", "check"]
    head += ["check / search", "verdict of the check", "bar met"]
    return "\n".join([CERTIFICATES_TEXT, verdict + "\n", _table(head, rows)])


def _bar(case: certificates.Case) -> str:
    if case.reference is not None:
        return f"encloses {case.reference:.10g}, gap {certificates.GAP:g}"
    bar = f"≤ {case.seconds:g} s"
    return bar if case.open_gap is None else f"{bar}, or gap ≤ {case.open_gap:g} then"


def _descent(cells: dict[str, Cell]) -> str:
    split = {tuple(key.split(" | ")): cell for key, cell in cells.items()}
    sizes_run = sorted({(int(k[2]), int(k[3])) for k in split})
    summary: list[list[str]] = []
    rows: list[list[str]] = []
    for networks, n in sizes_run:
        here = {k[:2]: c for k, c in split.items() if (int(k[2]), int(k[3])) == (networks, n)}
        ours = here.get((descent.OURS, "moments"))
        rates = {k: c for k, c in here.items() if c["rate"] is not None and k[0] != descent.OURS}
        for (library, name), cell in here.items():
            rows.append(_descent_row(networks, n, library, name, cell))
        if ours is None or ours["rate"] is None or not rates:
            continue
        row = [f"{networks:,}", f"{n:,}", _rate(ours["rate"])]
        for kind in ("documented", "tuned"):
            best = max(
                (k for k in rates if rates[k]["kind"] == kind), key=lambda k: rates[k]["rate"]
            )
            rate = rates[best]["rate"]
            row += [f"{_rate(rate)} ({best[0]}: {best[1]})", f"**{ours['rate'] / rate:,.3g}**"]
        summary.append(row)
    short = ["networks", "n", "reluscape", "best documented peer", "ratio", "best tuned peer"]
    long = ["networks", "n", "library", "variant", "kind", "network-steps/s", "networks run"]
    long += ["block (networks, rows)", "off by"]
    return "\n".join(
        [DESCENT_TEXT, _table([*short, "ratio"], summary), "All variants:\n", _table(long, rows)]
    )


def _descent_row(networks: int, n: int, library: str, name: str, cell: Cell) -> list[str]:
    row = [f"{networks:,}", f"{n:,}", library, name]
    if cell["rate"] is None:
        return [*row, NONE, f"failed: {cell['failure']}", NONE, NONE, NONE]
    many, long = (min(a, b) for a, b in zip(cell["block"], (networks, n), strict=True))
    row += [cell["kind"], _rate(cell["rate"]), f"{cell['networks_run']:,}"]
    return [*row, f"{many:,}, {long:,}", f"{cell['disagreement']:.1e}"]


def _landscape(cells: dict[str, Cell]) -> str:
    return _medians(LANDSCAPE_TEXT, landscape.BARS, cells)


def _derivatives(cells: dict[str, Cell]) -> str:
    return _medians(DERIVATIVES_TEXT, derivatives.BARS, cells)


def _medians(text: str, bars: dict[str, float], cells: dict[str, Cell]) -> str:
    rows: list[list[str]] = []
    for case, bar in bars.items():
        cell = cells.get(case)
        if cell is None:
            continue
        if "failure" in cell:
            rows.append([case, _seconds(bar), f"failed: {cell['failure']}", NONE])
            continue
        late = "" if cell["seconds"] <= bar else " (missed)"
        rows.append(
            [case, _seconds(bar), _seconds(cell["seconds"]) + late, _seconds(cell["least"])]
        )
    return "\n".join([text, _table(["case", "bar", "median", "least"], rows)])


def _construct(cells: dict[str, Cell]) -> str:
    parts = [CONSTRUCT_TEXT, _construct_accuracy(cells), TIME_TEXT]
    rows: list[list[str]] = []
    for key, cell in cells.items():
        kind = key.split(" | ")[0]
        if kind not in ("time", "peers", "memory"):
            continue
        if "failure" in cell:
            rows.append([key, f"failed: {cell['failure']}", NONE, NONE])
        elif kind == "time":
            rows += _construct_time(cell)
        elif kind == "peers":
            rows += _construct_peers(cell)
        else:
            met = "met" if cell["chunks"] <= construct.CHUNKS else "**missed**"
            rise = f"{cell['rise'] / 1e6:.0f} MB"
            rows.append(["memory, from a file", rise, f"{cell['chunks']:.2f} chunks", met])
    parts += [_table(["what", "measured", "ratio", "bar"], rows), START_TEXT]
    runs = [c for k, c in cells.items() if k.startswith("start") and "failure" not in c]
    lines = [
        [
            f"{level:g}",
            *(_epochs([run[way]["epochs"][i] for run in runs]) for way in ("warm", "cold")),
        ]
        for i, level in enumerate(construct.LOSSES)
        if runs
    ]
    return "\n".join([*parts, _table(["log-loss", "from the construction", "standard"], lines)])


def _construct_accuracy(cells: dict[str, Cell]) -> str:
    models = (
        construct.OURS,
        construct.PLAIN,
        construct.AFTER,
        construct.LDA,
        construct.CENTROID,
        construct.LOGISTIC,
    )
    rows: list[list[str]] = []
    for name in construct.DATASETS:
        cell = cells.get(f"accuracy | {name}")
        if cell is None or "failure" in cell:
            continue
        ours = cell[construct.OURS]
        met = (
            ours >= cell[construct.CENTROID] and ours >= cell[construct.LDA] - construct.BEHIND_LDA
        )
        row = [name.replace("_", " "), *(f"{100 * cell[model]:.1f} %" for model in models)]
        rows.append([*row, "met" if met else "**missed**"])
    return _table(["data", *models, "bar"], rows)


def _construct_time(cell: Cell) -> list[list[str]]:
    numpy = cell["multiply"] + cell["read"]
    ratio = cell["construct"] / numpy
    met = "met" if ratio <= construct.SLOWER else "**missed**"
    size = f"{cell['rows']:,} rows"
    return [
        [f"multiply, {size}", _seconds(cell["multiply"]), NONE, NONE],
        [f"read, {size}", _seconds(cell["read"]), NONE, NONE],
        [f"first pass, {size}", _seconds(cell["means"]), f"{cell['means'] / numpy:.2f}", NONE],
        [f"**construct**, {size}", _seconds(cell["construct"]), f"{ratio:.2f}", met],
    ]


def _construct_peers(cell: Cell) -> list[list[str]]:
    own = cell["construct"]
    rows = [[f"construct, {cell['rows']:,} rows", _seconds(own), "1", NONE]]
    for name, seconds in cell.items():
        if name in ("construct", "rows", "finished"):
            continue
        bar = NONE
        if name in (construct.LDA, construct.LOGISTIC):
            bar = "met" if seconds / own >= construct.FASTER else "**missed**"
        rows.append([name, _seconds(seconds), f"{seconds / own:.3g}", bar])
    return rows


def _epochs(found: list[int | None]) -> str:
    reached = sorted(epoch for epoch in found if epoch is not None)
    if len(reached) * 2 < len(found) or not reached:
        return NONE
    missing = f", {len(found) - len(reached)} never" if len(reached) < len(found) else ""
    return f"{statistics.median(reached):g} ({reached[0]}–{reached[-1]}{missing})"


def _growth(cells: dict[str, Cell]) -> str:
    known = {int(key): cell for key, cell in cells.items() if "failure" not in cell}
    if not known:
        return GROWTH_TEXT
    first = known[min(known)]
    rows = [
        [
            f"{n:,}",
            _seconds(cell["step"]),
            f"{cell['step'] / first['step']:.2f}",
            _seconds(cell["fit"]),
            f"{cell['fit'] / first['fit']:.2f}",
        ]
        for n, cell in sorted(known.items())
    ]
    smallest = f"{min(known):,}"
    head = ["n", "a network-step", f"over n = {smallest}", "fit"]
    return "\n".join([GROWTH_TEXT, _table([*head, f"over n = {smallest}"], rows)])


def _gpu(cells: dict[str, Cell]) -> str:
    rows: list[list[str]] = []
    for precision in gpu.PRECISIONS:
        cell = cells.get(precision, {})
        if cell.get("device") is None:
            rows.append([precision, cell.get("failure", NONE), *[NONE] * 4])
            continue
        missed = " (missed)" if precision == "float32" and cell["rate"] < gpu.BAR else ""
        share = NONE if cell["share"] is None else f"{cell['share']:.0%}"
        rows.append(
            [
                precision,
                cell["device"],
                f"{cell['rate'] / 1e9:.2f} billion{missed}",
                share,
                f"{cell['deviation']:.1e}",
                f"{cell['risk_deviation']:.1e}",
            ]
        )
    head = ["precision", "device", "network-steps/s", "of peak", "deviation", "of the risk"]
    return "\n".join([GPU_TEXT, _table(head, rows)])


def _accuracy(cells: dict[str, Cell]) -> str:
    rows: list[list[str]] = []
    for key, cell in cells.items():
        data, n = key.split(" | ")
        if "failure" in cell:
            rows.append([data, f"{int(n):,}", f"failed: {cell['failure']}", *[NONE] * 5])
            continue
        row = [data, f"{int(n):,}"]
        for way in accuracy.WAYS:
            row += [f"{cell[way]['risk']:.1e}", f"{cell[way]['gradient']:.1e}"]
        rows.append(row)
    head = ["data", "n"]
    for way in accuracy.WAYS:
        head += [f"{way}: risk", "gradient"]
    return "\n".join([ACCURACY_TEXT, _table(head, rows)])


def _memory(cells: dict[str, Cell]) -> str:
    rows: list[list[str]] = []
    for key, cell in cells.items():
        name, n, knots = key.split(" | ")
        value = cell["bytes_a_row"]
        rows.append([name, f"{int(n):,}", knots, NONE if value is None else f"{value:.0f}"])
    return "\n".join([MEMORY_TEXT, _table(["data", "n", "k", "bytes a row"], rows)])
