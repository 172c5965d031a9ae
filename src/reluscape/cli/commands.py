"""What can be typed: the commands, their options and their help."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reluscape._version import __version__
from reluscape.cli import construct_command, landscape_commands, study_command


class Monotone(StrEnum):
    """Which way a fit must go."""

    INCREASING = "increasing"
    DECREASING = "decreasing"


# Help in plain text: drawing it with Rich would take longer than everything else.
app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def dispatch(argv: Sequence[str]) -> int:
    """Run the command that some words ask for; whatever it raises goes on to the caller.

    Parameters
    ----------
    argv : sequence of str
        The words after ``reluscape``.

    Returns
    -------
    int
        The exit status.
    """
    group = typer.main.get_command(app)
    status = group.main(list(argv), prog_name="reluscape", standalone_mode=False, obj=tuple(argv))
    return status if isinstance(status, int) else 0


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reluscape {__version__}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Fit data by shallow ReLU networks: in one dimension, the best continuous broken line."""
    del version


@app.command()
def fit(
    context: typer.Context,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="A CSV, TSV or Parquet file, or - for CSV on standard input."
        ),
    ],
    x: Annotated[
        list[str] | None,
        typer.Option(
            "--x",
            metavar="COL",
            help="Column of x: its name, or its position from 1 (from -1 at the end). Give it "
            "several times for several inputs. Not needed when only two columns hold numbers.",
        ),
    ] = None,
    y: Annotated[
        str | None, typer.Option("--y", metavar="COL", help="Column of y, in the same way.")
    ] = None,
    width: Annotated[
        str,
        typer.Option(
            "--width", "-k", metavar="K|auto", help="Number of neurons: of breakpoints, with one x."
        ),
    ] = "auto",
    weights: Annotated[
        str | None, typer.Option(metavar="COL", help="Column of weights, 0 or more.")
    ] = None,
    skip: Annotated[
        bool,
        typer.Option("--skip/--no-skip", help="With a direct affine connection, or without."),
    ] = True,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of everything random.")] = 0,
    max_width: Annotated[
        int | None,
        typer.Option(
            metavar="K", min=0, help="The largest width that auto tries; 10 if not given."
        ),
    ] = None,
    monotone: Annotated[
        Monotone | None, typer.Option(help="Let no piece go the other way.")
    ] = None,
    slope_min: Annotated[
        float | None, typer.Option(metavar="S", help="The smallest slope that a piece may have.")
    ] = None,
    slope_max: Annotated[
        float | None, typer.Option(metavar="S", help="The largest slope that a piece may have.")
    ] = None,
    min_distance: Annotated[
        float, typer.Option(metavar="D", help="Least distance between breakpoints.")
    ] = 0.0,
    min_points: Annotated[int, typer.Option(metavar="N", help="Fewest distinct x on a piece.")] = 0,
    certify: Annotated[
        bool,
        typer.Option("--certify", help="Also bound the risk of all networks of this width."),
    ] = False,
    gap: Annotated[
        float | None,
        typer.Option(
            metavar="G", help="Relative gap that the bound must close; 1e-6 if not given."
        ),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(
            metavar="S", help="Seconds for the bound; the best so far counts, as on Ctrl-C."
        ),
    ] = None,
    pinned: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Show where all fits within P percent of the best bend; 1 in reports and plots.",
        ),
    ] = None,
    level: Annotated[
        float, typer.Option(metavar="P", help="Level of the intervals, between 0 and 1.")
    ] = 0.95,
    bootstrap: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Take intervals from N bootstrap replicates, not from theory."
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the network, .json or .npz.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a report, .html.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a figure, .png, .svg or .pdf.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the proof of the bound, .json.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of tables.")
    ] = False,
) -> int:
    """Fit y on x by least squares: the continuous piecewise-linear fit with K breakpoints.

    The result goes to standard output, progress and errors to standard error. Exit status: 0 done,
    1 the gap that --certify is to close is not closed, 2 the input or the call was wrong.
    """
    from reluscape.cli.fit import Request, run

    return run(
        Request(
            words=("reluscape", *context.obj),
            data=data,
            x=tuple(x or ()),
            y=y,
            width=width,
            weights=weights,
            skip=skip,
            seed=seed,
            max_width=max_width,
            monotone=None if monotone is None else monotone.value,
            slope_min=slope_min,
            slope_max=slope_max,
            min_distance=min_distance,
            min_points=min_points,
            certify=certify,
            gap=gap,
            time_limit=time_limit,
            pinned=pinned,
            level=level,
            bootstrap=bootstrap,
            save=save,
            report=report,
            plot=plot,
            certificate=certificate,
            as_json=as_json,
        )
    )


@app.command()
def check(
    certificate: Annotated[
        Path, typer.Argument(metavar="CERT", help="A certificate that fit --certify wrote.")
    ],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="Its data: a CSV, TSV or Parquet file, or - for standard input."
        ),
    ],
    x: Annotated[str | None, typer.Option("--x", metavar="COL", help="Column of x.")] = None,
    y: Annotated[str | None, typer.Option("--y", metavar="COL", help="Column of y.")] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="COL", help="Column of weights, 0 or more.")
    ] = None,
) -> int:
    """Prove again, in exact arithmetic, that no network of its width beats a certificate's bound.

    Exit status: 0 it holds, 1 it does not, 2 the input or the call was wrong.
    """
    from reluscape.cli.check import run

    return run(certificate, data, x=x, y=y, weights=weights)


landscape_commands.register(app)
construct_command.register(app)
study_command.register(app)
