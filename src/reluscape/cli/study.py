"""``reluscape study``: many runs, kept and resumed; how far they are; their results in one file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reluscape.cli.delivery import Shown, deliver, figure_file
from reluscape.cli.outputs import check_outputs
from reluscape.cli.printing import Table
from reluscape.cli.progress import announcing_compilation, tell
from reluscape.errors import FileError, InputError

if TYPE_CHECKING:
    import xarray as xr

    from reluscape.studies.progress import Bar
    from reluscape.studies.ready.sheets import ReadyStudy
    from reluscape.studies.result import Cost, StudyResult
    from reluscape.studies.study import Study

READY = ("convergence", "saddles", "traps", "widths")


@dataclass(frozen=True)
class Request:
    """What was asked for, one field an option; `words` is the command itself."""

    words: Sequence[str]
    subject: str
    store: Path | None
    engine: Literal["inline", "processes", "dask"]
    workers: int | None
    scheduler: str | None
    cluster: Path | None
    device: Literal["cpu", "cuda"] | None
    starts: int | None
    steps: int | None
    seed: int | None
    quick: bool
    plot: Path | None
    as_json: bool


def run(request: Request) -> int:
    """Run a ready study, or one from a file.

    Parameters
    ----------
    request : Request

    Returns
    -------
    int
        The exit status: 0.

    Raises
    ------
    InputError
        When the call, the description of the study or an output path is wrong.
    """
    check_outputs("-", plot=request.plot)
    if request.subject not in READY:
        return _run_described(request)
    from reluscape.studies.ready.launch import ready_study

    with announcing_compilation(fitting=False), _Watched(request) as bar:
        found = ready_study(
            request.subject,
            starts=request.starts,
            steps=request.steps,
            seed=0 if request.seed is None else request.seed,
            quick=request.quick,
            store=request.store,
            engine=request.engine,
            workers=request.workers,
            scheduler=request.scheduler,
            cluster=request.cluster,
            device=request.device,
            progress=bar,
        )
    deliver(
        request.words,
        request.as_json,
        figure_file(request.plot, found.figure),
        lambda: _shown(found),
        lambda: _ready_values(found),
    )
    return 0


class _Watched:
    """Shows progress; on an interrupt, says how to go on."""

    def __init__(self, request: Request) -> None:
        from reluscape.studies.progress import Bar

        self._request, self._bar = request, Bar()

    def __enter__(self) -> Bar:
        return self._bar.__enter__()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._bar.__exit__(None, None, None)
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            kept = self._request.store
            if kept is None:
                tell("reluscape: stopped; results are kept, and a study goes on, with --store DIR.")
            else:
                tell(f"reluscape: stopped; the same command goes on with what is in {kept}.")


def _run_described(request: Request) -> int:
    study = _read(request)
    with announcing_compilation(fitting=False), _Watched(request) as bar:
        result = study.run(
            request.store,
            request.engine,
            workers=request.workers,
            scheduler=request.scheduler,
            cluster=request.cluster,
            device=request.device,
            progress=bar,
        )
    deliver(
        request.words,
        request.as_json,
        [],
        lambda: _described_shown(result),
        lambda: _described_values(result),
    )
    return 0


def _read(request: Request) -> Study:
    """Read a study from a file; refuse options that are for ready ones."""
    for option, given in (
        ("--starts", request.starts is not None),
        ("--steps", request.steps is not None),
        ("--seed", request.seed is not None),
        ("--quick", request.quick),
        ("--plot", request.plot is not None),
    ):
        if given:
            raise InputError(
                f"{option} is for the ready studies ({', '.join(READY)}); what a study from a file "
                "does is said in the file."
            )
    path = Path(request.subject)
    if not path.suffix and not path.exists():
        raise InputError(
            f"there is no ready study {request.subject!r}, and no file of that name; choose from "
            f"{', '.join(READY)}, or give a TOML file."
        )
    from reluscape.studies.study import Study

    return Study.from_toml(path)


def _shown(found: ReadyStudy) -> Shown:
    tables = [
        Table(sheet.headings, sheet.rows, words=sheet.words, title=sheet.title)
        for sheet in found.sheets
    ]
    return [found.title, found.cost], tables, found.remarks


def _ready_values(found: ReadyStudy) -> Mapping[str, object]:
    return {
        "study": found.name,
        "title": found.title,
        "digest": found.result.study.digest,
        "runs": int(found.result.dataset.attrs["runs_total"]),
        "cost": _cost_values(found.result.cost),
        "seconds": found.seconds,
        "extra_network_steps": found.extra_steps,
        "summary": _summary_values(found.summary),
        "remarks": list(found.remarks),
    }


def _summary_values(summary: xr.Dataset) -> Mapping[str, object]:
    """Return arrays with the names of their axes, values of the axes, and attributes."""

    def entries(names: Sequence[object]) -> dict[str, object]:
        return {
            str(name): {
                "axes": [str(axis) for axis in summary[name].dims],
                "values": summary[name].to_numpy().tolist(),
            }
            for name in names
        }

    return {
        "coordinates": entries(list(summary.coords)),
        "variables": entries(list(summary.data_vars)),
        "attributes": {str(key): value for key, value in summary.attrs.items()},
    }


def _cost_values(cost: Cost | None) -> Mapping[str, object] | None:
    return None if cost is None else {**dataclasses.asdict(cost), "rate": cost.rate}


def _described_shown(result: StudyResult) -> Shown:
    headings, rows = result.cells()
    heading = [str(result.study)]
    if result.cost is not None:
        heading.append(str(result.cost))
    kept = [] if result.store is None else [f"All runs are in {result.store}; see study export."]
    return heading, [Table(headings, rows)], kept


def _described_values(result: StudyResult) -> Mapping[str, object]:
    return {
        "study": result.study.name,
        "digest": result.study.digest,
        "complete": result.complete,
        "store": None if result.store is None else str(result.store),
        "cost": _cost_values(result.cost),
        "rows": [dataclasses.asdict(row) for row in result.table()],
    }


def status(words: Sequence[str], path: Path, as_json: bool) -> int:
    """Say how far the study in a store is.

    Parameters
    ----------
    words : sequence of str
        The command.
    path : Path
    as_json : bool

    Returns
    -------
    int
        The exit status: 0.

    Raises
    ------
    FileError
        When there is no store.
    """
    from reluscape.studies.store import Store
    from reluscape.studies.study import Study

    kept = Store.open(path)
    found = kept.status()
    study = Study.from_description(kept.description)
    plan = study.plan
    present = kept.present()
    runs = sum(plan.chunk(index).count for index in present)
    latest = None if found.latest is None else datetime.fromtimestamp(found.latest, UTC).isoformat()

    def shown() -> Shown:
        rows = [
            ["runs", f"{runs:,} of {plan.runs:,}"],
            ["chunks", f"{found.finished:,} of {found.chunks:,}"],
            ["damaged chunks", f"{found.damaged:,}"],
            ["on disk", f"{found.bytes / 1e6:,.1f} MB"],
            ["last result", "–" if latest is None else latest[:19] + " UTC"],
            ["digest", found.digest[:16]],
        ]
        said = "complete" if found.complete else "not complete: study run goes on with it"
        return [str(study), f"in {path}: {said}"], [Table(("", "value"), rows)], []

    deliver(
        words,
        as_json,
        [],
        shown,
        lambda: {
            "store": str(path),
            "name": found.name,
            "digest": found.digest,
            "complete": found.complete,
            "runs": {"done": runs, "all": plan.runs},
            "chunks": {
                "finished": found.finished,
                "damaged": found.damaged,
                "all": found.chunks,
            },
            "bytes": found.bytes,
            "latest": latest,
        },
    )
    return 0


def export(path: Path, to: Path) -> int:
    """Write the results in a store to one file.

    Parameters
    ----------
    path, to : Path

    Returns
    -------
    int
        The exit status: 0.

    Raises
    ------
    InputError
        When there is no store, or the file cannot be written.
    """
    if not to.absolute().parent.is_dir():
        raise FileError(f"--to: there is no folder {to.parent}; make it first.")
    from reluscape.studies.export import export_study

    rows = export_study(path, to)
    tell(f"reluscape: wrote {rows:,} runs to {to}")
    return 0
