"""How far a study is, as its store tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StoreStatus:
    """What is in a store.

    Attributes
    ----------
    path : Path
    name : str
        Of the study, perhaps empty.
    digest, version : str
        Of the study, and of the reluscape that computes it.
    chunks, finished, damaged : int
        All, those that are there, and those whose file is damaged: they are computed again.
    bytes : int
        Size of all chunks on disk.
    latest : float or None
        When the last chunk was delivered, in seconds since 1970; None before the first.

    Examples
    --------
    >>> StoreStatus(Path("results"), "widths", "d41d", "0.1.0", 4, 1, 0, 2000, None).missing
    3
    """

    path: Path
    name: str
    digest: str
    version: str
    chunks: int
    finished: int
    damaged: int
    bytes: int
    latest: float | None

    @property
    def missing(self) -> int:
        """How many chunks are to be computed."""
        return self.chunks - self.finished

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.missing == 0
