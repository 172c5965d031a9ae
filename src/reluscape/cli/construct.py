"""``reluscape construct``: a classifier written down from class means."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reluscape._version import __version__
from reluscape.cli.outputs import Outputs, check_outputs
from reluscape.cli.printing import Table, print_document, print_tables
from reluscape.cli.progress import announcing_compilation, tell
from reluscape.errors import FileError

if TYPE_CHECKING:
    from reluscape.construction.result import Construction
    from reluscape.construction.truncation import Truncation
    from reluscape.tables.reading import LabelledColumns


@dataclass(frozen=True)
class Request:
    """What was asked for, one field an option; `words` is the command itself."""

    words: Sequence[str]
    data: str
    label: str
    x: Sequence[str]
    weights: str | None
    metric: Literal["euclidean", "within"]
    lift: bool
    outputs: Literal["classes", "means"]
    truncate: bool
    save: Path | None
    report: Path | None
    plot: Path | None
    as_json: bool


@dataclass(frozen=True)
class Result:
    """A construction, and what is shown of it."""

    columns: LabelledColumns
    made: Construction
    truncation: Truncation | None
    nearest: Sequence[float]


def run(request: Request) -> int:
    """Construct a classifier and show it.

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
        When the call, the data or an output path are wrong.
    """
    outputs = check_outputs(
        request.data, save=request.save, report=request.report, plot=request.plot
    )
    from reluscape.tables.reading import read_labelled

    columns = read_labelled(request.data, label=request.label, x=request.x, weights=request.weights)
    for note in columns.notes:
        tell(f"reluscape: {note}.")
    with announcing_compilation(fitting=False):
        result = _construct(request, columns)
    lost = _write(request, result, outputs)
    if request.as_json:
        print_document(_values(request, result, outputs.paths))
    else:
        print_tables(*_shown(result))
    if lost is not None:
        raise lost
    for path in outputs.paths.values():
        tell(f"reluscape: wrote {path}")
    return 0


def _construct(request: Request, columns: LabelledColumns) -> Result:
    import reluscape
    from reluscape.report.construction import own_nearest

    with warnings.catch_warnings():
        # The result says in its remarks what the warning says.
        warnings.simplefilter("ignore", reluscape.IllConditionedWarning)
        made = reluscape.construct(
            columns.x,
            columns.labels,
            Y="means" if request.outputs == "means" else None,
            weights=columns.weights,
            metric=request.metric,
            lift=request.lift,
        )
    truncation = None
    if request.truncate:
        truncation = made.truncated(columns.x, columns.labels, weights=columns.weights)
    counted = slice(None) if columns.weights is None else columns.weights > 0
    labels = [c for c, w in zip(columns.labels, _positive(columns), strict=True) if w]
    nearest = own_nearest(made, made.classify(columns.x[counted]), labels)
    return Result(columns, made, truncation, nearest)


def _positive(columns: LabelledColumns) -> Sequence[bool]:
    if columns.weights is None:
        return [True] * len(columns.labels)
    return (columns.weights > 0).tolist()


def _write(request: Request, result: Result, outputs: Outputs) -> FileError | None:
    """Write the files; return what went wrong instead of raising it."""
    try:
        if outputs.save:
            cut = result.truncation
            network = cut.network if cut and cut.improves else result.made.network
            network.save(outputs.save)
        if outputs.plot or outputs.report:
            _draw(request, result, outputs)
    except FileError as lost:
        return lost
    except OSError as problem:
        return FileError(f"cannot write {problem.filename} ({problem.strerror}); make room for it.")
    return None


def _draw(request: Request, result: Result, outputs: Outputs) -> None:
    from reluscape.report.metric_plot import plot_construction
    from reluscape.report.plots import save_figure

    columns = result.columns
    figure = plot_construction(result.made, columns.x, columns.labels)
    if outputs.plot:
        save_figure(figure, outputs.plot)
    if outputs.report:
        from reluscape.report.construction import write_construction_report

        write_construction_report(
            result.made,
            outputs.report,
            figure=figure,
            nearest=result.nearest,
            truncation=result.truncation,
            label_name=columns.label_name,
            source=columns.source,
            command=request.words,
        )


def _shown(result: Result) -> tuple[list[str], list[Table], list[str]]:
    from reluscape.report.construction import CLASS_HEADINGS, class_rows, cost_rows

    made, columns = result.made, result.columns
    heading = [
        f"{columns.label_name} by distance: {len(made.classes)} classes, {len(columns.x_names)} "
        f"inputs, {int(made.rows.sum()):,} rows of {columns.source}",
        f"a network of {made.network.width} hidden units, {made.frame.rank} of them active on the "
        "rows, written down from the class means",
    ]
    tables = [
        Table(CLASS_HEADINGS, class_rows(made, result.nearest)),
        Table(("", "value"), cost_rows(made, result.truncation)),
    ]
    remarks = list(made.remarks)
    if result.truncation is not None:
        remarks.append(str(result.truncation).splitlines()[0] + ".")
    return heading, tables, remarks


def _values(request: Request, result: Result, paths: Mapping[str, Path]) -> dict[str, object]:
    from reluscape.report.values import network_values, plain

    made, cut = result.made, result.truncation
    exact = made.exact
    return plain(
        {
            "reluscape": __version__,
            "command": shlex.join(request.words),
            "rows": int(made.rows.sum()),
            "inputs": list(result.columns.x_names),
            "classes": [
                {"label": label, "rows": rows, "delta_P": noise, "nearest_to_own": share}
                for label, rows, noise, share in zip(
                    made.classes,
                    made.rows.tolist(),
                    made.class_delta_P.tolist(),
                    result.nearest,
                    strict=True,
                )
            ],
            "metric": made.metric,
            "lifted": made.lifted,
            "cost": made.cost,
            "closed_form_cost": made.closed_form_cost,
            "class_weighted_cost": made.class_weighted_cost,
            "bound": made.bound,
            "delta": made.delta,
            "delta_P": made.delta_P,
            "condition": made.condition,
            "reference_outputs": made.Y,
            "exact": None
            if exact is None
            else {
                "upper": exact.upper,
                "tied": exact.tied,
                "affine": exact.affine,
                "relative_error": exact.relative_error,
            },
            "truncation": None
            if cut is None
            else {
                "improves": cut.improves,
                "cost": cut.cost,
                "linear_cost": cut.linear_cost,
                "thresholds": cut.thresholds,
                "signs": cut.signs,
                "network": network_values(cut.network),
            },
            "remarks": list(made.remarks),
            "network": network_values(made.network),
            "files": {name: str(path) for name, path in paths.items()},
        }
    )
