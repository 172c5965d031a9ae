"""What can be typed about classifiers without descent: the command, its options and its help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Metric(StrEnum):
    """What distances are measured in."""

    EUCLIDEAN = "euclidean"
    WITHIN = "within"


class OutputsOf(StrEnum):
    """What the network answers."""

    CLASSES = "classes"
    MEANS = "means"


def construct(
    context: typer.Context,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="A CSV, TSV or Parquet file, or - for CSV on standard input."
        ),
    ],
    label: Annotated[
        str,
        typer.Option(metavar="COL", help="Column of labels, text or numbers: name or position."),
    ],
    x: Annotated[
        list[str] | None,
        typer.Option(
            "--x", metavar="COL", help="Column of an input, several times for several; all if none."
        ),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="COL", help="Column of weights, 0 or more.")
    ] = None,
    metric: Annotated[
        Metric, typer.Option(help="Distances in the inputs, or in units of the noise.")
    ] = Metric.EUCLIDEAN,
    lift: Annotated[
        bool,
        typer.Option("--lift", help="Centre the inputs and append a constant one."),
    ] = False,
    outputs: Annotated[
        OutputsOf, typer.Option(help="Unit vectors, or coordinates of the class means.")
    ] = OutputsOf.CLASSES,
    truncate: Annotated[
        bool, typer.Option("--truncate", help="Also search for thresholds that lower the cost.")
    ] = False,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the network, .json or .npz.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a report, .html.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a figure, .png, .svg or .pdf.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of tables.")
    ] = False,
) -> int:
    """Write down a classifier from class means, without descent, and say what it costs.

    Exit status: 0 done, 2 the input or the call was wrong.
    """
    from reluscape.cli.construct import Request, run

    return run(
        Request(
            words=("reluscape", *context.obj),
            data=data,
            label=label,
            x=tuple(x or ()),
            weights=weights,
            metric="within" if metric is Metric.WITHIN else "euclidean",
            lift=lift,
            outputs="means" if outputs is OutputsOf.MEANS else "classes",
            truncate=truncate,
            save=save,
            report=report,
            plot=plot,
            as_json=as_json,
        )
    )


EXAMPLE = "Example: reluscape construct iris.csv --label species --plot iris.png"


def register(app: typer.Typer) -> None:
    """Add the command of this module to others.

    Parameters
    ----------
    app : typer.Typer
    """
    app.command(epilog=EXAMPLE)(construct)
