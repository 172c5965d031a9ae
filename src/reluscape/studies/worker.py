"""A worker process: `python -m reluscape.studies.worker`, told what to do on standard input.

It ends when its input ends: with the study that started it, however that comes to its end.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import IO, cast

from reluscape.errors import InputError
from reluscape.studies.frames import receive, send
from reluscape.studies.work import Description, WarmUp, Work, find, perform

WARM_UP = "the warm-up"


def main() -> int:
    """Do what is asked until nobody is there to ask.

    Returns
    -------
    int
        The exit status.
    """
    # Whoever started us stops us; Ctrl-C is his to see.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not end up between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    first = receive(sys.stdin.buffer)
    if first is None:
        return 1
    work = _as_work(first[0])
    requests: queue.Queue[object] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    try:
        find(work.task)
        if work.warm_up:
            find(work.warm_up)
    except BaseException as error:  # noqa: BLE001 (told to who waits)
        send(answers, _failure(None, error))
        return 1
    send(answers, {"ready": True})
    while True:
        _answer(work, requests.get(), answers)


def _listen(stream: IO[bytes], requests: queue.Queue[object]) -> None:
    while (found := receive(stream)) is not None:
        requests.put(found[0]["do"])
    # The main thread may be deep in a kernel: it is not asked.
    os._exit(0)


def _answer(work: Work, request: object, answers: IO[bytes]) -> None:
    try:
        if request == WARM_UP:
            cast("WarmUp", find(work.warm_up))(work.description, device=work.device)
            send(answers, {"did": WARM_UP})
            return
        done = perform(work, cast("int", request))
    except BaseException as error:  # noqa: BLE001 (told to who waits)
        send(answers, _failure(request, error))
        return
    send(answers, {"did": done.index, "seconds": done.seconds}, done.table)


def _failure(request: object, error: BaseException) -> dict[str, object]:
    return {
        "failed": request,
        "kind": "input"
        if isinstance(error, InputError)
        else "memory"
        if isinstance(error, MemoryError)
        else "other",
        "message": str(error),
        "trace": "".join(traceback.format_exception(error)),
    }


def _as_work(message: Mapping[str, object]) -> Work:
    return Work(
        cast("Description", message["description"]),
        str(message["task"]),
        str(message["warm_up"]),
        str(message["device"]),
    )


if __name__ == "__main__":
    sys.exit(main())
