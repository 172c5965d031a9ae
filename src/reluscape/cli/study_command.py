"""What can be typed about studies: the commands, their options and their help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


class EngineOf(StrEnum):
    """Where the runs are made."""

    INLINE = "inline"
    PROCESSES = "processes"
    DASK = "dask"


class DeviceOf(StrEnum):
    """What the runs are made on."""

    CPU = "cpu"
    CUDA = "cuda"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
StorePath = Annotated[
    Path, typer.Argument(metavar="STORE", help="The folder that study run --store has filled.")
]


class _Group(TyperGroup):
    """Takes ``reluscape study SPEC.toml`` for ``reluscape study run SPEC.toml``."""

    # Its context is Click's, or Typer's own copy of that, depending on the version.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        """Put the word that was left out back in."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


study_app = typer.Typer(cls=_Group, rich_markup_mode=None)


@study_app.callback()
def study() -> None:
    """Run many descents, on this machine or on a cluster, and measure what comes out.

    study SPEC.toml is short for study run SPEC.toml.
    """


@study_app.command()
def run(
    context: typer.Context,
    subject: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="A ready study (convergence, saddles, traps or widths), or a TOML file.",
        ),
    ],
    store: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep results here as they come; go on from what is there."
        ),
    ] = None,
    engine: Annotated[
        EngineOf, typer.Option(help="In this process, in processes of this machine, or Dask.")
    ] = EngineOf.PROCESSES,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes; all processors if not given.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler, like tcp://10.0.0.1:8786."),
    ] = None,
    cluster: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A TOML file about a Slurm cluster.")
    ] = None,
    device: Annotated[
        DeviceOf | None, typer.Option(help="What to compute on; the processor if not given.")
    ] = None,
    starts: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="For ready studies: runs of each combination."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="For ready studies: steps of each run.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="For ready studies: seed of all starts.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="For ready studies: few starts, a first look.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="For ready studies: write the figure, .pdf, .png or .svg."
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Run a study, or what is left of it.

    With --store a study that was stopped goes on where it was, and its results are the same to the
    last bit as if it had not been. Exit status: 0 done, 2 the input or the call was wrong.
    """
    from reluscape.cli.study import Request
    from reluscape.cli.study import run as start

    return start(
        Request(
            words=("reluscape", *context.obj),
            subject=subject,
            store=store,
            engine=engine.value,
            workers=workers,
            scheduler=scheduler,
            cluster=cluster,
            device=None if device is None else device.value,
            starts=starts,
            steps=steps,
            seed=seed,
            quick=quick,
            plot=plot,
            as_json=as_json,
        )
    )


@study_app.command()
def status(context: typer.Context, store: StorePath, as_json: Json = False) -> int:
    """Say how far the study in a store is.

    Nothing is run or changed. Exit status: 0 finished or not, 2 there is no store.
    """
    from reluscape.cli.study import status as tell_status

    return tell_status(("reluscape", *context.obj), store, as_json)


@study_app.command()
def export(
    store: StorePath,
    to: Annotated[
        Path,
        typer.Option("--to", metavar="FILE", help="The file to write, .csv, .parquet or .nc."),
    ],
) -> int:
    """Write the results in a store, complete or not, to one file.

    CSV and Parquet have a row for each run, NetCDF the labelled arrays. Exit status: 0 done, 2 the
    input or the call was wrong.
    """
    from reluscape.cli.study import export as write

    return write(store, to)


EXAMPLE = "Example: reluscape study run convergence --quick --plot convergence.pdf"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to others.

    Parameters
    ----------
    app : typer.Typer
    """
    app.add_typer(study_app, name="study", epilog=EXAMPLE)
