"""``reluscape fit``: read a table, fit, show and write the result."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from reluscape.cli.outputs import Outputs, check_outputs
from reluscape.cli.progress import Waiting, announcing_compilation, tell
from reluscape.cli.render import Result, show_json, show_tables
from reluscape.errors import FileError, InputError

if TYPE_CHECKING:
    from reluscape.fits.inference import Inference
    from reluscape.fitting import Fit
    from reluscape.optimum.pinned import Pinned
    from reluscape.report.protocol import FitLike
    from reluscape.tables.reading import Columns


# Seconds for the intervals that all good fits have their breakpoints in; fewer for who has had
# enough of waiting.
PATIENCE = 20.0
HASTE = 2.0


@dataclass(frozen=True)
class Request:
    """What was asked for, one field an option; `words` is the command itself."""

    words: Sequence[str]
    data: str
    x: Sequence[str]
    y: str | None
    width: str
    weights: str | None
    skip: bool
    seed: int
    max_width: int | None
    monotone: Literal["increasing", "decreasing"] | None
    slope_min: float | None
    slope_max: float | None
    min_distance: float
    min_points: int
    certify: bool
    gap: float | None
    time_limit: float | None
    pinned: float | None
    level: float
    bootstrap: int | None
    save: Path | None
    report: Path | None
    plot: Path | None
    certificate: Path | None
    as_json: bool


def run(request: Request) -> int:
    """Do what was asked for.

    Parameters
    ----------
    request : Request

    Returns
    -------
    int
        The exit status: 0, or 1 where a gap was to be closed and is not.

    Raises
    ------
    InputError
        When the call, the data or an output path are wrong.
    """
    width = _width(request)
    _check_options(request)
    outputs = check_outputs(
        request.data,
        save=request.save,
        report=request.report,
        plot=request.plot,
        certificate=request.certificate,
    )
    from reluscape.tables.reading import read_columns

    columns = read_columns(request.data, x=request.x, y=request.y, weights=request.weights)
    for note in columns.notes:
        tell(f"reluscape: {note}.")
    result = _fit(request, width, columns)
    if result.fit.ended == "interrupted":
        tell("reluscape: interrupted; the result has the bounds so far.")
    # The result is shown even where a disk turns out to be full: nothing is lost.
    lost = _write(request, result, outputs)
    if request.as_json:
        show_json(result, request.words, outputs.paths)
    else:
        show_tables(result)
    if lost is not None:
        raise lost
    for path in outputs.paths.values():
        tell(f"reluscape: wrote {path}")
    return 0 if result.fit.ended in ("", "closed") else 1


def _width(request: Request) -> int | Literal["auto"]:
    """Return the width as `reluscape.fit` takes it."""
    text = request.width.strip()
    if text == "auto":
        return "auto"
    if not re.fullmatch(r"\d{1,9}", text):
        raise InputError(f"--width is {text!r}; give a whole number, 0 or more, or auto.")
    if request.max_width is not None:
        raise InputError("--max-width goes with --width auto only; leave one of the two out.")
    return int(text)


def _check_options(request: Request) -> None:
    """Refuse what can be refused before any work."""
    if not 0 < request.level < 1:
        raise InputError(f"--level is {request.level:g}; give a number between 0 and 1, like 0.95.")
    certifying = (
        ("--gap", request.gap),
        ("--time-limit", request.time_limit),
        ("--pinned", request.pinned),
        ("--certificate", request.certificate),
    )
    for option, value in certifying:
        if value is not None and not request.certify:
            raise InputError(f"{option} goes with --certify only; add that, or leave it out.")
    if request.pinned is not None and not 0 < request.pinned < math.inf:
        raise InputError(f"--pinned is {request.pinned:g}; give a percentage above 0, like 1.")
    if request.bootstrap is not None and request.bootstrap < 2:
        raise InputError(f"--bootstrap is {request.bootstrap}; give 2 replicates or more.")
    if request.bootstrap is not None and len(request.x) > 1:
        raise InputError("--bootstrap needs a single --x; leave it out for several.")
    for option, value in (("--slope-min", request.slope_min), ("--slope-max", request.slope_max)):
        if value is not None and math.isnan(value):
            raise InputError(f"{option} is nan; give a number.")
    least, most = request.slope_min, request.slope_max
    if least is not None and most is not None and least > most:
        raise InputError(f"--slope-min {least:g} is above --slope-max {most:g}; swap them.")


def _fit(request: Request, width: int | Literal["auto"], columns: Columns) -> Result:
    with Waiting() as waiting:
        from reluscape.fitting import fit
        from reluscape.problems.samples import Samples

        with announcing_compilation():
            found = fit(
                Samples(columns.x, columns.y, columns.weights),
                width,
                skip=request.skip,
                certify=request.certify,
                gap=1e-6 if request.gap is None else request.gap,
                time_limit=request.time_limit,
                seed=request.seed,
                max_width=10 if request.max_width is None else request.max_width,
                monotone=request.monotone,
                slope_bounds=_slope_bounds(request),
                min_distance=request.min_distance,
                min_points=request.min_points,
                progress=waiting,
            )
            inference = None if columns.x.ndim > 1 else _infer(request, found, waiting)
            pinned = _pin(request, found, waiting)
        return Result(columns, cast("FitLike", found), inference, pinned)


def _slope_bounds(request: Request) -> tuple[float, float] | None:
    if request.slope_min is None and request.slope_max is None:
        return None
    return (
        -math.inf if request.slope_min is None else request.slope_min,
        math.inf if request.slope_max is None else request.slope_max,
    )


def _infer(request: Request, found: Fit, waiting: Waiting) -> Inference:
    if request.bootstrap is None:
        return found.inference(level=request.level)
    return found.inference(
        method="bootstrap",
        level=request.level,
        replicates=request.bootstrap,
        seed=request.seed,
        progress=waiting,
    )


def _pin(request: Request, found: Fit, waiting: Waiting) -> Pinned | None:
    """Find where all good fits have their breakpoints, for who looks at it."""
    looked_at = request.pinned is not None or request.report or request.plot
    if not request.certify or not looked_at or not found.width:
        return None
    patience = HASTE if found.ended == "interrupted" else PATIENCE
    if request.time_limit is not None:
        patience = min(patience, request.time_limit)
    share = 0.01 if request.pinned is None else request.pinned / 100.0
    return found.pins(share, patience=patience, progress=waiting)


def _check_words(request: Request) -> list[str] | None:
    """Return the command that checks the certificate, where one is written."""
    if request.certificate is None:
        return None
    words = ["reluscape", "check", str(request.certificate), request.data]
    columns = (("--x", request.x[0] if request.x else None), ("--y", request.y))
    for option, value in (*columns, ("--weights", request.weights)):
        words += [] if value is None else [option, value]
    return words


def _write(request: Request, result: Result, outputs: Outputs) -> FileError | None:
    """Write the files; return what went wrong instead of raising it."""
    try:
        if outputs.save:
            result.fit.network.save(outputs.save)
        certificate = cast("Fit", result.fit).certificate
        if outputs.certificate and certificate is not None:
            certificate.save(outputs.certificate)
        if outputs.plot or outputs.report:
            _draw(request, result, outputs)
    except OSError as problem:
        return FileError(f"cannot write {problem.filename} ({problem.strerror}); make room for it.")
    return None


def _draw(request: Request, result: Result, outputs: Outputs) -> None:
    from reluscape.report.plots import plot_fit, save_figure

    columns, inference = result.columns, result.inference
    x_name = ", ".join(columns.x_names)
    figure = plot_fit(
        result.fit, inference, pinned=result.pinned, x_name=x_name, y_name=columns.y_name
    )
    if outputs.plot:
        save_figure(figure, outputs.plot)
    if outputs.report:
        from reluscape.report.document import write_report

        write_report(
            result.fit,
            outputs.report,
            command=request.words,
            x_name=x_name,
            y_name=columns.y_name,
            weights_name=columns.weights_name,
            inference=inference,
            pinned=result.pinned,
            check=_check_words(request),
            source=columns.source,
            figure=figure,
        )
