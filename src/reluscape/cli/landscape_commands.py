"""What can be typed about landscapes: the commands, their options and their help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class AtZero(StrEnum):
    """The derivative of ReLU at zero: 0 (gt) or 1 (ge)."""

    GT = "gt"
    GE = "ge"


Target = Annotated[
    str,
    typer.Option(
        metavar="EXPR", help="The target, a function of x: x^2, abs(x - 1/2), max(0, 2x - 1), .."
    ),
]
Ends = Annotated[
    tuple[str, str],
    typer.Option(metavar="A B", help="The ends of the interval; 1/2 and pi are understood."),
]
Density = Annotated[
    str | None,
    typer.Option(metavar="EXPR", help="Density of x, a function >= 0; 1 if not given."),
]
Plot = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a figure, .png, .svg or .pdf.")
]
SaveDir = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write every network into this folder, as .json."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]


def classify(
    context: typer.Context,
    network: Annotated[
        Path, typer.Argument(metavar="NET", help="A network that was saved, .json or .npz.")
    ],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA", help="Judge it on data: a CSV, TSV or Parquet file, or - for CSV."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="EXPR", help="Or judge it on a function of x: x^2, abs(x - 1/2), .."),
    ] = None,
    interval: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="The interval that goes with --target."),
    ] = None,
    density: Density = None,
    x: Annotated[
        list[str] | None,
        typer.Option("--x", metavar="COL", help="Column of x, as for fit; several times for more."),
    ] = None,
    y: Annotated[str | None, typer.Option("--y", metavar="COL", help="Column of y.")] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="COL", help="Column of weights, 0 or more.")
    ] = None,
    at_zero: Annotated[
        AtZero, typer.Option(help="Derivative of ReLU at zero: 0 (gt) or 1 (ge).")
    ] = AtZero.GE,
    tolerance: Annotated[
        float,
        typer.Option(metavar="T", help="Relative size up to which a gradient counts as zero."),
    ] = 1e-9,
    lower_bound: Annotated[
        float | None,
        typer.Option(metavar="R", help="A risk below which no network of this width goes."),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="CERT", help="Or a certificate of such a bound; it is checked first."),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the better network that an escape leads to."),
    ] = None,
    plot: Plot = None,
    as_json: Json = False,
) -> int:
    """Say whether a network is a global or local minimum, a saddle, or no critical point at all.

    The reasons are printed with the verdict, and where there is a way down, how far it goes. Exit
    status: 0 whatever the verdict, 2 the input or the call was wrong.
    """
    from reluscape.cli.classify import Request, run
    from reluscape.cli.subjects import Wanted

    return run(
        Request(
            words=("reluscape", *context.obj),
            network=network,
            wanted=Wanted(data, tuple(x or ()), y, weights, target, interval, density),
            at_zero="ge" if at_zero is AtZero.GE else "gt",
            tolerance=tolerance,
            lower_bound=lower_bound,
            certificate=certificate,
            save=save,
            plot=plot,
            as_json=as_json,
        )
    )


def atlas(
    context: typer.Context,
    target: Target,
    interval: Ends,
    width: Annotated[int, typer.Option("--width", "-k", metavar="H", help="Number of neurons.")],
    density: Density = None,
    activation: Annotated[
        str, typer.Option(metavar="relu|leaky:S", help="ReLU, or leaky ReLU of slope S.")
    ] = "relu",
    plot: Plot = None,
    save_dir: SaveDir = None,
    as_json: Json = False,
) -> int:
    """List the critical points of a target on an interval, with their kinds and risks.

    For affine targets the list is complete at every width, for others at width 1; at width 2 it is
    what a search found. Exit status: 0 done, 2 the input or the call was wrong.
    """
    from reluscape.cli.atlas import Request, run
    from reluscape.cli.subjects import Wanted

    return run(
        Request(
            words=("reluscape", *context.obj),
            wanted=Wanted(target=target, interval=interval, density=density),
            width=width,
            activation=activation,
            plot=plot,
            save_dir=save_dir,
            as_json=as_json,
        )
    )


def trap(
    context: typer.Context,
    interval: Ends,
    gap: Annotated[
        float,
        typer.Option(metavar="D", help="How far above the least risk the minima are to be."),
    ],
    width: Annotated[
        int, typer.Option("--width", "-k", metavar="H", help="Neurons of the members, 2 or more.")
    ] = 2,
    members: Annotated[
        int, typer.Option(metavar="N", help="How many members of the family to show.")
    ] = 5,
    plot: Plot = None,
    save_dir: SaveDir = None,
    as_json: Json = False,
) -> int:
    """Make a target with a continuum of local minima whose risk is more than D above the least.

    Exit status: 0 done, 2 the input or the call was wrong.
    """
    from reluscape.cli.trap import Request, run

    return run(
        Request(
            words=("reluscape", *context.obj),
            interval=interval,
            gap=gap,
            width=width,
            members=members,
            plot=plot,
            save_dir=save_dir,
            as_json=as_json,
        )
    )


def attainment(
    context: typer.Context,
    target: Target,
    interval: Ends,
    width: Annotated[int, typer.Option("--width", "-k", metavar="H", help="Number of neurons.")],
    density: Density = None,
    activation: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="relu, leaky:S with a slope S, tanh, softplus, or square for y^2."
        ),
    ] = "relu",
    skip: Annotated[
        bool,
        typer.Option("--skip/--no-skip", help="With a direct affine connection, or without."),
    ] = True,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the search.")] = 0,
    plot: Plot = None,
    as_json: Json = False,
) -> int:
    """Say whether some network has the least risk, or risks fall as parameters grow without bound.

    What is proved is said with its reason; a search within growing bounds on the parameters is
    shown beside it. Exit status: 0 attained or undecided, 1 not attained, 2 the input or the call
    was wrong.
    """
    from reluscape.cli.attainment import Request, run
    from reluscape.cli.subjects import Wanted

    return run(
        Request(
            words=("reluscape", *context.obj),
            wanted=Wanted(target=target, interval=interval, density=density),
            width=width,
            activation=activation,
            skip=skip,
            seed=seed,
            plot=plot,
            as_json=as_json,
        )
    )


EXAMPLES = {
    classify: "Example: reluscape classify net.json --target 'abs(x - 1/2)' --interval 0 1",
    atlas: "Example: reluscape atlas --target 'x^3 - x' --interval -1 1 --width 1 --plot atlas.png",
    attainment: "Example: reluscape attainment --target 'step(x - 1/2)' --interval 0 1 --width 2",
    trap: "Example: reluscape trap --interval 0 1 --gap 1 --plot trap.png",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this module to others.

    Parameters
    ----------
    app : typer.Typer
    """
    for command, example in EXAMPLES.items():
        app.command(epilog=example)(command)
