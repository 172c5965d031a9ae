"""Every error the package raises on purpose; each message is one sentence with the cure."""

from __future__ import annotations


class ReluscapeError(Exception):
    """Base of every error that reluscape raises on purpose.

    Examples
    --------
    >>> issubclass(InputError, ReluscapeError)
    True
    """


class InputError(ReluscapeError, ValueError):
    """The input or the call was wrong; the command line answers with exit status 2.

    It is a `ValueError` too, so that callers who know nothing of reluscape catch it.
    """


class FileError(InputError):
    """A file is missing, unreadable, damaged, of another version, or not ours."""
