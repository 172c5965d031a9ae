"""``reluscape check``: prove a certificate again, from the data alone."""

from __future__ import annotations

import sys
from pathlib import Path


def run(
    path: Path, data: str, *, x: str | None = None, y: str | None = None, weights: str | None = None
) -> int:
    """Check a certificate and print the verdict.

    Parameters
    ----------
    path : Path
        The certificate.
    data : str
        Path of the table that it is about.
    x, y, weights : str or None
        Columns, as for `reluscape fit`.

    Returns
    -------
    int
        The exit status: 0 if the certificate holds, 1 if not.

    Raises
    ------
    InputError
        When a file cannot be read, or the data are not those of the certificate.
    """
    from reluscape.optimum.certificate_file import load_certificate
    from reluscape.optimum.checker import check
    from reluscape.problems.samples import Samples
    from reluscape.tables.reading import read_columns

    certificate = load_certificate(path)
    columns = read_columns(data, x=() if x is None else (x,), y=y, weights=weights)
    verdict = check(certificate, Samples(columns.x, columns.y, columns.weights))
    if not verdict.holds:
        sys.stdout.write(f"The certificate does not hold: {verdict.reason}.\n")
        return 1
    gap = 1.0 - verdict.lower_bound / verdict.risk if verdict.risk > 0.0 else 0.0
    sys.stdout.write(
        f"The certificate holds: no network of width {certificate.width} "
        f"({certificate.rules.describe()}) has a risk below {verdict.lower_bound:.10g} "
        f"on these {certificate.rows} rows.\n"
        f"Its network has risk {verdict.risk:.10g}: within {max(gap, 0.0):.1e} of the global "
        "minimum.\n"
    )
    return 0
